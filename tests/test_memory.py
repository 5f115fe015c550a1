"""Memory: what a fit and a prediction need beside X and y, each measured in its own process."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from benchmarks.memory import elsewhere
from two_layer_sigmoid import TwoLayerSigmoidClassifier

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, and limits as Linux")

ROOT = Path(__file__).parents[1]
LIMITED = """
import resource, sys
import numpy as np
from benchmarks.memory import resident
from two_layer_sigmoid import TwoLayerSigmoidClassifier

X = np.load(sys.argv[1], mmap_mode="r")
y = X[:, 0] > 0
clf = TwoLayerSigmoidClassifier(4, solver=sys.argv[2], max_iter=2, random_state=0, n_jobs=2)
clf.fit(X[:1000], y[:1000])  # takes the memory of OpenBLAS, which would wait for it for ever
limit = int(2**20 * resident("VmData")) + X.nbytes // 2
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
try:
    X.copy()
except MemoryError:
    print("X does not fit")
clf.fit(X, y)
print(len(clf.predict_proba(X)), clf.W1_.dtype)
"""


@pytest.fixture(scope="module", params=["C", "F"])
def mapped(request, tmp_path_factory):
    """A file of 256 MiB, some 1,700,000 rows."""
    path = tmp_path_factory.mktemp("mapped") / "X.npy"
    shape = (2**25 // 20, 20)
    order = request.param == "F"
    X = np.lib.format.open_memmap(path, "w+", np.float64, shape, fortran_order=order)
    X[...] = np.random.RandomState(0).standard_normal(shape)
    X.flush()
    return path


@pytest.mark.parametrize("solver", ["gd", "lbfgs"])
def test_mapped_features_larger_than_memory_train_and_predict(mapped, solver):
    command = [sys.executable, "-W", "ignore", "-c", LIMITED, str(mapped), solver]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:2] == ["X does not fit", f"{2**25 // 20} float64"]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_half_a_million_rows_need_little_beside_X_and_y(dtype):
    row = elsewhere("ours", 500_000, dtype)
    assert row["note"] == ""
    assert 0 < row["MiB"] <= 32


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("order", ["C", "F"])
def test_features_are_not_copied(moons, small_blocks, dtype, order):
    X, y = np.asarray(moons[0], dtype, order=order), moons[1]
    seen = []

    class Recorded(TwoLayerSigmoidClassifier):
        def _forward(self, X, params, **buffers):
            seen.append(X)
            return super()._forward(X, params, **buffers)

    clf = Recorded(max_iter=50, random_state=0).fit(X, y)
    clf.predict(X)
    assert seen
    assert all(np.shares_memory(block, X) for block in seen)
    assert_array_equal(X, moons[0].astype(dtype))

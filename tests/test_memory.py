"""Peak memory of fits and predictions in addition to X and y, each in a new process."""

import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from tests import datasets
from tests.datasets import LAYOUTS
from tests.helpers import assert_allclose_weights, make_clf, slow
from two_layer_sigmoid import TwoLayerSigmoidClassifier


def test_wide_sparse_input_stays_sparse():
    rows = np.arange(200)
    X = sparse.csr_array((np.ones(200), (rows, 5000 * rows)), shape=(200, 10**6))
    y = rows % 2
    tracemalloc.start()
    with pytest.warns(ConvergenceWarning, match="plateau"):
        clf = make_clf(max_iter=2, n_h=1).fit(X, y)
    assert clf.predict(X).shape == (200,)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 200e6  # a dense copy takes 1600e6, a vector of parameters 8e6


@pytest.mark.parametrize(
    "layout", [name if name in {"Fortran", "unaligned"} else slow(name) for name in LAYOUTS]
)
@pytest.mark.filterwarnings("ignore:Training ended on the plateau")
def test_epochs_need_less_memory_than_features(layout):
    X, y = datasets.noise(16_000, 64)
    data = {"X": X, "y": y, "sample_weight": 0.5 + y}
    clf, expected = (make_clf(batch_size=50, max_iter=1, n_jobs=1) for _ in range(2))
    expected.fit(**data).partial_fit(**data)
    data = {name: LAYOUTS[layout](array) for name, array in data.items()}
    tracemalloc.start()
    clf.fit(**data).partial_fit(**data)
    P = clf.predict_proba(data["X"])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < X.nbytes
    assert_allclose_weights(clf, expected)
    assert_allclose(P, expected.predict_proba(X), rtol=1e-10)


pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, and limits as Linux")
ROOT = Path(__file__).parents[1]
LIMITED = """
import re, resource, sys
import numpy as np
from two_layer_sigmoid import TwoLayerSigmoidClassifier

X = np.load(sys.argv[1], mmap_mode="r")
y = X[:, 0] > 0
clf = TwoLayerSigmoidClassifier(4, solver=sys.argv[2], max_iter=2, random_state=0, n_jobs=2)
clf.fit(X[:1000], y[:1000])  # takes the memory of OpenBLAS, which would wait for it for ever
with open("/proc/self/status") as status:
    allocated = 1024 * int(re.search(r"VmData:\\s+(\\d+) kB", status.read())[1])
limit = allocated + X.nbytes // 2
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


@pytest.mark.slow
@pytest.mark.parametrize("solver", ["gd", "lbfgs"])
def test_mapped_features_can_exceed_memory(mapped, solver):
    command = [sys.executable, "-W", "ignore", "-c", LIMITED, str(mapped), solver]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:2] == ["X does not fit", f"{2**25 // 20} float64"]


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_fit_needs_little_memory(dtype):
    memory = pytest.importorskip("benchmarks.memory", reason="needs the extra bench")
    row = memory.in_new_process(memory.measure, "ours", 500_000, dtype)
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

    clf = Recorded(max_iter=3, learning_rate=1e-3, random_state=0)
    with pytest.warns(ConvergenceWarning, match="Training ended"):
        clf.fit(X, y)
    clf.predict(X)
    assert seen
    assert all(np.shares_memory(block, X) for block in seen)
    assert_array_equal(X, moons[0].astype(dtype))

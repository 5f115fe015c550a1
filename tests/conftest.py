"""Data that several test modules use."""

import builtins
import os
from importlib.util import find_spec

# SciPy reads this when it is first imported; without it scikit-learn skips its checks of NumPy
# input under array API dispatch.
os.environ.setdefault("SCIPY_ARRAY_API", "1")

import numpy as np
import pytest
from numpy.testing import assert_equal
from sklearn.datasets import (
    load_digits,
    make_blobs,
    make_moons,
    make_multilabel_classification,
)
from sklearn.utils import check_random_state

from tests import datasets, helpers
from two_layer_sigmoid import _blocks

EXTRAS = {"two_layer_sigmoid.distributed": "dask", "two_layer_sigmoid.plotting": "matplotlib"}


def pytest_collection_modifyitems(items):
    """Skip the examples in docstrings of modules whose extra is not installed."""
    missing = {module: name for module, name in EXTRAS.items() if find_spec(name) is None}
    for item in items:
        for module, name in missing.items():
            if item.name.startswith(module):
                item.add_marker(pytest.mark.skip(reason=f"needs {name}"))


@pytest.fixture(autouse=True)
def _same_random_numbers(request):
    """Every test draws the same numbers in every run: ours by seeds of their own.

    scikit-learn's checks may draw from NumPy's global random state, which is seeded for them.
    """
    global_state = check_random_state(None)
    global_state.seed(0)
    before = global_state.get_state()[1:3]
    yield
    if not request.node.name.startswith("test_check_of_scikit_learn"):
        message = "the test draws from the global random state: give a random_state"
        assert_equal(global_state.get_state()[1:3], before, message)


@pytest.fixture(scope="session")
def lecture():
    """The lecture course's data: four blobs, the classes on the diagonals."""
    return _frozen(*datasets.lecture())


@pytest.fixture(scope="session")
def moons():
    """Two moons, standardised."""
    return _frozen(*datasets.standardised(*datasets.moons()))


@pytest.fixture(scope="session")
def small_moons():
    """A hundred rows, for tests that ask how and not how well."""
    return _frozen(*make_moons(100, noise=0.1, random_state=0))


@pytest.fixture(scope="session")
def three_blobs():
    X, y = make_blobs(120, centers=[[-2, 0], [2, 0], [0, 3]], random_state=0)
    return _frozen(X, np.array(["ash", "birch", "cedar"])[y])


@pytest.fixture(scope="session")
def digits():
    """200 pictures of the digits 0, 1 and 2, with pixels from 0 to 16."""
    X, y = load_digits(n_class=3, return_X_y=True)
    return _frozen(X[:200], y[:200])


@pytest.fixture(scope="session")
def zeros_and_ones(digits):
    X, y = digits
    return _frozen(X[y < 2], y[y < 2])


@pytest.fixture(scope="session")
def documents():
    """50 rows with counts of 20 words. Each row can have several of 5 labels."""
    return _frozen(*make_multilabel_classification(50, random_state=0))


@pytest.fixture
def many_blobs(three_blobs):
    """Three classes; 512 rows, which are 32 small blocks in 16 shards."""
    X, y = three_blobs
    noise = np.random.RandomState(0).standard_normal((5, *X.shape))
    return np.concatenate(X + noise)[:512], np.tile(y, 5)[:512]


@pytest.fixture
def many_weights():
    return np.random.RandomState(1).uniform(1, 2, 512)


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of 16 rows: 63 of them, in all 16 shards."""
    monkeypatch.setattr(_blocks, "BLOCK_BYTES", 0)
    monkeypatch.setattr(_blocks, "MIN_BLOCK_ROWS", 16)


@pytest.fixture
def compensated_sum(monkeypatch):
    """The builtin sum() of floats rounds once, on every Python; from 3.12 on it nearly does."""
    monkeypatch.setattr(builtins, "sum", helpers.compensated_sum)


def _frozen(*arrays):
    for array in arrays:
        array.flags.writeable = False
    return arrays

"""Data that several test modules use."""

import os

# SciPy reads this when it is first imported; without it scikit-learn skips its checks of NumPy
# input under array API dispatch.
os.environ.setdefault("SCIPY_ARRAY_API", "1")

import numpy as np
import pytest
from sklearn.datasets import make_blobs, make_moons
from sklearn.preprocessing import StandardScaler


@pytest.fixture(scope="session")
def lecture():
    """The lecture course's data: four blobs, the classes on the diagonals."""
    centers = ([2.5, 3], [6.7, 7.9], [2.1, 7.9], [7.4, 2.8])
    X, blob = make_blobs(n_samples=2000, centers=centers, cluster_std=1.1, random_state=0)
    return _frozen(X, (blob < 2).astype(int))


@pytest.fixture(scope="session")
def moons():
    """Two moons, standardised."""
    X, y = make_moons(2000, noise=0.2, random_state=0)
    return _frozen(StandardScaler().fit_transform(X), y)


@pytest.fixture(scope="session")
def small_moons():
    """A hundred rows, for tests that ask how and not how well."""
    return _frozen(*make_moons(100, noise=0.1, random_state=0))


@pytest.fixture(scope="session")
def three_blobs():
    X, y = make_blobs(120, centers=[[-2, 0], [2, 0], [0, 3]], random_state=0)
    return _frozen(X, np.array(["ash", "birch", "cedar"])[y])


def _frozen(*arrays):
    for array in arrays:
        array.flags.writeable = False
    return arrays

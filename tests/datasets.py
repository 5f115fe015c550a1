"""Data sets of the tests: X ``(m, n_x)`` and labels y ``(m,)``; and layouts of arrays in memory."""

import itertools
import tempfile

import numpy as np
from sklearn.datasets import load_breast_cancer, make_blobs, make_moons
from sklearn.preprocessing import StandardScaler


def standardised(X, y):
    """The features scaled to mean 0 and deviation 1."""
    return StandardScaler().fit_transform(X), y


def lecture():
    """Four blobs, the classes on the diagonals, as in the lecture's course."""
    centers = [2.5, 3], [6.7, 7.9], [2.1, 7.9], [7.4, 2.8]
    X, blob = make_blobs(2000, centers=centers, cluster_std=1.1, random_state=0)
    return X, (blob < 2).astype(int)


def moons():
    return make_moons(2000, noise=0.2, random_state=0)


def parabola():
    """The data of scikit-learn's issue 31235, about sigmoid units that do not learn."""
    X = np.random.RandomState(1).random_sample((500, 2))
    return X, (X[:, 0] + (2 * (X[:, 1] - 0.5)) ** 2 - 0.75 >= 0).astype(int)


def parity():
    """All 16 words of four bits; the label is their parity."""
    X = np.array(list(itertools.product([0.0, 1.0], repeat=4)))
    return X, X.sum(axis=1).astype(int) % 2


def breast_cancer():
    return load_breast_cancer(return_X_y=True)


def noise(m, n_x):
    """Independent features and labels."""
    random_state = np.random.RandomState(0)
    return random_state.standard_normal((m, n_x)), random_state.randint(2, size=m)


def read_only(A):
    A = A.copy()
    A.flags.writeable = False
    return A


def unaligned(A):
    return np.frombuffer(b"-" + A.tobytes(), A.dtype, offset=1).reshape(A.shape)


def memory_mapped(A, offset=0):
    with tempfile.TemporaryFile() as file:
        file.write(offset * b"-" + A.tobytes())
        return np.memmap(file, A.dtype, "r", offset, A.shape)


LAYOUTS = {  # functions of a C-contiguous array
    "C": np.ascontiguousarray,
    "Fortran": np.asfortranarray,
    "every second row": lambda A: np.repeat(A, 2, axis=0)[::2],
    "reversed": lambda A: A[::-1].copy()[::-1],
    "read-only": read_only,
    "unaligned": unaligned,
    "memory-mapped": memory_mapped,
    "memory-mapped, unaligned": lambda A: memory_mapped(A, 1),
}

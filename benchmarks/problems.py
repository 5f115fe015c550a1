"""The data sets of the benchmarks: each function returns X ``(m, n_x)`` and labels y ``(m,)``.

They are generated or ship with scikit-learn. None is scaled; ``load`` standardises on request.
"""

from __future__ import annotations

import itertools

import numpy as np
from sklearn.datasets import (
    load_breast_cancer,
    load_digits,
    load_wine,
    make_blobs,
    make_classification,
    make_moons,
)
from sklearn.preprocessing import StandardScaler

LECTURE_CENTERS = ([2.5, 3], [6.7, 7.9], [2.1, 7.9], [7.4, 2.8])


def load(problem, standardise):
    """X and y of a function below, the features scaled to mean 0 and deviation 1 if asked."""
    X, y = problem()
    return (StandardScaler().fit_transform(X) if standardise else X), y


def lecture():
    """Four blobs, the classes on the diagonals, as in the lecture's course."""
    X, blob = make_blobs(n_samples=2000, centers=LECTURE_CENTERS, cluster_std=1.1, random_state=0)
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


def spirals():
    """Two spirals of one and a half turns, one for each class, with noise."""
    random_state = np.random.RandomState(0)
    turn = np.sqrt(random_state.random_sample(1000)) * 3 * np.pi
    arm = np.column_stack([np.cos(turn), np.sin(turn)]) * turn[:, np.newaxis]
    X = np.r_[arm, -arm] + 0.5 * random_state.standard_normal((2000, 2))
    return X, np.repeat([0, 1], 1000)


def breast_cancer():
    return load_breast_cancer(return_X_y=True)


def digits_odd():
    X, digit = load_digits(return_X_y=True)
    return X, digit % 2


def wine_class_1():
    X, wine = load_wine(return_X_y=True)
    return X, (wine == 1).astype(int)


def classification():
    return make_classification(2000, 20, n_informative=10, flip_y=0.05, random_state=0)


def classification_20000():
    return make_classification(20000, 20, n_informative=10, flip_y=0.05, random_state=0)


def noise(m, n_x, dtype=np.float64):
    """Independent features and labels, for timing at any size."""
    random_state = np.random.RandomState(0)
    X = random_state.standard_normal((m, n_x)).astype(dtype)
    return X, random_state.randint(2, size=m)

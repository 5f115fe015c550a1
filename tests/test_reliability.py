"""Reliability over twenty seeds: the default, L-BFGS and several starts."""

import numpy as np
import pytest
from sklearn.base import clone

from benchmarks import problems
from two_layer_sigmoid import TwoLayerSigmoidClassifier

pytestmark = pytest.mark.slow


def test_scikit_learn_issue_31235_is_learned():
    X, y = problems.parabola()
    for seed in range(20):
        assert TwoLayerSigmoidClassifier(n_h=20, random_state=seed).fit(X, y).score(X, y) >= 0.97


def test_default_learns_moons(moons):
    losses = [TwoLayerSigmoidClassifier(random_state=s).fit(*moons).loss_ for s in range(20)]
    assert np.median(losses) <= 0.085


def test_two_units_learn_the_lecture_data():
    X, y = problems.load(problems.lecture, standardise=True)
    losses = [TwoLayerSigmoidClassifier(n_h=2, random_state=s).fit(X, y).loss_ for s in range(20)]
    assert sum(loss < 0.20 for loss in losses) >= 19


@pytest.mark.parametrize("standardise", [False, True])
def test_ten_starts_find_the_lecture_minimum(standardise):
    X, y = problems.load(problems.lecture, standardise)
    clf = TwoLayerSigmoidClassifier(2, solver="lbfgs", n_init=10)
    losses = [clone(clf).set_params(random_state=seed).fit(X, y).loss_ for seed in range(20)]
    assert sum(loss <= 1.01 * 0.1703 for loss in losses) >= 19


@pytest.mark.parametrize(("n_h", "at_least"), [(8, 19), (4, 10)])
@pytest.mark.filterwarnings("ignore:Training ended on the plateau")
def test_ten_starts_learn_parity(n_h, at_least):
    X, y = problems.parity()
    clf = TwoLayerSigmoidClassifier(n_h, solver="lbfgs", n_init=10)
    losses = [clone(clf).set_params(random_state=seed).fit(X, y).loss_ for seed in range(20)]
    assert sum(loss < 0.01 for loss in losses) >= at_least


def test_two_units_start_in_two_ways():
    """Four points of XOR hold small weights in a saddle, with every solver."""
    X, y = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), [0, 1, 1, 0]
    for seed in range(5):
        clf = TwoLayerSigmoidClassifier(2, solver="lbfgs", n_init=10, random_state=seed)
        assert clf.fit(X, y).loss_ < 0.01

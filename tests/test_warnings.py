"""Warnings about a fit: when they come, and what they advise."""

import os
import warnings
from contextlib import nullcontext
from itertools import count

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.datasets import (
    load_breast_cancer,
    load_digits,
    load_iris,
    load_wine,
    make_blobs,
    make_moons,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.helpers import LECTURE, WEIGHTS, make_clf
from two_layer_sigmoid import TwoLayerSigmoidClassifier, _diagnostics


def test_default_fit_does_not_warn(moons, small_moons, three_blobs):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for X, y in moons, small_moons, three_blobs:
            clf = TwoLayerSigmoidClassifier(random_state=0).fit(X, y)
            assert (clf.n_iter_, clf.stop_reason_) == (500, "max_iter")


@pytest.mark.slow
@pytest.mark.parametrize("load", [load_iris, load_wine, load_digits, load_breast_cancer])
@pytest.mark.parametrize("raw", [False, True])
def test_default_fit_is_accurate_on_any_scale(load, raw):
    X, y = load(return_X_y=True)
    if not raw:
        X = 20 + 5 * StandardScaler().fit_transform(X)
    X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
    linear = make_pipeline(StandardScaler(), LogisticRegression()).fit(X_train, y_train)
    clf = TwoLayerSigmoidClassifier(random_state=0).fit(X_train, y_train)
    assert clf.score(X_test, y_test) >= linear.score(X_test, y_test) - 0.03


def test_constant_labels_do_not_warn(small_moons):
    X, _ = small_moons
    clf = make_clf().fit(X, np.tile([0, 1], (len(X), 1)))  # multilabel; the constant cost is 0
    assert_array_equal(clf.predict(X), np.tile([0, 1], (len(X), 1)))


def test_warnings_point_past_the_package_only(lecture):
    """Not past a script whose folder begins like the package's."""
    script = _diagnostics.PACKAGE.rstrip(os.sep) + "_study" + os.sep + "run.py"
    fit = compile("make_clf(n_h=2).fit(*data)", script, "exec")
    with pytest.warns(ConvergenceWarning, match="plateau") as caught:
        exec(fit, {"make_clf": make_clf, "data": lecture})
    assert caught[0].filename == script


@pytest.mark.parametrize(
    ("params", "remedy"),
    [
        ({"max_iter": 1000, "tol": 0.5}, "Lower tol=0.5, lower learning_rate=1.2, or lower alpha"),
        ({"max_iter": 20, "learning_rate": 100}, "Raise max_iter=20, lower learning_rate=100, or"),
        ({"max_iter": 3, "learning_rate": 1e-3}, "Raise max_iter=3, lower learning_rate=0.001, or"),
        ({"solver": "lbfgs", "max_iter": 1}, "Raise max_iter=1, lower alpha, or change init or"),
        ({"solver": "lbfgs", "alpha": 10}, "Lower tol=1e-06, lower alpha, or change init or"),
        ({"alpha": 0.8}, "Lower tol=1e-06, lower alpha, or change learning_rate, init or random"),
    ],
)
def test_warning_names_remedies_that_can_help(params, remedy):
    clf = TwoLayerSigmoidClassifier(**{"n_h": 4, "random_state": 0} | params)
    with pytest.warns(ConvergenceWarning, match=remedy):
        clf.fit(*load_iris(return_X_y=True))


def test_one_iteration_is_singular(moons):
    with pytest.warns(ConvergenceWarning, match="after 1 iteration the log loss"):
        make_clf(n_h=1, solver="lbfgs", max_iter=1).fit(*moons)


# The plateau


def test_high_rate_ends_above_the_plateau():
    with pytest.warns(ConvergenceWarning, match=r"ended above the loss of a constant .* 1\.91"):
        make_clf(learning_rate=100.0, max_iter=50).fit(*load_iris(return_X_y=True))


def test_ending_on_the_plateau_warns(lecture):
    with pytest.warns(ConvergenceWarning, match=r"on the plateau.* after 50 iterations") as caught:
        make_clf(n_h=2).fit(*lecture)
    assert caught[0].filename == __file__


def test_plateau_warning_names_a_strong_penalty(moons):
    with pytest.warns(ConvergenceWarning, match=r"ended on the plateau.* lower alpha"):
        make_clf(alpha=1.0, learning_rate=0.1, max_iter=500).fit(*moons)


def test_plateau_warning_names_weights_with_a_small_sum():
    X = np.random.RandomState(0).standard_normal((200, 20))
    y, weights = X[:, 0] > 0, np.full(200, 1 / 200)  # as AdaBoostClassifier gives them
    with pytest.warns(
        ConvergenceWarning, match="Multiply sample_weight by the number of rows .* by its sum, 1"
    ):
        make_clf(alpha="scale", max_iter=300).fit(X, y, weights)
    assert make_clf(alpha="scale", max_iter=300).fit(X, y, 200 * weights).score(X, y) > 0.95


def test_plateau_warning_prints_the_log_loss_without_penalty(moons):
    X, y = moons
    with pytest.warns(ConvergenceWarning, match="ended on the plateau") as caught:
        clf = make_clf(alpha=1.0, learning_rate=0.1, max_iter=500).fit(X, y)
    assert f"the log loss is {log_loss(y, clf.predict_proba(X)):.3g}" in str(caught[0].message)


# Divergence and instability


@pytest.mark.parametrize("rate", [1e3, 1e300])
def test_divergence_warns_once_and_keeps_finite_weights(moons, rate):
    X, y = moons
    with pytest.warns(ConvergenceWarning) as caught:
        clf = make_clf(**LECTURE, n_h=3, learning_rate=rate, max_iter=3000).fit(X, y)
    (warning,) = caught
    assert f"diverged at iteration {clf.n_iter_} with learning_rate={rate} " in str(warning.message)
    assert "standardize=True" in str(warning.message)
    assert warning.filename == __file__
    assert clf.stop_reason_ == "diverged"
    assert all(np.isfinite(getattr(clf, name)).all() for name in WEIGHTS)
    assert np.isfinite(clf.predict_proba(X)).all()
    assert clf.n_iter_ == len(clf.loss_curve_) < 3000


def test_divergence_warning_names_a_strong_penalty(moons):
    message = r"diverged .* learning_rate=1.2 and alpha=10\. .*times alpha must be below 2"
    with pytest.warns(ConvergenceWarning, match=message):
        TwoLayerSigmoidClassifier(alpha=10, random_state=0).fit(*moons)


def test_raw_digits_without_standardize_are_unstable():
    X, y = load_digits(return_X_y=True)
    message = r"Training is unstable.* Set standardize=True, or lower learning_rate=1\.2"
    with pytest.warns(ConvergenceWarning, match=message):
        make_clf(**LECTURE).fit(X, y)


@pytest.mark.parametrize(
    ("last_tenth", "unstable"),
    [([0.2, 0.3, 0.2, 0.3, 0.1], True), ([0.1, 0.11, 0.1, 0.11, 0.3], False)],
)
def test_instability_is_judged_by_the_last_tenth(small_moons, last_tenth, unstable):
    losses = [0.1, *[0.12, 0.1] * 22, *last_tenth]

    class Scripted(TwoLayerSigmoidClassifier):
        def _cost(self, *args, **options):
            return losses[min(next(calls), 49)]

    clf, calls = Scripted(**LECTURE, max_iter=50, random_state=0), count()
    message = (
        r"unstable.* updates\. Its median in the last tenth .* 0\.2, its lowest value is 0\.1\."
    )
    expected = pytest.warns(ConvergenceWarning, match=message) if unstable else nullcontext()
    with expected:
        clf.fit(*small_moons)
    assert clf.loss_curve_[-5:] == last_tenth


# L-BFGS


def test_lbfgs_out_of_iterations_warns(moons):
    message = r"Training by L-BFGS ran out of iterations: after 20 iterations .* Raise max_iter=20"
    with pytest.warns(ConvergenceWarning, match=message) as caught:
        clf = TwoLayerSigmoidClassifier(solver="lbfgs", max_iter=20, random_state=0).fit(*moons)
    assert (clf.n_iter_, clf.stop_reason_) == (20, "max_iter")
    assert caught[0].filename == __file__


@pytest.mark.parametrize("standardize", [False, True])
def test_separable_classes_warn_without_penalty(standardize):
    X, y = np.repeat([[-2.0], [-1.0], [1.0], [2.0]], 5, axis=0), np.repeat([0, 1], 10)
    clf = make_clf(solver="lbfgs", standardize=standardize, max_iter=3000)
    with pytest.warns(ConvergenceWarning, match=r"can be separated.* alpha='scale'") as caught:
        clf.set_params(alpha=0).fit(X, y)
    assert caught[0].filename == __file__
    clf.set_params(alpha="scale").fit(X, y)


# Scales of the features


@pytest.mark.parametrize(
    ("scale", "offset"), [([1, 2e3], [0, 0]), ([1, 1], [0, 5e3]), ([1e-4, 1], [0, 0])]
)
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
@pytest.mark.filterwarnings("ignore:Training ended on the plateau")  # at so small a rate
def test_wild_feature_scales_warn_once(moons, scale, offset, container):
    X, y = moons
    clf = make_clf(**LECTURE, learning_rate=1e-9, init="spread")
    with pytest.warns(UserWarning, match=r"wild scales.*standardize=True") as caught:
        clf.fit(container(X * scale + offset), y)
    assert [w.filename for w in caught if w.category is UserWarning] == [__file__]


@pytest.mark.parametrize(("scale", "offset"), [([1, 900], [0, 0]), ([1, 1], [0, 900])])
@pytest.mark.filterwarnings("ignore:Training ended on the plateau")  # at so small a rate
def test_standardize_warns_of_lost_digits_only(moons, scale, offset):
    X, y = moons
    clf = make_clf(learning_rate=1e-9, max_iter=1)
    clf.fit(X * scale + 1e4 * np.array(offset), y)
    X = (X + 1e6).astype(np.float32)
    with pytest.warns(UserWarning, match=r"lose precision in float32.*Subtract the means"):
        clf.fit(X, y)


@pytest.mark.parametrize(("scale", "offset"), [([1, 900], [0, 0]), ([1, 1], [0, 900])])
@pytest.mark.filterwarnings("ignore:Training ended on the plateau")  # at so small a rate
def test_moderate_feature_scales_do_not_warn(moons, scale, offset):
    X, y = moons
    make_clf(**LECTURE, learning_rate=1e-9, max_iter=1).fit(X * scale + offset, y)


def test_constant_features_do_not_warn(small_moons):
    X, y = small_moons
    X = np.c_[X, np.full(len(X), 0.1), np.zeros(len(X))]
    for setting in {}, LECTURE:
        make_clf(**setting, max_iter=500).fit(X, y)


@pytest.mark.filterwarnings("ignore:Training ended on the plateau")  # at so small a rate
def test_large_constant_feature_warns(small_moons):
    X, y = small_moons
    with pytest.warns(UserWarning, match="wild scales"):
        make_clf(**LECTURE, learning_rate=1e-9).fit(np.c_[X, np.full(len(X), 2000)], y)


# Training that ends too early


def test_a_loss_that_falls_fast_warns(lecture):
    clf = TwoLayerSigmoidClassifier(n_h=2, max_iter=520, random_state=0, **LECTURE)
    with pytest.warns(ConvergenceWarning, match="falling fast: after 520 iterations") as caught:
        clf.fit(*lecture)
    message = str(caught[0].message)
    assert "Raise max_iter=520, raise learning_rate=1.2, or use solver='lbfgs'." in message
    fall = min(clf.loss_curve_[:468]) - min(clf.loss_curve_[468:])
    assert f"the loss fell by {fall:.3g} in the last 52." in message
    assert fall > 0.05 * np.log(2)


def test_a_fast_fall_on_many_rows_names_minibatches():
    X, y = make_moons(2001, noise=0.2, random_state=0)
    with pytest.warns(ConvergenceWarning, match="falling fast.* set batch_size='auto' for mini"):
        TwoLayerSigmoidClassifier(2, batch_size=None, max_iter=40, random_state=0).fit(X, y)


def test_a_fast_fall_on_few_heavy_rows_does_not_name_minibatches():
    X, y = make_moons(200, noise=0.2, random_state=0)
    clf = TwoLayerSigmoidClassifier(2, batch_size=None, max_iter=40, random_state=0)
    with pytest.warns(ConvergenceWarning, match="falling fast.* learning_rate=1.2, or use solver"):
        clf.fit(X, y, np.full(200, 20.0))


def test_the_lecture_run_does_not_warn(lecture):
    clf = TwoLayerSigmoidClassifier(n_h=2, max_iter=3000, random_state=0, **LECTURE)
    assert clf.fit(*lecture).stop_reason_ == "max_iter"  # warnings are errors


def test_separable_classes_do_not_fall_fast():
    X, y = make_blobs(100, centers=[[-3, 0], [3, 0]], random_state=0)
    clf = TwoLayerSigmoidClassifier(alpha=0, random_state=0).fit(X, y)  # warnings are errors
    assert clf.loss_curve_[-1] < 0.92 * clf.loss_curve_[-50]

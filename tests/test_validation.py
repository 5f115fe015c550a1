"""Input validation, errors and warnings."""

import copy
import os
import warnings
from contextlib import nullcontext
from itertools import count

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_array_equal, assert_equal
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.fixes import parse_version

from tests.helpers import LECTURE, WEIGHTS, make_clf
from two_layer_sigmoid import TwoLayerSigmoidClassifier, _diagnostics

X = np.random.RandomState(0).standard_normal((20, 2))
y = np.arange(20) % 2
ZEROS = (np.zeros((3, 2)), np.zeros((3, 1)), np.zeros((1, 3)), np.zeros((1, 1)))


def with_entry(value):
    bad = X.copy()
    bad[3, 1] = value
    return bad


BAD_PARAMETERS = [
    ({"n_h": 0}, "'n_h' parameter .* int in the range .1, inf.. Got 0"),
    ({"n_h": 2.5}, "'n_h' parameter .* Got 2.5"),
    ({"learning_rate": 0}, "'learning_rate' parameter .* Got 0"),
    ({"learning_rate": -1.2}, "'learning_rate' parameter .* Got -1.2"),
    ({"learning_rate": np.inf}, "'learning_rate' parameter .* Got inf"),
    ({"learning_rate": np.nan}, "'learning_rate' parameter .* Got nan"),
    ({"learning_rate": "fast"}, "'learning_rate' parameter .* Got 'fast'"),
    ({"solver": "adam"}, "'solver' parameter .* must be a str among .* Got 'adam'"),
    ({"max_iter": 0}, "'max_iter' parameter .* Got 0"),
    ({"tol": -1e-6}, "'tol' parameter .* Got -1e-06"),
    ({"alpha": -1}, "'alpha' parameter .* Got -1"),
    ({"alpha": np.inf}, "'alpha' parameter .* Got inf"),
    ({"class_weight": "even"}, "'class_weight' parameter .* Got 'even'"),
    ({"init": "glorot"}, "'init' parameter .* Got 'glorot'"),
    ({"init": 3}, "'init' parameter .* Got 3"),
    ({"random_state": "seed"}, "'random_state' parameter .* Got 'seed'"),
    ({"verbose": -1}, "'verbose' parameter .* Got -1"),
    ({"n_h": 3, "init": ZEROS[:3]}, r"init must be .*\(\(3, 2\), \(3, 1\), \(1, 3\), \(1, 1\)\)"),
    ({"n_h": 4, "init": ZEROS}, r"init must be .* for n_h=4, .* got arrays of shapes \(\(3, 2\)"),
    ({"n_h": 3, "init": (*ZEROS[:3], [[np.nan]])}, "init must hold finite numbers"),
    ({"n_h": 3, "init": (*ZEROS[:3], [[1, 2], [3]])}, r"init must be \(W1, b1, W2, b2\), got"),
    ({"n_h": 3, "init": (*ZEROS[:3], [["a"]])}, "init must hold finite numbers"),
    ({"n_h": 3, "init": (*ZEROS[:3], [[1j]])}, "init must hold finite numbers"),
]
BAD_DATA = [
    (np.empty((0, 2)), np.empty(0), "Found array with 0 sample"),
    (np.empty((20, 0)), y, "0 feature"),
    (X[:, 0], y, "Expected 2D array, got 1D array"),
    (X[np.newaxis], y, "Found array with dim 3"),
    (with_entry(np.nan), y, "Input X contains NaN"),
    (with_entry(np.inf), y, "Input X contains infinity"),
    (X + 1j, y, "Complex data not supported"),
    (np.full(X.shape, "a", object), y, "could not convert"),
    (X, y[:-1], "inconsistent numbers of samples"),
    (X, np.zeros(20), "only one class"),
    (X, np.where(y, 1.5, 0.2), "Unknown label type: continuous"),
    (X, np.where(y, np.nan, 0.0), "y contains missing labels, 10 of 20"),
    (X, None, "requires y to be passed"),
    (X, np.column_stack([y, y + 1]), "multiclass-multioutput"),
    (X * 1e300, y, "too large or too small for float64: W1 x overflows.*StandardScaler"),
    (np.float32(1e-42) * X.astype(np.float32), y, "too large or too small for float32"),
]


@pytest.fixture
def fitted():
    return make_clf(**LECTURE, max_iter=5).fit(X, y)


def snapshot(clf):
    """A copy of all that an estimator holds; ``init`` itself, which may hold ragged arrays."""
    return copy.deepcopy(vars(clf)) | {"init": clf.init}


def assert_unchanged(clf, state):
    assert vars(clf).keys() == state.keys()
    assert clf.init is state["init"]
    for name in state.keys() - {"init"}:
        assert_equal(getattr(clf, name), state[name])


@pytest.mark.parametrize(("params", "message"), BAD_PARAMETERS)
def test_bad_parameters_are_refused(fitted, params, message):
    fitted.set_params(**params)
    state = snapshot(fitted)
    with pytest.raises((ValueError, TypeError), match=message):
        fitted.fit(X, y)
    assert_unchanged(fitted, state)


@pytest.mark.parametrize(("bad_X", "bad_y", "message"), BAD_DATA)
def test_bad_data_are_refused(fitted, bad_X, bad_y, message):
    state = snapshot(fitted)
    with pytest.raises((ValueError, TypeError), match=message):
        fitted.fit(bad_X, bad_y)
    assert_unchanged(fitted, state)
    assert fitted.predict(X).shape == (20,)


def test_initial_overflow_names_the_remedy():
    W1, b1, W2, b2 = ZEROS
    with pytest.raises(ValueError, match=r"W1 x overflows.*StandardScaler"):
        TwoLayerSigmoidClassifier(n_h=3, init=(W1 + 1e200, b1, W2, b2)).fit(X * 1e150, y)
    with pytest.raises(ValueError, match=r"not finite at the initial.*smaller ones in init"):
        TwoLayerSigmoidClassifier(n_h=3, init=(W1, b1, W2 + 1e308, b2)).fit(X, y)


@pytest.mark.parametrize("scale", [1e25, 1e30])
def test_weights_that_would_overflow_prediction_are_refused(scale):
    labels = (X[:, 0] > 0).astype(int)
    clf = make_clf(**LECTURE, max_iter=200)
    rows = (scale * X).astype(np.float32)
    with pytest.raises(ValueError, match=r"W1 x overflows.*StandardScaler"):
        clf.fit(
            rows[:, :1], labels
        )  # of one feature: W1 x is no sum, so no processor subtracts inf
    assert not hasattr(clf, "W1_")
    # With two features W1 x can become inf - inf during training. That depends on the processor.
    with pytest.raises((ValueError, ConvergenceWarning), match=r"W1 x overflows|diverged"):
        clf.fit(rows, labels)


@pytest.mark.filterwarnings("ignore:Training ended on the plateau")  # after one iteration
def test_overflow_check_uses_the_largest_entry():
    _, b1, W2, b2 = ZEROS
    rows = np.r_[X, [[0.0, 50.0], [0.0, -50.0]]]  # seven standard deviations out, in one column
    labels = np.r_[y, 0, 1]
    for weight, overflows in [(3e306, False), (4e306, True)]:
        start = ([[0, weight], [0, 0], [0, 0]], b1, W2, b2)
        clf = make_clf(**LECTURE, n_h=3, init=start, max_iter=1)
        if overflows:
            with pytest.raises(ValueError, match="W1 x overflows"):
                clf.fit(rows, labels)
        else:
            assert clf.fit(rows, labels).predict(rows).shape == (22,)


def test_overflow_by_parameters_names_them():
    rows = X.astype(np.float32)
    start = (np.full((3, 2), 1e39), *ZEROS[1:])
    with pytest.raises(ValueError, match=r"W1 x overflows.* Or use smaller numbers in init"):
        make_clf(n_h=3, init=start).fit(rows, y)
    with pytest.raises(ValueError, match=r"W1 x overflows.* Or lower learning_rate"):
        make_clf(**LECTURE, learning_rate=1e38).fit(100 * rows, y)


def test_failed_fit_leaves_estimator_unfitted():
    clf = TwoLayerSigmoidClassifier(class_weight={0: 1, 5: 1})
    before = vars(clf).copy()
    with pytest.raises(ValueError, match="not in class_weight"):
        clf.fit(X, y)
    assert vars(clf) == before


@pytest.mark.parametrize(
    ("bad_X", "message"),
    [
        (X[:, :1], "X has 1 features, but TwoLayerSigmoidClassifier is expecting 2 features"),
        (X[0], "Expected 2D array, got 1D array"),
        (with_entry(np.nan), "Input X contains NaN"),
        (np.full((1, 2), "a", object), "could not convert"),
        (np.empty((0, 2)), "Found array with 0 sample"),
    ],
)
@pytest.mark.parametrize(
    "method", ["decision_function", "predict", "predict_proba", "predict_log_proba"]
)
def test_bad_data_are_refused_in_prediction(fitted, method, bad_X, message):
    with pytest.raises(ValueError, match=message):
        getattr(fitted, method)(bad_X)


def test_overflow_in_prediction_names_the_remedy(fitted):
    fitted.W1_[0] = [1e10, -1e10]
    with pytest.raises(ValueError, match=r"W1 x overflows.*StandardScaler"):
        fitted.predict_proba(np.full((1, 2), 1e300))
    fitted.W1_[0] = 0
    fitted.W2_[0] = 1e308
    with pytest.raises(ValueError, match=r"overflows"):
        fitted.predict_proba(X)


def test_score_refuses_strings_against_numbers(fitted):
    words = np.where(y, "yes", "no")
    message = (
        r"y holds only labels of another type .* such as 'no': use the labels of fit, \[0, 1\]"
    )
    with pytest.raises(ValueError, match=message):
        fitted.score(X, words)
    clf = make_clf().fit(X, words)
    with pytest.raises(ValueError, match=r"another type .* such as 0: .* \['no', 'yes'\]"):
        clf.score(X, y)


def test_score_counts_unknown_labels_as_wrong(fitted):
    labels = fitted.predict(X)
    labels[:5] = 7  # a class that the training part of a split may lack
    assert fitted.score(X, labels) == 0.75
    assert fitted.score(X[:1], [7]) == 0
    assert fitted.score(X, y + 7) == 0


@pytest.mark.parametrize(
    "method", ["decision_function", "predict", "predict_proba", "predict_log_proba"]
)
def test_prediction_before_fit_raises_not_fitted(method):
    with pytest.raises(NotFittedError, match="not fitted yet"):
        getattr(TwoLayerSigmoidClassifier(), method)(X)


# How training ends


def test_high_rate_ends_above_the_plateau():
    with pytest.warns(ConvergenceWarning, match=r"ended above the loss of a constant .* 1\.91"):
        make_clf(learning_rate=100.0, max_iter=50).fit(*load_iris(return_X_y=True))


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


@pytest.mark.parametrize("standardize", [False, True])
def test_separable_classes_warn_without_penalty(standardize):
    X, y = np.repeat([[-2.0], [-1.0], [1.0], [2.0]], 5, axis=0), np.repeat([0, 1], 10)
    clf = make_clf(solver="lbfgs", standardize=standardize, max_iter=3000)
    with pytest.warns(ConvergenceWarning, match=r"can be separated.* alpha='scale'") as caught:
        clf.set_params(alpha=0).fit(X, y)
    assert caught[0].filename == __file__
    clf.set_params(alpha="scale").fit(X, y)


def test_raw_digits_without_standardize_are_unstable():
    X, y = load_digits(return_X_y=True)
    message = r"Training is unstable.* Set standardize=True, or lower learning_rate=1\.2"
    with pytest.warns(ConvergenceWarning, match=message):
        make_clf(**LECTURE).fit(X, y)


@pytest.mark.parametrize("seed", range(16))
def test_lecture_run_does_not_warn(lecture, seed):
    make_clf(**LECTURE, n_h=2, max_iter=3000, random_state=seed).fit(*lecture)


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


def test_default_fit_does_not_warn(moons, small_moons, three_blobs):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for X, y in moons, small_moons, three_blobs:
            clf = TwoLayerSigmoidClassifier(random_state=0).fit(X, y)
            assert (clf.n_iter_, clf.stop_reason_) == (1000, "max_iter")


def test_ending_on_the_plateau_warns(lecture):
    with pytest.warns(ConvergenceWarning, match=r"on the plateau.* after 50 iterations") as caught:
        make_clf(n_h=2).fit(*lecture)
    assert caught[0].filename == __file__


def test_warnings_point_past_the_package_only(lecture):
    """Not past a script whose folder begins like the package's."""
    script = _diagnostics.PACKAGE.rstrip(os.sep) + "_study" + os.sep + "run.py"
    fit = compile("make_clf(n_h=2).fit(*data)", script, "exec")
    with pytest.warns(ConvergenceWarning, match="plateau") as caught:
        exec(fit, {"make_clf": make_clf, "data": lecture})
    assert caught[0].filename == script


def test_plateau_warning_names_a_strong_penalty(moons):
    with pytest.warns(ConvergenceWarning, match=r"ended on the plateau.* lower alpha"):
        make_clf(alpha=1.0, learning_rate=0.1, max_iter=500).fit(*moons)


def test_plateau_warning_prints_the_log_loss_without_penalty(moons):
    X, y = moons
    with pytest.warns(ConvergenceWarning, match="ended on the plateau") as caught:
        clf = make_clf(alpha=1.0, learning_rate=0.1, max_iter=500).fit(X, y)
    assert f"the log loss is {log_loss(y, clf.predict_proba(X)):.3g}" in str(caught[0].message)


def test_divergence_warning_names_a_strong_penalty(moons):
    message = r"diverged .* learning_rate=1.2 and alpha=10\. .*times alpha must be below 2"
    with pytest.warns(ConvergenceWarning, match=message):
        TwoLayerSigmoidClassifier(alpha=10, random_state=0).fit(*moons)


def test_constant_labels_do_not_warn(small_moons):
    X, _ = small_moons
    clf = make_clf().fit(X, np.tile([0, 1], (len(X), 1)))  # multilabel; the constant cost is 0
    assert_array_equal(clf.predict(X), np.tile([0, 1], (len(X), 1)))


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


def test_split_without_training_rows_is_refused(small_moons):
    X, _ = small_moons
    y = (np.arange(100) < 2).astype(int)
    message = "validation_fraction=0.9 of 100 rows leaves a class without a row to train on"

    def split_in_many_ways():
        for seed in range(20):
            make_clf(early_stopping=True, validation_fraction=0.9, random_state=seed).fit(X, y)

    with pytest.raises(ValueError, match=message):
        split_in_many_ways()


SET = {"X_val": np.zeros((4, 2)), "y_val": np.array([0, 1, 0, 1])}


@pytest.mark.parametrize(
    ("early_stopping", "given", "message"),
    [
        (True, {"X_val": SET["X_val"]}, "X_val and y_val go together"),
        (True, {"y_val": SET["y_val"]}, "X_val and y_val go together"),
        (True, {"sample_weight_val": np.ones(4)}, "sample_weight_val needs X_val and y_val"),
        (False, SET, "early_stopping=False does not use X_val .* early_stopping=True"),
        (True, SET | {"X_val": np.full((4, 2), 1e308)}, "X_val holds values too large"),
        (True, SET | {"y_val": [0, 1]}, "X_val, y_val .*inconsistent numbers of samples"),
        (True, SET | {"X_val": np.zeros((4, 3))}, "X_val, y_val .* 3 features"),
        (True, SET | {"X_val": np.full((4, 2), np.nan)}, "X_val, y_val .* contains NaN"),
        (True, SET | {"y_val": [0, 1, 0, 7]}, r"X_val, y_val .*classes \[0, 1\], such as 7"),
        (True, SET | {"y_val": list("abab")}, "X_val, y_val .*not among the classes"),
        (True, SET | {"y_val": np.eye(4, dtype=int)}, "X_val, y_val .* multilabel indicator"),
        (True, SET | {"sample_weight_val": np.zeros(4)}, "X_val, y_val .* zero for every row"),
        (True, SET | {"sample_weight_val": -np.ones(4)}, "X_val, y_val .* non-negative"),
    ],
)
def test_bad_validation_sets_are_refused(small_moons, early_stopping, given, message):
    clf = make_clf(early_stopping=early_stopping)
    before = vars(clf).copy()
    with pytest.raises(ValueError, match=message):
        clf.fit(*small_moons, **given)
    assert vars(clf) == before


def test_split_of_a_single_row_is_refused(small_moons):
    X, y = small_moons
    message = r"validation_fraction=0.1 cannot be split off 100 rows: .* or X_val and y_val"
    with pytest.raises(ValueError, match=message):
        make_clf(early_stopping=True).fit(X, np.r_[2, y[1:]])


@pytest.mark.skipif(
    parse_version(sklearn.__version__) < parse_version("1.8"),
    reason="earlier versions of scikit-learn do not name the class",
)
@pytest.mark.parametrize("labels", [["ash", "birch", "cedar"], [3, 5, 8]])
def test_class_too_small_to_split_is_named(small_moons, labels):
    X, y = small_moons
    rare = np.array(labels)[np.r_[2, y[1:]]]
    with pytest.raises(ValueError, match=rf"cannot be split off 100 rows: .*\[{labels[2]!r}\]"):
        make_clf(early_stopping=True).fit(X, rare)


def test_warm_fit_refuses_another_network(small_moons):
    X, y = small_moons
    clf = make_clf(warm_start=True).fit(X, y)
    before = clf.W1_.copy()
    with pytest.raises(ValueError, match=r"n_h=3, but the fitted weights have 8 hidden units"):
        clf.set_params(n_h=3).fit(X, y)
    clf.set_params(n_h=8)
    with pytest.raises(ValueError, match=r"y has the classes \[0, 1, 2\], but .* to \[0, 1\]"):
        clf.fit(X, np.arange(len(y)) % 3)
    with pytest.raises(ValueError, match=r"X has 1 features, but .* expecting 2"):
        clf.fit(X[:, :1], y)
    with pytest.raises(ValueError, match="matrix of 2 columns, but it was one column of labels"):
        clf.fit(X, np.column_stack([y, 1 - y]))
    assert_array_equal(clf.W1_, before)
    assert clf.fit(X.astype(np.float32), y).W1_.dtype == np.float32


def test_partial_fit_refuses_bad_labels(small_moons):
    X, y = small_moons
    with pytest.raises(ValueError, match="classes holds only one class, 0: a classifier needs"):
        make_clf().partial_fit(X, y, classes=[0])
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        make_clf().partial_fit(X, y)
    clf = make_clf().partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match="not the same as on last call"):
        clf.partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match=r"not among the classes \[0, 1\], such as 7"):
        clf.partial_fit(X, np.where(y, 7, 0))
    with pytest.raises(ValueError, match="'learning_rate' parameter"):
        clf.set_params(learning_rate=-1).partial_fit(X, y)


def test_partial_fit_warns_of_divergence_only(moons):
    X, y = moons
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # ends on the plateau, as it must
        clf = make_clf().partial_fit(X, y, classes=[0, 1])
    clf.set_params(learning_rate=1e300, alpha=1e-3)
    with pytest.warns(ConvergenceWarning, match="diverged") as caught:
        clf.partial_fit(X, y)
    assert caught[0].filename == __file__
    assert np.isfinite(clf.predict_proba(X)).all()


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"solver": "lbfgs"}, "solver='lbfgs' needs all rows at once: use solver='gd'"),
        ({"early_stopping": True}, "needs several passes: use early_stopping=False"),
        ({"early_stopping": np.True_}, "needs several passes: use early_stopping=False"),
        ({"n_init": 2}, "n_init=2 needs several passes: set n_init=1"),
        ({"class_weight": "balanced"}, "class_weight='balanced' needs all of y: give a dict"),
    ],
)
def test_partial_fit_is_unavailable_with_a_reason(small_moons, params, reason):
    clf = make_clf(**params)
    assert not hasattr(clf, "partial_fit")
    with pytest.raises(AttributeError, match="no attribute 'partial_fit'") as caught:
        clf.partial_fit(*small_moons, classes=[0, 1])
    assert reason in str(caught.value.__cause__)


@pytest.mark.parametrize(
    "params",
    [
        {"solver": "adam"},
        {"n_init": "many"},
        {"n_init": 0},
        {"early_stopping": "yes"},
        {"class_weight": "even"},
        {"class_weight": np.ones(2)},
    ],
)
def test_partial_fit_refuses_bad_parameters(small_moons, params):
    with pytest.raises(ValueError, match=f"The '{next(iter(params))}' parameter"):
        make_clf(**params).partial_fit(*small_moons, classes=[0, 1])


def test_n_jobs_0_is_refused(small_moons):
    with pytest.raises(ValueError, match="n_jobs=0 is not a number of threads"):
        make_clf(n_jobs=0).fit(*small_moons)


def test_numbers_of_one_are_singular(moons):
    X, y = moons
    with pytest.warns(ConvergenceWarning, match="after 1 iteration the log loss"):
        clf = make_clf(n_h=1, solver="lbfgs", max_iter=1).fit(X, y)
    with pytest.raises(ValueError, match="weights have 1 hidden unit: set n_h=1, or start"):
        clf.set_params(n_h=2, warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match="for n_h=1, 1 feature and 1 output, got arrays"):
        make_clf(n_h=1, init=ZEROS).fit(X[:, :1], y)


def test_lbfgs_out_of_iterations_warns(moons):
    message = r"Training by L-BFGS ran out of iterations: after 20 iterations .* Raise max_iter=20"
    with pytest.warns(ConvergenceWarning, match=message) as caught:
        clf = TwoLayerSigmoidClassifier(solver="lbfgs", max_iter=20, random_state=0).fit(*moons)
    assert (clf.n_iter_, clf.stop_reason_) == (20, "max_iter")
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"solver": "lbfgs", "batch_size": 10}, "use batch_size=None"),
        ({"solver": "lbfgs", "momentum": 0.5}, "use momentum=0"),
        ({"alpha": "loo"}, "alpha='loo' needs the minimum .* solver='lbfgs', or alpha='scale'"),
        (
            {"alpha": "loo", "solver": "lbfgs", "early_stopping": True},
            "alpha='loo' and early_stopping=True both limit overfitting",
        ),
        ({"alpha": "auto"}, "'alpha' parameter .* Got 'auto'"),
        ({"standardize": "yes"}, "'standardize' parameter"),
        ({"n_init": 2, "warm_start": True}, "n_init=2 .* warm_start=True .* n_init=1"),
        ({"n_init": 2, "n_h": 3, "init": ZEROS}, "n_init=2 .* init gives one: set n_init=1"),
        (
            {"warm_start": True, "early_stopping": True, "random_state": None},
            "early_stopping=True with warm_start=True .* X_val .* int as random_state",
        ),
        ({"batch_size": 0}, "'batch_size' parameter"),
        ({"momentum": 1.0}, "'momentum' parameter"),
        ({"n_init": 0}, "'n_init' parameter"),
        ({"early_stopping": "yes"}, "'early_stopping' parameter"),
        ({"validation_fraction": 1.0}, "'validation_fraction' parameter"),
        ({"n_iter_no_change": 0}, "'n_iter_no_change' parameter"),
        ({"warm_start": "yes"}, "'warm_start' parameter"),
    ],
)
def test_conflicting_parameters_are_refused(small_moons, params, message):
    clf = make_clf().fit(*small_moons)
    before = vars(clf).copy()
    clf.set_params(**params)
    with pytest.raises(ValueError, match=message):
        clf.fit(*small_moons)
    assert vars(clf) | before == vars(clf) | dict.fromkeys(params) | before

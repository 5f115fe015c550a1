"""Errors about parameters and data: before any work, and nothing of the estimator changes."""

import copy
import inspect

import numpy as np
import pytest
from numpy.testing import assert_equal
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline

from tests.helpers import LECTURE, make_clf
from two_layer_sigmoid import TwoLayerSigmoidClassifier, TwoLayerSigmoidClassifierCV
from two_layer_sigmoid._checks import INSTEAD
from two_layer_sigmoid.distributed import DaskTwoLayerSigmoidClassifier

X = np.random.RandomState(0).standard_normal((20, 2))
y = np.arange(20) % 2
ZEROS = (np.zeros((3, 2)), np.zeros((3, 1)), np.zeros((1, 3)), np.zeros((1, 1)))


class Subclass(TwoLayerSigmoidClassifier):
    """Inherits ``__init__``."""


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
    ({"solver": "adam"}, "'solver' parameter .* Got 'adam' .* batch_size and momentum, or .*lbfgs"),
    ({"learning_rate": "adaptive"}, "'learning_rate' .* Got 'adaptive' .* learning_rate_init"),
    ({"batch_size": "all"}, "'batch_size' .* Got 'all'"),
    ({"max_iter": 0}, "'max_iter' parameter .* Got 0"),
    ({"tol": -1e-6}, "'tol' parameter .* Got -1e-06"),
    ({"alpha": -1}, "'alpha' parameter .* Got -1"),
    ({"alpha": np.inf}, "'alpha' parameter .* Got inf"),
    ({"alpha": "loo"}, "'alpha' parameter .* Got 'loo'"),
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


def test_keywords_of_mlp_classifier_name_ours():
    theirs, ours = (
        inspect.signature(cls).parameters for cls in (MLPClassifier, TwoLayerSigmoidClassifier)
    )
    assert set(theirs) - set(ours) <= set(INSTEAD)
    for clf in TwoLayerSigmoidClassifier, Subclass, DaskTwoLayerSigmoidClassifier:
        start = rf"^{clf.__name__}.__init__\(\) got an unexpected keyword argument"
        with pytest.raises(TypeError, match=f"{start} 'hidden_layer_sizes'. Use n_h"):
            clf(hidden_layer_sizes=(8,))
        with pytest.raises(TypeError, match=f"{start} 'activation'. .* all units are sigmoids"):
            clf(activation="relu")
        with pytest.raises(TypeError, match=f"{start} 'n_hidden'"):
            clf(n_hidden=8)
        with pytest.raises(TypeError, match=f"^{clf.__name__}.__init__.* positional arguments"):
            clf(8, 1.2, "gd")


@pytest.mark.parametrize(
    ("keyword", "remedy"),
    [
        ("hidden_layer_sizes", "Use n_h"),
        ("learning_rate_init", "trained by L-BFGS. TwoLayerSigmoidClassifier can"),
        ("early_stopping", "trained by L-BFGS. TwoLayerSigmoidClassifier can"),
        ("alpha", "Use alphas, a list of penalties"),
    ],
)
def test_keywords_name_those_of_the_cross_validated_class(keyword, remedy):
    message = rf"^TwoLayerSigmoidClassifierCV.__init__\(\) .* '{keyword}'. .*{remedy}"
    with pytest.raises(TypeError, match=message):
        TwoLayerSigmoidClassifierCV(**{keyword: 1})


@pytest.mark.parametrize(
    ("clf", "keyword", "remedy"),
    [
        (TwoLayerSigmoidClassifier(), "hidden_layer_sizes", INSTEAD["hidden_layer_sizes"]),
        (DaskTwoLayerSigmoidClassifier(), "shuffle", INSTEAD["shuffle"]),
        (TwoLayerSigmoidClassifierCV(), "alpha", "Use alphas, a list of penalties"),
        (TwoLayerSigmoidClassifier(), "n_hidden", None),
    ],
)
def test_set_params_names_the_remedy(clf, keyword, remedy):
    with pytest.raises(ValueError, match="Invalid parameter") as plain:
        BaseEstimator.set_params(clf, n_h=3, **{keyword: 1})
    for name, estimator in (keyword, clf), (f"clf__{keyword}", Pipeline([("clf", clf)])):
        with pytest.raises(ValueError, match="Invalid parameter") as error:
            estimator.set_params(**{name: 1})
        message, begin = str(error.value), str(plain.value)
        assert error.type is ValueError
        assert message.startswith(f"{begin} {remedy}" if remedy else begin)
        assert remedy or message == begin


def test_searches_name_the_remedy_of_mlp_keywords():
    search = GridSearchCV(TwoLayerSigmoidClassifier(), {"hidden_layer_sizes": [(5,), (10,)]})
    with pytest.raises(ValueError, match=r"'hidden_layer_sizes' for .* Use n_h, the number"):
        search.fit(X, y)


@pytest.mark.parametrize(("bad_X", "bad_y", "message"), BAD_DATA)
def test_bad_data_are_refused(fitted, bad_X, bad_y, message):
    state = snapshot(fitted)
    with pytest.raises((ValueError, TypeError), match=message):
        fitted.fit(bad_X, bad_y)
    assert_unchanged(fitted, state)
    assert fitted.predict(X).shape == (20,)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"solver": "lbfgs", "batch_size": 10}, "use batch_size=None"),
        ({"solver": "lbfgs", "momentum": 0.5}, "use momentum=0"),
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


def test_numbers_of_one_are_singular(small_moons):
    X, y = small_moons
    clf = make_clf(n_h=1, max_iter=200, warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match="weights have 1 hidden unit: set n_h=1, or start"):
        clf.set_params(n_h=2).fit(X, y)
    with pytest.raises(ValueError, match="for n_h=1, 1 feature and 1 output, got arrays"):
        make_clf(n_h=1, init=ZEROS).fit(X[:, :1], y)


def test_n_jobs_0_is_refused(small_moons):
    with pytest.raises(ValueError, match="n_jobs=0 is not a number of threads"):
        make_clf(n_jobs=0).fit(*small_moons)


def test_failed_fit_leaves_estimator_unfitted():
    clf = TwoLayerSigmoidClassifier(class_weight={0: 1, 5: 1})
    before = vars(clf).copy()
    with pytest.raises(ValueError, match="not in class_weight"):
        clf.fit(X, y)
    assert vars(clf) == before


# Overflow


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


# Prediction


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


def test_rows_too_large_for_float32_raise_only():
    clf = TwoLayerSigmoidClassifier(max_iter=50, random_state=0)
    clf.fit(X.astype(np.float32), X[:, 0] > 0)
    with pytest.raises(ValueError, match="too large for dtype"):  # NumPy does not warn as well
        clf.predict(np.full((1, 2), 1e300))


@pytest.mark.parametrize(
    "method", ["decision_function", "predict", "predict_proba", "predict_log_proba"]
)
def test_prediction_before_fit_raises_not_fitted(method):
    with pytest.raises(NotFittedError, match="not fitted yet"):
        getattr(TwoLayerSigmoidClassifier(), method)(X)

"""Training that goes on: warm_start and partial_fit."""

import pickle
import warnings

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.exceptions import ConvergenceWarning
from ways import assert_same_weights, quick

from two_layer_sigmoid import TwoLayerSigmoidClassifier

# Going on


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("batch_size", [None, 30])
def test_warm_fits_are_one_long_fit(small_moons, momentum, batch_size):
    X, y = small_moons
    options = {"momentum": momentum, "batch_size": batch_size, "learning_rate": 0.3}
    whole = quick(max_iter=40, random_state=np.random.RandomState(0), **options).fit(X, y)
    parts = quick(max_iter=10, random_state=np.random.RandomState(0), warm_start=True, **options)
    curve = []
    for i in range(4):
        if i == 2:
            parts = pickle.loads(pickle.dumps(parts))
        parts.fit(X, y)
        assert parts.n_iter_ == 10
        curve += parts.loss_curve_
    assert curve == whole.loss_curve_
    assert parts.loss_ == whole.loss_
    assert_same_weights(parts, whole)


def test_a_warm_fit_by_lbfgs_begins_where_the_last_ended(moons):
    X, y = moons
    clf = quick(warm_start=True).fit(X, y)
    reached = clf.loss_
    clf.set_params(solver="lbfgs", max_iter=3000).fit(X, y)
    assert clf.loss_curve_[0] == reached
    assert clf.loss_ < reached


def test_without_warm_start_fits_start_anew(small_moons):
    clf = quick(momentum=0.9, learning_rate=0.1).fit(*small_moons)
    weights = clf.W1_
    assert_array_equal(clf.fit(*small_moons).W1_, weights)
    assert not hasattr(clf, "_velocity")


@pytest.mark.parametrize("without", [{"solver": "lbfgs"}, {}])
@pytest.mark.filterwarnings("ignore:Training by L-BFGS ran out of iterations")
def test_velocity_does_not_outlive_a_fit_without_momentum(small_moons, without):
    X, y = small_moons
    clf = quick(momentum=0.9, learning_rate=0.1, warm_start=True).fit(X, y)
    clf.set_params(momentum=0.0, **without, alpha=0.01).fit(X, y)
    assert not hasattr(clf, "_velocity")


def test_a_warm_fit_that_fails_leaves_the_velocity(small_moons):
    X, y = small_moons
    clf = quick(momentum=0.9, learning_rate=0.1, warm_start=True).fit(X, y)
    weights, velocity = clf.W1_.copy(), clf._velocity.copy()
    clf.__class__ = Failing
    with pytest.raises(ZeroDivisionError):
        clf.fit(X, y)
    assert_array_equal(clf.W1_, weights)
    assert_array_equal(clf._velocity, velocity)


class Failing(TwoLayerSigmoidClassifier):
    """Fails when all is done."""

    def _store(self, *args, **options):
        super()._store(*args, **options)
        raise ZeroDivisionError


def test_a_warm_fit_refuses_another_network(small_moons):
    X, y = small_moons
    clf = quick(warm_start=True).fit(X, y)
    before = clf.W1_.copy()
    with pytest.raises(ValueError, match=r"n_h=3, but the weights .* have 8 hidden units"):
        clf.set_params(n_h=3).fit(X, y)
    clf.set_params(n_h=8)
    with pytest.raises(ValueError, match=r"y has the classes \[0, 1, 2\], but .* to \[0, 1\]"):
        clf.fit(X, np.arange(len(y)) % 3)
    with pytest.raises(ValueError, match=r"X has 1 features, but .* expecting 2"):
        clf.fit(X[:, :1], y)
    with pytest.raises(ValueError, match="y has the classes"):
        clf.fit(X, np.column_stack([y, 1 - y]))
    assert_array_equal(clf.W1_, before)
    assert clf.fit(X.astype(np.float32), y).W1_.dtype == np.float32


# partial_fit


def chunks(X, y, size=50):
    for start in range(0, len(y), size):
        yield X[start : start + size], y[start : start + size]


def test_partial_fit_learns(moons):
    X, y = moons
    labels = np.array(["lower", "upper"])[y]
    clf = TwoLayerSigmoidClassifier(random_state=0)
    for _ in range(20):
        for X_part, y_part in chunks(X, labels):
            clf.partial_fit(X_part, y_part, classes=["upper", "lower"])
    assert clf.score(X, labels) > 0.95
    assert (clf.n_iter_, len(clf.loss_curve_)) == (1, 1)


def test_partial_fit_is_one_update(small_moons):
    X, y = small_moons
    fit = quick(max_iter=3, momentum=0.9, learning_rate=0.1).fit(X, y)
    clf = quick(momentum=0.9, learning_rate=0.1)
    for cost in fit.loss_curve_:
        clf.partial_fit(X, y, classes=[0, 1])
        assert clf.loss_curve_ == [cost]
        assert clf.stop_reason_ == "iteration limit"
    assert clf.loss_ == fit.loss_
    assert_same_weights(clf, fit)


def test_partial_fit_with_batches_is_one_epoch(small_moons):
    X, y = small_moons
    clf = quick(batch_size=30).partial_fit(X, y, classes=[0, 1])
    assert_same_weights(clf, quick(batch_size=30, max_iter=1, tol=0).fit(X, y))


@pytest.mark.parametrize("way", [{}, {"momentum": 0.9}, {"batch_size": 20, "momentum": 0.9}])
def test_the_state_of_partial_fit_does_not_grow(small_moons, way):
    X, y = small_moons
    clf, sizes = quick(**way, learning_rate=0.1), set()
    for i in range(30):
        clf.partial_fit(X, y, classes=[0, 1])
        if i:
            sizes.add(len(pickle.dumps(clf)))
    assert max(sizes) - min(sizes) < 50  # numbers of the loss take a few bytes more or less


def test_partial_fit_accepts_batches_that_lack_a_class(three_blobs):
    X, y = three_blobs
    clf = quick().partial_fit(X[y == "ash"], y[y == "ash"], classes=np.unique(y))
    assert_array_equal(clf.classes_, ["ash", "birch", "cedar"])
    assert clf.predict_proba(X).shape == (len(y), 3)
    for _ in range(100):
        for label in clf.classes_:
            clf.partial_fit(X[y == label], y[y == label])
    clf.partial_fit(X[:1], y[:1])


def test_partial_fit_of_multilabel_targets(three_blobs):
    X, _ = three_blobs
    Y = (X @ [[1, 0, 1], [0, 1, 1]] > 0).astype(int)
    clf = quick().partial_fit(X, Y, classes=[0, 1, 2])
    for _ in range(200):
        clf.partial_fit(X, Y)
    assert clf.score(X, Y) > 0.7
    with pytest.raises(ValueError, match="one column of labels, but it was a multilabel"):
        clf.partial_fit(X, Y[:, 0])
    with pytest.raises(ValueError, match=r"classes are np.arange\(2\), .* but classes is"):
        clf.partial_fit(X, Y[:, :2])
    with pytest.raises(ValueError, match=r"multilabel indicator .* it was one column"):
        quick().partial_fit(X, Y[:, 0], classes=[0, 1]).partial_fit(X, Y[:, :2])


def test_partial_fit_after_fit_goes_on(small_moons):
    X, y = small_moons
    clf = quick(max_iter=10).fit(X, y)
    reached = clf.loss_
    assert clf.partial_fit(X, y).loss_curve_ == [reached]
    assert_same_weights(clf, quick(max_iter=11).fit(X, y))


def test_partial_fit_refuses(small_moons):
    X, y = small_moons
    with pytest.raises(ValueError, match="y holds only one class, 0: a classifier needs"):
        quick().partial_fit(X, 0 * y, classes=[0])
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        quick().partial_fit(X, y)
    clf = quick().partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match="not the same as on last call"):
        clf.partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match=r"not among the classes \[0, 1\], such as 7"):
        clf.partial_fit(X, np.where(y, 7, 0))
    with pytest.raises(ValueError, match="'learning_rate' parameter"):
        clf.set_params(learning_rate=-1).partial_fit(X, y)
    with pytest.raises(AttributeError, match="partial_fit"):
        quick(solver="lbfgs").partial_fit(X, y, classes=[0, 1])
    assert not hasattr(quick(solver="lbfgs"), "partial_fit")


def test_partial_fit_warns_of_divergence_only(moons):
    X, y = moons
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # ends on the plateau, as it must
        clf = quick().partial_fit(X, y, classes=[0, 1])
    clf.set_params(learning_rate=1e300)
    with pytest.warns(ConvergenceWarning, match="diverged") as caught:
        clf.partial_fit(X, y)
    assert caught[0].filename == __file__
    assert np.isfinite(clf.predict_proba(X)).all()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"early_stopping": True}, "early_stopping=True .* one pass of partial_fit"),
        ({"n_init": 2}, "n_init=2 .* partial_fit goes on from one: set n_init=1"),
        ({"class_weight": "balanced"}, "class_weight='balanced' .* partial_fit .* give a dict"),
    ],
)
def test_parameters_that_do_not_go_with_partial_fit(small_moons, params, message):
    clf = quick(**params)
    before = vars(clf).copy()
    with pytest.raises(ValueError, match=message):
        clf.partial_fit(*small_moons, classes=[0, 1])
    assert vars(clf) == before

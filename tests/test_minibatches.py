"""Mini-batches: on functions with known minima, and on data."""

import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import make_moons
from sklearn.exceptions import ConvergenceWarning

from tests.helpers import (
    WEIGHTS,
    Quadratic,
    assert_same_weights,
    make_clf,
    make_state,
    start_arrays,
)
from two_layer_sigmoid import TwoLayerSigmoidClassifier, _blocks, _network, _solvers
from two_layer_sigmoid._monitor import Monitor


class Halves(Quadratic):
    """The mean of two quadratics, with minima at 0 and 2: a quadratic with its minimum at 1."""

    def epoch(self):
        yield Parabola(0.0), 0.5
        yield Parabola(2.0), 0.5

    def loss_gradient(self, params):
        loss, grads = super().loss_gradient(params)
        return loss - 1 + 4 / 2, grads


class Parabola(Quadratic):
    """|theta - minimum|^2 / 2."""

    def __init__(self, minimum):
        super().__init__(minimum=minimum)

    def loss_gradient(self, params):
        loss, grads = super().loss_gradient(params)
        return loss - 1, grads


def in_minibatches(objective, state, max_iter, monitor, epoch, **options):
    """Gradient descent whose epochs are those of ``epoch``, instead of a data set's."""
    objective.data = SimpleNamespace(n_rows=2)
    objective.minibatches = lambda size, random_state: epoch()
    options = {
        "update": _network.update_parameters,
        "learning_rate": 0.5,
        "batch_size": 1,
    } | options
    with np.errstate(over="ignore", invalid="ignore"):
        _solvers.gradient_descent(objective, state, max_iter, monitor, **options)
    return state


def minibatches(theta, max_iter, *, learning_rate=0.5, objective=None, epoch=None, **monitor):
    objective = objective or Halves()
    epoch, monitor = epoch or objective.epoch, Monitor(**monitor)
    state = make_state(theta)
    return in_minibatches(objective, state, max_iter, monitor, epoch, learning_rate=learning_rate)


def test_epoch_updates_once_per_minibatch():
    theta = np.full(4, 0.5)
    state = minibatches(theta, 1, tol=0.0)
    # From 0.5 halfway to 0, then halfway to 2; the losses are 4 * 0.5^2 / 2 and 4 * 1.75^2 / 2.
    assert_array_equal(theta, 1.125)
    assert state.loss_curve == [(0.5 + 6.125) / 2]
    assert state.loss == 2 + 4 * 0.125**2 / 2  # of all rows, after the epoch
    assert state.stop_reason == "max_iter"


def test_minibatches_stop_at_small_mean_gradient():
    # From 1 at both batches: 1 - h, then 1 - h + h (1 + h); the gradients are 1 and -1 - h.
    state = minibatches(np.ones(4), 100, tol=0.01, learning_rate=0.01)
    assert (state.stop_reason, state.n_iter) == ("converged", 0)  # that of all rows
    state = minibatches(np.full(4, 1.1), 10_000, tol=0.01, learning_rate=0.01)
    assert state.stop_reason == "converged"
    assert 0 < state.n_iter < 10_000


def test_cancelling_minibatch_gradients_do_not_stop():
    # From 2 the step h = 1 leads to 0 and then to 2 again. The gradients there are 2 and -2, and
    # their mean is 0.
    state = minibatches(np.full(4, 2.0), 50, tol=1e-6, learning_rate=1.0)
    assert (state.stop_reason, state.n_iter) == ("max_iter", 50)


def test_diverging_minibatches_keep_finite_parameters():
    theta = np.full(4, 0.5)
    state = minibatches(theta, 10_000, tol=0.0, learning_rate=1e3)
    assert state.stop_reason == "diverged"
    assert np.isfinite(theta).all()


@pytest.mark.parametrize(("n_good_epochs", "ends_at"), [(0, "initial"), (2, "best")])
def test_spoiled_epoch_is_undone(n_good_epochs, ends_at):
    """An epoch that ends at infinity, as the last one."""
    seen = []

    class Overflowing(Quadratic):
        def update(self, params, grads, learning_rate):
            _network.update_parameters(params, grads, learning_rate)
            seen.append(params.flat().copy())
            if len(seen) > n_good_epochs:
                params.flat()[:] = np.inf
            return params

    state = make_state(np.full(4, 0.5))
    in_minibatches(
        Quadratic(),
        state,
        n_good_epochs + 1,
        Monitor(tol=0.0),
        lambda: iter([(Quadratic(), 1.0)]),
        update=Overflowing().update,
        learning_rate=0.1,
    )
    assert state.stop_reason == "diverged"
    assert_array_equal(state.theta, seen[-2] if ends_at == "best" else np.full(4, 0.5))
    assert state.loss == Quadratic().loss(state.params)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_minibatch_gradients_have_parameter_dtype(dtype):
    dtypes = set()

    class Recorded(Monitor):
        def should_stop(self, state, loss, gradient, max_iter):
            dtypes.add(gradient.dtype)
            return super().should_stop(state, loss, gradient, max_iter)

    state = make_state(np.zeros(4, dtype))
    in_minibatches(Halves(), state, 2, Recorded(tol=0.0), Halves().epoch)
    assert dtypes == {np.dtype(dtype)}


def test_minibatches_check_the_full_gradient():
    epoch = lambda: iter([(Parabola(0.0), 1.0)])  # noqa: E731
    state = minibatches(np.ones(4), 100, objective=Parabola(0.0), epoch=epoch, tol=0.1)
    # The gradients of the epochs are 1, 1/2, 1/4, 1/8 and 1/16; after the last, all rows' is 1/32.
    assert (state.stop_reason, state.n_iter) == ("converged", 5)


# On data


def test_minibatches_learn_moons(moons):
    X, y = moons
    full, mini = (make_clf(batch_size=size, max_iter=100, alpha=0).fit(X, y) for size in (None, 50))
    assert mini.loss_ < 0.1 < full.loss_
    assert_allclose(mini.loss_curve_[-1], mini.loss_, rtol=0.2)


def test_minibatches_are_shuffled_in_each_epoch(small_moons):
    X, y = small_moons
    seen = []

    class Recorded(TwoLayerSigmoidClassifier):
        def _backward(self, params, cache, X, Y, **weighting):
            seen.append(X[0].copy())
            return super()._backward(params, cache, X, Y, **weighting)

    Recorded(8, batch_size=30, max_iter=2, random_state=0, tol=0).fit(X, y)
    sizes = [len(batch) for batch in seen]
    assert sizes == [100, *[30, 30, 30, 10] * 2]  # all of them once, for the cost at the start
    epochs = np.concatenate(seen[1:5]), np.concatenate(seen[5:])
    for epoch in epochs:
        assert_array_equal(np.sort(epoch), np.sort(X[:, 0]))
    assert not np.array_equal(*epochs)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_minibatches_add_up_to_the_objective(small_moons, kind, monkeypatch):
    """With a vanishing rate an epoch's loss and steps are those of the full batch."""
    X, y = small_moons
    w = np.where(y, 3.0, 1 + np.arange(len(y)) % 4)
    rate = 1e-9
    options = {"alpha": 0.1, "learning_rate": rate, "max_iter": 1, "tol": 0, "init": "spread"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of the plateau
        full = make_clf(**options).fit(kind(X), y, sample_weight=w)
        start = make_clf(**options | {"learning_rate": 1e-300}).fit(kind(X), y, sample_weight=w)
        monkeypatch.setattr(_blocks, "BLOCK_BYTES", 0)
        monkeypatch.setattr(_blocks, "MIN_BLOCK_ROWS", 7)
        batches = make_clf(**options, batch_size=25).fit(kind(X), y, sample_weight=w)
    assert_allclose(batches.loss_curve_, full.loss_curve_, rtol=1e-7)
    for name in WEIGHTS:  # four batches of 25 rows, each as long a step as the whole
        step = getattr(batches, name) - getattr(start, name)
        whole = getattr(full, name) - getattr(start, name)
        assert_allclose(step, 4 * whole, rtol=1e-5, atol=rate * 1e-5)


def test_minibatch_of_tiny_weights_is_harmless(small_moons):
    X, y = small_moons
    w = np.full(len(y), 1e-300)
    w[::25] = 1.0  # most batches weigh nothing that counts
    clf = make_clf(batch_size=5, alpha=0).fit(X, y, sample_weight=w)
    assert np.isfinite(clf.loss_curve_).all()
    assert np.isfinite(clf.predict_proba(X)).all()


def test_batch_of_all_rows_is_full_batch(small_moons):
    X, y = small_moons
    assert_same_weights(make_clf(batch_size=100).fit(X, y), make_clf().fit(X, y))
    assert_same_weights(make_clf(batch_size=10**6).fit(X, y), make_clf().fit(X, y))


@pytest.mark.filterwarnings("ignore:Training ended")  # after one epoch
@pytest.mark.parametrize("batch_size", [1, 30, 100])
def test_seed_draws_the_minibatches_only(small_moons, batch_size):
    clf = make_clf(n_h=2, init=start_arrays(2, 2, 1), learning_rate=0.1, max_iter=1)
    clf.set_params(batch_size=batch_size)
    one, again, other = (clone(clf).set_params(random_state=i).fit(*small_moons) for i in (0, 0, 1))
    assert_same_weights(one, again)
    assert np.array_equal(one.W1_, other.W1_) == (batch_size == 100)


def test_diverging_minibatches_leave_finite_weights(small_moons):
    X, y = small_moons
    for seed in range(3):
        clf = TwoLayerSigmoidClassifier(
            2, learning_rate=1e3, alpha=0.01, batch_size=7, max_iter=3, random_state=seed
        )
        with pytest.warns(ConvergenceWarning, match="diverged"):
            clf.fit(X.astype(np.float32), y)
        assert np.isfinite(clf.loss_)
        assert np.isfinite(clf.predict_proba(X)).all()


# batch_size="auto" and n_h="auto"


@pytest.fixture(scope="module")
def many_moons():
    return make_moons(2001, noise=0.2, random_state=0)


def chosen(clf):
    return clf.batch_size_, len(clf.b1_)


def test_auto_is_all_rows_up_to_2000(many_moons):
    X, y = many_moons
    clf = TwoLayerSigmoidClassifier(max_iter=2, random_state=0)
    assert chosen(clf.fit(X, y)) == (200, 64)
    few = clone(clf).fit(X[1:], y[1:])
    assert chosen(few) == (None, 32)
    expected = clone(clf).set_params(n_h=32, batch_size=None).fit(X[1:], y[1:])
    assert_same_weights(few, expected)


@pytest.mark.parametrize(
    ("n_classes", "n_rows", "expected"),
    [
        (4, 600, (None, 32)),
        (4, 2001, (200, 64)),
        (5, 500, (None, 32)),
        (5, 501, (200, 100)),
    ],
)
@pytest.mark.parametrize("multilabel", [False, True])
def test_auto_depends_on_the_number_of_outputs(n_classes, n_rows, expected, multilabel):
    X = np.random.RandomState(0).standard_normal((n_rows, 2))
    y = np.arange(n_rows) % n_classes
    clf = TwoLayerSigmoidClassifier(max_iter=2, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # two epochs
        assert chosen(clf.fit(X, np.eye(n_classes)[y] if multilabel else y)) == expected


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"batch_size": None}, (None, 32)),
        ({"batch_size": 50}, (50, 64)),
        ({"batch_size": 5000}, (None, 32)),
        ({"n_h": 3}, (200, 3)),
        ({"solver": "lbfgs"}, (None, 32)),
        ({"early_stopping": True}, (None, 32)),  # 1800 rows to train on
    ],
)
def test_auto_depends_on_the_other_parameters(many_moons, params, expected):
    clf = TwoLayerSigmoidClassifier(**{"max_iter": 2, "random_state": 0} | params)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # two iterations
        assert chosen(clf.fit(*many_moons)) == expected


def test_auto_continues_with_the_same_units(many_moons):
    X, y = many_moons
    clf = TwoLayerSigmoidClassifier(max_iter=2, warm_start=True, random_state=0)
    assert chosen(clf.fit(X[:100], y[:100])) == (None, 32)
    assert chosen(clf.fit(X, y)) == (200, 32)
    assert chosen(clf.partial_fit(X, y)) == (None, 32)
    stream = TwoLayerSigmoidClassifier(random_state=0).partial_fit(X, y, classes=[0, 1])
    assert chosen(stream) == (None, 32)


# The end of training


def test_minibatches_end_if_the_loss_stays(many_moons):
    X, y = many_moons
    clf = TwoLayerSigmoidClassifier(8, batch_size=200, random_state=0).fit(X, y)
    epochs = clf.loss_curve_[:-5]
    assert clf.stop_reason_ == "no_improvement"
    assert 20 < len(epochs) < clf.max_iter - 5
    assert min(epochs[-20:]) > 0.98 * min(epochs[:-20])
    for end in range(21, len(epochs)):  # not earlier
        assert min(epochs[end - 20 : end]) <= 0.98 * min(epochs[: end - 20])


def test_updates_on_all_rows_follow_minibatches(many_moons):
    X, y = many_moons
    clf = TwoLayerSigmoidClassifier(8, batch_size=200, random_state=0).fit(X, y)
    n = clf.n_iter_ - 5
    twin = clone(clf).set_params(max_iter=n, tol=0).fit(X, y)
    twin.set_params(warm_start=True, batch_size=None, max_iter=5).fit(X, y)
    assert_allclose(clf.loss_curve_[n:], twin.loss_curve_, rtol=1e-9)
    assert_allclose(clf.W1_, twin.W1_, rtol=1e-6)
    assert clf.loss_ == pytest.approx(twin.loss_)
    short = clone(clf).set_params(max_iter=n + 2).fit(X, y)
    assert (short.n_iter_, short.stop_reason_) == (n + 2, "max_iter")


@pytest.mark.parametrize(("rate", "alpha"), [(1.2, 1.8), (0.1, 30)])
def test_divergence_is_no_flat_loss(many_moons, rate, alpha):
    clf = TwoLayerSigmoidClassifier(learning_rate=rate, alpha=alpha, random_state=0)
    with pytest.warns(ConvergenceWarning, match="learning_rate times alpha must be below 2"):
        clf.fit(*many_moons)
    assert clf.stop_reason_ == "diverged"


def test_auto_takes_the_units_of_given_weights(many_moons):
    clf = TwoLayerSigmoidClassifier(init=start_arrays(2, 5, 1), max_iter=2, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # two epochs
        assert chosen(clf.fit(*many_moons)) == (200, 5)


@pytest.mark.parametrize(
    "params", [{"tol": 0}, {"early_stopping": True, "n_iter_no_change": 300}], ids=str
)
def test_minibatches_need_not_end_if_the_loss_stays(many_moons, params):
    clf = TwoLayerSigmoidClassifier(8, batch_size=200, max_iter=300, random_state=0)
    assert clf.fit(*many_moons).stop_reason_ == "no_improvement"
    assert clf.set_params(**params).fit(*many_moons).stop_reason_ == "max_iter"


def test_minibatches_do_not_end_on_the_plateau():
    # Halves has the same mean loss in each epoch from 2 with the step 1.
    ended = {"ends_if_flat": True, "tol": 0.0}
    state = minibatches(np.full(4, 2.0), 50, learning_rate=1.0, **ended)
    assert (state.stop_reason, state.n_iter) == ("converged", 22)  # by a step on all rows
    state = minibatches(np.full(4, 2.0), 21, learning_rate=1.0, **ended)
    assert (state.stop_reason, state.n_iter) == ("max_iter", 21)  # it can continue
    state = minibatches(np.full(4, 2.0), 50, learning_rate=1.0, **ended, plateau=1.0)
    assert (state.stop_reason, state.n_iter) == ("max_iter", 50)

"""The solvers and their stopping rules on functions with known minima, without data."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize

from tests.helpers import Quadratic, descend, make_clf, make_state
from two_layer_sigmoid import _monitor, _network, _solvers
from two_layer_sigmoid._monitor import Monitor
from two_layer_sigmoid._network import Parameters


class Callbacks:
    """Records the states before each update; asks for a stop at one of them."""

    def __init__(self, stop_at=None):
        self.stop_at, self.n_begun = stop_at, 0

    def begin_iteration(self, state):
        self.n_begun += 1
        return self.n_begun - 1 == self.stop_at

    def end_iteration(self, state):
        return False


def lbfgs(objective, theta, max_iter=1000, **monitor):
    state = make_state(theta)
    _solvers.lbfgs(objective, state, max_iter, Monitor(**{"tol": 1e-6} | monitor))
    return state


# Stopping rules


def test_small_gradient_stops():
    theta = np.zeros(4)
    state = descend(Quadratic(), theta)
    assert state.stop_reason == "converged"
    assert len(state.loss_curve) == 20  # 2^-20 is the first power of a half below 1e-6
    assert_array_equal(theta, 1 - 2.0**-20)
    assert state.loss == 1 + 4 / 2 * 2.0**-40
    assert_allclose(state.loss_curve, 1 + 2 * 4.0 ** -np.arange(20), rtol=1e-15)


def test_tol_applies_to_the_largest_entry():
    theta = np.array([0.0, 1, 1, 1])
    state = descend(Quadratic(), theta, monitor=Monitor(tol=1.0))
    assert state.stop_reason == "converged"
    assert state.loss_curve == []
    assert descend(Quadratic(), theta, monitor=Monitor(tol=0.999)).n_iter == 1


def test_plateau_does_not_stop():
    theta = np.full(4, 1 - 1e-5)  # a gradient of 1e-5, and a loss that changes by 1e-10
    assert descend(Quadratic(), theta, 500, learning_rate=1e-3).n_iter == 500


def test_iteration_limit_stops():
    theta = np.zeros(4)
    state = descend(Quadratic(), theta, 3)
    assert state.stop_reason == "max_iter"
    assert state.loss_curve == [3.0, 1.5, 1.125]
    assert state.loss == 1 + 2 / 64  # of the parameters after the third update
    assert_array_equal(theta, 0.875)


def test_high_loss_is_divergence():
    state = descend(Quadratic(), np.zeros(4), learning_rate=2.2)
    assert state.stop_reason == "diverged"
    # |theta - 1| grows by 1.2 each time; 1 + 2 * 1.44^k > 30 from k = 8 on, a hundred times.
    assert state.n_iter == 8 + 100 - 1
    assert math.isfinite(state.loss)


def test_oscillation_is_not_divergence():
    state = descend(Quadratic(), np.zeros(4), learning_rate=2.0)
    assert state.stop_reason == "max_iter"
    assert set(state.loss_curve) == {3.0}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_overflow_restores_the_last_finite_parameters(dtype):
    theta = np.zeros(4, dtype)
    state = descend(Quadratic(1e6), theta, learning_rate=1e6)
    assert state.stop_reason == "diverged"
    assert np.isfinite(theta).all()
    assert state.loss == state.loss_curve[-1]
    again = np.zeros(4, dtype)
    descend(Quadratic(1e6), again, state.n_iter - 1, learning_rate=1e6)
    assert_array_equal(theta, again)


@pytest.mark.parametrize("where", ["gradient", "theta"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_finite_values_are_not_divergence(dtype, where):
    large = np.full(4, 0.9 * np.finfo(dtype).max, dtype)  # the squares overflow
    theta, gradient = (large, 0 * large) if where == "theta" else (0 * large, large)

    class Linear(Quadratic):
        def loss_gradient(self, params):
            return 1.0, Parameters.views(gradient.copy(), 1, 1, 1)

    state = descend(Linear(), theta, 3, monitor=Monitor(tol=-1.0), learning_rate=0.1)
    assert state.stop_reason == "max_iter"


@pytest.mark.parametrize("entry", [math.nan, math.inf])
@pytest.mark.parametrize("where", ["loss", "gradient", "theta"])
def test_values_that_are_not_finite_are_divergence(where, entry):
    class NotFinite(Quadratic):
        def loss_gradient(self, params):
            _, grads = super().loss_gradient(params)
            if where == "gradient":
                grads.b2[...] = entry
            return (entry if where == "loss" else 1.0), grads

    theta = np.array([0.0, 0.0, 0.0, entry if where == "theta" else 0.0])
    state = descend(NotFinite(0.0 if where == "theta" else 1.0), theta)
    assert (state.loss, state.loss_curve, state.stop_reason) == (math.inf, [], "diverged")


def test_callback_stops_descent():
    callbacks = Callbacks(stop_at=3)
    state = descend(Quadratic(), np.zeros(4), monitor=Monitor(tol=1e-6, tasks=callbacks))
    assert state.stop_reason == "callback"
    assert state.loss_curve == [3.0, 1.5, 1.125]
    assert state.loss == 1 + 2 / 64  # after three updates


def distance_from_0_9(params):
    """A validation loss that is lowest where theta is 0.9."""
    return abs(float(params.W1[0, 0]) - 0.9)


@pytest.mark.parametrize("solver", ["gd", "lbfgs"])
def test_early_stopping_and_restoring_the_best(solver):
    options = {"tol": 0.0, "validation_loss": distance_from_0_9, "n_iter_no_change": 4}
    if solver == "gd":
        monitor = Monitor(**options)
        state = descend(Quadratic(), np.zeros(4), learning_rate=0.1, monitor=monitor)
    else:
        state = lbfgs(Rosenbrock(), np.zeros(4), **options)
    assert state.stop_reason == "early_stopping"
    curve = state.validation_loss_curve
    assert len(curve) == state.n_iter
    assert state.n_iter - curve.index(min(curve)) == 4
    _monitor.finalize(state, Quadratic(), np.float64)
    assert distance_from_0_9(state.params) == state.validation_loss == min(curve)
    assert state.loss == state.restorable_loss == Quadratic().loss(state.params)


def test_early_stopping_waits_on_the_plateau():
    rising = iter(range(1000))
    options = {"tol": 1e-6, "validation_loss": lambda _: next(rising), "n_iter_no_change": 3}
    state = descend(Quadratic(), np.zeros(4), monitor=Monitor(**options, plateau=1.125))
    assert state.n_iter == 2 + 3  # the loss is 3, 1.5, 1.125, and then below the plateau
    state = descend(Quadratic(), np.zeros(4), monitor=Monitor(**options))
    assert state.n_iter == 3


def test_plateau_excludes_the_penalty():
    rising = iter(range(1000))
    monitor = Monitor(
        tol=1e-6,
        validation_loss=lambda _: next(rising),
        n_iter_no_change=3,
        plateau=1.0,
        penalty=lambda _: 0.3,
    )
    # Without the penalty the losses are 2.7, 1.2, 0.825 and less.
    assert descend(Quadratic(), np.zeros(4), monitor=monitor).n_iter == 1 + 3


def test_last_parameters_can_be_best():
    monitor = Monitor(tol=1e-6, validation_loss=Quadratic().loss, n_iter_no_change=9)
    state = descend(Quadratic(), np.zeros(4), 2, monitor=monitor)
    _monitor.finalize(state, Quadratic(), np.float64)
    assert state.stop_reason == "max_iter"
    assert state.loss == 1.125 < min(state.validation_loss_curve)


def test_finalize_rounds_to_the_dtype():
    state = make_state(np.full(4, 0.1))
    _monitor.finalize(state, Quadratic(), np.dtype("float32"))
    assert_array_equal(state.theta, np.full(4, np.float32(0.1)))
    assert state.loss == Quadratic().loss(state.params)


def test_going_back_resets_the_velocity():
    monitor = Monitor(tol=0.0, validation_loss=distance_from_0_9, n_iter_no_change=4)
    state = descend(Quadratic(), np.zeros(4), learning_rate=0.1, momentum=0.5, monitor=monitor)
    assert state.velocity.any()
    _monitor.finalize(state, Quadratic(), np.float64)
    assert_array_equal(state.velocity, 0.0)


def test_staying_keeps_the_velocity():
    monitor = Monitor(tol=0.0, validation_loss=Quadratic().loss, n_iter_no_change=4)
    state = descend(Quadratic(), np.zeros(4), 3, learning_rate=0.1, momentum=0.5, monitor=monitor)
    _monitor.finalize(state, Quadratic(), np.float64)
    assert state.velocity.any()


def test_printed_losses(capsys):
    monitor = Monitor(tol=1e-6, validation_loss=lambda _: 0.25, n_iter_no_change=9, print_every=2)
    descend(Quadratic(), np.zeros(4), 3, monitor=monitor)
    assert capsys.readouterr().out.splitlines() == [
        "Cost after iteration 0: 3.000000, validation 0.250000",
        "Cost after iteration 2: 1.125000, validation 0.250000",
    ]


# Gradient descent


def test_update_can_return_new_arrays():
    def update(params, grads, learning_rate):
        return Parameters(*(p - learning_rate * g for p, g in zip(params, grads, strict=True)))

    theta, other = np.zeros(4), np.zeros(4)
    ours, in_place = descend(Quadratic(), theta, update=update), descend(Quadratic(), other)
    assert ours.loss_curve == in_place.loss_curve
    assert_array_equal(theta, other)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_descent_continues_bit_for_bit(momentum):
    theta, other = np.zeros(4), np.zeros(4)
    step = {"learning_rate": 0.01, "momentum": momentum}
    whole = descend(Quadratic(), theta, 12, **step)
    state = make_state(other)
    for max_iter in 5, 5, 9, 12:
        descend(Quadratic(), other, max_iter, state=state, **step)
    assert state.loss_curve == whole.loss_curve
    assert_array_equal(other, theta)


def test_momentum_is_nesterov():
    theta, plain, velocity = np.zeros(4), 0.0, 0.0
    descend(Quadratic(), theta, 20, learning_rate=0.1, momentum=0.9)
    for _ in range(20):  # as scikit-learn's SGDOptimizer writes it
        gradient = plain - 1
        velocity = 0.9 * velocity - 0.1 * gradient
        plain += 0.9 * velocity - 0.1 * gradient
    assert_allclose(theta, plain, rtol=1e-12)


# L-BFGS


class Rosenbrock(Quadratic):
    """Rosenbrock's banana in pairs of parameters; its minimum is at 1, ..., 1."""

    def loss_gradient(self, params):
        theta = params.flat()
        x, y = theta[::2], theta[1::2]
        gradient = np.empty_like(theta)
        gradient[::2] = -400 * x * (y - x**2) - 2 * (1 - x)
        gradient[1::2] = 200 * (y - x**2)
        loss = float((100 * (y - x**2) ** 2 + (1 - x) ** 2).sum())
        return loss, Parameters.views(gradient, 1, 1, 1)


VALLEY = [-1.2, 1.0, -1.2, 1.0]


def test_lbfgs_finds_the_minimum():
    state = lbfgs(Rosenbrock(), np.array(VALLEY))
    assert state.stop_reason == "converged"
    assert_allclose(state.theta, 1, rtol=1e-6)
    assert state.loss_curve[0] == Rosenbrock().loss(make_state(VALLEY).params)
    assert np.all(np.diff([*state.loss_curve, state.loss]) < 0)
    assert state.loss == Rosenbrock().loss(state.params)


def test_lbfgs_counts_iterations():
    state = lbfgs(Rosenbrock(), np.array(VALLEY), 7)
    assert (state.stop_reason, state.n_iter) == ("max_iter", 7)
    longer = lbfgs(Rosenbrock(), np.array(VALLEY), 8)
    assert longer.loss_curve == [*state.loss_curve, state.loss]


def test_lbfgs_stops_at_a_minimum():
    state = lbfgs(Rosenbrock(), np.ones(4))
    assert (state.stop_reason, state.n_iter, state.loss) == ("converged", 0, 0.0)


def test_lbfgs_stops_at_the_limit_of_precision():
    state = lbfgs(Rosenbrock(), np.array(VALLEY), tol=0.0)
    assert state.stop_reason == "converged"
    assert state.n_iter < 200
    assert state.loss <= 1e-20
    assert state.loss == Rosenbrock().loss(state.params)


def test_callback_stops_lbfgs():
    callbacks = Callbacks(stop_at=3)
    state = lbfgs(Rosenbrock(), np.array(VALLEY), tasks=callbacks)
    assert state.stop_reason == "callback"
    assert callbacks.n_begun == 4
    assert state.n_iter == 3


class Uphill(Quadratic):
    """A wrong gradient: it points downhill."""

    def loss_gradient(self, params):
        loss, grads = super().loss_gradient(params)
        return loss, Parameters.views(-grads.flat(), 1, 1, 1)


def test_lbfgs_stops_if_line_search_fails():
    theta = np.zeros(4)
    state = lbfgs(Uphill(), theta)
    assert state.stop_reason == "line_search"
    assert state.n_iter == 0
    assert_array_equal(theta, np.zeros(4))
    assert state.loss == Quadratic().loss(state.params)


def test_failed_line_search_removes_one_update():
    state = lbfgs(Uphill(), np.zeros(4), validation_loss=Quadratic().loss, n_iter_no_change=9)
    assert state.loss_curve == state.validation_loss_curve == []


class Counted(Rosenbrock):
    def __init__(self):
        self.n_evaluations = 0

    def loss_gradient(self, params):
        self.n_evaluations += 1
        return super().loss_gradient(params)


def test_lbfgs_evaluates_each_point_once():
    """SciPy's last evaluation before the callback is that of the accepted point."""
    ours, scipys = Counted(), Counted()
    lbfgs(ours, np.array(VALLEY), 20)

    def loss_gradient(x):
        loss, grads = scipys.loss_gradient(make_state(x).params)
        return loss, grads.flat()

    options = {"maxiter": 20, "ftol": 0, "gtol": 0, "maxcor": 8}
    minimize(loss_gradient, VALLEY, jac=True, method="L-BFGS-B", options=options)
    assert ours.n_evaluations == scipys.n_evaluations + 1  # the initial one, before SciPy's


@pytest.mark.filterwarnings("ignore:Training by L-BFGS ran out of iterations")
def test_lbfgs_keeps_few_pairs_at_first(moons, monkeypatch):
    sizes = []

    def noting(*arguments, options, **others):
        sizes.append((options["maxcor"], options["maxiter"]))
        return minimize(*arguments, options=options, **others)

    monkeypatch.setattr(_solvers, "minimize", noting)
    settings = {"solver": "lbfgs", "alpha": 0, "tol": 0, "max_iter": 130}
    clf = make_clf(n_h=8, init="spread", **settings).fit(*moons)
    assert clf.n_iter_ == 130
    # The first update is announced before SciPy starts, so 99 remain.
    assert sizes == [(10, 99), (40, 30 * 33)]
    assert (np.diff(clf.loss_curve_) <= 0).all()


def test_lbfgs_checks_which_point_was_evaluated_last(monkeypatch):
    def probing(loss_at, x, *, jac, callback, **options):
        """An optimiser that evaluates another point before each question."""

        def gradient_at(x):
            loss_at(x + 1.0)
            return jac(x).copy()

        def after_iteration(intermediate_result):
            loss_at(intermediate_result.x - 1.0)
            callback(intermediate_result)

        return minimize(loss_at, x, jac=gradient_at, callback=after_iteration, **options)

    monkeypatch.setattr(_solvers, "minimize", probing)
    state = lbfgs(Rosenbrock(), np.array(VALLEY))
    monkeypatch.undo()
    expected = lbfgs(Rosenbrock(), np.array(VALLEY))
    assert state.loss_curve == expected.loss_curve
    assert state.stop_reason == "converged"
    assert_array_equal(state.theta, expected.theta)


# Mini-batches


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
    options = {"update": _network.update, "learning_rate": 0.5, "batch_size": 1} | options
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
            _network.update(params, grads, learning_rate)
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


# Successive halving


def halving(n_states, max_iter=16, first_rung=2, losses=None, reasons=None, monitor=None):
    """Train states whose loss is their number, or as given; the best, and who trained how far."""
    states, calls = [make_state(np.zeros(4)) for _ in range(n_states)], []

    def solve(state, until):
        i = states.index(state)
        calls.append((i, until))
        state.loss = state.best_loss = losses(i, until) if losses else float(i)
        state.stop_reason = (reasons and reasons(i, until)) or "max_iter"
        state.loss_curve = [0.0] * (3 if state.stop_reason == "converged" else until)

    best = _solvers.successive_halving(
        states, solve, monitor or Monitor(tol=0.0), max_iter=max_iter, first_rung=first_rung
    )
    return states.index(best), calls, states


def test_one_state_has_one_rung():
    best, calls, _ = halving(1)
    assert (best, calls) == (0, [(0, 16)])


def test_better_half_trains_twice_as_long():
    best, calls, _ = halving(5)
    assert best == 0
    assert calls == [
        *((i, 2) for i in range(5)),
        *((i, 4) for i in range(3)),
        *((i, 8) for i in range(2)),
        (0, 16),
    ]


def test_ten_states_cost_less_than_three():
    _, calls, _ = halving(10, max_iter=1600, first_rung=100)
    reached, updates = {}, 0
    for i, until in calls:
        updates += until - reached.get(i, 0)
        reached[i] = until
    assert updates == 3700 <= 3 * 1600


def test_dropped_state_continues_if_leader_worsens():
    best, calls, _ = halving(2, losses=lambda i, until: until if i == 0 else 10.0)
    assert best == 1
    assert calls == [(0, 2), (1, 2), (0, 16), (1, 16)]
    assert halving(2, losses=lambda i, until: -until if i == 0 else 0)[1][-1] == (0, 16)


def test_finished_survivor_is_kept():
    """It has ended in the last rung before the final one, and a dropped state is better by then."""
    best, calls, _ = halving(
        2,
        losses=lambda i, until: float(i),
        reasons=lambda i, until: "converged" if i == 0 else None,
    )
    assert (best, calls) == (0, [(0, 2), (1, 2)])
    best, calls, _ = halving(
        3,
        losses=lambda i, until: 5.0 if (i, until) == (0, 4) else float(i),
        reasons=lambda i, until: "converged" if until == 4 else None,
    )
    assert (best, calls) == (1, [(0, 2), (1, 2), (2, 2), (0, 4), (1, 4)])


def test_callback_stops_successive_halving():
    reasons = lambda i, until: "callback" if i == 1 else None  # noqa: E731
    best, _, states = halving(4, first_rung=4, reasons=reasons)
    assert best == 0
    assert states[0].stop_reason == "callback"
    assert states[2].loss == math.inf


def test_stop_in_last_rung_keeps_the_best():
    best, _, states = halving(
        2,
        first_rung=4,
        losses=lambda i, until: 10.0 if (i, until) == (0, 16) else float(i),
        reasons=lambda i, until: "callback" if until == 16 else None,
    )
    assert best == 1
    assert states[1].stop_reason == "callback"


class StopsAtTheEnd(Callbacks):
    def end_iteration(self, state):
        return True


@pytest.mark.parametrize(
    ("n_states", "reason", "expected"),
    [
        (1, "max_iter", "callback"),
        (1, "converged", "converged"),
        (2, "converged", "callback"),
    ],
)
def test_callback_can_stop_at_the_last_update(n_states, reason, expected):
    monitor = Monitor(tol=0.0, tasks=StopsAtTheEnd())
    best, _, states = halving(n_states, reasons=lambda *_: reason, monitor=monitor)
    assert states[best].stop_reason == expected


@pytest.mark.parametrize(
    ("reason", "expected"),
    [("converged", [(0, 2), (1, 2)]), ("max_iter", [(0, 2), (1, 2), (0, 4)])],
)
def test_only_unfinished_states_are_trained_on(reason, expected):
    _, calls, _ = halving(2, 4, reasons=lambda i, until: reason)
    assert calls == expected


def test_first_rung_leaves_time_for_the_others():
    _, calls, _ = halving(4, first_rung=100)
    assert calls == [*((i, 4) for i in range(4)), (0, 8), (1, 8), (0, 16)]


def test_starts_are_announced(capsys):
    halving(2, 4, 2, monitor=Monitor(tol=0.0, print_every=1))
    assert capsys.readouterr().out.splitlines() == [
        "Start 1 of 2, up to iteration 2",
        "Start 2 of 2, up to iteration 2",
        "Start 1 of 2, up to iteration 4",
    ]

"""The solvers on functions with known answers: no data and no estimator."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from two_layer_sigmoid import _network, _solvers
from two_layer_sigmoid._network import Parameters
from two_layer_sigmoid._solvers import Run, Step, Watch


class Quadratic:
    """curvature / 2 |theta - 1|^2 + 1, of a network with 1 feature, 1 hidden unit and 1 output."""

    def __init__(self, curvature=1.0):
        self.curvature = curvature

    def views(self, theta):
        return Parameters.views(theta, 1, 1, 1)

    def __call__(self, params, grads=None):
        cost = 1.0
        for i, parameter in enumerate(params):
            if grads is not None:
                grads[i][...] = self.curvature * (parameter - 1)
            cost += float(self.curvature / 2 * ((parameter - 1) ** 2).sum())
        return cost


def start(theta):
    return Run(Parameters.views(theta, 1, 1, 1))


def descend(objective, theta, *, max_iter=1000, momentum=0.0, run=None, **options):
    """Gradient descent in place; the run, ended."""
    step = Step(options.pop("update", _network.update), options.pop("learning_rate", 0.5), momentum)
    run = run or start(theta)
    with np.errstate(over="ignore", invalid="ignore"):
        _solvers.gradient_descent(
            objective, run, max_iter, step=step, watch=Watch(**{"tol": 1e-6} | options)
        )
    return run


def lbfgs(objective, theta, *, max_iter=1000, **options):
    run = start(theta)
    _solvers.lbfgs(objective, run, max_iter, watch=Watch(**{"tol": 1e-6} | options))
    return run


def test_stops_where_the_gradient_is_small():
    theta = np.zeros(4)
    result = descend(Quadratic(), theta)
    assert result.stop_reason == "gradient small"
    assert len(result.loss_curve) == 20  # 2^-20 is the first power of a half below 1e-6
    assert_array_equal(theta, 1 - 2.0**-20)
    assert result.cost == 1 + 4 / 2 * 2.0**-40
    assert_allclose(result.loss_curve, 1 + 2 * 4.0 ** -np.arange(20), rtol=1e-15)


def test_tol_is_about_the_largest_entry():
    theta = np.array([0.0, 1, 1, 1])
    result = descend(Quadratic(), theta, tol=1.0)
    assert result.stop_reason == "gradient small"
    assert result.loss_curve == []
    assert len(descend(Quadratic(), theta, tol=0.999).loss_curve) == 1


def test_a_plateau_is_no_reason_to_stop():
    theta = np.full(4, 1 - 1e-5)  # a gradient of 1e-5, and a cost that changes by 1e-10
    assert len(descend(Quadratic(1.0), theta, learning_rate=1e-3, max_iter=500).loss_curve) == 500


def test_iteration_limit_and_steps():
    told = []
    theta = np.zeros(4)
    tell = lambda run: told.append((run.n_iter, run.cost))  # noqa: E731
    result = descend(Quadratic(), theta, max_iter=3, on_step=tell)
    assert result.stop_reason == "iteration limit"
    assert told == [(0, 3.0), (1, 1.5), (2, 1.125)]
    assert result.loss_curve == [3.0, 1.5, 1.125]
    assert result.cost == 1 + 2 / 64  # of the parameters after the third update
    assert_array_equal(theta, 0.875)


def test_high_cost_for_long_is_divergence():
    result = descend(Quadratic(), np.zeros(4), learning_rate=2.2)
    assert result.stop_reason == "diverged"
    # |theta - 1| grows by 1.2 each time; 1 + 2 * 1.44^k > 30 from k = 8 on, a hundred times.
    assert len(result.loss_curve) == 8 + 100 - 1
    assert math.isfinite(result.cost)


def test_oscillation_is_not_divergence():
    result = descend(Quadratic(), np.zeros(4), learning_rate=2.0)
    assert result.stop_reason == "iteration limit"
    assert set(result.loss_curve) == {3.0}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_overflow_is_divergence_and_keeps_the_last_finite_parameters(dtype):
    theta = np.zeros(4, dtype)
    result = descend(Quadratic(1e6), theta, learning_rate=1e6)
    assert result.stop_reason == "diverged"
    assert np.isfinite(theta).all()
    assert result.cost == result.loss_curve[-1]
    again = np.zeros(4, dtype)  # as many updates as cost-curve entries but the last undone one
    descend(Quadratic(1e6), again, learning_rate=1e6, max_iter=len(result.loss_curve) - 1)
    assert_array_equal(theta, again)


def test_a_start_that_is_not_finite_is_told():
    result = descend(lambda_objective(lambda params: math.nan), np.zeros(4))
    assert (result.cost, result.loss_curve, result.stop_reason) == (math.inf, [], "diverged")


def lambda_objective(cost):
    class Objective(Quadratic):
        def __call__(self, params, grads=None):
            super().__call__(params, grads)
            return cost(params)

    return Objective()


def test_update_may_return_arrays_of_its_own():
    def update(params, grads, learning_rate):
        return Parameters(*(p - learning_rate * g for p, g in zip(params, grads, strict=True)))

    theta, other = np.zeros(4), np.zeros(4)
    ours, in_place = descend(Quadratic(), theta, update=update), descend(Quadratic(), other)
    assert ours.loss_curve == in_place.loss_curve
    assert_array_equal(theta, other)


# Going on


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_a_run_left_at_a_limit_goes_on_bit_for_bit(momentum):
    theta, other = np.zeros(4), np.zeros(4)
    options = {"learning_rate": 0.01, "momentum": momentum}
    whole = descend(Quadratic(), theta, max_iter=12, **options)
    run = start(other)
    for limit in 5, 5, 9, 12:
        descend(Quadratic(), other, max_iter=limit, run=run, **options)
    assert run.loss_curve == whole.loss_curve
    assert_array_equal(other, theta)


def test_momentum_is_nesterovs():
    theta, plain, velocity = np.zeros(4), 0.0, 0.0
    descend(Quadratic(), theta, learning_rate=0.1, momentum=0.9, max_iter=20)
    for _ in range(20):  # as scikit-learn's SGDOptimizer writes it
        gradient = plain - 1
        velocity = 0.9 * velocity - 0.1 * gradient
        plain += 0.9 * velocity - 0.1 * gradient
    assert_allclose(theta, plain, rtol=1e-12)


# What is watched


def test_on_step_may_stop():
    theta = np.zeros(4)
    run = descend(Quadratic(), theta, on_step=lambda run: run.n_iter == 3)
    assert run.stop_reason == "stopped by callback"
    assert run.loss_curve == [3.0, 1.5, 1.125]
    assert run.cost == 1 + 2 / 64  # after three updates


class Validation:
    """A validation cost that is lowest where theta is 0.9."""

    def __call__(self, params):
        return abs(float(params.W1[0, 0]) - 0.9)


@pytest.mark.parametrize("solver", [descend, lbfgs])
def test_early_stopping(solver):
    theta = np.zeros(4)
    options = {"validation_cost": Validation(), "n_iter_no_change": 4, "tol": 0.0}
    if solver is descend:
        options["learning_rate"] = 0.1
    run = solver(Rosenbrock() if solver is lbfgs else Quadratic(), theta, **options)
    assert run.stop_reason == "early stopping"
    curve = run.validation_loss_curve
    assert len(curve) == run.n_iter
    assert run.n_iter - curve.index(min(curve)) == 4
    run.restore_best(Quadratic())
    assert Validation()(run.params) == min(curve)
    assert run.cost == Quadratic()(run.params)


def test_early_stopping_waits_while_nothing_is_learned():
    rising = iter(range(1000))
    options = {"validation_cost": lambda _: next(rising), "n_iter_no_change": 3}
    run = descend(Quadratic(), np.zeros(4), **options, plateau=1.125)
    assert run.n_iter == 2 + 3  # the cost is 3, 1.5, 1.125, and then below the plateau
    run = descend(Quadratic(), np.zeros(4), **options)
    assert run.n_iter == 3


def test_the_last_parameters_may_be_the_best():
    run = descend(
        Quadratic(), np.zeros(4), max_iter=2, validation_cost=Quadratic(), n_iter_no_change=9
    )
    run.restore_best(Quadratic())
    assert run.stop_reason == "iteration limit"
    assert run.cost == 1.125 < min(run.validation_loss_curve)


# L-BFGS


class Rosenbrock(Quadratic):
    """Rosenbrock's banana in pairs of parameters; its lowest point is 1, ..., 1."""

    def __call__(self, params, grads=None):
        x, y = params.theta[::2], params.theta[1::2]
        if grads is not None:
            grads.theta[::2] = -400 * x * (y - x**2) - 2 * (1 - x)
            grads.theta[1::2] = 200 * (y - x**2)
        return float((100 * (y - x**2) ** 2 + (1 - x) ** 2).sum())


def test_lbfgs_finds_the_minimum_and_its_curve_has_no_last_cost():
    theta = np.array([-1.2, 1.0, -1.2, 1.0])
    run = lbfgs(Rosenbrock(), theta)
    assert run.stop_reason == "gradient small"
    assert_allclose(theta, 1, rtol=1e-6)
    assert run.loss_curve[0] == Rosenbrock()(start(np.array([-1.2, 1.0, -1.2, 1.0])).params)
    assert np.all(np.diff([*run.loss_curve, run.cost]) < 0)
    assert run.cost == Rosenbrock()(run.params)


def test_lbfgs_counts_iterations():
    theta = np.array([-1.2, 1.0, -1.2, 1.0])
    run = lbfgs(Rosenbrock(), theta, max_iter=7)
    assert (run.stop_reason, run.n_iter) == ("iteration limit", 7)
    longer = lbfgs(Rosenbrock(), np.array([-1.2, 1.0, -1.2, 1.0]), max_iter=8)
    assert longer.loss_curve == [*run.loss_curve, run.cost]


def test_lbfgs_stops_at_once_where_the_gradient_is_small():
    run = lbfgs(Rosenbrock(), np.ones(4))
    assert (run.stop_reason, run.n_iter, run.cost) == ("gradient small", 0, 0.0)


def test_lbfgs_ends_where_the_precision_does():
    run = lbfgs(Rosenbrock(), np.array([-1.2, 1.0, -1.2, 1.0]), tol=0.0)
    assert run.stop_reason == "gradient small"
    assert run.n_iter < 200
    assert run.cost <= 1e-20
    assert run.cost == Rosenbrock()(run.params)


def test_lbfgs_tells_each_step_and_may_be_stopped():
    told = []

    def on_step(run):
        told.append((run.n_iter, run.cost))
        return run.n_iter == 3

    run = lbfgs(Rosenbrock(), np.array([-1.2, 1.0, -1.2, 1.0]), on_step=on_step)
    assert run.stop_reason == "stopped by callback"
    assert told == list(enumerate([*run.loss_curve, run.cost]))
    assert run.n_iter == 3


# Mini-batches


class Halves(Quadratic):
    """The mean of two quadratics, one at 0 and one at 2: a quadratic at 1, and a constant."""

    def epoch(self):
        yield Shifted(0.0), 0.5
        yield Shifted(2.0), 0.5

    def __call__(self, params, grads=None):
        return super().__call__(params, grads) - 1 + 4 / 2


class Shifted(Quadratic):
    def __init__(self, middle):
        self.middle = middle

    def __call__(self, params, grads=None):
        if grads is not None:
            grads.theta[:] = params.theta - self.middle
        return float(((params.theta - self.middle) ** 2).sum() / 2)


def mini_batches(theta, limit, **options):
    run, step = start(theta), Step(_network.update, options.pop("learning_rate", 0.5))
    _solvers.mini_batch_descent(
        Halves(), run, limit, batches=Halves().epoch, step=step, watch=Watch(**options)
    )
    return run


def test_an_epoch_is_one_update_for_each_batch_and_its_loss_their_mean():
    theta = np.full(4, 0.5)
    run = mini_batches(theta, 1, tol=0.0)
    # From 0.5 halfway to 0, then halfway to 2; the batches cost 4 * 0.5^2 / 2 and 4 * 1.75^2 / 2.
    assert_array_equal(theta, 1.125)
    assert run.loss_curve == [(0.5 + 6.125) / 2]
    assert run.cost == 2 + 4 * 0.125**2 / 2  # of all, after the epoch
    assert run.stop_reason == "iteration limit"


def test_mini_batches_stop_where_the_mean_gradient_is_small():
    # From 1 at both batches: 1 - h, then 1 - h + h (1 + h); the gradients are 1 and -1 - h.
    run = mini_batches(np.ones(4), 100, tol=0.01, learning_rate=0.01)
    assert (run.stop_reason, run.n_iter) == ("gradient small", 0)  # that of all, at the start
    run = mini_batches(np.full(4, 1.1), 10_000, tol=0.01, learning_rate=0.01)
    assert run.stop_reason == "gradient small"
    assert 0 < run.n_iter < 10_000


def test_batches_that_pull_to_and_fro_are_no_small_gradient():
    # From 1 the step h = 1 leads to 0 and then to 2; from 2 to 0 and to 2 again. The gradients
    # there are 2 and -2, and their mean is none.
    run = mini_batches(np.full(4, 2.0), 50, tol=1e-6, learning_rate=1.0)
    assert (run.stop_reason, run.n_iter) == ("iteration limit", 50)


def test_mini_batches_that_diverge_keep_the_last_finite_parameters():
    theta = np.full(4, 0.5)
    with np.errstate(over="ignore", invalid="ignore"):
        run = mini_batches(theta, 10_000, tol=0.0, learning_rate=1e3)
    assert run.stop_reason == "diverged"
    assert np.isfinite(theta).all()


# The race of several starts


def race(n_runs, max_iter=16, first_lap=2, losses=None):
    """Race runs whose cost is their number, or as given; who was advanced how far."""
    runs, told = [start(np.zeros(4)) for _ in range(n_runs)], []

    def advance(run, limit):
        i = next(i for i, each in enumerate(runs) if each is run)
        told.append((i, limit))
        run.loss_curve = [0.0] * limit
        run.cost = run.best_cost = losses(i, limit) if losses else float(i)
        run.stop_reason = "iteration limit"

    best = _solvers.race(runs, advance, max_iter, first_lap)
    return next(i for i, each in enumerate(runs) if each is best), told


def test_one_run_is_no_race():
    assert race(1) == (0, [(0, 16)])


def test_the_better_half_goes_on_twice_as_far():
    best, told = race(5)
    assert best == 0
    assert told == [
        *((i, 2) for i in range(5)),
        *((i, 4) for i in range(3)),
        *((i, 8) for i in range(2)),
        (0, 16),
    ]


def test_ten_runs_of_full_laps_cost_less_than_three():
    _, told = race(10, max_iter=1600, first_lap=100)
    reached, updates = {}, 0
    for i, limit in told:
        updates += limit - reached.get(i, 0)
        reached[i] = limit
    assert updates == 3700 <= 3 * 1600


def test_a_run_left_behind_goes_on_if_the_leader_gets_worse():
    best, told = race(2, losses=lambda i, limit: limit if i == 0 else 10.0)
    assert best == 1
    assert told == [(0, 2), (1, 2), (0, 16), (1, 16)]
    assert race(2, losses=lambda i, limit: -limit if i == 0 else 0)[1][-1] == (0, 16)


def test_a_race_ends_with_a_callbacks_stop():
    def advance(run, limit):
        run.cost, run.stop_reason = float(runs.index(run)), "iteration limit"
        if run is runs[1]:
            run.stop_reason = "stopped by callback"

    runs = [start(np.zeros(4)) for _ in range(4)]
    best = _solvers.race(runs, advance, 16, 4)
    assert best is runs[0]
    assert best.stop_reason == "stopped by callback"
    assert runs[2].cost == math.inf


def test_a_stop_in_the_last_lap_takes_the_best_of_all():
    def advance(run, limit):
        leads = run is runs[0]
        run.loss_curve = [0.0] * limit
        run.cost = 10.0 if leads and limit == 16 else float(runs.index(run))
        run.stop_reason = "stopped by callback" if limit == 16 else "iteration limit"

    runs = [start(np.zeros(4)) for _ in range(2)]
    best = _solvers.race(runs, advance, 16, 4)
    assert best is runs[1]
    assert best.stop_reason == "stopped by callback"


def test_ctrl_c_ends_the_race_with_the_best_on_the_way():
    costs = iter([3.0, 1.0, 2.0])

    def cost(params):
        try:
            return next(costs)
        except StopIteration:
            raise KeyboardInterrupt from None

    theta = np.zeros(4)
    objective = lambda_objective(cost)
    run = start(theta)
    best = _solvers.race(
        [run], lambda run, limit: descend(objective, theta, max_iter=limit, run=run), 100, 100
    )
    assert best is run
    assert (run.best_cost, run.loss_curve, run.stop_reason) == (1.0, [3.0, 1.0, 2.0], "interrupted")
    run.restore_best(Quadratic())
    assert_array_equal(theta, 0.5)  # after one update


def test_ctrl_c_before_the_first_cost_is_passed_on():
    def advance(run, limit):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _solvers.race([start(np.zeros(4))], advance, 16, 4)


# What a run does, step by step.


def test_going_back_takes_the_speed_away_and_staying_does_not():
    run = start(np.arange(4.0))
    run.velocity = np.ones(4)
    run._go_back_to(np.arange(4.0))
    assert_array_equal(run.velocity, np.ones(4))
    run._go_back_to(np.zeros(4))
    assert_array_equal(run.velocity, np.zeros(4))
    assert_array_equal(run.theta, np.zeros(4))


def test_giving_up_is_a_small_gradient_and_one_update_less():
    run = start(np.zeros(4))
    run.loss_curve, run.validation_loss_curve = [3.0, 2.0], [3.0, 2.0]
    run.give_up()
    assert run.stop_reason == _solvers.GRADIENT_SMALL
    assert run.loss_curve == run.validation_loss_curve == [3.0]


def test_rounding_is_to_the_precision_of_the_dtype():
    run = start(np.full(4, 0.1))
    run.round("float32", Quadratic())
    assert_array_equal(run.theta, np.full(4, np.float32(0.1)))
    assert run.cost == Quadratic()(run.params)


@pytest.mark.parametrize(
    ("best", "ends_at"), [(np.zeros(4), np.zeros(4)), (np.full(4, np.inf), np.ones(4))]
)
def test_an_epoch_that_spoils_it_is_taken_back_to_the_best_or_else_the_start(best, ends_at):
    run = start(np.full(4, np.nan))
    run.loss_curve, run.best = [1.0], best
    with np.errstate(invalid="ignore"):
        run.close(Quadratic(), np.ones(4))
    assert run.stop_reason == _solvers.DIVERGED
    assert_array_equal(run.theta, ends_at)
    assert run.cost == Quadratic()(run.params)


class Uphill(Quadratic):
    """Says that the cost falls where it rises."""

    def __call__(self, params, grads=None):
        cost = super().__call__(params, grads)
        if grads is not None:
            for gradient in grads:
                np.negative(gradient, out=gradient)
        return cost


def test_lbfgs_gives_up_where_nothing_lower_can_be_found():
    theta = np.zeros(4)
    run = lbfgs(Uphill(), theta)
    assert run.stop_reason == _solvers.GRADIENT_SMALL
    assert run.n_iter == 0
    assert_array_equal(theta, np.zeros(4))
    assert run.cost == Quadratic()(run.params)


@pytest.mark.parametrize(("reason", "expected"), [(_solvers.INTERRUPTED, 0), (_solvers.STOPPED, 1)])
def test_the_best_of_interrupted_runs_is_that_on_the_way_of_stopped_ones_where_they_are(
    reason, expected
):
    runs = [start(np.zeros(4)), start(np.zeros(4))]
    runs[0].best_cost, runs[0].cost = 1.0, 5.0
    runs[1].best_cost, runs[1].cost = 2.0, 3.0
    best = _solvers._best(runs, reason)
    assert best is runs[expected]
    assert best.stop_reason == reason


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradients_of_mini_batches_have_the_precision_of_the_parameters(dtype):
    told = set()

    class Told(Shifted):
        def __call__(self, params, grads=None):
            if grads is not None:
                told.add(grads.theta.dtype)
            return super().__call__(params, grads)

    run, batches = start(np.zeros(4, dtype)), lambda: iter([(Told(0.0), 1.0)])
    step, watch = Step(_network.update, 0.5), Watch(tol=0.0)
    _solvers.mini_batch_descent(Told(0.0), run, 2, batches=batches, step=step, watch=watch)
    assert told == {np.dtype(dtype)}


def test_the_best_is_restored_with_its_score():
    run = start(np.zeros(4))
    run.best, run.best_cost, run.best_score, run.score = np.ones(4), 7.0, 0.25, 3.0
    run.restore_best(Quadratic())
    assert_array_equal(run.theta, np.ones(4))
    assert (run.score, run.cost, run.best_cost) == (0.25, 1.0, 1.0)


@pytest.mark.parametrize("reason", ["gradient small", "iteration limit"])
def test_a_run_that_has_ended_is_not_advanced_again(reason):
    told = []

    def advance(run, limit):
        told.append((runs.index(run), limit))
        run.loss_curve = [0.0] * (3 if reason == "gradient small" else limit)
        run.cost, run.stop_reason = float(runs.index(run)), reason

    runs = [start(np.zeros(4)) for _ in range(2)]
    _solvers.race(runs, advance, 4, 4)
    assert told == [(0, 4), (1, 4)]


def test_mini_batches_stop_where_the_gradient_of_the_last_epoch_was_small():
    run, batches = start(np.ones(4)), lambda: iter([(Shifted(0.0), 1.0)])
    step, watch = Step(_network.update, 0.5), Watch(tol=0.1)
    _solvers.mini_batch_descent(Shifted(0.0), run, 100, batches=batches, step=step, watch=watch)
    # The gradients of the epochs are 1, 1/2, 1/4, 1/8 and 1/16; after the last, all rows' is 1/32.
    assert (run.stop_reason, run.n_iter) == ("gradient small", 5)


@pytest.mark.parametrize(("penalty", "better_at"), [(0.5, 0), (0.2, 3)])
def test_the_penalty_is_no_part_of_being_on_the_plateau(penalty, better_at):
    run = start(np.zeros(4))
    run.best_score, run.cost, run.loss_curve = 0.1, 1.0, [1.0] * 3
    run._compare(Watch(0.0, None, lambda _: 0.2, lambda _: penalty, plateau=0.7))
    assert run._better_at == better_at


def test_what_is_finite_may_have_squares_that_are_not():
    big, one = np.full(2, 1e200), np.ones(2)
    with np.errstate(over="ignore"):
        assert _solvers._all_finite(1.0, math.inf, big, one)
        assert _solvers._all_finite(1.0, 2.0, one, big)
        assert not _solvers._all_finite(1.0, math.inf, np.array([math.inf, 0.0]), one)
        assert not _solvers._all_finite(1.0, 2.0, one, np.array([math.nan, 0.0]))
        assert not _solvers._all_finite(math.nan, 2.0, one, one)

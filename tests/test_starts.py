"""Initial weights, and several initialisations by successive halving."""

import copy
import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.metrics import log_loss

from tests.helpers import (
    LECTURE,
    SOLVER_SETTINGS,
    Callbacks,
    assert_same_fit,
    assert_same_weights,
    make_clf,
    make_state,
)
from two_layer_sigmoid import TwoLayerSigmoidClassifier, _solvers
from two_layer_sigmoid._monitor import Monitor

# Initial weights


def test_init_auto_depends_on_n_h(small_moons):
    for n_h, init in [(1, "small"), (2, "small"), (3, "spread"), (8, "spread")]:
        automatic = make_clf(n_h=n_h, max_iter=200)
        expected = make_clf(n_h=n_h, max_iter=200, init=init)
        assert_same_fit(automatic.fit(*small_moons), expected.fit(*small_moons))


def test_init_spread_uses_feature_mean_and_std(small_moons):
    X, y = small_moons
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    plain = make_clf(**LECTURE, max_iter=1).fit(X, y).loss_curve_
    moved = make_clf(**LECTURE, max_iter=1).fit(X * [1, 10] + [5, -50], y).loss_curve_
    assert_allclose(moved, plain, rtol=1e-12)  # the same network, seen in other units


def test_given_init_arrays_are_copied(small_moons):
    X, y = small_moons
    start = [np.full((1, 2), 0.5), np.zeros((1, 1)), np.ones((1, 1)), np.zeros((1, 1))]
    before = copy.deepcopy(start)
    clf = make_clf(n_h=1, init=start, alpha=0).fit(X, y)
    for array, old in zip(start, before, strict=True):
        assert_array_equal(array, old)
    z2 = 1 / (1 + np.exp(-(X @ [0.5, 0.5])))
    assert_allclose(clf.loss_curve_[0], log_loss(y, 1 / (1 + np.exp(-z2))))


# Several initialisations


def test_several_starts_reach_lower_losses(moons):
    X, y = moons
    losses = []
    for seed in range(5):
        clf = TwoLayerSigmoidClassifier(4, n_init=6, max_iter=400, random_state=seed).fit(X, y)
        alone = TwoLayerSigmoidClassifier(4, max_iter=400, random_state=seed).fit(X, y)
        assert clf.n_iter_ == len(clf.loss_curve_) == 400
        losses.append([clf.loss_, alone.loss_])
    assert_same_weights(clone(clf).fit(X, y), clf)
    several, one = np.mean(losses, axis=0)
    assert several < one


@pytest.mark.parametrize("setting", SOLVER_SETTINGS)
@pytest.mark.filterwarnings("ignore:Training by L-BFGS ran out of iterations")
def test_every_solver_supports_several_starts(small_moons, setting):
    X, y = small_moons
    clf = make_clf(n_init=3, **setting).fit(X, y)
    assert clf.n_iter_ <= 50
    assert_same_weights(clf, clone(clf).fit(X, y))


def test_more_starts_than_iterations(small_moons):
    X, y = small_moons
    clf = make_clf(n_init=10, max_iter=2).fit(X, y)
    assert clf.n_iter_ == 2


def test_kept_start_has_all_iterations(lecture):
    X, y = lecture
    for seed in range(5):
        clf = make_clf(n_init=4, batch_size=200, max_iter=20, random_state=seed).fit(X, y)
        assert clf.n_iter_ == 20


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

"""Ctrl-C: it ends training and keeps the best weights so far."""

import itertools
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import log_loss
from sklearn.model_selection import cross_val_score

from tests.helpers import (
    Quadratic,
    descend,
    make_clf,
    make_dask_clf,
    make_state,
    on_dask,
    penalty,
)
from two_layer_sigmoid import TwoLayerSigmoidClassifier, _monitor, _parallel, _solvers
from two_layer_sigmoid._monitor import Monitor

# The best weights so far


def test_ctrl_c_keeps_the_weights_so_far(small_moons):
    X, y = small_moons

    class Interrupted(TwoLayerSigmoidClassifier):
        def _update(self, params, grads, learning_rate):
            self.n_updates = getattr(self, "n_updates", 0) + 1
            if self.n_updates == 20:
                raise KeyboardInterrupt
            return super()._update(params, grads, learning_rate)

    clf = Interrupted(random_state=0)
    with pytest.raises(KeyboardInterrupt):
        clf.fit(X, y)
    assert clf.stop_reason_ == "interrupted"
    assert clf.n_iter_ == 20
    assert clf.loss_ == min(clf.loss_curve_)
    assert_allclose(log_loss(y, clf.predict_proba(X)) + penalty(clf), clf.loss_, rtol=1e-12)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("setting", [{"solver": "lbfgs"}, {"batch_size": 16}, {"n_init": 3}])
def test_ctrl_c_keeps_the_best_weights(small_moons, setting, early_stopping):
    X, y = small_moons

    class Interrupted(TwoLayerSigmoidClassifier):
        n_calls = 0

        def _cost(self, cache, Y, **weighting):
            self.__class__.n_calls += 1
            if self.n_calls == 20:
                raise KeyboardInterrupt
            return super()._cost(cache, Y, **weighting)

    clf = Interrupted(
        random_state=0, early_stopping=early_stopping, n_iter_no_change=999, **setting
    )
    with pytest.raises(KeyboardInterrupt):
        clf.fit(X, y)
    assert clf.stop_reason_ == "interrupted"
    assert clf.loss_ < 0.7
    if early_stopping:
        assert len(clf.validation_loss_curve_) == clf.n_iter_
    else:
        assert_allclose(log_loss(y, clf.predict_proba(X)) + penalty(clf), clf.loss_, rtol=1e-12)


def test_ctrl_c_ends_cross_validation(small_moons):
    class Interrupted(TwoLayerSigmoidClassifier):
        def _update(self, params, grads, learning_rate):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cross_val_score(Interrupted(random_state=0), *small_moons)


def test_ctrl_c_before_training_changes_nothing(small_moons):
    class Interrupted(TwoLayerSigmoidClassifier):
        def _forward(self, X, params, **buffers):
            raise KeyboardInterrupt

    clf = Interrupted(random_state=0)
    before = vars(clf).copy()
    with pytest.raises(KeyboardInterrupt):
        clf.fit(*small_moons)
    assert vars(clf) == before


def test_ctrl_c_while_restoring_the_best(small_moons):
    X, y = small_moons

    class Interrupted(TwoLayerSigmoidClassifier):
        n_calls = 0

        def _forward(self, X, params, **buffers):
            self.__class__.n_calls += 1
            if self.n_calls == 13:  # six costs, six validation costs, and that of the best
                raise KeyboardInterrupt
            return super()._forward(X, params, **buffers)

    clf = Interrupted(early_stopping=True, max_iter=5, random_state=0)
    with pytest.raises(KeyboardInterrupt):
        clf.fit(X, y)
    assert (clf.stop_reason_, clf.n_iter_, clf.n_calls) == ("interrupted", 5, 14)
    assert clf.loss_ < clf.loss_curve_[0]


def test_ctrl_c_keeps_the_best_state():
    losses = iter([3.0, 1.0, 2.0])

    class Interrupted(Quadratic):
        def loss_gradient(self, params):
            try:
                return next(losses), super().loss_gradient(params)[1]
            except StopIteration:
                raise KeyboardInterrupt from None

    theta, monitor = np.zeros(4), Monitor(tol=1e-6)
    state = make_state(theta)
    best = _solvers.successive_halving(
        [state, make_state(np.ones(4))],
        lambda state, until: descend(Interrupted(), theta, until, state=state, monitor=monitor),
        monitor,
        max_iter=100,
        first_rung=100,
    )
    assert best is state
    assert (state.best_loss, state.loss_curve) == (1.0, [3.0, 1.0, 2.0])
    assert state.stop_reason == "interrupted"
    _monitor.finalize(state, Quadratic(), np.float64)
    assert_array_equal(theta, 0.5)  # after one update


def test_ctrl_c_before_the_first_loss_is_raised():
    def solve(state, until):
        raise KeyboardInterrupt

    state = make_state(np.zeros(4))
    with pytest.raises(KeyboardInterrupt):
        _solvers.successive_halving([state], solve, Monitor(tol=0.0), max_iter=16, first_rung=4)


def test_ctrl_c_in_a_callback_keeps_the_weights(small_moons):
    pytest.importorskip("sklearn.callback", reason="needs scikit-learn 1.9")

    class Interrupting:
        n_torn_down = 0

        def setup(self, estimator, context):
            pass

        def teardown(self, estimator, context):
            self.n_torn_down += 1

        def on_fit_task_begin(self, estimator, context):
            pass

        def on_fit_task_end(self, estimator, context):
            if context.task_id == 3:
                raise KeyboardInterrupt

    callback = Interrupting()
    clf = make_clf().set_callbacks(callback)
    with pytest.raises(KeyboardInterrupt):
        clf.fit(*small_moons)
    assert (clf.stop_reason_, callback.n_torn_down) == ("interrupted", 1)
    assert clf.n_iter_ == 4
    assert clf.loss_ == make_clf(max_iter=4).fit(*small_moons).loss_


def test_ctrl_c_on_dask_keeps_best_weights(many_blobs):
    X, y = many_blobs
    updates = itertools.count(1)
    clf = make_dask_clf()

    def update(params, grads, learning_rate):
        if next(updates) == 5:
            raise KeyboardInterrupt
        return type(clf)._update(clf, params, grads, learning_rate)

    clf._update = update
    X_lazy = on_dask(X, 100)
    with pytest.raises(KeyboardInterrupt):
        clf.fit(X_lazy, y)
    assert clf.stop_reason_ == "interrupted"
    assert clf.loss_ == pytest.approx(min(clf.loss_curve_))


def test_second_ctrl_c_ends_fit(small_moons):
    class Interrupted(TwoLayerSigmoidClassifier):
        n_calls = 0

        def _cost(self, cache, Y, **options):
            self.__class__.n_calls += 1
            if self.n_calls >= 20:
                raise KeyboardInterrupt
            return super()._cost(cache, Y, **options)

    clf = Interrupted(random_state=0)
    with pytest.raises(KeyboardInterrupt):
        clf.fit(*small_moons)
    assert clf.n_calls == 22  # in training, and twice in computing the loss of the best weights
    assert not hasattr(clf, "W1_")


# Threads


class Slow(TwoLayerSigmoidClassifier):
    """Workers pause between forward propagation and the cost, where others could do harm."""

    def _cost(self, cache, Y, **options):
        if threading.current_thread() is not threading.main_thread():
            time.sleep(5e-4)
        return super()._cost(cache, Y, **options)


@pytest.mark.parametrize(
    ("where", "name"),
    [(ThreadPoolExecutor, "submit"), (_parallel, "wait"), (Future, "result")],
)
def test_ctrl_c_leaves_no_worker_running(moons, small_blocks, monkeypatch, where, name):
    calls = itertools.count()
    original = getattr(where, name)

    def interrupted_once(*args):
        result = original(*args) if name == "submit" else None
        if next(calls) == 20:
            raise KeyboardInterrupt
        return result or original(*args)

    monkeypatch.setattr(where, name, interrupted_once)
    clf = Slow(alpha=0.0, n_jobs=2, max_iter=50, random_state=0)
    with pytest.raises(KeyboardInterrupt):
        clf.fit(*moons)
    assert clf.stop_reason_ == "interrupted"
    weights = clf.W1_, clf.b1_, clf.W2_, clf.b2_
    again = TwoLayerSigmoidClassifier(alpha=0.0, init=weights, max_iter=1, n_jobs=1).fit(*moons)
    assert_allclose(again.loss_curve_[0], clf.loss_, rtol=1e-10)


# Processes


SOLVERS = {
    "gd": {},
    "momentum": {"momentum": 0.9},
    "mini-batches": {"batch_size": 50},
    "early stopping": {"early_stopping": True, "n_iter_no_change": 10**9},
    "starts": {"n_init": 4},
    "lbfgs": {"solver": "lbfgs", "n_h": 200, "alpha": 1e-9},
}


# Training without end. It prints "begins", sends Ctrl-C to itself at an evaluation of the cost (the
# second argument, 0 for none), and checks what must hold after the interruption.
TRAINING = """
import os, signal, sys
import numpy as np
from two_layer_sigmoid import TwoLayerSigmoidClassifier

class Announcing(TwoLayerSigmoidClassifier):
    evaluations = 0

    def _cost(self, cache, Y, **weighting):
        Announcing.evaluations += 1
        if Announcing.evaluations == 3:
            print("begins", flush=True)
        if Announcing.evaluations == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGINT)
        return super()._cost(cache, Y, **weighting)

rng = np.random.default_rng(0)
X = rng.normal(size=(2000, 10))
y = (np.sin(3 * X).sum(axis=1) + rng.normal(size=2000) > 0).astype(int)
settings = {"max_iter": 10**9, "tol": 0, "learning_rate": 0.1, "n_jobs": 1, "random_state": 0}
clf = Announcing(**settings | eval(sys.argv[1]))
try:
    clf.fit(X, y)
except KeyboardInterrupt:
    print("interrupted")
assert clf.stop_reason_ == "interrupted", clf.stop_reason_
assert clf.n_iter_ == len(clf.loss_curve_)
assert np.isfinite(clf.predict_proba(X)).all()
if clf.batch_size is None and clf.loss_curve_:  # else an entry is the mean of an epoch
    assert clf.loss_ <= clf.loss_curve_[0]
again = clf.set_params(max_iter=3, early_stopping=False, n_init=1, warm_start=True).fit(X, y)
assert np.isfinite(again.loss_)
print("usable")
"""
DRAWN = np.random.default_rng(0).integers(4, 400, 2).tolist()


def training_process(parameters, folder, interrupted_at=0):
    """A process that has begun to train, in an empty folder; it can write to no other."""
    process = subprocess.Popen(
        [sys.executable, "-c", TRAINING, repr(parameters), str(interrupted_at)],
        cwd=folder,
        env={"TMPDIR": str(folder), "HOME": str(folder), "PATH": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "begins\n"
    return process


def assert_interrupted_and_usable(process):
    output, errors = process.communicate(timeout=120)
    assert (process.returncode, output) == (0, "interrupted\nusable\n"), errors


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
@pytest.mark.parametrize("evaluation", DRAWN)
@pytest.mark.parametrize("solver", SOLVERS)
def test_ctrl_c_at_any_evaluation(solver, evaluation, tmp_path):
    process = training_process(SOLVERS[solver], tmp_path, evaluation)
    assert_interrupted_and_usable(process)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
@pytest.mark.parametrize("solver", SOLVERS)
def test_ctrl_c_from_another_process(solver, tmp_path):
    process = training_process(SOLVERS[solver], tmp_path)
    process.send_signal(signal.SIGINT)
    assert_interrupted_and_usable(process)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
@pytest.mark.parametrize("solver", SOLVERS)
def test_killed_process_leaves_no_file(solver, tmp_path):
    process = training_process(SOLVERS[solver], tmp_path)
    time.sleep(0.1)
    process.kill()
    process.communicate()
    assert list(tmp_path.iterdir()) == []

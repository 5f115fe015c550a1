"""Several threads at once, Ctrl-C at any moment, and a process that is killed."""

import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sklearn.base import clone

from two_layer_sigmoid import TwoLayerSigmoidClassifier

SOLVERS = {
    "gd": {},
    "momentum": {"momentum": 0.9},
    "mini-batches": {"batch_size": 50},
    "early stopping": {"early_stopping": True, "n_iter_no_change": 10**9},
    "starts": {"n_init": 4},
    "lbfgs": {"solver": "lbfgs", "n_h": 200, "alpha": 1e-9},
}
# Training without end, which says when it has begun; a Ctrl-C at an evaluation of the cost, where
# one is given; and what must hold when it was interrupted.
TRAINING = """
import os, signal, sys
import numpy as np
from two_layer_sigmoid import TwoLayerSigmoidClassifier

class Told(TwoLayerSigmoidClassifier):
    evaluations = 0

    def _cost(self, cache, Y, **weighting):
        Told.evaluations += 1
        if Told.evaluations == 3:
            print("begins", flush=True)
        if Told.evaluations == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGINT)
        return super()._cost(cache, Y, **weighting)

rng = np.random.default_rng(0)
X = rng.normal(size=(2000, 10))
y = (np.sin(3 * X).sum(axis=1) + rng.normal(size=2000) > 0).astype(int)
settings = {"max_iter": 10**9, "tol": 0, "learning_rate": 0.1, "n_jobs": 1, "random_state": 0}
clf = Told(**settings | eval(sys.argv[1]))
try:
    clf.fit(X, y)
except KeyboardInterrupt:
    print("interrupted")
assert clf.stop_reason_ == "interrupted", clf.stop_reason_
assert clf.n_iter_ == len(clf.loss_curve_)
assert np.isfinite(clf.predict_proba(X)).all()
assert not clf.loss_curve_ or clf.loss_ <= clf.loss_curve_[0]
again = clf.set_params(max_iter=3, early_stopping=False, n_init=1, warm_start=True).fit(X, y)
assert np.isfinite(again.loss_)
print("usable")
"""
DRAWN = np.random.default_rng(0).integers(4, 400, 2).tolist()


def begun(parameters, folder, interrupted_at=0):
    """A process of its own in an empty folder, which is all that it could write to; training."""
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
    said, errors = process.communicate(timeout=120)
    assert (process.returncode, said) == (0, "interrupted\nusable\n"), errors


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
@pytest.mark.parametrize("evaluation", DRAWN)
@pytest.mark.parametrize("solver", SOLVERS)
def test_ctrl_c_at_any_evaluation_leaves_an_estimator_that_can_be_used(
    solver, evaluation, tmp_path
):
    process = begun(SOLVERS[solver], tmp_path, evaluation)
    assert_interrupted_and_usable(process)


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
@pytest.mark.parametrize("solver", SOLVERS)
def test_ctrl_c_from_outside_does_too(solver, tmp_path):
    process = begun(SOLVERS[solver], tmp_path)
    process.send_signal(signal.SIGINT)
    assert_interrupted_and_usable(process)


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_process_that_is_killed_leaves_no_file(solver, tmp_path):
    process = begun(SOLVERS[solver], tmp_path)
    time.sleep(0.1)
    process.kill()
    process.communicate()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("n_rows", [1, 100, 100_000])
def test_predictions_from_eight_threads_are_the_serial_ones(moons, n_rows):
    clf = TwoLayerSigmoidClassifier(max_iter=50, random_state=0).fit(*moons)
    rng = np.random.default_rng(0)
    parts = [rng.normal(size=(n_rows, 2)) for _ in range(24)]
    for method in clf.predict_proba, clf.predict, clf.decision_function, clf.predict_log_proba:
        serial = [method(X) for X in parts]
        with ThreadPoolExecutor(8) as pool:
            threaded = list(pool.map(method, parts))
        for one, other in zip(serial, threaded, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("way", [{}, {"solver": "lbfgs", "alpha": 1e-3}, {"batch_size": 50}])
def test_clones_fitted_in_threads_are_those_fitted_in_turn(moons, way):
    clf = TwoLayerSigmoidClassifier(max_iter=30, tol=1e-2).set_params(**way)
    clones = [clone(clf).set_params(random_state=seed) for seed in range(8)]
    with ThreadPoolExecutor(8) as pool:
        fitted = list(pool.map(lambda one: one.fit(*moons), clones))
    for one in fitted:
        np.testing.assert_array_equal(one.W1_, clone(one).fit(*moons).W1_)

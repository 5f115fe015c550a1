"""Processes: children that are forked while threads of the parent fit or predict."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext

import numpy as np
import pytest
from joblib import Parallel, cpu_count, delayed, parallel_backend
from numpy.testing import assert_equal
from threadpoolctl import threadpool_limits

from tests.helpers import (
    WEIGHTS,
    ConcurrentFit,
    assert_same_weights,
    blas_threads,
    make_clf,
    threads_inside,
)
from two_layer_sigmoid import TwoLayerSigmoidClassifier, TwoLayerSigmoidClassifierCV, _parallel
from two_layer_sigmoid._parallel import map_in_threads, single_blas_thread

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="the system cannot fork"),
    # From Python 3.12 on.
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning"),
]
DEADLINE = 60  # seconds, for a child that takes less than one
BUSY_PARENT = """
import os, signal, threading, warnings
import numpy as np
from tests.helpers import blas_threads, make_clf

warnings.simplefilter("ignore")
X = np.random.RandomState(0).standard_normal((3000, 4))
y = X[:, 0] > 0
before, stopped = blas_threads(), threading.Event()

def work():
    clf = make_clf(max_iter=5).fit(X, y)
    while not stopped.is_set():
        clf.predict(X)
        clf.fit(X, y)

thread = threading.Thread(target=work)
thread.start()
statuses = []
for _ in range(30):
    child = os.fork()
    if child == 0:
        signal.alarm(20)  # ends a child that hangs
        limited = blas_threads() != before
        make_clf(max_iter=5).fit(X, y).predict(X)
        os._exit(limited)
    statuses.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
stopped.set()
thread.join()
print(statuses)
"""


def in_child(function, n_results=1):
    """What ``function()`` returns in a forked child (and in children that it forks)."""

    def target():
        signal.alarm(DEADLINE)
        sender.send(function())

    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=target)
    child.start()
    sender.close()
    try:
        results = [
            receiver.recv() if receiver.poll(DEADLINE) else "hangs" for _ in range(n_results)
        ]
    finally:
        child.kill()
        child.join()
    return results if n_results > 1 else results[0]


def weights(clf):
    return [getattr(clf, name) for name in WEIGHTS]


def fitted_weights(X, y):
    return weights(make_clf().fit(X, y))


def test_fork_waits_for_the_lock(small_moons):
    locked = threading.Event()

    def hold():
        with single_blas_thread._lock:
            locked.set()
            time.sleep(0.1)

    thread = threading.Thread(target=hold)
    thread.start()
    locked.wait()
    found = in_child(lambda: fitted_weights(*small_moons))
    thread.join()
    assert_equal(found, fitted_weights(*small_moons))


def test_fork_waits_for_the_search_for_blas(small_moons, monkeypatch):
    searching = threading.Event()

    def search():
        searching.set()
        time.sleep(0.1)
        return find()

    find = _parallel.ThreadpoolController
    monkeypatch.setattr(_parallel, "ThreadpoolController", search)
    monkeypatch.setattr(single_blas_thread, "_blas", None)
    thread = threading.Thread(target=threads_inside)
    thread.start()
    searching.wait()
    found = in_child(lambda: fitted_weights(*small_moons))
    thread.join()
    assert_equal(found, fitted_weights(*small_moons))


def test_child_has_the_threads_of_blas():
    with threadpool_limits(2):
        with ConcurrentFit(), ConcurrentFit():
            found = in_child(lambda: (blas_threads(), threads_inside(), blas_threads()))
            assert set(blas_threads()) == {1}
        outside = blas_threads()
    assert found == (outside, 2, outside)


def test_child_of_a_fit_stays_limited():
    with threadpool_limits(2):
        with single_blas_thread, ConcurrentFit():
            limited, n_threads = in_child(lambda: (blas_threads(), single_blas_thread.n_threads))
        assert set(limited) == {1}
        assert n_threads == 2  # the concurrent fit is not there


def test_fork_in_the_lock_does_not_block(small_moons):
    """As a signal handler can fork."""
    with single_blas_thread._lock:
        found = in_child(lambda: fitted_weights(*small_moons))
    assert_equal(found, fitted_weights(*small_moons))


def test_lock_is_free_after_fork():
    in_child(lambda: None)
    with ConcurrentFit():
        assert threads_inside() >= 1


class Forking(TwoLayerSigmoidClassifier):
    """Forks in its second update; parent and child continue."""

    n_updates = 0

    def _update(self, *args):
        self.n_updates += 1
        if self.n_updates == 2 and os.fork() == 0:
            signal.alarm(DEADLINE)
        return super()._update(*args)


def test_fit_continues_in_parent_and_child(moons, small_blocks):
    params = {"n_h": 8, "max_iter": 5, "learning_rate": 0.1, "n_jobs": 2, "random_state": 0}
    expected = weights(TwoLayerSigmoidClassifier(**params).fit(*moons))
    for found in in_child(lambda: weights(Forking(**params).fit(*moons)), n_results=2):
        assert_equal(found, expected)


@pytest.mark.slow
def test_folds_in_a_child_do_not_wait_for_processes_of_the_parent(small_moons):
    params = {"n_h": 4, "alphas": [0.01], "cv": 2, "n_jobs": 2, "random_state": 0}
    expected = weights(TwoLayerSigmoidClassifierCV(**params).fit(*small_moons))
    found = in_child(lambda: weights(TwoLayerSigmoidClassifierCV(**params).fit(*small_moons)))
    assert_equal(found, expected)


def test_threads_work_in_children_of_a_fit():
    def task(i):
        time.sleep(1e-3)
        return 2 * i

    expected = list(range(0, 40, 2))
    with single_blas_thread:
        assert map_in_threads(task, range(20), 3) == expected
        assert in_child(lambda: map_in_threads(task, range(20), 3)) == expected
        assert map_in_threads(task, range(20), 3) == expected


@pytest.mark.slow
def test_children_of_a_busy_parent_fit():
    command = [sys.executable, "-W", "ignore", "-c", BUSY_PARENT]
    path = os.pathsep.join(sys.path)  # the helpers
    done = subprocess.run(
        command,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=10 * DEADLINE,
    )
    assert done.stderr == ""
    assert done.stdout == f"{30 * [0]}\n"


def threads_at_work(n_jobs, n_expected):
    """The threads of some tasks, which must all be at work at once."""
    barrier = threading.Barrier(n_expected)

    def task(i):
        if i < n_expected:
            barrier.wait(10)
        return threading.get_ident()

    with single_blas_thread:
        return set(map_in_threads(task, range(max(4, 2 * n_expected)), n_jobs))


@pytest.mark.parametrize("backend", [None, "loky", "multiprocessing", "threading"])
def test_threads_are_allowed_in_daemonic_processes(monkeypatch, backend):
    """As those of multiprocessing.Pool and Dask, in which joblib starts no processes."""
    monkeypatch.setitem(multiprocessing.current_process()._config, "daemon", True)
    with parallel_backend(backend) if backend else nullcontext():
        for n_jobs, expected in (2, 2), (-1, cpu_count()):
            assert len(threads_at_work(n_jobs, expected)) == expected


def threaded_weights(rows):
    """The weights after a fit by two threads."""
    X = np.random.RandomState(0).standard_normal((rows, 20))
    return weights(make_clf(n_h=16, max_iter=5, n_jobs=2).fit(X, X[:, 0] > 0))


@pytest.mark.slow
@pytest.mark.parametrize("start_method", ["fork", "forkserver", "spawn"])
@pytest.mark.parametrize("kind", ["Pool", "ProcessPoolExecutor"])
def test_processes_of_every_start_method_fit(start_method, kind):
    context = multiprocessing.get_context(start_method)
    expected = threaded_weights(20_000)
    with ConcurrentFit():
        if kind == "Pool":
            with context.Pool(2) as pool:
                found = pool.map_async(threaded_weights, 4 * [20_000]).get(DEADLINE)
        else:
            with ProcessPoolExecutor(2, mp_context=context) as executor:
                found = list(executor.map(threaded_weights, 4 * [20_000], timeout=DEADLINE))
    assert_equal(found, 4 * [expected])


@pytest.mark.slow
def test_multiprocessing_backend_of_joblib_fits(moons):
    with ConcurrentFit():
        fits = Parallel(2, backend="multiprocessing", timeout=DEADLINE)(
            delayed(make_clf().fit)(*moons) for _ in range(4)
        )
    for clf in fits:
        assert_same_weights(clf, make_clf().fit(*moons))

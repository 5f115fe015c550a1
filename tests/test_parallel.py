"""Threads: their number, and the same results for any number."""

import os
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from joblib import Parallel, cpu_count, delayed, parallel_backend
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_limits

from tests.helpers import (
    LECTURE,
    ConcurrentFit,
    assert_same_fit,
    assert_same_weights,
    blas_threads,
    make_clf,
    slow,
    threads_inside,
    unknown_blas,
)
from two_layer_sigmoid import TwoLayerSigmoidClassifier, _parallel
from two_layer_sigmoid._parallel import (
    MIN_PARALLEL_TASKS,
    map_in_threads,
    single_blas_thread,
    small_ufunc_buffer,
)


@pytest.mark.filterwarnings("ignore:Training ended")  # after ten iterations
@pytest.mark.skipif(os.cpu_count() == 1, reason="BLAS has but one thread on one core")
def test_results_do_not_depend_on_blas_threads():
    random_state = np.random.RandomState(0)
    X = random_state.standard_normal((2000, 64))  # a shape whose products BLAS would share
    fits = []
    for limit in 1, 2:
        with threadpool_limits(limit):
            fits.append(make_clf(n_h=64, max_iter=10).fit(X, X[:, 0] > 0))
    assert_same_fit(*fits)


@pytest.mark.parametrize("n_rows", [1, 100, pytest.param(100_000, marks=pytest.mark.slow)])
def test_predictions_from_eight_threads_are_equal(moons, n_rows):
    clf = TwoLayerSigmoidClassifier(max_iter=50, random_state=0).fit(*moons)
    rng = np.random.default_rng(0)
    parts = [rng.normal(size=(n_rows, 2)) for _ in range(24)]
    for method in clf.predict_proba, clf.predict, clf.decision_function, clf.predict_log_proba:
        serial = [method(X) for X in parts]
        with ThreadPoolExecutor(8) as pool:
            threaded = list(pool.map(method, parts))
        for one, other in zip(serial, threaded, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "setting", [slow({}), {"solver": "lbfgs", "alpha": 1e-3}, slow({"batch_size": 50})]
)
def test_clones_fitted_in_threads_are_equal(moons, setting):
    clf = TwoLayerSigmoidClassifier(max_iter=30, tol=1e-2).set_params(**setting)
    clones = [clone(clf).set_params(random_state=seed) for seed in range(8)]
    with ThreadPoolExecutor(8) as pool:
        fitted = list(pool.map(lambda one: one.fit(*moons), clones))
    for one in fitted:
        np.testing.assert_array_equal(one.W1_, clone(one).fit(*moons).W1_)


def test_small_ufunc_buffer_is_restored():
    before = np.getbufsize(), np.geterr()

    @small_ufunc_buffer()
    def fail():
        assert np.getbufsize() == 16
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (np.getbufsize(), np.geterr()) == before


def test_overlapping_blas_limits_are_kept():
    before = blas_threads()
    with single_blas_thread:
        other_fit = ConcurrentFit()
        other_fit.__enter__()
    assert set(blas_threads()) == {1}  # the other is still inside
    other_fit.__exit__()
    assert blas_threads() == before


@pytest.mark.parametrize("limit", [1, 2])
def test_number_of_threads_follows_blas(limit):
    with threadpool_limits(limit):
        assert threads_inside() == limit


def test_concurrent_fits_share_threads():
    with threadpool_limits(4), ConcurrentFit():
        assert threads_inside() == 2
        with ConcurrentFit(), ConcurrentFit():
            assert threads_inside() == 1
            with ConcurrentFit():
                assert threads_inside() == 1
        assert threads_inside() == 2


@pytest.fixture
def _no_limits(monkeypatch):
    for variable in _parallel.THREAD_VARIABLES:
        monkeypatch.delenv(variable, raising=False)


@pytest.mark.usefixtures("_no_limits")
@pytest.mark.parametrize("limit", [1, 2])
def test_threads_of_unknown_blas_follow_openmp(limit):
    with threadpool_limits(limit), unknown_blas():
        assert threads_inside() == min(limit, cpu_count())


@pytest.mark.usefixtures("_no_limits")
@pytest.mark.parametrize(("value", "expected"), [("1", 1), ("2,1", 2), ("", 4), ("many", 4)])
@pytest.mark.parametrize("variable", ["OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"])
def test_threads_of_unknown_blas_follow_environment(monkeypatch, variable, value, expected):
    monkeypatch.setattr(_parallel, "cpu_count", lambda: 4)
    monkeypatch.setenv(variable, value)
    with threadpool_limits(8), unknown_blas():
        assert threads_inside() == expected


def threads_with_unknown_blas():
    with unknown_blas():
        return threads_inside()


@pytest.mark.usefixtures("_no_limits")
@pytest.mark.parametrize("inner", [None, 1])
def test_joblib_limits_threads_of_unknown_blas(inner):
    with parallel_backend("loky", n_jobs=2, inner_max_num_threads=inner):
        shares = Parallel()(delayed(threads_with_unknown_blas)() for _ in range(2))
    assert shares == 2 * [inner or max(1, cpu_count() // 2)]


@pytest.mark.slow
def test_joblib_processes_share_processors():
    with parallel_backend("loky", n_jobs=2):
        shares = Parallel()(delayed(threads_inside)() for _ in range(2))
    assert max(shares) <= max(1, cpu_count() // 2)


def test_threads_are_concurrent_and_ordered():
    three_at_work, threads = threading.Barrier(3), set()

    def task(i):
        threads.add(threading.get_ident())
        if i < 3:
            three_at_work.wait(10)
        return 2 * i

    with single_blas_thread:
        assert map_in_threads(task, range(20), 3) == list(range(0, 40, 2))
    assert len(threads) == 3
    assert threading.get_ident() in threads


def test_fits_at_once_have_threads_of_their_own():
    all_at_work = threading.Barrier(6)

    def fit(_):
        with single_blas_thread:
            map_in_threads(lambda i: i >= 3 or all_at_work.wait(10), range(6), 3)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(fit, range(2)))
    assert not single_blas_thread._executors


def test_zero_jobs_are_refused_in_prediction(moons):
    clf = make_clf(max_iter=2).fit(*moons)
    with pytest.raises(ValueError, match="n_jobs=0 is not a number of threads"):
        clf.set_params(n_jobs=0).predict(np.tile(moons[0], (10, 1)))


def test_few_tasks_run_on_the_calling_thread():
    tasks = range(MIN_PARALLEL_TASKS - 1)
    with single_blas_thread:
        threads = map_in_threads(lambda _: threading.get_ident(), tasks, 3)
    assert set(threads) == {threading.get_ident()}


@pytest.mark.parametrize("fails_in_caller", [False, True])
def test_error_in_any_thread_ends_the_work(fails_in_caller):
    both_at_work, failed, done = threading.Barrier(2), threading.Event(), []

    def task(i):
        if i < 2:
            both_at_work.wait(10)
            if (threading.get_ident() == caller) == fails_in_caller:
                failed.set()
                raise FloatingPointError("of a thread")
            failed.wait(10)
            time.sleep(0.05)  # until the other thread has left
        done.append(i)

    caller = threading.get_ident()
    with single_blas_thread:
        with pytest.raises(FloatingPointError, match="of a thread"):
            map_in_threads(task, range(100), 2)
        assert len(done) == 1  # the task that had begun, and that was waited for
        assert map_in_threads(str, range(10), 2) == list("0123456789")  # the threads can go on


def test_workers_have_the_caller_context():
    both_at_work = threading.Barrier(2)

    def task(i):
        if i < 2:
            both_at_work.wait(10)
        return np.geterr(), np.getbufsize()

    with single_blas_thread, np.errstate(over="ignore"), small_ufunc_buffer():
        here = np.geterr(), np.getbufsize()
        assert map_in_threads(task, range(50), 2) == 50 * [here]
    assert here[1] < np.getbufsize()


def test_no_thread_is_left_running(small_moons, small_blocks):
    before = threading.active_count()
    clf = make_clf(n_jobs=2, max_iter=1000).fit(*small_moons)
    clf.predict(small_moons[0])
    assert threading.active_count() == before


@pytest.mark.parametrize(
    ("setting", "kind"),
    [
        ({}, np.asarray),
        slow({}, np.asfortranarray),
        slow({}, sparse.csr_array),
        slow({}, np.float32),
        ({"solver": "lbfgs"}, np.asarray),
        slow({"momentum": 0.9, "learning_rate": 0.3}, np.asarray),
        slow({"batch_size": 16}, np.asarray),
        slow({"early_stopping": True}, np.asarray),
        slow({"n_init": 3}, np.asarray),
        slow(LECTURE, np.asarray),
    ],
)
@pytest.mark.filterwarnings("ignore:Training by L-BFGS ran out of iterations")
def test_results_do_not_depend_on_n_jobs(moons, small_blocks, setting, kind):
    X, y = kind(moons[0]), moons[1]
    weights = np.random.RandomState(0).uniform(0.5, 2, len(y))
    params = {"max_iter": 20, "tol": 0.0, "random_state": 0} | setting
    with threadpool_limits(2):
        fits = [
            TwoLayerSigmoidClassifier(n_jobs=n_jobs, **params).fit(X, y, weights)
            for n_jobs in (1, 2, 3, -1, None)
        ]
        for other in fits[1:]:
            assert_same_weights(fits[0], other)
            assert other.loss_curve_ == fits[0].loss_curve_
            assert_array_equal(other.predict_proba(X), fits[0].predict_proba(X))


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_parallel_searches_find_the_same(moons, small_blocks, backend):
    X, y = moons[0][::4], moons[1][::4]
    grid = {"learning_rate": [0.6, 1.2], "n_h": [4, 8]}
    before = blas_threads()
    alone, together = (
        GridSearchCV(make_clf(max_iter=300), grid, scoring="neg_log_loss", n_jobs=n_jobs)
        for n_jobs in (None, 2)
    )
    alone.fit(X, y)
    with parallel_backend(backend):
        together.fit(X, y)
    assert_allclose(
        alone.cv_results_["mean_test_score"],
        together.cv_results_["mean_test_score"],
        rtol=0 if backend == "threading" else 1e-9,  # small blocks are of this process only
    )
    assert blas_threads() == before


class Recorded(TwoLayerSigmoidClassifier):
    """Records the threads that compute blocks; they must all be at work at once."""

    def _cost(self, cache, Y, **weighting):
        if threading.get_ident() not in self.threads:
            self.threads.add(threading.get_ident())
            self.all_at_work.wait(10)
        return super()._cost(cache, Y, **weighting)


def threads_of_fit(X, y, n_expected):
    clf = Recorded(max_iter=3, random_state=0)
    clf.threads, clf.all_at_work = set(), threading.Barrier(n_expected)
    clf.fit(X, y)
    return clf.threads


@pytest.mark.filterwarnings("ignore:Training ended on the plateau")
def test_concurrent_fit_has_half_the_threads(moons, small_blocks):
    with threadpool_limits(2), ConcurrentFit():
        assert threads_of_fit(*moons, n_expected=1) == {threading.get_ident()}
    with threadpool_limits(2):
        assert len(threads_of_fit(*moons, n_expected=2)) == 2


def test_small_data_start_no_thread(moons, monkeypatch):
    monkeypatch.setattr(_parallel, "ThreadPoolExecutor", None)
    with threadpool_limits(2):
        clf = make_clf().fit(*moons)
        clf.predict(moons[0])
    assert clf.n_iter_ == 50


@pytest.mark.slow
def test_wide_data_use_threads(moons, monkeypatch):
    X = np.tile(moons[0], (3, 3000))
    started = []
    submit = ThreadPoolExecutor.submit
    monkeypatch.setattr(
        ThreadPoolExecutor, "submit", lambda *args: started.append(1) or submit(*args)
    )
    y = np.tile(moons[1], 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        make_clf(n_jobs=2, max_iter=1, learning_rate=1e-4).fit(X, y)
    assert started

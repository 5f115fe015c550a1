"""Threads: as many as BLAS may use, shared between fits; and the same results for any number."""

import itertools
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import numpy as np
import pytest
from joblib import Parallel, cpu_count, delayed, parallel_backend
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_info, threadpool_limits
from ways import EVERY_WAY, assert_same_weights, quick

from two_layer_sigmoid import TwoLayerSigmoidClassifier, _threads
from two_layer_sigmoid._objective import broadcast_row_by_row
from two_layer_sigmoid._threads import FEW_TASKS, Team, single_blas_thread


def blas_threads():
    return [lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"]


def share_inside():
    with single_blas_thread:
        return single_blas_thread.share


class Elsewhere:
    """Another fit at work in a thread of its own, inside the limit of BLAS."""

    def __enter__(self):
        entered, self.leave = threading.Event(), threading.Event()

        def fit():
            with single_blas_thread:
                entered.set()
                self.leave.wait(10)

        self.thread = threading.Thread(target=fit)
        self.thread.start()
        assert entered.wait(10)

    def __exit__(self, *exception):
        self.leave.set()
        self.thread.join()


def test_overlapping_limits_of_blas_do_not_release_each_other():
    before = blas_threads()
    with single_blas_thread:
        elsewhere = Elsewhere()
        elsewhere.__enter__()
    assert set(blas_threads()) == {1}  # the other is still inside
    elsewhere.__exit__()
    assert blas_threads() == before


@pytest.mark.parametrize("limit", [1, 2])
def test_threads_are_as_many_as_blas_may_use(limit):
    with threadpool_limits(limit):
        assert share_inside() == limit


def test_fits_in_threads_share_the_threads_of_blas():
    with threadpool_limits(4), Elsewhere():
        assert share_inside() == 2
        with Elsewhere(), Elsewhere():
            assert share_inside() == 1
            with Elsewhere():
                assert share_inside() == 1
        assert share_inside() == 2


def test_processes_of_joblib_share_the_processors():
    with parallel_backend("loky", n_jobs=2):
        shares = Parallel()(delayed(share_inside)() for _ in range(2))
    assert max(shares) <= max(1, cpu_count() // 2)


def test_a_team_returns_results_in_order_and_works_at_the_same_time():
    at_work, most_at_work = set(), []

    def task(i, worker):
        assert worker not in at_work
        at_work.add(worker)
        most_at_work.append(len(at_work))
        time.sleep(0.01)
        at_work.remove(worker)
        return i

    with Team(3) as team:
        assert team.map(task, 20) == list(range(20))
        assert max(most_at_work) == 3
        most_at_work.clear()
        few = FEW_TASKS - 1
        assert team.map(task, few) == list(range(few))
    assert max(most_at_work) == 1


@pytest.mark.parametrize("raised_by", [0, 1])
def test_errors_come_from_whichever_thread_and_end_the_work(raised_by):
    n_done = 0

    def task(i, worker):
        nonlocal n_done
        time.sleep(0.01)
        if worker == raised_by:
            raise FloatingPointError(str(worker))
        n_done += 1

    with Team(2) as team, pytest.raises(FloatingPointError, match=str(raised_by)):
        team.map(task, 100)
    assert n_done < 100


def test_helpers_compute_as_the_caller_does():
    with np.errstate(over="ignore"), broadcast_row_by_row(), Team(2) as team:
        here = np.geterr(), np.getbufsize()
        assert team.map(lambda i, worker: (np.geterr(), np.getbufsize()), 50) == 50 * [here]
    assert here[1] < np.getbufsize()


def test_no_thread_is_left_behind(small_moons, small_blocks):
    before = threading.active_count()
    clf = quick(n_jobs=2, max_iter=1000).fit(*small_moons)
    clf.predict(small_moons[0])
    assert threading.active_count() == before


@pytest.mark.parametrize("way", [*EVERY_WAY, {"early_stopping": True}, {"n_init": 3}])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.filterwarnings("ignore:Training by L-BFGS ran out of iterations")
def test_results_are_the_same_for_every_number_of_threads(moons, small_blocks, way, dtype):
    X, y = moons[0].astype(dtype), moons[1]
    params = {"max_iter": 20, "tol": 0.0, "random_state": 0} | way
    with threadpool_limits(2):
        fits = [
            TwoLayerSigmoidClassifier(n_jobs=n_jobs, **params).fit(X, y)
            for n_jobs in (1, 2, 3, -1, None)
        ]
        for other in fits[1:]:
            assert_same_weights(fits[0], other)
            assert other.loss_curve_ == fits[0].loss_curve_
            assert_array_equal(other.predict_proba(X), fits[0].predict_proba(X))


@pytest.mark.parametrize("kind", [np.asfortranarray, sparse.csr_array])
def test_so_they_are_for_weighted_data_of_several_classes(three_blobs, small_blocks, kind):
    X, y = three_blobs
    w = np.random.RandomState(0).uniform(0.5, 2, len(y))
    fits = [quick(n_jobs=n_jobs).fit(kind(X), y, sample_weight=w) for n_jobs in (1, 2, 5)]
    for other in fits[1:]:
        assert_same_weights(fits[0], other)
        assert_array_equal(other.predict(kind(X)), fits[0].predict(kind(X)))


def test_no_jobs_are_refused(small_moons):
    with pytest.raises(ValueError, match="n_jobs=0 leaves no thread to work"):
        quick(n_jobs=0).fit(*small_moons)


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_searches_find_the_same_with_any_threads(moons, small_blocks, backend):
    X, y = moons[0][::4], moons[1][::4]
    grid = {"learning_rate": [0.6, 1.2], "n_h": [4, 8]}
    before = blas_threads()
    alone, together = (
        GridSearchCV(quick(max_iter=300), grid, scoring="neg_log_loss", n_jobs=n_jobs)
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


class Counted(TwoLayerSigmoidClassifier):
    """Takes down how many threads are at work on blocks, in all fits of the process."""

    lock = threading.Lock()
    at_work = 0
    seen: ClassVar[list[int]] = []

    def _cost(self, cache, Y, **weighting):
        with self.lock:
            Counted.at_work += 1
            self.seen.append(self.at_work)
        time.sleep(1e-4)
        with self.lock:
            Counted.at_work -= 1
        return super()._cost(cache, Y, **weighting)


@pytest.mark.filterwarnings("ignore:Training ended on the plateau")
def test_a_search_in_threads_does_not_crowd_the_processors(moons, small_blocks):
    Counted.seen.clear()
    search = GridSearchCV(Counted(max_iter=30, random_state=0), {"n_h": [4, 8]}, n_jobs=2)
    with threadpool_limits(2), parallel_backend("threading"):
        search.fit(*moons)
    # Both threads are at work nearly always; a third only until a fit that was alone notices.
    assert np.mean(Counted.seen) > 1.2
    assert np.mean(np.array(Counted.seen) > 2) < 0.1


@pytest.mark.filterwarnings("ignore:Training ended on the plateau")
def test_a_fit_beside_another_has_half_of_the_threads(moons, small_blocks):
    Counted.seen.clear()
    with threadpool_limits(2), Elsewhere():
        Counted(max_iter=3, random_state=0).fit(*moons)
    assert max(Counted.seen) == 1
    with threadpool_limits(2):
        Counted(max_iter=3, random_state=0).fit(*moons)
    assert max(Counted.seen) == 2


def test_small_data_start_no_thread(moons, monkeypatch):
    monkeypatch.setattr(_threads, "ThreadPoolExecutor", None)
    with threadpool_limits(2):
        clf = quick().fit(*moons)
        clf.predict(moons[0])
    assert clf.n_iter_ == 50


def test_wide_data_are_shared_out(moons, monkeypatch):
    X = np.tile(moons[0], (3, 3000))
    started = []
    submit = ThreadPoolExecutor.submit
    monkeypatch.setattr(
        ThreadPoolExecutor, "submit", lambda *args: started.append(1) or submit(*args)
    )
    y = np.tile(moons[1], 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        quick(n_jobs=2, max_iter=1, learning_rate=1e-4).fit(X, y)
    assert started


class Slow(TwoLayerSigmoidClassifier):
    """Helpers pause between forward propagation and the cost, where others could do harm."""

    def _cost(self, cache, Y, **weighting):
        if threading.current_thread() is not threading.main_thread():
            time.sleep(5e-4)
        return super()._cost(cache, Y, **weighting)


@pytest.mark.parametrize(("where", "name"), [(ThreadPoolExecutor, "submit"), (_threads, "wait")])
def test_ctrl_c_leaves_no_helper_at_work(moons, small_blocks, monkeypatch, where, name):
    calls = itertools.count()
    original = getattr(where, name)

    def interrupted_once(*args):
        result = original(*args) if name == "submit" else None
        if next(calls) == 10:
            raise KeyboardInterrupt
        return result or original(*args)

    monkeypatch.setattr(where, name, interrupted_once)
    clf = Slow(n_jobs=2, max_iter=50, random_state=0)
    with pytest.raises(KeyboardInterrupt):
        clf.fit(*moons)
    assert clf.stop_reason_ == "interrupted"
    weights = clf.W1_, clf.b1_, clf.W2_, clf.b2_
    again = quick(alpha=0.0, init=weights, max_iter=1, n_jobs=1).fit(*moons)
    assert clf.loss_ == again.loss_curve_[0]

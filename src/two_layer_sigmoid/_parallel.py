"""Threads: a limit for BLAS, and our own that compute blocks."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import copy_context
from threading import get_ident
from typing import TypeVar

import numpy as np
from joblib import cpu_count
from threadpoolctl import OpenBLASController, ThreadpoolController

S = TypeVar("S")
T = TypeVar("T")

IMPORTED_BY = os.getpid()  # a fork has another number

# Fewer tasks run on the calling thread. Measured: two threads take as long as one for two full
# blocks of a small network, and 0.6 to 0.9 times as long for four blocks.
MIN_PARALLEL_TASKS = 4
# Environment variables of OpenMP and Accelerate, which joblib sets for its processes.
THREAD_VARIABLES = ("OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
NO_THREADS = "n_jobs=0 is not a number of threads: use None, 1, or -1 for all cores."
UFUNC_BUFFER_SIZE = 16  # elements; the smallest that NumPy accepts


class _SingleBlasThread:
    """A context in which BLAS uses one thread: with two its results differ in the last bits.

    The limit is global to the process. Overlapping fits share it: the first one to enter sets it,
    the last one to leave restores it. Each gets an equal part of the threads that BLAS would use.
    A BLAS that threadpoolctl does not know is not limited. The threads of :func:`map_in_threads`
    end with their fit.

    A forked child has only the thread that forked, so it forgets the fits of other threads.
    """

    def __init__(self) -> None:
        # The lock is reentrant, because a signal handler can fork or fit while it is held.
        self._lock = threading.RLock()
        self._inside: list[int] = []  # the thread of each fit
        self._n_threads_outside = 1
        self._blas: ThreadpoolController | None = None
        # By the thread of the fit and the number of its threads.
        self._executors: dict[tuple[int, int], ThreadPoolExecutor] = {}
        if hasattr(os, "register_at_fork"):  # not on Windows
            # A fork waits until the lock is free. Lambdas, because a child has a lock of its own.
            os.register_at_fork(
                before=lambda: self._lock.acquire(),  # noqa: PLW0108
                after_in_parent=lambda: self._lock.release(),  # noqa: PLW0108
                after_in_child=self._start_child,
            )

    @property
    def n_threads(self) -> int:
        """Number of threads for each fit inside."""
        return max(1, self._n_threads_outside // max(1, len(self._inside)))

    def executor(self, n: int) -> ThreadPoolExecutor:
        """``n`` threads for the calling fit, which start when they are needed."""
        key = get_ident(), n
        with self._lock:
            if key not in self._executors:
                self._executors[key] = ThreadPoolExecutor(n)
            return self._executors[key]

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._set_limit()
            self._inside.append(get_ident())

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            me = get_ident()
            self._inside.remove(me)
            if not self._inside:
                self._restore_limit()
            done = [key for key in self._executors if key[0] == me and me not in self._inside]
            executors = [self._executors.pop(key) for key in done]
        for executor in executors:
            executor.shutdown()

    def _set_limit(self) -> None:
        if self._blas is None:
            # Finding the libraries takes a hundred times as long as limiting them.
            libraries = ThreadpoolController()
            self._openmp = libraries.select(user_api="openmp")
            self._blas = libraries.select(user_api="blas")
        limits = [library.num_threads for library in self._blas.lib_controllers]
        self._n_threads_outside = min(limits or _limits_without_blas(self._openmp))
        _allow_limits_from_any_thread()
        self._limit = self._blas.limit(limits=1)

    def _restore_limit(self) -> None:
        _allow_limits_from_any_thread()
        self._limit.restore_original_limits()
        _allow_limits_from_any_thread()

    def _start_child(self) -> None:
        self._lock = threading.RLock()
        self._executors = {}  # their threads are those of the parent
        was_limited = bool(self._inside)
        self._inside = [thread for thread in self._inside if thread == get_ident()]
        if was_limited and not self._inside:
            self._restore_limit()


def _limits_without_blas(openmp: ThreadpoolController) -> list[int]:
    """Limits on threads if threadpoolctl knows no BLAS of this process, such as Accelerate."""
    limits = [library.num_threads for library in openmp.lib_controllers]
    for variable in THREAD_VARIABLES:
        number = os.environ.get(variable, "").split(",")[0]  # the rest is for nested threads
        if number.isdecimal():
            limits.append(int(number))
    return [*limits, cpu_count()]


def _allow_limits_from_any_thread() -> None:
    """Let every thread limit OpenBLAS; threadpoolctl >= 3.8 lets only the first one."""
    if hasattr(OpenBLASController, "clear_controlling_thread"):
        OpenBLASController.clear_controlling_thread(force=True)


single_blas_thread = _SingleBlasThread()


@contextmanager
def small_ufunc_buffer() -> Iterator[None]:
    """A context in which NumPy broadcasts without copies.

    By default NumPy first copies an operand that is broadcast along rows shorter than half of its
    buffer of 8192 elements. The copy takes longer than the operation. Operations on mixed dtypes
    need the buffer and take longer in this context.
    """
    with np.errstate():  # restores the buffer size as well
        np.setbufsize(UFUNC_BUFFER_SIZE)
        yield


def is_forked() -> bool:
    """Whether this process is a fork, in which joblib's processes wait for those of the parent."""
    return os.getpid() != IMPORTED_BY


def ignore_overflow() -> np.errstate:
    """Silence NumPy's warnings, because our own checks raise better errors."""
    return np.errstate(over="ignore", invalid="ignore", under="ignore")


def _number_of_threads(n_jobs: int | None) -> int:
    if n_jobs is None:
        return single_blas_thread.n_threads
    if n_jobs == 0:
        raise ValueError(NO_THREADS)
    # Not joblib.effective_n_jobs, which is for the active backend: it warns inside of processes of
    # multiprocessing and Dask, and Dask's counts the processors of the cluster.
    return n_jobs if n_jobs > 0 else max(1, cpu_count() + 1 + n_jobs)


def map_in_threads(
    function: Callable[[S], T], items: Sequence[S], n_jobs: int | None = None
) -> list[T]:
    """``[function(item) for item in items]``, by several threads if there are enough items.

    For use inside ``single_blas_thread``. ``n_jobs`` is the number of threads, the calling one
    included; -1 is one for each processor, as in joblib. None is ``single_blas_thread.n_threads``,
    which changes when other fits start and end. All threads have the caller's context: NumPy's
    error handling and buffer size.
    """
    n_threads = min(len(items), _number_of_threads(n_jobs))
    if n_threads == 1 or len(items) < MIN_PARALLEL_TASKS:
        return [function(item) for item in items]
    left = deque(enumerate(items))
    results: dict[int, T] = {}

    def work() -> None:
        while True:
            try:
                i, item = left.popleft()
            except IndexError:
                return
            try:
                results[i] = function(item)
            except BaseException:
                left.clear()  # no thread may go on
                raise

    executor = single_blas_thread.executor(n_threads - 1)
    workers: list[Future[None]] = []
    try:
        for _ in range(n_threads - 1):
            workers.append(executor.submit(copy_context().run, work))
        work()
    finally:
        left.clear()  # Ctrl-C can come anywhere
        # Others wait for a thread: this call is within another call of the same fit.
        workers = [worker for worker in workers if not worker.cancel()]
        wait(workers)
    for worker in workers:
        worker.result()
    return [results[i] for i in range(len(items))]

"""Threads: a limit for BLAS, and a pool that computes blocks."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from threading import get_ident
from typing import Self, TypeVar

import numpy as np
from joblib import cpu_count
from joblib.parallel import get_active_backend
from threadpoolctl import OpenBLASController, ThreadpoolController

S = TypeVar("S")
T = TypeVar("T")

IMPORTED_BY = os.getpid()  # a fork has another number

# Fewer tasks run on the calling thread. Measured: two threads take as long as one for two full
# blocks of a small network, and 0.6 to 0.9 times as long for four blocks.
MIN_PARALLEL_TASKS = 4
# Environment variables of OpenMP and Accelerate, which joblib sets for its processes.
THREAD_VARIABLES = ("OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
UFUNC_BUFFER_SIZE = 16  # elements; the smallest that NumPy accepts


class _SingleBlasThread:
    """A context in which BLAS uses one thread: with two its results differ in the last bits.

    The limit is global to the process. Overlapping fits share it: the first one to enter sets it,
    the last one to leave restores it. Each gets an equal part of the threads that BLAS would use.
    A BLAS that threadpoolctl does not know is not limited.

    A forked child has only the thread that forked, so it forgets the fits of other threads.
    """

    def __init__(self) -> None:
        # The lock is reentrant, because a signal handler can fork or fit while it is held.
        self._lock = threading.RLock()
        self._inside: list[int] = []  # the thread of each fit
        self._n_threads_outside = 1
        self._blas: ThreadpoolController | None = None
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

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._set_limit()
            self._inside.append(get_ident())

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            self._inside.remove(get_ident())
            if not self._inside:
                self._restore_limit()

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


def _number_of_threads(n_jobs: int) -> int:
    """The number of threads by joblib's rules, such as all cores for -1.

    ``joblib.effective_n_jobs`` is for the active backend: those of processes warn inside of the
    processes of multiprocessing and Dask, and Dask's counts the cores of the cluster.
    """
    backend, _ = get_active_backend(require="sharedmem")
    return int(backend.effective_n_jobs(n_jobs))


class ThreadPool:
    """The calling thread and its workers, for use inside ``single_blas_thread``.

    Parameters
    ----------
    n_jobs : int or None
        Number of threads; negative numbers are those of joblib. None is
        ``single_blas_thread.n_threads``, read in each call of :meth:`map`, because it changes when
        other fits start and end.
    """

    def __init__(self, n_jobs: int | None) -> None:
        self._n_jobs = None if n_jobs is None else _number_of_threads(n_jobs)
        self._executor: ThreadPoolExecutor | None = None
        self._made_for = 0, 0  # number of threads and process; a forked child has no threads

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._close()

    def _close(self, *, wait: bool = True) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=wait, cancel_futures=True)
        self._executor, self._made_for = None, (0, 0)

    def map(self, function: Callable[[S], T], items: Sequence[S]) -> list[T]:
        """``[function(item) for item in items]``, by several threads if there are enough items.

        Workers have the caller's context: NumPy's error handling and buffer size.
        """
        n_threads = min(len(items), self._n_jobs or single_blas_thread.n_threads)
        if n_threads == 1 or len(items) < MIN_PARALLEL_TASKS:
            return [function(item) for item in items]
        if self._made_for != (n_threads, os.getpid()):
            self._close(wait=False)
            self._executor = ThreadPoolExecutor(n_threads)
            self._made_for = n_threads, os.getpid()
        assert self._executor is not None
        submit = self._executor.submit
        try:
            futures = [submit(copy_context().run, function, item) for item in items]
            return [future.result() for future in futures]
        except BaseException:  # also Ctrl-C; no worker may go on
            self._close()
            raise

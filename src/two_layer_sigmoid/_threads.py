"""Threads: how many there may be, and the sharing out of work among them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from functools import cached_property
from typing import Any, Self, TypeVar

from joblib import cpu_count, effective_n_jobs
from threadpoolctl import OpenBLASController, ThreadpoolController

T = TypeVar("T")

# Tasks, of a block of rows or more, that are not shared out. Measured: for two full blocks of a
# small network two threads take as long as one, for four 0.6 to 0.9 times as long.
FEW_TASKS = 4


class _SingleBlasThread:
    """Let BLAS use one thread inside: with two its results differ in the last bits.

    The limit is global to the process, so fits that overlap in threads share one: the first to
    enter sets it and the last to leave lifts it. What BLAS gives up they share as threads of ours.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._n_inside = 0
        self._n_threads = 1  # that BLAS might use outside

    @property
    def share(self) -> int:
        """Number of threads for each of those inside: what BLAS might use, divided by them."""
        return max(1, self._n_threads // max(1, self._n_inside))

    @cached_property
    def _blas(self) -> ThreadpoolController:
        # Finding the libraries takes a hundred times as long as limiting them.
        return ThreadpoolController().select(user_api="blas")

    def __enter__(self) -> None:
        with self._lock:
            if self._n_inside == 0:
                numbers = [library.num_threads for library in self._blas.lib_controllers]
                self._n_threads = min(numbers, default=cpu_count())
                _let_any_thread_limit()
                self._limit = self._blas.limit(limits=1)
            self._n_inside += 1

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            self._n_inside -= 1
            if self._n_inside == 0:
                _let_any_thread_limit()
                self._limit.restore_original_limits()
                _let_any_thread_limit()


def _let_any_thread_limit() -> None:
    """From threadpoolctl 3.8 on, the first thread to limit OpenBLAS keeps the others from it."""
    if hasattr(OpenBLASController, "clear_controlling_thread"):
        OpenBLASController.clear_controlling_thread(force=True)


single_blas_thread = _SingleBlasThread()


class Team:
    """The calling thread and its helpers, which work inside ``single_blas_thread``.

    Parameters
    ----------
    n_jobs : int or None
        Number of threads, negative as in joblib. None is the share of ``single_blas_thread`` at
        the moment of each call, which falls and rises as other fits come and go.
    """

    def __init__(self, n_jobs: int | None) -> None:
        self._n_jobs = None if n_jobs is None else int(effective_n_jobs(n_jobs))
        self._helpers: ThreadPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._helpers is not None:
            self._helpers.shutdown()

    def map(self, task: Callable[[int, int], T], n_tasks: int) -> list[T]:
        """``[task(i, worker) for i in range(n_tasks)]``, with several at a time if they are many.

        ``worker`` tells apart the calls that may happen at the same time, counted from 0. Helpers
        see NumPy's error handling and buffer size as the caller does.
        """
        n_threads = min(n_tasks, self._n_jobs or single_blas_thread.share)
        if n_threads == 1 or n_tasks < FEW_TASKS:
            return [task(i, 0) for i in range(n_tasks)]
        if self._helpers is None:
            self._helpers = ThreadPoolExecutor(self._n_jobs or cpu_count())  # started when needed
        results: list[Any] = [None] * n_tasks
        waiting = deque(range(n_tasks))

        def work(worker: int) -> None:
            try:
                for i in _taken_from(waiting):
                    results[i] = task(i, worker)
            finally:
                waiting.clear()  # after an error there is something left

        submit = self._helpers.submit
        try:
            helpers = [submit(copy_context().run, work, k) for k in range(1, n_threads)]
            work(0)
            wait(helpers)
        except BaseException:  # Ctrl-C may come at any line: no helper must be left at work
            waiting.clear()
            self._helpers.shutdown()
            self._helpers = None
            raise
        for helper in helpers:
            helper.result()
        return results


def _taken_from(waiting: deque[int]) -> Iterator[int]:
    while waiting:
        try:
            yield waiting.popleft()
        except IndexError:  # another was quicker
            return

"""Times of several contestants, interleaved in one process.

Whatever else the machine does then meets them alike, and the ratios of one round are good where
times are not. A contestant that is absent or fails is a row that says so.
"""

from __future__ import annotations

import time
import warnings

import numpy as np

REST = 0.05  # seconds; so long the threads of BLAS and OpenMP may stay awake for more work


def compare(contestants, n_rounds):
    """One row for each contestant; the first is the measure of the others.

    ``contestants`` are functions without arguments, by name. Each prepares what is not to be timed
    and returns a function that does the work once and returns its seconds and its answer, a number
    by which one that is quick but wrong shows.
    """
    seconds, answers, failures = {name: [] for name in contestants}, {}, {}

    def attempt(name, work):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about iterations that were not enough
                return work()
        except Exception as error:
            failures[name] = f"{type(error).__name__}: {error}".split("\n", maxsplit=1)[0][:90]

    prepared = {name: attempt(name, prepare) for name, prepare in contestants.items()}
    for _ in range(n_rounds):
        for name, work in prepared.items():
            if name not in failures:
                time.sleep(REST)
                result = attempt(name, work)
            if name not in failures:
                elapsed, answers[name] = result
                seconds[name].append(elapsed)
    measure = seconds[next(iter(contestants))]
    for name in contestants:
        if name in failures:
            yield {"contestant": name, "note": failures[name]}
            continue
        ratios = np.divide(seconds[name], measure)
        yield {
            "contestant": name,
            "us": 1e6 * np.median(seconds[name]),
            "times ours": np.median(ratios),
            "least": ratios.min(),
            "most": ratios.max(),
            "answer": answers[name],
            "note": "",
        }


def timed(work):
    """Seconds that ``work()`` takes, and what it returns."""
    began = time.perf_counter()
    answer = work()
    return time.perf_counter() - began, answer


def each_of(n, more, fewer):
    """Seconds for each of the ``n`` steps that ``more()`` takes beyond ``fewer()``.

    What a fit does once, such as looking at the data, is not in it.
    """
    fewer()  # wakes up threads
    without, _ = timed(fewer)
    with_them, answer = timed(more)
    return (with_them - without) / n, answer

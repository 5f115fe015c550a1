"""Times of several implementations, interleaved in one process.

Interleaving exposes all of them to the same load of the machine, so the ratios of one round are
reliable even if the times are not. An implementation that is missing or fails becomes a row with a
note.
"""

from __future__ import annotations

import time
import warnings

import numpy as np

REST = 0.05  # seconds; the threads of BLAS and OpenMP can spin for that long


def compare(implementations, n_rounds):
    """One row for each implementation; ratios are relative to the first.

    ``implementations`` maps names to functions without arguments. Each does the preparation that is
    not timed and returns a function that does the work once and returns the seconds and a result, a
    number that reveals wrong implementations.
    """
    seconds, results, failures = {name: [] for name in implementations}, {}, {}

    def attempt(name, work):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # convergence warnings
                return work()
        except Exception as error:
            failures[name] = reason(error)

    prepared = {name: attempt(name, prepare) for name, prepare in implementations.items()}
    for _ in range(n_rounds):
        for name, work in prepared.items():
            if name not in failures:
                time.sleep(REST)
                outcome = attempt(name, work)
            if name not in failures:
                elapsed, results[name] = outcome
                seconds[name].append(elapsed)
    reference = seconds[next(iter(implementations))]
    for name in implementations:
        if name in failures:
            yield {"implementation": name, "note": failures[name]}
            continue
        ratios = np.divide(seconds[name], reference)
        yield {
            "implementation": name,
            "us": 1e6 * np.median(seconds[name]),
            "relative to ours": np.median(ratios),
            "lowest": ratios.min(),
            "highest": ratios.max(),
            "result": results[name],
            "note": "",
        }


def reason(error):
    """The note of a failure: the first line, of at most 90 characters."""
    return f"{type(error).__name__}: {error}".split("\n", maxsplit=1)[0][:90]


def timed(work):
    """The seconds that ``work()`` takes, and its result."""
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def each_of(n, more, fewer):
    """The seconds of one of the ``n`` steps that ``more()`` has in addition to ``fewer()``.

    The overhead of a fit is in both, so it cancels.
    """
    fewer()  # warms up
    without, _ = timed(fewer)
    with_them, result = timed(more)
    return (with_them - without) / n, result


def cell(row):
    """The ratio and its range, or the note."""
    ratio = "relative to ours"
    return note(row) or f"{row[ratio]:.2f} ({row['lowest']:.2f} to {row['highest']:.2f})"


def note(row):
    """The reason why a row has no figure, for a cell of a table; empty if it has one."""
    return row["note"].replace("|", "/") if isinstance(row["note"], str) else ""


def duration(us):
    for unit, size in ("s", 1e6), ("ms", 1e3), ("us", 1):
        if us >= size:
            return f"{us / size:.3g} {unit}"
    return f"{us:.2g} us"

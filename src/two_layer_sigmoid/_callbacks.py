"""The guard around scikit-learn's callbacks, which scikit-learn has from 1.9 on."""

from __future__ import annotations

from typing import Any

__all__ = ["CallbackSupportMixin", "Tasks", "has_callbacks"]

try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Nothing, where scikit-learn has no callbacks."""


class Tasks:
    """Tells the callbacks of an estimator of each update: one task for it, within that of fit.

    A task begins before its update and ends before the next one's begins, or by :meth:`end`. At
    each of these moments the estimator must hold the parameters as they then are; the arrays may
    be views. ``n_updates`` is the largest number of them, None if it is not known.
    """

    def __init__(
        self, estimator: Any, n_updates: int | None, *, X: Any, y: Any, sample_weight: Any
    ) -> None:
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self._details = {
            "estimator": estimator,
            "X": X,
            "y": y,
            "metadata": metadata,
            # What it takes to predict; called only where a callback asks for it.
            "reconstruction_attributes": lambda: _weights(estimator),
        }
        self._root = estimator._init_callback_context(max_subtasks=n_updates)
        self._root.call_on_fit_task_begin(estimator=estimator, X=X, y=y, metadata=metadata)
        self._open: Any = None

    def next(self) -> bool:
        """End the open task and begin the next; True where a callback wants to stop instead."""
        if self.end():
            return True
        self._open = self._root.subcontext(task_name="iteration")
        self._open.call_on_fit_task_begin(**self._details)
        return False

    def end(self) -> bool:
        """End the open task, if there is one; True where a callback wants to stop."""
        task, self._open = self._open, None
        return task is not None and task.call_on_fit_task_end(**self._details)

    def close(self) -> None:
        """End the task of fit."""
        self._root.call_on_fit_task_end(**self._details)


def has_callbacks(estimator: Any) -> bool:
    """Whether there is anyone to tell."""
    return bool(getattr(estimator, "_skl_callbacks", ()))


def _weights(estimator: Any) -> dict[str, Any]:
    return {name: getattr(estimator, name).copy() for name in ("W1_", "b1_", "W2_", "b2_")}

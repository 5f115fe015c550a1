"""Support of scikit-learn's callbacks, which need scikit-learn 1.9."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["CallbackSupportMixin", "Tasks", "has_callbacks"]

try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Empty: this scikit-learn has no callbacks."""


class Tasks:
    """Calls the callbacks of an estimator: one task for each update, within the task of ``fit``.

    A task begins before its update and ends before the next task begins, or by
    :meth:`end_iteration`. scikit-learn builds a fitted estimator from ``attributes(state)`` if a
    callback needs one. ``n_updates`` is the maximal number of updates, or None if it is unknown.
    """

    def __init__(
        self,
        estimator: Any,
        n_updates: int | None,
        attributes: Callable[[Any], dict[str, Any]],
        *,
        X: Any,
        y: Any,
        sample_weight: Any,
    ) -> None:
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self._details = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
        self._attributes = attributes
        self._root = estimator._init_callback_context(max_subtasks=n_updates)
        self._root.call_on_fit_task_begin(**self._details)
        self._open: Any = None

    def begin_iteration(self, state: Any) -> bool:
        """End the open task and begin the next one; or return True if a callback stops training."""
        if self.end_iteration(state):
            return True
        self._open = self._root.subcontext(task_name="iteration")
        self._open.call_on_fit_task_begin(**self._with_attributes(state))
        return False

    def end_iteration(self, state: Any) -> bool:
        """End the open task, if there is one; return True if a callback stops training."""
        task, self._open = self._open, None
        return task is not None and task.call_on_fit_task_end(**self._with_attributes(state))

    def close(self, state: Any) -> None:
        """End the task of ``fit``."""
        self._root.call_on_fit_task_end(**self._with_attributes(state))

    def _with_attributes(self, state: Any) -> dict[str, Any]:
        # A function, because the attributes are computed only if a callback needs them.
        return self._details | {"reconstruction_attributes": lambda: self._attributes(state)}


def has_callbacks(estimator: Any) -> bool:
    """Whether the estimator has callbacks."""
    return bool(getattr(estimator, "_skl_callbacks", ()))

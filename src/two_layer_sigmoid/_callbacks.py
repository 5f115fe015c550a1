"""Support of scikit-learn's callbacks, which need scikit-learn 1.9."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
    :meth:`end_iteration`. It can have subtasks. scikit-learn builds a fitted estimator from
    ``attributes(state)``, unless they are None, if a callback needs one. ``n_updates`` is the
    maximal number of updates, or None if it is unknown.
    """

    def __init__(
        self,
        estimator: Any,
        n_updates: int | None,
        attributes: Callable[[Any], dict[str, Any] | None],
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
        self._stops = False

    def begin_iteration(self, state: Any, n_subtasks: int = 0) -> bool:
        """End the open task and begin the next one; or return True if a callback stops training."""
        if self.end_iteration(state):
            return True
        self._open = self._root.subcontext(task_name="iteration", max_subtasks=n_subtasks)
        self._open.call_on_fit_task_begin(**self._with_attributes(state))
        return False

    def end_iteration(self, state: Any) -> bool:
        """End the open task, if there is one; return True if a callback stops training."""
        task, self._open = self._open, None
        if task is not None:
            self._stops |= task.call_on_fit_task_end(**self._with_attributes(state))
        return self._stops

    @contextmanager
    def subtask(self, name: str) -> Iterator[None]:
        """A context with a task within the open one, without a fitted estimator.

        If a callback stops training, it ends with the open task.
        """
        task = self._open.subcontext(task_name=name)
        task.call_on_fit_task_begin(**self._details)
        yield
        self._stops |= task.call_on_fit_task_end(**self._details)

    def close(self, state: Any) -> None:
        """End the task of ``fit``."""
        self._root.call_on_fit_task_end(**self._with_attributes(state))

    def _with_attributes(self, state: Any) -> dict[str, Any]:
        # A function, because the attributes are computed only if a callback needs them.
        return self._details | {"reconstruction_attributes": lambda: self._attributes(state)}


def has_callbacks(estimator: Any) -> bool:
    """Whether the estimator has callbacks."""
    return bool(getattr(estimator, "_skl_callbacks", ()))

"""The curves of training and validation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ._common import COLOURS, axes_or_new, network_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKERS = ("o", "s", "^", "D", "v", "P")  # tell curves apart in grey
CURVES = ("training", "validation")  # in the legend, and the marks (gid) of the lines


class LossCurveDisplay:
    """The cost in training, and in validation, against the iteration.

    Use :meth:`from_estimator`. Several estimators share one axis where each is given the ``ax_``
    of the display before; each then has a colour and a marker of its own. The lowest cost, of
    validation if there is one, is marked.

    Parameters
    ----------
    loss_curve : sequence of float
        Entry i is the training cost before update i, in nats, penalty included.
    validation_loss_curve : sequence of float, default=None
        The same for held-out rows, without penalty.
    name : str, default=None
        What the legend calls the estimator.
    xlabel : str, default="iteration"
        What an entry of the curves is.

    Attributes
    ----------
    best_iteration_ : int
        Index of the lowest finite entry of the validation curve, or else of the training curve. The
        weights that early stopping keeps are those of this entry, or of after the last update,
        which is not on the curve.
    line_ : matplotlib Line2D
        The training curve.
    validation_line_ : matplotlib Line2D or None
        The validation curve, dashed.
    best_ : matplotlib Line2D
        The star at the lowest cost.
    ax_ : matplotlib Axes
        Where it is drawn.
    figure_ : matplotlib Figure
        The figure of ``ax_``.

    Examples
    --------
    >>> from sklearn.datasets import make_moons
    >>> from two_layer_sigmoid import TwoLayerSigmoidClassifier
    >>> from two_layer_sigmoid.plotting import LossCurveDisplay
    >>> X, y = make_moons(200, noise=0.1, random_state=0)
    >>> slow, quick = (
    ...     TwoLayerSigmoidClassifier(learning_rate=rate, random_state=0).fit(X, y)
    ...     for rate in (0.3, 1.2)
    ... )
    >>> display = LossCurveDisplay.from_estimator(slow, name="rate 0.3")
    >>> display = LossCurveDisplay.from_estimator(quick, name="rate 1.2", ax=display.ax_)
    """

    def __init__(
        self,
        *,
        loss_curve: Sequence[float],
        validation_loss_curve: Sequence[float] | None = None,
        name: str | None = None,
        xlabel: str = "iteration",
    ) -> None:
        self.loss_curve = loss_curve
        self.validation_loss_curve = validation_loss_curve
        self.name = name
        self.xlabel = xlabel

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        name: str | None = None,
        log_scale: bool = False,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Self:
        """Plot the curves of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            A fitted :class:`~two_layer_sigmoid.TwoLayerSigmoidClassifier`, a pipeline that ends in
            one, or a search over such.
        name : str, default=None
            What the legend calls it.
        log_scale : bool, default=False
            Whether the axis of the cost is logarithmic.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot` for both curves.

        Returns
        -------
        display : LossCurveDisplay
            With what was drawn.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it is, or ends in, something else.
        """
        _, clf = network_of(estimator, cls)
        display = cls(
            loss_curve=clf.loss_curve_,
            validation_loss_curve=clf.validation_loss_curve_,
            name=name,
            xlabel="iteration" if clf.batch_size is None else "epoch",
        )
        return display.plot(ax, log_scale=log_scale, **kwargs)

    def plot(
        self,
        ax: Axes | None = None,
        *,
        name: str | None = None,
        log_scale: bool = False,
        **kwargs: Any,
    ) -> Self:
        """Plot the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        name : str, default=None
            What the legend calls the estimator; None is the display's ``name``.
        log_scale : bool, default=False
            Whether the axis of the cost is logarithmic.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot` for both curves.

        Returns
        -------
        self : LossCurveDisplay
            With what was drawn.
        """
        validated = self.validation_loss_curve is not None
        judged = np.array(self.validation_loss_curve if validated else self.loss_curve)
        if not np.isfinite(judged).any():
            raise ValueError("The curve has no finite entry: training ended at once, or diverged.")
        best = int(np.where(np.isfinite(judged), judged, np.inf).argmin())
        name = self.name if name is None else name
        labels = [what if name is None else f"{name}, {what}" for what in CURVES]
        labels[validated] += f", lowest {judged[best]:.4g} at {best}"

        ax = axes_or_new(ax, type(self))
        from matplotlib.cbook import normalize_kwargs
        from matplotlib.lines import Line2D

        style = _next_style(ax, len(judged)) | normalize_kwargs(kwargs, Line2D)  # "c" is "color"
        solid = {"label": labels[0], "gid": CURVES[0]} | style
        dashed = {"label": labels[1], "gid": CURVES[1], "linestyle": "--"} | style
        (self.line_,) = ax.plot(self.loss_curve, **solid)
        self.validation_line_ = ax.plot(judged, **dashed)[0] if validated else None
        star = {"marker": "*", "markersize": 14, "markeredgecolor": "black", "zorder": 3}
        (self.best_,) = ax.plot(best, judged[best], color=self.line_.get_color(), **star)
        ax.set(xlabel=self.xlabel, ylabel="cost in nats")
        if log_scale:
            ax.set_yscale("log")
        ax.legend()
        self.best_iteration_, self.ax_, self.figure_ = best, ax, ax.figure
        return self


def _next_style(ax: Axes, n_entries: int) -> dict[str, Any]:
    """Colour and markers that tell the next curve from those that an axis has."""
    k = sum(line.get_gid() == CURVES[0] for line in ax.lines)
    every = max(1, n_entries // 8)  # and the markers are not all where those of the others are
    return {
        "color": COLOURS[k % len(COLOURS)],
        "marker": MARKERS[k % len(MARKERS)],
        "markevery": (k * every // 3 % every, every),
        "markersize": 5,
        "linewidth": 1.2,
    }

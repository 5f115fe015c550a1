"""The loss curves of training and validation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ._common import COLOURS, STAR, axes_or_new, line_properties, network_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKERS = ("o", "s", "^", "D", "v", "P")  # distinguish curves in black and white
CURVES = ("training", "validation")  # in the legend, and the gid of the lines


@dataclass(kw_only=True, eq=False, repr=False)
class LossCurveDisplay:
    """The training and validation loss of each iteration.

    Use :meth:`from_estimator`. To plot several estimators on the same axes, pass the ``ax_`` of the
    first display; each has its own colour and marker. A star marks the lowest validation loss, or
    the lowest training loss if there is no validation. Without early stopping the fitted weights
    are the last ones, even if the star is at an earlier iteration.

    Parameters
    ----------
    loss_curve : sequence of float
        Entry i is the training loss before update i, in nats, penalty included.
    validation_loss_curve : sequence of float, default=None
        Entry i is the validation loss before update i, without penalty.
    name : str, default=None
        Name of the estimator in the legend. A part between two ``$`` is a formula, as in other
        labels of Matplotlib.
    xlabel : str, default="iteration"
        Label of the horizontal axis.

    Attributes
    ----------
    best_iteration_ : int
        Index of the lowest finite entry of the validation curve, or of the training curve if there
        is no validation. Early stopping keeps the weights of this entry, or those after the last
        update, which have no entry.
    line_ : matplotlib Line2D
        The training curve.
    validation_line_ : matplotlib Line2D or None
        The validation curve, dashed.
    best_ : matplotlib Line2D
        The star at the lowest loss.
    ax_ : matplotlib Axes
        The axes.
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

    loss_curve: Sequence[float]
    validation_loss_curve: Sequence[float] | None = None
    name: str | None = None
    xlabel: str = "iteration"

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
            one, or a search over these.
        name : str, default=None
            Name in the legend.
        log_scale : bool, default=False
            Whether the vertical axis is logarithmic.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot` for both curves.

        Returns
        -------
        display : LossCurveDisplay
            The display.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it is neither a network of this package nor a pipeline or search with one.
        """
        _, clf = network_of(estimator, cls)
        if not hasattr(clf, "loss_curve_"):
            raise TypeError(
                f"LossCurveDisplay needs one training, but {type(clf).__name__} averages several: "
                "use RegularizationPathDisplay."
            )
        return cls(
            loss_curve=clf.loss_curve_,
            validation_loss_curve=clf.validation_loss_curve_,
            name=name,
            xlabel="iteration" if clf.batch_size_ is None else "epoch",
        ).plot(ax, log_scale=log_scale, **kwargs)

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
            Axes to draw on; None makes a new figure.
        name : str, default=None
            Name in the legend; None is the ``name`` of the display.
        log_scale : bool, default=False
            Whether the vertical axis is logarithmic.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot` for both curves.

        Returns
        -------
        self : LossCurveDisplay
            The display.
        """
        has_validation = self.validation_loss_curve is not None
        curve = np.array(self.validation_loss_curve if has_validation else self.loss_curve)
        if not np.isfinite(curve).any():
            raise ValueError("The curve has no finite entry: training ended at once, or diverged.")
        best = int(np.where(np.isfinite(curve), curve, np.inf).argmin())
        name = self.name if name is None else name
        labels = [what if name is None else f"{name}, {what}" for what in CURVES]
        labels[1 if has_validation else 0] += f", lowest {curve[best]:.4g} at {best}"

        ax = axes_or_new(ax, type(self))
        style = _next_style(ax, len(curve)) | line_properties(kwargs)
        solid = {"label": labels[0], "gid": CURVES[0]} | style
        dashed = {"label": labels[1], "gid": CURVES[1], "linestyle": "--"} | style
        (self.line_,) = ax.plot(self.loss_curve, **solid)
        self.validation_line_ = ax.plot(curve, **dashed)[0] if has_validation else None
        (self.best_,) = ax.plot(best, curve[best], color=self.line_.get_color(), **STAR)
        ax.set(xlabel=self.xlabel, ylabel="loss in nats")
        if log_scale:
            ax.set_yscale("log")
        ax.legend()
        self.best_iteration_, self.ax_, self.figure_ = best, ax, ax.figure
        return self


def _next_style(ax: Axes, n_entries: int) -> dict[str, Any]:
    """The colour and the markers of the next curve, other than those of the curves on the axes."""
    k = sum(line.get_gid() == CURVES[0] for line in ax.lines)
    every = max(1, n_entries // 8)  # iterations; the curves have their markers at different ones
    return {
        "color": COLOURS[k % len(COLOURS)],
        "marker": MARKERS[k % len(MARKERS)],
        "markevery": (k * every // 3 % every, every),
        "markersize": 5,
        "linewidth": 1.2,
    }

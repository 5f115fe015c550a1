"""The losses of the penalties that were tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from ._common import COLOURS, STAR, axes_or_new, line_properties, network_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(kw_only=True, eq=False, repr=False)
class RegularizationPathDisplay:
    """The held-out loss of each penalty.

    Use :meth:`from_estimator`. A star marks the chosen penalty, whose weights are kept.

    Parameters
    ----------
    alpha : ndarray of shape (n_alphas,)
        The penalties.
    held_out_loss : ndarray of shape (n_alphas,)
        Log loss of rows held out with each penalty, in nats.
    chosen : int
        Index of the chosen penalty.

    Attributes
    ----------
    held_out_line_ : matplotlib Line2D
        The held-out loss.
    best_ : matplotlib Line2D
        The star at the chosen penalty.
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure of ``ax_``.

    Examples
    --------
    >>> from sklearn.datasets import make_moons
    >>> from two_layer_sigmoid import TwoLayerSigmoidClassifierCV
    >>> from two_layer_sigmoid.plotting import RegularizationPathDisplay
    >>> X, y = make_moons(100, noise=0.3, random_state=0)
    >>> clf = TwoLayerSigmoidClassifierCV(random_state=0).fit(X, y)
    >>> display = RegularizationPathDisplay.from_estimator(clf)
    """

    alpha: npt.NDArray[np.float64]
    held_out_loss: npt.NDArray[np.float64]
    chosen: int

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Axes | None = None, **kwargs: Any) -> Self:
        """Plot the path of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            A fitted :class:`~two_layer_sigmoid.TwoLayerSigmoidClassifierCV`, a pipeline that ends
            in one, or a search over these.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot` for the curve.

        Returns
        -------
        display : RegularizationPathDisplay
            The display.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it is neither a network of this package nor a pipeline or search with one.
        ValueError
            If it is not a :class:`~two_layer_sigmoid.TwoLayerSigmoidClassifierCV`.
        """
        _, clf = network_of(estimator, cls)
        if not hasattr(clf, "held_out_losses_"):
            raise ValueError(
                f"RegularizationPathDisplay needs a TwoLayerSigmoidClassifierCV, got {clf!r}."
            )
        chosen = int(np.flatnonzero(clf.alphas_ == clf.alpha_)[0])
        display = cls(alpha=clf.alphas_, held_out_loss=clf.held_out_losses_, chosen=chosen)
        return display.plot(ax, **kwargs)

    def plot(self, ax: Axes | None = None, **kwargs: Any) -> Self:
        """Plot the path.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot` for the curve.

        Returns
        -------
        self : RegularizationPathDisplay
            The display.
        """
        ax = axes_or_new(ax, type(self))
        kwargs = line_properties(kwargs)
        best = self.chosen
        at_best = f"held out, {self.held_out_loss[best]:.4g} at the chosen {self.alpha[best]:.2g}"
        held_out = {"label": at_best, "color": COLOURS[0], "marker": "o", "markersize": 4}
        (self.held_out_line_,) = ax.plot(self.alpha, self.held_out_loss, **held_out | kwargs)
        color = self.held_out_line_.get_color()
        (self.best_,) = ax.plot(self.alpha[best], self.held_out_loss[best], color=color, **STAR)
        positive = self.alpha[self.alpha > 0]
        if len(positive) < len(self.alpha):  # a logarithmic axis would lose the penalty 0
            ax.set_xscale("symlog", linthresh=positive.min() if len(positive) else 1.0)
        else:
            ax.set_xscale("log")
        ax.set(xlabel="alpha", ylabel="log loss in nats")
        ax.legend()
        self.ax_, self.figure_ = ax, ax.figure
        return self

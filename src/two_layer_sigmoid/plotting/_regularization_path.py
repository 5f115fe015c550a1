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
    """The held-out loss of each penalty, and the training loss if it is known.

    Use :meth:`from_estimator`. A star marks the chosen penalty, whose weights are kept.

    Parameters
    ----------
    alpha : ndarray of shape (n_alphas,)
        The penalties.
    held_out_loss : ndarray of shape (n_alphas,)
        Log loss of rows held out with each penalty, in nats; with ``alpha="loo"`` the approximate
        leave-one-out loss.
    chosen : int
        Index of the chosen penalty.
    train_loss : ndarray of shape (n_alphas,), default=None
        Training loss of each penalty, without the penalty, in nats.

    Attributes
    ----------
    held_out_line_ : matplotlib Line2D
        The held-out loss.
    train_line_ : matplotlib Line2D or None
        The training loss, dashed.
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
    train_loss: npt.NDArray[np.float64] | None = None

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Axes | None = None, **kwargs: Any) -> Self:
        """Plot the path of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            A :class:`~two_layer_sigmoid.TwoLayerSigmoidClassifierCV`, a
            :class:`~two_layer_sigmoid.TwoLayerSigmoidClassifier` fitted with ``alpha="loo"``, a
            pipeline that ends in one of them, or a search over these.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot` for both curves.

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
            If it has tried one penalty only.
        """
        _, clf = network_of(estimator, cls)
        if hasattr(clf, "held_out_losses_"):
            alpha, held_out_loss, train_loss = clf.alphas_, clf.held_out_losses_, None
        elif hasattr(clf, "loo_path_"):
            alpha, held_out_loss, train_loss = clf.loo_path_.values()
        else:
            raise ValueError(
                "RegularizationPathDisplay needs a TwoLayerSigmoidClassifierCV, or a fit with "
                f"alpha='loo', got {clf!r}."
            )
        chosen = int(np.flatnonzero(alpha == clf.alpha_)[0])
        display = cls(
            alpha=alpha, held_out_loss=held_out_loss, chosen=chosen, train_loss=train_loss
        )
        return display.plot(ax, **kwargs)

    def plot(self, ax: Axes | None = None, **kwargs: Any) -> Self:
        """Plot the path.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot` for both curves.

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
        self.train_line_ = None
        if self.train_loss is not None:
            train = {"label": "training", "color": COLOURS[1], "linestyle": "--"}
            (self.train_line_,) = ax.plot(self.alpha, self.train_loss, **train | kwargs)
        color = self.held_out_line_.get_color()
        (self.best_,) = ax.plot(self.alpha[best], self.held_out_loss[best], color=color, **STAR)
        ax.set(xscale="log", xlabel="alpha", ylabel="log loss in nats")
        ax.legend()
        self.ax_, self.figure_ = ax, ax.figure
        return self

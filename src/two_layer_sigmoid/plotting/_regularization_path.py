"""The losses of the penalties on the path of ``alpha="loo"``."""

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
    """The training and the leave-one-out loss of each penalty.

    Use :meth:`from_estimator`. A star marks the chosen penalty, whose weights are kept.

    Parameters
    ----------
    alpha : ndarray of shape (n_alphas,)
        The penalties.
    loo_loss : ndarray of shape (n_alphas,)
        Approximate leave-one-out log loss of each penalty, in nats.
    train_loss : ndarray of shape (n_alphas,)
        Training loss of each penalty, without the penalty, in nats.
    chosen : int
        Index of the chosen penalty.

    Attributes
    ----------
    loo_line_ : matplotlib Line2D
        The leave-one-out loss.
    train_line_ : matplotlib Line2D
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
    >>> from two_layer_sigmoid import TwoLayerSigmoidClassifier
    >>> from two_layer_sigmoid.plotting import RegularizationPathDisplay
    >>> X, y = make_moons(100, noise=0.3, random_state=0)
    >>> clf = TwoLayerSigmoidClassifier(4, solver="lbfgs", alpha="loo", random_state=0).fit(X, y)
    >>> display = RegularizationPathDisplay.from_estimator(clf)
    """

    alpha: npt.NDArray[np.float64]
    loo_loss: npt.NDArray[np.float64]
    train_loss: npt.NDArray[np.float64]
    chosen: int

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Axes | None = None, **kwargs: Any) -> Self:
        """Plot the path of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            A :class:`~two_layer_sigmoid.TwoLayerSigmoidClassifier` fitted with ``alpha="loo"``, a
            pipeline that ends in one, or a search over these.
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
            If it was not fitted with ``alpha="loo"``.
        """
        _, clf = network_of(estimator, cls)
        if not hasattr(clf, "loo_path_"):
            raise ValueError(
                f"RegularizationPathDisplay needs a fit with alpha='loo', got alpha={clf.alpha!r}."
            )
        chosen = int(np.flatnonzero(clf.loo_path_["alpha"] == clf.alpha_)[0])
        return cls(**clf.loo_path_, chosen=chosen).plot(ax, **kwargs)

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
        at_best = f"leave-one-out, {self.loo_loss[best]:.4g} at the chosen {self.alpha[best]:.2g}"
        loo = {"label": at_best, "color": COLOURS[0], "marker": "o", "markersize": 4}
        train = {"label": "training", "color": COLOURS[1], "linestyle": "--"}
        (self.loo_line_,) = ax.plot(self.alpha, self.loo_loss, **loo | kwargs)
        (self.train_line_,) = ax.plot(self.alpha, self.train_loss, **train | kwargs)
        color = self.loo_line_.get_color()
        (self.best_,) = ax.plot(self.alpha[best], self.loo_loss[best], color=color, **STAR)
        ax.set(xscale="log", xlabel="alpha", ylabel="log loss in nats")
        ax.legend()
        self.ax_, self.figure_ = ax, ax.figure
        return self

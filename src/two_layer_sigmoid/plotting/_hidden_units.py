"""The hidden units of a network with two features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_array, validate_data

from .._base import BaseTwoLayerSigmoid
from .._network import Array, Parameters
from ._common import COLOURS, NEUTRAL, SIGNS, axes_or_new, line_style, network_of, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_TEXTS = 40  # units whose weights are written by default


@dataclass(kw_only=True, eq=False, repr=False)
class HiddenUnitsDisplay:
    """The decision boundary and the line of each hidden unit, for two features.

    The line of a hidden unit is W1 x + b1 = 0, on which its output is 1/2. An arrow points to the
    side with the larger output. The text next to the arrow is the index of the unit and its weight
    in the output layer. The line is solid and orange if the weight is positive, dashed and purple
    if it is negative; the line width shows the size. For a pipeline the axes are the features
    before the transformers, so the lines can be curves. The thick black line is the decision
    boundary.

    Use :meth:`from_estimator`.

    Parameters
    ----------
    xx0, xx1 : ndarray of shape (grid_resolution, grid_resolution)
        The grid, from :func:`numpy.meshgrid`.
    response : ndarray of shape (grid_resolution, grid_resolution)
        Probabilities of the class of interest, or, as integers, codes of the predicted classes.
    margins : ndarray of shape (n_boundaries, grid_resolution, grid_resolution)
        Functions that are zero on the decision boundaries.
    Z1 : ndarray of shape (n_h, grid_resolution, grid_resolution)
        W1 x + b1 of each hidden unit.
    outgoing : ndarray of shape (n_h,)
        The weight of each unit in the output of the class of interest. Without such a class it is
        the norm of the unit's weights in all outputs, and lines are grey.
    feature_names : sequence of str, default=("x0", "x1")
        Labels of the axes.
    class_names : sequence of str, default=()
        Names of the predicted classes, for the legend of integer responses.

    Attributes
    ----------
    surface_ : matplotlib QuadContourSet
        The colours of ``response``.
    boundary_ : list of matplotlib QuadContourSet
        The decision boundaries.
    lines_ : list of matplotlib Line2D
        The line of each unit. A line that does not cross the picture has no points.
    arrows_ : matplotlib Quiver
        The arrows of the units whose lines cross the picture.
    texts_ : list of matplotlib Text
        The indices and weights of these units.
    legend_ : matplotlib Legend or None
        The colours of the predicted classes, for integer responses.
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure of ``ax_``.

    Examples
    --------
    >>> from sklearn.datasets import make_moons
    >>> from two_layer_sigmoid import TwoLayerSigmoidClassifier
    >>> from two_layer_sigmoid.plotting import HiddenUnitsDisplay
    >>> X, y = make_moons(200, noise=0.1, random_state=0)
    >>> clf = TwoLayerSigmoidClassifier(n_h=4, random_state=0).fit(X, y)
    >>> display = HiddenUnitsDisplay.from_estimator(clf, X)
    >>> points = display.ax_.scatter(X[:, 0], X[:, 1], c=y, cmap="PuOr_r", edgecolors="white")
    """

    xx0: Array
    xx1: Array
    response: npt.NDArray[Any]
    margins: Array
    Z1: Array
    outgoing: Array
    feature_names: Sequence[str] = ("x0", "x1")
    class_names: Sequence[str] = ()

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        class_of_interest: Any = None,
        grid_resolution: int = 200,
        eps: float | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Self:
        """Plot the units of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            A fitted :class:`~two_layer_sigmoid.TwoLayerSigmoidClassifier`, a pipeline that ends in
            one, or a search over these.
        X : {array-like, dataframe} of shape (n_samples, 2)
            Rows that determine the range of the axes.
        class_of_interest : int or str, default=None
            The class (multilabel: the column number of the label) whose probability, boundary and
            weights are shown. None is the second of two classes, or all of several classes.
        grid_resolution : int, default=200
            Number of grid points along each axis.
        eps : float, default=None
            Margin around the rows, in the units of X; None is 10 % of their range.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.
        **kwargs : dict
            Passed to :meth:`plot`.

        Returns
        -------
        display : HiddenUnitsDisplay
            The display.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it is neither a network of this package nor a pipeline or search with one.
        ValueError
            If X does not have two features, if ``class_of_interest`` is not a class, or if it is
            None for multilabel targets.
        """
        transformers, clf = network_of(estimator, cls)
        column = _column(clf, class_of_interest)
        xx0, xx1, grid = _grid(X, grid_resolution, eps)
        inputs = grid
        for transformer in transformers:
            inputs = transformer.transform(inputs)
        P = clf.predict_proba(inputs)
        inputs = validate_data(clf, inputs, accept_sparse="csr", dtype=clf.W1_.dtype, reset=False)
        _, cache = clf._forward(inputs.T, Parameters(clf.W1_, clf.b1_, clf.W2_, clf.b2_))
        margins, outgoing = _boundaries(clf, cache.Z2, column)
        response = P.argmax(axis=1) if column is None else P[:, column]
        return cls(
            xx0=xx0,
            xx1=xx1,
            response=response.reshape(xx0.shape),
            margins=margins.reshape(-1, *xx0.shape),
            Z1=cache.Z1.reshape(-1, *xx0.shape),
            outgoing=outgoing,
            feature_names=[str(name) for name in _names(X) or ("x0", "x1")],
            class_names=[str(label) for label in clf.classes_],
        ).plot(ax, **kwargs)

    def plot(
        self, ax: Axes | None = None, *, show_weights: bool | None = None, **kwargs: Any
    ) -> Self:
        """Plot the boundary and the units.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.
        show_weights : bool, default=None
            Whether to write the index and the weight of each unit next to its arrow. None does so
            for up to 40 units; more would hide the picture.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.contourf`, which draws the response.

        Returns
        -------
        self : HiddenUnitsDisplay
            The display.
        """
        ax = axes_or_new(ax, type(self))
        from matplotlib import colormaps
        from matplotlib.patches import Patch

        n_classes, shows_classes = len(self.margins), self.response.dtype.kind != "f"
        levels = np.arange(n_classes + 1) - 0.5 if shows_classes else np.linspace(0, 1, 11)
        style: dict[str, Any] = {"levels": levels, "alpha": 0.4} | kwargs
        if not {"cmap", "colors"} & kwargs.keys():  # Matplotlib accepts one of them
            if not shows_classes:
                style["cmap"] = SIGNS
            elif n_classes <= len(COLOURS):
                style["colors"] = COLOURS[:n_classes]
            else:
                style["colors"] = colormaps["gist_rainbow"](np.linspace(0, 1, n_classes))
        self.surface_ = ax.contourf(self.xx0, self.xx1, self.response, **style)
        self.legend_ = None
        if shows_classes and "levels" not in kwargs and self.class_names:
            patches = [Patch(color=colour) for colour in self.surface_.get_facecolor()]
            names = map(plain, self.class_names)
            self.legend_ = ax.legend(patches, names, title="predicted", loc="best")
        self.boundary_ = [
            ax.contour(self.xx0, self.xx1, margin, levels=[0.0], colors="black", linewidths=2.5)
            for margin in self.margins
            if margin.min() < 0 < margin.max()
        ]
        self._plot_units(ax, len(self.Z1) <= MAX_TEXTS if show_weights is None else show_weights)
        ax.set(xlabel=plain(self.feature_names[0]), ylabel=plain(self.feature_names[1]))
        ax.set(xlim=(self.xx0.min(), self.xx0.max()), ylim=(self.xx1.min(), self.xx1.max()))
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _plot_units(self, ax: Axes, show_weights: bool) -> None:
        from matplotlib.patheffects import withStroke

        largest = np.abs(self.outgoing).max()
        sign = "+" if self.response.dtype.kind == "f" else ""  # a norm has no sign
        neutral = {} if sign else {"color": NEUTRAL}
        self.lines_, anchors, arrows, colours, labels = [], [], [], [], []
        for k, (z1, weight) in enumerate(zip(self.Z1, self.outgoing, strict=True)):
            path = _zero_line(self.xx0, self.xx1, z1)
            style = line_style(weight, largest, thickest=3.5) | neutral
            # A white margin keeps the line visible on the colours of the response.
            margin = [withStroke(linewidth=style["linewidth"] + 2, foreground="white")]
            self.lines_ += ax.plot(*path.T, **style, path_effects=margin)
            if len(path):
                # At different fractions of the lines, because arrows in the middle would overlap.
                anchors.append(path[(k + 1) * len(path) // (len(self.Z1) + 1)])
                arrows.append(self._arrow(z1, anchors[-1]))
                colours.append(style["color"])
                labels.append(f"{k}: {weight:{sign}.2g}")
        anchors, arrows = np.reshape([anchors, arrows], (2, -1, 2))
        options = {"angles": "xy", "scale_units": "xy", "scale": 1, "width": 0.006, "zorder": 3}
        self.arrows_ = ax.quiver(*anchors.T, *arrows.T, color=colours, **options)
        box = {"boxstyle": "round,pad=0.15", "facecolor": "white", "linewidth": 0}
        text = {"ha": "center", "va": "center", "fontsize": "small", "clip_on": True, "bbox": box}
        low, high = (np.array([end(self.xx0), end(self.xx1)]) for end in (np.min, np.max))
        inside = 0.05 * (high - low)
        places = np.clip(anchors + 1.5 * arrows, low + inside, high - inside)
        self.texts_ = [
            ax.text(*place, label, **text)
            for place, label in zip(places, labels, strict=True)
            if show_weights
        ]

    def _arrow(self, z1: Array, anchor: Array) -> Array:
        """The arrow from ``anchor`` towards larger z1. Its length is 1/12 of the picture."""
        x0, x1 = self.xx0[0], self.xx1[:, 0]
        nearest = np.abs(x1 - anchor[1]).argmin(), np.abs(x0 - anchor[0]).argmin()
        slope = np.array([by_index[nearest] for by_index in np.gradient(z1)[::-1]])
        size = np.array([np.ptp(x0), np.ptp(x1)])
        return size * slope / (12 * (np.hypot(*slope) or 1.0))


def _column(clf: BaseTwoLayerSigmoid, label: Any) -> int | None:
    """The column of ``predict_proba`` for a class; None for all of several classes."""
    classes: list[Any] = clf.classes_.tolist()
    if label is None and not clf._multilabel:
        return 1 if len(classes) == 2 else None
    if label not in classes:
        noun = "labels" if clf._multilabel else "classes"
        raise ValueError(f"class_of_interest must be one of the {noun} {classes}, got {label!r}.")
    return classes.index(label)


def _grid(X: Any, resolution: int, eps: float | None) -> tuple[Array, Array, Any]:
    """The coordinates of a grid around the rows of X, and the grid's points in the type of X."""
    if not isinstance(resolution, Integral) or resolution < 2:
        raise ValueError(f"grid_resolution must be an int of 2 or more, got {resolution!r}.")
    if eps is not None and not eps >= 0:
        raise ValueError(f"eps must be a margin of 0 or more, got {eps!r}.")
    names = _names(X)
    # Missing values are valid, because a pipeline can impute them.
    rows = check_array(X, dtype=np.float64, ensure_min_features=2, ensure_all_finite="allow-nan")
    if rows.shape[1] != 2:
        raise ValueError(f"X has {rows.shape[1]} features, but HiddenUnitsDisplay needs 2.")
    low, high = np.nanmin(rows, axis=0), np.nanmax(rows, axis=0)
    margin = 0.1 * (high - low) if eps is None else np.full(2, eps)
    margin[high - low + margin == 0] = 1.0  # a constant feature
    axes = np.linspace(low - margin, high + margin, resolution)
    xx0, xx1 = np.meshgrid(*axes.T)
    points = np.column_stack([xx0.ravel(), xx1.ravel()])
    if names is None:
        return xx0, xx1, points
    columns = dict(zip(names, points.T, strict=True))
    make = getattr(type(X), "from_pydict", type(X))  # of Arrow, which has no such constructor
    return xx0, xx1, make(columns)


def _names(X: Any) -> list[Any] | None:
    """The names of the columns of a frame, or of a table of Arrow, whose ``columns`` are arrays."""
    is_arrow = hasattr(type(X), "column_names")  # a frame can have a column of this name
    names = X.column_names if is_arrow else getattr(X, "columns", None)
    return None if names is None else list(names)


def _boundaries(clf: BaseTwoLayerSigmoid, Z2: Array, column: int | None) -> tuple[Array, Array]:
    """The functions that are zero on the boundaries, and the outgoing weights of the units."""
    if len(Z2) == 1:
        sign = 1 if column else -1
        return sign * Z2, sign * clf.W2_[0]
    outgoing = np.linalg.norm(clf.W2_, axis=0) if column is None else clf.W2_[column]
    if clf._multilabel:
        return Z2[column], outgoing
    shown = range(len(Z2)) if column is None else [column]
    return np.stack([Z2[c] - np.delete(Z2, c, axis=0).max(axis=0) for c in shown]), outgoing


def _zero_line(xx0: Array, xx1: Array, z: Array) -> Array:
    """The longest line on which z is zero, ``(n_points, 2)``; empty if there is none."""
    from contourpy import contour_generator

    return max(contour_generator(xx0, xx1, z).lines(0.0), key=len, default=np.empty((0, 2)))

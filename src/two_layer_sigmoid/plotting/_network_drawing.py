"""The network as a diagram of nodes and edges."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy.special import expit
from sklearn.utils.validation import _check_feature_names_in

from .._base import BaseTwoLayerSigmoid
from .._network import Array
from .._targets import counted
from ._common import SIGNS, axes_or_new, line_style, network_of, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_NAMES = 30  # in a layer


@dataclass(kw_only=True, eq=False, repr=False)
class NetworkDisplay:
    """The network as a diagram: units are nodes, weights are edges.

    The width and the colour of an edge show its weight; the colour inside a node shows the bias in
    the same colours. Negative weights are dashed. Of a large network only the inputs and hidden
    units with the largest influence on the outputs are drawn, in the order of their index, and the
    picture says how many there are. In layers of more than 30 nodes only some have names.

    Use :meth:`from_estimator`.

    Parameters
    ----------
    W1 : ndarray of shape (n_h, n_x)
        Weights of the hidden layer.
    b1 : ndarray of shape (n_h, 1)
        Biases of the hidden layer.
    W2 : ndarray of shape (n_y, n_h)
        Weights of the output layer.
    b2 : ndarray of shape (n_y, 1)
        Biases of the output layer.
    feature_names : sequence of str of length n_x
        Names of the inputs.
    class_names : sequence of str of length n_y
        Names of the outputs.
    mean, var : float or ndarray of shape (n_x,), default=0.0 and 1.0
        Mean and variance of the features, which the influence depends on.

    Attributes
    ----------
    edges_ : list of two matplotlib LineCollection
        The drawn edges of W1 and W2, each from the smallest to the largest absolute weight.
    nodes_ : list of three matplotlib PathCollection
        The drawn inputs, hidden units and outputs, from top to bottom.
    texts_ : list of three lists of matplotlib Text
        The names of these inputs and outputs, and the indices of these hidden units in W1.
    note_ : matplotlib Text
        How many inputs and hidden units are drawn; empty if all are.
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure of ``ax_``.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from two_layer_sigmoid import TwoLayerSigmoidClassifier
    >>> from two_layer_sigmoid.plotting import NetworkDisplay
    >>> iris = load_iris(as_frame=True)
    >>> clf = TwoLayerSigmoidClassifier(n_h=3, alpha=1e-3, random_state=0)
    >>> model = make_pipeline(StandardScaler(), clf).fit(iris.data, iris.target)
    >>> display = NetworkDisplay.from_estimator(model, class_names=iris.target_names)
    """

    W1: Array
    b1: Array
    W2: Array
    b2: Array
    feature_names: Sequence[str]
    class_names: Sequence[str]
    mean: Array | float = 0.0
    var: Array | float = 1.0

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        feature_names: Sequence[str] | None = None,
        class_names: Sequence[str] | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            A fitted :class:`~two_layer_sigmoid.TwoLayerSigmoidClassifier`, a pipeline that ends in
            one, or a search over these.
        feature_names : sequence of str, default=None
            Names of the network's inputs. None uses the output names of a pipeline's transformers,
            else the feature names of ``fit``, else x0, x1, ...
        class_names : sequence of str, default=None
            Names of the classes, in the order of ``classes_``; None uses the labels. For two
            classes the single output has the second name.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.
        **kwargs : dict
            Passed to :meth:`plot`.

        Returns
        -------
        display : NetworkDisplay
            The display.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it is neither a network of this package nor a pipeline or search with one.
        ValueError
            If the number of names differs from that of the features or classes.
        """
        transformers, clf = network_of(estimator, cls)
        if feature_names is None:
            feature_names = _feature_names(transformers, clf)
        classes = clf.classes_ if class_names is None else class_names
        for name, names, n in [
            ("feature_names", feature_names, clf.n_features_in_),
            ("class_names", classes, len(clf.classes_)),
        ]:
            if len(names) != n:
                raise ValueError(
                    f"{name} has {counted(len(names), 'name')}, but the network needs {n}: give "
                    f"{counted(n, 'name')}."
                )
        return cls(
            W1=clf.W1_,
            b1=clf.b1_,
            W2=clf.W2_,
            b2=clf.b2_,
            mean=clf.mean_,
            var=clf.var_,
            feature_names=[str(name) for name in feature_names],
            class_names=[str(name) for name in classes][-len(clf.W2_) :],
        ).plot(ax, **kwargs)

    def plot(
        self,
        ax: Axes | None = None,
        *,
        max_nodes: int | None = 20,
        max_weight: float | None = None,
        colorbar: bool = True,
    ) -> Self:
        """Draw the network.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.
        max_nodes : int or None, default=20
            Largest number of inputs, and of hidden units, to draw: those with the largest
            influence. That of a hidden unit is the sum of its absolute weights in W2, times the
            difference of its activations one standard deviation of z1 above and below the mean.
            That of an input is the sum over the hidden units of their influence times the standard
            deviation of z1 that is due to the input. None draws all.
        max_weight : float, default=None
            The absolute weight with the strongest colour, positive. None is the largest weight or
            bias that is drawn; pass a number to compare networks.
        colorbar : bool, default=True
            Whether to draw the colour bar.

        Returns
        -------
        self : NetworkDisplay
            The display.
        """
        if max_nodes is not None and (not isinstance(max_nodes, Integral) or max_nodes < 1):
            raise ValueError(f"max_nodes must be an int of 1 or more, or None, got {max_nodes!r}.")
        inputs, units = (_largest(influence, max_nodes) for influence in self._influences())
        W1, b1, W2 = self.W1[np.ix_(units, inputs)], self.b1[units], self.W2[:, units]
        if max_weight is None:
            max_weight = max(float(np.abs(array).max()) for array in (W1, b1, W2, self.b2)) or 1.0
        if not max_weight > 0:
            raise ValueError(f"max_weight must be above 0, got {max_weight!r}.")
        ax = axes_or_new(ax, type(self))
        colours = _colours(max_weight)
        drawn = inputs, units, np.arange(len(W2))
        layers = [
            np.column_stack([np.full(n, x), 1 - (np.arange(n) + 0.5) / n])
            for x, n in enumerate(map(len, drawn))
        ]
        self.edges_ = [
            ax.add_collection(_edges(W, left, right, colours))
            for W, left, right in zip((W1, W2), layers, layers[1:], strict=False)
        ]
        self._plot_nodes(ax, layers, drawn, colours)
        counts = zip(drawn, self.W1.shape[::-1], ("inputs", "hidden units"), strict=False)
        parts = [f"{len(nodes)} of {n} {noun}" for nodes, n, noun in counts if len(nodes) < n]
        self.note_ = ax.text(0.5, 0, ", ".join(parts), transform=ax.transAxes, ha="center")
        ax.set_axis_off()
        ax.margins(0.1)
        self.ax_, self.figure_ = ax, ax.figure
        if colorbar:
            label = "weight (negative: dashed); inside a node: bias"
            self.figure_.colorbar(self.edges_[0], ax=ax, label=label)
        return self

    def _influences(self) -> tuple[Array, Array]:
        """The influences of the inputs ``(n_x,)`` and of the hidden units ``(n_h,)``.

        The standard deviation of z1 is that for independent features.
        """
        z1 = self.b1[:, 0] + (self.W1 * self.mean).sum(axis=1)
        spreads = np.abs(self.W1) * np.sqrt(self.var)
        spread = np.sqrt(np.square(spreads).sum(axis=1))
        units = np.abs(self.W2).sum(axis=0) * (expit(z1 + spread) - expit(z1 - spread))
        return units @ spreads, units

    def _plot_nodes(
        self, ax: Axes, layers: list[Array], drawn: Sequence[Any], colours: dict[str, Any]
    ) -> None:
        from matplotlib.patheffects import withStroke

        diameter = min(22.0, 180.0 / max(map(len, layers)))  # points
        biases = self.b1[drawn[1]], self.b2
        fills: list[dict[str, Any]] = [
            {"color": "white"},
            *({"c": b.ravel()} | colours for b in biases),
        ]
        indices = [str(k) for k in range(len(self.b1))]
        names = self.feature_names, indices, self.class_names
        index = (0, "center") if diameter > 12 else (-1, "right")  # it would hide a small node
        sides = (-1, "right"), index, (1, "left")
        halo = [withStroke(linewidth=2, foreground="white")]
        self.nodes_, self.texts_ = [], []
        for layer, nodes, fill, labels, (side, align) in zip(
            layers, drawn, fills, names, sides, strict=True
        ):
            size = {"s": diameter**2, "edgecolors": "black", "zorder": 2}
            self.nodes_.append(ax.scatter(*layer.T, **size, **fill))
            offset = {"xytext": (side * diameter, 0), "textcoords": "offset points", "ha": align}
            every = math.ceil(len(layer) / MAX_NAMES)  # more names would overlap
            self.texts_.append(
                [
                    ax.annotate(plain(labels[k]), node, va="center", path_effects=halo, **offset)
                    for k, node in list(zip(nodes, layer, strict=True))[::every]
                ]
            )


def _colours(max_weight: float) -> dict[str, Any]:
    """The colours of -max_weight to max_weight, without those close to white."""
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap, Normalize

    ends = np.r_[0:0.35:128j, 0.65:1:128j]
    return {
        "cmap": ListedColormap(colormaps[SIGNS](ends), name="signs"),
        "norm": Normalize(-max_weight, max_weight),
    }


def _edges(W: Array, left: Array, right: Array, colours: dict[str, Any]) -> Any:
    """The edges of the weights W between the nodes on the left and on the right."""
    from matplotlib.collections import LineCollection

    order = np.argsort(np.abs(W), axis=None, kind="stable")  # the strong on top of the weak
    weights = W.ravel()[order]
    styles = [line_style(weight, colours["norm"].vmax, thickest=5.0) for weight in weights]
    return LineCollection(
        [(left[j], right[i]) for i, j in zip(*np.unravel_index(order, W.shape), strict=True)],
        array=weights,
        linewidths=[style["linewidth"] for style in styles],
        linestyles=[style["linestyle"] for style in styles],
        zorder=1,
        **colours,
    )


def _largest(influence: Array, n: int | None) -> Any:
    """The indices of the ``n`` largest entries, in ascending order; None: of all."""
    return np.sort(np.argsort(-influence, kind="stable")[:n])


def _feature_names(transformers: list[Any], clf: BaseTwoLayerSigmoid) -> Sequence[str]:
    """The names of the network's inputs."""
    names = getattr(transformers[0], "feature_names_in_", None) if transformers else None
    try:
        for transformer in transformers:
            names = transformer.get_feature_names_out(names)
    except AttributeError:  # a transformer has no names
        names = None
    return list(_check_feature_names_in(clf) if names is None else names)

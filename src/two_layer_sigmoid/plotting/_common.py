"""Helpers that the displays share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sklearn.utils._optional_dependencies import check_matplotlib_support
from sklearn.utils.validation import check_is_fitted

from .._base import BaseTwoLayerSigmoid

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Distinguishable with colour blindness: M. Okabe and K. Ito, "Color universal design", 2008.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
SIGNS = "PuOr_r"  # orange is positive, purple is negative
POSITIVE, NEGATIVE = "#B35806", "#542788"  # colours near the ends of SIGNS
NEUTRAL = "#404040"
# Marks the best point of a curve.
STAR = {"marker": "*", "markersize": 14, "markeredgecolor": "black", "zorder": 3}


def axes_or_new(ax: Axes | None, display: type) -> Axes:
    """``ax``, or the axes of a new figure."""
    check_matplotlib_support(f"{display.__name__}.plot")
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained")[1] if ax is None else ax


def line_properties(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Properties of a line by their long names: "c" is "color"."""
    from matplotlib.cbook import normalize_kwargs
    from matplotlib.lines import Line2D

    return normalize_kwargs(kwargs, Line2D)


def plain(name: str) -> str:
    """``name`` with escaped ``$``, because Matplotlib shows a formula between two ``$``."""
    from matplotlib import rcParams

    return name.replace("$", r"\$") if rcParams["text.parse_math"] else name


def network_of(estimator: Any, display: type) -> tuple[list[Any], BaseTwoLayerSigmoid]:
    """The transformers before the network, and the network, of an estimator or search."""
    transformers: list[Any] = []
    inner = estimator
    while not isinstance(inner, BaseTwoLayerSigmoid):
        if hasattr(inner, "best_estimator_"):
            inner = inner.best_estimator_
        elif hasattr(inner, "steps"):
            *before, (_, inner) = inner.steps
            # The samplers of imbalanced-learn act in fit only.
            transformers += [step for _, step in before if hasattr(step, "transform")]
        else:
            check_is_fitted(inner)
            raise TypeError(
                f"{display.__name__} accepts a TwoLayerSigmoidClassifier, a pipeline that ends in "
                f"one, or a search over these with refit=True; got {inner!r}."
            )
    check_is_fitted(inner)
    return transformers, inner


def line_style(weight: Any, largest: Any, thickest: float) -> dict[str, Any]:
    """The style of a line that shows the sign and the size of a weight."""
    return {
        "color": POSITIVE if weight > 0 else NEGATIVE,
        "linestyle": "-" if weight > 0 else "--",
        "linewidth": 0.4 + thickest * min(1.0, abs(weight) / (largest or 1.0)),
    }

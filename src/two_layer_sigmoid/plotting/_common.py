"""What the displays share: whom they show, where they draw, and how a line says a weight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sklearn.utils._optional_dependencies import check_matplotlib_support
from sklearn.utils.validation import check_is_fitted

from .._classifier import BaseTwoLayerSigmoid

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Told apart by the colour-blind (M. Okabe and K. Ito, "Color universal design", 2008).
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
SIGNS = "PuOr_r"  # orange for positive, purple for negative, which is dashed too
POSITIVE, NEGATIVE = "#B35806", "#542788"  # near the ends of it
NEUTRAL = "#404040"


def axes_or_new(ax: Axes | None, display: type) -> Axes:
    """``ax``, or that of a new figure."""
    check_matplotlib_support(f"{display.__name__}.plot")
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained")[1] if ax is None else ax


def network_of(estimator: Any, display: type) -> tuple[list[Any], BaseTwoLayerSigmoid]:
    """The transformers before the network, and the network, of pipelines and searches."""
    transformers: list[Any] = []
    inner = estimator
    while not isinstance(inner, BaseTwoLayerSigmoid):
        if hasattr(inner, "best_estimator_"):
            inner = inner.best_estimator_
        elif hasattr(inner, "steps"):
            *before, (_, inner) = inner.steps
            transformers += [step for _, step in before if step not in (None, "passthrough")]
        else:
            check_is_fitted(inner)
            raise TypeError(
                f"{display.__name__} shows a TwoLayerSigmoidClassifier, a pipeline that ends in "
                f"one, or a search over such with refit=True; got {inner!r}."
            )
    check_is_fitted(inner)
    return transformers, inner


def signed(weight: Any, largest: Any, thickest: float) -> dict[str, Any]:
    """How a line says sign and size of a weight."""
    return {
        "color": POSITIVE if weight > 0 else NEGATIVE,
        "linestyle": "-" if weight > 0 else "--",
        "linewidth": 0.4 + thickest * min(1.0, abs(weight) / (largest or 1.0)),
    }

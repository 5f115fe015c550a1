"""The neural network with two layers of sigmoid units, as a scikit-learn classifier."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import network as network
from ._classifier import TwoLayerSigmoidClassifier
from ._cross_validation import TwoLayerSigmoidClassifierCV

__all__ = ["TwoLayerSigmoidClassifier", "TwoLayerSigmoidClassifierCV"]

__version__ = "0.1.0"

# Names that are imported at their first use, because they need extras, and their modules.
_LAZY = {
    "DaskTwoLayerSigmoidClassifier": "distributed",
    "HiddenUnitsDisplay": "plotting",
    "LossCurveDisplay": "plotting",
    "NetworkDisplay": "plotting",
    "RegularizationPathDisplay": "plotting",
    "to_onnx": "export",
}

if TYPE_CHECKING:
    from .distributed import DaskTwoLayerSigmoidClassifier as DaskTwoLayerSigmoidClassifier
    from .export import to_onnx as to_onnx
    from .plotting import HiddenUnitsDisplay as HiddenUnitsDisplay
    from .plotting import LossCurveDisplay as LossCurveDisplay
    from .plotting import NetworkDisplay as NetworkDisplay
    from .plotting import RegularizationPathDisplay as RegularizationPathDisplay
else:  # not for type checkers, which would accept every name

    def __getattr__(name: str) -> Any:
        if name in _LAZY:
            return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
        if name in _LAZY.values():
            return import_module(f"{__name__}.{name}")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY, *_LAZY.values()})

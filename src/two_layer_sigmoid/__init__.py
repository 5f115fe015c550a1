"""The neural network with two layers of sigmoid units, as a scikit-learn classifier."""

from ._classifier import TwoLayerSigmoidClassifier
from ._cross_validation import TwoLayerSigmoidClassifierCV

__all__ = ["TwoLayerSigmoidClassifier", "TwoLayerSigmoidClassifierCV"]

__version__ = "0.1.0"

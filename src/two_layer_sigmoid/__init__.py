"""The neural network with two layers of sigmoid units, as a scikit-learn classifier."""

from ._classifier import TwoLayerSigmoidClassifier

__all__ = ["TwoLayerSigmoidClassifier"]

__version__ = "0.1.0"

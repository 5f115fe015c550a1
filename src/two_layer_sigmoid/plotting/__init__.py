"""Displays of the loss curves, the hidden units and the network.

They follow scikit-learn's displays: ``from_estimator`` computes and plots, ``plot`` plots again,
and attributes hold the Matplotlib artists. Matplotlib (the extra ``plot``) is imported for drawing
only.
"""

from ._hidden_units import HiddenUnitsDisplay
from ._loss_curve import LossCurveDisplay
from ._network_drawing import NetworkDisplay

__all__ = ["HiddenUnitsDisplay", "LossCurveDisplay", "NetworkDisplay"]

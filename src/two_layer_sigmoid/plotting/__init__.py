"""Displays of the loss curves, the hidden units, the network and the path of penalties.

They follow scikit-learn's displays: ``from_estimator`` computes and plots, ``plot`` plots again,
and attributes hold the Matplotlib artists. Matplotlib (the extra ``plot``) is imported for drawing
only.
"""

from ._hidden_units import HiddenUnitsDisplay
from ._loss_curve import LossCurveDisplay
from ._network_drawing import NetworkDisplay
from ._regularization_path import RegularizationPathDisplay

__all__ = [
    "HiddenUnitsDisplay",
    "LossCurveDisplay",
    "NetworkDisplay",
    "RegularizationPathDisplay",
]

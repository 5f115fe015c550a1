"""Displays: how training went, what the hidden units do, what the network looks like.

They follow scikit-learn's displays: ``from_estimator`` computes and plots, ``plot`` plots again,
elsewhere or otherwise, and what was drawn is in attributes. They need Matplotlib (the extra
``plot``), which is imported where something is drawn and not before.
"""

from ._hidden_units import HiddenUnitsDisplay
from ._loss_curve import LossCurveDisplay
from ._network_drawing import NetworkDisplay

__all__ = ["HiddenUnitsDisplay", "LossCurveDisplay", "NetworkDisplay"]

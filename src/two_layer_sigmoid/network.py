"""The steps of the network as functions: those that training runs.

They have the names and the orientation of the lecture notes: examples are columns, so X is
``(n_x, m)`` and Y is ``(n_y, m)``. `The mathematics`_ has their equations.
"""

from ._network import (
    Cache,
    Parameters,
    backward_propagation,
    compute_cost,
    forward_propagation,
    initialize_parameters,
    layer_sizes,
    update_parameters,
)

__all__ = [
    "Cache",
    "Parameters",
    "backward_propagation",
    "compute_cost",
    "forward_propagation",
    "initialize_parameters",
    "layer_sizes",
    "update_parameters",
]

"""Data and networks of the tests of displays."""

import pytest
from sklearn.datasets import load_iris, make_moons

from two_layer_sigmoid import TwoLayerSigmoidClassifier

pytest.importorskip("pandas")
pytest.importorskip("matplotlib").use("Agg")
X, y = make_moons(200, noise=0.2, random_state=0)
IRIS = load_iris(as_frame=True)
PETALS, SPECIES = IRIS.data.iloc[:, 2:], IRIS.target_names[IRIS.target]


def network(n_h=4, max_iter=50, **parameters):
    return TwoLayerSigmoidClassifier(n_h, max_iter=max_iter, alpha=0, random_state=0, **parameters)

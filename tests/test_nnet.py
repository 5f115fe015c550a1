"""R's nnet, from the same weights and with the same penalty, ends at the same loss as L-BFGS.

``data/nnet.json`` has the results of nnet; ``python -m tests.data.nnet`` computes them again.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from tests import datasets
from tests.data.nnet import CASES, DECAY, row_weights
from two_layer_sigmoid import TwoLayerSigmoidClassifier

NNET = json.loads((Path(__file__).parent / "data" / "nnet.json").read_text())


@pytest.mark.parametrize("case", CASES)
def test_lbfgs_reaches_the_loss_of_nnet(case):
    make, n_h, alpha = CASES[case]
    X, y = datasets.standardised(*make())
    start = tuple(np.array(W) for W in NNET[case]["start"])
    clf = TwoLayerSigmoidClassifier(
        n_h,
        solver="lbfgs",
        max_iter=3000,
        tol=1e-8,
        standardize=False,
        alpha=alpha,
        init=start,
    ).fit(X, y)
    assert clf.stop_reason_ == "converged"
    assert clf.loss_curve_[0] > clf.loss_ + 0.1  # it was not at the minimum
    assert clf.loss_ == pytest.approx(NNET[case]["loss"], abs=1e-6)


def test_weighted_value_of_nnet_is_the_documented_sum():
    X, y = datasets.standardised(*datasets.moons())
    weights, wts = row_weights(len(X)), np.array(NNET["weights"]["wts"])
    W, v = wts[:12].reshape(4, 3), wts[12:]
    b1, b2 = W[:, :1], v[:1, np.newaxis]
    clf = TwoLayerSigmoidClassifier(
        4,
        max_iter=1,
        standardize=False,
        alpha=2 * DECAY / weights.sum(),
        init=(W[:, 1:], b1, v[np.newaxis, 1:], b2),
    ).fit(X, y, weights)
    biases = DECAY * ((b1**2).sum() + (b2**2).sum())
    assert biases > 0.1
    value = clf.loss_curve_[0] * weights.sum() + biases
    # nnet rounds sigmoids beyond 15 to 0 or 1, here those of hidden units.
    assert value == pytest.approx(NNET["weights"]["value"], rel=1e-8)

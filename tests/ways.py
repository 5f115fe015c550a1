"""What several test modules train with, and by: not a test itself."""

from numpy.testing import assert_array_equal

from two_layer_sigmoid import TwoLayerSigmoidClassifier

WEIGHTS = ("W1_", "b1_", "W2_", "b2_")
FULL_BATCH = [{}, {"momentum": 0.9, "learning_rate": 0.3}, {"solver": "lbfgs"}]
EVERY_WAY = [*FULL_BATCH, {"batch_size": 16}, {"batch_size": 16, "momentum": 0.9}]


def quick(**params):
    return TwoLayerSigmoidClassifier(**{"max_iter": 50, "random_state": 0, "alpha": 1e-3} | params)


def assert_same_weights(one, other):
    for name in WEIGHTS:
        assert_array_equal(getattr(one, name), getattr(other, name))

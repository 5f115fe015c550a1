"""scikit-learn's own checks of the estimator contract, for several settings."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from two_layer_sigmoid import TwoLayerSigmoidClassifier

SETTINGS = [
    TwoLayerSigmoidClassifier(),
    TwoLayerSigmoidClassifier(n_h=2, init="small"),
    TwoLayerSigmoidClassifier(n_h=4, init="spread", learning_rate=0.3, alpha=1e-3),
    TwoLayerSigmoidClassifier(class_weight="balanced", max_iter=500),
]


# The checks fit few rows of made data, on which our warnings about the scales of features and
# about how training ended may be right.
@pytest.mark.filterwarnings("ignore:Training :sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:The features of X have wild scales:UserWarning")
@parametrize_with_checks(SETTINGS)
def test_scikit_learn_check(estimator, check):
    check(estimator)

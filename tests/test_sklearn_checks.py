"""scikit-learn's own checks of the estimator contract, for several settings."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from two_layer_sigmoid import TwoLayerSigmoidClassifier

SETTINGS = [
    TwoLayerSigmoidClassifier(),
    TwoLayerSigmoidClassifier(n_h=2, init="small"),
    TwoLayerSigmoidClassifier(n_h=4, init="spread", learning_rate=0.3, alpha=1e-3),
    TwoLayerSigmoidClassifier(class_weight="balanced", max_iter=500),
    TwoLayerSigmoidClassifier(momentum=0.9, learning_rate=0.3, max_iter=500),
    TwoLayerSigmoidClassifier(batch_size=16, max_iter=100),
    TwoLayerSigmoidClassifier(solver="lbfgs"),
    TwoLayerSigmoidClassifier(solver="lbfgs", n_h=2, n_init=3, alpha=1e-3),
    TwoLayerSigmoidClassifier(solver="lbfgs", class_weight="balanced", max_iter=200),
    TwoLayerSigmoidClassifier(early_stopping=True, max_iter=500),
]
COUNTING_ROWS = {
    f"check_sample_weight_equivalence_on_{kind}_data": "promised for full batches without a split"
    for kind in ("dense", "sparse")
}
PARTIAL_FIT = dict.fromkeys(
    [
        "check_fit_score_takes_y",
        "check_n_features_in_after_fitting",
        "check_estimators_partial_fit_n_features",
    ],
    "partial_fit is refused with these parameters",
)


def what_is_not_promised(clf):
    """The checks of what no solver promises with these parameters; none for any solver alone."""
    counts_rows = clf.batch_size is None and not clf.early_stopping
    refuses = clf.solver == "gd" and (clf.early_stopping or clf.class_weight == "balanced")
    return ({} if counts_rows else COUNTING_ROWS) | (PARTIAL_FIT if refuses else {})


# The checks fit few rows of made data, on which our warnings about the scales of features and
# about how training ended may be right.
@pytest.mark.filterwarnings("ignore:Training :sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:The features of X have wild scales:UserWarning")
@parametrize_with_checks(SETTINGS, expected_failed_checks=what_is_not_promised)
def test_scikit_learn_check(estimator, check):
    check(estimator)

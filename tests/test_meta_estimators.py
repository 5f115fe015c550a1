"""The estimator in the searches, ensembles and displays of scikit-learn."""

import re

import numpy as np
import pytest
import sklearn
from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.inspection import DecisionBoundaryDisplay, permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer
from sklearn.model_selection import (
    GridSearchCV,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
    cross_val_score,
    cross_validate,
    learning_curve,
    validation_curve,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.fixes import parse_version

from tests.helpers import slow
from two_layer_sigmoid import TwoLayerSigmoidClassifier

CLF = TwoLayerSigmoidClassifier(n_h=8, max_iter=2000, alpha=1e-3, random_state=0)
FAST = TwoLayerSigmoidClassifier(n_h=4, max_iter=100, random_state=0)
ENOUGH = 0.9  # more than the share of the moons' rows that a straight line gets right


@pytest.fixture
def data(small_moons):
    return small_moons


@pytest.mark.slow
def test_cross_val_score_is_accurate(data):
    scores = cross_val_score(CLF, *data)
    assert scores.shape == (5,)
    assert scores.mean() > ENOUGH


@pytest.mark.slow
def test_grid_search_finds_parameters(data):
    grid = {"learning_rate": [0.3, 1.2], "n_h": [3, 4]}
    search = GridSearchCV(CLF, grid, cv=3).fit(*data)
    assert len(search.cv_results_["params"]) == 4
    assert search.best_estimator_.W1_.shape == (search.best_params_["n_h"], 2)
    assert search.best_score_ > ENOUGH


@pytest.mark.slow
def test_parallel_grid_search_equals_serial(data):
    pipeline = Pipeline([("scale", StandardScaler()), ("clf", CLF)])
    grid = {"clf__learning_rate": [0.3, 1.2], "clf__n_h": [3, 4]}
    search = GridSearchCV(pipeline, grid, cv=3, n_jobs=2).fit(*data)
    alone = GridSearchCV(pipeline, grid, cv=3).fit(*data)
    np.testing.assert_array_equal(
        search.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"]
    )
    assert search.best_score_ > ENOUGH


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Training ended while")  # at a low rate with few units
def test_randomized_search_finds_parameters(data):
    distributions = {"learning_rate": loguniform(0.3, 2), "n_h": [3, 4, 8]}
    search = RandomizedSearchCV(CLF, distributions, n_iter=4, cv=3, random_state=0).fit(*data)
    assert search.best_score_ > ENOUGH


@pytest.mark.parametrize(
    "ensemble",
    [
        slow(CalibratedClassifierCV(CLF, cv=3)),
        slow(TunedThresholdClassifierCV(CLF, cv=3)),
        slow(BaggingClassifier(CLF, n_estimators=3, random_state=0)),
        AdaBoostClassifier(CLF, n_estimators=3, random_state=0),
        slow(StackingClassifier([("net", CLF), ("line", LogisticRegression())], cv=3)),
        slow(VotingClassifier([("net", CLF), ("other", CLF)], voting="soft")),
        slow(OneVsRestClassifier(CLF)),
    ],
    ids=lambda ensemble: type(ensemble).__name__,
)
def test_meta_estimator_is_accurate(data, ensemble):
    X, y = data
    labels = np.where(y, "upper", "lower")
    assert clone(ensemble).fit(X, labels).score(X, labels) > ENOUGH


@pytest.mark.filterwarnings("ignore:Training ended:sklearn.exceptions.ConvergenceWarning")
def test_all_bootstraps_with_few_positives_are_fitted():
    """Some bootstraps have no row of the rare class, and their fits warn."""
    X = np.random.RandomState(0).standard_normal((100, 2))
    y = (np.arange(100) < 2).astype(int)
    ensemble = BaggingClassifier(
        clone(CLF).set_params(max_iter=50), n_estimators=20, random_state=0
    )
    with pytest.warns(UserWarning, match="y holds only one class, 0, in the rows of positive"):
        ensemble.fit(X, y)
    assert len(ensemble.estimators_) == 20
    assert ensemble.predict_proba(X).shape == (100, 2)


@pytest.mark.slow
def test_one_vs_rest_of_three_classes(three_blobs):
    assert OneVsRestClassifier(CLF).fit(*three_blobs).score(*three_blobs) > 0.85


def test_ada_boost_passes_sample_weights(data):
    weights = []

    class Recording(TwoLayerSigmoidClassifier):
        def fit(self, X, y, sample_weight=None):
            weights.append(sample_weight)
            return super().fit(X, y, sample_weight)

    clf = Recording(n_h=2, max_iter=300, alpha=0)
    AdaBoostClassifier(clf, n_estimators=3, random_state=0).fit(*data)
    assert np.ptp(weights[0]) == 0
    assert np.ptp(weights[1]) > 0


@pytest.mark.slow
def test_classifier_chain_is_accurate(data):
    X, y = data
    Y = np.column_stack([y, X[:, 0] > 0.5])
    chain = ClassifierChain(CLF, random_state=0).fit(X, Y)
    assert chain.score(X, Y) > 0.8


@pytest.mark.slow
def test_self_training_adds_labels(data):
    X, y = data
    known = np.where(np.arange(len(y)) % 3, -1, y)
    trained = SelfTrainingClassifier(CLF).fit(X, known)
    assert trained.score(X, y) > 0.8
    assert (trained.transduction_ != -1).sum() > (known != -1).sum()


@pytest.mark.slow
def test_permutation_importance_finds_noise(data):
    X, y = data
    X = np.c_[X, np.random.RandomState(0).standard_normal(len(X))]
    importance = permutation_importance(clone(CLF).fit(X, y), X, y, random_state=0)
    assert importance.importances_mean[1] > importance.importances_mean[2]


def test_decision_boundary_display_accepts_the_estimator(data):
    pytest.importorskip("matplotlib").use("Agg")
    X, y = data
    clf = clone(FAST).fit(X, y)
    for method in "predict", "predict_proba", "decision_function":
        display = DecisionBoundaryDisplay.from_estimator(
            clf, X, response_method=method, grid_resolution=20
        )
        assert display.response.shape == (20, 20)
        assert np.ptp(display.response) > 0.9
        display.figure_.clear()


def test_html_representation_shows_fitted_attributes(data):
    clf = clone(FAST).set_params(n_h=3).fit(*data)
    for estimator in clf, Pipeline([("scale", StandardScaler()), ("clf", clf)]):
        assert "n_h" in estimator._repr_html_()
    if parse_version(sklearn.__version__) >= parse_version("1.9"):
        for name in "W1_", "b1_", "W2_", "b2_", "loss_", "stop_reason_", "n_iter_":
            assert f">{name}<" in re.sub(r"\s", "", clf._repr_html_())
        assert "ndarray[float64](3, 2)" in clf._repr_html_()


def test_html_representation_has_no_link_without_a_site():
    html = CLF._repr_html_()
    assert not re.search("href=[^>]*two_layer_sigmoid", html)


# The checks that fail for bagged LogisticRegression too.
NOT_FOR_BAGGING = {
    "check_sample_weight_equivalence_on_dense_data": "bootstraps draw rows",
    "check_sample_weight_equivalence_on_sparse_data": "bootstraps draw rows",
    "check_decision_proba_consistency": "means of logits and of probabilities differ in order",
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Training :sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:y holds only one class:UserWarning")
@pytest.mark.filterwarnings("ignore:Label not .* is present in all training examples:UserWarning")
@pytest.mark.filterwarnings(
    "ignore:invalid value encountered in cast:RuntimeWarning"
)  # of inf in y
@parametrize_with_checks(
    [
        VotingClassifier([("a", FAST), ("b", FAST)], voting="soft"),
        StackingClassifier([("a", FAST), ("b", FAST)], cv=2),
        BaggingClassifier(FAST, n_estimators=3),
        CalibratedClassifierCV(FAST, cv=2),
        OneVsRestClassifier(FAST),
    ]
)
def test_check_of_scikit_learn_for_ensembles(estimator, check):
    name = check.func.__name__
    if isinstance(estimator, BaggingClassifier) and name in NOT_FOR_BAGGING:
        pytest.skip(f"{name}: {NOT_FOR_BAGGING[name]}, for LogisticRegression too")
    check(estimator)


@pytest.mark.slow
def test_learning_curve_has_scores(data):
    sizes, _, test_scores = learning_curve(
        CLF, *data, cv=3, train_sizes=[0.5, 1.0], shuffle=True, random_state=0
    )
    assert test_scores.shape == (len(sizes), 3)
    assert test_scores.mean() > 0.8


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Training ended on the plateau")  # at the smallest rate
def test_validation_curve_prefers_larger_rate(data):
    train_scores, _ = validation_curve(
        CLF, *data, param_name="learning_rate", param_range=[1e-3, 1.2], cv=3
    )
    assert train_scores[1].mean() > train_scores[0].mean()


def test_sample_weight_can_be_routed(data):
    X, y = data
    weights = np.where(y == 1, 100.0, 1.0)
    with sklearn.config_context(enable_metadata_routing=True):
        scale = StandardScaler().set_fit_request(sample_weight=False)
        clf = clone(FAST).set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        scoring = get_scorer("neg_log_loss").set_score_request(sample_weight=True)
        pipeline = Pipeline([("scale", scale), ("clf", clf)])
        routed = cross_validate(
            pipeline,
            X,
            y,
            cv=3,
            scoring=scoring,
            params={"sample_weight": weights},
            return_estimator=True,
        )
    plain = cross_validate(
        Pipeline([("scale", StandardScaler()), ("clf", FAST)]), X, y, cv=3, return_estimator=True
    )
    for with_weights, without in zip(routed["estimator"], plain["estimator"], strict=True):
        assert with_weights.predict(X).mean() > without.predict(X).mean()

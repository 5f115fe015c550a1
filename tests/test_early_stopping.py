"""Early stopping: on the log loss of rows held out, split off or given."""

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import log_loss, recall_score
from sklearn.model_selection import cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from ways import EVERY_WAY, assert_same_weights, quick

from two_layer_sigmoid import TwoLayerSigmoidClassifier


@pytest.fixture
def unbalanced():
    """97 % of one class, with overlap."""
    random_state = np.random.RandomState(0)
    y = (np.arange(1000) % 33 == 0).astype(int)
    return random_state.standard_normal((1000, 2)) + 1.5 * y[:, np.newaxis], y


@pytest.mark.parametrize("way", EVERY_WAY)
@pytest.mark.filterwarnings("ignore:Training by L-BFGS ran out of iterations")
def test_early_stopping_keeps_the_best_weights(moons, way):
    X, y = moons
    labels = np.array(["lower", "upper"])[y]
    w_val = np.linspace(0, 1, 500)
    clf = quick(early_stopping=True, max_iter=2000, alpha=0, **way)
    clf.fit(
        X[:150], labels[:150], X_val=X[500:1000], y_val=labels[500:1000], sample_weight_val=w_val
    )
    best = log_loss(labels[500:1000], clf.predict_proba(X[500:1000]), sample_weight=w_val)
    assert best <= min(clf.validation_loss_curve_) * (1 + 1e-12)
    if clf.stop_reason_ == "early stopping":
        at = int(np.argmin(clf.validation_loss_curve_))
        assert clf.n_iter_ - at == 10
        assert_allclose(best, clf.validation_loss_curve_[at], rtol=1e-12)
        if "batch_size" not in way:
            assert clf.loss_ == clf.loss_curve_[at]
    else:
        assert way == {}  # gradient descent is slow
    assert_allclose(clf.loss_, log_loss(labels[:150], clf.predict_proba(X[:150])), rtol=1e-12)


def test_the_validation_curve_is_the_log_loss_of_the_rows_held_out(small_moons):
    X, y = small_moons
    X_val, y_val = X[::3], y[::3]
    clf = quick(early_stopping=True, max_iter=5).fit(X, y, X_val=X_val, y_val=y_val)
    for i in range(5):
        shorter = quick(max_iter=i or 1).fit(X, y)
        if i:
            expected = log_loss(y_val, shorter.predict_proba(X_val))
            assert_allclose(clf.validation_loss_curve_[i], expected, rtol=1e-12)


def test_class_weight_counts_in_validation_too(unbalanced):
    X, y = unbalanced
    weights = np.where(y, 33.0, 1.0)
    sets = {"X_val": X[::2], "y_val": y[::2]}
    by_class = quick(early_stopping=True, class_weight={0: 1, 1: 33}).fit(X, y, **sets)
    by_row = quick(early_stopping=True).fit(
        X, y, sample_weight=weights, **sets, sample_weight_val=weights[::2]
    )
    assert_allclose(by_class.validation_loss_curve_, by_row.validation_loss_curve_, rtol=1e-10)
    balanced = quick(early_stopping=True, class_weight="balanced").fit(X, y, **sets)
    rates = np.bincount(y) / len(y)
    by_hand = quick(early_stopping=True).fit(
        X, y, sample_weight=1 / rates[y], **sets, sample_weight_val=1 / rates[y[::2]]
    )
    assert_allclose(balanced.validation_loss_curve_, by_hand.validation_loss_curve_, rtol=1e-10)


@pytest.mark.parametrize("solver", ["gd", "lbfgs"])
def test_early_stopping_learns_the_rare_class(unbalanced, solver):
    X, y = unbalanced
    clf = TwoLayerSigmoidClassifier(early_stopping=True, solver=solver, random_state=0).fit(X, y)
    assert recall_score(y, clf.predict(X)) > 0.1
    by_accuracy = MLPClassifier(early_stopping=True, activation="logistic", random_state=0)
    assert recall_score(y, by_accuracy.fit(X, y).predict(X)) == 0


def test_early_stopping_does_not_end_on_the_plateau(lecture):
    X, y = lecture
    clf = TwoLayerSigmoidClassifier(2, early_stopping=True, random_state=0).fit(X, y)
    assert clf.loss_ < 0.3
    assert clf.n_iter_ > 300  # it is longer than that on the plateau at ln 2


def test_the_split_is_stratified_and_rows_keep_their_weights(unbalanced):
    X, y = unbalanced
    seen = []

    class Recorded(TwoLayerSigmoidClassifier):
        def _rows(self, X, targets, team):
            seen.append((X, targets))
            return super()._rows(X, targets, team)

    w = 1 + X[:, 0] ** 2
    params = {"validation_fraction": 0.2, "max_iter": 100, "random_state": 0}
    Recorded(early_stopping=True, **params).fit(X, y, sample_weight=w)
    (X_train, _), (X_val, held_out) = seen
    assert (len(X_train), len(X_val)) == (800, 200)
    assert held_out.Y.sum() == pytest.approx(y.sum() / 5, abs=1)
    for X_part, targets in seen:
        assert_allclose(targets.weights, (1 + X_part[:, 0] ** 2) / w.max())
    assert_array_equal(np.sort(np.r_[X_train, X_val], axis=0), np.sort(X, axis=0))


def test_few_rows_leave_one_of_each_class_to_validate_on(three_blobs):
    X, y = three_blobs
    assert quick(early_stopping=True, validation_fraction=0.01).fit(X, y).n_iter_ > 0


def test_a_split_that_leaves_a_class_nothing_to_train_on_is_refused(small_moons):
    X, _ = small_moons
    y = (np.arange(100) < 2).astype(int)
    message = "validation_fraction=0.9 of 100 rows leaves a class without a row to train on"

    def split_in_many_ways():
        for seed in range(20):
            quick(early_stopping=True, validation_fraction=0.9, random_state=seed).fit(X, y)

    with pytest.raises(ValueError, match=message):
        split_in_many_ways()


def test_early_stopping_of_multilabel_targets(three_blobs):
    X, _ = three_blobs
    Y = (X @ [[1, 0, 1], [0, 1, 1]] > 0).astype(int)
    clf = quick(early_stopping=True).fit(X, Y)
    assert len(clf.validation_loss_curve_) == clf.n_iter_
    quick(early_stopping=True).fit(X, Y, X_val=X[:9], y_val=Y[:9])


def test_a_validation_set_in_a_pipeline(small_moons):
    X, y = small_moons
    X = 100 * X + 7
    sets = {"X_val": X[:40], "y_val": y[:40], "sample_weight_val": np.linspace(1, 2, 40)}
    by_hand = StandardScaler().fit(X)
    expected = quick(early_stopping=True).fit(
        by_hand.transform(X), y, **sets | {"X_val": by_hand.transform(X[:40])}
    )
    with sklearn.config_context(enable_metadata_routing=True):
        clf = quick(early_stopping=True).set_fit_request(
            X_val=True, y_val=True, sample_weight_val=True, sample_weight=False
        )
        pipeline = Pipeline(
            [("scale", StandardScaler()), ("clf", clf)], transform_input=["X_val"]
        ).fit(X, y, **sets)
    assert_array_equal(pipeline[-1].validation_loss_curve_, expected.validation_loss_curve_)
    assert_same_weights(pipeline[-1], expected)


def test_early_stopping_in_cross_validation(small_moons):
    X, y = small_moons
    assert cross_val_score(quick(early_stopping=True, max_iter=1000), X, y, cv=3).mean() > 0.8


SET = {"X_val": np.zeros((4, 2)), "y_val": np.array([0, 1, 0, 1])}


@pytest.mark.parametrize(
    ("early_stopping", "given", "message"),
    [
        (True, {"X_val": SET["X_val"]}, "X_val and y_val go together"),
        (True, {"y_val": SET["y_val"]}, "X_val and y_val go together"),
        (True, {"sample_weight_val": np.ones(4)}, "sample_weight_val needs X_val and y_val"),
        (False, SET, "early_stopping=False makes no use of X_val .* early_stopping=True"),
        (True, SET | {"X_val": np.full((4, 2), 1e308)}, "X_val holds values too large"),
        (True, SET | {"y_val": [0, 1]}, "X_val, y_val .*inconsistent numbers of samples"),
        (True, SET | {"X_val": np.zeros((4, 3))}, "X_val, y_val .* 3 features"),
        (True, SET | {"X_val": np.full((4, 2), np.nan)}, "X_val, y_val .* contains NaN"),
        (True, SET | {"y_val": [0, 1, 0, 7]}, r"X_val, y_val .*classes \[0, 1\], such as 7"),
        (True, SET | {"y_val": list("abab")}, "X_val, y_val .*not among the classes"),
        (True, SET | {"y_val": np.eye(4, dtype=int)}, "X_val, y_val .* multilabel indicator"),
        (True, SET | {"sample_weight_val": np.zeros(4)}, "X_val, y_val .* zero for every row"),
        (True, SET | {"sample_weight_val": -np.ones(4)}, "X_val, y_val .* non-negative"),
    ],
)
def test_bad_validation_sets(small_moons, early_stopping, given, message):
    clf = quick(early_stopping=early_stopping)
    before = vars(clf).copy()
    with pytest.raises(ValueError, match=message):
        clf.fit(*small_moons, **given)
    assert vars(clf) == before


def test_a_class_of_one_row_cannot_be_split(small_moons):
    X, y = small_moons
    message = r"validation_fraction=0.1 cannot be split off 100 rows: .* or X_val and y_val"
    with pytest.raises(ValueError, match=message):
        quick(early_stopping=True).fit(X, np.r_[2, y[1:]])


def test_a_validation_set_may_lack_a_class(three_blobs):
    X, y = three_blobs
    one = y == "ash"
    quick(early_stopping=True).fit(X, y, X_val=X[one], y_val=y[one])


@pytest.mark.parametrize("seed", range(5))
def test_a_label_that_is_always_there_stops_nothing_later(moons, seed):
    X, y = moons
    always = np.ones_like(y)
    random_state = np.random.RandomState(seed)
    w = random_state.uniform(0, 1, len(X))
    coins = np.c_[random_state.randint(2, size=len(X)), always]
    clf = TwoLayerSigmoidClassifier(early_stopping=True, random_state=0)
    clf.fit(X, np.c_[y, always], w, X_val=X, y_val=coins)
    assert clf.stop_reason_ == "early stopping"

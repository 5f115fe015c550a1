"""Early stopping, and the validation set."""

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss, recall_score
from sklearn.model_selection import cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.fixes import parse_version

from tests.helpers import LECTURE, SOLVER_SETTINGS, assert_same_fit, assert_same_weights, make_clf
from two_layer_sigmoid import TwoLayerSigmoidClassifier


@pytest.fixture
def unbalanced():
    """97 % of one class, with overlap."""
    random_state = np.random.RandomState(0)
    y = (np.arange(1000) % 33 == 0).astype(int)
    return random_state.standard_normal((1000, 2)) + 1.5 * y[:, np.newaxis], y


@pytest.mark.parametrize("setting", SOLVER_SETTINGS)
@pytest.mark.filterwarnings("ignore:Training by L-BFGS ran out of iterations")
def test_early_stopping_keeps_the_best_weights(moons, setting):
    X, y = moons
    labels = np.array(["lower", "upper"])[y]
    w_val = np.linspace(0, 1, 500)
    clf = make_clf(**setting | {"early_stopping": True, "max_iter": 2000, "alpha": 0})
    clf.fit(
        X[:150], labels[:150], X_val=X[500:1000], y_val=labels[500:1000], sample_weight_val=w_val
    )
    best = log_loss(labels[500:1000], clf.predict_proba(X[500:1000]), sample_weight=w_val)
    assert best <= min(clf.validation_loss_curve_) * (1 + 1e-12)
    if clf.stop_reason_ == "early_stopping":
        at = int(np.argmin(clf.validation_loss_curve_))
        assert clf.n_iter_ - at == 10
        assert_allclose(best, clf.validation_loss_curve_[at], rtol=1e-12)
        if "batch_size" not in setting:
            assert clf.loss_ == clf.loss_curve_[at]
    else:
        assert setting in ({}, LECTURE)  # gradient descent is slow
    assert_allclose(clf.loss_, log_loss(labels[:150], clf.predict_proba(X[:150])), rtol=1e-12)


def test_validation_curve_is_the_validation_log_loss(small_moons):
    X, y = small_moons
    X_val, y_val = X[::3], y[::3]
    clf = make_clf(early_stopping=True, max_iter=5).fit(X, y, X_val=X_val, y_val=y_val)
    for i in range(5):
        shorter = make_clf(max_iter=i or 1).fit(X, y)
        if i:
            expected = log_loss(y_val, shorter.predict_proba(X_val))
            assert_allclose(clf.validation_loss_curve_[i], expected, rtol=1e-12)


def test_class_weight_applies_to_validation(unbalanced):
    X, y = unbalanced
    weights = np.where(y, 33.0, 1.0)
    sets = {"X_val": X[::2], "y_val": y[::2]}
    by_class = make_clf(early_stopping=True, class_weight={0: 1, 1: 33}).fit(X, y, **sets)
    by_row = make_clf(early_stopping=True).fit(
        X, y, sample_weight=weights, **sets, sample_weight_val=weights[::2]
    )
    assert_allclose(by_class.validation_loss_curve_, by_row.validation_loss_curve_, rtol=1e-10)
    balanced = make_clf(early_stopping=True, class_weight="balanced").fit(X, y, **sets)
    rates = np.bincount(y) / len(y)
    by_hand = make_clf(early_stopping=True).fit(
        X, y, sample_weight=0.5 / rates[y], **sets, sample_weight_val=1 / rates[y[::2]]
    )
    assert_allclose(balanced.validation_loss_curve_, by_hand.validation_loss_curve_, rtol=1e-10)


@pytest.mark.parametrize("solver", ["gd", "lbfgs"])
def test_early_stopping_learns_the_rare_class(unbalanced, solver):
    X, y = unbalanced
    clf = TwoLayerSigmoidClassifier(early_stopping=True, solver=solver, random_state=0).fit(X, y)
    assert recall_score(y, clf.predict(X)) > 0.1
    by_accuracy = MLPClassifier(early_stopping=True, activation="logistic", random_state=0)
    assert recall_score(y, by_accuracy.fit(X, y).predict(X)) == 0


def test_early_stopping_does_not_end_on_plateau(lecture):
    X, y = lecture
    clf = make_clf(**LECTURE, n_h=2, early_stopping=True, max_iter=3000).fit(X, y)
    assert clf.loss_ < 0.3
    assert clf.n_iter_ > 300  # it is longer than that on the plateau at ln 2


def test_early_stopping_supports_multilabel(three_blobs):
    X, _ = three_blobs
    Y = (X @ [[1, 0, 1], [0, 1, 1]] > 0).astype(int)
    clf = make_clf(early_stopping=True).fit(X, Y)
    assert len(clf.validation_loss_curve_) == clf.n_iter_
    make_clf(early_stopping=True).fit(X, Y, X_val=X[:9], y_val=Y[:9])


def test_early_stopping_accepts_object_labels(three_blobs):
    X, y = three_blobs
    clf = make_clf(early_stopping=True).fit(X, y.astype(object))
    assert_same_weights(clf, make_clf(early_stopping=True).fit(X, y))
    assert len(clf.validation_loss_curve_) == clf.n_iter_
    assert np.isfinite(clf.validation_loss_curve_).all()


def test_early_stopping_in_cross_validation(small_moons):
    X, y = small_moons
    assert cross_val_score(make_clf(early_stopping=True, max_iter=3000), X, y, cv=3).mean() > 0.8


@pytest.mark.parametrize("seed", range(2))
def test_constant_label_does_not_disable_early_stopping(moons, seed):
    X, y = moons
    always = np.ones_like(y)
    random_state = np.random.RandomState(seed)
    w = random_state.uniform(0, 1, len(X))
    coins = np.c_[random_state.randint(2, size=len(X)), always]
    clf = TwoLayerSigmoidClassifier(early_stopping=True, random_state=0)
    clf.fit(X, np.c_[y, always], w, X_val=X, y_val=coins)
    assert clf.stop_reason_ == "early_stopping"


def test_refit_drops_the_validation_curve(small_moons):
    clf = make_clf(early_stopping=True).fit(*small_moons)
    assert clf.validation_loss_curve_ is not None
    clf.set_params(early_stopping=False).fit(*small_moons)
    assert clf.validation_loss_curve_ is None
    assert_same_fit(clf, make_clf().fit(*small_moons))


@pytest.mark.parametrize("batch_size", [90, 1000])
def test_batch_can_exceed_the_training_split(small_moons, batch_size):
    full = make_clf(early_stopping=True).fit(*small_moons)  # 90 rows to train on
    clf = make_clf(early_stopping=True, batch_size=batch_size).fit(*small_moons)
    assert_same_fit(clf, full)


@pytest.mark.parametrize("batch_size", [None, 10])
@pytest.mark.parametrize("rate", [1e4, 1e300])
def test_divergence_keeps_the_best_validated_weights(small_moons, rate, batch_size):
    X, y = small_moons
    clf = make_clf(learning_rate=rate, early_stopping=True, alpha=1e-3, n_iter_no_change=1000)
    clf.set_params(batch_size=batch_size, max_iter=1000)
    with pytest.warns(ConvergenceWarning, match="diverged"):
        clf.fit(X, y, X_val=X, y_val=y)
    assert clf.stop_reason_ == "diverged"
    assert np.isfinite(clf.validation_loss_curve_).all()
    best = log_loss(y, clf.predict_proba(X))
    assert best == pytest.approx(min(clf.validation_loss_curve_), rel=1e-9)


# Patience


def flipped(X, y):
    """A validation set that gets worse with all that is learned."""
    return {"X_val": X, "y_val": 1 - y}


@pytest.mark.filterwarnings("ignore:Training ended on the plateau")  # the best is at the start
@pytest.mark.parametrize("n", [1, 20])
def test_patience_does_not_count_the_plateau(small_moons, n):
    X, y = small_moons
    clf = make_clf(n_h=2, early_stopping=True, n_iter_no_change=n, max_iter=300, alpha=0)
    clf.fit(X, y, **flipped(X, y))
    plateau = np.flatnonzero(np.array(clf.loss_curve_) >= 0.99 * np.log(2))
    assert len(plateau) > 1
    assert clf.stop_reason_ == "early_stopping"
    assert clf.n_iter_ == plateau[-1] + n
    assert np.argmin(clf.validation_loss_curve_) == 0


def test_patience_can_exceed_max_iter(small_moons):
    X, y = small_moons
    clf = make_clf(early_stopping=True, n_iter_no_change=10**9)
    with pytest.warns(ConvergenceWarning, match="Training ended"):  # the best is at the start
        clf.fit(X, y, **flipped(X, y))
    assert (clf.n_iter_, clf.stop_reason_) == (50, "max_iter")
    best = min(clf.validation_loss_curve_)
    assert log_loss(1 - y, clf.predict_proba(X)) == pytest.approx(best, rel=1e-12)
    with pytest.raises(ValueError, match=r"'n_iter_no_change' parameter .* Got inf"):
        clf.set_params(n_iter_no_change=np.inf).fit(X, y)


# The split


def test_validation_split_keeps_classes_and_weights(unbalanced):
    X, y = unbalanced
    seen = {}  # by number of rows: X, Y and weights

    class Recorded(TwoLayerSigmoidClassifier):
        def _forward(self, X, params, **options):
            self.last_X = X
            return super()._forward(X, params, **options)

        def _cost(self, cache, Y, **options):
            seen[Y.shape[1]] = self.last_X.T, Y[0], options["weights"]
            return super()._cost(cache, Y, **options)

    w = 1 + X[:, 0] ** 2
    params = {"validation_fraction": 0.2, "max_iter": 20, "random_state": 0}
    Recorded(early_stopping=True, **params).fit(X, y, sample_weight=w)
    assert seen.keys() == {800, 200}
    assert seen[200][1].sum() == pytest.approx(y.sum() / 5, abs=1)
    for X_part, _, weights in seen.values():
        assert_allclose(weights, (1 + X_part[:, 0] ** 2) / w.sum())
    assert_array_equal(np.sort(np.r_[seen[800][0], seen[200][0]], axis=0), np.sort(X, axis=0))


def test_validation_split_has_every_class(three_blobs):
    X, y = three_blobs
    assert make_clf(early_stopping=True, validation_fraction=0.01).fit(X, y).n_iter_ > 0


def test_two_rows_cannot_be_split():
    with pytest.raises(ValueError, match=r"validation_fraction=0\.1 cannot be split off 2 rows"):
        make_clf(early_stopping=True).fit([[3, 2], [1, 6]], [1, 0])


def test_split_of_a_single_row_is_refused(small_moons):
    X, y = small_moons
    message = r"validation_fraction=0.1 cannot be split off 100 rows: .* or X_val and y_val"
    with pytest.raises(ValueError, match=message):
        make_clf(early_stopping=True).fit(X, np.r_[2, y[1:]])


@pytest.mark.skipif(
    parse_version(sklearn.__version__) < parse_version("1.8"),
    reason="earlier versions of scikit-learn do not name the class",
)
@pytest.mark.parametrize("labels", [["ash", "birch", "cedar"], [3, 5, 8]])
def test_class_too_small_to_split_is_named(small_moons, labels):
    X, y = small_moons
    rare = np.array(labels)[np.r_[2, y[1:]]]
    with pytest.raises(ValueError, match=rf"cannot be split off 100 rows: .*\[{labels[2]!r}\]"):
        make_clf(early_stopping=True).fit(X, rare)


def test_split_without_training_rows_is_refused(small_moons):
    X, _ = small_moons
    y = (np.arange(100) < 2).astype(int)
    message = "validation_fraction=0.9 of 100 rows leaves a class without a row to train on"

    def split_in_many_ways():
        for seed in range(20):
            make_clf(early_stopping=True, validation_fraction=0.9, random_state=seed).fit(X, y)

    with pytest.raises(ValueError, match=message):
        split_in_many_ways()


# Given validation sets


def test_validation_set_in_a_pipeline(small_moons):
    X, y = small_moons
    X = 100 * X + 7
    sets = {"X_val": X[:40], "y_val": y[:40], "sample_weight_val": np.linspace(1, 2, 40)}
    by_hand = StandardScaler().fit(X)
    expected = make_clf(early_stopping=True).fit(
        by_hand.transform(X), y, **sets | {"X_val": by_hand.transform(X[:40])}
    )
    with sklearn.config_context(enable_metadata_routing=True):
        clf = make_clf(early_stopping=True).set_fit_request(
            X_val=True, y_val=True, sample_weight_val=True, sample_weight=False
        )
        pipeline = Pipeline(
            [("scale", StandardScaler()), ("clf", clf)], transform_input=["X_val"]
        ).fit(X, y, **sets)
    assert_array_equal(pipeline[-1].validation_loss_curve_, expected.validation_loss_curve_)
    assert_same_weights(pipeline[-1], expected)


def test_validation_set_can_lack_a_class(three_blobs):
    X, y = three_blobs
    one = y == "ash"
    make_clf(early_stopping=True).fit(X, y, X_val=X[one], y_val=y[one])


SET = {"X_val": np.zeros((4, 2)), "y_val": np.array([0, 1, 0, 1])}


@pytest.mark.parametrize(
    ("early_stopping", "given", "message"),
    [
        (True, {"X_val": SET["X_val"]}, "X_val and y_val go together"),
        (True, {"y_val": SET["y_val"]}, "X_val and y_val go together"),
        (True, {"sample_weight_val": np.ones(4)}, "sample_weight_val needs X_val and y_val"),
        (False, SET, "early_stopping=False does not use X_val .* early_stopping=True"),
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
def test_bad_validation_sets_are_refused(small_moons, early_stopping, given, message):
    clf = make_clf(early_stopping=early_stopping)
    before = vars(clf).copy()
    with pytest.raises(ValueError, match=message):
        clf.fit(*small_moons, **given)
    assert vars(clf) == before

"""The estimator with nothing to tune."""

import gc
import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import sklearn
from joblib import parallel_config
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_iris, make_blobs, make_moons
from sklearn.metrics import log_loss
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    PredefinedSplit,
    ShuffleSplit,
    TimeSeriesSplit,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from two_layer_sigmoid import (
    TwoLayerSigmoidClassifier,
    TwoLayerSigmoidClassifierCV,
    _cross_validation,
    _network,
)
from two_layer_sigmoid._targets import Targets
from two_layer_sigmoid._training import Fit

X, Y = make_moons(120, noise=0.3, random_state=0)
IRIS = load_iris(return_X_y=True)


def make_cv(**params):
    """An estimator for fast tests."""
    return TwoLayerSigmoidClassifierCV(**{"n_h": 4, "cv": 3, "random_state": 0} | params)


def network(clf):
    return _network.Parameters(clf.W1_, clf.b1_, clf.W2_, clf.b2_)


# The search would go on to penalties so weak that the minimum is flat: rounding then moves it.
@parametrize_with_checks([make_cv(alphas=[1e-3, 1e-2])])
@pytest.mark.filterwarnings("ignore:y holds only one class:UserWarning")
@pytest.mark.filterwarnings("ignore:Folds of cv are left out:UserWarning")
def test_check_of_scikit_learn(estimator, check):
    check(estimator)


COUNTS_ROWS = {
    f"check_sample_weight_equivalence_on_{kind}_data": "the held-out loss adds half a row to the "
    "rows, because the scale of the weights must not matter"
    for kind in ("dense", "sparse")
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:y holds only one class:UserWarning")
@parametrize_with_checks(
    [TwoLayerSigmoidClassifierCV()], expected_failed_checks=lambda estimator: COUNTS_ROWS
)
def test_check_of_scikit_learn_by_default(estimator, check):
    check(estimator)


# The network


@pytest.mark.parametrize("data", [(X, Y), IRIS], ids=["two classes", "three classes"])
def test_held_out_logits_are_those_of_members(data):
    X, y = data
    fold = np.arange(len(y)) % 3
    clf = make_cv(alphas=[0.01], cv=PredefinedSplit(fold), max_iter=1000).fit(X, y)
    seeds = np.random.RandomState(0).randint(np.iinfo(np.int32).max, size=3)
    logits, members = [], []
    for k, seed in enumerate(seeds):
        member = TwoLayerSigmoidClassifier(
            4, solver="lbfgs", alpha=0.01, max_iter=clf.max_iter, random_state=seed
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # out of iterations
            members.append(network(member.fit(X[fold != k], y[fold != k])))
        assert_allclose(clf.held_out_logits_[fold == k], member.decision_function(X[fold == k]))
        logits.append(member.decision_function(X))
    assert_allclose(clf.decision_function(X), np.mean(logits, axis=0), rtol=1e-10)
    W1, b1, W2, b2 = zip(*members, strict=True)
    stacked = np.vstack(W1), np.vstack(b1), np.hstack(W2) / 3, np.mean(b2, axis=0)
    for ours, expected in zip(network(clf), stacked, strict=True):
        assert_allclose(ours, expected, rtol=1e-10)
    assert (clf.n_members_, clf.W1_.shape) == (3, (12, X.shape[1]))


@pytest.mark.parametrize("weights", [None, np.arange(len(Y)) % 3], ids=["equal", "weighted"])
def test_held_out_loss_adds_half_a_wrong_row(weights):
    clf = make_cv().fit(X, Y, weights)
    P = 1 / (1 + np.exp(-clf.held_out_logits_))
    right, wrong = (log_loss(y, P, sample_weight=weights) for y in (Y, 1 - Y))
    m = len(Y) if weights is None else np.count_nonzero(weights)
    assert clf.held_out_loss_ == pytest.approx((m * right + wrong / 2) / (m + 1 / 2))
    assert clf.held_out_loss_ == clf.held_out_losses_.min()
    assert clf.alpha_ == clf.alphas_[clf.held_out_losses_.argmin()]
    assert (np.diff(clf.alphas_) > 0).all()


def test_held_out_loss_of_several_classes_is_normalised():
    features, y = IRIS
    clf = make_cv().fit(features, y)
    P = clf._targets.probabilities(clf.held_out_logits_)
    right, *wrong = (log_loss((y + k) % 3, P) for k in range(3))
    expected = (len(y) * right + np.mean(wrong) / 2) / (len(y) + 1 / 2)
    assert clf.held_out_loss_ == pytest.approx(expected, rel=1e-9)


def test_rows_never_held_out_have_no_logits():
    cv = ShuffleSplit(2, test_size=0.2, random_state=0)
    clf = make_cv(cv=cv).fit(X, Y)
    held_out = np.unique(np.concatenate([test for _, test in cv.split(X)]))
    assert_array_equal(np.flatnonzero(np.isfinite(clf.held_out_logits_)), held_out)


# The search


def test_search_starts_at_one_over_the_rows():
    clf = make_cv(verbose=1).fit(X, Y)
    assert np.isclose(clf.alphas_ * len(Y), 1).any()
    assert_allclose(clf.alphas_[1:] / clf.alphas_[:-1], np.sqrt(10))
    best = clf.held_out_losses_.argmin()
    assert 0 < best < len(clf.alphas_) - 1  # both neighbours are worse


def test_search_finds_strong_penalties():
    random_state = np.random.RandomState(0)
    noise = random_state.standard_normal((60, 5))
    y = random_state.permutation(np.repeat([0, 1], 30))
    clf = make_cv().fit(noise, y)
    assert clf.alpha_ * len(y) > 10
    assert clf.held_out_loss_ < 0.75  # the weakest penalties have several times that


def test_given_penalties_are_all_tried():
    clf = make_cv(alphas=[1e-3, 1e-1, 1e-2]).fit(X, Y)
    assert_array_equal(clf.alphas_, [1e-3, 1e-2, 1e-1])
    assert len(clf.held_out_losses_) == 3


def test_verbose_prints_each_penalty(capsys):
    clf = make_cv(alphas=[1e-2, 1e-3], verbose=1).fit(X, Y)
    strong, weak, *rounds = capsys.readouterr().out.splitlines()
    assert strong == f"alpha 0.01: held-out loss {clf.held_out_losses_[1]:.6f}"
    assert weak.startswith("alpha 0.001: ")
    assert all(line.startswith(f"alpha {clf.alpha_:.3g}: ") for line in rounds)


@pytest.mark.parametrize("n_jobs", [2, pytest.param(-1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("alphas", [None, [0.01, 0.001]])
def test_jobs_do_not_change_the_result(n_jobs, alphas):
    one, other = (make_cv(alphas=alphas, n_jobs=n).fit(X, Y) for n in (None, n_jobs))
    assert_array_equal(one.alphas_, other.alphas_)
    for name in "W1_", "b1_", "W2_", "b2_", "held_out_losses_", "held_out_logits_":
        assert_array_equal(getattr(one, name), getattr(other, name))


def test_folds_do_not_get_an_earlier_fit():
    clf = make_cv(alphas=[0.01]).fit(X, Y)
    assert not [name for name in vars(clf._member(0.01, len(Y), 1)) if name.endswith("_")]


# Folds


@pytest.mark.parametrize(("m", "n_splits"), [(2, 2), (3, 2), (4, 4), (100, 4)])
def test_rows_choose_the_number_of_folds(m, n_splits):
    features, y = make_moons(m, random_state=0)
    clf = make_cv(cv=None, n_h=2, max_iter=2, alphas=[0.1]).fit(features, y)
    assert clf.n_members_ == n_splits


@pytest.mark.parametrize(
    ("m", "n_classes", "units"), [(1999, 4, 32), (2000, 4, 48), (100, 5, 48), (2000, 5, 64)]
)
def test_rows_and_outputs_choose_the_units(m, n_classes, units):
    features = np.random.RandomState(0).standard_normal((m, 2))
    clf = make_cv(n_h="auto", max_iter=1, alphas=[0.1]).fit(features, np.arange(m) % n_classes)
    assert len(clf.W1_) == 3 * units


def test_folds_can_lack_a_class():
    y = np.array(["oak", "fir", *["elm"] * 118])
    clf = make_cv(cv=None, max_iter=20).fit(X, y)
    P = clf.predict_proba(X)
    assert_array_equal(clf.classes_, ["elm", "fir", "oak"])
    assert_allclose(P.sum(axis=1), 1)
    assert np.isfinite(clf.held_out_loss_)


def test_groups_stay_together():
    groups = np.arange(120) // 10
    cv = GroupKFold(4)
    clf = make_cv(cv=cv, alphas=[0.01]).fit(X, Y, groups=groups)
    expected = make_cv(cv=list(cv.split(X, Y, groups)), alphas=[0.01]).fit(X, Y)
    assert_array_equal(clf.W1_, expected.W1_)
    with pytest.raises(ValueError, match="'groups' parameter should not be None"):
        make_cv(cv=cv).fit(X, Y)
    with pytest.raises(TypeError, match=r"unexpected arguments \['group'\]: give groups"):
        make_cv(cv=cv).fit(X, Y, group=groups)


def test_groups_need_a_splitter_of_groups():
    with pytest.raises(ValueError, match=r"cv=None does not use groups: .* GroupKFold"):
        make_cv(cv=None).fit(X, Y, groups=np.arange(120))


def test_rare_classes_are_spread_over_the_folds():
    y = np.repeat([0, 1, 2], [50, 47, 3])
    clf = make_cv(cv=None, alphas=[0.1], max_iter=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clf.fit(X[:100], y)
    rows = _cross_validation._Rows(X[:100], y, None, Targets(np.arange(3), False))
    folds, _ = clf._folds(rows, y, {}, np.random.RandomState(0))
    assert [len(held_out) for _, held_out in folds] == [25] * 4
    assert [np.isin(np.arange(97, 100), held_out).sum() for _, held_out in folds] in (
        [[k != j for k in range(4)] for j in range(4)]
    )


def test_fits_in_threads_leave_the_filters_of_warnings():
    y = np.repeat([0, 1, 2], [40, 38, 2])
    before = list(warnings.filters)
    with ThreadPoolExecutor(4) as pool:
        clf = make_cv(cv=None, alphas=[0.1], max_iter=1)
        list(pool.map(lambda _: clone(clf).fit(X[:80], y), range(100)))
    assert warnings.filters == before


def test_folds_of_one_class_are_left_out():
    late = X[:60], np.r_[np.zeros(10, int), 1, Y[11:60]]
    folds = list(TimeSeriesSplit(5).split(late[0]))  # the first trains on ten rows
    with pytest.warns(UserWarning, match="Folds of cv are left out, 1 of 5: their"):
        clf = make_cv(cv=folds, alphas=[0.01]).fit(*late)
    assert clf.n_members_ == 4
    expected = make_cv(cv=folds[1:], alphas=[0.01]).fit(*late).held_out_logits_
    assert_array_equal(clf.held_out_logits_[20:], expected[20:])
    assert_allclose(clf.held_out_logits_[10:20], np.log(0.5 / 10.5))  # no row of ten, by Jeffreys
    assert np.isnan(clf.held_out_logits_[:10]).all()
    with pytest.raises(ValueError, match="In all folds of cv the training rows have one class"):
        make_cv(cv=KFold(2)).fit(X, np.sort(Y))


def test_rows_of_folds_left_out_count_in_the_loss():
    groups = np.repeat(np.arange(4), 30)
    clf = make_cv(cv=GroupKFold(4), alphas=[1e-2])
    with pytest.warns(UserWarning, match="Folds of cv are left out, 1 of 4"):
        clf.fit(X, groups == 0, groups=groups)  # X tells nothing about the groups
    assert clf.n_members_ == 3
    assert clf.held_out_loss_ > log_loss(groups == 0, np.full(120, 0.25))


def test_output_is_averaged_over_networks_that_saw_its_class():
    y = np.repeat([0, 1, 2], 40)
    folds = [(np.arange(80), np.arange(80, 120)), (np.arange(0, 120, 2), np.arange(1, 120, 2))]
    clf = make_cv(cv=folds, alphas=[0.01]).fit(X, y)
    without, whole = np.split(clf.W2_, 2, axis=1)
    assert_array_equal(without[2], 0)
    assert (without[:2] != 0).all()
    assert (whole != 0).all()
    only = make_cv(cv=[folds[1]] * 2, alphas=[0.01])  # the second has the seed of the second here
    _, again = np.split(only.fit(X, y).W2_, 2, axis=1)
    assert_allclose(whole[2], 2 * again[2])
    assert_allclose(whole[:2], again[:2])


@pytest.mark.parametrize(
    ("cv", "weights"),
    [
        ([], None),
        ([(np.arange(120), [])], None),
        ([(np.arange(60), [60])], np.arange(120) != 60),
        ([(np.flatnonzero(Y), np.flatnonzero(Y == 0)), (np.arange(120), [])], None),
    ],
)
def test_folds_must_hold_rows_out(cv, weights):
    with pytest.raises(ValueError, match="cv holds out no row of positive weight"):
        make_cv(cv=cv).fit(X, Y, weights)


def test_generator_of_folds_is_routed():
    expected = make_cv(cv=KFold(3), alphas=[0.01]).fit(X, Y)
    with sklearn.config_context(enable_metadata_routing=True):
        clf = make_cv(cv=iter(KFold(3).split(X)), alphas=[0.01]).fit(X, Y, np.ones(120))
    assert_allclose(clf.W1_, expected.W1_)


def test_groups_and_weights_are_routed():
    groups, weights = np.arange(120) // 10, 1.0 + (Y == 1)
    clf = make_cv(cv=GroupKFold(4), alphas=[0.01])
    expected = clone(clf).fit(X, Y, weights, groups=groups)
    with sklearn.config_context(enable_metadata_routing=True):
        pipeline = make_pipeline(clone(clf).set_fit_request(sample_weight=True))
        pipeline.fit(X, Y, sample_weight=weights, groups=groups)
        assert_array_equal(pipeline[-1].W1_, expected.W1_)
        assert (
            clone(clf).fit(X, Y, weights, groups=groups).held_out_loss_ == expected.held_out_loss_
        )
        with pytest.raises(TypeError, match="got unexpected argument"):
            make_cv(cv=3).fit(X, Y, groups=groups)


# Weights


def test_rows_of_weight_zero_do_not_count():
    weights = np.where(np.arange(120) < 20, 0.0, 1.0)
    fold = np.arange(120) % 3
    clf = make_cv(cv=PredefinedSplit(fold)).fit(X, Y, weights)
    fewer = make_cv(cv=PredefinedSplit(fold[20:])).fit(X[20:], Y[20:])
    assert_allclose(clf.W1_, fewer.W1_, rtol=1e-7)
    assert_allclose(clf.held_out_losses_, fewer.held_out_losses_, rtol=1e-9)
    assert_allclose(clf.held_out_logits_[20:], fewer.held_out_logits_, rtol=1e-7)


def test_few_rows_are_not_predicted_by_a_constant():
    few, labels = make_blobs(4, centers=2, cluster_std=0.5, random_state=1)
    clf = TwoLayerSigmoidClassifierCV(random_state=0).fit(few, labels)
    assert clf.alpha_ < 0.1
    assert clf.score(few, labels) == 1


@pytest.mark.parametrize("scale", [2.0**-20, 2.0**10])  # exact
def test_unit_of_weights_changes_nothing(scale):
    weights = 1.0 + np.arange(120) % 2
    one, other = (make_cv().fit(X, Y, unit * weights) for unit in (1, scale))
    assert_array_equal(one.held_out_losses_, other.held_out_losses_)
    for ours, expected in zip(network(one), network(other), strict=True):
        assert_array_equal(ours, expected)
    assert (one.n_samples_seen_, other.n_samples_seen_) == (180, 180 * scale)


def test_class_weight_equals_sample_weight():
    one = make_cv(class_weight={0: 1, 1: 4}, max_iter=30).fit(X, Y)
    other = make_cv(max_iter=30).fit(X, Y, np.where(Y == 1, 4.0, 1.0))
    assert_allclose(one.held_out_losses_, other.held_out_losses_, rtol=1e-9)
    assert (one.predict(X) == 1).sum() > (make_cv(max_iter=30).fit(X, Y).predict(X) == 1).sum()


# Input of many kinds


def test_sparse_rows_equal_dense_rows():
    dense, csr = (make_cv(max_iter=10).fit(rows, Y) for rows in (X, sparse.csr_array(X)))
    assert_allclose(dense.held_out_losses_, csr.held_out_losses_, rtol=1e-6)


def test_float32_weights_stay_float32():
    clf = make_cv(max_iter=20).fit(X.astype(np.float32), Y)
    assert clf.W1_.dtype == clf.predict_proba(X.astype(np.float32)).dtype == np.float32
    assert_allclose(
        clf.predict_proba(X), make_cv(max_iter=20).fit(X, Y).predict_proba(X), atol=0.02
    )


def test_multilabel_targets_have_an_output_each():
    labels = np.c_[Y, X[:, 0] > 0].astype(int)
    clf = make_cv().fit(X, labels)
    assert clf.held_out_logits_.shape == labels.shape == clf.predict(X).shape
    assert clf.score(X, labels) > 0.8


def test_names_of_features_are_kept():
    pd = pytest.importorskip("pandas")
    clf = make_cv(max_iter=10).fit(pd.DataFrame(X, columns=["a", "b"]), Y)
    assert_array_equal(clf.feature_names_in_, ["a", "b"])
    assert not hasattr(clf.fit(X, Y), "feature_names_in_")


def test_search_and_pipelines_accept_the_estimator():
    pipeline = make_pipeline(StandardScaler(), make_cv(max_iter=20))
    assert cross_val_score(pipeline, X, Y, cv=2).mean() > 0.75
    search = GridSearchCV(make_cv(max_iter=20), {"n_h": [2, 4]}, cv=2).fit(X, Y)
    assert search.best_params_["n_h"] in (2, 4)


# Errors, Ctrl-C and callbacks


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"alphas": []}, r"alphas must be finite, non-negative numbers or None, got \[\]"),
        ({"alphas": [0.1, -1]}, "alphas must be finite, non-negative numbers"),
        ({"alphas": [np.nan]}, "alphas must be finite, non-negative numbers"),
        ({"alphas": ["a"]}, "alphas must be finite, non-negative numbers"),
        ({"n_jobs": 0}, "n_jobs=0 is not a number of jobs"),
        ({"n_h": "many"}, "'n_h' parameter"),
        ({"max_iter": 0}, "'max_iter' parameter"),
        ({"cv": 200}, "n_splits=200"),
    ],
)
def test_bad_parameters_leave_an_earlier_fit(params, message):
    clf = make_cv(max_iter=5).fit(X, Y)
    before = clf.W1_.copy()
    with pytest.raises(ValueError, match=message):
        clf.set_params(**params).fit(X, Y)
    assert_array_equal(clf.W1_, before)


def test_one_row_cannot_be_split():
    with pytest.raises(ValueError, match="holds only one class"):
        make_cv(cv=None).fit(X[:1], Y[:1])


def test_ctrl_c_keeps_the_best_penalty_so_far():
    class Interrupted(TwoLayerSigmoidClassifierCV):
        at = None

        def _cost(self, cache, Y, **options):
            if self.alpha == self.at:  # the class's, because fit trains copies
                raise KeyboardInterrupt
            return super()._cost(cache, Y, **options)

    whole = Interrupted(4, cv=3, random_state=0, alphas=[0.1, 0.01, 0.001]).fit(X, Y)
    clf, early = clone(whole), clone(whole)
    Interrupted.at = 0.001
    with pytest.raises(KeyboardInterrupt):
        clf.fit(X, Y)
    assert clf.stop_reason_ == "interrupted"
    assert_array_equal(clf.alphas_, [0.01, 0.1])
    assert_array_equal(clf.held_out_losses_, whole.held_out_losses_[1:])
    assert clf.predict(X).shape == Y.shape
    Interrupted.at = 0.1
    with pytest.raises(KeyboardInterrupt):
        early.fit(X, Y)
    assert not hasattr(early, "W1_")


def test_chosen_networks_are_trained_on():
    short, whole = (make_cv(alphas=[1e-3], max_iter=n).fit(X, Y) for n in (20, 1000))
    assert short.n_iter_ >= 3 * 20
    assert short.held_out_loss_ == pytest.approx(whole.held_out_loss_, rel=0.03)
    assert_array_equal(short.alphas_, [1e-3])
    overfitting = make_cv(alphas=[1e-5], max_iter=20).fit(X, Y)
    assert overfitting.n_iter_ == 20  # the round that raised the loss is not kept


def test_ctrl_c_in_a_later_round_keeps_the_round_before():
    class Interrupted(TwoLayerSigmoidClassifierCV):
        n_calls, n_calls_left = 0, np.inf

        def _cost(self, cache, Y, **options):
            type(self).n_calls += 1
            if self.n_calls > self.n_calls_left:
                raise KeyboardInterrupt
            return super()._cost(cache, Y, **options)

    clf = Interrupted(4, cv=3, random_state=0, alphas=[1e-3], max_iter=5).fit(X, Y)
    whole, n_calls = clf.held_out_loss_, Interrupted.n_calls
    Interrupted.n_calls, Interrupted.n_calls_left = 0, n_calls - 5
    with pytest.raises(KeyboardInterrupt):
        clf.fit(X, Y)
    assert (clf.stop_reason_, clf.held_out_loss_) == ("interrupted", whole)


class Recorder:
    """A callback that keeps the tasks and their estimators, and stops after some of a name."""

    def __init__(self, stop_after=99, name="iteration"):
        self.stop_after, self.name = stop_after, name
        self.tasks, self.fitted = [], []

    def setup(self, estimator, context):
        pass

    teardown = on_fit_task_begin = setup

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        self.tasks.append(context.task_name)
        if context.task_name == "iteration":
            self.fitted.append(fitted_estimator)
        return self.tasks.count(self.name) >= self.stop_after


@pytest.fixture
def callbacks():
    return pytest.importorskip("sklearn.callback", reason="scikit-learn has them from 1.9 on")


@pytest.mark.usefixtures("callbacks")
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_callbacks_have_a_task_for_each_penalty_and_fold(n_jobs):
    recorder = Recorder()
    clf = make_cv(alphas=[0.1, 0.01], n_jobs=n_jobs).set_callbacks(recorder).fit(X, Y)
    assert [len(fitted.alphas_) for fitted in recorder.fitted] == [1, 2, 2]  # and a round
    assert_array_equal(recorder.fitted[-1].predict(X), clf.predict(X))
    assert recorder.tasks == 3 * [*clf.n_members_ * ["fold"], "iteration"] + ["fit"]


@pytest.mark.usefixtures("callbacks")
@pytest.mark.parametrize("name", ["iteration", "fold"])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_callback_ends_the_search_after_a_penalty(n_jobs, name):
    clf = make_cv(alphas=[0.1, 0.01], n_jobs=n_jobs)
    clf.set_callbacks(Recorder(stop_after=1, name=name)).fit(X, Y)
    assert (clf.stop_reason_, len(clf.alphas_)) == ("callback", 1)


def test_scoring_monitor_scores_each_penalty(callbacks):
    monitor = callbacks.ScoringMonitor(scoring="neg_log_loss")
    clf = make_cv(alphas=[0.1, 0.01]).set_callbacks(monitor).fit(X, Y)
    scores = {row["task_id_path"]: row["neg_log_loss"] for row in monitor.get_logs().data}
    assert set(scores) == {(0,), (0, 0), (0, 1), (0, 2)}  # fit, two penalties and a round
    assert scores[0,] == scores[0, 2] == pytest.approx(-log_loss(Y, clf.predict_proba(X)))


# What other parts of the package make of it


def test_only_the_best_networks_are_kept():
    n_fits = []

    class Counted(TwoLayerSigmoidClassifierCV):
        def _initialize_parameters(self, *sizes, **options):
            n_fits.append(sum(type(o) is Fit for o in gc.get_objects()))
            return super()._initialize_parameters(*sizes, **options)

    Counted(4, cv=3, random_state=0, alphas=np.geomspace(1e-3, 1, 9), max_iter=3).fit(X, Y)
    assert len(n_fits) == 27
    assert max(n_fits) <= 3 * 3


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_backend_without_generators_finds_the_same(n_jobs):
    expected = make_cv(alphas=[0.01, 0.1]).fit(X, Y)
    with parallel_config(backend="multiprocessing"):
        clf = make_cv(alphas=[0.01, 0.1], n_jobs=n_jobs).fit(X, Y)
    assert_array_equal(clf.W1_, expected.W1_)


def test_features_too_small_for_float32_are_refused():
    with pytest.raises(ValueError, match="too large or too small for float32"):
        make_cv(alphas=[0.01]).fit((X * 1e-40).astype("float32"), Y)


@pytest.mark.parametrize(
    ("features", "weights", "message"),
    [
        (X, Y, "y holds only one class, 1, in the rows of positive weight"),
        ((X + 1e6).astype("float32"), None, "Features of X lose precision in float32"),
    ],
    ids=["weights", "offset"],
)
def test_bad_data_warn(features, weights, message):
    with pytest.warns(UserWarning, match=message):
        make_cv(alphas=[0.01]).fit(features, Y, weights)


def test_huge_weights_equal_small_ones():
    large, small = (make_cv(alphas=[0.01]).fit(X, Y, w * (1.0 + Y)) for w in (1e306, 1.0))
    assert large.held_out_loss_ == pytest.approx(small.held_out_loss_)


def test_pickled_estimator_predicts_the_same():
    clf = make_cv(max_iter=10).fit(X, Y)
    assert_array_equal(pickle.loads(pickle.dumps(clf)).predict_proba(X), clf.predict_proba(X))


def test_exported_average_equals_the_estimator():
    export = pytest.importorskip("two_layer_sigmoid.export")
    runtime = pytest.importorskip("onnxruntime", reason="needs onnxruntime")
    pytest.importorskip("skl2onnx", reason="needs the extra onnx")
    for clf in make_cv(max_iter=10).fit(X, Y), make_pipeline(StandardScaler(), make_cv()).fit(X, Y):
        model = export.to_onnx(clf).SerializeToString()
        labels, P = runtime.InferenceSession(model).run(None, {"X": X})
        assert_array_equal(labels, clf.predict(X))
        assert_allclose(P, clf.predict_proba(X), rtol=1e-10)


def test_displays_draw_the_average():
    plotting = pytest.importorskip("two_layer_sigmoid.plotting", reason="needs Matplotlib")
    plt = pytest.importorskip("matplotlib.pyplot")
    clf = make_cv(max_iter=10).fit(X, Y)
    plotting.HiddenUnitsDisplay.from_estimator(clf, X)
    plotting.NetworkDisplay.from_estimator(clf)
    display = plotting.RegularizationPathDisplay.from_estimator(clf)
    assert_array_equal(display.held_out_line_.get_ydata(), clf.held_out_losses_)
    with pytest.raises(TypeError, match="LossCurveDisplay needs one training"):
        plotting.LossCurveDisplay.from_estimator(clf)
    plt.close("all")


# Quality


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.15, 0.5])
def test_estimate_of_the_loss_is_honest(noise):
    estimates, losses, single = [], [], []
    X_new, y_new = make_moons(5000, noise=noise, random_state=99)
    for seed in range(5):
        features, y = make_moons(150, noise=noise, random_state=seed)
        clf = TwoLayerSigmoidClassifierCV(random_state=seed).fit(features, y)
        one = TwoLayerSigmoidClassifier(random_state=seed).fit(features, y)
        estimates.append(clf.held_out_loss_)
        losses.append(log_loss(y_new, clf.predict_proba(X_new)))
        single.append(log_loss(y_new, one.predict_proba(X_new)))
    assert np.mean(estimates) > 0.8 * np.mean(losses)
    if noise == 0.15:
        assert np.mean(losses) < 0.8 * np.mean(single)

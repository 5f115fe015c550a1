"""scikit-learn's callbacks."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from two_layer_sigmoid import TwoLayerSigmoidClassifier

callback = pytest.importorskip("sklearn.callback", reason="scikit-learn has them from 1.9 on")
SETTINGS = [{}, {"solver": "lbfgs"}, {"batch_size": 30}, {"early_stopping": True}]


def make_clf(**params):
    return TwoLayerSigmoidClassifier(**{"max_iter": 12, "random_state": 0, "alpha": 1e-3} | params)


class Recorder:
    """Records its calls and the fitted estimator of each iteration; may stop after some tasks."""

    def __init__(self, stop_after=np.inf):
        self.stop_after = stop_after
        self.calls, self.fitted = [], []
        self.n_set_up = self.n_torn_down = 0

    def setup(self, estimator, context):
        self.n_set_up += 1

    def teardown(self, estimator, context):
        self.n_torn_down += 1

    def on_fit_task_begin(self, estimator, context):
        self.calls.append(("begin", context.task_name, context.task_id))

    def on_fit_task_end(self, estimator, context, *, X, y, fitted_estimator):
        self.calls.append(("end", context.task_name, context.task_id))
        if context.task_name == "iteration":
            self.fitted.append(fitted_estimator)
        return sum(event == "end" for event, *_ in self.calls) >= self.stop_after


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.filterwarnings("ignore:Training ")
def test_one_task_for_each_update(small_moons, setting):
    X, y = small_moons
    recorder = Recorder()
    labels = np.array(["no", "yes"])[y]
    clf = make_clf(**setting).set_callbacks(recorder).fit(X, labels)
    iterations = [
        event for k in range(12) for event in [("begin", "iteration", k), ("end", "iteration", k)]
    ]
    assert recorder.calls == [("begin", "fit", 0), *iterations, ("end", "fit", 0)]
    assert (recorder.n_set_up, recorder.n_torn_down) == (1, 1)
    plain = make_clf(**setting).fit(X, labels)
    assert clf.loss_curve_ == plain.loss_curve_
    assert_array_equal(clf.W1_, plain.W1_)


@pytest.mark.filterwarnings("ignore:Training ")
@pytest.mark.parametrize("solver", ["gd", "lbfgs"])
def test_callbacks_see_the_current_weights(small_moons, solver):
    X, y = small_moons
    recorder = Recorder()
    make_clf(solver=solver, alpha=0).set_callbacks(recorder).fit(X, y)
    for k in 1, 5, 12:
        after = make_clf(solver=solver, alpha=0, max_iter=k).fit(X, y)
        assert_array_equal(recorder.fitted[k - 1].W1_, after.W1_)
        assert_array_equal(recorder.fitted[k - 1].predict_proba(X), after.predict_proba(X))


@pytest.mark.filterwarnings("ignore:Training ")
@pytest.mark.parametrize("setting", SETTINGS)
def test_callbacks_see_weights_for_raw_features(small_moons, setting):
    """The networks before two updates, for X and for features 100 times as large, predict alike."""
    X, y = small_moons
    seen = []
    for features in X, 100 * X + 7:
        recorder = Recorder()
        clf = make_clf(**setting).set_callbacks(recorder).fit(features, y)
        seen.append([fitted.predict_proba(features) for fitted in recorder.fitted])
        assert_array_equal(recorder.fitted[-1].mean_, clf.mean_)
    assert_allclose(seen[0][:3], seen[1][:3], rtol=1e-9)


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.filterwarnings("ignore:Training ")
def test_a_callback_can_stop_training(small_moons, setting):
    X, y = small_moons
    clf = make_clf(**setting).set_callbacks(Recorder(stop_after=5)).fit(X, y)
    assert (clf.stop_reason_, clf.n_iter_) == ("callback", 5)
    if not setting.get("early_stopping"):
        expected = make_clf(**setting, max_iter=5).fit(X, y)
        assert_array_equal(clf.W1_, expected.W1_)
        assert clf.loss_ == expected.loss_


def test_several_starts_number_tasks_consecutively(small_moons):
    recorder = Recorder()
    clf = make_clf(n_init=3).set_callbacks(recorder).fit(*small_moons)
    ends = [k for event, name, k in recorder.calls if (event, name) == ("end", "iteration")]
    assert ends == list(range(len(ends)))
    assert len(ends) == 3 * 3 + 2 * 3 + 6  # rungs to 3, 6 and 12
    stopped = make_clf(n_init=3).set_callbacks(Recorder(stop_after=4)).fit(*small_moons)
    assert stopped.stop_reason_ == "callback"
    assert clf.stop_reason_ == "max_iter"


@pytest.mark.filterwarnings("ignore:Training ended on the plateau")  # of the penalty
def test_a_callback_stops_all_starts(small_moons):
    X, y = small_moons
    options = {"solver": "lbfgs", "n_init": 2, "alpha": 0.1, "tol": 1e-3, "max_iter": 3000}
    first = make_clf(**options | {"n_init": 1}).fit(X, y)  # ends within its first rung
    recorder = Recorder(stop_after=first.n_iter_)
    clf = make_clf(**options).set_callbacks(recorder).fit(X, y)
    assert first.stop_reason_ == "converged"
    assert clf.stop_reason_ == "callback"
    assert clf.loss_ == first.loss_


def test_callbacks_are_torn_down_if_fit_fails(small_moons):
    X, y = small_moons

    class Failing(Recorder):
        def on_fit_task_end(self, estimator, context):
            raise ZeroDivisionError

    clf = make_clf().fit(X, y)
    before = clf.W1_.copy()
    recorder = Failing()
    with pytest.raises(ZeroDivisionError):
        clf.set_callbacks(recorder).fit(X, y)
    assert (recorder.n_set_up, recorder.n_torn_down) == (1, 1)
    assert_array_equal(clf.W1_, before)
    assert not hasattr(clf, "_callback_fit_ctx")


def test_partial_fit_has_one_task(small_moons):
    recorder = Recorder()
    make_clf().set_callbacks(recorder).partial_fit(*small_moons, classes=[0, 1])
    assert recorder.calls[1:3] == [("begin", "iteration", 0), ("end", "iteration", 0)]
    assert recorder.n_torn_down == 1


@pytest.mark.filterwarnings("ignore:Training ")
@pytest.mark.parametrize("setting", SETTINGS)
def test_scoring_monitor_logs_every_iteration(small_moons, setting):
    X, y = small_moons
    labels = np.array(["no", "yes"])[y]
    monitor = callback.ScoringMonitor(scoring="neg_log_loss")
    clf = make_clf(**setting | {"alpha": 0}).set_callbacks(monitor).fit(X, labels)
    rows = [row for row in monitor.get_logs().data if row["task_name"] == "iteration"]
    losses = [-row["neg_log_loss"] for row in rows]
    assert len(losses) == 12
    if setting in ({}, {"solver": "lbfgs"}):
        assert_allclose(losses, [*clf.loss_curve_[1:], clf.loss_], rtol=1e-10)


def test_scoring_monitor_gets_sample_weights(small_moons):
    X, y = small_moons
    w = np.linspace(0, 1, len(y))
    monitor = callback.ScoringMonitor(scoring="neg_log_loss")
    clf = make_clf(alpha=0).set_callbacks(monitor).fit(X, y, sample_weight=w)
    assert_allclose(-monitor.get_logs().data[-1]["neg_log_loss"], clf.loss_, rtol=1e-10)


@pytest.mark.parametrize("n_init", [1, 3])
def test_progress_bar_shows_the_fit(small_moons, n_init, capsys):
    pytest.importorskip("rich")
    X, y = small_moons
    pipeline = Pipeline([("scale", StandardScaler()), ("clf", make_clf(n_init=n_init))])
    for estimator in make_clf(n_init=n_init), pipeline:
        estimator.set_callbacks(callback.ProgressBar()).fit(X, y)
        assert "TwoLayerSigmoidClassifier - fit" in capsys.readouterr().out


@pytest.mark.slow
def test_callbacks_in_a_parallel_grid_search(small_moons):
    pytest.importorskip("rich")
    X, y = small_moons
    monitor = callback.ScoringMonitor(scoring="neg_log_loss")
    pipeline = Pipeline([("scale", StandardScaler()), ("clf", make_clf().set_callbacks(monitor))])
    search = GridSearchCV(pipeline, {"clf__n_h": [3, 4]}, cv=2, n_jobs=2)
    search.set_callbacks(callback.ProgressBar(max_propagation_depth=None)).fit(X, y)
    alone = GridSearchCV(clone(pipeline), {"clf__n_h": [3, 4]}, cv=2).fit(X, y)
    assert_array_equal(search.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"])
    runs = monitor.get_logs(select="all")
    n_scores = sum(row["task_name"] == "iteration" for run in runs for row in run.data)
    assert n_scores >= (2 * 2 + 1) * 12


def test_no_callbacks_create_no_context(small_moons):
    clf = make_clf()
    clf._init_callback_context = None  # calling it would fail
    assert clf.fit(*small_moons).n_iter_ == 12

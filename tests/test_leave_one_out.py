"""The approximate leave-one-out loss, and the penalty that it selects."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.datasets import make_blobs, make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss

from tests.helpers import STEPS, assert_same_weights, make_clf, penalty
from two_layer_sigmoid import TwoLayerSigmoidClassifier, _leave_one_out
from two_layer_sigmoid._blocks import BlockedData
from two_layer_sigmoid._leave_one_out import leave_one_out_loss
from two_layer_sigmoid._network import Parameters
from two_layer_sigmoid._objective import Objective

pytestmark = pytest.mark.filterwarnings("ignore:Training ")
X_MOONS, Y_MOONS = make_moons(60, noise=0.3, random_state=0)
X_BLOBS, Y_BLOBS = make_blobs(60, centers=[[-2, 0], [2, 0], [0, 3]], cluster_std=2, random_state=0)
TARGETS = {
    "two classes": (X_MOONS, Y_MOONS),
    "three classes": (X_BLOBS, Y_BLOBS),
    "multilabel": (X_BLOBS, (X_BLOBS @ [[1, 0], [0, 1]] + [0, -1] > 0).astype(int)),
}


def loo_clf(**params):
    return make_clf(**{"n_h": 3, "solver": "lbfgs", "alpha": "loo", "max_iter": 1000} | params)


def weights_of(clf):
    return clf.W1_, clf.b1_, clf.W2_, clf.b2_


def loss_of_objective(clf, X, y, weights=None):
    """The approximate leave-one-out loss of a fitted network."""
    targets = clf._targets
    data = BlockedData(X, targets.encode(targets.codes(y), float), weights, clf.n_h)
    scaling = None if clf.scale_ is None else (clf.mean_, clf.scale_)
    total = len(y) if weights is None else weights.sum()
    objective = Objective(data, **STEPS, total=total, alpha=clf.alpha_, scaling=scaling)
    params = objective.from_input_units(Parameters(*weights_of(clf)))
    return leave_one_out_loss(objective, objective.views(params.flat()), targets)[0]


def row_loss(clf, x, target):
    """The log loss of a row."""
    if clf._multilabel:
        p = clf.predict_proba(x)[0]
        return -np.log(np.where(target, p, 1 - p)).sum()
    return -clf.predict_log_proba(x)[0, target]


def exact_loss(clf, X, y):
    """The mean loss of the rows, each after training without it from the fitted weights."""
    losses = []
    for i in range(len(X)):
        kept = np.arange(len(X)) != i
        # The penalty and the means of all rows: the sum of the losses loses a term, nothing else.
        without = make_clf(
            n_h=clf.n_h,
            solver="lbfgs",
            standardize=False,
            alpha=clf.alpha_ * len(X) / (len(X) - 1),
            init=weights_of(clf),
            max_iter=1000,
        ).fit(X[kept], y[kept])
        losses.append(row_loss(without, X[[i]], y[i]))
    return np.mean(losses)


@pytest.mark.slow
@pytest.mark.parametrize("alpha", [0.02, 0.1])
@pytest.mark.parametrize("target", TARGETS)
def test_loss_is_close_to_exact_leave_one_out(target, alpha):
    X, y = TARGETS[target]
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    clf = loo_clf(alpha=alpha, standardize=False).fit(X, y)
    assert_allclose(loss_of_objective(clf, X, y), exact_loss(clf, X, y), rtol=0.05)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("alpha", [1e-3, 0.1])
@pytest.mark.parametrize("target", TARGETS)
def test_both_matrices_give_one_loss(target, alpha, weighted, monkeypatch):
    X, y = TARGETS[target]
    weights = np.linspace(0.2, 1, len(X)) if weighted else None
    clf = loo_clf(alpha=alpha).fit(X, y, weights)
    losses = []
    for name in "_leverages_by_rows", "_leverages_by_parameters":
        leverages = getattr(_leave_one_out, name)
        monkeypatch.setattr(_leave_one_out, "_leverages_by_rows", leverages)
        monkeypatch.setattr(_leave_one_out, "_leverages_by_parameters", leverages)
        losses.append(loss_of_objective(clf, X, y, weights))
        monkeypatch.undo()
    assert_allclose(losses[0], losses[1], rtol=1e-6)


def test_blocks_and_pieces_do_not_change_the_loss(request, monkeypatch):
    clf = loo_clf(alpha=0.1).fit(X_MOONS, Y_MOONS)
    expected = loss_of_objective(clf, X_MOONS, Y_MOONS)
    request.getfixturevalue("small_blocks")
    monkeypatch.setattr(_leave_one_out, "PIECE_BYTES", 1000)
    assert_allclose(loss_of_objective(clf, X_MOONS, Y_MOONS), expected, rtol=1e-10)
    assert_allclose(
        loss_of_objective(clf, sparse.csr_array(X_MOONS), Y_MOONS), expected, rtol=1e-10
    )


@pytest.mark.parametrize("target", TARGETS)
def test_rows_of_weight_0_are_not_left_out(target):
    X, y = TARGETS[target]
    rows = np.arange(len(X)) % 5 > 0
    weighted, fewer = loo_clf().fit(X, y, rows.astype(float)), loo_clf().fit(X[rows], y[rows])
    assert_same_weights(weighted, fewer)
    assert weighted.loo_loss_ == fewer.loo_loss_


def test_weights_count_in_the_loss():
    """A row of weight 2 is one row, left out with both."""
    weights = 1.0 + np.arange(60) % 2
    clf = loo_clf(alpha=0.1).fit(X_MOONS, Y_MOONS, weights)
    loss = loss_of_objective(clf, X_MOONS, Y_MOONS, weights)
    P = clf.predict_proba(X_MOONS)
    assert loss > log_loss(Y_MOONS, P, sample_weight=weights)
    assert_allclose(loss, loss_of_objective(clf, X_MOONS, Y_MOONS, 10 * weights), rtol=1e-12)


@pytest.mark.parametrize("target", TARGETS)
def test_path_has_the_selected_penalty(target):
    X, y = TARGETS[target]
    clf = loo_clf().fit(X, y)
    alpha, loo_loss, train_loss = (clf.loo_path_[k] for k in ("alpha", "loo_loss", "train_loss"))
    assert len(alpha) == len(loo_loss) == len(train_loss)
    assert (np.diff(alpha) > 0).all()
    several = target == "three classes"
    best = int(np.argmin(loo_loss + several * 0.5 * (loo_loss - train_loss)))
    assert (clf.alpha_, clf.loo_loss_) == (alpha[best], loo_loss[best])
    if several:  # of the normalised probabilities
        assert_allclose(train_loss[best], log_loss(y, clf.predict_proba(X)), rtol=1e-10)
    else:
        assert_allclose(clf.loss_, train_loss[best] + penalty(clf), rtol=1e-10)
    assert_allclose(clf.loo_loss_, loss_of_objective(clf, X, y), rtol=1e-6)
    assert (np.diff(train_loss) > -1e-6).all()  # a stronger penalty fits less closely
    assert clf.n_iter_ == len(clf.loss_curve_)


def test_loo_does_not_overfit():
    X, y = make_moons(1060, noise=0.4, random_state=0)
    losses = {
        alpha: log_loss(
            y[60:], loo_clf(n_h=8, alpha=alpha).fit(X[:60], y[:60]).predict_proba(X[60:])
        )
        for alpha in ("loo", 1e-5)
    }
    assert losses["loo"] < 0.5 < losses[1e-5]


@pytest.mark.slow
def test_size_is_refused_before_training():
    clf = loo_clf().fit(X_MOONS, Y_MOONS)
    before = vars(clf).copy()
    wide = np.random.RandomState(0).standard_normal((6000, 6000))
    with pytest.raises(
        ValueError, match=r"too expensive for 6000 rows, 6000 features, 1 output and"
    ):
        clf.fit(wide, np.arange(6000) % 2)
    assert vars(clf) == before


def test_matrix_size_is_the_smaller():
    assert _leave_one_out.matrix_size(1000, 4, 8, 2)[0] == 8 * 5 + 2 * 9
    assert _leave_one_out.matrix_size(10, 4, 8, 2)[0] == 20


class Interrupted(TwoLayerSigmoidClassifier):
    """Ctrl-C at a call of ``_cost``."""

    n_calls, last_call = 0, None

    def _cost(self, cache, Y, **weighting):
        self.n_calls += 1
        if self.n_calls == self.last_call:
            raise KeyboardInterrupt
        return super()._cost(cache, Y, **weighting)


@pytest.mark.parametrize("fraction", [0.02, 0.3, 0.9])
def test_ctrl_c_on_path_keeps_best_network(fraction):
    clf = Interrupted(**loo_clf().get_params())
    whole = clf.fit(X_MOONS, Y_MOONS).loo_path_
    n_calls = clf.n_calls
    clf = Interrupted(**loo_clf().get_params())
    clf.last_call = int(fraction * n_calls)
    with pytest.raises(KeyboardInterrupt):
        clf.fit(X_MOONS, Y_MOONS)
    assert clf.stop_reason_ == "interrupted"
    path = clf.loo_path_
    n = np.isfinite(path["loo_loss"]).sum()
    assert len(path["alpha"]) < len(whole["alpha"])
    assert_array_equal(path["loo_loss"][:n], whole["loo_loss"][:n])
    best = int(path["loo_loss"].argmin())
    assert (clf.alpha_, clf.loo_loss_) == (path["alpha"][best], path["loo_loss"][best])
    P = clf.predict_proba(X_MOONS)
    assert_allclose(clf.loss_, log_loss(Y_MOONS, P) + penalty(clf), rtol=1e-10)


def test_ctrl_c_in_last_estimate_keeps_loss(monkeypatch):
    """The last estimate is that of the selected network after complete training."""
    monkeypatch.setattr(_leave_one_out, "PATH_ITERS", 10)
    estimate, losses = _leave_one_out.leave_one_out_loss, []

    def noting(*arguments, **options):
        losses.append(estimate(*arguments, **options))
        return losses[-1]

    monkeypatch.setattr(_leave_one_out, "leave_one_out_loss", noting)
    whole = loo_clf().fit(X_MOONS, Y_MOONS)
    n_penalties = len(whole.loo_path_["alpha"])
    assert len(losses) == n_penalties + 1
    assert whole.n_iter_ > 10
    assert whole.loo_loss_ == losses[-1][0]

    def interrupted(*arguments, **options):
        if len(losses) == n_penalties:
            raise KeyboardInterrupt
        return noting(*arguments, **options)

    losses.clear()
    monkeypatch.setattr(_leave_one_out, "leave_one_out_loss", interrupted)
    clf = loo_clf()
    with pytest.raises(KeyboardInterrupt):
        clf.fit(X_MOONS, Y_MOONS)
    assert (clf.stop_reason_, clf.alpha_) == ("interrupted", whole.alpha_)
    assert clf.loo_loss_ == min(loss for loss, _ in losses)


@pytest.mark.filterwarnings("ignore:Training ")
@pytest.mark.parametrize("max_iter", [1, 7])
def test_few_iterations_end_each_training(max_iter):
    clf = loo_clf(max_iter=max_iter).fit(X_MOONS, Y_MOONS)
    assert clf.n_iter_ == max_iter
    assert clf.loo_loss_ == clf.loo_path_["loo_loss"].min()


def test_several_starts_begin_the_path():
    clf = loo_clf(n_init=3).fit(X_MOONS, Y_MOONS)
    assert clf.alpha_ in clf.loo_path_["alpha"]
    assert clf.stop_reason_ == "converged"


def scripted_path(monkeypatch, losses):
    """The path of a fit whose estimates are as given."""
    script = iter(losses)
    monkeypatch.setattr(_leave_one_out, "leave_one_out_loss", lambda *_, **__: (next(script), 0.0))
    clf = loo_clf().fit(X_MOONS, Y_MOONS)
    return list(clf.loo_path_["loo_loss"]), clf.alpha_ * len(X_MOONS)


def test_path_ends_at_a_clearly_worse_penalty(monkeypatch):
    path, alpha = scripted_path(monkeypatch, [0.5, 0.3, 0.44, 0.46, 0.1])
    assert path == [0.5, 0.3, 0.44, 0.46]
    assert_allclose(alpha, 1e-2)


def test_path_skips_estimates_that_are_not_finite(monkeypatch):
    path, alpha = scripted_path(monkeypatch, [0.5, np.nan, np.inf, 0.4, 0.7])
    assert path[3:] == [0.4, 0.7]
    assert_allclose(alpha, 10**-1)


def test_fit_without_loo_has_no_loo_attributes():
    clf = loo_clf().fit(X_MOONS, Y_MOONS)
    assert clf.loo_path_["loo_loss"].min() == clf.loo_loss_
    clf.set_params(alpha=0.1).fit(X_MOONS, Y_MOONS)
    assert not hasattr(clf, "loo_loss_")
    assert not hasattr(clf, "loo_path_")


def test_saturated_rows_have_finite_losses():
    X, y = np.array([[-2.0], [-1.0], [1.0], [2.0]]), np.array([0, 0, 1, 1])
    clf = loo_clf(alpha=1e-9).fit(X, y)
    loss = loss_of_objective(clf, X, y)
    assert np.isfinite(loss)
    assert loss >= 0
    assert_array_equal(clf.predict(X), y)


def test_path_ignores_the_scale_of_weights():
    weights = 1.0 + np.arange(len(Y_MOONS)) % 3
    paths = [loo_clf().fit(X_MOONS, Y_MOONS, w).loo_path_ for w in (weights, weights / 1e6)]
    assert_allclose(paths[0]["alpha"], paths[1]["alpha"])
    assert_allclose(paths[0]["loo_loss"], paths[1]["loo_loss"], rtol=1e-6)


def test_warnings_do_not_advise_another_penalty():
    rng = np.random.RandomState(0)
    X, y = rng.standard_normal((60, 4)), rng.permutation(np.repeat([0, 1], 30))
    with pytest.warns(ConvergenceWarning, match="By leave-one-out, weaker penalties are worse"):
        loo_clf(n_h=8).fit(X, y)
    with pytest.warns(ConvergenceWarning, match=r"Raise max_iter=3, or raise tol\.$"):
        loo_clf(max_iter=3).fit(X_BLOBS, Y_BLOBS)

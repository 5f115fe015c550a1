"""How the estimator trains: by every solver, in mini-batches, from several starts."""

import re
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.model_selection import cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from ways import EVERY_WAY, FULL_BATCH, WEIGHTS, assert_same_weights, quick

from benchmarks import problems
from two_layer_sigmoid import TwoLayerSigmoidClassifier, _network, _objective


def penalised_log_loss(clf, X, y, **options):
    penalty = clf.alpha / 2 * ((clf.W1_**2).sum() + (clf.W2_**2).sum())
    return log_loss(y, clf.predict_proba(X), **options) + penalty


def gradient(clf, X, y):
    params = _network.Parameters(clf.W1_, clf.b1_, clf.W2_, clf.b2_)
    dW1, db1, dW2, db2 = _network.backward(
        params, _network.forward(X.T, params)[1], X.T, np.atleast_2d(y)
    )
    return [dW1 + clf.alpha * clf.W1_, db1, dW2 + clf.alpha * clf.W2_, db2]


# What holds however one trains


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("way", EVERY_WAY)
@pytest.mark.filterwarnings("ignore:Training by L-BFGS ran out of iterations")
def test_loss_and_curves(moons, way, early_stopping):
    X, y = moons
    clf = quick(early_stopping=early_stopping, **way).fit(X, y)
    assert len(clf.loss_curve_) == clf.n_iter_ > 10
    if early_stopping:
        assert len(clf.validation_loss_curve_) == clf.n_iter_
    else:
        assert clf.validation_loss_curve_ is None
        assert_allclose(clf.loss_, penalised_log_loss(clf, X, y), rtol=1e-13)
    assert_array_equal(clf.init_losses_, [clf.loss_])
    assert_same_weights(clf, clone(clf).fit(X, y))


@pytest.mark.parametrize("way", EVERY_WAY)
@pytest.mark.filterwarnings("ignore:Training by L-BFGS ran out of iterations")
def test_the_kind_of_input_makes_no_difference(small_moons, way):
    X, y = small_moons
    X = np.where(X > 0, X, 0)
    double = quick(**way, max_iter=30).fit(X, y)
    single = quick(**way, max_iter=30).fit(X.astype(np.float32), y)
    assert {getattr(single, name).dtype for name in WEIGHTS} == {np.dtype(np.float32)}
    assert_allclose(single.predict_proba(X), double.predict_proba(X), atol=1e-3)
    for other in sparse.csr_array(X), np.asfortranarray(X):
        same = quick(**way, max_iter=30).fit(other, np.array(["no", "yes"])[y])
        assert_allclose(same.predict_proba(X), double.predict_proba(X), atol=1e-4)


@pytest.mark.parametrize("way", EVERY_WAY)
@pytest.mark.filterwarnings("ignore:Training by L-BFGS ran out of iterations")
def test_several_outputs(three_blobs, way):
    X, y = three_blobs
    assert quick(**way, max_iter=200).fit(X, y).score(X, y) > 0.85
    Y = (X @ [[1, 0, 1], [0, 1, 1]] > 0).astype(int)
    assert quick(**way, max_iter=300).fit(X, Y).score(X, Y) > 0.7


@pytest.mark.parametrize("way", FULL_BATCH)
@pytest.mark.filterwarnings("ignore:Training by L-BFGS ran out of iterations")
def test_weights_count_rows_in_full_batches(three_blobs, way):
    X, y = three_blobs
    times = np.arange(len(y)) % 3
    weighted = quick(**way, alpha=0.01).fit(X, y, sample_weight=times)
    repeated = quick(**way, alpha=0.01).fit(X.repeat(times, axis=0), y.repeat(times))
    assert_allclose(weighted.loss_curve_, repeated.loss_curve_, rtol=1e-7)
    for name in WEIGHTS:
        assert_allclose(getattr(weighted, name), getattr(repeated, name), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("way", EVERY_WAY)
@pytest.mark.filterwarnings("ignore:Training by L-BFGS ran out of iterations")
def test_training_runs_the_steps_of_the_lecture(small_moons, way):
    called = set()

    class Recorded(TwoLayerSigmoidClassifier):
        def _forward(self, X, params, **buffers):
            called.add("forward")
            return super()._forward(X, params, **buffers)

        def _cost(self, cache, Y, **weighting):
            called.add("cost")
            return super()._cost(cache, Y, **weighting)

        def _backward(self, params, cache, X, Y, **weighting):
            called.add("backward")
            return super()._backward(params, cache, X, Y, **weighting)

        def _update(self, params, grads, learning_rate):
            called.add("update")
            return super()._update(params, grads, learning_rate)

    Recorded(max_iter=20, random_state=0, **way).fit(*small_moons)
    chooses_its_steps = {"update"} if way.get("solver") == "lbfgs" else set()
    assert called == {"forward", "cost", "backward", "update"} - chooses_its_steps


# L-BFGS


def test_lbfgs_ends_at_a_small_gradient(moons):
    X, y = moons
    clf = quick(solver="lbfgs", max_iter=3000).fit(X, y)
    assert clf.stop_reason_ == "gradient small"
    assert max(np.abs(g).max() for g in gradient(clf, X, y)) <= 1e-6
    assert clf.loss_ < quick(max_iter=3000).fit(X, y).loss_


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_lbfgs_leaves_the_plateau_of_small_weights(lecture, dtype):
    X, y = lecture
    X = StandardScaler().fit_transform(X).astype(dtype)
    for seed in range(5):
        clf = TwoLayerSigmoidClassifier(2, solver="lbfgs", alpha=1e-6, random_state=seed).fit(X, y)
        assert_allclose(clf.loss_curve_[0], np.log(2), rtol=1e-3)
        assert clf.loss_ < 0.6


def test_lbfgs_out_of_iterations_is_warned_of(moons):
    message = r"Training by L-BFGS ran out of iterations: after 20 .* Raise max_iter=20"
    with pytest.warns(ConvergenceWarning, match=message) as caught:
        clf = TwoLayerSigmoidClassifier(solver="lbfgs", max_iter=20, random_state=0).fit(*moons)
    assert (clf.n_iter_, clf.stop_reason_) == (20, "iteration limit")
    assert caught[0].filename == __file__


def test_lbfgs_and_gradient_descent_have_one_objective(small_moons):
    X, y = small_moons
    weights = np.linspace(0.5, 2, len(y))
    start = tuple(_network.initialize_small(2, 2, 1, random_state=np.random.RandomState(0)))
    fits = [
        TwoLayerSigmoidClassifier(2, 2.0, solver=solver, init=start, alpha=0.02, max_iter=20_000)
        for solver in ("gd", "lbfgs")
    ]
    for clf in fits:
        clf.fit(X, y, sample_weight=weights)
        assert clf.stop_reason_ == "gradient small"
    assert_allclose(fits[0].loss_, fits[1].loss_, rtol=1e-9)


# Mini-batches and momentum


def test_mini_batches_learn(moons):
    X, y = moons
    full, mini = (
        TwoLayerSigmoidClassifier(batch_size=size, max_iter=100, random_state=0).fit(X, y)
        for size in (None, 50)
    )
    assert mini.loss_ < 0.1 < full.loss_
    assert_allclose(mini.loss_curve_[-1], mini.loss_, rtol=0.2)


def test_mini_batches_are_shuffled_anew_in_each_epoch(small_moons):
    X, y = small_moons
    seen = []

    class Recorded(TwoLayerSigmoidClassifier):
        def _backward(self, params, cache, X, Y, **weighting):
            seen.append(X[0].copy())
            return super()._backward(params, cache, X, Y, **weighting)

    Recorded(batch_size=30, max_iter=2, random_state=0, tol=0).fit(X, y)
    sizes = [len(batch) for batch in seen]
    assert sizes == [100, *[30, 30, 30, 10] * 2]  # all of them once, for the cost at the start
    epochs = np.concatenate(seen[1:5]), np.concatenate(seen[5:])
    for epoch in epochs:
        assert_array_equal(np.sort(epoch), np.sort(X[:, 0]))
    assert not np.array_equal(*epochs)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_mini_batches_add_up_to_the_objective(small_moons, kind, monkeypatch):
    """With a vanishing rate an epoch's loss and steps are those of the whole, whatever the size."""
    X, y = small_moons
    w = np.where(y, 3.0, 1 + np.arange(len(y)) % 4)
    rate = 1e-9
    options = {"alpha": 0.1, "learning_rate": rate, "max_iter": 1, "tol": 0, "init": "spread"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of the plateau
        full = quick(**options).fit(kind(X), y, sample_weight=w)
        start = quick(**options | {"learning_rate": 1e-300}).fit(kind(X), y, sample_weight=w)
        monkeypatch.setattr(_objective, "BLOCK_BYTES", 0)
        monkeypatch.setattr(_objective, "SMALLEST_BLOCK", 7)
        batches = quick(**options, batch_size=25).fit(kind(X), y, sample_weight=w)
    assert_allclose(batches.loss_curve_, full.loss_curve_, rtol=1e-7)
    for name in WEIGHTS:  # four batches of 25 rows, each as long a step as the whole
        step = getattr(batches, name) - getattr(start, name)
        whole = getattr(full, name) - getattr(start, name)
        assert_allclose(step, 4 * whole, rtol=1e-5, atol=rate * 1e-5)


def test_a_batch_without_weight_is_harmless(small_moons):
    X, y = small_moons
    w = np.full(len(y), 1e-300)
    w[::25] = 1.0  # most batches weigh nothing that counts
    clf = quick(batch_size=5).fit(X, y, sample_weight=w)
    assert np.isfinite(clf.loss_curve_).all()
    assert np.isfinite(clf.predict_proba(X)).all()


def test_a_batch_of_all_rows_is_the_full_batch(small_moons):
    X, y = small_moons
    assert_same_weights(quick(batch_size=100).fit(X, y), quick().fit(X, y))
    assert_same_weights(quick(batch_size=10**6).fit(X, y), quick().fit(X, y))


def test_mini_batches_that_diverge_leave_finite_weights(small_moons):
    X, y = small_moons
    for seed in range(3):
        clf = TwoLayerSigmoidClassifier(
            2, learning_rate=1e3, alpha=0.01, batch_size=7, max_iter=3, random_state=seed
        )
        with pytest.warns(ConvergenceWarning, match="diverged"):
            clf.fit(X.astype(np.float32), y)
        assert np.isfinite(clf.loss_)
        assert np.isfinite(clf.predict_proba(X)).all()


def test_momentum_is_that_of_scikit_learn(small_moons):
    X, y = small_moons
    mlp = MLPClassifier(
        (3,),
        activation="logistic",
        solver="sgd",
        alpha=0.0,
        batch_size=len(X),
        learning_rate_init=0.1,
        momentum=0.9,
        max_iter=1,
        tol=0,
        n_iter_no_change=1000,
        warm_start=True,
        shuffle=False,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        mlp.fit(X, y)
        (V1, V2), (c1, c2) = mlp.coefs_, mlp.intercepts_
        start = tuple(a.copy() for a in (V1.T, c1[:, np.newaxis], V2.T, c2[:, np.newaxis]))
        mlp.set_params(max_iter=100).fit(X, y)
    clf = quick(n_h=3, learning_rate=0.1, momentum=0.9, alpha=0, init=start, max_iter=100, tol=0)
    clf.fit(X, y)
    assert_allclose(clf.W1_, mlp.coefs_[0].T, rtol=1e-8)
    assert_allclose(clf.b2_[:, 0], mlp.intercepts_[1], rtol=1e-8)


# Several starts


def test_the_best_start_is_kept(moons):
    X, y = moons
    clf = TwoLayerSigmoidClassifier(3, n_init=6, max_iter=400, random_state=0).fit(X, y)
    assert clf.init_losses_.shape == (6,)
    assert clf.init_losses_.min() == clf.loss_
    assert clf.n_iter_ == len(clf.loss_curve_) == 400
    again = clone(clf).fit(X, y)
    assert_array_equal(again.init_losses_, clf.init_losses_)
    assert_same_weights(again, clf)


def test_the_first_start_is_that_of_one(small_moons):
    X, y = small_moons
    several = quick(n_init=4, max_iter=32).fit(X, y)
    alone = quick(max_iter=8).fit(X, y)
    assert several.init_losses_[0] in {
        alone.loss_,
        several.loss_,
        quick(max_iter=16).fit(X, y).loss_,
    }


@pytest.mark.parametrize("way", EVERY_WAY)
@pytest.mark.filterwarnings("ignore:Training by L-BFGS ran out of iterations")
def test_starts_of_every_solver(small_moons, way):
    X, y = small_moons
    clf = quick(n_init=3, **way).fit(X, y)
    assert clf.init_losses_.min() == clf.loss_
    assert_same_weights(clf, clone(clf).fit(X, y))


def test_more_starts_than_iterations(small_moons):
    X, y = small_moons
    clf = quick(n_init=10, max_iter=2).fit(X, y)
    assert clf.n_iter_ == 2


@pytest.mark.parametrize("standardise", [False, True])
def test_ten_starts_find_the_minimum_of_the_lectures_data(standardise):
    X, y = problems.load(problems.lecture, standardise)
    clf = TwoLayerSigmoidClassifier(2, solver="lbfgs", n_init=10)
    losses = [clone(clf).set_params(random_state=seed).fit(X, y).loss_ for seed in range(20)]
    assert sum(loss <= 1.01 * 0.1703 for loss in losses) >= 19


@pytest.mark.parametrize(("n_h", "at_least"), [(8, 19), (4, 10)])
@pytest.mark.filterwarnings("ignore:Training ended on the plateau")
def test_ten_starts_learn_parity(n_h, at_least):
    X, y = problems.parity()
    clf = TwoLayerSigmoidClassifier(n_h, solver="lbfgs", n_init=10)
    losses = [clone(clf).set_params(random_state=seed).fit(X, y).loss_ for seed in range(20)]
    assert sum(loss < 0.01 for loss in losses) >= at_least


def test_starts_of_two_units_are_of_two_kinds():
    """Four points of XOR hold small weights in a saddle, by whatever solver."""
    X, y = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), [0, 1, 1, 0]
    for seed in range(5):
        clf = TwoLayerSigmoidClassifier(2, solver="lbfgs", n_init=10, random_state=seed)
        assert clf.fit(X, y).loss_ < 0.01


def test_with_early_stopping_the_start_whose_kept_weights_are_best_is_kept():
    X, y = problems.load(problems.moons, standardise=True)
    for seed in range(5):
        clf = TwoLayerSigmoidClassifier(
            n_init=4, early_stopping=True, learning_rate=4.0, max_iter=200, random_state=seed
        ).fit(X[:200], y[:200])
        assert clf.loss_ == clf.init_losses_.min()


def test_the_start_that_is_kept_has_had_all_its_iterations(lecture):
    X, y = lecture
    for seed in range(5):
        clf = quick(n_init=4, batch_size=200, max_iter=20, random_state=seed).fit(X, y)
        assert clf.n_iter_ == 20
        assert clf.loss_ == clf.init_losses_.min()


def test_verbose_prints_the_validation_loss(small_moons, capsys):
    clf = quick(early_stopping=True, max_iter=3, verbose=2).fit(*small_moons)
    printed = re.findall(r"validation (0\.\d+)", capsys.readouterr().out)
    assert printed[:3] == [f"{loss:.6f}" for loss in clf.validation_loss_curve_]
    assert len(printed) == 4


def test_verbose_names_the_starts(small_moons, capsys):
    quick(n_init=2, max_iter=8, verbose=1).fit(*small_moons)
    out = capsys.readouterr().out
    assert re.findall(r"^Start .*", out, flags=re.MULTILINE)[:2] == [
        "Start 1 of 2, up to iteration 4",
        "Start 2 of 2, up to iteration 4",
    ]
    assert out.splitlines()[-1].endswith(", iteration limit")


# What does not go together


ARRAYS = (np.zeros((8, 2)), np.zeros((8, 1)), np.zeros((1, 8)), np.zeros((1, 1)))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"solver": "lbfgs", "batch_size": 10}, "use batch_size=None"),
        ({"solver": "lbfgs", "momentum": 0.5}, "use momentum=0"),
        ({"n_init": 2, "warm_start": True}, "n_init=2 .* warm_start=True .* n_init=1"),
        ({"n_init": 2, "init": ARRAYS}, "n_init=2 .* init gives one: set n_init=1"),
        (
            {"warm_start": True, "early_stopping": True, "random_state": None},
            "early_stopping=True with warm_start=True .* X_val .* int as random_state",
        ),
        ({"batch_size": 0}, "'batch_size' parameter"),
        ({"momentum": 1.0}, "'momentum' parameter"),
        ({"n_init": 0}, "'n_init' parameter"),
        ({"early_stopping": "yes"}, "'early_stopping' parameter"),
        ({"validation_fraction": 1.0}, "'validation_fraction' parameter"),
        ({"n_iter_no_change": 0}, "'n_iter_no_change' parameter"),
        ({"warm_start": "yes"}, "'warm_start' parameter"),
    ],
)
def test_parameters_that_do_not_go_together(small_moons, params, message):
    clf = quick().fit(*small_moons)
    before = vars(clf).copy()
    clf.set_params(**params)
    with pytest.raises(ValueError, match=message):
        clf.fit(*small_moons)
    assert vars(clf) | before == vars(clf) | dict.fromkeys(params) | before


# Ctrl-C


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("way", [{"solver": "lbfgs"}, {"batch_size": 16}, {"n_init": 3}])
def test_ctrl_c_keeps_the_best_weights(small_moons, way, early_stopping):
    X, y = small_moons

    class Interrupted(TwoLayerSigmoidClassifier):
        n_calls = 0

        def _cost(self, cache, Y, **weighting):
            self.__class__.n_calls += 1
            if self.n_calls == 20:
                raise KeyboardInterrupt
            return super()._cost(cache, Y, **weighting)

    clf = Interrupted(random_state=0, early_stopping=early_stopping, n_iter_no_change=999, **way)
    with pytest.raises(KeyboardInterrupt):
        clf.fit(X, y)
    assert clf.stop_reason_ == "interrupted"
    assert clf.loss_ < 0.7
    if early_stopping:
        assert len(clf.validation_loss_curve_) == clf.n_iter_
    else:
        assert_allclose(log_loss(y, clf.predict_proba(X)), clf.loss_, rtol=1e-12)


def test_ctrl_c_passes_through_cross_validation(small_moons):
    class Interrupted(TwoLayerSigmoidClassifier):
        def _update(self, params, grads, learning_rate):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cross_val_score(Interrupted(random_state=0), *small_moons)


def test_ctrl_c_before_anything_is_learned_changes_nothing(small_moons):
    class Interrupted(TwoLayerSigmoidClassifier):
        def _forward(self, X, params, **buffers):
            raise KeyboardInterrupt

    clf = Interrupted(random_state=0)
    before = vars(clf).copy()
    with pytest.raises(KeyboardInterrupt):
        clf.fit(*small_moons)
    assert vars(clf) == before


def test_ctrl_c_at_the_very_end(small_moons):
    X, y = small_moons

    class Interrupted(TwoLayerSigmoidClassifier):
        n_calls = 0

        def _forward(self, X, params, **buffers):
            self.__class__.n_calls += 1
            if self.n_calls == 13:  # six costs, six validation costs, and that of the best
                raise KeyboardInterrupt
            return super()._forward(X, params, **buffers)

    clf = Interrupted(early_stopping=True, max_iter=5, random_state=0)
    with pytest.raises(KeyboardInterrupt):
        clf.fit(X, y)
    assert (clf.stop_reason_, clf.n_iter_, clf.n_calls) == ("interrupted", 5, 14)
    assert clf.loss_ < clf.loss_curve_[0]

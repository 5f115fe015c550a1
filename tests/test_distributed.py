"""Training on Dask equals training in memory, for all chunks and schedulers."""

import gc
import pickle

import numpy as np
import pytest

pytest.importorskip("dask.array")
pytest.importorskip("dask.dataframe")
import dask
import dask.array as da
import dask.dataframe as dd
import pandas as pd
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from tests.helpers import (
    DASK_PARAMS,
    WEIGHTS,
    assert_allclose_weights,
    assert_close_fit,
    assert_same_fit,
    assert_same_weights,
    fit_both,
    make_clf,
    make_dask_clf,
    on_dask,
    slow,
    with_entry,
)
from two_layer_sigmoid import TwoLayerSigmoidClassifier, _prediction
from two_layer_sigmoid._network import Cache
from two_layer_sigmoid._parallel import map_in_threads
from two_layer_sigmoid.distributed import DaskTwoLayerSigmoidClassifier

SETTINGS = {
    "gd": {},
    "momentum": {"momentum": 0.9, "learning_rate": 0.3},
    "lbfgs": {"solver": "lbfgs"},
    "balanced": {"class_weight": "balanced", "alpha": "scale"},
    "class_weight": {"class_weight": {"ash": 3}, "alpha": "scale"},
    "n_init": {"n_init": 3},
    "small": {"init": "small", "n_h": 2},
    "lecture": {"standardize": False, "alpha": 0},
    "scale": {"alpha": "scale"},
}
SLOW = ["momentum", "n_init", "small", "lecture"]


@pytest.mark.filterwarnings("ignore:Training:sklearn.exceptions.ConvergenceWarning")
@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize(
    ("setting", "weighted", "dtype"),
    [
        ("gd", False, np.float64),
        ("gd", True, np.float32),
        slow("scale", False, np.float64),
        slow("lbfgs", True, np.float32),
        *((setting, True, np.float64) for setting in SETTINGS if setting not in SLOW),
        *(slow(setting, True, np.float64) for setting in SLOW),
    ],
)
def test_dask_equals_the_fit_in_memory(many_blobs, many_weights, setting, weighted, dtype):
    X, y = many_blobs[0].astype(dtype), many_blobs[1]
    local, clf = fit_both(X, y, 100, many_weights if weighted else None, **SETTINGS[setting])
    assert_close_fit(clf, local, 1e-7 if dtype == np.float64 else 1e-4)


@pytest.mark.usefixtures("small_blocks")
def test_dask_multilabel_equals_memory(many_blobs):
    X, y = many_blobs
    Y = np.c_[y == "ash", y != "birch"].astype(int)
    local, clf = fit_both(X, Y, 100)
    assert_close_fit(clf, local)
    assert_array_equal(clf.predict(on_dask(X, 100)).compute(), local.predict(X))
    assert clf.score(on_dask(X, 100), Y) == local.score(X, Y)
    with pytest.raises(ValueError, match="class_weight='balanced' is not supported for multilabel"):
        fit_both(X, Y, 100, class_weight="balanced")


@pytest.mark.usefixtures("compensated_sum")
@pytest.mark.filterwarnings("ignore:Training ended above")  # row 0 has all weight
def test_weights_of_chunks_are_added_in_order():
    """A compensated sum would give 1 + 2^-52 instead of 1."""
    Y, weights = np.array([[0, 1], [1, 0], [1, 1]]), np.array([1, 2**-53, 2**-53])
    local, clf = fit_both(np.eye(3), Y, 1, weights, alpha="scale")
    assert clf.alpha_ == local.alpha_


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("chunks", [slow(7), slow(100), slow(511), (1, 2, 509)])
@pytest.mark.filterwarnings("ignore:Training ended")  # after one iteration
def test_other_chunks_give_equal_loss_and_gradient(many_blobs, many_weights, chunks):
    X, y = many_blobs
    random_state = np.random.RandomState(0)
    start = [random_state.standard_normal(shape) for shape in [(4, 2), (4, 1), (3, 4), (3, 1)]]
    params = {"n_h": 4, "max_iter": 1, "init": start, "learning_rate": 1.0}
    local, clf = fit_both(X, y, chunks, many_weights, **params)
    assert_allclose(clf.loss_curve_, local.loss_curve_, rtol=1e-14)
    for name, before in zip(WEIGHTS, start, strict=True):
        gradient, expected = (before - getattr(fitted, name) for fitted in (clf, local))
        assert_allclose(gradient, expected, rtol=1e-10, atol=1e-14)


@pytest.mark.slow
@pytest.mark.usefixtures("small_blocks")
def test_other_chunks_give_equal_weights_at_stable_rate(many_blobs):
    local, clf = fit_both(*many_blobs, 100, learning_rate=0.3, max_iter=300)
    for name in WEIGHTS:
        assert_allclose(getattr(clf, name), getattr(local, name), rtol=1e-10, atol=1e-12)


def test_lazy_predictions_equal_local_predictions(many_blobs):
    X, y = many_blobs
    clf = fit_both(X, y, 100)[1]
    local = clf.to_local()
    for method in "decision_function", "predict", "predict_proba", "predict_log_proba":
        expected = getattr(local, method)(X)
        lazy = getattr(clf, method)(on_dask(X, 100))
        assert isinstance(lazy, da.Array)
        assert lazy.chunks[0] == (100, 100, 100, 100, 100, 12)
        assert (lazy.shape, lazy.dtype) == (expected.shape, expected.dtype)
        assert_allclose_or_equal(lazy.compute(), expected)
        assert_array_equal(getattr(clf, method)(X), expected)  # what is in memory stays there


def assert_allclose_or_equal(one, other):
    (assert_array_equal if one.dtype.kind in "OU" else assert_allclose)(one, other)


def test_two_classes_have_one_logit(moons):
    X, y = moons
    local, clf = fit_both(X, y, 300)
    lazy = clf.decision_function(on_dask(X, 300))
    assert lazy.shape == (len(X),)
    assert_allclose(lazy.compute(), local.decision_function(X))
    assert_array_equal(clf.predict(on_dask(X, 300)).compute(), local.predict(X))


def test_score_uses_sample_weights(many_blobs, many_weights):
    X, y = many_blobs
    local, clf = fit_both(X, y, 100, max_iter=2)
    assert clf.score(on_dask(X, 70), y) == pytest.approx(local.score(X, y))
    assert clf.score(on_dask(X, 70), y, many_weights) == pytest.approx(
        local.score(X, y, many_weights)
    )
    assert clf.score(on_dask(X, 70), y[:, np.newaxis]) == clf.score(on_dask(X, 70), y)
    assert clf.score(X, y) == local.score(X, y)
    with_empty_chunk = da.concatenate([on_dask(X[:0], 1), on_dask(X, 70)])
    assert clf.score(with_empty_chunk, y) == clf.score(on_dask(X, 70), y)
    assert clf.score(on_dask(X, 70), np.char.upper(y).astype(object)) == 0
    with pytest.raises(ValueError, match="y holds only labels of another type than those of fit"):
        clf.score(on_dask(X, 70), np.arange(512) % 2)


def test_floats_that_dask_declares_as_integers_stay_floats(many_blobs):
    X, y = many_blobs
    frame = pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "w": np.arange(512) % 3 + 1})
    lazy = dd.from_pandas(frame, npartitions=3)
    weights = [f["w"].where(f["a"] > 0, 0.5) for f in (frame, lazy)]
    assert weights[1].dtype == np.int64
    columns = ["a", "b"]
    local = make_clf(**DASK_PARAMS | {"max_iter": 5}).fit(X, y, weights[0])
    clf = make_dask_clf(max_iter=5).fit(lazy[columns], y, weights[1])
    assert_allclose(clf.W1_, local.W1_)
    assert clf.score(lazy[columns], y, weights[1]) == pytest.approx(local.score(X, y, weights[0]))


def test_workers_predict_with_one_thread(many_blobs, monkeypatch):
    X, y = many_blobs
    clf = make_dask_clf(max_iter=5, n_jobs=4).fit(on_dask(X, 100), y)
    sizes = []

    def spy(function, items, n_jobs):
        sizes.append(n_jobs)
        return map_in_threads(function, items, n_jobs)

    monkeypatch.setattr(_prediction, "map_in_threads", spy)
    many = np.tile(X, (5, 1))
    clf.predict(on_dask(many, 1280)).compute()
    assert sizes == [1, 1]


def test_dask_score_refuses_what_score_in_memory_refuses(many_blobs):
    X, y = many_blobs
    y = (y == "ash").astype(float)
    _, clf = fit_both(X, y, 100, max_iter=2)
    features = on_dask(X, 100)
    for given, weights, message in [
        (np.where(np.arange(512) == 3, np.nan, y), None, "y contains missing labels, 1 of 512"),
        (np.where(np.arange(512) == 300, 0.5, y), None, "^Partition 3: Unknown label type: contin"),
        (y.astype(object), None, "^Unknown label type: y holds Python objects of the type float"),
        (y + 0j, None, r"^Partition \d: Complex data not supported"),
        (y, np.zeros(512), "sample_weight is zero for every row"),
        (np.c_[y, 1 - y], None, r"y has the shape \(512, 2\), but the predictions have .*\(512,\)"),
    ]:
        with pytest.raises(ValueError, match=message):
            clf.score(features, given, weights)
    _, multilabel = fit_both(X, np.c_[y, 1 - y], 100, max_iter=2)
    with pytest.raises(ValueError, match=r"y has the shape \(2,\), but .* shape \(2, 2\)"):
        multilabel.score(on_dask(X[:2], 2), y[:2])


def test_dask_score_counts_unequal_labels_as_wrong(many_blobs):
    X, y = many_blobs
    y = (y == "ash").astype(np.int8)
    local, clf = fit_both(X, y, 100)
    labels = np.where(y, 257, 0)
    assert clf.score(on_dask(X, 100), on_dask(labels, 100)) == np.mean(local.predict(X) == labels)


@pytest.mark.parametrize(
    "dtype", [*map(slow, [object, "string"]), "category", *map(slow, ["int64", "Int64", bool])]
)
def test_data_frames_and_series_are_accepted(many_blobs, dtype):
    X, y = many_blobs
    if dtype not in {object, "string", "category"}:
        y = (y == "ash").astype(int)
    y = pd.Series(y, dtype=dtype)
    frame = pd.DataFrame(X, columns=["width", "height"]).assign(tree=y)
    lazy = dd.from_pandas(frame, npartitions=3)
    features = lazy[["width", "height"]]
    clf = make_dask_clf().fit(features, lazy["tree"])
    local = make_clf(**DASK_PARAMS).fit(frame[["width", "height"]], y)
    assert_array_equal(clf.feature_names_in_, ["width", "height"])
    assert_array_equal(clf.classes_, local.classes_)
    assert_allclose(clf.W1_, local.W1_, rtol=1e-10)
    P = clf.predict_proba(features)
    assert_allclose(P.compute(), local.predict_proba(frame[["width", "height"]]), rtol=1e-8)
    assert clf.score(features, lazy["tree"]) == local.score(frame[["width", "height"]], y)
    with pytest.raises(ValueError, match="feature names should match"):
        clf.predict(lazy[["height", "width"]])


def test_dask_warm_start_continues(many_blobs):
    X, y = many_blobs
    clf = make_dask_clf(max_iter=10, warm_start=True)
    clf.fit(on_dask(X, 512), y).fit(on_dask(X, 512), y)
    assert_allclose_weights(clf, make_clf(**DASK_PARAMS).fit(X, y))
    with pytest.raises(ValueError, match="y has the classes"):
        clf.fit(on_dask(X, 512), np.arange(512) % 4)


def test_conversion_cloning_and_pickling_keep_results(many_blobs):
    X, y = many_blobs
    local, clf = fit_both(X, y, 512, n_h=3)
    for other in clf.to_local(), pickle.loads(pickle.dumps(clf)):
        assert_same_fit(other, clf)
        assert_array_equal(other.predict_proba(X), clf.predict_proba(X))
    converted = clf.to_local()
    assert type(converted) is TwoLayerSigmoidClassifier
    assert converted.get_params() == clf.get_params() == local.get_params()
    assert not np.shares_memory(converted.W1_, clf.W1_)
    unfitted = clone(clf)
    assert unfitted.get_params() == clf.get_params()
    for refuses in unfitted.to_local, lambda: unfitted.predict(on_dask(X, 100)):
        with pytest.raises(NotFittedError):
            refuses()


class Shrunk:
    """Steps that use a parameter, keep b1, and see everything turned round."""

    def _backward(self, params, cache, X, Y, **options):
        grads = super()._backward(params, cache, X, Y, **options)
        return grads._replace(W1=grads.W1 * self.learning_rate, b1=0 * grads.b1)

    def _forward(self, X, params, **buffers):
        return super()._forward(-X, params, **buffers)


class ShrunkInMemory(Shrunk, TwoLayerSigmoidClassifier):
    pass


class ShrunkOnDask(Shrunk, DaskTwoLayerSigmoidClassifier):
    pass


def test_subclass_steps_run_on_workers(many_blobs):
    X, y = many_blobs
    local = ShrunkInMemory(**DASK_PARAMS).fit(X, y)
    clf = ShrunkOnDask(**DASK_PARAMS).fit(on_dask(X, 512), y)
    assert_close_fit(clf, local)
    assert_allclose(clf.predict_proba(on_dask(X, 512)).compute(), local.predict_proba(X), rtol=1e-7)
    with pytest.raises(AssertionError):
        assert_same_weights(clf, make_clf(**DASK_PARAMS).fit(X, y))


def test_dask_warnings_point_at_the_caller(many_blobs):
    X, y = many_blobs
    with pytest.warns(ConvergenceWarning, match="diverged") as caught:
        make_dask_clf(learning_rate=1e6, max_iter=200).fit(on_dask(X, 100), y)
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match="scales") as caught:
        make_dask_clf(standardize=False).fit(on_dask(X * [1, 1e5], 100), y)
    assert caught[0].filename == __file__


def test_dask_overflow_is_refused(many_blobs):
    X, y = many_blobs
    with pytest.raises(ValueError, match=r"X holds values too large .*StandardScaler"):
        make_dask_clf().fit(on_dask(X * 1e307, 100), y)


def ragged(X):
    """Two chunks that say they are as wide as X, of which one is not."""
    parts = [dask.delayed(np.asarray)(part) for part in (X[:256], X[256:, :1])]
    return da.concatenate([da.from_delayed(part, (256, 2), X.dtype) for part in parts])


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (
            {"X": lambda X: on_dask(with_entry(X, 333, np.nan), 100)},
            r"^Partition 3 \(rows 300 to 399\): .*NaN",
        ),
        (
            {"X": lambda X: on_dask(with_entry(X, 479, np.inf), 100)},
            r"^Partition 4 \(rows 400 to 499\): .*inf",
        ),
        ({"X": ragged}, r"^Partition 1 \(rows 256 to 511\): X has 1 feature here, but 2"),
        ({"X": lambda X: on_dask(X, 100)[:, 0]}, r"X must have rows and features, .* \(512,\)"),
        ({"X": lambda X: on_dask(X, 100)[:0]}, r"X must have rows and features, .* \(0, 2\)"),
        ({"y": lambda y: None}, r"y has the shape \(\), but X has 512 rows"),
        ({"sample_weight": lambda w: "balanced"}, "sample_weight must hold one number"),
        ({"sample_weight": lambda w: on_dask(np.c_[w, w], 100)}, "must have one dimension, got 2"),
        (
            {"y": lambda y: np.repeat([[0, 0], [1, 2]], [200, 312], axis=0)},
            r"^Partition 2 \(rows 200 to 299\): A multilabel y must be an indicator matrix",
        ),
        ({"X": lambda X: (A := on_dask(X, 100))[A[:, 0] > 0]}, r"X.compute_chunk_sizes\(\)"),
        ({"y": lambda y: y[:-1]}, r"y has the shape \(511,\), but X has 512 rows"),
        ({"y": lambda y: np.arange(512) / 7}, r"^Partition 0 .*: Unknown label type: continuous"),
        ({"y": lambda y: np.full(512, "ash")}, "y holds only one class, 'ash'"),
        ({"sample_weight": lambda w: w[:, np.newaxis]}, r"sample_weight has shape \(512, 1\)"),
        ({"sample_weight": lambda w: -w}, "sample_weight must be finite and non-negative, got"),
        ({"sample_weight": lambda w: 0 * w}, "sample_weight is zero for every row"),
        ({"batch_size": 16}, "batch_size=16 is not for Dask: use 'auto' or None"),
        ({"early_stopping": True}, "early_stopping=True is not for Dask"),
        ({"class_weight": {"oak": 1}}, "are not in class_weight"),
        (
            {"class_weight": dict.fromkeys(["ash", "birch", "cedar"], 0)},
            "class_weight is zero for every row",
        ),
        ({"sample_weight": lambda w: {"ash": 2}}, "sample_weight must hold one number"),
        ({"n_init": 2, "warm_start": True}, "n_init=2"),
    ],
)
def test_dask_refuses_bad_input(many_blobs, many_weights, bad, message):
    X, y = many_blobs
    clf = make_dask_clf().fit(on_dask(X, 512), y)
    before = clf.to_local()
    arrays = {"X": on_dask(X, 100), "y": y, "sample_weight": many_weights}
    given = {"X": X, "y": y, "sample_weight": many_weights}
    arrays |= {name: bad[name](given[name]) for name in arrays if name in bad}
    clf.set_params(**{name: value for name, value in bad.items() if name not in arrays})
    with pytest.raises(ValueError, match=message):
        clf.fit(**arrays)
    assert_same_fit(clf, before)


def test_arrays_in_memory_are_refused(many_blobs):
    with pytest.raises(TypeError, match=r"X must be a dask array .* got ndarray: use dask.array"):
        DaskTwoLayerSigmoidClassifier().fit(*many_blobs)


def test_dask_has_no_partial_fit():
    assert not hasattr(DaskTwoLayerSigmoidClassifier(), "partial_fit")


@pytest.mark.slow
def test_dask_estimator_can_be_displayed_and_exported(many_blobs):
    plotting = pytest.importorskip("two_layer_sigmoid.plotting", reason="needs Matplotlib")
    export = pytest.importorskip("two_layer_sigmoid.export")
    pytest.importorskip("skl2onnx", reason="needs the extra onnx")
    X, y = many_blobs
    clf = make_dask_clf().fit(on_dask(X, 100), y)
    assert plotting.LossCurveDisplay.from_estimator(clf).loss_curve == clf.loss_curve_
    exported, expected = export.to_onnx(clf), export.to_onnx(clf.to_local())
    assert exported.graph.initializer == expected.graph.initializer


@pytest.mark.slow
def test_buffers_of_chunks_are_freed(many_blobs):
    """Chunks of different lengths, by threads: a buffer of each would grow with the data."""
    X, y = many_blobs
    lengths = (*range(3, 31), 512 - sum(range(3, 31)))
    n_buffers = []

    class Counted(DaskTwoLayerSigmoidClassifier):
        def _update(self, params, grads, learning_rate):
            n_buffers.append(sum(type(o) is Cache for o in gc.get_objects()))
            return super()._update(params, grads, learning_rate)

    X_lazy = da.from_array(X, chunks=(lengths, -1))
    with dask.config.set(scheduler="threads", num_workers=2):
        Counted(**DASK_PARAMS | {"max_iter": 3}).fit(X_lazy, y)
    assert len(n_buffers) == 3
    assert max(n_buffers) <= 4

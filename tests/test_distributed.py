"""Training on Dask: the bits of a fit in memory, whatever the chunks and the scheduler."""

import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from tests.ways import WEIGHTS, assert_same_weights
from two_layer_sigmoid import TwoLayerSigmoidClassifier
from two_layer_sigmoid._objective import blocks_of
from two_layer_sigmoid._partitions import layout

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
dd = pytest.importorskip("dask.dataframe")
from two_layer_sigmoid.distributed import DaskTwoLayerSigmoidClassifier  # noqa: E402

QUICK = {"max_iter": 20, "random_state": 0, "alpha": 1e-3}
WAYS = {
    "gd": {},
    "momentum": {"momentum": 0.9, "learning_rate": 0.3},
    "lbfgs": {"solver": "lbfgs"},
    "balanced": {"class_weight": "balanced"},
    "class_weight": {"class_weight": {"ash": 3}},
    "n_init": {"n_init": 3},
    "small": {"init": "small", "n_h": 2},
}


@pytest.fixture
def data(three_blobs):
    """Three classes; 512 rows, which are 32 small blocks in 16 shards."""
    X, y = three_blobs
    noise = np.random.RandomState(0).standard_normal((5, *X.shape))
    return np.concatenate(X + noise)[:512], np.tile(y, 5)[:512]


@pytest.fixture
def weights(data):
    return np.random.RandomState(1).uniform(1, 2, len(data[0]))


def on_dask(X, chunks):
    return da.from_array(X, chunks=(chunks, -1)[: X.ndim])


def fits(X, y, chunks, sample_weight=None, **params):
    """A fit in memory, and one of the same rows in chunks."""
    local = TwoLayerSigmoidClassifier(**QUICK | params).fit(X, y, sample_weight)
    clf = DaskTwoLayerSigmoidClassifier(**QUICK | params)
    chunks = clf.row_chunks(X) if chunks is None else chunks
    return local, clf.fit(on_dask(X, chunks), on_dask(y, chunks), sample_weight)


def assert_same_fit(clf, local):
    assert_same_weights(clf, local)
    assert clf.loss_curve_ == local.loss_curve_
    assert (clf.loss_, clf.n_iter_, clf.stop_reason_) == (
        local.loss_,
        local.n_iter_,
        local.stop_reason_,
    )
    assert clf.W1_.dtype == local.W1_.dtype
    assert_array_equal(clf.init_losses_, local.init_losses_)
    assert_array_equal(clf.classes_, local.classes_)


@pytest.mark.filterwarnings("ignore:Training:sklearn.exceptions.ConvergenceWarning")
@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("way", WAYS)
def test_chunks_that_cut_no_shard_give_the_bits_of_a_fit_in_memory(
    data, weights, way, weighted, dtype
):
    X, y = data[0].astype(dtype), data[1]
    local, clf = fits(X, y, None, weights if weighted else None, **WAYS[way])
    assert len(clf.row_chunks(X)) == 16
    assert_same_fit(clf, local)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("n_chunks", [1, 2, 4])
def test_chunks_may_hold_several_shards(data, weights, n_chunks):
    local, clf = fits(*data, 512 // n_chunks, weights)
    assert_same_fit(clf, local)


@pytest.mark.usefixtures("small_blocks")
def test_multilabel(data):
    X, y = data
    Y = np.c_[y == "ash", y != "birch"].astype(int)
    local, clf = fits(X, Y, None)
    assert_same_fit(clf, local)
    assert_array_equal(clf.predict(on_dask(X, 100)).compute(), local.predict(X))
    assert clf.score(on_dask(X, 100), Y) == local.score(X, Y)
    with pytest.raises(ValueError, match="class_weight='balanced' is not supported for multilabel"):
        fits(X, Y, None, class_weight="balanced")


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("chunks", [7, 100, 511, (1, 2, 509)])
def test_other_chunks_give_cost_and_gradient_to_the_last_digits(data, weights, chunks):
    X, y = data
    random_state = np.random.RandomState(0)
    start = [random_state.standard_normal(shape) for shape in [(4, 2), (4, 1), (3, 4), (3, 1)]]
    params = {"n_h": 4, "max_iter": 1, "init": start, "learning_rate": 1.0}
    local, clf = fits(X, y, chunks, weights, **params)
    assert_allclose(clf.loss_curve_, local.loss_curve_, rtol=1e-14)
    for name, before in zip(WEIGHTS, start, strict=True):
        gradient, expected = (before - getattr(fitted, name) for fitted in (clf, local))
        assert_allclose(gradient, expected, rtol=1e-10, atol=1e-14)


@pytest.mark.usefixtures("small_blocks")
def test_other_chunks_give_the_same_weights_at_a_stable_rate(data):
    local, clf = fits(*data, 100, learning_rate=0.3, max_iter=300)
    for name in WEIGHTS:
        assert_allclose(getattr(clf, name), getattr(local, name), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("lengths", [[32] * 16, [512], [96, 416], [1, 511], [100] * 5 + [12]])
def test_the_layout_covers_every_row_once_in_order(lengths, small_blocks):
    parts = layout(lengths, 2, 8, np.float64)
    rows = [
        np.arange(n)[block]
        for n, part in zip(lengths, parts, strict=True)
        for shard in part
        for block in blocks_of(shard)
    ]
    assert_array_equal(np.concatenate(rows), np.concatenate([np.arange(n) for n in lengths]))
    assert max(map(len, rows)) == 16


def test_predictions_are_lazy_and_those_of_the_local_estimator(data):
    X, y = data
    clf = fits(X, y, 100)[1]
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
    local, clf = fits(X, y, 300)
    lazy = clf.decision_function(on_dask(X, 300))
    assert lazy.shape == (len(X),)
    assert_allclose(lazy.compute(), local.decision_function(X))
    assert_array_equal(clf.predict(on_dask(X, 300)).compute(), local.predict(X))


def test_score_counts_weights(data, weights):
    X, y = data
    local, clf = fits(X, y, 100, max_iter=2)
    assert clf.score(on_dask(X, 70), y) == pytest.approx(local.score(X, y))
    assert clf.score(on_dask(X, 70), y, weights) == pytest.approx(local.score(X, y, weights))
    assert clf.score(on_dask(X, 70), y[:, np.newaxis]) == clf.score(on_dask(X, 70), y)
    assert clf.score(X, y) == local.score(X, y)
    with pytest.raises(ValueError, match="y holds only labels that fit has not seen, such as"):
        clf.score(on_dask(X, 70), np.char.upper(y).astype(object))


def test_labels_of_different_types_in_partitions_are_refused(data):
    X, y = data
    numbers = (y == "ash").astype(int)
    parts = numbers[:256], numbers[256:].astype(str)
    lazy = da.concatenate(
        [da.from_delayed(dask.delayed(part), (256,), dtype=object) for part in parts]
    )
    with pytest.raises(TypeError, match="y mixes labels of the types int, str: use"):
        DaskTwoLayerSigmoidClassifier(**QUICK).fit(on_dask(X, 256), lazy)


def test_dask_score_counts_unequal_labels_as_wrong(data):
    X, y = data
    y = (y == "ash").astype(np.int8)
    local, clf = fits(X, y, 100)
    labels = np.where(y, 257, 0)
    assert clf.score(on_dask(X, 100), on_dask(labels, 100)) == np.mean(local.predict(X) == labels)


@pytest.mark.parametrize("dtype", [object, "string", "category", "int64", "Int64", bool])
def test_data_frames_and_series(data, dtype):
    X, y = data
    if dtype not in {object, "string", "category"}:
        y = (y == "ash").astype(int)
    y = pd.Series(y, dtype=dtype)
    frame = pd.DataFrame(X, columns=["width", "height"]).assign(tree=y)
    lazy = dd.from_pandas(frame, npartitions=3)
    features = lazy[["width", "height"]]
    clf = DaskTwoLayerSigmoidClassifier(**QUICK).fit(features, lazy["tree"])
    local = TwoLayerSigmoidClassifier(**QUICK).fit(frame[["width", "height"]], y)
    assert_array_equal(clf.feature_names_in_, ["width", "height"])
    assert_array_equal(clf.classes_, local.classes_)
    assert_allclose(clf.W1_, local.W1_, rtol=1e-10)
    P = clf.predict_proba(features)
    assert_allclose(P.compute(), local.predict_proba(frame[["width", "height"]]), rtol=1e-8)
    assert clf.score(features, lazy["tree"]) == local.score(frame[["width", "height"]], y)
    with pytest.raises(ValueError, match="feature names should match"):
        clf.predict(lazy[["height", "width"]])


def test_labels_cut_elsewhere_than_features(data):
    X, y = data
    frame = pd.DataFrame(X, columns=["a", "b"]).assign(y=y)
    features, labels = (
        dd.concat([dd.from_pandas(part, npartitions=1) for part in parts])
        for parts in (
            (frame[["a", "b"]][:200], frame[["a", "b"]][200:]),
            (frame["y"][:100], frame["y"][100:]),
        )
    )
    clf = DaskTwoLayerSigmoidClassifier(**QUICK).fit(features, labels)
    assert_allclose(clf.W1_, TwoLayerSigmoidClassifier(**QUICK).fit(X, y).W1_, rtol=1e-10)


@pytest.mark.filterwarnings("ignore:Training:sklearn.exceptions.ConvergenceWarning")
def test_thirty_classes_sorted():
    X = np.random.RandomState(0).standard_normal((600, 2))
    local, clf = fits(X, np.arange(600) // 20, 50)
    assert_allclose(clf.W2_, local.W2_, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("label", [0, 1])
def test_one_class_of_positive_weight_is_refused(seed, label):
    random_state = np.random.RandomState(seed)
    X, y = random_state.standard_normal((600, 2)), random_state.randint(2, size=600)
    weights = random_state.uniform(0, 1, 600) * (y == label)
    clf = DaskTwoLayerSigmoidClassifier(**QUICK)
    message = f"y holds only one class, {label}, in the rows of positive weight"
    with pytest.raises(ValueError, match=message):
        clf.fit(on_dask(X, 200), y, weights)


@pytest.mark.parametrize("kind", [TwoLayerSigmoidClassifier, DaskTwoLayerSigmoidClassifier])
def test_weights_that_leave_no_row_are_refused(kind):
    X, y = np.arange(20.0)[:, np.newaxis], np.arange(20) % 2
    clf = kind(**QUICK | {"class_weight": {0: 0}})
    X = X if kind is TwoLayerSigmoidClassifier else on_dask(X, 10)
    with pytest.raises(ValueError, match="y holds only one class, 0, in the rows of positive"):
        clf.fit(X, y, 1 - y)


def test_one_weight_for_all_rows(data):
    X, y = data
    clf = DaskTwoLayerSigmoidClassifier(**QUICK).fit(on_dask(X, 512), y, 2.0)
    assert_same_fit(clf, TwoLayerSigmoidClassifier(**QUICK).fit(X, y, 2.0))


def test_empty_partitions_are_passed_over(data):
    X, y = data
    frame = pd.DataFrame(X, columns=["a", "b"]).assign(y=y, row=np.arange(512))
    lazy = dd.from_pandas(frame, npartitions=4)
    some = lazy[lazy["row"] >= 250]
    clf = DaskTwoLayerSigmoidClassifier(**QUICK).fit(some[["a", "b"]], some["y"])
    local = TwoLayerSigmoidClassifier(**QUICK).fit(X[250:], y[250:])
    assert_allclose(clf.W1_, local.W1_, rtol=1e-10)
    assert len(clf.predict(some[["a", "b"]]).compute()) == 262


def test_rows_without_weight_are_gone_whatever_they_hold(data, weights):
    X, y = data
    X, weights = X.copy(), weights.copy()
    weights[:150] = 0
    X[:150] = 1e300
    clf = DaskTwoLayerSigmoidClassifier(**QUICK).fit(on_dask(X, 100), y, weights)
    local = TwoLayerSigmoidClassifier(**QUICK).fit(X, y, weights)
    assert_allclose(clf.W1_, local.W1_, rtol=1e-10)


def test_features_in_several_chunks_and_labels_in_one_column(data):
    X, y = data
    clf = DaskTwoLayerSigmoidClassifier(**QUICK)
    clf.fit(da.from_array(X, chunks=(512, 1)), da.from_array(y[:, np.newaxis], chunks=(100, 1)))
    assert_same_fit(clf, TwoLayerSigmoidClassifier(**QUICK).fit(X, y))
    lazy = clf.predict(da.from_array(X, chunks=(512, 1)))
    assert_array_equal(lazy.compute(), clf.predict(X))


def test_integers_train_in_float64(data):
    X, y = data
    X = (10 * X).astype(int)
    local, clf = fits(X, y, 512)
    assert_same_fit(clf, local)


def test_warm_start_goes_on(data):
    X, y = data
    clf = DaskTwoLayerSigmoidClassifier(**QUICK | {"max_iter": 10}, warm_start=True)
    clf.fit(on_dask(X, 512), y).fit(on_dask(X, 512), y)
    assert_same_weights(clf, TwoLayerSigmoidClassifier(**QUICK).fit(X, y))
    with pytest.raises(ValueError, match="y has the classes"):
        clf.fit(on_dask(X, 512), np.arange(512) % 4)


def test_conversion_cloning_and_pickling(data):
    X, y = data
    local, clf = fits(X, y, None, n_h=3)
    for other in clf.to_local(), pickle.loads(pickle.dumps(clf)):
        assert_same_fit(other, local)
        assert_array_equal(other.predict_proba(X), local.predict_proba(X))
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


def test_steps_of_a_subclass_run_in_the_partitions(data):
    X, y = data
    local = ShrunkInMemory(**QUICK).fit(X, y)
    clf = ShrunkOnDask(**QUICK).fit(on_dask(X, 512), y)
    assert_same_fit(clf, local)
    assert_array_equal(clf.predict_proba(on_dask(X, 512)).compute(), local.predict_proba(X))
    with pytest.raises(AssertionError):
        assert_same_weights(clf, TwoLayerSigmoidClassifier(**QUICK).fit(X, y))


def test_ctrl_c_keeps_the_best_weights(data):
    X, y = data

    class Interrupted(DaskTwoLayerSigmoidClassifier):
        n_updates = 0

        def _update(self, params, grads, learning_rate):
            self.n_updates += 1
            if self.n_updates == 5:
                raise KeyboardInterrupt
            return super()._update(params, grads, learning_rate)

    clf = Interrupted(**QUICK)
    with pytest.raises(KeyboardInterrupt):
        clf.fit(on_dask(X, 100), y)
    assert clf.stop_reason_ == "interrupted"
    assert clf.loss_ == pytest.approx(min(clf.loss_curve_))


def test_a_bad_end_is_warned_of_where_fit_is_called(data):
    X, y = data
    with pytest.warns(ConvergenceWarning, match="diverged") as caught:
        DaskTwoLayerSigmoidClassifier(**QUICK | {"learning_rate": 1e6, "max_iter": 200}).fit(
            on_dask(X, 100), y
        )
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match="scales") as caught:
        DaskTwoLayerSigmoidClassifier(**QUICK).fit(on_dask(X * [1, 1e5], 100), y)
    assert caught[0].filename == __file__


def test_overflow_is_refused(data):
    X, y = data
    with pytest.raises(ValueError, match=r"X holds values too large .*StandardScaler"):
        DaskTwoLayerSigmoidClassifier(**QUICK).fit(on_dask(X * 1e307, 100), y)


def with_entry(X, row, value):
    X = X.copy()
    X[row, 0] = value
    return X


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
        ({"X": ragged}, r"^Partition 1 \(rows 256 to 511\): X has 1 features here, but 2"),
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
        ({"batch_size": 16}, "batch_size=16 is not for Dask: use None"),
        ({"early_stopping": True}, "early_stopping=True is not for Dask"),
        ({"class_weight": {"oak": 1}}, "are not in class_weight"),
        ({"class_weight": {"ash": 0, "birch": 0}}, "only one class, 'cedar', in the rows of pos"),
        ({"n_init": 2, "warm_start": True}, "n_init=2"),
    ],
)
def test_what_is_refused(data, weights, bad, message):
    X, y = data
    clf = DaskTwoLayerSigmoidClassifier(**QUICK).fit(on_dask(X, 512), y)
    before = clf.to_local()
    arrays = {"X": on_dask(X, 100), "y": y, "sample_weight": weights}
    given = {"X": X, "y": y, "sample_weight": weights}
    arrays |= {name: bad[name](given[name]) for name in arrays if name in bad}
    clf.set_params(**{name: value for name, value in bad.items() if name not in arrays})
    with pytest.raises(ValueError, match=message):
        clf.fit(**arrays)
    assert_same_fit(clf, before)


def test_a_bad_partition_is_named_in_prediction_too(data):
    X, y = data
    clf = DaskTwoLayerSigmoidClassifier(**QUICK).fit(on_dask(X, 100), y)
    lazy = clf.predict_proba(on_dask(with_entry(X, 333, np.nan), 100))
    with pytest.raises(ValueError, match=r"^Partition 3: Input X contains NaN"):
        lazy.compute()


def test_arrays_in_memory_are_sent_elsewhere(data):
    with pytest.raises(TypeError, match=r"X must be a dask array .* got ndarray: use dask.array"):
        DaskTwoLayerSigmoidClassifier().fit(*data)


def test_there_is_no_partial_fit():
    assert not hasattr(DaskTwoLayerSigmoidClassifier(), "partial_fit")


def test_without_dask_the_extra_is_named():
    program = """
import sys
sys.modules["dask"] = None
from two_layer_sigmoid.distributed import DaskTwoLayerSigmoidClassifier
DaskTwoLayerSigmoidClassifier().fit([[0.0], [1.0]], [0, 1])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
    )
    assert "ImportError" in done.stderr
    assert "pip install 'two-layer-sigmoid[dask]'" in done.stderr

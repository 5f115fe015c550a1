"""Data sets on Dask: partitions, labels and weights."""

import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("dask.array")
pytest.importorskip("dask.dataframe")
import dask
import dask.array as da
import dask.dataframe as dd
import pandas as pd
from numpy.testing import assert_allclose, assert_array_equal

from tests.helpers import (
    DASK_PARAMS,
    assert_allclose_weights,
    assert_same_fit,
    fit_both,
    make_clf,
    make_dask_clf,
    on_dask,
    slow,
    with_entry,
)

FEATURES = ["a", "b"]
# What a user can do to a frame before training; the rows are then those of the computed frame.
LAZY = {
    "read": lambda lazy: lazy,
    "filtered": lambda lazy: lazy[lazy["row"] >= 250],
    "repartitioned": lambda lazy: lazy.repartition(npartitions=3),
    "sampled": lambda lazy: lazy.sample(frac=0.5),
    "shuffled": lambda lazy: lazy.shuffle("group", npartitions=5),
    "indexed": lambda lazy: lazy.set_index("group"),
    "sorted": lambda lazy: lazy.sort_values("a"),
    "merged": lambda lazy: lazy.merge(lazy[["row", "group"]], on="row"),
}


def test_partitions_with_mixed_label_types_are_refused(many_blobs):
    X, y = many_blobs
    numbers = (y == "ash").astype(int)
    parts = numbers[:256], numbers[256:].astype(str)
    lazy = da.concatenate(
        [da.from_delayed(dask.delayed(part), (256,), dtype=object) for part in parts]
    )
    with pytest.raises(TypeError, match="y mixes labels of the types int, str: convert"):
        make_dask_clf().fit(on_dask(X, 256), lazy)


def test_labels_can_have_other_partitions(many_blobs):
    X, y = many_blobs
    frame = pd.DataFrame(X, columns=["a", "b"]).assign(y=y)
    features, labels = (
        dd.concat([dd.from_pandas(part, npartitions=1) for part in parts])
        for parts in (
            (frame[["a", "b"]][:200], frame[["a", "b"]][200:]),
            (frame["y"][:100], frame["y"][100:]),
        )
    )
    clf = make_dask_clf().fit(features, labels)
    assert_allclose(clf.W1_, make_clf(**DASK_PARAMS).fit(X, y).W1_, rtol=1e-10)


@pytest.mark.filterwarnings("ignore:Training:sklearn.exceptions.ConvergenceWarning")
def test_sorted_labels_of_many_classes():
    X = np.random.RandomState(0).standard_normal((600, 2))
    local, clf = fit_both(X, np.arange(600) // 20, 50, batch_size=None)
    assert_allclose(clf.W2_, local.W2_, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("label", [0, 1])
def test_one_class_of_positive_weight_warns_on_dask(label):
    random_state = np.random.RandomState(0)
    X, y = random_state.standard_normal((600, 2)), random_state.randint(2, size=600)
    weights = random_state.uniform(0, 1, 600) * (y == label)
    clf = make_dask_clf()
    message = f"y holds only one class, {label}, in the rows of positive weight"
    with pytest.warns(UserWarning, match=message):
        clf.fit(on_dask(X, 200), y, weights)
    with pytest.warns(UserWarning, match=message):
        local = make_clf(**DASK_PARAMS).fit(X, y, weights)
    assert_allclose(clf.W2_, local.W2_, rtol=1e-8)
    assert_array_equal(clf.predict(X), label)


def test_weights_that_leave_no_row_are_refused():
    X, y = np.arange(20.0)[:, np.newaxis], np.arange(20) % 2
    clf, local = make_dask_clf(class_weight={0: 0}), make_clf(class_weight={0: 0})
    message = "sample_weight times class_weight is zero for every row"
    with pytest.raises(ValueError, match=message):
        clf.fit(on_dask(X, 10), y, 1 - y)
    with pytest.raises(ValueError, match=message):
        local.fit(X, y, 1 - y)


def test_scalar_weight_is_accepted(many_blobs):
    X, y = many_blobs
    clf = make_dask_clf().fit(on_dask(X, 512), y, 2.0)
    assert_same_fit(clf, make_clf(**DASK_PARAMS).fit(X, y, 2.0))


def test_empty_partitions_are_ignored(many_blobs):
    X, y = many_blobs
    frame = pd.DataFrame(X, columns=["a", "b"]).assign(y=y, row=np.arange(512))
    lazy = dd.from_pandas(frame, npartitions=4)
    some = lazy[lazy["row"] >= 250]
    clf = make_dask_clf().fit(some[["a", "b"]], some["y"])
    local = make_clf(**DASK_PARAMS).fit(X[250:], y[250:])
    assert_allclose(clf.W1_, local.W1_, rtol=1e-10)
    assert len(clf.predict(some[["a", "b"]]).compute()) == 262


def test_dask_ignores_rows_of_weight_0(many_blobs, many_weights):
    X, y = many_blobs
    X, weights = X.copy(), many_weights.copy()
    weights[:150] = 0
    X[:150] = 1e300
    clf = make_dask_clf().fit(on_dask(X, 100), y, weights)
    local = make_clf(**DASK_PARAMS).fit(X, y, weights)
    assert_allclose(clf.W1_, local.W1_, rtol=1e-10)


def test_features_can_have_several_chunks(many_blobs):
    X, y = many_blobs
    clf = make_dask_clf()
    clf.fit(da.from_array(X, chunks=(512, 1)), da.from_array(y[:, np.newaxis], chunks=(100, 1)))
    assert_same_fit(clf, make_clf(**DASK_PARAMS).fit(X, y))
    lazy = clf.predict(da.from_array(X, chunks=(512, 1)))
    assert_array_equal(lazy.compute(), clf.predict(X))


def test_integer_features_train_in_float64(many_blobs):
    X, y = many_blobs
    X = (10 * X).astype(int)
    local, clf = fit_both(X, y, 512)
    assert_same_fit(clf, local)


def test_prediction_names_a_bad_partition(many_blobs):
    X, y = many_blobs
    clf = make_dask_clf().fit(on_dask(X, 100), y)
    lazy = clf.predict_proba(on_dask(with_entry(X, 333, np.nan), 100))
    with pytest.raises(ValueError, match=r"^Partition 3: Input X contains NaN"):
        lazy.compute()


@pytest.fixture
def blobs_frame(many_blobs):
    X, y = many_blobs
    group = np.random.RandomState(0).permutation(512) % 40
    frame = pd.DataFrame(X, columns=FEATURES)
    return frame.assign(tree=y, row=np.arange(512), group=group)


def to_files(frame, path):
    """Write the frame as four Parquet files."""
    path.mkdir()
    for i in range(4):
        frame[128 * i : 128 * (i + 1)].to_parquet(path / f"{i}.parquet")
    return path


@pytest.fixture
def parquet(blobs_frame, tmp_path):
    return to_files(blobs_frame, tmp_path / "rows")


@pytest.mark.parametrize("case", ["filtered", *(slow(case) for case in LAZY if case != "filtered")])
def test_lazy_frames_equal_the_fit_in_memory(parquet, case):
    lazy = LAZY[case](dd.read_parquet(parquet))
    labels, weights = lazy["tree"].str.upper(), lazy["a"].abs() + 1
    clf = make_dask_clf().fit(lazy[FEATURES], labels, weights)
    rows = lazy.compute()
    X, y, sample_weight = rows[FEATURES], rows["tree"].str.upper(), rows["a"].abs() + 1
    local = make_clf(**DASK_PARAMS).fit(X, y, sample_weight)
    assert_allclose_weights(clf, local, rtol=1e-8)
    assert clf.score(lazy[FEATURES], labels, weights) == pytest.approx(
        local.score(X, y, sample_weight)
    )


# Dask 2026.8.0 cannot assign any array to a repartitioned frame.
@pytest.mark.parametrize("case", [slow("read"), "filtered", slow("sampled")])
def test_predictions_are_a_column_of_the_frame(parquet, case):
    lazy = LAZY[case](dd.read_parquet(parquet))
    clf = make_dask_clf().fit(lazy[FEATURES], lazy["tree"])
    predicted = clf.predict(lazy[FEATURES])
    assert len(predicted.chunks[0]) == lazy.npartitions
    rows = lazy.assign(predicted=predicted).compute()
    assert_array_equal(rows["predicted"], clf.predict(rows[FEATURES]))
    P = clf.predict_proba(lazy[FEATURES]).compute()
    assert_allclose(P, clf.predict_proba(rows[FEATURES]), rtol=1e-12)


def test_labels_can_be_in_another_file(blobs_frame, parquet, tmp_path):
    features = dd.read_parquet(parquet)
    labels = dd.read_parquet(to_files(blobs_frame[["tree"]], tmp_path / "labels"))
    clf = make_dask_clf().fit(features[FEATURES], labels["tree"])
    local = make_clf(**DASK_PARAMS).fit(blobs_frame[FEATURES], blobs_frame["tree"])
    assert_allclose_weights(clf, local)


@pytest.mark.parametrize("kind", ["array", "memory", "other partitions"])
def test_frames_and_arrays_can_be_mixed(blobs_frame, parquet, kind):
    lazy = dd.read_parquet(parquet)
    y = blobs_frame["tree"].to_numpy(str)
    local = make_clf(**DASK_PARAMS).fit(blobs_frame[FEATURES].to_numpy(), y)
    given = {
        "array": (on_dask(blobs_frame[FEATURES].to_numpy(), 100), lazy["tree"]),
        "memory": (lazy[FEATURES], y),
        "other partitions": (lazy[FEATURES], lazy["tree"].repartition(npartitions=3)),
    }
    X, labels = given[kind]
    clf = make_dask_clf().fit(X, labels)
    assert_allclose_weights(clf, local)
    assert clf.score(X, labels) == local.score(blobs_frame[FEATURES].to_numpy(), y)


@pytest.mark.parametrize("kind", ["frame", "array"])
@pytest.mark.parametrize("method", ["fit", "score"])
def test_partitions_are_computed_once(many_blobs, kind, method):
    """Features, labels and weights from random numbers without a seed."""
    calls = []

    def draw(rows):
        calls.append(len(rows))
        return rows + np.random.RandomState().standard_normal(rows.shape)

    X = many_blobs[0]
    if kind == "frame":
        lazy = dd.from_pandas(pd.DataFrame(X, columns=FEATURES), npartitions=4)
        lazy = lazy.map_partitions(draw, meta=lazy)
        a, b = lazy["a"], lazy["b"]
    else:
        lazy = on_dask(X, 128).map_blocks(draw, meta=X[:0])
        a, b = lazy.T
    given = lazy, a > b, abs(a) + 1
    clf = make_dask_clf().fit(*given)
    calls.clear()
    getattr(clf, method)(*given)
    assert calls == [128] * 4


def test_predictions_need_no_known_lengths(many_blobs):
    X, y = many_blobs
    clf = make_dask_clf().fit(on_dask(X, 100), y)
    lazy = on_dask(X, 100)
    predicted = clf.predict(lazy[lazy[:, 0] > 0])
    assert_array_equal(predicted.compute(), clf.predict(X[X[:, 0] > 0]))


def test_a_frame_without_rows_is_refused(parquet):
    lazy = dd.read_parquet(parquet)
    none = lazy[lazy["row"] < 0]
    clf = make_dask_clf().fit(lazy[FEATURES], lazy["tree"])
    for method in clf.fit, clf.score:
        with pytest.raises(ValueError, match=r"X must have rows and features, .* \(0, 2\)"):
            method(none[FEATURES], none["tree"])


@pytest.mark.parametrize(
    "dtype", ["Int64", *map(slow, ["boolean", "Float64", "string", "category", object])]
)
def test_missing_labels_name_their_partition(blobs_frame, dtype):
    labels = blobs_frame["tree"]
    if dtype not in {"string", "category", object}:
        labels = (labels == "ash").astype("Int64")
    labels = labels.mask(blobs_frame["row"] == 300).astype(dtype)
    lazy = dd.from_pandas(blobs_frame.assign(tree=labels), npartitions=4)
    clf = make_dask_clf()
    with pytest.raises(ValueError, match=r"^Partition 2 \(rows 256 to 383\): y contains missing"):
        clf.fit(lazy[FEATURES], lazy["tree"])
    known = lazy.dropna(subset=["tree"])
    clf.fit(known[FEATURES], known["tree"])
    assert len(clf.classes_) == len(labels.dropna().unique())
    with pytest.raises(ValueError, match=r"^Partition 2: y contains missing labels"):
        clf.score(lazy[FEATURES], lazy["tree"])
    with pytest.raises(ValueError, match=r"^y contains missing labels, 1 of 512"):
        clf.score(lazy[FEATURES], labels)


@pytest.mark.parametrize(
    ("labels", "dtype"),
    [([2**60, 2**60 + 1], "Int64"), ([False, True], "boolean"), (["ash", "birch"], "string")],
)
def test_dask_labels_are_those_in_memory(labels, dtype):
    frame = pd.DataFrame({"x": [0.0, 1.0] * 10, "y": pd.Series(labels * 10, dtype=dtype)})
    lazy = dd.from_pandas(frame, npartitions=2)
    local = make_clf(max_iter=5).fit(frame[["x"]], frame["y"])
    for y in lazy["y"], frame["y"]:
        clf = make_dask_clf(max_iter=5).fit(lazy[["x"]], y)
        assert clf.classes_.dtype == local.classes_.dtype
        assert clf.classes_.tolist() == labels
        assert clf.score(lazy[["x"]], y) == 1


@pytest.mark.parametrize("dtype", ["Float64", "Int64"])
def test_missing_nullable_numbers_name_their_partition(blobs_frame, dtype):
    numbers = blobs_frame["row"].astype(dtype).mask(blobs_frame["row"] == 300)
    lazy = dd.from_pandas(blobs_frame.assign(number=numbers), npartitions=4)
    there = r"^Partition 2 \(rows 256 to 383\): Input"
    clf = make_dask_clf()
    with pytest.raises(ValueError, match=f"{there} X contains NaN"):
        clf.fit(lazy[["a", "number"]], lazy["tree"])
    with pytest.raises(ValueError, match=f"{there} sample_weight contains NaN"):
        clf.fit(lazy[FEATURES], lazy["tree"], lazy["number"])


@pytest.mark.slow
def test_missing_dask_names_the_extra():
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

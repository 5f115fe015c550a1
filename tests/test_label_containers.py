"""Labels in containers of pandas, Polars, Arrow and NumPy."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

pytest.importorskip("pandas")
pytest.importorskip("polars")
pytest.importorskip("pyarrow")
import pandas as pd
import polars as pl
import pyarrow as pa
from numpy.testing import assert_array_equal

from tests.helpers import assert_same_weights, make_clf
from two_layer_sigmoid import TwoLayerSigmoidClassifierCV
from two_layer_sigmoid.distributed import DaskTwoLayerSigmoidClassifier

LARGE = [2**60, 2**60 + 1]  # equal as floats
BOOLEANS = [False, True]
STRINGS = ["ash", "birch"]
STRING_DTYPE = np.dtypes.StringDType(na_object=None)


def series(dtype):
    return lambda labels: pd.Series(labels, dtype=dtype)


def reversed_category(labels):
    """The codes of the categories are not those of the sorted labels."""
    return pd.Series(pd.Categorical(labels, categories=["zelkova", "birch", "ash"]))


def chunked(labels):
    return pa.chunked_array([labels[:3], labels[3:]])


DAYS = [date(2026, 1, 1), date(2026, 1, 2)]
TIMES = [datetime(2026, 1, 1, 3), datetime(2026, 1, 2)]
CONTAINERS = [
    (LARGE, np.asarray, np.int64),
    (LARGE, series("Int64"), np.int64),
    (LARGE, series("int64[pyarrow]"), np.int64),
    (LARGE, series("category"), np.int64),
    (LARGE, lambda labels: pd.Series(labels, dtype="Int64").astype("category"), np.int64),
    (LARGE, lambda labels: pd.Index(labels, dtype="Int64"), np.int64),
    (LARGE, lambda labels: pd.array(labels, dtype="Int64"), np.int64),
    (LARGE, lambda labels: pd.DataFrame({"y": pd.array(labels, dtype="Int64")}), np.int64),
    (LARGE, pl.Series, np.int64),
    (LARGE, pa.array, np.int64),
    (LARGE, lambda labels: pa.array(labels).dictionary_encode(), np.int64),
    (LARGE, chunked, np.int64),
    (LARGE, lambda labels: pa.table({"y": labels}), np.int64),
    ([2**63, 2**63 + 1], series("UInt64"), np.uint64),
    ([1, 2], series("Int8"), np.int8),
    ([1, 2], series("uint16[pyarrow]"), np.uint16),
    (BOOLEANS, series("boolean"), np.bool_),
    (BOOLEANS, series("bool[pyarrow]"), np.bool_),
    (BOOLEANS, series("category"), np.bool_),
    (BOOLEANS, pl.Series, np.bool_),
    (BOOLEANS, pa.array, np.bool_),
    ([1.0, 2.0], series("Float32"), np.float32),
    (STRINGS, list, "<U5"),
    (STRINGS, np.asarray, "<U5"),
    (STRINGS, pl.Series, "<U5"),
    (STRINGS, series(object), object),
    (STRINGS, series("str"), object),
    (STRINGS, series(pd.StringDtype("python")), object),
    (STRINGS, series(pd.StringDtype("pyarrow")), object),
    (STRINGS, series("string[pyarrow]"), object),
    (STRINGS, series(pd.ArrowDtype(pa.string())), object),
    (STRINGS, series("category"), object),
    (STRINGS, reversed_category, object),
    (STRINGS, lambda labels: np.array(labels, np.dtypes.StringDType()), object),
    (STRINGS, lambda labels: np.array(labels, STRING_DTYPE), object),
    (STRINGS, lambda labels: pl.Series(labels, dtype=pl.Categorical), object),
    (STRINGS, lambda labels: pl.Series(labels, dtype=pl.Enum(STRINGS[::-1])), object),
    (STRINGS, lambda labels: pl.DataFrame({"y": labels}), object),
    (STRINGS, pa.array, object),
    (STRINGS, lambda labels: pa.array(labels, pa.large_string()), object),
    (STRINGS, lambda labels: pa.array(labels).dictionary_encode(), object),
    (STRINGS, chunked, object),
    (STRINGS, lambda labels: pa.table({"y": labels}), object),
    (DAYS, pl.Series, "M8[D]"),
    (DAYS, pa.array, "M8[D]"),
    (TIMES, series("M8[us]"), "M8[us]"),
    (TIMES, series("timestamp[us][pyarrow]"), "M8[us]"),
    (TIMES, pl.Series, "M8[us]"),
    (TIMES, pa.array, "M8[us]"),
]


@pytest.mark.parametrize(("labels", "container", "dtype"), CONTAINERS)
@pytest.mark.filterwarnings("ignore:A column-vector y was passed")
def test_labels_of_any_container_keep_their_value(labels, container, dtype):
    X, code = np.array([[0.0], [1.0]] * 10), np.array([0, 1] * 10)
    y = container([labels[i] for i in code])
    reference = make_clf().fit(X, code)
    clf = make_clf().fit(X, y)
    assert clf.classes_.dtype == dtype
    assert clf.predict(X).dtype == dtype
    assert clf.classes_.tolist() == labels
    assert_same_weights(clf, reference)
    assert clf.score(X, y) == 1
    weighted = make_clf(class_weight={labels[0]: 1, labels[1]: 3}).fit(X, y)
    assert_same_weights(weighted, make_clf(class_weight={0: 1, 1: 3}).fit(X, code))
    stopped = make_clf(early_stopping=True).fit(X, y, X_val=X, y_val=y)
    assert stopped.validation_loss_curve_ is not None
    part = make_clf().partial_fit(X, y, classes=container(labels[::-1])).partial_fit(X, y)
    assert part.classes_.dtype == ("<U5" if dtype is object else dtype)  # by scikit-learn
    assert part.classes_.tolist() == labels


@pytest.mark.slow
@pytest.mark.parametrize(("labels", "container", "dtype"), CONTAINERS)
@pytest.mark.filterwarnings("ignore:A column-vector y was passed")
def test_every_estimator_keeps_the_labels(labels, container, dtype):
    da = pytest.importorskip("dask.array", reason="needs the extra dask")
    X, code = np.array([[0.0], [1.0]] * 10), np.array([0, 1] * 10)
    y = container([labels[i] for i in code])
    chunks = da.from_array(X, chunks=5)
    params = make_clf().get_params()
    for clf, rows in (
        (TwoLayerSigmoidClassifierCV(random_state=0), X),
        (DaskTwoLayerSigmoidClassifier(**params), chunks),
    ):
        clf.fit(rows, y)
        assert clf.classes_.dtype == clf.predict(rows).dtype == dtype
        assert clf.classes_.tolist() == labels
        assert clf.score(rows, y) == 1


@pytest.mark.parametrize(
    ("labels", "remedy"),
    [
        ([1, 2], "int"),
        (BOOLEANS, "bool"),
        ([1.0, 2.0], "float"),
        ([Decimal(1), Decimal(2)], "str"),
        (DAYS, "datetime64"),
        (TIMES, "datetime64"),
        ([timedelta(1), timedelta(2)], "timedelta64"),
        ([pd.Period("2026-01"), pd.Period("2026-02")], "str"),
        ([pd.Timestamp("2026-01-01", tz="UTC"), pd.Timestamp("2026-01-02", tz="UTC")], "str"),
    ],
)
def test_refused_objects_name_a_dtype_that_works(labels, remedy):
    X, y = [[0.0], [1.0]], np.array(labels, object)
    kind = type(labels[0]).__name__
    message = f"holds Python objects of the type {kind}: .* dtype='{remedy}'"
    with pytest.raises(ValueError, match=f"^Unknown label type: y {message}"):
        make_clf().fit(X, y)
    with pytest.raises(ValueError, match=f"^Unknown label type: classes {message}"):
        make_clf().partial_fit(X, np.array(y, dtype=remedy), classes=y)
    clf = make_clf().fit(X, np.array(y, dtype=remedy))
    assert clf.score(X, np.array(y, dtype=remedy)) == 1
    with pytest.raises(ValueError, match=f"^Unknown label type: y {message}"):
        clf.score(X, y)


def test_lazy_frames_are_refused():
    X, y = pl.DataFrame({"x": [0.0, 1.0]}), pl.Series("y", [0, 1])
    with pytest.raises(TypeError, match=r"^X is a LazyFrame: pass X\.collect\(\)"):
        make_clf().fit(X.lazy(), y)
    with pytest.raises(TypeError, match=r"^y is a LazyFrame: pass y\.collect\(\)"):
        make_clf().fit(X, y.to_frame().lazy())
    with pytest.raises(TypeError, match=r"^X is a LazyFrame: pass X\.collect\(\)"):
        make_clf().fit(X, y).predict(X.lazy())


@pytest.mark.parametrize("dtype", ["Int64", "boolean", "int64[pyarrow]", None])
def test_multilabel_frames_can_be_nullable(dtype):
    X, code = np.array([[0.0], [1.0]] * 10), np.array([0, 1] * 10)
    Y = pd.DataFrame({"a": code, "b": 1 - code})
    nullable = Y.astype(dtype or {"a": "Int8"})  # or one column only
    clf = make_clf(solver="lbfgs").fit(X, nullable)
    assert_same_weights(clf, make_clf(solver="lbfgs").fit(X, Y))
    assert_array_equal(clf.classes_, [0, 1])
    assert clf.score(X, nullable) == 1


MISSING = [
    [0.0, 1.0, np.nan, 1.0],
    [1, 2, None, 1],
    [*STRINGS, None, "ash"],
    [*STRINGS, np.nan, "ash"],
    [*STRINGS, np.float32("nan"), "ash"],
    [*STRINGS, pd.NA, "ash"],
    np.array([*STRINGS, pd.NaT, "ash"], object),
    np.array([*STRINGS, np.datetime64("NaT", "D"), "ash"], object),
    np.array([*STRINGS, None, "ash"], STRING_DTYPE),
    np.array([*STRINGS, np.nan, "ash"], np.dtypes.StringDType(na_object=np.nan)),
    np.array(["2026", "2027", "NaT", "2027"], "M8[D]"),
    pd.Series(np.array(["2026", "2027", "NaT", "2027"], "M8[s]")),
    pd.Series([1, 2, pd.NA, 1], dtype="Int64"),
    pd.Series([1, 2, pd.NA, 1], dtype="int64[pyarrow]"),
    pd.Series([1, 2, pd.NA, 1], dtype="Float64"),
    pd.Series([False, True, pd.NA, True], dtype="boolean"),
    pd.Series([*STRINGS, pd.NA, "ash"], dtype=pd.StringDtype("python")),
    pd.Series([*STRINGS, pd.NA, "ash"], dtype=pd.StringDtype("pyarrow")),
    pd.Series([*STRINGS, None, "ash"], dtype="str"),
    pd.Series([*STRINGS, None, "ash"], dtype="category"),
    pd.Series([1, 2, None, 1], dtype="category"),
    pl.Series([1, 2, None, 1]),
    pl.Series([*STRINGS, None, "ash"]),
    pl.Series([*STRINGS, None, "ash"], dtype=pl.Categorical),
    pd.DataFrame({"a": pd.Series([0, 1, pd.NA, 1], dtype="Int64"), "b": [1, 0, 1, 0]}),
    pl.DataFrame({"a": [0, 1, None, 1], "b": [1, 0, 1, 0]}),
]


@pytest.mark.parametrize("y", MISSING, ids=lambda y: f"{type(y).__name__}")
def test_missing_labels_are_counted_and_located(y):
    X = np.arange(4.0)[:, np.newaxis]
    message = "y contains missing labels, 1 of 4, the first at position 2: drop these rows"
    with pytest.raises(ValueError, match=f"^{message}"):
        make_clf().fit(X, y)
    fitted = make_clf().fit(X, STRINGS * 2)
    with pytest.raises(ValueError, match=f"^{message}"):
        fitted.score(X, y)
    with pytest.raises(ValueError, match=f"^{message}"):
        make_clf().partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match=f"^{message.replace('y', 'classes', 1)}"):
        make_clf().partial_fit(X, STRINGS * 2, classes=y)
    with pytest.raises(ValueError, match=f"X_val, y_val and sample_weight_val: {message}"):
        make_clf(early_stopping=True).fit(X, STRINGS * 2, X_val=X, y_val=y)

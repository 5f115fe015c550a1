"""Features in containers of pandas, Polars, Arrow and NumPy."""

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest

pytest.importorskip("pandas")
pytest.importorskip("polars")
pytest.importorskip("pyarrow")
import pandas as pd
import polars as pl
import pyarrow as pa
from numpy.testing import assert_allclose, assert_array_equal

from tests.helpers import assert_allclose_weights, make_clf
from two_layer_sigmoid import TwoLayerSigmoidClassifierCV
from two_layer_sigmoid.distributed import DaskTwoLayerSigmoidClassifier

NUMBERS = np.random.RandomState(0).randint(9, size=(40, 2))
LABELS = (NUMBERS.sum(axis=1) > 8).astype(int)
TEXT = NUMBERS.astype(str)
COLUMNS = ["a", "b"]


def frame(dtype):
    return pd.DataFrame(NUMBERS, columns=COLUMNS).astype(dtype)


def table(values):
    return pa.table(dict(zip(COLUMNS, values, strict=True)))


def read_only(X):
    X.flags.writeable = False
    return X


NAMED = {
    "pandas": frame("float64"),
    "pandas Int64": frame("Int64"),
    "pandas pyarrow": frame("double[pyarrow]"),
    "pandas mixed": frame({"a": "int64[pyarrow]", "b": "Float64"}),
    "pandas category": frame("category"),
    "pandas str": frame("str"),
    "pandas category of strings": frame("str").astype("category"),
    "Polars": pl.DataFrame(NUMBERS, schema=COLUMNS),
    "Polars mixed": pl.DataFrame(NUMBERS, schema=COLUMNS).cast({"a": pl.Float32, "b": pl.UInt8}),
    "Polars Decimal": pl.DataFrame(NUMBERS, schema=COLUMNS).cast(pl.Decimal(5, 1)),
    "Polars String": pl.DataFrame(TEXT, schema=COLUMNS),
    "Polars Categorical": pl.DataFrame(TEXT, schema=COLUMNS).cast(pl.Categorical),
    "Polars Enum": pl.DataFrame(TEXT, schema=COLUMNS).cast(pl.Enum(list("876543210"))),
    "Arrow": table(NUMBERS.T),
    "Arrow chunks": pa.concat_tables([table(NUMBERS[:7].T), table(NUMBERS[7:].T)]),
    "Arrow dictionary": table([pa.array(list(column)).dictionary_encode() for column in TEXT.T]),
    "Arrow decimals": table([[Decimal(int(x)) for x in column] for column in NUMBERS.T]),
}
UNNAMED = {
    "StringDType": TEXT.astype(np.dtypes.StringDType()),
    "objects": NUMBERS.astype(object),
    "read-only": read_only(NUMBERS.astype(float)),
    "copy on write": pd.DataFrame(NUMBERS.astype(float)).to_numpy(),
    "Arrow batch": pa.RecordBatch.from_arrays(list(map(pa.array, NUMBERS.T)), names=COLUMNS),
}


@pytest.mark.parametrize("name", [*NAMED, *UNNAMED])
def test_features_of_any_container_are_numbers(name):
    X, numbers = (NAMED | UNNAMED)[name], NUMBERS.astype(float)
    clf, reference = make_clf().fit(X, LABELS), make_clf().fit(numbers, LABELS)
    assert_allclose_weights(clf, reference)
    assert clf.W1_.dtype == np.float64
    if name in NAMED:
        assert clf.feature_names_in_.tolist() == COLUMNS
    assert_allclose(clf.predict_proba(X), reference.predict_proba(numbers), rtol=1e-9)
    assert clf.score(X, LABELS) == reference.score(numbers, LABELS)
    clf.partial_fit(X, LABELS)
    assert_allclose_weights(clf, reference.partial_fit(numbers, LABELS))
    clf.set_params(early_stopping=True).fit(X, LABELS, X_val=X, y_val=LABELS)
    reference.set_params(early_stopping=True).fit(numbers, LABELS, X_val=numbers, y_val=LABELS)
    assert_allclose(clf.validation_loss_curve_, reference.validation_loss_curve_, rtol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*NAMED, *UNNAMED])
def test_cross_validation_takes_every_container(name):
    X, numbers = (NAMED | UNNAMED)[name], NUMBERS.astype(float)
    clf, reference = (
        TwoLayerSigmoidClassifierCV(random_state=0).fit(given, LABELS) for given in (X, numbers)
    )
    assert_allclose_weights(clf, reference)
    assert clf.score(X, LABELS) == reference.score(numbers, LABELS)


@pytest.mark.parametrize("name", [name for name in NAMED if name.startswith("pandas")])
def test_dask_takes_every_frame_of_pandas(name):
    dd = pytest.importorskip("dask.dataframe", reason="needs the extra dask")
    X = dd.from_pandas(NAMED[name], npartitions=3)
    clf = DaskTwoLayerSigmoidClassifier(**make_clf().get_params())
    reference = make_clf().fit(NUMBERS.astype(float), LABELS)
    clf.fit(X, LABELS)
    assert_allclose_weights(clf, reference, 1e-9)
    assert clf.feature_names_in_.tolist() == COLUMNS
    assert_array_equal(clf.predict(X).compute(), reference.predict(NUMBERS.astype(float)))
    assert clf.score(X, LABELS) == reference.score(NUMBERS.astype(float), LABELS)


def test_frames_can_have_columns_named_as_attributes():
    X = np.random.RandomState(0).standard_normal((30, 2))
    frame = pd.DataFrame(X, columns=["dtype", "columns"])
    clf = make_clf().fit(frame, X[:, 0] > 0)
    assert_array_equal(clf.predict(frame), make_clf().fit(X, X[:, 0] > 0).predict(X))


def test_float32_stays_in_arrays_and_pandas():
    for X, dtype in (
        (NUMBERS.astype(np.float32), np.float32),
        (frame("float32"), np.float32),
        (frame("Float32"), np.float64),
        (frame("float[pyarrow]"), np.float64),
        (pl.DataFrame(NUMBERS).cast(pl.Float32), np.float64),
        (table(NUMBERS.T.astype(np.float32)), np.float64),
    ):
        assert make_clf().fit(X, LABELS).W1_.dtype == dtype


# What is refused


DAYS = [date(2026, 1, 1), date(2026, 1, 2)] * 20
X_0 = NUMBERS[:, 0]
DATES = {
    "NumPy": NUMBERS.astype("M8[D]"),
    "NumPy durations": NUMBERS.astype("m8[s]"),
    "pandas": pd.DataFrame({"a": pd.to_datetime(DAYS)}),
    "pandas among numbers": pd.DataFrame({"a": pd.to_datetime(DAYS), "b": X_0}),
    "pandas durations": pd.DataFrame({"a": pd.to_timedelta(X_0), "b": X_0}),
    "pandas time zone": pd.DataFrame({"a": pd.to_datetime(DAYS, utc=True)}),
    "pandas pyarrow": pd.DataFrame({"a": pd.Series(DAYS, dtype=pd.ArrowDtype(pa.date32()))}),
    "pandas periods": pd.DataFrame({"a": pd.period_range("2026", periods=40, freq="D")}),
    "Polars": pl.DataFrame({"a": DAYS}),
    "Polars among numbers": pl.DataFrame({"a": DAYS, "b": X_0}),
    "Polars durations": pl.DataFrame({"a": [timedelta(1), timedelta(2)] * 20, "b": X_0}),
    "Arrow": pa.table({"a": DAYS, "b": X_0}),
    "list": [[np.datetime64(day)] for day in DAYS],
    "list of arrays": [np.array([day], "M8[ns]") for day in DAYS],
    "objects": np.array(DAYS, "M8[D]").astype(object)[:, np.newaxis],
    "pandas objects": pd.DataFrame({"a": pd.Series(list(np.array(DAYS, "M8[D]")), dtype=object)}),
    "pandas categories": pd.DataFrame({"a": pd.Categorical(pd.to_datetime(DAYS))}),
    "Arrow dictionary": pa.table({"a": pa.array(DAYS).dictionary_encode()}),
}


@pytest.mark.parametrize("name", DATES)
def test_dates_as_features_are_refused(name):
    X = DATES[name]
    message = r"^X holds features of the type (date|time|dur|per).*: convert dates and durations"
    with pytest.raises(TypeError, match=f"(?i){message}"):
        make_clf().fit(X, LABELS)
    n_features = X.shape[1] if hasattr(X, "shape") else 1
    fitted = make_clf().fit(NUMBERS[:, :n_features], LABELS)
    with pytest.raises(TypeError, match=f"(?i){message}"):
        fitted.predict(X)
    if isinstance(X, pd.DataFrame) and name != "pandas objects":  # of which Dask makes strings
        dd = pytest.importorskip("dask.dataframe", reason="needs the extra dask")
        lazy, clf = dd.from_pandas(X, npartitions=2), DaskTwoLayerSigmoidClassifier()
        with pytest.raises(TypeError, match=f"(?i){message}"):
            clf.fit(lazy, LABELS)


@pytest.mark.parametrize(
    "X",
    [
        pd.DataFrame({"a": ["x", "y"] * 20}),
        pd.DataFrame({"a": ["x", "y"] * 20}).astype("category"),
        pl.DataFrame({"a": ["x", "y"] * 20}, schema={"a": pl.Categorical}),
        pl.DataFrame({"a": ["x", "y"] * 20}, schema={"a": pl.Enum(["y", "x"])}),
        pa.table({"a": pa.array(["x", "y"] * 20).dictionary_encode()}),
        np.array([["x"], ["y"]] * 20, np.dtypes.StringDType()),
    ],
    ids=lambda X: type(X).__module__,
)
def test_words_as_features_are_refused(X):
    with pytest.raises(ValueError, match="could not convert string to float"):
        make_clf().fit(X, LABELS)

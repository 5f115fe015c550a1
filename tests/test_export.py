"""Export to ONNX: a runtime gives the results of the estimator."""

import sys

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.datasets import (
    load_breast_cancer,
    make_classification,
    make_multilabel_classification,
)
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectKBest
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

import two_layer_sigmoid
from tests.helpers import slow
from two_layer_sigmoid import TwoLayerSigmoidClassifier, export

onnxruntime = pytest.importorskip("onnxruntime", reason="needs onnxruntime")
skl2onnx = pytest.importorskip("skl2onnx", reason="needs the extra onnx")
TensorProto = pytest.importorskip("onnx", reason="needs the extra onnx").TensorProto
ReferenceEvaluator = pytest.importorskip("onnx.reference").ReferenceEvaluator
X, codes = make_classification(2000, 20, n_informative=8, n_classes=3, random_state=0)
X_labels, Y_labels = make_multilabel_classification(2000, 20, n_classes=4, random_state=0)
X_labels = StandardScaler().fit_transform(X_labels)
TARGETS = {
    "binary": (X, (codes > 0).astype(int)),
    "multiclass": (X, codes),
    "multilabel": (X_labels, Y_labels),
}


def network(**parameters):
    return TwoLayerSigmoidClassifier(**{"n_h": 8, "max_iter": 100, "random_state": 0} | parameters)


def run(onnx, X, outputs=None):
    session = onnxruntime.InferenceSession(
        onnx.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    inputs = X if isinstance(X, dict) else {"X": X}
    return session.run(outputs, inputs)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("in_pipeline", [False, slow(True)])
@pytest.mark.parametrize("target", TARGETS)
def test_runtime_equals_the_estimator(target, in_pipeline, dtype):
    rows, y = TARGETS[target]
    rows = rows.astype(dtype)
    model = make_pipeline(StandardScaler(), network()) if in_pipeline else network()
    model.fit(rows, y)
    label, P = run(export.to_onnx(model), rows)
    assert P.dtype == dtype
    tolerance = 1e-6 if dtype == "float32" else 1e-13
    np.testing.assert_allclose(P, model.predict_proba(rows), rtol=0, atol=tolerance)
    # float32 may round a logit close to zero, or a tie, to the other side.
    logits = model.decision_function(rows)
    margin = np.abs(logits) if logits.ndim == 1 or target == "multilabel" else spread(logits)
    sure = margin > 1e-5
    assert sure.mean() > 0.999
    np.testing.assert_array_equal(label[sure], model.predict(rows)[sure])


def spread(logits):
    """How far the largest logit of each row is above the next."""
    last_two = np.sort(logits, axis=1)[:, -2:]
    return last_two[:, 1] - last_two[:, 0]


@pytest.mark.parametrize("target", TARGETS)
def test_features_far_from_zero_are_exported(target):
    rows, y = TARGETS[target]
    rows = 1e3 * rows + 1e4
    clf = network().fit(rows, y)
    _, P = run(export.to_onnx(clf), rows)
    np.testing.assert_allclose(P, clf.predict_proba(rows), rtol=0, atol=1e-11)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("fitted", ["float32", slow("float64")])
@pytest.mark.parametrize("target", TARGETS)
def test_dtype_sets_the_type_of_all_numbers(target, fitted, dtype):
    rows, y = TARGETS[target]
    clf = network().fit(rows.astype(fitted), y)
    onnx = export.to_onnx(clf, dtype=dtype)
    numbers = {constant.data_type for constant in onnx.graph.initializer}
    element = {"float32": TensorProto.FLOAT, "float64": TensorProto.DOUBLE}
    assert numbers - {TensorProto.INT64} == {element[dtype]}
    _, P = run(onnx, rows.astype(dtype))
    assert P.dtype == dtype
    atol = 1e-13 if fitted == dtype == "float64" else 1e-6
    np.testing.assert_allclose(P, clf.predict_proba(rows.astype(fitted)), rtol=0, atol=atol)


@pytest.mark.parametrize(("ratio", "atol"), [(0, 1e-6), (100, 1e-4), (10_000, 1e-2)])
def test_float32_error_grows_with_mean_over_spread(ratio, atol):
    rows, y = load_breast_cancer(return_X_y=True)
    rows += ratio * rows.std(axis=0)
    clf = network(n_h=32).fit(rows, y)
    _, P = run(export.to_onnx(clf, dtype="float32"), rows.astype("float32"))
    np.testing.assert_allclose(P, clf.predict_proba(rows), rtol=0, atol=atol)


def test_dtype_and_initial_types_go_together():
    clf = network().fit(X[:500], codes[:500])
    types = [("rows", skl2onnx.common.data_types.FloatTensorType([None, 20]))]
    rows = {"rows": X[:500].astype("float32")}
    expected = clf.predict_proba(rows["rows"].astype("float64"))
    for zipmap in False, "columns":
        onnx = export.to_onnx(clf, dtype="float64", zipmap=zipmap, initial_types=types)
        _, *P = run(onnx, rows)
        P = np.column_stack(P)
        assert P.dtype == "float64"
        np.testing.assert_allclose(P, expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("zipmap", [False, True, "columns"])
def test_outputs_have_the_documented_names(zipmap):
    for labels in np.arange(3), np.array(["label", "probabilities", "c"]):
        clf = network().fit(X[:500], labels[codes[:500]])
        onnx = export.to_onnx(clf, zipmap=zipmap)
        names = [output.name for output in onnx.graph.output]
        columns = ["probabilities_0", "probabilities_1", "probabilities_2"]
        assert names == ["label", *(columns if zipmap == "columns" else ["probabilities"])]
        label, *_ = run(onnx, X[:500], names)
        np.testing.assert_array_equal(label, clf.predict(X[:500]))


def test_two_exports_have_equal_bytes():
    for model in network(), make_pipeline(PowerTransformer(), network()):
        model.fit(X[:500], codes[:500])
        one, two = (export.to_onnx(model, dtype="float32").SerializeToString() for _ in range(2))
        assert one == two


@pytest.mark.parametrize(
    "labels",
    [
        np.array([-7, 3, 11]),
        np.array([1, 2, 3], dtype=np.uint8),
        np.array([1.0, 2.0, 5.0]),
        np.array(["setosa", "versicolor", "schöne Art"]),
        np.array(["a", "b", "c"], dtype=object),
        np.array([False, True]),
        np.array(["no", "yes"]),
    ],
    ids=str,
)
def test_labels_of_any_type_are_exported(labels):
    y = labels[codes % len(labels)][:500]
    clf = network().fit(X[:500], y)
    mapped, maps = run(export.to_onnx(clf, zipmap=True), X[:500])
    assert mapped.tolist() == clf.predict(X[:500]).tolist()
    assert list(maps[0]) == clf.classes_.tolist()
    label, _ = run(export.to_onnx(clf), X[:500])
    assert label.tolist() == clf.predict(X[:500]).tolist()
    assert label.dtype.kind == ("O" if labels.dtype.kind in "UO" else clf.classes_.dtype.kind) or (
        labels.dtype.kind == "u" and label.dtype == np.int64
    )


def test_zipmap_gives_each_label_its_probability():
    clf = network().fit(X[:500], np.array(["a", "b", "c"])[codes[:500]])
    P = clf.predict_proba(X[:500])
    _, maps = run(export.to_onnx(clf, zipmap=True), X[:500])
    assert list(maps[0]) == ["a", "b", "c"]
    np.testing.assert_allclose([list(row.values()) for row in maps], P, atol=1e-5)
    _, *columns = run(export.to_onnx(clf, zipmap="columns"), X[:500])
    np.testing.assert_allclose(np.column_stack([*map(np.ravel, columns)]), P, atol=1e-13)


@pytest.mark.parametrize("target", TARGETS)
def test_raw_scores_are_the_logits(target):
    rows, y = TARGETS[target]
    clf = network().fit(rows, y)
    _, scores = run(export.to_onnx(clf, raw_scores=True), rows)
    expected = clf.decision_function(rows)
    expected = np.column_stack([-expected, expected]) if target == "binary" else expected
    np.testing.assert_allclose(scores, expected, rtol=1e-9, atol=1e-9)


def network_with_logits(target, z, dtype):
    """A network whose logits for the two rows are -z and z, times 1 / k for the k-th output."""
    n_y = 1 if target == "binary" else 3
    W2 = 2 * z / np.arange(1, n_y + 1)[:, np.newaxis]
    W2[1::2] *= -1
    start = np.full((1, 1), 1000.0), np.zeros((1, 1)), W2, -W2 / 2
    y = {"binary": [0, 1] * 3, "multiclass": [0, 1, 2] * 2, "multilabel": np.eye(6, 3, dtype=int)}
    clf = network(n_h=1, init=start, alpha=0, standardize=False, max_iter=1, learning_rate=1e-12)
    clf.fit(np.zeros((6, 1), dtype), y[target])
    rows = np.array([[-1], [1]], dtype)
    np.testing.assert_allclose(clf.decision_function(rows).T, np.hstack([-W2, W2]).squeeze() / 2)
    return clf, rows


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("z", [8, slow(40), 1000])
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.filterwarnings("ignore:Training ended")  # at so small a rate
def test_small_probabilities_have_small_relative_errors(target, z, dtype):
    clf, rows = network_with_logits(target, z, dtype)
    _, P = run(export.to_onnx(clf), rows)
    expected = clf.predict_proba(rows)  # inside [tiny, 1 - eps]
    # A rounded logarithm of -700 has an error of 1e-13, and so has its exponential, relatively.
    np.testing.assert_allclose(P, expected, rtol=5e-6 if dtype == "float32" else 1e-13)
    if target == "multiclass":
        np.testing.assert_allclose(P.sum(axis=1), 1, rtol=1e-6)


@pytest.mark.filterwarnings("ignore:Training ended")  # at so small a rate
def test_zipmap_probabilities_stay_inside_zero_and_one():
    clf, rows = network_with_logits("binary", 1000, "float64")
    _, maps = run(export.to_onnx(clf, zipmap=True), rows)
    limits = np.finfo("float32")
    ends = [float(limits.tiny), float(1 - limits.eps)]
    assert [[*row.values()] for row in maps] == [ends[::-1], ends]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.filterwarnings("ignore:The classes can be separated")
def test_confident_network_has_small_relative_errors(dtype):
    rows, y = load_breast_cancer(return_X_y=True)
    rows = StandardScaler().fit_transform(rows).astype(dtype)
    clf = network(n_h=16, alpha=0, solver="lbfgs").fit(rows[::2], y[::2])
    logits = clf.decision_function(rows)
    assert np.abs(logits).max() > 25
    onnx, scores = (export.to_onnx(clf, raw_scores=raw) for raw in (False, True))
    # The Sigmoid of the hidden units has absolute errors only, so the logits agree.
    rtol = 1e-6 if dtype == "float32" else 1e-14
    atol = 1e-5 if dtype == "float32" else 1e-13
    np.testing.assert_allclose(run(scores, rows)[1][:, 1], logits, rtol, atol)
    np.testing.assert_allclose(run(onnx, rows)[1], clf.predict_proba(rows), rtol=4 * atol)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("target", TARGETS)
def test_reference_evaluator_agrees(target, dtype):
    rows, y = TARGETS[target]
    clf = network().fit(rows, y)
    onnx = export.to_onnx(clf, dtype=dtype, target_opset=18)
    _, P = ReferenceEvaluator(onnx).run(None, {"X": rows.astype(dtype)})
    rtol = 1e-4 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(P, clf.predict_proba(rows), rtol=rtol)


@pytest.mark.parametrize("target", TARGETS)
def test_row_with_nan_has_nan_probabilities(target):
    rows, y = TARGETS[target]
    clf = network().fit(rows, y)
    row = np.full((1, 20), np.nan)
    label, P = run(export.to_onnx(clf), row)
    assert np.isnan(P).all()
    assert label.tolist() == ([[0, 0, 0, 0]] if target == "multilabel" else [0])


def test_skl2onnx_converts_the_class():
    clf = network().fit(X[:500], codes[:500])
    onnx = skl2onnx.to_onnx(clf, X[:1], options={"zipmap": False})
    _, P = run(onnx, X[:500])
    np.testing.assert_allclose(P, clf.predict_proba(X[:500]), atol=1e-13)
    _, maps = run(skl2onnx.to_onnx(clf, X[:1].astype("float32")), X[:500].astype("float32"))
    np.testing.assert_allclose([list(row.values()) for row in maps], P, atol=1e-5)


class Same(TwoLayerSigmoidClassifier):
    pass


class Other(TwoLayerSigmoidClassifier):
    def _forward(self, X, params, **buffers):
        return super()._forward(2 * X, params, **buffers)


@pytest.mark.parametrize(
    "model",
    [
        Same(max_iter=100, random_state=0),
        make_pipeline(StandardScaler(), make_pipeline(StandardScaler(), network())),
    ],
    ids=str,
)
def test_subclasses_and_nested_pipelines_are_exported(model):
    model.fit(X[:500], codes[:500])
    _, P = run(export.to_onnx(model), X[:500])
    np.testing.assert_allclose(P, model.predict_proba(X[:500]), atol=1e-13)


TRANSFORMERS = [  # the table in docs/user_guide/saving.md; True: in float32 only
    (StandardScaler(), False),
    (MinMaxScaler(clip=True), False),
    (MaxAbsScaler(), False),
    (RobustScaler(), False),
    (Normalizer(), True),
    (SimpleImputer(), True),
    (PolynomialFeatures(), True),
    (PolynomialFeatures(include_bias=False), False),
    (Binarizer(), True),
    (KBinsDiscretizer(3, encode="onehot-dense", strategy="uniform"), False),
    (KBinsDiscretizer(3, encode="ordinal", strategy="uniform"), False),
    (OneHotEncoder(handle_unknown="ignore"), False),
    (OrdinalEncoder(), False),
    (PCA(3), False),
    (make_column_transformer((StandardScaler(), [0, 1]), remainder="passthrough"), False),
    (make_column_transformer((SimpleImputer(), [0, 1])), True),
    (SelectKBest(k=2), False),
    (PowerTransformer(), True),
    (QuantileTransformer(n_quantiles=5), False),
]


@pytest.mark.parametrize("dtype", ["float32", slow("float64")])
@pytest.mark.parametrize(("transformer", "float32_only"), TRANSFORMERS, ids=str)
def test_transformers_are_exported_or_refused(transformer, float32_only, dtype):
    # Whole numbers meet thresholds and the edges of bins, and there are rows of zeros.
    rows = np.random.default_rng(0).integers(-2, 3, (300, 4)).astype(dtype)
    rows[:10] = 0
    y = rows[:, 0] + rows[:, 1] > 0
    if "SimpleImputer" in str(transformer):
        rows[rows == -2] = np.nan
    model = make_pipeline(transformer, network()).fit(rows, y)
    if float32_only and dtype == "float64":
        with pytest.raises(
            ValueError, match=r"cannot be exported in float64: give dtype='float32'"
        ):
            export.to_onnx(model, dtype=dtype)
        return
    label, P = run(export.to_onnx(model, dtype=dtype), rows)
    tolerance = 1e-5 if dtype == "float32" else 1e-13
    np.testing.assert_allclose(P, model.predict_proba(rows), rtol=0, atol=tolerance)
    np.testing.assert_array_equal(label, model.predict(rows))


@pytest.mark.parametrize(
    ("transformer", "message"),
    [
        (Normalizer(norm="max"), r"Normalizer\(norm='max'\) cannot be exported"),
        (SimpleImputer(add_indicator=True), r"SimpleImputer\(add_indicator=True\)"),
        (KNNImputer(add_indicator=True), r"KNNImputer\(add_indicator=True\)"),
        (OrdinalEncoder(min_frequency=20), r"OrdinalEncoder\(with infrequent categories\)"),
        (OrdinalEncoder(max_categories=2), r"OrdinalEncoder\(with infrequent categories\)"),
    ],
    ids=str,
)
def test_settings_that_would_be_wrong_are_refused(transformer, message):
    rows = np.random.default_rng(0).integers(-2, 3, (100, 2)).astype("float32")
    y = rows[:, 0] > 0
    if "Imputer" in str(transformer):
        rows[::9, 1] = np.nan
    model = make_pipeline(transformer, network(max_iter=1000)).fit(rows, y)
    with pytest.raises(ValueError, match=message):
        export.to_onnx(model)


@pytest.mark.parametrize(
    "transformer",
    [
        SimpleImputer(add_indicator=True),
        OrdinalEncoder(min_frequency=1),
        OrdinalEncoder(max_categories=9),
    ],
    ids=str,
)
def test_settings_without_effect_are_exported(transformer):
    rows = np.random.default_rng(0).integers(-2, 3, (100, 2)).astype("float32")
    model = make_pipeline(transformer, network(max_iter=1000)).fit(rows, rows[:, 0] > 0)
    _, P = run(export.to_onnx(model, dtype="float32"), rows)
    np.testing.assert_allclose(P, model.predict_proba(rows), rtol=0, atol=1e-5)


def test_columns_of_several_types_are_exported():
    import pandas as pd  # noqa: PLC0415 - needed here only

    frame = pd.DataFrame(
        {"x": X[:500, 0].astype("float32"), "kind": np.array(["u", "v"])[codes[:500] % 2]}
    )
    prepare = make_column_transformer((StandardScaler(), ["x"]), (OneHotEncoder(), ["kind"]))
    model = make_pipeline(prepare, network()).fit(frame, codes[:500])
    types = skl2onnx.common.data_types
    onnx = export.to_onnx(
        model,
        initial_types=[
            ("x", types.FloatTensorType([None, 1])),
            ("kind", types.StringTensorType([None, 1])),
        ],
    )
    inputs = {"x": frame[["x"]].to_numpy(), "kind": frame[["kind"]].to_numpy().astype(object)}
    _, P = run(onnx, inputs)
    np.testing.assert_allclose(P, model.predict_proba(frame), atol=1e-5)


def test_inputs_of_single_columns_are_concatenated():
    types = skl2onnx.common.data_types
    clf = network(max_iter=1000).fit(np.round(X[:500, :3]), codes[:500])
    rows = {
        "a": np.round(X[:500, [0]]),
        "b": X[:500, [1]].round().astype("float32"),
        "c": X[:500, [2]].round().astype("int64"),
    }
    tensors = types.DoubleTensorType, types.FloatTensorType, types.Int64TensorType
    initial_types = [(name, t([None, 1])) for name, t in zip(rows, tensors, strict=True)]
    label, P = run(export.to_onnx(clf, initial_types=initial_types), rows)
    expected = np.hstack([*rows.values()])
    np.testing.assert_array_equal(label, clf.predict(expected))
    np.testing.assert_allclose(P, clf.predict_proba(expected), rtol=1e-12)


def test_power_transformer_refuses_several_inputs():
    model = make_pipeline(PowerTransformer(), network()).fit(X[:500, :2], X[:500, 0] > 0)
    column = skl2onnx.common.data_types.FloatTensorType([None, 1])
    with pytest.raises(ValueError, match="PowerTransformer cannot be exported with several inputs"):
        export.to_onnx(model, initial_types=[("a", column), ("b", column)])


def test_unsupported_models_are_refused():
    clf = network().fit(X[:50], codes[:50])
    with pytest.raises(NotFittedError):
        export.to_onnx(network())
    with pytest.raises(TypeError, match="got LogisticRegression"):
        export.to_onnx(make_pipeline(LogisticRegression()).fit(X[:50], codes[:50]))
    with pytest.raises(ValueError, match="dtype must be float32 or float64, got int64"):
        export.to_onnx(clf, dtype="int64")
    with pytest.raises(TypeError, match="Other overrides _forward"):
        export.to_onnx(Other(max_iter=100, random_state=0).fit(X[:50], codes[:50]))
    dates = np.array(["2026-01-01", "2026-01-02"], dtype="datetime64[D]")[codes[:50] % 2]
    for zipmap in False, True, "columns":
        with pytest.raises(ValueError, match="ONNX has no labels of type datetime64"):
            export.to_onnx(network().fit(X[:50], dates), zipmap=zipmap)
    large = np.array([1, 2**63], dtype=np.uint64)[codes[:50] % 2]
    with pytest.raises(ValueError, match=r"ONNX has no labels above 2\*\*63 - 1: give integers of"):
        export.to_onnx(network().fit(X[:50], large))
    several = network().fit(X_labels[:50], Y_labels[:50])
    with pytest.raises(ValueError, match="zipmap needs one label per row"):
        export.to_onnx(several, zipmap=True)
    with pytest.raises(ValueError, match="zipmap needs one label per row"):
        skl2onnx.to_onnx(several, X[:1], options={"zipmap": True})


def test_missing_skl2onnx_names_the_extra(monkeypatch):
    monkeypatch.setattr(export, "skl2onnx", None)
    monkeypatch.setattr(export, "IMPORT_ERROR", ImportError("No module"), raising=False)
    with pytest.raises(ImportError, match=r"two-layer-sigmoid\[onnx\]"):
        export.to_onnx(network().fit(X[:50], codes[:50]))


def test_import_works_without_skl2onnx(monkeypatch):
    monkeypatch.setitem(sys.modules, "skl2onnx", None)
    monkeypatch.delitem(sys.modules, "two_layer_sigmoid.export")
    monkeypatch.setattr(two_layer_sigmoid, "export", None)  # is put back, like the module
    import two_layer_sigmoid.export as again  # noqa: PLC0415

    assert again.skl2onnx is None

"""Export to ONNX with skl2onnx (the extra ``onnx``).

Importing this module registers a converter with skl2onnx, if that is installed. Then skl2onnx's own
functions can convert the estimator too, alone or in a pipeline.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.preprocessing import (
    Binarizer,
    Normalizer,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
)
from sklearn.utils.validation import check_is_fitted

from ._base import BaseTwoLayerSigmoid
from ._classifier import TwoLayerSigmoidClassifier

try:
    import skl2onnx
    from onnx import TensorProto
    from onnx.helper import np_dtype_to_tensor_dtype
    from skl2onnx.common import data_types
except ImportError as error:
    skl2onnx, IMPORT_ERROR = None, error

__all__ = ["to_onnx"]

# The types of labels in skl2onnx, by the kind of their NumPy dtype.
LABELS = {"b": "Boolean", "i": "Int64", "u": "Int64", "f": "Double", "U": "String", "O": "String"}
# The faults of skl2onnx 1.20 and onnxruntime 1.32 in float64: PowerTransformer cannot be converted.
# Models with SimpleImputer, or with PolynomialFeatures and a bias, cannot be loaded. Binarizer is
# wrong for a value equal to its threshold, and Normalizer for a row of zeros.
FLOAT32_ONLY = Binarizer, Normalizer, PolynomialFeatures, PowerTransformer, SimpleImputer
CHECKED = (*FLOAT32_ONLY, KNNImputer, OrdinalEncoder)


def to_onnx(
    estimator: Any,
    *,
    dtype: npt.DTypeLike | None = None,
    zipmap: bool | str = False,
    raw_scores: bool = False,
    initial_types: list[tuple[str, Any]] | None = None,
    target_opset: int | dict[str, int] | None = None,
) -> Any:
    """Convert a fitted estimator, or a pipeline that ends in one, to ONNX.

    The input is ``X`` of shape (n_samples, n_features). The outputs are ``label`` of shape
    (n_samples,), multilabel (n_samples, n_labels), and ``probabilities`` of shape
    (n_samples, n_classes), multilabel (n_samples, n_labels). The same estimator and parameters give
    the same bytes.

    Parameters
    ----------
    estimator : estimator
        A fitted :class:`~two_layer_sigmoid.TwoLayerSigmoidClassifier` or pipeline.
    dtype : {float32, float64}, default=None
        The dtype of the arithmetic, of the probabilities, and, without ``initial_types``, of X; the
        model accepts X of no other dtype. None is the dtype of the weights, which is that of X in
        ``fit``.
    zipmap : bool or "columns", default=False
        Format of the probabilities. False is a matrix. True is a map from label to probability for
        each row, in float32. "columns" is an output of shape (n_samples,) for each class, named
        ``probabilities_0``, ``probabilities_1`` and so on, in the order of ``classes_``. With True
        and "columns", bool and float labels become integers. Not for multilabel targets.
    raw_scores : bool, default=False
        Whether to return logits, in nats, instead of probabilities. They are those of
        ``decision_function``, for two classes in the columns -z2 and z2.
    initial_types : list of (str, skl2onnx type), default=None
        The inputs, if they are not one matrix of floats. Several inputs are columns of X, in this
        order.
    target_opset : int or dict, default=None
        See ``skl2onnx.convert_sklearn``.

    Returns
    -------
    onnx : onnx.ModelProto
        The model. ``onnx.SerializeToString()`` returns the bytes that runtimes load.

    Raises
    ------
    ImportError
        If skl2onnx is not installed.
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If the estimator is neither a network of this package nor a pipeline that ends in one, or
        if ``_forward`` is overridden.
    ValueError
        If ``dtype`` is neither float32 nor float64; if ``zipmap`` is set for multilabel targets; if
        ONNX does not have the type of the labels; or if the model would compute a transformer of
        the pipeline incorrectly.
    """
    if skl2onnx is None:
        message = "to_onnx needs skl2onnx: pip install 'two-layer-sigmoid[onnx]'."
        raise ImportError(message) from IMPORT_ERROR
    clf = estimator
    while hasattr(clf, "steps"):
        clf = clf.steps[-1][1]
    _check(clf)
    dtype = clf.W1_.dtype if dtype is None else np.dtype(dtype)
    tensor = _tensor_of_floats(dtype)
    if initial_types is None:
        n_features = getattr(estimator, "n_features_in_", clf.n_features_in_)
        initial_types = [("X", tensor([None, n_features]))]
    _label_type(clf, zipmap)  # raises before skl2onnx, whose zipmap fails on other labels
    _register(type(clf))
    options = {"zipmap": zipmap, "raw_scores": raw_scores, "dtype": dtype.name}
    onnx = skl2onnx.convert_sklearn(
        estimator,
        "TwoLayerSigmoid",  # otherwise the name is random
        initial_types=initial_types,
        options={id(clf): options},
        target_opset=target_opset,
        custom_shape_calculators=dict.fromkeys(CHECKED, _declare_transformer),
    )
    if zipmap:
        _declare_zipmap(onnx.graph, zipmap, dtype)
    return onnx


def _declare_zipmap(graph: Any, zipmap: bool | str, dtype: np.dtype[Any]) -> None:
    """Give the outputs of skl2onnx's zipmap the names and types that ``to_onnx`` documents."""
    old = [output.name for output in graph.output]
    columns = [f"probabilities_{i}" for i in range(len(old) - 1)]
    new = ["label", *(columns if zipmap == "columns" else ["probabilities"])]
    # Names are swapped, because the nodes before the zipmap have some of the new ones.
    names = dict(zip(new, old, strict=True)) | dict(zip(old, new, strict=True))
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    for output, name in zip(graph.output, new, strict=True):
        output.name = name
        if zipmap == "columns" and name != "label":  # skl2onnx has declared the type of X
            output.type.tensor_type.elem_type = np_dtype_to_tensor_dtype(dtype)


def _check(clf: Any) -> None:
    """Raise unless the nodes below describe the estimator completely."""
    if not isinstance(clf, BaseTwoLayerSigmoid):
        raise TypeError(
            "to_onnx converts a TwoLayerSigmoidClassifier, or a pipeline that ends in one; "
            f"got {clf!r}."
        )
    if type(clf)._forward is not BaseTwoLayerSigmoid._forward:
        raise TypeError(f"{type(clf).__name__} overrides _forward, which to_onnx cannot convert.")
    check_is_fitted(clf)


def _tensor_of_floats(dtype: npt.DTypeLike) -> Any:
    dtype = np.dtype(dtype)
    if dtype == np.float32:
        return data_types.FloatTensorType
    if dtype == np.float64:
        return data_types.DoubleTensorType
    raise ValueError(f"dtype must be float32 or float64, got {dtype}.")


def _wrong_setting(transformer: Any) -> str | None:
    """A setting of a fitted transformer that skl2onnx 1.20 computes incorrectly.

    It divides by the maximum instead of the largest absolute value, leaves out the columns of an
    indicator, and does not know infrequent categories.
    """
    if getattr(transformer, "norm", None) == "max":
        return "norm='max'"
    if np.size(getattr(getattr(transformer, "indicator_", None), "features_", ())):
        return "add_indicator=True"
    infrequent = getattr(transformer, "infrequent_categories_", ())
    if any(categories is not None for categories in infrequent):
        return "with infrequent categories"
    return None


def _declare_transformer(operator: Any) -> None:
    """Raise if skl2onnx or onnxruntime would compute the transformer incorrectly."""
    transformer = operator.raw_operator
    if isinstance(transformer, PowerTransformer) and len(operator.inputs) > 1:
        raise ValueError(
            "PowerTransformer cannot be exported with several inputs: give one matrix, or put the "
            "transformer into a ColumnTransformer."
        )
    if setting := _wrong_setting(transformer):
        raise ValueError(
            f"{type(transformer).__name__}({setting}) cannot be exported: leave it out of the "
            "pipeline, and transform X before."
        )
    double = any(isinstance(X.type, data_types.DoubleTensorType) for X in operator.inputs)
    float32_only = isinstance(transformer, FLOAT32_ONLY)
    # Only PolynomialFeatures has a bias.
    if double and float32_only and getattr(transformer, "include_bias", True):
        raise ValueError(
            f"{type(transformer).__name__} cannot be exported in float64: give dtype='float32', or "
            "FloatTensorType in initial_types."
        )
    operator.infer_types()


class _Nodes:
    """Adds nodes to skl2onnx's container. Each call returns the name of the node's output."""

    def __init__(self, scope: Any, container: Any) -> None:
        self.scope, self.container = scope, container

    def __call__(
        self, op_type: str, *inputs: str, output: str | None = None, **attributes: Any
    ) -> str:
        output = output or str(self.scope.get_unique_variable_name(op_type))
        name = self.scope.get_unique_operator_name(op_type)
        self.container.add_node(op_type, list(inputs), output, name=name, **attributes)
        return output

    def constant(self, array: npt.NDArray[Any], element: int) -> str:
        name = str(self.scope.get_unique_variable_name("constant"))
        self.container.add_initializer(name, element, array.shape, array.ravel().tolist())
        return name


def _declare(operator: Any) -> None:
    """Set types and shapes of the outputs."""
    clf = operator.raw_operator
    options = _options(operator.scope_inst, clf)
    label, probabilities = operator.outputs
    n, n_classes = operator.inputs[0].get_first_dimension(), len(clf.classes_)
    if options["zipmap"] and clf._multilabel:
        raise ValueError("zipmap needs one label per row: use zipmap=False for multilabel targets.")
    label_type = _label_type(clf, options["zipmap"])
    label.set_type(label_type([n, n_classes] if clf._multilabel else [n]))
    # ONNX has maps to float32 only.
    dtype = np.float32 if options["zipmap"] is True else options["dtype"]
    if dtype is None:  # skl2onnx has set it to that of X
        probabilities.type.shape = [n, n_classes]
    else:
        probabilities.set_type(_tensor_of_floats(dtype)([n, n_classes]))


def _options(scope: Any, clf: BaseTwoLayerSigmoid) -> dict[str, Any]:
    """The options of the conversion, which skl2onnx's scopes and containers have."""
    options: dict[str, Any] = {"zipmap": False, "raw_scores": False, "dtype": None}
    return scope.get_options(clf, options)


def _label_type(clf: BaseTwoLayerSigmoid, zipmap: bool | str) -> Any:
    """The type of the labels in skl2onnx. The keys of a map are integers or strings."""
    kind = clf.classes_.dtype.kind
    too_large = kind == "u" and clf.classes_.max() > np.iinfo(np.int64).max
    if kind not in LABELS or too_large:
        described = "above 2**63 - 1" if too_large else f"of type {clf.classes_.dtype}"
        raise ValueError(f"ONNX has no labels {described}: give integers of int64, or str.")
    return getattr(data_types, f"{LABELS['i' if zipmap and kind in 'bf' else kind]}TensorType")


def _convert(scope: Any, operator: Any, container: Any) -> None:
    """Add the nodes of equations (2) to (5) and of the outputs."""
    clf = operator.raw_operator
    options = _options(container, clf)
    node = _Nodes(scope, container)
    element = np_dtype_to_tensor_dtype(np.dtype(options["dtype"] or clf.W1_.dtype))
    W1, b1, W2, b2 = (node.constant(W, element) for W in (clf.W1_, clf.b1_.T, clf.W2_, clf.b2_.T))
    columns = [node("Cast", X.full_name, to=element) for X in operator.inputs]
    X = node("Concat", *columns, axis=1) if len(columns) > 1 else columns[0]
    A1 = node("Sigmoid", node("Gemm", X, W1, b1, transB=1))
    Z2 = node("Gemm", A1, W2, b2, transB=1)
    if len(clf.W2_) == 1 and not clf._multilabel:  # one column for each class
        Z2 = node("Concat", node("Neg", Z2), Z2, axis=1)
    label, probabilities = operator.outputs
    _label(node, clf, Z2, element, label)
    to = data_types.guess_proto_type(probabilities.type)
    if options["raw_scores"]:
        node("Cast", Z2, output=probabilities.full_name, to=to)
        return
    P = node("Cast", _probabilities(node, clf, Z2, element), to=to)
    finfo = np.finfo(np.float64 if to == TensorProto.DOUBLE else np.float32)
    P = node("Max", P, node.constant(np.array([finfo.tiny]), to))
    highest = node.constant(np.array([1 - finfo.eps]), to)
    node("Min", P, highest, output=probabilities.full_name)


def _label(node: _Nodes, clf: BaseTwoLayerSigmoid, Z2: str, element: int, label: Any) -> None:
    """Add the nodes of the labels: z2 > 0, strictly, if multilabel, else the largest column."""
    to = data_types.guess_proto_type(label.type)
    if clf._multilabel:
        positive = node("Greater", Z2, node.constant(np.zeros(1), element))
        node("Cast", positive, output=label.full_name, to=to)
        return
    classes = clf.classes_.astype(int) if to == TensorProto.INT64 else clf.classes_
    code = node("ArgMax", Z2, axis=1, keepdims=0)  # of equal columns the first: strictly z2 > 0
    node("Gather", node.constant(classes, to), code, output=label.full_name, axis=0)


def _probabilities(node: _Nodes, clf: BaseTwoLayerSigmoid, Z2: str, element: int) -> str:
    """Add the nodes of the probabilities, not yet inside (0, 1).

    The Sigmoid of onnxruntime is wrong for small probabilities: it is 0 from z = -16 in float32
    and from z = -37 in float64. Each of these nodes is accurate relative to its result.
    """
    zero, one = (node.constant(np.array([number]), element) for number in (0.0, 1.0))
    negative = node("Min", Z2, zero)
    denominator = node("Add", one, node("Exp", node("Neg", node("Abs", Z2))))
    if len(clf.W2_) == 1 or clf._multilabel:
        return node("Div", node("Exp", negative), denominator)  # exp(min(z, 0)) / (1 + exp(-|z|))
    # The softmax of the logarithms normalises without 0/0.
    return node("Softmax", node("Sub", negative, node("Log", denominator)), axis=1)


def _register(cls: type) -> None:
    """Register the functions above with skl2onnx."""
    skl2onnx.update_registered_converter(
        cls,
        "TwoLayerSigmoidClassifier",
        _declare,
        _convert,
        options={
            "zipmap": [True, False, "columns"],
            "raw_scores": [True, False],
            "dtype": ["float32", "float64", None],  # of the arithmetic; None: of the weights
            "output_class_labels": [False, True],
            "nocl": [False],  # the zipmap operator requires it
        },
    )


if skl2onnx is not None:
    _register(TwoLayerSigmoidClassifier)

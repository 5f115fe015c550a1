"""X of many kinds: dtypes, containers, sizes of its entries."""

import numpy as np
import pytest
import scipy
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.fixes import parse_version

from tests.helpers import (
    SOLVER_SETTINGS,
    WEIGHTS,
    assert_allclose_weights,
    assert_same_fit,
    make_clf,
)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_weights_have_the_dtype_of_X(small_moons, dtype):
    X, y = small_moons
    clf = make_clf(learning_rate=np.float64(1.2), alpha=1e-3)
    clf.fit(X.astype(dtype), y)
    outputs = [clf.decision_function(X), clf.predict_proba(X), clf.predict_log_proba(X)]
    assert {a.dtype for a in [*(getattr(clf, name) for name in WEIGHTS), *outputs]} == {
        np.dtype(dtype)
    }


def test_float32_agrees_with_float64(moons, three_blobs):
    for X, y in moons, three_blobs:
        double = make_clf(max_iter=300).fit(X, y)
        single = make_clf(max_iter=300).fit(X.astype(np.float32), y)
        assert_allclose(single.loss_curve_, double.loss_curve_, rtol=1e-4)
        assert_allclose(single.predict_proba(X), double.predict_proba(X), atol=1e-4)
        assert_array_equal(single.predict(X), double.predict(X))


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
@pytest.mark.filterwarnings("ignore:Training ended on the plateau")  # at so small a rate
def test_float32_features_can_have_overflowing_squares(moons, container):
    X, y = moons
    X = container((1e20 * X).astype(np.float32))
    clf = make_clf(learning_rate=1e-9, max_iter=2).fit(X, y)
    assert np.isfinite(clf.predict_proba(X)).all()


@pytest.mark.parametrize("setting", SOLVER_SETTINGS)
@pytest.mark.filterwarnings("ignore:Training by L-BFGS ran out of iterations")
def test_input_type_does_not_change_results(small_moons, setting):
    X, y = small_moons
    X = np.where(X > 0, X, 0)
    setting = setting | {"max_iter": 30, "alpha": 1e-3}
    double = make_clf(**setting).fit(X, y)
    single = make_clf(**setting).fit(X.astype(np.float32), y)
    assert {getattr(single, name).dtype for name in WEIGHTS} == {np.dtype(np.float32)}
    assert_allclose(single.predict_proba(X), double.predict_proba(X), atol=1e-3)
    for other in sparse.csr_array(X), np.asfortranarray(X):
        same = make_clf(**setting).fit(other, np.array(["no", "yes"])[y])
        assert_allclose(same.predict_proba(X), double.predict_proba(X), atol=1e-4)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_weights_follow_the_latest_dtype(small_moons, momentum):
    X, y = small_moons
    clf = make_clf(momentum=momentum, learning_rate=0.1)
    double = clone(clf)
    for dtype in np.float32, np.float64, np.float32:
        clf.partial_fit(X.astype(dtype), y, classes=[0, 1])
        double.partial_fit(X, y, classes=[0, 1])
        assert {getattr(clf, name).dtype for name in WEIGHTS} == {np.dtype(dtype)}
        assert clf.predict_proba(X).dtype == dtype
    assert_allclose(clf.predict_proba(X), double.predict_proba(X), atol=1e-5)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64, np.uint64, np.float16, object])
def test_whole_numbers_equal_float64(digits, dtype):
    X, y = digits
    one, other = make_clf(max_iter=5).fit(X, y), make_clf(max_iter=5).fit(X.astype(dtype), y)
    assert_same_fit(other, one)
    assert_array_equal(other.predict_proba(X.astype(dtype)), one.predict_proba(X))


def test_boolean_features_are_zero_and_one(digits):
    X, y = digits
    one, other = make_clf(max_iter=5).fit(X > 8, y), make_clf(max_iter=5).fit(1.0 * (X > 8), y)
    assert_same_fit(one, other)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_caller_arrays_are_not_changed(small_moons, dtype, order):
    X, y = small_moons
    X = np.array(10 * X, dtype=dtype, order=order)
    w = np.linspace(0, 3, len(y))
    before = X.copy(), y.copy(), w.copy()
    clf = make_clf(class_weight="balanced", alpha=0.1).fit(X, y, sample_weight=w)
    clf.predict_proba(X)
    clf.score(X, y, sample_weight=w)
    for array, old in zip((X, y, w), before, strict=True):
        assert_array_equal(array, old)


def test_read_only_mapped_input_is_accepted(small_moons, tmp_path):
    X, y = small_moons
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    assert not mapped.flags.writeable
    assert_same_fit(make_clf().fit(mapped, y), make_clf().fit(X, y))


# Sparse matrices


def csr_array_of_int64(X):
    rows = sparse.csr_array(X)
    rows.indices, rows.indptr = rows.indices.astype(np.int64), rows.indptr.astype(np.int64)
    return rows


@pytest.mark.parametrize(
    "container",
    [
        sparse.csr_array,
        sparse.csc_array,
        sparse.coo_array,
        sparse.csr_matrix,
        sparse.csc_matrix,
        csr_array_of_int64,
    ],
)
def test_sparse_and_dense_rows_are_interchangeable(zeros_and_ones, small_blocks, container):
    X, y = zeros_and_ones
    one, other = (make_clf().partial_fit(X[:60], y[:60], classes=[0, 1]) for _ in range(2))
    one.partial_fit(X[60:], y[60:])
    other.partial_fit(container(X[60:]), y[60:])
    assert_allclose_weights(other, one, rtol=1e-9, atol=1e-12)
    expected = one.decision_function(X)
    for clf in one, other:
        assert_allclose(clf.decision_function(container(X)), expected, rtol=1e-9)
        assert_allclose(clf.decision_function(X), expected, rtol=1e-9)


def test_duplicate_entries_of_sparse_features_are_summed(small_moons):
    X, y = small_moons
    rows, columns = np.repeat(np.arange(100), 4), np.tile([0, 1, 0, 1], 100)
    entries = np.c_[X / 4, 3 * X / 4].ravel()
    indptr = np.arange(0, 401, 4)
    twice = sparse.csr_array((entries, columns, indptr), (100, 2))
    assert not twice.has_canonical_format
    expected = make_clf().fit(sparse.csr_array(X), y)
    for other in twice, sparse.coo_array((entries, (rows, columns)), (100, 2)):
        before = other.data.copy()
        clf = make_clf().fit(other, y)
        assert_allclose(clf.mean_, expected.mean_, rtol=1e-12)
        assert_allclose(clf.scale_, expected.scale_, rtol=1e-12)
        assert_allclose(clf.loss_curve_, expected.loss_curve_, rtol=1e-9)
        assert_array_equal(other.data, before)
        assert other.nnz == 400


# Data frames, and the array API


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_data_frames_set_feature_names(small_moons, library):
    frame = pytest.importorskip(library).DataFrame
    X, y = small_moons
    X_frame = frame({"left": X[:, 0], "right": X[:, 1]})
    clf = make_clf().fit(X_frame, y)
    assert_array_equal(clf.feature_names_in_, ["left", "right"])
    assert_array_equal(clf.predict(X_frame), make_clf().fit(X, y).predict(X))
    with pytest.raises(ValueError, match="feature names should match"):
        clf.predict(frame({"right": X[:, 1], "left": X[:, 0]}))


def test_feature_names_survive_early_stopping(small_moons):
    X, y = small_moons
    pd = pytest.importorskip("pandas")
    frame, labels = pd.DataFrame(X, columns=["left", "right"]), pd.Series(y, name="moon")
    plain = make_clf(early_stopping=True).fit(X, y)
    clf = make_clf(early_stopping=True, validation_fraction=0.1).fit(frame, labels)
    assert_same_fit(clf, plain)
    assert_array_equal(clf.feature_names_in_, ["left", "right"])
    sets = {"X_val": frame[:20], "y_val": labels[:20]}
    assert clf.fit(frame, labels, **sets).score(frame, labels) > 0.8
    with pytest.raises(ValueError, match="feature names should match"):
        clf.fit(frame, labels, **sets | {"X_val": frame[["right", "left"]][:20]})


def test_pandas_labels_and_weights_are_accepted(small_moons):
    X, y = small_moons
    pd = pytest.importorskip("pandas")
    labels = pd.Series(y, index=range(7, 7 + len(y))).map({0: "no", 1: "yes"})
    clf = make_clf().fit(X, labels, sample_weight=pd.Series(np.ones(len(y))))
    assert set(clf.predict(X)) == {"no", "yes"}


@pytest.mark.skipif(
    parse_version(scipy.__version__) < parse_version("1.14"),
    reason="scikit-learn dispatches by the array API from SciPy 1.14 on",
)
def test_numpy_input_under_array_api_dispatch(small_moons):
    X, y = small_moons
    plain = make_clf().fit(X, y)
    with sklearn.config_context(array_api_dispatch=True):
        clf = make_clf().fit(X, y)
        assert_array_equal(clf.predict_proba(X), plain.predict_proba(X))
        assert clf.score(X, y) == plain.score(X, y)


# Features near the largest number


@pytest.mark.parametrize("setting", [{}, {"early_stopping": True}])
def test_features_near_the_limit_are_refused(setting):
    X, y = np.finfo(np.float64).max * np.random.RandomState(0).uniform(size=(10, 2)), [0, 1] * 5
    clf = make_clf(**setting)
    with pytest.raises(ValueError, match=r"W1 x overflows.*StandardScaler"):
        clf.fit(X, y)
    if hasattr(clf, "partial_fit"):
        with pytest.raises(ValueError, match=r"W1 x overflows.*StandardScaler"):
            clf.partial_fit(X, y, classes=[0, 1])
    with pytest.raises(NotFittedError):
        clf.predict(X)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("standardize", [True, False])
def test_features_whose_variance_overflows_are_refused(container, standardize):
    X, y = container([[1e299, 1.0], [-1e299, 0.0]] * 5), [0, 1] * 5
    clf = make_clf(n_h=1, standardize=standardize)
    with pytest.raises(ValueError, match=r"X holds values too large .* variance .* Divide"):
        clf.fit(X, y)

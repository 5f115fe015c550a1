"""What several test modules use."""

import math
import threading
from contextlib import contextmanager
from functools import reduce
from operator import add
from unittest.mock import patch

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import log_loss
from threadpoolctl import ThreadpoolController, threadpool_info

from two_layer_sigmoid import TwoLayerSigmoidClassifier, _network, _parallel, _solvers
from two_layer_sigmoid._blocks import BlockedData
from two_layer_sigmoid._monitor import Monitor, TrainingState
from two_layer_sigmoid._network import Parameters
from two_layer_sigmoid._parallel import single_blas_thread

WEIGHTS = ("W1_", "b1_", "W2_", "b2_")
# X as it is, the lecture's cost, and all rows in each update
LECTURE = {"standardize": False, "alpha": 0, "batch_size": None}
FULL_BATCH_SETTINGS = [
    {},
    LECTURE,
    {"momentum": 0.9, "learning_rate": 0.3},
    {"solver": "lbfgs"},
]
SOLVER_SETTINGS = [
    *FULL_BATCH_SETTINGS,
    {"batch_size": 16},
    {"batch_size": 16, "momentum": 0.9},
]


def make_clf(**params):
    """An estimator for fast tests."""
    return TwoLayerSigmoidClassifier(**{"n_h": 8, "max_iter": 50, "random_state": 0} | params)


def standardized_W1(clf):
    """The hidden weights to which updates and penalty apply."""
    return clf.W1_ if clf.scale_ is None else clf.W1_ * clf.scale_


def penalty(clf):
    """The second term of the loss."""
    return clf.alpha_ / 2 * ((standardized_W1(clf) ** 2).sum() + (clf.W2_**2).sum())


def penalised_log_loss(clf, X, y, **options):
    return log_loss(y, clf.predict_proba(X), **options) + penalty(clf)


def max_gradient(clf, X, y):
    """The largest entry of the gradient of the objective, for standardised features."""
    W1, b1 = clf.W1_, clf.b1_
    if clf.scale_ is not None:
        X = (X - clf.mean_) / clf.scale_
        W1, b1 = W1 * clf.scale_, b1 + W1 @ clf.mean_[:, np.newaxis]
    params = _network.Parameters(W1, b1, clf.W2_, clf.b2_)
    _, cache = _network.forward_propagation(X.T, params)
    dW1, db1, dW2, db2 = _network.backward_propagation(params, cache, X.T, np.atleast_2d(y))
    grads = dW1 + clf.alpha_ * W1, db1, dW2 + clf.alpha_ * clf.W2_, db2
    return max(np.abs(grad).max() for grad in grads)


def start_arrays(n_x, n_h, n_y):
    """Initial weights that are not small."""
    random_state = np.random.RandomState(0)
    shapes = (n_h, n_x), (n_h, 1), (n_y, n_h), (n_y, 1)
    return tuple(random_state.standard_normal(shape) for shape in shapes)


TARGET_KINDS = ["two classes", "three classes", "multilabel"]


def targets_of_kind(kind, labels):
    """The labels 0, 1 and 2 in one of the three forms of y."""
    return {
        "two classes": labels > 0,
        "three classes": labels,
        "multilabel": np.column_stack([labels > 0, labels < 2]).astype(int),
    }[kind]


def assert_allclose_weights(one, other, rtol=1e-10, **tolerance):
    for name in WEIGHTS:
        assert_allclose(getattr(one, name), getattr(other, name), rtol, **tolerance, err_msg=name)


def assert_same_weights(one, other):
    for name in WEIGHTS:
        assert_array_equal(getattr(one, name), getattr(other, name))


def assert_close_fit(one, other, rtol=1e-7):
    """Equality up to rounding errors, which grow during training."""
    assert_allclose_weights(one, other, rtol, atol=rtol)
    assert_allclose(one.loss_curve_, other.loss_curve_, rtol)
    assert (one.n_iter_, one.stop_reason_) == (other.n_iter_, other.stop_reason_)
    assert one.W1_.dtype == other.W1_.dtype
    assert_array_equal(one.classes_, other.classes_)
    assert_allclose([one.loss_, one.alpha_], [other.loss_, other.alpha_], rtol)


def assert_same_fit(one, other):
    assert_same_weights(one, other)
    assert one.W1_.dtype == other.W1_.dtype
    assert one.loss_curve_ == other.loss_curve_
    assert (one.loss_, one.n_iter_, one.stop_reason_) == (
        other.loss_,
        other.n_iter_,
        other.stop_reason_,
    )
    assert_array_equal(one.classes_, other.classes_)
    assert one.alpha_ == other.alpha_
    assert_array_equal(one.mean_, other.mean_)
    assert_array_equal(one.scale_, other.scale_)


def sum_in_order(values, start=0):
    """The builtin sum() before Python 3.12."""
    return reduce(add, values, start)


def compensated_sum(values, start=0):
    """The builtin sum() with one rounding of all floats; that of Python 3.12 is close to it."""
    values = [start, *values]
    return math.fsum(values) if any(type(v) is float for v in values) else reduce(add, values)


def slow(*values):
    """Values of a parametrised test that runs with the slow tests only."""
    return pytest.param(*values, marks=pytest.mark.slow)


# A random problem for the modules below the estimator: X (m, n_x), Y (n_y, m)

N_X, N_H, N_Y, M = 3, 4, 2, 1000
STEPS = {
    "forward": _network.forward_propagation,
    "cost": _network.compute_cost,
    "backward": _network.backward_propagation,
}


def random_problem():
    random_state = np.random.RandomState(0)
    X = random_state.standard_normal((M, N_X))
    Y = random_state.randint(2, size=(N_Y, M)).astype(float)
    theta = random_state.standard_normal(N_H * (N_X + 1) + N_Y * (N_H + 1))
    weights = random_state.randint(4, size=M).astype(float)
    return X, Y, theta, weights


def blocked(X, Y=None, weights=None, **options):
    """The rows in blocks; by default all targets are 0."""
    return BlockedData(X, np.zeros((1, X.shape[0])) if Y is None else Y, weights, N_H, **options)


# Threads


def blas_threads():
    return [lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"]


def threads_inside():
    with single_blas_thread:
        return single_blas_thread.n_threads


class NoBlas(ThreadpoolController):
    """Finds no BLAS, as with Apple's Accelerate."""

    def select(self, **kwargs):
        return super().select(**({"user_api": []} if kwargs == {"user_api": "blas"} else kwargs))


@contextmanager
def unknown_blas():
    """A BLAS that threadpoolctl does not know."""
    with (
        patch.object(_parallel, "ThreadpoolController", NoBlas),
        patch.object(single_blas_thread, "_blas", None),
    ):
        yield


class ConcurrentFit:
    """Another fit in a thread of its own, inside the limit of BLAS."""

    def __enter__(self):
        entered, self.leave = threading.Event(), threading.Event()

        def fit():
            with single_blas_thread:
                entered.set()
                self.leave.wait(10)

        self.thread = threading.Thread(target=fit)
        self.thread.start()
        assert entered.wait(10)

    def __exit__(self, *exception):
        self.leave.set()
        self.thread.join()


# Objectives with known minima, without data: a network of 1 feature, 1 hidden unit and 1 output


class Quadratic:
    """curvature / 2 |theta - minimum|^2 + 1, without standardised features."""

    def __init__(self, curvature=1.0, minimum=1.0):
        self.curvature, self.minimum = curvature, minimum

    def loss_gradient(self, params):
        distance = params.flat() - self.minimum
        loss = 1.0 + float(self.curvature / 2 * (distance**2).sum())
        return loss, Parameters.views(self.curvature * distance, 1, 1, 1)

    def loss(self, params):
        return self.loss_gradient(params)[0]

    log_loss = loss

    def to_input_units(self, params):
        return params

    from_input_units = to_input_units


class Rosenbrock(Quadratic):
    """Rosenbrock's banana in pairs of parameters; its minimum is at 1, ..., 1."""

    def loss_gradient(self, params):
        theta = params.flat()
        x, y = theta[::2], theta[1::2]
        gradient = np.empty_like(theta)
        gradient[::2] = -400 * x * (y - x**2) - 2 * (1 - x)
        gradient[1::2] = 200 * (y - x**2)
        loss = float((100 * (y - x**2) ** 2 + (1 - x) ** 2).sum())
        return loss, Parameters.views(gradient, 1, 1, 1)


class Callbacks:
    """Records the states before each update; asks for a stop at one of them."""

    def __init__(self, stop_at=None):
        self.stop_at, self.n_begun = stop_at, 0

    def begin_iteration(self, state):
        self.n_begun += 1
        return self.n_begun - 1 == self.stop_at

    def end_iteration(self, state):
        return False


def make_state(theta):
    return TrainingState(Parameters.views(np.asarray(theta), 1, 1, 1))


def descend(objective, theta, max_iter=1000, *, monitor=None, state=None, **options):
    """Gradient descent in place; the state at the end."""
    state = state or make_state(theta)
    options = {"update": _network.update_parameters, "learning_rate": 0.5} | options
    with np.errstate(over="ignore", invalid="ignore"):
        _solvers.gradient_descent(
            objective, state, max_iter, monitor or Monitor(tol=1e-6), **options
        )
    return state


def lbfgs(objective, theta, max_iter=1000, **monitor):
    """L-BFGS in place; the state at the end."""
    state = make_state(theta)
    _solvers.lbfgs(objective, state, max_iter, Monitor(**{"tol": 1e-6} | monitor))
    return state


# On Dask

DASK_PARAMS = {"n_h": 8, "max_iter": 20, "random_state": 0, "alpha": 1e-3}


def make_dask_clf(**params):
    from two_layer_sigmoid.distributed import DaskTwoLayerSigmoidClassifier  # noqa: PLC0415

    return DaskTwoLayerSigmoidClassifier(**DASK_PARAMS | params)


def on_dask(A, chunks):
    return pytest.importorskip("dask.array").from_array(A, chunks=(chunks, -1)[: A.ndim])


def fit_both(X, y, chunks, sample_weight=None, **params):
    """A fit in memory, and one of the same rows in chunks."""
    local = make_clf(**DASK_PARAMS | params).fit(X, y, sample_weight)
    clf = make_dask_clf(**params)
    return local, clf.fit(on_dask(X, chunks), on_dask(y, chunks), sample_weight)


def with_entry(X, row, value):
    X = X.copy()
    X[row, 0] = value
    return X


# Dates

# np.dtype("M8[D]"), pickled by NumPy 2.4. NumPy <= 2.2 cannot use the dates of this dtype.
PICKLED_DAYS = b"""cnumpy
dtype
(VM8
I00
I01
tR(I4
V<
NNNI-1
I-1
I0
(N(c_codecs
encode
(VD
Vlatin1
tRI1
I1
I1
tttb."""

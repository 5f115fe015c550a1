"""Loss and gradient as sums over blocks: the same as in one piece, in one fixed order."""

import copy
import operator
import pickle
from functools import reduce

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from tests.helpers import N_H, N_X, N_Y, STEPS, M, blocked, random_problem
from two_layer_sigmoid import _network
from two_layer_sigmoid._blocks import row_blocks
from two_layer_sigmoid._network import Parameters
from two_layer_sigmoid._objective import Objective


@pytest.fixture
def problem():
    return random_problem()


def make_objective(X, Y, weights=None, *, alpha=0.0, **steps):
    total = X.shape[0] if weights is None else weights.sum()
    return Objective(blocked(X, Y, weights), total=total, alpha=alpha, **STEPS | steps)


def evaluate(X, Y, theta, weights=None, **options):
    """The loss and the gradient."""
    objective = make_objective(X, Y, weights, **options)
    loss, grads = objective.loss_gradient(objective.views(theta))
    return loss, grads.flat()


def test_one_block_equals_the_network(problem):
    X, Y, theta, _ = problem
    params = Parameters.views(theta, N_X, N_H, N_Y)
    _, cache = _network.forward_propagation(X.T, params)
    cost, gradient = evaluate(X, Y, theta)
    assert_allclose(cost, _network.compute_cost(cache, Y), rtol=1e-14)
    grads = _network.backward_propagation(params, cache, X.T, Y)
    assert_allclose(gradient, grads.flat(), rtol=1e-11)


@pytest.mark.parametrize("weighted", [False, True])
def test_blocks_add_up_to_the_whole(problem, weighted, request):
    X, Y, theta, weights = problem
    weights = weights if weighted else None
    cost, gradient = evaluate(X, Y, theta, weights, alpha=0.1)
    request.getfixturevalue("small_blocks")
    assert len(row_blocks(X, N_H)) == 63
    cost_in_blocks, gradient_in_blocks = evaluate(X, Y, theta, weights, alpha=0.1)
    assert_allclose(cost_in_blocks, cost, rtol=1e-13)
    assert_allclose(gradient_in_blocks, gradient, rtol=1e-11, atol=1e-15)


def test_weights_equal_repeated_rows(problem):
    X, Y, theta, weights = problem
    times = weights.astype(int)
    cost, gradient = evaluate(X, Y, theta, weights)
    repeated = evaluate(X.repeat(times, axis=0), Y.repeat(times, axis=1), theta)
    assert_allclose(cost, repeated[0], rtol=1e-13)
    assert_allclose(gradient, repeated[1], rtol=1e-11, atol=1e-15)


def test_penalty_is_the_stated_formula(problem):
    X, Y, theta, _ = problem
    W1, b1, W2, b2 = Parameters.views(theta, N_X, N_H, N_Y)
    cost, gradient = evaluate(X, Y, theta)
    penalised, penalised_gradient = evaluate(X, Y, theta, alpha=0.3)
    assert_allclose(penalised - cost, 0.15 * ((W1**2).sum() + (W2**2).sum()), rtol=1e-12)
    expected = [0.3 * W1.ravel(), 0 * b1.ravel(), 0.3 * W2.ravel(), 0 * b2.ravel()]
    assert_allclose(penalised_gradient - gradient, np.concatenate(expected), atol=1e-15)


def test_steps_can_return_new_arrays(problem):
    X, Y, theta, _ = problem

    def backward(params, cache, X, Y, **options):
        options["out"] = None
        return _network.backward_propagation(params, cache, X, Y, **options)

    expected = evaluate(X, Y, theta)
    loss, gradient = evaluate(X, Y, theta, backward=backward)
    assert loss == expected[0]
    assert_array_equal(gradient, expected[1])


@pytest.mark.usefixtures("small_blocks")
def test_loss_alone_is_the_same(problem):
    X, Y, theta, weights = problem
    objective = make_objective(X, Y, weights, alpha=0.3)
    params = objective.views(theta)
    assert objective.loss(params) == objective.loss_gradient(params)[0]


@pytest.mark.usefixtures("small_blocks")
def test_evaluations_reuse_their_buffers(problem):
    X, Y, theta, _ = problem
    objective, seen = make_objective(X, Y), set()
    expected_loss, expected_gradient = evaluate(X, Y, theta)
    for _ in range(20):
        loss, grads = objective.loss_gradient(objective.views(theta))
        seen.add(grads.flat().ctypes.data)
        assert loss == expected_loss
        assert_array_equal(grads.flat(), expected_gradient)
    assert len(seen) <= 17  # one for each shard, and one for the blocks that are added to it


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", [np.asarray, np.asfortranarray, sparse.csr_array])
def test_minibatches_average_to_the_whole(problem, kind, dtype, weighted):
    X, Y, theta, weights = problem
    X, Y, theta = kind(X.astype(dtype)), Y.astype(dtype), theta.astype(dtype)
    weights = np.where(np.arange(M) < M // 2, 0.0, weights)  # some mini-batches weigh nothing
    objective = make_objective(X, Y, weights if weighted else None, alpha=0.3)
    params = objective.views(theta)
    mean_gradient, mean_loss = np.zeros_like(theta), 0.0
    for _ in range(2):  # the second epoch reuses the buffers of the first
        fractions = []
        for minibatch, fraction in objective.minibatches(300, np.random.RandomState(0)):
            fractions.append(fraction)
            loss, grads = minibatch.loss_gradient(params)
            mean_loss += fraction * loss / 2
            mean_gradient += fraction * grads.flat() / 2
    assert fractions == [0.3, 0.3, 0.3, 0.1]
    tol = 1e-12 if dtype == np.float64 else 1e-4
    loss, grads = objective.loss_gradient(params)
    assert_allclose(mean_loss, loss, rtol=tol)
    assert_allclose(mean_gradient, grads.flat(), rtol=tol, atol=tol)


def test_minibatches_reuse_their_rows(problem):
    objective = make_objective(*problem[:2])
    epochs = [
        [id(minibatch) for minibatch, _ in objective.minibatches(300, np.random.RandomState(0))]
        for _ in range(2)
    ]
    assert epochs[0] == epochs[1]
    assert len(set(epochs[0])) == 2  # of 300 and of 100 rows


@pytest.mark.parametrize("weighted", [False, True])
def test_partitions_add_up_to_the_whole(problem, weighted):
    """As on a cluster: two partitions, and pickled functions."""
    X, Y, theta, weights = problem
    weights = weights if weighted else None
    expected = evaluate(X, Y, theta, weights)
    partitions = [
        blocked(X[rows], Y[:, rows], None if weights is None else weights[rows])
        for rows in (slice(400), slice(400, M))
    ]

    class Remote:
        layer_sizes, dtype = (N_X, N_H, N_Y), X.dtype

        def reduce(self, function, combine=operator.add):
            results = []
            for partition in partitions:
                operation = pickle.loads(pickle.dumps((function, combine)))
                results.append(pickle.loads(pickle.dumps(partition.reduce(*operation))))
            return reduce(combine, results)

    objective = Objective(Remote(), **STEPS, total=weights.sum() if weighted else M)
    params = objective.views(theta)
    for _ in range(2):
        loss, grads = objective.loss_gradient(params)
        assert loss == objective.loss(params)
        assert loss == pytest.approx(expected[0], rel=1e-13)
        assert_allclose(grads.flat(), expected[1], rtol=1e-11)


def test_pickled_objectives_hold_no_data(problem):
    X, Y, theta, _ = problem
    objective = make_objective(X, Y)
    before = len(pickle.dumps(objective))
    objective.loss_gradient(objective.views(theta))
    list(objective.minibatches(300, np.random.RandomState(0)))
    assert len(pickle.dumps(objective)) == before < 2000
    assert copy.copy(objective).data is None


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("weighted", [False, True])
def test_arithmetic_has_the_dtype_of_X(problem, weighted):
    X, Y, theta, weights = problem
    dtypes = set()

    def forward(X, params, **options):
        A2, cache = _network.forward_propagation(X, params, **options)
        dtypes.update(array.dtype for array in (X, A2, cache.A1, cache.Z2))
        return A2, cache

    def backward(params, cache, X, Y, **options):
        grads = _network.backward_propagation(params, cache, X, Y, **options)
        dtypes.update(array.dtype for array in (*grads, Y))
        if weighted:
            dtypes.add(options["weights"].dtype)
        return grads

    X, Y, theta = X.astype("f4"), Y.astype("f4"), theta.astype("f4")
    steps = {"forward": forward, "backward": backward}
    _, gradient = evaluate(X, Y, theta, weights if weighted else None, **steps)
    assert dtypes == {np.dtype("f4")} == {gradient.dtype}

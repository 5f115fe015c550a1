"""Cost and gradient as sums over blocks: the same as in one piece, in one fixed order."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from two_layer_sigmoid import _network, _objective
from two_layer_sigmoid._network import Parameters
from two_layer_sigmoid._objective import (
    Objective,
    Rows,
    add_up,
    base_rates,
    blocks_of,
    broadcast_row_by_row,
    largest_entries,
    logits,
    moments,
    row_blocks,
    row_shards,
)

N_X, N_H, N_Y, M = 3, 4, 2, 1000
STEPS = {"forward": _network.forward, "cost": _network.cost, "backward": _network.backward}


@pytest.fixture
def problem():
    random_state = np.random.RandomState(0)
    X = random_state.standard_normal((M, N_X))
    Y = random_state.randint(2, size=(N_Y, M)).astype(float)
    theta = random_state.standard_normal(N_H * (N_X + 1) + N_Y * (N_H + 1))
    weights = random_state.randint(4, size=M).astype(float)
    return X, Y, theta, weights


def objective_of(X, Y, *, alpha=0.0, **options):
    return Objective(Rows(X, Y, N_H, **STEPS | options), alpha=alpha)


def rows_of(X, w=None):
    return Rows(X, np.zeros((1, X.shape[0])), N_H, **STEPS, sample_weight=w)


def evaluate(X, Y, theta, **options):
    objective = objective_of(X, Y, **options)
    gradient = np.full_like(theta, np.nan)
    return objective(objective.views(theta), objective.views(gradient)), gradient


def test_one_block_is_the_network_itself(problem):
    X, Y, theta, _ = problem
    params = _network.Parameters.views(theta, N_X, N_H, N_Y)
    _, cache = _network.forward(X.T, params)
    cost, gradient = evaluate(X, Y, theta)
    assert_allclose(cost, _network.cost(cache, Y), rtol=1e-14)
    grads = _network.backward(params, cache, X.T, Y)
    assert_allclose(gradient, np.concatenate([g.ravel() for g in grads]), rtol=1e-11)


@pytest.mark.parametrize("weighted", [False, True])
def test_blocks_add_up_to_the_whole(problem, weighted, request):
    X, Y, theta, weights = problem
    options = {"sample_weight": weights if weighted else None, "alpha": 0.1}
    cost, gradient = evaluate(X, Y, theta, **options)
    request.getfixturevalue("small_blocks")
    assert len(row_blocks(X, N_H)) == 63
    cost_in_blocks, gradient_in_blocks = evaluate(X, Y, theta, **options)
    assert_allclose(cost_in_blocks, cost, rtol=1e-13)
    assert_allclose(gradient_in_blocks, gradient, rtol=1e-11, atol=1e-15)


@pytest.mark.usefixtures("small_blocks")
def test_shards_are_consecutive_and_at_most_sixteen(problem):
    X, Y, _, _ = problem
    shards = Rows(X, Y, N_H, **STEPS)._shards
    assert len(shards) == 16
    in_order = np.concatenate([block.X.T for shard in shards for block in shard])
    assert_array_equal(in_order, X)
    assert {len(shard) for shard in shards} == {3, 4}


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_blocks_are_views(problem, dtype):
    X, Y, _, _ = problem
    for A in X.astype(dtype), np.asfortranarray(X, dtype):
        shards = Rows(A, Y.astype(dtype), N_H, **STEPS)._shards
        assert all(np.shares_memory(block.X, A) for shard in shards for block in shard)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("index_dtype", [np.int32, np.int64])
def test_sparse_rows_give_the_same(problem, index_dtype):
    X, Y, theta, weights = problem
    X = np.where(X > 0.5, X, 0.0)
    S = sparse.csr_array(X)
    S.indices, S.indptr = S.indices.astype(index_dtype), S.indptr.astype(index_dtype)
    cost, gradient = evaluate(X, Y, theta, sample_weight=weights)
    sparse_cost, sparse_gradient = evaluate(S, Y, theta, sample_weight=weights)
    assert_allclose(sparse_cost, cost, rtol=1e-13)
    assert_allclose(sparse_gradient, gradient, rtol=1e-11, atol=1e-15)


def test_sparse_blocks_do_not_shrink_with_the_number_of_features():
    wide = sparse.csr_array((5000, 10**6))
    assert len(row_blocks(wide, 8)) == 1


def test_weights_count_rows(problem):
    X, Y, theta, weights = problem
    times = weights.astype(int)
    cost, gradient = evaluate(X, Y, theta, sample_weight=weights)
    repeated = evaluate(X.repeat(times, axis=0), Y.repeat(times, axis=1), theta)
    assert_allclose(cost, repeated[0], rtol=1e-13)
    assert_allclose(gradient, repeated[1], rtol=1e-11, atol=1e-15)


def test_penalty_is_the_stated_formula(problem):
    X, Y, theta, _ = problem
    W1, b1, W2, b2 = _network.Parameters.views(theta, N_X, N_H, N_Y)
    cost, gradient = evaluate(X, Y, theta)
    penalised, penalised_gradient = evaluate(X, Y, theta, alpha=0.3)
    assert_allclose(penalised - cost, 0.15 * ((W1**2).sum() + (W2**2).sum()), rtol=1e-12)
    expected = [0.3 * W1.ravel(), 0 * b1.ravel(), 0.3 * W2.ravel(), 0 * b2.ravel()]
    assert_allclose(penalised_gradient - gradient, np.concatenate(expected), atol=1e-15)


def test_steps_may_return_arrays_of_their_own(problem):
    X, Y, theta, _ = problem

    def backward(params, cache, X, Y, **options):
        options["out"] = None
        return _network.backward(params, cache, X, Y, **options)

    expected = evaluate(X, Y, theta)
    objective = objective_of(X, Y, backward=backward)
    gradient = np.full_like(theta, np.nan)
    assert objective(objective.views(theta), objective.views(gradient)) == expected[0]
    assert_array_equal(gradient, expected[1])


def test_cost_alone_is_the_same(problem, small_blocks):
    X, Y, theta, weights = problem
    objective = objective_of(X, Y, sample_weight=weights, alpha=0.3)
    params, grads = objective.views(theta), objective.views(np.empty_like(theta))
    assert objective(params) == objective(params, grads)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", [np.asarray, np.asfortranarray, sparse.csr_array])
def test_batches_average_to_the_whole(problem, kind, dtype, weighted):
    X, Y, theta, weights = problem
    X, Y, theta = kind(X.astype(dtype)), Y.astype(dtype), theta.astype(dtype)
    weights = np.where(np.arange(M) < M // 2, 0.0, weights)  # whole batches may weigh nothing
    options = {"sample_weight": weights if weighted else None, "alpha": 0.3}
    objective = objective_of(X, Y, **options)
    gradient, mean, cost = np.empty_like(theta), np.zeros_like(theta), 0.0
    for _ in range(2):  # the second epoch finds memory that the first has used
        shares = []
        for batch, share in objective.batches(300, np.random.RandomState(0)):
            shares.append(share)
            cost += share * batch(objective.views(theta), objective.views(gradient)) / 2
            mean += share * gradient / 2
    assert shares == [0.3, 0.3, 0.3, 0.1]
    whole = np.empty_like(theta)
    tol = 1e-12 if dtype == np.float64 else 1e-4
    assert_allclose(cost, objective(objective.views(theta), objective.views(whole)), rtol=tol)
    assert_allclose(mean, whole, rtol=tol, atol=tol)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", [np.asarray, np.asfortranarray, sparse.csr_array])
def test_moments(problem, kind, weighted):
    X, _, _, weights = problem
    X = np.c_[X * [1, 100, 1e-3] + [0, -5, 2], np.full(M, 0.1)]
    w = weights if weighted else None
    expected = np.average(X, axis=0, weights=w)
    mean, spread = moments(rows_of(kind(X), w))
    assert_allclose(mean, expected, rtol=1e-12, atol=1e-14)
    expected_spread = np.sqrt(np.average((X - expected) ** 2, axis=0, weights=w))
    assert_allclose(spread[:3], expected_spread[:3], rtol=1e-12)
    assert spread[3] == 0  # constant, though 0.1 is no binary fraction


@pytest.mark.parametrize("seed", range(10))
def test_base_rates_are_0_or_1_only_where_all_targets_are(seed):
    random_state = np.random.RandomState(seed)
    w = random_state.uniform(0, 1, M)
    Y = np.array([np.zeros(M), np.ones(M), random_state.randint(2, size=M)])
    rows = Rows(np.zeros((M, 1)), Y, N_H, **STEPS, sample_weight=w)
    rates = base_rates(rows)
    assert_array_equal(rates[:2], [0, 1])
    assert_allclose(rates[2], np.average(Y[2], weights=w), rtol=1e-14)


def test_moments_of_float32_are_computed_in_float64():
    X = np.full((10**6, 1), 16777216.0, np.float32)
    X[::2] += 2
    mean, spread = moments(rows_of(X))
    assert (mean.item(), spread.item()) == (16777217.0, 1.0)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_a_spread_counts_beside_its_mean(scale):
    X = scale * np.array([[1.0], [1.0 + 1e-10], [1.0 - 1e-10]])
    assert moments(rows_of(X))[1].item() == pytest.approx(scale * 1e-10 * np.sqrt(2 / 3), rel=1e-4)
    assert moments(rows_of(scale * (1 + (X / scale - 1) * 1e-4)))[1].item() == 0


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array, sparse.csc_array])
def test_the_largest_entries_are_those_of_each_column(kind):
    X = kind(np.array([[1.0, -5.0, 0.0], [2.0, 3.0, -0.5], [-1.0, 4.0, 0.0]]))
    assert_array_equal(largest_entries(rows_of(X)), [2.0, 5.0, 0.5])


@pytest.mark.usefixtures("small_blocks")
def test_the_largest_entries_are_those_of_all_blocks(problem):
    X = problem[0]
    assert_array_equal(largest_entries(rows_of(X)), np.abs(X).max(axis=0))


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("weighted", [False, True])
def test_shares_of_parts_add_up_to_the_bits_of_the_whole(problem, weighted):
    """As on a cluster: two parts, each with the shards that lie in it."""
    X, Y, theta, weights = problem
    weights = weights if weighted else None
    cost, gradient = evaluate(X, Y, theta, sample_weight=weights)
    shards = row_shards(X, N_H)
    cut = shards[7].start
    total = objective_of(X, Y, sample_weight=weights).total
    costs, parts = [], []
    for rows, mine in (slice(cut), shards[:7]), (slice(cut, M), shards[7:]):
        moved = [range(s.start - mine[0].start, s.stop - mine[0].start, s.step) for s in mine]
        w = None if weights is None else weights[rows]
        part = Rows(X[rows], Y[:, rows], N_H, **STEPS, sample_weight=w, shards=moved)
        params = Parameters.views(theta, *part.layer_sizes)
        its_costs, its_parts = part.shares(params, total, gradient=True)
        assert part.shares(params, total, gradient=False) == (its_costs, [])
        costs += its_costs
        parts += its_parts
    assert add_up(costs, parts) == cost
    assert_array_equal(parts[0].theta, gradient)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_arithmetic_is_in_the_precision_of_the_rows(problem, weighted, small_blocks):
    X, Y, theta, weights = problem
    dtypes = set()

    def forward(X, params, **buffers):
        A2, cache = _network.forward(X, params, **buffers)
        dtypes.update(array.dtype for array in (X, A2, cache.A1, cache.Z2))
        return A2, cache

    def backward(params, cache, X, Y, **weighting):
        grads = _network.backward(params, cache, X, Y, **weighting)
        dtypes.update(array.dtype for array in (*grads, Y))
        if weighted:
            dtypes.add(weighting["weights"].dtype)
        return grads

    objective = objective_of(
        X.astype("f4"),
        Y.astype("f4"),
        forward=forward,
        backward=backward,
        sample_weight=weights if weighted else None,
    )
    params = objective.views(theta.astype("f4"))
    objective(params, objective.views(np.empty_like(theta, "f4")))
    assert dtypes == {np.dtype("f4")}
    Z2 = logits(X.astype("f4"), params, forward=forward, n_jobs=1)
    assert Z2.dtype == np.dtype("f4")
    assert dtypes == {np.dtype("f4")}


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("order", "CF")
def test_rows_are_taken_along_an_axis_from_memory_of_any_order(axis, order):
    array = np.asarray(np.arange(20.0).reshape(4, 5), order=order)
    rows = np.array([2, 0, 3])
    out = np.empty_like(array.take(rows, axis=axis), order="C")
    _objective._take(array, rows, axis, out)
    assert_array_equal(out, array.take(rows, axis=axis))


@pytest.mark.parametrize("m", [1, 15, 1000, 20000, 65537, 10**6])
@pytest.mark.parametrize(("n_x", "n_h", "dtype"), [(2, 2, "f8"), (20, 32, "f4"), (784, 64, "f8")])
def test_blocks_are_alike_and_cover_the_rows(m, n_x, n_h, dtype):
    X = np.broadcast_to(np.zeros(1, dtype), (m, n_x))
    blocks = row_blocks(X, n_h)
    sizes = [rows.stop - rows.start for rows in blocks]
    assert [rows.start for rows in blocks] == list(np.cumsum([0, *sizes[:-1]]))
    assert sum(sizes) == m
    assert set(sizes[:-1]) <= {sizes[0]}
    assert sizes[-1] <= sizes[0] <= max(1024, 2**21 / (X.itemsize * (n_x + 2 * n_h))) + 16
    numbers = {len(shard) for shard in row_shards(X, n_h)}
    assert max(numbers) - min(numbers) <= 1
    assert [block for shard in row_shards(X, n_h) for block in blocks_of(shard)] == blocks


def test_gradients_of_shards_take_less_than_the_data():
    X = np.zeros((5000, 1000))
    assert len(row_shards(X, 4)) == 8
    assert len(row_shards(X, 1250)) == 2
    assert len(row_shards(X, 10_000)) == 1
    wide = sparse.csr_array((50000, 20000))
    assert len(row_shards(wide, 100)) == 2


def test_broadcasting_by_rows_is_over_when_it_is_left():
    before = np.getbufsize(), np.geterr()

    @broadcast_row_by_row()
    def fail():
        assert np.getbufsize() == 16
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (np.getbufsize(), np.geterr()) == before


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_predictions_are_nan_just_where_the_hidden_layer_overflows(problem, n_jobs):
    X, _, theta, _ = problem
    params = _network.Parameters.views(theta, N_X, N_H, N_Y)
    X = X.copy()
    X[777] = 1e308
    with np.errstate(over="ignore", invalid="ignore"):
        Z2 = logits(X, params, forward=_network.forward, n_jobs=n_jobs)
        expected = _network.forward(X.T, params)[1].Z2.T
    assert_array_equal(np.isnan(Z2).any(axis=1), np.arange(M) == 777)
    assert_allclose(np.delete(Z2, 777, axis=0), np.delete(expected, 777, axis=0), rtol=1e-12)

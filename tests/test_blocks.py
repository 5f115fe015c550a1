"""Blocks and shards of rows, and reductions over them."""

import operator
import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from tests.datasets import LAYOUTS
from tests.helpers import N_H, M, blocked, random_problem
from two_layer_sigmoid._blocks import row_blocks, row_shards, shard_blocks, with_contiguous_parts


def all_blocks(data):
    """X, Y and the weights of the blocks."""
    return list(zip(*data.reduce(lambda *block: [block], operator.add), strict=True))


@pytest.mark.usefixtures("small_blocks")
def test_reduction_combines_all_rows_in_order():
    X, Y, _, weights = random_problem()
    X_blocks, Y_blocks, weights_blocks = all_blocks(blocked(X, Y, weights))
    assert len(X_blocks) == 63
    assert_array_equal(np.concatenate([block.T for block in X_blocks]), X)
    assert_array_equal(np.concatenate([block.T for block in Y_blocks]), Y.T)
    assert_array_equal(np.concatenate(weights_blocks), weights)


@pytest.mark.usefixtures("small_blocks")
def test_shards_are_consecutive_and_at_most_sixteen():
    shards = [shard_blocks(shard) for shard in row_shards(np.zeros((M, 3)), N_H)]
    assert len(shards) == 16
    assert {len(shard) for shard in shards} == {3, 4}
    assert [rows for shard in shards for rows in shard] == row_blocks(np.zeros((M, 3)), N_H)


@pytest.mark.usefixtures("small_blocks")
def test_reduction_is_grouped_by_shards():
    """Sums within shards come first: brackets show the order of combination."""
    text = blocked(np.zeros((M, 1))).reduce(lambda *_: "x", lambda a, b: f"({a}{b})")
    shards = ["x" * len(shard_blocks(shard)) for shard in row_shards(np.zeros((M, 1)), N_H)]
    nested = []
    for shard in shards:
        folded = shard[0]
        for block in shard[1:]:
            folded = f"({folded}{block})"
        nested.append(folded)
    expected = nested[0]
    for folded in nested[1:]:
        expected = f"({expected}{folded})"
    assert text == expected


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_blocks_are_views(dtype):
    X, Y, _, _ = random_problem()
    for A in X.astype(dtype), np.asfortranarray(X, dtype):
        X_blocks, *_ = all_blocks(blocked(A, Y.astype(dtype)))
        assert all(np.shares_memory(block, A) for block in X_blocks)


def test_sparse_block_size_ignores_features():
    wide = sparse.csr_array((5000, 10**6))
    assert len(row_blocks(wide, 8)) == 1


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", [np.asarray, np.asfortranarray, sparse.csr_array])
def test_take_supports_any_memory_order(kind, weighted):
    X, Y, _, weights = random_problem()
    data = blocked(kind(X), np.asarray(Y, order="F"), weights if weighted else None)
    taken = None
    for indices in np.array([2, 0, 999]), np.array([5, 5, 1]):
        taken = data.take(indices, taken)
        rows = taken.X.toarray() if taken.is_sparse else taken.X
        assert_array_equal(rows, X[indices])
        assert_array_equal(taken.Y, Y[:, indices])
        if weighted:
            assert_array_equal(taken.weights, weights[indices])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_sparse_rows_are_sliced_without_copies(layout):
    X = sparse.csr_array(np.random.RandomState(0).random_sample((10_000, 20)) > 0.9, dtype=float)
    parts = map(LAYOUTS[layout], (X.data, X.indices, X.indptr))
    same = with_contiguous_parts(sparse.csr_array(tuple(parts), X.shape))
    tracemalloc.start()
    rows = same[5:10]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < X.indptr.nbytes / 4
    assert_array_equal(rows.toarray(), X[5:10].toarray())


@pytest.mark.parametrize("layout", LAYOUTS)
def test_take_copies_only_the_rows(layout):
    random_state, m = np.random.RandomState(0), 10_000
    X, Y, weights = (random_state.random_sample(shape) for shape in ((m, 2), (2, m), m))
    data = blocked(*map(LAYOUTS[layout], (X, Y, weights)))
    first, indices = np.array([1, 2]), np.array([m - 1, 0])
    taken = data.take(first, None)
    tracemalloc.start()
    data.take(indices, taken)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < weights.nbytes / 4
    assert_array_equal(taken.X, X[indices])
    assert_array_equal(taken.Y, Y[:, indices])
    assert_array_equal(taken.weights, weights[indices])


def test_take_overwrites_dense_rows():
    data = blocked(random_problem()[0])
    first = data.take(np.array([1, 2]), None)
    assert data.take(np.array([3, 4]), first) is first
    assert_array_equal(first.X, data.X[3:5])


@pytest.mark.parametrize("m", [1, 15, 1000, 20000, 65537, 10**6])
@pytest.mark.parametrize(("n_x", "n_h", "dtype"), [(2, 2, "f8"), (20, 32, "f4"), (784, 64, "f8")])
def test_blocks_have_equal_size_and_cover_rows(m, n_x, n_h, dtype):
    X = np.broadcast_to(np.zeros(1, dtype), (m, n_x))
    blocks = row_blocks(X, n_h)
    sizes = [rows.stop - rows.start for rows in blocks]
    assert [rows.start for rows in blocks] == list(np.cumsum([0, *sizes[:-1]]))
    assert sum(sizes) == m
    assert set(sizes[:-1]) <= {sizes[0]}
    assert sizes[-1] <= sizes[0] <= max(1024, 2**21 / (X.itemsize * (n_x + 2 * n_h))) + 16
    numbers = {len(shard) for shard in row_shards(X, n_h)}
    assert max(numbers) - min(numbers) <= 1
    assert [block for shard in row_shards(X, n_h) for block in shard_blocks(shard)] == blocks


def test_shard_gradients_take_less_than_the_data():
    X = np.zeros((5000, 1000))
    assert len(row_shards(X, 4)) == 8
    assert len(row_shards(X, 1250)) == 2
    assert len(row_shards(X, 10_000)) == 1
    wide = sparse.csr_array((50000, 20000))
    assert len(row_shards(wide, 100)) == 2

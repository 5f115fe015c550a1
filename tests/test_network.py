"""The mathematics: shapes, exactness, and gradients against two oracles."""

import copy
import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.special import expit

from two_layer_sigmoid import _network
from two_layer_sigmoid._network import Cache, Parameters

N_X, N_H, N_Y, M = 3, 5, 2, 17


def random_problem(dtype=np.float64, n_y=N_Y, weighted=False):
    random_state = np.random.RandomState(0)
    X = random_state.standard_normal((N_X, M)).astype(dtype)
    Y = random_state.randint(2, size=(n_y, M)).astype(dtype)
    params = Parameters.views(
        random_state.standard_normal(N_H * (N_X + 1) + n_y * (N_H + 1)).astype(dtype),
        N_X,
        N_H,
        n_y,
    )
    weights = random_state.uniform(0, 2, M).astype(dtype) if weighted else None
    return X, Y, params, weights


def cost_of(params, X, Y, weights):
    _, cache = _network.forward_propagation(X, params)
    return _network.compute_cost(cache, Y, weights=weights)


def test_views_share_memory_with_the_flat_vector():
    theta = np.arange(N_H * (N_X + 1) + N_Y * (N_H + 1), dtype=float)
    params = Parameters.views(theta, N_X, N_H, N_Y)
    assert [a.shape for a in params] == [(N_H, N_X), (N_H, 1), (N_Y, N_H), (N_Y, 1)]
    assert_array_equal(np.concatenate([a.ravel() for a in params]), theta)
    theta += 1
    assert params.W1[0, 0] == 1
    assert all(a.flags.c_contiguous for a in params)


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda params: pickle.loads(pickle.dumps(params))]
)
def test_copies_are_views_of_their_own_vector(copied):
    _, _, params, _ = random_problem()
    expected = [a - 0.5 for a in params]
    other = copied(params)
    for a, b in zip(other, params, strict=True):
        assert_array_equal(a, b)
    assert all(np.shares_memory(a, other.theta) for a in other)
    grads = Parameters.views(np.ones_like(params.theta), N_X, N_H, N_Y)
    updated = _network.update_parameters(other, grads, 0.5)
    for a, b in zip(updated, expected, strict=True):
        assert_array_equal(a, b)


def test_copies_of_separate_arrays_stay_separate():
    params = Parameters(*(a.copy() for a in random_problem()[2]))
    other = pickle.loads(pickle.dumps(params))
    assert other.theta is None
    assert_array_equal(other.flat(), params.flat())
    assert params._replace(b1=0 * params.b1).theta is None


def test_received_parameters_are_aligned_and_writable():
    theta = random_problem()[2].theta
    odd = np.frombuffer(b"x" + theta.tobytes(), np.uint8)[1:].view(theta.dtype)
    odd.flags.writeable = False
    received = pickle.loads(pickle.dumps(Parameters.views(odd, N_X, N_H, N_Y), protocol=2))
    rebuild, args = Parameters.views(odd, N_X, N_H, N_Y).__reduce__()
    for params in received, rebuild(*args):
        assert params.theta.flags.aligned
        assert params.theta.flags.writeable
        assert_array_equal(params.theta, theta)


def test_layer_sizes_are_those_of_the_data():
    X, Y, *_ = random_problem()
    assert _network.layer_sizes(X, Y, N_H) == (N_X, N_H, N_Y)
    assert _network.layer_sizes(X, Y)[1] == 2  # the lecture's


def test_seeds_and_generators_give_equal_weights():
    seed, generator = 3, np.random.RandomState(3)
    starts = [
        _network.initialize_parameters(N_X, N_H, N_Y, random_state=random_state)
        for random_state in (seed, generator, None)
    ]
    assert_array_equal(starts[0].flat(), starts[1].flat())
    assert not np.isin(starts[2].W1, starts[0].W1).any()


def test_initial_weights_follow_the_lecture():
    params = _network.initialize_parameters(200, 300, 2, random_state=np.random.RandomState(0))
    assert [a.shape for a in params] == [(300, 200), (300, 1), (2, 300), (2, 1)]
    assert_allclose(params.W1.std(), 0.01, rtol=0.02)
    assert_allclose(params.W2.std(), 0.01, rtol=0.1)
    assert not params.b1.any()
    assert not params.b2.any()


def test_initialize_spread_draws_lines_through_data():
    mean, std = np.array([5.0, -300.0]), np.array([0.1, 20.0])
    params = _network.initialize_spread(
        2, 4000, 1, random_state=np.random.RandomState(0), mean=mean, std=std
    )
    # In standard deviations the rows have length sqrt(2) * 2 / sqrt(2) in the root mean square.
    assert_allclose((params.W1 * std).std(axis=0), 2 / np.sqrt(2), rtol=0.03)
    # The line of a unit passes within a few standard deviations of the mean, on either side.
    at_mean = params.W1 @ mean[:, np.newaxis] + params.b1
    distance = at_mean[:, 0] / np.linalg.norm(params.W1 * std, axis=1)
    assert_allclose(distance.std(), 1, rtol=0.03)
    assert abs(distance.mean()) < 0.05


def test_initialize_spread_defaults_to_standardised_features():
    given = {"mean": np.zeros(3), "std": np.ones(3)}
    start, same = (
        _network.initialize_spread(3, 5, 1, random_state=np.random.RandomState(0), **options)
        for options in ({}, given)
    )
    for array, other in zip(start, same, strict=True):
        assert_array_equal(array, other)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sigmoid_is_exact_and_never_overflows(dtype):
    z = np.array([-1e30, -800, -40, -1, 0, 1e-3, 1, 40, 800, 1e30], dtype)
    with np.errstate(all="raise"):
        a = _network.sigmoid(z)
    assert a.dtype == dtype
    assert_allclose(a, expit(z), rtol=0, atol=np.finfo(dtype).eps)
    assert a[0] == 0
    assert a[-1] == 1


def test_forward_follows_the_lecture_equations():
    X, _, params, _ = random_problem()
    A2, cache = _network.forward_propagation(X, params)
    assert A2 is cache.A2
    assert_allclose(cache.Z1, params.W1 @ X + params.b1)  # (2)
    assert_allclose(cache.A1, expit(cache.Z1))  # (3)
    assert_allclose(cache.Z2, params.W2 @ cache.A1 + params.b2)  # (4)
    assert_allclose(A2, expit(cache.Z2))


def test_cost_is_the_lecture_log_loss():
    X, Y, params, _ = random_problem()
    A2, cache = _network.forward_propagation(X, params)
    log_loss = -Y * np.log(A2) - (1 - Y) * np.log(1 - A2)  # (8)
    assert_allclose(_network.compute_cost(cache, Y), log_loss.sum() / M, rtol=1e-14)


def test_cost_is_ln_2_at_zero_weights():
    X, Y, params, _ = random_problem(n_y=1)
    zeros = Parameters(*(np.zeros_like(a) for a in params))
    assert_allclose(cost_of(zeros, X, Y, None), np.log(2), rtol=1e-15)


@pytest.mark.usefixtures("compensated_sum")
def test_cost_adds_outputs_from_first_to_last():
    """A compensated sum would add 2 ln(2) to 1e16, and make it 1e16 + 2."""
    Z2 = np.array([[1e16], [0.0], [0.0]])
    cache = Cache(Z2, Z2, Z2, _network.sigmoid(Z2))
    assert _network.compute_cost(cache, np.zeros((3, 1))) == 1e16


def test_cost_of_saturated_logits_is_exact():
    Z2 = np.array([[800.0, -800.0, 800.0, -800.0, 40.0]])
    Y = np.array([[0.0, 1.0, 1.0, 0.0, 1.0]])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        cache = Cache(Z2, Z2, Z2, _network.sigmoid(Z2))
        assert _network.compute_cost(cache, Y, total=1) == 1600  # two wrong rows of 800 each
        right = Cache(*(a[:, -1:] for a in cache))
        assert_allclose(_network.compute_cost(right, Y[:, -1:]), np.exp(-40), rtol=1e-15)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_y", [1, 2])
def test_gradient_equals_central_differences(n_y, weighted):
    X, Y, params, weights = random_problem(n_y=n_y, weighted=weighted)
    _, cache = _network.forward_propagation(X, params)
    grads = _network.backward_propagation(params, cache, X, Y, weights=weights)
    step = 1e-6
    for array, gradient in zip(params, grads, strict=True):
        assert array.shape == gradient.shape
        for entry in np.ndindex(array.shape):
            before = array[entry]
            array[entry] = before + step
            above = cost_of(params, X, Y, weights)
            array[entry] = before - step
            below = cost_of(params, X, Y, weights)
            array[entry] = before
            assert_allclose(gradient[entry], (above - below) / (2 * step), atol=1e-9)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_y", [1, 2])
def test_cost_and_gradient_equal_pytorch(n_y, weighted):
    torch = pytest.importorskip(
        "torch", reason="PyTorch, the oracle of this test, is not installed"
    )
    X, Y, params, weights = random_problem(n_y=n_y, weighted=weighted)
    tensors = [torch.tensor(a, requires_grad=True) for a in params]
    W1, b1, W2, b2 = tensors
    logits = W2 @ torch.sigmoid(W1 @ torch.tensor(X) + b1) + b2
    losses = torch.nn.functional.binary_cross_entropy_with_logits(
        logits, torch.tensor(Y), reduction="none"
    ).sum(dim=0)
    w = torch.ones(M, dtype=torch.float64) if weights is None else torch.tensor(weights)
    loss = (w * losses).sum() / w.sum()
    loss.backward()
    _, cache = _network.forward_propagation(X, params)
    assert_allclose(_network.compute_cost(cache, Y, weights=weights), loss.item(), rtol=1e-14)
    grads = _network.backward_propagation(params, cache, X, Y, weights=weights)
    for gradient, tensor in zip(grads, tensors, strict=True):
        assert_allclose(gradient, tensor.grad.numpy(), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("weighted", [False, True])
def test_blocks_of_columns_add_up(weighted):
    X, Y, params, weights = random_problem(weighted=weighted)
    total = M if weights is None else weights.sum()
    whole_cost, whole = 0, None
    for part in slice(0, 6), slice(6, M):
        w = None if weights is None else weights[part]
        _, cache = _network.forward_propagation(X[:, part], params)
        whole_cost += _network.compute_cost(cache, Y[:, part], weights=w, total=total)
        grads = _network.backward_propagation(
            params, cache, X[:, part], Y[:, part], weights=w, total=total
        )
        whole = grads if whole is None else [a + b for a, b in zip(whole, grads, strict=True)]
    _, cache = _network.forward_propagation(X, params)
    assert_allclose(whole_cost, _network.compute_cost(cache, Y, weights=weights), rtol=1e-14)
    for summed, gradient in zip(
        whole, _network.backward_propagation(params, cache, X, Y, weights=weights), strict=True
    ):
        assert_allclose(summed, gradient, rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize("as_X", [np.asarray, lambda X: sparse.csr_array(X.T).T])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_y", [1, 2])
def test_buffers_do_not_change_results(n_y, dtype, as_X):
    X, Y, params, weights = random_problem(dtype, n_y, weighted=True)
    X = as_X(X)
    _, cache = _network.forward_propagation(X, params)
    cost = _network.compute_cost(cache, Y, weights=weights)
    grads = _network.backward_propagation(params, cache, X, Y, weights=weights)
    assert all(a.dtype == dtype for a in (*cache, *grads))

    reused = Cache.allocate(N_H, n_y, M, dtype)
    out = Parameters(*(np.full_like(a, np.nan) for a in params))
    tol = 10 * np.finfo(dtype).eps  # a sparse product leaves another order of memory, and of sums
    A2, returned = _network.forward_propagation(X, params, out=reused)
    assert A2 is reused.A2
    assert returned is reused
    assert_allclose(_network.compute_cost(reused, Y, weights=weights), cost, rtol=tol)
    returned = _network.backward_propagation(params, reused, X, Y, weights=weights, out=out)
    assert returned is out
    for a, b in zip(out, grads, strict=True):
        assert_allclose(a, b, rtol=tol, atol=tol / 10)


def test_standalone_calls_do_not_change_arguments():
    X, Y, params, weights = random_problem(weighted=True)
    _, cache = _network.forward_propagation(X, params)
    arguments = [X, Y, weights, *params, *cache]
    before = [a.copy() for a in arguments]
    _network.compute_cost(cache, Y, weights=weights)
    grads = _network.backward_propagation(params, cache, X, Y, weights=weights)
    _network.update_parameters(params, grads)
    for a, b in zip(arguments, before, strict=True):
        assert_array_equal(a, b)


def test_update_is_equation_9():
    X, Y, params, _ = random_problem()
    _, cache = _network.forward_propagation(X, params)
    grads = Parameters.views(np.empty_like(params.theta), N_X, N_H, N_Y)
    _network.backward_propagation(params, cache, X, Y, out=grads)
    expected = [p - 1.2 * g for p, g in zip(params, grads, strict=True)]
    for start in Parameters(*(p.copy() for p in params)), params:  # four arrays; views of one
        for out in None, start:
            updated = _network.update_parameters(start, grads, out=out)  # the lecture's rate
            assert out is None or updated is out
            for array, right in zip(updated, expected, strict=True):
                assert_array_equal(array, right)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_buffers_are_aligned_to_cache_lines(dtype):
    cache = Cache.allocate(3, 1, 17, dtype)
    buffers = *cache, *cache.buffers[:3]
    assert {array.ctypes.data % _network.CACHE_LINE for array in buffers} == {0}
    assert {array.dtype for array in buffers} == {np.dtype(dtype)}

"""``partial_fit`` and warm ``fit`` if the scale of a feature changes."""

import pickle
from functools import cache

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import make_moons
from sklearn.metrics import log_loss

from tests.helpers import assert_same_weights, make_clf, slow
from two_layer_sigmoid import TwoLayerSigmoidClassifier, _network
from two_layer_sigmoid._network import Parameters
from two_layer_sigmoid._summary import Summary
from two_layer_sigmoid._training import rescaled

SIZE = 200  # rows in a chunk
SEEDS = range(3)
MORE_SEEDS = range(8)  # after a single row the losses of the seeds differ more
X_TEST, Y_TEST = make_moons(2000, noise=0.2, random_state=99)


def moons_in_chunks(seed, n_chunks=100):
    X, y = make_moons(n_chunks * SIZE, noise=0.2, random_state=seed)
    return list(zip(np.split(X, n_chunks), np.split(y, n_chunks), strict=True))


def with_first(chunks, factor):
    (X, y), *others = chunks
    return [(X * factor, y), *others]


def in_unit(chunks, unit):
    return [(X * unit, y) for X, y in chunks]


def trained(chunks, seed=0, **params):
    clf = TwoLayerSigmoidClassifier(16, batch_size=20, random_state=seed).set_params(**params)
    for X, y in chunks:
        clf.partial_fit(X, y, classes=[0, 1])
    return clf


def loss_of(clf, unit=1.0):
    return log_loss(Y_TEST, clf.predict_proba(X_TEST * unit))


@cache
def ordinary_loss(seed):
    """The loss of a stream whose first chunk is like the others."""
    return loss_of(trained(moons_in_chunks(seed), seed))


def mean_ordinary_loss(seeds):
    return np.mean([ordinary_loss(seed) for seed in seeds])


def draw(seed):
    """A factor from 1 to 1e-8 and a unit from 1e-6 to 1e6."""
    random_state = np.random.RandomState(seed)
    return 10 ** random_state.uniform(-8, 0), 10 ** random_state.uniform(-6, 6)


@pytest.mark.parametrize("dtype", [np.float64, slow(np.float32)])
@pytest.mark.parametrize(
    ("factor", "unit"),
    [
        (0.01, 1e3),
        *(slow(*case) for case in [(0.3, 1), (0.1, 1e-3), (0, 1e-3), *map(draw, range(6))]),
    ],
)
def test_narrow_first_chunk_costs_nothing(factor, unit, dtype):
    losses = []
    for seed in SEEDS:
        chunks = in_unit(with_first(moons_in_chunks(seed), factor), unit)
        clf = trained([(X.astype(dtype), y) for X, y in chunks], seed)
        losses.append(loss_of(clf, unit))
    assert np.mean(losses) < 1.03 * mean_ordinary_loss(SEEDS)


@pytest.mark.slow
@pytest.mark.parametrize("unit", [1, 1e3, 1e-3, draw(7)[1]])
def test_first_chunk_of_one_row_costs_little(unit):
    losses = []
    for seed in MORE_SEEDS:
        chunks = moons_in_chunks(seed)
        X, y = chunks[0]
        losses.append(loss_of(trained(in_unit([(X[:1], y[:1]), *chunks], unit), seed), unit))
    assert np.mean(losses) < 1.06 * mean_ordinary_loss(MORE_SEEDS)


@pytest.mark.parametrize("seed", [0, slow(1), slow(2)])
def test_first_chunk_of_one_class_can_be_narrow(seed):
    chunks = moons_in_chunks(seed)
    X, y = chunks[0]
    ordinary = loss_of(trained([(X[y == 0], y[y == 0]), *chunks[1:]], seed))
    narrow = loss_of(trained([(1e-4 * X[y == 0], y[y == 0]), *chunks[1:]], seed))
    assert narrow < 1.05 * ordinary


@pytest.mark.slow
def test_scale_can_grow_slowly():
    """No chunk doubles the spread of all rows, but together they multiply it by 1000."""
    losses = []
    for seed in SEEDS:
        chunks = moons_in_chunks(seed)
        growing = [(X * min(1, 1.5 ** (i - 17)), y) for i, (X, y) in enumerate(chunks)]
        losses.append(loss_of(trained(growing, seed)))
    assert np.mean(losses) < 1.1 * mean_ordinary_loss(SEEDS)


@pytest.mark.parametrize("first", [slow([1, 1]), [1e-3, 1e-3], slow([1, 1e-3]), slow([0, 1])])
@pytest.mark.parametrize("setting", [{}, {"momentum": 0.9, "learning_rate": 0.1}])
def test_units_do_not_change_the_network(first, setting):
    chunks = moons_in_chunks(0, 8)
    chunks = [(chunks[0][0][:1], chunks[0][1][:1]), *with_first(chunks, first)]
    logits = trained(chunks, **setting).decision_function(X_TEST)
    for unit in (2.0**20, 2.0**-20, 1e3, 1e-3):
        clf = trained(in_unit(chunks, unit), **setting)
        assert_allclose(clf.decision_function(X_TEST * unit), logits, rtol=1e-6, atol=1e-8)


def test_stream_continues_after_pickling():
    chunks = with_first(moons_in_chunks(0, 8), 0.01)
    clf = pickle.loads(pickle.dumps(trained(chunks[:1])))
    for X, y in chunks[1:]:
        clf.partial_fit(X, y)
    assert_same_weights(clf, trained(chunks))


def without_training(clf, X, y):
    return clf.set_params(learning_rate=1e-300, alpha=0, batch_size=None).partial_fit(X, y)


def test_narrower_rows_do_not_change_the_network():
    clf = trained(moons_in_chunks(0, 5))
    logits = clf.decision_function(X_TEST)
    X, y = moons_in_chunks(1, 5)[0]
    for _ in range(20):
        without_training(clf, X * 1e-3, y)
    assert_allclose(clf.decision_function(X_TEST), logits, rtol=1e-9)


def test_given_weights_keep_their_unit():
    """The first rows say nothing about weights from another program."""
    init = trained(in_unit(moons_in_chunks(0, 5), 1e3))
    arrays = tuple(getattr(init, name) for name in ("W1_", "b1_", "W2_", "b2_"))
    clf = TwoLayerSigmoidClassifier(16, init=arrays, alpha=0, learning_rate=1e-300)
    X = X_TEST * 1e3
    clf.partial_fit(X[:1], Y_TEST[:1], classes=[0, 1]).partial_fit(X, Y_TEST)
    assert_allclose(clf.decision_function(X), init.decision_function(X), rtol=1e-9)


def test_lecture_network_keeps_its_weights():
    chunks = with_first(moons_in_chunks(0, 2), 1e-3)
    clf = trained(chunks[:1], standardize=False)
    before = clf.W1_.copy()
    assert_allclose(without_training(clf, *chunks[1]).W1_, before, rtol=1e-12)


# warm_start


def warm_loss(first, X, y, **params):
    clf = make_clf(n_h=16, max_iter=300, warm_start=True).set_params(**params)
    return clf.fit(X * first, y).fit(X, y).loss_


@pytest.mark.parametrize(
    ("factor", "unit"),
    [(1e-5, 1e3), *(slow(*case) for case in [(0.3, 1), (0.02, 1e-3), *map(draw, range(10, 14))])],
)
@pytest.mark.parametrize("narrow", [[True, True], [False, True]])
def test_narrow_first_fit_costs_nothing(factor, unit, narrow):
    X, y = make_moons(400, noise=0.2, random_state=0)
    loss = warm_loss(np.where(narrow, factor, 1), X * unit, y)
    assert loss < 1.05 * warm_loss(1, X * unit, y)


def test_warm_lbfgs_accepts_a_narrow_first_fit():
    X, y = make_moons(400, noise=0.2, random_state=0)
    params = {"solver": "lbfgs", "alpha": 1e-2, "max_iter": 2000}
    assert warm_loss([1, 1e-5], X, y, **params) < 1.05 * warm_loss(1, X, y, **params)


def test_warm_fit_of_shifted_rows_does_not_saturate():
    X, y = make_moons(400, noise=0.2, random_state=0)
    clf = make_clf(n_h=16, max_iter=300, warm_start=True).fit(X, y).fit(X + np.array([1e4, 0]), y)
    assert clf.loss_ < 0.35  # a saturated network has 0.69 or more


def test_feature_that_becomes_constant_keeps_its_unit():
    X, y = make_moons(400, noise=0.2, random_state=0)
    losses = []
    for unit in (1.0, 2.0**-12):
        clf = make_clf(warm_start=True)
        for factor in (1, 0, 1, 0.1):
            losses.append(clf.fit(X * [1, factor * unit], y).loss_)
        assert_allclose(clf.scale_, (X * [1, 0.1 * unit]).std(axis=0))
    assert_allclose(losses[:4], losses[4:], rtol=1e-7)


# The rule


def random_network(seed=0):
    draw = np.random.RandomState(seed).standard_normal
    return Parameters(draw((4, 2)), draw((4, 1)), draw((1, 4)), draw((1, 1)))


def moments(mean, std):
    mean, var = np.array(mean, float), np.square(np.array(std, float))
    return Summary(100.0, mean, var, np.abs(mean), np.zeros((2, 1)))


def hidden(params, x):
    return params.W1 @ np.reshape(x, (-1, 1)) + params.b1


def output(params, x):
    return _network.forward_propagation(np.reshape(x, (-1, 1)).astype(float), params)[1].Z2


def test_small_changes_of_scale_change_nothing():
    reference = np.array([3.0, 0.0]), np.array([1.0, 0.0])
    params = random_network()
    for now in (moments([3, 0], [1.9, 0]), moments([4, 0], [1, 0]), moments([3, 0], [1e-9, 0])):
        new, new_reference = rescaled(params, reference, now)
        assert new is params
        assert new_reference is reference


@pytest.mark.parametrize("scale", [0.0, 1e-3])
def test_rescaling_one_feature_keeps_the_hidden_units(scale):
    params, mean = random_network(), np.array([3.0, 5.0])
    reference = mean, np.array([1.0, scale])
    new, (new_mean, new_scale) = rescaled(params, reference, moments([3, 9], [1, 4]))
    for first in (-2, 3, 7):
        assert_allclose(hidden(new, [first, 5]), hidden(params, [first, 5]))
    assert_allclose(new.W1 * [1, 4], params.W1 * [1, scale or 1])
    assert_array_equal(new_mean, mean)
    assert_array_equal(new_scale, [1, 4])


def test_rescaling_all_features_keeps_standardised_weights_and_output():
    params, mean, scale = random_network(), np.array([3.0, 5.0]), np.array([1e-3, 1e-5])
    now = moments([4, 6], [2, 7])
    new, (new_mean, new_scale) = rescaled(params, (mean, scale), now)
    assert_allclose(new.W1 * new_scale, params.W1 * scale)
    assert_allclose(hidden(new, now.mean), hidden(params, mean))
    assert_allclose(output(new, mean), output(params, mean))
    assert_array_equal(new_mean, now.mean)
    assert_array_equal(new_scale, [2, 7])

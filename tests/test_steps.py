"""The five steps of the lecture, which a subclass can override."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import log_loss

from tests.helpers import SOLVER_SETTINGS
from two_layer_sigmoid import TwoLayerSigmoidClassifier, _blocks, _network, network


def test_lecture_steps_work_on_unfitted_estimator():
    clf = TwoLayerSigmoidClassifier(random_state=0)
    X, Y = np.random.RandomState(0).standard_normal((2, 10)), np.array([[0, 1] * 5])
    params = clf._initialize_parameters(2, 4, 1)
    assert [a.shape for a in params] == [(4, 2), (4, 1), (1, 4), (1, 1)]
    A2, cache = clf._forward(X, params)
    assert A2.shape == (1, 10)
    assert cache._fields == ("Z1", "A1", "Z2", "A2")
    cost = clf._cost(cache, Y)
    assert type(cost) is float
    assert_allclose(cost, log_loss(Y[0], A2[0]))
    grads = clf._backward(params, cache, X, Y)
    assert [g.shape for g in grads] == [p.shape for p in params]
    updated = clf._update(params, grads, 0.1)
    assert clf._cost(clf._forward(X, updated)[1], Y) < cost


def test_steps_do_not_change_init_arrays():
    start = ([[1, 1]], [[0]], [[1]], [[0]])  # integers, which no step could update in place
    clf = TwoLayerSigmoidClassifier(n_h=1, init=tuple(np.array(a) for a in start))
    X, Y = np.random.RandomState(0).standard_normal((2, 10)), np.array([[0, 1] * 5])
    params = clf._initialize_parameters(2, 1, 1)
    grads = clf._backward(params, clf._forward(X, params)[1], X, Y)
    clf._update(params, grads, 0.5)
    for array, given in zip(clf.init, start, strict=True):
        assert_array_equal(array, given)


def test_step_can_call_a_public_step_twice(small_moons):
    class Twice(TwoLayerSigmoidClassifier):
        def _backward(self, params, cache, X, Y, *, weights=None, total=None, **options):
            weighting = {"weights": weights, "total": total}
            grads = [
                network.backward_propagation(params, cache, X, Y, **weighting) for _ in range(2)
            ]
            return network.Parameters(*((a + b) / 2 for a, b in zip(*grads, strict=True)))

    twice, once = (cls(4, max_iter=20, random_state=0) for cls in (Twice, Twice.__base__))
    assert_allclose(twice.fit(*small_moons).W1_, once.fit(*small_moons).W1_, rtol=1e-10)


class Zeros(TwoLayerSigmoidClassifier):
    def _initialize_parameters(self, n_x, n_h, n_y, **options):
        params = super()._initialize_parameters(n_x, n_h, n_y, **options)
        return params._replace(W1=0 * params.W1, W2=0 * params.W2)


class Halved(TwoLayerSigmoidClassifier):
    def _forward(self, X, params, **buffers):
        _, cache = super()._forward(X, params, **buffers)
        cache.A2[...] /= 2
        return cache.A2, cache


class Costlier(TwoLayerSigmoidClassifier):
    def _cost(self, cache, Y, **weighting):
        return 1 + super()._cost(cache, Y, **weighting)


class Slower(TwoLayerSigmoidClassifier):
    def _backward(self, params, cache, X, Y, **weighting):
        grads = super()._backward(params, cache, X, Y, **weighting)
        return _network.Parameters(*(g / 2 for g in grads))


class Signed(TwoLayerSigmoidClassifier):
    def _update(self, params, grads, learning_rate):
        steps = (learning_rate * np.sign(g) for g in grads)
        return _network.Parameters(*(p - s for p, s in zip(params, steps, strict=True)))


@pytest.mark.filterwarnings("ignore:Training ended")  # after five iterations
@pytest.mark.parametrize("subclass", [Zeros, Halved, Costlier, Slower, Signed])
def test_overriding_a_step_changes_fit(small_moons, subclass):
    params = {"max_iter": 5, "random_state": 0, "learning_rate": 0.1}
    plain = TwoLayerSigmoidClassifier(**params).fit(*small_moons)
    changed = subclass(**params).fit(*small_moons)
    assert changed.loss_curve_ != plain.loss_curve_


@pytest.mark.filterwarnings("ignore:Training ended above")  # the loss is 1 too high
def test_overridden_steps_have_the_expected_effect(small_moons):
    params = {"max_iter": 20, "alpha": 0, "random_state": 0}
    plain = TwoLayerSigmoidClassifier(**params).fit(*small_moons)
    costlier = Costlier(**params).fit(*small_moons)
    assert_allclose(costlier.loss_curve_, np.add(plain.loss_curve_, 1))
    half_rate = TwoLayerSigmoidClassifier(**params, learning_rate=0.6).fit(*small_moons)
    assert_allclose(Slower(**params).fit(*small_moons).W1_, half_rate.W1_, rtol=1e-12)


@pytest.mark.parametrize("setting", SOLVER_SETTINGS)
@pytest.mark.filterwarnings("ignore:Training by L-BFGS ran out of iterations")
def test_training_runs_the_lecture_steps(small_moons, setting):
    called = set()

    class Recorded(TwoLayerSigmoidClassifier):
        def _forward(self, X, params, **buffers):
            called.add("forward")
            return super()._forward(X, params, **buffers)

        def _cost(self, cache, Y, **weighting):
            called.add("cost")
            return super()._cost(cache, Y, **weighting)

        def _backward(self, params, cache, X, Y, **weighting):
            called.add("backward")
            return super()._backward(params, cache, X, Y, **weighting)

        def _update(self, params, grads, learning_rate):
            called.add("update")
            return super()._update(params, grads, learning_rate)

    Recorded(n_h=8, max_iter=20, random_state=0, **setting).fit(*small_moons)
    chooses_its_steps = {"update"} if setting.get("solver") == "lbfgs" else set()
    assert called == {"forward", "cost", "backward", "update"} - chooses_its_steps


def fit_lecture(data, max_iter):
    """The lecture's network, on its data."""
    settings = {"batch_size": None, "standardize": False, "alpha": 0, "random_state": 0}
    return TwoLayerSigmoidClassifier(2, max_iter=max_iter, **settings).fit(*data)


@pytest.mark.filterwarnings("ignore:Training ended")  # after a few iterations
def test_public_steps_give_the_weights_of_fit(lecture):
    rows, labels = lecture
    X, Y = rows.T, labels[np.newaxis]
    parameters = network.initialize_parameters(*network.layer_sizes(X, Y), random_state=0)
    costs = []
    for _ in range(20):
        _, cache = network.forward_propagation(X, parameters)
        costs.append(network.compute_cost(cache, Y))
        grads = network.backward_propagation(parameters, cache, X, Y)
        parameters = network.update_parameters(parameters, grads, learning_rate=1.2)
    clf = fit_lecture(lecture, 20)
    assert_allclose(clf.loss_curve_, costs, rtol=1e-12)
    for name, array in parameters._asdict().items():
        assert_allclose(getattr(clf, name), array, rtol=1e-9)


STEPS = [name for name in network.__all__ if name[0].islower()]


@pytest.mark.filterwarnings("ignore:Training ended")  # after a few iterations
@pytest.mark.parametrize("step", STEPS)
def test_training_calls_the_public_step(lecture, monkeypatch, step):
    public, calls = getattr(network, step), []
    module = _blocks if step == "layer_sizes" else _network
    assert getattr(module, step) is public

    def recorded(*args, **options):
        calls.append(step)
        return public(*args, **options)

    monkeypatch.setattr(module, step, recorded)
    fit_lecture(lecture, 5)
    assert len(calls) >= (1 if step in {"layer_sizes", "initialize_parameters"} else 5)

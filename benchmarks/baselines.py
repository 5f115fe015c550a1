"""Full-batch gradient descent by our estimator and by the baselines, each a function.

Each function takes the data, the initial parameters, the learning rate and the number of updates.
It does the preparation that is not timed, and returns a function that runs the updates from the
same initial parameters and returns the final ones. All must reach the same parameters.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from sklearn.neural_network import MLPClassifier

from two_layer_sigmoid import TwoLayerSigmoidClassifier, _network
from two_layer_sigmoid._network import Parameters

# The lecture's network of X as it is, with all rows in each update
LECTURE = {"standardize": False, "alpha": 0, "batch_size": None}


def of_ours(clf):
    """The parameters of our fitted estimator."""
    return Parameters(clf.W1_, clf.b1_, clf.W2_, clf.b2_)


def of_mlp(mlp):
    """The parameters of a fitted MLPClassifier, in the lecture's orientation."""
    (V1, V2), (c1, c2) = mlp.coefs_, mlp.intercepts_
    return Parameters(V1.T, c1[:, np.newaxis], V2.T, c2[:, np.newaxis])


def loss_of(params, X, y):
    """Our loss of any parameters, without penalty."""
    _, cache = _network.forward_propagation(X.T, params)
    return _network.compute_cost(cache, y[np.newaxis].astype(float))


def start_of(n_x, n_h, dtype):
    """The common initial parameters."""
    start = _network.initialize_spread(n_x, n_h, 1, random_state=np.random.RandomState(0))
    return Parameters(*(array.astype(dtype) for array in start))


def ours(X, y, start, learning_rate, n_iter, *, n_jobs=None):
    clf = TwoLayerSigmoidClassifier(
        len(start.b1),
        learning_rate,
        max_iter=n_iter,
        tol=0,
        init=tuple(start),
        n_jobs=n_jobs,
        **LECTURE,
    )

    def run():
        return of_ours(clf.fit(X, y))

    return run


def plain_numpy(X, y, start, learning_rate, n_iter):
    """The lecture's functions, written plainly: a new array for each expression."""
    X, Y = X.T, y[np.newaxis].astype(X.dtype)
    m = Y.shape[1]

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    def forward_propagation(parameters):
        Z1 = np.matmul(parameters["W1"], X) + parameters["b1"]
        A1 = sigmoid(Z1)
        Z2 = np.matmul(parameters["W2"], A1) + parameters["b2"]
        A2 = sigmoid(Z2)
        return A2, {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}

    def compute_cost(A2):
        log_loss = np.multiply(np.log(A2), Y) + np.multiply(np.log(1 - A2), 1 - Y)
        return -1 / m * np.sum(log_loss)

    def backward_propagation(parameters, cache):
        A1, A2 = cache["A1"], cache["A2"]
        dZ2 = A2 - Y
        dZ1 = np.matmul(parameters["W2"].T, dZ2) * A1 * (1 - A1)
        return {
            "W1": 1 / m * np.matmul(dZ1, X.T),
            "b1": 1 / m * np.sum(dZ1, axis=1, keepdims=True),
            "W2": 1 / m * np.matmul(dZ2, A1.T),
            "b2": 1 / m * np.sum(dZ2, axis=1, keepdims=True),
        }

    def run():
        parameters = start._asdict()
        for _ in range(n_iter):
            A2, cache = forward_propagation(parameters)
            compute_cost(A2)
            grads = backward_propagation(parameters, cache)
            parameters = {k: parameters[k] - learning_rate * grads[k] for k in parameters}
        return Parameters(**parameters)

    return run


def mlp_classifier(X, y, start, learning_rate, n_iter, *, shuffle=False):
    """scikit-learn's. With ``shuffle``, its default, it copies all rows in each iteration."""
    mlp = MLPClassifier(
        (len(start.b1),),
        activation="logistic",
        solver="sgd",
        alpha=0.0,
        batch_size=len(X),
        learning_rate_init=learning_rate,
        max_iter=1,
        tol=0.0,
        n_iter_no_change=10**9,
        shuffle=shuffle,
        momentum=0.0,
        nesterovs_momentum=False,
        warm_start=True,
        random_state=0,
    ).fit(X, y)
    W1, b1, W2, b2 = start
    mlp.set_params(max_iter=n_iter)

    def run():
        mlp.coefs_ = [W1.T.copy(), W2.T.copy()]
        mlp.intercepts_ = [b1[:, 0].copy(), b2[:, 0].copy()]
        return of_mlp(mlp.fit(X, y))

    return run


def pytorch(X, y, start, learning_rate, n_iter):
    import torch  # noqa: PLC0415 - absent from most environments

    X, Y = torch.tensor(X), torch.tensor(y[:, np.newaxis].astype(X.dtype))
    n_h, n_x = start.W1.shape
    net = torch.nn.Sequential(
        torch.nn.Linear(n_x, n_h), torch.nn.Sigmoid(), torch.nn.Linear(n_h, 1)
    ).to(X.dtype)
    loss_of = torch.nn.BCEWithLogitsLoss()
    optimizer = torch.optim.SGD(net.parameters(), learning_rate)

    def run():
        with torch.no_grad():
            for tensor, array in zip(net.parameters(), start, strict=True):
                tensor.copy_(torch.tensor(array).reshape(tensor.shape))
        for _ in range(n_iter):
            optimizer.zero_grad()
            loss = loss_of(net(X), Y)
            loss.item()
            loss.backward()
            optimizer.step()
        W1, b1, W2, b2 = (tensor.detach().numpy() for tensor in net.parameters())
        return Parameters(W1, b1[:, np.newaxis], W2, b2[:, np.newaxis])

    return run


def torch_compile(X, y, start, learning_rate, n_iter):
    """One update with the gradient written by hand, compiled for these shapes."""
    import torch  # noqa: PLC0415

    m = len(X)
    X, Y = torch.tensor(X), torch.tensor(y[:, np.newaxis].astype(X.dtype))

    def step(W1, b1, W2, b2):
        A1 = torch.sigmoid(X @ W1.T + b1.T)
        Z2 = A1 @ W2.T + b2
        cost = (torch.nn.functional.softplus(Z2) - Y * Z2).mean()
        dZ2 = (torch.sigmoid(Z2) - Y) / m
        dZ1 = (dZ2 @ W2) * A1 * (1 - A1)
        grads = dZ1.T @ X, dZ1.sum(0)[:, None], dZ2.T @ A1, dZ2.sum(0)[:, None]
        params = zip((W1, b1, W2, b2), grads, strict=True)
        return cost, *(param - learning_rate * grad for param, grad in params)

    torch._dynamo.reset()
    compiled = torch.compile(step, dynamic=False)
    params = [torch.tensor(array) for array in start]
    compiled(*params)  # compiles

    def run():
        reached = params
        for _ in range(n_iter):
            cost, *reached = compiled(*reached)
            cost.item()
        return Parameters(*(tensor.numpy() for tensor in reached))

    return run


def jax_jit(X, y, start, learning_rate, n_iter):
    import jax  # noqa: PLC0415 - absent from most environments

    jax.config.update("jax_enable_x64", True)
    jnp = jax.numpy
    X, Y = jnp.asarray(X), jnp.asarray(y[:, np.newaxis].astype(X.dtype))

    def cost_of(params):
        W1, b1, W2, b2 = params
        Z2 = jax.nn.sigmoid(X @ W1.T + b1.T) @ W2.T + b2
        return (jax.nn.softplus(Z2) - Y * Z2).mean()

    @jax.jit
    def step(params):
        cost, grads = jax.value_and_grad(cost_of)(params)
        return cost, [p - learning_rate * g for p, g in zip(params, grads, strict=True)]

    params = [jnp.asarray(array) for array in start]
    step(params)  # compiles

    def run():
        reached = params
        for _ in range(n_iter):
            cost, reached = step(reached)
            float(cost)
        return Parameters(*map(np.asarray, reached))

    return run


def lower_bound(X, y, start, learning_rate, n_iter):
    """Not training: the two matrix products in each direction and one tanh, on whole arrays."""
    W1, _, W2, _ = start
    A1, Z2 = np.empty((len(W1), len(X)), X.dtype), np.empty((1, len(X)), X.dtype)
    dW1, dW2 = np.empty_like(W1), np.empty_like(W2)

    def run():
        for _ in range(n_iter):
            np.dot(W1, X.T, out=A1)
            np.tanh(A1, out=A1)
            np.dot(W2, A1, out=Z2)
            np.dot(Z2, A1.T, out=dW2)
            np.dot(A1, X, out=dW1)

    return run


BASELINES = {
    "ours": ours,
    "plain NumPy": plain_numpy,
    "MLPClassifier": mlp_classifier,
    "MLPClassifier, shuffle=True": partial(mlp_classifier, shuffle=True),
    "PyTorch": pytorch,
    "torch.compile": torch_compile,
    "jax.jit": jax_jit,
    "lower bound": lower_bound,
}

"""
========================
The lecture step by step
========================

This example calls the steps of the lecture one by one: forward propagation, cost, backward
propagation and update. The arrays have the lecture's orientation: X is ``(n_x, m)``, Y is
``(n_y, m)``, and each example is a column. ``fit`` runs the same methods. ``standardize=False`` and
``alpha=0`` are the lecture to the letter: X as it is, and no penalty.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_blobs

from two_layer_sigmoid import TwoLayerSigmoidClassifier

centers = ([2.5, 3], [6.7, 7.9], [2.1, 7.9], [7.4, 2.8])
rows, blob = make_blobs(n_samples=2000, centers=centers, cluster_std=1.1, random_state=0)
labels = (blob < 2).astype(int)

# %%
# Layer sizes
# -----------
# The rows are transposed into columns. There are two features, two hidden units and one output.

X, Y = rows.T, labels[np.newaxis].astype(float)
n_x, n_h, n_y = len(X), 2, len(Y)
print(f"X {X.shape}, Y {Y.shape}; n_x={n_x}, n_h={n_h}, n_y={n_y}")

# %%
# Initialisation
# --------------
# The weights are small and random, so the two hidden units differ. The biases are zero.

net = TwoLayerSigmoidClassifier(
    n_h=n_h,
    learning_rate=1.2,
    max_iter=3000,
    standardize=False,
    alpha=0,
    random_state=0,
)
params = net._initialize_parameters(n_x, n_h, n_y)
for name, array in zip(params._fields, params, strict=True):
    print(f"{name} {array.shape}\n{array}")

# %%
# Forward propagation, equations (2) to (4)
# -----------------------------------------
# ``A2`` holds the probability of class 1 for each example. It is near 0.5, because the network is
# not trained yet. The cache holds the values that backward propagation needs.

A2, cache = net._forward(X, params)
print(", ".join(f"{name} {array.shape}" for name, array in cache._asdict().items()))
print(f"A2 from {A2.min():.4f} to {A2.max():.4f}")

# %%
# Cost, equation (8)
# ------------------
# The cost is the log loss. If all probabilities are 0.5, it is ln 2.

cost = net._cost(cache, Y)
by_equation_8 = np.mean(-Y * np.log(A2) - (1 - Y) * np.log(1 - A2))
print(f"cost {cost:.10f}, equation (8) {by_equation_8:.10f}, ln 2 {np.log(2):.10f}")

# %%
# Backward propagation, equations (10) to (15)
# --------------------------------------------
# The gradient has the shapes of the parameters. One element is compared with equation (11) and with
# a finite difference.

grads = net._backward(params, cache, X, Y)
by_equation_11 = np.mean((A2 - Y)[0] * params.W2[0, 0] * cache.A1[0] * (1 - cache.A1[0]) * X[0])


def cost_with(w):
    """Return the cost if the first weight is w."""
    W1 = params.W1.copy()
    W1[0, 0] = w
    return net._cost(net._forward(X, params._replace(W1=W1))[1], Y)


step = 1e-5
w = params.W1[0, 0]
finite_difference = (cost_with(w + step) - cost_with(w - step)) / (2 * step)
print(f"dW1[0, 0]  backward {grads.W1[0, 0]:.10f}")
print(f"      equation (11) {by_equation_11:.10f}")
print(f"  finite difference {finite_difference:.10f}")

# %%
# Gradient descent, equation (9)
# ------------------------------

costs = []
for iteration in range(3000):
    A2, cache = net._forward(X, params)
    costs.append(net._cost(cache, Y))
    grads = net._backward(params, cache, X, Y)
    params = net._update(params, grads, learning_rate=1.2)
    if iteration % 300 == 0:
        print(f"Cost after iteration {iteration}: {costs[-1]:.6f}")

# %%
# Prediction
# ----------
# Class 1 is predicted if a2 is above 0.5.

points = np.array([[2, 2], [8, 8], [2, 8], [8, 2]])
A2, _ = net._forward(points.T, params)
for point, a2 in zip(points, A2[0], strict=True):
    print(f"{point}: a2 = {a2:.3f}, predicted {int(a2 > 0.5)}")

# %%
# The same training with ``fit``
# ------------------------------
# With the same seed the estimator has the same initial weights and takes the same steps. Its
# ``loss_curve_`` holds the cost before each update. The curve oscillates, because on these raw
# features the rate is at the edge of stability.

net.fit(rows, labels)
difference = np.abs(np.array(net.loss_curve_) - costs).max()
print(f"largest difference between the curves: {difference:.2g}")

figure, ax = plt.subplots(layout="constrained")
ax.plot(costs, color="#0072B2", linewidth=3, label="loop above")
ax.plot(net.loss_curve_, color="black", linewidth=0.8, linestyle="--", label="fit")
ax.axhline(np.log(2), color="0.5", linestyle=":", label="ln 2")
ax.set(xlabel="iteration", ylabel="loss in nats", title="Gradient descent by the loop and by fit")
ax.legend()
plt.show()

"""
========================
The lecture step by step
========================

This example trains the network by the six functions of the lecture notes, one by one. They are in
:mod:`two_layer_sigmoid.network`, and ``fit`` runs the same functions. Each example is a column: X
is ``(n_x, m)`` and Y is ``(n_y, m)``. The numbers of the equations are those of
:doc:`/mathematics`, which shows the code of each.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_blobs

from two_layer_sigmoid import TwoLayerSigmoidClassifier
from two_layer_sigmoid.network import (
    backward_propagation,
    compute_cost,
    forward_propagation,
    initialize_parameters,
    layer_sizes,
    update_parameters,
)

centers = ([2.5, 3], [6.7, 7.9], [2.1, 7.9], [7.4, 2.8])
rows, blob = make_blobs(n_samples=2000, centers=centers, cluster_std=1.1, random_state=0)
labels = (blob < 2).astype(int)

# %%
# layer_sizes
# -----------
# scikit-learn has examples in rows. They become columns. There are two features, two hidden units
# and one output.

X, Y = rows.T, labels[np.newaxis]
n_x, n_h, n_y = layer_sizes(X, Y, n_h=2)
print(f"X {X.shape}, Y {Y.shape}; n_x={n_x}, n_h={n_h}, n_y={n_y}")

# %%
# initialize_parameters
# ---------------------
# The weights are small and random, so the two hidden units differ. The biases are zero. The
# parameters are a named tuple: ``parameters.W1`` is the ``parameters["W1"]`` of the notes.

parameters = initialize_parameters(n_x, n_h, n_y, random_state=0)
for name, array in parameters._asdict().items():
    print(f"{name} {array.shape}\n{array}")

# %%
# forward_propagation, equations (2) to (5)
# -----------------------------------------
# ``A2`` has the probability of class 1 for each example. It is near 0.5, because the network is not
# trained yet. The cache has the values that the cost and backward propagation need.

A2, cache = forward_propagation(X, parameters)
print(", ".join(f"{name} {array.shape}" for name, array in cache._asdict().items()))
print(f"A2 from {A2.min():.4f} to {A2.max():.4f}")

# %%
# compute_cost, equation (8)
# --------------------------
# The cost is the log loss. If all probabilities are 0.5, it is ln 2. The notes pass ``A2``. The
# function takes the cache and computes the same number from the logits ``Z2``, which stays finite
# if a probability rounds to 0 or 1.

cost = compute_cost(cache, Y)
by_equation_8 = np.mean(-Y * np.log(A2) - (1 - Y) * np.log(1 - A2))
print(f"cost {cost:.10f}, equation (8) {by_equation_8:.10f}, ln 2 {np.log(2):.10f}")

# %%
# backward_propagation, equations (10) to (15)
# --------------------------------------------
# The gradient has the shapes of the parameters. One element is compared with equation (11) and with
# a finite difference.

grads = backward_propagation(parameters, cache, X, Y)
print(", ".join(f"d{name} {array.shape}" for name, array in grads._asdict().items()))

A1, W2 = cache.A1, parameters.W2
by_equation_11 = np.mean((A2 - Y)[0] * W2[0, 0] * A1[0] * (1 - A1[0]) * X[0])


def cost_with(w):
    """Return the cost if the first weight is w."""
    W1 = parameters.W1.copy()
    W1[0, 0] = w
    _, cache = forward_propagation(X, parameters._replace(W1=W1))
    return compute_cost(cache, Y)


step = 1e-5
w = parameters.W1[0, 0]
finite_difference = (cost_with(w + step) - cost_with(w - step)) / (2 * step)
print(f"dW1[0, 0]  backward {grads.W1[0, 0]:.10f}")
print(f"      equation (11) {by_equation_11:.10f}")
print(f"  finite difference {finite_difference:.10f}")

# %%
# update_parameters, equation (9)
# -------------------------------
# An update subtracts the gradient times the learning rate. Training repeats the four steps.

costs = []
for iteration in range(3000):
    A2, cache = forward_propagation(X, parameters)
    costs.append(compute_cost(cache, Y))
    grads = backward_propagation(parameters, cache, X, Y)
    parameters = update_parameters(parameters, grads, learning_rate=1.2)
    if iteration % 300 == 0:
        print(f"Cost after iteration {iteration}: {costs[-1]:.6f}")

# %%
# Prediction, equation (6)
# ------------------------
# Class 1 is predicted if a2 is above 0.5.

points = np.array([[2, 2], [8, 8], [2, 8], [8, 2]])
A2, _ = forward_propagation(points.T, parameters)
for point, a2 in zip(points, A2[0], strict=True):
    print(f"{point}: a2 = {a2:.3f}, predicted {int(a2 > 0.5)}")

# %%
# The same training with ``fit``
# ------------------------------
# ``batch_size=None``, ``standardize=False`` and ``alpha=0`` are the lecture to the letter: all rows
# in each step, X as it is, and no penalty. With the same seed the estimator has the same initial
# weights and takes the same steps. Its ``loss_curve_`` has the cost before each update.

clf = TwoLayerSigmoidClassifier(
    n_h=2,
    learning_rate=1.2,
    max_iter=3000,
    batch_size=None,
    standardize=False,
    alpha=0,
    random_state=0,
).fit(rows, labels)
difference = np.abs(np.array(clf.loss_curve_) - costs).max()
print(f"largest difference between the curves: {difference:.2g}")

# %%
# The curve oscillates, because on these raw features the rate is at the edge of stability. The loop
# and ``fit`` keep the last weights, as the lecture does, although an earlier iteration can have a
# lower cost. ``early_stopping=True`` keeps the weights with the lowest loss on held-out rows.

print(f"last {clf.loss_:.5f}, lowest {min(costs):.5f} at iteration {np.argmin(costs)}")

figure, ax = plt.subplots(layout="constrained")
ax.plot(costs, color="#0072B2", linewidth=3, label="loop above")
ax.plot(clf.loss_curve_, color="black", linewidth=0.8, linestyle="--", label="fit")
ax.axhline(np.log(2), color="0.5", linestyle=":", label="ln 2")
ax.set(xlabel="iteration", ylabel="loss in nats", title="Gradient descent by the loop and by fit")
ax.legend()
plt.show()

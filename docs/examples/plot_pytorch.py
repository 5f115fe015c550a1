"""
===========================
The same network in PyTorch
===========================

The layers of ``torch.nn.Sequential`` compute the lecture's equations, so weights can be transferred
in both directions. With the same weights, predictions, gradients and steps of gradient descent are
equal up to rounding. The comparison needs the lecture's objective: ``standardize=False`` trains on
X as it is, ``alpha=0`` without a penalty.

This example needs PyTorch: ``pip install 'two-layer-sigmoid[torch]'``. If PyTorch is not installed,
the documentation shows the example without output.
"""

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import make_moons

from two_layer_sigmoid import TwoLayerSigmoidClassifier

X, y = make_moons(500, noise=0.2, random_state=0)
lecture = {"n_h": 8, "standardize": False, "alpha": 0}
clf = TwoLayerSigmoidClassifier(random_state=0, **lecture).fit(X, y)

# %%
# From TwoLayerSigmoidClassifier to PyTorch
# -----------------------------------------
# ``Linear`` stores W in the same shape as this package, ``(outputs, inputs)``, and b without the
# second axis. The last layer returns the logit, because ``BCEWithLogitsLoss`` computes the loss
# from it.


def torch_network(W1, b1, W2, b2):
    """Return the network as a PyTorch module in float64."""
    network = torch.nn.Sequential(
        torch.nn.Linear(W1.shape[1], len(W1)),
        torch.nn.Sigmoid(),
        torch.nn.Linear(len(W1), len(W2)),
    ).double()
    with torch.no_grad():
        for parameter, array in zip(
            network.parameters(), (W1, b1.ravel(), W2, b2.ravel()), strict=True
        ):
            parameter.copy_(torch.from_numpy(array))
    return network


network = torch_network(clf.W1_, clf.b1_, clf.W2_, clf.b2_)
rows, targets = torch.from_numpy(X), torch.from_numpy(y[:, np.newaxis].astype(float))
with torch.no_grad():
    probabilities = torch.sigmoid(network(rows)).numpy()[:, 0]
difference = np.abs(probabilities - clf.predict_proba(X)[:, 1]).max()
print(f"largest difference between the probabilities: {difference:.2g}")

# %%
# Gradients: the equations and automatic differentiation
# ------------------------------------------------------

loss = torch.nn.BCEWithLogitsLoss()(network(rows), targets)
loss.backward()
fitted = TwoLayerSigmoidClassifier(init=(clf.W1_, clf.b1_, clf.W2_, clf.b2_))
params = fitted._initialize_parameters(2, 8, 1)
_, cache = clf._forward(X.T, params)
grads = clf._backward(params, cache, X.T, y[np.newaxis].astype(float))
print(f"loss: fit {clf.loss_:.12f}, PyTorch {loss.item():.12f}")
for name, ours, parameter in zip(grads._fields, grads, network.parameters(), strict=True):
    difference = np.abs(ours - parameter.grad.numpy().reshape(ours.shape)).max()
    print(f"d{name}: largest entry {np.abs(ours).max():.2g}, largest difference {difference:.2g}")

# %%
# Training from the same initial weights
# --------------------------------------
# With the same initial weights PyTorch's ``SGD`` on all rows takes the same steps as ``fit``.

initial = clf._initialize_parameters(2, 8, 1, mean=X.mean(axis=0), std=X.std(axis=0))
clf = TwoLayerSigmoidClassifier(init=tuple(initial), max_iter=300, **lecture).fit(X, y)
network = torch_network(*initial)
descent = torch.optim.SGD(network.parameters(), lr=1.2)
curve = []
for _ in range(300):
    descent.zero_grad()
    loss = torch.nn.BCEWithLogitsLoss()(network(rows), targets)
    loss.backward()
    descent.step()
    curve.append(loss.item())
difference = np.abs(np.array(clf.loss_curve_) - curve).max()
print(f"largest difference between the loss curves: {difference:.2g}")

figure, ax = plt.subplots(layout="constrained")
ax.plot(clf.loss_curve_, color="#0072B2", linewidth=3, label="TwoLayerSigmoidClassifier")
ax.plot(curve, color="black", linewidth=1, linestyle="--", label="PyTorch")
ax.set(xlabel="iteration", ylabel="loss in nats", title="Gradient descent from the same weights")
ax.legend()
plt.show()

# %%
# From PyTorch to TwoLayerSigmoidClassifier
# -----------------------------------------
# Pass the weights of a PyTorch network as ``init``. ``fit`` or ``partial_fit`` continues from them.

W1, b1, W2, b2 = (parameter.detach().numpy() for parameter in network.parameters())
back = TwoLayerSigmoidClassifier(
    init=(W1, b1[:, np.newaxis], W2, b2[:, np.newaxis]), max_iter=1, **lecture
)
back.fit(X, y)
print(f"first loss of fit: {back.loss_curve_[0]:.12f}, loss of PyTorch: ", end="")
with torch.no_grad():
    print(f"{torch.nn.BCEWithLogitsLoss()(network(rows), targets).item():.12f}")

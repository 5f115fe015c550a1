"""
=======================================
The same weights in PyTorch and in ours
=======================================

Weights carry over both ways: the layers of ``torch.nn.Sequential`` are the lecture's equations.
With the same weights, predictions, gradient and steps of gradient descent are the same, to
rounding.

It needs PyTorch (the extra ``torch``); where that is absent the site shows it without its output.
"""

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import make_moons

from two_layer_sigmoid import TwoLayerSigmoidClassifier

X, y = make_moons(500, noise=0.2, random_state=0)
clf = TwoLayerSigmoidClassifier(n_h=8, random_state=0).fit(X, y)

# %%
# From ours to PyTorch
# --------------------
# ``Linear`` holds W as we do, ``(outputs, inputs)``, and b without its second axis. The network
# ends in the logit, since ``BCEWithLogitsLoss`` is the cost computed from it.


def torch_network(W1, b1, W2, b2):
    """Build the network in PyTorch, in float64."""
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
    theirs = torch.sigmoid(network(rows)).numpy()[:, 0]
print(f"probabilities differ by {np.abs(theirs - clf.predict_proba(X)[:, 1]).max():.2g} at most")

# %%
# The gradient, by hand and by automatic differentiation
# ------------------------------------------------------

loss = torch.nn.BCEWithLogitsLoss()(network(rows), targets)
loss.backward()
fitted = TwoLayerSigmoidClassifier(init=(clf.W1_, clf.b1_, clf.W2_, clf.b2_))
params = fitted._initialize_parameters(2, 8, 1)
_, cache = clf._forward(X.T, params)
grads = clf._backward(params, cache, X.T, y[np.newaxis].astype(float))
print(f"cost: ours {clf.loss_:.12f}, PyTorch {loss.item():.12f}")
for name, ours, parameter in zip(grads._fields, grads, network.parameters(), strict=True):
    difference = np.abs(ours - parameter.grad.numpy().reshape(ours.shape)).max()
    print(f"d{name}: largest entry {np.abs(ours).max():.2g}, differs by {difference:.2g} at most")

# %%
# Training, side by side
# ----------------------
# From the same start PyTorch's ``SGD`` on all rows takes the steps of ``fit``.

start = clf._initialize_parameters(2, 8, 1, mean=X.mean(axis=0), std=X.std(axis=0))
clf = TwoLayerSigmoidClassifier(n_h=8, init=tuple(start), max_iter=300).fit(X, y)
network = torch_network(*start)
descent = torch.optim.SGD(network.parameters(), lr=1.2)
curve = []
for _ in range(300):
    descent.zero_grad()
    loss = torch.nn.BCEWithLogitsLoss()(network(rows), targets)
    loss.backward()
    descent.step()
    curve.append(loss.item())
print(f"the curves differ by {np.abs(np.array(clf.loss_curve_) - curve).max():.2g} at most")

figure, ax = plt.subplots(layout="constrained")
ax.plot(clf.loss_curve_, color="#0072B2", linewidth=3, label="TwoLayerSigmoidClassifier")
ax.plot(curve, color="black", linewidth=1, linestyle="--", label="PyTorch")
ax.set(xlabel="iteration", ylabel="cost in nats", title="Gradient descent from the same weights")
ax.legend()
plt.show()

# %%
# From PyTorch to ours
# --------------------
# As ``init``, the weights of a network trained elsewhere are where ``fit`` or ``partial_fit`` goes
# on.

W1, b1, W2, b2 = (parameter.detach().numpy() for parameter in network.parameters())
back = TwoLayerSigmoidClassifier(
    n_h=8, init=(W1, b1[:, np.newaxis], W2, b2[:, np.newaxis]), max_iter=1, random_state=0
)
back.fit(X, y)
print(f"the cost where it goes on: {back.loss_curve_[0]:.12f}, where PyTorch is: ", end="")
with torch.no_grad():
    print(f"{torch.nn.BCEWithLogitsLoss()(network(rows), targets).item():.12f}")

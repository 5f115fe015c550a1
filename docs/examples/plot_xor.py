"""
===============================
XOR: what each hidden unit does
===============================

No straight line separates the classes of XOR (exclusive or), so a single sigmoid unit cannot learn
it. A network with two hidden units can. Each hidden unit adds a line, and the output layer combines
them.
"""

import matplotlib.pyplot as plt
import numpy as np

from two_layer_sigmoid import TwoLayerSigmoidClassifier
from two_layer_sigmoid.plotting import HiddenUnitsDisplay, NetworkDisplay

rng = np.random.default_rng(0)
corners = rng.integers(0, 2, (300, 2))
X = corners + rng.normal(scale=0.15, size=corners.shape)
y = corners[:, 0] ^ corners[:, 1]


def scatter_classes(ax, X):
    """Draw the rows of the two classes."""
    for label, marker, colour in [(0, "o", "#542788"), (1, "^", "#B35806")]:
        style = {"marker": marker, "c": colour, "edgecolors": "white", "linewidths": 0.5}
        ax.scatter(*X[y == label].T, label=f"class {label}", **style)


clf = TwoLayerSigmoidClassifier(n_h=2, solver="lbfgs", alpha=1e-3, n_init=5, random_state=0)
clf.fit(X, y)
print(f"accuracy {clf.score(X, y):.3f}, loss {clf.loss_:.4f} nats, {clf.stop_reason_}")

# %%
# The lines of the two units
# --------------------------
# The output of a hidden unit is 0.5 on its line and rises towards 1 in the direction of its arrow.
# The box contains the index of the unit and its weight in the output layer. A solid orange line is
# a positive weight, which raises the probability of class 1. A dashed purple line is a negative
# weight, which lowers it. The thick black line is the decision boundary.
#
# Here both weights are negative. Between the lines both outputs are near 0, so the bias of the
# output layer, which is positive, decides: the network predicts class 1.

display = HiddenUnitsDisplay.from_estimator(clf, X)
scatter_classes(display.ax_, X)
display.ax_.set_title("XOR with two hidden units")
display.ax_.legend(loc="upper right")
display.figure_.colorbar(display.surface_, label="probability of class 1")
plt.show()

# %%
# The outputs of the hidden units
# -------------------------------
# The output layer receives the outputs of the two hidden units instead of the features. There one
# straight line separates the classes.

A1 = 1 / (1 + np.exp(-(X @ clf.W1_.T + clf.b1_.T)))
(w0, w1), b = clf.W2_[0], clf.b2_[0, 0]
ends = np.array([-0.05, 1.05])

figure, ax = plt.subplots(layout="constrained")
scatter_classes(ax, A1)
ax.plot(ends, -(w0 * ends + b) / w1, color="black", linewidth=2.5, label="decision boundary")
ax.set(xlabel="output of unit 0", ylabel="output of unit 1", xlim=ends, ylim=ends)
ax.set_title("The same rows after the hidden layer")
ax.legend()
plt.show()

# %%
# The network as a diagram
# ------------------------
# ``NetworkDisplay`` draws each weight as an edge. Negative weights are dashed. The colour inside a
# node is the bias.

display = NetworkDisplay.from_estimator(clf, class_names=["class 0", "class 1"])
display.ax_.set_title("Two inputs, two hidden units, one output")
plt.show()

"""
===================================
XOR, and what each hidden unit does
===================================

No straight line parts the classes of the exclusive or, so a single sigmoid cannot learn it. Two
hidden units can: each draws a line of its own, and the output adds up what they say.
"""

import matplotlib.pyplot as plt
import numpy as np

from two_layer_sigmoid import TwoLayerSigmoidClassifier
from two_layer_sigmoid.plotting import HiddenUnitsDisplay, NetworkDisplay

rng = np.random.default_rng(0)
corners = rng.integers(0, 2, (300, 2))
X = corners + rng.normal(scale=0.15, size=corners.shape)
y = corners[:, 0] ^ corners[:, 1]


def draw(ax, X):
    """Draw the two classes."""
    for label, marker, colour in [(0, "o", "#542788"), (1, "^", "#B35806")]:
        style = {"marker": marker, "c": colour, "edgecolors": "white", "linewidths": 0.5}
        ax.scatter(*X[y == label].T, label=f"class {label}", **style)


clf = TwoLayerSigmoidClassifier(n_h=2, solver="lbfgs", alpha=1e-3, n_init=5, random_state=0)
clf.fit(X, y)
print(f"accuracy {clf.score(X, y):.3f}, loss {clf.loss_:.4f} nats, {clf.stop_reason_}")

# %%
# The lines of the two units
# --------------------------
# A unit is one half along its line, and rises to one in the direction of its arrow. The numbers are
# its index and its weight in the output: solid and orange speaks for class 1, dashed and purple
# against it. Here both speak against it, and between the lines, where both rise, class 0 wins.

display = HiddenUnitsDisplay.from_estimator(clf, X)
draw(display.ax_, X)
display.ax_.set_title("XOR with two hidden units")
display.ax_.legend(loc="upper right")
display.figure_.colorbar(display.surface_, label="probability of class 1")
plt.show()

# %%
# What the output sees
# --------------------
# Not the features, but the values of the two hidden units, in which one straight line is enough.

A1 = 1 / (1 + np.exp(-(X @ clf.W1_.T + clf.b1_.T)))
(w0, w1), b = clf.W2_[0], clf.b2_[0, 0]
ends = np.array([-0.05, 1.05])

figure, ax = plt.subplots(layout="constrained")
draw(ax, A1)
ax.plot(ends, -(w0 * ends + b) / w1, color="black", linewidth=2.5, label="decision boundary")
ax.set(xlabel="hidden unit 0", ylabel="hidden unit 1", xlim=ends, ylim=ends)
ax.set_title("The same rows, as the output sees them")
ax.legend()
plt.show()

# %%
# The network
# -----------
# The same weights as a drawing.

display = NetworkDisplay.from_estimator(clf, class_names=["class 0", "class 1"])
display.ax_.set_title("Two inputs, two hidden units, one output")
plt.show()

"""
======================================
How the boundary grows during training
======================================

Frames of one training. With ``warm_start=True`` each ``fit`` goes on where the last one ended, so
a network can be looked at on the way; in the end it is the network of a single, longer ``fit``, to
the last bit.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons
from sklearn.exceptions import ConvergenceWarning

from two_layer_sigmoid import TwoLayerSigmoidClassifier
from two_layer_sigmoid.plotting import HiddenUnitsDisplay

X, y = make_moons(300, noise=0.2, random_state=0)
frames = [1, 10, 50, 100, 200, 400, 800, 1600, 3000]  # updates made in all

clf = TwoLayerSigmoidClassifier(n_h=8, warm_start=True, random_state=0)
figure, axes = plt.subplots(3, 3, figsize=(9, 9), sharex=True, sharey=True, layout="constrained")
curve = []
for before, after, ax in zip([0, *frames], frames, axes.flat, strict=False):
    clf.set_params(max_iter=after - before)
    with warnings.catch_warnings():  # of ending on the plateau: the first frames are meant to
        warnings.simplefilter("ignore", ConvergenceWarning)
        clf.fit(X, y)
    curve += clf.loss_curve_
    HiddenUnitsDisplay.from_estimator(clf, X, ax=ax, show_weights=False)
    for label, marker, colour in [(0, "o", "#542788"), (1, "^", "#B35806")]:
        style = {"marker": marker, "c": colour, "edgecolors": "white", "linewidths": 0.4}
        ax.scatter(*X[y == label].T, s=14, **style)
    ax.set(title=f"after {after}: {clf.loss_:.3f}", xlabel="", ylabel="")
figure.suptitle("Boundary and hidden units after some updates, with the cost in nats")
plt.show()

# %%
# The hidden units' lines pass through the data from the start: that is what the default ``init``
# draws for three units and more. At first training only learns how to weigh them; then it turns the
# lines to where they are needed.
#
# The frames along the curve
# --------------------------

figure, ax = plt.subplots(layout="constrained")
ax.plot(curve, color="#0072B2")
ax.plot(np.array(frames[:-1]), [curve[i] for i in frames[:-1]], "ko", label="frames")
ax.axhline(np.log(2), color="0.5", linestyle=":", label="ln 2, the cost of knowing nothing")
ax.set(xlabel="update", ylabel="cost in nats", title="The cost of the whole training")
ax.legend()
plt.show()

# %%
# One fit of 3000 updates ends where the nine fits did.

whole = TwoLayerSigmoidClassifier(n_h=8, max_iter=frames[-1], random_state=0).fit(X, y)
print("the same weights:", np.array_equal(whole.W1_, clf.W1_), np.array_equal(whole.W2_, clf.W2_))

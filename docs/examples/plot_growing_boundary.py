"""
=====================================
The decision boundary during training
=====================================

With ``warm_start=True`` each ``fit`` continues from the weights of the previous one, so the network
can be plotted between the fits. With ``standardize=False`` the final weights equal those of a
single, longer ``fit`` bit for bit; otherwise up to rounding.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons
from sklearn.exceptions import ConvergenceWarning

from two_layer_sigmoid import TwoLayerSigmoidClassifier
from two_layer_sigmoid.plotting import HiddenUnitsDisplay

X, y = make_moons(300, noise=0.2, random_state=0)
frames = [1, 10, 50, 100, 200, 400, 800, 1600, 3000]  # total number of updates

params = {"n_h": 8, "standardize": False, "alpha": 0, "random_state": 0}
clf = TwoLayerSigmoidClassifier(warm_start=True, **params)
figure, axes = plt.subplots(3, 3, figsize=(9, 9), sharex=True, sharey=True, layout="constrained")
curve = []
for before, after, ax in zip([0, *frames], frames, axes.flat, strict=False):
    clf.set_params(max_iter=after - before)
    with warnings.catch_warnings():  # the first fits end on the plateau
        warnings.simplefilter("ignore", ConvergenceWarning)
        clf.fit(X, y)
    curve += clf.loss_curve_
    HiddenUnitsDisplay.from_estimator(clf, X, ax=ax, show_weights=False)
    for label, marker, colour in [(0, "o", "#542788"), (1, "^", "#B35806")]:
        style = {"marker": marker, "c": colour, "edgecolors": "white", "linewidths": 0.4}
        ax.scatter(*X[y == label].T, s=14, **style)
    ax.set(title=f"after update {after}: loss {clf.loss_:.3f}", xlabel="", ylabel="")
figure.suptitle("Decision boundary and hidden units, with the training loss in nats")
plt.show()

# %%
# The lines of the hidden units pass through the data from the first update, because the default
# ``init`` draws them there if there are three units or more. At first training changes mainly the
# output weights. Later it moves the lines.
#
# Loss curve
# ----------
# The points mark the first eight networks above.

figure, ax = plt.subplots(layout="constrained")
ax.plot(curve, color="#0072B2")
ax.plot(np.array(frames[:-1]), [curve[i] for i in frames[:-1]], "ko", label="first eight networks")
ax.axhline(np.log(2), color="0.5", linestyle=":", label="ln 2, loss of a constant prediction")
ax.set(xlabel="update", ylabel="loss in nats", title="Training loss over all nine fits")
ax.legend()
plt.show()

# %%
# A single fit of 3000 updates ends with the same weights as the nine fits.

whole = TwoLayerSigmoidClassifier(max_iter=frames[-1], **params).fit(X, y)
print("the same weights:", np.array_equal(whole.W1_, clf.W1_), np.array_equal(whole.W2_, clf.W2_))

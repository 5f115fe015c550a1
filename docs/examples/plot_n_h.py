"""
======================
How many hidden units?
======================

Each hidden unit adds a line along which the decision boundary can bend. Too few units underfit the
data. Too many fit the noise of the training rows. Cross-validated log loss shows underfitting
clearly, and overfitting less clearly.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons
from sklearn.model_selection import StratifiedKFold, validation_curve

from two_layer_sigmoid import TwoLayerSigmoidClassifier
from two_layer_sigmoid.plotting import HiddenUnitsDisplay

X, y = make_moons(300, noise=0.3, random_state=0)
clf = TwoLayerSigmoidClassifier(solver="lbfgs", max_iter=1000, alpha=1e-4, random_state=0)

# %%
# Decision boundaries of 1, 2, 4 and 32 units
# -------------------------------------------

figure, axes = plt.subplots(2, 2, figsize=(9, 8), sharex=True, sharey=True, layout="constrained")
for n_h, ax in zip([1, 2, 4, 32], axes.flat, strict=True):
    clf.set_params(n_h=n_h).fit(X, y)
    HiddenUnitsDisplay.from_estimator(clf, X, ax=ax, show_weights=False)
    for label, marker, colour in [(0, "o", "#542788"), (1, "^", "#B35806")]:
        style = {"marker": marker, "c": colour, "edgecolors": "white", "linewidths": 0.4}
        ax.scatter(*X[y == label].T, s=16, **style)
    ax.set(title=f"n_h = {n_h}: training loss {clf.loss_:.3f}", xlabel="", ylabel="")
plt.show()

# %%
# Cross-validation
# ----------------
# Choose the number of units by the loss of the held-out rows. It stops falling before the loss of
# the training rows does.

sizes = [1, 2, 3, 4, 6, 8, 16, 32]
train, test = validation_curve(
    clf,
    X,
    y,
    param_name="n_h",
    param_range=sizes,
    scoring="neg_log_loss",
    cv=StratifiedKFold(5, shuffle=True, random_state=0),
)
figure, ax = plt.subplots(layout="constrained")
for name, scores, colour, marker in [
    ("training rows", -train, "#0072B2", "o"),
    ("held-out rows", -test, "#D55E00", "s"),
]:
    mean, error = scores.mean(axis=1), scores.std(axis=1) / np.sqrt(scores.shape[1])
    ax.errorbar(sizes, mean, error, color=colour, marker=marker, capsize=3, label=name)
ax.set(
    xscale="log", xlabel="n_h", ylabel="log loss in nats", title="5-fold mean and standard error"
)
ax.set_xticks(sizes, sizes)
ax.minorticks_off()
ax.legend()
plt.show()

best = sizes[int(np.argmin(-test.mean(axis=1)))]
print(f"lowest log loss on held-out rows: n_h = {best}")

# %%
# If the error bars of two sizes overlap, there are too few rows to distinguish them. Choose the
# smaller size. A penalty reduces the overfitting of additional units. Here it is weak and the same
# for all sizes; ``TwoLayerSigmoidClassifierCV`` chooses it, as in
# :ref:`sphx_glr_gallery_plot_cross_validation.py`.

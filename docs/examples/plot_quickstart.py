"""
===========
Quick start
===========

This example first trains the lecture's network, to the letter, on the data of the lecture's course.
It then cross-validates the estimator on real data, once with nothing to tune, and once with a
search over ``learning_rate`` and ``n_h``.
"""

from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")  # figures are saved to files; no display is needed

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer, make_blobs
from sklearn.model_selection import GridSearchCV, cross_validate

from two_layer_sigmoid import TwoLayerSigmoidClassifier, TwoLayerSigmoidClassifierCV
from two_layer_sigmoid.plotting import HiddenUnitsDisplay, LossCurveDisplay

# %%
# The lecture's data
# ------------------
# The data are four blobs with the two classes on the diagonals. No straight line separates the
# classes, so the network needs two hidden units. ``batch_size=None``, ``standardize=False`` and
# ``alpha=0`` are the lecture to the letter: equation (9) with all rows in each step, on X as it is,
# without a penalty. :ref:`sphx_glr_gallery_plot_lecture.py` trains the same network by its six
# functions.
#
# ``verbose=1`` prints the training loss, which the lecture calls the cost.

centers = ([2.5, 3], [6.7, 7.9], [2.1, 7.9], [7.4, 2.8])
X, blob = make_blobs(n_samples=2000, centers=centers, cluster_std=1.1, random_state=0)
y = (blob < 2).astype(int)

clf = TwoLayerSigmoidClassifier(
    n_h=2,
    learning_rate=1.2,
    max_iter=3000,
    batch_size=None,
    standardize=False,
    alpha=0,
    random_state=0,
    verbose=1,
).fit(X, y)

# %%
# On these raw features this rate is at the edge of stability. The loss oscillates, so the last loss
# is not the lowest. ``fit`` keeps the last weights, as the lecture does.

print(f"\nLoss at the end {clf.loss_:.6f}, lowest {min(clf.loss_curve_):.6f} ({clf.stop_reason_})")
for name in "W1", "b1", "W2", "b2":
    print(f"{name} = {np.array2string(getattr(clf, name), precision=4, prefix='W1 = ')}")

# %%
# Predict a point near the middle of each blob. The first two points belong to class 1, the last two
# to class 0.

points = [(2, 2), (8, 8), (2, 8), (8, 2)]
for point, label in zip(points, clf.predict(points), strict=True):
    print(f"prediction for {point}: {label}")

# %%
# The decision boundary
# ---------------------

pictures = Path(__file__).parent if "__file__" in globals() else Path.cwd()


def save(figure, name):
    """Save a figure in the directory of this script, or in the current one for a notebook."""
    path = pictures / f"{name}.png"
    figure.savefig(path, dpi=120)
    here = Path.cwd()
    print(f"saved {path.relative_to(here) if path.is_relative_to(here) else path}")


figure, ax = plt.subplots(figsize=(6, 5), layout="constrained")
units = HiddenUnitsDisplay.from_estimator(clf, X, ax=ax)
figure.colorbar(units.surface_, label="probability of class 1")
for label, marker, colour in [(0, "o", "#542788"), (1, "^", "#B35806")]:
    ax.scatter(
        *X[y == label].T,
        s=20,
        marker=marker,
        c=colour,
        edgecolors="white",
        linewidths=0.4,
        label=f"class {label}",
    )
ax.set(xlabel="$x_1$", ylabel="$x_2$", title="Two hidden units, after 3000 iterations")
ax.legend(loc="upper right")
save(figure, "quickstart_boundary")

# %%
# How to read the figure:
#
# - The background is the predicted probability of class 1.
# - A thick black line is the decision boundary: the probability is 0.5.
# - Each other line belongs to a hidden unit, whose output is 0.5 on the line. The arrow points to
#   the side with the larger output.
# - The box next to the arrow contains the index of the unit and its weight in the output layer.
# - A solid orange line means a positive weight: the unit raises the probability of class 1.
#   A dashed purple line means a negative weight: the unit lowers it. Wider lines have larger
#   weights.
#
# The loss curve
# --------------
# The star marks the lowest loss. Without early stopping the fitted weights are the last ones, at
# the right end of the curve, even if an earlier iteration had a lower loss.

figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
LossCurveDisplay.from_estimator(clf, ax=ax)
ax.axhline(np.log(2), color="0.5", linestyle="--", label="ln 2, loss of a constant prediction")
ax.set_title("Training loss: it oscillates at this rate")
ax.set_ylim(0, 1.25 * max(clf.loss_curve_))  # room for the legend above the spikes
ax.legend(loc="upper right")
save(figure, "quickstart_cost")

# %%
# Real data, nothing to tune
# --------------------------
# The features have very different scales. By default the estimator trains on standardised features,
# so no scaler is needed. ``TwoLayerSigmoidClassifierCV`` trains by L-BFGS, which needs no learning
# rate, and chooses the penalty on held-out rows.

X, y = load_breast_cancer(return_X_y=True)
clf = TwoLayerSigmoidClassifierCV(random_state=0)
scores = cross_validate(clf, X, y, cv=5, scoring=["accuracy", "neg_log_loss"])
print("\nBreast cancer, 5-fold cross-validation with nothing to tune")
for name, values in {
    "accuracy": scores["test_accuracy"],
    "log loss": -scores["test_neg_log_loss"],
}.items():
    print(f"{name} {values.mean():.4f}, standard deviation over the folds {values.std():.4f}")

# %%
# Real data, with a search
# ------------------------
# The default solver is the lecture's gradient descent. The search chooses its rate and the number
# of hidden units. At a low rate training has not converged at the last iteration, which has the
# effect of early stopping.

grid = {"learning_rate": [0.1, 0.3, 1.2], "n_h": [8, 32, 64]}
search = GridSearchCV(
    TwoLayerSigmoidClassifier(random_state=0), grid, cv=5, scoring="neg_log_loss", n_jobs=2
).fit(X, y)
results = search.cv_results_
print("learning_rate  n_h  log loss     std")
for params, mean, std in zip(
    results["params"], results["mean_test_score"], results["std_test_score"], strict=True
):
    rate, n_h = params["learning_rate"], params["n_h"]
    print(f"{rate:13}{n_h:5}{-mean:10.4f}{std:8.4f}")
print(f"best: {search.best_params_}, with a log loss of {-search.best_score_:.4f}")

"""
===========
Quick start
===========

The lecture's network on the data of the lecture's course, then the same estimator in a pipeline
on real data: cross-validated, and searched over ``learning_rate`` and ``n_h``.
"""

from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")  # pictures go to files, so no screen is needed

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer, make_blobs
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from two_layer_sigmoid import TwoLayerSigmoidClassifier
from two_layer_sigmoid.plotting import HiddenUnitsDisplay, LossCurveDisplay

# %%
# The lecture's data
# ------------------
# Four blobs with the classes on the diagonals: no straight line parts them, so it takes two hidden
# units. The features are raw, as in the course.

centers = ([2.5, 3], [6.7, 7.9], [2.1, 7.9], [7.4, 2.8])
X, blob = make_blobs(n_samples=2000, centers=centers, cluster_std=1.1, random_state=0)
y = (blob < 2).astype(int)

clf = TwoLayerSigmoidClassifier(
    n_h=2, learning_rate=1.2, max_iter=3000, random_state=0, verbose=1
).fit(X, y)

# %%
# At this rate the cost oscillates at the edge of stability, so the last cost is not the lowest.

print(f"\nCost at the end {clf.loss_:.6f}, lowest {min(clf.loss_curve_):.6f} ({clf.stop_reason_})")
for name in "W1", "b1", "W2", "b2":
    print(f"{name} = {np.array2string(getattr(clf, name), precision=4, prefix='W1 = ')}")

# %%
# A point near the middle of each blob: the first two should be class 1, the others class 0.

points = [(2, 2), (8, 8), (2, 8), (8, 2)]
for point, label in zip(points, clf.predict(points), strict=True):
    print(f"prediction for {point}: {label}")

# %%
# The decision boundary and the cost curve
# ----------------------------------------
# Each hidden unit draws a line; its arrow says on which side it rises to 1, and the number what the
# output makes of that.

pictures = Path(__file__).parent if "__file__" in globals() else Path.cwd()


def save(figure, name):
    """Save a figure beside this script, or where the notebook runs."""
    path = pictures / f"{name}.png"
    figure.savefig(path, dpi=120)
    print(f"saved {path.name}")


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

figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
LossCurveDisplay.from_estimator(clf, ax=ax)
ax.axhline(np.log(2), color="0.5", linestyle="--", label="ln 2, the cost of knowing nothing")
ax.set_title("The cost in training: at this rate it oscillates")
ax.set_ylim(0, 1.25 * max(clf.loss_curve_))  # room for the legend above the spikes
ax.legend(loc="upper right")
save(figure, "quickstart_cost")

# %%
# Real data, in a pipeline
# ------------------------
# Gradient descent wants features of about unit scale: ``StandardScaler`` first.

X, y = load_breast_cancer(return_X_y=True)
pipeline = Pipeline(
    [("scale", StandardScaler()), ("clf", TwoLayerSigmoidClassifier(random_state=0))]
)
scores = cross_val_score(pipeline, X, y, cv=5)
print(f"\nBreast cancer, 5-fold accuracy {scores.mean():.3f} +- {scores.std():.3f}")

# %%
# Which rate, and how many hidden units? After 3000 iterations without a penalty the higher rates
# have overfitted these few rows: a low rate is training that stops early. A penalty, ``alpha``,
# does the same at any rate.

grid = {"clf__learning_rate": [0.1, 0.4, 1.2], "clf__n_h": [2, 8, 32]}
search = GridSearchCV(pipeline, grid, cv=5, scoring="neg_log_loss", n_jobs=2).fit(X, y)
results = search.cv_results_
print("learning_rate  n_h  log loss     std")
for params, mean, std in zip(
    results["params"], results["mean_test_score"], results["std_test_score"], strict=True
):
    rate, n_h = params["clf__learning_rate"], params["clf__n_h"]
    print(f"{rate:13}{n_h:5}{-mean:10.4f}{std:8.4f}")
print(f"best: {search.best_params_}, with a log loss of {-search.best_score_:.4f}")

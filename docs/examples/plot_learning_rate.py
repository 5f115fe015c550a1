"""
==============================
Choosing learning_rate and n_h
==============================

What the cost curve says about a learning rate, why the lecture's rate of 1.2 oscillates on raw
data, and how to choose the rate and the number of hidden units by ``GridSearchCV``.
"""

import warnings
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")  # pictures go to files, so no screen is needed

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_blobs, make_moons
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from two_layer_sigmoid import TwoLayerSigmoidClassifier
from two_layer_sigmoid.plotting import LossCurveDisplay

pictures = Path(__file__).parent if "__file__" in globals() else Path.cwd()


def save(figure, name):
    """Save a figure beside this script, or where the notebook runs."""
    path = pictures / f"{name}.png"
    figure.savefig(path, dpi=120)
    print(f"saved {path.name}")


# %%
# What the curve says
# -------------------
# Entry i of ``loss_curve_`` is the cost before update i. Too small a rate: the curve still falls
# where it ends, or has not left the plateau at ln 2 = 0.693, of which a warning tells. Too large a
# rate: the curve rises again and again, the last cost may be well above the lowest, or training
# diverges, of which a warning tells too. Two numbers say it without a picture: the share of
# updates that raised the cost, and the last cost over the lowest.

centers = ([2.5, 3], [6.7, 7.9], [2.1, 7.9], [7.4, 2.8])
X_raw, blob = make_blobs(n_samples=2000, centers=centers, cluster_std=1.1, random_state=0)
y_blobs = (blob < 2).astype(int)
X_scaled = StandardScaler().fit_transform(X_raw)

figure, axes = plt.subplots(1, 2, figsize=(11, 4.5), sharey=True, layout="constrained")
print("features   rate   raised  last / lowest  last cost  warning")
for ax, (features, X) in zip(axes, {"raw": X_raw, "scaled": X_scaled}.items(), strict=True):
    for rate in 0.1, 0.4, 1.2, 4.8:
        clf = TwoLayerSigmoidClassifier(n_h=2, learning_rate=rate, random_state=0)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            clf.fit(X, y_blobs)
        curve = np.array(clf.loss_curve_)
        raised, above = np.mean(np.diff(curve) > 0), clf.loss_ / curve.min()
        warning = str(caught[0].message).split(":")[0] if caught else ""
        print(f"{features:9}{rate:6}{raised:9.1%}{above:15.2f}{clf.loss_:11.4f}  {warning}")
        LossCurveDisplay.from_estimator(clf, name=f"rate {rate}", ax=ax)
    ax.set_title(f"Features {features}")
save(figure, "learning_rate_curves")

# %%
# On the raw features, whose values go up to ten, the lecture's rate of 1.2 is at the edge of
# stability: a good part of the updates raise the cost, and yet it falls on the whole. That is not
# divergence, and the network predicts well; but the weights kept are the last ones, and may lie on
# a spike. Above that rate the first jumps saturate the units, and the cost stays high; below it the
# curve is quiet. On scaled features even four times the rate is quiet, and what a small rate lacks
# is only iterations.
#
# Choosing by cross-validation
# ----------------------------
# Scale, choose by log loss (accuracy hardly tells good probabilities from bad), and let the rates
# go up by factors. Where the best candidate is at the edge of the grid, widen it. Early stopping
# would let a high rate end before it overfits; here a small penalty does that.

X, y = make_moons(500, noise=0.25, random_state=0)
pipeline = Pipeline(
    [("scale", StandardScaler()), ("clf", TwoLayerSigmoidClassifier(alpha=1e-4, random_state=0))]
)
rates, sizes = [0.3, 1.2, 4.8, 19.2], [2, 4, 8, 16]
search = GridSearchCV(
    pipeline,
    {"clf__learning_rate": rates, "clf__n_h": sizes},
    scoring="neg_log_loss",
    cv=StratifiedKFold(5, shuffle=True, random_state=0),
    n_jobs=2,
).fit(X, y)
losses = -search.cv_results_["mean_test_score"].reshape(len(rates), len(sizes))
print("\nlog loss   " + "".join(f"n_h={size:<6}" for size in sizes))
for rate, row in zip(rates, losses, strict=True):
    print(f"rate {rate:<6}" + "".join(f"{loss:<10.4f}" for loss in row))
print(f"best: {search.best_params_}, log loss {-search.best_score_:.4f}")

# %%
# Look at the curve of the chosen network too.

chosen = search.best_estimator_[-1]
curve = np.array(chosen.loss_curve_)
print(f"{chosen.stop_reason_}; {np.mean(np.diff(curve) > 0):.1%} of its updates raised the cost")

figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
image = ax.imshow(losses, cmap="cividis_r")
ax.set_xticks(range(len(sizes)), sizes)
ax.set_yticks(range(len(rates)), rates)
ax.set(xlabel="n_h", ylabel="learning_rate", title="Log loss, 5-fold (brighter is better)")
for i, j in np.ndindex(losses.shape):
    shade = "black" if losses[i, j] < losses.mean() else "white"
    ax.text(j, i, f"{losses[i, j]:.3f}", ha="center", va="center", color=shade)
figure.colorbar(image)
save(figure, "learning_rate_search")

# %%
# A network without a rate to choose
# ----------------------------------
# L-BFGS chooses its own steps; ten starts race for the best minimum. Only ``n_h`` and ``alpha``
# remain.

lbfgs = Pipeline(
    [
        ("scale", StandardScaler()),
        ("clf", TwoLayerSigmoidClassifier(solver="lbfgs", n_init=10, random_state=0)),
    ]
)
search = GridSearchCV(
    lbfgs,
    {"clf__n_h": [2, 4, 8], "clf__alpha": [1e-4, 1e-3]},
    scoring="neg_log_loss",
    cv=StratifiedKFold(5, shuffle=True, random_state=0),
    n_jobs=2,
).fit(X, y)
print(f"L-BFGS, best: {search.best_params_}, log loss {-search.best_score_:.4f}")

"""
==============================
Choosing learning_rate and n_h
==============================

This example shows how to recognise a bad learning rate from the loss curve, and why the lecture's
rate of 1.2 oscillates on raw data. It then chooses the rate and the number of hidden units with
``GridSearchCV``.
"""

import warnings
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")  # figures are saved to files; no display is needed

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_blobs, make_moons
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score

from two_layer_sigmoid import TwoLayerSigmoidClassifier
from two_layer_sigmoid.plotting import LossCurveDisplay

pictures = Path(__file__).parent if "__file__" in globals() else Path.cwd()


def save(figure, name):
    """Save a figure in the directory of this script, or in the current one for a notebook."""
    path = pictures / f"{name}.png"
    figure.savefig(path, dpi=120)
    here = Path.cwd()
    print(f"saved {path.relative_to(here) if path.is_relative_to(here) else path}")


# %%
# Read the loss curve
# -------------------
# Entry i of ``loss_curve_`` is the training loss before update i.
#
# - If the rate is too small, the curve still falls at its end, or it has not left the plateau at
#   ln 2 = 0.693. In the second case ``fit`` warns.
# - If the rate is too large, the loss rises again and again, the last loss can be well above the
#   lowest, or training diverges. In the last two cases ``fit`` warns.
#
# Two numbers show this without a plot: the share of updates that raised the loss, and the ratio of
# the last loss to the lowest.

centers = ([2.5, 3], [6.7, 7.9], [2.1, 7.9], [7.4, 2.8])
X, blob = make_blobs(n_samples=2000, centers=centers, cluster_std=1.1, random_state=0)
y = (blob < 2).astype(int)

figure, axes = plt.subplots(1, 2, figsize=(11, 4.5), sharey=True, layout="constrained")
print("features       rate   raised  last / lowest  last loss  warning")
for ax, standardize in zip(axes, [False, True], strict=True):
    features = "standardised" if standardize else "raw"
    for rate in 0.1, 0.4, 1.2, 4.8:
        clf = TwoLayerSigmoidClassifier(
            2, rate, max_iter=3000, standardize=standardize, alpha=0, random_state=0
        )
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            clf.fit(X, y)
        curve = np.array(clf.loss_curve_)
        raised, above = np.mean(np.diff(curve) > 0), clf.loss_ / curve.min()
        warning = str(caught[0].message).split(":")[0] if caught else ""
        print(f"{features:13}{rate:6}{raised:9.1%}{above:15.2f}{clf.loss_:11.4f}  {warning}")
        LossCurveDisplay.from_estimator(clf, name=f"rate {rate}", ax=ax)
    ax.set_title(f"{features.capitalize()} features")
save(figure, "learning_rate_curves")

# %%
# The raw features have values up to ten. On them the lecture's rate of 1.2 is at the edge of
# stability: many updates raise the loss, although it falls overall. This is not divergence, and the
# network predicts well. But ``fit`` keeps the last weights, which can lie on a spike of the curve.
# At the rate 4.8 the first updates saturate the hidden units, and the loss stays high. At rates
# below 1.2 the curve does not oscillate.
#
# On standardised features, the default, even the rate 4.8 does not oscillate. The small rates only
# need more iterations.
#
# Choose by cross-validation
# --------------------------
# Space the rates by a constant factor. Compare the candidates by log loss, because accuracy hardly
# distinguishes good probabilities from bad ones. If the best candidate is at the edge of the grid,
# extend the grid. Early stopping would end training at a high rate before it overfits. This example
# uses a small penalty instead.

X, y = make_moons(500, noise=0.25, random_state=0)
rates, sizes = [0.3, 1.2, 4.8, 19.2], [2, 4, 8, 16]
search = GridSearchCV(
    TwoLayerSigmoidClassifier(max_iter=3000, alpha=1e-4, random_state=0),
    {"learning_rate": rates, "n_h": sizes},
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
# Check the loss curve of the chosen network too.

chosen = search.best_estimator_
curve = np.array(chosen.loss_curve_)
print(f"{chosen.stop_reason_}; {np.mean(np.diff(curve) > 0):.1%} of its updates raised the loss")

figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
image = ax.imshow(losses, cmap="cividis_r")
ax.set_xticks(range(len(sizes)), sizes)
ax.set_yticks(range(len(rates)), rates)
ax.set(xlabel="n_h", ylabel="learning_rate", title="Cross-validated log loss (brighter is better)")
for i, j in np.ndindex(losses.shape):
    shade = "black" if losses[i, j] < losses.mean() else "white"
    ax.text(j, i, f"{losses[i, j]:.3f}", ha="center", va="center", color=shade)
figure.colorbar(image)
save(figure, "learning_rate_search")

# %%
# L-BFGS: no learning rate to choose
# ----------------------------------
# L-BFGS chooses its own step sizes. Only the penalty and ``n_h`` remain to be chosen. Here the
# penalty is that of the search, and ``n_h`` the value that it has found.

clf = TwoLayerSigmoidClassifier(chosen.n_h, solver="lbfgs", alpha=1e-4, random_state=0)
folds = StratifiedKFold(5, shuffle=True, random_state=0)
losses = -cross_val_score(clf, X, y, scoring="neg_log_loss", cv=folds)
print(f"L-BFGS, n_h={chosen.n_h}: log loss {losses.mean():.4f}")

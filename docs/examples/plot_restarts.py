"""
=======================
Local minima and n_init
=======================

With few hidden units the loss has poor minima, and which one a training ends in depends on its
first, random weights. ``n_init`` lets several starts race and keeps the best.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_blobs
from sklearn.preprocessing import StandardScaler

from two_layer_sigmoid import TwoLayerSigmoidClassifier
from two_layer_sigmoid.plotting import HiddenUnitsDisplay

centers = ([2.5, 3], [6.7, 7.9], [2.1, 7.9], [7.4, 2.8])
X, blob = make_blobs(n_samples=2000, centers=centers, cluster_std=1.1, random_state=0)
X = StandardScaler().fit_transform(X)
y = (blob < 2).astype(int)


def fit(seed, n_init):
    """Two units, from spread lines, by L-BFGS."""
    clf = TwoLayerSigmoidClassifier(
        n_h=2, solver="lbfgs", init="spread", n_init=n_init, alpha=1e-5, random_state=seed
    )
    return clf.fit(X, y)


# %%
# Twenty seeds
# ------------
# One start each, and ten starts each.

singles, races = ([fit(seed, n_init) for seed in range(20)] for n_init in (1, 10))
losses = {
    "n_init=1": [clf.loss_ for clf in singles],
    "n_init=10": [clf.loss_ for clf in races],
}
lowest = min(map(min, losses.values()))
figure, ax = plt.subplots(layout="constrained")
styles = [("#D55E00", "o"), ("#0072B2", "s")]
for (name, values), (colour, marker) in zip(losses.items(), styles, strict=True):
    ax.plot(np.sort(values), marker, color=colour, label=name)
    good = np.sum(np.array(values) < 1.01 * lowest)
    print(f"{name}: {good} of 20 within 1 % of the best")
ax.set(xlabel="seed, sorted by loss", ylabel="training loss in nats", title="Where 20 seeds end")
ax.legend()
plt.show()

# %%
# A good end and a poor one
# -------------------------
# Left, two lines share the work. Right, only one is drawn: the other unit has become a constant, so
# that its gradient is all but zero, and nothing small brings it back.

order = np.argsort([clf.loss_ for clf in singles])
figure, axes = plt.subplots(1, 2, figsize=(10, 4.5), sharey=True, layout="constrained")
for ax, i, what in zip(axes, order[[0, -1]], ["lowest", "highest"], strict=True):
    HiddenUnitsDisplay.from_estimator(singles[i], X, ax=ax)
    for label, marker, colour in [(0, "o", "#542788"), (1, "^", "#B35806")]:
        style = {"marker": marker, "c": colour, "edgecolors": "white", "linewidths": 0.3}
        ax.scatter(*X[y == label].T, s=10, **style)
    ax.set_title(f"{what} of single starts: {singles[i].loss_:.3f}")
plt.show()

# %%
# What a race tells
# -----------------
# ``init_losses_`` holds the loss of each start where it was left behind or ended. Where they differ
# much, more starts may still find better.

print(np.array2string(np.sort(races[0].init_losses_), precision=3))

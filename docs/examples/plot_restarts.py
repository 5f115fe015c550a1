"""
=======================
Local minima and n_init
=======================

With few hidden units the loss has poor local minima. The random initial weights determine which
minimum training reaches. ``n_init`` trains from several initialisations by successive halving and
keeps the best.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_blobs

from two_layer_sigmoid import TwoLayerSigmoidClassifier
from two_layer_sigmoid.plotting import HiddenUnitsDisplay

centers = ([2.5, 3], [6.7, 7.9], [2.1, 7.9], [7.4, 2.8])
X, blob = make_blobs(n_samples=2000, centers=centers, cluster_std=1.1, random_state=0)
y = (blob < 2).astype(int)


def fit(seed, n_init):
    """Train two hidden units by L-BFGS from ``init="spread"``."""
    clf = TwoLayerSigmoidClassifier(
        n_h=2, solver="lbfgs", init="spread", n_init=n_init, alpha=1e-5, random_state=seed
    )
    return clf.fit(X, y)


# %%
# Twenty seeds
# ------------
# Each seed trains a network with one initialisation and a network with ten.

singles, multiples = ([fit(seed, n_init) for seed in range(20)] for n_init in (1, 10))
losses = {
    "n_init=1": [clf.loss_ for clf in singles],
    "n_init=10": [clf.loss_ for clf in multiples],
}
lowest = min(map(min, losses.values()))
figure, ax = plt.subplots(layout="constrained")
styles = [("#D55E00", "o"), ("#0072B2", "s")]
for (name, values), (colour, marker) in zip(losses.items(), styles, strict=True):
    ax.plot(np.sort(values), marker, color=colour, label=name)
    good = np.sum(np.array(values) < 1.01 * lowest)
    print(f"{name}: {good} of 20 within 1 % of the lowest loss")
ax.set(xlabel="seed, sorted by loss", ylabel="training loss in nats", title="Loss of 20 seeds")
ax.legend()
plt.show()

# %%
# A good and a poor local minimum
# -------------------------------
# On the left both hidden units contribute to the decision boundary. On the right only one line is
# visible. The output of the other unit is almost constant on the data. Its gradient is almost zero,
# so further training does not change it.

order = np.argsort([clf.loss_ for clf in singles])
figure, axes = plt.subplots(1, 2, figsize=(10, 4.5), sharey=True, layout="constrained")
for ax, i, rank in zip(axes, order[[0, -1]], ["lowest", "highest"], strict=True):
    HiddenUnitsDisplay.from_estimator(singles[i], X, ax=ax)
    for label, marker, colour in [(0, "o", "#542788"), (1, "^", "#B35806")]:
        style = {"marker": marker, "c": colour, "edgecolors": "white", "linewidths": 0.3}
        ax.scatter(*X[y == label].T, s=10, **style)
    ax.set_title(f"{rank} loss with n_init=1: {singles[i].loss_:.3f}")
plt.show()

"""
==========================
Training on a Dask cluster
==========================

``DaskTwoLayerSigmoidClassifier`` trains on the partitions of a dask array without moving them. The
workers receive the parameters and return losses and gradients. The client adds these in the order
of the rows, so the result does not depend on the number of workers.

The cluster of this example is two local processes. They import this script, so it needs the
``if __name__ == "__main__"`` guard at its end.
"""

import dask.array as da
import matplotlib.pyplot as plt
import numpy as np
from distributed import Client, LocalCluster
from sklearn.datasets import make_moons
from sklearn.inspection import DecisionBoundaryDisplay

from two_layer_sigmoid import TwoLayerSigmoidClassifier
from two_layer_sigmoid.distributed import DaskTwoLayerSigmoidClassifier

PARAMS = {"max_iter": 100, "batch_size": None, "random_state": 0}


def fit_on_cluster(X, y, n_chunks):
    """Train on X and y in chunks of rows."""
    rows = len(X) // n_chunks
    X, y = da.from_array(X, chunks=(rows, -1)), da.from_array(y, chunks=rows)
    return DaskTwoLayerSigmoidClassifier(**PARAMS).fit(X, y)


def largest_difference(one, other):
    """Return the largest difference between the weights of two fits."""
    names = "W1_", "b1_", "W2_", "b2_"
    return max(np.abs(getattr(one, name) - getattr(other, name)).max() for name in names)


def plot_results(clf, local, fits, X, y):
    """Plot the probabilities, and the differences of the losses from those in memory."""
    _, axes = plt.subplots(1, 2, figsize=(10, 4.5), layout="constrained")
    surface = {"cmap": "PuOr_r", "levels": np.linspace(0, 1, 11), "alpha": 0.5}
    display = DecisionBoundaryDisplay.from_estimator(
        clf, X, response_method="predict_proba", ax=axes[0], **surface
    )
    display.figure_.colorbar(display.surface_, ax=axes[0], label="probability of class 1")
    X, y = X[:300], y[:300]
    for label, marker, colour in [(0, "o", "#542788"), (1, "^", "#B35806")]:
        style = {"marker": marker, "c": colour, "edgecolors": "white", "linewidths": 0.5}
        axes[0].scatter(*X[y == label].T, label=f"class {label}", **style)
    axes[0].set(title="Trained by two workers", xlabel="first feature", ylabel="second feature")
    axes[0].legend(loc="upper right")
    for (n_chunks, fit), style in zip(fits.items(), ("o", "s"), strict=True):
        difference = np.abs(np.subtract(fit.loss_curve_, local.loss_curve_))
        axes[1].plot(difference, style, ms=3, label=f"{n_chunks} chunks")
    axes[1].set(
        xlabel="iteration",
        ylabel="absolute difference of the loss in nats",
        title="Compared with the fit in memory",
    )
    axes[1].legend()
    plt.show()


def main():
    """Train in memory, and on the cluster with several chunk lengths."""
    X, y = make_moons(60_000, noise=0.2, random_state=0)
    local = TwoLayerSigmoidClassifier(**PARAMS).fit(X, y)
    cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0")
    with cluster, Client(cluster):
        fits = {n_chunks: fit_on_cluster(X, y, n_chunks) for n_chunks in (3, 12)}
    print("largest difference from the weights of the fit in memory:")
    for n_chunks, clf in fits.items():
        print(f"  {n_chunks} chunks:", largest_difference(clf, local))
    plot_results(fits[12].to_local(), local, fits, X, y)


# %%
# ``fit`` adds up the gradients of the chunks in their order, a fit in memory those of its own
# blocks of rows. So the weights differ by rounding. The same chunks give the same weights bit for
# bit, on any number of workers.
#
# The fitted attributes are NumPy arrays. ``to_local`` returns a ``TwoLayerSigmoidClassifier`` with
# the same weights.

if __name__ == "__main__":
    main()

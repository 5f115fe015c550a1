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

PARAMS = {"max_iter": 100, "random_state": 0}


def fit_on_cluster(X, y, row_chunks):
    """Train on X and y in chunks of ``row_chunks`` rows."""
    X, y = da.from_array(X, chunks=(row_chunks, -1)), da.from_array(y, chunks=row_chunks)
    return DaskTwoLayerSigmoidClassifier(**PARAMS).fit(X, y)


def largest_difference(one, other):
    """Return the largest difference between the weights of two fits."""
    names = "W1_", "b1_", "W2_", "b2_"
    return max(np.abs(getattr(one, name) - getattr(other, name)).max() for name in names)


def plot_results(clf, local, others, X, y):
    """Plot the probabilities, and the loss differences of other chunks from the fit in memory."""
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
    for (n_chunks, other), style in zip(others.items(), ("o", "s"), strict=True):
        difference = np.abs(np.subtract(other.loss_curve_, local.loss_curve_))
        axes[1].plot(difference, style, ms=3, label=f"{n_chunks} chunks")
    axes[1].set(
        xlabel="iteration",
        ylabel="absolute difference of the loss in nats",
        title="Chunks that cut shards, compared with the fit in memory",
    )
    axes[1].legend()
    plt.show()


def main():
    """Train in memory, and on the cluster with several chunk lengths."""
    X, y = make_moons(60_000, noise=0.2, random_state=0)
    local = TwoLayerSigmoidClassifier(**PARAMS).fit(X, y)
    cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0")
    with cluster, Client(cluster):
        row_chunks = DaskTwoLayerSigmoidClassifier(**PARAMS).row_chunks(X)
        clf = fit_on_cluster(X, y, row_chunks)
        others = {n: fit_on_cluster(X, y, len(X) // n) for n in (3, 12)}
    print(
        f"row_chunks: {len(row_chunks)} chunks of {row_chunks[0]} rows, "
        f"the last of {row_chunks[-1]}"
    )
    print("largest difference from the weights of the fit in memory:")
    print(f"  {len(row_chunks)} chunks of row_chunks:", largest_difference(clf, local))
    for n, other in others.items():
        print(f"  {n} chunks that cut shards:", largest_difference(other, local))
    plot_results(clf.to_local(), local, others, X, y)


# %%
# ``fit`` adds up the gradients of shards, which are groups of consecutive rows. ``row_chunks``
# returns chunk lengths that cut no shard of the fit in memory. With these chunks the weights equal
# those of the fit in memory bit for bit. With other chunks they differ by rounding.
#
# The fitted attributes are NumPy arrays. ``to_local`` returns a ``TwoLayerSigmoidClassifier`` with
# the same weights.

if __name__ == "__main__":
    main()

"""
====================================
A cluster, and the same bits as here
====================================

``DaskTwoLayerSigmoidClassifier`` trains on the partitions of a dask array where they are: the
parameters go out to the workers, and costs and gradients come back. They are added in the order of
the rows, so nobody can tell from the result how many workers there were.

Two processes of this machine are the cluster. They import this file, hence its last two lines.
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
    """Train on X and y in chunks of so many rows."""
    X, y = da.from_array(X, chunks=(row_chunks, -1)), da.from_array(y, chunks=row_chunks)
    return DaskTwoLayerSigmoidClassifier(**PARAMS).fit(X, y)


def largest_difference(one, other):
    """The largest between the weights of two fits."""
    names = "W1_", "b1_", "W2_", "b2_"
    return max(np.abs(getattr(one, name) - getattr(other, name)).max() for name in names)


def draw(clf, local, others, X, y):
    """The boundary, and how far other chunks are from the fit in memory, iteration by iteration."""
    _, axes = plt.subplots(1, 2, figsize=(10, 4.5), layout="constrained")
    DecisionBoundaryDisplay.from_estimator(
        clf, X, response_method="predict_proba", cmap="RdBu_r", alpha=0.6, ax=axes[0]
    )
    axes[0].scatter(*X[:500].T, c=y[:500], cmap="RdBu_r", edgecolor="k", linewidth=0.4, s=16)
    axes[0].set(title="Trained by two workers", xlabel="first feature", ylabel="second feature")
    for (n_chunks, other), style in zip(others.items(), ("o", "s"), strict=True):
        difference = np.abs(np.subtract(other.loss_curve_, local.loss_curve_))
        axes[1].plot(difference, style, ms=3, label=f"{n_chunks} chunks")
    axes[1].set(
        xlabel="iteration",
        ylabel="difference of the loss in nats",
        title="Other chunks, other digits",
    )
    axes[1].legend()
    plt.show()


def main():
    """Train in memory, in the chunks of its shards, and in other chunks."""
    X, y = make_moons(60_000, noise=0.2, random_state=0)
    local = TwoLayerSigmoidClassifier(**PARAMS).fit(X, y)
    cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0")
    with cluster, Client(cluster):
        row_chunks = DaskTwoLayerSigmoidClassifier(**PARAMS).row_chunks(X)
        clf = fit_on_cluster(X, y, row_chunks)
        others = {n: fit_on_cluster(X, y, len(X) // n) for n in (3, 12)}
    print(f"{len(row_chunks)} chunks of {row_chunks[0]} rows, the last of {row_chunks[-1]}")
    print(
        "largest difference from the weights of the fit in memory:", largest_difference(clf, local)
    )
    for n, other in others.items():
        print(f"in {n} chunks, that cut its shards:", largest_difference(other, local))
    draw(clf.to_local(), local, others, X, y)


# %%
# Chunks that cut no shard of the fit in memory give its bits, and others the same but for rounding.
# What is fitted is NumPy arrays; ``to_local`` makes an ordinary classifier of them.

if __name__ == "__main__":
    main()

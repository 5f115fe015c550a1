"""Training on a Dask cluster of processes, as it runs and when a part of it is lost."""

import importlib
import os
import signal
import threading
import time
import warnings

import joblib
import numpy as np
import pytest

pytest.importorskip("dask.array")
pytest.importorskip("dask.dataframe")
pytest.importorskip("distributed")
import dask
import dask.array as da
import dask.dataframe as dd
import distributed
import pandas as pd
from numpy.testing import assert_array_equal
from sklearn.model_selection import GridSearchCV

from tests.helpers import assert_allclose_weights, assert_same_weights
from two_layer_sigmoid import TwoLayerSigmoidClassifier
from two_layer_sigmoid.distributed import DaskTwoLayerSigmoidClassifier

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
M, N_X, CHUNK = 40_000, 20, 5000  # rows, features, and rows in a chunk
QUICK = {"max_iter": 60, "batch_size": None, "random_state": 0, "n_h": 8}


class Watched(DaskTwoLayerSigmoidClassifier):
    """Calls ``at_update``, if it is set, before each update."""

    def _update(self, params, grads, learning_rate):
        self.at_update()
        return super()._update(params, grads, learning_rate)


@pytest.fixture(scope="module")
def cluster():
    with distributed.LocalCluster(
        n_workers=3, threads_per_worker=1, dashboard_address=":0"
    ) as cluster:
        yield cluster


@pytest.fixture
def client(cluster):
    with distributed.Client(cluster) as client:
        client.wait_for_workers(3, timeout=60)
        client.run(importlib.import_module, "two_layer_sigmoid.distributed")  # all ready to begin
        yield client


@pytest.fixture(scope="module")
def data():
    X = np.random.RandomState(0).standard_normal((M, N_X))
    return X, (X[:, 0] > X[:, 1]).astype(int)


@pytest.fixture(scope="module")
def local(data):
    """The fit by threads of this process."""
    X, y = data
    with dask.config.set(scheduler="threads"):
        return DaskTwoLayerSigmoidClassifier(**QUICK).fit(da.from_array(X, (CHUNK, -1)), y)


@pytest.fixture
def spread_out(client, data):
    """The data in eight chunks, shared out to the workers."""
    X, y = data
    X = da.from_array(X, chunks=(CHUNK, -1))
    X, y = dask.persist(X, da.from_array(y, chunks=X.chunks[0]))
    distributed.wait([X, y])
    return X, y


def n_kept(client):
    """How much the scheduler and the workers remember, when they had time to forget."""
    deadline = time.monotonic() + 10
    while True:
        n_tasks = len(client.cluster.scheduler.tasks)
        n_data = sum(client.run(lambda dask_worker: len(dask_worker.data)).values())
        if n_tasks + n_data == 0 or time.monotonic() > deadline:
            return n_tasks, n_data
        time.sleep(0.05)


def test_processes_equal_the_fit_in_memory(client, spread_out, data, local):
    X, y = spread_out
    in_memory = TwoLayerSigmoidClassifier(**QUICK).fit(*data)
    assert_allclose_weights(local, in_memory, 1e-6)
    assert_same_weights(DaskTwoLayerSigmoidClassifier(**QUICK).fit(X, y, client=client), local)
    assert len(set(client.who_has(X).values())) > 1


def test_one_worker_with_two_threads_is_equal(data, local):
    X, y = data
    one = distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=":0"
    )
    with one, distributed.Client(one):
        clf = DaskTwoLayerSigmoidClassifier(**QUICK)
        clf.fit(da.from_array(X, chunks=(CHUNK, -1)), y)
    assert_same_weights(clf, local)


def test_client_argument_selects_the_cluster(cluster, data, local):
    X, y = data
    with distributed.Client(cluster, set_as_default=False) as client:
        seen = []
        clf = Watched(**QUICK)
        clf.at_update = lambda: seen.append(len(client.has_what()) and in_memory(cluster))
        clf.fit(da.from_array(X, chunks=(CHUNK, -1)), y, client=client)
        assert min(seen) >= 8  # all chunks stay on the workers
    assert_same_weights(clf, local)


def in_memory(cluster):
    """Number of results that the workers keep."""
    return sum(task.state == "memory" for task in cluster.scheduler.tasks.values())


def test_new_default_client_does_not_change_the_cluster(cluster, data, local):
    X, y = data
    clf = Watched(**QUICK)
    one_thread = {"n_workers": 1, "threads_per_worker": 1, "processes": False}
    with distributed.LocalCluster(**one_thread, dashboard_address=":0") as other:
        clients = [distributed.Client(cluster)]  # without "with", which would keep it the default

        def connect():
            if len(clients) == 1:
                clients.append(distributed.Client(other))

        clf.at_update = connect
        try:
            clf.fit(da.from_array(X, chunks=(CHUNK, -1)), y)
        finally:
            for client in clients[::-1]:
                client.close()
    assert_same_weights(clf, local)


@pytest.mark.parametrize("delay", [0, 0.01])
def test_killed_worker_does_not_change_results(client, spread_out, local, delay):
    """Between two iterations, or, by another thread, while the workers compute."""
    X, y = spread_out
    pids = client.run(os.getpid)
    clf = Watched(**QUICK)
    updates, killed = [], []

    def kill():
        time.sleep(delay)
        os.kill(killed[0], signal.SIGKILL)

    def kill_one_in_the_middle():
        updates.append(len(updates))
        if len(updates) == 20:
            killed.append(pids[client.who_has(X).popitem()[1][0]])
            killer = threading.Thread(target=kill)
            killer.start()
            if not delay:
                killer.join()

    clf.at_update = kill_one_in_the_middle
    clf.fit(X, y)
    client.wait_for_workers(3, timeout=60)
    assert len(updates) == QUICK["max_iter"]
    assert not set(killed) & set(client.run(os.getpid).values())
    assert_same_weights(clf, local)
    assert clf.loss_curve_ == local.loss_curve_


def test_partitions_are_not_moved(client, spread_out):
    X, y = spread_out
    tasks = client.cluster.scheduler.tasks
    seen = []
    clf = Watched(**QUICK)
    clf.at_update = lambda: seen.append(
        [
            (task.nbytes, len(task.who_has))
            for task in list(tasks.values())
            if str(task.key).startswith("_encode_partition")
        ]
    )
    clf.fit(X, y)
    sizes, holders = np.moveaxis(np.array(seen), -1, 0)
    assert sizes.shape == (QUICK["max_iter"], 8)
    assert (sizes.sum(axis=1) > X.nbytes).all()  # so Dask can estimate the cost of moving them
    assert holders.mean() < 1.5  # a worker with nothing to do may have taken one over


@pytest.mark.filterwarnings("ignore:Running on a single-machine scheduler")
def test_memory_order_of_sent_chunks_is_irrelevant(client, data):
    X, y = data
    turned = da.from_array(X, chunks=(10_000, -1))[::-1]
    there = DaskTwoLayerSigmoidClassifier(**QUICK).fit(turned, y[::-1])
    with dask.config.set(scheduler="threads"):
        here = DaskTwoLayerSigmoidClassifier(**QUICK).fit(turned, y[::-1])
    assert_same_weights(there, here)


def test_cluster_memory_does_not_grow(client):
    X = da.random.RandomState(0).standard_normal((2000, 2), chunks=(1000, 2))
    y = (X[:, 0] > 0).astype(int)
    scheduler = client.cluster.scheduler
    seen = []
    clf = Watched(n_h=2, max_iter=600, tol=0, random_state=0)
    clf.at_update = lambda: seen.append(
        (len(scheduler.tasks), len(scheduler.task_groups), len(scheduler.task_prefixes))
    )
    clf.fit(X, y)
    assert len(seen) == 600
    assert (np.max(seen[300:], axis=0) <= np.max(seen[:100], axis=0)).all()
    del X, y
    assert n_kept(client) == (0, 0)


class Failing(Watched):
    """Fails in the middle of training, on the workers."""

    def _cost(self, cache, Y, **weighting):
        raise ArithmeticError("on purpose")


@pytest.mark.parametrize("what", ["X", "class_weight", "step"])
def test_failed_fit_releases_partitions(client, data, what):
    X, y = data
    clf, error, message = DaskTwoLayerSigmoidClassifier(**QUICK), ValueError, "not in class_weight"
    if what == "X":
        X = X.copy()
        X[25_000, 3] = np.nan
        message = r"^Partition 2 \(rows 20000 to 29999\): .*NaN"
    elif what == "class_weight":
        clf.set_params(class_weight={7: 1})
    else:
        clf, error, message = Failing(**QUICK), ArithmeticError, "on purpose"
    with pytest.raises(error, match=message) as caught:
        clf.fit(da.from_array(X, chunks=(10_000, -1)), y)
    assert n_kept(client) == (0, 0)
    assert caught.value is not None  # and it is still there


def broken(rows):
    raise ArithmeticError("on purpose")


@pytest.mark.parametrize("what", ["partition", "label", "length"])
def test_failed_fit_of_frame_releases_partitions(client, data, what):
    X, y = (A[:20_000] for A in data)
    frame = pd.DataFrame(X).add_prefix("x").assign(y=y)
    lazy = dd.from_pandas(frame, npartitions=4)
    X, y = lazy.drop(columns="y"), lazy["y"]
    error, message = ValueError, r"^Partition 0 .*: y contains missing labels"
    if what == "label":
        y = y.astype("Int64").mask(y == 1)
    elif what == "length":
        y, message = y[y == 1], "y has the shape"
    else:
        X = X.map_partitions(broken, meta=X)
        error, message = ArithmeticError, "on purpose"
    with pytest.raises(error, match=message) as caught:
        DaskTwoLayerSigmoidClassifier(**QUICK).fit(X, y)
    del lazy, X, y
    assert n_kept(client) == (0, 0)
    assert caught.value is not None  # and it is still there


def test_workers_compute_predictions(client, spread_out, data, local):
    X, y = spread_out
    clf = DaskTwoLayerSigmoidClassifier(**QUICK).fit(X, y)
    assert_array_equal(clf.predict(X).compute(), local.predict(data[0]))
    assert clf.score(X, y) == pytest.approx(local.score(*data))


@pytest.mark.parametrize("is_default", [False, True])
def test_shuffled_frames_train_as_in_memory(cluster, data, is_default):
    X, y = data
    frame = pd.DataFrame(X[:5000, :2], columns=["a", "b"]).assign(y=y[:5000], k=range(5000))
    lazy = dd.from_pandas(frame, npartitions=6).shuffle("k")
    local = TwoLayerSigmoidClassifier(**QUICK).fit(frame[["a", "b"]], frame["y"], frame["k"])
    with distributed.Client(cluster, set_as_default=is_default) as client:
        clf = DaskTwoLayerSigmoidClassifier(**QUICK)
        clf.fit(lazy[["a", "b"]], lazy["y"], lazy["k"], client=client)
        assert_allclose_weights(clf, local, rtol=1e-8)
        if is_default:  # score has no client argument
            score = clf.score(lazy[["a", "b"]], lazy["y"], lazy["k"])
            assert score == pytest.approx(local.score(frame[["a", "b"]], frame["y"], frame["k"]))
        assert n_kept(client) == (0, 0)


def test_frames_are_kept_once_during_training(client, data):
    X, y = (A[:20_000] for A in data)
    frame = pd.DataFrame(X).add_prefix("x").assign(y=y)
    lazy = dd.from_pandas(frame, npartitions=4)
    seen = []
    clf = Watched(**QUICK)
    clf.at_update = lambda: seen.append(
        sum(task.nbytes for task in client.cluster.scheduler.tasks.values() if task.who_has)
    )
    clf.fit(lazy.drop(columns="y"), lazy["y"])
    assert X.nbytes < np.median(seen) < 1.5 * X.nbytes


@pytest.mark.skipif(not hasattr(joblib, "parallel_config"), reason="needs joblib 1.3")
def test_grid_search_on_workers_equals_local_search(client, data):
    X, y = data[0][:600], data[1][:600]
    grid = {"learning_rate": [0.3, 1.2], "n_h": [2, 8]}
    search = GridSearchCV(TwoLayerSigmoidClassifier(max_iter=50, random_state=0), grid, cv=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        here = search.fit(X, y).cv_results_
        with joblib.parallel_config("dask"):
            there = search.fit(X, y).cv_results_
    assert here.keys() == there.keys()
    for name in here.keys() - {
        f"{kind}_{what}_time" for kind in ("mean", "std") for what in ("fit", "score")
    }:
        assert_array_equal(here[name], there[name])

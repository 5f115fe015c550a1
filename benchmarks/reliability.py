"""How often training finds a good minimum: ours, MLPClassifier and R's nnet, over seeds and folds.

``python -m benchmarks.reliability`` fits networks with sigmoid units to ten problems with 20 seeds
and computes our loss, without penalty, for the weights of all. Then it cross-validates accuracy and
log loss, with and without regularisation. It writes ``results/reliability.csv`` (a row for each
fit) and ``results/generalisation.csv`` (a row for each fold), prints summaries, and draws
``reliability.png`` and ``expected_time.png`` in ``docs/images``. Two fits run at a time, each on
one thread. nnet needs ``Rscript`` (Debian: r-base-core, r-cran-nnet).
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.metrics import accuracy_score
from sklearn.model_selection import StratifiedKFold
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from benchmarks import problems, tables
from benchmarks.baselines import LECTURE, of_mlp, of_ours
from benchmarks.machine import save
from benchmarks.plot_reliability import draw, draw_expected_time
from two_layer_sigmoid import TwoLayerSigmoidClassifier, _network
from two_layer_sigmoid._network import Parameters

PROBLEMS = {  # data, whether they are standardised, hidden units
    "lecture, raw, 2": (problems.lecture, False, 2),
    "lecture, 2": (problems.lecture, True, 2),
    "lecture, 8": (problems.lecture, True, 8),
    "parity, 4": (problems.parity, False, 4),
    "parity, 8": (problems.parity, False, 8),
    "moons, 8": (problems.moons, True, 8),
    "spirals, 8": (problems.spirals, True, 8),
    "breast cancer, 8": (problems.breast_cancer, True, 8),
    "digits odd, 8": (problems.digits_odd, True, 8),
    "classification, 16": (problems.classification_20000, True, 16),
}
N_SEEDS = 20
MAX_ITER = 3000
CV = StratifiedKFold(5, shuffle=True, random_state=0)


def ours(**params):
    def fit(X, y, n_h, seed):
        began = time.perf_counter()
        settings = LECTURE | {"max_iter": MAX_ITER, "random_state": seed} | params
        clf = TwoLayerSigmoidClassifier(n_h, **settings).fit(X, y)
        seconds = time.perf_counter() - began
        return of_ours(clf), seconds

    return fit


def mlp_classifier(solver):
    def fit(X, y, n_h, seed):
        began = time.perf_counter()
        mlp = MLPClassifier(
            (n_h,),
            activation="logistic",
            solver=solver,
            alpha=0.0,
            max_iter=MAX_ITER,
            tol=0.0 if solver == "lbfgs" else 1e-4,
            random_state=seed,
        ).fit(X, y)
        seconds = time.perf_counter() - began
        return of_mlp(mlp), seconds

    return fit


def nnet(X, y, n_h, seed):
    with tempfile.TemporaryDirectory() as folder:
        data, weights = Path(folder, "data.csv"), Path(folder, "weights.csv")
        np.savetxt(data, np.column_stack([X, y]), delimiter=",", fmt="%.17g")
        script = Path(__file__).with_name("nnet.R")
        numbers = [str(n) for n in (n_h, seed, MAX_ITER)]
        subprocess.run(["Rscript", script, data, *numbers, weights], check=True)
        seconds, *theta = np.loadtxt(weights)
    hidden = np.reshape(theta[: n_h * (X.shape[1] + 1)], (n_h, -1))  # each row: bias, weights
    output = np.reshape(theta[hidden.size :], (1, -1))
    return Parameters(hidden[:, 1:], hidden[:, :1], output[:, 1:], output[:, :1]), seconds


FITS = {
    "ours": ours(),
    "ours, L-BFGS": ours(solver="lbfgs"),
    "ours, L-BFGS, 3 starts": ours(solver="lbfgs", n_init=3),
    "ours, L-BFGS, 10 starts": ours(solver="lbfgs", n_init=10),
    "MLPClassifier, Adam": mlp_classifier("adam"),
    "MLPClassifier, SGD": mlp_classifier("sgd"),
    "MLPClassifier, L-BFGS": mlp_classifier("lbfgs"),
    "nnet": nnet,
}
REGULARISED = {
    "ours, alpha": ours(alpha=1e-3),
    "ours, early stopping": ours(early_stopping=True),
    "ours, L-BFGS, alpha": ours(solver="lbfgs", alpha=1e-3),
    "ours, L-BFGS, early stopping": ours(solver="lbfgs", early_stopping=True),
}


def main() -> None:
    seeds = measure("reliability", loss, FITS, range(N_SEEDS), PROBLEMS)
    print(tables.expected_time())
    print(tables.reliability())
    larger = [problem for problem in PROBLEMS if "parity" not in problem]  # 16 rows have no folds
    measure("generalisation", held_out, FITS | REGULARISED, range(CV.n_splits), larger)
    print(tables.generalisation())
    draw(seeds)
    draw_expected_time(seeds)


def measure(name, one_fit, estimators, numbers, problem_names):
    """A table of one row for each problem, estimator, and seed or fold; saved as it grows."""
    present = [fit for fit in estimators if fit != "nnet" or shutil.which("Rscript")]
    rows = []
    with Parallel(2) as parallel:
        for problem in problem_names:
            tasks = [(one_fit, problem, fit, number) for fit in present for number in numbers]
            rows += parallel(delayed(single_threaded)(*task) for task in tasks)
            save(pd.DataFrame(rows), name)
    return pd.DataFrame(rows)


def single_threaded(one_fit, problem, name, number):
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")  # convergence warnings
        return {"problem": problem, "estimator": name} | one_fit(problem, name, number)


def loss(problem, name, seed):
    make, standardise, n_h = PROBLEMS[problem]
    X, y = problems.load(make, standardise)
    params, seconds = FITS[name](X, y, n_h, seed)
    return {"seed": seed, "loss": log_loss_of(params, X, y), "seconds": seconds}


def held_out(problem, name, fold):
    make, standardise, n_h = PROBLEMS[problem]
    X, y = problems.load(make, False)
    train, test = list(CV.split(X, y))[fold]
    if standardise:
        X = StandardScaler().fit(X[train]).transform(X)
    params, _ = (FITS | REGULARISED)[name](X[train], y[train], n_h, 0)
    A2, _ = _network.forward(X[test].T, params)
    return {
        "fold": fold,
        "accuracy": accuracy_score(y[test], A2[0] > 0.5),
        "log loss": log_loss_of(params, X[test], y[test]),
    }


def log_loss_of(params, X, y):
    """Our loss of any parameters."""
    return _network.cost(_network.forward(X.T, params)[1], y[np.newaxis].astype(float))


if __name__ == "__main__":
    main()

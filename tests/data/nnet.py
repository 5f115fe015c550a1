"""Write ``tests/data/nnet.json``: where R's nnet ends, and the parameters that it started from.

``python -m tests.data.nnet``, with ``Rscript`` and nnet installed (Debian: r-base-core,
r-cran-nnet). nnet minimises the sum of the losses plus decay * sum(w^2), ours the mean plus
alpha / 2 * sum(w^2): hence decay = alpha * m / 2, and 0 for the biases, which ours never penalises.
"""

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tests import datasets
from two_layer_sigmoid import TwoLayerSigmoidClassifier

HERE = Path(__file__).parent
CASES = {  # data, which are standardised, hidden units, alpha
    "lecture": (datasets.lecture, 2, 1e-3),
    "moons": (datasets.moons, 4, 1e-3),
    "breast cancer": (datasets.breast_cancer, 8, 1e-2),
}


DECAY = 0.05  # of all parameters, in the run with weights


def main() -> None:
    """Run all cases."""
    results = {case: run(case) for case in CASES} | {"weights": run_with_weights()}
    (HERE / "nnet.json").write_text(json.dumps(results, indent=1))


def run(case: str) -> dict[str, object]:
    """The weights that nnet starts from, and the loss, penalty included, at which it ends."""
    make, n_h, alpha = CASES[case]
    X, y = datasets.standardised(*make())
    start = starting_parameters(X, n_h)
    loss, version = call_nnet("nnet.R", np.column_stack([X, y]), start, n_h, alpha)
    return {"start": [W.tolist() for W in start], "loss": float(loss), "nnet": version}


def run_with_weights() -> dict[str, object]:
    """The value of nnet after some iterations, and its parameters ``wts``."""
    X, y = datasets.standardised(*datasets.moons())
    data = np.column_stack([X, y, row_weights(len(X))])
    value, *parameters = call_nnet("nnet_value.R", data, starting_parameters(X, 4), 4, DECAY)
    return {"value": float(value), "wts": [float(w) for w in parameters]}


def row_weights(m: int) -> npt.NDArray[np.float64]:
    """Weights whose sum is not m."""
    return 0.5 + np.arange(m) % 4


def starting_parameters(X: npt.NDArray[np.float64], n_h: int) -> tuple[Any, ...]:
    """W1, b1, W2 and b2."""
    clf = TwoLayerSigmoidClassifier(init="spread", standardize=False, random_state=0)
    return tuple(clf._initialize_parameters(X.shape[1], n_h, 1))


def call_nnet(
    script: str, rows: npt.NDArray[np.float64], start: tuple[Any, ...], n_h: int, penalty: float
) -> list[str]:
    """The words that a script prints."""
    W1, b1, W2, b2 = start
    with tempfile.TemporaryDirectory() as folder:
        data, wts = Path(folder, "data.csv"), Path(folder, "start.txt")
        np.savetxt(data, rows, delimiter=",", fmt="%.17g")
        np.savetxt(wts, np.r_[np.hstack([b1, W1]).ravel(), b2.ravel(), W2.ravel()], fmt="%.17g")
        command = ["Rscript", HERE / script, data, wts, str(n_h), str(penalty)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.split()


if __name__ == "__main__":
    main()

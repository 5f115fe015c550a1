"""Write ``tests/data/nnet.json``: where R's nnet ends, and the weights that it started from.

``python -m tests.data.nnet``, with ``Rscript`` and nnet installed (Debian: r-base-core,
r-cran-nnet). nnet minimises the sum of the losses plus decay * sum(w^2), ours the mean plus
alpha / 2 * sum(w^2): hence decay = alpha * m / 2, and 0 for the biases, which ours never penalises.
"""

import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from benchmarks import problems
from two_layer_sigmoid import TwoLayerSigmoidClassifier

HERE = Path(__file__).parent
CASES = {  # data, which are standardised, hidden units, alpha
    "lecture": (problems.lecture, 2, 1e-3),
    "moons": (problems.moons, 4, 1e-3),
    "breast cancer": (problems.breast_cancer, 8, 1e-2),
}


def main() -> None:
    (HERE / "nnet.json").write_text(json.dumps({case: run(case) for case in CASES}, indent=1))


def run(case: str) -> dict[str, object]:
    """The weights that nnet starts from, and the loss, penalty included, at which it ends."""
    make, n_h, alpha = CASES[case]
    X, y = problems.load(make, standardise=True)
    clf = TwoLayerSigmoidClassifier(init="spread", standardize=False, random_state=0)
    W1, b1, W2, b2 = clf._initialize_parameters(X.shape[1], n_h, 1)
    with tempfile.TemporaryDirectory() as folder:
        data, start = Path(folder, "data.csv"), Path(folder, "start.txt")
        np.savetxt(data, np.column_stack([X, y]), delimiter=",", fmt="%.17g")
        np.savetxt(start, np.r_[np.hstack([b1, W1]).ravel(), b2.ravel(), W2.ravel()], fmt="%.17g")
        command = ["Rscript", HERE / "nnet.R", data, start, str(n_h), str(alpha)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    loss, version = done.stdout.split()
    weights = [W.tolist() for W in (W1, b1, W2, b2)]
    return {"start": weights, "loss": float(loss), "nnet": version}


if __name__ == "__main__":
    main()

"""Write what ``tests/test_persistence.py`` reads: a pickle of this version, and what it predicts.

``python tests/data/write.py``, once for each minor version, when it is released. What is written
stays as it is: it is what users of that version have on their discs.
"""

import pickle
from pathlib import Path

import numpy as np
from sklearn.datasets import load_iris

import two_layer_sigmoid
from two_layer_sigmoid import TwoLayerSigmoidClassifier

HERE = Path(__file__).parent


def main() -> None:
    X, species = load_iris(return_X_y=True)
    targets = {
        "binary": np.array(["other", "setosa"])[(species == 0).astype(int)],
        "multiclass": species,
        "multilabel": np.column_stack([species == 0, species > 0]).astype(int),
    }
    fitted = {
        name: TwoLayerSigmoidClassifier(
            4, 0.1, momentum=0.9, max_iter=200, warm_start=True, random_state=0
        ).fit(X, y)
        for name, y in targets.items()
    }
    minor = ".".join(two_layer_sigmoid.__version__.split(".")[:2])
    (HERE / f"{minor}.pickle").write_bytes(pickle.dumps(fitted, protocol=4))
    P = {name: clf.predict_proba(X) for name, clf in fitted.items()}
    labels = {f"{name} labels": clf.predict(X) for name, clf in fitted.items()}
    np.savez_compressed(HERE / f"{minor}.npz", X=X, **P, **labels)


if __name__ == "__main__":
    main()

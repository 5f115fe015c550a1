#!/usr/bin/env bash
# Polars 2.1.0: NumPy makes numbers of a Date column beside a column of floats, without an error,
# and the number of a date depends on its unit: days for Date, microseconds for Datetime. A model of
# scikit-learn 1.9.1 trains on the days, and predicts the other class for the same dates in a frame
# with Datetime. A frame of pandas 3.1.1 with dates and floats raises a TypeError.
#
# Output seen:
#   dates: [20454. 20455.], as Datetime: [1.7672256e+15 1.7673120e+15]
#   predicted: [0 1], as Datetime: [1 1]
#   pandas: DTypePromotionError
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet polars==2.1.0 scikit-learn==1.9.1 pandas==3.1.1
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from datetime import date

import numpy as np
import pandas as pd
import polars as pl
from sklearn.tree import DecisionTreeClassifier

columns = {"day": [date(2026, 1, 1), date(2026, 1, 2)], "size": [1.0, 1.0]}
days = pl.DataFrame(columns)
times = days.with_columns(pl.col("day").cast(pl.Datetime("us")))
print(f"dates: {np.asarray(days)[:, 0]}, as Datetime: {np.asarray(times)[:, 0]}")
model = DecisionTreeClassifier().fit(days, [0, 1])
print(f"predicted: {model.predict(days)}, as Datetime: {model.predict(times)}")
assert model.predict(days).tolist() == [0, 1] and model.predict(times).tolist() == [1, 1]
try:
    DecisionTreeClassifier().fit(pd.DataFrame(columns).astype({"day": "datetime64[us]"}), [0, 1])
except TypeError as error:
    print(f"pandas: {type(error).__name__}")
else:
    sys.exit("pandas has changed")
PYTHON

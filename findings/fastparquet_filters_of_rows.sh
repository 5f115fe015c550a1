#!/usr/bin/env bash
# fastparquet 2026.9.0: to_pandas(filters=..., row_filter=True) and count give wrong rows, without an
# error or a warning. The docstring says that a list of tuples is used without an OR, and that the
# tuples of an inner list are joined with AND and the lists with OR. But with row_filter=True (which it
# calls experimental)
# - a list of tuples is joined with OR. Issue 851 (2023) corrected this for row groups only;
# - a filter of a column of partition_on is skipped: alone it gives no row, and in an OR all rows.
# The same filters in PyArrow give the right rows.
#
# Output seen (rows by their x, which are 1, 2, 3, 4; p is the partition, a, a, b, b):
#   [('x', '>', 1), ('y', '<', 4)]           fastparquet [1, 2, 3, 4]  PyArrow [2, 3]
#   [[('x', '>', 1), ('y', '<', 4)]]         fastparquet [2, 3]        PyArrow [2, 3]
#   [('p', '==', 'a')]                       fastparquet []            PyArrow [1, 2]
#   [[('p', '==', 'a')], [('x', '==', 3)]]   fastparquet [1, 2, 3, 4]  PyArrow [1, 2, 3]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet fastparquet==2026.9.0 pandas==3.1.1 pyarrow==26.0.1
"$folder/venv/bin/python" - "$folder/data" <<'PYTHON'
import sys

import fastparquet
import pandas as pd

frame = pd.DataFrame({"p": list("aabb"), "x": [1, 2, 3, 4], "y": [1.0, 2.0, 3.0, 4.0]})
fastparquet.write(sys.argv[1], frame, file_scheme="hive", partition_on="p")
file = fastparquet.ParquetFile(sys.argv[1])
for filters, seen, right in [
    ([("x", ">", 1), ("y", "<", 4)], [1, 2, 3, 4], [2, 3]),
    ([[("x", ">", 1), ("y", "<", 4)]], [2, 3], [2, 3]),
    ([("p", "==", "a")], [], [1, 2]),
    ([[("p", "==", "a")], [("x", "==", 3)]], [1, 2, 3, 4], [1, 2, 3]),
]:
    rows = file.to_pandas(filters=filters, row_filter=True)["x"].tolist()
    other = pd.read_parquet(sys.argv[1], engine="pyarrow", filters=filters)["x"].tolist()
    print(f"{filters!s:40} fastparquet {rows!s:13} PyArrow {other}")
    assert other == right and len(rows) == file.count(filters, row_filter=True)
    assert rows == seen, "fastparquet has changed"
PYTHON

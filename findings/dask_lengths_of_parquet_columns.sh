#!/usr/bin/env bash
# Dask 2026.8.0: to_dask_array(lengths=True) raises for some columns of two or more Parquet files.
# The lengths are those of the 4 partitions; the array has the 2 into which the optimizer joins them.
# Assigning an array to a repartitioned frame raises, though both have 2 partitions of 4 rows.
#
# Output seen:
#   4 partitions, 2 chunks
#   lengths: The number of items in 'lengths' does not match the number of partitions. 2 != 4
#   assign: Missing dependency ('getattr-7eee9bba4707e339de87019f92f4e2e0', 1) for dependents ...
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "dask[array,dataframe]==2026.8.0" pandas==3.1.1 pyarrow==26.0.1
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import sys

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd


def message(function):
    try:
        function()
    except ValueError as error:
        return str(error)
    sys.exit("Dask has changed")


frame = pd.DataFrame({"a": np.arange(8.0), "b": 0.0, "c": 0.0, "y": np.arange(8)})
for i in range(4):
    frame[2 * i : 2 * i + 2].to_parquet(f"{sys.argv[1]}/{i}.parquet")
columns = dd.read_parquet(f"{sys.argv[1]}/*.parquet")[["a", "b"]]
print(f"{columns.npartitions} partitions, {columns.to_dask_array().numblocks[0]} chunks")
print("lengths:", message(lambda: columns.to_dask_array(lengths=True)))
two, array = dd.from_pandas(frame, npartitions=4).repartition(npartitions=2), da.arange(8, chunks=4)
print("assign:", message(lambda: two.assign(p=array).compute(scheduler="sync")))
PYTHON

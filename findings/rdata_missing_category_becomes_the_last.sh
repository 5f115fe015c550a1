#!/usr/bin/env bash
# rdata 1.1.0: write_rds stores a missing value of a pandas Categorical as the code 0, not as NA of R.
# read_rds of the same file then returns the last category for it, without an error or a warning: a
# sample without a label gets a label. An ordered Categorical comes back without its order.
# The documentation writes a Categorical in its example and does not say that values must be present;
# missing values of Int32, boolean and float columns are kept. A factor with NA of another writer is
# read correctly.
#
# Output seen:
#   pandas 3.1.1, rdata 1.1.0, pyreadr 0.5.8
#   written:             ['low', 'high', nan, nan] ordered
#   read again:          ['low', 'high', 'high', 'high'] not ordered
#   codes in the file:   [1, 3, 0, 0] class ['factor']
#   written by pyreadr:  ['low', 'high', nan, nan]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet rdata==1.1.0 pyreadr==0.5.8 pandas==3.1.1
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import sys

import pandas as pd
import pyreadr
import rdata

folder = sys.argv[1]
print(f"pandas {pd.__version__}, rdata {rdata.__version__}, pyreadr {pyreadr.__version__}")
category = pd.CategoricalDtype(["low", "middle", "high"], ordered=True)
frame = pd.DataFrame({"y": pd.Series(["low", "high", None, None], dtype=category)})
rdata.write_rds(f"{folder}/y.rds", frame)
y, factor = rdata.read_rds(f"{folder}/y.rds")["y"], rdata.parser.parse_file(f"{folder}/y.rds").object.value[0]
other = pyreadr.write_rds(f"{folder}/other.rds", frame) or rdata.read_rds(f"{folder}/other.rds")["y"]
print("written:            ", frame["y"].tolist(), "ordered")
print("read again:         ", y.tolist(), "ordered" if y.cat.ordered else "not ordered")
print("codes in the file:  ", factor.value.tolist(), "class", rdata.conversion.convert(factor.attributes)["class"])
print("written by pyreadr: ", other.tolist())
assert y.tolist() == ["low", "high", "high", "high"] and not y.cat.ordered, "rdata has changed"
PYTHON

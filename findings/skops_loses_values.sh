#!/usr/bin/env bash
# skops 0.16.0 does not restore two kinds of values that it stores without an error or a warning:
# - a dict with the keys False and True, as class_weight can be, loses the entry of False;
# - a file with numpy.memmap, from joblib.load(mmap_mode="r"), cannot be read, even if it is trusted.
#
# Output seen:
#   {False: 0.1, True: 1} -> {True: 1}
#   numpy.memmap is trusted -> TypeError: expected str, bytes or os.PathLike object, not ndarray
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet skops==0.16.0 scikit-learn==1.9.1
"$folder/venv/bin/python" - "$folder/model.joblib" <<'PYTHON'
import sys

import joblib
import skops.io
from sklearn.linear_model import LogisticRegression

model = LogisticRegression(class_weight={False: 0.1, True: 1}).fit([[0], [1], [2]], [False, True, True])
restored = skops.io.loads(skops.io.dumps(model)).class_weight
print(model.class_weight, "->", restored)
assert restored == {True: 1}, "skops has changed"

joblib.dump(LogisticRegression().fit([[0], [1]], [0, 1]), sys.argv[1])
stored = skops.io.dumps(joblib.load(sys.argv[1], mmap_mode="r"))
try:
    skops.io.loads(stored, trusted=skops.io.get_untrusted_types(data=stored))
except TypeError as error:
    print(*skops.io.get_untrusted_types(data=stored), "is trusted -> TypeError:", error)
else:
    raise AssertionError("skops has changed")
PYTHON

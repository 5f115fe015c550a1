"""Small fits have the results that they had before, on every processor."""

import json

import pytest
from numpy.testing import assert_allclose

from tests.data.fits import CASES, FILE, fit

BEFORE = json.loads(FILE.read_text())


@pytest.mark.parametrize("case", CASES, ids="/".join)
def test_results_have_not_changed(case):
    before, now = BEFORE["/".join(case)], fit(*case)
    # BLAS and NumPy use other instructions on other processors: that changes 1e-11 at most.
    for name in before:
        assert_allclose(now[name], before[name], rtol=1e-9, atol=1e-10, err_msg=name)

"""Small fits have the results that they had before, on every processor and Python."""

import builtins
import json

import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from tests.data.fits import CASES, FILE, fit
from tests.helpers import (
    SOLVER_SETTINGS,
    assert_same_fit,
    assert_same_weights,
    compensated_sum,
    make_clf,
    make_dask_clf,
    on_dask,
    sum_in_order,
)
from two_layer_sigmoid import TwoLayerSigmoidClassifierCV

BEFORE = json.loads(FILE.read_text())


@pytest.mark.parametrize("case", CASES, ids="/".join)
def test_results_have_not_changed(case):
    before, now = BEFORE["/".join(case)], fit(*case)
    # BLAS and NumPy use other instructions on other processors: that changes 1e-11 at most.
    for name in before:
        assert_allclose(now[name], before[name], rtol=1e-9, atol=1e-10, err_msg=name)


@pytest.fixture(params=[False, True], ids=["one block", "many blocks"])
def fits_with_both_sums(request, monkeypatch, many_blobs, many_weights):
    """Two equal fits; in one the builtin sum() rounds as before Python 3.12, in one as since."""
    if request.param:
        request.getfixturevalue("small_blocks")

    def fit_twice(clf, as_input=lambda A: A):
        data = [as_input(A) for A in (*many_blobs, many_weights)]
        for function in sum_in_order, compensated_sum:
            monkeypatch.setattr(builtins, "sum", function)
            yield clone(clf).fit(*data)

    return fit_twice


@pytest.mark.parametrize("params", SOLVER_SETTINGS)
@pytest.mark.filterwarnings("ignore:Training")
def test_fits_do_not_depend_on_builtin_sum(fits_with_both_sums, params):
    assert_same_fit(*fits_with_both_sums(make_clf(max_iter=20, **params)))


def test_search_does_not_depend_on_builtin_sum(fits_with_both_sums):
    clf = TwoLayerSigmoidClassifierCV(n_h=4, alphas=[1e-3, 1e-2], max_iter=10, random_state=0)
    one, other = fits_with_both_sums(clf)
    assert_same_weights(one, other)
    assert_array_equal(one.held_out_losses_, other.held_out_losses_)


@pytest.mark.filterwarnings("ignore:Training")
def test_dask_does_not_depend_on_builtin_sum(fits_with_both_sums):
    pytest.importorskip("dask.array")
    clf = make_dask_clf(class_weight="balanced")
    assert_same_fit(*fits_with_both_sums(clf, lambda A: on_dask(A, 50)))

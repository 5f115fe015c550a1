"""The approximate leave-one-out loss of a trained network, for ``alpha="loo"``.

K. Rad and A. Maleki, "A scalable estimate of the out-of-sample prediction error via approximate
leave-one-out cross-validation", J. R. Stat. Soc. B 82, 2020. One Newton step from the trained
parameters approximates training without a row. Its Hessian is the Gauss-Newton matrix H: with J_i
the derivative of the logits of row i, ``(n_y, p)``, a_i its outputs, w_i its weight over the sum of
all weights, and S_i = diag(w_i a_i (1 - a_i))::

    H = sum_i J_i^T S_i J_i + alpha D

where D is 1 for weights and 0 for biases. Without row i its logits are::

    z_i + J_i H^-1 J_i^T (I - S_i J_i H^-1 J_i^T)^-1 w_i (a_i - y_i)

Both are computed from B_i = S_i^1/2 J_i H^-1 J_i^T S_i^1/2, the leverage of row i: by a matrix in
the parameters, or in the rows and outputs if these are fewer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.linalg import cholesky, solve_triangular

from . import _prediction
from ._blocks import Block
from ._network import Array, Cache, Parameters, jacobian
from ._objective import Objective

MAX_SIZE = 5000  # of the matrix, which then takes 200 MB
MAX_OPERATIONS = 3e10  # for each penalty: some 3 seconds on one core
PIECE_BYTES = 2**25  # of the Jacobian at a time
# Biases have no penalty. Both matrices need one, this multiple of alpha: the difference of the
# biases of two equal hidden units has no curvature.
BIAS_PENALTY = 1e-4
MIN_VARIANCE = 1e-12  # a (1 - a) of a saturated output
LEVERAGE_MARGIN = 1e-9  # leverages are below 1 by at least this


def matrix_size(m: int, n_x: int, n_h: int, n_y: int) -> tuple[int, float]:
    """The size of the smaller matrix, and the number of operations that it takes."""
    p, n = n_h * (n_x + 1) + n_y * (n_h + 1), m * n_y
    return (p, 2.0 * n * p**2) if p <= n else (n, 2.0 * n**2 * (n_h + n_x + n))


def leave_one_out_loss(
    objective: Objective, params: Parameters, *, multiclass: bool
) -> tuple[float, float]:
    """The mean log loss of the rows, each predicted without it in training; and with it.

    With ``multiclass`` they are the log losses of the normalised probabilities.
    """
    by_parameters = params.flat().size <= objective.data.n_rows * len(params.W2)
    leverages = _leverages_by_parameters if by_parameters else _leverages_by_rows
    loss = loo_loss = 0.0
    for rows, B in leverages(objective, params):
        loo_loss += _log_loss(objective, rows, _logits_without_rows(rows, B), multiclass=multiclass)
        loss += _log_loss(objective, rows, rows.Z2, multiclass=multiclass)
    return loo_loss, loss


class _Rows(NamedTuple):
    """Some rows, as columns, with what the linear approximation needs of them."""

    X: Array  # (n_x, b), standardised
    A1: Array  # (n_h, b)
    Z2: Array  # (n_y, b)
    Y: Array  # (n_y, b)
    weights: Array  # (b,), w_i
    root: Array  # (n_y, b), sqrt(a_i (1 - a_i))
    errors: Array  # (n_y, b), a_i - y_i

    @property
    def root_S(self) -> Array:
        """The diagonals of S_i^1/2, ``(n_y, b)``."""
        return self.root * np.sqrt(self.weights)


def _rows_of(objective: Objective, params: Parameters, block: Block, size: int) -> Iterator[_Rows]:
    """The rows of a block, ``size`` at a time."""
    raw = objective.raw(params)
    for start in range(0, block.Y.shape[1], size):
        columns = slice(start, start + size)
        X, Y = block.X[:, columns], block.Y[:, columns]
        weights = np.ones(Y.shape[1]) if block.weights is None else block.weights[columns]
        A2, cache = objective.forward(X, raw)
        root = np.sqrt(np.maximum(A2 * (1 - A2), MIN_VARIANCE))
        yield _Rows(
            objective.standardized_features(X),
            cache.A1,
            cache.Z2,
            Y,
            weights / objective.total,
            root,
            A2 - Y,
        )


def _all_rows(objective: Objective, params: Parameters, size: int) -> Iterator[_Rows]:
    for block in objective.data.reduce(lambda block: [block]):
        yield from _rows_of(objective, params, block, size)


def _leverages_by_parameters(
    objective: Objective, params: Parameters
) -> Iterator[tuple[_Rows, Array]]:
    """Some rows and their leverages ``(b, n_y, n_y)``, from the matrix H."""
    p = params.flat().size
    size = max(1, PIECE_BYTES // (8 * len(params.W2) * p))
    H = np.zeros((p, p))
    for rows in _all_rows(objective, params, size):
        for J, root_S in zip(jacobian(params, rows.A1, rows.X), rows.root_S, strict=True):
            np.multiply(J, root_S, out=J)
            H += J @ J.T
    is_weight = Parameters(*(np.full(A.shape, i % 2 == 0) for i, A in enumerate(params)))
    diagonal = H.reshape(-1)[:: p + 1]
    diagonal += objective.alpha * np.where(is_weight.flat(), 1.0, BIAS_PENALTY)
    diagonal += np.finfo(np.float64).eps * diagonal.sum()
    L = cholesky(H, lower=True, overwrite_a=True, check_finite=False)
    for rows in _all_rows(objective, params, size):
        J = jacobian(params, rows.A1, rows.X) * rows.root_S[:, np.newaxis]
        V = np.array([solve_triangular(L, J_k, lower=True, check_finite=False) for J_k in J])
        yield rows, np.einsum("kpi,lpi->ikl", V, V, optimize=True)


def _leverages_by_rows(objective: Objective, params: Parameters) -> Iterator[tuple[_Rows, Array]]:
    """The same from a matrix in the rows and outputs, by the Woodbury formula."""
    parts = list(_all_rows(objective, params, objective.data.n_rows))
    rows = _Rows(*(np.concatenate(arrays, axis=-1) for arrays in zip(*parts, strict=True)))
    n_y, m = rows.Y.shape
    alpha, bias_penalty = objective.alpha, BIAS_PENALTY * objective.alpha
    inner = rows.X.T @ rows.X / alpha + 1 / bias_penalty
    same_output = rows.A1.T @ rows.A1 / alpha + 1 / bias_penalty
    U = [W2[:, np.newaxis] * rows.A1 * (1 - rows.A1) for W2 in params.W2]
    blocks = np.empty((n_y, m, n_y, m))
    for k in range(n_y):
        for j in range(n_y):
            blocks[k, :, j] = (U[k].T @ U[j]) * inner + (same_output if k == j else 0.0)
    M = blocks.reshape(n_y * m, n_y * m)
    root_S = rows.root_S.ravel()
    M *= root_S
    M *= root_S[:, np.newaxis]
    M.reshape(-1)[:: n_y * m + 1] += 1.0
    # (I + S^1/2 J Lambda^-1 J^T S^1/2)^-1 = I - B, with Lambda the penalties.
    inverse = np.linalg.inv(M).reshape(n_y, m, n_y, m)
    yield rows, np.eye(n_y) - np.einsum("kili->ikl", inverse)


def _logits_without_rows(rows: _Rows, B: Array) -> Array:
    """The logits of each row without it in training, ``(n_y, b)``, from the leverages."""
    # w_i cancels in S^-1/2 B (I - B)^-1 S^-1/2 w (a - y).
    scaled = (rows.errors / rows.root).T[..., np.newaxis]
    steps = B @ np.linalg.solve((1 + LEVERAGE_MARGIN) * np.eye(len(rows.Y)) - B, scaled)
    logits: Array = rows.Z2 + steps[..., 0].T / rows.root
    return logits


def _log_loss(objective: Objective, rows: _Rows, Z2: Array, *, multiclass: bool) -> float:
    """The part of the log loss that comes from some rows with the logits ``Z2``."""
    if multiclass:
        log_P = _prediction.log_probabilities(Z2.T, np.arange(len(Z2)), multilabel=False)
        return -float((rows.Y * log_P.T).sum(axis=0) @ rows.weights)
    cache = Cache(rows.A1, rows.A1, Z2, Z2)
    return float(objective.cost(cache, rows.Y, weights=rows.weights, total=1.0))

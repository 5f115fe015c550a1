"""The penalty with the lowest approximate leave-one-out loss, for ``alpha="loo"``.

K. Rad and A. Maleki, "A scalable estimate of the out-of-sample prediction error via approximate
leave-one-out cross-validation", J. R. Stat. Soc. B 82, 2020. One Newton step from the trained
parameters approximates training without a row. Its Hessian is the Gauss-Newton matrix H: with J_i
the derivative of the logits of row i, ``(n_y, p)``, a_i its outputs, w_i its weight over the sum of
all weights, and S_i = diag(w_i a_i (1 - a_i))::

    H = sum_i J_i^T S_i J_i + alpha D

where D is 1 for weights and 0 for biases. Without row i its logits are::

    z_i + J_i H^-1 J_i^T (I - S_i J_i H^-1 J_i^T)^-1 w_i (a_i - y_i)

Both are computed from B_i = S_i^1/2 J_i H^-1 J_i^T S_i^1/2, the leverage of row i. It needs a
matrix with one row for each parameter, or for each row and output if these are fewer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.linalg import cholesky, solve_triangular

from ._blocks import Block, Data
from ._monitor import CALLBACK, INTERRUPTED, MAX_ITER, TrainingState
from ._network import Array, Cache, Parameters, jacobian
from ._objective import Objective
from ._targets import Targets, counted

ALPHA_PATH = np.logspace(-2.5, 2, 10)  # divided by the number of rows of positive weight
# Measured on the real data sets of ``benchmarks/defaults.py`` and on curved boundaries without
# noise: with these two constants the held-out loss is that of complete training with every penalty,
# in half of the time. Without noise 100 iterations are too few.
PATH_ITERS = 250  # of each training on the path; the selected one continues to ``max_iter``
CLEARLY_WORSE = 1.5  # the path ends if the criterion exceeds this multiple of the lowest
# With several classes the leave-one-out loss of weak penalties is too low, because the hidden layer
# was fitted with the row. The criterion is then loo_loss + OPTIMISM * (loo_loss - train_loss).
# Measured.
OPTIMISM = 0.5
MAX_SIZE = 5000  # of the matrix: 200 MB
MAX_OPERATIONS = 3e10  # for each penalty: about 3 seconds on one core
PIECE_BYTES = 2**25  # of the Jacobian at a time
# Biases have no penalty. Both matrices give them this multiple of alpha, because the difference of
# the biases of two equal hidden units has no curvature.
BIAS_PENALTY = 1e-4
MIN_VARIANCE = 1e-12  # a (1 - a) of a saturated output
LEVERAGE_MARGIN = 1e-9  # leverages are below 1 by at least this


def matrix_size(m: int, n_x: int, n_h: int, n_y: int) -> tuple[int, float]:
    """The size of the smaller matrix, and the number of operations that it takes."""
    p, n = n_h * (n_x + 1) + n_y * (n_h + 1), m * n_y
    return (p, 2.0 * n * p**2) if p <= n else (n, 2.0 * n**2 * (n_h + n_x + n))


class LeaveOneOut(NamedTuple):
    """The path of penalties, and the leave-one-out loss of the one that was selected."""

    loss: float
    path: dict[str, npt.NDArray[np.float64]]


def check_size(data: Data) -> None:
    """Raise if ``alpha="loo"`` would take too much memory or time."""
    size, operations = matrix_size(data.n_rows, *data.layer_sizes)
    if size > MAX_SIZE or operations > MAX_OPERATIONS:
        n_x, n_h, n_y = data.layer_sizes
        raise ValueError(
            f"alpha='loo' is too expensive for {counted(data.n_rows, 'row')}, "
            f"{counted(n_x, 'feature')}, {counted(n_y, 'output')} and n_h={n_h}: it needs a matrix "
            f"of size {size} and {operations:.0e} operations for each penalty, of at most "
            f"{MAX_SIZE} and {MAX_OPERATIONS:.0e}. Use alpha='scale', or a smaller n_h."
        )


def search_alpha(
    objective: Objective,
    targets: Targets,
    states: list[TrainingState],
    train: Callable[..., TrainingState],
    max_iter: int,
) -> tuple[TrainingState, LeaveOneOut]:
    """The best state of a path from weak to strong penalties, and its leave-one-out loss.

    ``train(states, max_iter=n)`` returns the best of some states. Each training starts from the
    parameters of the previous one. At the end the objective has the selected penalty.
    """
    alphas = ALPHA_PATH / objective.data.n_rows
    n_iter = min(PATH_ITERS, max_iter)
    path: list[TrainingState] = []
    losses: list[tuple[float, float]] = []  # leave-one-out, training
    ended_by = None
    for alpha in alphas:
        objective.alpha = float(alpha)
        try:
            state = train(states, max_iter=n_iter if len(states) == 1 else max_iter)
        except KeyboardInterrupt:  # before its first iteration
            if not path:
                raise
            ended_by = INTERRUPTED
            break
        path.append(state)
        losses.append(_losses_of(objective, state, targets))
        ended_by = _ended_by(state)
        criteria = _criteria(losses, targets)
        if ended_by is not None or CLEARLY_WORSE * criteria.min() < criteria[-1] < math.inf:
            break
        states = [TrainingState(objective.views(state.theta.copy()))]
    best = int(criteria.argmin())
    objective.alpha, state = float(alphas[best]), path[best]
    if ended_by is None and state.stop_reason == MAX_ITER and state.n_iter < max_iter:
        state = train([state], max_iter=max_iter)
        last_losses = _losses_of(objective, state, targets)
        ended_by = _ended_by(state)
        if ended_by is None:
            losses[best] = last_losses
    state.stop_reason = ended_by or state.stop_reason
    loo_losses, train_losses = np.transpose(losses)
    table = {"alpha": alphas[: len(path)], "loo_loss": loo_losses, "train_loss": train_losses}
    return state, LeaveOneOut(losses[best][0], table)


def _losses_of(objective: Objective, state: TrainingState, targets: Targets) -> tuple[float, float]:
    """The leave-one-out loss and the training loss.

    Both are infinite if Ctrl-C or a callback has ended training, or if Ctrl-C ends it here.
    """
    try:
        if _ended_by(state) is None and math.isfinite(state.loss):
            return leave_one_out_loss(objective, state.params, targets)
    except KeyboardInterrupt:
        state.stop_reason = INTERRUPTED
    return math.inf, math.inf


def _ended_by(state: TrainingState) -> str | None:
    """Ctrl-C or a callback, if one of them has ended training."""
    return state.stop_reason if state.stop_reason in {CALLBACK, INTERRUPTED} else None


def _criteria(losses: list[tuple[float, float]], targets: Targets) -> Array:
    """The leave-one-out losses, corrected for several classes; NaN becomes infinity."""
    loo_losses, train_losses = np.transpose(losses)
    with np.errstate(invalid="ignore"):
        gap = loo_losses - train_losses
        criteria = loo_losses + (OPTIMISM * gap if targets.is_multiclass else 0.0)
    return np.where(np.isfinite(criteria), criteria, np.inf)


def leave_one_out_loss(
    objective: Objective, params: Parameters, targets: Targets
) -> tuple[float, float]:
    """The leave-one-out and the training loss: mean log losses of the rows.

    For more than two classes they are those of the normalised probabilities.
    """
    by_parameters = params.flat().size <= objective.data.n_rows * len(params.W2)
    leverages = _leverages_by_parameters if by_parameters else _leverages_by_rows
    loss = loo_loss = 0.0
    for rows, B in leverages(objective, params):
        loo_loss += _log_loss(objective, rows, _logits_without_rows(rows, B), targets)
        loss += _log_loss(objective, rows, rows.Z2, targets)
    return loo_loss, loss


class _Rows(NamedTuple):
    """Some rows, as columns, with the quantities that the approximation needs."""

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
    raw = objective.to_input_units(params)
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
    penalties = Parameters(*map(np.full_like, params, (1.0, BIAS_PENALTY, 1.0, BIAS_PENALTY)))
    diagonal = H.reshape(-1)[:: p + 1]
    diagonal += objective.alpha * penalties.flat()
    diagonal += np.finfo(np.float64).eps * diagonal.sum()
    L = cholesky(H, lower=True, overwrite_a=True, check_finite=False)
    for rows in _all_rows(objective, params, size):
        J = jacobian(params, rows.A1, rows.X) * rows.root_S[:, np.newaxis]
        V = np.array([solve_triangular(L, J_k, lower=True, check_finite=False) for J_k in J])
        yield rows, np.einsum("kpi,lpi->ikl", V, V, optimize=True)


def _leverages_by_rows(objective: Objective, params: Parameters) -> Iterator[tuple[_Rows, Array]]:
    """The same, by the Woodbury formula, from a matrix with a row for each row and output."""
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
    errors = (rows.errors / rows.root).T[..., np.newaxis]
    changes = B @ np.linalg.solve((1 + LEVERAGE_MARGIN) * np.eye(len(rows.Y)) - B, errors)
    logits: Array = rows.Z2 + changes[..., 0].T / rows.root
    return logits


def _log_loss(objective: Objective, rows: _Rows, Z2: Array, targets: Targets) -> float:
    """The part of the log loss that comes from some rows with the logits ``Z2``."""
    if targets.is_multiclass:
        log_P = targets.log_probabilities(Z2.T)
        return -float((rows.Y * log_P.T).sum(axis=0) @ rows.weights)
    cache = Cache(rows.A1, rows.A1, Z2, Z2)
    return float(objective.cost(cache, rows.Y, weights=rows.weights, total=1.0))

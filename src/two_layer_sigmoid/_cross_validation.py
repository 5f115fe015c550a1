"""The estimator with nothing to tune: a cross-validated penalty, and the average of the folds."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Generator, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from inspect import signature
from itertools import compress
from numbers import Integral, Real
from operator import not_
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed
from sklearn import get_config
from sklearn.base import _fit_context
from sklearn.model_selection import KFold, PredefinedSplit, StratifiedKFold, check_cv
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing

from . import _checks
from ._base import BaseTwoLayerSigmoid
from ._blocks import BlockedData
from ._callbacks import Tasks, has_callbacks
from ._diagnostics import warn, warn_about_data
from ._monitor import CALLBACK, CONVERGED, INTERRUPTED
from ._network import Array, Parameters
from ._parallel import ignore_overflow, is_forked, single_blas_thread
from ._prediction import logits
from ._summary import Summary
from ._targets import (
    Codes,
    Examples,
    Targets,
    class_sums,
    class_weights,
    examples,
    row_weights,
    validate_sample_weight,
)
from ._training import MANY_OUTPUTS, WEIGHTS, Fit, train

# Measured (``benchmarks/folds.py``): more folds or iterations take longer and are hardly better. 3
# folds are poorer, and so are fewer units on many rows or with many outputs.
N_SPLITS = 4
N_H, MORE_UNITS = 32, 16  # more for many rows, and again for many outputs
MANY_ROWS = 2000
MAX_FIRST_ALPHA = 0.01  # above about 0.1 all networks predict a constant: no search can start there
ALPHA_STEP = math.sqrt(10)  # from one penalty to the next
MAX_STEPS = 8  # from the first penalty in one direction
MAX_ROUNDS = 20  # in which the chosen networks are trained on
# Losses that differ by less than this fraction are equal: on few rows their order is chance. On the
# moons the loss of almost linear networks is equal before curved boundaries pay.
FLAT = 0.02
MAX_FLAT = 2  # so many equal losses in a row end the search
# Half a row with a wrong label is added to the held-out loss, as Jeffreys' prior adds it to a rate:
# new rows can have wrong labels if no held-out row has one. Without it almost separable classes get
# networks that are too sure, and an estimate that is too low (``benchmarks/estimate.py``).
WRONG_ROWS = 0.5
# For keywords of TwoLayerSigmoidClassifier and MLPClassifier.
INSTEAD = (
    dict.fromkeys(
        [*_checks.INSTEAD, *signature(BaseTwoLayerSigmoid).parameters],
        "Leave it out: the networks are trained by L-BFGS. TwoLayerSigmoidClassifier can be "
        "trained in other ways.",
    )
    | {name: _checks.INSTEAD[name] for name in ("hidden_layer_sizes", "activation", "max_fun")}
    | {"alpha": "Use alphas, a list of penalties to try, or None for a search."}
)

Fold = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]  # rows to train on, and held out


@dataclass(frozen=True, eq=False)
class Candidate:
    """The networks of all folds that were trained with one penalty."""

    alpha: float
    fits: Sequence[Fit]
    n_iter: int  # the largest of all networks
    held_out: Array  # (m, n_y), logits of the rows; NaN for rows that no fold holds out
    loss: float  # of the held-out rows, see ``WRONG_ROWS``


class TwoLayerSigmoidClassifierCV(BaseTwoLayerSigmoid):
    """The network with nothing to tune: a cross-validated penalty, and the average of the folds.

    For each penalty, a network is trained on all folds but one, and predicts the rows of that fold.
    The penalty with the lowest log loss of these held-out rows is chosen. The networks of its folds
    are averaged. The mean of their logits is the logit of one network, with all of their hidden
    units: W1 and b1 are stacked, W2 is stacked and divided by the number of networks. Training is
    by L-BFGS; see :class:`TwoLayerSigmoidClassifier` for the network and its loss.

    Read more in the :doc:`user guide </user_guide/cross_validation>`.

    Parameters
    ----------
    n_h : int or "auto", default="auto"
        Number of hidden units of each fold's network. "auto" is 32, plus 16 from 2000 rows on,
        plus 16 from five outputs on.
    alphas : array-like of shape (n_alphas,), default=None
        Penalties to try, from the strongest to the weakest. None begins with one divided by the
        number of rows of positive weight, the penalty of ``LogisticRegression(C=1)``, but at most
        0.01. It goes on in steps of a factor of sqrt(10) until the held-out loss rises: to stronger
        ones, and if these are no better, to weaker ones.
    cv : int, cross-validation generator or iterable, default=None
        How the rows are split. None is 4 shuffled stratified folds. An int is the number of
        stratified folds, as in scikit-learn. If the training rows of a fold have one class only, a
        constant takes the place of its network in the held-out loss.
    max_iter : int, default=30
        Maximum number of L-BFGS iterations of each network. The chosen networks are trained on, in
        rounds of as many iterations, as long as the held-out loss falls.
    tol : float, default=1e-6
        Training stops if no entry of the gradient, penalty included, is larger in absolute value.
    standardize : bool, default=True
        Whether to train on features with mean 0 and standard deviation 1, as in
        :class:`TwoLayerSigmoidClassifier`.
    class_weight : dict or "balanced", default=None
        Weights of the classes, multiplied with ``sample_weight``. Not for multilabel y.
    init : {"auto", "small", "spread"}, default="auto"
        Initial parameters, as in :class:`TwoLayerSigmoidClassifier`.
    n_jobs : int, default=None
        Number of folds to train at the same time, by joblib. The number does not change the
        results.
    random_state : int, RandomState instance or None, default=None
        Draws the folds and the initial parameters.
    verbose : int, default=0
        If positive, print the held-out loss of each penalty.

    Attributes
    ----------
    W1_, b1_, W2_, b2_ : ndarray of shapes (n_h, n_x), (n_h, 1), (n_y, n_h) and (n_y, 1)
        The averaged network, with n_h hidden units of all folds together.
    classes_ : ndarray of shape (n_classes,)
        The class labels, sorted; for multilabel y the column numbers.
    n_features_in_ : int
        Number of features seen in ``fit``, n_x.
    feature_names_in_ : ndarray of shape (n_x,)
        Names of the features, if X has names that are all strings.
    alpha_ : float
        The penalty with the lowest held-out loss.
    alphas_ : ndarray of shape (n_alphas,)
        The penalties that were tried, from weak to strong.
    held_out_losses_ : ndarray of shape (n_alphas,)
        Mean log loss of the held-out rows with each penalty, in nats; for multilabel y summed over
        the labels. Half a row with a wrong label is added to the rows.
    held_out_loss_ : float
        The lowest of them, which estimates the loss of new rows. It is rather too high, because a
        held-out row is predicted by the network of one fold, and ``predict_proba`` averages all.
    held_out_logits_ : ndarray of shape (n_samples,) or (n_samples, n_y)
        ``decision_function`` of each row by the networks that were trained without it, with
        ``alpha_``; NaN for rows that were never held out. It serves to calibrate, to choose a
        threshold or to stack.
    n_members_ : int
        Number of networks in the average.
    n_iter_ : int
        Number of iterations of training with ``alpha_``, in all rounds.
    mean_, var_ : ndarray of shape (n_x,)
        Weighted mean and variance of each feature.
    scale_ : ndarray of shape (n_x,) or None
        Standard deviation of each feature, 1 if it is 0; None without ``standardize``.
    n_samples_seen_ : float
        Sum of the weights of the rows.
    stop_reason_ : str
        "converged" if the search has ended, "callback" or "interrupted" (Ctrl-C) if it was ended.

    See Also
    --------
    TwoLayerSigmoidClassifier : One network, with every setting in the hands of the user.
    sklearn.linear_model.LogisticRegressionCV : The cross-validated network without hidden layer.

    Notes
    -----
    Ctrl-C keeps the average for the best penalty so far and raises ``KeyboardInterrupt``; before
    the first penalty is done it keeps nothing. With callbacks each penalty is one task, and each
    round; each of its folds is a task within it. A callback can end the search after a penalty.

    Examples
    --------
    >>> from sklearn.datasets import make_moons
    >>> from two_layer_sigmoid import TwoLayerSigmoidClassifierCV
    >>> X, y = make_moons(200, noise=0.3, random_state=0)
    >>> clf = TwoLayerSigmoidClassifierCV(random_state=0).fit(X, y)
    >>> clf.n_members_, clf.W1_.shape
    (4, (128, 2))
    >>> clf.predict(X[:5])
    array([0, 1, 1, 0, 1])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_h": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "alphas": ["array-like", None],
        "cv": ["cv_object"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, np.inf, closed="left")],
        "standardize": ["boolean"],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "init": [StrOptions({"auto", "small", "spread"})],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }
    _instead = INSTEAD

    @_checks.name_the_class
    def __init__(
        self,
        n_h: int | str = "auto",
        *,
        alphas: Any = None,
        cv: Any = None,
        max_iter: int = 30,
        tol: float = 1e-6,
        standardize: bool = True,
        class_weight: Any = None,
        init: str = "auto",
        n_jobs: int | None = None,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.n_h: Any = n_h
        self.alphas = alphas
        self.cv = cv
        self.max_iter = max_iter
        self.tol = tol
        self.standardize = standardize
        self.class_weight = class_weight
        self.init = init
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Self:
        """Choose the penalty and train the network.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Class labels, or a multilabel indicator matrix of 0 and 1.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights, in training and in the held-out loss.
        **params : dict
            ``groups``, array-like of shape (n_samples,): the groups of the rows for a ``cv`` such
            as ``GroupKFold``. With scikit-learn's metadata routing, all that ``cv.split`` requests.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter, X, y or a weight is not as described, or if the rows cannot be split.
        TypeError
            If X has dates, X or y is lazy, or labels have several types.
        """
        alphas = _check_alphas(self.alphas)
        if self.n_jobs == 0:
            raise ValueError("n_jobs=0 is not a number of jobs: use None, 1, or -1 for all cores.")
        split_params = self._split_params(params, sample_weight)
        draft = self._draft()
        random_state = check_random_state(self.random_state)
        with ignore_overflow():
            X, y = draft._validate(X, y, reset=True)
            weights = validate_sample_weight(sample_weight, X.shape[0])
            targets = Targets.of(y)
            codes = targets.codes(y)
            sums = class_sums(codes, weights, targets)
            weight_of_class = class_weights(self.class_weight, targets, sums)
            rows = _Rows(X, codes, row_weights(codes, weights, weight_of_class), targets)
            data, weight_sum = rows.examples(slice(None))
            summary = replace(BlockedData(*data, 1).reduce(Summary.of_block), n_samples=weight_sum)
            _checks.check_variance(summary.var)
            first_alpha = min(1 / data[0].shape[0], MAX_FIRST_ALPHA)
            del data
        scale = summary.scale if self.standardize else None
        names = getattr(draft, "feature_names_in_", None)
        folds, left_out = self._folds(rows, y, split_params, random_state)
        seeds = random_state.randint(np.iinfo(np.int32).max, size=len(folds))

        def attributes(search: _Search) -> dict[str, Any] | None:
            if search.best is None:
                return None
            fitted = _attributes(search.best, search.losses, rows) | {
                "mean_": summary.mean,
                "var_": summary.var,
                "scale_": scale,
                "n_samples_seen_": weight_sum,
            }
            return fitted if names is None else fitted | {"feature_names_in_": names}

        search = _Search(self, rows, folds, left_out, seeds)
        if has_callbacks(self):
            inputs = {"X": X, "y": y, "sample_weight": sample_weight}
            search.tasks = Tasks(self, None, attributes, **inputs)
        search.run(first_alpha if alphas is None else alphas)
        fitted = attributes(search)
        assert fitted is not None  # the search has raised otherwise
        network = Parameters(*(fitted[name] for name in WEIGHTS))
        _checks.check_no_overflow(network, {"X": summary.max_abs}, X.dtype)
        warn_about_data(Fit(network, targets, summary, scale, (summary.mean, summary.std)))
        self.__dict__.pop("feature_names_in_", None)
        self.__dict__.update(fitted, stop_reason_=search.stop_reason)
        if search.stop_reason == INTERRUPTED:
            raise KeyboardInterrupt
        return self

    def get_metadata_routing(self) -> MetadataRouter:
        """The metadata that this estimator and its splitter request.

        Returns
        -------
        routing : MetadataRouter
            See scikit-learn's user guide.
        """
        fit = MethodMapping().add(caller="fit", callee="split")
        router = MetadataRouter(owner=type(self).__name__).add_self_request(self)
        # The others request nothing, and check_cv would use up a generator of folds.
        splitter = self.cv if hasattr(self.cv, "split") else KFold()
        return router.add(splitter=splitter, method_mapping=fit)

    def _split_params(self, params: dict[str, Any], sample_weight: Any) -> dict[str, Any]:
        """The arguments of ``cv.split`` apart from X and y."""
        if get_config()["enable_metadata_routing"]:
            routed = process_routing(self, "fit", sample_weight=sample_weight, **params)
            return dict(routed.splitter.split)
        if unknown := params.keys() - {"groups"}:
            raise TypeError(
                f"fit() got unexpected arguments {sorted(unknown)}: give groups, or use "
                "sklearn.set_config(enable_metadata_routing=True)."
            )
        return params

    def _folds(
        self,
        rows: _Rows,
        y: Any,
        split_params: dict[str, Any],
        random_state: np.random.RandomState,
    ) -> tuple[list[Fold], list[Fold]]:
        """The folds, and those that are left out: a network could learn nothing from them."""
        m, is_multilabel = rows.X.shape[0], rows.targets.is_multilabel
        labels = y if is_multilabel else rows.codes
        if self.cv is not None:
            cv = check_cv(self.cv, labels, classifier=not is_multilabel)
            return _check_folds(list(cv.split(rows.X, labels, **split_params)), rows)
        if split_params.get("groups") is not None:
            raise ValueError("cv=None does not use groups: give a cv such as GroupKFold(4).")
        if m < 2:
            raise ValueError("n_samples=1 cannot be split: give at least 2 rows.")
        n_splits = min(m, N_SPLITS)
        if is_multilabel:
            cv = KFold(n_splits, shuffle=True, random_state=random_state)
        elif np.bincount(labels).min() >= n_splits:
            cv = StratifiedKFold(n_splits, shuffle=True, random_state=random_state)
        else:  # StratifiedKFold would warn. The rows of each class go to different folds.
            order = random_state.permutation(m)
            order = order[np.argsort(labels[order], kind="stable")]
            fold = np.empty(m, int)
            fold[order] = np.arange(m) % n_splits
            cv = PredefinedSplit(fold)
        return rows.learnable(list(cv.split(rows.X, labels)))

    def _member(self, alpha: float, m: int, n_outputs: int) -> Any:
        """What :func:`train` needs: an estimator with the parameters of one network."""
        member = self._draft()
        for name in vars(self):  # an earlier fit would be sent with every task
            if name in {"_skl_callbacks", "_callback_fit_ctx"} or name.endswith("_"):
                delattr(member, name)
        if self.n_h == "auto":
            reasons = (m >= MANY_ROWS) + (n_outputs >= MANY_OUTPUTS)
            member.n_h = N_H + reasons * MORE_UNITS
        fixed = {
            "alpha": alpha,
            "solver": "lbfgs",
            "batch_size": None,
            "momentum": 0.0,
            "n_init": 1,
            "early_stopping": False,
        }
        fixed |= {"n_iter_no_change": 1, "warm_start": False, "verbose": 0}
        member.__dict__.update(fixed)
        return member


@dataclass(frozen=True, eq=False)
class _Rows:
    """All rows, encoded, with their weights."""

    X: Any
    codes: Codes
    weights: Array | None
    targets: Targets

    def take(self, rows: npt.NDArray[np.intp] | slice) -> tuple[Any, Codes, Array | None]:
        weights = None if self.weights is None else self.weights[rows]
        return self.X[rows], self.codes[..., rows], weights

    def codes_with_weight(self, rows: npt.NDArray[np.intp] | slice) -> Codes:
        """The codes of those of the rows that have a positive weight."""
        codes = self.codes[..., rows]
        return codes if self.weights is None else codes[..., self.weights[rows] > 0]

    def have_two_classes(self, rows: npt.NDArray[np.intp] | slice) -> bool:
        """Whether some of the rows differ in their labels."""
        codes = self.codes_with_weight(rows)
        return bool((codes[..., :1] != codes).any())

    def learnable(self, folds: list[Fold]) -> tuple[list[Fold], list[Fold]]:
        """The folds whose training rows have two classes, and the others; or all, if none has."""
        learnable = [self.have_two_classes(fold[0]) for fold in folds]
        if not any(learnable):
            return folds, []
        return list(compress(folds, learnable)), list(compress(folds, map(not_, learnable)))

    def constant_logits(self, rows: npt.NDArray[np.intp]) -> Array:
        """The logits ``(n_y,)`` of the rates of the outputs in some rows, by Jeffreys' prior."""
        Y = self.targets.encode(self.codes_with_weight(rows), np.float64)
        ones = Y.sum(axis=1)
        return np.log((ones + 0.5) / (Y.shape[1] - ones + 0.5))

    def examples(self, rows: npt.NDArray[np.intp] | slice) -> tuple[Examples, float]:
        X, codes, weights = self.take(rows)
        return examples(self.targets, X.astype(np.float64, copy=False), codes, weights, None)


def _check_folds(folds: list[Fold], rows: _Rows) -> tuple[list[Fold], list[Fold]]:
    """The folds of a ``cv`` from which a network can learn, and those that are left out."""
    learnable, left_out = rows.learnable(folds)
    held_out = np.zeros(rows.X.shape[0], bool)
    for fold in learnable:
        held_out[fold[1]] = True
    if not (held_out if rows.weights is None else held_out & (rows.weights > 0)).any():
        raise ValueError("cv holds out no row of positive weight: give folds that hold rows out.")
    remedy = "Shuffle the rows, or use a stratified cv."
    if left_out:
        warn(
            f"Folds of cv are left out, {len(left_out)} of {len(folds)}: their training rows have "
            f"one class only. {remedy}",
            UserWarning,
        )
    elif rows.have_two_classes(slice(None)) and not rows.have_two_classes(folds[0][0]):
        raise ValueError(f"In all folds of cv the training rows have one class only. {remedy}")
    return learnable, left_out


class _Search:
    """Tries penalties, and keeps what it has found; callbacks and Ctrl-C can end it."""

    def __init__(
        self,
        clf: TwoLayerSigmoidClassifierCV,
        rows: _Rows,
        folds: Sequence[Fold],
        left_out: Sequence[Fold],
        seeds: Sequence[int],
    ) -> None:
        self.best: Candidate | None = None
        self.losses: dict[float, float] = {}  # held out, by penalty
        self.stop_reason = CONVERGED
        self.tasks: Tasks | None = None
        self._clf, self._rows, self._folds, self._seeds = clf, rows, folds, seeds
        # A network would learn the one class of their rows only.
        self._constants = [(fold[1], rows.constant_logits(fold[0])) for fold in left_out]

    def run(self, alphas: float | Sequence[float]) -> None:
        """Try the given penalties, or search from one."""
        with self._pool() as self._parallel:  # one for the search, so that processes get X once
            try:
                if isinstance(alphas, float):
                    self._outwards(alphas)
                else:
                    self._try(alphas)
                self._train_on()
            except StopIteration as end:
                self.stop_reason = end.value
        if self.tasks is not None:
            self.tasks.end_iteration(self)
            self.tasks.close(self)

    def _pool(self) -> Parallel:
        prefer = "threads" if is_forked() else None
        try:
            return Parallel(n_jobs=self._clf.n_jobs, prefer=prefer, return_as="generator")
        except ValueError:  # the backend, such as multiprocessing, returns all results at once
            return Parallel(n_jobs=self._clf.n_jobs, prefer=prefer)

    def _outwards(self, alpha: float) -> None:
        """From one penalty to its neighbours, until the held-out loss rises or stays."""
        # Two at once, because both are always needed: with several jobs it takes less time.
        first, stronger = self._try([alpha, alpha * ALPHA_STEP])
        for factor, tried in ((ALPHA_STEP, [stronger]), (1 / ALPHA_STEP, [])):
            lowest, n_flat = first, 0
            for step in range(1, MAX_STEPS + 1):
                loss = (tried or self._try([alpha * factor**step])).pop()
                if loss < (1 - FLAT) * lowest:
                    lowest, n_flat = loss, 0
                else:
                    n_flat += 1
                if n_flat == MAX_FLAT or not loss <= (1 + FLAT) * lowest:
                    break
            if lowest < first:
                return

    def _train_on(self) -> None:
        """Train the networks of the best penalty on, as long as the held-out loss falls."""
        for _ in range(MAX_ROUNDS):
            before = self.best
            assert before is not None
            if self._try([before.alpha], before)[0] >= (1 - FLAT) * before.loss:
                return

    def _try(self, alphas: Sequence[float], before: Candidate | None = None) -> list[float]:
        """Train with each penalty, or on from ``before``: the losses. Keep the best networks."""
        losses: list[float] = []
        try:
            with closing(self._evaluate(alphas, before)) as results:
                for alpha in alphas:
                    if self.tasks and self.tasks.begin_iteration(self, len(self._folds)):
                        raise StopIteration(CALLBACK)
                    candidate = next(results)
                    losses.append(candidate.loss)
                    self.losses[alpha] = min(candidate.loss, self.losses.get(alpha, math.inf))
                    if self.best is None or candidate.loss < self.best.loss:
                        self.best = candidate
        except KeyboardInterrupt:
            if self.best is None:
                raise
            raise StopIteration(INTERRUPTED) from None
        return losses

    def _evaluate(self, alphas: Sequence[float], before: Candidate | None) -> Generator[Candidate]:
        """The candidate of each penalty, as soon as its folds are trained."""
        rows, folds = self._rows, self._folds
        size = rows.X.shape[0], rows.targets.n_outputs
        previous = [None] * len(folds) if before is None else before.fits
        left = deque(
            delayed(_train_member)(member, rows, *job)
            for member in [self._clf._member(alpha, *size) for alpha in alphas]
            for job in zip(folds, self._seeds, previous, strict=True)
        )
        results = iter(self._parallel(left.popleft() for _ in range(len(left)) if left))
        try:
            for alpha in alphas:
                of_folds = []
                for _ in folds:
                    with self.tasks.subtask("fold") if self.tasks else nullcontext():
                        of_folds.append(next(results))
                fits = [fit for fit, _ in of_folds]
                predicted = [(fold[1], Z2) for fold, (_, Z2) in zip(folds, of_folds, strict=True)]
                held_out, loss = _held_out(rows, [*predicted, *self._constants])
                n_iter = max(len(fit.loss_curve) for fit in fits)
                n_iter += before.n_iter if before else 0
                candidate = Candidate(alpha, fits, n_iter, held_out, loss)
                if self._clf.verbose:
                    print(f"alpha {alpha:.3g}: held-out loss {candidate.loss:.6f}")
                yield candidate
        finally:  # if a callback ends the search, no more folds begin, and joblib need not warn
            left.clear()
            deque(results, maxlen=0)


def _check_alphas(alphas: Any) -> list[float] | None:
    """The penalties to try, from strong to weak."""
    if alphas is None:
        return None
    array = np.asarray(alphas)
    is_valid = array.ndim == 1 and array.size and array.dtype.kind in "fiu"
    if not is_valid or not (np.isfinite(array) & (array >= 0)).all():
        raise ValueError(f"alphas must be finite, non-negative numbers or None, got {alphas!r}.")
    return sorted(set(array.astype(float).tolist()), reverse=True)


def _train_member(
    member: Any, rows: _Rows, fold: Fold, seed: int, previous: Fit | None
) -> tuple[Fit, Array]:
    """The network of one fold, and its logits of the rows held out."""
    with single_blas_thread, ignore_overflow():
        data, weight_sum = rows.examples(fold[0])
        fit = train(
            member,
            BlockedData(*data, int(member.n_h)),
            rows.targets,
            weight_sum=weight_sum,
            dtype=np.dtype(np.float64),
            random_state=np.random.RandomState(seed),
            previous=previous,
            inputs={},
        )
        if fit.stop_reason == INTERRUPTED:
            raise KeyboardInterrupt
        X = rows.X[fold[1]].astype(np.float64, copy=False)
        return fit, logits(X, fit.params, forward=member._forward, n_jobs=1)


def _held_out(
    rows: _Rows, predicted: Sequence[tuple[npt.NDArray[np.intp], Array]]
) -> tuple[Array, float]:
    """The logits of the rows that were held out, NaN for others, and their loss.

    ``predicted`` has the rows and their logits of each fold. Rows that several folds hold out get
    the mean of their logits.
    """
    m, n_y = rows.X.shape[0], rows.targets.n_outputs
    total, count = np.zeros((m, n_y)), np.zeros(m)
    for held_out, Z2 in predicted:
        total[held_out] += Z2
        count[held_out] += 1
    is_held_out = np.flatnonzero(count)
    means = np.full((m, n_y), np.nan)
    means[is_held_out] = total[is_held_out] / count[is_held_out, np.newaxis]
    return means, _estimate(rows, is_held_out, means[is_held_out])


def _estimate(rows: _Rows, held_out: npt.NDArray[np.intp], Z2: Array) -> float:
    """The mean log loss of held-out rows and half a row with a wrong label.

    For several classes the probabilities are normalised, and all wrong labels are averaged.
    """
    _, codes, weights = rows.take(held_out)
    if rows.targets.is_multiclass:
        losses = -rows.targets.log_probabilities(Z2)
        right = losses[np.arange(len(Z2)), codes]
        wrong = (losses.sum(axis=1) - right) / (losses.shape[1] - 1)
    else:
        Z2 = np.where(rows.targets.encode(codes, bool).T, Z2, -Z2)
        right, wrong = (np.logaddexp(0, Z).sum(axis=1) for Z in (-Z2, Z2))
    n_rows = len(held_out)
    if weights is not None:
        n_rows, weights = int(np.count_nonzero(weights)), weights / weights.max()
    losses = np.average(np.stack([right, wrong], axis=1), axis=0, weights=weights)
    return float(np.average(losses, weights=[n_rows, WRONG_ROWS]))


def _attributes(best: Candidate, losses: dict[float, float], rows: _Rows) -> dict[str, Any]:
    """The fitted attributes after some penalties."""
    alphas = sorted(losses)
    params, dtype = average(best.fits), rows.X.dtype
    with ignore_overflow():  # is checked at the end
        weights = {name: W.astype(dtype) for name, W in zip(WEIGHTS, params, strict=True)}
    return weights | {
        "classes_": rows.targets.classes,
        "_multilabel": rows.targets.is_multilabel,
        "n_features_in_": rows.X.shape[1],
        "alpha_": best.alpha,
        "alphas_": np.array(alphas),
        "held_out_losses_": np.array([losses[alpha] for alpha in alphas]),
        "held_out_loss_": best.loss,
        "held_out_logits_": rows.targets.decisions(best.held_out),
        "n_members_": len(best.fits),
        "n_iter_": max(1, best.n_iter),
    }


def average(fits: Sequence[Fit]) -> Parameters:
    """The network whose logits are the mean of those of several networks.

    An output is averaged over the networks whose rows had both values of it. Without a row of a
    class, a network learns only that the class is rare.
    """
    W1, b1, W2, b2 = zip(*(fit.params for fit in fits), strict=True)
    counts = np.array([(fit.summary.target_weights > 0).all(axis=0) for fit in fits], float)
    counts[:, ~counts.any(axis=0)] = 1.0
    shares = (counts / counts.sum(axis=0))[:, :, np.newaxis]  # (n_members, n_y, 1)
    return Parameters(
        np.vstack(W1), np.vstack(b1), np.hstack(shares * W2), (shares * b2).sum(axis=0)
    )

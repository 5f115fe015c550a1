"""Properties that hold for all data, weights and parameters, which hypothesis draws.

``HYPOTHESIS_PROFILE`` chooses the number of examples: quick (100, the default), ci or nightly.
"""

import os
import pickle
import re
import warnings

import numpy as np
import pytest

pytest.importorskip("hypothesis")
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from numpy.testing import assert_array_equal
from scipy.special import entr
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from two_layer_sigmoid import TwoLayerSigmoidClassifier
from two_layer_sigmoid._targets import Targets

CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large]
QUICK = settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=CHECKS)
settings.register_profile("quick", QUICK)
settings.register_profile("ci", QUICK, max_examples=2000)
settings.register_profile("nightly", QUICK, max_examples=50_000, derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

SCALES = st.sampled_from([1e-300, 1e-30, 1e-3, 1.0, 1e3, 1e30, 1e150, 1e300])
LABELS = st.sampled_from([[0, 1], ["no", "yes"], [False, True], [-5, 3, 8], ["a", "b", "c", "d"]])


@st.composite
def data(draw):
    """X in some shape, scale, type and order of memory, and y: labels or an indicator matrix."""
    n, n_x = draw(st.integers(1, 12)), draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    X = rng.normal(size=(n, n_x)) * [draw(SCALES) for _ in range(n_x)]
    X += draw(st.sampled_from([0.0, 1.0, 1e6, 1e300]))
    if draw(st.booleans()):
        X[:, draw(st.integers(0, n_x - 1))] = draw(st.sampled_from([0.0, -3.0, 1e200]))
    dtype = draw(st.sampled_from(["float64", "float32", "int64", ">f8"]))
    with np.errstate(over="ignore", under="ignore"):
        X = (X.clip(-1e9, 1e9) if dtype == "int64" else X).astype(dtype)
    X = np.asarray(X, order=draw(st.sampled_from("CF")))
    if draw(st.integers(0, 4)) == 0:
        return X, rng.integers(0, 2, (n, draw(st.integers(2, 3))))
    labels = np.array(draw(LABELS))
    return X, labels[rng.integers(0, len(labels), n)]


PARAMETERS = st.fixed_dictionaries(
    {"n_h": st.integers(1, 4), "max_iter": st.integers(1, 8), "random_state": st.integers(0, 9)},
    optional={
        "learning_rate": st.sampled_from([1e-300, 1e-3, 1.2, 100.0, 1e300]),
        "solver": st.sampled_from(["gd", "lbfgs"]),
        "batch_size": st.integers(1, 20),
        "momentum": st.sampled_from([0.0, 0.5, 0.999]),
        "standardize": st.booleans(),
        "alpha": st.sampled_from([0.0, 1e-3, 10.0, 1e300, "scale"]),
        "init": st.sampled_from(["auto", "small", "spread"]),
        "n_init": st.integers(1, 3),
        "early_stopping": st.booleans(),
        "class_weight": st.sampled_from([None, "balanced"]),
        "tol": st.sampled_from([0.0, 1e-6, 1.0]),
        "n_jobs": st.sampled_from([None, 1, 2]),
    },
)
WEIGHTS = st.sampled_from([None, "ones", "some zero", "tiny", "huge"])


def weights_of(kind, n):
    some_zero = np.arange(n) % 3 != 0
    kinds = {"ones": np.ones(n), "some zero": some_zero, "tiny": np.full(n, 1e-300)}
    return None if kind is None else (kinds | {"huge": np.full(n, 1e300)})[kind]


@given(data(), PARAMETERS, WEIGHTS)
def test_fit_raises_documented_errors_or_works(rows, parameters, kind):
    X, y = rows
    weights = weights_of(kind, len(X))
    before = [None if array is None else array.copy() for array in (X, y, weights)]
    clf = TwoLayerSigmoidClassifier(**parameters)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", UserWarning)  # ours: of divergence, plateaus, wild scales
        try:
            clf.fit(X, y, sample_weight=weights)
        except ValueError as error:
            event("refused: " + str(error)[:40])
            refused_in_words(error)
            with pytest.raises(NotFittedError):
                clf.predict(X)
        else:
            event("fitted: " + clf.stop_reason_)
            keeps_its_promises(clf, X)
    for array, copy in zip((X, y, weights), before, strict=True):
        assert_array_equal(array, copy)


# What fit may say of such input, of which each line is documented.
DOCUMENTED = re.compile(
    r"^(batch_size=|momentum=|Input X contains infinity|X holds values too large"
    r"|validation_fraction=|y holds only one class|sample_weight is zero for every row"
    r"|class_weight='balanced' is not supported|The loss or its gradient is not finite"
    r"|Found array with 0 sample|y_val holds)"
)


@given(data(), PARAMETERS, WEIGHTS)
def test_fit_beats_a_constant_or_warns(rows, parameters, kind):
    X, y = rows
    parameters |= {"early_stopping": False}  # the loss is then that of all rows
    weights = weights_of(kind, len(X))
    clf = TwoLayerSigmoidClassifier(**parameters)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            clf.fit(X, y, sample_weight=weights)
        except ValueError:
            return
    with np.errstate(under="ignore"):
        Z = np.asarray(clf.decision_function(X), np.float64).reshape(len(X), -1)
    Y = y if clf._multilabel else y[:, np.newaxis] == clf.classes_
    Y = Y[:, 1:] if Z.shape[1] < Y.shape[1] else Y
    w = np.ones(len(X)) if weights is None else weights / weights.max()
    if clf.class_weight == "balanced":
        sums = w @ (y[:, np.newaxis] == clf.classes_)
        w = w / np.where(sums > 0, sums, 1)[np.searchsorted(clf.classes_, y)]
    rates = w @ Y / w.sum()
    constant = (entr(rates) + entr(1 - rates)).sum()
    log_loss = w @ np.logaddexp(0, np.where(Y, -Z, Z)).sum(axis=1) / w.sum()
    event("warned" if caught else "quiet")
    if constant > 0 and not caught:
        assert log_loss <= 1.01 * constant + 1e-6


def refused_in_words(error):
    assert DOCUMENTED.search(str(error)), error


def keeps_its_promises(clf, X):
    assert all(np.isfinite(W).all() for W in (clf.W1_, clf.b1_, clf.W2_, clf.b2_))
    assert np.isfinite(clf.loss_)
    P, logits, labels = clf.predict_proba(X), clf.decision_function(X), clf.predict(X)
    assert np.isfinite(P).all()
    assert P.min() >= 0
    assert P.max() <= 1
    assert np.isfinite(clf.predict_log_proba(X)).all()
    assert np.isfinite(logits).all()
    if clf._multilabel:
        assert_array_equal(labels, logits > 0)
        assert_array_equal(labels[P != 0.5], (P > 0.5)[P != 0.5])
        return
    np.testing.assert_allclose(P.sum(axis=1), 1, rtol=1e-5 if P.dtype == "float32" else 1e-12)
    codes = (logits > 0).astype(int) if logits.ndim == 1 else logits.argmax(axis=1)
    assert_array_equal(labels, clf.classes_[codes])
    assert_array_equal(P[np.arange(len(P)), codes], P.max(axis=1))


RNG = np.random.default_rng(0)
ROWS = {
    "two classes": (RNG.normal(size=(30, 2)), np.arange(30) % 2),
    "three classes": (RNG.normal(size=(30, 2)), np.arange(30) % 3),
    "other features": (RNG.normal(size=(30, 3)), np.arange(30) % 2),
    "labels": (RNG.normal(size=(30, 2)), RNG.integers(0, 2, (30, 2))),
}
KINDS = st.sampled_from([*ROWS])


def classes_of(y):
    return np.unique(y) if y.ndim == 1 else np.arange(y.shape[1])


class CallSequences(RuleBasedStateMachine):
    """Sequences of fits, failures, changes and copies of one estimator, with their invariants.

    The expected state is the kind of rows and the ``n_h`` of the last fit, its loss and its
    predictions.
    """

    def __init__(self):
        super().__init__()
        self.clf = TwoLayerSigmoidClassifier(2, 0.1, max_iter=3, tol=0, alpha=0, random_state=0)
        self.fitted_to = self.loss = self.P = None

    def refuses(self, call, message):
        """The call raises, and leaves everything fitted as it was: the invariant looks at it."""
        before = dict(vars(self.clf))
        with pytest.raises(ValueError, match=message):
            call()
        now = vars(self.clf)
        assert now.keys() == before.keys()
        assert all(now[name] is before[name] for name in now)

    def trains(self, kind, call, n_iter, *, resumes):
        X, y = ROWS[kind]
        if resumes and self.fitted_to != (kind, self.clf.n_h):
            self.refuses(lambda: call(X, y), "class|feature|n_h|label")
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # of the plateau
            call(X, y)
        assert self.clf.n_iter_ == len(self.clf.loss_curve_) == n_iter
        if resumes:
            assert self.clf.loss_curve_[0] == pytest.approx(self.loss, rel=1e-10)
        self.fitted_to, self.loss = (kind, self.clf.n_h), self.clf.loss_
        self.P = self.clf.predict_proba(X)

    @rule(kind=KINDS)
    def fit(self, kind):
        resumes = self.clf.warm_start and self.fitted_to is not None
        self.trains(kind, self.clf.fit, self.clf.max_iter, resumes=resumes)
        if not resumes:
            again = clone(self.clf)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                assert_array_equal(again.fit(*ROWS[kind]).W1_, self.clf.W1_)

    @rule(kind=KINDS)
    def partial_fit(self, kind):
        classes = classes_of(ROWS[kind][1])
        resumes = self.fitted_to is not None
        self.trains(
            kind, lambda X, y: self.clf.partial_fit(X, y, classes=classes), 1, resumes=resumes
        )

    @rule(
        changes=st.fixed_dictionaries(
            {},
            optional={
                "warm_start": st.booleans(),
                "standardize": st.booleans(),
                "max_iter": st.integers(1, 4),
                "momentum": st.sampled_from([0.0, 0.9]),
                "learning_rate": st.sampled_from([0.1, 1.0]),
                "n_h": st.sampled_from([2, 3]),
            },
        )
    )
    def set_params(self, changes):
        self.clf.set_params(**changes)

    @rule(kind=KINDS)
    def fit_to_missing_values(self, kind):
        X, y = ROWS[kind]
        self.refuses(lambda: self.clf.fit(np.full_like(X, np.nan), y), "NaN")

    @rule(kind=KINDS)
    def fit_by_a_rate_below_0(self, kind):
        rate = self.clf.learning_rate
        self.clf.set_params(learning_rate=-1.0)
        self.refuses(lambda: self.clf.fit(*ROWS[kind]), "learning_rate")
        self.clf.set_params(learning_rate=rate)

    @rule()
    def pickle_it(self):
        self.clf = pickle.loads(pickle.dumps(self.clf))

    @rule()
    def clone_it(self):
        self.clf = clone(self.clf)
        self.fitted_to = self.loss = self.P = None

    @invariant()
    def predicts_what_it_did(self):
        if self.fitted_to is None:
            with pytest.raises(NotFittedError):
                self.clf.predict(ROWS["labels"][0])
            return
        X, _ = ROWS[self.fitted_to[0]]
        assert_array_equal(self.clf.predict_proba(X), self.P)
        assert self.clf.W1_.shape == (self.fitted_to[1], X.shape[1])
        assert self.clf.loss_ == self.loss


CallSequences.TestCase.settings = settings(
    max_examples=settings().max_examples // 20, stateful_step_count=20
)
TestCallSequences = CallSequences.TestCase


# Labels of another dtype than the classes. A cast must never make unequal labels equal.

NUMBERS = [0, 1, 2, 3, 10, 255, 256, 257, -1, -255, 2**53, 2**53 + 1, 2**63, -(2**63)]
TEXTS = ["1", "2", "10", "20", "a", "apple", "b", "True"]
DATES = ["2026-01-01", "2026-01-01T12", "2026-01-02", "1960-05-05"]


def labels_of(dtype):
    """All labels of the lists above that an array of this dtype holds without a change."""
    dtype = np.dtype(dtype)
    if dtype.kind == "M":
        return np.unique(np.array(DATES, dtype))
    if dtype.kind in "US":
        return np.array([text for text in TEXTS if len(text) <= int(dtype.str[2:])], dtype)
    if dtype.kind == "O":
        return np.array(TEXTS, object)
    if dtype.kind == "b":
        return np.array([False, True])
    if dtype.kind == "f":
        return np.array([n for n in NUMBERS if int(dtype.type(n)) == n], dtype)
    limits = np.iinfo(dtype)
    return np.array([n for n in NUMBERS if limits.min <= n <= limits.max], dtype)


DTYPES = ["?", "i1", "u1", "i2", "i8", "u8", "f4", "f8", "U1", "U5", "S5", "O", "M8[D]", "M8[s]"]


def equal(label, known):
    """Equality by Python's exact comparison, of dates by NumPy's in their common unit."""
    if isinstance(label, np.datetime64) or isinstance(known, np.datetime64):
        return type(label) is type(known) and label == known
    unpacked = (x.item() if isinstance(x, np.generic) else x for x in (label, known))
    return bool(np.equal(*(np.array(x, object) for x in unpacked)))


@given(st.sampled_from(DTYPES), st.sampled_from(DTYPES), st.data())
def test_unequal_labels_are_refused_for_all_dtypes(dtype, other, data):
    classes = labels_of(dtype)
    chosen = data.draw(st.lists(st.integers(0, len(classes) - 1), min_size=2, unique=True))
    classes = np.sort(classes[chosen])
    labels = labels_of(other)
    y = labels[data.draw(st.lists(st.integers(0, len(labels) - 1), min_size=1))]
    expected = [next((i for i, k in enumerate(classes) if equal(label, k)), None) for label in y]
    if None in expected:
        with pytest.raises(ValueError, match="y holds labels that are not among the classes"):
            Targets(classes, False).codes(y)
    else:
        assert_array_equal(Targets(classes, False).codes(y), expected)

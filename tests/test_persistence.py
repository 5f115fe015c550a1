"""Pickles, joblib and skops: size, and results after loading."""

import io
import pickle
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import two_layer_sigmoid
from tests.helpers import PICKLED_DAYS, assert_same_weights, make_clf
from two_layer_sigmoid import TwoLayerSigmoidClassifier

DATA = Path(__file__).parent / "data"
PARAMETERS = set(TwoLayerSigmoidClassifier().get_params())
NOT_COUNTED = PARAMETERS | {"feature_names_in_", "classes_", "_velocity"}
OURS = ["two_layer_sigmoid._classifier.TwoLayerSigmoidClassifier"]  # what skops must trust
SETTINGS = {
    "gd": {},
    "wide": {"n_h": 300, "learning_rate": 0.1},
    "mini-batches": {"batch_size": 50},
    "momentum": {"momentum": 0.9, "warm_start": True},
    "early stopping": {"early_stopping": True, "n_iter_no_change": 100},
    "starts": {"n_init": 5},
    "lbfgs": {"solver": "lbfgs", "alpha": 1e-3},
    "lecture": {"standardize": False, "alpha": 0},
}


def through_pickle(clf):
    return pickle.loads(pickle.dumps(clf))


def through_joblib(clf):
    file = io.BytesIO()
    joblib.dump(clf, file)
    file.seek(0)
    return joblib.load(file)


@pytest.mark.parametrize("setting", [*SETTINGS, "partial_fit"])
@pytest.mark.filterwarnings("ignore:Training by L-BFGS ran out of iterations")
def test_pickle_holds_weights_curves_and_scalars(moons, setting):
    clf = TwoLayerSigmoidClassifier(max_iter=100, random_state=0)
    if setting == "partial_fit":
        clf.set_params(momentum=0.9).partial_fit(*moons, classes=[0, 1])
    else:
        clf.set_params(**SETTINGS[setting]).fit(*moons)
    counted = {name: value for name, value in vars(clf).items() if name not in NOT_COUNTED}
    weights = sum(W.nbytes for W in (clf.W1_, clf.b1_, clf.W2_, clf.b2_))
    curves = [clf.loss_curve_, clf.validation_loss_curve_]
    allowed = 1.2 * weights + 4096 + sum(len(pickle.dumps(curve)) for curve in curves)
    assert len(pickle.dumps(counted)) <= allowed
    # With all that is not counted it is no larger either, but for momentum's velocity.
    assert len(pickle.dumps(clf)) <= allowed + weights * hasattr(clf, "_velocity")


def test_estimator_keeps_no_data(moons):
    X, y = moons
    clf = TwoLayerSigmoidClassifier(max_iter=20, early_stopping=True, random_state=0).fit(X, y)
    arrays = {name: value for name, value in vars(clf).items() if isinstance(value, np.ndarray)}
    known = {"W1_", "b1_", "W2_", "b2_", "mean_", "var_", "scale_", "classes_"}
    assert set(arrays) == known
    assert all(array.size <= len(clf.b1_) * X.shape[1] for array in arrays.values())
    assert not any(np.shares_memory(array, X) for array in arrays.values())


@pytest.mark.parametrize(
    ("setting", "restored"),
    [*((setting, through_pickle) for setting in SETTINGS), ("momentum", through_joblib)],
)
@pytest.mark.filterwarnings("ignore:Training by L-BFGS ran out of iterations")
def test_restored_estimator_predicts_and_continues(small_moons, setting, restored):
    X, y = small_moons
    clf = TwoLayerSigmoidClassifier(max_iter=30, tol=0, random_state=0)
    clf.set_params(**SETTINGS[setting]).fit(X, y)
    back = restored(clf)
    np.testing.assert_array_equal(back.predict_proba(X), clf.predict_proba(X))
    assert back.stop_reason_ == clf.stop_reason_
    np.testing.assert_array_equal(back.fit(X, y).W1_, clf.fit(X, y).W1_)


def test_skops_needs_one_trusted_type(moons):
    skops = pytest.importorskip("skops.io", reason="needs the extra skops")
    X, y = moons
    clf = TwoLayerSigmoidClassifier(max_iter=50, momentum=0.9, warm_start=True, random_state=0)
    for model in clf.fit(X, y), make_pipeline(StandardScaler(), clone(clf)).fit(X, y):
        kept = skops.dumps(model)
        assert skops.get_untrusted_types(data=kept) == OURS
        back = skops.loads(kept, trusted=OURS)
        np.testing.assert_array_equal(back.predict_proba(X), model.predict_proba(X))
    back = skops.loads(skops.dumps(clf), trusted=OURS)
    assert set(vars(back)) == set(vars(clf))
    np.testing.assert_array_equal(back.fit(X, y).W1_, clf.fit(X, y).W1_)


def memory_mapped(value, path):
    joblib.dump(value, path)
    return joblib.load(path, mmap_mode="r")


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_skops_reads_a_memory_mapped_network(moons, tmp_path, momentum):
    skops = pytest.importorskip("skops.io", reason="needs the extra skops")
    clf = TwoLayerSigmoidClassifier(max_iter=50, random_state=0, warm_start=True, momentum=momentum)
    mapped = memory_mapped(clf.fit(*moons), tmp_path / "clf.joblib")
    assert isinstance(mapped.W1_, np.memmap)
    back = skops.loads(skops.dumps(mapped), trusted=OURS)
    assert isinstance(mapped.W1_, np.memmap)
    np.testing.assert_array_equal(back.predict_proba(moons[0]), clf.predict_proba(moons[0]))
    np.testing.assert_array_equal(back.fit(*moons).W1_, clf.fit(*moons).W1_)


def test_skops_reads_memory_mapped_initial_weights(moons, tmp_path):
    skops = pytest.importorskip("skops.io", reason="needs the extra skops")
    start = TwoLayerSigmoidClassifier(4, max_iter=1, random_state=0).fit(*moons)
    init = memory_mapped((start.W1_, start.b1_, start.W2_, start.b2_), tmp_path / "init.joblib")
    clf = TwoLayerSigmoidClassifier(4, max_iter=50, init=init).fit(*moons)
    assert isinstance(clf.init[0], np.memmap)
    back = skops.loads(skops.dumps(clf), trusted=OURS)
    np.testing.assert_array_equal(back.fit(*moons).W1_, clf.W1_)


@pytest.mark.parametrize("boolean", [bool, np.bool])
def test_skops_keeps_weights_of_boolean_classes(moons, boolean):
    skops = pytest.importorskip("skops.io", reason="needs the extra skops")
    X, y = moons[0], moons[1].astype(bool)
    weights = {boolean(False): 0.1, boolean(True): 1}
    clf = TwoLayerSigmoidClassifier(max_iter=50, random_state=0, class_weight=weights).fit(X, y)
    back = skops.loads(skops.dumps(clf), trusted=OURS)
    assert back.class_weight == clf.class_weight == {False: 0.1, True: 1}
    assert clf.class_weight is weights
    np.testing.assert_array_equal(back.fit(X, y).W1_, clf.W1_)


def test_dates_pickled_by_newer_numpy_are_restored(small_moons):
    X, y = small_moons
    days = np.array(["2026-01-01", "2026-01-02"], "M8[D]")
    clf = make_clf(class_weight={days[0]: 1, days[1]: 2}).fit(X, days[y])
    dtype = pickle.loads(PICKLED_DAYS)
    newer = days.view("i8").view(dtype)
    back = clone(clf)
    back.__setstate__(clf.__getstate__() | {"classes_": newer})
    assert back.classes_.dtype == "M8[D]"
    np.testing.assert_array_equal(back.predict(X), clf.predict(X))
    assert back.score(X, days[y]) == clf.score(X, days[y])
    back.__setstate__(clf.__getstate__() | {"class_weight": {newer[0]: 1, newer[1]: 2}})
    assert_same_weights(back.fit(X, days[y]), clf)


@pytest.mark.parametrize("path", sorted(DATA.glob("*.pickle")), ids=lambda path: path.stem)
def test_old_pickles_predict_as_before(path):
    fitted = pickle.loads(path.read_bytes())
    with np.load(path.with_suffix(".npz")) as then:
        X = then["X"]
        for name, clf in fitted.items():
            np.testing.assert_allclose(clf.predict_proba(X), then[name], rtol=1e-9)
            np.testing.assert_array_equal(clf.predict(X), then[f"{name} labels"])
            before = clf.loss_
            clf.fit(X, then[f"{name} labels"])  # continues with the velocity
            assert clf.loss_curve_[0] < before + 0.05  # the predicted labels are not the true ones
            assert clf.loss_ < before


def test_each_minor_version_has_a_pickle():
    minor = ".".join(two_layer_sigmoid.__version__.split(".")[:2])
    assert (DATA / f"{minor}.pickle").exists()

"""The display of hidden units. Tests look at the artists."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.datasets import make_blobs, make_multilabel_classification
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

pytest.importorskip("pandas")
pytest.importorskip("matplotlib")
import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd

from tests.plots import PETALS, SPECIES, X, network, y
from two_layer_sigmoid.plotting import HiddenUnitsDisplay
from two_layer_sigmoid.plotting._common import COLOURS, NEGATIVE, NEUTRAL, POSITIVE


@pytest.fixture(scope="module")
def moons():
    return network(max_iter=500).fit(X, y)


@pytest.fixture(autouse=True)
def _closed_figures():
    yield
    plt.close("all")


def test_unit_lines_are_at_one_half(moons):
    display = HiddenUnitsDisplay.from_estimator(moons, X)
    assert len(display.lines_) == 4
    drawn = [k for k, line in enumerate(display.lines_) if len(line.get_xydata())]
    assert len(drawn) >= 3
    for k in drawn:
        z = moons.W1_[k] @ display.lines_[k].get_xydata().T + moons.b1_[k]
        np.testing.assert_allclose(z, 0, atol=1e-9 * np.abs(moons.W1_[k]).max())


def test_arrows_point_where_units_rise(moons):
    display = HiddenUnitsDisplay.from_estimator(moons, X)
    drawn = [k for k, line in enumerate(display.lines_) if len(line.get_xydata())]
    feet, rises = display.arrows_.XY, np.column_stack([display.arrows_.U, display.arrows_.V])
    assert len(feet) == len(drawn) == len(display.texts_)
    for k, foot, rise in zip(drawn, feet, rises, strict=True):
        assert moons.W1_[k] @ (foot + rise) + moons.b1_[k] > 0
        assert moons.W1_[k] @ (foot - rise) + moons.b1_[k] < 0


def test_lines_show_the_outgoing_weights(moons):
    display = HiddenUnitsDisplay.from_estimator(moons, X)
    weights = moons.W2_[0]
    np.testing.assert_array_equal(display.outgoing, weights)
    for line, weight in zip(display.lines_, weights, strict=True):
        assert line.get_color() == (POSITIVE if weight > 0 else NEGATIVE)
        assert line.get_linestyle() == ("-" if weight > 0 else "--")
    widths = [line.get_linewidth() for line in display.lines_]
    assert np.argsort(widths).tolist() == np.argsort(np.abs(weights)).tolist()
    texts = [text.get_text() for text in display.texts_]
    assert set(texts) <= {f"{k}: {weight:+.2g}" for k, weight in enumerate(weights)}
    assert HiddenUnitsDisplay.from_estimator(moons, X, show_weights=False).texts_ == []
    many = clone(moons).set_params(n_h=41, max_iter=1).fit(X, moons.predict(X))
    assert HiddenUnitsDisplay.from_estimator(many, X).texts_ == []


def boundary_points(display):
    paths = [path for contour in display.boundary_ for path in contour.get_paths()]
    return np.concatenate([path.vertices for path in paths])


def test_boundary_is_where_the_prediction_changes(moons):
    display = HiddenUnitsDisplay.from_estimator(moons, X, grid_resolution=300)
    logits = moons.decision_function(boundary_points(display))
    assert np.abs(logits).max() < 0.02 * np.abs(moons.decision_function(X)).max()
    assert display.surface_.get_clim() == (0, 1)


def test_other_class_of_two_is_mirrored(moons):
    of_1 = HiddenUnitsDisplay.from_estimator(moons, X)
    of_0 = HiddenUnitsDisplay.from_estimator(moons, X, class_of_interest=0)
    np.testing.assert_allclose(of_0.response, 1 - of_1.response, atol=1e-12)
    np.testing.assert_array_equal(of_0.outgoing, -of_1.outgoing)


def test_lines_behind_a_scaler_use_raw_features():
    raw = X * [10, 0.1] + [100, 3]
    pipeline = make_pipeline(StandardScaler(), network(max_iter=500)).fit(raw, y)
    display = HiddenUnitsDisplay.from_estimator(pipeline, raw)
    clf = pipeline[-1]
    drawn = 0
    for k, line in enumerate(display.lines_):
        if len(line.get_xydata()):
            z = clf.W1_[k] @ pipeline[0].transform(line.get_xydata()).T + clf.b1_[k]
            np.testing.assert_allclose(z, 0, atol=1e-9)
            drawn += 1
    assert drawn >= 3
    assert display.ax_.get_xlim()[0] < raw[:, 0].min()


def test_lines_behind_other_transformers_can_be_curves():
    expand = PolynomialFeatures(2, include_bias=False)
    pipeline = make_pipeline(expand, network(n_h=2, max_iter=200)).fit(X, y)
    display = HiddenUnitsDisplay.from_estimator(pipeline, X, grid_resolution=200)
    points = np.concatenate([line.get_xydata() for line in display.lines_])
    assert len(points)
    hidden = pipeline[-1].W1_ @ expand.transform(points).T + pipeline[-1].b1_
    assert np.abs(hidden).min(axis=0).max() < 0.01


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_data_frames_name_the_axes(library):
    frame = pytest.importorskip(library).DataFrame({"width": X[:, 0], "height": X[:, 1]})
    clf = network().fit(frame, y)
    display = HiddenUnitsDisplay.from_estimator(clf, frame, grid_resolution=10, eps=0.5)
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("width", "height")
    np.testing.assert_allclose(display.ax_.get_xlim(), (X[:, 0].min() - 0.5, X[:, 0].max() + 0.5))


def test_tables_of_arrow_name_the_axes():
    pa = pytest.importorskip("pyarrow", reason="not installed")
    table = pa.table({"left": X[:, 0], "up": X[:, 1]})
    display = HiddenUnitsDisplay.from_estimator(network().fit(table, y), table)
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("left", "up")
    expected = HiddenUnitsDisplay.from_estimator(network().fit(X, y), X)
    np.testing.assert_allclose(display.Z1, expected.Z1)


def test_samplers_of_a_pipeline_are_skipped():
    class Sampler(BaseEstimator):
        """A step of imbalanced-learn: it changes rows in fit only."""

        def fit_resample(self, X, y):
            return X, y

    model = make_pipeline(StandardScaler(), network()).fit(X, y)
    expected = HiddenUnitsDisplay.from_estimator(model, X)
    model.steps.insert(1, ("sample", Sampler()))
    display = HiddenUnitsDisplay.from_estimator(model, X)
    np.testing.assert_array_equal(display.Z1, expected.Z1)


def test_several_classes_show_all_or_one():
    clf = network(max_iter=300).fit(PETALS, SPECIES)
    everything = HiddenUnitsDisplay.from_estimator(clf, PETALS)
    at = np.column_stack([everything.xx0.ravel(), everything.xx1.ravel()])
    predicted = clf.predict(pd.DataFrame(at, columns=PETALS.columns))
    np.testing.assert_array_equal(clf.classes_[everything.response.ravel()], predicted)
    assert len(everything.boundary_) == 3
    np.testing.assert_allclose(everything.outgoing, np.sqrt((clf.W2_**2).sum(axis=0)))
    assert not any("+" in text.get_text() for text in everything.texts_)
    assert {line.get_color() for line in everything.lines_} == {NEUTRAL}

    one = HiddenUnitsDisplay.from_estimator(clf, PETALS, class_of_interest="setosa")
    assert len(one.boundary_) == 1
    np.testing.assert_array_equal(one.outgoing, clf.W2_[0])
    np.testing.assert_array_equal(one.margins[0] > 0, everything.response == 0)


def test_several_classes_have_a_legend(moons):
    clf = network().fit(PETALS, SPECIES)
    everything = HiddenUnitsDisplay.from_estimator(clf, PETALS, grid_resolution=20)
    names = [text.get_text() for text in everything.legend_.get_texts()]
    assert names == ["setosa", "versicolor", "virginica"]
    colours = [patch.get_facecolor()[:3] for patch in everything.legend_.get_patches()]
    assert colours == [mpl.colors.to_rgb(colour) for colour in COLOURS[:3]]
    assert HiddenUnitsDisplay.from_estimator(moons, X, grid_resolution=20).legend_ is None


def test_multilabel_shows_one_label():
    rows, labels = make_multilabel_classification(60, 2, n_classes=3, random_state=0)
    clf = network().fit(rows, labels)
    display = HiddenUnitsDisplay.from_estimator(clf, rows, class_of_interest=2)
    np.testing.assert_array_equal(display.margins[0] > 0, display.response > 0.5)
    np.testing.assert_array_equal(display.outgoing, clf.W2_[2])
    with pytest.raises(ValueError, match=r"one of the labels \[0, 1, 2\], got None"):
        HiddenUnitsDisplay.from_estimator(clf, rows)


@pytest.mark.filterwarnings("ignore:Training ended")  # at so small a rate
def test_units_outside_the_picture_are_not_drawn():
    W1, b1 = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[-100.0], [0.0]])
    start = W1, b1, np.ones((1, 2)), np.array([[-10.0]])
    clf = network(n_h=2, max_iter=1, learning_rate=1e-9, init=start).fit(X, y)
    display = HiddenUnitsDisplay.from_estimator(clf, X)
    assert [len(line.get_xydata()) > 0 for line in display.lines_] == [False, True]
    assert [text.get_text() for text in display.texts_] == ["1: +1"]
    assert display.boundary_ == []


def test_missing_values_can_be_imputed():
    rows = X.copy()
    rows[::7, 0] = np.nan
    pipeline = make_pipeline(SimpleImputer(), network()).fit(rows, y)
    display = HiddenUnitsDisplay.from_estimator(pipeline, rows)
    assert np.isfinite(display.response).all()


def test_response_colours_can_be_chosen(moons):
    display = HiddenUnitsDisplay.from_estimator(moons, X, cmap="viridis", levels=3, alpha=1.0)
    assert display.surface_.get_cmap().name == "viridis"


def test_colours_of_classes_can_be_chosen():
    X, y = make_blobs(60, centers=3, random_state=0)
    clf = network().fit(X, y)
    for given in {"cmap": "viridis"}, {"colors": ["red", "green", "blue"]}, {"colors": "red"}:
        display = HiddenUnitsDisplay.from_estimator(clf, X, grid_resolution=20, **given)
        regions = display.surface_.get_facecolor()
        patches = display.legend_.get_patches()
        np.testing.assert_allclose(
            [patch.get_facecolor() for patch in patches], np.resize(regions, (3, 4))
        )


def test_many_classes_have_different_colours():
    X, y = make_blobs(100, centers=8, random_state=0)
    clf = network().fit(X, y)
    display = HiddenUnitsDisplay.from_estimator(clf, X, grid_resolution=20)
    assert len({patch.get_facecolor() for patch in display.legend_.get_patches()}) == 8


@pytest.mark.parametrize("dtype", [bool, np.int8])
def test_picture_holds_features_of_small_types(dtype):
    X = np.array([[-100, -100], [100, 100], [-100, 100], [100, -100]] * 5).astype(np.int8)
    X = X > 0 if dtype is bool else X
    clf = network().fit(X, X[:, 0] > 0)
    display = HiddenUnitsDisplay.from_estimator(clf, X, grid_resolution=20)
    width = 1 if dtype is bool else 200
    assert np.ptp(display.xx0) == pytest.approx(1.2 * width)


def test_flat_units_have_no_arrow():
    xx0, xx1 = np.meshgrid(*2 * [np.linspace(-1, 1, 21)])
    display = HiddenUnitsDisplay(
        xx0=xx0,
        xx1=xx1,
        response=np.full(xx0.shape, 0.5),
        margins=xx0[np.newaxis],
        Z1=(np.abs(xx0) - 0.01)[np.newaxis],
        outgoing=np.array([1.0]),
    ).plot()
    assert np.isfinite([display.arrows_.U, display.arrows_.V]).all()


def test_constant_feature_gets_a_margin():
    rows = np.column_stack([X[:, 0], np.full(len(X), 3.0)])
    display = HiddenUnitsDisplay.from_estimator(network().fit(rows, y), rows)
    assert display.ax_.get_ylim() == (2, 4)


@pytest.mark.parametrize(
    ("data", "parameters", "message"),
    [
        (X, {"class_of_interest": 7}, r"one of the classes \[0, 1\], got 7"),
        (X, {"grid_resolution": 1}, "grid_resolution must be an int of 2 or more, got 1"),
        (X, {"grid_resolution": 20.5}, r"grid_resolution must be an int of 2 or more, got 20\.5"),
        (X, {"eps": -1.0}, r"eps must be a margin of 0 or more, got -1\.0"),
        (X[:, :1], {}, "minimum of 2 is required"),
        (np.column_stack([X, X]), {}, "X has 4 features, but HiddenUnitsDisplay needs 2"),
    ],
)
def test_hidden_units_display_refuses_bad_input(moons, data, parameters, message):
    with pytest.raises(ValueError, match=message):
        HiddenUnitsDisplay.from_estimator(moons, data, **parameters)


def test_more_than_two_features_are_refused():
    clf = network().fit(np.column_stack([X, X]), y)
    with pytest.raises(ValueError, match="expecting 4 features"):
        HiddenUnitsDisplay.from_estimator(clf, X)

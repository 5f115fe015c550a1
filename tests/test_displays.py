"""The displays of losses, networks and penalties: what is drawn, for whom, and where.

Tests look at the artists.
"""

import io
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
from scipy.special import expit
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    SplineTransformer,
    StandardScaler,
)

pytest.importorskip("pandas")
pytest.importorskip("matplotlib")
import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd

from tests.helpers import slow
from tests.plots import IRIS, PETALS, SPECIES, X, network, y
from two_layer_sigmoid import TwoLayerSigmoidClassifierCV
from two_layer_sigmoid.plotting import (
    HiddenUnitsDisplay,
    LossCurveDisplay,
    NetworkDisplay,
    RegularizationPathDisplay,
)
from two_layer_sigmoid.plotting._common import COLOURS

DISPLAYS = {
    LossCurveDisplay: LossCurveDisplay.from_estimator,
    HiddenUnitsDisplay: partial(HiddenUnitsDisplay.from_estimator, X=X, grid_resolution=20),
    NetworkDisplay: NetworkDisplay.from_estimator,
}


@pytest.fixture(scope="module")
def moons():
    return network(max_iter=500).fit(X, y)


@pytest.fixture(autouse=True)
def _closed_figures():
    yield
    plt.close("all")


# What all have in common.


@pytest.fixture(params=DISPLAYS, ids=lambda display: display.__name__)
def from_estimator(request):
    return DISPLAYS[request.param]


def test_display_uses_the_given_axes(from_estimator, moons):
    figure, (left, right) = plt.subplots(1, 2)
    before = plt.get_fignums()
    display = from_estimator(moons, ax=left)
    assert display.ax_ is left
    assert display.figure_ is figure
    assert display.plot(right) is display
    assert display.ax_ is right
    assert left.lines or left.collections
    assert right.lines or right.collections
    assert plt.get_fignums() == before


def test_display_makes_one_figure(from_estimator, moons):
    before = plt.get_fignums()
    settings = dict(mpl.rcParams)
    display = from_estimator(moons)
    assert len(plt.get_fignums()) == len(before) + 1
    assert display.figure_.axes[0] is display.ax_
    assert dict(mpl.rcParams) == settings


class Halved(TransformerMixin, BaseEstimator):
    """A transformer that learns nothing and names nothing."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return np.asarray(X) / 2


@pytest.mark.parametrize(
    "estimator",
    [
        slow(make_pipeline(StandardScaler(), network())),
        slow(GridSearchCV(make_pipeline(StandardScaler(), network()), [{}], cv=2)),
        make_pipeline(StandardScaler(), GridSearchCV(network(), {"n_h": [3]}, cv=2)),
        slow(make_pipeline(StandardScaler(), make_pipeline(MinMaxScaler(), network()))),
        slow(make_pipeline(network())),
        make_pipeline("passthrough", network()),
        slow(make_pipeline(Halved(), network())),
        slow(make_pipeline(StandardScaler(), network()).set_output(transform="pandas")),
        make_pipeline(SplineTransformer(sparse_output=True), network()),
    ],
    ids=str,
)
def test_display_accepts_pipelines_and_searches(from_estimator, estimator):
    from_estimator(clone(estimator).fit(X, y))


@pytest.mark.parametrize("labels", [["no", "yes"], [False, True], [-1.0, 1.0]], ids=str)
def test_display_accepts_labels_of_any_type(from_estimator, labels):
    from_estimator(network().fit(X, np.array(labels)[y]))


@pytest.mark.parametrize("display", [HiddenUnitsDisplay, NetworkDisplay])
@pytest.mark.parametrize("parse_math", [True, slow(False)])
def test_names_with_two_dollars_are_no_formulas(display, parse_math):
    features, classes = [r"$a{$", r"cost in $, \$ or $"], ["1$ to 2$", r"$\frac{$", r"\$ $x_1$"]
    frame = pd.DataFrame(PETALS.to_numpy(), columns=features)
    clf = network().fit(frame, np.array(classes)[IRIS.target])
    data = {"X": frame, "grid_resolution": 20} if display is HiddenUnitsDisplay else {}
    with mpl.rc_context({"text.parse_math": parse_math, "svg.fonttype": "none"}):
        figure, file = display.from_estimator(clf, **data).figure_, io.StringIO()
        for text in figure.findobj(mpl.text.Text):
            text.set_path_effects([])  # they draw letters as paths
        figure.savefig(file, format="svg")
    for name in features + classes:
        assert f">{name}</text>" in file.getvalue()


def test_display_accepts_float32(from_estimator):
    from_estimator(network().fit(X.astype(np.float32), y))


def test_display_does_not_change_the_estimator(from_estimator, moons):
    weights = [array.copy() for array in (moons.W1_, moons.b1_, moons.W2_, moons.b2_)]
    names = set(vars(moons))
    from_estimator(moons)
    after = moons.W1_, moons.b1_, moons.W2_, moons.b2_
    assert all(np.array_equal(a, b) for a, b in zip(after, weights, strict=True))
    assert set(vars(moons)) == names


def test_display_refuses_unfitted_estimators(from_estimator):
    for estimator in network(), make_pipeline(StandardScaler(), network()):
        with pytest.raises(NotFittedError):
            from_estimator(estimator)


def test_display_refuses_other_estimators(from_estimator):
    other = LogisticRegression().fit(X, y)
    for estimator in other, make_pipeline(StandardScaler(), other).fit(X, y):
        with pytest.raises(TypeError, match=r"TwoLayerSigmoidClassifier.*got LogisticRegression"):
            from_estimator(estimator)
    search = GridSearchCV(network(), {"n_h": [3]}, cv=2, refit=False).fit(X, y)
    with pytest.raises(TypeError, match=r"refit=True; got GridSearchCV"):
        from_estimator(search)
    assert plt.get_fignums() == []


@pytest.mark.slow
def test_import_does_not_load_matplotlib():
    code = "import sys, two_layer_sigmoid.plotting; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_missing_matplotlib_names_the_extra(from_estimator, moons, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"Display.* requires matplotlib.*install"):
        from_estimator(moons)


# The loss curve.


def test_loss_curve_shows_the_training_loss(moons):
    display = LossCurveDisplay.from_estimator(moons, name="moons")
    np.testing.assert_array_equal(display.line_.get_ydata(), moons.loss_curve_)
    np.testing.assert_array_equal(display.line_.get_xdata(), np.arange(moons.n_iter_))
    assert display.validation_line_ is None
    assert display.best_iteration_ == np.argmin(moons.loss_curve_)
    assert display.ax_.get_xlabel() == "iteration"
    assert display.ax_.get_yscale() == "linear"
    (label,) = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert label.startswith("moons, training, lowest ")
    assert label.endswith(f" at {display.best_iteration_}")


def test_best_iteration_uses_the_validation_curve():
    clf = network(max_iter=300, early_stopping=True).fit(X, y)
    assert clf.stop_reason_ == "early_stopping"
    display = LossCurveDisplay.from_estimator(clf, log_scale=True)
    np.testing.assert_array_equal(display.validation_line_.get_ydata(), clf.validation_loss_curve_)
    assert display.validation_line_.get_linestyle() == "--"
    best = display.best_iteration_
    assert best == np.argmin(clf.validation_loss_curve_) == clf.n_iter_ - clf.n_iter_no_change
    assert display.best_.get_xydata().tolist() == [[best, clf.validation_loss_curve_[best]]]
    assert display.ax_.get_yscale() == "log"
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels == [
        "training",
        f"validation, lowest {min(clf.validation_loss_curve_):.4g} at {best}",
    ]


def test_several_loss_curves_share_axes():
    ax = None
    for rate in range(1, 9):
        clf = network(learning_rate=rate, max_iter=20).fit(X, y)
        ax = LossCurveDisplay.from_estimator(clf, name=f"rate {rate}", ax=ax).ax_
    curves = [line for line in ax.lines if line.get_gid()]
    assert [line.get_color() for line in curves] == [*COLOURS, *COLOURS[:2]]
    assert len({line.get_marker() for line in curves}) == len(COLOURS)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert [label.split(",")[0] for label in labels] == [f"rate {rate}" for rate in range(1, 9)]


def test_loss_curve_accepts_line_properties():
    clf = network(early_stopping=True).fit(X, y)
    display = LossCurveDisplay.from_estimator(clf, color="black", linewidth=3)
    assert display.line_.get_color() == display.validation_line_.get_color() == "black"
    assert display.best_.get_color() == "black"
    assert display.line_.get_linewidth() == 3
    assert display.plot(name="again").line_.get_label() == "again, training"
    other = display.plot(c="red", lw=2, ls=":", label="mine")
    assert (other.line_.get_color(), other.line_.get_label()) == ("red", "mine")
    assert other.validation_line_.get_linestyle() == ":"


def test_loss_curve_of_minibatches_counts_epochs():
    clf = network(batch_size=50).fit(X, y)
    assert LossCurveDisplay.from_estimator(clf).ax_.get_xlabel() == "epoch"


def test_empty_loss_curve_is_refused():
    with pytest.warns(ConvergenceWarning, match="plateau"):
        clf = network(tol=10).fit(X, y)
    assert clf.n_iter_ == 0
    with pytest.raises(ValueError, match="no finite entry"):
        LossCurveDisplay.from_estimator(clf)
    assert plt.get_fignums() == []


def test_best_loss_is_in_the_legend():
    display = LossCurveDisplay(loss_curve=[1.0, np.nan, 0.5, np.inf]).plot()
    assert display.best_iteration_ == 2


# The network.


def test_network_has_all_nodes_and_edges():
    clf = network(n_h=3).fit(IRIS.data, SPECIES)
    display = NetworkDisplay.from_estimator(clf)
    assert [len(nodes.get_offsets()) for nodes in display.nodes_] == [4, 3, 3]
    for edges, W in zip(display.edges_, (clf.W1_, clf.W2_), strict=True):
        weights = edges.get_array()
        np.testing.assert_array_equal(np.sort(weights), np.sort(W.ravel()))
        widths = edges.get_linewidths()
        assert np.argsort(widths).tolist() == np.argsort(np.abs(weights)).tolist()
        dashed = [dashes is not None for _, dashes in edges.get_linestyles()]
        assert dashed == (weights <= 0).tolist()
    assert display.note_.get_text() == ""
    np.testing.assert_array_equal(display.nodes_[1].get_array(), clf.b1_.ravel())
    np.testing.assert_array_equal(display.nodes_[2].get_array(), clf.b2_.ravel())
    largest = max(np.abs(array).max() for array in (clf.W1_, clf.b1_, clf.W2_, clf.b2_))
    assert display.edges_[0].get_clim() == display.nodes_[2].get_clim() == (-largest, largest)


def test_edges_join_their_nodes():
    clf = network(n_h=3).fit(IRIS.data, SPECIES)
    display = NetworkDisplay.from_estimator(clf)
    layers = [nodes.get_offsets() for nodes in display.nodes_]
    for edges, W, left, right in zip(
        display.edges_, (clf.W1_, clf.W2_), layers, layers[1:], strict=False
    ):
        for weight, (start, end) in zip(edges.get_array(), edges.get_segments(), strict=True):
            ((i, j),) = np.argwhere(weight == W)
            np.testing.assert_array_equal([start, end], [left[j], right[i]])


def test_strong_edges_are_drawn_last(moons):
    for edges in NetworkDisplay.from_estimator(moons).edges_:
        assert (np.diff(np.abs(edges.get_array())) >= 0).all()


def names_of(display):
    return [[text.get_text() for text in texts] for texts in display.texts_]


def test_network_names_come_from_frame_and_classes():
    clf = network(n_h=2).fit(PETALS, SPECIES)
    species = IRIS.target_names.tolist()
    assert names_of(NetworkDisplay.from_estimator(clf)) == [[*PETALS], ["0", "1"], species]
    scaled = make_pipeline(StandardScaler(), network(n_h=2)).fit(PETALS, SPECIES)
    assert names_of(NetworkDisplay.from_estimator(scaled))[0] == [*PETALS]


def test_features_without_names_are_numbered(moons):
    assert names_of(NetworkDisplay.from_estimator(moons)) == [
        ["x0", "x1"],
        ["0", "1", "2", "3"],
        ["1"],  # the one output of two classes is the second's
    ]
    for nameless in FunctionTransformer(), "passthrough":
        pipeline = make_pipeline(nameless, network(n_h=2, max_iter=200)).fit(X, y)
        assert names_of(NetworkDisplay.from_estimator(pipeline))[0] == ["x0", "x1"]


def test_network_names_can_be_given(moons):
    display = NetworkDisplay.from_estimator(
        moons, feature_names=["a", "b"], class_names=["no", "yes"]
    )
    assert [names_of(display)[0], names_of(display)[2]] == [["a", "b"], ["yes"]]
    with pytest.raises(
        ValueError, match="feature_names has 1 name, but the network needs 2: give 2"
    ):
        NetworkDisplay.from_estimator(moons, feature_names=["a"])
    with pytest.raises(ValueError, match="class_names has 3 names, but the network needs 2"):
        NetworkDisplay.from_estimator(moons, class_names=["a", "b", "c"])


def test_networks_can_share_a_scale(moons):
    display = NetworkDisplay.from_estimator(moons, max_weight=100.0, colorbar=False)
    assert display.edges_[0].get_clim() == (-100, 100)
    assert len(display.figure_.axes) == 1
    assert max(display.edges_[0].get_linewidths()) < 2
    for bad in -1.0, 0.0, np.nan:
        with pytest.raises(ValueError, match="max_weight must be above 0"):
            display.plot(max_weight=bad)


def test_small_weights_are_visible(moons):
    display = NetworkDisplay.from_estimator(moons)
    for weight in -1e-6, 1e-6:
        assert min(display.edges_[0].to_rgba(weight)[:3]) < 0.8


def test_large_layers_have_thinned_names():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(40, 64))
    clf = network().fit(rows, rows[:, 0] > 0)
    display = NetworkDisplay.from_estimator(clf, max_nodes=None)
    assert [len(texts) for texts in display.texts_] == [22, 4, 1]
    assert names_of(display)[0][:3] == ["x0", "x3", "x6"]
    heights = [text.xy[1] for text in display.texts_[0]]
    nodes = display.nodes_[0].get_offsets()[::3, 1]
    np.testing.assert_array_equal(heights, nodes)
    assert display.note_.get_text() == ""


# Unit 2 has the largest weights in W2, but is always near 1. Input 0 has the largest ones in W1,
# but is almost constant.
FOUR_UNITS = {
    "W1": np.array([[90.0, 0.1, 1.0], [80.0, 0.2, -1.5], [70.0, 0.3, 1.1], [60.0, 0.4, 2.0]]),
    "b1": np.array([[0.1], [-0.2], [40.0], [0.3]]),
    "W2": np.array([[1.0, -3.0, 99.0, 2.0], [0.0, 0.5, 98.0, -0.4]]),
    "b2": np.array([[0.5], [-0.6]]),
    "mean": np.array([0.0, 5.0, 0.0]),
    "var": np.array([1e-8, 1.0, 4.0]),
    "feature_names": ["constant", "weak", "strong"],
    "class_names": ["no", "yes"],
}


def test_units_of_little_influence_are_left_out():
    display = NetworkDisplay(**FOUR_UNITS).plot(max_nodes=2)
    assert names_of(display) == [["weak", "strong"], ["1", "3"], ["no", "yes"]]
    assert display.note_.get_text() == "2 of 3 inputs, 2 of 4 hidden units"
    W1, W2 = FOUR_UNITS["W1"][[1, 3], 1:], FOUR_UNITS["W2"][:, [1, 3]]
    for edges, W in zip(display.edges_, (W1, W2), strict=True):
        assert sorted(edges.get_array()) == sorted(W.ravel())
    inputs, hidden, _ = (nodes.get_offsets() for nodes in display.nodes_)
    np.testing.assert_array_equal(display.nodes_[1].get_array(), [-0.2, 0.3])
    strongest = display.edges_[0].get_segments()[-1]
    np.testing.assert_array_equal(strongest, [inputs[1], hidden[1]])
    assert display.edges_[0].get_clim() == (-3, 3)  # the largest weight that is drawn
    alone = display.plot(max_nodes=1)
    assert names_of(alone) == [["strong"], ["1"], ["no", "yes"]]


def test_features_of_unknown_spread_count_alike():
    params = {name: value for name, value in FOUR_UNITS.items() if name not in ("mean", "var")}
    display = NetworkDisplay(**params).plot(max_nodes=1)
    assert names_of(display)[0] == ["constant"]


def test_stacked_networks_are_thinned():
    clf = TwoLayerSigmoidClassifierCV(20, cv=3, max_iter=10, random_state=0).fit(IRIS.data, SPECIES)
    display = NetworkDisplay.from_estimator(clf)
    assert [len(nodes.get_offsets()) for nodes in display.nodes_] == [4, 20, 3]
    assert display.note_.get_text() == "20 of 60 hidden units"
    units = [int(name) for name in names_of(display)[1]]
    assert units == sorted(set(units))
    np.testing.assert_array_equal(display.nodes_[1].get_array(), clf.b1_[units, 0])
    activations = expit(IRIS.data.to_numpy() @ clf.W1_.T + clf.b1_.T)
    spread = np.abs(clf.W2_).sum(axis=0) * activations.std(axis=0)  # without an approximation
    assert spread[units].sum() > 0.9 * np.sort(spread)[-20:].sum()
    whole = NetworkDisplay.from_estimator(clf, max_nodes=None)
    assert len(whole.edges_[0].get_array()) == clf.W1_.size


@pytest.mark.parametrize("bad", [0, -1, 2.5, "all"])
def test_bad_numbers_of_nodes_are_refused(moons, bad):
    with pytest.raises(ValueError, match="max_nodes must be an int of 1 or more, or None, got"):
        NetworkDisplay.from_estimator(moons, max_nodes=bad)
    assert plt.get_fignums() == []


# The path of penalties.


@pytest.fixture(scope="module")
def with_path():
    clf = TwoLayerSigmoidClassifierCV(3, cv=3, random_state=0)
    return make_pipeline(StandardScaler(), clf).fit(X, y)


def test_path_shows_losses_and_the_chosen_penalty(with_path):
    clf = with_path[-1]
    _, ax = plt.subplots()
    display = RegularizationPathDisplay.from_estimator(with_path, ax=ax)
    assert display.ax_ is ax
    path = np.transpose([clf.alphas_, clf.held_out_losses_])
    np.testing.assert_array_equal(display.held_out_line_.get_xydata(), path)
    np.testing.assert_array_equal(display.best_.get_xydata(), [[clf.alpha_, clf.held_out_loss_]])
    assert [*ax.lines] == [display.held_out_line_, display.best_]
    assert ax.get_xscale() == "log"


def test_path_accepts_line_properties(with_path):
    display = RegularizationPathDisplay.from_estimator(with_path, c="red", ls=":", ms=9)
    line = display.held_out_line_
    assert (line.get_color(), line.get_linestyle(), line.get_markersize()) == ("red", ":", 9)
    assert display.best_.get_color() == "red"


@pytest.mark.parametrize("alphas", [[0.0], [0.0, 0.001, 0.1]])
def test_path_shows_the_penalty_zero(alphas):
    clf = TwoLayerSigmoidClassifierCV(4, alphas=alphas, max_iter=5, random_state=0).fit(X, y)
    display = RegularizationPathDisplay.from_estimator(clf)
    display.figure_.canvas.draw()
    low, high = display.ax_.get_xlim()
    assert low <= 0 <= max(alphas) <= high
    assert np.isfinite(display.ax_.transData.transform([[0.0, 0.5]])).all()


def test_path_needs_a_fit_that_searched(moons):
    with pytest.raises(ValueError, match="Display needs a TwoLayerSigmoidClassifierCV"):
        RegularizationPathDisplay.from_estimator(moons)

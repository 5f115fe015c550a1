"""
=====================================
Choosing the penalty on held-out rows
=====================================

``TwoLayerSigmoidClassifierCV`` chooses the penalty by cross-validation and averages the networks of
the folds. This example compares its estimate of the loss of new rows with the loss of many test
rows, and the average with one network.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss

from two_layer_sigmoid import TwoLayerSigmoidClassifier, TwoLayerSigmoidClassifierCV
from two_layer_sigmoid.plotting import HiddenUnitsDisplay, RegularizationPathDisplay

# The networks are meant to stop before the minimum.
warnings.simplefilter("ignore", ConvergenceWarning)


def draw(seed):
    """Return 200 noisy training rows and 10,000 test rows."""
    X, y = make_moons(10_200, noise=0.4, random_state=seed)
    return X[:200], y[:200], X[200:], y[200:]


def one_network(alpha, max_iter, n_h=32):
    """Return one network that is trained on all rows, like that of a fold."""
    return TwoLayerSigmoidClassifier(
        n_h, solver="lbfgs", alpha=alpha, max_iter=max_iter, random_state=0
    )


def loss_on(X_test, y_test, clf):
    """Return the log loss of these rows."""
    return log_loss(y_test, clf.predict_proba(X_test))


# %%
# The search of the penalty
# -------------------------
# ``alphas_`` has the penalties that were tried, from weak to strong, and ``held_out_losses_`` the
# mean loss of the rows, each predicted by the network that was trained without its fold. The test
# loss is that of one network with each penalty, trained on all rows for as many iterations.

X, y, *test = draw(0)
clf = TwoLayerSigmoidClassifierCV(random_state=0).fit(X, y)
networks = [one_network(alpha, clf.max_iter).fit(X, y) for alpha in clf.alphas_]
test_losses = [loss_on(*test, network) for network in networks]
print("   alpha  held-out    test")
for row in zip(clf.alphas_, clf.held_out_losses_, test_losses, strict=True):
    print("{:8.1e}{:10.3f}{:8.3f}".format(*row))
print(f"chosen: alpha {clf.alpha_:.1e}, held-out loss {clf.held_out_loss_:.3f}")

# %%
# ``RegularizationPathDisplay`` draws the search. The star is the chosen penalty.

display = RegularizationPathDisplay.from_estimator(clf)
display.ax_.plot(clf.alphas_, test_losses, color="black", linestyle=":", label="test")
display.ax_.set_title("200 noisy rows of two moons")
display.ax_.legend()
plt.show()

# %%
# The estimate, the average and one network
# -----------------------------------------
# For five draws of the rows: the estimate ``held_out_loss_``, and the test losses of the average,
# of one network with the same penalty and iterations, and of one network with ``alpha="scale"``
# that is trained to the minimum.

print("draw   alpha  held-out  average  one network  alpha='scale'")
losses = []
for seed in range(5):
    X, y, *test = draw(seed)
    clf = TwoLayerSigmoidClassifierCV(random_state=0).fit(X, y)
    models = (
        clf,
        one_network(clf.alpha_, clf.n_iter_).fit(X, y),
        one_network("scale", 1000).fit(X, y),
    )
    losses.append([clf.held_out_loss_, *(loss_on(*test, model) for model in models)])
    print(f"{seed:4}{clf.alpha_:8.1e}" + "{:10.3f}{:9.3f}{:13.3f}{:15.3f}".format(*losses[-1]))
print("mean        " + "{:10.3f}{:9.3f}{:13.3f}{:15.3f}".format(*np.mean(losses, axis=0)))

# %%
# The estimate is rather too high, because each row is predicted by one network, trained on three
# quarters of the rows. The average has about the loss of one network that is trained on all rows:
# on two classes averaging only makes up for the missing quarter. It gains more with many classes.
# On so few rows the choice of the penalty is uncertain, and the rule of ``alpha="scale"`` is as
# good here.
# :doc:`The benchmarks </benchmarks>` compare ``TwoLayerSigmoidClassifierCV`` on real data sets.
#
# The average is one network
# --------------------------
# The average of four networks with four hidden units each is a network with sixteen units. The
# points are the training rows.

X, y, *test = draw(0)
average = TwoLayerSigmoidClassifierCV(4, random_state=0).fit(X, y)
models = {
    "one network": one_network(average.alpha_, average.n_iter_, n_h=4).fit(X, y),
    "average": average,
}
figure, axes = plt.subplots(1, 2, figsize=(10, 4.5), sharey=True, layout="constrained")
for ax, (name, clf) in zip(axes, models.items(), strict=True):
    HiddenUnitsDisplay.from_estimator(clf, X, ax=ax, show_weights=False)
    for label, marker, colour in [(0, "o", "#542788"), (1, "^", "#B35806")]:
        style = {"marker": marker, "c": colour, "edgecolors": "white", "linewidths": 0.5}
        ax.scatter(*X[y == label].T, s=24, **style)
    ax.set_title(f"{name}: {len(clf.W1_)} units, test loss {loss_on(*test, clf):.3f}")
plt.show()

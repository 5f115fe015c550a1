"""
=======================================
Choosing alpha without cross-validation
=======================================

``alpha="loo"`` trains with a path of penalties and estimates for each of them the loss on new rows,
without held-out rows and without folds. This example compares the estimate with the loss of many
test rows, and the choice with that of cross-validation.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV

from two_layer_sigmoid import TwoLayerSigmoidClassifier
from two_layer_sigmoid.plotting import HiddenUnitsDisplay, RegularizationPathDisplay

warnings.simplefilter("ignore", ConvergenceWarning)  # the strongest penalties learn nothing


def draw(seed):
    """Return 200 noisy training rows and 10,000 test rows."""
    X, y = make_moons(10_200, noise=0.4, random_state=seed)
    return X[:200], y[:200], X[200:], y[200:]


def network(alpha):
    """Return a network of 8 hidden units with this penalty."""
    return TwoLayerSigmoidClassifier(8, solver="lbfgs", alpha=alpha, random_state=0)


# %%
# The path of penalties
# ---------------------
# ``loo_path_`` has the penalties, from weak to strong, and two losses for each. The training loss
# is lowest for the weakest penalty, so it does not show overfitting. The leave-one-out loss is the
# mean loss of the rows, each predicted by a network trained without it. One Newton step
# approximates each of these trainings. For the weakest penalties the estimate is too low here: the
# network depends so much on single rows that one step is not enough. But it rises there, too.
#
# The test loss needs one more training for each penalty. Like the path, it continues from the
# weights of the previous penalty, for at most 250 iterations.

X, y, X_test, y_test = draw(1)
clf = network("loo").fit(X, y)
follower = network(0).set_params(warm_start=True, max_iter=250)
test_loss = [
    log_loss(y_test, follower.set_params(alpha=alpha).fit(X, y).predict_proba(X_test))
    for alpha in clf.loo_path_["alpha"]
]
print("   alpha  training  leave-one-out    test")
for *row, test in zip(*clf.loo_path_.values(), test_loss, strict=True):
    alpha, loo_loss, train_loss = row
    print(f"{alpha:8.1e}{train_loss:10.3f}{loo_loss:15.3f}{test:8.3f}")
print(f"chosen: alpha {clf.alpha_:.1e}, leave-one-out loss {clf.loo_loss_:.3f}")

# %%
# ``RegularizationPathDisplay`` draws the path. The star is the chosen penalty.

display = RegularizationPathDisplay.from_estimator(clf)
display.ax_.plot(clf.loo_path_["alpha"], test_loss, color="black", linestyle=":", label="test")
display.ax_.set_title("200 noisy rows of two moons")
display.ax_.legend()
plt.show()

# %%
# Decision boundaries
# -------------------
# The weakest penalty of the path, the chosen one, and a strong one. The points are the training
# rows.

figure, axes = plt.subplots(1, 3, figsize=(12, 4.2), sharey=True, layout="constrained")
for ax, alpha in zip(axes, [clf.loo_path_["alpha"][0], clf.alpha_, 1e-2], strict=True):
    HiddenUnitsDisplay.from_estimator(network(alpha).fit(X, y), X, ax=ax, show_weights=False)
    for label, marker, colour in [(0, "o", "#542788"), (1, "^", "#B35806")]:
        style = {"marker": marker, "c": colour, "edgecolors": "white", "linewidths": 0.5}
        ax.scatter(*X[y == label].T, s=24, **style)
    ax.set_title(f"alpha={alpha:.1e}")
plt.show()

# %%
# Compared with cross-validation
# ------------------------------
# For three draws of the training rows: alpha and test loss of ``alpha="loo"``, and of 5-fold
# cross-validation over all penalties that a path can have.

grid = {"alpha": np.logspace(-2.5, 2, 10) / len(X)}
print("draw  loo: alpha   loss  5-fold: alpha   loss")
for seed in range(3):
    X, y, X_test, y_test = draw(seed)
    clf = network("loo").fit(X, y)
    search = GridSearchCV(network(0), grid, scoring="neg_log_loss", cv=5, n_jobs=2).fit(X, y)
    loo, folds = (log_loss(y_test, model.predict_proba(X_test)) for model in (clf, search))
    print(f"{seed:4}{clf.alpha_:12.1e}{loo:7.3f}{search.best_params_['alpha']:15.1e}{folds:7.3f}")

# %%
# On so few noisy rows "loo" can choose a penalty that is too weak by one step of the path. It needs
# one short training for each penalty, 5-fold cross-validation five complete ones.

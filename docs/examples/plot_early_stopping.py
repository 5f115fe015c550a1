"""
==============
Early stopping
==============

On few, noisy rows a network goes on to learn the noise. Early stopping holds out rows, watches
their log loss (never their accuracy, which hardly moves), and keeps the weights with the lowest.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import make_moons
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from two_layer_sigmoid import TwoLayerSigmoidClassifier
from two_layer_sigmoid.plotting import HiddenUnitsDisplay, LossCurveDisplay

X, y = make_moons(3200, noise=0.4, random_state=0)
X_train, X_val, X_test = X[:100], X[100:200], X[200:]
y_train, y_val, y_test = y[:100], y[100:200], y[200:]

# %%
# Where the two curves part
# -------------------------
# Here a patience of 3000 iterations lets training run to its end, so that the curves can be seen in
# full. The star is where the loss of the held-out rows is lowest: those weights are kept.

settings = {"n_h": 8, "solver": "lbfgs", "tol": 1e-3, "random_state": 0}
patient = TwoLayerSigmoidClassifier(early_stopping=True, n_iter_no_change=3000, **settings)
patient.fit(X_train, y_train, X_val=X_val, y_val=y_val)
display = LossCurveDisplay.from_estimator(patient, log_scale=True)
display.ax_.set_title("Training goes on to learn the noise")
plt.show()

# %%
# Stopping in time
# ----------------
# ``n_iter_no_change`` iterations without a lower validation loss end training. A penalty holds the
# noise back too; cross-validation chooses how strong it is from the same 200 rows, and leaves all
# of them to train on. The test rows, which none of them saw, judge.

stopped = TwoLayerSigmoidClassifier(early_stopping=True, **settings)
stopped.fit(X_train, y_train, X_val=X_val, y_val=y_val)
search = GridSearchCV(
    TwoLayerSigmoidClassifier(**settings),
    {"alpha": [1e-4, 3e-4, 1e-3, 3e-3, 1e-2]},
    scoring="neg_log_loss",
    cv=StratifiedKFold(5, shuffle=True, random_state=0),
).fit(X[:200], y[:200])
networks = {
    "to the end": TwoLayerSigmoidClassifier(**settings).fit(X_train, y_train),
    "early stopping": stopped,
    f"alpha={search.best_params_['alpha']:g}": search.best_estimator_,
}
for name, clf in networks.items():
    loss = log_loss(y_test, clf.predict_proba(X_test))
    print(f"{name:15} {clf.n_iter_:5} iterations, log loss of the test rows {loss:.3f}")

# %%
# The boundaries
# --------------

figure, axes = plt.subplots(1, 3, figsize=(12, 4.2), sharey=True, layout="constrained")
for ax, (name, clf) in zip(axes, networks.items(), strict=True):
    HiddenUnitsDisplay.from_estimator(clf, X_train, ax=ax, show_weights=False)
    for label, marker, colour in [(0, "o", "#542788"), (1, "^", "#B35806")]:
        style = {"marker": marker, "c": colour, "edgecolors": "white", "linewidths": 0.5}
        ax.scatter(*X_train[y_train == label].T, s=24, **style)
    ax.set_title(name)
plt.show()

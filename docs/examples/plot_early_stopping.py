"""
==============
Early stopping
==============

On few, noisy rows long training overfits. Early stopping monitors the log loss of a validation set
and keeps the weights with the lowest one. It does not use accuracy, which hardly changes.
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
# Training and validation loss
# ----------------------------
# The patience is 3000 iterations here. Training therefore continues after the minimum, and the full
# curves are visible. The star marks the lowest validation loss; ``fit`` keeps the weights of that
# iteration.

settings = {"n_h": 8, "solver": "lbfgs", "max_iter": 1000, "alpha": 0, "tol": 1e-3}
settings |= {"random_state": 0}
patient = TwoLayerSigmoidClassifier(early_stopping=True, n_iter_no_change=3000, **settings)
patient.fit(X_train, y_train, X_val=X_val, y_val=y_val)
display = LossCurveDisplay.from_estimator(patient, log_scale=True)
display.ax_.set_title("Overfitting: the validation loss rises after its minimum")
plt.show()

# %%
# Early stopping compared with a penalty
# --------------------------------------
# Early stopping ends training after ``n_iter_no_change`` iterations without a lower validation
# loss. A penalty also reduces overfitting. Cross-validation chooses its strength ``alpha`` from the
# same 200 rows, and the final network trains on all of them. No network was trained on the test
# rows.

stopped = TwoLayerSigmoidClassifier(early_stopping=True, **settings)
stopped.fit(X_train, y_train, X_val=X_val, y_val=y_val)
search = GridSearchCV(
    TwoLayerSigmoidClassifier(**settings),
    {"alpha": [1e-4, 3e-4, 1e-3, 3e-3, 1e-2]},
    scoring="neg_log_loss",
    cv=StratifiedKFold(5, shuffle=True, random_state=0),
).fit(X[:200], y[:200])
networks = {
    "no early stopping": TwoLayerSigmoidClassifier(**settings).fit(X_train, y_train),
    "early stopping": stopped,
    f"alpha={search.best_params_['alpha']:g}": search.best_estimator_,
}
for name, clf in networks.items():
    loss = log_loss(y_test, clf.predict_proba(X_test))
    print(f"{name:17} {clf.n_iter_:5} iterations, log loss of the test rows {loss:.3f}")

# %%
# Decision boundaries
# -------------------
# The points are the rows of the first two trainings. The third network was trained on 100 more.

figure, axes = plt.subplots(1, 3, figsize=(12, 4.2), sharey=True, layout="constrained")
for ax, (name, clf) in zip(axes, networks.items(), strict=True):
    HiddenUnitsDisplay.from_estimator(clf, X_train, ax=ax, show_weights=False)
    for label, marker, colour in [(0, "o", "#542788"), (1, "^", "#B35806")]:
        style = {"marker": marker, "c": colour, "edgecolors": "white", "linewidths": 0.5}
        ax.scatter(*X_train[y_train == label].T, s=24, **style)
    ax.set_title(name)
plt.show()

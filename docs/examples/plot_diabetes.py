"""
================================
Tuning a pipeline on a dataframe
================================

The columns of this data set have different types and scales. A ``ColumnTransformer`` prepares each
kind of column, a search tunes the number of hidden units and the penalty, and held-out rows measure
the result.

The data are those of Efron, Hastie, Johnstone and Tibshirani, "Least angle regression", Annals of
Statistics 32, 2004, in scikit-learn: 442 diabetes patients, ten measurements, and the progression
of the disease a year later.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_diabetes
from sklearn.dummy import DummyClassifier
from sklearn.inspection import permutation_importance
from sklearn.metrics import RocCurveDisplay, log_loss
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, PowerTransformer

from two_layer_sigmoid import TwoLayerSigmoidClassifier
from two_layer_sigmoid.plotting import NetworkDisplay

X, progression = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
X = X.replace({"sex": {1.0: "first", 2.0: "second"}})  # the coding is not documented
y = np.where(progression > 150, "fast", "slow")
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
X_train.head()

# %%
# Prepare each kind of column
# ---------------------------
# The category becomes a column of 0 and 1. Skewed measurements are made symmetric. The remaining
# measurements are passed through: the network trains on standardised features by default. The
# transformers are part of the pipeline, so they are fitted on the training folds only.

skewed = ["bmi", "s3", "s4", "s6"]
prepare = make_column_transformer(
    (OneHotEncoder(drop="if_binary"), ["sex"]),
    (PowerTransformer(), skewed),
    remainder="passthrough",
    verbose_feature_names_out=False,
)
clf = TwoLayerSigmoidClassifier(solver="lbfgs", random_state=0)
pipeline = Pipeline([("prepare", prepare), ("clf", clf)])

# %%
# Search the number of hidden units and the penalty
# -------------------------------------------------
# The candidates are compared by log loss. The penalties grow by a constant factor.

grid = {"clf__n_h": [1, 2, 4], "clf__alpha": [1e-3, 3e-3, 1e-2, 3e-2]}
search = GridSearchCV(pipeline, grid, scoring="neg_log_loss").fit(X_train, y_train)
print(search.best_params_)

# %%
# A small number of units is enough for these few, noisy rows.

search.best_estimator_

# %%
# Evaluate on the test rows
# -------------------------

best = search.best_estimator_
constant = DummyClassifier(strategy="prior").fit(X_train, y_train)
for name, model in {"constant prediction": constant, "network": best}.items():
    loss = log_loss(y_test, model.predict_proba(X_test))
    print(f"{name}: accuracy {model.score(X_test, y_test):.3f}, log loss {loss:.3f} nats")

display = RocCurveDisplay.from_estimator(best, X_test, y_test, pos_label="fast", name="network")
display.ax_.plot([0, 1], [0, 1], color="0.5", linestyle=":")
display.ax_.set_title("ROC curve of the test rows")
plt.show()

# %%
# Inspect the network
# -------------------
# The permutation importance of a column is the increase of the log loss if its values are shuffled.

importance = permutation_importance(
    best, X_test, y_test, scoring="neg_log_loss", n_repeats=20, random_state=0
)
order = importance.importances_mean.argsort()
figure, ax = plt.subplots(layout="constrained")
ax.barh(
    X.columns[order],
    importance.importances_mean[order],
    xerr=importance.importances_std[order],
    color="#56B4E9",
)
ax.set(xlabel="increase of the log loss in nats", title="Permutation importance")
plt.show()

# %%
# ``NetworkDisplay`` draws the weights. The inputs are the columns after the transformers.

display = NetworkDisplay.from_estimator(best)
display.ax_.set_title("The tuned network")
plt.show()

"""
====================================
From a raw frame to a tuned pipeline
====================================

Real data as they come: columns of different kinds and scales. A ``ColumnTransformer`` prepares each
kind, a search tunes network and penalty together, and the rows that nothing has seen judge.

The data are those of Efron, Hastie, Johnstone and Tibshirani, "Least angle regression", Annals of
Statistics 32, 2004, in scikit-learn: 442 diabetes patients, ten measurements, and the progression
of the disease a year later.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import loguniform
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_diabetes
from sklearn.dummy import DummyClassifier
from sklearn.inspection import permutation_importance
from sklearn.metrics import RocCurveDisplay, log_loss
from sklearn.model_selection import RandomizedSearchCV, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, PowerTransformer, StandardScaler

from two_layer_sigmoid import TwoLayerSigmoidClassifier
from two_layer_sigmoid.plotting import NetworkDisplay

X, progression = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
X = X.replace({"sex": {1.0: "first", 2.0: "second"}})  # the data do not say which is which
y = np.where(progression > 150, "fast", "slow")
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
X_train.head()

# %%
# Prepare each kind of column
# ---------------------------
# The category becomes a column of 0 and 1, skewed measurements are made symmetric, and the others
# are standardised. As steps of the pipeline, all of them are learned from the training folds alone.

skewed = ["bmi", "s3", "s4", "s6"]
others = [name for name in X if name not in {"sex", *skewed}]
prepare = make_column_transformer(
    (OneHotEncoder(drop="if_binary"), ["sex"]),
    (PowerTransformer(), skewed),
    (StandardScaler(), others),
    verbose_feature_names_out=False,
)
pipeline = Pipeline(
    [("prepare", prepare), ("clf", TwoLayerSigmoidClassifier(solver="lbfgs", random_state=0))]
)

# %%
# Search
# ------
# By log loss, over the number of units and the penalty, on a scale of factors.

search = RandomizedSearchCV(
    pipeline,
    {"clf__n_h": [1, 2, 4, 8], "clf__alpha": loguniform(1e-5, 3e-2)},
    n_iter=25,
    scoring="neg_log_loss",
    random_state=0,
).fit(X_train, y_train)
print({name: f"{value:.3g}" for name, value in search.best_params_.items()})
search.best_estimator_

# %%
# Judge
# -----

best = search.best_estimator_
constant = DummyClassifier(strategy="prior").fit(X_train, y_train)
for name, model in {"constant": constant, "network": best}.items():
    loss = log_loss(y_test, model.predict_proba(X_test))
    print(f"{name}: accuracy {model.score(X_test, y_test):.3f}, log loss {loss:.3f} nats")

display = RocCurveDisplay.from_estimator(best, X_test, y_test, pos_label="fast", name="network")
display.ax_.plot([0, 1], [0, 1], color="0.5", linestyle=":")
display.ax_.set_title("Test rows")
plt.show()

# %%
# Look inside
# -----------
# What a column is worth: how much higher the log loss is where its values are shuffled.

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
ax.set(xlabel="rise of the log loss, in nats", title="Worth of each column")
plt.show()

# %%
# The network itself, with the columns that it is given.

display = NetworkDisplay.from_estimator(best)
display.ax_.set_title("The tuned network")
plt.show()

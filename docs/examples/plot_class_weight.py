"""
=================================
Imbalanced data with class_weight
=================================

If one class is rare, the decision boundary with the fewest errors misclassifies most rows of that
class. ``class_weight="balanced"`` moves the boundary, but makes the predicted probabilities too
high.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_blobs
from sklearn.metrics import log_loss, precision_score, recall_score
from sklearn.model_selection import TunedThresholdClassifierCV, train_test_split

from two_layer_sigmoid import TwoLayerSigmoidClassifier
from two_layer_sigmoid.plotting import HiddenUnitsDisplay

X, y = make_blobs([3880, 120], centers=[[0, 0], [1.5, 1.5]], cluster_std=1.0, random_state=0)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
print(f"base rate of class 1: {np.mean(y_train):.1%}")

# %%
# Decision boundaries
# -------------------
# The lines are the hidden units, the thick black line is the decision boundary, and the background
# is the predicted probability of class 1.

figure, axes = plt.subplots(1, 2, figsize=(10, 4.5), sharey=True, layout="constrained")
fitted = {}
for class_weight, ax in zip([None, "balanced"], axes, strict=True):
    clf = TwoLayerSigmoidClassifier(
        n_h=4, alpha=1e-3, class_weight=class_weight, random_state=0
    ).fit(X_train, y_train)
    fitted[class_weight] = clf
    HiddenUnitsDisplay.from_estimator(clf, X_test, ax=ax, show_weights=False)
    for label, marker, colour in [(0, "o", "#542788"), (1, "^", "#B35806")]:
        style = {"marker": marker, "c": colour, "edgecolors": "white", "linewidths": 0.4}
        ax.scatter(*X_test[y_test == label].T, s=18, label=f"class {label}", **style)
    ax.set_title(f"class_weight={class_weight!r}")
axes[0].legend(loc="upper left")
plt.show()

# %%
# Scores on the test rows
# -----------------------
# With ``class_weight="balanced"`` the recall of the rare class is higher and the precision lower.
# The probabilities are those of data with equally frequent classes. They are far too high for these
# data: the log loss rises, and the mean predicted probability of class 1 (``mean p``) is far above
# the base rate.
#
# The third row changes only the decision. scikit-learn's ``TunedThresholdClassifierCV`` chooses a
# threshold other than 0.5 by cross-validation. The probabilities stay the same.

tuned = TunedThresholdClassifierCV(fitted[None], scoring="balanced_accuracy")
networks = {f"class_weight={name!r}": clf for name, clf in fitted.items()}
networks["tuned threshold"] = tuned.fit(X_train, y_train)
print(f"{'':26}{'recall':>8}{'precision':>11}{'log loss':>10}{'mean p':>8}")
for name, clf in networks.items():
    p, predicted = clf.predict_proba(X_test)[:, 1], clf.predict(X_test)
    print(
        f"{name:26}{recall_score(y_test, predicted):8.2f}{precision_score(y_test, predicted):11.2f}"
        f"{log_loss(y_test, p):10.3f}{p.mean():8.3f}"
    )
print(f"tuned threshold: {networks['tuned threshold'].best_threshold_:.3f}")

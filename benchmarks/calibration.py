"""Calibration of the probabilities on held-out rows, every estimator with its default settings.

The data sets and estimators are those of ``benchmarks/held_out.py``, here with at most 1000 rows.
Calibration is measured in two ways.

- The log loss is split: a temperature, by which all logits are divided, recalibrates the
  probabilities of each fold. It is fitted on the probabilities of the other folds. The log loss
  that it removes is the calibration loss. The temperature is above 1 if the probabilities are too
  close to 0 and 1, and below 1 if they are too far from them.
- The rows are binned by their confidence, which is the largest probability of a row. In each bin
  the mean confidence is compared with the accuracy. The results have the sums of each bin.
"""

from __future__ import annotations

import warnings
from itertools import product

import numpy as np
from joblib import Parallel, delayed
from matplotlib.figure import Figure
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks import real_data
from benchmarks._harness import markdown
from benchmarks.held_out import CV, ESTIMATORS, STYLES

MINUTES = 2
N_BINS = 10
SUMS = ("rows", "confidence", "correct")  # of each bin
MIN_ROWS = 50  # a bin of the figure with fewer rows is left out


def rows():
    problems = product(real_data.EVALUATION, ESTIMATORS)
    return Parallel(n_jobs=-1, return_as="generator")(delayed(measure)(*one) for one in problems)


def measure(data, name):
    """The log loss before and after recalibration, the temperature, and the sums of the bins."""
    warnings.simplefilter("ignore")  # MLPClassifier and LogisticRegression reach max_iter
    X, y = real_data.load(data)
    clf = make_pipeline(StandardScaler(), ESTIMATORS[name])
    P = cross_val_predict(clf, X, y, cv=CV, method="predict_proba")
    log_P = np.log(P.clip(np.finfo(P.dtype).eps))
    recalibrated = np.empty_like(log_P)
    for train, test in CV.split(X, y):
        recalibrated[test] = log_P[test] / temperature(log_P[train], y[train])
    row = {"data": data, "estimator": name, "log loss": log_loss(log_P, y)}
    row |= {"recalibrated": log_loss(recalibrated, y), "temperature": temperature(log_P, y)}
    return row | binned(P, y)


def log_loss(logits, y):
    return -log_softmax(logits, axis=1)[np.arange(len(y)), y].mean()


def temperature(logits, y):
    """The number by which to divide the logits: the one with the lowest log loss."""
    by_logarithm = minimize_scalar(lambda t: log_loss(logits / np.exp(t), y), bounds=(-3, 3))
    return np.exp(by_logarithm.x)


def binned(P, y):
    """For each bin of the confidence its number of rows, and the sums over them."""
    confidence = P.max(axis=1)
    bins = np.minimum((confidence * N_BINS).astype(int), N_BINS - 1)
    summands = np.ones(len(y)), confidence, P.argmax(axis=1) == y
    return {
        f"{what} {k}": total
        for what, values in zip(SUMS, summands, strict=True)
        for k, total in enumerate(np.bincount(bins, values, N_BINS))
    }


def curves(results):
    """For each estimator the rows, the mean confidence and the accuracy of each bin, all data."""
    totals = results.groupby("estimator", sort=False).sum(numeric_only=True)
    for name, total in totals.iterrows():
        n, confidence, correct = (
            total[[f"{what} {k}" for k in range(N_BINS)]].to_numpy() for what in SUMS
        )
        used = n > 0
        yield name, n[used], confidence[used] / n[used], correct[used] / n[used]


def calibration_losses(results):
    """The log loss that recalibration removes: a row for each data set."""
    removed = results["log loss"] - results["recalibrated"]
    return results.assign(removed=removed).pivot_table("removed", "data", "estimator", sort=False)


def table(results):
    losses = calibration_losses(results)
    temperatures = results.pivot_table("temperature", "data", "estimator", sort=False)
    lines = [
        [data, *(f"{line[name]:z.3f} ({temperatures.loc[data, name]:.2f})" for name in losses)]
        for data, line in losses.iterrows()
    ]
    means = np.exp(np.log(temperatures).mean())
    lines.append(["mean", *(f"{losses[name].mean():z.3f} ({means[name]:.2f})" for name in losses)])
    errors = {name: n @ np.abs(p - accuracy) / n.sum() for name, n, p, accuracy in curves(results)}
    gaps = {name: n @ (p - accuracy) / n.sum() for name, n, p, accuracy in curves(results)}
    lines.append(["expected calibration error", *(f"{errors[name]:.3f}" for name in losses)])
    lines.append(["confidence minus accuracy", *(f"{gaps[name]:+.3f}" for name in losses)])
    return markdown(["calibration loss (temperature)", *losses], lines)


def figures(results):
    figure = Figure(figsize=(10, 5), layout="constrained")
    reliability, by_data = figure.subplots(1, 2)
    reliability.axline((0, 0), slope=1, color="k", linewidth=0.8)
    for name, n, confidence, accuracy in curves(results):
        colour, marker = STYLES[name]
        shown = n >= MIN_ROWS
        style = {"color": colour, "marker": marker, "label": name}
        reliability.plot(confidence[shown], accuracy[shown], **style)
    reliability.set(xlabel="confidence: mean of the largest probability", ylabel="accuracy")
    reliability.set(title="rows of all data sets, binned by confidence", aspect="equal")
    losses = calibration_losses(results).sort_values("ours")
    for name in losses:
        colour, marker = STYLES[name]
        by_data.scatter(losses[name], range(len(losses)), c=colour, marker=marker, s=40)
    by_data.axvline(0, color="k", linewidth=0.8)
    by_data.set_yticks(range(len(losses)), losses.index)
    by_data.set_xscale("symlog", linthresh=0.01)
    by_data.set_xticks([-0.01, 0, 0.01, 0.1, 1], ["-0.01", "0", "0.01", "0.1", "1"])
    by_data.set(xlabel="log loss that a temperature removes", title="each data set")
    for ax in (reliability, by_data):
        ax.grid(alpha=0.3)
        ax.set_axisbelow(True)
    reliability.legend()
    return {"calibration": figure}

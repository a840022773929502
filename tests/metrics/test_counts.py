"""The best of one rate where another one reaches a value, against all thresholds one by one."""

import numpy as np
import pytest

import layernet as ln

M = ln.metrics
RNG = np.random.default_rng(6)
ROWS = 60
TRUE = (RNG.random(ROWS) < 0.4).astype("float64")
PRED = np.clip(0.3 * TRUE + RNG.uniform(0, 0.7, ROWS), 0, 1)
WEIGHTS = RNG.uniform(0.1, 2, ROWS)


def rates(weights, count):
    """Rates at thresholds from 0 to 1; at the first one everything counts as predicted."""
    limits = np.linspace(0, 1, count)
    limits[0] = -1
    said = limits[:, None] < PRED
    pairs = ((said, TRUE), (said, 1 - TRUE), (~said, TRUE), (~said, 1 - TRUE))
    tp, fp, fn, tn = ((weights * hit * label).sum(1) for hit, label in pairs)
    recall, precision = tp / (tp + fn), tp / np.where(tp + fp, tp + fp, 1)
    return {"precision": precision, "recall": recall, "sensitivity": recall, "specificity": tn / (tn + fp)}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("value", [0.0, 0.35, 0.8, 1.0])
@pytest.mark.parametrize(
    ("kind", "rate", "given"),
    [
        (M.PrecisionAtRecall, "precision", "recall"),
        (M.RecallAtPrecision, "recall", "precision"),
        (M.SensitivityAtSpecificity, "sensitivity", "specificity"),
        (M.SpecificityAtSensitivity, "specificity", "sensitivity"),
    ],
)
def test_best_rate(kind, rate, given, value, weighted):
    all_of = rates(WEIGHTS if weighted else np.ones(ROWS), 40)
    allowed = all_of[given] >= value - 1e-12
    want = all_of[rate][allowed].max() if allowed.any() else 0.0
    metric = kind(value, num_thresholds=40)
    for part in (slice(25), slice(25, None)):
        metric.update_state(TRUE[part], PRED[part], WEIGHTS[part] if weighted else None)
    assert float(metric.result()) == pytest.approx(want, rel=1e-12)


def test_value_that_no_threshold_reaches_gives_0():
    assert float(M.RecallAtPrecision(0.9)([0.0, 1.0], [0.8, 0.2])) == 0.0


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_labels_that_are_nan_do_not_count(label):
    unknown = np.where(np.arange(ROWS) % 3, TRUE, np.nan)
    without = np.where(np.arange(ROWS) % 3, WEIGHTS, 0.0)
    known = np.where(np.isnan(unknown), label, TRUE)
    kinds = [M.TruePositives, M.FalsePositives, M.TrueNegatives, M.FalseNegatives, M.Precision, M.Recall, M.AUC]
    for kind in kinds:
        assert float(kind()(unknown, PRED, WEIGHTS)) == float(kind()(known, PRED, without)), kind


def test_one_class():
    two = np.stack([1 - PRED, PRED], 1), np.stack([1 - TRUE, TRUE], 1)
    one = M.PrecisionAtRecall(0.5)(TRUE, PRED)
    assert float(M.PrecisionAtRecall(0.5, class_id=1)(two[1], two[0])) == float(one)

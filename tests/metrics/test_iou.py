"""Intersection over union against sets of places."""

import numpy as np
import pytest

import layernet as ln

M = ln.metrics
RNG = np.random.default_rng(5)
SHAPE = (6, 4, 5)
TRUE = RNG.integers(0, 4, SHAPE)
PRED = np.where(RNG.random(SHAPE) < 0.7, TRUE, RNG.integers(0, 4, SHAPE))
WEIGHTS = RNG.uniform(0.1, 2, SHAPE[0])


def overlap(true, pred, classes, weights=None, counted=True):
    weights = np.ones(true.shape) if weights is None else weights
    shares = []
    for one in classes:
        both, either = (true == one) & (pred == one) & counted, ((true == one) | (pred == one)) & counted
        if either.any():
            shares.append((weights * both).sum() / (weights * either).sum())
    return np.mean(shares)


def test_classes_chosen_and_all():
    assert float(M.IoU(4, [1, 3])(TRUE, PRED)) == pytest.approx(overlap(TRUE, PRED, [1, 3]), rel=1e-12)
    assert float(M.MeanIoU(4)(TRUE, PRED)) == pytest.approx(overlap(TRUE, PRED, range(4)), rel=1e-12)
    assert float(M.MeanIoU(4)(TRUE[..., None], PRED)) == pytest.approx(overlap(TRUE, PRED, range(4)), rel=1e-12)


def test_batches_add_up():
    metric = M.MeanIoU(4)
    metric.update_state(TRUE[:2], PRED[:2], WEIGHTS[:2])
    metric.update_state(TRUE[2:], PRED[2:], WEIGHTS[2:])
    want = overlap(TRUE, PRED, range(4), np.broadcast_to(WEIGHTS[:, None, None], SHAPE))
    assert float(metric.result()) == pytest.approx(want, rel=1e-12)


def test_weights_of_single_places():
    weights = RNG.uniform(0.1, 2, SHAPE)
    assert float(M.MeanIoU(4)(TRUE, PRED, weights)) == pytest.approx(overlap(TRUE, PRED, range(4), weights), rel=1e-12)


def test_classes_that_do_not_occur_do_not_count():
    assert float(M.MeanIoU(9)(TRUE, PRED)) == pytest.approx(overlap(TRUE, PRED, range(4)), rel=1e-12)
    assert float(M.IoU(9, [8])(TRUE, PRED)) == 0.0


@pytest.mark.parametrize("ignored", [2, 255, -1])
def test_ignored_class(ignored):
    true = np.where(TRUE == 2, ignored, TRUE)
    want = overlap(true, PRED, [0, 1, 3], counted=true != ignored)
    assert float(M.IoU(4, [0, 1, 3], ignore_class=ignored)(true, PRED)) == pytest.approx(want, rel=1e-12)


def test_classes_outside_count_nowhere():
    true, pred = np.where(TRUE == 0, 7, TRUE), np.where(PRED == 1, -2, PRED)
    want = overlap(true, pred, range(1, 4), counted=(true < 4) & (pred >= 0))
    assert float(M.IoU(4, [1, 2, 3])(true, pred)) == pytest.approx(want, rel=1e-12)


def test_nan_counts_nowhere():
    true, pred = np.where(TRUE == 0, np.nan, TRUE), np.where(PRED == 1, np.nan, PRED)
    want = overlap(true, pred, range(4), counted=~(np.isnan(true) | np.isnan(pred)))
    assert float(M.MeanIoU(4)(true, pred)) == pytest.approx(want, rel=1e-12)
    assert float(M.MeanIoU(2)([np.nan, 1.0], [0.0, 1.0])) == 1.0
    assert float(M.IoU(2, [0])([np.nan, 1.0], [0.0, 1.0])) == 0.0

    rows = np.eye(4)[TRUE] + np.where(TRUE == 0, np.nan, 0.0)[..., None]
    want = overlap(TRUE, PRED, range(4), counted=TRUE != 0)
    assert float(M.OneHotMeanIoU(4, sparse_y_pred=True)(rows, PRED)) == pytest.approx(want, rel=1e-12)


@pytest.mark.parametrize("axis", [-1, 1])
def test_one_hot_and_probabilities(axis):
    scores = np.moveaxis(np.eye(4)[PRED] + RNG.uniform(0, 0.9, (*SHAPE, 4)), -1, axis)
    one_hot = np.moveaxis(np.eye(4)[TRUE], -1, axis)
    want = overlap(TRUE, PRED, range(4))
    assert float(M.OneHotMeanIoU(4, axis=axis)(one_hot, scores)) == pytest.approx(want, rel=1e-12)
    assert float(M.OneHotMeanIoU(4, sparse_y_pred=True, axis=axis)(one_hot, PRED)) == pytest.approx(want, rel=1e-12)
    assert float(M.MeanIoU(4, sparse_y_pred=False, axis=axis)(TRUE, scores)) == pytest.approx(want, rel=1e-12)
    want = overlap(TRUE, PRED, [2])
    assert float(M.OneHotIoU(4, [2], axis=axis)(one_hot, scores)) == pytest.approx(want, rel=1e-12)


def test_binary():
    chance = RNG.random(SHAPE)
    true = (TRUE > 1).astype("float32")
    for classes in ([0], [1], [0, 1]):
        want = overlap(true, (chance >= 0.3) * 1.0, classes)
        assert float(M.BinaryIoU(classes, 0.3)(true, chance)) == pytest.approx(want, rel=1e-12)
    assert float(M.BinaryIoU([1])([1.0, 0.0], [0.5, 0.2])) == 1.0

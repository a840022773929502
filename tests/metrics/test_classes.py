"""Metric objects against scikit-learn and numpy formulas; traced updates against eager ones."""

import copy
import pickle

import numpy as np
import pytest

import layernet as ln
from layernet import symbolic

M = ln.metrics
RNG = np.random.default_rng(11)


def batches(arrays, sizes=(7, 1, 12, 30)):
    start = 0
    for size in sizes:
        yield [None if a is None else a[start : start + size] for a in arrays]
        start += size


def run(metric, true, pred, weights=None):
    for batch in batches([true, pred, weights]):
        metric.update_state(*batch)
    return metric.result().numpy()


ROWS = 50
WEIGHTS = RNG.uniform(0.1, 2, ROWS)
REAL = RNG.normal(size=(ROWS, 3))
NEAR = REAL + RNG.normal(size=(ROWS, 3)) * 0.3
UNIT = RNG.uniform(0.01, 0.99, (ROWS, 3))
SHARES = UNIT / UNIT.sum(1, keepdims=True)
LABELS = RNG.integers(0, 3, ROWS)
ONE_HOT = np.eye(3)[LABELS]
GUESSES = np.where(UNIT[:, 0] < 0.6, LABELS, 2)
BITS = (RNG.random((ROWS, 1)) < 0.4).astype("float64")
CHANCE = np.clip(0.4 * BITS + RNG.uniform(0, 0.6, (ROWS, 1)), 0, 1)
SIGNS = np.where(REAL > 0, 1.0, -1.0)
COUNTS = np.abs(np.round(REAL * 3))


def correlation(t, p):
    return np.array([np.corrcoef(a, b)[0, 1] for a, b in zip(t, p, strict=True)])


def concordance(t, p):
    both = ((t - t.mean(1, keepdims=True)) * (p - p.mean(1, keepdims=True))).mean(1)
    return 2 * both / (t.var(1) + p.var(1) + (t.mean(1) - p.mean(1)) ** 2)


def ranks(scores):
    return (-scores).argsort(1, kind="stable").argsort(1)


MEANS = {
    "accuracy": (M.Accuracy(), LABELS, LABELS * (REAL[:, 0] > 0), lambda t, p: (t == p) * 1.0),
    "binary_accuracy": (M.BinaryAccuracy(threshold=0.3), BITS, CHANCE, lambda t, p: (t == (p > 0.3)).mean(1)),
    "categorical_accuracy": (M.CategoricalAccuracy(), ONE_HOT, SHARES, lambda t, p: t.argmax(1) == p.argmax(1)),
    "sparse": (M.SparseCategoricalAccuracy(), LABELS, SHARES, lambda t, p: t == p.argmax(1)),
    "top_k": (M.TopKCategoricalAccuracy(k=2), ONE_HOT, SHARES, lambda t, p: (ranks(p) * t).sum(1) < 2),
    "sparse_top_k": (M.SparseTopKCategoricalAccuracy(2), LABELS, SHARES, lambda t, p: ranks(p)[range(len(t)), t] < 2),
    "mse": (M.MeanSquaredError(), REAL, NEAR, lambda t, p: ((t - p) ** 2).mean(1)),
    "mae": (M.MeanAbsoluteError(), REAL, NEAR, lambda t, p: np.abs(t - p).mean(1)),
    "mape": (M.MeanAbsolutePercentageError(), REAL, NEAR, lambda t, p: 100 * np.abs((t - p) / t).mean(1)),
    "msle": (
        M.MeanSquaredLogarithmicError(),
        UNIT,
        SHARES,
        lambda t, p: ((np.log1p(t) - np.log1p(p)) ** 2).mean(1),
    ),
    "logcosh": (M.LogCoshError(), REAL, NEAR, lambda t, p: np.log(np.cosh(t - p)).mean(1)),
    "cosine": (
        M.CosineSimilarity(),
        REAL,
        NEAR,
        lambda t, p: (t * p).sum(1) / np.linalg.norm(t, axis=1) / np.linalg.norm(p, axis=1),
    ),
    "pearson": (M.PearsonCorrelation(), REAL, NEAR, correlation),
    "concordance": (M.ConcordanceCorrelation(), REAL, NEAR, concordance),
    "bce": (
        M.BinaryCrossentropy(label_smoothing=0.1),
        BITS,
        CHANCE * 0.98 + 0.01,
        lambda t, p: -((t * 0.9 + 0.05) * np.log(p) + (0.95 - t * 0.9) * np.log(1 - p)).mean(1),
    ),
    "cce": (M.CategoricalCrossentropy(), ONE_HOT, SHARES, lambda t, p: -np.log((t * p).sum(1))),
    "scce": (M.SparseCategoricalCrossentropy(), LABELS, SHARES, lambda t, p: -np.log(p[range(len(t)), t])),
    "kl": (M.KLDivergence(), SHARES, UNIT, lambda t, p: (t * np.log(t / p)).sum(1)),
    "poisson": (M.Poisson(), COUNTS, UNIT, lambda t, p: (p - t * np.log(p + 1e-7)).mean(1)),
    "hinge": (M.Hinge(), SIGNS, NEAR, lambda t, p: np.maximum(0, 1 - t * p).mean(1)),
    "squared_hinge": (M.SquaredHinge(), SIGNS, NEAR, lambda t, p: (np.maximum(0, 1 - t * p) ** 2).mean(1)),
    "categorical_hinge": (
        M.CategoricalHinge(),
        ONE_HOT,
        NEAR,
        lambda t, p: np.maximum(0, 1 + ((1 - t) * p).max(1) - (t * p).sum(1)),
    ),
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("metric", "true", "pred", "formula"), MEANS.values(), ids=MEANS)
def test_means_over_all_rows(metric, true, pred, formula, weighted):
    metric.reset_state()
    got = run(metric, true, pred, WEIGHTS if weighted else None)
    want = np.average(formula(true, pred), weights=WEIGHTS if weighted else None)
    # the clipping of probabilities to 1e-7 moves logarithms by less than 1e-6
    assert float(got) == pytest.approx(want, rel=1e-6, abs=1e-9)
    assert got.dtype == np.float64


def test_root_of_the_mean_over_all_rows():
    got = run(M.RootMeanSquaredError(), REAL, NEAR, WEIGHTS)
    assert float(got) == pytest.approx(np.sqrt(np.average(((REAL - NEAR) ** 2).mean(1), weights=WEIGHTS)), rel=1e-12)


def test_mean_and_sum_of_values():
    mean, total = M.Mean(), M.Sum()
    for values, weights in batches([REAL, WEIGHTS]):
        mean.update_state(values, weights)
        total.update_state(values, weights)
    weighted = REAL * WEIGHTS[:, None]
    assert float(mean.result()) == pytest.approx(weighted.sum() / (3 * WEIGHTS.sum()), rel=1e-12)
    assert float(total.result()) == pytest.approx(weighted.sum(), rel=1e-12)
    assert float(M.Mean()(2.5)) == 2.5


def test_functions_of_ones_own():
    def per_row(y_true, y_pred):
        return ln.reduce_max(ln.abs(y_true - y_pred), axis=-1)

    def whole(y_true, y_pred):
        return ln.reduce_mean(ln.abs(y_true - y_pred))

    true, pred = (x.astype("float32") for x in (REAL, NEAR))
    tensors = [ln.constant(true), ln.constant(pred)]
    one = M.MeanMetricWrapper(per_row)
    assert one.name == "per_row"
    assert float(run(one, *tensors)) == pytest.approx(np.abs(true - pred).max(1).mean(), rel=1e-6)
    # batches of different sizes weigh by their rows
    assert float(run(M.MeanMetricWrapper(whole), *tensors)) == pytest.approx(np.abs(true - pred).mean(), rel=1e-6)


def test_precision_and_recall():
    sk = pytest.importorskip("sklearn.metrics")
    true, pred = BITS[:, 0], CHANCE[:, 0]
    options = {"sample_weight": WEIGHTS}
    assert float(run(M.Precision(), BITS, CHANCE, WEIGHTS)) == pytest.approx(
        sk.precision_score(true, pred > 0.5, **options), rel=1e-12
    )
    limits = [0.2, 0.45, 0.7]
    np.testing.assert_allclose(
        run(M.Recall(limits), BITS, CHANCE, WEIGHTS),
        [sk.recall_score(true, pred > limit, **options) for limit in limits],
        rtol=1e-12,
    )


def test_counts():
    sk = pytest.importorskip("sklearn.metrics")
    tn, fp, fn, tp = sk.confusion_matrix(BITS[:, 0], CHANCE[:, 0] > 0.5, sample_weight=WEIGHTS).ravel()
    for metric, want in [
        (M.TruePositives(), tp),
        (M.FalsePositives(), fp),
        (M.TrueNegatives(), tn),
        (M.FalseNegatives(), fn),
    ]:
        assert float(run(metric, BITS, CHANCE, WEIGHTS)) == pytest.approx(want, rel=1e-12)


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_the_highest_of_each_row(k):
    several = np.maximum(ONE_HOT, UNIT > 0.8)
    said = ranks(SHARES) < k
    hits = (said * several * WEIGHTS[:, None]).sum()
    assert float(run(M.Precision(top_k=k), several, SHARES, WEIGHTS)) == pytest.approx(
        hits / (said * WEIGHTS[:, None]).sum(), rel=1e-12
    )
    assert float(run(M.Recall(top_k=k), several, SHARES, WEIGHTS)) == pytest.approx(
        hits / (several * WEIGHTS[:, None]).sum(), rel=1e-12
    )
    above = said & (SHARES > 0.4)
    assert float(run(M.Precision(0.4, top_k=k), several, SHARES)) == pytest.approx(
        (above * several).sum() / above.sum(), rel=1e-12
    )
    column = said[:, 1]
    assert float(run(M.Precision(top_k=k, class_id=1), several, SHARES)) == pytest.approx(
        (column * several[:, 1]).sum() / column.sum(), rel=1e-12
    )


def test_one_class_of_several():
    for class_id in range(3):
        all_of_it = M.Precision(0.4)(ONE_HOT[:, [class_id]], SHARES[:, [class_id]])
        assert float(M.Precision(0.4, class_id=class_id)(ONE_HOT, SHARES)) == float(all_of_it)


def test_nothing_found_gives_0():
    assert float(M.Precision()([1.0], [0.2])) == 0.0
    assert float(M.Recall()([0.0], [0.2])) == 0.0
    assert float(M.MeanSquaredError().result()) == 0.0
    assert float(M.AUC().result()) == 0.0
    assert float(M.R2Score().result()) == 0.0
    assert float(M.F1Score().result()) == 0.0
    assert float(M.MeanIoU(3).result()) == 0.0
    assert float(M.PrecisionAtRecall(0.0).result()) == 0.0
    assert float(M.PearsonCorrelation()([[1.0, 1.0]], [[1.0, 2.0]])) == 0.0
    assert float(M.ConcordanceCorrelation()([[1.0, 1.0]], [[1.0, 1.0]])) == 0.0


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
def test_area_under_roc(weights):
    sk = pytest.importorskip("sklearn.metrics")
    # Predictions half way between thresholds: the counted curve has every point of the exact one.
    pred = (np.floor(CHANCE * 199) + 0.5) / 199
    want = sk.roc_auc_score(BITS[:, 0], pred[:, 0], sample_weight=weights)
    assert float(run(M.AUC(), BITS, pred, weights)) == pytest.approx(want, rel=1e-12)
    limits = np.arange(1, 199) / 199
    assert float(run(M.AUC(thresholds=limits), BITS, pred, weights)) == pytest.approx(want, rel=1e-12)


def test_area_between_its_bounds():
    areas = {
        (curve, method): float(run(M.AUC(50, curve, method), BITS, CHANCE))
        for curve in ("ROC", "PR")
        for method in ("minoring", "interpolation", "majoring")
    }
    for curve in ("ROC", "PR"):
        low, middle, high = (areas[curve, method] for method in ("minoring", "interpolation", "majoring"))
        assert low < middle < high


def test_area_under_precision_and_recall_is_the_integral_over_the_counts():
    # Between two thresholds tp goes from b to a and fp along with it; the area is the integral of tp / (tp + fp) d tp.
    limits = np.array([-1, 0.25, 0.5, 0.75, 2])
    true, pred = BITS[:, 0], CHANCE[:, 0]
    tp, fp = ([(pred[true == label] > limit).sum() for limit in limits] for label in (1, 0))
    area = 0.0
    for i in range(len(limits) - 1):
        t = np.linspace(0, 1, 200_001)[1:]
        a, b = tp[i + 1] + t * (tp[i] - tp[i + 1]), fp[i + 1] + t * (fp[i] - fp[i + 1])
        area += (a / (a + b)).mean() * (tp[i] - tp[i + 1])
    got = run(M.AUC(curve="PR", thresholds=[0.25, 0.5, 0.75]), BITS, CHANCE)
    assert float(got) == pytest.approx(area / tp[0], rel=1e-4)  # the sum's step


def test_area_from_logits():
    logits = np.log(CHANCE + 0.1)
    want = M.AUC()(BITS, 1 / (1 + np.exp(-logits)))
    assert float(M.AUC(from_logits=True)(BITS, logits)) == pytest.approx(float(want), rel=1e-9)


def test_r2_score():
    sk = pytest.importorskip("sklearn.metrics")
    for aggregation, multioutput in [
        ("uniform_average", "uniform_average"),
        ("variance_weighted_average", "variance_weighted"),
        (None, "raw_values"),
    ]:
        got = run(M.R2Score(aggregation), REAL, NEAR, WEIGHTS)
        want = sk.r2_score(REAL, NEAR, sample_weight=WEIGHTS, multioutput=multioutput)
        np.testing.assert_allclose(got, want, rtol=1e-10)
    plain = sk.r2_score(REAL[:, 0], NEAR[:, 0])
    adjusted = 1 - (1 - plain) * (ROWS - 1) / (ROWS - 2 - 1)
    assert float(run(M.R2Score(num_regressors=2), REAL[:, 0], NEAR[:, 0])) == pytest.approx(adjusted, rel=1e-10)
    assert float(M.R2Score()([1.0, 1.0], [1.0, 2.0])) == 0.0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("value", [0.1, -1e9 / 3, 1e-30])
def test_share_of_variance_of_targets_that_do_not_vary(value, dtype):
    metric = M.R2Score()
    for _ in range(2):  # anew after a reset
        for rows in (2000, 3000):
            true = np.full(rows, value, dtype)
            metric.update_state(true, true + 1, RNG.uniform(0, 1, rows))
        assert float(metric.result()) == 0.0
        metric.reset_state()
    assert M.R2Score(None)(np.stack([true, np.arange(3000)], 1), np.zeros((3000, 2))).numpy()[0] == 0.0


@pytest.mark.parametrize("weights", [None, np.where(np.arange(ROWS), 1.0, 0.0)], ids=["plain", "first_of_weight_0"])
def test_share_of_variance_far_from_zero(weights):
    true, pred = REAL + 2.0**30, NEAR + 2.0**30
    true[0] = true[0] if weights is None else 1e50
    rows = slice(None if weights is None else 1, None)
    errors, steps = np.square(true - pred)[rows].sum(0), true[rows] - 2.0**30
    want = (1 - errors / np.square(steps - steps.mean(0)).sum(0)).mean()
    assert run(M.R2Score(), true, pred, weights) == pytest.approx(want, rel=1e-10)


@pytest.mark.parametrize("average", [None, "micro", "macro", "weighted"])
def test_f_scores(average):
    sk = pytest.importorskip("sklearn.metrics")
    options = {"average": average, "sample_weight": WEIGHTS}
    np.testing.assert_allclose(
        run(M.F1Score(average), ONE_HOT, SHARES, WEIGHTS),
        sk.f1_score(LABELS, SHARES.argmax(1), **options),
        rtol=1e-12,
    )
    np.testing.assert_allclose(
        run(M.FBetaScore(average, beta=2.0, threshold=0.3), ONE_HOT, SHARES, WEIGHTS),
        sk.fbeta_score(ONE_HOT, SHARES > 0.3, beta=2.0, **options),
        rtol=1e-12,
    )


OBJECTS = {
    **{name: row[:3] for name, row in MEANS.items()},
    "rmse": (M.RootMeanSquaredError(), REAL, NEAR),
    "precision": (M.Precision([0.2, 0.5]), BITS, CHANCE),
    "recall": (M.Recall(), BITS, CHANCE),
    "recall_of_the_highest": (M.Recall(top_k=2), ONE_HOT, SHARES),
    "true_positives": (M.TruePositives(), BITS, CHANCE),
    "false_positives": (M.FalsePositives(), BITS, CHANCE),
    "true_negatives": (M.TrueNegatives(), BITS, CHANCE),
    "false_negatives": (M.FalseNegatives(), BITS, CHANCE),
    "auc": (M.AUC(), BITS, CHANCE),
    "auc_pr": (M.AUC(20, "PR", thresholds=[0.3, 0.6]), BITS, CHANCE),
    "sensitivity_at_specificity": (M.SensitivityAtSpecificity(0.6, class_id=1), ONE_HOT, SHARES),
    "specificity_at_sensitivity": (M.SpecificityAtSensitivity(0.6, 50), BITS, CHANCE),
    "precision_at_recall": (M.PrecisionAtRecall(0.6), BITS, CHANCE),
    "recall_at_precision": (M.RecallAtPrecision(0.6), BITS, CHANCE),
    "iou": (M.IoU(3, [0, 2], ignore_class=1), LABELS, GUESSES),
    "binary_iou": (M.BinaryIoU([1], 0.3), BITS, CHANCE),
    "mean_iou": (M.MeanIoU(3, sparse_y_pred=False), LABELS, SHARES),
    "one_hot_iou": (M.OneHotIoU(3, [1]), ONE_HOT, SHARES),
    "one_hot_mean_iou": (M.OneHotMeanIoU(3), ONE_HOT, SHARES),
    "r2": (M.R2Score(), REAL, NEAR),
    "f1": (M.F1Score(), ONE_HOT, SHARES),
    "fbeta": (M.FBetaScore("macro", 2.0, 0.3), ONE_HOT, SHARES),
}


@pytest.mark.parametrize(("metric", "true", "pred"), OBJECTS.values(), ids=OBJECTS)
def test_traced_update_leaves_the_state_and_gives_symbols(metric, true, pred):
    metric.update_state(true, pred)
    metric.reset_state()
    before = [state.numpy().copy() for state in metric.variables]
    inputs = [ln.Input(x.shape[1:], dtype=x.dtype.name) for x in (true, pred, WEIGHTS)]

    with symbolic.Tracing(record=False) as tracing:
        metric.update_state(*inputs)
        result = metric.result()

    assert isinstance(result, ln.Symbol)
    assert len(tracing.effects) == len(metric.variables)
    assert all((state.numpy() == 0).all() for state in metric.variables)
    assert [a.shape for a in before] == [state.shape for state in metric.variables]


class Scale(ln.Layer):
    def build(self, input_shape):
        self.factor = self.add_weight("factor", (), initializer="ones")
        self.built = True

    def call(self, inputs):
        return inputs * self.factor


@pytest.mark.parametrize(("metric", "true", "pred"), OBJECTS.values(), ids=OBJECTS)
def test_value_within_a_step_is_the_eager_one(metric, true, pred):
    given = [x.astype("float32") if x.dtype == "float64" else x for x in (true, WEIGHTS)]
    pred = pred.astype("float32")
    metric.reset_state()
    want = run(metric, given[0], pred, given[1])
    metric.reset_state()
    step = ln.TrainStep(Scale(), lambda y_true, y_pred, sample_weight: ln.reduce_sum(y_pred), "sgd", metrics=[metric])
    step.optimizer.learning_rate = 0.0

    for labels, rows, weights in batches([given[0], pred, given[1]]):
        got = step(rows, labels, weights)[1]

    np.testing.assert_allclose(got.numpy(), want, rtol=1e-6)
    np.testing.assert_array_equal(metric.result().numpy(), got.numpy())


@pytest.mark.parametrize(("metric", "true", "pred"), OBJECTS.values(), ids=OBJECTS)
def test_reset_configuration_and_copies(metric, true, pred):
    metric.reset_state()
    first = run(metric, true, pred)
    again = M.deserialize(M.serialize(metric))
    assert type(again) is type(metric)
    np.testing.assert_array_equal(run(again, true, pred), first)
    metric.reset_state()
    np.testing.assert_array_equal(run(metric, true, pred), first)
    for other in (copy.deepcopy(metric), pickle.loads(pickle.dumps(metric))):
        np.testing.assert_array_equal(other.result().numpy(), first)
        other.reset_state()
    np.testing.assert_array_equal(metric.result().numpy(), first)
    assert [state.name.split("/")[0] for state in metric.variables] == [metric.name] * len(metric.variables)


def test_names_of_objects():
    assert [type(M.get(name)) for name in ("AUC", "precision", "F1Score")] == [M.AUC, M.Precision, M.F1Score]
    names = [metric.name for metric in (M.MeanSquaredError(), M.AUC(), M.TruePositives(), M.LogCoshError(), M.Mean())]
    assert names == ["mean_squared_error", "auc", "true_positives", "logcosh", "mean"]
    assert M.Precision(name="mine").name == "mine"
    assert [M.MeanIoU(2).name, M.BinaryIoU().name, M.RecallAtPrecision(0.5).name] == [
        "mean_io_u",
        "binary_io_u",
        "recall_at_precision",
    ]
    assert type(M.get("PearsonCorrelation")) is M.PearsonCorrelation
    assert M.get("concordance_correlation") is M.concordance_correlation


def test_counts_beyond_what_float32_can_count():
    metric = M.Mean()
    metric.variables[1].assign(2.0**24)
    metric.update_state([1.0])
    assert float(metric.variables[1]) == 2.0**24 + 1


def test_top_k_with_awkward_rows():
    pred = [[0.2, 0.2, 0.2], [np.nan, 1.0, 0.0], [0.5, np.nan, 0.1], [0.1, 0.2, 0.3]]
    got = M.sparse_top_k_categorical_accuracy([2, 0, 0, 7], pred, reduction="none", k=1)
    assert got.numpy().tolist() == [1.0, 0.0, 1.0, 0.0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: M.AUC(1), r"AUC: expected num_thresholds of 2 or more, got 1"),
        (lambda: M.AUC(curve="LIFT"), r"AUC: expected curve 'ROC' or 'PR', got 'LIFT'"),
        (lambda: M.AUC(summation_method="sum"), r"AUC: expected summation_method 'interpolation', .* got 'sum'"),
        (lambda: M.AUC(thresholds=[2.0]), r"AUC: expected thresholds in \[0, 1\], got \[2.0\]"),
        (lambda: M.Precision(1.5), r"Precision: expected thresholds in \[0, 1\], got 1.5"),
        (lambda: M.Precision(top_k=0), r"Precision: expected top_k of 1 or more, or None, got 0"),
        (lambda: M.Recall(top_k=1)([1.0], [0.5]), r"Recall: expected y_pred of shape \[..., classes\] for top_k, got"),
        (
            lambda: M.Recall(class_id=3)(ONE_HOT, SHARES),
            r"Recall: expected class_id below the 3 classes, got 3",
        ),
        (lambda: M.RecallAtPrecision(1.5), r"RecallAtPrecision: expected precision in \[0, 1\], got 1.5"),
        (
            lambda: M.PrecisionAtRecall(0.5, num_thresholds=1),
            r"PrecisionAtRecall: expected num_thresholds of 2 or more, got 1",
        ),
        (
            lambda: M.SensitivityAtSpecificity(0.5, class_id=3)(ONE_HOT, SHARES),
            r"SensitivityAtSpecificity: expected class_id below the 3 classes, got 3",
        ),
        (lambda: M.MeanIoU(0), r"MeanIoU: expected num_classes of 1 or more, got 0"),
        (lambda: M.IoU(2, [2]), r"IoU: expected target_class_ids below the 2 classes, got \[2\]"),
        (lambda: M.IoU(2, []), r"IoU: expected target_class_ids below the 2 classes, got \[\]"),
        (lambda: M.IoU(2, [0])([0, 1], [0, 1, 1]), r"IoU: expected y_true of shape \[3\] to go with y_pred, got \[2\]"),
        (lambda: M.PearsonCorrelation()([1.0], [1.0]), r"pearson_correlation: expected y_pred of shape"),
        (lambda: M.R2Score("mean"), r"R2Score: expected class_aggregation 'uniform_average', .* got 'mean'"),
        (lambda: M.R2Score(num_regressors=-1), r"R2Score: expected num_regressors of 0 or more, got -1"),
        (lambda: M.F1Score("all"), r"F1Score: expected average None, 'micro', 'macro' or 'weighted', got 'all'"),
        (lambda: M.F1Score(threshold=0), r"F1Score: expected a threshold in \(0, 1\] or None, got 0"),
        (lambda: M.FBetaScore(beta=0), r"FBetaScore: expected beta above 0, got 0"),
        (lambda: M.top_k_categorical_accuracy(ONE_HOT, SHARES, k=0), r"top k accuracy: expected k of 1 or more, got 0"),
        (lambda: M.MeanSquaredError()(REAL, NEAR[:, :2]), r"mean_squared_error: expected y_true of shape"),
    ],
)
def test_value_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_what_a_metric_must_define():
    with pytest.raises(NotImplementedError, match="Metric: expected the metric to define update_state"):
        M.Metric().update_state([1.0], [1.0])
    with pytest.raises(NotImplementedError, match="Metric: expected the metric to define result"):
        M.Metric().result()

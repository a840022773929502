"""Losses against their formulas in float64, their gradients against central differences, and the shared conventions."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import layernet as ln

L = ln.losses
EPS = 1e-7
F64 = np.finfo(np.float64).eps
RNG = np.random.default_rng(7)

ROWS, CLASSES = 6, 4
REAL = RNG.normal(size=(ROWS, CLASSES)), RNG.normal(size=(ROWS, CLASSES))
POSITIVE = np.exp(REAL[0]), np.exp(REAL[1])
SIGNS = np.sign(REAL[0]), REAL[1]
ONE_HOT = np.eye(CLASSES)[RNG.integers(0, CLASSES, ROWS)], REAL[1]
SIMPLEX = tuple(p / p.sum(-1, keepdims=True) for p in POSITIVE)
BITS = (REAL[0] > 0).astype(float), 1 / (1 + np.exp(-REAL[1]))


def log_softmax(z):
    z = z - z.max(-1, keepdims=True)
    return z - np.log(np.exp(z).sum(-1, keepdims=True))


def clipped(p, low=EPS, high=1 - EPS):
    return np.clip(p, low, high)


def normal(p):
    return p / p.sum(-1, keepdims=True)


def unit(v):
    return v / np.sqrt(np.maximum(np.square(v).sum(-1, keepdims=True), 1e-12))


def huber_of(e, delta):
    return np.where(e <= delta, e * e / 2, delta * e - delta * delta / 2)


def bce(t, p):
    return -(t * np.log(p) + (1 - t) * np.log(1 - p))


def binary_focal(t, p, gamma=2.0, alpha=None):
    balance = 1.0 if alpha is None else t * alpha + (1 - t) * (1 - alpha)
    return (balance * (1 - (t * p + (1 - t) * (1 - p))) ** gamma * bce(t, p)).mean(-1)


def categorical_focal(t, p, gamma=2.0, alpha=0.25):
    return -(alpha * (1 - p) ** gamma * t * np.log(p)).sum(-1)


def tversky_of(t, p, alpha, beta, axis=-1):
    tp, fp, fn = (t * p).sum(axis), ((1 - t) * p).sum(axis), (t * (1 - p)).sum(axis)
    return 1 - tp / (tp + alpha * fp + beta * fn + EPS)


def dice_of(t, p, axis=-1):
    return 1 - 2 * (t * p).sum(axis) / (t.sum(axis) + p.sum(axis) + EPS)


def circle_of(labels, vectors, gamma=80.0, margin=0.4):
    cosine = unit(vectors) @ unit(vectors).T
    same = labels[:, None] == labels
    away = np.exp(gamma * np.maximum(0, cosine + margin) * (cosine - margin)) * ~same
    near = np.exp(-gamma * np.maximum(0, 1 + margin - cosine) * (cosine - 1 + margin)) * (
        same & ~np.eye(len(same), dtype=bool)
    )
    return np.log1p(away.sum(1) * near.sum(1))


def ctc_of(labels, logits):
    """All paths one by one."""
    steps, classes = logits.shape[1:]
    paths = np.array(list(itertools.product(range(classes), repeat=steps)))
    spelt = [[k for k, _ in itertools.groupby(path) if k] for path in paths.tolist()]
    chance = log_softmax(logits)[:, np.arange(steps), paths].sum(-1)
    wanted = [[k for k in row if k] for row in labels.tolist()]
    with np.errstate(divide="ignore"):
        return np.array(
            [-np.log(np.exp(row)[[s == one for s in spelt]].sum()) for row, one in zip(chance, wanted, strict=True)]
        )


SPELT = np.array([[1, 2], [2, 2], [3, 0], [0, 0], [3, 1], [1, 1]]), RNG.normal(size=(ROWS, 4, CLASSES))

# Function, options, (targets, predictions), one value per row in float64.
CASES = {
    "mean_squared_error": (L.mean_squared_error, {}, REAL, lambda t, p: np.square(t - p).mean(-1)),
    "mean_absolute_error": (L.mean_absolute_error, {}, REAL, lambda t, p: np.abs(t - p).mean(-1)),
    "mean_absolute_percentage_error": (
        L.mean_absolute_percentage_error,
        {},
        REAL,
        lambda t, p: 100 * (np.abs(t - p) / np.maximum(np.abs(t), EPS)).mean(-1),
    ),
    "mean_squared_logarithmic_error": (
        L.mean_squared_logarithmic_error,
        {},
        POSITIVE,
        lambda t, p: np.square(np.log1p(np.maximum(t, EPS)) - np.log1p(np.maximum(p, EPS))).mean(-1),
    ),
    "huber": (L.huber, {}, REAL, lambda t, p: huber_of(np.abs(t - p), 1.0).mean(-1)),
    "huber_delta": (L.huber, {"delta": 0.3}, REAL, lambda t, p: huber_of(np.abs(t - p), 0.3).mean(-1)),
    "log_cosh": (L.log_cosh, {}, REAL, lambda t, p: np.log(np.cosh(p - t)).mean(-1)),
    "hinge": (L.hinge, {}, SIGNS, lambda t, p: np.maximum(0, 1 - t * p).mean(-1)),
    "squared_hinge": (L.squared_hinge, {}, SIGNS, lambda t, p: np.square(np.maximum(0, 1 - t * p)).mean(-1)),
    "categorical_hinge": (
        L.categorical_hinge,
        {},
        ONE_HOT,
        lambda t, p: np.maximum(0, 1 + ((1 - t) * p).max(-1) - (t * p).sum(-1)),
    ),
    "kl_divergence": (
        L.kl_divergence,
        {},
        SIMPLEX,
        lambda t, p: (clipped(t, high=1) * np.log(clipped(t, high=1) / clipped(p, high=1))).sum(-1),
    ),
    "poisson": (L.poisson, {}, POSITIVE, lambda t, p: (p - t * np.log(p + EPS)).mean(-1)),
    "cosine_similarity": (L.cosine_similarity, {}, REAL, lambda t, p: -(unit(t) * unit(p)).sum(-1)),
    "binary_crossentropy": (L.binary_crossentropy, {}, BITS, lambda t, p: bce(t, clipped(p)).mean(-1)),
    "binary_crossentropy_logits": (
        L.binary_crossentropy,
        {"from_logits": True},
        (BITS[0], REAL[1]),
        lambda t, z: bce(t, 1 / (1 + np.exp(-z))).mean(-1),
    ),
    "binary_crossentropy_smoothed": (
        L.binary_crossentropy,
        {"label_smoothing": 0.2},
        BITS,
        lambda t, p: bce(t * 0.8 + 0.1, clipped(p)).mean(-1),
    ),
    "binary_focal_crossentropy": (L.binary_focal_crossentropy, {}, BITS, lambda t, p: binary_focal(t, clipped(p))),
    "binary_focal_crossentropy_balanced_logits": (
        L.binary_focal_crossentropy,
        {"from_logits": True, "apply_class_balancing": True, "alpha": 0.3, "gamma": 1.5, "label_smoothing": 0.2},
        (BITS[0], REAL[1]),
        lambda t, z: binary_focal(t * 0.8 + 0.1, 1 / (1 + np.exp(-z)), 1.5, 0.3),
    ),
    "categorical_focal_crossentropy": (
        L.categorical_focal_crossentropy,
        {},
        (SIMPLEX[0], POSITIVE[1]),
        lambda t, p: categorical_focal(t, normal(p)),
    ),
    "categorical_focal_crossentropy_logits": (
        L.categorical_focal_crossentropy,
        {"from_logits": True, "alpha": 0.5, "gamma": 1.5, "label_smoothing": 0.2},
        ONE_HOT,
        lambda t, z: categorical_focal(t * 0.8 + 0.2 / CLASSES, np.exp(log_softmax(z)), 1.5, 0.5),
    ),
    "categorical_crossentropy": (
        L.categorical_crossentropy,
        {},
        (SIMPLEX[0], POSITIVE[1]),
        lambda t, p: -(t * np.log(clipped(normal(p)))).sum(-1),
    ),
    "categorical_crossentropy_logits": (
        L.categorical_crossentropy,
        {"from_logits": True},
        (SIMPLEX[0], REAL[1]),
        lambda t, z: -(t * log_softmax(z)).sum(-1),
    ),
    "categorical_crossentropy_smoothed": (
        L.categorical_crossentropy,
        {"from_logits": True, "label_smoothing": 0.2},
        ONE_HOT,
        lambda t, z: -((t * 0.8 + 0.2 / CLASSES) * log_softmax(z)).sum(-1),
    ),
    "sparse_categorical_crossentropy": (
        L.sparse_categorical_crossentropy,
        {},
        (ONE_HOT[0].argmax(-1), POSITIVE[1]),
        lambda t, p: -np.log(normal(clipped(normal(p))))[np.arange(ROWS), t],
    ),
    "sparse_categorical_crossentropy_logits": (
        L.sparse_categorical_crossentropy,
        {"from_logits": True},
        (ONE_HOT[0].argmax(-1), REAL[1]),
        lambda t, z: -log_softmax(z)[np.arange(ROWS), t],
    ),
    "categorical_generalized_cross_entropy": (
        L.categorical_generalized_cross_entropy,
        {},
        (ONE_HOT[0].argmax(-1), SIMPLEX[1]),
        lambda t, p: (1 - np.sqrt(p[np.arange(ROWS), t])) / 0.5,
    ),
    "categorical_generalized_cross_entropy_q": (
        L.categorical_generalized_cross_entropy,
        {"q": 0.7},
        (ONE_HOT[0].argmax(-1), SIMPLEX[1]),
        lambda t, p: (1 - p[np.arange(ROWS), t] ** 0.7) / 0.7,
    ),
    "dice": (L.dice, {"axis": -1}, BITS, dice_of),
    "tversky": (L.tversky, {"axis": [1]}, BITS, lambda t, p: tversky_of(t, p, 0.5, 0.5)),
    "tversky_recall": (
        L.tversky,
        {"alpha": 0.3, "beta": 0.7, "axis": 1},
        BITS,
        lambda t, p: tversky_of(t, p, 0.3, 0.7),
    ),
    "circle": (L.circle, {"gamma": 4.0}, (np.array([3, 1, 3, 7, 3, 1]), REAL[1]), lambda t, p: circle_of(t, p, 4.0)),
    "circle_margin": (
        L.circle,
        {"gamma": 2.0, "margin": 0.25},
        (np.array([[0], [0], [1], [1], [2], [2]]), REAL[1]),
        lambda t, p: circle_of(t[:, 0], p, 2.0, 0.25),
    ),
    "ctc": (L.ctc, {}, SPELT, ctc_of),
}
# Roundings of one row: a few per element through logarithms of up to about 20, a sum, at most a factor of 100.
SCALE = 64 * CLASSES


def each_case(test):
    return pytest.mark.parametrize(("loss", "options", "data", "formula"), CASES.values(), ids=CASES)(test)


@each_case
def test_rows_in_float64(loss, options, data, formula):
    true, pred = data
    got = loss(true, ln.constant(pred), reduction="none", **options).numpy()
    want = formula(true, pred)
    assert got.shape == (ROWS,)
    np.testing.assert_allclose(got, want, rtol=SCALE * F64, atol=SCALE * F64)


@each_case
def test_reductions_and_weights_in_float32(loss, options, data, formula):
    true, pred = data
    pred = pred.astype(np.float32)
    weights = np.arange(ROWS) / 2
    want = formula(true, pred.astype(np.float64))
    near = dict(rtol=SCALE * 1.2e-7, atol=SCALE * 1.2e-7 * max(1, abs(want).max()))
    got = loss(true, pred, **options)
    assert (got.shape, got.dtype) == ((), "float32")
    np.testing.assert_allclose(float(got), want.mean(), **near)
    np.testing.assert_allclose(float(loss(true, pred, reduction="sum", **options)), want.sum(), **near)
    np.testing.assert_allclose(float(loss(true, pred, weights, **options)), (weights * want).sum() / ROWS, **near)
    got = loss(true, pred, weights[:, None], reduction="none", **options)
    np.testing.assert_allclose(got.numpy(), weights * want, **near)
    np.testing.assert_allclose(float(loss(true, pred, 2.0, **options)), 2 * want.mean(), **near)


@each_case
def test_gradient(loss, options, data, formula):
    true, pred = data
    x = ln.Variable(pred)
    with ln.GradientTape() as tape:
        value = loss(true, x, **options)
    got = tape.gradient(value, x).numpy()
    step = 1e-6
    want = np.empty_like(pred)
    for index in np.ndindex(pred.shape):
        up, down = pred.copy(), pred.copy()
        up[index] += step
        down[index] -= step
        want[index] = (formula(true, up).mean() - formula(true, down).mean()) / (2 * step)
    # The difference quotient is off by step^2 and by eps / step of the value.
    np.testing.assert_allclose(got, want, atol=1e-6 * max(1, np.abs(want).max()))


@each_case
def test_symbols_give_the_same_formula(loss, options, data, formula):
    true, pred = data
    y = ln.Input(true.shape[1:], dtype=true.dtype)
    p = ln.Input(pred.shape[1:], dtype="float64")
    assert loss(y, p, **options).shape == ()
    assert loss(y, p, reduction="none", **options).shape == (None,)


@pytest.mark.parametrize("name", [n for n in L.__all__ if n not in ("get", "serialize", "deserialize")])
def test_every_loss_is_here(name):
    assert name in CASES
    assert L.get(name) is getattr(L, name)
    assert L.serialize(getattr(L, name)) == name


@given(st.floats(-1e4, 1e4))
def test_log_cosh_neither_overflows_nor_loses_small_errors(e):
    got = float(L.log_cosh(np.array([[0.0]]), np.array([[e]])))
    want = abs(e) + math.log1p(math.expm1(-2 * abs(e)) / 2)
    if abs(e) < 1e-3:
        assert abs(got - e * e / 2) <= e**4 / 12 + 4 * F64 * abs(e)
    assert abs(got - want) <= 8 * F64 * max(abs(e), 5e-308)


@pytest.mark.parametrize("logit", [-1000.0, -200.0, 200.0, 1000.0])
def test_logits_do_not_saturate(logit):
    assert float(L.binary_crossentropy([[1.0]], [[logit]], from_logits=True)) == max(0.0, -logit)
    two = [[logit, 0.0]]
    assert float(L.categorical_crossentropy([[1.0, 0.0]], two, from_logits=True)) == max(0.0, -logit)
    assert float(L.sparse_categorical_crossentropy([0], two, from_logits=True)) == max(0.0, -logit)


def test_certain_and_wrong_probabilities_stay_finite():
    want = -math.log(EPS)
    assert float(L.binary_crossentropy([[1.0]], [[0.0]])) == pytest.approx(want, rel=1e-6)
    assert float(L.categorical_crossentropy([[1.0, 0.0]], [[0.0, 1.0]])) == pytest.approx(want, rel=1e-6)


def test_areas_of_the_whole_batch_and_of_images():
    true, pred = (RNG.random((3, 4, 5, 2)) < 0.3) * 1.0, RNG.random((3, 4, 5, 2))
    images = (1, 2, 3)
    assert float(L.dice(true, pred)) == pytest.approx(dice_of(true, pred, None), rel=1e-14)
    assert float(L.tversky(true, pred, alpha=0.2, beta=1.5)) == pytest.approx(
        tversky_of(true, pred, 0.2, 1.5, None), rel=1e-14
    )
    assert float(L.dice(true, pred, axis=images)) == pytest.approx(dice_of(true, pred, images).mean(), rel=1e-14)
    weights = np.array([0.5, 1.0, 3.0])
    got = L.tversky(true, pred, weights, axis=images, reduction="none")
    np.testing.assert_allclose(got.numpy(), weights * tversky_of(true, pred, 0.5, 0.5, images), rtol=1e-14)
    # one value for the batch counts as that of each row
    assert float(L.dice(true, pred, weights)) == pytest.approx(1.5 * dice_of(true, pred, None), rel=1e-14)
    assert L.dice(true, pred, weights, reduction="none").shape == ()
    assert float(L.dice(np.zeros((2, 3)), np.zeros((2, 3)))) == 1.0


def test_circle_with_the_usual_scale_in_float32():
    labels, vectors = RNG.integers(0, 5, 40), RNG.normal(size=(40, 3))
    vectors[1] = vectors[0]
    got = L.circle(labels, vectors.astype("float32"), reduction="none").numpy()
    # Exponents of up to gamma * (1 + margin)^2 = 157, each off by some eps.
    np.testing.assert_allclose(got, circle_of(labels, vectors), rtol=1e-4, atol=1e-4)


def test_circle_of_rows_without_pairs():
    vectors = ln.Variable([[1.0, 0.0], [0.6, 0.8], [0.0, 2.0]])
    for labels in ([1, 1, 1], [1, 2, 3]):
        with ln.GradientTape() as tape:
            value = L.circle(labels, vectors)
        assert float(value) == 0.0
        assert (tape.gradient(value, vectors).numpy() == 0).all()


def test_labels_that_cannot_be_spelt():
    logits = ln.Variable(RNG.normal(size=(4, 2, 3)).astype("float32"))
    labels = [[1, 1], [1, 2], [3, 0], [-1, 0]]  # with a blank between the ones it takes three steps
    with ln.GradientTape() as tape:
        value = L.ctc(labels, logits, reduction="none")
    got = value.numpy()
    assert got[0] == np.inf
    assert np.isfinite(got[1])
    assert np.isnan(got[2:]).all()
    gradient = tape.gradient(value, logits).numpy()
    assert (gradient[[0, 2, 3]] == 0).all()
    assert np.isfinite(gradient[1]).all()


def test_many_steps_in_float32():
    logits = RNG.normal(size=(2, 60, 5)) * 5
    labels = np.array([[1, 1, 4, 2], [3, 0, 0, 0]])
    want = float(L.ctc(labels, logits))
    assert float(L.ctc(labels, logits.astype("float32"))) == pytest.approx(want, rel=1e-5)


def test_ctc_in_a_step():
    x = RNG.normal(size=(8, 6, 4)).astype("float32")
    net = ln.Sequential([ln.layers.Dense(5)])
    net(x)
    labels = np.array([[1, 2], [3, 3], [4, 0], [0, 0]] * 2)
    want = float(L.ctc(labels, net(x)))
    step = ln.TrainStep(net, "ctc", ln.optimizers.Adam(0.1))
    first = float(step(x, labels))
    assert first == pytest.approx(want, rel=1e-6)
    for _ in range(30):
        last = float(step(x[:5], labels[:5]))
    assert last < 0.5 * first


def test_one_axis_means_rows_of_one_value():
    true, pred = np.array([1.0, 2.0, 3.0]), np.array([1.0, 0.0, 0.0])
    np.testing.assert_array_equal(L.mean_squared_error(true, pred, reduction="none").numpy(), [0, 4, 9])
    assert float(L.mean_squared_error(true, pred, [1, 1, 0])) == pytest.approx(4 / 3)


@pytest.mark.parametrize(("true", "pred"), [((5,), (5, 1)), ((5, 1), (5,)), ((2, 5), (2, 5, 1))])
def test_missing_last_axis_is_not_broadcast(true, pred):
    t, p = RNG.normal(size=true), RNG.normal(size=pred)
    want = np.square(t.reshape(-1) - p.reshape(-1)).mean()
    assert float(L.mean_squared_error(t, p)) == pytest.approx(want, rel=1e-14)


def test_sequences_have_a_row_per_step_and_weights_per_sequence():
    true, pred = RNG.normal(size=(2, 3, 4)), RNG.normal(size=(2, 3, 4))
    rows = np.square(true - pred).mean(-1)
    assert L.mean_squared_error(true, pred, reduction="none").shape == (2, 3)
    got = L.mean_squared_error(true, pred, [1.0, 0.0])
    assert float(got) == pytest.approx(rows[0].sum() / 6, rel=1e-14)
    got = L.mean_squared_error(true, pred, np.arange(6.0).reshape(2, 3))
    assert float(got) == pytest.approx((rows * np.arange(6.0).reshape(2, 3)).mean(), rel=1e-14)


def test_targets_of_other_types_are_converted():
    pred = ln.constant([[0.5], [1.0]])
    for true in ([[0], [1]], np.array([[False], [True]]), ln.constant([[0], [1]]), np.array([[0.0], [1.0]])):
        got = L.mean_squared_error(true, pred)
        assert (float(got), got.dtype) == (0.125, "float32")
    assert L.mean_squared_error([[0]], np.array([[1]])).dtype == "float32"


@pytest.mark.parametrize("labels", [[1, 0], [[1], [0]], np.array([1, 0], np.int8), np.array([1.0, 0.0])])
def test_sparse_labels_of_any_type(labels):
    z = np.array([[0.0, 1.0], [2.0, 0.0]])
    want = -log_softmax(z)[[0, 1], [1, 0]].mean()
    assert float(L.sparse_categorical_crossentropy(labels, z, from_logits=True)) == pytest.approx(want, rel=1e-14)


@pytest.mark.parametrize("from_logits", [False, True])
def test_labels_out_of_range_give_nan(from_logits):
    pred = np.array([[0.25, 0.75], [0.5, 0.5], [0.5, 0.5]])
    got = L.sparse_categorical_crossentropy([1, 2, -1], pred, reduction="none", from_logits=from_logits).numpy()
    assert np.isnan(got).tolist() == [False, True, True]


NOT_A_NUMBER = {
    "sparse_categorical_crossentropy": ([1.0, np.nan, 0.0], [[0.25, 0.75], [0.5, 0.5], [0.5, 0.5]]),
    "categorical_generalized_cross_entropy": ([1.0, np.nan, 0.0], [[0.25, 0.75], [0.5, 0.5], [0.5, 0.5]]),
    "circle": ([0.0, np.nan, 0.0], [[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]]),
    "ctc": ([[1.0, 2.0], [1.0, np.nan], [1.0, 0.0]], np.zeros((3, 4, 3))),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NOT_A_NUMBER)
def test_labels_that_are_nan_give_nan(name, dtype):
    loss = getattr(L, name)
    labels, pred = (np.array(value, dtype) for value in NOT_A_NUMBER[name])
    got = loss(labels, pred, reduction="none").numpy()
    assert np.isnan(got).tolist() == [False, True, False]

    others = np.where(np.isnan(labels), 1.0, labels)  # a circle's row of nan has another label to the rest
    np.testing.assert_array_equal(got[[0, 2]], loss(others, pred, reduction="none").numpy()[[0, 2]])
    assert np.isnan(float(loss(labels, pred)))


def test_rows_of_labels_that_are_nan_are_no_pair():
    rows = np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])
    assert L.circle([np.nan, np.nan, 0.0], rows, reduction="none").numpy()[2] == 0.0


def test_labels_that_are_nan_in_a_traced_step():
    net = ln.Sequential([ln.layers.Dense(2)])
    step = ln.TrainStep(net, ln.losses.circle, ln.optimizers.SGD(0.0))
    x = np.array([[1.0], [2.0], [3.0]], "float32")
    assert np.isfinite(float(step(x, np.array([0.0, 1.0, 0.0], "float32"))))
    assert np.isnan(float(step(x, np.array([0.0, np.nan, 0.0], "float32"))))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: L.mean_squared_error(np.zeros((3, 2)), np.zeros((3, 1))),
            r"mean_squared_error: expected y_true of shape \[3, 1\] to go with y_pred, got \[3, 2\]. Reshape one",
        ),
        (
            lambda: L.hinge(np.zeros(4), np.zeros((4, 4))),
            r"hinge: expected y_true of shape \[4, 4\] to go with y_pred, got \[4\]",
        ),
        (
            lambda: L.kl_divergence(np.zeros(3), np.zeros(3)),
            r"kl_divergence: expected y_pred of shape \[..., classes\] with at least one axis of rows, got \[3\]",
        ),
        (
            lambda: L.sparse_categorical_crossentropy([0, 1, 2], np.zeros((2, 3))),
            r"sparse_categorical_crossentropy: expected y_true of shape \[2\] to go with y_pred, got \[3\]",
        ),
        (
            lambda: L.sparse_categorical_crossentropy([0], np.zeros(3)),
            r"sparse_categorical_crossentropy: expected y_pred of shape \[..., classes\]",
        ),
        (
            lambda: L.mean_squared_error(np.zeros((3, 2)), np.zeros((3, 2)), np.ones(2)),
            r"sample_weight: expected one weight per row, shape \[3\], got \[2\]. Give one number",
        ),
        (
            lambda: L.ctc([1, 2], np.zeros((2, 3, 4))),
            r"ctc: expected y_true of shape \[rows, labels\] and y_pred .* got \[2\] and \[2, 3, 4\]",
        ),
        (lambda: L.circle([1, 2], np.zeros((2, 3, 4))), r"circle: expected y_pred of shape \[rows, size\], got"),
        (lambda: L.dice(np.zeros((2, 3)), np.zeros((2, 2))), r"dice: expected y_true of shape \[2, 2\] to go with"),
        (
            lambda: L.mean_squared_error(np.zeros((3, 2)), np.zeros((3, 2)), np.ones((3, 2))),
            r"sample_weight: expected one weight per row, shape \[3\], got \[3, 2\]",
        ),
    ],
)
def test_shape_errors(call, message):
    with pytest.raises(ln.errors.ShapeError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: L.mean_squared_error([[0.0]], [[1.0]], reduction="average"),
            r"loss: expected reduction 'mean', 'sum' or 'none', got 'average'",
        ),
        (
            lambda: L.binary_crossentropy([[0.0]], [[1.0]], label_smoothing=1.5),
            r"binary_crossentropy: expected label_smoothing in \[0, 1\], got 1.5",
        ),
        (
            lambda: L.categorical_crossentropy([[0.0]], [[1.0]], label_smoothing=-0.5),
            r"categorical_crossentropy: expected label_smoothing in \[0, 1\], got -0.5",
        ),
        (
            lambda: L.binary_focal_crossentropy([[0.0]], [[1.0]], alpha=2),
            r"binary_focal_crossentropy: expected alpha in \[0, 1\] and gamma of 0 or more, got 2 and 2.0",
        ),
        (
            lambda: L.categorical_focal_crossentropy([[0.0]], [[1.0]], gamma=-1),
            r"categorical_focal_crossentropy: expected alpha in \[0, 1\] and gamma of 0 or more, got 0.25 and -1",
        ),
        (
            lambda: L.categorical_generalized_cross_entropy([0], [[1.0]], q=1.0),
            r"categorical_generalized_cross_entropy: expected q in \(0, 1\), got 1.0",
        ),
        (
            lambda: L.tversky([[0.0]], [[1.0]], alpha=-1),
            r"tversky: expected alpha and beta of 0 or more, got -1 and 0.5",
        ),
        (
            lambda: L.circle([0], [[1.0]], margin=2),
            r"circle: expected gamma above 0 and margin in \[0, 1\], got 80.0 and 2",
        ),
        (lambda: L.get("mean_error"), r"loss: expected a known name, got 'mean_error'. Known names: "),
        (lambda: L.get(3), r"loss: expected a name, a configuration, a callable or None, got 3"),
    ],
)
def test_value_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_names_and_options_in_configurations():
    assert L.get("mse") is L.get("MSE") is L.mse is L.MSE is L.mean_squared_error
    assert L.get("absolute_difference") is L.mean_absolute_error
    assert L.get(None) is None
    made = L.deserialize({"class_name": "huber", "config": {"delta": 2.0}})
    assert float(made([[0.0]], [[4.0]])) == 6.0
    assert L.serialize(made) == {"class_name": "huber", "config": {"delta": 2.0}}
    assert L.deserialize({"class_name": "huber", "config": {}}) is L.huber
    own = lambda y_true, y_pred: 0.0  # noqa: E731
    assert L.get(own) is own

"""Normalisation where the arithmetic is delicate: means far from zero, tiny variances, channels on any axis."""

import numpy as np
import pytest

import reference
from layernet import _core

ops = _core.ops
F32 = np.finfo(np.float32).eps
RNG = np.random.default_rng(11)


@pytest.mark.parametrize("axis", [0, 1, 2, 3])
def test_training_form_is_exact_far_from_zero(axis):
    x = (RNG.normal(size=(8, 5, 6, 4)) + 1000).astype("float32")
    ones = np.ones(x.shape[axis], "float32")

    y, mean, variance = ops.batch_norm_train(x, ones, 0 * ones, epsilon=1e-3, axis=axis)
    want, want_mean, want_variance = reference.batch_norm_train(x.astype("float64"), ones, 0 * ones, 1e-3, axis)

    # The mean is known to one rounding of numbers near 1000; it enters y as it is.
    np.testing.assert_allclose(mean.numpy(), want_mean, rtol=2 * F32)
    np.testing.assert_allclose(y.numpy(), want, rtol=0, atol=4 * 1000 * F32)
    np.testing.assert_allclose(variance.numpy(), want_variance, rtol=1e-4)


def test_training_form_normalises():
    x = RNG.normal(3, 2, size=(64, 7)).astype("float32")

    y, _, _ = ops.batch_norm_train(x, np.ones(7, "float32"), np.zeros(7, "float32"), epsilon=0.0)

    np.testing.assert_allclose(y.numpy().mean(0), 0, atol=64 * F32)
    np.testing.assert_allclose(y.numpy().std(0), 1, rtol=64 * F32)


def test_inference_form_with_the_statistics_of_the_batch_equals_the_training_form():
    x, gamma, beta = RNG.normal(size=(4, 3, 5)), RNG.normal(size=3), RNG.normal(size=3)

    y, mean, variance = ops.batch_norm_train(x, gamma, beta, epsilon=0.01, axis=1)

    again = ops.batch_norm(x, gamma, beta, mean, variance, epsilon=0.01, axis=1)
    np.testing.assert_allclose(again.numpy(), y.numpy(), rtol=0, atol=1e-14)


@pytest.mark.parametrize("axis", [1, -1])
def test_plan_folds_constant_vectors(axis):
    size = 5
    vectors = [_core.constant(RNG.uniform(0.5, 2, size).astype("float32")) for _ in range(4)]
    x = RNG.normal(size=(3, size, size)).astype("float32")
    symbol = _core.placeholder((None, size, size), _core.float32)

    plan = _core.Plan(_core.Graph([symbol], [ops.batch_norm(symbol, *vectors, epsilon=0.01, axis=axis)]))

    want = ops.batch_norm(x, *vectors, epsilon=0.01, axis=axis).numpy()
    # Along the last axis a plan rounds the folded vectors from float64, and the product before the sum.
    np.testing.assert_allclose(plan.run([x])[0], want, rtol=0, atol=4 * 2.0**-23 * np.abs(want).max())


def test_gradients_of_the_statistics_flow_to_the_input():
    x = _core.constant(RNG.normal(size=(6, 2)))
    tape = _core.Tape(False)
    tape.push()
    tape.watch(x)
    _, mean, variance = ops.batch_norm_train(x, np.ones(2), np.zeros(2), epsilon=0.1)

    (gradient,) = tape.gradient([mean, variance], [x], None)

    centred = x.numpy() - x.numpy().mean(0)
    np.testing.assert_allclose(gradient.numpy(), (1 + 2 * centred) / 6, atol=1e-14)


def test_many_rows_give_the_gradient_of_gamma_by_blocks():
    """More rows than one block holds."""
    x, dy, gamma = RNG.normal(size=(3000, 33)), RNG.normal(size=(3000, 33)), RNG.normal(size=33)

    results = ops.layer_norm_grad(dy, x, gamma, epsilon=0.01)

    for got, want in zip(results, reference.layer_norm_grad(dy, x, gamma, 0.01), strict=True):
        np.testing.assert_allclose(got.numpy(), want, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("shape", "axis"), [((700, 33), -1), ((5, 40, 41), 1), ((9, 3, 500), 1)])
def test_many_rows_give_the_gradients_of_batch_norm_by_blocks(shape, axis):
    c = shape[axis]
    inputs = [RNG.normal(size=shape), RNG.normal(size=shape), *(RNG.uniform(0.5, 2, c) for _ in range(5))]

    results = ops.batch_norm_train_grad(*inputs, epsilon=0.01, axis=axis)

    for got, want in zip(results, reference.batch_norm_train_grad(*inputs, 0.01, axis), strict=True):
        np.testing.assert_allclose(got.numpy(), want, rtol=1e-10, atol=1e-10)


def test_constant_rows_are_normalised_to_beta():
    beta = np.array([0.5, -1.0, 2.0], "float32")

    y = ops.layer_norm(np.full((2, 3), 7.0, "float32"), np.ones(3, "float32"), beta, epsilon=1e-3).numpy()

    np.testing.assert_array_equal(y, [beta, beta])


def test_layer_norm_rows_do_not_depend_on_each_other():
    x = RNG.normal(size=(9, 37)).astype("float32")
    gamma, beta = (RNG.normal(size=37).astype("float32") for _ in range(2))

    whole = ops.layer_norm(x, gamma, beta).numpy()

    for i in range(len(x)):
        np.testing.assert_array_equal(ops.layer_norm(x[i : i + 1], gamma, beta).numpy()[0], whole[i])

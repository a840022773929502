"""Pooling: any geometry, ties, NaN, padding."""

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

import reference
from layernet import _core

ops = _core.ops


@st.composite
def geometries(draw):
    rank = draw(st.integers(1, 3))

    def each(low, high):
        return draw(st.lists(st.integers(low, high), min_size=rank, max_size=rank))

    sizes, window, strides = each(1, 8 if rank < 3 else 5), each(1, 3), each(1, 3)
    padding = draw(st.sampled_from(["valid", "same"]))
    assume(padding == "same" or all(k <= n for n, k in zip(sizes, window, strict=True)))
    shape = (draw(st.integers(1, 3)), *sizes, draw(st.integers(1, 19)))
    return shape, {"size": window, "strides": strides, "padding": padding}, draw(st.integers(0, 2**32 - 1))


@given(geometries())
def test_any_geometry(geometry):
    shape, options, seed = geometry
    rng = np.random.default_rng(seed)
    x = rng.integers(-3, 4, shape).astype("float64")  # with ties
    g = rng.normal(size=shape)
    dy = rng.normal(size=reference.max_pool(x, **options).shape)

    np.testing.assert_array_equal(ops.max_pool(x, **options).numpy(), reference.max_pool(x, **options))
    np.testing.assert_allclose(ops.avg_pool(x, **options).numpy(), reference.avg_pool(x, **options), atol=1e-14)
    np.testing.assert_array_equal(ops.max_pool_pick(g, x, **options).numpy(), reference.max_pool_pick(g, x, **options))
    for name in ("max_pool_grad", "avg_pool_grad"):
        want = reference.OPS[name](dy, x, **options)
        np.testing.assert_allclose(getattr(ops, name)(dy, x, **options).numpy(), want, rtol=0, atol=1e-14)


def test_gradient_goes_to_the_first_of_equals():
    x = np.array([[[2.0], [2.0], [1.0], [1.0]]])

    dx = ops.max_pool_grad(np.array([[[5.0], [7.0]]]), x, size=[2]).numpy()

    np.testing.assert_array_equal(dx.ravel(), [5, 0, 7, 0])


def test_nan_wins_and_gets_the_gradient():
    x = np.array([[[1.0], [np.nan], [3.0], [np.nan]]])

    assert np.isnan(ops.max_pool(x, size=[4]).numpy()).all()
    np.testing.assert_array_equal(ops.max_pool_grad(np.array([[[5.0]]]), x, size=[4]).numpy().ravel(), [0, 5, 0, 0])
    g = np.arange(4.0).reshape(1, 4, 1)
    np.testing.assert_array_equal(ops.max_pool_pick(g, x, size=[4]).numpy().ravel(), [1])


def test_padding_is_no_number():
    x = np.full((1, 3, 1), -5.0, "float32")

    np.testing.assert_array_equal(ops.max_pool(x, size=[2], padding="same").numpy().ravel(), [-5, -5])
    np.testing.assert_array_equal(ops.avg_pool(x, size=[2], padding="same").numpy().ravel(), [-5, -5])


def test_strides_default_to_the_window():
    x = np.arange(6, dtype="float32").reshape(1, 6, 1)

    np.testing.assert_array_equal(ops.max_pool(x, size=[3]).numpy().ravel(), [2, 5])

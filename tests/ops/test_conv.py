"""Convolution beyond small examples: any geometry, several blocks of rows, the paths without a copy, bits."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import reference
from layernet import _core

ops = _core.ops
RNG = np.random.default_rng(13)
F32 = np.finfo(np.float32).eps


@st.composite
def geometries(draw):
    rank = draw(st.integers(1, 3))

    def each(low, high):
        return draw(st.lists(st.integers(low, high), min_size=rank, max_size=rank))

    sizes, kernel, strides, dilation = each(1, 9 if rank < 3 else 5), each(1, 3), each(1, 3), each(1, 3)
    padding = draw(st.sampled_from(["valid", "same"]))
    fits = all((k - 1) * d + 1 <= n for n, k, d in zip(sizes, kernel, dilation, strict=True))
    assume(padding == "same" or fits)
    channels = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    return (
        (draw(st.integers(0, 3)), *sizes, channels[0]),
        (*kernel, *channels),
        {"strides": strides, "padding": padding, "dilation": dilation},
    )


@given(geometries())
def test_any_geometry(geometry):
    x_shape, w_shape, options = geometry
    x, w = RNG.normal(size=x_shape), RNG.normal(size=w_shape)
    want = reference.conv(x, w, **options)
    dy = RNG.normal(size=want.shape)

    np.testing.assert_allclose(ops.conv(x, w, **options).numpy(), want, rtol=0, atol=1e-12)
    np.testing.assert_allclose(
        ops.conv_input_grad(dy, w, size=x_shape[1:-1], **options).numpy(),
        reference.conv_input_grad(dy, w, x_shape[1:-1], **options),
        rtol=0,
        atol=1e-12,
    )
    np.testing.assert_allclose(
        ops.conv_filter_grad(dy, x, size=list(w_shape[:-2]), **options).numpy(),
        reference.conv_filter_grad(dy, x, w_shape[:-2], **options),
        rtol=0,
        atol=1e-11,
    )


@given(geometries())
def test_any_depthwise_geometry(geometry):
    x_shape, w_shape, options = geometry
    w_shape = (*w_shape[:-2], x_shape[-1])
    x, w = RNG.normal(size=x_shape), RNG.normal(size=w_shape)
    want = reference.depthwise_conv(x, w, **options)
    dy = RNG.normal(size=want.shape)

    np.testing.assert_allclose(ops.depthwise_conv(x, w, **options).numpy(), want, rtol=0, atol=1e-12)
    np.testing.assert_allclose(
        ops.depthwise_conv_input_grad(dy, w, size=x_shape[1:-1], **options).numpy(),
        reference.depthwise_conv_input_grad(dy, w, x_shape[1:-1], **options),
        rtol=0,
        atol=1e-12,
    )
    np.testing.assert_allclose(
        ops.depthwise_conv_filter_grad(dy, x, size=list(w_shape[:-1]), **options).numpy(),
        reference.depthwise_conv_filter_grad(dy, x, w_shape[:-1], **options),
        rtol=0,
        atol=1e-11,
    )


@pytest.mark.parametrize("channels", [1, 3, 8, 19, 64])
@pytest.mark.parametrize(("width", "padding"), [(3, "same"), (7, "same"), (9, "valid"), (40, "same")])
def test_depthwise_sums_have_the_same_bits_wherever_they_are_computed(width, padding, channels):
    """A line computed several positions at a time, and each position alone: from the columns under its window."""
    x, w = RNG.normal(size=(2, 3, width, channels)), RNG.normal(size=(3, 3, channels))
    x, w = x.astype("float32"), w.astype("float32")
    whole = ops.depthwise_conv(x, w, padding=padding).numpy()

    for at in range(1, width - 1):
        alone = ops.depthwise_conv(x[:, :, at - 1 : at + 2], w).numpy()
        np.testing.assert_array_equal(
            alone[:, 0, 0], whole[:, whole.shape[1] // 2, at if padding == "same" else at - 1]
        )


BIG = [
    ((3, 40, 37, 16), (3, 3, 16, 24), {"padding": "same"}),  # many blocks, the last one short
    ((2, 33, 31, 5), (1, 1, 5, 7), {}),  # x is the matrix
    ((2, 700, 24), (5, 24, 17), {"strides": [2]}),  # lines are read in place
    ((2, 30, 700, 3), (1, 4, 3, 9), {}),
    ((1, 50, 50, 64), (3, 3, 64, 3), {"strides": [2, 2], "dilation": [2, 2]}),
    ((2, 9, 11, 13, 7), (3, 2, 3, 7, 5), {"padding": "same"}),
    ((150, 3, 2, 20), (2, 2, 20, 40), {"padding": "same"}),  # lines too short: positions of several images in one block
    ((2, 70, 40, 50), (3, 3, 50, 36), {"padding": "same", "strides": [2, 1]}),  # several blocks of padded lines
    ((1, 5, 9, 30, 6), (2, 3, 3, 6, 35), {"padding": "same", "dilation": [1, 2, 2]}),  # taps that are apart
]


@pytest.mark.parametrize(("x_shape", "w_shape", "options"), BIG)
def test_several_blocks(x_shape, w_shape, options):
    x, w = RNG.normal(size=x_shape).astype("float32"), RNG.normal(size=w_shape).astype("float32")
    x64, w64 = x.astype("float64"), w.astype("float64")
    want = reference.conv(x64, w64, **options)
    dy = RNG.normal(size=want.shape).astype("float32")
    dy64 = dy.astype("float64")
    terms = np.prod(w_shape[:-1])

    # Sums of `terms` products of normal numbers: sqrt(terms) in size, each term rounded once.
    np.testing.assert_allclose(ops.conv(x, w, **options).numpy(), want, rtol=0, atol=8 * terms * F32)
    np.testing.assert_allclose(
        ops.conv_input_grad(dy, w, size=x_shape[1:-1], **options).numpy(),
        reference.conv_input_grad(dy64, w64, x_shape[1:-1], **options),
        rtol=0,
        atol=8 * terms * w_shape[-1] * F32,
    )
    positions = dy.size // w_shape[-1]
    np.testing.assert_allclose(
        ops.conv_filter_grad(dy, x, size=list(w_shape[:-2]), **options).numpy(),
        reference.conv_filter_grad(dy64, x64, w_shape[:-2], **options),
        rtol=0,
        atol=4 * positions * F32,
    )


@pytest.mark.parametrize(("x_shape", "w_shape", "options"), BIG)
def test_image_has_the_same_bits_in_any_batch_and_in_a_plan(x_shape, w_shape, options):
    x, w = RNG.normal(size=x_shape).astype("float32"), _core.constant(RNG.normal(size=w_shape).astype("float32"))

    whole = ops.conv(x, w, **options).numpy()

    for image in range(len(x)):
        np.testing.assert_array_equal(ops.conv(x[image : image + 1], w, **options).numpy()[0], whole[image])
    symbol = _core.placeholder((None, *x_shape[1:]), _core.float32)
    plan = _core.Plan(_core.Graph([symbol], [ops.conv(symbol, w, **options)]))
    np.testing.assert_array_equal(plan.run([x])[0], whole)


def test_lines_of_any_length_give_the_same_bits():
    """A line, the same cut short, and so short that its windows are written out."""
    x, w = RNG.normal(size=(1, 60, 3)).astype("float32"), RNG.normal(size=(4, 3, 5)).astype("float32")

    long = ops.conv(x, w).numpy()

    for size in (13, 6, 5):
        np.testing.assert_array_equal(ops.conv(x[:, :size], w).numpy()[0], long[0, : size - 3])


@pytest.mark.parametrize("filters", [1, 5, 40])
@pytest.mark.parametrize("options", [{}, {"dilation": [1, 4, 1]}, {"strides": [2, 2, 2]}])
def test_windows_that_lie_in_the_padding_give_bias_and_residual(options, filters):
    """Kernels larger than the image; with dilation of 4 its two lines fall between all rows of taps."""
    x, w = RNG.normal(size=(2, 1, 2, 6, 3)), RNG.normal(size=(3, 2, 2, 3, filters))
    bias = RNG.normal(size=filters)
    residual = RNG.normal(size=reference.conv(x, w, padding="same", **options).shape)

    y = ops.conv(x, w, bias, residual, padding="same", activation="relu", **options)

    want = reference.conv(x, w, bias, residual, padding="same", activation="relu", **options)
    np.testing.assert_allclose(y.numpy(), want, rtol=0, atol=1e-12)


def test_transposed_convolution_of_a_strided_one():
    """conv_input_grad with the size of the upsampled image is the transposed convolution."""
    x, w = RNG.normal(size=(2, 4, 4, 3)), RNG.normal(size=(3, 3, 2, 3))

    y = ops.conv_input_grad(x, w, size=(8, 8), strides=[2, 2], padding="same")

    assert y.shape == (2, 8, 8, 2)
    back = ops.conv(y, w, strides=[2, 2], padding="same").numpy()
    assert np.sum(back * x) == pytest.approx(np.sum(y.numpy() ** 2))


def test_half_precision_rounds_once():
    x, w = RNG.normal(size=(1, 9, 4)).astype("float16"), RNG.normal(size=(3, 4, 2)).astype("float16")

    exact = ops.conv(x.astype("float32"), w.astype("float32")).numpy()

    np.testing.assert_array_equal(ops.conv(x, w).numpy(), exact.astype("float16"))


def test_batch_symbol_stays_in_the_shapes():
    x = _core.placeholder((None, 8, 8, 3), _core.float32)

    y = ops.conv(x, np.ones((3, 3, 3, 4), "float32"), padding="same", strides=[2, 2])

    assert y.shape == (None, 4, 4, 4)


def test_dilation_far_beyond_the_image():
    x, w = RNG.normal(size=(1, 5, 5, 2)), RNG.normal(size=(3, 3, 2, 4))

    y = ops.conv(x, w, padding="same", dilation=[2**31 - 1, 2**31 - 1]).numpy()

    np.testing.assert_allclose(y, x @ w[1, 1], rtol=0, atol=1e-14)

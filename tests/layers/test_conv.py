"""Convolutions and poolings."""

import numpy as np
import pytest

import layernet as ln

rng = np.random.default_rng(3)
L = ln.layers


def correlate(x, w, strides, dilation):
    """Two-dimensional "valid" cross-correlation in float64."""
    x, w = np.asarray(x, "float64"), np.asarray(w, "float64")
    n, height, width, _ = x.shape
    spans = [(k - 1) * d + 1 for k, d in zip(w.shape, dilation, strict=False)]
    rows, columns = ((s - span) // stride + 1 for s, span, stride in zip((height, width), spans, strides, strict=True))
    y = np.zeros((n, rows, columns, w.shape[-1]))
    for p in range(rows):
        for q in range(columns):
            top, left = p * strides[0], q * strides[1]
            patch = x[:, top : top + spans[0] : dilation[0], left : left + spans[1] : dilation[1]]
            y[:, p, q] = np.tensordot(patch, w, 3)
    return y


@pytest.mark.parametrize(("strides", "dilation"), [((1, 1), (1, 1)), ((2, 1), (1, 1)), ((1, 1), (2, 1))])
def test_conv2d_matches_the_formula(strides, dilation):
    x = rng.standard_normal((2, 7, 6, 3)).astype("float32")
    layer = L.Conv2D(4, (3, 2), strides=strides, dilation_rate=dilation, use_bias=False)
    y = layer(x)

    np.testing.assert_allclose(y.numpy(), correlate(x, layer.get_weights()[0], strides, dilation), rtol=0, atol=1e-5)
    assert y.shape == layer.compute_output_shape(x.shape)


@pytest.mark.parametrize(
    "make",
    [
        lambda f: L.Conv2D(4, 3, padding="same", data_format=f),
        lambda f: L.MaxPooling2D(2, data_format=f),
        lambda f: L.AveragePooling2D(2, 1, "same", data_format=f),
    ],
    ids=["Conv2D", "MaxPooling2D", "AveragePooling2D"],
)
def test_channels_first(make):
    x = rng.standard_normal((2, 3, 5, 6)).astype("float32")
    first, last = make("channels_first"), make("channels_last")
    y = first(x)
    last(x.transpose(0, 2, 3, 1))
    last.set_weights(first.get_weights())

    np.testing.assert_array_equal(y.numpy(), last(x.transpose(0, 2, 3, 1)).numpy().transpose(0, 3, 1, 2))
    assert y.shape == first.compute_output_shape(x.shape)


def test_causal_padding_looks_back_only():
    x = np.zeros((1, 6, 1), "float32")
    x[0, 3] = 1.0
    layer = L.Conv1D(1, 3, padding="causal", kernel_initializer="ones", use_bias=False)

    assert layer(x).numpy().ravel().tolist() == [0, 0, 0, 1, 1, 1]
    assert layer.compute_output_shape((None, 6, 1)) == (None, 6, 1)


def test_conv_of_no_rows():
    assert L.Conv2D(4, 3)(np.ones((0, 5, 5, 2), "float32")).shape == (0, 3, 3, 4)


def test_conv_of_integers():
    with pytest.raises(ln.errors.DTypeError, match="conv1d 'c': expected floating point inputs, got int32"):
        L.Conv1D(1, 1, name="c")(np.ones((1, 2, 1), "int32"))


def test_unknown_channels():
    with pytest.raises(ValueError, match="expected a known number of channels"):
        L.Conv1D(1, 1)(ln.Input((3, None)))


def test_wrong_number_of_channels():
    layer = L.Conv1D(1, 1, name="c")
    layer(np.ones((1, 2, 3), "float32"))

    with pytest.raises(ln.errors.ShapeError, match="with size 3 on axis -1"):
        layer(np.ones((1, 2, 4), "float32"))


def test_strides_together_with_dilation():
    with pytest.raises(ValueError, match="expected strides or dilation_rate to be 1"):
        L.Conv2D(1, 2, strides=2, dilation_rate=2)(np.ones((1, 4, 4, 1), "float32"))


@pytest.mark.parametrize("size", ["x", (1, 2, 3), 0, (1, -1), None, 1.5])
def test_bad_kernel_size(size):
    with pytest.raises(ValueError, match="expected 2 positive numbers as kernel_size"):
        L.Conv2D(1, size)


def test_argument_of_another_convolution():
    with pytest.raises(TypeError, match=r"Conv2DTranspose: got an unexpected keyword argument 'dilation_rate'"):
        ln.layers.Conv2DTranspose(2, 3, dilation_rate=2)


def test_unknown_padding():
    with pytest.raises(ValueError, match="expected padding to be one of"):
        L.Conv2D(1, 1, padding="causal")


def test_pooling_strides_default_to_the_window():
    assert L.MaxPooling2D(3).strides == (3, 3)


def test_same_average_ignores_the_padding():
    x = np.ones((1, 3, 1), "float32")

    assert L.AveragePooling1D(3, 1, "same")(x).numpy().ravel().tolist() == [1.0, 1.0, 1.0]


def test_same_maximum_ignores_the_padding():
    x = -np.ones((1, 3, 1), "float32")

    assert L.MaxPooling1D(3, 1, "same")(x).numpy().ravel().tolist() == [-1.0, -1.0, -1.0]


@pytest.mark.parametrize("make", [L.Conv1D, L.SeparableConv1D])
def test_bias_and_activation_are_part_of_the_op(make):
    layer = make(2, 2, activation="relu")
    y = layer(ln.Input((5, 3)))

    text = ln._core.Graph([layer.input], [y]).text()

    assert "activation=relu" in text
    assert " = add(" not in text
    assert " = relu(" not in text


def test_activation_that_the_op_does_not_take():
    layer = L.Conv1D(2, 2, activation="softplus", bias_initializer="ones", kernel_initializer="zeros")

    np.testing.assert_allclose(layer(np.ones((1, 2, 1), "float32")).numpy(), np.full((1, 1, 2), np.log1p(np.e)), 1e-6)

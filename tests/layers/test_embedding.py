"""Embedding: look-up, gradient of the rows used, masks, errors."""

import numpy as np
import pytest

import layernet as ln


def test_rows_are_picked_by_index():
    layer = ln.layers.Embedding(5, 3)
    x = np.array([[0, 4], [2, 2]], "int64")
    y = layer(x).numpy()

    assert y.dtype == "float32"
    np.testing.assert_array_equal(y, layer.embeddings.numpy()[x])
    assert layer.compute_output_shape((None, 2)) == (None, 2, 3)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32"])
def test_integers_of_any_size(dtype):
    layer = ln.layers.Embedding(3, 2)

    assert layer(np.array([1], dtype)).numpy().tolist() == layer.embeddings.numpy()[[1]].tolist()


def test_default_values_are_small_and_uniform():
    layer = ln.layers.Embedding(200, 50)
    layer(np.zeros((1, 1), "int32"))
    values = layer.embeddings.numpy()

    assert -0.05 <= values.min() < -0.049
    assert 0.049 < values.max() < 0.05


def test_gradient_reaches_the_rows_used_and_sums_repeated_ones():
    layer = ln.layers.Embedding(4, 2)
    x = np.array([[1, 3, 1]], "int32")
    with ln.GradientTape() as tape:
        loss = ln.reduce_sum(layer(x) * np.float32([[[1, 2], [3, 4], [5, 6]]]))

    np.testing.assert_array_equal(tape.gradient(loss, layer.embeddings).numpy(), [[0, 0], [6, 8], [0, 0], [3, 4]])


def test_mask_of_zeros_is_carried_along_in_symbolic_calls():
    layer = ln.layers.Embedding(4, 2, mask_zero=True)
    dense = ln.layers.Dense(3)
    dense(layer(ln.Input((5,), dtype="int32")))

    assert dense.input_mask is not None
    np.testing.assert_array_equal(layer.compute_mask(ln.constant([[0, 2]])).numpy(), [[False, True]])
    assert ln.layers.Embedding(4, 2).compute_mask(ln.constant([[0, 2]])) is None


def test_predictor_has_the_bits_of_eager():
    net = ln.Sequential([ln.layers.Embedding(10, 4), ln.layers.Flatten(), ln.layers.Dense(2)])
    x = np.random.default_rng(0).integers(0, 10, (7, 3)).astype("int32")
    want = net(x).numpy()

    np.testing.assert_allclose(ln.Predictor(net).predict(x), want, rtol=1e-6)


@pytest.mark.parametrize("sizes", [(0, 2), (2, 0), (-1, 2)])
def test_sizes_must_be_positive(sizes):
    with pytest.raises(ValueError, match=r"embedding 'embedding\w*': expected (in|out)put_dim >= 1, got"):
        ln.layers.Embedding(*sizes)


def test_inputs_must_be_integers():
    with pytest.raises(ln.errors.DTypeError, match=r"expected integers, got .*float32"):
        ln.layers.Embedding(3, 2)(np.ones((1, 2), "float32"))

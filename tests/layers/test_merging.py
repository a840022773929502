"""Layers of several inputs."""

import numpy as np
import pytest

import layernet as ln

A = np.array([[1.0, 5.0]], "float32")
B = np.array([[4.0, 2.0]], "float32")
L = ln.layers


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (L.Add, A + B),
        (L.Subtract, A - B),
        (L.Multiply, A * B),
        (L.Average, (A + B) / 2),
        (L.Maximum, np.maximum(A, B)),
        (L.Concatenate, np.concatenate([A, B], -1)),
    ],
)
def test_merge_of_two(layer, expected):
    np.testing.assert_array_equal(layer()([A, B]).numpy(), expected)


@pytest.mark.parametrize(
    ("layer", "expected"), [(L.Add, 2 * A + B), (L.Multiply, A * A * B), (L.Average, (2 * A + B) / 3)]
)
def test_merge_of_three(layer, expected):
    np.testing.assert_allclose(layer()([A, A, B]).numpy(), expected, rtol=2**-22)


def test_inputs_of_different_rank():
    x, y = np.ones((2, 3, 4), "float32"), np.ones((2, 4), "float32")

    assert L.Add()([x, y]).shape == (2, 3, 4)


def test_merge_of_symbols():
    a, b = ln.Input((3,)), ln.Input((1,))

    assert L.Add()([a, b]).shape == (None, 3)
    assert L.Concatenate()([a, b]).shape == (None, 4)


@pytest.mark.parametrize("inputs", [[A], A], ids=["list", "array"])
def test_too_few_inputs(inputs):
    with pytest.raises(ValueError, match="add 'm': expected a list of two or more inputs, got 1"):
        L.Add(name="m")(inputs)


def test_too_many_inputs():
    with pytest.raises(ValueError, match="subtract 'm': expected a list of exactly 2 inputs, got 3"):
        L.Subtract(name="m")([A, A, A])


def test_shapes_that_do_not_broadcast():
    with pytest.raises(ln.errors.ShapeError, match=r"add 'm': expected shapes that broadcast, got \[1, 2\], \[1, 3\]"):
        L.Add(name="m")([A, np.ones((1, 3), "float32")])


def test_shapes_that_cannot_be_joined():
    with pytest.raises(ln.errors.ShapeError, match="expected shapes alike but for axis 0"):
        L.Concatenate(axis=0)([A, np.ones((1, 3), "float32")])


def test_output_shapes():
    assert L.Add().compute_output_shape([(None, 3), (None, 1)]) == (None, 3)
    assert L.Concatenate().compute_output_shape([(None, 3), (2, 1)]) == (None, 4)
    assert L.Concatenate(axis=0).compute_output_shape([(None, 3), (2, 3)]) == (None, 3)


def test_masks_joined_by_concatenate():
    x = np.ones((1, 2, 3), "float32")
    mask = ln.constant([[True, False]])

    joined = L.Concatenate().compute_mask([x, x], [mask, None])
    assert joined.numpy().tolist() == [[True, False]]
    assert L.Concatenate(axis=1).compute_mask([x, x], [mask, None]).numpy().tolist() == [[True, False, True, True]]

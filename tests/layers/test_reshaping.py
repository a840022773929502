"""Flatten and Reshape."""

import numpy as np
import pytest

import layernet as ln


def test_flatten_of_no_rows():
    assert ln.layers.Flatten()(np.ones((0, 2, 3), "float32")).shape == (0, 6)


def test_flatten_of_empty_rows():
    assert ln.layers.Flatten()(np.ones((4, 0, 3), "float32")).shape == (4, 0)


def test_flatten_of_a_symbol():
    assert ln.layers.Flatten()(ln.Input((2, 3))).shape == (None, 6)


def test_flatten_of_a_vector():
    with pytest.raises(ValueError, match="flatten 'flatten': expected an input with at least 2 axes"):
        ln.layers.Flatten()(np.ones(3, "float32"))


def test_unknown_data_format():
    with pytest.raises(ValueError, match="expected the data format 'channels_last' or 'channels_first', got 'x'"):
        ln.layers.Flatten(data_format="x")


def test_flatten_with_an_unknown_size():
    assert ln.layers.Flatten().compute_output_shape((None, 3, None)) == (None, None)


@pytest.mark.parametrize(("target", "expected"), [((3, 4), (2, 3, 4)), ((-1,), (2, 12)), ((2, -1, 2), (2, 2, 3, 2))])
def test_reshape(target, expected):
    x = np.arange(24, dtype="float32").reshape(2, 12)

    np.testing.assert_array_equal(ln.layers.Reshape(target)(x).numpy(), x.reshape(expected))


def test_reshape_of_a_symbol():
    assert ln.layers.Reshape((2, -1))(ln.Input((3, 4))).shape == (None, 2, 6)


def test_reshape_that_does_not_fit():
    with pytest.raises(ln.errors.ShapeError, match=r"reshape 'r': expected rows that can be made into shape \[5\]"):
        ln.layers.Reshape((5,), name="r")(np.ones((2, 4), "float32"))


def test_reshape_with_two_unknowns():
    with pytest.raises(ValueError, match="expected at most one -1"):
        ln.layers.Reshape((-1, -1))

"""Dense."""

import numpy as np
import pytest

import layernet as ln

rng = np.random.default_rng(1)


def reference(x, kernel, bias, activation):
    x, kernel, bias = (np.asarray(a, "float64") for a in (x, kernel, bias))
    return {
        "linear": lambda z: z,
        "relu": lambda z: np.maximum(z, 0),
        "tanh": np.tanh,
        "softmax": lambda z: np.exp(z) / np.exp(z).sum(-1, keepdims=True),
        "mish": lambda z: z * np.tanh(np.log1p(np.exp(z))),
        "exponential": np.exp,
    }[activation](x @ kernel + bias)


@pytest.mark.parametrize("activation", ["linear", "relu", "tanh", "softmax", "mish", "exponential"])
@pytest.mark.parametrize("shape", [(1, 1), (0, 3), (7, 5), (2, 3, 4)])
@pytest.mark.parametrize(("dtype", "eps"), [("float32", 2.0**-23), ("float64", 2.0**-52)])
def test_dense_matches_the_formula(activation, shape, dtype, eps):
    x = rng.standard_normal(shape).astype(dtype)
    layer = ln.layers.Dense(6, activation=activation, bias_initializer="random_normal")
    y = layer(x)

    expected = reference(x, *layer.get_weights(), activation)
    assert y.dtype.name == dtype
    # k products and sums of numbers below 16, then one function with a derivative below 8
    np.testing.assert_allclose(y.numpy(), expected, rtol=64 * eps, atol=shape[-1] * 128 * eps)


def test_dense_without_bias():
    layer = ln.layers.Dense(1, use_bias=False)
    layer(np.ones((1, 2), "float32"))

    assert layer.bias is None
    assert [v.name for v in layer.variables] == ["dense/kernel:0"]


def test_units_go_through_int():
    assert ln.layers.Dense("3").units == 3


def test_negative_units_fail_when_building():
    with pytest.raises(ValueError, match="expected known sizes for the variable 'kernel'"):
        ln.layers.Dense(-1)(np.ones((1, 2), "float32"))


def test_unknown_activation():
    with pytest.raises(ValueError, match="activation: expected a known name, got 'no_such'"):
        ln.layers.Dense(1, activation="no_such")


def test_integer_inputs():
    with pytest.raises(ln.errors.DTypeError, match="dense 'dense': expected floating point inputs, got int32"):
        ln.layers.Dense(1)(np.ones((1, 2), "int32"))


def test_unknown_last_dimension():
    with pytest.raises(ValueError, match="dense 'dense': expected an input with a known last dimension"):
        ln.layers.Dense(1)(ln.Input((None,)))


def test_output_shape_needs_a_known_last_dimension():
    with pytest.raises(ValueError, match="expected a shape of two or more axes with a known last one"):
        ln.layers.Dense(1, name="d").compute_output_shape((None, None))


def test_activation_may_be_replaced():
    layer = ln.layers.Dense(1, kernel_initializer="ones")
    x = ln.constant([[-1.0]])
    layer(x)
    layer.activation = ln.nn.relu

    assert layer(x).numpy().tolist() == [[0.0]]

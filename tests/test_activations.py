"""Activations by name."""

import numpy as np
import pytest

import layernet as ln

NAMES = sorted(set(ln.activations.__all__) - {"get", "serialize", "deserialize"})


@pytest.mark.parametrize("name", NAMES)
def test_name_and_function_are_the_same(name):
    function = getattr(ln.activations, name)

    assert ln.activations.get(name) is function
    assert ln.activations.get(ln.activations.serialize(function)) is function


@pytest.mark.parametrize("name", NAMES)
def test_dense_applies_what_the_function_does(name):
    x = np.linspace(-3, 3, 12, dtype="float32").reshape(3, 4)
    layer = ln.layers.Dense(4, activation=name, kernel_initializer="identity")

    # one product with 1 and zeros is exact; an activation inside the op has the bits of the function
    np.testing.assert_array_equal(layer(x).numpy(), ln.activations.get(name)(x).numpy())


def test_none_is_linear():
    assert ln.activations.get(None) is ln.activations.linear


def test_function_that_is_not_known_stays():
    def own(x):
        return x

    assert ln.activations.get(own) is own
    assert ln.activations.serialize(own) is own


def test_unknown_name():
    with pytest.raises(ValueError, match=r"activation: expected a known name, got 'no_such'\. Known names: elu"):
        ln.activations.get("no_such")

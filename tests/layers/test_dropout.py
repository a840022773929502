"""Dropout."""

import numpy as np
import pytest

import layernet as ln


@pytest.mark.parametrize("rate", [-0.1, 1.0, 2.0])
def test_rate_out_of_range(rate):
    with pytest.raises(ValueError, match=rf"dropout 'd': expected a rate in \[0, 1\), got {rate}"):
        ln.layers.Dropout(rate, name="d")


def test_seed_is_no_weight():
    assert ln.layers.Dropout(0.5, seed=1).variables == []


def test_gradient_has_the_same_zeros():
    layer = ln.layers.Dropout(0.5, seed=1)
    x = ln.ones((200,))
    with ln.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, training=True)

    np.testing.assert_array_equal(tape.gradient(y, x).numpy(), y.numpy())


def test_global_seed_repeats_the_choice():
    layer = ln.layers.Dropout(0.5)
    x = ln.ones((100,))
    ln.set_seed(1)
    first = layer(x, training=True).numpy()
    ln.set_seed(1)

    np.testing.assert_array_equal(layer(x, training=True).numpy(), first)

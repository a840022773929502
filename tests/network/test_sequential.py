"""Sequential, as far as no golden case covers it."""

import functools

import numpy as np
import pytest

import layernet as ln

ONE = np.ones((1, 2), "float32")


def test_add_returns_none():
    assert ln.Sequential().add(ln.nn.relu) is None


def test_something_that_is_neither_layer_nor_function():
    with pytest.raises(TypeError, match="expected a layer or a function, got 'dense'"):
        ln.Sequential(["dense"])


def test_same_unbuilt_layer_twice_runs_twice_and_is_listed_once():
    layer = ln.layers.Dense(2, use_bias=False, kernel_initializer=ln.initializers.Constant(1.0))
    net = ln.Sequential([layer, layer])

    assert net(ONE).numpy().tolist() == [[4.0, 4.0]]
    assert len(net.layers) == 1


def test_training_may_be_positional():
    net = ln.Sequential([lambda x, training=None: x * (2.0 if training else 1.0)])

    assert net(ONE, True).numpy().tolist() == [[2.0, 2.0]]


def test_training_is_the_second_positional_argument():
    seen = []

    def member(x, flag=None, training=None):
        seen.append((flag, training))
        return x

    ln.Sequential([member])(ONE, training=True)

    assert seen == [(True, None)]


def test_training_of_a_partial_and_of_a_callable_object():
    class Doubler:
        def __call__(self, x, training=None):
            return x * 2.0 if training else x

    def scale(x, training=None, factor=1.0):
        return x * factor if training else x

    net = ln.Sequential([functools.partial(scale, factor=3.0), Doubler()])

    assert net(ONE, training=True).numpy().tolist() == [[6.0, 6.0]]


def test_function_without_a_signature():
    assert ln.Sequential([ln._core.ops.negative])(ONE, training=True).numpy().tolist() == [[-1.0, -1.0]]


def test_training_reaches_dropout_inside():
    net = ln.Sequential([ln.Sequential([ln.layers.Dropout(0.5, seed=1)])])
    x = np.ones((1, 1000), "float32")

    assert set(net(x, training=True).numpy().ravel().tolist()) == {0.0, 2.0}
    assert set(net(x).numpy().ravel().tolist()) == {1.0}


def test_count_params_before_build():
    with pytest.raises(ValueError, match="before it is built"):
        ln.Sequential().count_params()

"""GradientTape, as far as no golden case covers it."""

import numpy as np
import pytest

import layernet as ln


def test_integer_variable_has_no_gradient():
    k, v = ln.Variable(3), ln.Variable(2.0)
    with ln.GradientTape() as tape:
        y = ln.cast(k, "float32") * v

    assert tape.gradient(y, [k, v])[0] is None


def test_kinks():
    x = ln.constant([0.0, 0.0])
    with ln.GradientTape() as tape:
        tape.watch(x)
        y = ln.nn.relu(x) + ln.abs(x)

    assert tape.gradient(y, x).numpy().tolist() == [0.0, 0.0]


def test_list_of_targets_is_summed():
    v = ln.Variable(2.0)
    with ln.GradientTape() as tape:
        a, b = v * 3.0, v * v

    assert float(tape.gradient([a, b], v)) == 7.0


def test_output_gradients_of_several_targets():
    v = ln.Variable([1.0, 2.0])
    with ln.GradientTape() as tape:
        a, b = v * 3.0, v * v

    assert tape.gradient([a, b], v, output_gradients=[None, [0.0, 1.0]]).numpy().tolist() == [3.0, 7.0]


def test_output_gradients_of_another_number():
    v = ln.Variable([1.0, 2.0])
    with ln.GradientTape() as tape:
        a, b = v * 3.0, v * v

    with pytest.raises(ValueError, match="expected output_gradients in the structure of the 2 targets"):
        tape.gradient([a, b], v, output_gradients=[None])


def test_watching_a_structure():
    a, b = ln.constant(2.0), ln.constant(3.0)
    with ln.GradientTape() as tape:
        tape.watch({"a": a, "b": [b]})
        y = a * b

    assert [float(g) for g in tape.gradient(y, [a, b])] == [3.0, 2.0]


def test_array_cannot_be_watched():
    with ln.GradientTape() as tape, pytest.raises(TypeError, match="watch: expected a tensor or variable, got ndarray"):
        tape.watch(np.ones(2))


def test_array_is_no_source():
    v = ln.Variable(2.0)
    with ln.GradientTape() as tape:
        y = v * v

    with pytest.raises(TypeError, match="gradient: expected a tensor or variable, got float"):
        tape.gradient(y, 2.0)


@pytest.mark.parametrize(
    "use", [lambda t: t.watch(ln.constant(1.0)), lambda t: t.reset(), lambda t: t.watched_variables()]
)
def test_tape_that_was_never_entered(use):
    with pytest.raises(RuntimeError, match="expected a tape with a record"):
        use(ln.GradientTape())


def test_used_up_tape():
    v = ln.Variable(2.0)
    with ln.GradientTape() as tape:
        y = v * v
    tape.gradient(y, v)

    with pytest.raises(RuntimeError, match="make the tape persistent to ask twice"):
        tape.gradient(y, v)


def test_entering_twice():
    with ln.GradientTape() as tape, pytest.raises(ValueError, match="expected a tape that is not recording"):
        tape.__enter__()


def test_entering_again_continues_the_record():
    v = ln.Variable(2.0)
    tape = ln.GradientTape()
    with tape:
        y = v * v
    w = v * 100.0
    with tape:
        z = y * y

    assert float(tape.gradient(z, v)) == 32.0
    assert float(w) == 200.0


def test_exception_in_the_block_leaves_no_active_tape():
    v = ln.Variable(2.0)
    with pytest.raises(KeyError), ln.GradientTape():
        raise KeyError

    with ln.GradientTape() as tape:
        y = v * v
    assert float(tape.gradient(y, v)) == 4.0


def test_same_source_twice():
    v = ln.Variable(3.0)
    with ln.GradientTape() as tape:
        y = v * v

    assert [float(g) for g in tape.gradient(y, (v, v))] == [6.0, 6.0]


def test_variable_changed_after_its_use():
    v = ln.Variable(3.0)
    with ln.GradientTape() as tape:
        y = v * v
    v.assign(100.0)

    assert float(tape.gradient(y, v)) == 6.0


def test_third_order():
    v = ln.Variable(2.0)
    with ln.GradientTape() as a:
        with ln.GradientTape() as b:
            with ln.GradientTape() as c:
                y = v * v * v * v
            first = c.gradient(y, v)
        second = b.gradient(first, v)

    assert [float(first), float(second), float(a.gradient(second, v))] == [32.0, 48.0, 48.0]


def test_layer_variables_are_watched_in_order_of_reading():
    net = ln.Sequential([ln.layers.Dense(2), ln.layers.Dense(1)], name="n")
    with ln.GradientTape() as tape:
        net(np.ones((1, 2), "float32"))

    assert [v.name for v in tape.watched_variables()] == [v.name for v in net.variables]
    assert tape.watched_variables()[0] is net.variables[0]


@pytest.mark.parametrize("x", [[2.0, 0.0, 3.0], [0.0, 0.0, 3.0, 5.0], [2.0, 3.0, 4.0, 5.0, 6.0], [0.0, 2.0]])
def test_second_derivative_of_a_product(x):
    # d2 prod / dx_i dx_j is the product of the others.
    want = [[0.0 if i == j else np.prod(np.delete(x, [i, j])) for j in range(len(x))] for i in range(len(x))]
    v = ln.Variable(x, dtype="float64")

    for i in range(len(x)):
        with ln.GradientTape() as outer:
            with ln.GradientTape() as inner:
                y = ln.reduce_prod(v)
            g = inner.gradient(y, v)[i]
        np.testing.assert_array_equal(outer.gradient(g, v).numpy(), want[i])


def test_third_derivative_of_a_product_with_zeros():
    v = ln.Variable([0.0, 0.0, 0.0], dtype="float64")

    with ln.GradientTape() as third:
        with ln.GradientTape() as second:
            with ln.GradientTape() as first:
                y = ln.reduce_prod(v)
            g = first.gradient(y, v)[0]
        h = second.gradient(g, v)[1]
    np.testing.assert_array_equal(third.gradient(h, v).numpy(), [0.0, 0.0, 1.0])


def test_gradients_of_a_product_over_two_axes_with_a_zero():
    x = np.array([[[2.0, 3.0], [0.0, 5.0]], [[1.0, 4.0], [6.0, 7.0]]])
    v = ln.Variable(x)

    with ln.GradientTape() as outer:
        with ln.GradientTape() as inner:
            y = ln.reduce_prod(v, axis=[0, 2])
        g = inner.gradient(y, v)
        one = g[0, 1, 1]
    np.testing.assert_array_equal(g.numpy(), [[[12, 8], [210, 0]], [[24, 6], [0, 0]]])
    np.testing.assert_array_equal(outer.gradient(one, v).numpy(), [[[0, 0], [42, 0]], [[0, 0], [0, 0]]])


def test_the_slope_of_a_zeroth_power_is_0_everywhere():
    x = ln.constant(np.array([0.0, 1.0, -2.0, 3.0], "float32"))
    for exponent, want in [(0.0, [0, 0, 0, 0]), (1.0, [1, 1, 1, 1]), (3.0, [0, 3, 12, 27])]:
        with ln.GradientTape() as tape:
            tape.watch(x)
            y = x**exponent
        np.testing.assert_array_equal(tape.gradient(y, x).numpy(), want)
    exponents = ln.constant(np.array([0.0, 0.0, 2.0, 1.0], "float32"))
    with ln.GradientTape(persistent=True) as outer:
        outer.watch(x)
        with ln.GradientTape() as tape:
            tape.watch(x)
            y = x**exponents
        slope = tape.gradient(y, x)
    np.testing.assert_array_equal(slope.numpy(), [0, 0, -4, 1])
    np.testing.assert_array_equal(outer.gradient(slope, x).numpy(), [0, 0, 2, 0])

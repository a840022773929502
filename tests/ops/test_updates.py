"""Ops that change variables: in place where nobody looks, never under somebody who does."""

import numpy as np
import pytest

import reference
from layernet import _core, errors

ops = _core.ops


def variable(*values, dtype="float32"):
    return _core.Variable(_core.constant(np.array(values, dtype)))


def test_update_returns_nothing():
    assert ops.assign(variable(1), np.float32([2])) is None


def test_value_taken_before_an_update_keeps_its_numbers():
    v = variable(1, 2)
    before = v.value()

    ops.assign_add(v, np.float32([1, 1]))

    np.testing.assert_array_equal(before.numpy(), [1, 2])
    np.testing.assert_array_equal(v.numpy(), [2, 3])


def test_update_of_an_unwatched_variable_allocates_nothing():
    v, g = variable(1, 2), _core.constant(np.float32([1, 1]))
    rate = _core.constant(0.5)
    ops.sgd(v, g, rate)
    before = _core.allocation_count()

    ops.sgd(v, g, rate)

    assert _core.allocation_count() == before
    np.testing.assert_array_equal(v.numpy(), [0, 1])


def test_every_update_raises_the_version():
    v, m, s = variable(1), variable(0), variable(0)
    before = [u.version for u in (v, m, s)]

    ops.adam(v, m, s, np.float32([1]), 0.1, 0.1)

    assert [u.version for u in (v, m, s)] == [n + 1 for n in before]


def test_variable_may_be_its_own_operand():
    v = variable(1, 2, 3)

    ops.assign_add(v, v)
    ops.sgd(v, v, 0.5)

    np.testing.assert_array_equal(v.numpy(), [1, 2, 3])


def test_one_variable_in_two_places_is_refused():
    v = variable(1)
    with pytest.raises(errors.InvalidArgumentError, match="momentum: expected distinct variables, got one"):
        ops.momentum(v, v, np.float32([1]), 0.1)


def test_refused_update_changes_nothing():
    v = variable(1, 2)
    with pytest.raises(errors.ShapeError):
        ops.sgd(v, np.float32([1]), 0.1)

    np.testing.assert_array_equal(v.numpy(), [1, 2])
    assert v.version == 0
    ops.sgd(v, np.float32([1, 1]), 1.0)


def test_learning_rate_may_be_a_variable():
    v, rate = variable(1), _core.Variable(_core.constant(0.25))

    ops.sgd(v, np.float32([2]), rate)

    np.testing.assert_array_equal(v.numpy(), [0.5])


def test_several_steps_follow_the_formula():
    rng = np.random.default_rng(2)
    values = [rng.normal(size=5), np.zeros(5), np.zeros(5)]
    variables = [_core.Variable(_core.constant(x)) for x in values]
    for step in range(1, 6):
        g, rate = rng.normal(size=5), 0.1 * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)

        ops.adam(*variables, g, rate, 0.1, weight_decay=0.01)
        values = reference.adam(*values, g, rate, 0.1, weight_decay=0.01)

    for got, want in zip(variables, values, strict=True):
        np.testing.assert_allclose(got.numpy(), want, rtol=1e-14)


def test_tape_sees_the_value_before_an_update():
    v = variable(3)
    tape = _core.Tape(False)
    tape.push()
    y = ops.square(v)
    ops.assign(v, np.float32([100]))

    (gradient,) = tape.gradient([y], [v], None)

    np.testing.assert_array_equal(gradient.numpy(), [6])


def test_updates_in_a_trace_are_effects_in_order():
    v = variable(1)
    with _core.Trace() as trace:
        ops.assign(v, np.float32([2]))
        ops.assign_add(v, np.float32([3]))

    assert len(trace.effects) == 2
    np.testing.assert_array_equal(v.numpy(), [1])

"""Schedules of learning rates against their formulas."""

import math

import numpy as np
import pytest

import layernet as ln
from layernet import symbolic

S = ln.optimizers.schedules
STEPS = [0, 1, 2, 3, 5, 7, 10, 11, 15, 20, 21, 34, 1000]


def polynomial(step, initial=0.5, n=10, end=0.1, power=2.0, cycle=False):
    if cycle:
        n = n * max(1, math.ceil(step / n))
    return (initial - end) * (1 - min(step, n) / n) ** power + end


def cosine(step, initial=0.5, n=10, alpha=0.2):
    return initial * (alpha + (1 - alpha) * (1 + math.cos(math.pi * min(step / n, 1))) / 2)


CASES = {
    "exponential": (S.ExponentialDecay(0.5, 10, 0.9), lambda n: 0.5 * 0.9 ** (n / 10)),
    "staircase": (S.ExponentialDecay(0.5, 10, 0.9, staircase=True), lambda n: 0.5 * 0.9 ** (n // 10)),
    "cosine": (S.CosineDecay(0.5, 10, alpha=0.2), cosine),
    "polynomial": (S.PolynomialDecay(0.5, 10, 0.1, power=2.0), polynomial),
    "polynomial_cycle": (
        S.PolynomialDecay(0.5, 10, 0.1, power=2.0, cycle=True),
        lambda n: polynomial(n, cycle=True),
    ),
    "piecewise": (
        S.PiecewiseConstantDecay([3, 10], [0.5, 0.25, 0.125]),
        lambda n: 0.5 if n <= 3 else 0.25 if n <= 10 else 0.125,
    ),
    "warmup": (
        S.Warmup(S.CosineDecay(0.5, 10, alpha=0.2), 5, start=0.1),
        lambda n: 0.1 + 0.4 * n / 5 if n < 5 else cosine(n - 5),
    ),
    "warmup_to_a_number": (S.Warmup(0.5, 4), lambda n: 0.5 * min(n / 4, 1)),
}


@pytest.mark.parametrize(("schedule", "formula"), CASES.values(), ids=CASES)
def test_rates(schedule, formula):
    for step in STEPS:
        rate = schedule(step)
        assert (rate.dtype, rate.shape) == ("float32", ())
        # About five roundings in float32 of values up to 0.5; step / n times log or pi magnifies the first of them.
        assert float(rate) == pytest.approx(formula(step), rel=2e-5, abs=1e-6)


@pytest.mark.parametrize("schedule", [schedule for schedule, _ in CASES.values()], ids=CASES)
def test_step_as_variable_and_symbol(schedule):
    count = ln.Variable(7, dtype="int64", trainable=False)
    assert float(schedule(count)) == float(schedule(7))
    with symbolic.Tracing(record=False):
        rate = schedule(count)
    assert isinstance(rate, ln.Symbol)
    assert rate.shape == ()


@pytest.mark.parametrize("schedule", [schedule for schedule, _ in CASES.values()], ids=CASES)
def test_configuration(schedule):
    again = S.deserialize(S.serialize(schedule))
    assert type(again) is type(schedule)
    assert again.get_config() == schedule.get_config()
    np.testing.assert_array_equal([float(again(n)) for n in STEPS], [float(schedule(n)) for n in STEPS])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: S.ExponentialDecay(-1, 10, 0.5), r"ExponentialDecay: expected initial_learning_rate .* 0 or more"),
        (lambda: S.ExponentialDecay(1, 0, 0.5), r"ExponentialDecay: expected decay_steps .* above 0, got 0"),
        (
            lambda: S.CosineDecay(1, 10, alpha=2),
            r"CosineDecay: expected alpha to be a finite number in \[0, 1\], got 2",
        ),
        (lambda: S.CosineDecay(math.inf, 10), r"CosineDecay: expected initial_learning_rate to be a finite number"),
        (lambda: S.PolynomialDecay(1, 10, power=0), r"PolynomialDecay: expected power .* above 0, got 0"),
        (
            lambda: S.PiecewiseConstantDecay([3, 2], [1, 2, 3]),
            r"PiecewiseConstantDecay: expected rising boundaries and one value more than these, got \[3, 2\] and",
        ),
        (lambda: S.PiecewiseConstantDecay([3], [1]), r"PiecewiseConstantDecay: expected rising boundaries and one"),
        (lambda: S.Warmup(0.5, 0), r"Warmup: expected warmup_steps .* above 0, got 0"),
    ],
)
def test_value_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_other_errors():
    with pytest.raises(TypeError, match="Warmup: expected a schedule or a number to follow, got 'cosine'"):
        S.Warmup("cosine", 5)
    with pytest.raises(NotImplementedError, match="LearningRateSchedule: expected the schedule to define rate"):
        S.LearningRateSchedule()(0)

"""Learning rates that depend on the number of steps made. An optimizer takes a schedule as its `learning_rate`.

A schedule is a function of a scalar integer, made of ops, so that it becomes part of a traced step.

    >>> import layernet as ln
    >>> v = ln.Variable([1.0])
    >>> opt = ln.optimizers.SGD(ln.optimizers.schedules.PiecewiseConstantDecay([0], [0.5, 0.25]))
    >>> for _ in range(2):
    ...     opt.apply_gradients([([1.0], v)])
    >>> v.numpy()
    array([0.25], dtype=float32)
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from layernet import _core
from layernet.config import Configurable, Registry
from layernet.tensor import Tensor
from layernet.tensor import core_ops as _ops

__all__ = [
    "CosineDecay",
    "ExponentialDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "Warmup",
    "deserialize",
    "serialize",
]

_VALUES = (_core.Tensor, _core.Symbol, _core.Variable)


class LearningRateSchedule(Configurable):
    """What all schedules share: called with the number of steps made so far, they give the next learning rate.

    A subclass defines `rate`, from ops.

    Example:
        >>> import layernet as ln
        >>> class Halving(ln.optimizers.schedules.LearningRateSchedule):
        ...     def rate(self, step):
        ...         return 0.5 / (1.0 + step)
        >>> float(Halving()(3))
        0.125
    """

    def __call__(self, step: Any) -> Tensor:
        """The learning rate after `step` steps.

        Args:
            step: A scalar: integer, tensor, variable or symbol.

        Returns:
            A scalar, float32.
        """
        number = step if isinstance(step, _VALUES) else _core.constant(step)
        return self.rate(_ops.cast(number, dtype=_core.float32))

    def rate(self, step: Tensor) -> Tensor:
        """The learning rate for a float32 scalar. Subclasses define it."""
        raise NotImplementedError(f"{type(self).__name__}: expected the schedule to define rate. Define it.")


class ExponentialDecay(LearningRateSchedule):
    """`rate = initial * decay_rate^(step / decay_steps)`.

    Args:
        initial_learning_rate: The rate at step 0, 0 or more.
        decay_steps: Steps until the rate is `decay_rate` of what it was, above 0.
        decay_rate: Above 0.
        staircase: Whether the exponent is rounded down to an integer, default False.

    Raises:
        ValueError: A number out of its range.

    Example:
        >>> import layernet as ln
        >>> rate = ln.optimizers.schedules.ExponentialDecay(0.5, decay_steps=10, decay_rate=0.5)
        >>> float(rate(0)), float(rate(20))
        (0.5, 0.125)
    """

    def __init__(
        self, initial_learning_rate: float, decay_steps: float, decay_rate: float, staircase: bool = False
    ) -> None:
        self.initial_learning_rate = _number(self, "initial_learning_rate", initial_learning_rate)
        self.decay_steps = _number(self, "decay_steps", decay_steps, above=True)
        self.decay_rate = _number(self, "decay_rate", decay_rate, above=True)
        self.staircase = bool(staircase)

    def rate(self, step: Tensor) -> Tensor:
        exponent = _ops.divide(step, self.decay_steps)
        if self.staircase:
            exponent = _ops.floor(exponent)
        factor = _ops.exp(_ops.affine(exponent, scale=math.log(self.decay_rate)))
        return _ops.affine(factor, scale=self.initial_learning_rate)

    def get_config(self) -> dict[str, Any]:
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "decay_rate": self.decay_rate,
            "staircase": self.staircase,
        }


class CosineDecay(LearningRateSchedule):
    """Half a cosine: `rate = initial * (alpha + (1 - alpha) * (1 + cos(pi * min(step / decay_steps, 1))) / 2)`.

    For a rise before it see `Warmup`.

    Args:
        initial_learning_rate: The rate at step 0, 0 or more.
        decay_steps: Steps until the end of the decay, above 0.
        alpha: What share of the rate is left at the end, in [0, 1], default 0.

    Raises:
        ValueError: A number out of its range.

    Reference:
        Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017, eq. 5.

    Example:
        >>> import layernet as ln
        >>> rate = ln.optimizers.schedules.CosineDecay(0.5, decay_steps=10)
        >>> [round(float(rate(step)), 4) for step in (0, 5, 10, 20)]
        [0.5, 0.25, 0.0, 0.0]
    """

    def __init__(self, initial_learning_rate: float, decay_steps: float, alpha: float = 0.0) -> None:
        self.initial_learning_rate = _number(self, "initial_learning_rate", initial_learning_rate)
        self.decay_steps = _number(self, "decay_steps", decay_steps, above=True)
        self.alpha = _number(self, "alpha", alpha, 1.0)

    def rate(self, step: Tensor) -> Tensor:
        part = _ops.clip(_ops.divide(step, self.decay_steps), max=1.0)
        wave = _ops.affine(_ops.cos(_ops.affine(part, scale=math.pi)), scale=0.5, shift=0.5)
        share = _ops.affine(wave, scale=1.0 - self.alpha, shift=self.alpha)
        return _ops.affine(share, scale=self.initial_learning_rate)

    def get_config(self) -> dict[str, Any]:
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "alpha": self.alpha,
        }


class PolynomialDecay(LearningRateSchedule):
    """`rate = (initial - end) * (1 - min(step, n) / n)^power + end`, n = decay_steps.

    Args:
        initial_learning_rate: The rate at step 0, 0 or more.
        decay_steps: n, above 0.
        end_learning_rate: The rate from step n on, 0 or more, default 0.0001.
        power: Above 0, default 1.
        cycle: Whether n is multiplied by the smallest integer that puts it at `step` or beyond, default False.

    Raises:
        ValueError: A number out of its range.

    Example:
        >>> import layernet as ln
        >>> rate = ln.optimizers.schedules.PolynomialDecay(0.5, decay_steps=10, end_learning_rate=0.25)
        >>> [float(rate(step)) for step in (0, 5, 10, 20)]
        [0.5, 0.375, 0.25, 0.25]
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
    ) -> None:
        self.initial_learning_rate = _number(self, "initial_learning_rate", initial_learning_rate)
        self.decay_steps = _number(self, "decay_steps", decay_steps, above=True)
        self.end_learning_rate = _number(self, "end_learning_rate", end_learning_rate)
        self.power = _number(self, "power", power, above=True)
        self.cycle = bool(cycle)

    def rate(self, step: Tensor) -> Tensor:
        part = _ops.divide(step, self.decay_steps)
        part = _ops.divide(part, _ops.clip(_ops.ceil(part), min=1.0)) if self.cycle else _ops.clip(part, max=1.0)
        share = _ops.power(_ops.affine(part, scale=-1.0, shift=1.0), self.power)
        return _ops.affine(
            share, scale=self.initial_learning_rate - self.end_learning_rate, shift=self.end_learning_rate
        )

    def get_config(self) -> dict[str, Any]:
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "end_learning_rate": self.end_learning_rate,
            "power": self.power,
            "cycle": self.cycle,
        }


class PiecewiseConstantDecay(LearningRateSchedule):
    """`rate = values[i]`, i the number of boundaries below `step`: at a boundary the earlier value holds.

    Args:
        boundaries: Numbers of steps, rising.
        values: Rates, one more than boundaries, 0 or more.

    Raises:
        ValueError: Other lengths, boundaries that do not rise, or a negative value.

    Example:
        >>> import layernet as ln
        >>> rate = ln.optimizers.schedules.PiecewiseConstantDecay([10, 20], [1.0, 0.5, 0.25])
        >>> [float(rate(step)) for step in (0, 10, 11, 21)]
        [1.0, 1.0, 0.5, 0.25]
    """

    def __init__(self, boundaries: Sequence[float], values: Sequence[float]) -> None:
        self.boundaries = list(boundaries)
        self.values = [_number(self, "values", value) for value in values]
        rising = all(a < b for a, b in zip(self.boundaries, self.boundaries[1:], strict=False))
        if len(self.values) != len(self.boundaries) + 1 or not rising:
            raise ValueError(
                "PiecewiseConstantDecay: expected rising boundaries and one value more than these, "
                f"got {self.boundaries} and {self.values}."
            )

    def rate(self, step: Tensor) -> Tensor:
        rate = _core.constant(self.values[0])
        for boundary, value in zip(self.boundaries, self.values[1:], strict=True):
            rate = _ops.where(_ops.greater(step, float(boundary)), value, rate)
        return rate

    def get_config(self) -> dict[str, Any]:
        return {"boundaries": self.boundaries, "values": self.values}


class Warmup(LearningRateSchedule):
    """A straight rise before another schedule, which starts when the rise has ended.

    `rate = start + (after(0) - start) * step / warmup_steps` before step `warmup_steps`, then
    `after(step - warmup_steps)`.

    Args:
        after: The schedule, or a number for a rate that stays.
        warmup_steps: How long the rise takes, above 0.
        start: The rate at step 0, 0 or more, default 0.

    Raises:
        TypeError: `after` is neither.
        ValueError: A number out of its range.

    Reference:
        Goyal et al., "Accurate, large minibatch SGD: training ImageNet in 1 hour", 2017, section 2.2.

    Example:
        >>> import layernet as ln
        >>> schedules = ln.optimizers.schedules
        >>> rate = schedules.Warmup(schedules.PolynomialDecay(1.0, 4, end_learning_rate=0.0), warmup_steps=2)
        >>> [float(rate(step)) for step in range(6)]
        [0.0, 0.5, 1.0, 0.75, 0.5, 0.25]
    """

    def __init__(self, after: Any, warmup_steps: float, start: float = 0.0) -> None:
        if isinstance(after, Mapping):
            after = deserialize(after)
        if not isinstance(after, LearningRateSchedule):
            if isinstance(after, bool) or not isinstance(after, (int, float)):
                raise TypeError(f"Warmup: expected a schedule or a number to follow, got {after!r}.")
            after = _number(self, "after", after)
        self.after = after
        self.warmup_steps = _number(self, "warmup_steps", warmup_steps, above=True)
        self.start = _number(self, "start", start)

    def rate(self, step: Tensor) -> Tensor:
        if isinstance(self.after, LearningRateSchedule):
            goal = self.after.rate(_core.constant(0.0))
            later = self.after.rate(_ops.clip(_ops.affine(step, shift=-self.warmup_steps), min=0.0))
        else:
            goal = later = _core.constant(self.after)
        part = _ops.divide(step, self.warmup_steps)
        rising = _ops.affine(_ops.multiply(_ops.affine(goal, shift=-self.start), part), shift=self.start)
        return _ops.where(_ops.less(step, self.warmup_steps), rising, later)

    def get_config(self) -> dict[str, Any]:
        after = serialize(self.after) if isinstance(self.after, LearningRateSchedule) else self.after
        return {"after": after, "warmup_steps": self.warmup_steps, "start": self.start}


_registry = Registry(
    "schedule",
    {
        "CosineDecay": CosineDecay,
        "ExponentialDecay": ExponentialDecay,
        "PiecewiseConstantDecay": PiecewiseConstantDecay,
        "PolynomialDecay": PolynomialDecay,
        "Warmup": Warmup,
    },
)

serialize = _registry.serialize
deserialize = _registry.deserialize


def _number(
    schedule: LearningRateSchedule, name: str, value: float, high: float = math.inf, above: bool = False
) -> float:
    """`value` as a float, checked to lie in [0, high], without 0 when `above`."""
    number = float(value)
    if not (0.0 <= number <= high) or number == math.inf or (above and number == 0.0):
        interval = "above 0" if above else "0 or more" if high == math.inf else f"in [0, {high:g}]"
        raise ValueError(f"{type(schedule).__name__}: expected {name} to be a finite number {interval}, got {value!r}.")
    return number

"""Moving averages of weights, which often do better on new data than the weights themselves.

Beside `Saver` in the package, as both were in TensorFlow's `tf.train`: an average belongs to variables, not to an
optimizer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from layernet.tensor import core_ops as _ops
from layernet.variable import Variable

__all__ = ["ExponentialMovingAverage"]


class ExponentialMovingAverage:
    """Keeps `average = d * average + (1 - d) * value` for variables, with TensorFlow's names.

    Args:
        decay: d, in [0, 1): 0.99 to 0.9999 are usual.
        num_updates: An integer variable that counts steps, such as a `global_step`; then
            `d = min(decay, (1 + num_updates) / (10 + num_updates))`, so that the first values are forgotten sooner.
            None (default) keeps d as it is.
        name: Names the averages, `dense/kernel/ExponentialMovingAverage` by default.

    Raises:
        ValueError: `decay` outside [0, 1).

    Reference:
        Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992, for averaging as such.

    Example:
        >>> import layernet as ln
        >>> v = ln.Variable([0.0])
        >>> ema = ln.ExponentialMovingAverage(0.5)
        >>> for value in (0.0, 1.0, 1.0):
        ...     _ = v.assign([value])
        ...     ema.apply([v])
        >>> with ema.swap():
        ...     v.numpy()
        array([0.75], dtype=float32)
        >>> v.numpy()
        array([1.], dtype=float32)
    """

    def __init__(
        self, decay: float, num_updates: Variable | None = None, name: str = "ExponentialMovingAverage"
    ) -> None:
        if not 0.0 <= decay < 1.0:
            raise ValueError(f"ExponentialMovingAverage: expected decay in [0, 1), got {decay!r}.")
        self.decay = float(decay)
        self.num_updates = num_updates
        self.name = name
        self._averages: dict[int, tuple[Variable, Variable]] = {}

    def apply(self, var_list: Iterable[Variable]) -> None:
        """Take the present values into the averages; the first time they become the averages.

        Args:
            var_list: Variables of floats.

        Raises:
            TypeError: Something that is not a variable of floats.
        """
        rest: dict[str, Any] = {}
        for variable in var_list:
            average = self._average_of(variable)
            if self.num_updates is None:
                _ops.moving_average(average, variable, momentum=self.decay)
                continue
            dtype = variable.dtype
            if dtype.name not in rest:
                rest[dtype.name] = self._rest(dtype)
            _ops.assign_sub(average, _ops.multiply(_ops.subtract(average, variable), rest[dtype.name]))

    def average(self, var: Variable) -> Variable | None:
        """The average of a variable; None before `apply` saw it."""
        found = self._averages.get(id(var))
        return None if found is None else found[1]

    def average_name(self, var: Variable) -> str:
        """The name of a variable's average without ":0", whether it exists or not."""
        return f"{var.name.removesuffix(':0')}/{self.name}"

    def variables(self) -> list[Variable]:
        """The averages, in the order in which they were made, for instance to save them."""
        return [average for _, average in self._averages.values()]

    def variables_to_restore(self) -> dict[str, Variable]:
        """Names of averages with the averaged variables: a `Saver` of it gives the variables their saved averages.

        Example:
            >>> import layernet as ln
            >>> v = ln.Variable([1.0], name="v")
            >>> ema = ln.ExponentialMovingAverage(0.9)
            >>> ema.apply([v])
            >>> list(ema.variables_to_restore())
            ['v/ExponentialMovingAverage']
        """
        return {self.average_name(variable): variable for variable, _ in self._averages.values()}

    @contextmanager
    def swap(self) -> Iterator[None]:
        """A block in which the variables have their averages as values; afterwards they have their own again.

        Raises:
            ValueError: There is no average yet.

        Example: see the class.
        """
        if not self._averages:
            raise ValueError("ExponentialMovingAverage: expected averages to swap in, got none. Call apply first.")
        pairs = list(self._averages.values())
        own = [variable.value() for variable, _ in pairs]
        try:
            for variable, average in pairs:
                variable.assign(average)
            yield
        finally:
            for (variable, _), value in zip(pairs, own, strict=True):
                variable.assign(value)

    def _average_of(self, variable: Variable) -> Variable:
        found = self._averages.get(id(variable))
        if found is None:
            if not isinstance(variable, Variable) or not variable.dtype.is_floating:
                raise TypeError(f"ExponentialMovingAverage: expected variables of floats, got {variable!r}.")
            average = Variable(variable.value, trainable=False, name=self.average_name(variable))
            found = self._averages[id(variable)] = variable, average
        return found[1]

    def _rest(self, dtype: Any) -> Any:
        """1 - d as a scalar of the given type, d depending on the number of updates."""
        count = _ops.cast(self.num_updates, dtype=dtype)
        early = _ops.divide(_ops.affine(count, shift=1.0), _ops.affine(count, shift=10.0))
        return _ops.affine(_ops.clip(early, max=self.decay), scale=-1.0, shift=1.0)

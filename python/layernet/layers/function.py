"""Lambda: a function as a layer."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from layernet.errors import InvalidArgumentError
from layernet.layers.base import Layer

__all__ = ["Lambda"]


class Lambda(Layer):
    """A function of tensors as a layer: `y = function(x, **arguments)`.

    For trying things out: no file can hold a function, so such a layer has no configuration, and networks with one can
    be neither saved whole nor copied from a configuration (checkpoints and predictors are fine). Write a `Layer` for
    what is to stay.

    Args:
        function: Applied to the input. A parameter called "mask" is given the input's mask.
        output_shape: Shape of a row of the output, or a function from the input's shape to the output's; None (default)
            when `compute_output_shape` is not needed.
        mask: The mask of the output, or a function `mask(inputs, mask)` that gives it; None (default): inputs with a
            mask are refused.
        arguments: More arguments for the function, by name.
        **kwargs: As for `Layer`.

    Raises:
        ValueError: Something that cannot be called.

    Example:
        >>> import layernet as ln
        >>> ln.layers.Lambda(lambda x: 2.0 * x + 1.0)(ln.constant([1.0, 2.0])).numpy()
        array([3., 5.], dtype=float32)
    """

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Sequence[int | None] | Callable[[Any], Any] | None = None,
        mask: Any = None,
        arguments: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not callable(function):
            raise InvalidArgumentError(f"{self._who()}: expected a function, got {function!r}.")
        self.function = function
        self.arguments = dict(arguments or {})
        self.mask = mask
        self.supports_masking = mask is not None
        self._output_shape = output_shape
        self._takes_mask = "mask" in inspect.signature(function).parameters

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Apply the function."""
        arguments = {**self.arguments, "mask": mask} if self._takes_mask else self.arguments
        return self.function(inputs, **arguments)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """What `mask` of the constructor says."""
        if self.mask is None:
            return super().compute_mask(inputs, mask)
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def compute_output_shape(self, input_shape: Any) -> Any:
        """What `output_shape` of the constructor says."""
        if self._output_shape is None:
            return super().compute_output_shape(input_shape)
        if callable(self._output_shape):
            return tuple(self._output_shape(input_shape))
        first = input_shape[0] if isinstance(input_shape, list) else input_shape
        return (first[0], *self._output_shape)

    def get_config(self) -> dict[str, Any]:
        """Refused: there is none.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError(
            f"{self._who()}: expected a layer that numbers and names describe, got one that is a function, which no "
            "configuration or file can hold. Write a Layer with get_config for it."
        )

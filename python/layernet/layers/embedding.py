"""Embedding: a vector for each of a number of categories."""

from __future__ import annotations

from typing import Any

from layernet import constraints, initializers, ops, regularizers
from layernet.errors import DTypeError, InvalidArgumentError
from layernet.layers.base import Layer, Shape
from layernet.tensor import Tensor, as_dtype

__all__ = ["Embedding"]


class Embedding(Layer):
    """Rows of a table picked by index: `y[..., :] = embeddings[x[...]]`.

    Variable: embeddings `[input_dim, output_dim]`.

    Args:
        input_dim: Number of categories; inputs are integers in [0, input_dim). Another index gives NaN.
        output_dim: Size of a vector.
        embeddings_initializer: Default uniform in [-0.05, 0.05).
        embeddings_regularizer: Function of the table that gives a loss, or its name.
        activity_regularizer: The same for the output.
        embeddings_constraint: Function that optimizers apply to the table after each step, or its name.
        mask_zero: Whether index 0 means "nothing here": the layer then gives the mask `x != 0`. Default False.
        dtype: Element type of the table, default float32.
        **kwargs: As for `Layer`.

    Raises:
        ValueError: A size that is not positive.
        DTypeError: When called, an input that does not hold integers.

    Example:
        >>> import layernet as ln
        >>> layer = ln.layers.Embedding(3, 2, embeddings_initializer="ones")
        >>> layer(ln.constant([[0, 2, 1]])).shape
        (1, 3, 2)
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        activity_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        dtype: Any = "float32",
        **kwargs: Any,
    ) -> None:
        super().__init__(dtype=dtype or "float32", activity_regularizer=activity_regularizer, **kwargs)
        self.input_dim = int(input_dim)
        self.output_dim = int(output_dim)
        for what, size in (("input_dim", self.input_dim), ("output_dim", self.output_dim)):
            if size < 1:
                raise InvalidArgumentError(f"{self._who()}: expected {what} >= 1, got {size}.")
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = mask_zero
        self.supports_masking = mask_zero
        self.embeddings: Any = None

    def build(self, input_shape: Shape) -> None:
        """Make the table."""
        self.embeddings = self.add_weight(
            "embeddings",
            (self.input_dim, self.output_dim),
            initializer=self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
        )
        self.built = True

    def call(self, inputs: Any) -> Tensor:
        """Look up `[...]` integers."""
        if as_dtype(inputs.dtype).name not in ("int8", "uint8", "int32", "int64"):
            raise DTypeError(
                f'{self._who()}: expected integers, got {inputs.dtype}. Convert them, e.g. ln.cast(x, "int32").'
            )
        if as_dtype(inputs.dtype).name in ("int8", "uint8"):
            inputs = ops.cast(inputs, "int32")
        return ops.gather(self.embeddings, inputs)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """`inputs != 0` if `mask_zero`, else None."""
        return ops.not_equal(inputs, 0) if self.mask_zero else None

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """`(..., output_dim)`."""
        return (*input_shape, self.output_dim)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "embeddings_initializer": initializers.serialize(self.embeddings_initializer),
            "embeddings_regularizer": regularizers.serialize(self.embeddings_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "embeddings_constraint": constraints.serialize(self.embeddings_constraint),
            "mask_zero": self.mask_zero,
        }

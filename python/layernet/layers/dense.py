"""Dense: the fully connected layer, one op per call."""

from __future__ import annotations

from typing import Any

from layernet import activations, constraints, initializers, nn, regularizers
from layernet.errors import DTypeError
from layernet.layers.base import Layer, Shape
from layernet.layers.input_spec import InputSpec
from layernet.tensor import Tensor, as_dtype

__all__ = ["Dense"]


class Dense(Layer):
    """A fully connected layer: `y = activation(x @ kernel + bias)` over the last axis.

    Variables: kernel `[in, units]`, and bias `[units]` unless `use_bias` is false.

    Args:
        units: Size of the output's last axis.
        activation: A name, a function, or None (default) for the identity.
        use_bias: Whether to add a bias, default True.
        kernel_initializer: None (default) means uniform in ±sqrt(6 / (in + units)) (Glorot and Bengio, 2010).
        bias_initializer: Default zeros.
        kernel_regularizer: Function of the kernel that gives a loss, or its name.
        bias_regularizer: The same for the bias.
        activity_regularizer: The same for the output.
        kernel_constraint: Function that optimizers apply to the kernel after each step, or its name.
        bias_constraint: The same for the bias.
        trainable: Whether the variables count as trainable, default True.
        name: Prefix of the variables' names.
        **kwargs: As for `Layer`.

    Raises:
        ValueError: An unknown name of an activation or another part; at the first call, an input of fewer than two axes
            or an unknown last one.
        DTypeError: At the first call, an input of integers or bools.

    Example:
        >>> import layernet as ln
        >>> layer = ln.layers.Dense(2, activation="relu", kernel_initializer="ones", name="d")
        >>> layer(ln.constant([[1.0, 2.0, 3.0]])).numpy()
        array([[6., 6.]], dtype=float32)
        >>> [v.name for v in layer.variables]
        ['d/kernel:0', 'd/bias:0']
    """

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = None,
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        trainable: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(trainable=trainable, name=name, activity_regularizer=activity_regularizer, **kwargs)
        self.units = int(units)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.supports_masking = True
        self.input_spec = InputSpec(min_ndim=2)
        self.kernel: Any = None
        self.bias: Any = None

    def build(self, input_shape: Shape) -> None:
        """Make kernel and bias for inputs of shape `[..., in]`."""
        size = input_shape[-1]
        if size is None:
            raise ValueError(f"{self._who()}: expected an input with a known last dimension, got {list(input_shape)}.")
        if self.dtype is not None and not as_dtype(self.dtype).is_floating:
            raise DTypeError(
                f"{self._who()}: expected floating point inputs, got {self.dtype}. "
                'Convert them, e.g. ln.cast(x, "float32").'
            )
        self.input_spec = InputSpec(min_ndim=2, axes={-1: size})
        self.kernel = self.add_weight(
            "kernel",
            (size, self.units),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if self.use_bias:
            self.bias = self.add_weight(
                "bias",
                (self.units,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.built = True

    def call(self, inputs: Any) -> Tensor:
        """Apply the layer to `[..., in]`."""
        fused = activations.fused(self.activation)
        if fused is not None:
            return nn.dense(inputs, self.kernel, self.bias, *fused)
        result: Tensor = self.activation(nn.dense(inputs, self.kernel, self.bias))
        return result

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """`(..., units)` for `(..., in)`."""
        if len(input_shape) < 2 or input_shape[-1] is None:
            raise ValueError(
                f"{self._who()}: expected a shape of two or more axes with a known last one, got {list(input_shape)}."
            )
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
        }

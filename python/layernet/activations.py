"""Activations by name: Keras' functions, and which of them the dense op applies itself.

>>> import layernet as ln
>>> ln.activations.get("relu") is ln.nn.relu
True
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from layernet.config import Registry
from layernet.nn import (
    elu,
    gelu,
    hard_sigmoid,
    leaky_relu,
    log_softmax,
    mish,
    relu,
    selu,
    silu,
    softmax,
    softplus,
    softsign,
)
from layernet.ops import exp as exponential
from layernet.ops import identity, sigmoid, tanh
from layernet.tensor import Tensor, TensorLike

__all__ = [
    "deserialize",
    "elu",
    "exponential",
    "gelu",
    "get",
    "hard_sigmoid",
    "leaky_relu",
    "linear",
    "log_softmax",
    "mish",
    "relu",
    "selu",
    "serialize",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "softsign",
    "swish",
    "tanh",
]


def linear(x: TensorLike) -> Tensor:
    """The argument itself: `y = x`.

    Args:
        x: A tensor of any shape.

    Returns:
        A tensor of x's shape and dtype.

    Example:
        >>> import layernet as ln
        >>> ln.activations.linear([1.0, -2.0]).numpy()
        array([ 1., -2.], dtype=float32)
    """
    return identity(x)


swish = silu

_registry = Registry(
    "activation",
    {
        "linear": linear,
        "elu": elu,
        "exponential": exponential,
        "gelu": gelu,
        "hard_sigmoid": hard_sigmoid,
        "leaky_relu": leaky_relu,
        "log_softmax": log_softmax,
        "mish": mish,
        "relu": relu,
        "selu": selu,
        "sigmoid": sigmoid,
        "silu": silu,
        "softmax": softmax,
        "softplus": softplus,
        "softsign": softsign,
        "swish": silu,
        "tanh": tanh,
    },
    factories=False,
)

# Function to (name, alpha) for the dense op, which applies these while its result is in registers. Their derivatives
# are written by their results.
_FUSED: dict[Any, tuple[str, float]] = {
    None: ("linear", 0.0),
    linear: ("linear", 0.0),
    elu: ("elu", 1.0),
    leaky_relu: ("leaky_relu", 0.2),
    relu: ("relu", 0.0),
    selu: ("selu", 0.0),
    sigmoid: ("sigmoid", 0.0),
    tanh: ("tanh", 0.0),
}
_OTHERS = (exponential, gelu, hard_sigmoid, log_softmax, mish, silu, softmax, softplus, softsign)


def get(identifier: Any) -> Callable[[Any], Any]:
    """The activation meant by a name, a configuration or a function; None means `linear`.

    Raises:
        ValueError: An unknown name.
    """
    function: Callable[[Any], Any] | None = _registry.get(identifier)
    return linear if function is None else function


def serialize(activation: Callable[[Any], Any]) -> Any:
    """What a configuration holds for an activation: its name, or the function itself if it is not a known one."""
    known = fused(activation) is not None or activation in _OTHERS
    return _registry.serialize(activation) if known else activation


deserialize = get


def fused(activation: Any) -> tuple[str, float] | None:
    """The name and the alpha with which the dense op should apply an activation; None when it should not.

    It knows more activations, but the derivative of the others is written by their input: a gradient would multiply the
    matrices once more to have it. Plans, which have no gradients, fuse them all.
    """
    try:
        return _FUSED.get(activation)
    except TypeError:  # not hashable
        return None

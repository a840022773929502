"""Limits on gradients: by the norm of each, by the norm of all together. TensorFlow's names and formulas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from layernet import _core
from layernet.tensor import INTEGER, Tensor, TensorLike, convert_to_tensor
from layernet.tensor import core_ops as _ops

__all__ = ["clip_by_global_norm", "clip_by_norm", "global_norm"]


def clip_by_norm(t: TensorLike, clip_norm: float, axes: int | Sequence[int] | None = None) -> Tensor:
    """`t * clip_norm / max(|t|, clip_norm)`: a tensor longer than `clip_norm` is brought to this length.

    Args:
        t: A tensor of floats, any shape.
        clip_norm: The greatest length, above 0.
        axes: Along which the length is taken; None (default) means all.

    Returns:
        A tensor of t's shape and dtype.

    Raises:
        ValueError: `clip_norm` is not above 0.

    Example:
        >>> import layernet as ln
        >>> ln.clip_by_norm([3.0, 4.0], 2.5).numpy()
        array([1.5, 2. ], dtype=float32)
    """
    _check("clip_by_norm", clip_norm)
    value = convert_to_tensor(t)
    axis = [] if axes is None else [axes] if isinstance(axes, INTEGER) else list(axes)
    squares = _ops.reduce_sum(_ops.square(value), axis=axis, all=axes is None, keepdims=True)
    return _ops.multiply(value, _share(_ops.sqrt(squares), clip_norm))


def global_norm(t_list: Sequence[Any]) -> Tensor:
    """`sqrt(sum |t|^2)` over all tensors of a list, as if they were one vector.

    Args:
        t_list: Tensors of floats; None among them is left out.

    Returns:
        A scalar, float32, or float64 if a tensor is.

    Raises:
        ValueError: No tensor.

    Example:
        >>> import layernet as ln
        >>> float(ln.global_norm([[3.0], None, [[4.0]]]))
        5.0
    """
    values = [convert_to_tensor(t) for t in t_list if t is not None]
    if not values:
        raise ValueError("global_norm: expected at least one tensor, got none.")
    dtype = _core.float64 if any(value.dtype == "float64" for value in values) else _core.float32
    total: Any = None
    for value in values:
        squares = _ops.reduce_sum(_ops.square(value if value.dtype is dtype else _ops.cast(value, dtype=dtype)))
        total = squares if total is None else _ops.add(total, squares)
    return _ops.sqrt(total)


def clip_by_global_norm(
    t_list: Sequence[Any], clip_norm: float, use_norm: TensorLike | None = None
) -> tuple[list[Any], Tensor]:
    """`t * clip_norm / max(norm, clip_norm)` for each tensor, norm being that of all together.

    Directions stay: all tensors are scaled by one number.

    Args:
        t_list: Tensors of floats; None stays None.
        clip_norm: The greatest norm, above 0.
        use_norm: The norm, if it is known; None (default) computes it with `global_norm`.

    Returns:
        The list of clipped tensors, and the norm before.

    Raises:
        ValueError: `clip_norm` is not above 0, or there is no tensor.

    Reference:
        Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks", 2013, algorithm 1.

    Example:
        >>> import layernet as ln
        >>> clipped, norm = ln.clip_by_global_norm([ln.constant([3.0]), ln.constant([4.0])], 2.5)
        >>> [t.numpy().tolist() for t in clipped], float(norm)
        ([[1.5], [2.0]], 5.0)
    """
    _check("clip_by_global_norm", clip_norm)
    norm = global_norm(t_list) if use_norm is None else convert_to_tensor(use_norm)
    share = _share(norm, clip_norm)
    shares = {norm.dtype.name: share}
    clipped: list[Any] = []
    for t in t_list:
        if t is None:
            clipped.append(None)
            continue
        value = convert_to_tensor(t)
        own = shares.get(value.dtype.name)
        if own is None:
            own = shares[value.dtype.name] = _ops.cast(share, dtype=value.dtype)
        clipped.append(_ops.multiply(value, own))
    return clipped, norm


def _share(norm: Tensor, clip_norm: float) -> Tensor:
    """What is left of tensors of this norm: 1 up to `clip_norm`. No quotient by 0, and NaN stays NaN."""
    return _ops.affine(_ops.reciprocal(_ops.clip(norm, min=clip_norm)), scale=clip_norm)


def _check(who: str, clip_norm: float) -> None:
    if not clip_norm > 0:
        raise ValueError(f"{who}: expected clip_norm above 0, got {clip_norm!r}.")

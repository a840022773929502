"""Metrics as functions, in the form of the losses: `f(y_true, y_pred, sample_weight=None, reduction="mean")`.

They count or measure, and are not meant to be differentiated. `get`, `serialize` and `deserialize` turn names into
functions and back.
"""

from __future__ import annotations

from layernet.config import Registry
from layernet.losses import _labels, _mean_of, _pair, _reduced, _rows, _value
from layernet.losses import mean_absolute_error as mean_absolute_error
from layernet.losses import mean_squared_error as mean_squared_error
from layernet.tensor import Tensor, TensorLike
from layernet.tensor import core_ops as _ops

__all__ = [
    "accuracy",
    "binary_accuracy",
    "categorical_accuracy",
    "deserialize",
    "get",
    "mean_absolute_error",
    "mean_squared_error",
    "serialize",
    "sparse_categorical_accuracy",
]


def accuracy(
    y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None, reduction: str = "mean"
) -> Tensor:
    """`mean [t = p]`: how often a predicted label is the true one.

    Args:
        y_true: Labels, the shape of `y_pred`; a last axis of length 1 may be missing.
        y_pred: Predicted labels, `[..., values]`.
        sample_weight: One number per row; None (default) means 1.
        reduction: "mean" (default), "sum" or "none".

    Returns:
        A scalar; with "none" one value per row.

    Raises:
        ShapeError: Shapes that do not agree.
        ValueError: An unknown reduction.

    Example:
        >>> import layernet as ln
        >>> float(ln.metrics.accuracy([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 0.0, 4.0]))
        0.75
    """
    true, pred = _pair("accuracy", y_true, y_pred)
    return _mean_of(_as_numbers(_ops.equal(true, pred), pred), sample_weight, reduction)


def binary_accuracy(
    y_true: TensorLike,
    y_pred: TensorLike,
    sample_weight: TensorLike | None = None,
    reduction: str = "mean",
    threshold: float = 0.5,
) -> Tensor:
    """`mean [t = [p > threshold]]`.

    Args:
        y_true: Labels 0 or 1.
        y_pred: Probabilities.
        sample_weight, reduction: See `accuracy`.
        threshold: Above it a prediction counts as 1, default 0.5.

    Example:
        >>> import layernet as ln
        >>> float(ln.metrics.binary_accuracy([1.0, 0.0], [0.8, 0.7]))
        0.5
    """
    true, pred = _pair("binary_accuracy", y_true, y_pred)
    decided = _as_numbers(_ops.greater(pred, threshold), pred)
    return _mean_of(_as_numbers(_ops.equal(true, decided), pred), sample_weight, reduction)


def categorical_accuracy(
    y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None, reduction: str = "mean"
) -> Tensor:
    """`[argmax t = argmax p]` per row; the first of equal values counts.

    Args:
        y_true: One-hot targets, `[..., classes]`.
        y_pred: Probabilities or logits, `[..., classes]`.
        sample_weight, reduction: See `accuracy`.

    Example:
        >>> import layernet as ln
        >>> float(ln.metrics.categorical_accuracy([[0.0, 1.0], [1.0, 0.0]], [[0.1, 0.9], [0.2, 0.8]]))
        0.5
    """
    true, pred = _rows("categorical_accuracy", y_true, y_pred)
    right = _ops.equal(_ops.argmax(true, axis=-1), _ops.argmax(pred, axis=-1))
    return _reduced(_as_numbers(right, pred), sample_weight, reduction)


def sparse_categorical_accuracy(
    y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None, reduction: str = "mean"
) -> Tensor:
    """`[t = argmax p]` per row; the first of equal values counts.

    Args:
        y_true: Class numbers, `[...]` or `[..., 1]`.
        y_pred: Probabilities or logits, `[..., classes]`.
        sample_weight, reduction: See `accuracy`.

    Example:
        >>> import layernet as ln
        >>> float(ln.metrics.sparse_categorical_accuracy([1, 0], [[0.1, 0.9], [0.2, 0.8]]))
        0.5
    """
    pred = _value(y_pred)
    labels = _labels("sparse_categorical_accuracy", y_true, pred)
    right = _ops.equal(labels, _ops.argmax(pred, axis=-1))
    return _reduced(_as_numbers(right, pred), sample_weight, reduction)


def _as_numbers(truth: Tensor, pred: Tensor) -> Tensor:
    return _ops.cast(truth, dtype=pred.dtype)


_registry = Registry(
    "metric",
    {
        "accuracy": accuracy,
        "acc": accuracy,
        "binary_accuracy": binary_accuracy,
        "categorical_accuracy": categorical_accuracy,
        "sparse_categorical_accuracy": sparse_categorical_accuracy,
        "mean_squared_error": mean_squared_error,
        "mse": mean_squared_error,
        "MSE": mean_squared_error,
        "mean_absolute_error": mean_absolute_error,
        "mae": mean_absolute_error,
        "MAE": mean_absolute_error,
    },
    factories=False,
)

get = _registry.get
serialize = _registry.serialize
deserialize = _registry.deserialize

acc = accuracy
mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error

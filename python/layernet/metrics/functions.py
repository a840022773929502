"""Metrics as functions, in the form of the losses: `f(y_true, y_pred, sample_weight=None, reduction="mean")`.

They count or measure, and are not meant to be differentiated.
"""

from __future__ import annotations

from layernet import _core
from layernet.losses import _labels, _mean_of, _pair, _reduced, _rows, _value
from layernet.metrics.base import highest, quotient
from layernet.tensor import Tensor, TensorLike
from layernet.tensor import core_ops as _ops

__all__ = [
    "accuracy",
    "binary_accuracy",
    "categorical_accuracy",
    "concordance_correlation",
    "pearson_correlation",
    "sparse_categorical_accuracy",
    "sparse_top_k_categorical_accuracy",
    "top_k_categorical_accuracy",
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
        y_true: One-hot targets, `[..., classes]`. A row with a NaN counts as wrong.
        y_pred: Probabilities or logits, `[..., classes]`.
        sample_weight, reduction: See `accuracy`.

    Example:
        >>> import layernet as ln
        >>> float(ln.metrics.categorical_accuracy([[0.0, 1.0], [1.0, 0.0]], [[0.1, 0.9], [0.2, 0.8]]))
        0.5
    """
    true, pred = _rows("categorical_accuracy", y_true, y_pred)
    right = _ops.equal(highest(true), _ops.argmax(pred, axis=-1))
    return _reduced(_as_numbers(right, pred), sample_weight, reduction)


def sparse_categorical_accuracy(
    y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None, reduction: str = "mean"
) -> Tensor:
    """`[t = argmax p]` per row; the first of equal values counts.

    Args:
        y_true: Class numbers, `[...]` or `[..., 1]`. One outside [0, classes), or NaN, counts as wrong.
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


def top_k_categorical_accuracy(
    y_true: TensorLike,
    y_pred: TensorLike,
    sample_weight: TensorLike | None = None,
    reduction: str = "mean",
    k: int = 5,
) -> Tensor:
    """Whether fewer than k classes have a higher p than the true one, `argmax t`, per row.

    Args:
        y_true: One-hot targets, `[..., classes]`. A row with a NaN counts as wrong.
        y_pred: Probabilities or logits, `[..., classes]`.
        sample_weight, reduction: See `accuracy`.
        k: How many classes count, 1 or more, default 5.

    Example:
        >>> import layernet as ln
        >>> float(ln.metrics.top_k_categorical_accuracy([[0.0, 0.0, 1.0]], [[0.5, 0.2, 0.3]], k=2))
        1.0
    """
    true, pred = _rows("top_k_categorical_accuracy", y_true, y_pred)
    return _reduced(_in_top(highest(true), pred, k), sample_weight, reduction)


def sparse_top_k_categorical_accuracy(
    y_true: TensorLike,
    y_pred: TensorLike,
    sample_weight: TensorLike | None = None,
    reduction: str = "mean",
    k: int = 5,
) -> Tensor:
    """Whether fewer than k classes have a higher p than class t, per row; a NaN in its place counts as wrong.

    Args:
        y_true: Class numbers, `[...]` or `[..., 1]`. One outside [0, classes), or NaN, counts as wrong.
        y_pred: Probabilities or logits, `[..., classes]`.
        sample_weight, reduction: See `accuracy`.
        k: How many classes count, 1 or more, default 5.

    Example:
        >>> import layernet as ln
        >>> float(ln.metrics.sparse_top_k_categorical_accuracy([2, 1], [[0.5, 0.2, 0.3], [0.5, 0.2, 0.3]], k=2))
        0.5
    """
    pred = _value(y_pred)
    labels = _labels("sparse_top_k_categorical_accuracy", y_true, pred)
    return _reduced(_in_top(labels, pred, k), sample_weight, reduction)


def pearson_correlation(
    y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None, reduction: str = "mean"
) -> Tensor:
    """`cov(t, p) / sqrt(var t * var p)` of the values of each row; 0 where t or p does not vary.

    Args:
        y_true: Targets, `[..., values]`.
        y_pred: Predictions, `[..., values]`.
        sample_weight, reduction: See `accuracy`.

    Reference:
        Pearson, "Notes on regression and inheritance in the case of two parents", 1895.

    Example:
        >>> import layernet as ln
        >>> round(float(ln.metrics.pearson_correlation([[0.0, 1.0, 0.5]], [[1.0, 3.0, 2.0]])), 4)
        1.0
    """
    true, pred = _rows("pearson_correlation", y_true, y_pred)
    covariance, true_variance, pred_variance, _ = _moments(true, pred)
    root = _ops.multiply(_ops.sqrt(true_variance), _ops.sqrt(pred_variance))
    return _reduced(quotient(covariance, root), sample_weight, reduction)


def concordance_correlation(
    y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None, reduction: str = "mean"
) -> Tensor:
    """`2 * cov(t, p) / (var t + var p + (mean t - mean p)^2)` of the values of each row; 0 for two equal constants.

    Args:
        y_true: Targets, `[..., values]`.
        y_pred: Predictions, `[..., values]`.
        sample_weight, reduction: See `accuracy`.

    Reference:
        Lin, "A concordance correlation coefficient to evaluate reproducibility", 1989, eq. 1.

    Example:
        >>> import layernet as ln
        >>> round(float(ln.metrics.concordance_correlation([[0.0, 1.0, 0.5]], [[1.0, 3.0, 2.0]])), 4)
        0.2162
    """
    true, pred = _rows("concordance_correlation", y_true, y_pred)
    covariance, true_variance, pred_variance, distance = _moments(true, pred)
    spread = _ops.add(_ops.add(true_variance, pred_variance), _ops.square(distance))
    return _reduced(quotient(_ops.affine(covariance, scale=2.0), spread), sample_weight, reduction)


def _moments(true: Tensor, pred: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Of each row: the covariance, both variances, and the distance of the means."""
    # From the first value of the row on: what does not vary is exactly 0, which a rounded mean would not make it.
    first = (*[slice(None)] * (len(pred.shape) - 1), slice(0, 1))
    steps = [_ops.subtract(value, value[first]) for value in (true, pred)]
    a, b = (_ops.subtract(value, _mean_last(value, keepdims=True)) for value in steps)
    products = (_ops.multiply(a, b), _ops.square(a), _ops.square(b))
    covariance, true_variance, pred_variance = (_mean_last(product) for product in products)
    return covariance, true_variance, pred_variance, _mean_last(_ops.subtract(true, pred))


def _mean_last(values: Tensor, keepdims: bool = False) -> Tensor:
    return _ops.reduce_mean(values, axis=[-1], all=False, keepdims=keepdims)


def _in_top(labels: Tensor, pred: Tensor, k: int) -> Tensor:
    if k < 1:
        raise ValueError(f"top k accuracy: expected k of 1 or more, got {k!r}.")
    classes = _core.constant(range(pred.shape[-1]), dtype=_core.int64)
    here = _ops.equal(_ops.expand_dims(labels, axis=-1), classes)
    own = _ops.reduce_sum(_ops.where(here, pred, _ops.zeros_like(pred)), axis=[-1], all=False, keepdims=True)
    higher = _ops.reduce_sum(_as_numbers(_ops.greater(pred, own), pred), axis=[-1], all=False)
    known = _ops.reduce_any(_ops.logical_and(here, _ops.equal(pred, pred)), axis=[-1], all=False)
    return _as_numbers(_ops.logical_and(known, _ops.less(higher, float(k))), pred)


def _as_numbers(truth: Tensor, pred: Tensor) -> Tensor:
    return _ops.cast(truth, dtype=pred.dtype)

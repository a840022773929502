"""Metrics that are means over all rows seen, and `Sum`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from layernet import losses
from layernet.losses import _value, _weights
from layernet.metrics import functions
from layernet.metrics.base import Metric, first_of_rows, number, quotient
from layernet.tensor import Tensor, TensorLike
from layernet.tensor import core_ops as _ops


class _Average(Metric):
    """A weighted mean over everything seen: `sum w * v / sum w`."""

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name)
        self.total = self.add_variable(name="total")
        self.count = self.add_variable(name="count")

    def _take(self, values: Tensor, sample_weight: TensorLike | None) -> None:
        values = number(values)
        weights = _ops.ones_like(values)
        if sample_weight is not None:
            weights = _ops.multiply(weights, _weights(sample_weight, values))
            values = _ops.multiply(values, weights)
        _ops.assign_add(self.total, _ops.reduce_sum(values))
        _ops.assign_add(self.count, _ops.reduce_sum(weights))

    def result(self) -> Tensor:
        """The mean; 0 before the first batch."""
        return quotient(self.total, self.count)


class Mean(_Average):
    """`sum w * v / sum w` over all values seen.

    Args:
        name: Default "mean".

    Example:
        >>> import layernet as ln
        >>> mean = ln.metrics.Mean()
        >>> mean.update_state([1.0, 3.0])
        >>> mean.update_state([5.0], sample_weight=[2.0])
        >>> float(mean.result())
        3.5
    """

    def update_state(self, values: Any, sample_weight: TensorLike | None = None) -> None:
        """Take in numbers of any shape, with weights of that shape or one per row."""
        self._take(_value(values), sample_weight)


class Sum(Metric):
    """`sum w * v` over all values seen.

    Args:
        name: Default "sum".

    Example:
        >>> import layernet as ln
        >>> total = ln.metrics.Sum()
        >>> float(total([1.0, 3.0], sample_weight=[1.0, 0.5]))
        2.5
    """

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name)
        self.total = self.add_variable(name="total")

    def update_state(self, values: Any, sample_weight: TensorLike | None = None) -> None:
        """Take in numbers of any shape, with weights of that shape or one per row."""
        numbers = number(_value(values))
        if sample_weight is not None:
            numbers = _ops.multiply(numbers, _weights(sample_weight, numbers))
        _ops.assign_add(self.total, _ops.reduce_sum(numbers))

    def result(self) -> Tensor:
        return _ops.identity(self.total)


class MeanMetricWrapper(_Average):
    """The mean of a function over all rows seen: `sum w * f(t, p) / sum w`.

    Args:
        fn: A function of targets and predictions that gives one number per row, or that has a parameter `reduction`,
            as losses and metrics have. One number for the whole batch counts as that of each row.
        name: None (default) takes the function's name.
        options: Passed on to the function.

    Example:
        >>> import layernet as ln
        >>> metric = ln.metrics.MeanMetricWrapper(ln.metrics.binary_accuracy, threshold=0.75)
        >>> metric.update_state([1.0, 0.0, 1.0, 1.0], [0.9, 0.6, 0.7, 0.8])
        >>> float(metric.result()), metric.name
        (0.75, 'binary_accuracy')
    """

    def __init__(self, fn: Callable[..., Any], name: str | None = None, **options: Any) -> None:
        super().__init__(name or getattr(fn, "__name__", None))
        self._fn = fn
        self._options = options
        self._reduced = {"reduction": "none"} if "reduction" in inspect.signature(fn).parameters else {}

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: TensorLike | None = None) -> None:
        values = _value(self._fn(y_true, y_pred, **self._reduced, **self._options))
        if not values.shape:
            pred = _value(y_pred)
            if pred.shape:
                values = _ops.multiply(_ops.ones_like(first_of_rows(pred)), _ops.cast(values, dtype=pred.dtype))
        self._take(values, sample_weight)

    def get_config(self) -> dict[str, Any]:
        own = {} if type(self) is not MeanMetricWrapper else {"fn": self._fn}
        return {**own, "name": self.name, **self._options}


class Accuracy(MeanMetricWrapper):
    """How often a predicted label is the true one, see `accuracy`.

    Args:
        name: Default "accuracy".

    Example:
        >>> import layernet as ln
        >>> float(ln.metrics.Accuracy()([1.0, 2.0], [1.0, 0.0]))
        0.5
    """

    def __init__(self, name: str | None = "accuracy") -> None:
        super().__init__(functions.accuracy, name)


class BinaryAccuracy(MeanMetricWrapper):
    """How often `p > threshold` agrees with labels 0 and 1, see `binary_accuracy`.

    Args:
        name: Default "binary_accuracy".
        threshold: Default 0.5.

    Example:
        >>> import layernet as ln
        >>> float(ln.metrics.BinaryAccuracy()([1.0, 0.0], [0.8, 0.7]))
        0.5
    """

    def __init__(self, name: str | None = "binary_accuracy", threshold: float = 0.5) -> None:
        super().__init__(functions.binary_accuracy, name, threshold=threshold)


class CategoricalAccuracy(MeanMetricWrapper):
    """How often the highest p is at the one of a one-hot target, see `categorical_accuracy`.

    Args:
        name: Default "categorical_accuracy".

    Example:
        >>> import layernet as ln
        >>> float(ln.metrics.CategoricalAccuracy()([[0.0, 1.0], [1.0, 0.0]], [[0.1, 0.9], [0.2, 0.8]]))
        0.5
    """

    def __init__(self, name: str | None = "categorical_accuracy") -> None:
        super().__init__(functions.categorical_accuracy, name)


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """How often the highest p is that of the right class, see `sparse_categorical_accuracy`.

    Args:
        name: Default "sparse_categorical_accuracy".

    Example:
        >>> import layernet as ln
        >>> float(ln.metrics.SparseCategoricalAccuracy()([1, 0], [[0.1, 0.9], [0.2, 0.8]]))
        0.5
    """

    def __init__(self, name: str | None = "sparse_categorical_accuracy") -> None:
        super().__init__(functions.sparse_categorical_accuracy, name)


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the right class is among the k highest, see `top_k_categorical_accuracy`.

    Args:
        k: Default 5.
        name: Default "top_k_categorical_accuracy".

    Example:
        >>> import layernet as ln
        >>> float(ln.metrics.TopKCategoricalAccuracy(k=2)([[0.0, 0.0, 1.0]], [[0.5, 0.2, 0.3]]))
        1.0
    """

    def __init__(self, k: int = 5, name: str | None = "top_k_categorical_accuracy") -> None:
        super().__init__(functions.top_k_categorical_accuracy, name, k=k)


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """How often class t is among the k highest, see `sparse_top_k_categorical_accuracy`.

    Args:
        k: Default 5.
        name: Default "sparse_top_k_categorical_accuracy".

    Example:
        >>> import layernet as ln
        >>> float(ln.metrics.SparseTopKCategoricalAccuracy(k=2)([2, 1], [[0.5, 0.2, 0.3], [0.5, 0.2, 0.3]]))
        0.5
    """

    def __init__(self, k: int = 5, name: str | None = "sparse_top_k_categorical_accuracy") -> None:
        super().__init__(functions.sparse_top_k_categorical_accuracy, name, k=k)


class MeanSquaredError(MeanMetricWrapper):
    """The mean of `(t - p)^2`.

    Args:
        name: Default "mean_squared_error".

    Example:
        >>> import layernet as ln
        >>> float(ln.metrics.MeanSquaredError()([[0.0], [1.0]], [[0.5], [1.0]]))
        0.125
    """

    def __init__(self, name: str | None = "mean_squared_error") -> None:
        super().__init__(losses.mean_squared_error, name)


class RootMeanSquaredError(MeanSquaredError):
    """The root of the mean of `(t - p)^2`.

    Args:
        name: Default "root_mean_squared_error".

    Example:
        >>> import layernet as ln
        >>> float(ln.metrics.RootMeanSquaredError()([[0.0], [0.0]], [[1.0], [7.0]]))
        5.0
    """

    def __init__(self, name: str | None = "root_mean_squared_error") -> None:
        super().__init__(name)

    def result(self) -> Tensor:
        return _ops.sqrt(super().result())


class MeanAbsoluteError(MeanMetricWrapper):
    """The mean of `|t - p|`.

    Args:
        name: Default "mean_absolute_error".

    Example:
        >>> import layernet as ln
        >>> float(ln.metrics.MeanAbsoluteError()([[0.0], [1.0]], [[0.5], [1.0]]))
        0.25
    """

    def __init__(self, name: str | None = "mean_absolute_error") -> None:
        super().__init__(losses.mean_absolute_error, name)


class MeanAbsolutePercentageError(MeanMetricWrapper):
    """The mean of `100 * |t - p| / |t|`, see `losses.mean_absolute_percentage_error`.

    Args:
        name: Default "mean_absolute_percentage_error".
    """

    def __init__(self, name: str | None = "mean_absolute_percentage_error") -> None:
        super().__init__(losses.mean_absolute_percentage_error, name)


class MeanSquaredLogarithmicError(MeanMetricWrapper):
    """The mean of `(log(1 + t) - log(1 + p))^2`, see `losses.mean_squared_logarithmic_error`.

    Args:
        name: Default "mean_squared_logarithmic_error".
    """

    def __init__(self, name: str | None = "mean_squared_logarithmic_error") -> None:
        super().__init__(losses.mean_squared_logarithmic_error, name)


class LogCoshError(MeanMetricWrapper):
    """The mean of `log cosh(p - t)`, see `losses.log_cosh`.

    Args:
        name: Default "logcosh".
    """

    def __init__(self, name: str | None = "logcosh") -> None:
        super().__init__(losses.log_cosh, name)


class CosineSimilarity(MeanMetricWrapper):
    """The mean cosine between t and p. Its sign is the cosine's: 1 is best, where the loss of this name has -1.

    Args:
        name: Default "cosine_similarity".

    Example:
        >>> import layernet as ln
        >>> float(ln.metrics.CosineSimilarity()([[3.0, 4.0]], [[6.0, 8.0]]))
        1.0
    """

    def __init__(self, name: str | None = "cosine_similarity") -> None:
        super().__init__(losses.cosine_similarity, name)

    def result(self) -> Tensor:
        return _ops.negative(super().result())


class BinaryCrossentropy(MeanMetricWrapper):
    """The mean of `losses.binary_crossentropy`.

    Args:
        name: Default "binary_crossentropy".
        from_logits: Whether predictions come before the sigmoid, default False.
        label_smoothing: In [0, 1], default 0.
    """

    def __init__(
        self, name: str | None = "binary_crossentropy", from_logits: bool = False, label_smoothing: float = 0.0
    ) -> None:
        super().__init__(losses.binary_crossentropy, name, from_logits=from_logits, label_smoothing=label_smoothing)


class CategoricalCrossentropy(MeanMetricWrapper):
    """The mean of `losses.categorical_crossentropy`.

    Args:
        name: Default "categorical_crossentropy".
        from_logits: Whether predictions come before the softmax, default False.
        label_smoothing: In [0, 1], default 0.
    """

    def __init__(
        self, name: str | None = "categorical_crossentropy", from_logits: bool = False, label_smoothing: float = 0.0
    ) -> None:
        super().__init__(
            losses.categorical_crossentropy, name, from_logits=from_logits, label_smoothing=label_smoothing
        )


class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """The mean of `losses.sparse_categorical_crossentropy`.

    Args:
        name: Default "sparse_categorical_crossentropy".
        from_logits: Whether predictions come before the softmax, default False.
    """

    def __init__(self, name: str | None = "sparse_categorical_crossentropy", from_logits: bool = False) -> None:
        super().__init__(losses.sparse_categorical_crossentropy, name, from_logits=from_logits)


class KLDivergence(MeanMetricWrapper):
    """The mean of `losses.kl_divergence`.

    Args:
        name: Default "kl_divergence".
    """

    def __init__(self, name: str | None = "kl_divergence") -> None:
        super().__init__(losses.kl_divergence, name)


class Poisson(MeanMetricWrapper):
    """The mean of `losses.poisson`.

    Args:
        name: Default "poisson".
    """

    def __init__(self, name: str | None = "poisson") -> None:
        super().__init__(losses.poisson, name)


class Hinge(MeanMetricWrapper):
    """The mean of `losses.hinge`; targets are -1 or 1.

    Args:
        name: Default "hinge".
    """

    def __init__(self, name: str | None = "hinge") -> None:
        super().__init__(losses.hinge, name)


class SquaredHinge(MeanMetricWrapper):
    """The mean of `losses.squared_hinge`; targets are -1 or 1.

    Args:
        name: Default "squared_hinge".
    """

    def __init__(self, name: str | None = "squared_hinge") -> None:
        super().__init__(losses.squared_hinge, name)


class CategoricalHinge(MeanMetricWrapper):
    """The mean of `losses.categorical_hinge`; targets are one-hot.

    Args:
        name: Default "categorical_hinge".
    """

    def __init__(self, name: str | None = "categorical_hinge") -> None:
        super().__init__(losses.categorical_hinge, name)

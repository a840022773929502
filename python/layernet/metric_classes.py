"""Metrics as objects: their state is variables, changed by ops, so that a traced step updates them as well.

States are float64: a count in float32 would stop at 16.7 million rows.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from layernet import _core, losses, symbolic
from layernet import metric_functions as functions
from layernet.config import Configurable
from layernet.losses import _rows, _value, _weights
from layernet.tensor import Tensor, TensorLike
from layernet.tensor import core_ops as _ops
from layernet.variable import Variable


class Metric(Configurable):
    """What all metric objects share: a state that batches change, and a result that is read off it.

    A subclass makes its state with `add_variable`, and defines `update_state` and `result` from ops.

    Args:
        name: What the metric is called in histories; None (default) derives it from the class: "mean_squared_error".

    Attributes:
        variables: The state.

    Example:
        >>> import layernet as ln
        >>> class Highest(ln.metrics.Metric):
        ...     def __init__(self, name="highest"):
        ...         super().__init__(name)
        ...         self.value = self.add_variable()
        ...     def update_state(self, y_true, y_pred, sample_weight=None):
        ...         self.value.assign(ln.maximum(self.value, ln.cast(ln.reduce_max(y_pred), "float64")))
        ...     def result(self):
        ...         return ln.identity(self.value)
        >>> metric = Highest()
        >>> metric.update_state([0.0, 0.0], [1.0, 3.0])
        >>> float(metric.result())
        3.0
    """

    def __init__(self, name: str | None = None) -> None:
        self.name = name or re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(self).__name__).lower()
        self.variables: list[Variable] = []

    def add_variable(self, shape: Sequence[int] = (), name: str = "state") -> Variable:
        """A part of the state: float64, 0 at first and after `reset_state`.

        Args:
            shape: Default a single number.
            name: Default "state".
        """
        state = Variable(np.zeros(shape), trainable=False, name=f"{self.name}/{name}")
        self.variables.append(state)
        return state

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: TensorLike | None = None) -> None:
        """Take in a batch.

        Args:
            y_true: Targets.
            y_pred: Predictions.
            sample_weight: One number per row; None (default) means 1.

        Raises:
            ShapeError: Shapes that do not agree.
        """
        raise NotImplementedError(f"{type(self).__name__}: expected the metric to define update_state. Define it.")

    def result(self) -> Tensor:
        """The value for all batches since the last `reset_state`."""
        raise NotImplementedError(f"{type(self).__name__}: expected the metric to define result. Define it.")

    def reset_state(self) -> None:
        """Forget all batches."""
        with symbolic.eagerly():
            for state in self.variables:
                state.assign(np.zeros(state.shape))

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: TensorLike | None = None) -> Tensor:
        """`update_state`, then `result`."""
        self.update_state(y_true, y_pred, sample_weight)
        return self.result()

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name}


class _Average(Metric):
    """A weighted mean over everything seen: `sum w * v / sum w`."""

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name)
        self.total = self.add_variable(name="total")
        self.count = self.add_variable(name="count")

    def _take(self, values: Tensor, sample_weight: TensorLike | None) -> None:
        values = _number(values)
        weights = _ops.ones_like(values)
        if sample_weight is not None:
            weights = _ops.multiply(weights, _weights(sample_weight, values))
            values = _ops.multiply(values, weights)
        _ops.assign_add(self.total, _ops.reduce_sum(values))
        _ops.assign_add(self.count, _ops.reduce_sum(weights))

    def result(self) -> Tensor:
        """The mean; 0 before the first batch."""
        return _quotient(self.total, self.count)


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

    def update_state(self, values: Any, sample_weight: TensorLike | None = None) -> None:  # type: ignore[override]
        """Take in numbers of any shape, with weights of that shape or one per row."""
        self._take(_value(values), sample_weight)

    def __call__(self, values: Any, sample_weight: TensorLike | None = None) -> Tensor:  # type: ignore[override]
        self.update_state(values, sample_weight)
        return self.result()


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

    def update_state(self, values: Any, sample_weight: TensorLike | None = None) -> None:  # type: ignore[override]
        """Take in numbers of any shape, with weights of that shape or one per row."""
        numbers = _number(_value(values))
        if sample_weight is not None:
            numbers = _ops.multiply(numbers, _weights(sample_weight, numbers))
        _ops.assign_add(self.total, _ops.reduce_sum(numbers))

    def __call__(self, values: Any, sample_weight: TensorLike | None = None) -> Tensor:  # type: ignore[override]
        self.update_state(values, sample_weight)
        return self.result()

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
                values = _ops.multiply(_ops.ones_like(_first_of_rows(pred)), _ops.cast(values, dtype=pred.dtype))
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


class _Counts(Metric):
    """Counts of what `p > threshold` says against labels 0 and 1, for one threshold or several."""

    _counted: tuple[str, ...] = ()

    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        self.thresholds = thresholds
        self.top_k = top_k
        self.class_id = class_id
        given = (0.5 if top_k is None else -np.inf) if thresholds is None else thresholds
        self._limits = np.atleast_1d(np.asarray(given, "float64"))
        if thresholds is not None and (self._limits.ndim != 1 or not ((self._limits >= 0) & (self._limits <= 1)).all()):
            raise ValueError(f"{type(self).__name__}: expected thresholds in [0, 1], got {thresholds!r}.")
        if top_k is not None and top_k < 1:
            raise ValueError(f"{type(self).__name__}: expected top_k of 1 or more, or None, got {top_k!r}.")
        self._one = np.ndim(given) == 0
        self._counts = [self.add_variable(self._limits.shape, name) for name in self._counted]

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: TensorLike | None = None) -> None:
        if self.top_k is not None:
            y_pred = _top(type(self).__name__, _value(y_pred), self.top_k)
        true, pred, weights = _flat(type(self).__name__, y_true, y_pred, sample_weight, self.class_id)
        said = _number(_ops.greater(pred, _core.constant(self._limits, dtype=pred.dtype)))
        for state, kind in zip(self._counts, self._counted, strict=True):
            hit = said if kind.endswith("positives") else _complement(said)
            label = true if kind in ("true_positives", "false_negatives") else _complement(true)
            counts = _ops.multiply(hit, _ops.multiply(label, weights))
            _ops.assign_add(state, _ops.reduce_sum(counts, axis=[0], all=False))

    def result(self) -> Tensor:
        return self._shown(self._counts[0])

    def _shown(self, per_threshold: Any) -> Tensor:
        return _ops.reshape(per_threshold, shape=[]) if self._one else _ops.identity(per_threshold)

    def get_config(self) -> dict[str, Any]:
        config = {"thresholds": self.thresholds, "top_k": self.top_k, "class_id": self.class_id}
        return {**config, "name": self.name}


class _CountsOfAll(_Counts):
    """Counts that have no top_k, as in Keras."""

    def __init__(
        self, thresholds: float | Sequence[float] | None = None, class_id: int | None = None, name: str | None = None
    ) -> None:
        super().__init__(thresholds, None, class_id, name)

    def get_config(self) -> dict[str, Any]:
        return {"thresholds": self.thresholds, "class_id": self.class_id, "name": self.name}


class TruePositives(_CountsOfAll):
    """How many labels 1 have `p > threshold` (weighted: the sum of their weights).

    Args:
        thresholds: A number or several in [0, 1]; None (default) means 0.5. Several give several results.
        class_id: Which of the last axis to look at; None (default) means all.
        name: Default "true_positives".

    Example:
        >>> import layernet as ln
        >>> float(ln.metrics.TruePositives()([1.0, 1.0, 0.0], [0.9, 0.4, 0.8]))
        1.0
    """

    _counted = ("true_positives",)


class FalsePositives(_CountsOfAll):
    """How many labels 0 have `p > threshold`, see `TruePositives`.

    Args:
        thresholds, class_id: See `TruePositives`.
        name: Default "false_positives".
    """

    _counted = ("false_positives",)


class TrueNegatives(_CountsOfAll):
    """How many labels 0 have `p <= threshold`, see `TruePositives`.

    Args:
        thresholds, class_id: See `TruePositives`.
        name: Default "true_negatives".
    """

    _counted = ("true_negatives",)


class FalseNegatives(_CountsOfAll):
    """How many labels 1 have `p <= threshold`, see `TruePositives`.

    Args:
        thresholds, class_id: See `TruePositives`.
        name: Default "false_negatives".
    """

    _counted = ("false_negatives",)


class Precision(_Counts):
    """Of what has `p > threshold`, the share with label 1: `tp / (tp + fp)`, 0 without any.

    Args:
        thresholds: A number or several in [0, 1]; None (default) means 0.5. Several give several results.
        top_k: Only the k highest of each row can be above a threshold, and without `thresholds` all of them are;
            None (default) leaves it at thresholds.
        class_id: Which of the last axis to look at; None (default) means all.
        name: Default "precision".

    Example:
        >>> import layernet as ln
        >>> float(ln.metrics.Precision()([0.0, 1.0, 1.0, 1.0], [0.9, 0.8, 0.3, 0.2]))
        0.5
    """

    _counted = ("true_positives", "false_positives")

    def result(self) -> Tensor:
        found, wrong = self._counts
        return self._shown(_quotient(found, _ops.add(found, wrong)))


class Recall(_Counts):
    """Of what has label 1, the share with `p > threshold`: `tp / (tp + fn)`, 0 without any.

    Args:
        thresholds: A number or several in [0, 1]; None (default) means 0.5. Several give several results.
        top_k: Only the k highest of each row can be above a threshold, and without `thresholds` all of them are;
            None (default) leaves it at thresholds.
        class_id: Which of the last axis to look at; None (default) means all.
        name: Default "recall".

    Example:
        >>> import layernet as ln
        >>> float(ln.metrics.Recall()([0.0, 1.0, 1.0, 1.0, 1.0], [0.9, 0.8, 0.3, 0.2, 0.1]))
        0.25
    """

    _counted = ("true_positives", "false_negatives")

    def result(self) -> Tensor:
        found, missed = self._counts
        return self._shown(_quotient(found, _ops.add(found, missed)))


class AUC(Metric):
    """The area under the curve that thresholds draw: recall over the rate of false alarms, or precision over recall.

    Predictions are counted by the thresholds they lie between, so that the state does not grow with the rows; more
    thresholds come nearer to the exact area.

    Args:
        num_thresholds: How many, evenly from 0 to 1, 2 or more, default 200.
        curve: "ROC" (default) or "PR".
        summation_method: "interpolation" (default): trapezoids, for "PR" the interpolation of the counts; "minoring" or
            "majoring": the lower or the higher end of each interval.
        name: Default "auc".
        thresholds: Thresholds in [0, 1] in place of even ones; None (default).
        from_logits: Whether predictions come before the sigmoid, default False.

    Raises:
        ValueError: An unknown curve or method, fewer than 2 thresholds, or some outside [0, 1].

    Reference:
        Davis and Goadrich, "The relationship between precision-recall and ROC curves", 2006, section 4, for "PR".

    Example:
        >>> import layernet as ln
        >>> round(float(ln.metrics.AUC()([0.0, 0.0, 1.0, 1.0], [0.0, 0.5, 0.3, 0.9])), 4)
        0.75
    """

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = "auc",
        thresholds: Sequence[float] | None = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(name)
        if curve not in ("ROC", "PR"):
            raise ValueError(f"AUC: expected curve 'ROC' or 'PR', got {curve!r}.")
        if summation_method not in ("interpolation", "minoring", "majoring"):
            raise ValueError(
                f"AUC: expected summation_method 'interpolation', 'minoring' or 'majoring', got {summation_method!r}."
            )
        if thresholds is None:
            if num_thresholds < 2:
                raise ValueError(f"AUC: expected num_thresholds of 2 or more, got {num_thresholds!r}.")
            inner = np.arange(1, num_thresholds - 1) / (num_thresholds - 1)
        else:
            inner = np.sort(np.asarray(thresholds, "float64"))
            if inner.ndim != 1 or not ((inner >= 0) & (inner <= 1)).all():
                raise ValueError(f"AUC: expected thresholds in [0, 1], got {thresholds!r}.")
        self.num_thresholds = len(inner) + 2
        self.curve = curve
        self.summation_method = summation_method
        self.thresholds = None if thresholds is None else [float(limit) for limit in inner]
        self.from_logits = bool(from_logits)
        # The first interval begins below 0 and the last ends above 1: every prediction lies above the first threshold.
        self._limits = np.concatenate([[-1e-7], inner, [1.0 + 1e-7]])
        self.positives = self.add_variable(self._limits.shape, "positives")
        self.negatives = self.add_variable(self._limits.shape, "negatives")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: TensorLike | None = None) -> None:
        true, pred, weights = _flat("AUC", y_true, y_pred, sample_weight, None)
        pred = _number(_ops.sigmoid(pred) if self.from_logits else pred)
        last = float(len(self._limits) - 1)
        if self.thresholds is None:
            place = _ops.affine(_ops.ceil(_ops.affine(pred, scale=last)), shift=-1.0)
        else:
            above = _number(_ops.greater(pred, _core.constant(self._limits)))
            place = _ops.affine(_ops.reduce_sum(above, axis=[1], all=False, keepdims=True), shift=-1.0)
        place = _ops.cast(_ops.clip(_ops.reshape(place, shape=[-1]), min=0.0, max=last), dtype=_core.int64)
        for state, label in ((self.positives, true), (self.negatives, _complement(true))):
            amounts = _ops.reshape(_ops.multiply(label, weights), shape=[-1])
            _ops.assign(state, _ops.scatter_add(_ops.identity(state), place, amounts))

    def result(self) -> Tensor:
        tp, fp = (_above(state) for state in (self.positives, self.negatives))
        fn, tn = (_ops.subtract(_ops.reduce_sum(s), a) for s, a in ((self.positives, tp), (self.negatives, fp)))
        recall = _quotient(tp, _ops.add(tp, fn))
        if self.curve == "PR" and self.summation_method == "interpolation":
            return self._interpolated(tp, fp, fn)
        if self.curve == "PR":
            x, y = recall, _quotient(tp, _ops.add(tp, fp))
        else:
            x, y = _quotient(fp, _ops.add(fp, tn)), recall
        (x0, x1), (y0, y1) = _ends(x), _ends(y)
        if self.summation_method == "interpolation":
            height = _ops.affine(_ops.add(y0, y1), scale=0.5)
        else:
            height = _ops.minimum(y0, y1) if self.summation_method == "minoring" else _ops.maximum(y0, y1)
        return _ops.reduce_sum(_ops.multiply(_ops.subtract(x0, x1), height))

    def _interpolated(self, tp: Tensor, fp: Tensor, fn: Tensor) -> Tensor:
        """Between two thresholds true and false positives grow in proportion, which bends the line of precision."""
        (tp0, tp1), (p0, p1) = _ends(tp), _ends(_ops.add(tp, fp))
        gain = _ops.subtract(tp0, tp1)
        slope = _quotient(gain, _ops.subtract(p0, p1))
        offset = _ops.subtract(tp1, _ops.multiply(slope, p1))
        both = _ops.logical_and(_ops.greater(p0, 0.0), _ops.greater(p1, 0.0))
        ratio = _ops.where(both, _quotient(p0, p1), _ops.ones_like(p0))
        area = _ops.multiply(slope, _ops.add(gain, _ops.multiply(offset, _ops.log(ratio))))
        return _ops.reduce_sum(_quotient(area, _ends(_ops.add(tp, fn))[1]))

    def get_config(self) -> dict[str, Any]:
        return {
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "name": self.name,
            "thresholds": self.thresholds,
            "from_logits": self.from_logits,
        }


class R2Score(Metric):
    """The share of the targets' variance that predictions explain: `1 - sum (t - p)^2 / sum (t - mean t)^2`.

    Args:
        class_aggregation: How the scores of several columns become one: "uniform_average" (default), their mean;
            "variance_weighted_average", weighted by the variances of the targets; None, one score for each.
        num_regressors: r above 0 gives the adjusted score `1 - (1 - R2) * (n - 1) / (n - r - 1)`, default 0.
        name: Default "r2_score".

    Raises:
        ValueError: An unknown aggregation, or a negative number.

    Example:
        >>> import layernet as ln
        >>> float(ln.metrics.R2Score()([[1.0], [2.0], [3.0]], [[1.0], [2.0], [2.0]]))
        0.5
    """

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
    ) -> None:
        super().__init__(name)
        if class_aggregation not in (None, "uniform_average", "variance_weighted_average"):
            raise ValueError(
                "R2Score: expected class_aggregation 'uniform_average', 'variance_weighted_average' or None, got "
                f"{class_aggregation!r}."
            )
        if num_regressors < 0:
            raise ValueError(f"R2Score: expected num_regressors of 0 or more, got {num_regressors!r}.")
        self.class_aggregation = class_aggregation
        self.num_regressors = num_regressors
        self._sums: tuple[Variable, ...] | None = None

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: TensorLike | None = None) -> None:
        true, pred = (_number(value) for value in losses._pair("R2Score", y_true, y_pred))
        if len(pred.shape) == 1:
            true, pred = (_ops.expand_dims(value, axis=-1) for value in (true, pred))
        weights = _row_weights(sample_weight, pred)
        if self._sums is None:
            columns = pred.shape[-1:]
            names = ("squared_errors", "squares", "sums")
            self._sums = (*(self.add_variable(columns, name) for name in names), self.add_variable(name="count"))
        values = (_ops.square(_ops.subtract(true, pred)), _ops.square(true), true)
        for state, value in zip(self._sums, values, strict=False):
            _ops.assign_add(state, _ops.reduce_sum(_ops.multiply(value, weights), axis=[0], all=False))
        _ops.assign_add(self._sums[3], _ops.reduce_sum(weights))

    def result(self) -> Tensor:
        if self._sums is None:
            return _core.constant(0.0, dtype=_core.float64)
        errors, squares, sums, count = self._sums
        spread = _ops.subtract(squares, _quotient(_ops.square(sums), count))
        flat = _ops.equal(spread, 0.0)
        ratio = _ops.divide(errors, _ops.where(flat, _ops.ones_like(spread), spread))
        # A column that does not vary has no variance to explain: 0 as in Keras.
        score = _ops.where(flat, _ops.zeros_like(spread), _ops.affine(ratio, scale=-1.0, shift=1.0))
        if self.class_aggregation == "uniform_average":
            score = _ops.reduce_mean(score)
        elif self.class_aggregation == "variance_weighted_average":
            score = _quotient(_ops.reduce_sum(_ops.multiply(score, spread)), _ops.reduce_sum(spread))
        if self.num_regressors:
            rest = _quotient(_ops.affine(count, shift=-1.0), _ops.affine(count, shift=-1.0 - self.num_regressors))
            worse = _ops.multiply(_ops.affine(score, scale=-1.0, shift=1.0), rest)
            score = _ops.affine(worse, scale=-1.0, shift=1.0)
        return score

    def get_config(self) -> dict[str, Any]:
        return {
            "class_aggregation": self.class_aggregation,
            "num_regressors": self.num_regressors,
            "name": self.name,
        }


class FBetaScore(Metric):
    """`(1 + beta^2) * precision * recall / (beta^2 * precision + recall)` for each class.

    Args:
        average: What becomes of the scores of the classes: None (default), one for each; "macro", their mean;
            "weighted", weighted by the number of labels; "micro", the score of all counts together.
        beta: Above 1 recall counts more, default 1.
        threshold: Above it a prediction counts as 1; None (default): the highest of a row does.
        name: Default "fbeta_score".

    Raises:
        ValueError: An unknown average, beta not above 0, a threshold outside (0, 1].

    Reference:
        van Rijsbergen, "Information retrieval", 1979, chapter 7.

    Example:
        >>> import layernet as ln
        >>> true = [[1.0, 1.0, 1.0], [1.0, 0.0, 0.0], [1.0, 1.0, 0.0]]
        >>> pred = [[0.2, 0.6, 0.7], [0.2, 0.6, 0.6], [0.6, 0.8, 0.0]]
        >>> ln.metrics.FBetaScore(beta=2.0, threshold=0.5)(true, pred).numpy().round(4)
        array([0.3846, 0.9091, 0.8333])
    """

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
    ) -> None:
        super().__init__(name)
        if average not in (None, "micro", "macro", "weighted"):
            raise ValueError(
                f"{type(self).__name__}: expected average None, 'micro', 'macro' or 'weighted', got {average!r}."
            )
        if not beta > 0:
            raise ValueError(f"{type(self).__name__}: expected beta above 0, got {beta!r}.")
        if threshold is not None and not 0 < threshold <= 1:
            raise ValueError(f"{type(self).__name__}: expected a threshold in (0, 1] or None, got {threshold!r}.")
        self.average = average
        self.beta = float(beta)
        self.threshold = threshold
        self._counts: tuple[Variable, ...] | None = None

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: TensorLike | None = None) -> None:
        true, pred = _rows(type(self).__name__, y_true, y_pred)
        classes = pred.shape[-1]
        if self.threshold is None:
            best = _ops.expand_dims(_ops.argmax(pred, axis=-1), axis=-1)
            said = _ops.equal(best, _core.constant(range(classes), dtype=_core.int64))
        else:
            said = _ops.greater(pred, _core.constant(self.threshold, dtype=pred.dtype))
        true, decided = _number(true), _number(said)
        weights = _row_weights(sample_weight, true)
        if self._counts is None:
            names = ("true_positives", "false_positives", "false_negatives")
            self._counts = tuple(self.add_variable((classes,), name) for name in names)
        pairs = ((decided, true), (decided, _complement(true)), (_complement(decided), true))
        for state, (a, b) in zip(self._counts, pairs, strict=True):
            _ops.assign_add(state, _ops.reduce_sum(_ops.multiply(_ops.multiply(a, b), weights), axis=[0], all=False))

    def result(self) -> Tensor:
        if self._counts is None:
            return _core.constant(0.0, dtype=_core.float64)
        counts: Sequence[Any] = self._counts
        if self.average == "micro":
            counts = [_ops.reduce_sum(count) for count in counts]
        found, wrong, missed = counts
        square = self.beta**2
        top = _ops.affine(found, scale=1.0 + square)
        score = _quotient(top, _ops.add(_ops.add(top, wrong), _ops.affine(missed, scale=square)))
        if self.average == "macro":
            return _ops.reduce_mean(score)
        if self.average == "weighted":
            labels = _ops.add(found, missed)
            return _quotient(_ops.reduce_sum(_ops.multiply(score, labels)), _ops.reduce_sum(labels))
        return score

    def get_config(self) -> dict[str, Any]:
        return {"average": self.average, "beta": self.beta, "threshold": self.threshold, "name": self.name}


class F1Score(FBetaScore):
    """The harmonic mean of precision and recall for each class: `FBetaScore` with beta 1.

    Args:
        average, threshold: See `FBetaScore`.
        name: Default "f1_score".

    Example:
        >>> import layernet as ln
        >>> true = [[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]
        >>> round(float(ln.metrics.F1Score(average="macro")(true, [[0.1, 0.9], [0.8, 0.2], [0.6, 0.4]])), 4)
        0.6667
    """

    def __init__(
        self, average: str | None = None, threshold: float | None = None, name: str | None = "f1_score"
    ) -> None:
        super().__init__(average, 1.0, threshold, name)

    def get_config(self) -> dict[str, Any]:
        return {"average": self.average, "threshold": self.threshold, "name": self.name}


def _number(value: Any) -> Tensor:
    return value if value.dtype is _core.float64 else _ops.cast(value, dtype=_core.float64)


def _complement(value: Tensor) -> Tensor:
    return _ops.affine(value, scale=-1.0, shift=1.0)


def _quotient(a: Any, b: Any) -> Tensor:
    """a / b, and 0 where b is 0."""
    none = _ops.equal(b, 0.0)
    return _ops.where(none, _ops.zeros_like(b), _ops.divide(a, _ops.where(none, _ops.ones_like(b), b)))


def _ends(values: Tensor) -> tuple[Tensor, Tensor]:
    """The values at the beginning and at the end of each interval."""
    return values[:-1], values[1:]


def _above(counts: Any) -> Tensor:
    """How many lie in an interval or a higher one: sums from each place to the end."""
    size = counts.shape[0]
    later = _core.constant(np.tri(size, dtype="float64"))
    return _ops.reshape(_ops.matmul(_ops.reshape(counts, shape=[1, size]), later), shape=[size])


def _top(who: str, pred: Tensor, k: int) -> Tensor:
    """The k highest of each row, the first of equal ones; -inf in all other places."""
    if len(pred.shape) < 2:
        raise ValueError(f"{who}: expected y_pred of shape [..., classes] for top_k, got {list(pred.shape)}.")
    classes = _core.constant(range(pred.shape[-1]), dtype=_core.int64)
    nothing = _core.constant(-np.inf, dtype=pred.dtype)
    rest = pred
    for _ in range(k):
        best = _ops.expand_dims(_ops.argmax(rest, axis=-1), axis=-1)
        rest = _ops.where(_ops.equal(best, classes), nothing, rest)
    return _ops.where(_ops.equal(rest, nothing), pred, nothing)


def _first_of_rows(values: Tensor) -> Tensor:
    """One element of each row, `[rows]`."""
    corner = (slice(None), *[slice(0, 1)] * (len(values.shape) - 1))
    first = values[corner]
    return _ops.reshape(first, shape=[-1])


def _row_weights(sample_weight: TensorLike | None, values: Tensor) -> Tensor:
    """One weight for each row, `[rows, 1]`, float64."""
    rows = _first_of_rows(values)
    weights = _ops.ones_like(rows) if sample_weight is None else _weights(sample_weight, rows)
    return _ops.expand_dims(_ops.multiply(_ops.ones_like(rows), weights), axis=-1)


def _flat(
    who: str, y_true: Any, y_pred: Any, sample_weight: TensorLike | None, class_id: int | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Labels as 0 or 1, predictions and weights, element by element: `[elements, 1]` each."""
    true, pred = losses._pair(who, y_true, y_pred)
    if class_id is not None:
        classes = pred.shape[-1] if len(pred.shape) > 1 else 0
        if classes is None or not 0 <= class_id < classes:
            raise ValueError(f"{who}: expected class_id below the {classes} classes, got {class_id!r}.")
        column = (*[slice(None)] * (len(pred.shape) - 1), slice(class_id, class_id + 1))
        true, pred = true[column], pred[column]
    weights = _ops.ones_like(pred)
    if sample_weight is not None:
        weights = _ops.multiply(weights, _weights(sample_weight, pred))
    labels = _ops.greater(true, 0.0)
    columns = [_ops.reshape(value, shape=[-1, 1]) for value in (_number(labels), pred, _number(weights))]
    return columns[0], columns[1], columns[2]

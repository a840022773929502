"""Metrics that count labels 0 and 1 against what thresholds make of predictions, or the highest of a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from layernet import _core, losses
from layernet.losses import _rows, _value, _weights
from layernet.metrics.base import Metric, complement, number, quotient, row_weights
from layernet.tensor import Tensor, TensorLike
from layernet.tensor import core_ops as _ops
from layernet.variable import Variable


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
        said = number(_ops.greater(pred, _core.constant(self._limits, dtype=pred.dtype)))
        for state, kind in zip(self._counts, self._counted, strict=True):
            hit = said if kind.endswith("positives") else complement(said)
            label = true if kind in ("true_positives", "false_negatives") else complement(true)
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
    """How many labels 1 have `p > threshold` (weighted: the sum of their weights). Labels that are NaN do not count.

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
        return self._shown(quotient(found, _ops.add(found, wrong)))


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
        return self._shown(quotient(found, _ops.add(found, missed)))


class _Curve(Metric):
    """Counts at many thresholds.

    Predictions are counted by the thresholds they lie between: a batch costs the same for any number of thresholds.

    Args:
        num_thresholds: How many, evenly from 0 to 1, 2 or more.
        thresholds: Thresholds in [0, 1] in place of even ones; None.
        class_id: Which of the last axis to look at; None means all.
        name: See `Metric`.
    """

    def __init__(
        self, num_thresholds: int, thresholds: Sequence[float] | None, class_id: int | None, name: str | None
    ) -> None:
        super().__init__(name)
        who = type(self).__name__
        if thresholds is None:
            if num_thresholds < 2:
                raise ValueError(f"{who}: expected num_thresholds of 2 or more, got {num_thresholds!r}.")
            inner = np.arange(1, num_thresholds - 1) / (num_thresholds - 1)
        else:
            inner = np.sort(np.asarray(thresholds, "float64"))
            if inner.ndim != 1 or not ((inner >= 0) & (inner <= 1)).all():
                raise ValueError(f"{who}: expected thresholds in [0, 1], got {thresholds!r}.")
        self.num_thresholds = len(inner) + 2
        self.thresholds = None if thresholds is None else [float(limit) for limit in inner]
        self.class_id = class_id
        # The first interval begins below 0 and the last ends above 1: every prediction lies above the first threshold.
        self._limits = np.concatenate([[-1e-7], inner, [1.0 + 1e-7]])
        self.positives = self.add_variable(self._limits.shape, "positives")
        self.negatives = self.add_variable(self._limits.shape, "negatives")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: TensorLike | None = None) -> None:
        true, pred, weights = _flat(type(self).__name__, y_true, y_pred, sample_weight, self.class_id)
        pred = number(pred)
        last = float(len(self._limits) - 1)
        if self.thresholds is None:
            place = _ops.affine(_ops.ceil(_ops.affine(pred, scale=last)), shift=-1.0)
        else:
            above = number(_ops.greater(pred, _core.constant(self._limits)))
            place = _ops.affine(_ops.reduce_sum(above, axis=[1], all=False, keepdims=True), shift=-1.0)
        place = _ops.cast(_ops.clip(_ops.reshape(place, shape=[-1]), min=0.0, max=last), dtype=_core.int64)
        for state, label in ((self.positives, true), (self.negatives, complement(true))):
            amounts = _ops.reshape(_ops.multiply(label, weights), shape=[-1])
            _ops.assign(state, _ops.scatter_add(_ops.identity(state), place, amounts))

    def _counts(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """True and false positives, true and false negatives at each threshold."""
        # Sums of their own on both sides, and no differences: where nothing lies, there is exactly 0.
        above = np.tri(len(self._limits))
        (tp, fn), (fp, tn) = (
            [_sums(state, side) for side in (above, 1.0 - above)] for state in (self.positives, self.negatives)
        )
        return tp, fp, tn, fn


class _Best(_Curve):
    """The highest that one rate can be at a threshold where another rate has at least a given value."""

    _rate = ""
    _given = ""

    def __init__(self, value: float, num_thresholds: int, class_id: int | None, name: str | None) -> None:
        if not 0 <= value <= 1:
            raise ValueError(f"{type(self).__name__}: expected {self._given} in [0, 1], got {value!r}.")
        super().__init__(num_thresholds, None, class_id, name)
        self.value = float(value)

    def result(self) -> Tensor:
        tp, fp, tn, fn = self._counts()
        parts = {"precision": (tp, fp), "recall": (tp, fn), "sensitivity": (tp, fn), "specificity": (tn, fp)}
        rate, given = (
            quotient(right, _ops.add(right, wrong)) for right, wrong in (parts[self._rate], parts[self._given])
        )
        return _ops.reduce_max(_ops.where(_ops.greater_equal(given, self.value), rate, _ops.zeros_like(rate)))

    def get_config(self) -> dict[str, Any]:
        return {
            self._given: self.value,
            "num_thresholds": self.num_thresholds,
            "class_id": self.class_id,
            "name": self.name,
        }


class AUC(_Curve):
    """The area under the curve that thresholds draw: recall over the rate of false alarms, or precision over recall.

    More thresholds come nearer to the exact area.

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
        if curve not in ("ROC", "PR"):
            raise ValueError(f"AUC: expected curve 'ROC' or 'PR', got {curve!r}.")
        if summation_method not in ("interpolation", "minoring", "majoring"):
            raise ValueError(
                f"AUC: expected summation_method 'interpolation', 'minoring' or 'majoring', got {summation_method!r}."
            )
        super().__init__(num_thresholds, thresholds, None, name)
        self.curve = curve
        self.summation_method = summation_method
        self.from_logits = bool(from_logits)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: TensorLike | None = None) -> None:
        super().update_state(y_true, _ops.sigmoid(_value(y_pred)) if self.from_logits else y_pred, sample_weight)

    def result(self) -> Tensor:
        tp, fp, tn, fn = self._counts()
        recall = quotient(tp, _ops.add(tp, fn))
        if self.curve == "PR" and self.summation_method == "interpolation":
            return self._interpolated(tp, fp, fn)
        if self.curve == "PR":
            x, y = recall, quotient(tp, _ops.add(tp, fp))
        else:
            x, y = quotient(fp, _ops.add(fp, tn)), recall
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
        slope = quotient(gain, _ops.subtract(p0, p1))
        offset = _ops.subtract(tp1, _ops.multiply(slope, p1))
        both = _ops.logical_and(_ops.greater(p0, 0.0), _ops.greater(p1, 0.0))
        ratio = _ops.where(both, quotient(p0, p1), _ops.ones_like(p0))
        area = _ops.multiply(slope, _ops.add(gain, _ops.multiply(offset, _ops.log(ratio))))
        return _ops.reduce_sum(quotient(area, _ends(_ops.add(tp, fn))[1]))

    def get_config(self) -> dict[str, Any]:
        return {
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "name": self.name,
            "thresholds": self.thresholds,
            "from_logits": self.from_logits,
        }


class SensitivityAtSpecificity(_Best):
    """The highest sensitivity, `tp / (tp + fn)`, at a threshold where `tn / (tn + fp) >= specificity`; 0 without one.

    Args:
        specificity: In [0, 1].
        num_thresholds: How many thresholds are tried, evenly from 0 to 1, 2 or more, default 200.
        class_id: Which of the last axis to look at; None (default) means all.
        name: Default "sensitivity_at_specificity".

    Raises:
        ValueError: A number out of its range.

    Example:
        >>> import layernet as ln
        >>> metric = ln.metrics.SensitivityAtSpecificity(0.5)
        >>> float(metric([0.0, 0.0, 0.0, 1.0, 1.0], [0.1, 0.3, 0.8, 0.25, 0.9]))
        0.5
    """

    _rate, _given = "sensitivity", "specificity"

    def __init__(
        self, specificity: float, num_thresholds: int = 200, class_id: int | None = None, name: str | None = None
    ) -> None:
        super().__init__(specificity, num_thresholds, class_id, name)


class SpecificityAtSensitivity(_Best):
    """The highest specificity, `tn / (tn + fp)`, at a threshold where `tp / (tp + fn) >= sensitivity`; 0 without one.

    Args:
        sensitivity: In [0, 1].
        num_thresholds: How many thresholds are tried, evenly from 0 to 1, 2 or more, default 200.
        class_id: Which of the last axis to look at; None (default) means all.
        name: Default "specificity_at_sensitivity".

    Raises:
        ValueError: A number out of its range.

    Example:
        >>> import layernet as ln
        >>> metric = ln.metrics.SpecificityAtSensitivity(0.5)
        >>> float(metric([0.0, 0.0, 0.0, 1.0, 1.0], [0.1, 0.3, 0.8, 0.25, 0.9]))
        1.0
    """

    _rate, _given = "specificity", "sensitivity"

    def __init__(
        self, sensitivity: float, num_thresholds: int = 200, class_id: int | None = None, name: str | None = None
    ) -> None:
        super().__init__(sensitivity, num_thresholds, class_id, name)


class PrecisionAtRecall(_Best):
    """The highest precision, `tp / (tp + fp)`, at a threshold where `tp / (tp + fn) >= recall`; 0 without one.

    Args:
        recall: In [0, 1].
        num_thresholds: How many thresholds are tried, evenly from 0 to 1, 2 or more, default 200.
        class_id: Which of the last axis to look at; None (default) means all.
        name: Default "precision_at_recall".

    Raises:
        ValueError: A number out of its range.

    Example:
        >>> import layernet as ln
        >>> metric = ln.metrics.PrecisionAtRecall(0.75)
        >>> float(metric([0.0, 0.0, 0.0, 1.0, 1.0], [0.1, 0.3, 0.8, 0.25, 0.9]))
        0.5
    """

    _rate, _given = "precision", "recall"

    def __init__(
        self, recall: float, num_thresholds: int = 200, class_id: int | None = None, name: str | None = None
    ) -> None:
        super().__init__(recall, num_thresholds, class_id, name)


class RecallAtPrecision(_Best):
    """The highest recall, `tp / (tp + fn)`, at a threshold where `tp / (tp + fp) >= precision`; 0 without one.

    Args:
        precision: In [0, 1].
        num_thresholds: How many thresholds are tried, evenly from 0 to 1, 2 or more, default 200.
        class_id: Which of the last axis to look at; None (default) means all.
        name: Default "recall_at_precision".

    Raises:
        ValueError: A number out of its range.

    Example:
        >>> import layernet as ln
        >>> metric = ln.metrics.RecallAtPrecision(0.9)
        >>> float(metric([0.0, 0.0, 0.0, 1.0, 1.0], [0.1, 0.3, 0.8, 0.25, 0.9]))
        0.5
    """

    _rate, _given = "recall", "precision"

    def __init__(
        self, precision: float, num_thresholds: int = 200, class_id: int | None = None, name: str | None = None
    ) -> None:
        super().__init__(precision, num_thresholds, class_id, name)


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
        true, decided = number(true), number(said)
        weights = row_weights(sample_weight, true)
        if self._counts is None:
            names = ("true_positives", "false_positives", "false_negatives")
            self._counts = tuple(self.add_variable((classes,), name) for name in names)
        pairs = ((decided, true), (decided, complement(true)), (complement(decided), true))
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
        score = quotient(top, _ops.add(_ops.add(top, wrong), _ops.affine(missed, scale=square)))
        if self.average == "macro":
            return _ops.reduce_mean(score)
        if self.average == "weighted":
            labels = _ops.add(found, missed)
            return quotient(_ops.reduce_sum(_ops.multiply(score, labels)), _ops.reduce_sum(labels))
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


def _ends(values: Tensor) -> tuple[Tensor, Tensor]:
    """The values at the beginning and at the end of each interval."""
    return values[:-1], values[1:]


def _sums(counts: Any, chosen: npt.NDArray[np.float64]) -> Tensor:
    """The sums of the counts that each column of `chosen` has."""
    size = counts.shape[0]
    sums = _ops.matmul(_ops.reshape(counts, shape=[1, size]), _core.constant(chosen))
    return _ops.reshape(sums, shape=[size])


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
    # NaN is neither label: it counts nowhere.
    weights = _ops.where(_ops.equal(true, true), weights, _ops.zeros_like(weights))
    labels = _ops.greater(true, 0.0)
    columns = [_ops.reshape(value, shape=[-1, 1]) for value in (number(labels), pred, number(weights))]
    return columns[0], columns[1], columns[2]

"""How well numbers are predicted: the share of the variance, and correlations."""

from __future__ import annotations

from typing import Any

from layernet import _core, losses
from layernet.metrics import functions
from layernet.metrics.base import Metric, number, quotient, row_weights
from layernet.metrics.means import MeanMetricWrapper
from layernet.tensor import Tensor, TensorLike
from layernet.tensor import core_ops as _ops
from layernet.variable import Variable


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
        true, pred = (number(value) for value in losses._pair("R2Score", y_true, y_pred))
        if len(pred.shape) == 1:
            true, pred = (_ops.expand_dims(value, axis=-1) for value in (true, pred))
        weights = row_weights(sample_weight, pred)
        if self._sums is None:
            columns = pred.shape[-1:]
            names = ("squared_errors", "squares", "sums", "origin")
            self._sums = (*(self.add_variable(columns, name) for name in names), self.add_variable(name="count"))
        *_, kept, count = self._sums
        # Targets count from one of the first batch on, the one with the highest weight: the sums of what does not vary
        # are exactly 0, and a mean far from 0 costs no digits.
        first = _ops.squeeze(_ops.gather(true, _ops.argmax(weights, axis=0)), axes=[0])
        origin = _ops.where(_ops.equal(count, 0.0), first, kept)
        steps = _ops.subtract(true, origin)
        _ops.assign(kept, origin)
        values = (_ops.square(_ops.subtract(true, pred)), _ops.square(steps), steps)
        for state, value in zip(self._sums, values, strict=False):
            _ops.assign_add(state, _ops.reduce_sum(_ops.multiply(value, weights), axis=[0], all=False))
        _ops.assign_add(count, _ops.reduce_sum(weights))

    def result(self) -> Tensor:
        if self._sums is None:
            return _core.constant(0.0, dtype=_core.float64)
        errors, squares, sums, _, count = self._sums
        spread = _ops.subtract(squares, quotient(_ops.square(sums), count))
        flat = _ops.equal(spread, 0.0)
        ratio = _ops.divide(errors, _ops.where(flat, _ops.ones_like(spread), spread))
        # A column that does not vary has no variance to explain: 0 as in Keras.
        score = _ops.where(flat, _ops.zeros_like(spread), _ops.affine(ratio, scale=-1.0, shift=1.0))
        if self.class_aggregation == "uniform_average":
            score = _ops.reduce_mean(score)
        elif self.class_aggregation == "variance_weighted_average":
            score = quotient(_ops.reduce_sum(_ops.multiply(score, spread)), _ops.reduce_sum(spread))
        if self.num_regressors:
            rest = quotient(_ops.affine(count, shift=-1.0), _ops.affine(count, shift=-1.0 - self.num_regressors))
            worse = _ops.multiply(_ops.affine(score, scale=-1.0, shift=1.0), rest)
            score = _ops.affine(worse, scale=-1.0, shift=1.0)
        return score

    def get_config(self) -> dict[str, Any]:
        return {
            "class_aggregation": self.class_aggregation,
            "num_regressors": self.num_regressors,
            "name": self.name,
        }


class PearsonCorrelation(MeanMetricWrapper):
    """The mean of `pearson_correlation`: how well targets are a line of predictions, row by row.

    Args:
        name: Default "pearson_correlation".

    Example:
        >>> import layernet as ln
        >>> round(float(ln.metrics.PearsonCorrelation()([[0.0, 1.0, 0.5]], [[1.0, 3.0, 2.0]])), 4)
        1.0
    """

    def __init__(self, name: str | None = "pearson_correlation") -> None:
        super().__init__(functions.pearson_correlation, name)


class ConcordanceCorrelation(MeanMetricWrapper):
    """The mean of `concordance_correlation`: how well predictions equal targets, row by row.

    Args:
        name: Default "concordance_correlation".

    Example:
        >>> import layernet as ln
        >>> round(float(ln.metrics.ConcordanceCorrelation()([[0.0, 1.0, 0.5]], [[1.0, 3.0, 2.0]])), 4)
        0.2162
    """

    def __init__(self, name: str | None = "concordance_correlation") -> None:
        super().__init__(functions.concordance_correlation, name)

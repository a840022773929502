"""Metrics of segmentation: how much the places of a class overlap with those where it is predicted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from layernet import _core, losses
from layernet.losses import _value, _weights
from layernet.metrics.base import Metric, highest, number, quotient
from layernet.tensor import Tensor, TensorLike
from layernet.tensor import core_ops as _ops


class IoU(Metric):
    """Intersection over union, `tp / (tp + fp + fn)`, as the mean over some classes.

    Classes that neither occur nor are predicted do not count; the result is 0 without others. What is not in
    [0, num_classes), or NaN, of targets or predictions, counts nowhere.

    Args:
        num_classes: How many classes there are, 1 or more.
        target_class_ids: The classes of the mean.
        name: Default "io_u".
        ignore_class: Where the target is this class, nothing counts; None (default). It may lie outside
            [0, num_classes).
        sparse_y_true: Whether targets are class numbers, default True; else the highest along `axis` is the class.
        sparse_y_pred: The same of predictions.
        axis: Where classes lie, default -1.

    Raises:
        ValueError: No classes, or some outside [0, num_classes).

    Reference:
        Jaccard, "The distribution of the flora in the alpine zone", 1912.

    Example:
        >>> import layernet as ln
        >>> metric = ln.metrics.IoU(num_classes=2, target_class_ids=[0])
        >>> round(float(metric([0, 0, 1, 1], [0, 1, 0, 1])), 4)
        0.3333
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(name)
        who = type(self).__name__
        if num_classes < 1:
            raise ValueError(f"{who}: expected num_classes of 1 or more, got {num_classes!r}.")
        self.target_class_ids = [int(one) for one in target_class_ids]
        if not self.target_class_ids or not all(0 <= one < num_classes for one in self.target_class_ids):
            raise ValueError(
                f"{who}: expected target_class_ids below the {num_classes} classes, got {target_class_ids!r}."
            )
        self.num_classes = num_classes
        self.ignore_class = ignore_class
        self.sparse_y_true = sparse_y_true
        self.sparse_y_pred = sparse_y_pred
        self.axis = axis
        self.confusion = self.add_variable((num_classes * num_classes,), "confusion")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: TensorLike | None = None) -> None:
        true = self._classes(y_true, self.sparse_y_true)
        pred = self._classes(y_pred, self.sparse_y_pred)
        if true.shape != pred.shape:
            true = losses._matched(type(self).__name__, true, pred.shape)
        weights = number(_ops.ones_like(pred))
        if sample_weight is not None:
            weights = _ops.multiply(weights, _weights(sample_weight, weights))
        counted = _ops.logical_and(self._known(true), self._known(pred))
        if self.ignore_class is not None:
            counted = _ops.logical_and(counted, _ops.not_equal(true, self.ignore_class))
        place = _ops.add(_ops.multiply(true, self.num_classes), pred)
        outside = _core.constant(self.num_classes**2, dtype=_core.int64)  # scatter_add drops it
        place = _ops.where(counted, place, outside)
        place, weights = (_ops.reshape(value, shape=[-1]) for value in (place, weights))
        _ops.assign(self.confusion, _ops.scatter_add(_ops.identity(self.confusion), place, weights))

    def result(self) -> Tensor:
        table = _ops.reshape(self.confusion, shape=[self.num_classes, self.num_classes])
        actual, predicted = (_ops.reduce_sum(table, axis=[axis], all=False) for axis in (1, 0))
        diagonal = [one * (self.num_classes + 1) for one in range(self.num_classes)]
        both = _ops.gather(_ops.identity(self.confusion), _core.constant(diagonal, dtype=_core.int64))
        union = _ops.subtract(_ops.add(actual, predicted), both)
        chosen = _core.constant(self.target_class_ids, dtype=_core.int64)
        both, union = (_ops.gather(value, chosen) for value in (both, union))
        classes = _ops.reduce_sum(number(_ops.greater(union, 0.0)))
        return quotient(_ops.reduce_sum(quotient(both, union)), classes)

    def _classes(self, values: Any, sparse: bool) -> Tensor:
        """Class numbers, int64."""
        if not sparse:
            return highest(_value(values), self.axis)
        return losses._class_numbers(values)

    def _known(self, classes: Tensor) -> Tensor:
        return _ops.logical_and(_ops.greater_equal(classes, 0), _ops.less(classes, self.num_classes))

    def get_config(self) -> dict[str, Any]:
        return {
            "num_classes": self.num_classes,
            "target_class_ids": self.target_class_ids,
            "name": self.name,
            "ignore_class": self.ignore_class,
            "sparse_y_true": self.sparse_y_true,
            "sparse_y_pred": self.sparse_y_pred,
            "axis": self.axis,
        }


class BinaryIoU(IoU):
    """Intersection over union of two classes: 1 where `p >= threshold`, and 0 elsewhere.

    Args:
        target_class_ids: The classes of the mean, default both.
        threshold: Default 0.5.
        name: Default "binary_io_u".

    Example:
        >>> import layernet as ln
        >>> metric = ln.metrics.BinaryIoU(target_class_ids=[0, 1], threshold=0.3)
        >>> round(float(metric([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.7])), 4)
        0.3333
    """

    def __init__(
        self, target_class_ids: Sequence[int] = (0, 1), threshold: float = 0.5, name: str | None = None
    ) -> None:
        super().__init__(2, target_class_ids, name)
        self.threshold = threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: TensorLike | None = None) -> None:
        super().update_state(y_true, _ops.greater_equal(_value(y_pred), self.threshold), sample_weight)

    def get_config(self) -> dict[str, Any]:
        return {"target_class_ids": self.target_class_ids, "threshold": self.threshold, "name": self.name}


class MeanIoU(IoU):
    """Intersection over union as the mean over all classes: `IoU` of each of them.

    Args:
        num_classes, ignore_class, sparse_y_true, sparse_y_pred, axis: See `IoU`.
        name: Default "mean_io_u".

    Example:
        >>> import layernet as ln
        >>> round(float(ln.metrics.MeanIoU(num_classes=2)([0, 0, 1, 1], [0, 0, 0, 1])), 4)
        0.5833
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, range(num_classes), name, ignore_class, sparse_y_true, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["target_class_ids"]
        return config


class OneHotIoU(IoU):
    """`IoU` of one-hot targets, and of predictions with a probability or logit for each class.

    Args:
        num_classes, target_class_ids, ignore_class, axis: See `IoU`.
        name: Default "one_hot_io_u".
        sparse_y_pred: Whether predictions are class numbers, default False.

    Example:
        >>> import layernet as ln
        >>> metric = ln.metrics.OneHotIoU(num_classes=2, target_class_ids=[1])
        >>> float(metric([[0.0, 1.0], [1.0, 0.0]], [[0.2, 0.8], [0.4, 0.6]]))
        0.5
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, target_class_ids, name, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["sparse_y_true"]
        return config


class OneHotMeanIoU(MeanIoU):
    """`MeanIoU` of one-hot targets, and of predictions with a probability or logit for each class.

    Args:
        num_classes, ignore_class, axis: See `IoU`.
        name: Default "one_hot_mean_io_u".
        sparse_y_pred: Whether predictions are class numbers, default False.

    Example:
        >>> import layernet as ln
        >>> float(ln.metrics.OneHotMeanIoU(num_classes=2)([[0.0, 1.0], [1.0, 0.0]], [[0.2, 0.8], [0.4, 0.6]]))
        0.25
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, name, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["sparse_y_true"]
        return config

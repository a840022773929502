"""Loss functions: Keras' set, each as one function.

Every function has the form `f(y_true, y_pred, sample_weight=None, reduction="mean")`. The last axis holds the values of
one row and is reduced by the formula given with the function; the other axes count rows. With one axis only, every
element is a row of its own. `reduction="mean"` is the mean over all rows (weighted: `sum(w * l) / rows`, so a weight of
0 still counts its row), "sum" the sum, "none" one value per row.

`get`, `serialize` and `deserialize` turn names and configurations into functions and back:

    >>> import layernet as ln
    >>> ln.losses.get("mse") is ln.losses.mean_squared_error
    True
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

from layernet import _core
from layernet.config import Registry
from layernet.errors import ShapeError
from layernet.tensor import INTEGER, DType, Tensor, TensorLike
from layernet.tensor import core_ops as _ops

__all__ = [
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
    "categorical_hinge",
    "circle",
    "cosine_similarity",
    "ctc",
    "deserialize",
    "dice",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "serialize",
    "sparse_categorical_crossentropy",
    "squared_hinge",
    "tversky",
]

# Keeps logarithms and quotients finite. The value of Keras (backend.epsilon()).
_EPSILON = 1e-7
# Smallest squared length that cosine_similarity divides by. The value of tf.nn.l2_normalize.
_TINY_SQUARE = 1e-12
# The logarithm of 0 in sums whose gradients must not become NaN: twice it is finite in float32.
_NEVER = -1e30
# The class number that stands for NaN: below all classes, and its product with their number does not overflow.
_NO_CLASS = -(2**31)

Shape = tuple[int | None, ...]
_VALUES = (_core.Tensor, _core.Symbol, _core.Variable)


def mean_squared_error(
    y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None, reduction: str = "mean"
) -> Tensor:
    """`mean (t - p)^2`.

    Args:
        y_true: Targets, the shape of `y_pred`; a last axis of length 1 may be missing. Converted to `y_pred`'s dtype.
        y_pred: Predictions, `[..., values]`.
        sample_weight: One number per row, `[...]` or `[..., 1]`; None (default) means 1.
        reduction: "mean" (default), "sum" or "none".

    Returns:
        A scalar; with "none" one value per row.

    Raises:
        ShapeError: Shapes that do not agree.
        ValueError: An unknown reduction.

    Example:
        >>> import layernet as ln
        >>> float(ln.losses.mean_squared_error([[0.0], [1.0]], [[0.5], [1.0]]))
        0.125
    """
    true, pred = _pair("mean_squared_error", y_true, y_pred)
    return _mean_of(_ops.square(_ops.subtract(pred, true)), sample_weight, reduction)


def mean_absolute_error(
    y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None, reduction: str = "mean"
) -> Tensor:
    """`mean |t - p|`.

    Args, Returns, Raises: see `mean_squared_error`.

    Example:
        >>> import layernet as ln
        >>> float(ln.losses.mean_absolute_error([[0.0], [1.0]], [[0.5], [1.0]]))
        0.25
    """
    true, pred = _pair("mean_absolute_error", y_true, y_pred)
    return _mean_of(_ops.abs(_ops.subtract(pred, true)), sample_weight, reduction)


def mean_absolute_percentage_error(
    y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None, reduction: str = "mean"
) -> Tensor:
    """`100 * mean |t - p| / max(|t|, 1e-7)`.

    Args, Returns, Raises: see `mean_squared_error`.

    Example:
        >>> import layernet as ln
        >>> float(ln.losses.mean_absolute_percentage_error([[2.0], [4.0]], [[1.0], [4.0]]))
        25.0
    """
    true, pred = _pair("mean_absolute_percentage_error", y_true, y_pred)
    error = _ops.abs(_ops.subtract(true, pred))
    relative = _ops.divide(error, _ops.clip(_ops.abs(true), min=_EPSILON))
    return _mean_of(_ops.affine(relative, scale=100.0), sample_weight, reduction)


def mean_squared_logarithmic_error(
    y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None, reduction: str = "mean"
) -> Tensor:
    """`mean (log(1 + max(t, 1e-7)) - log(1 + max(p, 1e-7)))^2`.

    Args, Returns, Raises: see `mean_squared_error`.

    Example:
        >>> import layernet as ln
        >>> float(ln.losses.mean_squared_logarithmic_error([[1.0]], [[1.0]]))
        0.0
    """
    true, pred = _pair("mean_squared_logarithmic_error", y_true, y_pred)
    difference = _ops.subtract(_ops.log1p(_ops.clip(pred, min=_EPSILON)), _ops.log1p(_ops.clip(true, min=_EPSILON)))
    return _mean_of(_ops.square(difference), sample_weight, reduction)


def huber(
    y_true: TensorLike,
    y_pred: TensorLike,
    sample_weight: TensorLike | None = None,
    reduction: str = "mean",
    delta: float = 1.0,
) -> Tensor:
    """`mean of e^2 / 2 where e <= delta, delta * e - delta^2 / 2 elsewhere`, e = |t - p|.

    Args:
        y_true, y_pred, sample_weight, reduction: See `mean_squared_error`.
        delta: Where the square passes into a line, above 0, default 1.

    Reference:
        Huber, "Robust estimation of a location parameter", 1964.

    Example:
        >>> import layernet as ln
        >>> ln.losses.huber([[0.0], [0.0]], [[0.5], [3.0]], reduction="none").numpy()
        array([0.125, 2.5  ], dtype=float32)
    """
    true, pred = _pair("huber", y_true, y_pred)
    error = _ops.abs(_ops.subtract(pred, true))
    square_part = _ops.clip(error, max=delta)
    line_part = _ops.affine(_ops.subtract(error, square_part), scale=delta)
    return _mean_of(_ops.add(_ops.affine(_ops.square(square_part), scale=0.5), line_part), sample_weight, reduction)


def log_cosh(
    y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None, reduction: str = "mean"
) -> Tensor:
    """`mean log cosh(p - t)`: about e^2 / 2 for small errors and |e| - log 2 for large ones, without overflow.

    Args, Returns, Raises: see `mean_squared_error`.

    Example:
        >>> import layernet as ln
        >>> round(float(ln.losses.log_cosh([[0.0]], [[100.0]])), 4)
        99.3069
    """
    true, pred = _pair("log_cosh", y_true, y_pred)
    # log cosh e = a + log((1 + exp(-2 a)) / 2) = a + log1p(expm1(-2 a) / 2) with a = |e|: the sum of two terms of order
    # a, so the absolute error is of order a * eps, where a + log1p(exp(-2 a)) - log 2 would lose log 2 * eps.
    error = _ops.abs(_ops.subtract(pred, true))
    rest = _ops.log1p(_ops.affine(_ops.expm1(_ops.affine(error, scale=-2.0)), scale=0.5))
    return _mean_of(_ops.add(error, rest), sample_weight, reduction)


def hinge(
    y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None, reduction: str = "mean"
) -> Tensor:
    """`mean max(0, 1 - t * p)`; targets are -1 or 1.

    Args, Returns, Raises: see `mean_squared_error`.

    Example:
        >>> import layernet as ln
        >>> float(ln.losses.hinge([[1.0], [-1.0]], [[0.5], [-2.0]]))
        0.25
    """
    true, pred = _pair("hinge", y_true, y_pred)
    return _mean_of(_margin(true, pred), sample_weight, reduction)


def squared_hinge(
    y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None, reduction: str = "mean"
) -> Tensor:
    """`mean max(0, 1 - t * p)^2`; targets are -1 or 1.

    Args, Returns, Raises: see `mean_squared_error`.

    Example:
        >>> import layernet as ln
        >>> float(ln.losses.squared_hinge([[1.0], [-1.0]], [[0.5], [-2.0]]))
        0.125
    """
    true, pred = _pair("squared_hinge", y_true, y_pred)
    return _mean_of(_ops.square(_margin(true, pred)), sample_weight, reduction)


def categorical_hinge(
    y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None, reduction: str = "mean"
) -> Tensor:
    """`max(0, 1 + max((1 - t) * p) - sum t * p)`; targets are one-hot.

    Args, Returns, Raises: see `mean_squared_error`.

    Example:
        >>> import layernet as ln
        >>> float(ln.losses.categorical_hinge([[0.0, 1.0]], [[0.25, 0.75]]))
        0.5
    """
    true, pred = _rows("categorical_hinge", y_true, y_pred)
    right = _sum_last(_ops.multiply(true, pred))
    wrong = _ops.reduce_max(_ops.multiply(_ops.affine(true, scale=-1.0, shift=1.0), pred), axis=[-1], all=False)
    return _reduced(_ops.relu(_ops.affine(_ops.subtract(wrong, right), shift=1.0)), sample_weight, reduction)


def kl_divergence(
    y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None, reduction: str = "mean"
) -> Tensor:
    """`sum t * log(t / p)`, both clipped to [1e-7, 1]: the Kullback-Leibler divergence from p to t.

    Args, Returns, Raises: see `mean_squared_error`.

    Reference:
        Kullback and Leibler, "On information and sufficiency", 1951, eq. 2.4.

    Example:
        >>> import layernet as ln
        >>> float(ln.losses.kl_divergence([[0.5, 0.5]], [[0.5, 0.5]]))
        0.0
    """
    true, pred = _rows("kl_divergence", y_true, y_pred)
    true = _ops.clip(true, min=_EPSILON, max=1.0)
    pred = _ops.clip(pred, min=_EPSILON, max=1.0)
    return _reduced(_sum_last(_ops.multiply(true, _ops.log(_ops.divide(true, pred)))), sample_weight, reduction)


def poisson(
    y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None, reduction: str = "mean"
) -> Tensor:
    """`mean p - t * log(p + 1e-7)`: the negative log-likelihood of counts t at rate p, without the term log t!.

    Args, Returns, Raises: see `mean_squared_error`.

    Example:
        >>> import layernet as ln
        >>> round(float(ln.losses.poisson([[2.0]], [[1.0]])), 5)
        1.0
    """
    true, pred = _pair("poisson", y_true, y_pred)
    log_rate = _ops.log(_ops.affine(pred, shift=_EPSILON))
    return _mean_of(_ops.subtract(pred, _ops.multiply(true, log_rate)), sample_weight, reduction)


def cosine_similarity(
    y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None, reduction: str = "mean"
) -> Tensor:
    """`-sum t * p / (|t| |p|)`: the negative of the cosine, so -1 is best; a zero vector gives 0.

    Args, Returns, Raises: see `mean_squared_error`.

    Example:
        >>> import layernet as ln
        >>> ln.losses.cosine_similarity([[3.0, 4.0], [1.0, 0.0]], [[6.0, 8.0], [0.0, 1.0]], reduction="none").numpy()
        array([-1., -0.], dtype=float32)
    """
    true, pred = _rows("cosine_similarity", y_true, y_pred)
    cosine = _sum_last(_ops.multiply(_unit(true), _unit(pred)))
    return _reduced(_ops.negative(cosine), sample_weight, reduction)


def binary_crossentropy(
    y_true: TensorLike,
    y_pred: TensorLike,
    sample_weight: TensorLike | None = None,
    reduction: str = "mean",
    from_logits: bool = False,
    label_smoothing: float = 0.0,
) -> Tensor:
    """`mean -(t * log p + (1 - t) * log(1 - p))`.

    Args:
        y_true: Targets in [0, 1].
        y_pred: Probabilities, clipped to [1e-7, 1 - 1e-7]; or logits, which lose nothing to clipping.
        sample_weight, reduction: See `mean_squared_error`.
        from_logits: Whether `y_pred` comes before the sigmoid, default False.
        label_smoothing: s in [0, 1]: targets become `t * (1 - s) + s / 2`, default 0.

    Raises:
        ShapeError: Shapes that do not agree.
        ValueError: An unknown reduction, a label_smoothing outside [0, 1].

    Example:
        >>> import layernet as ln
        >>> round(float(ln.losses.binary_crossentropy([[1.0], [0.0]], [[0.5], [0.5]])), 4)
        0.6931
        >>> round(float(ln.losses.binary_crossentropy([[1.0]], [[-200.0]], from_logits=True)), 4)
        200.0
    """
    true, pred = _pair("binary_crossentropy", y_true, y_pred)
    if label_smoothing:
        _check_smoothing("binary_crossentropy", label_smoothing)
        true = _ops.affine(true, scale=1.0 - label_smoothing, shift=0.5 * label_smoothing)
    if from_logits:
        return _mean_of(_ops.sigmoid_cross_entropy(pred, true), sample_weight, reduction)
    pred = _ops.clip(pred, min=_EPSILON, max=1.0 - _EPSILON)
    other = _ops.multiply(_ops.affine(true, scale=-1.0, shift=1.0), _ops.log(_ops.affine(pred, scale=-1.0, shift=1.0)))
    likelihood = _ops.add(_ops.multiply(true, _ops.log(pred)), other)
    return _mean_of(_ops.negative(likelihood), sample_weight, reduction)


def binary_focal_crossentropy(
    y_true: TensorLike,
    y_pred: TensorLike,
    sample_weight: TensorLike | None = None,
    reduction: str = "mean",
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
) -> Tensor:
    """`mean (1 - q)^gamma * -(t * log p + (1 - t) * log(1 - p))`, q = t * p + (1 - t) * (1 - p): easy rows count less.

    Args:
        y_true: Targets in [0, 1].
        y_pred: Probabilities, clipped to [1e-7, 1 - 1e-7]; or logits.
        sample_weight, reduction: See `mean_squared_error`.
        apply_class_balancing: Whether targets 1 get the weight alpha and targets 0 the weight 1 - alpha, default False.
        alpha: In [0, 1], default 0.25.
        gamma: 0 or more, default 2.
        from_logits: Whether `y_pred` comes before the sigmoid, default False.
        label_smoothing: See `binary_crossentropy`.

    Raises:
        ShapeError: Shapes that do not agree.
        ValueError: An unknown reduction, a number out of its range.

    Reference:
        Lin et al., "Focal loss for dense object detection", 2017, eq. 4 and 5.

    Example:
        >>> import layernet as ln
        >>> round(float(ln.losses.binary_focal_crossentropy([[1.0]], [[0.5]])), 4)
        0.1733
    """
    who = "binary_focal_crossentropy"
    true, pred = _pair(who, y_true, y_pred)
    _check_focal(who, alpha, gamma)
    if label_smoothing:
        _check_smoothing(who, label_smoothing)
        true = _ops.affine(true, scale=1.0 - label_smoothing, shift=0.5 * label_smoothing)
    chance = _ops.clip(_ops.sigmoid(pred) if from_logits else pred, min=_EPSILON, max=1.0 - _EPSILON)
    other, rest = (_ops.affine(value, scale=-1.0, shift=1.0) for value in (chance, true))
    likelihood = _ops.add(_ops.multiply(true, _ops.log(chance)), _ops.multiply(rest, _ops.log(other)))
    wrong = _ops.add(_ops.multiply(true, other), _ops.multiply(rest, chance))
    loss = _ops.multiply(_ops.power(wrong, gamma), _ops.negative(likelihood))
    if apply_class_balancing:
        loss = _ops.multiply(loss, _ops.affine(true, scale=2.0 * alpha - 1.0, shift=1.0 - alpha))
    return _mean_of(loss, sample_weight, reduction)


def categorical_focal_crossentropy(
    y_true: TensorLike,
    y_pred: TensorLike,
    sample_weight: TensorLike | None = None,
    reduction: str = "mean",
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
) -> Tensor:
    """`-sum alpha * (1 - p)^gamma * t * log p`, p normalised: rows that are easy count less.

    Args:
        y_true: One-hot or soft targets, `[..., classes]`.
        y_pred: Probabilities, `[..., classes]`, normalised and then clipped to [1e-7, 1 - 1e-7]; or logits.
        sample_weight, reduction: See `mean_squared_error`.
        alpha: In [0, 1], default 0.25.
        gamma: 0 or more, default 2.
        from_logits: Whether `y_pred` comes before the softmax, default False.
        label_smoothing: See `categorical_crossentropy`.

    Raises:
        ShapeError: Shapes that do not agree.
        ValueError: An unknown reduction, a number out of its range.

    Reference:
        Lin et al., "Focal loss for dense object detection", 2017, eq. 5.

    Example:
        >>> import layernet as ln
        >>> round(float(ln.losses.categorical_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])), 4)
        0.0433
    """
    who = "categorical_focal_crossentropy"
    true, pred = _rows(who, y_true, y_pred)
    _check_focal(who, alpha, gamma)
    if label_smoothing:
        _check_smoothing(who, label_smoothing)
        true = _ops.affine(true, scale=1.0 - label_smoothing, shift=label_smoothing / pred.shape[-1])
    logs = _log_probabilities(_ops.softmax(pred) if from_logits else pred)
    wrong = _ops.affine(_ops.exp(logs), scale=-1.0, shift=1.0)
    terms = _ops.multiply(_ops.power(wrong, gamma), _ops.multiply(true, logs))
    return _reduced(_ops.affine(_sum_last(terms), scale=-alpha), sample_weight, reduction)


def categorical_crossentropy(
    y_true: TensorLike,
    y_pred: TensorLike,
    sample_weight: TensorLike | None = None,
    reduction: str = "mean",
    from_logits: bool = False,
    label_smoothing: float = 0.0,
) -> Tensor:
    """`-sum t * log(p / sum p)`.

    Args:
        y_true: One-hot or soft targets, `[..., classes]`.
        y_pred: Probabilities, `[..., classes]`, normalised and then clipped to [1e-7, 1 - 1e-7]; or logits.
        sample_weight, reduction: See `mean_squared_error`.
        from_logits: Whether `y_pred` comes before the softmax, default False.
        label_smoothing: s in [0, 1]: targets become `t * (1 - s) + s / classes`, default 0.

    Raises:
        ShapeError: Shapes that do not agree.
        ValueError: An unknown reduction, a label_smoothing outside [0, 1].

    Example:
        >>> import layernet as ln
        >>> round(float(ln.losses.categorical_crossentropy([[0.0, 1.0]], [[0.25, 0.75]])), 4)
        0.2877
    """
    true, pred = _rows("categorical_crossentropy", y_true, y_pred)
    if label_smoothing:
        _check_smoothing("categorical_crossentropy", label_smoothing)
        true = _ops.affine(true, scale=1.0 - label_smoothing, shift=label_smoothing / pred.shape[-1])
    if from_logits:
        losses, _ = _ops.softmax_cross_entropy(pred, true)
    else:
        losses = _ops.negative(_sum_last(_ops.multiply(true, _log_probabilities(pred))))
    return _reduced(losses, sample_weight, reduction)


def sparse_categorical_crossentropy(
    y_true: TensorLike,
    y_pred: TensorLike,
    sample_weight: TensorLike | None = None,
    reduction: str = "mean",
    from_logits: bool = False,
) -> Tensor:
    """`-log(p[t] / sum p)`, t the number of the right class.

    Args:
        y_true: Class numbers, `[...]` or `[..., 1]`. One outside [0, classes), or NaN, makes its row's loss NaN.
        y_pred: Probabilities, `[..., classes]`, normalised, clipped to [1e-7, 1 - 1e-7], normalised again; or logits.
        sample_weight, reduction: See `mean_squared_error`.
        from_logits: Whether `y_pred` comes before the softmax, default False.

    Raises:
        ShapeError: Shapes that do not agree.
        ValueError: An unknown reduction.

    Example:
        >>> import layernet as ln
        >>> round(float(ln.losses.sparse_categorical_crossentropy([1], [[0.25, 0.75]])), 4)
        0.2877
    """
    pred = _value(y_pred)
    labels = _labels("sparse_categorical_crossentropy", y_true, pred)
    logits = pred if from_logits else _log_probabilities(pred)
    return _reduced(_ops.sparse_softmax_cross_entropy(logits, labels)[0], sample_weight, reduction)


def categorical_generalized_cross_entropy(
    y_true: TensorLike,
    y_pred: TensorLike,
    sample_weight: TensorLike | None = None,
    reduction: str = "mean",
    q: float = 0.5,
) -> Tensor:
    """`(1 - p[t]^q) / q`, t the number of the right class: wrong labels pull less than in the cross entropy.

    Args:
        y_true: Class numbers, `[...]` or `[..., 1]`. One outside [0, classes) counts as one of probability 0; NaN makes
            its row's loss NaN.
        y_pred: Probabilities, `[..., classes]`, clipped to 1e-7 from below.
        sample_weight, reduction: See `mean_squared_error`.
        q: In (0, 1), default 0.5: near 0 the cross entropy, near 1 the mean absolute error.

    Raises:
        ShapeError: Shapes that do not agree.
        ValueError: An unknown reduction, q out of its range.

    Reference:
        Zhang and Sabuncu, "Generalized cross entropy loss for training deep neural networks with noisy labels", 2018,
        eq. 6.

    Example:
        >>> import layernet as ln
        >>> float(ln.losses.categorical_generalized_cross_entropy([1], [[0.75, 0.25]]))
        1.0
    """
    who = "categorical_generalized_cross_entropy"
    if not 0.0 < q < 1.0:
        raise ValueError(f"{who}: expected q in (0, 1), got {q!r}.")
    pred = _value(y_pred)
    labels = _labels(who, y_true, pred)
    right = _ops.one_hot(labels, depth=pred.shape[-1], dtype=pred.dtype)
    chance = _ops.clip(_sum_last(_ops.multiply(right, pred)), min=_EPSILON)
    losses = _ops.affine(_ops.power(chance, q), scale=-1.0 / q, shift=1.0 / q)
    return _reduced(_nan_without_class(losses, labels), sample_weight, reduction)


def dice(
    y_true: TensorLike,
    y_pred: TensorLike,
    sample_weight: TensorLike | None = None,
    reduction: str = "mean",
    axis: int | Sequence[int] | None = None,
) -> Tensor:
    """`1 - 2 sum t * p / (sum t + sum p + 1e-7)`: how little two masks overlap.

    Args:
        y_true: Masks, in [0, 1].
        y_pred: Probabilities.
        sample_weight, reduction: See `mean_squared_error`.
        axis: The axes of the sums, `(1, 2, 3)` for a value per image. None (default): all, one value for the batch,
            which counts as that of each row.

    Returns:
        A scalar; with "none" the values along the axes that are left.

    Raises:
        ShapeError: Shapes that do not agree.
        ValueError: An unknown reduction.

    Reference:
        Milletari, Navab and Ahmadi, "V-Net: fully convolutional neural networks for volumetric medical image
        segmentation", 2016, section 3, with first powers below the line.

    Example:
        >>> import layernet as ln
        >>> round(float(ln.losses.dice([[1.0, 1.0, 0.0, 0.0]], [[1.0, 0.0, 0.0, 0.0]])), 4)
        0.3333
    """
    true, pred = _pair("dice", y_true, y_pred)
    both, either = (_sum_over(value, axis) for value in (_ops.multiply(true, pred), _ops.add(true, pred)))
    share = _ops.divide(both, _ops.affine(either, shift=_EPSILON))
    return _reduced_areas(_ops.affine(share, scale=-2.0, shift=1.0), sample_weight, reduction)


def tversky(
    y_true: TensorLike,
    y_pred: TensorLike,
    sample_weight: TensorLike | None = None,
    reduction: str = "mean",
    alpha: float = 0.5,
    beta: float = 0.5,
    axis: int | Sequence[int] | None = None,
) -> Tensor:
    """`1 - tp / (tp + alpha * fp + beta * fn + 1e-7)`, tp = sum t * p, fp = sum (1 - t) * p, fn = sum t * (1 - p).

    Args:
        y_true, y_pred, sample_weight, reduction, axis: See `dice`, which this is for alpha = beta = 0.5.
        alpha: What false positives cost, 0 or more, default 0.5.
        beta: What false negatives cost, 0 or more, default 0.5.

    Raises:
        ShapeError: Shapes that do not agree.
        ValueError: An unknown reduction, a number out of its range.

    Reference:
        Salehi, Erdogmus and Gholipour, "Tversky loss function for image segmentation using 3D fully convolutional deep
        networks", 2017, eq. 4.

    Example:
        >>> import layernet as ln
        >>> loss = ln.losses.tversky([[1.0, 1.0, 0.0, 0.0]], [[1.0, 0.0, 0.0, 0.0]], beta=1.0)
        >>> round(float(loss), 4)
        0.5
    """
    if not (alpha >= 0.0 and beta >= 0.0):
        raise ValueError(f"tversky: expected alpha and beta of 0 or more, got {alpha!r} and {beta!r}.")
    true, pred = _pair("tversky", y_true, y_pred)
    both, trues, preds = (_sum_over(value, axis) for value in (_ops.multiply(true, pred), true, pred))
    wrong = _ops.affine(_ops.subtract(preds, both), scale=alpha)
    missed = _ops.affine(_ops.subtract(trues, both), scale=beta, shift=_EPSILON)
    share = _ops.divide(both, _ops.add(both, _ops.add(wrong, missed)))
    return _reduced_areas(_ops.affine(share, scale=-1.0, shift=1.0), sample_weight, reduction)


def circle(
    y_true: TensorLike,
    y_pred: TensorLike,
    sample_weight: TensorLike | None = None,
    reduction: str = "mean",
    gamma: float = 80.0,
    margin: float = 0.4,
) -> Tensor:
    """`log(1 + sum_j exp(g max(0, s_j + m) (s_j - m)) * sum_k exp(-g max(0, 1 + m - s_k) (s_k - 1 + m)))` for each row.

    s is the cosine between the row and others of the batch: those with other labels, j, and those with the same label,
    k. A row without one or the other has loss 0.

    Args:
        y_true: Labels, `[rows]` or `[rows, 1]`. NaN makes its row's loss NaN; to the others the row has another label.
        y_pred: Embeddings, `[rows, size]`. They need not be of length 1.
        sample_weight, reduction: See `mean_squared_error`.
        gamma: The scale g, above 0, default 80.
        margin: m, in [0, 1], default 0.4.

    Raises:
        ShapeError: Shapes that do not agree.
        ValueError: An unknown reduction, a number out of its range.

    Reference:
        Sun et al., "Circle loss: a unified perspective of pair similarity optimization", 2020, eq. 4 and 8.

    Example:
        >>> import layernet as ln
        >>> rows = [[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]]
        >>> ln.losses.circle([5, 5, 7], rows, gamma=2.0, reduction="none").numpy().round(4)
        array([0.4518, 0.7763, 0.    ], dtype=float32)
    """
    if not (gamma > 0.0 and 0.0 <= margin <= 1.0):
        raise ValueError(f"circle: expected gamma above 0 and margin in [0, 1], got {gamma!r} and {margin!r}.")
    pred = _value(y_pred)
    if len(pred.shape) != 2:
        raise ShapeError(f"circle: expected y_pred of shape [rows, size], got {_text(pred.shape)}.")
    labels = _labels("circle", y_true, pred)
    same = _ops.equal(_ops.expand_dims(labels, axis=1), _ops.expand_dims(labels, axis=0))
    units = _unit(pred)
    cosine = _ops.matmul(units, units, transpose_b=True)
    never = _core.constant(_NEVER, dtype=pred.dtype)
    away = _ops.multiply(
        _ops.relu(_ops.affine(cosine, shift=margin)), _ops.affine(cosine, scale=gamma, shift=-gamma * margin)
    )
    near = _ops.multiply(
        _ops.relu(_ops.affine(cosine, scale=-1.0, shift=1.0 + margin)),
        _ops.affine(cosine, scale=-gamma, shift=gamma * (1.0 - margin)),
    )
    others = _log_sum(_ops.where(same, never, away))
    # Of those with the same label one is the row itself, with cosine 1. Its term is the lowest of all, so that little
    # is lost when it is taken from the sum, unless it is the only one.
    alike = _log_sum(_ops.where(same, near, never))
    is_pair = _ops.greater(_sum_last(_ops.cast(same, dtype=pred.dtype)), 1.5)
    own = _ops.affine(alike, scale=-1.0, shift=-gamma * margin**2)
    own = _ops.where(is_pair, own, _core.constant(-1.0, dtype=pred.dtype))
    alike = _ops.where(is_pair, _ops.add(alike, _ops.log(_ops.negative(_ops.expm1(own)))), never)
    losses = _ops.softplus(_ops.add(others, alike))
    return _reduced(_nan_without_class(losses, labels), sample_weight, reduction)


def ctc(
    y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None, reduction: str = "mean"
) -> Tensor:
    """`-log P(labels)`: connectionist temporal classification, the sum over all ways in which steps spell the labels.

    Of a path, one class for each step, repetitions become one and blanks, class 0, are left out. The sum goes forward
    over the steps, in logarithms.

    Args:
        y_true: Labels, `[rows, labels]`, in [1, classes), with 0 after their end. One outside [0, classes), or NaN,
            makes its row's loss NaN.
        y_pred: Logits, `[rows, steps, classes]`; steps and classes are fixed.
        sample_weight, reduction: See `mean_squared_error`.

    Returns:
        A scalar; with "none" one value per row. It is infinite, with gradient 0, where the labels need more steps.

    Raises:
        ShapeError: Other shapes.
        ValueError: An unknown reduction.

    Reference:
        Graves et al., "Connectionist temporal classification: labelling unsegmented sequence data with recurrent neural
        networks", 2006, eq. 6 to 8.

    Example:
        >>> import numpy as np, layernet as ln
        >>> loss = ln.losses.ctc([[1]], np.zeros((1, 2, 3)))  # "1" is spelt by 1 1, 0 1 and 1 0: 3 of 9 paths
        >>> bool(np.isclose(float(loss), np.log(3.0)))
        True
    """
    pred = _value(y_pred)
    labels = _class_numbers(y_true)
    if len(pred.shape) != 3 or None in pred.shape[1:] or len(labels.shape) != 2 or not labels.shape[1]:
        raise ShapeError(
            "ctc: expected y_true of shape [rows, labels] and y_pred of shape [rows, steps, classes], all but rows "
            f"known, got {_text(labels.shape)} and {_text(pred.shape)}."
        )
    steps, classes, count = pred.shape[1], pred.shape[2], labels.shape[1]
    # The states of a path: before, at and after each label, the blank being 0.
    pairs = _ops.reshape(_ops.stack([_ops.zeros_like(labels), labels], axis=2), shape=[-1, 2 * count])
    states = _ops.pad(pairs, before=[0, 0], after=[0, 1])
    zero, never = (_core.constant(value, dtype=pred.dtype) for value in (0.0, _NEVER))
    # One may leave out the blank between two labels that differ.
    leap = _ops.where(_ops.not_equal(states[:, 2:], states[:, :-2]), zero, never)
    chosen = _ops.one_hot(states, depth=classes, dtype=pred.dtype)
    emitted = _ops.matmul(_ops.log_softmax(pred), chosen, transpose_b=True)
    first, *rest = (_ops.squeeze(one, axes=[1]) for one in _ops.split(emitted, sizes=[1] * steps, axis=1))
    reached = _ops.pad(first[:, :2], before=[0, 0], after=[0, 2 * count - 1], value=_NEVER)
    for one in rest:
        ways = [
            reached,
            _ops.pad(reached[:, :-1], before=[0, 1], after=[0, 0], value=_NEVER),
            _ops.pad(_ops.add(reached[:, :-2], leap), before=[0, 2], after=[0, 0], value=_NEVER),
        ]
        reached = _ops.add(_log_sum(_ops.stack(ways, axis=2)), one)
    length = _ops.reduce_sum(_ops.cast(_ops.not_equal(labels, 0), dtype=pred.dtype), axis=[1], all=False, keepdims=True)
    after = _ops.subtract(_core.constant(range(2 * count + 1), dtype=pred.dtype), _ops.affine(length, scale=2.0))
    is_end = _ops.logical_or(_ops.equal(after, 0.0), _ops.equal(after, -1.0))
    losses = _ops.negative(_log_sum(_ops.where(is_end, reached, never)))
    losses = _ops.where(_ops.greater(losses, -0.5 * _NEVER), _core.constant(math.inf, dtype=pred.dtype), losses)
    outside = _ops.logical_or(_ops.less(labels, 0), _ops.greater_equal(labels, classes))
    outside = _ops.reduce_any(outside, axis=[1], all=False)
    losses = _ops.where(outside, _core.constant(math.nan, dtype=pred.dtype), losses)
    return _reduced(losses, sample_weight, reduction)


_registry = Registry(
    "loss",
    {
        "mean_squared_error": mean_squared_error,
        "mse": mean_squared_error,
        "MSE": mean_squared_error,
        "mean_absolute_error": mean_absolute_error,
        "absolute_difference": mean_absolute_error,
        "mae": mean_absolute_error,
        "MAE": mean_absolute_error,
        "mean_absolute_percentage_error": mean_absolute_percentage_error,
        "mape": mean_absolute_percentage_error,
        "MAPE": mean_absolute_percentage_error,
        "mean_squared_logarithmic_error": mean_squared_logarithmic_error,
        "msle": mean_squared_logarithmic_error,
        "MSLE": mean_squared_logarithmic_error,
        "huber": huber,
        "huber_loss": huber,
        "log_cosh": log_cosh,
        "logcosh": log_cosh,
        "hinge": hinge,
        "squared_hinge": squared_hinge,
        "categorical_hinge": categorical_hinge,
        "kl_divergence": kl_divergence,
        "kullback_leibler_divergence": kl_divergence,
        "kld": kl_divergence,
        "KLD": kl_divergence,
        "poisson": poisson,
        "cosine_similarity": cosine_similarity,
        "cosine_proximity": cosine_similarity,
        "cosine": cosine_similarity,
        "binary_crossentropy": binary_crossentropy,
        "bce": binary_crossentropy,
        "binary_focal_crossentropy": binary_focal_crossentropy,
        "categorical_crossentropy": categorical_crossentropy,
        "categorical_focal_crossentropy": categorical_focal_crossentropy,
        "categorical_generalized_cross_entropy": categorical_generalized_cross_entropy,
        "sparse_categorical_crossentropy": sparse_categorical_crossentropy,
        "dice": dice,
        "tversky": tversky,
        "circle": circle,
        "ctc": ctc,
    },
    factories=False,
)

get = _registry.get
serialize = _registry.serialize
deserialize = _registry.deserialize

mse = MSE = mean_squared_error
mae = MAE = absolute_difference = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
msle = MSLE = mean_squared_logarithmic_error
huber_loss = huber
logcosh = log_cosh
kld = KLD = kullback_leibler_divergence = kl_divergence
cosine = cosine_proximity = cosine_similarity
bce = binary_crossentropy


def _value(x: TensorLike) -> Tensor:
    """`x` as a tensor of floating point numbers; tensors, symbols and variables of such stay as they are."""
    value = cast(Tensor, x) if isinstance(x, _VALUES) else _core.constant(x)
    return value if value.dtype.is_floating else _ops.cast(value, dtype=_core.float32)


def _like(x: TensorLike, dtype: DType) -> Tensor:
    """`x` as a tensor of the given dtype; each dtype is one object."""
    if not isinstance(x, _VALUES):
        return _core.constant(x, dtype=dtype)
    return cast(Tensor, x) if x.dtype is dtype else _ops.cast(x, dtype=dtype)


def _pair(who: str, y_true: TensorLike, y_pred: TensorLike) -> tuple[Tensor, Tensor]:
    """Targets and predictions of one dtype and one shape."""
    pred = _value(y_pred)
    true = _like(y_true, pred.dtype)
    shape = pred.shape
    if true.shape != shape:
        true = _matched(who, true, shape)
    return true, pred


def _rows(who: str, y_true: TensorLike, y_pred: TensorLike) -> tuple[Tensor, Tensor]:
    """Targets and predictions as in `_pair`, for formulas over a whole row."""
    true, pred = _pair(who, y_true, y_pred)
    if len(pred.shape) < 2:
        raise _needs_rows(who, pred)
    return true, pred


def _labels(who: str, y_true: TensorLike, pred: Tensor) -> Tensor:
    """Class numbers as int64, one per row of `pred`."""
    if len(pred.shape) < 2 or pred.shape[-1] is None:
        raise _needs_rows(who, pred)
    labels = _class_numbers(y_true)
    rows = pred.shape[:-1]
    return labels if labels.shape == rows else _matched(who, labels, rows)


def _class_numbers(values: TensorLike) -> Tensor:
    """Class numbers as int64. A cast would make NaN class 0: it becomes `_NO_CLASS`."""
    given = cast(Tensor, values) if isinstance(values, _VALUES) else _core.constant(values)
    numbers = _like(given, _core.int64)
    if not given.dtype.is_floating:
        return numbers
    return _ops.where(_ops.equal(given, given), numbers, _core.constant(_NO_CLASS, dtype=_core.int64))


def _nan_without_class(per_row: Tensor, labels: Tensor) -> Tensor:
    """NaN for the rows whose label was NaN, for formulas that do not lead there."""
    return _ops.where(_ops.equal(labels, _NO_CLASS), _core.constant(math.nan, dtype=per_row.dtype), per_row)


def _matched(who: str, true: Tensor, wanted: Shape) -> Tensor:
    """`true` brought to the shape `wanted` by adding or dropping a last axis of length 1."""
    shape = true.shape
    if _agree(shape, wanted):
        return true
    if wanted and wanted[-1] == 1 and _agree(shape, wanted[:-1]):
        return _ops.expand_dims(true, axis=-1)
    if shape and shape[-1] == 1 and _agree(shape[:-1], wanted):
        return _ops.squeeze(true, axes=[-1])
    raise ShapeError(
        f"{who}: expected y_true of shape {_text(wanted)} to go with y_pred, got {_text(shape)}. "
        "Reshape one of them, a broadcast would pair the wrong rows."
    )


def _agree(shape: Shape, wanted: Shape) -> bool:
    """Whether the shapes are equal as far as their dimensions are known."""
    return len(shape) == len(wanted) and all(
        a is None or b is None or a == b for a, b in zip(shape, wanted, strict=True)
    )


def _mean_of(values: Tensor, sample_weight: TensorLike | None, reduction: str) -> Tensor:
    """The loss whose rows are the means of `values` over the last axis."""
    if sample_weight is None and reduction == "mean":
        return _ops.reduce_mean(values)
    if len(values.shape) > 1:
        values = _ops.reduce_mean(values, axis=[-1], all=False)
    return _reduced(values, sample_weight, reduction)


def _reduced(per_row: Tensor, sample_weight: TensorLike | None, reduction: str) -> Tensor:
    """One value per row, weighted and reduced."""
    if sample_weight is not None:
        per_row = _ops.multiply(per_row, _weights(sample_weight, per_row))
    if reduction == "mean":
        return _ops.reduce_mean(per_row)
    if reduction == "none":
        return per_row
    if reduction == "sum":
        return _ops.reduce_sum(per_row)
    raise ValueError(f"loss: expected reduction 'mean', 'sum' or 'none', got {reduction!r}.")


def _weights(sample_weight: TensorLike, per_row: Tensor) -> Tensor:
    """Weights in a shape that multiplies rows: one each, or one per leading axis."""
    weights = _like(sample_weight, per_row.dtype)
    shape, rows = weights.shape, per_row.shape
    if not shape or shape == rows:
        return weights
    if len(shape) == len(rows) + 1 and shape[-1] == 1:
        weights, shape = _ops.squeeze(weights, axes=[-1]), shape[:-1]
    if not _agree(shape, rows[: len(shape)]):
        raise ShapeError(
            f"sample_weight: expected one weight per row, shape {_text(rows)}, got {_text(weights.shape)}. "
            "Give one number for each row."
        )
    for _ in range(len(rows) - len(shape)):
        weights = _ops.expand_dims(weights, axis=-1)
    return weights


def _sum_last(values: Tensor) -> Tensor:
    return _ops.reduce_sum(values, axis=[-1], all=False)


def _sum_over(values: Tensor, axis: int | Sequence[int] | None) -> Tensor:
    if axis is None:
        return _ops.reduce_sum(values)
    return _ops.reduce_sum(values, axis=[axis] if isinstance(axis, INTEGER) else list(axis), all=False)


def _log_sum(values: Tensor) -> Tensor:
    return _ops.reduce_logsumexp(values, axis=[-1], all=False)


def _reduced_areas(values: Tensor, sample_weight: TensorLike | None, reduction: str) -> Tensor:
    """As `_reduced`; a single value counts as that of each row."""
    if sample_weight is not None and not values.shape:
        sample_weight = _ops.reduce_mean(_like(sample_weight, values.dtype))
    return _reduced(values, sample_weight, reduction)


def _margin(true: Tensor, pred: Tensor) -> Tensor:
    return _ops.relu(_ops.affine(_ops.multiply(true, pred), scale=-1.0, shift=1.0))


def _unit(vectors: Tensor) -> Tensor:
    squares = _ops.reduce_sum(_ops.square(vectors), axis=[-1], all=False, keepdims=True)
    return _ops.multiply(vectors, _ops.rsqrt(_ops.clip(squares, min=_TINY_SQUARE)))


def _log_probabilities(pred: Tensor) -> Tensor:
    total = _ops.reduce_sum(pred, axis=[-1], all=False, keepdims=True)
    return _ops.log(_ops.clip(_ops.divide(pred, total), min=_EPSILON, max=1.0 - _EPSILON))


def _check_smoothing(who: str, label_smoothing: float) -> None:
    if not 0.0 <= label_smoothing <= 1.0:
        raise ValueError(f"{who}: expected label_smoothing in [0, 1], got {label_smoothing!r}.")


def _check_focal(who: str, alpha: float, gamma: float) -> None:
    if not (0.0 <= alpha <= 1.0 and gamma >= 0.0):
        raise ValueError(f"{who}: expected alpha in [0, 1] and gamma of 0 or more, got {alpha!r} and {gamma!r}.")


def _needs_rows(who: str, pred: Tensor) -> ShapeError:
    return ShapeError(
        f"{who}: expected y_pred of shape [..., classes] with at least one axis of rows, got {_text(pred.shape)}."
    )


def _text(shape: Shape) -> str:
    return "[" + ", ".join("?" if size is None else str(size) for size in shape) + "]"

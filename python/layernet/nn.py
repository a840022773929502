"""Functions for networks, TensorFlow's names: activations, losses of logits, normalisation, convolution, pooling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from layernet import random
from layernet.errors import ShapeError
from layernet.ops import reduce_mean, reduce_sum, reduce_variance, sigmoid, tanh
from layernet.tensor import INTEGER, Tensor, TensorLike, convert_to_tensor, core_ops

__all__ = [
    "avg_pool",
    "batch_normalization",
    "batch_normalization_training",
    "bias_add",
    "conv1d",
    "conv2d",
    "conv2d_transpose",
    "conv3d",
    "conv3d_transpose",
    "dense",
    "depthwise_conv2d",
    "dropout",
    "dropout_mask",
    "elu",
    "gelu",
    "hard_sigmoid",
    "l2_normalize",
    "layer_normalization",
    "leaky_relu",
    "log_softmax",
    "max_pool",
    "mish",
    "moments",
    "relu",
    "selu",
    "separable_conv1d",
    "separable_conv2d",
    "sigmoid",
    "sigmoid_cross_entropy_with_logits",
    "silu",
    "softmax",
    "softmax_cross_entropy_with_logits",
    "softplus",
    "softsign",
    "sparse_softmax_cross_entropy_with_logits",
    "tanh",
]

# --- activations ------------------------------------------------------------------------------------------------------


def relu(x: TensorLike) -> Tensor:
    """Rectifier; NaN stays NaN: `y = max(x, 0)`.

    Args:
        x: A floating tensor of any shape.

    Returns:
        A tensor of x's shape and dtype.

    Example:
        >>> import layernet as ln
        >>> ln.nn.relu([-1.0, 2.0]).numpy()
        array([0., 2.], dtype=float32)
    """
    return core_ops.relu(x)


def selu(x: TensorLike) -> Tensor:
    """Scaled exponential unit: `y = 1.0507 * x if x > 0 else 1.7581 * (e**x - 1)`.

    Args:
        x: A floating tensor of any shape.

    Returns:
        A tensor of x's shape and dtype.

    Reference:
        Klambauer et al., "Self-normalizing neural networks", 2017, eq. 2.

    Example:
        >>> import layernet as ln
        >>> ln.nn.selu([0.0, -100.0]).numpy()
        array([ 0.       , -1.7580993], dtype=float32)
    """
    return core_ops.selu(x)


def softplus(x: TensorLike) -> Tensor:
    """Smooth rectifier: `y = ln(1 + e**x)`.

    Args:
        x: A floating tensor of any shape.

    Returns:
        A tensor of x's shape and dtype.

    Example:
        >>> import layernet as ln
        >>> ln.nn.softplus([0.0, 100.0]).numpy()
        array([  0.6931472, 100.       ], dtype=float32)
    """
    return core_ops.softplus(x)


def softsign(x: TensorLike) -> Tensor:
    """`y = x / (1 + |x|)`.

    Args:
        x: A floating tensor of any shape.

    Returns:
        A tensor of x's shape and dtype.

    Example:
        >>> import layernet as ln
        >>> ln.nn.softsign([1.0, -3.0]).numpy()
        array([ 0.5 , -0.75], dtype=float32)
    """
    return core_ops.softsign(x)


def hard_sigmoid(x: TensorLike) -> Tensor:
    """Piecewise linear sigmoid: `y = clip(0.2 * x + 0.5, 0, 1)`.

    Args:
        x: A floating tensor of any shape.

    Returns:
        A tensor of x's shape and dtype.

    Example:
        >>> import layernet as ln
        >>> ln.nn.hard_sigmoid([-3.0, 0.0, 3.0]).numpy()
        array([0. , 0.5, 1. ], dtype=float32)
    """
    return core_ops.hard_sigmoid(x)


def silu(x: TensorLike) -> Tensor:
    """Sigmoid linear unit, also called swish: `y = x * sigmoid(x)`.

    Args:
        x: A floating tensor of any shape.

    Returns:
        A tensor of x's shape and dtype.

    Reference:
        Elfwing et al., "Sigmoid-weighted linear units", 2018.

    Example:
        >>> import layernet as ln
        >>> ln.nn.silu([0.0, 100.0]).numpy()
        array([  0., 100.], dtype=float32)
    """
    return core_ops.silu(x)


def mish(x: TensorLike) -> Tensor:
    """`y = x * tanh(softplus(x))`.

    Args:
        x: A floating tensor of any shape.

    Returns:
        A tensor of x's shape and dtype.

    Reference:
        Misra, "Mish: a self regularized non-monotonic activation function", 2019.

    Example:
        >>> import layernet as ln
        >>> ln.nn.mish([0.0, 100.0]).numpy()
        array([  0., 100.], dtype=float32)
    """
    return core_ops.mish(x)


def leaky_relu(x: TensorLike, alpha: float = 0.2) -> Tensor:
    """Rectifier with a slope below 0: `y = x if x > 0 else alpha * x`.

    Args:
        x: A floating tensor of any shape.
        alpha: The slope, default 0.2.

    Returns:
        A tensor of x's shape and dtype.

    Example:
        >>> import layernet as ln
        >>> ln.nn.leaky_relu([-10.0, 2.0]).numpy()
        array([-2.,  2.], dtype=float32)
    """
    return core_ops.leaky_relu(x, alpha=alpha)


def elu(x: TensorLike, alpha: float = 1.0) -> Tensor:
    """Exponential unit: `y = x if x > 0 else alpha * (e**x - 1)`.

    Args:
        x: A floating tensor of any shape.
        alpha: Minus the limit for small x, default 1.

    Returns:
        A tensor of x's shape and dtype.

    Reference:
        Clevert et al., "Fast and accurate deep network learning by exponential linear units", 2016.

    Example:
        >>> import layernet as ln
        >>> ln.nn.elu([-100.0, 2.0]).numpy()
        array([-1.,  2.], dtype=float32)
    """
    return core_ops.elu(x, alpha=alpha)


def gelu(x: TensorLike, approximate: bool = False) -> Tensor:
    """Gaussian unit: `y = x * (1 + erf(x / sqrt 2)) / 2`.

    Args:
        x: A floating tensor of any shape.
        approximate: Use `0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3)))` instead.

    Returns:
        A tensor of x's shape and dtype.

    Reference:
        Hendrycks and Gimpel, "Gaussian error linear units", 2016.

    Example:
        >>> import layernet as ln
        >>> ln.nn.gelu([0.0, 100.0]).numpy()
        array([  0., 100.], dtype=float32)
    """
    return core_ops.gelu(x, approximate=approximate)


def softmax(logits: TensorLike, axis: int = -1) -> Tensor:
    """Probabilities: `y_i = e**x_i / sum_j e**x_j`.

    Args:
        logits: A floating tensor.
        axis: The axis that sums to 1, default the last.

    Returns:
        A tensor of the same shape.

    Example:
        >>> import layernet as ln
        >>> ln.nn.softmax([0.0, 0.0]).numpy()
        array([0.5, 0.5], dtype=float32)
    """
    return core_ops.softmax(logits, axis=axis)


def log_softmax(logits: TensorLike, axis: int = -1) -> Tensor:
    """Logarithms of probabilities: `y_i = x_i - ln sum_j e**x_j`.

    Args:
        logits: A floating tensor.
        axis: The axis of the sum, default the last.

    Returns:
        A tensor of the same shape.

    Example:
        >>> import layernet as ln
        >>> ln.nn.log_softmax([1000.0, 0.0]).numpy()
        array([    0., -1000.], dtype=float32)
    """
    return core_ops.log_softmax(logits, axis=axis)


# --- losses from logits -----------------------------------------------------------------------------------------------


def softmax_cross_entropy_with_logits(labels: TensorLike, logits: TensorLike) -> Tensor:
    """Cross entropy of a distribution: `-sum_i labels_i * log_softmax(logits)_i`.

    Args:
        labels: Probabilities `[..., classes]`.
        logits: A floating tensor `[..., classes]`.

    Returns:
        A tensor `[...]`, one value per row.

    Example:
        >>> import layernet as ln
        >>> float(ln.nn.softmax_cross_entropy_with_logits([1.0, 0.0], [0.0, -200.0]))
        0.0
    """
    return core_ops.softmax_cross_entropy(logits, labels)[0]


def sparse_softmax_cross_entropy_with_logits(labels: TensorLike, logits: TensorLike) -> Tensor:
    """Cross entropy of a class: `-log_softmax(logits)[label]`.

    Args:
        labels: Class numbers `[...]`, an integer tensor. One outside of `[0, classes)` makes its row's value NaN.
        logits: A floating tensor `[..., classes]`.

    Returns:
        A tensor `[...]`, one value per row.

    Example:
        >>> import layernet as ln
        >>> float(ln.nn.sparse_softmax_cross_entropy_with_logits(0, [0.0, -200.0]))
        0.0
    """
    return core_ops.sparse_softmax_cross_entropy(convert_to_tensor(logits), convert_to_tensor(labels))[0]


def sigmoid_cross_entropy_with_logits(labels: TensorLike, logits: TensorLike) -> Tensor:
    """Cross entropy of independent yes-or-no answers: `max(x, 0) - x * z + ln(1 + e**-|x|)`.

    Args:
        labels: Probabilities z of yes, the shape of `logits`.
        logits: A floating tensor x.

    Returns:
        A tensor of the same shape.

    Example:
        >>> import layernet as ln
        >>> ln.nn.sigmoid_cross_entropy_with_logits([1.0, 0.0], [200.0, 200.0]).numpy()
        array([  0., 200.], dtype=float32)
    """
    return core_ops.sigmoid_cross_entropy(logits, labels)


# --- dense, normalisation, dropout ------------------------------------------------------------------------------------


def dense(
    x: TensorLike, kernel: TensorLike, bias: TensorLike | None = None, activation: str = "linear", alpha: float = 1.0
) -> Tensor:
    """A fully connected layer in one op: `y = activation(x @ kernel + bias)` over the last axis.

    Args:
        x: A floating tensor `[..., in]`.
        kernel: `[in, out]`.
        bias: `[out]`, or None.
        activation: Name of an elementwise activation.
        alpha: Parameter of elu and leaky_relu.

    Returns:
        A tensor `[..., out]`.

    Raises:
        ShapeError: Sizes that do not fit.

    Example:
        >>> import layernet as ln
        >>> ln.nn.dense([[1.0, 2.0]], [[1.0], [1.0]], [-5.0], activation="relu").numpy()
        array([[0.]], dtype=float32)
    """
    return core_ops.dense(x, kernel, bias, activation=activation, alpha=alpha)


def bias_add(value: TensorLike, bias: TensorLike) -> Tensor:
    """A number added to each channel: `y = value + bias`.

    Args:
        value: A tensor `[..., channels]`.
        bias: `[channels]`.

    Returns:
        A tensor of value's shape.

    Example:
        >>> import layernet as ln
        >>> ln.nn.bias_add([[1.0, 2.0]], [10.0, 20.0]).numpy()
        array([[11., 22.]], dtype=float32)
    """
    return core_ops.add(value, bias)


def moments(x: TensorLike, axes: int | Sequence[int], keepdims: bool = False) -> tuple[Tensor, Tensor]:
    """Mean and variance about it.

    Args:
        x: A floating tensor.
        axes: The axes to reduce.
        keepdims: Whether they stay, with size 1.

    Returns:
        Two tensors without the reduced axes.

    Example:
        >>> import layernet as ln
        >>> mean, variance = ln.nn.moments([1.0, 3.0], 0)
        >>> float(mean), float(variance)
        (2.0, 1.0)
    """
    return reduce_mean(x, axes, keepdims), reduce_variance(x, axes, keepdims)


def batch_normalization(
    x: TensorLike,
    mean: TensorLike,
    variance: TensorLike,
    offset: TensorLike,
    scale: TensorLike,
    variance_epsilon: float,
    axis: int = -1,
) -> Tensor:
    """Normalisation by given statistics: `y = (x - mean) / sqrt(variance + epsilon) * scale + offset`.

    Args:
        x: A floating tensor `[..., channels]`.
        mean: `[channels]`.
        variance: `[channels]`.
        offset: `[channels]`.
        scale: `[channels]`.
        variance_epsilon: Added to the variance.
        axis: The axis of the channels, default the last.

    Returns:
        A tensor of x's shape.

    Reference:
        Ioffe and Szegedy, "Batch normalization", 2015.

    Example:
        >>> import layernet as ln
        >>> ln.nn.batch_normalization([[4.0]], [2.0], [4.0], [1.0], [10.0], 0.0).numpy()
        array([[11.]], dtype=float32)
    """
    return core_ops.batch_norm(x, scale, offset, mean, variance, epsilon=variance_epsilon, axis=axis)


def batch_normalization_training(
    x: TensorLike, scale: TensorLike, offset: TensorLike, epsilon: float, axis: int = -1
) -> tuple[Tensor, Tensor, Tensor]:
    """Normalisation by the statistics of the batch itself.

    Args:
        x: A floating tensor `[..., channels]`.
        scale: `[channels]`.
        offset: `[channels]`.
        epsilon: Added to the variance.
        axis: The axis of the channels, default the last.

    Returns:
        The normalised tensor, the batch's mean and its variance about the mean, the last two `[channels]`.

    Example:
        >>> import layernet as ln
        >>> y, mean, variance = ln.nn.batch_normalization_training([[1.0], [3.0]], [1.0], [0.0], 0.0)
        >>> y.numpy().ravel(), float(mean[0]), float(variance[0])
        (array([-1.,  1.], dtype=float32), 2.0, 1.0)
    """
    y, mean, variance = cast("Any", core_ops.batch_norm_train(x, scale, offset, epsilon=epsilon, axis=axis))
    return y, mean, variance


def layer_normalization(x: TensorLike, scale: TensorLike, offset: TensorLike, epsilon: float = 1e-3) -> Tensor:
    """Normalisation of each row over the last axis: `y = (x - mean) / sqrt(variance + epsilon) * scale + offset`.

    Args:
        x: A floating tensor `[..., n]`.
        scale: `[n]`.
        offset: `[n]`.
        epsilon: Added to the variance, default 0.001.

    Returns:
        A tensor of x's shape.

    Reference:
        Ba et al., "Layer normalization", 2016.

    Example:
        >>> import layernet as ln
        >>> ln.nn.layer_normalization([[1.0, 3.0]], [1.0, 1.0], [0.0, 0.0], epsilon=0.0).numpy()
        array([[-1.,  1.]], dtype=float32)
    """
    return core_ops.layer_norm(x, scale, offset, epsilon=epsilon)


def l2_normalize(x: TensorLike, axis: int | Sequence[int] | None = None, epsilon: float = 1e-12) -> Tensor:
    """Vectors scaled to length 1: `y = x / sqrt(max(sum x**2, epsilon))`.

    Args:
        x: A floating tensor.
        axis: The axis or axes of a vector; None (default) means all.
        epsilon: Smallest squared length to divide by.

    Returns:
        A tensor of x's shape.

    Example:
        >>> import layernet as ln
        >>> ln.nn.l2_normalize([0.0, 2.0]).numpy()
        array([0., 1.], dtype=float32)
    """
    squares = reduce_sum(core_ops.square(x), axis, keepdims=True)
    return core_ops.multiply(x, core_ops.rsqrt(core_ops.maximum(squares, epsilon)))


def dropout(
    x: TensorLike, *, rate: float, noise_shape: Sequence[int | None] | None = None, seed: int | None = None
) -> Tensor:
    """Some elements replaced by 0, the others scaled: `y = x / (1 - rate)` with probability `1 - rate`, else 0.

    Args:
        x: A floating tensor.
        rate: The share to drop, in `[0, 1)`.
        noise_shape: Shape of the random choice, which broadcasts to x's; None in it means x's size.
        seed: None (default) draws from `ln.random_state()`; a number gives the same choice at every call.

    Returns:
        A tensor of x's shape.

    Reference:
        Srivastava et al., "Dropout", 2014.

    Example:
        >>> import layernet as ln
        >>> y = ln.nn.dropout(ln.ones((1000,)), rate=0.5, seed=1).numpy()
        >>> sorted(set(y.tolist()))
        [0.0, 2.0]
    """
    state = random.random_state() if seed is None else random.new_state(seed)
    return core_ops.multiply(x, dropout_mask(state, x, rate, noise_shape))


def dropout_mask(state: Any, x: TensorLike, rate: float, noise_shape: Sequence[int | None] | None = None) -> Tensor:
    """The factors of dropout: 0 with probability `rate`, else `1 / (1 - rate)`.

    Args:
        state: A generator's state, which is advanced.
        x: A floating tensor that gives shape and dtype.
        rate: The share of zeros, in `[0, 1)`.
        noise_shape: Another shape; None in it means x's size.

    Returns:
        A tensor of x's or the noise shape.

    Example:
        >>> import layernet as ln
        >>> ln.nn.dropout_mask(ln.random_state(), ln.ones((2, 3)), 0.5, (None, 1)).shape
        (2, 1)
    """
    sizes = [] if noise_shape is None else [-1 if size is None else size for size in noise_shape]
    return core_ops.dropout_mask(state, x, rate=rate, noise_shape=sizes)


# --- convolution and pooling, channels last ---------------------------------------------------------------------------


def _pair(value: int | Sequence[int], rank: int) -> list[int]:
    return [value] * rank if isinstance(value, INTEGER) else list(value)


def _conv(
    x: TensorLike,
    filters: TensorLike,
    strides: int | Sequence[int],
    padding: str,
    dilations: int | Sequence[int],
    rank: int,
    bias: TensorLike | None,
    activation: str,
    alpha: float,
) -> Tensor:
    return core_ops.conv(
        x,
        filters,
        bias,
        strides=_pair(strides, rank),
        padding=padding.lower(),
        dilation=_pair(dilations, rank),
        activation=activation,
        alpha=alpha,
    )


def conv1d(
    x: TensorLike,
    filters: TensorLike,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    dilations: int | Sequence[int] = 1,
    *,
    bias: TensorLike | None = None,
    activation: str = "linear",
    alpha: float = 1.0,
) -> Tensor:
    """Cross-correlation: `y[t] = sum_i x[stride * t + dilation * i] @ filters[i]`.

    Args:
        x: A floating tensor `[n, steps, in]`.
        filters: `[width, in, out]`.
        strides: Step between outputs, default 1.
        padding: "valid" (default) or "same", which pads with zeros, the odd one at the end.
        dilations: Step between the elements of a filter, default 1.
        bias: A number to add for each channel of the output, or None (default).
        activation: Name of an elementwise activation, applied in the same pass; default "linear".
        alpha: Parameter of elu and leaky_relu.

    Returns:
        A tensor `[n, steps, out]`.

    Example:
        >>> import layernet as ln
        >>> x, kernel = ln.ones((1, 4, 1)), ln.ones((3, 1, 1))
        >>> ln.nn.conv1d(x, kernel).numpy().ravel()
        array([3., 3.], dtype=float32)
    """
    return _conv(x, filters, strides, padding, dilations, 1, bias, activation, alpha)


def conv2d(
    x: TensorLike,
    filters: TensorLike,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    dilations: int | Sequence[int] = 1,
    *,
    bias: TensorLike | None = None,
    activation: str = "linear",
    alpha: float = 1.0,
) -> Tensor:
    """Cross-correlation: `y[p, q] = sum_ij x[stride * p + dilation * i, stride * q + dilation * j] @ filters[i, j]`.

    Args:
        x: A floating tensor `[n, height, width, in]`.
        filters: `[height, width, in, out]`.
        strides: Step between outputs, default 1.
        padding: "valid" (default) or "same", which pads with zeros, the odd one at the end.
        dilations: Step between the elements of a filter, default 1.
        bias: A number to add for each channel of the output, or None (default).
        activation: Name of an elementwise activation, applied in the same pass; default "linear".
        alpha: Parameter of elu and leaky_relu.

    Returns:
        A tensor `[n, height, width, out]`.

    Example:
        >>> import layernet as ln
        >>> x, kernel = ln.ones((1, 3, 3, 1)), ln.ones((2, 2, 1, 1))
        >>> ln.nn.conv2d(x, kernel).shape
        (1, 2, 2, 1)
    """
    return _conv(x, filters, strides, padding, dilations, 2, bias, activation, alpha)


def conv3d(
    x: TensorLike,
    filters: TensorLike,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    dilations: int | Sequence[int] = 1,
    *,
    bias: TensorLike | None = None,
    activation: str = "linear",
    alpha: float = 1.0,
) -> Tensor:
    """Cross-correlation over three axes, as `conv2d` over two.

    Args:
        x: A floating tensor `[n, depth, height, width, in]`.
        filters: `[depth, height, width, in, out]`.
        strides: Step between outputs, default 1.
        padding: "valid" (default) or "same", which pads with zeros, the odd one at the end.
        dilations: Step between the elements of a filter, default 1.
        bias: A number to add for each channel of the output, or None (default).
        activation: Name of an elementwise activation, applied in the same pass; default "linear".
        alpha: Parameter of elu and leaky_relu.

    Returns:
        A tensor `[n, depth, height, width, out]`.

    Example:
        >>> import layernet as ln
        >>> x, kernel = ln.ones((1, 3, 4, 5, 1)), ln.ones((2, 2, 2, 1, 6))
        >>> ln.nn.conv3d(x, kernel).shape
        (1, 2, 3, 4, 6)
    """
    return _conv(x, filters, strides, padding, dilations, 3, bias, activation, alpha)


def _conv_transpose(
    x: TensorLike,
    filters: TensorLike,
    output_shape: Sequence[int | None],
    strides: int | Sequence[int],
    padding: str,
    rank: int,
) -> Tensor:
    if len(output_shape) != rank + 2 or None in output_shape[1:-1]:
        raise ShapeError(
            f"conv{rank}d_transpose: expected an output_shape of {rank + 2} sizes, got {list(output_shape)}. "
            "Give None for the batch only."
        )
    size = tuple(output_shape[1:-1])
    y = core_ops.conv_input_grad(x, filters, size=size, strides=_pair(strides, rank), padding=padding.lower())
    for given, made in zip(output_shape, y.shape, strict=True):
        if given not in (None, made):
            raise ShapeError(f"conv{rank}d_transpose: expected output_shape {list(y.shape)}, got {list(output_shape)}.")
    return y


def conv2d_transpose(
    x: TensorLike,
    filters: TensorLike,
    output_shape: Sequence[int | None],
    strides: int | Sequence[int] = 1,
    padding: str = "same",
) -> Tensor:
    """The transpose of `conv2d` as a linear map: `y[s * p + i, s * q + j] = sum_pq filters[i, j] @ x[p, q]`.

    Args:
        x: A floating tensor `[n, height, width, in]`.
        filters: `[height, width, out, in]`.
        output_shape: Shape of the result, of which `conv2d` with these strides and padding would make x's sizes; None
            or the number of rows as its first entry.
        strides: Step s between the places to which neighbours of x go, default 1.
        padding: "same" (default) or "valid", as of that `conv2d`.

    Returns:
        A tensor of shape `output_shape`.

    Raises:
        ShapeError: An output_shape that does not fit.

    Reference:
        Zeiler et al., "Deconvolutional networks", 2010.

    Example:
        >>> import layernet as ln
        >>> x, kernel = ln.ones((1, 1, 2, 1)), ln.ones((1, 2, 1, 1))
        >>> ln.nn.conv2d_transpose(x, kernel, (1, 1, 3, 1), padding="valid").numpy().ravel()
        array([1., 2., 1.], dtype=float32)
    """
    return _conv_transpose(x, filters, output_shape, strides, padding, 2)


def conv3d_transpose(
    x: TensorLike,
    filters: TensorLike,
    output_shape: Sequence[int | None],
    strides: int | Sequence[int] = 1,
    padding: str = "same",
) -> Tensor:
    """The transpose of `conv3d` as a linear map, as `conv2d_transpose` is of `conv2d`.

    Args:
        x: A floating tensor `[n, depth, height, width, in]`.
        filters: `[depth, height, width, out, in]`.
        output_shape: Shape of the result; None or the number of rows as its first entry.
        strides: Step between the places to which neighbours of x go, default 1.
        padding: "same" (default) or "valid", as of the `conv3d`.

    Returns:
        A tensor of shape `output_shape`.

    Raises:
        ShapeError: An output_shape that does not fit.

    Example:
        >>> import layernet as ln
        >>> x, kernel = ln.ones((1, 2, 2, 2, 1)), ln.ones((3, 3, 3, 4, 1))
        >>> ln.nn.conv3d_transpose(x, kernel, (None, 4, 4, 4, 4), strides=2).shape
        (1, 4, 4, 4, 4)
    """
    return _conv_transpose(x, filters, output_shape, strides, padding, 3)


def _depthwise(
    x: TensorLike,
    filters: TensorLike,
    strides: int | Sequence[int],
    padding: str,
    dilations: int | Sequence[int],
    rank: int,
    bias: TensorLike | None = None,
    activation: str = "linear",
    alpha: float = 1.0,
) -> Tensor:
    x, filters = convert_to_tensor(x), convert_to_tensor(filters)
    if filters.ndim != rank + 2:
        raise ShapeError(
            f"depthwise_conv{rank}d: expected filters of rank {rank + 2} (spatial, in, multiplier), "
            f"got shape {list(filters.shape)}."
        )
    *sizes, channels, multiplier = filters.shape
    if multiplier != 1:  # every channel once for each of its filters
        several = core_ops.tile(core_ops.expand_dims(x, axis=-1), multiples=[1] * x.ndim + [multiplier])
        x = core_ops.reshape(several, shape=(-1, *x.shape[1:-1], channels * multiplier))
    w = core_ops.reshape(filters, shape=(*sizes, channels * multiplier))
    return core_ops.depthwise_conv(
        x,
        w,
        bias,
        strides=_pair(strides, rank),
        padding=padding.lower(),
        dilation=_pair(dilations, rank),
        activation=activation,
        alpha=alpha,
    )


def depthwise_conv2d(
    x: TensorLike,
    filters: TensorLike,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    dilations: int | Sequence[int] = 1,
    *,
    bias: TensorLike | None = None,
    activation: str = "linear",
    alpha: float = 1.0,
) -> Tensor:
    """Each channel convolved with filters of its own: `y[.., k * multiplier + m] = x[.., k] * filters[.., k, m]`.

    Args:
        x: A floating tensor `[n, height, width, in]`.
        filters: `[height, width, in, multiplier]`.
        strides: Step between outputs, default 1.
        padding: "valid" (default) or "same", which pads with zeros, the odd one at the end.
        dilations: Step between the elements of a filter, default 1.
        bias: A number to add for each channel of the output, or None (default).
        activation: Name of an elementwise activation, applied in the same pass; default "linear".
        alpha: Parameter of elu and leaky_relu.

    Returns:
        A tensor `[n, height, width, in * multiplier]`.

    Raises:
        ShapeError: Sizes that do not fit.

    Example:
        >>> import layernet as ln
        >>> x = ln.constant([[[[1.0, 10.0], [2.0, 20.0]]]])
        >>> ln.nn.depthwise_conv2d(x, ln.ones((1, 2, 2, 1))).numpy().ravel()
        array([ 3., 30.], dtype=float32)
    """
    return _depthwise(x, filters, strides, padding, dilations, 2, bias, activation, alpha)


def separable_conv1d(
    x: TensorLike,
    depthwise_filter: TensorLike,
    pointwise_filter: TensorLike,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    dilations: int | Sequence[int] = 1,
    *,
    bias: TensorLike | None = None,
    activation: str = "linear",
    alpha: float = 1.0,
) -> Tensor:
    """Each channel convolved along one axis, then all channels mixed at each step, as `separable_conv2d`.

    Args:
        x: A floating tensor `[n, steps, in]`.
        depthwise_filter: `[width, in, multiplier]`.
        pointwise_filter: `[1, in * multiplier, out]`.
        strides: Step between outputs, default 1.
        padding: "valid" (default) or "same", which pads with zeros, the odd one at the end.
        dilations: Step between the elements of a filter, default 1.
        bias: A number to add for each channel of the output, or None (default).
        activation: Name of an elementwise activation, applied in the same pass; default "linear".
        alpha: Parameter of elu and leaky_relu.

    Returns:
        A tensor `[n, steps, out]`.

    Raises:
        ShapeError: Sizes that do not fit.

    Example:
        >>> import layernet as ln
        >>> x = ln.ones((1, 4, 2))
        >>> ln.nn.separable_conv1d(x, ln.ones((3, 2, 1)), ln.ones((1, 2, 1))).numpy().ravel()
        array([6., 6.], dtype=float32)
    """
    y = _depthwise(x, depthwise_filter, strides, padding, dilations, 1)
    return conv1d(y, pointwise_filter, bias=bias, activation=activation, alpha=alpha)


def separable_conv2d(
    x: TensorLike,
    depthwise_filter: TensorLike,
    pointwise_filter: TensorLike,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    dilations: int | Sequence[int] = 1,
    *,
    bias: TensorLike | None = None,
    activation: str = "linear",
    alpha: float = 1.0,
) -> Tensor:
    """Each channel convolved, then all channels mixed at each place: `conv2d(depthwise_conv2d(x, d), p)`.

    Args:
        x: A floating tensor `[n, height, width, in]`.
        depthwise_filter: `[height, width, in, multiplier]`.
        pointwise_filter: `[1, 1, in * multiplier, out]`.
        strides: Step between outputs, default 1.
        padding: "valid" (default) or "same", which pads with zeros, the odd one at the end.
        dilations: Step between the elements of a filter, default 1.
        bias: A number to add for each channel of the output, or None (default).
        activation: Name of an elementwise activation, applied in the same pass; default "linear".
        alpha: Parameter of elu and leaky_relu.

    Returns:
        A tensor `[n, height, width, out]`.

    Raises:
        ShapeError: Sizes that do not fit.

    Reference:
        Chollet, "Xception: deep learning with depthwise separable convolutions", 2017.

    Example:
        >>> import layernet as ln
        >>> x, d, p = ln.ones((1, 3, 3, 2)), ln.ones((2, 2, 2, 1)), ln.ones((1, 1, 2, 5))
        >>> ln.nn.separable_conv2d(x, d, p).shape
        (1, 2, 2, 5)
    """
    y = _depthwise(x, depthwise_filter, strides, padding, dilations, 2)
    return conv2d(y, pointwise_filter, bias=bias, activation=activation, alpha=alpha)


def max_pool(x: TensorLike, ksize: int | Sequence[int], strides: int | Sequence[int], padding: str = "valid") -> Tensor:
    """The largest element of each window.

    Args:
        x: A floating tensor `[n, steps, channels]`, `[n, height, width, channels]` or
            `[n, depth, height, width, channels]`.
        ksize: Size of the window.
        strides: Step between windows.
        padding: "valid" (default) or "same"; padding never counts.

    Returns:
        A tensor of the same rank.

    Example:
        >>> import layernet as ln
        >>> ln.nn.max_pool([[[1.0], [3.0], [2.0], [2.0]]], 2, 2).numpy().ravel()
        array([3., 2.], dtype=float32)
    """
    x = convert_to_tensor(x)
    rank = x.ndim - 2
    return core_ops.max_pool(x, size=_pair(ksize, rank), strides=_pair(strides, rank), padding=padding.lower())


def avg_pool(x: TensorLike, ksize: int | Sequence[int], strides: int | Sequence[int], padding: str = "valid") -> Tensor:
    """The mean value of each window.

    Args:
        x: A floating tensor `[n, steps, channels]`, `[n, height, width, channels]` or
            `[n, depth, height, width, channels]`.
        ksize: Size of the window.
        strides: Step between windows.
        padding: "valid" (default) or "same"; padding never counts.

    Returns:
        A tensor of the same rank.

    Example:
        >>> import layernet as ln
        >>> ln.nn.avg_pool([[[1.0], [3.0], [2.0], [2.0]]], 2, 2).numpy().ravel()
        array([2., 2.], dtype=float32)
    """
    x = convert_to_tensor(x)
    rank = x.ndim - 2
    return core_ops.avg_pool(x, size=_pair(ksize, rank), strides=_pair(strides, rank), padding=padding.lower())

"""What every op means: plain formulas in float64 numpy, one function per op of the registry, under the op's name.

Floating inputs arrive as float64, integers and bools as they are; attributes are keywords. An op with several outputs
returns a tuple; an op that updates variables returns their new values first. `OPS` maps names to functions.
"""

import math

import numpy as np

OPS = {}


def op(function):
    OPS[function.__name__.rstrip("_")] = function
    return function


def elementwise(**functions):
    for name, function in functions.items():
        OPS[name] = function


# --- one input, element by element ------------------------------------------------------------------------------------

SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805
erf = np.vectorize(math.erf, otypes=[np.float64])


def sigmoid(x):
    z = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + z), z / (1 + z))


def softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def elu(x, alpha=1.0):
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def gelu(x, approximate=False):
    if approximate:
        return x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return x / 2 * (1 + erf(x / math.sqrt(2)))


def saturating_cast(x, dtype):
    """Truncation toward zero, at most the type's extremes, 0 for NaN; bool is "not 0"."""
    name = dtype.name
    if name == "bool":
        return x != 0
    if not dtype.is_integer:
        return np.asarray(x, np.float64)
    info = np.iinfo(name)
    if np.asarray(x).dtype.kind != "f":
        return np.asarray(x).astype(name)
    whole = np.trunc(np.nan_to_num(x, nan=0.0, posinf=np.inf, neginf=-np.inf))
    inside = np.clip(whole, float(info.min), np.nextafter(float(info.max), 0))
    return np.where(whole >= float(info.max), info.max, inside.astype(np.int64)).astype(name)


elementwise(
    negative=lambda x: -x,
    abs=np.abs,
    sign=np.sign,
    square=lambda x: x * x,
    sqrt=np.sqrt,
    rsqrt=lambda x: 1 / np.sqrt(x),
    reciprocal=lambda x: 1 / x,
    exp=np.exp,
    log=np.log,
    log1p=np.log1p,
    expm1=np.expm1,
    floor=np.floor,
    ceil=np.ceil,
    round=np.round,
    sin=np.sin,
    cos=np.cos,
    erf=erf,
    relu=lambda x: np.maximum(x, 0),
    leaky_relu=lambda x, alpha=0.2: np.where(x > 0, x, alpha * x),
    elu=elu,
    selu=lambda x: SELU_SCALE * elu(x, SELU_ALPHA),
    sigmoid=sigmoid,
    hard_sigmoid=lambda x: np.clip(0.2 * x + 0.5, 0, 1),
    tanh=np.tanh,
    softplus=softplus,
    softsign=lambda x: x / (1 + np.abs(x)),
    gelu=gelu,
    silu=lambda x: x * sigmoid(x),
    mish=lambda x: x * np.tanh(softplus(x)),
    clip=lambda x, min=-np.inf, max=np.inf: np.clip(x, min, max),
    affine=lambda x, scale=1.0, shift=0.0: scale * x + shift,
    identity=lambda x: x,
    stop_gradient=lambda x: x,
    zeros_like=np.zeros_like,
    ones_like=np.ones_like,
    logical_not=np.logical_not,
    cast=saturating_cast,
)

# --- the derivatives that are ops of their own: dy times f'(x), by the input x or the output y ------------------------


def silu_slope(x):
    s = sigmoid(x)
    return s + x * s * (1 - s)


def mish_slope(x):
    t = np.tanh(softplus(x))
    return t + x * (1 - t * t) * sigmoid(x)


def gelu_slope(x, approximate=False):
    if not approximate:
        return (1 + erf(x / math.sqrt(2))) / 2 + x * np.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    c = math.sqrt(2 / math.pi)
    t = np.tanh(c * (x + 0.044715 * x**3))
    return (1 + t) / 2 + x / 2 * (1 - t * t) * c * (1 + 3 * 0.044715 * x * x)


elementwise(
    relu_grad=lambda dy, y: dy * (y > 0),
    leaky_relu_grad=lambda dy, y, alpha=0.2: dy * np.where(y > 0, 1, alpha),
    elu_grad=lambda dy, y, alpha=1.0: dy * np.where(y > 0, 1, y + alpha),
    selu_grad=lambda dy, y: dy * np.where(y > 0, SELU_SCALE, y + SELU_SCALE * SELU_ALPHA),
    sigmoid_grad=lambda dy, y: dy * y * (1 - y),
    tanh_grad=lambda dy, y: dy * (1 - y * y),
    hard_sigmoid_grad=lambda dy, x: dy * np.where(np.abs(x) < 2.5, 0.2, 0),
    softplus_grad=lambda dy, x: dy * sigmoid(x),
    softsign_grad=lambda dy, x: dy / (1 + np.abs(x)) ** 2,
    silu_grad=lambda dy, x: dy * silu_slope(x),
    mish_grad=lambda dy, x: dy * mish_slope(x),
    gelu_grad=lambda dy, x, approximate=False: dy * gelu_slope(x, approximate),
    clip_grad=lambda dy, x, min, max: dy * ((x >= min) & (x <= max)),
)

# --- two inputs, broadcast --------------------------------------------------------------------------------------------


def integer_division(divide):
    def divided(a, b):
        if a.dtype.kind == "f":
            return divide(a, b)
        return np.where(b == 0, 0, divide(a, np.where(b == 0, 1, b))).astype(a.dtype)

    return divided


elementwise(
    add=np.add,
    subtract=np.subtract,
    multiply=np.multiply,
    divide=np.divide,
    power=np.power,
    maximum=np.maximum,
    minimum=np.minimum,
    floordiv=integer_division(np.floor_divide),
    mod=integer_division(np.mod),
    equal=np.equal,
    not_equal=np.not_equal,
    less=np.less,
    less_equal=np.less_equal,
    greater=np.greater,
    greater_equal=np.greater_equal,
    logical_and=np.logical_and,
    logical_or=np.logical_or,
    logical_xor=np.logical_xor,
    where=np.where,
)

# --- reductions -------------------------------------------------------------------------------------------------------


def reduction(function):
    def reduced(x, axis=(), all=True, keepdims=False):
        axes = tuple(axis) if axis or not all else tuple(range(x.ndim))
        return function(x, axes, keepdims)

    return reduced


def logsumexp(x, axes, keepdims):
    top = np.max(x, axis=axes, keepdims=True)
    sums = np.sum(np.exp(x - top), axis=axes, keepdims=True)
    return np.squeeze(np.log(sums) + top, axis=() if keepdims else axes)


elementwise(
    reduce_sum=reduction(lambda x, a, k: np.sum(x, axis=a, keepdims=k, dtype=x.dtype)),
    reduce_mean=reduction(lambda x, a, k: np.mean(x, axis=a, keepdims=k)),
    reduce_max=reduction(lambda x, a, k: np.max(x, axis=a, keepdims=k)),
    reduce_min=reduction(lambda x, a, k: np.min(x, axis=a, keepdims=k)),
    reduce_prod=reduction(lambda x, a, k: np.prod(x, axis=a, keepdims=k, dtype=x.dtype)),
    reduce_variance=reduction(lambda x, a, k: np.var(x, axis=a, keepdims=k)),
    reduce_logsumexp=reduction(logsumexp),
    reduce_any=reduction(lambda x, a, k: np.any(x, axis=a, keepdims=k)),
    reduce_all=reduction(lambda x, a, k: np.all(x, axis=a, keepdims=k)),
    reduce_mean_grad=lambda dy, x: np.broadcast_to(dy * (dy.size / x.size), x.shape),
    argmax=lambda x, axis=-1: np.argmax(x, axis=axis),
    argmin=lambda x, axis=-1: np.argmin(x, axis=axis),
)

# --- shapes -----------------------------------------------------------------------------------------------------------


def slices(rank, begin, end, strides, axes):
    """The index that takes the slice; end = -1 with a negative stride means through position 0."""
    index = [slice(None)] * rank
    for b, e, s, a in zip(begin, end, strides, axes, strict=True):
        index[a] = slice(b, None if s < 0 and e < 0 else e, s)
    return tuple(index)


@op
def slice_(x, begin, end, strides, axes):
    return x[slices(x.ndim, begin, end, strides, axes)]


@op
def slice_grad(dy, x, begin, end, strides, axes):
    dx = np.zeros_like(x)
    dx[slices(x.ndim, begin, end, strides, axes)] = dy
    return dx


@op
def pad(x, before, after, value=0.0):
    y = np.full([b + n + a for b, n, a in zip(before, x.shape, after, strict=True)], value).astype(x.dtype)
    y[tuple(slice(b, b + n) for b, n in zip(before, x.shape, strict=True))] = x
    return y


@op
def pad_grad(dy, before, after):
    return dy[tuple(slice(b, n - a) for b, a, n in zip(before, after, dy.shape, strict=True))]


@op
def split(x, sizes, axis=0):
    return tuple(np.split(x, np.cumsum(sizes)[:-1], axis=axis))


@op
def concat_grad(dy, xs, axis=0):
    return tuple(np.split(dy, np.cumsum([x.shape[axis] for x in xs])[:-1], axis=axis))


@op
def gather(x, indices, axis=0, zeros=False):
    """Indices count from the end when negative; outside the axis a float is NaN (with `zeros` 0), anything else 0."""
    size = x.shape[axis]
    at = np.where(indices < 0, indices + size, indices)
    outside = (at < 0) | (at >= size)
    if size == 0:
        picked = np.zeros(x.shape[:axis] + indices.shape + x.shape[axis % x.ndim + 1 :], x.dtype)
    else:
        picked = np.take(x, np.where(outside, 0, at), axis=axis)
    axis %= x.ndim
    mask = outside.reshape((1,) * axis + outside.shape + (1,) * (x.ndim - axis - 1))
    return np.where(mask, np.nan if x.dtype.kind == "f" and not zeros else 0, picked).astype(x.dtype)


@op
def gather_grad(dy, x, indices, axis=0):
    dx = np.zeros_like(np.moveaxis(x, axis, 0))
    rows = np.moveaxis(dy.reshape((*x.shape[:axis], indices.size, *x.shape[axis + 1 :])), axis, 0)
    return np.moveaxis(scatter_add(dx, indices.ravel(), rows), 0, axis)


@op
def scatter_add(x, indices, updates):
    y = x.copy()
    rows = updates.reshape((indices.size, *x.shape[1:]))
    for at, row in zip(indices.ravel(), rows, strict=True):
        if -len(x) <= at < len(x):
            y[at] += row
    return y


@op
def one_hot(indices, depth, on=1.0, off=0.0, dtype=None):
    return np.where(indices[..., None] == np.arange(depth), on, off)


elementwise(
    reshape=lambda x, shape: x.reshape(shape),
    transpose=lambda x, perm=(): np.transpose(x, perm or None),
    expand_dims=lambda x, axis=0: np.expand_dims(x, axis),
    squeeze=lambda x, axes=(): np.squeeze(x, tuple(axes) or None),
    concat=lambda xs, axis=0: np.concatenate(xs, axis),
    stack=lambda xs, axis=0: np.stack(xs, axis),
    stack_grad=lambda dy, axis=0: tuple(np.moveaxis(dy, axis, 0)),
    broadcast_to=np.broadcast_to,
    tile=lambda x, multiples: np.tile(x, multiples),
    shape=lambda x: np.array(x.shape, np.int64),
)

# --- products ---------------------------------------------------------------------------------------------------------


@op
def matmul(a, b, transpose_a=False, transpose_b=False):
    a = np.swapaxes(a, -1, -2) if transpose_a else a
    b = np.swapaxes(b, -1, -2) if transpose_b else b
    return a @ b


def fused(z, b, r, activation, alpha):
    """activation(z + b + r)"""
    z = z if b is None else z + b
    z = z if r is None else z + r
    if activation == "linear":
        return z
    if activation == "gelu_tanh":
        return gelu(z, approximate=True)
    return OPS[activation](z, **({"alpha": alpha} if activation in ("elu", "leaky_relu") else {}))


@op
def dense(x, w, b=None, r=None, activation="linear", alpha=1.0, transpose_w=False):
    return fused(x @ (w.T if transpose_w else w), b, r, activation, alpha)


@op
def dense_weight_grad(x, g, transpose_w=False):
    return (g.T @ x if transpose_w else x.T @ g), g.sum(axis=0)


# --- rows: softmax, losses, normalisation -----------------------------------------------------------------------------


@op
def softmax(x, axis=-1):
    e = np.exp(x - np.max(x, axis=axis, keepdims=True, initial=-np.inf))
    return e / e.sum(axis=axis, keepdims=True)


@op
def softmax_grad(dy, y, axis=-1):
    return y * (dy - (dy * y).sum(axis=axis, keepdims=True))


@op
def log_softmax(x, axis=-1):
    z = x - np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    return z - np.log(np.exp(z).sum(axis=axis, keepdims=True))


@op
def log_softmax_grad(dy, y, axis=-1):
    return dy - np.exp(y) * dy.sum(axis=axis, keepdims=True)


@op
def softmax_cross_entropy(logits, labels):
    slope = softmax(logits) * labels.sum(-1, keepdims=True) - labels
    return -(labels * log_softmax(logits)).sum(-1), slope


@op
def sparse_softmax_cross_entropy(logits, labels):
    hot = labels[..., None] == np.arange(logits.shape[-1])
    inside = (labels >= 0) & (labels < logits.shape[-1])
    loss = -np.where(hot, log_softmax(logits), 0).sum(-1)
    return np.where(inside, loss, np.nan), np.where(inside[..., None], softmax(logits) - hot, np.nan)


@op
def sigmoid_cross_entropy(logits, labels):
    return softplus(logits) - logits * labels


def per_channel(v, rank, axis):
    return v.reshape([-1 if i == axis % rank else 1 for i in range(rank)])


def other_axes(x, axis):
    return tuple(i for i in range(x.ndim) if i != axis % x.ndim)


@op
def batch_norm(x, gamma, beta, mean, variance, epsilon=1e-3, axis=-1):
    gamma, beta, mean, variance = (per_channel(v, x.ndim, axis) for v in (gamma, beta, mean, variance))
    return gamma * (x - mean) / np.sqrt(variance + epsilon) + beta


@op
def batch_norm_train(x, gamma, beta, epsilon=1e-3, axis=-1):
    mean, variance = x.mean(other_axes(x, axis)), x.var(other_axes(x, axis))
    return batch_norm(x, gamma, beta, mean, variance, epsilon, axis), mean, variance


@op
def batch_norm_train_grad(dy, x, gamma, mean, variance, dmean, dvariance, epsilon=1e-3, axis=-1):
    axes = other_axes(x, axis)
    n = x.size // gamma.size

    def wide(v):
        return per_channel(v, x.ndim, axis)

    r = 1 / np.sqrt(variance + epsilon)
    centred = x - wide(mean)
    z = centred * wide(r)
    dbeta, dgamma = dy.sum(axes), (dy * z).sum(axes)
    dx = (
        wide(gamma * r) * (dy - wide(dbeta) / n - z * wide(dgamma) / n)
        + wide(dmean) / n
        + 2 * centred * wide(dvariance) / n
    )
    return dx, dgamma, dbeta


@op
def layer_norm(x, gamma, beta, epsilon=1e-3):
    z = x - x.mean(-1, keepdims=True)
    return gamma * z / np.sqrt((z * z).mean(-1, keepdims=True) + epsilon) + beta


@op
def layer_norm_grad(dy, x, gamma, epsilon=1e-3):
    centred = x - x.mean(-1, keepdims=True)
    r = 1 / np.sqrt((centred * centred).mean(-1, keepdims=True) + epsilon)
    z, h = centred * r, dy * gamma
    dx = r * (h - h.mean(-1, keepdims=True) - z * (h * z).mean(-1, keepdims=True))
    rows = tuple(range(x.ndim - 1))
    return dx, (dy * z).sum(rows), dy.sum(rows)


# --- windows: convolution and pooling ---------------------------------------------------------------------------------


def geometry(sizes, spans, strides, padding):
    """Number of windows along each axis, and the padding before and after."""
    counts, pads = [], []
    for size, span, stride in zip(sizes, spans, strides, strict=True):
        count = -(-size // stride) if padding == "same" else (size - span) // stride + 1
        total = max((count - 1) * stride + span - size, 0) if padding == "same" else 0
        counts.append(count)
        pads.append((total // 2, total - total // 2))
    return counts, pads


def windows(shape, kernel, strides, padding, dilation):
    """For each output position, the index of its window in the padded array (spatial axes only); and the padding."""
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    counts, pads = geometry(shape, spans, strides, padding)
    places = {
        at: tuple(slice(p * s, p * s + span, d) for p, s, span, d in zip(at, strides, spans, dilation, strict=True))
        for at in np.ndindex(*counts)
    }
    return counts, pads, places


def padded(x, pads, value):
    return np.pad(x, [(0, 0), *pads, (0, 0)], constant_values=value)


def unpadded(x, pads, sizes):
    return x[(slice(None), *(slice(b, b + n) for (b, _), n in zip(pads, sizes, strict=True)))]


def conv_setup(spatial, kernel, strides, padding, dilation):
    ones = [1] * len(kernel)
    return windows(spatial, kernel, strides or ones, padding, dilation or ones)


@op
def conv(x, w, b=None, r=None, strides=(), padding="valid", dilation=(), activation="linear", alpha=1.0):
    counts, pads, places = conv_setup(x.shape[1:-1], w.shape[:-2], strides, padding, dilation)
    x = padded(x, pads, 0)
    y = np.zeros((x.shape[0], *counts, w.shape[-1]))
    for at, window in places.items():
        y[(slice(None), *at)] = np.tensordot(x[(slice(None), *window)], w, w.ndim - 1)
    return fused(y, b, r, activation, alpha)


@op
def conv_input_grad(dy, w, size, strides=(), padding="valid", dilation=()):
    _, pads, places = conv_setup(size, w.shape[:-2], strides, padding, dilation)
    dx = padded(np.zeros((dy.shape[0], *size, w.shape[-2])), pads, 0)
    for at, window in places.items():
        dx[(slice(None), *window)] += np.tensordot(dy[(slice(None), *at)], w, (-1, -1))
    return unpadded(dx, pads, size)


@op
def conv_filter_grad(dy, x, size, strides=(), padding="valid", dilation=()):
    _, pads, places = conv_setup(x.shape[1:-1], size, strides, padding, dilation)
    x = padded(x, pads, 0)
    dw = np.zeros((*size, x.shape[-1], dy.shape[-1]))
    for at, window in places.items():
        dw += np.tensordot(x[(slice(None), *window)], dy[(slice(None), *at)], (0, 0))
    return dw


@op
def depthwise_conv(x, w, b=None, strides=(), padding="valid", dilation=(), activation="linear", alpha=1.0):
    counts, pads, places = conv_setup(x.shape[1:-1], w.shape[:-1], strides, padding, dilation)
    x = padded(x, pads, 0)
    y = np.zeros((x.shape[0], *counts, w.shape[-1]))
    for at, window in places.items():
        y[(slice(None), *at)] = (x[(slice(None), *window)] * w).sum(tuple(range(1, w.ndim)))
    return fused(y, b, None, activation, alpha)


@op
def depthwise_conv_input_grad(dy, w, size, strides=(), padding="valid", dilation=()):
    _, pads, places = conv_setup(size, w.shape[:-1], strides, padding, dilation)
    dx = padded(np.zeros((dy.shape[0], *size, w.shape[-1])), pads, 0)
    spread = (slice(None), *[None] * len(size))
    for at, window in places.items():
        dx[(slice(None), *window)] += dy[(slice(None), *at)][spread] * w
    return unpadded(dx, pads, size)


@op
def depthwise_conv_filter_grad(dy, x, size, strides=(), padding="valid", dilation=()):
    _, pads, places = conv_setup(x.shape[1:-1], size, strides, padding, dilation)
    x = padded(x, pads, 0)
    dw = np.zeros((*size, x.shape[-1]))
    spread = (slice(None), *[None] * len(size))
    for at, window in places.items():
        dw += (x[(slice(None), *window)] * dy[(slice(None), *at)][spread]).sum(0)
    return dw


def pool_setup(x, size, strides, padding):
    return windows(x.shape[1:-1], size, strides or size, padding, [1] * len(size))


def first_maximum(values):
    """One-hot over axes 1..-2: the first maximum of each (image, channel), the first NaN if there is one."""
    flat = values.reshape(values.shape[0], math.prod(values.shape[1:-1]), values.shape[-1])
    hot = np.arange(flat.shape[1])[None, :, None] == np.argmax(flat, axis=1)[:, None, :]
    return hot.reshape(values.shape)


@op
def max_pool(x, size, strides=(), padding="valid"):
    counts, pads, places = pool_setup(x, size, strides, padding)
    y = np.zeros((x.shape[0], *counts, x.shape[-1]))
    x = padded(x, pads, -np.inf)
    for at, window in places.items():
        y[(slice(None), *at)] = x[(slice(None), *window)].max(tuple(range(1, x.ndim - 1)))
    return y


@op
def max_pool_grad(dy, x, size, strides=(), padding="valid"):
    _, pads, places = pool_setup(x, size, strides, padding)
    sizes = x.shape[1:-1]
    x = padded(x, pads, -np.inf)
    dx = np.zeros_like(x)
    spread = (slice(None), *[None] * len(size))
    for at, window in places.items():
        dx[(slice(None), *window)] += first_maximum(x[(slice(None), *window)]) * dy[(slice(None), *at)][spread]
    return unpadded(dx, pads, sizes)


@op
def max_pool_pick(g, x, size, strides=(), padding="valid"):
    counts, pads, places = pool_setup(x, size, strides, padding)
    y = np.zeros((x.shape[0], *counts, x.shape[-1]))
    x, g = padded(x, pads, -np.inf), padded(g, pads, 0)
    for at, window in places.items():
        chosen = first_maximum(x[(slice(None), *window)])
        y[(slice(None), *at)] = (chosen * g[(slice(None), *window)]).sum(tuple(range(1, x.ndim - 1)))
    return y


@op
def avg_pool(x, size, strides=(), padding="valid"):
    counts, pads, places = pool_setup(x, size, strides, padding)
    y = np.zeros((x.shape[0], *counts, x.shape[-1]))
    x = padded(x, pads, np.nan)
    for at, window in places.items():
        y[(slice(None), *at)] = np.nanmean(x[(slice(None), *window)], tuple(range(1, x.ndim - 1)))
    return y


@op
def avg_pool_grad(dy, x, size, strides=(), padding="valid"):
    _, pads, places = pool_setup(x, size, strides, padding)
    real = padded(np.ones_like(x), pads, 0)
    dx = np.zeros_like(real)
    spread = (slice(None), *[None] * len(size))
    for at, window in places.items():
        share = real[(slice(None), *window)]
        count = share.sum(tuple(range(1, x.ndim - 1)), keepdims=True)
        dx[(slice(None), *window)] += share / count * dy[(slice(None), *at)][spread]
    return unpadded(dx, pads, x.shape[1:-1])


# --- random numbers ---------------------------------------------------------------------------------------------------


def philox(key, counter, blocks):
    """Philox4x32-10 (Salmon et al. 2011): the 32-bit words of the blocks counter, counter + 1, ..."""
    mask = np.uint64(0xFFFFFFFF)
    at = np.uint64(counter % 2**64) + np.arange(blocks, dtype=np.uint64)
    x0, x1 = at & mask, at >> np.uint64(32)
    x2 = x3 = np.zeros(blocks, np.uint64)
    k0, k1 = key & 0xFFFFFFFF, key >> 32 & 0xFFFFFFFF
    for _ in range(10):
        a, b = x0 * np.uint64(0xD2511F53), x2 * np.uint64(0xCD9E8D57)
        x0, x1, x2, x3 = (
            (b >> np.uint64(32)) ^ x1 ^ np.uint64(k0),
            b & mask,
            (a >> np.uint64(32)) ^ x3 ^ np.uint64(k1),
            a & mask,
        )
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack([x0, x1, x2, x3], axis=1).ravel()


def words_for(state, count):
    """`count` 32-bit words from a state (seed, counter), and the advanced state."""
    seed, counter = (int(v) for v in state)
    blocks = -(-count // 4)
    return philox(seed, counter, blocks)[:count], np.array([seed, counter + blocks], np.int64)


def long_words(words):
    return words[0::2] | words[1::2] << np.uint64(32)


def count_of(shape):
    return math.prod(shape)


@op
def random_uniform(state, shape, dtype=None, low=0.0, high=1.0):
    if dtype is not None and dtype.name == "float64":
        words, state = words_for(state, 2 * count_of(shape))
        u = (long_words(words) >> np.uint64(11)).astype(np.float64) * 2.0**-53
    else:
        words, state = words_for(state, count_of(shape))
        u = (words >> np.uint64(8)).astype(np.float64) * 2.0**-24
    return state, (low + u * (high - low)).reshape(shape)


@op
def random_normal(state, shape, dtype=None, mean=0.0, stddev=1.0):
    """Box and Muller: the cosine and the sine of each pair."""
    pairs = -(-count_of(shape) // 2)
    if dtype is not None and dtype.name == "float64":
        words, _ = words_for(state, 4 * pairs)
        _, state = words_for(state, 2 * count_of(shape))
        long = (long_words(words) >> np.uint64(11)).astype(np.float64)
        u1, u2 = (long[0::2] + 0.5) * 2.0**-53, long[1::2] * 2.0**-53
    else:
        words, _ = words_for(state, 2 * pairs)
        _, state = words_for(state, count_of(shape))
        u1 = ((words[0::2] >> np.uint64(1)).astype(np.float64) + 0.5) * 2.0**-31
        u2 = (words[1::2] >> np.uint64(8)).astype(np.float64) * 2.0**-24
    radius = np.sqrt(-2 * np.log(u1))
    z = np.stack([radius * np.cos(2 * np.pi * u2), radius * np.sin(2 * np.pi * u2)], axis=1).ravel()
    return state, (mean + stddev * z[: count_of(shape)]).reshape(shape)


def normal_distribution(z):
    return (1 + erf(z / math.sqrt(2))) / 2


def normal_quantile(p):
    """By bisection of the distribution function on [-2, 2]."""
    low, high = np.full(p.shape, -2.0), np.full(p.shape, 2.0)
    for _ in range(60):
        middle = (low + high) / 2
        below = normal_distribution(middle) < p
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2


@op
def random_truncated_normal(state, shape, dtype=None, mean=0.0, stddev=1.0):
    """The quantile of a uniform number between the probabilities of -2 and 2."""
    if dtype is not None and dtype.name == "float64":
        words, state = words_for(state, 2 * count_of(shape))
        t = ((long_words(words) >> np.uint64(11)).astype(np.float64) - (2.0**52 - 0.5)) * 2.0**-52
    else:
        words, state = words_for(state, count_of(shape))
        t = (words.astype(np.uint32).view(np.int32).astype(np.float64) + 0.5) * 2.0**-31
    z = normal_quantile(0.5 + t * (normal_distribution(2.0) - 0.5))
    return state, (mean + stddev * z).reshape(shape)


@op
def random_int(state, shape, dtype=None, low=0, high=2):
    words, state = words_for(state, 2 * count_of(shape))
    picked = [low + (int(bits) * (high - low) >> 64) for bits in long_words(words)]
    return state, np.array(picked, np.int64).reshape(shape)


@op
def dropout_mask(state, x, rate=0.5, noise_shape=()):
    shape = [n if given < 0 else given for n, given in zip(x.shape, noise_shape or [-1] * x.ndim, strict=True)]
    words, state = words_for(state, count_of(shape))
    dropped = int(rate * 2**32 + 0.5)
    return state, np.where(words >= dropped, 1 / (1 - rate), 0.0).reshape(shape)


# --- updates ----------------------------------------------------------------------------------------------------------

elementwise(
    assign=lambda v, value: value,
    assign_add=lambda v, value: v + value,
    assign_sub=lambda v, value: v - value,
    moving_average=lambda v, value, momentum=0.99: momentum * v + (1 - momentum) * value,
    sgd=lambda v, g, lr: v - lr * g,
)


@op
def momentum(v, a, g, lr, momentum=0.9, nesterov=False):
    a = momentum * a + g
    return v - lr * (g + momentum * a if nesterov else a), a


@op
def adam(v, m, s, g, lr_t, lr, beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=0.0, nesterov=False):
    m, s = beta1 * m + (1 - beta1) * g, beta2 * s + (1 - beta2) * g * g
    direction = beta1 * m + (1 - beta1) * g if nesterov else m
    return v - lr_t * direction / (np.sqrt(s) + epsilon) - weight_decay * lr * v, m, s


@op
def rmsprop(v, s, mom, g, lr, decay=0.9, momentum=0.0, epsilon=1e-10):
    s = decay * s + (1 - decay) * g * g
    mom = momentum * mom + lr * g / np.sqrt(s + epsilon)
    return v - mom, s, mom


@op
def rmsprop_centered(v, s, mom, mg, g, lr, decay=0.9, momentum=0.0, epsilon=1e-10):
    s, mg = decay * s + (1 - decay) * g * g, decay * mg + (1 - decay) * g
    mom = momentum * mom + lr * g / np.sqrt(s - mg * mg + epsilon)
    return v - mom, s, mom, mg


@op
def adadelta(v, a, u, g, lr, rho=0.95, epsilon=1e-8):
    a = rho * a + (1 - rho) * g * g
    step = g * np.sqrt(u + epsilon) / np.sqrt(a + epsilon)
    return v - lr * step, a, rho * u + (1 - rho) * step * step


@op
def adamax(v, m, s, g, lr_t, beta1=0.9, beta2=0.999, epsilon=1e-8):
    m, s = beta1 * m + (1 - beta1) * g, np.maximum(beta2 * s, np.abs(g))
    return v - lr_t * m / (s + epsilon), m, s


@op
def lion(v, m, g, lr, beta1=0.9, beta2=0.99, weight_decay=0.0):
    step = np.sign(beta1 * m + (1 - beta1) * g) + weight_decay * v
    return v - lr * step, beta2 * m + (1 - beta2) * g


@op
def adagrad(v, acc, g, lr):
    acc = acc + g * g
    return v - lr * g / np.sqrt(acc), acc

"""What ops say when inputs or attributes do not fit: who, what was expected, what came."""

import re

import numpy as np
import pytest

from layernet import _core, errors
from op_cases import ALL, CASES
from ops.test_all_ops import OPS, draw, flatten, keeps_type, regroup

S, A, G, D = errors.ShapeError, errors.InvalidArgumentError, errors.GraphError, errors.DTypeError


def x(*shape, dtype="float32"):
    return _core.constant(np.ones(shape, dtype))


def i(*values):
    return _core.constant(np.array(values, np.int64))


def v(*shape, dtype="float32"):
    return _core.Variable(x(*shape, dtype=dtype))


def state():
    return _core.Variable(_core.constant(np.array([1, 0], np.int64)))


def n(*shape, dtype="float32"):
    """A symbol; None first is the batch."""
    return _core.placeholder(shape, _core.as_dtype(dtype))


LR = 0.1
AXIS = "expected an axis in [-2, 2) for rank 2, got 2."


def broadcast(a, b):
    rule = "Sizes must be equal or 1, counted from the last axis."
    return f"expected shapes that broadcast together, got {a} and {b}. {rule}"


ACTIVATIONS = (
    "'linear', 'relu', 'tanh', 'sigmoid', 'elu', 'selu', 'softplus', 'softsign', 'hard_sigmoid', 'gelu', 'gelu_tanh', "
    "'silu', 'mish', 'leaky_relu'"
)
COUNT = "expected one size before and after each of 2 axes, got [1] and [1]."

# Op, inputs, attributes, class, message after "op: ".
REFUSALS = [
    ("clip", [x(2)], {"min": 1.0, "max": 0.0}, A, "expected min <= max, got 1 and 0."),
    ("where", [x(2), x(2), x(2)], {}, D, "expected bool, got float32. Convert with cast."),
    (
        "where",
        [x(2, dtype="bool"), x(3), x(2)],
        {},
        S,
        broadcast([3], [2]),
    ),
    ("reduce_sum", [x(2, 3)], {"axis": [2]}, S, AXIS),
    ("reduce_max", [x(2, 3)], {"axis": [0, -2]}, S, "expected distinct axes, got [0, -2]."),
    ("reshape", [x(2, 3)], {"shape": (4,)}, S, "expected a shape of 6 elements (the input is [2, 3]), got [4]."),
    ("reshape", [x(2, 3)], {"shape": (-1, 4)}, S, "expected a number of elements divisible by 4, got 6."),
    ("reshape", [x(2, 3)], {"shape": (-1, -1)}, S, "expected at most one size of -1, got [?, ?]."),
    ("transpose", [x(2, 3)], {"perm": [0]}, S, "expected a permutation of 2 axes, got [0]."),
    ("transpose", [x(2, 3)], {"perm": [0, 0]}, S, "expected a permutation of 2 axes, got [0, 0]."),
    ("squeeze", [x(2, 1)], {"axes": [0]}, S, "expected size 1 on axis 0, got shape [2, 1]."),
    (
        "broadcast_to",
        [x(2, 3)],
        {"shape": (2, 4)},
        S,
        broadcast([2, 3], [2, 4]),
    ),
    ("broadcast_to", [x(2, 3)], {"shape": (3,)}, S, "expected a shape that [2, 3] broadcasts to, got [3]."),
    ("concat", [[]], {}, A, "expected at least one input, got none."),
    ("concat", [[x(2, 3), x(2, 4)]], {"axis": 0}, S, "expected equal sizes outside the axis, got 3 and 4."),
    ("concat", [[x(2, 3), x(2)]], {"axis": 0}, S, "expected rank 2, got shape [2]."),
    ("concat", [[x(2, 3), x(2, 3)]], {"axis": 2}, S, AXIS),
    (
        "slice",
        [x(2, 3)],
        {"begin": [0], "end": [4], "strides": [1], "axes": [1]},
        S,
        "expected positions inside axis 1 of shape [2, 3], got 0:4.",
    ),
    ("slice", [x(2, 3)], {"begin": [0], "end": [1], "strides": [0], "axes": [1]}, A, "expected a stride other than 0."),
    (
        "slice",
        [x(2, 3)],
        {"begin": [0], "end": [2**62], "strides": [1], "axes": [1]},
        A,
        "expected positions and strides up to 2^61, got 4611686018427387904.",
    ),
    (
        "slice",
        [x(2, 3)],
        {"begin": [0], "end": [1], "strides": [1]},
        A,
        "expected begin, end and strides for each of 0 axes, got [0], [1] and [1].",
    ),
    ("matmul", [x(2), x(2, 3)], {}, S, "expected rank 2 or more, got shape [2]."),
    ("matmul", [x(2, 3), x(2, 3)], {}, S, "expected equal inner sizes, got 3 ([2, 3]) and 2 ([2, 3])."),
    (
        "matmul",
        [x(2, 2, 3), x(3, 3, 2)],
        {},
        S,
        broadcast([2], [3]),
    ),
    ("dense", [x(2, 3), x(4, 5)], {}, S, "expected inputs with last dimension 4 (kernel is [4, 5]), got shape [2, 3]."),
    ("dense", [x(2, 3), x(3, 5), x(3)], {}, S, "expected a bias of shape [5], got [3]."),
    ("dense", [x(2, 3), x(3)], {}, S, "expected rank 2, got shape [3]."),
    ("dense", [x(2, 3), x(3, 5), x(5), x(5)], {}, S, "expected a residual of shape [2, 5], got [5]."),
    ("dense", [x(2, 3), x(3, 5), x(5), x(1, 5)], {}, S, "expected equal sizes of residual and result, got 1 and 2."),
    ("dense", [x(2, 3), x(3, 5), None, x(2, 5)], {}, TypeError, "expected b where r is given, got None."),
    (
        "dense",
        [x(2, 3), x(3, 5)],
        {"activation": "cube"},
        A,
        f"expected activation to be one of {ACTIVATIONS}, got 'cube'.",
    ),
    ("expand_dims", [x(2)], {"axis": 3}, S, "expected an axis in [-2, 2) for rank 2, got 3."),
    ("softmax", [x(2, 3)], {"axis": 2}, S, AXIS),
    ("softmax", [x()], {}, S, "expected an axis in [0, 0) for rank 0, got -1."),
    ("softmax_grad", [x(2, 3), x(2, 3)], {"axis": 2}, S, AXIS),
    ("softmax_grad", [x(2, 3), x(2, 4)], {}, S, "expected equal sizes, got 3 and 4."),
    ("log_softmax", [x(2, 3)], {"axis": -3}, S, "expected an axis in [-2, 2) for rank 2, got -3."),
    ("log_softmax_grad", [x(2, 3), x(2, 3)], {"axis": 2}, S, AXIS),
    ("softmax_cross_entropy", [x(), x()], {}, S, "expected rank 1 or more, got shape []."),
    ("softmax_cross_entropy", [x(2, 3), x(3)], {}, S, "expected labels of shape [2, 3], got [3]."),
    ("softmax_cross_entropy", [x(2, 3), x(2, 4)], {}, S, "expected equal sizes of logits and labels, got 3 and 4."),
    (
        "sparse_softmax_cross_entropy",
        [x(2, 3), i(1)],
        {},
        S,
        "expected equal numbers of rows, got 2 and 1.",
    ),
    (
        "sparse_softmax_cross_entropy",
        [x(2, 3), _core.constant(1)],
        {},
        S,
        "expected labels of shape [2] for logits of shape [2, 3], got shape [].",
    ),
    (
        "sparse_softmax_cross_entropy",
        [x(2, 3), x(2)],
        {},
        D,
        "expected int32 or int64 indices, got float32. Convert with cast.",
    ),
    ("sigmoid_cross_entropy", [x(2, 3), x(2, 1)], {}, S, "expected equal sizes, got 3 and 1."),
    ("sigmoid_cross_entropy", [x(2, 3), x(3)], {}, S, "expected shape [3], got [2, 3]."),
    (
        "batch_norm",
        [x(2, 3), x(3), x(3), x(3), x(4)],
        {},
        S,
        "expected variance of shape [3] for inputs of shape [2, 3], got shape [4].",
    ),
    ("batch_norm", [x(2, 3), x(3), x(3), x(3), x(3)], {"axis": 2}, S, AXIS),
    (
        "batch_norm_train",
        [x(2, 3), x(3), x(1, 3)],
        {},
        S,
        "expected beta of shape [3] for inputs of shape [2, 3], got shape [1, 3].",
    ),
    (
        "layer_norm",
        [x(2, 3), x(2), x(3)],
        {},
        S,
        "expected gamma of shape [3] for inputs of shape [2, 3], got shape [2].",
    ),
    ("layer_norm", [x(), x(1), x(1)], {}, S, "expected rank 1 or more, got shape []."),
    ("conv", [x(2, 3), x(2, 3)], {}, S, "expected inputs of rank 3, 4 or 5, got shape [2, 3]."),
    (
        "conv",
        [x(1, 5, 5, 2), x(3, 2, 4)],
        {},
        S,
        "expected a kernel of rank 4 (spatial, in, out) for inputs of shape [1, 5, 5, 2], got shape [3, 2, 4].",
    ),
    (
        "conv",
        [x(1, 5, 2), x(3, 3, 4)],
        {},
        S,
        "expected inputs with 3 channels (kernel is [3, 3, 4]), got shape [1, 5, 2].",
    ),
    (
        "conv",
        [x(1, 2, 3), x(3, 3, 4)],
        {},
        S,
        "expected at least 3 elements along axis 1 for a window of that span, got shape [1, 2, 3]. "
        "Use padding='same' or a smaller window.",
    ),
    ("conv", [x(1, 5, 2), x(3, 2, 4)], {"strides": [0]}, A, "expected strides from 1 to 2147483647, got [0]."),
    ("conv", [x(1, 5, 2), x(3, 2, 4)], {"strides": [1, 1]}, A, "expected strides for 1 spatial axis, got [1, 1]."),
    ("conv", [x(1, 5, 2), x(3, 2, 4)], {"dilation": [-1]}, A, "expected dilations from 1 to 2147483647, got [-1]."),
    (
        "conv",
        [x(1, 5, 2), x(3, 2, 4)],
        {"padding": "full"},
        A,
        "expected padding to be one of 'valid', 'same', got 'full'.",
    ),
    (
        "conv",
        [x(1, 5, 2), x(0, 2, 4)],
        {},
        S,
        "expected a kernel of 1 to 2147483647 elements along each spatial axis, got shape [0, 2, 4].",
    ),
    ("conv", [x(1, 5, 2), x(3, 2, 4), x(2)], {}, S, "expected a bias of shape [4], got [2]."),
    (
        "conv",
        [x(1, 5, 2), x(3, 2, 4), x(4), x(1, 5, 4)],
        {},
        S,
        "expected equal sizes of residual and result, got 5 and 3.",
    ),
    ("depthwise_conv", [x(1, 5, 2), x(3, 2), x(3)], {}, S, "expected a bias of shape [2], got [3]."),
    (
        "conv_input_grad",
        [x(1, 4, 4), x(3, 2, 4)],
        {"size": (5,)},
        S,
        "expected equal sizes of dy and the convolution's result, got 4 and 3.",
    ),
    (
        "conv_input_grad",
        [x(1, 4, 4), x(3, 2, 4)],
        {},
        A,
        "expected a size for 1 spatial axis, got [].",
    ),
    (
        "conv_filter_grad",
        [x(1, 3, 4), x(2, 5, 2)],
        {"size": [3]},
        S,
        "expected equal sizes of dy and the convolution's result, got 1 and 2.",
    ),
    (
        "depthwise_conv",
        [x(1, 5, 5, 2), x(3, 2)],
        {},
        S,
        "expected a kernel of rank 3 (spatial, channels) for inputs of shape [1, 5, 5, 2], got shape [3, 2].",
    ),
    (
        "depthwise_conv",
        [x(1, 5, 2), x(3, 3)],
        {},
        S,
        "expected inputs with 3 channels (kernel is [3, 3]), got shape [1, 5, 2].",
    ),
    (
        "depthwise_conv",
        [x(1, 5, 2), x(3, 2)],
        {"dilation": [2**31]},
        A,
        "expected dilations from 1 to 2147483647, got [2147483648].",
    ),
    (
        "depthwise_conv_input_grad",
        [x(1, 4, 2), x(3, 2)],
        {"size": (5,)},
        S,
        "expected equal sizes of dy and the convolution's result, got 4 and 3.",
    ),
    (
        "depthwise_conv_filter_grad",
        [x(1, 3, 2), x(1, 5, 2)],
        {},
        A,
        "expected a size for 1 spatial axis, got [].",
    ),
    ("max_pool", [x(2, 3)], {"size": [2]}, S, "expected inputs of rank 3, 4 or 5, got shape [2, 3]."),
    ("max_pool", [x(1, 3, 2)], {}, A, "expected a window size for 1 spatial axis, got none."),
    ("max_pool", [x(1, 3, 2)], {"size": [2], "strides": [0]}, A, "expected strides from 1 to 2147483647, got [0]."),
    (
        "max_pool_grad",
        [x(1, 3, 2), x(1, 3, 2)],
        {"size": [2]},
        S,
        "expected equal sizes of dy and the pooled input, got 3 and 1.",
    ),
    ("max_pool_pick", [x(1, 2, 2), x(1, 3, 2)], {"size": [2]}, S, "expected equal sizes, got 2 and 3."),
    (
        "avg_pool",
        [x(1, 3, 2)],
        {"size": [4]},
        S,
        "expected at least 4 elements along axis 1 for a window of that span, got shape [1, 3, 2]. "
        "Use padding='same' or a smaller window.",
    ),
    ("avg_pool", [x(1, 3, 3, 2)], {"size": [2]}, A, "expected sizes for 2 spatial axes, got [2]."),
    ("avg_pool_grad", [x(1, 2), x(1, 3, 2)], {"size": [2]}, S, "expected rank 3, got shape [1, 2]."),
    ("random_uniform", [state()], {"low": 1.0, "high": 0.0}, A, "expected low <= high, got 1 and 0."),
    ("random_uniform", [v(2)], {}, D, "expected an int64 state (seed, counter), got float32. Convert with cast."),
    (
        "random_uniform",
        [v(3, dtype="int64")],
        {},
        S,
        "expected a state of shape [2] (seed, counter), got shape [3].",
    ),
    (
        "random_uniform",
        [state()],
        {"dtype": "int32"},
        D,
        "expected a floating type, got int32. Convert with cast.",
    ),
    ("random_normal", [state()], {"stddev": -1.0}, A, "expected stddev >= 0, got -1."),
    ("random_truncated_normal", [state()], {"stddev": -1.0}, A, "expected stddev >= 0, got -1."),
    ("random_int", [state()], {"low": 3, "high": 3}, A, "expected low < high, got 3 and 3."),
    (
        "random_int",
        [state()],
        {"high": 2**31 + 1},
        A,
        "expected bounds that fit int32, got 0 and 2147483649. Use dtype int64.",
    ),
    (
        "random_int",
        [state()],
        {"dtype": "float32"},
        D,
        "expected dtype int32 or int64, got float32. Convert with cast.",
    ),
    ("dropout_mask", [state(), x(2)], {"rate": 1.0}, A, "expected a rate in [0, 1), got 1."),
    (
        "dropout_mask",
        [state(), x(2, 3)],
        {"noise_shape": [2]},
        S,
        "expected a noise_shape of 2 sizes for inputs of shape [2, 3], got [2].",
    ),
    (
        "dropout_mask",
        [state(), x(2)],
        {"noise_shape": [-2]},
        A,
        "expected sizes of 0 or more, or -1, got [-2].",
    ),
    ("assign", [v(2), x(3)], {}, S, "expected equal sizes of the variable and what changes it, got 2 and 3."),
    ("assign", [v(2), x(1, 2)], {}, S, "expected shape [2] like the variable's, got shape [1, 2]."),
    ("assign_add", [v(2), x()], {}, S, "expected shape [2] like the variable's, got shape []."),
    ("assign_add", [v(2, dtype="bool"), x(2, dtype="bool")], {}, D, "expected numbers, got bool. Convert with cast."),
    ("assign_sub", [v(2), x()], {}, S, "expected shape [2] like the variable's, got shape []."),
    ("moving_average", [v(2), x()], {}, S, "expected shape [2] like the variable's, got shape []."),
    ("sgd", [v(2), x(2), x(2)], {}, S, "expected single numbers after the gradient, got shape [2]."),
    ("sgd", [v(2), x(3), LR], {}, S, "expected equal sizes of the variable and what changes it, got 2 and 3."),
    (
        "sgd",
        [v(2), x(2, dtype="float64"), LR],
        {},
        D,
        "expected inputs of one type, got float32 and float64. Convert with cast.",
    ),
    (
        "momentum",
        [v(2), v(1), x(2), LR],
        {},
        S,
        "expected equal sizes of the variable and what changes it, got 2 and 1.",
    ),
    ("adam", [v(2), v(2), v(), x(2), LR, LR], {}, S, "expected shape [2] like the variable's, got shape []."),
    ("adadelta", [v(2), v(2), v(), x(2), LR], {}, S, "expected shape [2] like the variable's, got shape []."),
    ("adamax", [v(2), v(2), v(2), x(1, 2), LR], {}, S, "expected shape [2] like the variable's, got shape [1, 2]."),
    ("lion", [v(2), v(2), x(2), x(1)], {}, S, "expected single numbers after the gradient, got shape [1]."),
    ("rmsprop", [v(2), v(2), v(2), x(1, 2), LR], {}, S, "expected shape [2] like the variable's, got shape [1, 2]."),
    (
        "rmsprop_centered",
        [v(2), v(2), v(2), v(2), x(2), x(1)],
        {},
        S,
        "expected single numbers after the gradient, got shape [1].",
    ),
    (
        "adagrad",
        [v(2, dtype="int32"), v(2, dtype="int32"), x(2, dtype="int32"), 1],
        {},
        D,
        "expected a floating type, got int32. Convert with cast.",
    ),
    ("gather", [x(2, 3), i(0)], {"axis": 2}, S, AXIS),
    ("gather", [x(2, 3), x(1)], {}, D, "expected int32 or int64 indices, got float32. Convert with cast."),
    ("gather_grad", [x(2), x(2), x(1)], {}, D, "expected int32 or int64 indices, got float32. Convert with cast."),
    ("scatter_add", [x(), i(0), x(1)], {}, S, "expected rank 1 or more, got shape []."),
    ("scatter_add", [x(4, 2), i(0, 1), x(2)], {}, S, "expected updates of shape [2, 2], got shape [2]."),
    (
        "scatter_add",
        [x(4, 2), i(0, 1), x(2, 3)],
        {},
        S,
        "expected equal sizes of indices, rows and updates, got 2 and 3.",
    ),
    ("one_hot", [i(0)], {"depth": -1}, A, "expected a depth of 0 or more, got -1."),
    ("one_hot", [x(1)], {"depth": 2}, D, "expected int32 or int64 indices, got float32. Convert with cast."),
    ("argmax", [x(2, 3)], {"axis": 2}, S, AXIS),
    ("argmax", [x(2, 0)], {}, S, "expected at least one element along axis 1, got shape [2, 0]."),
    ("argmin", [x(2, 3)], {"axis": 2}, S, AXIS),
    ("argmin", [x(0)], {}, S, "expected at least one element along axis 0, got shape [0]."),
    ("pad", [x(2, 3)], {"before": [1], "after": [1]}, A, COUNT),
    (
        "pad",
        [x(2)],
        {"before": [-1], "after": [0]},
        A,
        "expected sizes of 0 or more, got [-1] and [0]. Use slice to cut.",
    ),
    ("pad_grad", [x(2, 3)], {"before": [1], "after": [1]}, A, COUNT),
    ("pad_grad", [x(2)], {"before": [2], "after": [1]}, S, "expected axis 0 to hold 3 or more, got [2]."),
    ("tile", [x(2, 3)], {"multiples": [2]}, A, "expected one multiple for each of 2 axes, got [2]."),
    ("tile", [x(2)], {"multiples": [-1]}, A, "expected multiples of 0 or more, got [-1]."),
    ("tile", [x(1, 1, 1, 1, 1, 1, 1)], {"multiples": [1] * 7}, S, "expected at most 6 axes, got 7."),
    ("split", [x(5)], {}, A, "expected at least one size, got none."),
    ("split", [x(5)], {"sizes": [6, -1]}, A, "expected sizes of 0 or more, got [6, -1]."),
    (
        "split",
        [x(2, 5)],
        {"sizes": [2, 2], "axis": 1},
        S,
        "expected sizes that sum to 5, the size of axis 1 of [2, 5], got [2, 2].",
    ),
    ("split", [x(2, 5)], {"sizes": [2], "axis": 2}, S, AXIS),
    ("stack", [[]], {}, A, "expected at least one input, got none."),
    ("stack", [[x(2), x(2)]], {"axis": 2}, S, AXIS),
    ("stack", [[x(2), x(3)]], {}, S, "expected inputs of one shape, got [2] and [3]."),
    ("stack", [[x(2), x(1, 2)]], {}, S, "expected inputs of one shape, got [2] and [1, 2]."),
    (
        "stack",
        [[x(2), x(2, dtype="float64")]],
        {},
        D,
        "expected inputs of one type, got float32 and float64. Convert with cast.",
    ),
    ("stack_grad", [x(2, 3)], {"axis": 2}, S, AXIS),
]

# What cannot be done to the batch symbol.
SYMBOLIC = [
    (
        "split",
        [n(None, 3)],
        {"sizes": [1, 1], "axis": 0},
        "expected axis 0 of a known size, got shape [N, 3]. Split another axis, or fix the batch size.",
    ),
    (
        "pad",
        [n(None, 3)],
        {"before": [1, 0], "after": [0, 0]},
        "expected sizes that stay integers or multiples of the batch symbol N, got N + 1. "
        "Fix the batch size with Input(..., batch_size=n).",
    ),
    ("stack_grad", [n(None, 3)], {}, "expected axis 0 of a known size, got shape [N, 3]."),
    (
        "conv",
        [_core.ops.transpose(n(None, 5, 1), perm=[1, 0, 2]), x(2, 1, 1)],
        {},
        "expected spatial sizes that are integers, got shape [5, N, 1]. Give Input() every size but the first.",
    ),
    (
        "max_pool",
        [_core.ops.transpose(n(None, 5, 1), perm=[1, 0, 2])],
        {"size": [2]},
        "expected spatial sizes that are integers, got shape [5, N, 1]. Give Input() every size but the first.",
    ),
]


def named(rows):
    counts = {}
    for row in rows:
        counts[row[0]] = counts.get(row[0], -1) + 1
        yield pytest.param(*row, id=f"{row[0]}-{counts[row[0]]}")


@pytest.mark.parametrize(("op", "inputs", "attributes", "error", "message"), list(named(REFUSALS)))
def test_refusal(op, inputs, attributes, error, message):
    with pytest.raises(error, match=f"^{re.escape(f'{op}: {message}')}$"):
        getattr(_core.ops, op)(*inputs, **attributes)


@pytest.mark.parametrize(("op", "inputs", "attributes", "message"), list(named(SYMBOLIC)))
def test_refusal_of_a_symbolic_size(op, inputs, attributes, message):
    with pytest.raises(G, match=f"^{re.escape(f'{op}: {message}')}$"):
        getattr(_core.ops, op)(*inputs, **attributes)


def refused_types():
    """Every element type that no example of an op uses. Ops that only move elements take all."""
    for name, cases in CASES.items():
        taken = {t for case in cases for t in case.dtypes}
        first = cases[0]
        if (
            OPS[name]["updates"]
            or name.endswith("_grad")
            or name == "max_pool_pick"
            or all(map(keeps_type, flatten(first.args)))
        ):
            continue
        for dtype in ALL:
            if dtype not in taken:
                yield pytest.param(name, dtype, id=f"{name}-{dtype}")


@pytest.mark.parametrize(("name", "dtype"), list(refused_types()))
def test_type_that_an_op_does_not_take(name, dtype):
    case = CASES[name][0]
    inputs = [
        _core.constant(array) if keeps_type(arg) else _core.ops.cast(_core.constant(array), dtype=_core.as_dtype(dtype))
        for arg, array in zip(flatten(case.args), draw(name, case), strict=True)
    ]
    with pytest.raises(D, match=rf"^{name}: expected .*, got {dtype}\. Convert with cast\.$"):
        getattr(_core.ops, name)(*regroup(inputs, case.args), **case.attributes)


BINARY = [name for name, op in OPS.items() if op["inputs"] == "a, b" and name != "matmul"]


@pytest.mark.parametrize("name", BINARY)
def test_shapes_that_do_not_broadcast(name):
    dtype = "bool" if name.startswith("logical") else "float32"
    with pytest.raises(S, match=f"^{re.escape(f'{name}: {broadcast([2, 3], [4])}')}$"):
        getattr(_core.ops, name)(x(2, 3, dtype=dtype), x(4, dtype=dtype))


@pytest.mark.parametrize("name", BINARY)
def test_two_inputs_of_different_types(name):
    with pytest.raises(D, match=f"^{name}: expected inputs of one type, got int32 and int64. Convert with cast.$"):
        getattr(_core.ops, name)(x(2, dtype="int32"), x(2, dtype="int64"))


@pytest.mark.parametrize("name", OPS)
def test_missing_inputs(name):
    with pytest.raises(
        TypeError, match=rf"^{name}: expected the inputs \({re.escape(OPS[name]['inputs'])}\), got 0 of them\.$"
    ):
        getattr(_core.ops, name)()


@pytest.mark.parametrize("name", [name for name, op in OPS.items() if op["updates"]])
def test_what_is_updated_must_be_a_variable(name):
    first = OPS[name]["inputs"].split(",")[0]
    count = len(OPS[name]["inputs"].split(","))
    with pytest.raises(TypeError, match=f"^{name}: expected input {first} to be a Variable, got .*Tensor.$"):
        getattr(_core.ops, name)(*[x(2)] * count)

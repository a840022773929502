"""Example calls of every op, from which tests/ops/test_all_ops.py is generated. Sizes are awkward on purpose: 0, 1,
primes, broadcast. An op of the registry without an entry here fails the suite."""

from dataclasses import dataclass, field

import numpy as np

from layernet import _core

FLOATS = ("float32", "float64", "float16", "bfloat16")
ARITHMETIC = (*FLOATS, "int32", "int64")
NUMBERS = (*ARITHMETIC, "int8", "uint8")
ALL = (*NUMBERS, "bool")
BOOLS = ("bool",)


@dataclass(frozen=True)
class Arg:
    """How an input is drawn. Kinds: real (both signs, at least 0.1 from 0, no two alike), positive (0.2 to 2), unit
    (-0.8 to 0.8), probabilities (rows that sum to 1), index (int64 below `size`), bool, given."""

    shape: tuple
    kind: str = "real"
    size: int = 0
    value: object = None

    def draw(self, rng):
        if self.kind == "real":
            x = rng.normal(size=self.shape)
            return np.sign(x) * (0.1 + np.abs(x))
        if self.kind == "positive":
            return rng.uniform(0.2, 2, self.shape)
        if self.kind == "unit":
            return rng.uniform(-0.8, 0.8, self.shape)
        if self.kind == "probabilities":
            e = np.exp(rng.normal(size=self.shape))
            return e / e.sum(-1, keepdims=True)
        if self.kind == "index":
            return rng.integers(0, self.size, self.shape)
        if self.kind == "bool":
            return rng.random(self.shape) < 0.5
        return np.asarray(self.value)

    @property
    def differentiable(self):
        return self.kind in ("real", "positive", "unit", "probabilities")


def real(*shape):
    return Arg(shape)


def positive(*shape):
    return Arg(shape, "positive")


def unit(*shape):
    return Arg(shape, "unit")


def probabilities(*shape):
    return Arg(shape, "probabilities")


def index(size, *shape):
    return Arg(shape, "index", size)


def boolean(*shape):
    return Arg(shape, "bool")


def given(value):
    return Arg(np.shape(value), "given", value=value)


@dataclass(frozen=True)
class Case:
    """One call. `terms` numbers are combined in each output element (the tolerance grows with it). Inputs numbered in
    `batch` have the batch along axis 0."""

    args: tuple
    attributes: dict = field(default_factory=dict)
    dtypes: tuple = FLOATS
    terms: int = 1
    batch: tuple = ()
    smooth: bool = True  # has derivatives at the inputs drawn
    row_kernel: bool = False  # eager and plan may use different kernels


def case(*args, dtypes=FLOATS, terms=1, batch=(), smooth=True, row_kernel=False, **attributes):
    return Case(args, attributes, dtypes, terms, batch, smooth, row_kernel)


def unary(kind=real, dtypes=FLOATS, terms=1, smooth=True, **attributes):
    options = {"dtypes": dtypes, "terms": terms, "smooth": smooth, **attributes}
    return [
        case(kind(3, 5), batch=(0,), **options),
        case(kind(), **options),
        case(kind(2, 0, 3), **options),
        case(kind(67), **options),
    ]


def binary(first=real, second=None, dtypes=FLOATS, terms=1, smooth=True):
    second = second or first
    options = {"dtypes": dtypes, "terms": terms, "smooth": smooth}
    return [
        case(first(3, 5), second(3, 5), batch=(0, 1), **options),
        case(first(2, 1, 3), second(4, 1), **options),
        case(first(), second(7), **options),
        case(first(3, 5), second(5), batch=(0,), **options),
        case(first(5, 1), second(1, 7), **options),
        case(first(0, 3), second(1, 3), **options),
        case(first(41), second(), **options),
    ]


def reductions(dtypes=FLOATS, empty=True, kind=real, terms=12):
    options = {"dtypes": dtypes, "terms": terms}
    cases = [
        case(kind(3, 4), **options),
        case(kind(3, 4), axis=[1], all=False, batch=(0,), **options),
        case(kind(3, 4), axis=[0], keepdims=True, **options),
        case(kind(2, 3, 5), axis=[0, 2], **options),
        case(kind(2, 3, 2, 3), axis=[-1, 1], keepdims=True, batch=(0,), **options),
        case(kind(2, 3), axis=[], all=False, **options),
        case(kind(), **options),
        case(kind(0, 3), axis=[1], **options),
    ]
    return [*cases, case(kind(2, 0), axis=[1], smooth=False, **options)] if empty else cases


def grads(*pairs_kinds, **attributes):
    dy, v = pairs_kinds
    return [
        case(dy(3, 5), v(3, 5), batch=(0, 1), **attributes),
        case(dy(17), v(17), **attributes),
        case(dy(0, 2), v(0, 2), **attributes),
    ]


ROWS = [{"axis": -1}, {"axis": 0}, {"axis": 1}]


def rows(kind=real, second=None, **options):
    def args(*shape):
        return (kind(*shape),) if second is None else (kind(*shape), second(*shape))

    both = tuple(range(len(args(1))))
    return [
        case(*args(3, 5), terms=5, batch=both, **options),
        case(*args(3, 5), terms=5, axis=0, **options),
        case(*args(2, 3, 4), terms=5, axis=1, batch=both, **options),
        case(*args(2, 3, 4), terms=5, axis=-3, **options),
        case(*args(1), **options),
        case(*args(0, 3), **options),
        case(*args(2, 37), terms=37, **options),
    ]


def dtype(name):
    return _core.as_dtype(name)


POOLS = [
    ((2, 5, 3), {"size": [2]}),
    ((2, 5, 3), {"size": [3], "strides": [1], "padding": "same"}),
    ((1, 7, 2), {"size": [3], "strides": [2], "padding": "same"}),
    ((2, 5, 4, 3), {"size": [2, 2]}),
    ((1, 5, 4, 2), {"size": [3, 2], "strides": [2, 1], "padding": "same"}),
    ((1, 4, 5, 17), {"size": [2, 3], "strides": [1, 2]}),
    ((0, 4, 4, 2), {"size": [2, 2]}),
    ((2, 3, 4, 5, 2), {"size": [2, 2, 2]}),
    ((1, 4, 3, 5, 7), {"size": [3, 1, 2], "strides": [1, 2, 3], "padding": "same"}),
]
POOLED = [
    (2, 2, 3),
    (2, 5, 3),
    (1, 4, 2),
    (2, 2, 2, 3),
    (1, 3, 4, 2),
    (1, 3, 2, 17),
    (0, 2, 2, 2),
    (2, 1, 2, 2, 2),
    (1, 4, 2, 2, 7),
]

CONVS = [  # x, w, attributes, result
    ((2, 5, 3), (3, 3, 2), {}, (2, 3, 2)),
    ((1, 40, 2), (3, 2, 3), {"strides": [2]}, (1, 19, 3)),  # long lines are read in place
    ((2, 6, 1), (3, 1, 2), {"padding": "same", "strides": [2]}, (2, 3, 2)),
    ((1, 7, 2), (2, 2, 1), {"dilation": [3]}, (1, 4, 1)),
    ((2, 4, 5, 3), (1, 1, 3, 4), {}, (2, 4, 5, 4)),
    ((2, 5, 4, 2), (3, 3, 2, 3), {"padding": "same"}, (2, 5, 4, 3)),
    ((1, 5, 6, 2), (2, 3, 2, 1), {"strides": [2, 1], "dilation": [1, 2]}, (1, 2, 2, 1)),
    ((1, 5, 5, 2), (1, 1, 2, 3), {"strides": [2, 2]}, (1, 3, 3, 3)),
    ((0, 4, 4, 1), (2, 2, 1, 2), {}, (0, 3, 3, 2)),
    ((2, 3, 4, 3, 2), (2, 3, 1, 2, 3), {"padding": "same"}, (2, 3, 4, 3, 3)),
    ((1, 4, 5, 3, 1), (2, 2, 2, 1, 2), {"strides": [2, 1, 1], "dilation": [1, 3, 1]}, (1, 2, 2, 2, 2)),
    ((1, 2, 3, 2, 3), (1, 1, 1, 3, 2), {}, (1, 2, 3, 2, 2)),
]

DEPTHWISE = [  # x, w, attributes, result
    ((2, 5, 3), (3, 3), {}, (2, 3, 3)),
    ((1, 23, 2), (3, 2), {"padding": "same"}, (1, 23, 2)),  # several sums at a time and the edges
    ((2, 7, 1), (2, 1), {"padding": "same", "strides": [3]}, (2, 3, 1)),
    ((1, 5, 13, 3), (3, 2, 3), {"padding": "same", "strides": [2, 1]}, (1, 3, 13, 3)),
    ((1, 4, 7, 2), (2, 3, 2), {"dilation": [2, 2]}, (1, 2, 3, 2)),
    ((1, 3, 4, 37), (2, 2, 37), {}, (1, 2, 3, 37)),
    ((0, 4, 4, 2), (2, 2, 2), {}, (0, 3, 3, 2)),
    ((2, 3, 4, 5, 2), (2, 3, 2, 2), {"padding": "same", "strides": [1, 2, 1]}, (2, 3, 2, 5, 2)),
]


def conv_terms(w):
    return int(np.prod(w[:-1]))


def conv_cases():
    image, w, b = real(2, 4, 3, 2), real(2, 2, 2, 3), real(3)
    fused = {"padding": "same", "terms": 10, "batch": (0,)}
    return [
        *(case(real(*x), real(*w), terms=conv_terms(w), batch=(0,), **a) for x, w, a, _ in CONVS),
        *(case(image, w, b, activation=a, **fused) for a in ACTIVATIONS),
        case(image, w, b, real(2, 4, 3, 3), padding="same", activation="elu", alpha=0.5, terms=10, batch=(0, 3)),
        case(real(2, 3, 2), real(1, 2, 3), b, real(2, 3, 3), activation="gelu", terms=5, batch=(0, 3)),
        case(real(0, 3, 2), real(1, 2, 3), b, real(0, 3, 3), terms=5),
    ]


def depthwise_cases():
    image, w, b = real(2, 3, 4, 5), real(2, 2, 5), real(5)
    return [
        *(case(real(*x), real(*w), terms=int(np.prod(w[:-1])), batch=(0,), **a) for x, w, a, _ in DEPTHWISE),
        *(case(image, w, b, activation=a, padding="same", terms=5, batch=(0,)) for a in ACTIVATIONS),
        case(image, w, b, terms=5, batch=(0,)),
    ]


STATE = given(np.array([1234567890123, 2**40 + 5], np.int64))
RANDOM_SHAPES = [(), (1,), (3, 5), (0, 4), (257,)]


def random_cases(**attributes):
    return [
        case(STATE, shape=shape, dtype=dtype(name), dtypes=(name,), terms=4, **attributes)
        for shape in RANDOM_SHAPES
        for name in ("float32", "float64")
    ]


def updates(variables, *others, dtypes=FLOATS, terms=4, **attributes):
    """`variables` and `others` are kinds; the others that are None are scalars."""
    return [
        case(
            *(kind(*shape) for kind in variables),
            *(kind(*shape) if kind else given(0.05) for kind in others),
            dtypes=dtypes,
            terms=terms,
            **attributes,
        )
        for shape in [(3, 5), (), (0,), (67,)]
    ]


ACTIVATIONS = [
    "relu",
    "tanh",
    "sigmoid",
    "elu",
    "selu",
    "softplus",
    "softsign",
    "hard_sigmoid",
    "gelu",
    "gelu_tanh",
    "silu",
    "mish",
    "leaky_relu",
]


def dense_cases():
    options = {"terms": 7, "row_kernel": True}
    return [
        case(real(3, 7), real(7, 5), batch=(0,), **options),
        case(real(3, 7), real(7, 5), real(5), batch=(0,), **options),
        case(real(2, 3, 7), real(5, 7), real(5), transpose_w=True, batch=(0,), **options),
        case(real(7), real(7, 2), real(2), **options),
        case(real(0, 7), real(7, 5), real(5), **options),
        case(real(2, 1), real(1, 1), real(1), **options),
        case(real(3, 7), real(7, 5), real(5), real(3, 5), batch=(0, 3), **options),
        case(real(2, 3, 7), real(5, 7), real(5), real(2, 3, 5), activation="gelu", transpose_w=True, **options),
        *(case(real(3, 7), real(7, 5), real(5), activation=a, batch=(0,), **options) for a in ACTIVATIONS),
        case(real(3, 7), real(7, 5), real(5), activation="elu", alpha=0.5, **options),
    ]


SMALL = [(2, 3), (3, 2)]

CASES = {
    # element by element
    "negative": unary(dtypes=ARITHMETIC),
    "abs": unary(dtypes=ARITHMETIC),
    "sign": unary(dtypes=ARITHMETIC),
    "square": unary(dtypes=ARITHMETIC),
    "sqrt": unary(positive),
    "rsqrt": unary(positive),
    "reciprocal": unary(positive),
    "exp": unary(),
    "log": unary(positive),
    "log1p": unary(unit),
    "expm1": unary(),
    "floor": unary(),
    "ceil": unary(),
    "round": unary(),
    "sin": unary(),
    "cos": unary(),
    "erf": unary(),
    "relu": unary(),
    "leaky_relu": unary() + unary(alpha=0.01),
    "elu": unary() + unary(alpha=0.5),
    "selu": unary(),
    "sigmoid": unary(),
    "hard_sigmoid": unary(),
    "tanh": unary(),
    "softplus": unary(),
    "softsign": unary(),
    "gelu": unary() + unary(approximate=True),
    "silu": unary(),
    "mish": unary(),
    "clip": unary(min=-0.05, max=0.7) + unary(max=0.05),
    "affine": unary(scale=-2.0, shift=0.5),
    "identity": unary(dtypes=ALL),
    "stop_gradient": unary(dtypes=ALL, smooth=False),
    "zeros_like": unary(dtypes=ALL),
    "ones_like": unary(dtypes=ALL),
    "logical_not": unary(dtypes=BOOLS),
    "cast": [
        case(real(3, 5), dtype=dtype(to), dtypes=ALL, smooth=to == "float64", batch=(0,))
        for to in ("float64", "float32", "float16", "bfloat16", "int8", "uint8", "int32", "int64", "bool")
    ],
    # their derivatives
    "relu_grad": grads(real, real),
    "leaky_relu_grad": grads(real, real, alpha=0.1),
    "elu_grad": grads(real, unit, alpha=0.9),
    "selu_grad": grads(real, unit),
    "sigmoid_grad": grads(real, unit),
    "tanh_grad": grads(real, unit),
    "hard_sigmoid_grad": grads(real, real),
    "softplus_grad": grads(real, real),
    "softsign_grad": grads(real, real),
    "silu_grad": grads(real, real),
    "mish_grad": grads(real, real),
    "gelu_grad": grads(real, real) + grads(real, real, approximate=True),
    "clip_grad": grads(real, real, min=-0.05, max=0.7),
    # two inputs
    "add": binary(dtypes=NUMBERS),
    "subtract": binary(dtypes=NUMBERS),
    "multiply": binary(dtypes=NUMBERS),
    "divide": binary(real, positive),
    "power": binary(positive, real, terms=8),
    "maximum": binary(dtypes=NUMBERS),
    "minimum": binary(dtypes=NUMBERS),
    "floordiv": binary(real, positive, dtypes=ARITHMETIC),
    "mod": binary(real, positive, dtypes=ARITHMETIC),
    "equal": binary(dtypes=ALL),
    "not_equal": binary(dtypes=ALL),
    "less": binary(dtypes=ALL),
    "less_equal": binary(dtypes=ALL),
    "greater": binary(dtypes=ALL),
    "greater_equal": binary(dtypes=ALL),
    "logical_and": binary(dtypes=BOOLS),
    "logical_or": binary(dtypes=BOOLS),
    "logical_xor": binary(dtypes=BOOLS),
    "where": [
        case(boolean(3, 5), real(3, 5), real(3, 5), dtypes=ALL, batch=(0, 1, 2)),
        case(boolean(3, 1), real(5), real(), dtypes=ALL),
        case(boolean(), real(2, 3), real(3), dtypes=ALL),
        case(boolean(0, 3), real(3), real(1, 1), dtypes=ALL),
    ],
    # reductions
    "reduce_sum": reductions(ARITHMETIC),
    "reduce_mean": reductions(empty=False),
    "reduce_max": reductions(ARITHMETIC, empty=False),
    "reduce_min": reductions(ARITHMETIC, empty=False),
    "reduce_prod": reductions(ARITHMETIC, kind=positive),
    "reduce_variance": reductions(empty=False),
    "reduce_logsumexp": reductions(empty=False),
    "reduce_any": reductions(BOOLS, kind=boolean),
    "reduce_all": reductions(BOOLS, kind=boolean),
    "reduce_mean_grad": [case(real(3, 1), real(3, 4), batch=(0, 1)), case(real(1, 1), real(3, 4))],
    "argmax": [c for c in rows(dtypes=ALL) if c.args[0].shape],
    "argmin": [c for c in rows(dtypes=ALL) if c.args[0].shape],
    # shapes
    "reshape": [
        case(real(3, 4), shape=(2, 6), dtypes=ALL),
        case(real(3, 4), shape=(-1,), dtypes=ALL),
        case(real(3, 4), shape=(-1, 2, 2), dtypes=ALL, batch=(0,)),
        case(real(1), shape=(), dtypes=ALL),
        case(real(0, 3), shape=(3, 0), dtypes=ALL),
    ],
    "transpose": [
        case(real(3, 5), dtypes=ALL),
        case(real(2, 3, 4), perm=[1, 2, 0], dtypes=ALL),
        case(real(2, 3, 4), perm=[0, 2, 1], dtypes=ALL, batch=(0,)),
        case(real(), dtypes=ALL),
        case(real(0, 3), dtypes=ALL),
        case(real(37, 41), dtypes=ALL, smooth=False),
    ],
    "expand_dims": [case(real(3, 5), axis=a, dtypes=ALL, batch=(0,) if a else ()) for a in (0, 1, -1)],
    "squeeze": [
        case(real(3, 1, 2, 1), dtypes=ALL),
        case(real(3, 1, 2, 1), axes=[1], dtypes=ALL, batch=(0,)),
        case(real(1, 1), dtypes=ALL),
    ],
    "broadcast_to": [
        case(real(3, 1), shape=(3, 4), dtypes=ALL),
        case(real(4), shape=(2, 3, 4), dtypes=ALL),
        case(real(), shape=(2, 3), dtypes=ALL),
        case(real(1, 3), shape=(0, 3), dtypes=ALL),
        case(real(2, 3), shape=(2, 3), dtypes=ALL),
    ],
    "shape": [case(real(3, 5), dtypes=ALL), case(real(), dtypes=ALL)],
    "slice": [
        case(real(5, 7), begin=[1], end=[4], strides=[1], axes=[0], dtypes=ALL),
        case(real(5, 7), begin=[6, 0], end=[-1, 5], strides=[-2, 3], axes=[1, 0], dtypes=ALL),
        case(real(5, 7), begin=[2], end=[2], strides=[1], axes=[1], dtypes=ALL, batch=(0,)),
        case(real(7), begin=[6], end=[-1], strides=[-1], axes=[0], dtypes=ALL),
    ],
    "slice_grad": [
        case(real(3, 7), real(5, 7), begin=[1], end=[4], strides=[1], axes=[0]),
        case(real(2, 4), real(5, 7), begin=[6, 0], end=[-1, 5], strides=[-2, 3], axes=[1, 0]),
    ],
    "concat": [
        case([real(2, 3), real(2, 3)], axis=0, dtypes=ALL),
        case([real(2, 3), real(2, 1), real(2, 0)], axis=-1, dtypes=ALL, batch=(0, 1, 2)),
        case([real(2, 3, 2), real(2, 1, 2)], axis=1, dtypes=ALL),
        case([real(2)], axis=0, dtypes=ALL),
    ],
    "concat_grad": [
        case(real(4, 3), [real(2, 3), real(2, 3)], axis=0),
        case(real(2, 4), [real(2, 3), real(2, 1)], axis=-1),
    ],
    "stack": [
        case([real(2, 3), real(2, 3)], axis=0, dtypes=ALL),
        case([real(2, 3)] * 3, axis=-1, dtypes=ALL, batch=(0, 1, 2)),
        case([real(2, 3), real(2, 3)], axis=1, dtypes=ALL, batch=(0, 1)),
        case([real()], axis=0, dtypes=ALL),
        case([real(0, 2), real(0, 2)], axis=1, dtypes=ALL),
    ],
    "stack_grad": [case(real(2, 3), axis=0), case(real(2, 3, 4), axis=-1, batch=(0,)), case(real(2, 1), axis=1)],
    "split": [
        case(real(5, 3), sizes=[2, 3], axis=0, dtypes=ALL),
        case(real(2, 6), sizes=[1, 0, 5], axis=-1, dtypes=ALL, batch=(0,)),
        case(real(2, 3, 2), sizes=[1, 1, 1], axis=1, dtypes=ALL, batch=(0,)),
    ],
    "pad": [
        case(real(2, 3), before=[1, 0], after=[0, 2], dtypes=ALL),
        case(real(2, 3), before=[0, 2], after=[0, 1], value=1.0, dtypes=ALL, batch=(0,)),
        case(real(3), before=[0], after=[0], dtypes=ALL),
        case(real(0, 2), before=[2, 1], after=[1, 1], value=3.0, dtypes=NUMBERS),
        case(real(), before=[], after=[], dtypes=ALL),
    ],
    "pad_grad": [
        case(real(3, 5), before=[1, 0], after=[0, 2], dtypes=ALL),
        case(real(3, 5), before=[0, 2], after=[0, 3], dtypes=ALL, batch=(0,)),
    ],
    "tile": [
        case(real(2, 3), multiples=[2, 1], dtypes=ALL, batch=(0,)),
        case(real(2, 3), multiples=[1, 3], dtypes=ALL, batch=(0,)),
        case(real(1, 3, 2), multiples=[3, 2, 2], dtypes=ALL),
        case(real(2, 3), multiples=[1, 1], dtypes=ALL),
        case(real(2, 3), multiples=[0, 2], dtypes=ALL),
        case(real(), multiples=[], dtypes=ALL),
    ],
    "gather": [
        case(real(5, 3), index(5, 4), dtypes=ALL, batch=(1,)),
        case(real(2, 5, 3), index(5, 2, 2), axis=1, dtypes=ALL, batch=(0,)),
        case(real(2, 5), given(np.array([0, -1, 3], np.int32)), axis=-1, dtypes=ALL),
        case(real(5), given(np.array(2)), dtypes=ALL),
        case(real(5, 2), given(np.zeros((0, 3), np.int64)), dtypes=ALL),
        case(real(3, 2), given(np.array([0, 3, -4, -3])), dtypes=ALL, smooth=False),
        case(real(3, 2), given(np.array([0, 3, -4, -3])), zeros=True, dtypes=ALL),
    ],
    "gather_grad": [
        case(real(4, 3), real(5, 3), given(np.array([1, 1, 4, 0])), terms=2),
        case(real(2, 3, 2), real(2, 4, 2), given(np.array([0, -1, 0], np.int32)), axis=1, terms=2),
        case(real(3, 2), real(4, 2), given(np.array([0, 9, -9])), terms=2),
    ],
    "scatter_add": [
        case(real(5, 3), given(np.array([1, 1, 4, 0])), real(4, 3), dtypes=ARITHMETIC, terms=3),
        case(real(4), given(np.array([[0, -1], [2, 2]], np.int32)), real(2, 2), dtypes=ARITHMETIC, terms=3),
        case(real(3, 2), given(np.array([0, 7, -7])), real(3, 2), dtypes=ARITHMETIC),
        case(real(3, 2), given(np.zeros(0, np.int64)), real(0, 2), dtypes=ARITHMETIC),
    ],
    "one_hot": [
        case(index(5, 2, 3), depth=5, dtype=dtype("float32"), dtypes=("int32", "int64"), batch=(0,)),
        case(
            given(np.array([0, -1, 2, 3])), depth=3, on=2.0, off=-1.0, dtype=dtype("int64"), dtypes=("int32", "int64")
        ),
        case(index(4), depth=4, dtype=dtype("float16"), dtypes=("int32", "int64")),
        case(index(4, 2), depth=0, dtype=dtype("float32"), dtypes=("int64",)),
        case(index(2, 3), depth=2, dtype=dtype("bool"), dtypes=("int64",)),
    ],
    # products
    "matmul": [
        case(real(3, 7), real(7, 5), terms=7, row_kernel=True, batch=(0,)),
        case(real(7, 3), real(7, 5), transpose_a=True, terms=7, row_kernel=True),
        case(real(3, 7), real(5, 7), transpose_b=True, terms=7, row_kernel=True),
        case(real(7, 3), real(5, 7), transpose_a=True, transpose_b=True, terms=7, row_kernel=True),
        case(real(2, 1, 3, 4), real(5, 4, 2), terms=4, row_kernel=True, batch=(0,)),
        case(real(3, 2), real(2, 2, 3), terms=2, row_kernel=True),
        case(real(0, 3), real(3, 2), row_kernel=True),
        case(real(2, 0), real(0, 3), row_kernel=True, smooth=False),
        case(real(1, 1), real(1, 1), row_kernel=True),
    ],
    "dense": dense_cases(),
    "dense_weight_grad": [
        case(real(6, 7), real(6, 5), terms=6, batch=(0, 1)),
        case(real(6, 7), real(6, 5), transpose_w=True, terms=6, batch=(0, 1)),
        case(real(5, 1), real(5, 1), terms=5),
        case(real(0, 3), real(0, 2)),
    ],
    # rows
    "softmax": rows(),
    "softmax_grad": rows(real, probabilities),
    "log_softmax": rows(),
    "log_softmax_grad": rows(real, real),
    "softmax_cross_entropy": [
        case(real(3, 5), probabilities(3, 5), terms=5, batch=(0, 1)),
        case(real(5), positive(5), terms=5),
        case(real(2, 2, 3), real(2, 2, 3), terms=3),
        case(real(0, 3), positive(0, 3)),
    ],
    "sparse_softmax_cross_entropy": [
        case(real(3, 5), index(5, 3), terms=5, batch=(0, 1)),
        case(real(5), given(np.array(4, np.int32)), terms=5),
        case(real(2, 2, 3), index(3, 2, 2), terms=3),
        case(real(4, 3), given(np.array([0, 3, -1, 2])), terms=3, smooth=False),
        case(real(0, 3), given(np.zeros(0, np.int64))),
    ],
    "sigmoid_cross_entropy": [
        case(real(3, 5), positive(3, 5), batch=(0, 1), terms=2),
        case(real(600), positive(600), smooth=False, terms=2),
        case(real(), positive(), terms=2),
        case(real(0, 2), positive(0, 2)),
    ],
    "batch_norm": [
        case(real(3, 4), real(4), real(4), real(4), positive(4), epsilon=0.01, terms=8, batch=(0,)),
        case(real(2, 3, 4), real(3), real(3), real(3), positive(3), epsilon=0.01, axis=1, terms=8, batch=(0,)),
        case(real(2, 3, 4), real(2), real(2), real(2), positive(2), epsilon=0.1, axis=0, terms=8),
        case(real(4), real(4), real(4), real(4), positive(4), terms=8),
        case(real(0, 4), real(4), real(4), real(4), positive(4)),
    ],
    "batch_norm_train": [
        case(real(5, 4), real(4), real(4), epsilon=0.01, terms=20, batch=(0,)),
        case(real(2, 3, 4), real(3), real(3), epsilon=0.01, axis=1, terms=20, batch=(0,)),
        case(real(2, 3, 2, 2), real(2), real(2), epsilon=0.1, terms=20),
        case(real(2, 9), real(2), real(2), epsilon=0.1, axis=0, terms=20),
    ],
    "batch_norm_train_grad": [
        case(
            real(5, 4),
            real(5, 4),
            real(4),
            real(4),
            positive(4),
            real(4),
            real(4),
            epsilon=0.01,
            terms=30,
            batch=(0, 1),
        ),
        case(
            real(2, 3, 4), real(2, 3, 4), real(3), real(3), positive(3), real(3), real(3), epsilon=0.1, axis=1, terms=30
        ),
    ],
    "layer_norm": [
        case(real(3, 5), real(5), real(5), epsilon=0.01, terms=20, batch=(0,)),
        case(real(2, 3, 4), real(4), real(4), terms=20),
        case(real(7), real(7), real(7), epsilon=0.1, terms=20),
        case(real(0, 3), real(3), real(3)),
    ],
    "layer_norm_grad": [
        case(real(3, 5), real(3, 5), real(5), epsilon=0.01, terms=30, batch=(0, 1)),
        case(real(2, 2, 3), real(2, 2, 3), real(3), epsilon=0.1, terms=30),
    ],
    # windows
    "conv": conv_cases(),
    "conv_input_grad": [
        case(real(*y), real(*w), size=x[1:-1], terms=conv_terms(w) * w[-1], batch=(0,), **a) for x, w, a, y in CONVS
    ],
    "conv_filter_grad": [
        case(real(*y), real(*x), size=list(w[:-2]), terms=40, batch=(0, 1), **a) for x, w, a, y in CONVS
    ],
    "depthwise_conv": depthwise_cases(),
    "depthwise_conv_input_grad": [
        case(real(*y), real(*w), size=x[1:-1], terms=int(np.prod(w[:-1])), batch=(0,), **a) for x, w, a, y in DEPTHWISE
    ],
    "depthwise_conv_filter_grad": [
        case(real(*y), real(*x), size=list(w[:-1]), terms=40, batch=(0, 1), **a) for x, w, a, y in DEPTHWISE
    ],
    "max_pool": [case(real(*x), batch=(0,), **a) for x, a in POOLS],
    "max_pool_grad": [
        case(real(*y), real(*x), terms=4, batch=(0, 1), **a) for (x, a), y in zip(POOLS, POOLED, strict=True)
    ],
    "max_pool_pick": [case(real(*x), real(*x), batch=(0, 1), **a) for x, a in POOLS],
    "avg_pool": [case(real(*x), terms=9, batch=(0,), **a) for x, a in POOLS],
    "avg_pool_grad": [
        case(real(*y), real(*x), terms=9, batch=(0, 1), **a) for (x, a), y in zip(POOLS, POOLED, strict=True)
    ],
    # random numbers
    "random_uniform": random_cases(low=-2.0, high=3.0),
    "random_normal": random_cases(mean=1.0, stddev=0.5),
    "random_truncated_normal": random_cases(mean=-1.0, stddev=2.0),
    "random_int": [
        case(STATE, shape=shape, dtype=dtype(name), low=low, high=high, dtypes=(name,))
        for shape in RANDOM_SHAPES
        for name, low, high in [("int32", -3, 7), ("int64", -(2**62), 2**62), ("int32", -(2**31), 2**31)]
    ],
    "dropout_mask": [
        case(STATE, real(*shape), rate=rate, dtypes=FLOATS) for shape in RANDOM_SHAPES for rate in (0.0, 0.25, 0.9)
    ]
    + [case(STATE, real(3, 5, 2), rate=0.5, noise_shape=[-1, 1, -1])],
    # updates
    "assign": updates([real], real, dtypes=ALL),
    "assign_add": updates([real], real, dtypes=NUMBERS),
    "assign_sub": updates([real], real, dtypes=NUMBERS),
    "moving_average": updates([real], real, momentum=0.9) + updates([real], real, momentum=0.0),
    "sgd": updates([real], real, None),
    "momentum": updates([real, real], real, None, momentum=0.8) + updates([real, real], real, None, nesterov=True),
    "adam": updates([real, real, positive], real, None, None, terms=8)
    + updates([real, real, positive], real, None, None, terms=8, beta1=0.5, beta2=0.9, epsilon=1e-3, weight_decay=0.1)
    + updates([real, real, positive], real, None, None, terms=8, epsilon=1e-3, nesterov=True),
    "adadelta": updates([real, positive, positive], real, None, terms=8, rho=0.9, epsilon=1e-3),
    "adamax": updates([real, real, positive], real, None, terms=8)
    + updates([real, real, positive], real, None, terms=8, beta1=0.5, beta2=0.9, epsilon=1e-3),
    "lion": updates([real, real], real, None)
    + updates([real, real], real, None, beta1=0.5, beta2=0.9, weight_decay=0.1),
    "rmsprop": updates([real, positive, real], real, None, momentum=0.5, epsilon=1e-3, terms=8),
    "rmsprop_centered": updates(
        [real, positive, real, unit], real, None, decay=0.95, momentum=0.5, epsilon=0.1, terms=16
    ),
    "adagrad": updates([real, positive], real, None, terms=8),
}

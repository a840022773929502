"""Generated from the op list: every op against its definition in reference.py, its gradients against central
differences, and the three ways to run it against each other."""

import inspect
import zlib

import numpy as np
import pytest

import layernet as ln
import reference
from layernet import _core
from op_cases import CASES
from strategies import not_contiguous

OPS = {described["name"]: described for described in _core.op_list()}
EPS = {"float64": 2.0**-52, "float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}


def every_case(keep=lambda name, case: True):
    """The cases of all ops, each with a readable id."""
    return [
        pytest.param(name, case, id=f"{name}-{number}")
        for name, cases in CASES.items()
        for number, case in enumerate(cases)
        if keep(name, case)
    ]


def is_update(name):
    return OPS[name]["updates"] > 0


def flatten(args):
    return [a for item in args for a in (item if isinstance(item, list) else [item])]


def regroup(flat, like):
    """The inverse of flatten: lists where `like` has lists."""
    flat = list(flat)
    return [[flat.pop(0) for _ in item] if isinstance(item, list) else flat.pop(0) for item in like]


def draw(name, case):
    """float64 (or integer, or bool) arrays for the flattened inputs; the same at each run."""
    rng = np.random.default_rng(zlib.crc32(f"{name} {case}".encode()))
    return [arg.draw(rng) for arg in flatten(case.args)]


def keeps_type(arg):
    return arg.kind in ("index", "bool") or (arg.kind == "given" and np.asarray(arg.value).dtype.kind in "iu")


def as_type(array, dtype):
    """A tensor of that type: integers from a wider range of the same numbers."""
    array = np.asarray(array)
    if dtype in EPS:
        return _core.ops.cast(_core.constant(array, _core.float64), dtype=_core.as_dtype(dtype))
    if dtype == "bool":
        return _core.constant(array > 0.3)
    scaled = np.round(array * 4) if array.dtype.kind == "f" else array
    return _core.constant((np.abs(scaled) if dtype == "uint8" else scaled).astype(dtype))


def tensors_of(name, case, dtype):
    only_index = all(keeps_type(arg) for arg in flatten(case.args)) and not is_update(name)
    out = []
    for arg, array in zip(flatten(case.args), draw(name, case), strict=True):
        own = keeps_type(arg) and not (only_index and arg.kind == "index" and dtype in ("int32", "int64"))
        out.append(_core.constant(array) if own else as_type(array, dtype))
    return out


def plain(tensor):
    """What the reference gets and gives: float64 for floats."""
    if tensor.dtype.is_floating:
        return _core.ops.cast(tensor, dtype=_core.float64).numpy()
    return tensor.numpy()


def as_tuple(result):
    return result if isinstance(result, tuple) else () if result is None else (result,)


def call(name, case, inputs):
    return as_tuple(getattr(_core.ops, name)(*regroup(inputs, case.args), **case.attributes))


def call_update(name, case, tensors):
    """Runs an update; gives the variables' new values, then what the op returns."""
    count = OPS[name]["updates"]
    variables = [_core.Variable(t) for t in tensors[:count]]
    rest = call(name, case, [*variables, *tensors[count:]])
    return tuple(v.value() for v in variables) + rest


def run(name, case, tensors):
    return (call_update if is_update(name) else call)(name, case, tensors)


def expected(name, case, tensors):
    with np.errstate(all="ignore"):
        result = reference.OPS[name](*regroup([plain(t) for t in tensors], case.args), **case.attributes)
    return as_tuple(result)


def same_bits(a, b):
    a, b = (np.ascontiguousarray(plain(t) if isinstance(t, _core.Tensor) else t) for t in (a, b))
    return a.shape == b.shape and a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")


# --- there is an entry for everything ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OPS)
def test_op_has_cases_and_a_definition(name):
    assert CASES.get(name), f"add example calls of {name} to op_cases.py"
    assert name in reference.OPS, f"define {name} in reference.py"


def test_no_entry_is_left_over():
    assert set(CASES) == set(OPS)
    assert set(reference.OPS) == set(OPS)


# --- forward ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "case", "dtype"),
    [pytest.param(*p.values, dtype, id=f"{p.id}-{dtype}") for p in every_case() for dtype in p.values[1].dtypes],
)
def test_forward_equals_definition(name, case, dtype):
    tensors = tensors_of(name, case, dtype)
    want = expected(name, case, tensors)
    got = run(name, case, tensors)
    assert len(got) == len(want)
    for result, value in zip(got, want, strict=True):
        assert result.shape == np.shape(value)
        # Halves are computed in float32 and rounded once, so one rounding each is allowed for them.
        eps = EPS.get(result.dtype.name, 0)
        terms = case.terms if eps < 1e-3 else 1 + case.terms * EPS["float32"] / eps
        finite = np.abs(np.asarray(value, np.float64)[np.isfinite(value)])
        scale = max(1.0, finite.max(initial=0.0))
        np.testing.assert_allclose(
            np.asarray(plain(result), np.float64), np.asarray(value, np.float64), rtol=0, atol=4 * eps * terms * scale
        )


@pytest.mark.parametrize(
    ("name", "case"), every_case(lambda name, case: not is_update(name) and "float32" in case.dtypes)
)
def test_arrays_may_be_laid_out_anyhow(name, case):
    tensors = tensors_of(name, case, "float32")
    want = run(name, case, tensors)
    arrays = [not_contiguous(t.numpy()) for t in tensors]
    got = call(name, case, arrays)
    assert all(same_bits(a, b) for a, b in zip(got, want, strict=True))


# --- the three ways to run --------------------------------------------------------------------------------------------


def ways(name, case):
    return not is_update(name)


def spec_of(tensor, batch):
    shape = list(tensor.shape)
    if batch:
        shape[0] = None
    return shape, tensor.dtype


def traced(name, case, tensors, batch=()):
    """The op as a graph of one node: the graph and a function that runs its plan."""
    symbols = [_core.placeholder(*spec_of(t, i in batch)) for i, t in enumerate(tensors)]
    outputs = call(name, case, symbols)
    graph = _core.Graph(symbols, list(outputs))
    plan = _core.Plan(graph)
    return graph, lambda inputs: plan.run(inputs)


def check_ways(name, case, results, others):
    for a, b in zip(results, others, strict=True):
        if case.row_kernel:
            np.testing.assert_allclose(plain(a), b, rtol=0, atol=1e-5 if a.dtype == "float32" else 1e-13)
        else:
            assert same_bits(a.numpy(), b)


def plan_types(case):
    """The types in which plans are compared: those numpy has."""
    return [d for d in case.dtypes if d in ("float32", "float64", "float16")] or [case.dtypes[0]]


@pytest.mark.parametrize(("name", "case"), every_case(ways))
def test_eager_tape_and_plan_agree(name, case):
    for dtype in plan_types(case):
        tensors = tensors_of(name, case, dtype)
        eager = call(name, case, tensors)
        tape = _core.Tape(False)
        tape.push()
        for t in tensors:
            tape.watch(t)
        recorded = call(name, case, tensors)
        tape.pop()
        assert all(same_bits(a, b) for a, b in zip(eager, recorded, strict=True))
        if any(t.dtype == "bfloat16" for t in eager):
            continue
        graph, compiled = traced(name, case, tensors)
        assert [s.shape for s in graph.outputs] == [t.shape for t in eager]
        check_ways(name, case, eager, compiled([t.numpy() for t in tensors]))


@pytest.mark.parametrize(("name", "case"), every_case(lambda name, case: ways(name, case) and case.batch))
def test_plan_with_a_batch_symbol_agrees(name, case):
    tensors = tensors_of(name, case, plan_types(case)[0])
    eager = call(name, case, tensors)
    if any(t.dtype == "bfloat16" for t in eager):
        return
    _, compiled = traced(name, case, tensors, case.batch)
    check_ways(name, case, eager, compiled([t.numpy() for t in tensors]))
    none = [t.numpy()[:0] if i in case.batch else t.numpy() for i, t in enumerate(tensors)]
    with np.errstate(all="ignore"):
        for t, empty in zip(eager, compiled(none), strict=True):
            assert empty.ndim == t.ndim


@pytest.mark.parametrize(("name", "case"), every_case(ways))
def test_unknown_sizes_give_a_shape_that_is_not_wrong(name, case):
    """All sizes of the first input are unknown: the sizes inferred are unknown or right."""
    tensors = tensors_of(name, case, case.dtypes[0])
    first = tensors[0]
    # Axis 0 of a placeholder is the batch; cutting it off leaves unknown sizes only.
    unknown = _core.placeholder([1] + [None] * len(first.shape), first.dtype)
    unknown = _core.ops.squeeze(unknown, axes=[0])
    try:
        symbols = call(name, case, [unknown, *tensors[1:]])
    except ln.errors.GraphError:
        return
    for symbol, t in zip(symbols, call(name, case, tensors), strict=True):
        assert len(symbol.shape) == len(t.shape)
        assert all(size is None or size == real for size, real in zip(symbol.shape, t.shape, strict=True))


@pytest.mark.parametrize(("name", "case"), every_case(lambda name, case: ways(name, case) and case.attributes))
def test_attributes_appear_in_the_graph(name, case):
    tensors = tensors_of(name, case, plan_types(case)[0])
    symbols = [_core.placeholder(*spec_of(t, False)) for t in tensors]
    text = _core.Graph(symbols, list(call(name, case, symbols))).text()
    assert f"{name}(" in text
    for attribute, value in case.attributes.items():
        standard = OPS[name]["attributes"][attribute]
        same = list(value) == list(standard) if isinstance(value, list | tuple) else value == standard
        assert (f"{attribute}=" in text) is not same


# --- gradients --------------------------------------------------------------------------------------------------------

STEP = 1e-5


def has_gradient(name, case):
    return OPS[name]["differentiable"] and case.smooth and "float64" in case.dtypes


def central_differences(function, arrays, which):
    """d function / d arrays[i] for each i of `which`; function maps float64 arrays to a number."""
    out = []
    for i in which:
        slope = np.zeros_like(arrays[i])
        for at in np.ndindex(slope.shape):
            sides = []
            for sign in (1, -1):
                moved = [a.copy() for a in arrays]
                moved[i][at] += sign * STEP
                sides.append(function(moved))
            slope[at] = (sides[0] - sides[1]) / (2 * STEP)
        out.append(slope)
    return out


class Gradient:
    """The gradient of sum(weights * op(inputs)) with respect to the floating inputs, by tape."""

    def __init__(self, name, case):
        self.name, self.case = name, case
        self.which = [i for i, arg in enumerate(flatten(case.args)) if arg.differentiable]

    def outputs(self, tensors):
        return [t for t in call(self.name, self.case, tensors) if t.dtype.is_floating]

    def __call__(self, tensors, weights):
        tape = _core.Tape(False)
        tape.push()
        for i in self.which:
            tape.watch(tensors[i])
        outputs = self.outputs(tensors)
        return tape.gradient(outputs, [tensors[i] for i in self.which], weights)


def numbers(tensors_or_none, like):
    return [np.zeros(x.shape) if t is None else t.numpy() for t, x in zip(tensors_or_none, like, strict=True)]


def assert_close(got, want):
    for a, b in zip(got, want, strict=True):
        assert a.shape == b.shape
        assert np.all(np.abs(a - b) < 1e-6 * np.maximum(1, np.abs(b)))


def weights_like(arrays, seed):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=a.shape) for a in arrays]


def weighted_sum(arrays, weights):
    return sum(float(np.sum(a * w)) for a, w in zip(arrays, weights, strict=True))


@pytest.mark.parametrize(("name", "case"), every_case(has_gradient))
def test_gradient_equals_central_differences(name, case):
    gradient = Gradient(name, case)
    tensors = tensors_of(name, case, "float64")
    arrays = [t.numpy().copy() for t in tensors]
    weights = weights_like([t.numpy() for t in gradient.outputs(tensors)], 1)

    def total(moved):
        return weighted_sum([t.numpy() for t in gradient.outputs([_core.constant(a) for a in moved])], weights)

    got = gradient(tensors, [_core.constant(w) for w in weights])
    want = central_differences(total, arrays, gradient.which)
    assert_close(numbers(got, want), want)


@pytest.mark.parametrize(("name", "case"), every_case(has_gradient))
def test_second_gradient_equals_central_differences(name, case):
    gradient = Gradient(name, case)
    tensors = tensors_of(name, case, "float64")
    shapes = [t.numpy() for t in gradient.outputs(tensors)]
    weights = [_core.constant(w) for w in weights_like(shapes, 1)]
    sources = [tensors[i] for i in gradient.which]
    second_weights = weights_like([s.numpy() for s in sources], 2)
    count = len(tensors)

    outer = _core.Tape(False)
    outer.push()
    for t in [*sources, *weights]:
        outer.watch(t)
    first = gradient(tensors, weights)
    reached = [i for i, g in enumerate(first) if g is not None]
    got = outer.gradient(
        [first[i] for i in reached], [*sources, *weights], [_core.constant(second_weights[i]) for i in reached]
    )

    def total(moved):
        moved = [_core.constant(a) for a in moved]
        return weighted_sum(numbers(gradient(moved[:count], moved[count:]), second_weights), second_weights)

    arrays = [t.numpy().copy() for t in [*tensors, *weights]]
    want = central_differences(total, arrays, [*gradient.which, *range(count, len(arrays))])
    assert_close(numbers(got, want), want)


@pytest.mark.parametrize("name", [name for name, op in OPS.items() if not op["differentiable"]])
def test_op_without_gradient_says_why(name):
    assert OPS[name]["no_gradient"]


@pytest.mark.parametrize("name", [name for name, op in OPS.items() if not op["differentiable"] and not op["updates"]])
def test_nothing_flows_through_an_op_without_gradient(name):
    case = CASES[name][0]
    tensors = tensors_of(name, case, case.dtypes[0])
    tape = _core.Tape(False)
    tape.push()
    for t in tensors:
        tape.watch(t)
    outputs = call(name, case, tensors)
    assert tape.gradient(list(outputs), tensors, None) == [None] * len(tensors)


# --- documentation ----------------------------------------------------------------------------------------------------

# Ops under another public name.
PUBLIC = {
    "clip": "clip_by_value",
    "power": "pow",
    "affine": None,  # a step of other ops' gradients
    "conv": "nn.conv2d",
    "depthwise_conv": "nn.depthwise_conv2d",
    "batch_norm": "nn.batch_normalization",
    "batch_norm_train": "nn.batch_normalization_training",
    "layer_norm": "nn.layer_normalization",
    "softmax_cross_entropy": "nn.softmax_cross_entropy_with_logits",
    "sparse_softmax_cross_entropy": "nn.sparse_softmax_cross_entropy_with_logits",
    "sigmoid_cross_entropy": "nn.sigmoid_cross_entropy_with_logits",
    "random_truncated_normal": "truncated_normal",
    "random_int": "random_uniform",
}


def public_functions():
    """Op name and public function of every op that users call; gradients and updates have none of their own."""
    for name, described in OPS.items():
        if name.endswith("_grad") or name == "max_pool_pick":
            continue
        if described["updates"] and not name.startswith(("random_", "dropout")):
            continue
        path = PUBLIC.get(name, name if hasattr(ln, name) else f"nn.{name}")
        if path is not None:
            yield pytest.param(path, id=name)


@pytest.mark.parametrize("path", list(public_functions()))
def test_op_has_a_documented_function(path):
    function = ln
    for part in path.split("."):
        function = getattr(function, part)
    text = inspect.getdoc(function)
    assert text
    assert all(f"\n{section}:\n" in text for section in ("Args", "Returns", "Example"))

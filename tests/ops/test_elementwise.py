"""Elementwise ops as a family: broadcasting, special values, integers, linearity of gradients."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reference
from layernet import _core
from op_cases import CASES
from strategies import arrays, axes_of, broadcast_shapes, shapes

ops = _core.ops
UNARY = (
    "negative abs square sqrt exp log log1p expm1 floor ceil round sin cos erf relu leaky_relu elu selu sigmoid "
    "hard_sigmoid tanh softplus softsign gelu silu mish clip affine reciprocal rsqrt sign"
)
FLOAT_PAIRS = "add subtract multiply divide maximum minimum"
COMPARISONS = "equal not_equal less less_equal greater greater_equal"


@given(st.data())
@pytest.mark.parametrize("name", FLOAT_PAIRS.split())
def test_broadcasting_is_numpys(name, data):
    a, b = (data.draw(arrays(shape)) for shape in data.draw(broadcast_shapes()))

    with np.errstate(all="ignore"):
        want = getattr(np, name)(a, b)

    got = getattr(ops, name)(a, b).numpy()
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, want)


@given(st.data())
@pytest.mark.parametrize("name", COMPARISONS.split())
def test_comparisons_are_numpys(name, data):
    a, b = (np.round(data.draw(arrays(shape))) for shape in data.draw(broadcast_shapes()))

    np.testing.assert_array_equal(getattr(ops, name)(a, b).numpy(), getattr(np, name)(a, b))


@given(st.data())
def test_where_broadcasts_all_three(data):
    c, a, b = (data.draw(arrays(shape)) for shape in data.draw(broadcast_shapes(3)))

    np.testing.assert_array_equal(ops.where(c > 0, a, b).numpy(), np.where(c > 0, a, b))


@given(st.data())
@pytest.mark.parametrize("name", ["reduce_sum", "reduce_max", "reduce_mean", "reduce_prod", "reduce_variance"])
def test_reductions_over_any_axes(name, data):
    size = st.sampled_from([1, 2, 3, 5])
    x = data.draw(arrays(data.draw(shapes(size=size)), -2, 2))
    axes, keepdims = data.draw(axes_of(x.ndim)), data.draw(st.booleans())

    got = getattr(ops, name)(x, axis=axes, all=False, keepdims=keepdims).numpy()

    want = reference.OPS[name](x.astype("float64"), axis=axes, all=False, keepdims=keepdims)
    scale = max(1.0, float(np.abs(want).max(initial=0)), x.size)
    np.testing.assert_allclose(got, want, rtol=0, atol=8 * np.finfo("f4").eps * scale)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize("name", UNARY.split())
def test_nan_stays_nan(name, dtype):
    x = np.full(37, np.nan, dtype)

    assert np.isnan(getattr(ops, name)(x).numpy()).all()


@pytest.mark.parametrize("name", [n for n in UNARY.split() if n not in ("sin", "cos")])
def test_infinity_is_numpys(name):
    x = np.array([np.inf, -np.inf] * 9, "float32")

    with np.errstate(all="ignore"):
        want = reference.OPS[name](x.astype("float64"))
    # 0 times infinity: the limits are known better than the formula.
    want = np.where(np.isnan(want) & np.isin(name, ["silu", "mish", "gelu"]), 0 * (x > 0), want)
    want = np.where(np.isnan(want) & np.isin(name, ["softsign"]), np.sign(x), want)

    np.testing.assert_array_equal(getattr(ops, name)(x).numpy(), want.astype("float32"))


@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_extremes_of_nan_are_nan(name):
    a, b = np.array([np.nan, 1.0, np.nan] * 7, "float32"), np.array([1.0, np.nan, np.nan] * 7, "float32")

    assert np.isnan(getattr(ops, name)(a, b).numpy()).all()


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64"])
@pytest.mark.parametrize("name", ["add", "subtract", "multiply"])
def test_integers_wrap(name, dtype):
    info = np.iinfo(dtype)
    a = np.array([info.max, info.min, info.max, 3] * 5, dtype)
    b = np.array([1, 1, info.max, 5] * 5, dtype)

    with np.errstate(all="ignore"):
        want = getattr(np, name)(a, b)

    np.testing.assert_array_equal(getattr(ops, name)(a, b).numpy(), want)


@pytest.mark.parametrize("dtype", ["int32", "int64", "float32", "float64"])
def test_division_rounds_down_as_in_python(dtype):
    a, b = np.array([7, -7, 7, -7, 0], dtype), np.array([2, 2, -2, -2, 5], dtype)

    np.testing.assert_array_equal(ops.floordiv(a, b).numpy(), [3, -4, -4, 3, 0])
    np.testing.assert_array_equal(ops.mod(a, b).numpy(), [1, 1, -1, -1, 0])


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_integer_division_by_zero_is_zero(dtype):
    a, b = np.array([7, -7, 0], dtype), np.zeros(3, dtype)

    np.testing.assert_array_equal(ops.floordiv(a, b).numpy(), 0)
    np.testing.assert_array_equal(ops.mod(a, b).numpy(), 0)


def test_integer_extremes_divided_by_minus_one():
    low = np.array([np.iinfo("int32").min], "int32")

    np.testing.assert_array_equal(ops.floordiv(low, np.array([-1], "int32")).numpy(), low)
    np.testing.assert_array_equal(ops.mod(low, np.array([-1], "int32")).numpy(), 0)


@pytest.mark.parametrize(
    ("value", "to", "want"),
    [
        (np.nan, "int32", 0),
        (1e20, "int32", 2**31 - 1),
        (-1e20, "int64", -(2**63)),
        (-1.9, "int8", -1),
        (300.0, "uint8", 255),
        (-5.0, "uint8", 0),
        (0.5, "bool", True),
        (65520.0, "float16", np.inf),
        (2.0**-25, "float16", 0.0),
    ],
)
def test_casts_truncate_and_saturate(value, to, want):
    assert ops.cast(_core.constant(np.float64(value)), dtype=_core.as_dtype(to)).numpy() == want


@pytest.mark.parametrize("name", ["relu", "abs", "leaky_relu"])
def test_slope_at_the_kink(name):
    x = _core.constant(np.zeros(3))
    tape = _core.Tape(False)
    tape.push()
    tape.watch(x)

    (gradient,) = tape.gradient([getattr(ops, name)(x)], [x], None)

    np.testing.assert_array_equal(gradient.numpy(), 0.2 if name == "leaky_relu" else 0)


LINEAR = [name for name in CASES if name.endswith("_grad") and f"{name[:-5]}" in UNARY.split()]


@pytest.mark.parametrize("name", LINEAR)
def test_gradient_ops_are_linear(name):
    rng = np.random.default_rng(17)
    case = CASES[name][0]
    dy, v = (arg.draw(rng) for arg in case.args)

    once = getattr(ops, name)(dy, v, **case.attributes).numpy()
    twice = getattr(ops, name)(2 * dy, v, **case.attributes).numpy()

    np.testing.assert_array_equal(twice, 2 * once)


@given(st.data())
def test_matmul_broadcasts_leading_axes(data):
    m, k, n = (data.draw(st.sampled_from([0, 1, 2, 3, 17])) for _ in range(3))
    lead_a, lead_b = data.draw(broadcast_shapes(max_rank=2))
    a, b = data.draw(arrays((*lead_a, m, k), dtype="float64")), data.draw(arrays((*lead_b, k, n), dtype="float64"))

    np.testing.assert_allclose(ops.matmul(a, b).numpy(), a @ b, rtol=0, atol=1e-12)

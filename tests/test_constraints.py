"""Constraints against their formulas in float64."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import layernet as ln

EPSILON = 1e-7
# Squares, a sum of at most 16, a root, a quotient and a product: fewer than 16 + 6 roundings.
RTOL = 22 * np.finfo(np.float64).eps
ARRAYS = hnp.arrays(np.float64, hnp.array_shapes(min_dims=2, max_dims=3, max_side=4), elements=st.floats(-10, 10))


def norm(w, axis):
    return np.sqrt(np.square(w).sum(axis=axis, keepdims=True))


@given(ARRAYS)
def test_non_neg(w):
    np.testing.assert_array_equal(ln.constraints.NonNeg()(ln.constant(w)).numpy(), w * (w >= 0))


@given(ARRAYS, st.floats(0.1, 5.0), st.sampled_from([0, 1, -1, (0, 1)]))
def test_max_norm(w, limit, axis):
    got = ln.constraints.MaxNorm(limit, axis)(ln.constant(w)).numpy()
    n = norm(w, axis)
    np.testing.assert_allclose(got, w * np.clip(n, 0, limit) / (EPSILON + n), rtol=RTOL, atol=1e-300)
    assert (norm(got, axis) <= limit * (1 + RTOL)).all()


@given(ARRAYS, st.sampled_from([0, 1, (0, 1)]))
def test_unit_norm(w, axis):
    got = ln.constraints.UnitNorm(axis)(ln.constant(w)).numpy()
    np.testing.assert_allclose(got, w / (EPSILON + norm(w, axis)), rtol=RTOL, atol=1e-300)


@given(ARRAYS, st.floats(0.0, 1.0), st.floats(1.0, 5.0), st.floats(0.0, 1.0), st.sampled_from([0, 1]))
def test_min_max_norm(w, low, high, rate, axis):
    got = ln.constraints.MinMaxNorm(low, high, rate, axis)(ln.constant(w)).numpy()
    n = norm(w, axis)
    want = w * (rate * np.clip(n, low, high) + (1 - rate) * n) / (EPSILON + n)
    np.testing.assert_allclose(got, want, rtol=2 * RTOL, atol=1e-300)


def test_zero_vectors_stay_zero():
    zero = ln.constant([[0.0], [0.0]])
    for constraint in (ln.constraints.UnitNorm(), ln.constraints.MaxNorm(), ln.constraints.MinMaxNorm(1.0, 2.0)):
        np.testing.assert_array_equal(constraint(zero).numpy(), [[0.0], [0.0]])


def test_variables_are_read_and_not_changed():
    v = ln.Variable([[3.0], [4.0]])
    np.testing.assert_allclose(ln.constraints.MaxNorm(1.0)(v).numpy(), [[0.6], [0.8]], rtol=1e-6)
    np.testing.assert_array_equal(v.numpy(), [[3.0], [4.0]])


@pytest.mark.parametrize(
    "constraint",
    [
        ln.constraints.NonNeg(),
        ln.constraints.MaxNorm(3, axis=[0, 1]),
        ln.constraints.UnitNorm(1),
        ln.constraints.MinMaxNorm(0.5, 2.0, 0.25, 1),
    ],
    ids=lambda c: type(c).__name__,
)
def test_serialized_and_made_again(constraint):
    config = ln.constraints.serialize(constraint)
    assert config["class_name"] == type(constraint).__name__
    again = ln.constraints.deserialize(config)
    assert repr(again) == repr(constraint)


def test_names():
    assert ln.constraints.get(None) is None
    assert repr(ln.constraints.get("max_norm")) == repr(ln.constraints.max_norm()) == "MaxNorm(max_value=2, axis=0)"
    with pytest.raises(ValueError, match=r"constraint: expected a known name, got 'norm'. Known names: MaxNorm"):
        ln.constraints.get("norm")


def test_base_class_allows_nothing():
    with pytest.raises(NotImplementedError, match=r"Constraint: expected the constraint to define __call__"):
        ln.constraints.Constraint()(ln.constant([1.0]))

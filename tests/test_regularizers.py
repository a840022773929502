"""Penalties against their formulas in float64."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import layernet as ln

FACTORS = st.floats(0.0, 10.0)
ARRAYS = hnp.arrays(np.float64, hnp.array_shapes(max_dims=3, max_side=5), elements=st.floats(-100, 100))


def reference(w, l1, l2):
    return l1 * np.abs(w).sum() + l2 * np.square(w).sum()


@given(ARRAYS, FACTORS, FACTORS)
def test_l1_l2_of_any_array(w, l1, l2):
    got = ln.regularizers.L1L2(l1, l2)(ln.constant(w))
    # A sum of at most 125 terms of one sign, each rounded three times.
    np.testing.assert_allclose(float(got), reference(w, l1, l2), rtol=130 * np.finfo(np.float64).eps, atol=1e-300)


@pytest.mark.parametrize(
    ("regularizer", "l1", "l2"),
    [
        (ln.regularizers.l1(), 0.01, 0),
        (ln.regularizers.l2(), 0, 0.01),
        (ln.regularizers.l1_l2(), 0.01, 0.01),
        (ln.regularizers.l1(0.5), 0.5, 0),
        (ln.regularizers.l2(l=0.5), 0, 0.5),
        (ln.regularizers.l1_l2(l1=0.5, l2=0.25), 0.5, 0.25),
        (ln.regularizers.L1L2(), 0, 0),
    ],
)
def test_defaults_and_factors(regularizer, l1, l2):
    w = np.array([[1.0, -2.0], [0.5, 0.0]], np.float32)
    got = regularizer(ln.Variable(w))
    assert (got.shape, got.dtype) == ((), "float32")
    np.testing.assert_allclose(float(got), reference(w.astype(float), l1, l2), rtol=1e-6)


def test_gradient():
    w = ln.Variable([1.0, -2.0, 0.0])
    with ln.GradientTape() as tape:
        penalty = ln.regularizers.l1_l2(0.5, 0.25)(w)
    np.testing.assert_allclose(tape.gradient(penalty, w).numpy(), [1.0, -1.5, 0.0], rtol=1e-6)


@pytest.mark.parametrize("value", [-0.1, float("inf"), float("nan")])
def test_factor_out_of_range(value):
    with pytest.raises(ValueError, match=r"L1L2: expected l2 to be a finite number of 0 or more, got"):
        ln.regularizers.l2(value)


def test_names_and_configurations():
    get, serialize, deserialize = ln.regularizers.get, ln.regularizers.serialize, ln.regularizers.deserialize
    assert get(None) is None
    assert repr(get("l2")) == repr(get(ln.regularizers.l2)) == "L1L2(l1=0.0, l2=0.01)"
    assert serialize(get("l1")) == {"class_name": "L1L2", "config": {"l1": 0.01, "l2": 0.0}}
    assert repr(deserialize(serialize(ln.regularizers.l1_l2(0.5)))) == "L1L2(l1=0.5, l2=0.01)"
    assert repr(deserialize({"class_name": "l1", "config": {"l": 0.5}})) == "L1L2(l1=0.5, l2=0.0)"
    assert serialize(None) is deserialize(None) is None
    with pytest.raises(ValueError, match=r"regularizer: expected a known name, got 'l3'. Known names: L1L2, l1, l1_l2"):
        get("l3")
    with pytest.raises(ValueError, match=r"regularizer: expected something with get_config\(\) or a name, got 3"):
        serialize(3)


def test_base_class_has_no_penalty():
    with pytest.raises(NotImplementedError, match=r"Regularizer: expected the regularizer to define __call__"):
        ln.regularizers.Regularizer()(ln.constant([1.0]))

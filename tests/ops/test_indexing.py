"""Gather, scatter and one-hot: any axis, repeated, negative and wrong indices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reference
from layernet import _core
from strategies import arrays, positive_sizes, shapes

ops = _core.ops


@given(st.data())
def test_gather_takes_as_numpy_does(data):
    x = data.draw(arrays(data.draw(shapes(min_rank=1, size=positive_sizes))))
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    size = x.shape[axis]
    where = data.draw(shapes(max_rank=2))
    indices = np.random.default_rng(data.draw(st.integers(0, 99))).integers(-size, size, where)

    np.testing.assert_array_equal(ops.gather(x, indices, axis=axis).numpy(), np.take(x, indices, axis))
    np.testing.assert_array_equal(ops.gather(x, indices.astype("int32"), axis=axis).numpy(), np.take(x, indices, axis))


@given(st.data())
def test_scatter_adds_repeated_rows(data):
    x = data.draw(arrays(data.draw(shapes(min_rank=1, max_rank=3, size=positive_sizes)), dtype="float64"))
    count = data.draw(st.integers(0, 9))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    indices, updates = rng.integers(-len(x), len(x), count), rng.normal(size=(count, *x.shape[1:]))

    got = ops.scatter_add(x, indices, updates).numpy()

    np.testing.assert_allclose(got, reference.scatter_add(x, indices, updates), rtol=0, atol=1e-13)


def test_scatter_leaves_its_input_alone():
    x = _core.constant(np.zeros((2, 2), "float32"))

    ops.scatter_add(x, np.array([0]), np.ones((1, 2), "float32"))

    np.testing.assert_array_equal(x.numpy(), 0)


@pytest.mark.parametrize(
    ("dtype", "outside"), [("float32", np.nan), ("float64", np.nan), ("int32", 0), ("bool", False)]
)
def test_index_outside_reads_no_memory(dtype, outside):
    x = np.ones((3, 2), dtype)

    y = ops.gather(x, np.array([0, 3, -4, 2**62, 2])).numpy()

    np.testing.assert_array_equal(y[[0, 4]], x[:2])
    np.testing.assert_array_equal(y[1:4], np.full((3, 2), outside, dtype))


def test_index_into_nothing():
    assert np.isnan(ops.gather(np.zeros((0, 2), "float32"), np.array([0])).numpy()).all()


def test_scatter_outside_adds_nothing():
    y = ops.scatter_add(np.zeros((2, 1)), np.array([5, 1, -3]), np.ones((3, 1))).numpy()

    np.testing.assert_array_equal(y, [[0], [1]])


def test_one_hot_of_a_list_of_integers():
    np.testing.assert_array_equal(ops.one_hot([1, 0], depth=2).numpy(), [[0, 1], [1, 0]])


def test_embedding_of_a_batch_in_a_plan():
    table = _core.constant(np.arange(10, dtype="float32").reshape(5, 2))
    rows = _core.placeholder((None, 3), _core.int64)
    plan = _core.Plan(_core.Graph([rows], [ops.gather(table, rows)]))

    for count in (4, 0, 1):
        indices = np.arange(count * 3).reshape(count, 3) % 5
        np.testing.assert_array_equal(plan.run([indices])[0], table.numpy()[indices])


@given(st.data())
def test_arg_extremes_are_numpys(data):
    x = np.round(data.draw(arrays(data.draw(shapes(min_rank=1, size=positive_sizes)))))
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))

    np.testing.assert_array_equal(ops.argmax(x, axis=axis).numpy(), x.argmax(axis))
    np.testing.assert_array_equal(ops.argmin(x, axis=axis).numpy(), x.argmin(axis))


def test_nan_is_the_extreme():
    x = np.array([1.0, np.nan, 3.0, np.nan], "float32")

    assert (int(ops.argmax(x)), int(ops.argmin(x))) == (1, 1)

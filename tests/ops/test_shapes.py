"""Ops that move elements: what undoes what, and sizes that hang on the batch."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layernet import _core, errors
from strategies import arrays, permutations, positive_sizes, shapes

ops = _core.ops


def batch(*rest):
    return _core.placeholder((None, *rest), _core.float32)


INPUT = batch(4, 2)


@given(st.data())
def test_split_undoes_concat(data):
    x = data.draw(arrays(data.draw(shapes(min_rank=1, max_rank=3))))
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    cuts = sorted(data.draw(st.lists(st.integers(0, x.shape[axis]), max_size=3)))
    sizes = [b - a for a, b in zip([0, *cuts], [*cuts, x.shape[axis]], strict=True)]

    parts = ops.split(x, sizes=sizes, axis=axis)
    parts = list(parts) if isinstance(parts, tuple) else [parts]

    assert [p.shape[axis] for p in parts] == sizes
    np.testing.assert_array_equal(ops.concat(parts, axis=axis).numpy(), x)


@given(st.data())
def test_stack_and_its_gradient_undo_each_other(data):
    shape = data.draw(shapes(max_rank=3))
    xs = [data.draw(arrays(shape)) for _ in range(data.draw(st.integers(1, 4)))]
    axis = data.draw(st.integers(-len(shape) - 1, len(shape)))

    y = ops.stack(xs, axis=axis)
    back = ops.stack_grad(y, axis=axis)

    np.testing.assert_array_equal(y.numpy(), np.stack(xs, axis))
    for got, want in zip(back if isinstance(back, tuple) else [back], xs, strict=True):
        np.testing.assert_array_equal(got.numpy(), want)


@given(st.data())
def test_pad_gradient_cuts_what_pad_adds(data):
    x = data.draw(arrays(data.draw(shapes(max_rank=3))))
    before, after = (data.draw(st.lists(st.integers(0, 3), min_size=x.ndim, max_size=x.ndim)) for _ in range(2))

    y = ops.pad(x, before=before, after=after, value=2.5)

    np.testing.assert_array_equal(
        y.numpy(), np.pad(x, list(zip(before, after, strict=True)), constant_values=2.5) if x.ndim else x
    )
    np.testing.assert_array_equal(ops.pad_grad(y, before=before, after=after).numpy(), x)


@given(st.data())
def test_transposing_back(data):
    x = data.draw(arrays(data.draw(shapes(max_rank=4))))
    perm = data.draw(permutations(x.ndim))

    y = ops.transpose(x, perm=perm)

    np.testing.assert_array_equal(y.numpy(), np.transpose(x, perm))
    if x.ndim:
        np.testing.assert_array_equal(ops.transpose(y, perm=list(np.argsort(perm))).numpy(), x)


@given(st.data())
def test_tile_repeats_as_numpy_does(data):
    x = data.draw(arrays(data.draw(shapes(max_rank=3, size=positive_sizes))))
    multiples = data.draw(st.lists(st.integers(0, 3), min_size=x.ndim, max_size=x.ndim))

    np.testing.assert_array_equal(ops.tile(x, multiples=multiples).numpy(), np.tile(x, multiples) if x.ndim else x)


@given(st.data())
def test_slices_are_pythons(data):
    x = data.draw(arrays(data.draw(shapes(min_rank=1, max_rank=3, size=positive_sizes))))
    axis = data.draw(st.integers(0, x.ndim - 1))
    edges = st.none() | st.integers(-9, 9)
    cut = slice(data.draw(edges), data.draw(edges), data.draw(st.sampled_from([None, 1, 2, -1, -3])))
    index = (slice(None),) * axis + (cut,)

    np.testing.assert_array_equal(_core.constant(x)[index].numpy(), x[index])


@pytest.mark.parametrize(
    ("apply", "sizes"),
    [
        (lambda x: ops.concat([x, x], axis=0), "float32[2N, 4, 2]"),
        (lambda x: ops.concat([x, x], axis=1), "float32[N, 8, 2]"),
        (lambda x: ops.tile(x, multiples=[3, 1, 1]), "float32[3N, 4, 2]"),
        (lambda x: ops.reshape(x, shape=(-1, 2)), "float32[4N, 2]"),
        (lambda x: ops.reshape(ops.reshape(x, shape=(-1, 2)), shape=(-1, 8)), "float32[N, 8]"),
        (lambda x: ops.transpose(x, perm=[1, 0, 2]), "float32[4, N, 2]"),
        (lambda x: ops.stack([x, x, x], axis=-1), "float32[N, 4, 2, 3]"),
        (lambda x: ops.split(x, sizes=[1, 3], axis=1)[1], "float32[N, 3, 2]"),
        (lambda x: ops.pad(x, before=[0, 1, 0], after=[0, 1, 5]), "float32[N, 6, 7]"),
        (lambda x: ops.gather(x, np.array([[0, 1, 1]]), axis=1), "float32[N, 1, 3, 2]"),
        (lambda x: ops.argmax(x, axis=1), "int64[N, 2]"),
        (lambda x: ops.softmax(x), "float32[N, 4, 2]"),
        (lambda x: ops.conv(x, np.ones((2, 2, 5), "float32")), "float32[N, 3, 5]"),
        (lambda x: ops.max_pool(x, size=[2]), "float32[N, 2, 2]"),
        (lambda x: ops.layer_norm(x, np.ones(2, "float32"), np.ones(2, "float32")), "float32[N, 4, 2]"),
        (lambda x: ops.reduce_sum(x, axis=[1], all=False), "float32[N, 2]"),
    ],
)
def test_sizes_that_hang_on_the_batch(apply, sizes):
    y = apply(INPUT)
    node = _core.Graph([INPUT], [y]).text().split("\nreturn")[0].split("\n")[-1]

    assert node.endswith(f" : {sizes}") or f", {sizes}" in node.split(" : ")[1]


def test_plan_of_a_batch_twice_as_long():
    x = batch(3)
    plan = _core.Plan(_core.Graph([x], [ops.tile(ops.concat([x, x], axis=0), multiples=[1, 2])]))

    for count in (2, 0, 5):
        a = np.arange(count * 3, dtype="float32").reshape(count, 3)
        np.testing.assert_array_equal(plan.run([a])[0], np.tile(np.concatenate([a, a]), (1, 2)))


@pytest.mark.parametrize(
    "apply",
    [
        lambda x: ops.concat([x, np.ones((1, 4, 2), "float32")], axis=0),
        lambda x: ops.reshape(x, shape=(-1, 3)),
    ],
)
def test_sizes_that_are_no_multiple_of_the_batch(apply):
    with pytest.raises(errors.GraphError, match="multiples of the batch symbol N"):
        apply(INPUT)


@pytest.mark.parametrize("x", [np.ones((3, 4), "float32"), np.ones((0, 4), "float32"), INPUT])
def test_reshape_infers_no_size_beside_a_zero(x):
    with pytest.raises(errors.ShapeError, match=r"reshape: expected no size of 0 beside -1.*got \[0, \?\]"):
        ops.reshape(x, shape=(0, -1))


def test_reshape_infers_a_size_of_zero():
    assert ops.reshape(np.ones((0, 4), "float32"), shape=(-1, 2)).shape == (0, 2)

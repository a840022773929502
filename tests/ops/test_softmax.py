"""Softmax and the cross-entropies where the plain formula would overflow, cancel or divide by zero."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reference
from layernet import _core
from strategies import arrays, axes_of, positive_sizes, shapes

ops = _core.ops
F32 = float(np.finfo(np.float32).eps)


@given(st.data())
def test_softmax_sums_to_one_along_any_axis(data):
    shape = data.draw(shapes(min_rank=1, size=positive_sizes))
    x = data.draw(arrays(shape, -50, 50))
    (axis,) = data.draw(axes_of(len(shape)).filter(lambda axes: len(axes) > 0))[:1]

    y = ops.softmax(x, axis=axis).numpy()

    np.testing.assert_allclose(y.sum(axis), 1, rtol=0, atol=4 * F32 * x.shape[axis])
    np.testing.assert_allclose(y, reference.softmax(x.astype("float64"), axis), rtol=0, atol=40 * F32)


@given(st.data())
def test_softmax_does_not_change_with_a_common_shift(data):
    x = np.round(data.draw(arrays((3, 5), -8, 8)))

    np.testing.assert_array_equal(ops.softmax(x).numpy(), ops.softmax(x + 64).numpy())


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_rows_do_not_depend_on_each_other(name):
    x = np.random.default_rng(3).normal(size=(9, 37)).astype("float32")
    op = getattr(ops, name)

    whole = op(x).numpy()

    for i in range(len(x)):
        np.testing.assert_array_equal(op(x[i : i + 1]).numpy()[0], whole[i])


def test_large_logits_do_not_overflow():
    x = np.array([[1e4, 0.0, -1e4], [-3e38, 3e38, 0.0]], "float32")

    np.testing.assert_array_equal(ops.softmax(x).numpy(), [[1, 0, 0], [0, 1, 0]])
    np.testing.assert_allclose(ops.log_softmax(x).numpy()[0], [0, -1e4, -2e4])


def test_minus_infinity_has_probability_zero():
    np.testing.assert_array_equal(ops.softmax(np.array([-np.inf, 0.0], "float32")).numpy(), [0, 1])


def test_nan_spreads_over_its_row_only():
    y = ops.softmax(np.array([[np.nan, 0.0], [0.0, 0.0]], "float32")).numpy()

    assert np.isnan(y[0]).all()
    np.testing.assert_array_equal(y[1], [0.5, 0.5])


@pytest.mark.parametrize(("logit", "label", "loss"), [(1000, 1, 0), (1000, 0, 1000), (-1000, 1, 1000), (-1000, 0, 0)])
def test_sigmoid_cross_entropy_of_sure_answers(logit, label, loss):
    assert float(ops.sigmoid_cross_entropy(np.float32(logit), np.float32(label))) == loss


def test_sigmoid_cross_entropy_keeps_small_losses():
    loss = float(ops.sigmoid_cross_entropy(np.float32(20), np.float32(1)))

    assert loss == pytest.approx(np.log1p(np.exp(-20.0)), rel=4 * F32)


def test_softmax_cross_entropy_of_sure_answers():
    logits = np.array([[1000.0, 0.0], [1000.0, 0.0]], "float32")

    np.testing.assert_array_equal(ops.softmax_cross_entropy(logits, np.eye(2, dtype="float32"))[0].numpy(), [0, 1000])
    np.testing.assert_array_equal(ops.sparse_softmax_cross_entropy(logits, np.array([0, 1]))[0].numpy(), [0, 1000])


def test_sparse_and_dense_labels_agree():
    rng = np.random.default_rng(5)
    logits, labels = rng.normal(size=(7, 11)).astype("float32"), rng.integers(0, 11, 7)

    dense = ops.softmax_cross_entropy(logits, np.eye(11, dtype="float32")[labels])[0].numpy()

    np.testing.assert_allclose(ops.sparse_softmax_cross_entropy(logits, labels)[0].numpy(), dense, rtol=8 * F32)


@pytest.mark.parametrize("label", [-1, 3, 2**40, -(2**40)])
def test_label_outside_is_nan_and_touches_no_other_row(label):
    logits = _core.constant(np.zeros((2, 3), "float32"))
    labels = np.array([label, 1])
    tape = _core.Tape(False)
    tape.push()
    tape.watch(logits)

    loss = ops.sparse_softmax_cross_entropy(logits, labels)[0]
    (gradient,) = tape.gradient([loss], [logits], None)

    np.testing.assert_array_equal(np.isnan(loss.numpy()), [True, False])
    np.testing.assert_array_equal(np.isnan(gradient.numpy()).all(1), [True, False])


def test_gradient_reaches_soft_labels():
    logits, labels = (_core.constant(v, _core.float64) for v in ([[1.0, 2.0]], [[0.25, 0.75]]))
    tape = _core.Tape(False)
    tape.push()
    tape.watch(labels)

    (gradient,) = tape.gradient([ops.softmax_cross_entropy(logits, labels)[0]], [labels], None)

    np.testing.assert_allclose(gradient.numpy(), -reference.log_softmax(np.array([[1.0, 2.0]])))

"""The functions of ops.py and nn.py beyond passing their arguments on. The ops themselves are tested in tests/ops."""

import numpy as np
import pytest

import layernet as ln

X = np.arange(24, dtype="float32").reshape(2, 3, 4)

# Ops that only layers, gradients or optimizers use.
INTERNAL = ("_grad", "_pick", "adam", "adagrad", "momentum", "rmsprop", "rmsprop_centered", "sgd", "affine")
# Registry name to the function's name where they differ.
RENAMED = {
    "power": "pow",
    "clip": "clip_by_value",
    "avg_pool": "avg_pool",
    "batch_norm": "batch_normalization",
    "batch_norm_train": "batch_normalization_training",
    "conv": "conv2d",
    "layer_norm": "layer_normalization",
    "random_truncated_normal": "truncated_normal",
    "random_int": "random_uniform",
    "softmax_cross_entropy": "softmax_cross_entropy_with_logits",
    "sparse_softmax_cross_entropy": "sparse_softmax_cross_entropy_with_logits",
    "sigmoid_cross_entropy": "sigmoid_cross_entropy_with_logits",
}


@pytest.mark.parametrize("op", [op["name"] for op in ln._core.op_list() if not op["name"].endswith(INTERNAL)])
def test_op_has_a_function(op):
    name = RENAMED.get(op, op)

    assert hasattr(ln.ops, name) or hasattr(ln.nn, name)


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2), [1], []])
@pytest.mark.parametrize("keepdims", [False, True])
def test_reduction_over_axes(axis, keepdims):
    expected = X.sum(axis=tuple(axis) if isinstance(axis, list) else axis, keepdims=keepdims)

    np.testing.assert_array_equal(ln.reduce_sum(X, axis, keepdims=keepdims).numpy(), expected)


def test_split_into_equal_pieces():
    pieces = ln.split(X, 2, axis=-1)

    assert [p.shape for p in pieces] == [(2, 3, 2)] * 2
    np.testing.assert_array_equal(pieces[1].numpy(), X[:, :, 2:])


def test_split_into_one_piece():
    (piece,) = ln.split(X, 1)

    np.testing.assert_array_equal(piece.numpy(), X)


def test_split_that_leaves_a_rest():
    with pytest.raises(
        ln.errors.ShapeError, match="split: expected an axis that divides into 2 equal pieces, got size 3"
    ):
        ln.split(X, 2, axis=1)


def test_unstack_is_the_inverse_of_stack():
    np.testing.assert_array_equal(ln.stack(ln.unstack(X, axis=1), axis=1).numpy(), X)


def test_slice_takes_the_rest_with_minus_one():
    np.testing.assert_array_equal(ln.slice(X, [0, 1, 2], [1, -1, 1]).numpy(), X[:1, 1:, 2:3])


def test_transpose_reverses_the_axes_by_default():
    np.testing.assert_array_equal(ln.transpose(X).numpy(), X.T)


def test_squeeze_of_all_and_of_one_axis():
    x = X.reshape(1, 2, 1, 12)

    assert ln.squeeze(x).shape == (2, 12)
    assert ln.squeeze(x, 0).shape == (2, 1, 12)
    assert ln.squeeze(x, [-2]).shape == (1, 2, 12)


def test_pad_with_a_value():
    np.testing.assert_array_equal(
        ln.pad(X[0], [[1, 0], [0, 2]], 7.0).numpy(), np.pad(X[0], [(1, 0), (0, 2)], constant_values=7)
    )


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: ln.range(3), np.arange(3, dtype="int32")),
        (lambda: ln.range(1, 2, 0.25), np.arange(1, 2, 0.25, dtype="float32")),
        (lambda: ln.range(5, 0, -2, dtype="int64"), np.array([5, 3, 1])),
        (lambda: ln.eye(2, 3), np.eye(2, 3, dtype="float32")),
        (lambda: ln.fill((2,), True), np.array([True, True])),
        (lambda: ln.zeros((2, 0), "int8"), np.zeros((2, 0), "int8")),
        (lambda: ln.ones((), "float64"), np.ones(())),
    ],
)
def test_making_tensors(call, expected):
    made = call().numpy()

    np.testing.assert_array_equal(made, expected)
    assert made.dtype == expected.dtype


def test_reshape_to_the_shape_of_another_tensor():
    assert ln.reshape(X, ln.shape(np.zeros((4, 6)))).shape == (4, 6)


def test_reshape_to_the_shape_of_a_symbol():
    x = ln.Input((3, 4))
    flat = ln.reshape(x, [ln.shape(x)[0], 12])

    assert flat.shape == (None, 12)
    assert ln.reshape(flat, ln.shape(x)).shape == (None, 3, 4)


def test_convert_to_tensor_keeps_tensors_and_symbols():
    x, s = ln.constant([1.0]), ln.Input((2,))

    assert ln.convert_to_tensor(x) is x
    assert ln.convert_to_tensor(s) is s
    assert ln.convert_to_tensor([1, 2], dtype="float64").dtype.name == "float64"


def test_convert_to_tensor_reads_variables():
    v = ln.Variable([1.0])
    with ln.GradientTape() as tape:
        y = ln.convert_to_tensor(v) * 3.0

    assert tape.gradient(y, v).numpy().tolist() == [3.0]


def test_moments():
    mean, variance = ln.nn.moments(X, [0, 2], keepdims=True)

    np.testing.assert_allclose(mean.numpy(), X.mean((0, 2), keepdims=True), rtol=2**-22)
    np.testing.assert_allclose(variance.numpy(), X.var((0, 2), keepdims=True), rtol=2**-20)


def test_l2_normalize_of_zeros():
    assert ln.nn.l2_normalize([0.0, 0.0]).numpy().tolist() == [0.0, 0.0]


def test_dropout_with_a_noise_shape():
    y = ln.nn.dropout(np.ones((8, 5, 6), "float32"), rate=0.5, noise_shape=(None, 1, None), seed=1).numpy()

    assert (y == y[:, :1]).all()
    assert set(np.unique(y)) == {0.0, 2.0}


def test_padding_may_be_in_capitals():
    x, w = np.ones((1, 4, 1), "float32"), np.ones((3, 1, 1), "float32")

    assert ln.nn.conv1d(x, w, padding="SAME").shape == (1, 4, 1)
    assert ln.nn.max_pool(x, 2, 2, "VALID").shape == (1, 2, 1)

"""The functions of ops.py and nn.py beyond passing their arguments on. The ops themselves are tested in tests/ops."""

import numpy as np
import pytest

import layernet as ln

X = np.arange(24, dtype="float32").reshape(2, 3, 4)

# Ops that only layers, gradients or optimizers use.
OPTIMIZERS = ("adadelta", "adagrad", "adam", "adamax", "lion", "momentum", "rmsprop", "rmsprop_centered", "sgd")
INTERNAL = ("_grad", "_pick", "affine", *OPTIMIZERS)
# Registry name to the function's name where they differ.
RENAMED = {
    "power": "pow",
    "clip": "clip_by_value",
    "avg_pool": "avg_pool",
    "batch_norm": "batch_normalization",
    "batch_norm_train": "batch_normalization_training",
    "conv": "conv2d",
    "depthwise_conv": "depthwise_conv2d",
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


@pytest.mark.parametrize(
    "use",
    [
        lambda n: ln.reduce_sum(X, n),
        lambda n: ln.reshape(X, n * 24),
        lambda n: ln.squeeze(X[:, :1], n),
        lambda n: ln.split(X, n, 1)[0],
        lambda n: ln.Input(n),
        lambda n: ln.clip_by_norm(X, 1.0, n),
        lambda n: ln.nn.max_pool(X, n, n, "same"),
        lambda n: ln.nn.l2_normalize(X, n),
    ],
)
def test_numbers_of_numpy_are_numbers(use):
    assert use(np.int64(1)).shape == use(1).shape


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


@pytest.mark.parametrize("strides", [1, (2, 3)])
@pytest.mark.parametrize("padding", ["same", "VALID"])
def test_conv2d_transpose_is_the_transpose(padding, strides):
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(2, 7, 9, 3)), rng.normal(size=(3, 2, 3, 4))
    y = ln.nn.conv2d(x, w, strides, padding)
    g = rng.normal(size=y.shape)

    back = ln.nn.conv2d_transpose(g, w, x.shape, strides, padding)

    np.testing.assert_allclose(np.sum(back.numpy() * x), np.sum(y.numpy() * g), rtol=1e-12)


@pytest.mark.parametrize("shape", [(1, 4, 4), (1, None, 4, 1)])
def test_conv2d_transpose_into_an_incomplete_shape(shape):
    with pytest.raises(ln.errors.ShapeError, match=r"^conv2d_transpose: expected an output_shape of 4 sizes, got"):
        ln.nn.conv2d_transpose(np.ones((1, 2, 2, 3)), np.ones((3, 3, 1, 3)), shape, 2)


@pytest.mark.parametrize("shape", [(1, 4, 4, 4, 2), (2, 4, 4, 4, 1)])
def test_conv3d_transpose_into_another_shape(shape):
    with pytest.raises(ln.errors.ShapeError, match=r"^conv3d_transpose: expected output_shape \[1, 4, 4, 4, 1\], got"):
        ln.nn.conv3d_transpose(np.ones((1, 2, 2, 2, 3)), np.ones((3, 3, 3, 1, 3)), shape, 2)


def test_depthwise_channels_come_filter_by_filter():
    x, w = np.array([[[[1.0, 10.0]]]]), np.array([[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]])

    assert ln.nn.depthwise_conv2d(x, w).numpy().ravel().tolist() == [1, 2, 3, 40, 50, 60]
    assert ln.nn.depthwise_conv2d(ln.Input((4, 5, 2)), w.astype("float32")).shape == (None, 4, 5, 6)


def test_depthwise_filters_of_another_rank():
    with pytest.raises(
        ln.errors.ShapeError,
        match=r"^depthwise_conv2d: expected filters of rank 4 \(spatial, in, multiplier\), got shape \[3, 3, 2\].$",
    ):
        ln.nn.depthwise_conv2d(np.ones((1, 4, 4, 2)), np.ones((3, 3, 2)))


def test_separable_convolution_is_one_after_the_other():
    rng = np.random.default_rng(1)
    x, d, p = rng.normal(size=(2, 6, 7, 3)), rng.normal(size=(3, 2, 3, 2)), rng.normal(size=(1, 1, 6, 4))

    y = ln.nn.separable_conv2d(x, d, p, strides=2, padding="same")

    # The same as one convolution by the product of both filters.
    whole = np.einsum("ijkm,kmo->ijko", d, p.reshape(3, 2, 4))
    np.testing.assert_allclose(y.numpy(), ln.nn.conv2d(x, whole, 2, "same").numpy(), rtol=0, atol=1e-12)
    line = ln.nn.separable_conv1d(x[:, 0], d[0], p[0], dilations=2)
    np.testing.assert_allclose(line.numpy(), ln.nn.conv1d(x[:, 0], whole[0], dilations=2).numpy(), rtol=0, atol=1e-12)


def test_pools_of_volumes():
    x = np.arange(16, dtype="float32").reshape(1, 2, 2, 4, 1)

    assert ln.nn.max_pool(x, 2, 2).numpy().ravel().tolist() == [13, 15]
    assert ln.nn.avg_pool(x, 2, 2).numpy().ravel().tolist() == [6.5, 8.5]


@pytest.mark.parametrize(
    "convolve",
    [
        lambda x, **o: ln.nn.conv1d(x[:, 0], np.ones((2, 3, 4)), **o),
        lambda x, **o: ln.nn.conv2d(x, np.ones((2, 2, 3, 4)), **o),
        lambda x, **o: ln.nn.conv3d(x[:, None], np.ones((1, 2, 2, 3, 4)), **o),
        lambda x, **o: ln.nn.depthwise_conv2d(x[..., :2], np.ones((2, 2, 2, 2)), **o),
        lambda x, **o: ln.nn.separable_conv1d(x[:, 0], np.ones((2, 3, 1)), np.ones((1, 3, 4)), **o),
        lambda x, **o: ln.nn.separable_conv2d(x, np.ones((2, 2, 3, 1)), np.ones((1, 1, 3, 4)), **o),
    ],
    ids=["conv1d", "conv2d", "conv3d", "depthwise_conv2d", "separable_conv1d", "separable_conv2d"],
)
def test_convolutions_with_bias_and_activation(convolve):
    x, bias = np.random.default_rng(2).normal(size=(2, 4, 5, 3)), np.array([0.5, -1.0, 2.0, 0.0])

    whole = convolve(x, bias=bias, activation="elu", alpha=0.5)

    np.testing.assert_allclose(whole.numpy(), ln.nn.elu(convolve(x) + bias, 0.5).numpy(), rtol=0, atol=1e-13)


def test_shapes_of_one_axis_by_a_number():
    assert ln.zeros(2).shape == (2,)
    assert ln.ones(np.int64(3)).shape == (3,)
    np.testing.assert_array_equal(ln.fill(2, 7).numpy(), [7, 7])


@pytest.mark.parametrize("shape", [(-1,), (2, -1), -1])
def test_zeros_of_an_unknown_size_are_refused(shape):
    with pytest.raises(ln.errors.ShapeError, match="constant: expected known sizes of at least 0, got shape"):
        ln.zeros(shape)


def test_shape_that_is_none_is_refused():
    with pytest.raises(ln.errors.DTypeError, match=r"shape: expected an integer or a sequence of them, got 2\.5"):
        ln.constant(1.0, shape=2.5)


def test_tile_by_a_number_repeats_the_last_axis():
    np.testing.assert_array_equal(ln.tile(X, 2).numpy(), np.tile(X, 2))


def test_pad_by_a_number_goes_around():
    np.testing.assert_array_equal(ln.pad(X, 1).numpy(), np.pad(X, 1))


@pytest.mark.parametrize("paddings", [[1, 2, 3], [[1], [2], [3]], [[1, 2, 3]] * 3, "a", [["a", "b"]] * 3])
def test_pad_wants_pairs(paddings):
    with pytest.raises(ln.errors.InvalidArgumentError, match=r"pad: expected a pair \(before, after\)"):
        ln.pad(X, paddings)


def test_range_without_a_step_is_refused():
    with pytest.raises(ln.errors.InvalidArgumentError, match="range: expected a step other than 0"):
        ln.range(0, 5, 0)


@pytest.mark.parametrize("dtype", ["int32", "int64"])
@pytest.mark.parametrize("n", [0, 1, 2, 3, 10])
def test_powers_of_integers(dtype, n):
    x = np.array([-3, 0, 1, 2], dtype)

    for y in (ln.constant(x) ** n, ln.pow(x, n), ln.Variable(x) ** n):
        assert y.dtype.name == dtype
        np.testing.assert_array_equal(y.numpy(), x**n)


def test_negative_powers_of_integers_are_refused():
    with pytest.raises(ValueError, match="power: expected an exponent of at least 0 for integers"):
        ln.constant([1, 2]) ** -1


@pytest.mark.parametrize("dtype", ["int32", "int64", "int8", "uint8"])
def test_clip_of_integers(dtype):
    x = np.array([1, 2, 3], dtype)

    y = ln.clip_by_value(x, 2, 2)

    assert y.dtype.name == dtype
    np.testing.assert_array_equal(y.numpy(), [2, 2, 2])
    np.testing.assert_array_equal(ln.clip_by_value(ln.constant(x), 0, 2).numpy(), [1, 2, 2])


def test_clip_of_integers_between_swapped_limits_is_refused():
    with pytest.raises(ln.errors.InvalidArgumentError, match="expected clip_value_min <= clip_value_max, got 3 and 2"):
        ln.clip_by_value(ln.constant([1]), 3, 2)

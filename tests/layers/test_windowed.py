"""Layers that move windows over their inputs: each against its formula in float64, in every mode, with its gradient."""

import json

import numpy as np
import pytest

import layernet as ln
import reference

L = ln.layers
rng = np.random.default_rng(17)


def last(x):
    return np.moveaxis(x, 1, -1)


def first(x):
    return np.moveaxis(x, -1, 1)


def conv(**options):
    return lambda x, kernel, bias=0.0: reference.conv(x, kernel, **options) + bias


def spread(size, strides, padding):
    """The transposed convolution into images of this size."""
    return lambda x, kernel, bias=0.0: reference.conv_input_grad(x, kernel, size, strides, padding) + bias


def depthwise(x, kernel, **options):
    multiplier = kernel.shape[-1]
    return reference.depthwise_conv(np.repeat(x, multiplier, -1), kernel.reshape(*kernel.shape[:-2], -1), **options)


def separable(**options):
    return lambda x, kernel, mix, bias=0.0: depthwise(x, kernel, **options) @ mix.reshape(mix.shape[-2:]) + bias


def causal(formula, before):
    return lambda x, *w: formula(np.pad(x, [(0, 0), (before, 0), (0, 0)]), *w)


def on_channels_first(formula):
    return lambda x, *w: first(formula(last(x), *w))


# Name: what makes the layer, the shape of a row, the formula of rows and weights.
CASES = {
    "conv1": (lambda **o: L.Conv1D(3, 2, **o), (5, 2), conv()),
    "conv2": (
        lambda **o: L.Conv2D(3, (3, 2), strides=(2, 1), padding="same", activation="tanh", **o),
        (5, 4, 2),
        lambda x, w, b: np.tanh(conv(strides=(2, 1), padding="same")(x, w, b)),
    ),
    "conv3": (lambda **o: L.Conv3D(2, 2, **o), (3, 4, 2, 2), conv()),
    "conv3-same": (
        lambda **o: L.Conv3D(2, (2, 1, 3), strides=(1, 2, 2), padding="same", use_bias=False, **o),
        (2, 3, 4, 2),
        conv(strides=(1, 2, 2), padding="same"),
    ),
    "conv3-dilated": (
        lambda **o: L.Conv3D(2, 2, dilation_rate=(1, 2, 1), activation="sigmoid", **o),
        (2, 3, 3, 1),
        lambda x, w, b: 1 / (1 + np.exp(-conv(dilation=(1, 2, 1))(x, w, b))),
    ),
    "conv3-first": (
        lambda **o: L.Conv3D(3, (1, 2, 2), data_format="channels_first", **o),
        (2, 2, 3, 3),
        on_channels_first(conv()),
    ),
    "up2": (lambda **o: L.Conv2DTranspose(3, 3, **o), (3, 2, 2), spread((5, 4), (1, 1), "valid")),
    "up2-same": (
        lambda **o: L.Conv2DTranspose(2, (3, 2), strides=2, padding="same", activation="tanh", **o),
        (3, 2, 3),
        lambda x, w, b: np.tanh(spread((6, 4), (2, 2), "same")(x, w, b)),
    ),
    "up2-gaps": (
        lambda **o: L.Conv2DTranspose(2, (2, 4), strides=(3, 2), use_bias=False, **o),
        (2, 3, 2),
        spread((6, 8), (3, 2), "valid"),
    ),
    "up2-first": (
        lambda **o: L.Conv2DTranspose(3, 2, strides=2, data_format="channels_first", **o),
        (2, 2, 3),
        on_channels_first(spread((4, 6), (2, 2), "valid")),
    ),
    "up3": (lambda **o: L.Conv3DTranspose(2, 2, **o), (2, 1, 3, 2), spread((3, 2, 4), (1, 1, 1), "valid")),
    "up3-same": (
        lambda **o: L.Conv3DTranspose(1, 3, strides=(1, 2, 1), padding="same", **o),
        (2, 2, 2, 2),
        spread((2, 4, 2), (1, 2, 1), "same"),
    ),
    "up3-first": (
        lambda **o: L.Conv3DTranspose(2, (1, 2, 1), strides=2, data_format="channels_first", **o),
        (1, 2, 1, 2),
        on_channels_first(spread((4, 2, 4), (2, 2, 2), "valid")),
    ),
    "depthwise": (lambda **o: L.DepthwiseConv2D(3, **o), (4, 5, 3), lambda x, w, b: depthwise(x, w) + b),
    "depthwise-several": (
        lambda **o: L.DepthwiseConv2D((2, 3), strides=2, padding="same", depth_multiplier=2, activation="tanh", **o),
        (5, 4, 2),
        lambda x, w, b: np.tanh(depthwise(x, w, strides=(2, 2), padding="same") + b),
    ),
    "depthwise-first": (
        lambda **o: L.DepthwiseConv2D(2, data_format="channels_first", dilation_rate=2, use_bias=False, **o),
        (2, 4, 5),
        on_channels_first(lambda x, w: depthwise(x, w, dilation=(2, 2))),
    ),
    "separable1": (lambda **o: L.SeparableConv1D(4, 3, depth_multiplier=2, **o), (6, 2), separable()),
    "separable1-causal": (
        lambda **o: L.SeparableConv1D(2, 3, padding="causal", dilation_rate=2, **o),
        (5, 3),
        causal(separable(dilation=(2,)), 4),
    ),
    "separable2": (
        lambda **o: L.SeparableConv2D(3, 3, strides=2, padding="same", activation="tanh", **o),
        (5, 4, 2),
        lambda x, d, p, b: np.tanh(separable(strides=(2, 2), padding="same")(x, d, p, b)),
    ),
    "separable2-first": (
        lambda **o: L.SeparableConv2D(3, 2, depth_multiplier=2, data_format="channels_first", **o),
        (2, 3, 4),
        on_channels_first(separable()),
    ),
    "max3": (lambda **o: L.MaxPooling3D(**o), (4, 2, 3, 2), lambda x: reference.max_pool(x, (2, 2, 2))),
    "max3-same": (
        lambda **o: L.MaxPooling3D((1, 2, 3), strides=2, padding="same", **o),
        (3, 3, 4, 2),
        lambda x: reference.max_pool(x, (1, 2, 3), (2, 2, 2), "same"),
    ),
    "average3": (
        lambda **o: L.AveragePooling3D((2, 1, 2), 1, **o),
        (2, 2, 3, 2),
        lambda x: reference.avg_pool(x, (2, 1, 2), (1, 1, 1)),
    ),
    "average3-first": (
        lambda **o: L.AveragePooling3D(2, padding="same", data_format="channels_first", **o),
        (2, 3, 2, 2),
        on_channels_first(lambda x: reference.avg_pool(x, (2, 2, 2), padding="same")),
    ),
}
# Sums of at most 24 products of numbers below 4, each rounded once in float32: below 24 * 16 * 2^-24, and two such sums
# one after the other in separable convolutions.
ATOL = 2 * 24 * 16 * 2.0**-24


@pytest.fixture(autouse=True)
def fresh_names():
    ln.reset_naming()


@pytest.fixture(params=CASES)
def case(request):
    make, shape, formula = CASES[request.param]
    return make, rng.normal(size=(4, *shape)), formula


def built(make, x):
    """The layer with weights that are not the initial ones, and these in float64."""
    layer = make()
    layer(x)
    layer.set_weights([rng.uniform(-1, 1, v.shape).astype(v.dtype.name) for v in layer.variables])
    return layer, [w.astype("float64") for w in layer.get_weights()]


@pytest.mark.parametrize(("dtype", "atol"), [("float32", ATOL), ("float64", ATOL * 2.0**-29)])
def test_formula(case, dtype, atol):
    make, x, formula = case
    x = x.astype(dtype)
    layer, weights = built(make, x)
    y = layer(x).numpy()
    assert y.dtype == dtype
    np.testing.assert_allclose(y, formula(x.astype("float64"), *weights), rtol=0, atol=atol)


def test_gradient_against_central_differences(case):
    make, x, formula = case
    x = x[:2]
    layer, weights = built(make, x)
    v = ln.Variable(x, name="x")
    factors = rng.normal(size=formula(x, *weights).shape)
    with ln.GradientTape() as tape:
        y = ln.reduce_sum(ln.multiply(layer(v), factors))
    variables = [v, *layer.trainable_variables]
    for variable, gradient in zip(variables, tape.gradient(y, variables), strict=True):
        start = variable.numpy().copy()
        want = np.empty_like(start)
        for place in np.ndindex(start.shape):
            sums = []
            for step in (1e-6, -1e-6):
                moved = start.copy()
                moved[place] += step
                variable.assign(moved)
                sums.append(float(ln.reduce_sum(ln.multiply(layer(v.value()), factors))))
            want[place] = (sums[0] - sums[1]) / 2e-6
        variable.assign(start)
        # the sums are below 1000: their rounding, 1e-13, is divided by 2e-6
        np.testing.assert_allclose(gradient, want, rtol=1e-6, atol=1e-6)


def test_symbolic_call_gives_the_shape(case):
    make, x, formula = case
    layer, weights = built(make, x)
    shape = (None, *formula(x, *weights).shape[1:])
    assert layer(ln.Input(x.shape[1:], "float64")).shape == shape
    assert tuple(layer.compute_output_shape((None, *x.shape[1:]))) == shape
    assert layer.input_shape == (None, *x.shape[1:])


def test_no_rows(case):
    make, x, formula = case
    layer, weights = built(make, x)
    assert layer(x[:0]).shape == (0, *formula(x, *weights).shape[1:])


def test_predictor_gives_the_same_and_treats_rows_alone(case, tmp_path):
    make, x, _ = case
    x = x.astype("float32")
    layer, _ = built(make, x)
    net = ln.Sequential([layer])
    want = net(x).numpy()
    predictor = ln.Predictor(net)
    got = predictor.predict(x)
    np.testing.assert_allclose(got, want, rtol=0, atol=ATOL)
    for rows in (slice(0, 1), slice(1, 4), slice(3, 3)):
        np.testing.assert_array_equal(predictor.predict(x[rows]), got[rows])
    predictor.save(tmp_path / "p.safetensors")
    np.testing.assert_array_equal(ln.Predictor.load(tmp_path / "p.safetensors").predict(x), got)


@pytest.mark.parametrize("name", [name for name in CASES if not name.startswith(("max", "average"))])
def test_a_step_down_the_gradient_lowers_the_loss(name):
    make, shape, _ = CASES[name]
    x = rng.normal(size=(4, *shape)).astype("float32")
    layer, _ = built(make, x)
    before = layer.get_weights()
    with ln.GradientTape() as tape:
        loss = ln.reduce_mean(ln.square(layer(x)))
    gradients = tape.gradient(loss, layer.trainable_variables)
    ln.optimizers.SGD(1e-3).apply_gradients(zip(gradients, layer.trainable_variables, strict=True))

    assert all((a != b).any() for a, b in zip(before, layer.get_weights(), strict=True))
    assert float(ln.reduce_mean(ln.square(layer(x)))) < float(loss)


def test_configuration_round_trip(case):
    make, x, _ = case
    layer, _ = built(make, x)
    again = type(layer).from_config(json.loads(json.dumps(layer.get_config())))
    again(x)
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(again(x), layer(x))


def test_every_argument_comes_back(case):
    make, x, _ = case
    layer = make(name="given", trainable=False)
    config = layer.get_config()
    assert (config["name"], config["trainable"]) == ("given", False)
    for name in [name for name in config if name.endswith(("_regularizer", "_constraint"))]:
        config[name] = "non_neg" if name.endswith("_constraint") else "l2"
    again = type(layer).from_config(config)
    again(x)
    assert len(again.losses) == sum(name.endswith("_regularizer") for name in config) - (
        0 if config.get("use_bias", True) else 1
    )
    assert all(v.constraint is not None for v in again.variables)
    json.dumps(again.get_config())


def test_masks_do_not_pass(case):
    make, _, _ = case
    layer, mask = make(), ln.constant([[True, False]])
    with pytest.raises(TypeError, match="does not support masking, but its input has a mask"):
        layer.compute_mask(None, mask)
    assert layer.compute_mask(None, None) is None


@pytest.mark.parametrize(
    ("layer", "names", "shapes"),
    [
        (lambda: L.Conv3D(4, (1, 2, 3), name="c"), ["kernel", "bias"], [(1, 2, 3, 5, 4), (4,)]),
        (lambda: L.Conv2DTranspose(4, (2, 3), name="c"), ["kernel", "bias"], [(2, 3, 4, 5), (4,)]),
        (lambda: L.Conv3DTranspose(4, 2, use_bias=False, name="c"), ["kernel"], [(2, 2, 2, 4, 5)]),
        (
            lambda: L.DepthwiseConv2D((2, 3), depth_multiplier=2, name="c"),
            ["depthwise_kernel", "bias"],
            [(2, 3, 5, 2), (10,)],
        ),
        (
            lambda: L.SeparableConv1D(4, 3, depth_multiplier=2, name="c"),
            ["depthwise_kernel", "pointwise_kernel", "bias"],
            [(3, 5, 2), (1, 10, 4), (4,)],
        ),
        (
            lambda: L.SeparableConv2D(4, (2, 3), name="c"),
            ["depthwise_kernel", "pointwise_kernel", "bias"],
            [(2, 3, 5, 1), (1, 1, 5, 4), (4,)],
        ),
    ],
)
def test_variables_have_the_names_shapes_and_order_of_the_original(layer, names, shapes):
    layer = layer()
    layer(np.ones((1, *[4] * layer._rank, 5), "float32"))

    assert [v.name for v in layer.variables] == [f"c/{name}:0" for name in names]
    assert [v.shape for v in layer.variables] == shapes


@pytest.mark.parametrize(
    "make",
    [
        lambda: L.Conv3D(1, 2, strides=(1, 1, 2), dilation_rate=(2, 1, 1)),
        lambda: L.DepthwiseConv2D(2, strides=2, dilation_rate=2),
        lambda: L.SeparableConv1D(1, 2, strides=2, dilation_rate=2),
        lambda: L.SeparableConv2D(1, 2, strides=2, dilation_rate=2),
    ],
)
def test_strides_together_with_dilation(make):
    layer = make()
    with pytest.raises(ValueError, match="expected strides or dilation_rate to be 1"):
        layer(np.ones((1, *[4] * layer._rank, 1), "float32"))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: L.Conv3D(1, (1, 2)), r"expected 3 positive numbers as kernel_size, got \(1, 2\)"),
        (lambda: L.Conv2DTranspose(1, 2, strides=0), r"expected 2 positive numbers as strides, got 0"),
        (lambda: L.SeparableConv2D(1, 2, padding="causal"), r"expected padding to be one of \('valid', 'same'\)"),
        (lambda: L.DepthwiseConv2D(2, depth_multiplier=0), r"expected a depth_multiplier of at least 1, got 0"),
        (lambda: L.MaxPooling3D(2, data_format="x"), r"expected the data format 'channels_last' or 'channels_first'"),
    ],
)
def test_arguments_that_make_no_sense(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_transposed_convolution_of_unknown_sizes():
    with pytest.raises(ln.errors.ShapeError, match="conv2d_transpose: expected an output_shape of 4 sizes, got"):
        L.Conv2DTranspose(1, 2)(ln.Input((None, 4, 1)))
    assert L.Conv2DTranspose(3, 2, strides=2).compute_output_shape((None, None, 4, 1)) == (None, None, 8, 3)


def test_depthwise_shape_of_unknown_channels():
    assert L.DepthwiseConv2D(2).compute_output_shape((None, 4, 4, None)) == (None, 3, 3, None)

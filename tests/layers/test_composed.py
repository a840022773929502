"""Layers that put ops together: each against its formula in float64, in every mode, with its gradient."""

import json

import numpy as np
import pytest

import layernet as ln

L = ln.layers
rng = np.random.default_rng(5)
ALPHA = rng.uniform(0.1, 0.9, size=(1, 3))


def around(x, pairs):
    return np.pad(x, [(0, 0), *pairs])


def repeated(x, sizes, first=1):
    for axis, size in enumerate(sizes, first):
        x = np.repeat(x, size, axis)
    return x


def softmax(x, axis):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


# Name: what makes the layer, the shape of a row, the formula.
CASES = {
    "relu": (lambda: L.ReLU(), (6,), lambda x: np.maximum(x, 0)),
    "relu-6": (lambda: L.ReLU(max_value=0.75), (2, 3), lambda x: np.clip(x, 0, 0.75)),
    "leaky": (lambda: L.LeakyReLU(), (6,), lambda x: np.where(x > 0, x, 0.3 * x)),
    "leaky-alpha": (lambda: L.LeakyReLU(alpha=0.125), (2, 3), lambda x: np.where(x > 0, x, 0.125 * x)),
    "elu": (lambda: L.ELU(), (6,), lambda x: np.where(x > 0, x, np.expm1(x))),
    "elu-alpha": (lambda: L.ELU(alpha=0.5), (6,), lambda x: np.where(x > 0, x, 0.5 * np.expm1(x))),
    "prelu": (
        lambda: L.PReLU(alpha_initializer=ln.initializers.Constant(0.25)),
        (6,),
        lambda x: np.where(x > 0, x, 0.25 * x),
    ),
    "prelu-shared": (
        lambda: L.PReLU(shared_axes=[1], weights=[ALPHA]),
        (4, 3),
        lambda x: np.where(x > 0, x, ALPHA * x),
    ),
    "thresholded": (lambda: L.ThresholdedReLU(), (6,), lambda x: np.where(x > 1, x, 0)),
    "thresholded-theta": (lambda: L.ThresholdedReLU(theta=0.5), (2, 3), lambda x: np.where(x > 0.5, x, 0)),
    "softmax": (lambda: L.Softmax(), (2, 3), lambda x: softmax(x, -1)),
    "softmax-axis": (lambda: L.Softmax(axis=1), (2, 3), lambda x: softmax(x, 1)),
    "permute": (lambda: L.Permute((3, 1, 2)), (2, 3, 4), lambda x: x.transpose(0, 3, 1, 2)),
    "repeat": (lambda: L.RepeatVector(3), (4,), lambda x: np.stack([x] * 3, 1)),
    "repeat-none": (lambda: L.RepeatVector(0), (4,), lambda x: np.zeros((len(x), 0, 4))),
    "pad1": (lambda: L.ZeroPadding1D(), (4, 2), lambda x: around(x, [(1, 1), (0, 0)])),
    "pad1-pair": (lambda: L.ZeroPadding1D(padding=(2, 0)), (4, 2), lambda x: around(x, [(2, 0), (0, 0)])),
    "pad2": (lambda: L.ZeroPadding2D(), (3, 4, 2), lambda x: around(x, [(1, 1), (1, 1), (0, 0)])),
    "pad2-numbers": (lambda: L.ZeroPadding2D((2, 0)), (3, 4, 2), lambda x: around(x, [(2, 2), (0, 0), (0, 0)])),
    "pad2-first": (
        lambda: L.ZeroPadding2D(((1, 2), (0, 3)), data_format="channels_first"),
        (2, 3, 4),
        lambda x: around(x, [(0, 0), (1, 2), (0, 3)]),
    ),
    "pad3": (lambda: L.ZeroPadding3D(2), (2, 2, 3, 2), lambda x: around(x, [(2, 2)] * 3 + [(0, 0)])),
    "pad3-first": (
        lambda: L.ZeroPadding3D(((1, 0), 2, (0, 1)), data_format="channels_first"),
        (2, 2, 2, 3),
        lambda x: around(x, [(0, 0), (1, 0), (2, 2), (0, 1)]),
    ),
    "up1": (lambda: L.UpSampling1D(), (4, 2), lambda x: repeated(x, [2])),
    "up1-3": (lambda: L.UpSampling1D(size=3), (4, 2), lambda x: repeated(x, [3])),
    "up2": (lambda: L.UpSampling2D(), (3, 4, 2), lambda x: repeated(x, [2, 2])),
    "up2-first": (
        lambda: L.UpSampling2D((1, 3), data_format="channels_first"),
        (2, 3, 4),
        lambda x: repeated(x, [1, 3], 2),
    ),
    "up3": (lambda: L.UpSampling3D((2, 1, 3)), (2, 3, 2, 2), lambda x: repeated(x, [2, 1, 3])),
    "up3-first": (
        lambda: L.UpSampling3D(data_format="channels_first"),
        (2, 2, 2, 1),
        lambda x: repeated(x, [2] * 3, 2),
    ),
    "lambda": (lambda: L.Lambda(lambda x, a: a * x + 1.0, arguments={"a": 3.0}), (6,), lambda x: 3 * x + 1),
}
# exp of the float32 kernels is within 2 ULP, a sum of three of them and a division: below 8 ULP; the rest rounds once.
RTOL = 8 * 2.0**-24


@pytest.fixture(autouse=True)
def fresh_names():
    ln.reset_naming()


@pytest.fixture(params=CASES)
def case(request):
    make, shape, formula = CASES[request.param]
    return make, rng.normal(size=(5, *shape)), formula


def test_formula(case):
    make, x, formula = case
    x32 = x.astype("float32")
    got = make()(x32).numpy()
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, formula(x32.astype("float64")), rtol=RTOL, atol=2.0**-24)


def test_gradient_against_central_differences(case):
    make, x, formula = case
    layer = make()
    x = np.where(np.abs(np.abs(x) - 0.75) < 0.3, 2.0 * x, x) + np.where(np.abs(x) < 0.01, 0.5, 0.0)  # off the kinks
    v = ln.Variable(x, name="x")
    weights = rng.normal(size=formula(x).shape)
    loss = lambda: ln.reduce_sum(ln.multiply(layer(v.value()), weights))  # noqa: E731
    with ln.GradientTape() as tape:
        y = ln.reduce_sum(ln.multiply(layer(v), weights))
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
                sums.append(float(loss()))
            want[place] = (sums[0] - sums[1]) / 2e-6
        variable.assign(start)
        # the sums are below 1000: their rounding, 1e-13, is divided by 2e-6
        np.testing.assert_allclose(gradient, want, rtol=1e-6, atol=1e-6)


def test_symbolic_call_gives_the_shape(case):
    make, x, formula = case
    layer = make()
    shape = (None, *formula(x).shape[1:])
    assert layer(ln.Input(x.shape[1:])).shape == shape
    if not isinstance(layer, L.Lambda):
        assert tuple(layer.compute_output_shape((None, *x.shape[1:]))) == shape


def test_predictor_gives_the_same_and_treats_rows_alone(case):
    make, x, _ = case
    x = x.astype("float32")
    net = ln.Sequential([make()])
    want = net(x).numpy()
    predictor = ln.Predictor(net)
    got = predictor.predict(x)
    np.testing.assert_allclose(got, want, rtol=RTOL, atol=2.0**-24)
    for rows in (slice(0, 1), slice(2, 5), slice(3, 3)):
        np.testing.assert_array_equal(predictor.predict(x[rows]), got[rows])


def test_configuration_round_trip(case):
    make, x, _ = case
    layer = make()
    if isinstance(layer, L.Lambda):
        with pytest.raises(
            NotImplementedError, match=r"lambda 'lambda_1': expected a layer that numbers and names desc"
        ):
            layer.get_config()
        return
    y = layer(x.astype("float32"))
    again = type(layer).from_config(json.loads(json.dumps(layer.get_config())))
    again(x.astype("float32"))
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(again(x.astype("float32")), y)


def test_masks_pass_elementwise_layers_and_no_others(case):
    make, _, _ = case
    layer, mask = make(), ln.constant([[True, False]])
    if isinstance(layer, (L.ReLU, L.LeakyReLU, L.ELU, L.PReLU, L.ThresholdedReLU, L.Softmax)):
        assert layer.compute_mask(None, mask) is mask
    else:
        with pytest.raises(TypeError, match="does not support masking, but its input has a mask"):
            layer.compute_mask(None, mask)
    assert layer.compute_mask(None, None) is None


@pytest.mark.parametrize("make", [L.ReLU, lambda: L.ReLU(6.0), L.LeakyReLU, L.ELU, L.PReLU, L.ThresholdedReLU])
def test_nan_stays_nan_and_infinity_is_a_number(make):
    y = make()(np.float32([[np.nan, np.inf]])).numpy()[0]
    assert np.isnan(y[0])
    assert y[1] in (6.0, np.inf)


def test_prelu_learns_one_slope_for_each_feature():
    layer = L.PReLU(alpha_regularizer="l2", alpha_constraint="non_neg", name="p")
    net = ln.Sequential([layer], name="net")
    net(np.ones((2, 4, 3), "f4"))
    assert [(v.name, v.shape) for v in net.variables] == [("net/p/alpha:0", (4, 3))]
    assert len(net.losses) == 1
    assert layer.get_config()["shared_axes"] is None


@pytest.mark.parametrize(
    ("make", "shape", "message"),
    [
        (
            lambda: L.PReLU(name="p"),
            (None, 3),
            r"'p': expected known sizes of axes that do not share alpha, got \[None, N",
        ),
        (
            lambda: L.PReLU(shared_axes=2, name="p"),
            (3,),
            r"'p': expected shared_axes from 1 to 1 for an input of shape",
        ),
        (lambda: L.PReLU(shared_axes=[0], name="p"), (3,), r"'p': expected shared_axes from 1 to 1 .*, got \[0\]"),
        (lambda: L.UpSampling1D(name="u"), (None, 3), r"'u': expected known sizes but for the batch, got \[None, None"),
        (lambda: L.RepeatVector(2), (3, 3), r"expected an input with 2 axes"),
        (lambda: L.Permute((2, 1)), (3,), r"expected an input with 3 axes"),
        (lambda: L.ZeroPadding2D(), (3, 3), r"expected an input with 4 axes"),
    ],
)
def test_inputs_that_do_not_fit(make, shape, message):
    with pytest.raises(ValueError, match=message):
        make()(ln.Input(shape))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: L.ReLU(-1.0, name="r"), r"'r': expected a max_value of at least 0, got -1.0"),
        (lambda: L.ThresholdedReLU(-1.0), r"expected a theta of at least 0, got -1.0"),
        (lambda: L.Permute((0, 1)), r"expected the axes 1 to 2 in some order, got \(0, 1\)"),
        (lambda: L.Permute((1, 1)), r"expected the axes 1 to 2 in some order, got \(1, 1\)"),
        (lambda: L.RepeatVector(-1), r"expected n of at least 0, got -1"),
        (
            lambda: L.ZeroPadding1D(-1),
            r"expected as padding a number of at least 0, or for each of 1 axes a pair, got -1",
        ),
        (lambda: L.ZeroPadding1D((1, 2, 3)), r"or for each of 1 axes a pair, got \(1, 2, 3\)"),
        (lambda: L.ZeroPadding2D((1, 2, 3)), r"or for each of 2 axes a number or a pair, got \(1, 2, 3\)"),
        (lambda: L.ZeroPadding3D((1, (2, -1), 3)), r"or for each of 3 axes a number or a pair"),
        (lambda: L.ZeroPadding2D(data_format="x"), r"expected the data format 'channels_last' or 'channels_first'"),
        (lambda: L.UpSampling1D(0), r"expected as size a number of at least 1, or 1 of them, got 0"),
        (lambda: L.UpSampling2D((2, 2, 2)), r"expected as size a number of at least 1, or 2 of them, got \(2, 2, 2\)"),
        (lambda: L.Lambda(3), r"lambda 'lambda_1': expected a function, got 3"),
    ],
)
def test_arguments_that_make_no_sense(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_lambda_knows_shapes_and_masks_as_told():
    x = ln.constant([[1.0, 2.0]])
    told = L.Lambda(lambda x, mask=None: x, output_shape=(7,), mask=lambda inputs, mask: "made")
    assert told.compute_output_shape((None, 3)) == (None, 7)
    assert told.compute_mask(x, None) == "made"
    assert L.Lambda(lambda x: x, mask="fixed").compute_mask(x, "other") == "fixed"
    assert L.Lambda(lambda x: x, output_shape=lambda shape: [*shape, 1]).compute_output_shape((2, 3)) == (2, 3, 1)
    with pytest.raises(NotImplementedError, match="does not say its output shape"):
        L.Lambda(lambda x: x).compute_output_shape((2, 3))


def test_lambda_gives_its_function_the_mask():
    seen = []
    layer = L.Lambda(lambda x, mask: seen.append(mask) or x, mask=lambda inputs, mask: mask)
    x = L.Masking()(ln.Input((3, 2)))
    layer(x)
    assert seen[0] is not None


def test_a_model_with_a_lambda_is_not_saved(tmp_path):
    x = ln.Input((3,))
    model = ln.Model(x, L.Lambda(lambda x: x * 2.0)(x))
    with pytest.raises(NotImplementedError, match=r"Write a Layer with get_config for it"):
        model.save(tmp_path / "m")
    assert list(tmp_path.iterdir()) == []
    path = tmp_path / "p"
    ln.Predictor(model).save(path)
    np.testing.assert_array_equal(ln.Predictor.load(path).predict(np.ones((1, 3), "f4")), [[2, 2, 2]])

"""LayerNormalization against the formula in float64."""

import numpy as np
import pytest

import layernet as ln


@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("shape", [(4, 7), (2, 3, 5), (3, 1)])
def test_rows_are_normalised(shape, center, scale):
    rng = np.random.default_rng(0)
    x = rng.normal(3, 2, shape).astype("float32")
    layer = ln.layers.LayerNormalization(center=center, scale=scale)
    layer(x)
    layer.set_weights([rng.normal(size=w.shape) for w in layer.get_weights()])
    gamma = layer.gamma.numpy() if scale else 1.0
    beta = layer.beta.numpy() if center else 0.0
    x64 = x.astype("float64")
    want = (x64 - x64.mean(-1, keepdims=True)) / np.sqrt(x64.var(-1, keepdims=True) + 1e-3) * gamma + beta

    np.testing.assert_allclose(layer(x), want, rtol=1e-5, atol=1e-5)
    assert [v.name.rsplit("/")[-1] for v in layer.variables] == ["gamma:0"] * scale + ["beta:0"] * center
    net = ln.Sequential([layer])
    net(x)
    np.testing.assert_array_equal(ln.Predictor(net).predict(x), layer(x).numpy())


def test_gradients_against_central_differences():
    rng = np.random.default_rng(1)
    layer = ln.layers.LayerNormalization()
    x, dy = ln.Variable(rng.normal(size=(2, 4))), rng.normal(size=(2, 4))
    layer(x)
    with ln.GradientTape() as tape:
        loss = ln.reduce_sum(layer(x) * dy)
    variables = [x, *layer.variables]
    for v, g in zip(variables, tape.gradient(loss, variables), strict=True):
        for i in np.ndindex(*v.shape):
            start, ends = v.numpy().copy(), []
            for step in (1e-5, -1e-5):
                moved = start.copy()
                moved[i] += step
                v.assign(moved)
                ends.append(float(ln.reduce_sum(layer(x) * dy)))
            v.assign(start)
            assert abs((ends[0] - ends[1]) / 2e-5 - g.numpy()[i]) < 1e-6


@pytest.mark.parametrize(
    ("axis", "shape"),
    [
        (1, (2, 3, 4)),
        ([1, 2], (2, 3, 4)),
        ([-1, 1], (2, 3, 4, 5)),
        ([1, 2, 3], (3, 2, 2, 3)),
        (0, (4, 3)),
        ([-1], (2, 3)),
    ],
)
def test_other_axes(axis, shape, tmp_path):
    rng = np.random.default_rng(2)
    x, dy = rng.normal(3, 2, shape), rng.normal(size=shape)
    layer = ln.layers.LayerNormalization(axis, name="norm")
    layer(x)
    axes = tuple(sorted(a % len(shape) for a in np.atleast_1d(axis)))
    assert [v.shape for v in layer.variables] == [tuple(shape[a] for a in axes)] * 2
    values = [rng.normal(size=w.shape) for w in layer.get_weights()]
    layer.set_weights(values)
    rest = [a for a in range(len(shape)) if a not in axes]
    gamma, beta = (np.expand_dims(value, rest) for value in values)

    def formula(x):
        return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + 1e-3) * gamma + beta

    with ln.GradientTape() as tape:
        tensor = ln.constant(x)
        tape.watch(tensor)
        y = layer(tensor)
    np.testing.assert_allclose(y, formula(x), rtol=1e-12, atol=1e-12)
    slope = np.zeros(shape)
    for i in np.ndindex(*shape):
        step = np.zeros(shape)
        step[i] = 1e-5
        slope[i] = ((formula(x + step) - formula(x - step)) * dy).sum() / 2e-5
    np.testing.assert_allclose(tape.gradient(y, tensor, ln.constant(dy)), slope, atol=1e-7)

    again = ln.layers.LayerNormalization.from_config(layer.get_config())
    again(x)
    again.set_weights(values)
    np.testing.assert_array_equal(again(x), y)


def test_other_axes_in_a_predictor():
    net = ln.Sequential([ln.layers.LayerNormalization([1, 2])])
    x = np.random.default_rng(0).normal(size=(5, 3, 4)).astype("float32")
    want = net(x).numpy()
    predictor = ln.Predictor(net)

    np.testing.assert_allclose(predictor.predict(x), want, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(predictor.predict(x[1:2]), predictor.predict(x)[1:2])


@pytest.mark.parametrize("axis", [2, -3, [0, 0], [1, -1], []])
def test_axes_that_are_not_there(axis):
    with pytest.raises(ValueError, match=r"layer_normalization 'n': expected distinct axes of an input of 2 axes, got"):
        ln.layers.LayerNormalization(axis, name="n")(np.ones((2, 3), "float32"))


def test_more_leading_axes_go_through_a_predictor():
    net = ln.Sequential([ln.layers.Dense(4), ln.layers.LayerNormalization()])
    x = np.random.default_rng(0).normal(size=(2, 3, 5)).astype("float32")
    net(x[0])

    np.testing.assert_allclose(ln.Predictor(net).predict(x), net(x), rtol=1e-5, atol=1e-6)


def test_an_unknown_size_is_refused():
    with pytest.raises(ValueError, match=r"expected known sizes on axis -1, got \[None, None\]"):
        ln.layers.LayerNormalization().build((None, None))

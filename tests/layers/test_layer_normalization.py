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


def test_more_leading_axes_go_through_a_predictor():
    net = ln.Sequential([ln.layers.Dense(4), ln.layers.LayerNormalization()])
    x = np.random.default_rng(0).normal(size=(2, 3, 5)).astype("float32")
    net(x[0])

    np.testing.assert_allclose(ln.Predictor(net).predict(x), net(x), rtol=1e-5, atol=1e-6)


def test_an_unknown_size_is_refused():
    with pytest.raises(ValueError, match="expected an input with a known last dimension"):
        ln.layers.LayerNormalization().build((None, None))

"""Layers whose weights do not fit into a second-level cache, which some instruction sets multiply in their own way."""

import numpy as np
import pytest

import layernet as ln

SIZES = 600, 1000, 520  # 600000 and 520000 weights


@pytest.fixture(scope="module")
def network():
    ln.set_seed(3)
    net = ln.Sequential([ln.layers.Dense(n, activation=a) for n, a in zip(SIZES[1:], ("relu", None), strict=True)])
    net(np.zeros((1, SIZES[0]), "float32"))
    for layer in net.layers:
        layer.bias.assign(np.linspace(-1, 1, layer.units, dtype="float32"))
    return net


def rows(n):
    return np.random.default_rng(n).standard_normal((n, SIZES[0])).astype("float32")


def formula(network, x, weight=lambda w: w):
    (w, b), (v, c) = [[np.asarray(a) for a in layer.get_weights()] for layer in network.layers]
    w, v = weight(w).astype(float), weight(v).astype(float)
    hidden = np.maximum(x.astype(float) @ w + b, 0)
    bound = 4 * np.sqrt(SIZES[0]) * 2**-23 * (np.abs(x) @ np.abs(w) + np.abs(b))
    size = 4 * np.sqrt(SIZES[1]) * 2**-23 * (hidden @ np.abs(v) + np.abs(c)) + bound @ np.abs(v)
    return hidden @ v + c, size


def rounded(w):
    bits = w.view("uint32")
    return ((bits + 0x7FFF + (bits >> 16 & 1)) & np.uint32(0xFFFF0000)).view("float32")


@pytest.mark.parametrize(("weights", "weight"), [("float32", lambda w: w), ("bfloat16", rounded)])
def test_results_are_those_of_the_formula(network, weights, weight):
    x = rows(70)
    want, bound = formula(network, x, weight)

    got = ln.Predictor(network, weights=weights).predict(x)

    assert (np.abs(got - want) <= bound).all()


@pytest.mark.parametrize("weights", ["float32", "bfloat16", "int8"])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_row_has_the_same_bits_in_any_company(network, weights, threads):
    predictor = ln.Predictor(network, weights=weights, threads=threads)
    x = rows(300)
    whole = predictor.predict(x)

    for n in (1, 2, 5, 6, 16, 17, 32, 33, 64, 257):
        assert predictor.predict(x[:n]).tobytes() == whole[:n].tobytes()
    assert ln.Predictor(network, weights=weights).predict(x[7:8]).tobytes() == whole[7:8].tobytes()


@pytest.mark.parametrize("weights", ["float32", "bfloat16", "int8"])
def test_rows_that_are_not_finite_do_not_touch_others(network, weights):
    predictor = ln.Predictor(network, weights=weights)
    x = rows(40)
    before = predictor.predict(x)
    x[3, 100], x[20, 5], x[39, 0] = np.nan, np.inf, -np.inf

    after = predictor.predict(x)

    assert np.isnan(after[3]).all()
    assert not np.isfinite(after[[20, 39]]).any()
    others = np.delete(np.arange(40), [3, 20, 39])
    assert after[others].tobytes() == before[others].tobytes()


def test_steps_follow_the_tape(network):
    x, y = rows(64), np.random.default_rng(1).standard_normal((64, SIZES[2])).astype("float32")
    weights = [v.numpy() for v in network.variables]
    step = ln.TrainStep(network, "mean_squared_error", ln.optimizers.SGD(0.1))
    loss = float(step(x, y))
    stepped = [v.numpy() for v in network.variables]
    for v, w in zip(network.variables, weights, strict=True):
        v.assign(w)
    with ln.GradientTape() as tape:
        expected = ln.losses.mean_squared_error(y, network(x))
    gradients = tape.gradient(expected, network.trainable_variables)
    ln.optimizers.SGD(0.1).apply_gradients(zip(gradients, network.trainable_variables, strict=True))

    assert loss == pytest.approx(float(expected), rel=1e-6)
    for v, s in zip(network.variables, stepped, strict=True):
        np.testing.assert_allclose(s, v.numpy(), rtol=1e-5, atol=1e-6)
    for v, w in zip(network.variables, weights, strict=True):
        v.assign(w)

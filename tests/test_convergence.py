"""Loss curves of 50 steps against those that PyTorch gave from the same weights on the same batches."""

import functools
import json
import pathlib

import numpy as np
import pytest

import curves
import layernet as ln

RECORDED = json.loads((pathlib.Path(__file__).parent / "data/curves/curves.json").read_text())


def loss_named(name):
    if name == "ctc":
        length = curves.LENGTH
        return lambda t, p: ln.losses.ctc(ln.reshape(t, [-1, length]), ln.reshape(p, [-1, length, curves.OUTPUTS]))
    if name in curves.OPTIONS:
        return functools.partial(getattr(ln.losses, name), **curves.OPTIONS[name])
    for ending, options in [("_from_logits", {}), ("_smoothed", {"label_smoothing": 0.2})]:
        if name.endswith(ending):
            function = getattr(ln.losses, name.removesuffix(ending))
            return functools.partial(function, from_logits=True, **options)
    return getattr(ln.losses, name)


def network(activation):
    net = ln.Sequential(
        [
            ln.layers.Dense(curves.HIDDEN, "tanh"),
            ln.layers.Dense(curves.OUTPUTS, None if activation == "linear" else activation),
        ]
    )
    net(np.zeros((1, curves.INPUTS), "float32"))
    for variable, value in zip(net.variables, curves.weights(), strict=True):
        variable.assign(value)
    return net


def by_step(net, loss, optimizer, batches):
    step = ln.TrainStep(net, loss, optimizer)
    return [float(step(x, y)) for x, y in batches]


def by_tape(net, loss, optimizer, batches):
    values = []
    for x, y in batches:
        with ln.GradientTape() as tape:
            value = loss(y, net(x))
        variables = net.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(value, variables), variables, strict=True))
        values.append(float(value))
    return values


# Relative to the largest loss of the curve: rounding differs at every step, and steps follow each other.
def assert_same_curve(got, want):
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4 * np.abs(want).max())


@pytest.mark.parametrize("train", [by_step, by_tape])
@pytest.mark.parametrize("name", curves.LOSSES)
def test_losses(name, train):
    activation, kind = curves.LOSSES[name]
    rate = curves.SGD_RATES.get(name, curves.SGD_RATE)
    got = train(network(activation), loss_named(name), ln.optimizers.SGD(rate), curves.batches(kind))
    assert_same_curve(got, RECORDED["losses"][name])


@pytest.mark.parametrize("train", [by_step, by_tape])
@pytest.mark.parametrize("name", curves.OPTIMIZERS)
def test_optimizers(name, train):
    kind, options = curves.OPTIMIZERS[name]
    optimizer = getattr(ln.optimizers, kind)(**options)
    got = train(network("linear"), ln.losses.mean_squared_error, optimizer, curves.batches("numbers"))
    assert_same_curve(got, RECORDED["optimizers"][name])
    assert got[-1] < got[0]

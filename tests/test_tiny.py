"""The product in one minute: define a network, train it, save and restore it, compile it, describe it symbolically."""

import numpy as np

import layernet as ln


class TwoLayer(ln.Network):
    def __init__(self, name=None):
        super().__init__(name=name)
        self.hidden = self.track_layer(ln.layers.Dense(16, activation="tanh"))
        self.out = self.track_layer(ln.layers.Dense(1))

    def call(self, inputs):
        return self.out(self.hidden(inputs))


def data():
    x = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
    return x, np.sin(x.sum(axis=1, keepdims=True))


def trained(steps=60):
    ln.set_seed(0)
    x, y = data()
    net, optimizer, losses = TwoLayer("net"), ln.optimizers.Adam(0.02), []
    for _ in range(steps):
        with ln.GradientTape() as tape:
            loss = ln.losses.mean_squared_error(y, net(x))
        variables = net.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        losses.append(float(loss))
    return net, losses


def test_defines():
    x, _ = data()
    net = TwoLayer("net")

    y = net(x)

    assert y.shape == (64, 1)
    assert [v.name for v in net.variables] == [
        "net/dense/kernel:0",
        "net/dense/bias:0",
        "net/dense_1/kernel:0",
        "net/dense_1/bias:0",
    ]
    kernel, bias, kernel_1, bias_1 = (v.numpy() for v in net.variables)
    np.testing.assert_allclose(y, np.tanh(x @ kernel + bias) @ kernel_1 + bias_1, rtol=1e-5, atol=1e-6)


def test_trains():
    _, losses = trained()

    assert losses[-1] < 0.3 * losses[0]


def test_saves_and_restores(tmp_path):
    x, _ = data()
    net, _ = trained(steps=2)
    path = ln.save_network_checkpoint(net, tmp_path / "ckpt", global_step=2)
    other = TwoLayer()

    ln.restore_network_checkpoint(other, path)

    np.testing.assert_array_equal(other(x), net(x))


def test_predicts():
    x, _ = data()
    net, _ = trained(steps=2)

    predictor = ln.Predictor(net)

    np.testing.assert_allclose(predictor.predict(x), net(x), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(predictor.predict(x[5:6]), predictor.predict(x)[5:6])


def test_describes_symbolically():
    net = TwoLayer("net")

    y = net(ln.Input((4,)))

    assert y.shape == (None, 1)
    assert net.hidden.output.shape == (None, 16)

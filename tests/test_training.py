"""TrainStep: the same numbers as a tape around the same calls, and the promises of its docstring."""

import subprocess
import sys
import threading

import numpy as np
import pytest

import layernet as ln
from layernet import _core

L = ln.layers
OPTIMIZERS = {
    "sgd": lambda: ln.optimizers.SGD(0.1),
    "momentum": lambda: ln.optimizers.SGD(0.1, momentum=0.9),
    "nesterov": lambda: ln.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "adam": lambda: ln.optimizers.Adam(0.01),
    "adamw": lambda: ln.optimizers.AdamW(0.01, weight_decay=0.1),
    "rmsprop": lambda: ln.optimizers.RMSProp(0.01, momentum=0.5),
    "rmsprop_centered": lambda: ln.optimizers.RMSProp(0.01, centered=True),
    "adagrad": lambda: ln.optimizers.Adagrad(0.1),
}


def data(rows=6, k=5, n=3, seed=0, dtype="float32"):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(rows, k)).astype(dtype), rng.normal(size=(rows, n)).astype(dtype)


def mlp(activation="tanh", dtype="float32"):
    return ln.Sequential([L.Dense(7, activation=activation, dtype=dtype), L.Dense(3, dtype=dtype)])


def twins(make, x):
    """Two networks of equal weights."""
    first, second = make(), make()
    for net in (first, second):
        net(x)
    for v, w in zip(first.variables, second.variables, strict=True):
        w.assign(v)
    return first, second


def by_tape(net, optimizer, loss, x, y, **kwargs):
    takes = "training" in net.call.__code__.co_varnames
    with ln.GradientTape() as tape:
        value = loss(y, net(x, training=True) if takes else net(x), **kwargs)
        for own in net.losses:
            value = value + own
    variables = net.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(value, variables), variables, strict=True))
    return value


def assert_equal_runs(make, optimizer, loss, x, y, steps=4, tolerance=0.0, **kwargs):
    first, second = twins(make, x)
    one, two = optimizer(), optimizer()
    step = ln.TrainStep(second, loss, two)
    for _ in range(steps):
        ln.set_seed(7)
        a = by_tape(first, one, loss, x, y, **kwargs)
        ln.set_seed(7)
        b = step(x, y, **kwargs)
        np.testing.assert_allclose(b.numpy(), a.numpy(), rtol=tolerance, atol=tolerance)
        for v, w in zip(first.variables + one.variables(), second.variables + two.variables(), strict=True):
            np.testing.assert_allclose(w.numpy(), v.numpy(), rtol=tolerance, atol=tolerance, err_msg=v.name)
    return step


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_step_is_that_of_a_tape(name, dtype):
    x, y = data(dtype=dtype)
    # The same kernels in the same order: the same bits.
    assert_equal_runs(lambda: mlp(dtype=dtype), OPTIMIZERS[name], ln.losses.mean_squared_error, x, y)


BY_OUTPUT = ["relu", "tanh", "sigmoid", "elu", "selu", "leaky_relu"]
BY_INPUT = ["softplus", "softsign", "hard_sigmoid", "gelu", "silu", "mish"]


@pytest.mark.parametrize("activation", BY_OUTPUT + BY_INPUT)
def test_gradients_of_activations_are_fused(activation):
    x, y = data(rows=9)

    def make():
        return ln.Sequential([L.Dense(70, activation=activation), L.Dense(130, activation=activation), L.Dense(3)])

    step = assert_equal_runs(make, lambda: ln.optimizers.SGD(0.1), ln.losses.mean_squared_error, x, y, tolerance=1e-6)
    ops = [s["op"] for s in step.steps]
    assert not any(op.endswith("_grad") and op not in ("dense_weight_grad", "reduce_mean_grad") for op in ops), ops
    assert ops.count("dense_weight_grad") == 3
    assert "reduce_sum" not in ops


def test_printed_plan():
    x, y = data()
    step = ln.TrainStep(mlp(), "mse", ln.optimizers.SGD(0.1))
    step(x, y)
    lines = step._latest.plan.text().splitlines()
    assert sum("= matmul(" in line and "gradient=tanh" in line for line in lines) == 1
    # Each update as soon as its gradient exists and the old weights have been read.
    ops = [line.split(" = ")[1].split("(")[0] for line in lines if " = " in line]
    assert ops.index("sgd") < len(ops) - 1 - ops[::-1].index("dense_weight_grad")


def large(dtype="float32", **kwargs):
    """Matrices from 256 KB on, of sizes that fill no tile."""
    return ln.Sequential([L.Dense(301, "tanh", dtype=dtype, **kwargs), L.Dense(299, "relu", dtype=dtype), L.Dense(2)])


def op_names(step):
    return [s["op"] for s in step.steps]


@pytest.mark.parametrize("name", [*OPTIMIZERS, "adamax", "nadam", "lion", "adadelta"])
def test_large_matrices_are_updated_block_by_block(name):
    optimizer = (
        OPTIMIZERS.get(name)
        or {
            "adamax": lambda: ln.optimizers.Adamax(0.01),
            "nadam": lambda: ln.optimizers.Nadam(0.01),
            "lion": lambda: ln.optimizers.Lion(0.001),
            "adadelta": lambda: ln.optimizers.Adadelta(0.5),
        }[name]
    )
    x, y = data(rows=37, k=250, n=2)
    step = assert_equal_runs(large, optimizer, ln.losses.mean_squared_error, x, y, steps=2)
    assert op_names(step).count("weight_update") == 2
    assert op_names(step).count("dense_weight_grad") == 1
    assert "adam" in step._latest.plan.text() or name != "adam"


@pytest.mark.parametrize("rows", [1, 2, 31, 300])
def test_large_matrices_at_other_batches(rows):
    x, y = data(rows=rows, k=250, n=2)
    assert_equal_runs(large, OPTIMIZERS["adam"], ln.losses.mean_squared_error, x, y, steps=2)


def test_large_matrices_in_float64_and_without_a_bias():
    x, y = data(rows=9, k=250, n=2, dtype="float64")

    def net():
        return ln.Sequential([L.Dense(301, "tanh", dtype="float64"), L.Dense(2, dtype="float64")])

    step = assert_equal_runs(net, OPTIMIZERS["adam"], ln.losses.mean_squared_error, x, y, steps=2)
    assert op_names(step).count("weight_update") == 1
    x, y = data(rows=9, k=250, n=2)
    assert_equal_runs(lambda: large(use_bias=False), OPTIMIZERS["adam"], ln.losses.mean_squared_error, x, y, steps=2)


def test_the_bits_of_large_matrices_do_not_depend_on_threads():
    x, y = data(rows=64, k=500, n=2)
    results = []
    for threads in (1, 2, 3, 7):
        net = large()
        net(x)
        for i, v in enumerate(net.variables):
            v.assign(np.random.default_rng(i).normal(size=v.shape).astype("float32") * 0.05)
        step = ln.TrainStep(net, "mse", ln.optimizers.Adam(0.01), threads=threads)
        results.append([*[step(x[:n], y[:n]).numpy() for n in (64, 9, 64)], *[v.numpy() for v in net.variables]])
    assert op_names(step).count("weight_update") == 2
    for result in results[1:]:
        for got, want in zip(result, results[0], strict=True):
            np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("threads", [1, 4])
def test_large_matrices_under_sequences(threads):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(5, 40, 250)).astype("float32")
    y = rng.normal(size=(5, 40, 2)).astype("float32")
    first, second = twins(large, x)
    one, two = ln.optimizers.Adam(0.01), ln.optimizers.Adam(0.01)
    step = ln.TrainStep(second, "mse", two, threads=threads)
    for _ in range(3):
        by_tape(first, one, ln.losses.mean_squared_error, x, y)
        step(x, y)
        for v, w in zip(first.variables, second.variables, strict=True):
            np.testing.assert_allclose(w.numpy(), v.numpy(), rtol=1e-5, atol=1e-6)
    assert op_names(step).count("weight_update") == 2


@pytest.mark.parametrize("reader", ["clip", "regularizer", "two readers", "bias first"])
def test_gradients_that_others_read_stay_whole(reader):
    x, y = data(rows=9, k=250, n=2)
    kwargs = {"kernel_regularizer": ln.regularizers.l2(0.1)} if reader == "regularizer" else {}
    first, second = twins(lambda: large(**kwargs), x)
    clip = 0.5 if reader == "clip" else None
    one, two = ln.optimizers.SGD(0.1), ln.optimizers.SGD(0.1)

    class BiasFirst(ln.optimizers.SGD):
        def apply_gradients(self, pairs, *args, **kwargs):
            return super().apply_gradients(list(pairs)[::-1], *args, **kwargs)

    class Twice(ln.optimizers.SGD):
        def apply_gradients(self, pairs, *args, **kwargs):
            return super().apply_gradients([(g * 0.5 + g * ln.reduce_mean(g), v) for g, v in pairs], *args, **kwargs)

    if reader in ("bias first", "two readers"):
        kind = BiasFirst if reader == "bias first" else Twice
        one, two = kind(0.1), kind(0.1)
    step = ln.TrainStep(second, "mse", two, clip_norm=clip)
    for _ in range(2):
        with ln.GradientTape() as tape:
            loss = ln.losses.mean_squared_error(y, first(x))
            for own in first.losses:
                loss = loss + own
        gradients = tape.gradient(loss, first.trainable_variables)
        if clip:
            gradients = ln.clip_by_global_norm(gradients, clip)[0]
        one.apply_gradients(zip(gradients, first.trainable_variables, strict=True))
        step(x, y)
        for v, w in zip(first.variables, second.variables, strict=True):
            np.testing.assert_allclose(w.numpy(), v.numpy(), rtol=1e-5, atol=1e-6)


LOSSES = ["mean_squared_error", "mean_absolute_error", "huber", "log_cosh", "hinge", "kl_divergence", "poisson"]


@pytest.mark.parametrize("name", LOSSES)
def test_losses(name):
    x, y = data()
    y = np.abs(y)
    loss = getattr(ln.losses, name)
    assert_equal_runs(mlp, lambda: ln.optimizers.Adam(0.01), loss, x, y, tolerance=1e-6)


def test_classes_from_logits():
    x, _ = data()
    labels = np.array([0, 2, 1, 1, 0, 2])

    def loss(y_true, y_pred, sample_weight=None):
        return ln.losses.sparse_categorical_crossentropy(y_true, y_pred, sample_weight, from_logits=True)

    step = assert_equal_runs(mlp, lambda: ln.optimizers.Adam(0.01), loss, x, labels, tolerance=1e-6)
    assert [s["op"] for s in step.steps if "cross_entropy" in s["op"]] == ["sparse_softmax_cross_entropy"]
    one_hot = np.eye(3, dtype="float32")[labels]

    def dense_loss(y_true, y_pred, sample_weight=None):
        return ln.losses.categorical_crossentropy(y_true, y_pred, sample_weight, from_logits=True)

    assert_equal_runs(mlp, lambda: ln.optimizers.Adam(0.01), dense_loss, x, one_hot, tolerance=1e-6)


def test_sample_weights():
    x, y = data()
    weights = np.arange(6, dtype="float32")
    assert_equal_runs(
        mlp, lambda: ln.optimizers.Adam(0.01), ln.losses.mean_squared_error, x, y, tolerance=1e-6, sample_weight=weights
    )


class Regularized(ln.Network):
    """Dropout, batch norm, a regularizer and a loss of a layer's own."""

    class Activity(L.Layer):
        def call(self, inputs):
            self.add_loss(ln.reduce_mean(ln.square(inputs)) * 0.1)
            return inputs

    def __init__(self):
        super().__init__()
        self.a = self.track_layer(L.Dense(8, kernel_regularizer=ln.regularizers.l2(0.01)))
        self.norm = self.track_layer(L.BatchNormalization())
        self.activity = self.track_layer(self.Activity())
        self.drop = self.track_layer(L.Dropout(0.5))
        self.b = self.track_layer(L.Dense(3, kernel_constraint=ln.constraints.MaxNorm(0.5)))

    def call(self, inputs, training=None):
        h = self.norm(self.a(inputs), training=training)
        return self.b(self.drop(self.activity(h), training=training))


def test_dropout_batch_norm_regularizers_and_constraints():
    x, y = data()
    step = assert_equal_runs(
        Regularized, lambda: ln.optimizers.Adam(0.01), ln.losses.mean_squared_error, x, y, tolerance=2e-6
    )
    norm = step.network.norm
    assert not np.allclose(norm.moving_mean.numpy(), 0.0)
    kernel = step.network.b.kernel.numpy()
    assert (np.linalg.norm(kernel, axis=0) <= 0.5 + 1e-6).all()


def test_the_trace_leaves_no_mark():
    net = Regularized()
    x, y = data()
    net(x)
    losses, updates = len(net.losses), len(net.updates)
    ln.TrainStep(net, "mse", "sgd")(x, y)
    assert (len(net.losses), len(net.updates)) == (losses, updates)
    assert not net.a.inbound_nodes


def test_a_network_that_was_never_called_is_built():
    net = mlp()
    x, y = data()
    step = ln.TrainStep(net, "mse", "adam")
    first = float(step(x, y))
    assert len(net.variables) == 4
    assert float(step(x, y)) < first


@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
def test_a_network_of_another_type_that_was_never_called(dtype):
    net = mlp(dtype=dtype)
    step = ln.TrainStep(net, "mse", "sgd")
    assert step(*data()).dtype == ("float32" if dtype == "bfloat16" else dtype)  # NumPy has no bfloat16
    assert {v.dtype.name for v in net.variables} == {dtype}
    assert repr(step) == f"TrainStep({net!r}, {step.optimizer!r})"


class TwoHeads(ln.Network):
    def __init__(self):
        super().__init__()
        self.body = self.track_layer(L.Dense(4, activation="relu"))
        self.heads = [self.track_layer(L.Dense(1)), self.track_layer(L.Dense(2))]

    def call(self, inputs):
        h = self.body(ln.concat([inputs["a"], inputs["b"]], axis=-1))
        return [head(h) for head in self.heads]


def two_heads_data():
    rng = np.random.default_rng(0)
    x = {name: rng.normal(size=(5, 3)).astype("float32") for name in "ab"}
    return x, [rng.normal(size=(5, n)).astype("float32") for n in (1, 2)]


def two_headed(metrics):
    return ln.TrainStep(TwoHeads(), "mse", ln.optimizers.SGD(0.0), metrics=metrics)(*two_heads_data())


def test_metrics_of_several_outputs():
    x, y = two_heads_data()
    net = TwoHeads()
    predicted = [p.numpy() for p in net(x)]
    mae = [float(np.abs(p - t).mean()) for p, t in zip(predicted, y, strict=True)]
    mse = [float(((p - t) ** 2).mean()) for p, t in zip(predicted, y, strict=True)]
    for metrics, want in [
        (["mae"], mae),
        (["mae", "mse"], [mae[0], mse[0], mae[1], mse[1]]),
        ([[], "mae"], mae[1:]),
        (["mse", ["mae", ln.metrics.MeanSquaredError()]], [mse[0], mae[1], mse[1]]),
        ({"output_1": ["mae", "mse"]}, [mae[1], mse[1]]),
        ({"output_0": "mae", "output_1": ln.metrics.MeanAbsoluteError()}, mae),
    ]:
        step = ln.TrainStep(net, "mse", ln.optimizers.SGD(0.0), metrics=metrics)
        loss, *values = step(x, y)
        assert float(loss) == pytest.approx(sum(mse), rel=1e-5)
        assert [float(value) for value in values] == pytest.approx(want, rel=1e-5)


def test_several_inputs_outputs_and_losses():
    rng = np.random.default_rng(0)
    x = {name: rng.normal(size=(5, 3)).astype("float32") for name in "ab"}
    y = [rng.normal(size=(5, n)).astype("float32") for n in (1, 2)]
    first, second = twins(TwoHeads, x)
    optimizer = ln.optimizers.SGD(0.1)
    step = ln.TrainStep(second, ["mse", "mae"], ln.optimizers.SGD(0.1))
    with ln.GradientTape() as tape:
        outputs = first(x)
        loss = ln.losses.mean_squared_error(y[0], outputs[0]) + ln.losses.mean_absolute_error(y[1], outputs[1])
    optimizer.apply_gradients(zip(tape.gradient(loss, first.variables), first.variables, strict=True))
    assert float(step(x, y)) == float(loss)
    for v, w in zip(first.variables, second.variables, strict=True):
        np.testing.assert_array_equal(w.numpy(), v.numpy())
    with pytest.raises(ln.errors.ShapeError, match="expected a target for each of 2 outputs"):
        ln.TrainStep(second, "mse", "sgd")(x, y[0])


def test_embedding_and_convolution():
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 11, size=(6, 4))
    y = rng.normal(size=(6, 2)).astype("float32")

    def embed():
        return ln.Sequential([L.Embedding(11, 3), L.Flatten(), L.Dense(2)])

    assert_equal_runs(embed, lambda: ln.optimizers.Adam(0.01), ln.losses.mean_squared_error, ids, y, tolerance=1e-6)
    images = rng.normal(size=(3, 6, 6, 2)).astype("float32")

    def convolve():
        return ln.Sequential([L.Conv2D(4, 3, activation="relu"), L.MaxPooling2D(2, 2), L.Flatten(), L.Dense(2)])

    assert_equal_runs(
        convolve, lambda: ln.optimizers.SGD(0.1), ln.losses.mean_squared_error, images, y[:3], tolerance=1e-6
    )


def test_learning_rate_changes_without_another_trace():
    x, y = data()
    net = mlp()
    optimizer = ln.optimizers.SGD(0.0)
    step = ln.TrainStep(net, "mse", optimizer)
    step(x, y)
    before = [v.numpy().copy() for v in net.variables]
    step(x, y)
    assert all((v.numpy() == b).all() for v, b in zip(net.variables, before, strict=True))
    optimizer.learning_rate = 0.1
    step(x, y)
    assert not any((v.numpy() == b).all() for v, b in zip(net.variables, before, strict=True))
    rates = iter([0.0, 0.5])
    optimizer.learning_rate = lambda: next(rates)
    before = [v.numpy().copy() for v in net.variables]
    step(x, y)
    assert all((v.numpy() == b).all() for v, b in zip(net.variables, before, strict=True))
    assert len(step._compiled) == 1


def test_schedules_are_part_of_the_plan():
    x, y = data()
    schedule = ln.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)
    step = assert_equal_runs(
        mlp, lambda: ln.optimizers.Adam(schedule), ln.losses.mean_squared_error, x, y, steps=6, tolerance=1e-7
    )
    assert len(step._compiled) == 1
    assert step.optimizer.current_rate() == pytest.approx(0.1 * 0.5**3)


@pytest.mark.parametrize(
    "options", [{"clipnorm": 0.1}, {"clipvalue": 0.01}, {"global_clipnorm": 0.1}, {"gradient_accumulation_steps": 3}]
)
def test_options_of_optimizers(options):
    x, y = data()
    assert_equal_runs(
        mlp, lambda: ln.optimizers.Adam(0.01, **options), ln.losses.mean_squared_error, x, y, steps=7, tolerance=1e-6
    )


@pytest.mark.parametrize("name", ["Adadelta", "Adamax", "Nadam", "Lion"])
def test_more_optimizers(name):
    x, y = data()
    assert_equal_runs(mlp, getattr(ln.optimizers, name), ln.losses.mean_squared_error, x, y, tolerance=1e-7)


def test_metric_objects_gather_over_steps():
    x, y = data()
    net = mlp()
    net(x)
    metric = ln.metrics.MeanAbsoluteError()
    step = ln.TrainStep(net, "mse", ln.optimizers.SGD(0.0), metrics=[metric])
    want = [np.abs(net(part).numpy() - target).mean() for part, target in [(x[:2], y[:2]), (x[2:], y[2:])]]
    first = step(x[:2], y[:2])[1]
    second = step(x[2:], y[2:])[1]
    assert float(first) == pytest.approx(want[0], rel=1e-6)
    assert float(second) == pytest.approx((2 * want[0] + 4 * want[1]) / 6, rel=1e-6)
    assert float(metric.result()) == float(second)


def test_a_schedule_may_take_the_place_of_another():
    x = np.ones((1, 1), "float32")
    net = ln.Sequential([ln.layers.Dense(1, use_bias=False, kernel_initializer="zeros")])
    optimizer = ln.optimizers.SGD(0.5)
    step = ln.TrainStep(net, lambda y_true, y_pred: ln.reduce_mean(y_pred), optimizer)
    step(x, x)
    for rate in np.arange(1, 21) / 64:  # some of these objects lie where an earlier one lay
        optimizer.learning_rate = 0.5
        optimizer.learning_rate = ln.optimizers.schedules.PiecewiseConstantDecay([1000], [rate, 0.0])
        net.variables[0].assign([[0.0]])
        step(x, x)
        assert float(net.variables[0].numpy()[0, 0]) == -rate


def test_steps_count_after_a_schedule_was_taken_away():
    x, y = data()
    optimizer = ln.optimizers.SGD(0.1)
    step = ln.TrainStep(mlp(), "mse", optimizer)
    step(x, y)
    optimizer.learning_rate = ln.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)
    step(x, y)
    optimizer.learning_rate = 0.1
    step(x, y)
    assert int(optimizer.iterations) == 2


def test_learning_rate_as_a_variable():
    x, y = data()
    net = mlp()
    rate = ln.Variable(0.0, trainable=False)
    step = ln.TrainStep(net, "mse", ln.optimizers.SGD(rate))
    step(x, y)
    before = net.variables[0].numpy().copy()
    step(x, y)
    assert (net.variables[0].numpy() == before).all()
    rate.assign(0.1)
    step(x, y)
    assert not (net.variables[0].numpy() == before).any()


def test_another_number_of_rows_needs_no_other_plan():
    net = mlp()
    step = ln.TrainStep(net, "mse", "sgd")
    for rows in (6, 1, 300, 6):
        step(*data(rows))
    assert len(step._compiled) == 1


def test_steps_allocate_results_only():
    net = mlp()
    x, y = data()
    step = ln.TrainStep(net, "mse", "adam")
    compiled, arrays = step._ready(x, y, None)
    compiled.caller.run_list(arrays)
    before = _core.allocation_count()
    for _ in range(3):
        compiled.caller.run_list(arrays)
    assert _core.allocation_count() == before


def test_values_held_elsewhere_stay():
    net = mlp()
    x, y = data()
    step = ln.TrainStep(net, "mse", ln.optimizers.SGD(0.1))
    step(x, y)
    view, tensor = net.variables[0].numpy(), net.variables[1].value()
    copies = view.copy(), tensor.numpy().copy()
    version = net.variables[0].version
    step(x, y)
    assert (view == copies[0]).all()
    assert (tensor.numpy() == copies[1]).all()
    assert not (net.variables[0].numpy() == copies[0]).all()
    assert net.variables[0].version == version + 1


def test_assigned_values_are_used():
    net = mlp()
    x, y = data()
    step = ln.TrainStep(net, "mse", ln.optimizers.SGD(0.0))
    step(x, y)
    for v in net.variables:
        v.assign(np.zeros(v.shape, "float32"))
    assert float(step(x, y)) == pytest.approx(float((y * y).mean()), rel=1e-6)


def test_the_bits_do_not_depend_on_threads():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(700, 150)).astype("float32"), rng.normal(size=(700, 1)).astype("float32")

    def make():
        return ln.Sequential(
            [L.Dense(260, activation="relu"), L.Dropout(0.3), L.Dense(130, activation="tanh"), L.Dense(1)]
        )

    results = []
    start = None
    for threads in (1, 2, 3):
        net = make()
        net(x)
        start = start or [v.numpy().copy() for v in net.variables]
        for v, value in zip(net.variables, start, strict=True):
            v.assign(value)
        ln.set_seed(5)
        step = ln.TrainStep(net, "mse", ln.optimizers.Adam(0.01), threads=threads)
        losses = [step(x, y).numpy().tobytes() for _ in range(3)]
        results.append((losses, [v.numpy().tobytes() for v in net.variables]))
    assert results[0] == results[1] == results[2]


def test_metrics_follow_the_loss():
    x, y = data()
    net = mlp()
    step = ln.TrainStep(
        net, "mse", ln.optimizers.SGD(0.0), metrics=["mean_absolute_error", ln.metrics.mean_squared_error]
    )
    loss, mae, mse = step(x, y)
    prediction = net(x).numpy()
    assert float(mae) == pytest.approx(np.abs(prediction - y).mean(), rel=1e-6)
    assert float(mse) == float(loss)


def test_clipping_by_the_norm_of_all_gradients():
    x, y = data()
    first, second = twins(mlp, x)
    with ln.GradientTape() as tape:
        loss = ln.losses.mean_squared_error(y, first(x))
    gradients = [g.numpy().astype("float64") for g in tape.gradient(loss, first.variables)]
    norm = np.sqrt(sum((g * g).sum() for g in gradients))
    for limit in (norm / 3, norm * 2):
        before = [v.numpy().copy() for v in second.variables]
        ln.TrainStep(second, "mse", ln.optimizers.SGD(1.0), clip_norm=limit)(x, y)
        scale = min(1.0, limit / norm)
        for v, b, g in zip(second.variables, before, gradients, strict=True):
            np.testing.assert_allclose(v.numpy(), b - scale * g, rtol=1e-5, atol=1e-6)
            v.assign(b)


def test_profile_says_where_time_goes():
    x, y = data()
    step = ln.TrainStep(mlp(), "mse", "sgd")
    table = step.profile(x, y, repeats=2)
    assert [row["op"] for row in table] == [row["op"] for row in step.steps]
    assert sum(row["share"] for row in table) == pytest.approx(1.0)


def test_two_threads_may_train_one_network():
    x, y = data()
    net = mlp()
    net(x)
    steps = [ln.TrainStep(net, "mse", ln.optimizers.SGD(1e-3)) for _ in range(2)]
    errors = []

    def work(step):
        try:
            for _ in range(200):
                step(x, y)
                net(x)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(step,)) for step in steps]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not errors
    assert net.variables[0].version == 400


def test_resumed_in_another_process_the_bits_are_the_same(tmp_path):
    program = """
import sys, numpy as np, layernet as ln
ln.set_num_threads(int(sys.argv[4]))
net = ln.Sequential([ln.layers.Dense(64, activation="relu"), ln.layers.Dropout(0.4), ln.layers.Dense(2)], name="net")
rng = np.random.default_rng(0)
x, y = rng.normal(size=(100, 20, 30)).astype("float32"), rng.normal(size=(100, 20, 2)).astype("float32")
ln.set_seed(3)
net(x[0])
optimizer = ln.optimizers.Adam(0.01)
optimizer.create_slots(net.trainable_variables)
saver = ln.Saver(net.variables + optimizer.variables() + [ln.random_state()])
first, last, path = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
if first:
    saver.restore(f"{path}-{first}")
step = ln.TrainStep(net, "mse", optimizer)
for i in range(first, last):
    step(x[i], y[i])
saver.save(path, global_step=last)
print(b"".join(v.numpy().tobytes() for v in net.variables).hex())
"""

    def run(first, last, name, threads):
        arguments = [sys.executable, "-c", program, str(first), str(last), str(tmp_path / name), str(threads)]
        return subprocess.run(arguments, check=True, capture_output=True, text=True).stdout

    whole = run(0, 100, "whole", 1)
    run(0, 50, "half", 2)
    assert run(50, 100, "half", 1) == whole
    assert run(0, 100, "two", 2) == whole


class Broken(ln.Network):
    def __init__(self):
        super().__init__()
        self.dense = self.track_layer(L.Dense(3))
        self.fail = False

    def call(self, inputs):
        if self.fail:
            raise RuntimeError("a mistake of the user's")
        return self.dense(inputs)


def test_an_exception_in_a_layer_leaves_everything_as_it_was():
    net = Broken()
    x, y = data()
    net(x)
    before = net.dense.kernel.numpy().copy()
    net.fail = True
    step = ln.TrainStep(net, "mse", "sgd")
    with pytest.raises(RuntimeError, match="a mistake of the user's"):
        step(x, y)
    assert (net.dense.kernel.numpy() == before).all()
    with ln.GradientTape() as tape:
        value = net.dense.kernel * 2.0
    assert tape.gradient(value, net.dense.kernel) is not None
    net.fail = False
    step(x, y)
    assert not (net.dense.kernel.numpy() == before).all()


class Branching(ln.Network):
    def call(self, inputs):
        return inputs if float(ln.reduce_sum(inputs)) > 0 else -inputs


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ln.TrainStep(3, "mse", "sgd"), TypeError, "expected a Network or Layer, got int"),
        (lambda: ln.TrainStep(mlp(), "mse", None), TypeError, "expected an optimizer or its name, got None"),
        (lambda: ln.TrainStep(mlp(), 3, "sgd"), (TypeError, ValueError), "loss"),
        (lambda: ln.TrainStep(mlp(), "mse", "sgd", clip_norm=0), ValueError, "expected clip_norm above 0, got 0"),
        (lambda: ln.TrainStep(mlp(), "mse", "sgd", threads=0), ValueError, "expected threads >= 1, got 0"),
        (lambda: ln.TrainStep(mlp(), "mse", "sgd").steps, RuntimeError, "expected a step to look at"),
        (lambda: ln.TrainStep(mlp(), None, "sgd")(*data()), ValueError, "expected a loss, got None"),
        (lambda: ln.TrainStep(mlp(), "mse", "sgd")(*data(0)), ln.errors.ShapeError, "expected at least one row"),
        (lambda: ln.TrainStep(mlp(), "mse", "sgd")(data(5)[0], data(6)[1]), ln.errors.ShapeError, "one number of rows"),
        (lambda: ln.TrainStep(mlp(), "mse", "sgd")(data()[0], data(n=4)[1]), ln.errors.ShapeError, "expected"),
        (lambda: ln.TrainStep(mlp(), "mse", "sgd")(data()[0], np.float32(1)), ln.errors.ShapeError, "with rows along"),
        (lambda: ln.TrainStep(Branching(), "mse", "sgd")(*data()), ln.errors.GraphError, "symbolic"),
        (lambda: ln.TrainStep(ln.Sequential([]), "mse", "sgd")(*data(n=5)), ValueError, "depends on trainable var"),
        (
            lambda: two_headed([ln.metrics.MeanAbsoluteError()]),
            ValueError,
            "expected metric objects for one output each, got one list of them for 2",
        ),
        (
            lambda: two_headed({"output_2": "mae"}),
            ln.errors.InvalidArgumentError,
            "TrainStep: expected metrics for output_0, output_1, got some for 'output_2'",
        ),
        (
            lambda: two_headed([["mae"]]),
            ln.errors.InvalidArgumentError,
            "TrainStep: expected metrics for each of 2 targets, got 1 lists",
        ),
        (
            lambda: ln.TrainStep(TwoHeads(), ["mse"] * 3, "sgd")(*two_heads_data()),
            ln.errors.ShapeError,
            "expected a loss for each of 2 outputs of 'two_heads.*', got 3 losses",
        ),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


class Around(ln.Network):
    def __init__(self, *layers):
        super().__init__(name=None)
        self.parts = [self.track_layer(layer) for layer in layers]

    def call(self, inputs):
        for layer in self.parts:
            inputs = layer(inputs)
        return inputs


def test_a_layer_of_two_networks_is_changed_once_by_the_sum_of_its_gradients():
    x, y = data(n=5)
    shared = L.Dense(5, activation="tanh")
    net = Around(Around(shared), Around(shared))
    net(x)
    assert len(net.trainable_variables) == 4
    kernel, bias = (ln.Variable(v.numpy().copy()) for v in shared.variables)
    with ln.GradientTape() as tape:
        hidden = ln.tanh(ln.matmul(x, kernel) + bias)
        loss = ln.losses.mean_squared_error(y, ln.tanh(ln.matmul(hidden, kernel) + bias))
    gradients = ln.clip_by_global_norm(tape.gradient(loss, [kernel, bias]), 0.01)[0]
    ln.optimizers.SGD(0.5).apply_gradients(zip(gradients, [kernel, bias], strict=True))
    ln.TrainStep(net, "mse", ln.optimizers.SGD(0.5), clip_norm=0.01)(x, y)
    for got, want in zip(shared.variables, [kernel, bias], strict=True):
        np.testing.assert_allclose(got.numpy(), want.numpy(), atol=1e-7)


class Named(ln.Network):
    def __init__(self):
        super().__init__(name=None)
        self.dense = self.track_layer(ln.layers.Dense(1))

    def call(self, inputs):
        return {"sum": self.dense(inputs["a"] + inputs["b"]), "difference": self.dense(inputs["a"] - inputs["b"])}


def test_names_of_targets_losses_and_inputs():
    x, y = data(n=1)
    inputs, targets = {"a": x, "b": x}, {"sum": y, "difference": y}
    for loss, given in [
        ("mse", {"sum": y, "product": y}),
        ({"sum": "mse", "product": "mse"}, targets),
    ]:
        with pytest.raises(ln.errors.ShapeError, match="for outputs difference, sum, got some for product, sum"):
            ln.TrainStep(Named(), loss, "sgd")(inputs, given)
    with pytest.raises(ln.errors.ShapeError, match="expected targets for outputs without names, got"):
        ln.TrainStep(TwoHeads(), "mse", "sgd")(inputs, targets)
    step = ln.TrainStep(Named(), "mse", "sgd")
    step(inputs, targets)
    step({"b": x, "a": x}, {"difference": y, "sum": y})
    assert len(step._compiled) == 1
    with pytest.raises(KeyError, match="b"):
        step({"a": x, "c": x}, targets)
    with pytest.raises(ln.errors.ShapeError, match="got some for product, sum"):
        step(inputs, {"sum": y, "product": y})


def test_rows_that_do_not_agree_later():
    x, y = data()
    net = mlp()
    step = ln.TrainStep(net, "mse", "sgd")
    step(x, y)
    before = [v.numpy().copy() for v in net.variables]
    with pytest.raises(ln.errors.ShapeError, match="TrainStep: expected an input of shape"):
        step(x, y[:4])
    with pytest.raises(ln.errors.ShapeError, match="at least one row"):
        step(x[:0], y[:0])
    with pytest.raises(ln.errors.DTypeError, match="TrainStep: expected numbers"):
        step(x, y.astype("complex64"))
    assert all((v.numpy() == b).all() for v, b in zip(net.variables, before, strict=True))


@pytest.mark.parametrize(
    "convert",
    [
        lambda a: a.tolist(),
        lambda a: a.astype("float64"),
        lambda a: np.asfortranarray(a),
        lambda a: a.astype(">f4"),
        ln.constant,
    ],
)
def test_other_kinds_of_arrays_are_converted(convert):
    x, y = data()
    first, second = twins(mlp, x)
    a = ln.TrainStep(first, "mse", "sgd")(x, y)
    b = ln.TrainStep(second, "mse", "sgd")(convert(x), convert(y))
    assert float(a) == float(b)


def test_calls_like_the_one_before_and_unlike_it():
    x, y = data()
    first, second = twins(mlp, x)
    optimizers = [ln.optimizers.SGD(0.1, momentum=0.9) for _ in range(2)]
    step, general = (ln.TrainStep(n, "mse", o) for n, o in zip((first, second), optimizers, strict=True))
    weights = np.linspace(0.0, 1.0, len(x))
    calls = [
        ((x, y), 0.1),
        ((x, y), 0.1),
        ((x, y), 0.2),
        ((x[::2], y[::2]), 0.2),
        ((x[:3], y[:3]), 0.2),
        ((x, y, weights), 0.2),
        ((x, y), 0.2),
        ((x, y), ln.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)),
        ((x, y), None),
        ((x, y), 0.05),
        ((x.astype("float64"), y), 0.05),
        ((x, y), 0.05),
        ((x, y.astype("float16")), 0.05),
        ((x, y), 0.05),
    ]
    for arrays, rate in calls:
        for optimizer in optimizers:
            if rate is not None:
                optimizer.learning_rate = rate
        general._latest = None  # looks at everything anew
        assert float(step(*arrays)) == float(general(*arrays))
    for a, b in zip(first.variables, second.variables, strict=True):
        assert (a.numpy() == b.numpy()).all()
    assert int(optimizers[0].iterations) == int(optimizers[1].iterations)

"""compile, fit, evaluate: against loops over a gradient tape, numpy formulas, and themselves after a break."""

import copy
import os
import pickle
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import layernet as ln
from layernet import feeding, symbolic

RNG = np.random.default_rng(4)
X = RNG.normal(size=(50, 3)).astype("float32")
Y = (X @ np.float32([1.0, -2.0, 0.5]))[:, None] + 0.25
LABELS = (X[:, 0] > 0).astype("int64") + (X[:, 1] > 0)


def regression(optimizer=None, metrics=None, loss="mse", **dense):
    ln.set_seed(2)
    x = ln.Input((3,))
    hidden = ln.layers.Dense(8, activation="tanh", name="hidden")(x)
    model = ln.Model(x, ln.layers.Dense(1, name="out", **dense)(hidden), name="net")
    model.compile(optimizer or ln.optimizers.SGD(0.05), loss, metrics)
    return model


def classifier(metrics=("accuracy",), loss="sparse_categorical_crossentropy"):
    ln.set_seed(2)
    x = ln.Input((3,))
    model = ln.Model(x, ln.layers.Dense(3, activation="softmax", name="out")(x), name="net")
    model.compile(ln.optimizers.Adam(0.05), loss, list(metrics))
    return model


def two_outputs():
    ln.set_seed(2)
    a, b = ln.Input((3,)), ln.Input((2,))
    both = ln.layers.Concatenate()([a, b])
    outputs = {"size": ln.layers.Dense(1, name="size")(both), "kind": ln.layers.Dense(3, name="kind")(both)}
    return ln.Model({"a": a, "b": b}, outputs, name="net")


def weights_of(model):
    return [variable.numpy().copy() for variable in model.variables]


def assert_same(first, second):
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


class Spy(ln.callbacks.Callback):
    def __init__(self):
        self.events = []

    def on_train_begin(self):
        self.events.append("begin")

    def on_train_end(self):
        self.events.append("end")

    def on_epoch_begin(self, epoch):
        self.events.append(("epoch", epoch))

    def on_epoch_end(self, epoch, logs):
        self.events.append(("epoch ends", epoch, list(logs)))

    def on_train_batch_begin(self, batch):
        self.events.append(("batch", batch))

    def on_train_batch_end(self, batch, logs):
        self.events.append(("batch ends", batch, len(logs), "loss" in logs))


class Break(ln.callbacks.Callback):
    """Does something after so many steps."""

    def __init__(self, steps, action):
        self.left = steps
        self.action = action

    def on_train_batch_end(self, batch, logs):
        self.left -= 1
        if self.left == 0:
            self.action()


# --- training ---------------------------------------------------------------------------------------------------------


def test_fit_is_a_loop_over_a_tape():
    model, twin = regression(), regression()
    assert_same(weights_of(model), weights_of(twin))

    history = model.fit(X, Y, batch_size=16, epochs=3, shuffle=False)

    means = []
    for _ in range(3):
        total = 0.0
        for start in range(0, 50, 16):
            x, y = X[start : start + 16], Y[start : start + 16]
            with ln.GradientTape() as tape:
                loss = ln.losses.mean_squared_error(y, twin(x))
            variables = twin.trainable_variables
            twin.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
            total += float(loss) * len(x)
        means.append(total / 50)
    np.testing.assert_allclose(history.history["loss"], means, rtol=1e-5)
    for a, b in zip(weights_of(model), weights_of(twin), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
    assert history.epoch == [0, 1, 2]
    assert model.history is history


def test_same_seed_same_bits_and_another_order_in_each_epoch():
    orders = []

    class Rows(ln.callbacks.Callback):
        def on_train_batch_end(self, batch, logs):
            orders[-1].append(self.model.current_batch[0][:, 0].copy())

        def on_epoch_begin(self, epoch):
            orders.append([])

    runs = []
    for _ in range(2):
        model = regression()
        model.fit(X, Y, batch_size=16, epochs=2, callbacks=[Rows()])
        runs.append(weights_of(model))
    assert_same(*runs)
    first, second, third, _ = (np.concatenate(rows) for rows in orders)
    np.testing.assert_array_equal(np.sort(first), np.sort(X[:, 0]))
    assert (first != second).any()
    np.testing.assert_array_equal(first, third)


def test_metrics_are_those_of_the_whole_epoch():
    model = regression(ln.optimizers.SGD(0.0), ["mae", ln.metrics.R2Score()])
    history = model.fit(X, Y, batch_size=16, sample_weight=np.full(50, 2.0))
    error = model.predict(X) - Y
    assert history.history["mae"] == [pytest.approx(np.abs(error).mean(), rel=1e-5)]
    assert history.history["loss"] == [pytest.approx(2 * (error**2).mean(), rel=1e-5)]
    assert history.history["r2_score"] == [pytest.approx(1 - (error**2).sum() / ((Y - Y.mean()) ** 2).sum(), rel=1e-5)]


def test_evaluate():
    model = regression(metrics=["mae"], kernel_regularizer=ln.regularizers.l2(0.1))
    error = model.predict(X) - Y
    want = (error**2).mean() + 0.1 * (model.get_layer("out").kernel.numpy() ** 2).sum()
    loss, mae = model.evaluate(X, Y, batch_size=7)
    assert loss == pytest.approx(want, rel=1e-5)
    assert mae == pytest.approx(np.abs(error).mean(), rel=1e-5)
    logs = model.evaluate(X, Y, return_dict=True)
    assert logs == {"loss": pytest.approx(want, rel=1e-5), "mae": pytest.approx(mae)}
    assert regression().evaluate(X[:5], Y[:5]) == pytest.approx((error[:5] ** 2).mean(), rel=1e-5)
    before = weights_of(model)
    weighted = model.test_on_batch(X, Y, sample_weight=np.arange(50))
    assert weighted[0] - want == pytest.approx((np.arange(50)[:, None] * error**2).mean() - (error**2).mean(), rel=1e-4)
    assert_same(before, weights_of(model))


class Pulled(ln.layers.Dense):
    def call(self, inputs):
        outputs = super().call(inputs)
        self.add_loss(3.0 * ln.reduce_mean(ln.abs(outputs)))
        return outputs


def pulled():
    ln.set_seed(3)
    x = ln.Input((3,))
    model = ln.Model(x, Pulled(1, kernel_regularizer=ln.regularizers.l2(0.1), name="out")(x), name="net")
    model.compile(ln.optimizers.SGD(0.0), "mse")
    return model


def test_evaluate_counts_the_losses_of_the_network_as_fit_does():
    model = pulled()
    predicted = model.predict(X)
    own = 3.0 * np.abs(predicted).mean() + 0.1 * (model.get_layer("out").kernel.numpy() ** 2).sum()
    want = pytest.approx(((predicted - Y) ** 2).mean() + own, rel=1e-5)
    assert model.evaluate(X, Y) == want
    # means over batches of 20, 20 and 10 rows, each with the weight of its rows
    assert model.evaluate(X, Y, batch_size=20) == want
    history = model.fit(X, Y, batch_size=20, validation_data=(X, Y)).history
    assert (history["loss"], history["val_loss"]) == ([want], [want])
    model.compile("sgd")
    assert model.evaluate(X, Y) == pytest.approx(own, rel=1e-5)


def test_evaluate_does_not_count_losses_that_earlier_calls_left():
    x = ln.Input((3,))
    model = ln.Model(x, ln.layers.Dense(1, activity_regularizer=ln.regularizers.l2(10.0), name="out")(x))
    model.compile("sgd", "mse")
    before = model.evaluate(X, Y)
    model(X)
    predicted = model.predict(X)
    want = ((predicted - Y) ** 2).mean() + 10.0 * (predicted[:32] ** 2).sum() * 32 / 50
    want += 10.0 * (predicted[32:] ** 2).sum() * 18 / 50
    assert model.evaluate(X, Y) == before == pytest.approx(want, rel=1e-5)


def test_evaluate_is_in_inference_mode_and_reads_variables_anew():
    x = ln.Input((3,))
    model = ln.Model(x, ln.layers.Dense(1)(ln.layers.BatchNormalization()(ln.layers.Dropout(0.5)(x))))
    model.compile(ln.optimizers.SGD(0.1), "mse")
    for _ in range(2):
        before = weights_of(model)
        assert model.evaluate(X, Y) == pytest.approx(((model.predict(X) - Y) ** 2).mean(), rel=1e-5)
        assert_same(before, weights_of(model))
        model.fit(X, Y)


def test_losses_of_all_pairs_of_rows():
    ln.set_seed(1)
    x = ln.Input((3,))
    model = ln.Model(x, ln.layers.Dense(4)(x))
    model.compile(ln.optimizers.Adam(0.02), "circle")
    parts = [(model.predict(X[part]), LABELS[part]) for part in (slice(32), slice(32, None))]
    want = sum(len(labels) * float(ln.losses.circle(labels, rows)) for rows, labels in parts) / 50
    assert model.evaluate(X, LABELS) == pytest.approx(want, rel=1e-4)
    losses = model.fit(X, LABELS, epochs=30).history["loss"]
    assert losses[-1] < 0.8 * losses[0]


def test_progress_of_evaluate(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    model = regression()
    loss = model.evaluate(X, Y)
    line = capsys.readouterr().err
    assert line.startswith("\revaluate  50/50 rows")
    assert f"loss: {loss:.4g}" in line
    model.evaluate(X, Y, verbose=0)
    model.test_on_batch(X, Y)
    assert capsys.readouterr().err == ""


def test_validation_by_split_by_arrays_and_by_batches():
    histories = []
    for options in (
        {"x": X, "y": Y, "validation_split": 0.2},
        {"x": X[:40], "y": Y[:40], "validation_data": (X[40:], Y[40:])},
        {"x": X[:40], "y": Y[:40], "validation_data": (X[40:], Y[40:], np.ones(10))},
        {"x": X[:40], "y": Y[:40], "validation_data": lambda: [(X[40:], Y[40:])]},
    ):
        model = regression(metrics=["mae"])
        histories.append(model.fit(epochs=2, **options).history)
        assert model.evaluate(X[40:], Y[40:])[0] == pytest.approx(histories[-1]["val_loss"][-1], rel=1e-6)
    assert sorted(histories[0]) == ["loss", "mae", "val_loss", "val_mae"]
    for other in histories[1:]:
        for name, values in histories[0].items():
            np.testing.assert_allclose(other[name], values, rtol=1e-6)


def test_accuracy_chooses_by_the_shapes():
    sparse = classifier()
    assert sparse.evaluate(X, LABELS)[1] == pytest.approx((sparse.predict(X).argmax(1) == LABELS).mean())
    one_hot = classifier(loss="categorical_crossentropy")
    assert one_hot.evaluate(X, np.eye(3)[LABELS])[1] == sparse.evaluate(X, LABELS)[1]
    binary = regression(metrics=["acc"], loss="binary_crossentropy", activation="sigmoid")
    truth = LABELS > 0
    assert binary.evaluate(X, truth)[1] == pytest.approx(((binary.predict(X)[:, 0] > 0.5) == truth).mean())
    accuracy = sparse.fit(X, LABELS, epochs=30).history["accuracy"]
    assert accuracy[-1] > max(0.75, accuracy[0])


def test_class_weights_are_weights_of_rows():
    weights = {0: 0.5, 2: 3.0}
    rows = np.array([0.5, 1.0, 3.0])[LABELS]
    by_class, by_row, one_hot = classifier(), classifier(), classifier(loss="categorical_crossentropy")
    by_class.fit(X, LABELS, class_weight=weights, shuffle=False)
    by_row.fit(X, LABELS, sample_weight=rows, shuffle=False)
    one_hot.fit(X, np.eye(3, dtype="float32")[LABELS], class_weight=weights, shuffle=False)
    assert_same(weights_of(by_class), weights_of(by_row))
    for a, b in zip(weights_of(by_class), weights_of(one_hot), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
    both, product = classifier(), classifier()
    both.train_on_batch(X, LABELS, sample_weight=np.full(50, 2.0), class_weight=weights)
    product.train_on_batch(X, LABELS, sample_weight=2.0 * rows)
    assert_same(weights_of(both), weights_of(product))


def test_train_on_batch_is_a_step_of_fit():
    one, other = regression(metrics=["mae"]), regression(metrics=["mae"])
    history = one.fit(X, Y, batch_size=50, epochs=2, shuffle=False)
    results = [other.train_on_batch(X, Y), other.train_on_batch(X, Y, return_dict=True)]
    assert results[0] == [history.history["loss"][0], history.history["mae"][0]]
    assert results[1] == {"loss": history.history["loss"][1], "mae": history.history["mae"][1]}
    assert_same(weights_of(one), weights_of(other))


def test_functions_of_ones_own():
    def whole(y_true, y_pred):
        return ln.reduce_mean(ln.square(y_true - y_pred))

    def per_row(y_true, y_pred):
        return ln.reduce_mean(ln.square(y_true - y_pred), axis=-1)

    def named(y_true, y_pred):
        return ln.reduce_max(ln.abs(y_true - y_pred), axis=-1)

    weights = np.linspace(0.0, 2.0, 50).astype("float32")
    runs = []
    for loss in ("mse", per_row):
        model = regression(loss=loss, metrics=[named])
        model.fit(X, Y, sample_weight=weights)
        runs.append(weights_of(model))
    for a, b in zip(*runs, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
    model = regression(loss=whole, metrics=[named])
    assert model.evaluate(X, Y, return_dict=True) == {
        "loss": pytest.approx(regression().evaluate(X, Y), rel=1e-6),
        "named": pytest.approx(np.abs(model.predict(X) - Y).mean(), rel=1e-6),
    }


def test_sequential_is_trained_as_a_model_is():
    ln.set_seed(2)
    net = ln.Sequential([ln.layers.Dense(8, activation="tanh"), ln.layers.Dense(1)], name="sequence")
    net.compile(ln.optimizers.SGD(0.05), "mse")
    model = regression()
    net(X)
    net.set_weights(model.get_weights())
    net.fit(X, Y, shuffle=False)
    model.fit(X, Y, shuffle=False)
    assert_same(weights_of(net), weights_of(model))
    np.testing.assert_array_equal(net.predict(X), model.predict(X))
    fresh = ln.Sequential([ln.layers.Dense(1)])
    fresh.compile("sgd", "mse")
    assert len(fresh.fit(X, Y, epochs=2).history["loss"]) == 2


def test_losses_of_the_network_alone():
    ln.set_seed(1)
    x = ln.Input((3,))
    model = ln.Model(x, ln.layers.Dense(1, kernel_regularizer=ln.regularizers.l2(1.0), name="out")(x))
    model.compile(ln.optimizers.SGD(0.25))
    before = model.get_layer("out").kernel.numpy().copy()
    history = model.fit(X, batch_size=50)
    assert history.history["loss"] == [pytest.approx((before**2).sum(), rel=1e-6)]
    np.testing.assert_allclose(model.get_layer("out").kernel.numpy(), before / 2, rtol=1e-6)


def test_several_inputs_and_outputs():
    data = {"a": X, "b": X[:, :2]}
    targets = {"size": Y, "kind": LABELS}

    def kind_loss(y_true, y_pred, sample_weight=None):
        return ln.losses.sparse_categorical_crossentropy(y_true, y_pred, sample_weight, from_logits=True)

    model = two_outputs()
    model.compile("adam", {"size": "mse", "kind": kind_loss}, {"kind": ["accuracy"], "size": "mae"})
    history = model.fit(data, targets, epochs=20, validation_split=0.2).history
    assert sorted(name for name in history if not name.startswith("val_")) == [
        "kind_accuracy",
        "kind_loss",
        "loss",
        "size_loss",
        "size_mae",
    ]
    np.testing.assert_allclose(history["loss"], np.add(history["size_loss"], history["kind_loss"]), rtol=1e-5)
    assert history["val_loss"][-1] < history["val_loss"][0]
    predicted = model.predict(data)
    logs = model.evaluate(data, targets, return_dict=True)
    assert logs["size_mae"] == pytest.approx(np.abs(predicted["size"] - Y).mean(), rel=1e-5)
    assert logs["kind_accuracy"] == pytest.approx((predicted["kind"].argmax(1) == LABELS).mean())


def test_weights_of_losses():
    data, targets = {"a": X, "b": X[:, :2]}, {"size": Y, "kind": np.eye(3, dtype="float32")[LABELS]}
    runs = {}
    for weights in (None, {"size": 0.5, "kind": 2.0}, {"size": 1.0, "kind": 0.0}):
        model = two_outputs()
        model.compile(ln.optimizers.SGD(0.1), "mse", loss_weights=weights)
        before = weights_of(model)
        logs = model.evaluate(data, targets, return_dict=True)
        size, kind = (1.0, 1.0) if weights is None else (weights["size"], weights["kind"])
        assert logs["loss"] == pytest.approx(size * logs["size_loss"] + kind * logs["kind_loss"], rel=1e-6)
        model.train_on_batch(data, targets)
        steps = [a - b for a, b in zip(before, weights_of(model), strict=True)]
        runs[size, kind] = steps
    of_size = ["size" in variable.name for variable in model.variables]
    assert sorted(of_size) == [False, False, True, True]
    for own, plain, weighted, alone in zip(of_size, *runs.values(), strict=True):
        np.testing.assert_allclose(weighted, (0.5 if own else 2.0) * plain, atol=1e-6)
        np.testing.assert_allclose(alone, plain if own else 0.0, atol=1e-6)


def test_one_list_of_metrics_for_all_outputs_gives_each_its_own_state():
    model = two_outputs()
    model.compile("sgd", "mse", ["mae", ln.metrics.RootMeanSquaredError()])
    kinds = RNG.normal(size=(50, 3))
    logs = model.evaluate({"a": X, "b": X[:, :2]}, {"kind": kinds, "size": Y}, return_dict=True)
    predicted = model.predict({"a": X, "b": X[:, :2]})
    assert logs["kind_root_mean_squared_error"] == pytest.approx(
        np.sqrt(((predicted["kind"] - kinds) ** 2).mean()), rel=1e-5
    )
    assert logs["size_root_mean_squared_error"] == pytest.approx(
        np.sqrt(((predicted["size"] - Y) ** 2).mean()), rel=1e-5
    )


def test_model_by_assignment_is_built_by_fit():
    class Mlp(ln.Model):
        def __init__(self):
            super().__init__(name="mlp")
            self.hidden = ln.layers.Dense(4, activation="relu")
            self.norm = ln.layers.BatchNormalization()
            self.out = ln.layers.Dense(1)

        def call(self, x, training=False):
            return self.out(self.norm(self.hidden(x), training=training))

    ln.set_seed(1)
    model = Mlp()
    model.compile("adam", "mse")
    history = model.fit(X.astype("float64"), Y, epochs=20)
    assert history.history["loss"][-1] < history.history["loss"][0]
    assert {variable.dtype.name for variable in model.variables} == {"float32"}
    assert (model.norm.moving_mean.numpy() != 0).any()


def test_schedules_and_accumulation_go_on_in_traced_steps():
    rate = ln.optimizers.schedules.PiecewiseConstantDecay([2], [0.05, 0.0])
    model = regression(ln.optimizers.SGD(rate))
    model.fit(X, Y, batch_size=10, shuffle=False)
    stopped = regression(ln.optimizers.SGD(0.05))
    stopped.fit(X[:30], Y[:30], batch_size=10, shuffle=False)
    assert_same(weights_of(model), weights_of(stopped))

    few = regression(ln.optimizers.SGD(0.05, gradient_accumulation_steps=2))
    few.fit(X[:40], Y[:40], batch_size=10, shuffle=False)
    large = regression(ln.optimizers.SGD(0.05))
    large.fit(X[:40], Y[:40], batch_size=20, shuffle=False)
    for a, b in zip(weights_of(few), weights_of(large), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_learning_rate_may_be_set_between_steps():
    model, twin = regression(), regression(ln.optimizers.SGD(0.01))
    model.train_on_batch(X, Y)
    model.set_weights(twin.get_weights())
    model.optimizer.learning_rate = 0.01
    model.train_on_batch(X, Y)
    twin.train_on_batch(X, Y)
    assert_same(weights_of(model), weights_of(twin))


def test_order_of_calls():
    spy = Spy()
    model = regression()
    model.fit(X, Y, batch_size=25, epochs=1, callbacks=[spy])
    assert spy.events == [
        "begin",
        ("epoch", 0),
        ("batch", 0),
        ("batch ends", 0, 1, True),
        ("batch", 1),
        ("batch ends", 1, 1, True),
        ("epoch ends", 0, ["loss"]),
        "end",
    ]
    assert spy.params == {"epochs": 1, "steps": 2, "verbose": 1}
    assert spy.model is model


def test_initial_epoch():
    assert regression().fit(X, Y, epochs=5, initial_epoch=3).epoch == [3, 4]


def test_callback_may_stop_after_a_step():
    whole = regression()
    whole.fit(X, Y, batch_size=10, epochs=5)
    model = regression()
    history = model.fit(
        X, Y, batch_size=10, epochs=5, callbacks=[Break(7, lambda: setattr(model, "stop_training", True))]
    )
    assert history.epoch == [0, 1]
    assert model.training_variables()["training/position"].numpy()[:2].tolist() == [1, 2]
    model.fit(X, Y, batch_size=10, epochs=5, resume=True)
    assert history.epoch == [0, 1, 1, 2, 3, 4]
    assert_same(weights_of(whole), weights_of(model))


def test_copies_are_not_compiled():
    model = regression()
    model.fit(X, Y)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert_same(weights_of(other), weights_of(model))
        with pytest.raises(ln.errors.FailedPreconditionError, match="fit: expected a compiled model, got one without"):
            other.fit(X, Y)
        other.compile("sgd", "mse")
        other.fit(X, Y)


def test_a_failed_first_call_leaves_nothing_behind():
    model = ln.Sequential([ln.layers.Dense(1)])
    model.compile("sgd", "mse")
    for wrong in (X[:, 0], [X, X]):
        with pytest.raises((ValueError, TypeError)):
            model.predict(wrong)
    with pytest.raises(ValueError, match="expected a target for each of 1 outputs"):
        model.fit(X, [Y, Y])
    model.fit(X, Y)
    assert list(model.history.history) == ["loss"]
    assert model.predict(X).shape == (50, 1)
    assert model.evaluate(X, Y) > 0


@pytest.mark.parametrize("dtype", ["float64", "bfloat16"])
def test_fit_builds_layers_of_another_type(dtype):
    model = ln.Sequential([ln.layers.Dense(1, dtype=dtype)])
    model.compile("sgd", "mse")
    model.fit(X.astype("float64"), Y)
    assert {variable.dtype.name for variable in model.variables} == {dtype}


@pytest.mark.parametrize(
    "x", [[[1, 2, 3], [4, 5, 6]], np.arange(6).reshape(2, 3), np.ones((2, 3), bool), np.ones((2, 3), "uint8")]
)
def test_whole_numbers_for_a_network_that_begins_with_floats(x):
    model = ln.Sequential([ln.layers.Flatten(), ln.layers.Dense(1)])
    model.compile("sgd", "mse")
    assert model.predict(x).shape == (2, 1)
    model.fit(x, [1, 2])
    other = ln.Sequential([ln.layers.Dense(1)])
    other.compile("sgd", "mse")
    other.fit(x, [1, 2])
    assert other.predict(x).shape == (2, 1)
    table = ln.Sequential([ln.layers.Embedding(9, 2), ln.layers.Flatten(), ln.layers.Dense(1)])
    table.compile("sgd", "mse")
    table.fit(np.array([[1, 2], [3, 4]]), [1, 2])


def test_a_loss_without_weights_is_refused_where_rows_have_some():
    weights = np.ones(50, "float32")
    model = regression(loss=lambda true, pred: ln.reduce_mean(ln.square(true - pred)))
    model.fit(X, Y)
    before = weights_of(model)
    for given in ({"sample_weight": weights}, {"class_weight": {0: 2.0}}):
        with pytest.raises(ValueError, match="expected a loss that takes sample_weight or returns one number per row"):
            model.fit(X, Y, **given)
    assert_same(before, weights_of(model))
    per_row = regression(loss=lambda true, pred: ln.reduce_mean(ln.square(true - pred), axis=-1))
    per_row.fit(X, Y, sample_weight=2 * weights)


def test_batches_may_be_lists():
    batches = [[X[:20], Y[:20]], [X[20:], Y[20:]]]
    first, second = regression(), regression()
    first.fit(lambda: batches, epochs=2, validation_data=[X, Y])
    second.fit([tuple(batch) for batch in batches], epochs=2, validation_data=(X, Y))
    assert first.history.history == second.history.history
    a, b = ln.Input((2,)), ln.Input((1,))
    both = ln.Model([a, b], ln.layers.Dense(1)(ln.layers.Concatenate()([a, b])))
    both.compile("sgd", "mse")
    both.fit([([X[:, :2], X[:, 2:]], Y)])
    both.fit(lambda: [[[X[:, :2], X[:, 2:]], Y]])
    single = regression()
    assert single.predict([X]).shape == (50, 1)


def test_a_single_callback_needs_no_list():
    spy = Spy()
    regression().fit(X, Y, callbacks=spy)
    assert spy.events[0] == "begin"


# --- going on ---------------------------------------------------------------------------------------------------------


def run_in_process(code, *args):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, args)], capture_output=True, text=True, check=True
    ).stdout


RESUMED = """
    import sys, numpy as np, layernet as ln
    mode, folder = sys.argv[1:]
    rng = np.random.default_rng(1)
    x = rng.normal(size=(230, 5)).astype("float32")
    y = np.sin(x.sum(1, keepdims=True))
    ln.set_seed(8)
    inputs = ln.Input((5,))
    hidden = ln.layers.Dropout(0.25)(ln.layers.Dense(16, activation="relu", name="hidden")(inputs))
    hidden = ln.layers.BatchNormalization(name="norm")(ln.layers.Dropout(0.1, seed=4, name="own")(hidden))
    model = ln.Model(inputs, ln.layers.Dense(1, name="out")(hidden), name="net")
    model.compile(ln.optimizers.Adam(0.01), "mse")
    slower = ln.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5)

    class Stop(ln.callbacks.Callback):
        steps = 0
        def on_train_batch_end(self, batch, logs):
            self.steps += 1
            if mode == "broken" and self.steps == 37:
                ln.Saver(self.model.training_variables()).save(folder + "/state")
                raise RuntimeError("power cut")
            if self.steps == (100 if mode == "whole" else 63):
                self.model.stop_training = True

    options = {"batch_size": 16, "epochs": 50, "callbacks": [slower, Stop()]}
    if mode == "broken":
        try:
            model.fit(x, y, **options)
        except RuntimeError:
            pass
    else:
        if mode == "resumed":
            ln.set_seed(99)
            ln.Saver(model.training_variables()).restore(folder + "/state")
        model.fit(x, y, resume=mode == "resumed", **options)
        np.savez(folder + "/" + mode, *[v.numpy() for v in model.training_variables().values()])
"""


def test_a_run_that_goes_on_in_another_process_has_the_bits_of_one_that_was_not_broken_off(tmp_path):
    for mode in ("whole", "broken", "resumed"):
        run_in_process(RESUMED, mode, tmp_path)
    with np.load(tmp_path / "whole.npz") as whole, np.load(tmp_path / "resumed.npz") as resumed:
        assert_same([whole[name] for name in whole.files], [resumed[name] for name in resumed.files])
        # 100 steps of 15 in an epoch: six epochs and ten steps
        assert any(array.shape == (4,) and array[:2].tolist() == [6, 10] for array in whole.values())


@pytest.fixture
def interruptible():
    """A process started in the background may ignore SIGINT."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_ends_after_the_step_and_fit_goes_on():
    whole = regression(ln.optimizers.Adam(0.01))
    whole.fit(X, Y, batch_size=10, epochs=4)
    broken = regression(ln.optimizers.Adam(0.01))
    with pytest.raises(KeyboardInterrupt):
        broken.fit(X, Y, batch_size=10, epochs=4, callbacks=[Break(8, lambda: signal.raise_signal(signal.SIGINT))])
    assert broken.history.epoch == [0]
    assert broken.training_variables()["training/position"].numpy()[:2].tolist() == [1, 3]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

    history = broken.fit(X, Y, batch_size=10, epochs=4, resume=True)

    assert history is broken.history
    assert history.epoch == [0, 1, 2, 3]
    assert_same(weights_of(whole), weights_of(broken))


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_at_the_very_end_is_not_lost():
    class Late(ln.callbacks.Callback):
        def on_train_end(self):
            signal.raise_signal(signal.SIGINT)

    model = regression()
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, epochs=2, callbacks=[Late()])
    assert model.history.epoch == [0, 1]


@pytest.mark.parametrize("made_elsewhere", [False, True])
def test_going_on_after_the_last_batch_of_an_epoch(made_elsewhere):
    def batches():
        return ((X[i : i + 10], Y[i : i + 10]) for i in range(0, 50, 10))

    data = {"x": batches} if made_elsewhere else {"x": X, "y": Y, "batch_size": 10}
    whole = regression()
    whole.fit(epochs=3, **data)
    broken = regression()
    with pytest.raises(RuntimeError, match="stop"):
        broken.fit(epochs=3, callbacks=[Break(10, fail)], **data)
    assert broken.training_variables()["training/position"].numpy()[:2].tolist() == [1, 5]
    history = broken.fit(epochs=3, resume=True, **data)
    assert history.epoch == [0, 2]
    assert np.isfinite(history.history["loss"]).all()
    assert_same(weights_of(whole), weights_of(broken))


def test_a_validation_that_fails_leaves_the_epoch_in_the_history():
    def wrong():
        yield X, Y
        raise RuntimeError("no more")

    whole = regression(metrics=["mae"])
    whole.fit(X, Y, epochs=3, validation_data=(X, Y))
    model = regression(metrics=["mae"])
    with pytest.raises(RuntimeError, match="no more"):
        model.fit(X, Y, epochs=3, validation_data=wrong)
    model.fit(X, Y, epochs=3, validation_data=(X, Y), resume=True)
    assert model.history.epoch == whole.history.epoch
    for name, values in whole.history.history.items():
        np.testing.assert_array_equal(model.history.history[name][1:], values[1:])
    assert model.history.history["mae"] == whole.history.history["mae"]
    assert np.isnan(model.history.history["val_mae"][0])


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_ends_a_validation():
    taken = []

    def batches():
        for number in range(10):
            taken.append(number)
            if number == 2:
                signal.raise_signal(signal.SIGINT)
            yield X, Y

    model = regression()
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, validation_data=batches)
    assert taken == [0, 1, 2]
    assert model.history.epoch == [0]


def test_going_on_with_the_same_iterator_takes_what_is_left():
    seen = []

    def batches():
        for i in range(0, 50, 10):
            seen.append(i)
            yield X[i : i + 10], Y[i : i + 10]

    model, iterator = regression(), batches()
    with pytest.raises(RuntimeError, match="stop"):
        model.fit(iterator, steps_per_epoch=5, callbacks=[Break(2, fail)])
    model.fit(iterator, steps_per_epoch=5, resume=True)
    assert seen == [0, 10, 20, 30, 40]
    whole = regression()
    whole.fit(batches())
    assert_same(weights_of(whole), weights_of(model))


def test_going_on_with_batches_made_elsewhere():
    def batches():
        return ((X[i : i + 10], Y[i : i + 10]) for i in range(0, 50, 10))

    whole, broken = regression(), regression()
    whole.fit(batches, epochs=3)
    with pytest.raises(RuntimeError, match="stop"):
        broken.fit(batches, epochs=3, callbacks=[Break(7, fail)])
    broken.fit(batches, epochs=3, resume=True)
    assert_same(weights_of(whole), weights_of(broken))


def fail():
    raise RuntimeError("stop")


def test_training_variables_are_all_and_by_name():
    model = regression(ln.optimizers.Adam(0.5))
    names = sorted(model.training_variables())
    assert names == [
        "beta1_power",
        "beta2_power",
        *sorted(
            f"{layer}/{kind}{slot}"
            for layer in ("hidden", "out")
            for kind in ("bias", "kernel")
            for slot in ("", "/Adam", "/Adam_1")
        ),
        "random_state",
        "training/learning_rate",
        "training/position",
    ]
    assert float(model.training_variables()["training/learning_rate"]) == 0.5
    x = ln.Input((3,))
    seeded = ln.Model(x, ln.layers.Dropout(0.5, seed=1, name="drop")(ln.layers.Dropout(0.5, name="free")(x)))
    seeded.compile("sgd", "mse")
    assert [name for name in seeded.training_variables() if "random" in name] == ["random_state", "drop/random_state"]
    scheduled = regression(ln.optimizers.SGD(ln.optimizers.schedules.CosineDecay(0.1, 10)))
    assert np.isnan(float(scheduled.training_variables()["training/learning_rate"]))
    assert "iterations" in scheduled.training_variables()


# --- faults -----------------------------------------------------------------------------------------------------------


def test_nan_loss_ends_training_and_leaves_weights_and_history():
    model = regression(ln.optimizers.Adam(0.01))
    stop = ln.callbacks.TerminateOnNaN()
    spoilt = X.copy()
    spoilt[25] = np.float32(3e38)  # in the third batch; the first product overflows, the others do not see it
    model.get_layer("hidden").activation = None
    states = []

    class Watch(ln.callbacks.Callback):
        def on_train_batch_begin(self, batch):
            states.append([v.numpy().copy() for v in self.model.training_variables().values()])

    options = {"batch_size": 10, "shuffle": False, "callbacks": [stop, Watch()]}
    model.fit(X, Y, **options)
    with pytest.raises(FloatingPointError, match=r"got (inf|nan) in epoch 1, batch 2: 'hidden' gave the first output"):
        model.fit(spoilt, Y, initial_epoch=1, epochs=3, **options)
    assert_same(states[-1], [v.numpy() for v in model.training_variables().values()])
    assert len(states) == 5 + 3
    assert model.history.epoch == []
    assert model.fit(X, Y, **options).epoch == [0]


def test_first_layer_that_is_not_finite_is_named():
    x = ln.Input((3,))
    logarithm = ln.layers.Lambda(lambda t: ln.log(t), name="logarithm")(x)
    model = ln.Model(x, ln.layers.Dense(1, name="out")(logarithm), name="net")
    model.compile("sgd", "mse")
    stop = ln.callbacks.TerminateOnNaN()
    with pytest.raises(
        FloatingPointError, match=r"got nan in epoch 0, batch 0: 'logarithm' gave the first output that"
    ):
        model.fit(X, Y, callbacks=[stop])
    with pytest.raises(FloatingPointError, match=r"the inputs are not finite. Lower the learning rate"):
        model.fit(np.full((4, 3), np.nan), Y[:4], callbacks=[stop])
    with pytest.raises(FloatingPointError, match=r"all layers give finite outputs, so it is the loss that does not"):
        model.fit(np.ones((4, 3)), np.full(4, np.inf), callbacks=[stop])
    assert "call" not in vars(model.get_layer("logarithm"))
    assert np.isfinite(model.get_layer("out").kernel.numpy()).all()


def test_empty_batch():
    model = regression()
    before = weights_of(model)
    with pytest.raises(ln.errors.ShapeError, match=r"TrainStep: expected at least one row, got shape \[0, 3\]"):
        model.fit(lambda: [(X[:0], Y[:0])])
    with pytest.raises(ln.errors.ShapeError, match=r"fit: expected at least one row, got arrays without any"):
        model.fit(X[:0], Y[:0])
    with pytest.raises(ln.errors.ShapeError, match=r"evaluate: expected at least one row, got shape \[0, 3\]"):
        model.evaluate(lambda: [(X, Y), (X[:0], Y[:0])])
    assert_same(before, weights_of(model))


def test_targets_that_do_not_match():
    model = regression()
    before = weights_of(model)
    with pytest.raises(
        ln.errors.ShapeError, match=r"fit: expected inputs, targets and weights with one number of rows"
    ):
        model.fit(X, Y[:40])
    with pytest.raises(ln.errors.ShapeError, match=r"mean_squared_error: expected y_true of shape"):
        model.fit(X, np.zeros((50, 2)))
    assert_same(before, weights_of(model))
    model.fit(X, Y)


def test_generator_that_raises_in_the_middle():
    def batches():
        yield X[:10], Y[:10]
        yield X[10:20], Y[10:20]
        raise OSError("the disk is gone")

    model, twin = regression(), regression()
    model.fit(X[:20], Y[:20], batch_size=10, shuffle=False)
    twin.fit(X[:20], Y[:20], batch_size=10, shuffle=False)
    with pytest.raises(OSError, match="the disk is gone"):
        model.fit(batches, epochs=2)
    twin.fit(X[:20], Y[:20], batch_size=10, shuffle=False)
    assert_same(weights_of(model), weights_of(twin))
    assert model.history.epoch == []
    assert model.training_variables()["training/position"].numpy()[:2].tolist() == [0, 2]


def test_disk_full_while_saving(tmp_path):
    resource = pytest.importorskip("resource")
    twin = regression()
    for epochs in (1, 2):
        twin.fit(X, Y, epochs=epochs)
    model = regression()
    saving = ln.callbacks.ModelCheckpoint(tmp_path / "state")
    model.fit(X, Y, callbacks=[saving])
    kept = (tmp_path / "state.safetensors").read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(OSError, match="state"):
            model.fit(X, Y, epochs=2, callbacks=[saving])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert (tmp_path / "state.safetensors").read_bytes() == kept
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint", "state.safetensors"]
    assert model.history.epoch == [0]
    model.fit(X, Y, epochs=2, callbacks=[saving], resume=True)
    assert_same(weights_of(model), weights_of(twin))


def test_exception_in_a_layer_within_the_tape():
    class Picky(ln.Layer):
        broken = True

        def call(self, inputs):
            if self.broken and symbolic.current() is not None:
                raise ZeroDivisionError("my layer is broken")
            return inputs * 1.0

    class Net(ln.Model):
        def __init__(self):
            super().__init__(name="net")
            self.picky = Picky()
            self.out = ln.layers.Dense(1)

        def call(self, x):
            return self.out(self.picky(x))

    ln.set_seed(1)
    model = Net()
    model.compile("sgd", "mse")
    with pytest.raises(ZeroDivisionError, match="my layer is broken"):
        model.fit(X, Y)
    assert symbolic.current() is None
    assert not ln._core.is_tracing()
    v = ln.Variable(3.0)
    with ln.GradientTape() as tape:
        square = v * v
    assert float(tape.gradient(square, v)) == 6.0
    assert model.history.epoch == []
    before = weights_of(model)
    model.picky.broken = False
    model.fit(X, Y)
    assert any((a != b).any() for a, b in zip(before, weights_of(model), strict=True))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.compile(optimizer="best"), "optimizer: expected a known name, got 'best'"),
        (lambda m: m.compile(loss="best"), "loss: expected a known name, got 'best'"),
        (lambda m: m.compile(metrics=["best"]), "metric: expected a known name, got 'best'"),
        (lambda m: m.fit(), "fit: expected data, got None. Give arrays, or an iterable of batches"),
        (lambda m: two(m, targets=False), r"fit: expected targets for the loss, got None. Give y, or batches \(x, y\)"),
        (lambda m: m.fit(X, Y, batch_size=0), "fit: expected batch_size of 1 or more, got 0"),
        (lambda m: m.fit(X, Y, validation_split=1.5), r"fit: expected validation_split in \[0, 1\), got 1.5"),
        (lambda m: m.fit(X[:1], Y[:1], validation_split=0.5), "fit: expected validation_split to leave rows for trai"),
        (lambda m: m.fit(iter([]), validation_split=0.5), "fit: expected arrays for validation_split, got batches"),
        (lambda m: m.fit(iter([]), Y), "fit: expected no y, sample_weight or batch_size beside an iterable"),
        (lambda m: m.fit(X, Y, steps_per_epoch=3), "fit: expected steps for iterables only, got arrays"),
        (lambda m: m.fit(iter([]), steps_per_epoch=0), "fit: expected steps of 1 or more, got 0"),
        (
            lambda m: m.fit(iter([(X, Y)]), epochs=2),
            "fit: expected batches, got none. An iterator is used up after one",
        ),
        (lambda m: m.fit(iter([(X, Y, Y, Y)])), r"fit: expected batches \(x, y\) or .*, got a tuple of 4"),
        (lambda m: m.fit(X, Y, class_weight={-1: 2.0}), "fit: expected class_weight from class numbers to weights"),
        (lambda m: m.fit(X, [Y, Y]), "TrainStep: expected a target for each of 1 outputs"),
        (lambda m: two(m, loss=["mse"] * 3), "fit: expected losses for kind, size, got 3 in a list"),
        (lambda m: m.fit(X, Y, epochs=2.5), "fit: expected epochs as a whole number, got 2.5"),
        (lambda m: m.fit(X, Y, class_weight="balanced"), "fit: expected class_weight from class numbers to weights"),
        (lambda m: m.fit(iter([None])), r"fit: expected batches \(x, y\) or .*, got None"),
        (lambda m: two_listed(m), "expected a dictionary of 'a', 'b', got a list"),
        (lambda m: two_ordered(m), "expected targets for outputs kind, size, got 2 in a list"),
        (
            lambda m: two(m, loss={"kind": "mse", "shape": "mse"}),
            "fit: expected losses for kind, size, got some for kind, shape",
        ),
        (
            lambda m: two(m, loss_weights={"kind": 1.0, "shape": 2.0}),
            "fit: expected loss_weights for kind, size, got some for kind, shape",
        ),
        (
            lambda m: two_evaluated({"kind": Y, "shape": Y}),
            "evaluate: expected targets for outputs kind, size, got some for kind, shape",
        ),
        (lambda m: two(m, loss_weights=[1.0]), "fit: expected loss_weights for each of 2 targets, got 1"),
        (lambda m: two(m, metrics={"shape": ["mae"]}), "fit: expected metrics for kind, size, got some for 'shape'"),
        (lambda m: two(m, metrics=[["mae"]]), "fit: expected metrics for each of 2 targets, got 1 lists"),
        (lambda m: two(m, class_weight={0: 1.0}), "fit: expected one array of targets for class_weight"),
        (lambda m: m.evaluate(X, [Y, Y]), "evaluate: expected a target for each of 1 outputs of 'net', got 2"),
    ],
)
def test_value_errors(call, message):
    model = regression()
    model.evaluate(X, Y)
    before = weights_of(model)
    with pytest.raises(ValueError, match=message):
        call(model)
    if not message.startswith("fit: expected batches, got none"):
        assert_same(before, weights_of(model))


def two_evaluated(y):
    model = two_outputs()
    model.compile("sgd", "mse")
    model.evaluate({"a": X, "b": X[:, :2]}, y)


def two(_, loss="mse", metrics=None, class_weight=None, loss_weights=None, targets=True):
    model = two_outputs()
    model.compile("sgd", loss, metrics, loss_weights)
    y = {"size": Y, "kind": RNG.normal(size=(50, 3))} if targets else None
    model.fit({"a": X, "b": X[:, :2]}, y, class_weight=class_weight)


def two_listed(_):
    two_outputs().predict([X, X[:, :2]])


def two_ordered(_):
    model = two_outputs()
    model.compile("sgd", "mse")
    model.fit({"a": X, "b": X[:, :2]}, [Y, Y])


def test_other_errors():
    x = ln.Input((3,))
    model = ln.Model(x, ln.layers.Dense(1)(x))
    for call in (model.fit, model.evaluate, model.train_on_batch):
        with pytest.raises(ln.errors.FailedPreconditionError, match="expected a compiled model, got one without loss"):
            call(X, Y)
    with pytest.raises(TypeError, match=r"compile: expected an optimizer or its name, got <function"):
        model.compile(lambda: None)

    class Net(ln.Model):
        pass

    net = Net(name="net")
    net.compile("sgd", "mse")
    with pytest.raises(ValueError, match="has no variables before it is built"):
        net.training_variables()


# --- data -------------------------------------------------------------------------------------------------------------


def test_data_frames_lists_tensors_and_other_types():
    pandas = pytest.importorskip("pandas")
    want = regression()
    want.fit(X, Y)
    frame = pandas.DataFrame(X, columns=["a", "b", "c"])
    for x, y in [
        (frame, pandas.Series(Y[:, 0])),
        (X.tolist(), Y.tolist()),
        (ln.constant(X), ln.constant(Y)),
        (X.astype("float64")[:, ::-1][:, ::-1], np.asfortranarray(Y)),
        (X.astype(">f4"), Y.astype(">f8")),
    ]:
        model = regression()
        model.fit(x, y)
        assert_same(weights_of(want), weights_of(model))
        assert model.evaluate(x, y) == pytest.approx(want.evaluate(X, Y), rel=1e-6)


def test_data_frames_with_columns_of_several_types_of_numbers():
    pandas = pytest.importorskip("pandas")
    flags, counts = X[:, 0] > 0, np.arange(50)
    want = np.stack([flags, counts, X[:, 2]], axis=1)
    frame = pandas.DataFrame({"flag": flags, "dtype": counts, "number": X[:, 2]})
    assert frame.to_numpy().dtype == object
    for given in (frame, frame.convert_dtypes()):
        np.testing.assert_array_equal(feeding.as_arrays(given), want)
        np.testing.assert_array_equal(feeding.as_arrays({"x": given["flag"]})["x"], flags)
    first, second = regression(), regression()
    first.fit(want, Y, shuffle=False)
    second.fit(frame, Y, shuffle=False)
    assert_same(weights_of(first), weights_of(second))
    np.testing.assert_array_equal(second.predict(frame.convert_dtypes()), first.predict(want))
    missing = feeding.as_arrays(pandas.Series([1, None, 3], dtype="Int64"))
    np.testing.assert_array_equal(missing, [1.0, np.nan, 3.0])
    with pytest.raises(ln.errors.DTypeError, match="expected numbers, got an array of dtype object"):
        second.fit(frame.assign(flag="1"), Y)


@pytest.mark.parametrize("count", [1, 2, 3, 64, 65, 10_000])
def test_order_of_rows_is_a_permutation_that_its_key_decides(count):
    first, after = feeding.permutation(count, (3, 5))
    again, _ = feeding.permutation(count, (3, 5))
    other, _ = feeding.permutation(count, (4, 5))
    np.testing.assert_array_equal(np.sort(first), np.arange(count))
    np.testing.assert_array_equal(first, again)
    assert after.numpy()[0] == 3
    assert after.numpy()[1] > 5
    if count == 10_000:
        # Correlations of independent orders are about 1 / sqrt(count) = 0.01.
        assert abs(np.corrcoef(first, other)[0, 1]) < 0.05
        assert abs(np.corrcoef(first, np.arange(count))[0, 1]) < 0.05
        assert abs(np.corrcoef(first[1:], first[:-1])[0, 1]) < 0.05


def test_rows_of_arrays_in_any_layout():
    order = np.array([4, 0, 2])
    for array in (X, np.asfortranarray(X), X[::2], X.astype(">f4"), X[:, 1], X.astype("float64")[:, ::-1]):
        got, _, nested = feeding._cut((array, None, {"w": array}), order)
        np.testing.assert_array_equal(got, array[order])
        np.testing.assert_array_equal(nested["w"], array[order])


def test_iterators_functions_and_iterables():
    def batches():
        return ((X[i : i + 10], Y[i : i + 10], np.ones(10)) for i in range(0, 50, 10))

    class Anew:
        def __iter__(self):
            return batches()

    class Numbered:
        def __len__(self):
            return 5

        def __getitem__(self, number):
            return X[10 * number : 10 * number + 10], Y[10 * number : 10 * number + 10]

    def endless():
        while True:
            yield from batches()

    want = regression()
    want.fit(X, Y, batch_size=10, epochs=2, shuffle=False)
    for source, options in [
        (batches, {}),
        (Anew(), {}),
        (Numbered(), {}),
        (list(batches()), {}),
        (endless(), {"steps_per_epoch": 5}),
    ]:
        model = regression()
        history = model.fit(source, epochs=2, **options)
        assert history.epoch == [0, 1]
        for a, b in zip(weights_of(want), weights_of(model), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)
    assert want.evaluate(batches) == pytest.approx(want.evaluate(X, Y), rel=1e-6)
    history = want.fit(X, Y, validation_data=endless(), validation_steps=5, epochs=2)
    assert history.history["val_loss"][-1] == pytest.approx(want.evaluate(X, Y), rel=1e-6)
    assert want.evaluate(endless(), steps=5) == pytest.approx(want.evaluate(X, Y), rel=1e-6)


MAPPED = """
    import resource, sys, numpy as np, layernet as ln
    path, shuffle = sys.argv[1], sys.argv[2] == "True"
    rows, columns = 300_000, 256  # 307 MB, of which nothing is written: the file has holes
    np.memmap(path, "float32", "w+", shape=(rows, columns)).flush()
    x = np.memmap(path, "float32", "r", shape=(rows, columns))
    y = np.zeros(rows, "float32")
    inputs = ln.Input((columns,))
    model = ln.Model(inputs, ln.layers.Dense(1)(inputs))
    model.compile("sgd", "mse")
    model.fit(x[:512], y[:512], batch_size=512)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    model.fit(x, y, batch_size=512, shuffle=shuffle)
    model.evaluate(x, y, batch_size=512)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="resident memory is measured in Linux's units")
@pytest.mark.parametrize("shuffle", [False, True])
def test_mapped_array_does_not_stay_in_memory(tmp_path, shuffle):
    kilobytes = int(run_in_process(MAPPED, tmp_path / "rows", shuffle))
    # 32 MB of pages may be resident, the order of the rows takes up to 7 MB; the file has 307 MB.
    assert kilobytes < 120_000
    os.remove(tmp_path / "rows")


def test_changes_of_a_copied_mapping_are_not_lost(tmp_path):
    np.memmap(tmp_path / "rows", "float32", "w+", shape=(4096, 4)).flush()
    private = np.memmap(tmp_path / "rows", "float32", "c", shape=(4096, 4))
    shared = np.memmap(tmp_path / "rows", "float32", "r+", shape=(4096, 4))
    assert feeding._Pages.of(np.asarray(private)[1:]) is None
    assert feeding._Pages.of(np.zeros((3, 2))) is None
    pages = feeding._Pages.of(np.asarray(shared)[1:])
    shared[5] = 7.0
    pages.read(100_000_000)
    assert shared[5].tolist() == [7.0] * 4

"""Callbacks, called with logs of our own and by fit."""

import csv
import math
import pickle
import re
from collections.abc import Mapping

import numpy as np
import pytest

import layernet as ln
from layernet.metrics import directions

C = ln.callbacks
X = np.random.default_rng(1).normal(size=(40, 2)).astype("float32")
Y = X.sum(1, keepdims=True)


def model_of(rate=0.1, optimizer=None):
    ln.set_seed(3)
    x = ln.Input((2,))
    model = ln.Model(x, ln.layers.Dense(1, name="out")(x), name="net")
    model.compile(optimizer or ln.optimizers.SGD(rate), "mse", ["mae"])
    return model


def feed(callback, values, name="val_loss", model=None):
    """Gives a callback one value for each epoch; returns the epoch after which it wanted to stop."""
    callback.model = model or model_of()
    callback.model.stop_training = False
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        callback.on_epoch_begin(epoch)
        callback.on_epoch_end(epoch, {"loss": 0.0, name: value})
        if callback.model.stop_training:
            return epoch
    return None


# --- early stopping ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "values", "stopped"),
    [
        ({}, [3, 2, 1, 1], 3),
        ({"patience": 2}, [3, 2, 2.5, 1, 1.5, 1.2, 1.1], 5),
        ({"patience": 2}, [3, 2, 2.5, 1, 1.5], None),
        ({"min_delta": 0.5, "patience": 1}, [3, 2, 1.6], 2),
        ({"mode": "max", "patience": 1}, [1, 2, 1], 2),
        ({"baseline": 0.5, "patience": 2}, [3, 2, 1, 0.4], 1),
        ({"baseline": 0.5, "patience": 3}, [3, 2, 0.4, 0.3], None),
        ({"start_from_epoch": 2, "patience": 1}, [1, 5, 4, 3, 4], 4),
        ({"patience": 2}, [3, math.nan, math.nan], 2),
    ],
)
def test_early_stopping(options, values, stopped):
    callback = C.EarlyStopping(**options)
    assert feed(callback, values) == stopped
    assert callback.stopped_epoch == stopped


@pytest.mark.parametrize(
    ("name", "grows"),
    [
        ("val_accuracy", True),
        ("auc", True),
        ("val_f1_score", True),
        ("true_positives", True),
        ("false_positives", False),
        ("val_loss", False),
        ("mae", False),
        ("val_io_u", True),
        ("val_mean_io_u", True),
        ("val_binary_io_u", True),
        ("val_one_hot_io_u", True),
        ("val_one_hot_mean_io_u_1", True),
        ("val_pearson_correlation", True),
        ("val_concordance_correlation", True),
        ("val_sensitivity_at_specificity", True),
        ("val_specificity_at_sensitivity", True),
        ("val_cosine_similarity", True),
        ("val_r2_score", True),
        ("val_score_loss", False),
        ("val_recall_head_loss", False),
        ("val_recall_head_mae", False),
        ("val_recall_head_accuracy_2", True),
        ("val_accident_loss", False),
        ("accident", False),
        ("accuracy_mean_squared_error", False),
        ("val_top5_accuracy", True),
        ("accuracy_top5", True),
        ("AUC2", True),
        ("f1", True),
    ],
)
def test_what_is_better_by_the_name(name, grows):
    assert feed(C.EarlyStopping(name, patience=1), [1, 2, 3], name) == (None if grows else 1)


def test_direction_of_every_metric_of_the_library():
    growing = {
        *("acc", "auc", "cosine_similarity", "precision", "recall"),
        *("true_negatives", "true_positives", "sensitivity_at_specificity", "specificity_at_sensitivity"),
        *("precision_at_recall", "recall_at_precision"),
    }
    for name in ln.metrics.__all__:
        if name in ("Mean", "MeanMetricWrapper", "Metric", "Sum", "get", "serialize", "deserialize"):
            continue
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
        want = name in growing or name.endswith(("accuracy", "score", "io_u", "correlation"))
        assert directions.grows(f"val_{name}") == want, name
        assert any(name.endswith(known) for known in directions._DIRECTIONS), name


def test_best_weights_come_back_at_the_end():
    model = model_of(0.5)
    seen = []

    class Watch(C.Callback):
        def on_epoch_end(self, epoch, logs):
            seen.append((logs["loss"], [v.numpy().copy() for v in model.variables]))

    stop = C.EarlyStopping("loss", restore_best_weights=True, patience=3)
    rise = C.LearningRateScheduler(lambda epoch, rate: rate * 1.5)
    model.fit(X, Y, epochs=40, callbacks=[Watch(), rise, stop])

    best = min(range(len(seen)), key=lambda i: seen[i][0])
    assert stop.stopped_epoch == best + 3 < 39
    assert stop.best == seen[best][0]
    for variable, value in zip(model.variables, seen[best][1], strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


# --- learning rates ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "values", "rates"),
    [
        ({"patience": 2}, [3, 2, 2, 2, 2, 2], [1, 1, 1, 0.1, 0.1, 0.01]),
        ({"patience": 1, "factor": 0.5, "min_lr": 0.3}, [1, 1, 1, 1], [1, 0.5, 0.3, 0.3]),
        ({"patience": 1, "factor": 0.5, "cooldown": 2}, [1, 1, 1, 1, 1], [1, 0.5, 0.5, 0.25, 0.25]),
        ({"patience": 1, "factor": 0.5, "min_delta": 0.5}, [1, 0.9, 0.2], [1, 0.5, 0.5]),
    ],
)
def test_reduce_on_plateau(options, values, rates):
    callback = C.ReduceLROnPlateau(**options)
    model = callback.model = model_of(1.0)
    callback.on_train_begin()
    for epoch, (value, rate) in enumerate(zip(values, rates, strict=True)):
        callback.on_epoch_end(epoch, {"val_loss": value})
        assert model.optimizer.learning_rate == pytest.approx(rate)


def test_scheduler_reaches_the_traced_step():
    model, twin = model_of(0.1), model_of(0.1)
    seen = []

    def rate_of(epoch, rate):
        seen.append((epoch, rate))
        return 0.1 / 2**epoch

    model.fit(X, Y, batch_size=40, epochs=3, callbacks=[C.LearningRateScheduler(rate_of)])
    for epoch in range(3):
        twin.optimizer.learning_rate = 0.1 / 2**epoch
        twin.train_on_batch(X, Y)
    assert seen == [(0, 0.1), (1, 0.1), (2, 0.05)]
    np.testing.assert_allclose(model.get_layer("out").kernel.numpy(), twin.get_layer("out").kernel.numpy(), rtol=1e-5)


# --- files ------------------------------------------------------------------------------------------------------------


def test_csv_logger(tmp_path):
    path = tmp_path / "log.csv"
    model = model_of()
    first = model.fit(X, Y, epochs=2, callbacks=[C.CSVLogger(path)])
    second = model.fit(X, Y, epochs=3, initial_epoch=2, callbacks=[C.CSVLogger(path, append=True)])
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["0", "1", "2"]
    losses = first.history["loss"] + second.history["loss"]
    assert [float(row["loss"]) for row in rows] == losses
    assert list(rows[0]) == ["epoch", "loss", "mae"]

    model.fit(X, Y, callbacks=[C.CSVLogger(path, separator=";")])
    assert path.read_text().splitlines()[0] == "epoch;loss;mae"
    assert len(path.read_text().splitlines()) == 2


def test_checkpoints_by_epoch_by_steps_and_of_the_best(tmp_path):
    model = model_of()
    model.fit(
        X,
        Y,
        batch_size=10,
        epochs=3,
        callbacks=[
            C.ModelCheckpoint(tmp_path / "{epoch:02d}-{mae:.6f}"),
            C.ModelCheckpoint(tmp_path / "steps-{epoch}-{batch}", save_freq=5),
            C.ModelCheckpoint(tmp_path / "weights", save_weights_only=True),
        ],
    )
    names = {path.stem for path in tmp_path.glob("*.safetensors")}
    maes = model.history.history["mae"]
    assert names == {
        *(f"{i + 1:02d}-{mae:.6f}" for i, mae in enumerate(maes)),
        "steps-2-1",
        "steps-3-2",
        "weights",
    }
    assert {name for name, _ in ln.list_variables(tmp_path / "weights")} == {"out/kernel", "out/bias"}
    assert {name for name, _ in ln.list_variables(tmp_path / "steps-2-1")} == set(model.training_variables())
    ln.reset_naming()
    other = model_of()
    ln.restore_network_checkpoint(other, tmp_path / f"03-{maes[2]:.6f}")
    np.testing.assert_array_equal(other.get_layer("out").kernel.numpy(), model.get_layer("out").kernel.numpy())


def test_only_better_ones_are_saved(tmp_path):
    callback = C.ModelCheckpoint(tmp_path / "best", save_best_only=True)
    model = model_of()
    values = {}
    callback.model = model
    callback.on_train_begin()
    for epoch, loss in enumerate([3.0, math.nan, 2.0, 2.5]):
        model.get_layer("out").bias.assign([float(epoch)])
        callback.on_epoch_begin(epoch)
        callback.on_epoch_end(epoch, {"val_loss": loss})
        values[epoch] = float(ln.load_variable(tmp_path / "best", "out/bias")[0])
    assert values == {0: 0.0, 1: 0.0, 2: 2.0, 3: 2.0}
    assert callback.best == 2.0


# --- history ----------------------------------------------------------------------------------------------------------


def test_history_is_drawn(tmp_path):
    pytest.importorskip("matplotlib")
    history = model_of().fit(X, Y, epochs=5, validation_split=0.25)
    figure = history.plot(tmp_path / "history.png")
    assert [axes.get_title() for axes in figure.axes] == ["loss", "mae"]
    lines = figure.axes[0].get_lines()
    assert [line.get_label() for line in lines] == ["training", "validation"]
    assert lines[1].get_ydata().tolist() == history.history["val_loss"]
    assert lines[0].get_xdata().tolist() == [0, 1, 2, 3, 4]
    assert (tmp_path / "history.png").read_bytes()[:4] == b"\x89PNG"
    with pytest.raises(ValueError, match=r"History: expected epochs to draw, got none. Call fit first"):
        C.History().plot()


def test_drawing_metrics_with_a_number_for_each_class():
    pytest.importorskip("matplotlib")
    history = C.History()
    for epoch in range(3):
        history.on_epoch_end(epoch, {"f1": [0.1 * epoch, 0.2], "val_f1": [0.3, 0.1 * epoch]})
    lines = history.plot().axes[0].get_lines()
    words = ["training, class 0", "training, class 1", "validation, class 0", "validation, class 1"]
    assert [line.get_label() for line in lines] == words
    assert lines[3].get_ydata().tolist() == pytest.approx([0.0, 0.1, 0.2])
    colours, styles = ([getattr(line, f"get_{what}")() for line in lines] for what in ("color", "linestyle"))
    assert colours[:2] == colours[2:] == ["C0", "C1"]
    assert styles == ["-", "-", "--", "--"]


def test_history_reads_like_a_dictionary():
    model = model_of()
    history = model.fit(X, Y, epochs=2)
    assert isinstance(history, Mapping)
    assert history["loss"] is history.history["loss"]
    assert ("loss" in history, "val_loss" in history, history.get("val_loss")) == (True, False, None)
    assert (len(history), list(history), list(history.keys())) == (2, ["loss", "mae"], ["loss", "mae"])
    assert dict(history) == dict(history.items()) == history.history
    assert list(history.values()) == list(history.history.values())
    with pytest.raises(KeyError, match="val_loss"):
        history["val_loss"]

    assert model.history is history
    again = pickle.loads(pickle.dumps(history))
    assert (again.history, again.epoch) == (history.history, [0, 1])


def test_history_is_a_callback_like_others():
    first, second = C.History(), C.History()
    assert first
    assert first == first != second
    assert len({first, second}) == 2


def test_drawing_without_matplotlib(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    history = C.History()
    history.on_epoch_end(0, {"loss": 1.0})
    with pytest.raises(ImportError, match="History: expected matplotlib to draw with, which is not installed"):
        history.plot()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: C.EarlyStopping(mode="best"), "EarlyStopping: expected mode 'auto', 'min' or 'max', got 'best'"),
        (lambda: C.ReduceLROnPlateau(factor=1), r"ReduceLROnPlateau: expected factor in \(0, 1\), got 1"),
        (lambda: C.ModelCheckpoint("x", save_freq=0), "ModelCheckpoint: expected save_freq 'epoch' or a number of st"),
        (
            lambda: model_of().fit(X, Y, callbacks=[C.EarlyStopping()]),
            "EarlyStopping: expected 'val_loss' among the logs, got loss, mae. Validation data give the names with",
        ),
    ],
)
def test_value_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_several_numbers_cannot_be_watched():
    with pytest.raises(ValueError, match=r"EarlyStopping: expected one number as 'f1', got 2, one for each class. Let"):
        feed(C.EarlyStopping("f1"), [[0.5, 1.0]], "f1")


def test_rate_that_is_no_number():
    scheduled = model_of(optimizer=ln.optimizers.SGD(ln.optimizers.schedules.CosineDecay(0.1, 10)))
    with pytest.raises(
        TypeError, match=r"LearningRateScheduler: expected the optimizer's learning_rate to be a number"
    ):
        scheduled.fit(X, Y, callbacks=[C.LearningRateScheduler(lambda epoch, rate: rate)])


@pytest.mark.parametrize("kind", [ln.Model, ln.Sequential])
def test_a_checkpoint_of_weights_alone_is_one_of_the_network(kind, tmp_path):
    def made():
        if kind is ln.Sequential:
            return ln.Sequential([ln.layers.Dense(3), ln.layers.Dense(1)])
        x = ln.Input((4,))
        return ln.Model(x, ln.layers.Dense(1)(ln.layers.Dense(3)(x)))

    x = np.ones((5, 4), "float32")
    model = made()
    model.compile("sgd", "mse")
    saving = ln.callbacks.ModelCheckpoint(tmp_path / "weights", save_weights_only=True)
    model.fit(x, np.ones(5), callbacks=[saving])
    want = model.predict(x)
    ln.reset_naming()
    for called_before in (False, True):
        other = made()
        if called_before:
            other(x)
        ln.restore_network_checkpoint(other, str(tmp_path / "weights"))
        np.testing.assert_array_equal(other.predict(x), want)
        ln.reset_naming()

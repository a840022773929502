"""The line of progress: on terminals only, with tqdm or without."""

import io
import sys

import numpy as np
import pytest

import layernet as ln
from layernet import progress

X = np.ones((64, 2), "float32")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def fit(**options):
    ln.set_seed(1)
    x = ln.Input((2,))
    model = ln.Model(x, ln.layers.Dense(1)(x))
    model.compile("sgd", "mse", ["mae"])
    return model.fit(X, np.ones(64), batch_size=8, **options)


def terminal(monkeypatch, tqdm=False):
    """Standard error from here on; pytest has its own until the test runs."""
    if not tqdm:
        monkeypatch.setattr(progress, "_tqdm", lambda title, rows: None)
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(progress, "_INTERVAL", 0.0)
    return stream


def test_line_of_our_own(monkeypatch):
    shown = terminal(monkeypatch)
    history = fit(epochs=2, validation_split=0.5)
    lines = shown.getvalue().split("\r")[1:]
    assert len(lines) == 2 * (4 + 1)
    assert lines[0].startswith("epoch 1/2  8/32 rows  ")
    assert "rows/s" in lines[0]
    assert "s left" in lines[0]
    last = f"loss: {history.history['loss'][1]:.4g}  mae: {history.history['mae'][1]:.4g}  val_loss: "
    assert last in lines[-1]
    assert "32/32 rows" in lines[-1]
    assert shown.getvalue().count("\n") == 2


def test_metrics_with_several_numbers(monkeypatch, tmp_path):
    pytest.importorskip("matplotlib")
    shown = terminal(monkeypatch)
    x = ln.Input((2,))
    model = ln.Model(x, ln.layers.Dense(3, activation="softmax", kernel_initializer="zeros")(x))
    model.compile(ln.optimizers.SGD(0.0), "categorical_crossentropy", [ln.metrics.F1Score()])
    targets = np.eye(3)[np.zeros(64, int)]
    table = ln.callbacks.CSVLogger(tmp_path / "log.csv")
    history = model.fit(X, targets, epochs=2, validation_split=0.5, callbacks=[table])
    assert history.history["f1_score"] == [[1.0, 0.0, 0.0]] * 2
    assert "f1_score: 1 0 0" in shown.getvalue()
    assert len(history.plot(tmp_path / "history.png").axes[1].get_lines()) == 6
    assert "[1.0, 0.0, 0.0]" in (tmp_path / "log.csv").read_text()


def test_batches_without_a_known_number(monkeypatch):
    shown = terminal(monkeypatch)
    x = ln.Input((2,))
    model = ln.Model(x, ln.layers.Dense(1)(x))
    model.compile("sgd", "mse")
    model.fit(lambda: [(X, np.ones(64))])
    assert "epoch 1/1  64/? rows" in shown.getvalue()
    assert "s left" not in shown.getvalue()


def test_bar_of_tqdm(monkeypatch):
    pytest.importorskip("tqdm")
    shown = terminal(monkeypatch, tqdm=True)
    fit()
    text = shown.getvalue()
    assert "epoch 1/1: 100%" in text
    assert "64/64" in text
    assert "loss: " in text


def test_nothing_where_there_is_no_terminal(monkeypatch, capsys):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    fit()
    assert stream.getvalue() == ""
    assert capsys.readouterr().out == ""


def test_nothing_when_not_wanted(monkeypatch):
    shown = terminal(monkeypatch)
    fit(verbose=0)
    assert shown.getvalue() == ""


def test_line_is_left_also_after_an_error(monkeypatch):
    shown = terminal(monkeypatch)

    class Stop(ln.callbacks.Callback):
        def on_train_batch_end(self, batch, logs):
            if batch == 3:
                raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fit(callbacks=[Stop()])
    assert shown.getvalue().endswith("\n")
    assert "32/64 rows" in shown.getvalue()

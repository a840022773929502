"""What `Model.fit` calls while it trains: to stop, to save, to change the learning rate, to write down.

>>> import numpy as np, layernet as ln
>>> x = ln.Input((1,))
>>> model = ln.Model(x, ln.layers.Dense(1)(x))
>>> model.compile("sgd", "mse")
>>> stopping = ln.callbacks.EarlyStopping("loss", patience=1, min_delta=1e9)
>>> history = model.fit(np.ones((4, 1)), np.ones(4), epochs=10, callbacks=[stopping])
>>> history.epoch
[0, 1]
"""

from __future__ import annotations

import csv
import functools
import math
import os
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from layernet import nest
from layernet.compiling import takes_training
from layernet.layers.base import Layer
from layernet.metrics.directions import grows
from layernet.network import Network
from layernet.saving import Saver, save_network_checkpoint
from layernet.tensor import Symbol
from layernet.variable import Variable

if TYPE_CHECKING:
    from layernet.fitting import Trainable

__all__ = [
    "CSVLogger",
    "Callback",
    "EarlyStopping",
    "History",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ReduceLROnPlateau",
    "TerminateOnNaN",
]

# Names with numbers; some metrics give a list of them, one for each class.
Logs = Mapping[str, Any]


class Callback:
    """What all callbacks share: methods that `fit` calls, each of which does nothing.

    Attributes:
        model: The model, from the start of `fit` on. `model.stop_training = True` ends training after the present step.
        params: "epochs", "steps" (batches in an epoch, None when unknown) and "verbose".

    Example:
        >>> import numpy as np, layernet as ln
        >>> class Announce(ln.callbacks.Callback):
        ...     def on_epoch_end(self, epoch, logs):
        ...         print(epoch, sorted(logs))
        >>> x = ln.Input((1,))
        >>> model = ln.Model(x, ln.layers.Dense(1)(x))
        >>> model.compile("sgd", "mse", ["mae"])
        >>> history = model.fit(np.ones((4, 1)), np.ones(4), callbacks=[Announce()])
        0 ['loss', 'mae']
    """

    model: Trainable
    params: Mapping[str, Any]

    def on_train_begin(self) -> None:
        """Before the first epoch."""

    def on_train_end(self) -> None:
        """After the last epoch; not after an error or an interruption."""

    def on_epoch_begin(self, epoch: int) -> None:
        """Before an epoch; the first has number 0."""

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """After an epoch, with the loss and the metrics, those of the validation data as "val_..."."""

    def on_train_batch_begin(self, batch: int) -> None:
        """Before a step; the first of an epoch has number 0."""

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        """After a step, with the loss and the metrics of the epoch so far, which are computed when they are read."""


class History(Callback, Mapping[str, list[Any]]):
    """What happened: `fit` makes one, returns it and keeps it as `model.history`. It reads like its dictionary.

    Attributes:
        epoch: The numbers of the epochs.
        history: For each loss and metric its values, one for each epoch.

    Example:
        >>> import numpy as np, layernet as ln
        >>> x = ln.Input((1,))
        >>> model = ln.Model(x, ln.layers.Dense(1, kernel_initializer="ones")(x))
        >>> model.compile(ln.optimizers.SGD(0.0), "mse")
        >>> history = model.fit(np.ones((4, 1)), np.full(4, 3.0), epochs=2)
        >>> history["loss"]
        [4.0, 4.0]
        >>> history.history
        {'loss': [4.0, 4.0]}
    """

    # A callback is equal to itself alone, and may be the key of a dictionary.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __init__(self) -> None:
        self.epoch: list[int] = []
        self.history: dict[str, list[Any]] = {}

    def __getitem__(self, name: str) -> list[Any]:
        return self.history[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.history)

    def __len__(self) -> int:
        return len(self.history)

    def __bool__(self) -> bool:
        return True  # as other callbacks, also before the first epoch

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        self.epoch.append(epoch)
        for name, value in logs.items():
            self.history.setdefault(name, []).append(value)

    def plot(self, path: str | os.PathLike[str] | None = None) -> Any:
        """Draw the losses and metrics over the epochs, those of training and validation in one picture each.

        A metric with a number for each class has a line for each: classes have colours, and validation has dashes.

        Args:
            path: A file for the picture, by its ending; None (default) leaves it at drawing.

        Returns:
            The figure of matplotlib, which must be installed.

        Raises:
            ValueError: There is no epoch to draw.
            ImportError: matplotlib is not installed.
        """
        if not self.epoch:
            raise ValueError("History: expected epochs to draw, got none. Call fit first.")
        try:
            from matplotlib.figure import Figure
            from matplotlib.ticker import MaxNLocator
        except ImportError as error:
            raise ImportError("History: expected matplotlib to draw with, which is not installed.") from error
        names = [name for name in self.history if not name.startswith("val_")]
        figure = Figure(figsize=(4.5 * len(names), 3.2), layout="constrained")
        for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
            for key, label, style in ((name, "training", "-"), (f"val_{name}", "validation", "--")):
                values = self.history.get(key, [])
                if not values:
                    continue
                numbers = np.asarray(values)
                for one, line in enumerate(numbers.reshape(len(values), -1).T):
                    look = {"label": label}
                    if numbers.ndim > 1:
                        look = {"label": f"{label}, class {one}", "color": f"C{one % 10}", "linestyle": style}
                    marker = "o" if len(values) < 20 else None
                    axes.plot(self.epoch[-len(values) :], line, marker=marker, markersize=3, **look)
            axes.set_title(name)
            axes.set_xlabel("epoch")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.grid(alpha=0.3)
            if len(axes.get_lines()) <= 2:
                axes.legend()
            else:  # beside the lines, of which so many entries would hide some
                axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize="x-small", handlelength=3.0)
        if path is not None:
            figure.savefig(os.fspath(path), dpi=120)
        return figure


class _Monitor(Callback):
    """Watches one number of the logs, and knows which of two is better."""

    def __init__(self, monitor: str, mode: str, min_delta: float) -> None:
        if mode not in ("auto", "min", "max"):
            raise ValueError(f"{type(self).__name__}: expected mode 'auto', 'min' or 'max', got {mode!r}.")
        self.monitor = monitor
        self.mode = mode
        self.min_delta = abs(float(min_delta))
        self.best: float | None = None

    def _value(self, logs: Logs) -> float:
        if self.monitor not in logs:
            raise ValueError(
                f"{type(self).__name__}: expected {self.monitor!r} among the logs, got {', '.join(logs)}. "
                "Validation data give the names with 'val_'."
            )
        value = logs[self.monitor]
        if isinstance(value, list):
            raise ValueError(
                f"{type(self).__name__}: expected one number as {self.monitor!r}, got {len(value)}, one for each class."
                " Let the metric average them."
            )
        return float(value)

    def _is_better(self, value: float, than: float | None) -> bool:
        """Whether a value is better by more than `min_delta`. NaN is worse than anything."""
        if math.isnan(value):
            return False
        if than is None:
            return True
        return value > than + self.min_delta if self._grows() else value < than - self.min_delta

    def _grows(self) -> bool:
        return self.mode == "max" or (self.mode == "auto" and grows(self.monitor))


class EarlyStopping(_Monitor):
    """Ends training when a number has not become better for some epochs.

    Args:
        monitor: A name in the logs, default "val_loss".
        min_delta: By how much a value must be better to count, default 0.
        patience: For how many epochs in a row the number may fail to become better, default 0.
        mode: "min" or "max" says what is better. "auto" (default) tells by the name of the metric, the end of the
            monitored one: "max" for accuracies, AUC, precision, recall, scores, IoU and correlations, "min" for losses,
            errors and names that say nothing.
        baseline: What the first epochs must beat; None (default) takes the first.
        restore_best_weights: Whether the model ends with the weights of the best epoch, default False.
        start_from_epoch: The first epoch that is looked at, default 0.

    Attributes:
        stopped_epoch: The epoch that was the last; None when training went on to its end.
        best: The best value.

    Raises:
        ValueError: An unknown mode; while training, a name that is not in the logs.

    Reference:
        Prechelt, "Early stopping - but when?", 1998, for criteria of this kind.

    Example:
        >>> import layernet as ln
        >>> stopping = ln.callbacks.EarlyStopping("val_accuracy", patience=5, restore_best_weights=True)
        >>> stopping.monitor
        'val_accuracy'
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0.0,
        patience: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.patience = patience
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self.stopped_epoch: int | None = None

    def on_train_begin(self) -> None:
        self.best = None
        self.stopped_epoch = None
        self._wait = 0
        self._weights: list[Any] | None = None

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        if epoch < self.start_from_epoch:
            return
        value = self._value(logs)
        if self._is_better(value, self.best):
            self.best = value
            if self.restore_best_weights:
                # Values never change: holding them is a copy, made when the next step writes elsewhere.
                self._weights = [variable.value() for variable in self.model.variables]
            if self.baseline is None or self._is_better(value, self.baseline):
                self._wait = 0
                return
        self._wait += 1
        if self._wait >= max(self.patience, 1):
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self) -> None:
        if self._weights is not None:
            for variable, value in zip(self.model.variables, self._weights, strict=True):
                variable.assign(value)


class ReduceLROnPlateau(_Monitor):
    """Multiplies the learning rate by a factor when a number has not become better for some epochs.

    Args:
        monitor: A name in the logs, default "val_loss".
        factor: In (0, 1), default 0.1.
        patience: For how many epochs in a row the number may fail to become better, default 10.
        mode: See `EarlyStopping`.
        min_delta: By how much a value must be better to count, default 0.0001.
        cooldown: For how many epochs after a change nothing is counted, default 0.
        min_lr: The rate does not go below, default 0.

    Raises:
        ValueError: A factor outside (0, 1), an unknown mode; while training, a name that is not in the logs.
        TypeError: While training: the optimizer's learning rate is not a number.

    Example:
        >>> import layernet as ln
        >>> ln.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=3).factor
        0.5
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        if not 0.0 < factor < 1.0:
            raise ValueError(f"ReduceLROnPlateau: expected factor in (0, 1), got {factor!r}.")
        self.factor = factor
        self.patience = patience
        self.cooldown = cooldown
        self.min_lr = min_lr

    def on_train_begin(self) -> None:
        self.best = None
        self._wait = self._resting = 0

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        value = self._value(logs)
        if self._resting > 0:
            self._resting -= 1
            self._wait = 0
        if self._is_better(value, self.best):
            self.best = value
            self._wait = 0
        elif self._resting == 0:
            self._wait += 1
            if self._wait >= self.patience:
                rate = _rate_of(self)
                self.model.optimizer.learning_rate = max(rate * self.factor, self.min_lr)
                self._resting, self._wait = self.cooldown, 0


class LearningRateScheduler(Callback):
    """Sets the learning rate before each epoch.

    For rates by steps see `layernet.optimizers.schedules`.

    Args:
        schedule: A function of the epoch's number and the present rate that returns the new one.

    Raises:
        TypeError: While training: the optimizer's learning rate is not a number.

    Example:
        >>> import layernet as ln
        >>> halving = ln.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5)
        >>> halving.schedule(0, 1.0)
        0.5
    """

    def __init__(self, schedule: Callable[[int, float], float]) -> None:
        self.schedule = schedule

    def on_epoch_begin(self, epoch: int) -> None:
        self.model.optimizer.learning_rate = float(self.schedule(epoch, _rate_of(self)))


class CSVLogger(Callback):
    """Writes the logs of each epoch as a line of a table.

    Args:
        filename: The file.
        separator: Between columns, default ",".
        append: Whether lines are added to the file as it is, default False.

    Raises:
        OSError: While training: the file cannot be written.

    Example:
        >>> import layernet as ln
        >>> ln.callbacks.CSVLogger("log.csv").separator
        ','
    """

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False) -> None:
        self.filename = os.fspath(filename)
        self.separator = separator
        self.append = append
        self._names: list[str] | None = None

    def on_train_begin(self) -> None:
        if self.append and os.path.exists(self.filename):
            with open(self.filename, newline="", encoding="utf-8") as file:
                self._names = next(csv.reader(file, delimiter=self.separator), None)
        else:
            self._names = None
            open(self.filename, "w", encoding="utf-8").close()

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        with open(self.filename, "a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, delimiter=self.separator)
            if self._names is None:
                self._names = ["epoch", *logs]
                writer.writerow(self._names)
            row = {"epoch": epoch, **logs}
            writer.writerow([row.get(name, "") for name in self._names])


class ModelCheckpoint(_Monitor):
    """Saves checkpoints while training: all that `fit(resume=True)` needs to go on, in another process as well.

    A checkpoint is what `ln.Saver(model.training_variables())` writes, and restores; with `save_weights_only` what
    `save_network_checkpoint` writes, for `restore_network_checkpoint`. What was saved before stays when a save fails.

    Args:
        filepath: Its prefix. `{epoch}`, `{batch}` (steps of the epoch that are done) and the names in the logs are
            filled in: "run/{epoch:02d}-{val_loss:.2f}"; the first epoch has number 1, as in Keras.
        monitor: A name in the logs, for `save_best_only`, default "val_loss".
        save_best_only: Whether to save only when the number has become better, default False.
        save_weights_only: Whether to save the weights alone, default False.
        mode: See `EarlyStopping`.
        save_freq: "epoch" (default), or a number of steps after which to save.

    Raises:
        ValueError: An unknown mode or frequency; while training, a name that is not in the logs.
        OSError: While training: the file cannot be written.

    Example:
        >>> import numpy as np, tempfile, layernet as ln
        >>> x = ln.Input((1,))
        >>> model = ln.Model(x, ln.layers.Dense(1)(x))
        >>> model.compile("sgd", "mse")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     saving = ln.callbacks.ModelCheckpoint(folder + "/after-{epoch}")
        ...     history = model.fit(np.ones((4, 1)), np.ones(4), epochs=2, callbacks=[saving])
        ...     ln.latest_checkpoint(folder) == folder + "/after-2"
        True
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
    ) -> None:
        super().__init__(monitor, mode, 0.0)
        if save_freq != "epoch" and (not isinstance(save_freq, int) or save_freq < 1):
            raise ValueError(f"ModelCheckpoint: expected save_freq 'epoch' or a number of steps, got {save_freq!r}.")
        self.filepath = os.fspath(filepath)
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq

    def on_train_begin(self) -> None:
        self._epoch = self._steps = 0

    def on_epoch_begin(self, epoch: int) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        self._steps += 1
        if self.save_freq != "epoch" and self._steps % int(self.save_freq) == 0:
            self._save(batch + 1, logs)

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        if self.save_freq == "epoch":
            self._save(0, logs)

    def _save(self, batch: int, logs: Logs) -> None:
        if self.save_best_only:
            value = self._value(logs)
            if not self._is_better(value, self.best):
                return
        names = logs if "{" in self.filepath else {}
        prefix = self.filepath.format_map({"epoch": self._epoch + 1, "batch": batch, **names})
        if self.save_weights_only:
            save_network_checkpoint(self.model, prefix)
        else:
            Saver(self.model.training_variables()).save(prefix)
        if self.save_best_only:
            self.best = value


class TerminateOnNaN(Callback):
    """Ends training with an error when the loss is not a finite number, and says where that came from.

    The weights and the optimizer's state are those before the step. The layer is found by one more pass over the batch.

    Raises:
        FloatingPointError: While training, with the name of the first layer whose output is not finite.

    Example:
        >>> import numpy as np, layernet as ln
        >>> x = ln.Input((1,))
        >>> model = ln.Model(x, ln.layers.Lambda(ln.log, name="logarithm")(ln.layers.Dense(1)(x)))
        >>> model.compile("sgd", "mse")
        >>> model.fit(np.zeros((4, 1)), np.ones(4), callbacks=[ln.callbacks.TerminateOnNaN()])
        Traceback (most recent call last):
        FloatingPointError: fit: expected a finite loss, got inf in epoch 0, batch 0: 'logarithm' gave the first output
        that is not finite. Lower the learning rate, clip gradients, or look at the data.
    """

    def on_train_begin(self) -> None:
        self._epoch = 0
        self._state: list[Variable] = []

    def on_epoch_begin(self, epoch: int) -> None:
        self._epoch = epoch

    def on_train_batch_begin(self, batch: int) -> None:
        # Values never change: holding them is a copy, made when the step writes elsewhere.
        self._state = self._state or list(self.model.training_variables().values())
        self._before = [(variable, variable.value()) for variable in self._state]

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        loss = logs["loss"]
        if math.isfinite(loss):
            return
        for variable, value in self._before:
            variable.assign(value)
        source = _first_not_finite(self.model, self.model.current_batch[0])
        for variable, value in self._before:
            variable.assign(value)  # the pass has drawn random numbers and moved averages
        where = f"epoch {self._epoch}, batch {batch}"
        raise FloatingPointError(
            f"fit: expected a finite loss, got {loss} in {where}: {source}. Lower the learning rate, clip gradients, "
            "or look at the data."
        )


class _Found(Exception):
    """Carries the layer out of the pass that looked for it."""


def _first_not_finite(model: Trainable, x: Any) -> str:
    """Where the first number that is not finite comes from, in words."""
    if not _finite(x):
        return "the inputs are not finite"
    layers = layers_in(model)
    try:
        for layer in layers:
            layer.__dict__["call"] = _watched(layer, layer.call)
        model(
            nest.map_structure(lambda array: np.asarray(array, None if array.dtype.kind != "f" else "float32"), x),
            **({"training": True} if takes_training(model) else {}),
        )
    except _Found as found:
        return f"{found.args[0]!r} gave the first output that is not finite"
    finally:
        for layer in layers:
            del layer.__dict__["call"]
    return "all layers give finite outputs, so it is the loss that does not"


def _watched(layer: Layer, call: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(call)  # keeps the signature, which says what the call takes
    def watched(*args: Any, **kwargs: Any) -> Any:
        outputs = call(*args, **kwargs)
        if not _finite(outputs):
            raise _Found(layer.name)
        return outputs

    return watched


def _finite(values: Any) -> bool:
    arrays = [np.asarray(leaf) for leaf in nest.flatten(values) if not isinstance(leaf, Symbol)]
    return all(bool(np.isfinite(array).all()) for array in arrays if array.dtype.kind == "f")


def layers_in(layer: Layer) -> list[Layer]:
    """A layer and all those within it, each once."""
    found: dict[int, Layer] = {}
    waiting = [layer]
    while waiting:
        one = waiting.pop()
        if id(one) not in found:
            found[id(one)] = one
            waiting += one.layers if isinstance(one, Network) else ()
    return list(found.values())


def _rate_of(callback: Callback) -> float:
    rate = callback.model.optimizer.learning_rate
    if not isinstance(rate, float):
        raise TypeError(
            f"{type(callback).__name__}: expected the optimizer's learning_rate to be a number, got {rate!r}. "
            "A schedule changes it by itself."
        )
    return rate

"""Training of models in Keras' style: `compile`, `fit`, `evaluate`, and what they keep.

`fit` runs on `TrainStep`: each batch is one C++ call, which also updates the metrics. Python walks over batches only.
"""

from __future__ import annotations

import inspect
import math
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from types import FrameType
from typing import Any

import numpy as np

from layernet import _core, losses, metrics, nest, optimizers
from layernet.callbacks import Callback, History, layers_in
from layernet.errors import FailedPreconditionError, InvalidArgumentError
from layernet.feeding import (
    Arrays,
    Batch,
    Batches,
    ClassWeights,
    as_arrays,
    feed_of,
    is_list_of_batches,
    permutation,
)
from layernet.metrics import Mean, MeanMetricWrapper, Metric
from layernet.network import unique_variables
from layernet.prediction import Predicting
from layernet.progress import Progress
from layernet.random import random_state
from layernet.tensor import Tensor, as_dtype
from layernet.tensor import core_ops as _ops
from layernet.training import EvaluationStep, TrainStep, input_dtypes, metrics_of, no_rows
from layernet.variable import Variable

__all__ = ["Trainable"]

# `Training.position` between two epochs.
_NOT_BEGUN = -1


class Trainable(Predicting):
    """A network with `compile`, `fit` and `evaluate`.

    Attributes:
        optimizer: What `compile` was given.
        history: What the latest `fit` wrote down, also when it was broken off; None before.
        stop_training: Set to True by callbacks to end `fit` after the present step.
    """

    optimizer: Any = None
    history: History | None = None
    stop_training: bool = False

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name=name)
        self._training: Training | None = None

    def __getstate__(self) -> dict[str, Any]:
        # Copies are not compiled: a step is bound to the variables it was traced with.
        left_out = ("optimizer", "history")
        state = {name: value for name, value in super().__getstate__().items() if name not in left_out}
        return {**state, "_training": None}

    def compile(
        self, optimizer: Any = "rmsprop", loss: Any = None, metrics: Any = None, loss_weights: Any = None
    ) -> None:
        """Say how to train. Weights stay as they are; the optimizer's state is its own.

        Call it again after layers have been frozen or released.

        Args:
            optimizer: An optimizer or its name, default "rmsprop".
            loss: The name of a loss, or a function `f(y_true, y_pred, sample_weight)` (the last one is left out without
                weights) that returns a scalar or one number per row; for several outputs one for all of them, or a
                structure like the outputs, whose values are added. None (default): the network's own losses only.
            metrics: Names, functions like losses, or `Metric` objects; "accuracy" chooses by the shapes. For several
                outputs one list for all of them, or a dictionary or list with a metric or a list of them for each;
                they are called `<output>_<metric>` in histories then.
            loss_weights: What the losses of several outputs are multiplied by, in a structure like the outputs; None
                (default) means 1.

        Raises:
            TypeError: The optimizer is none.
            ValueError: An unknown name.

        Example: see `fit`.
        """
        self.optimizer = optimizers.get(optimizer)
        if not isinstance(self.optimizer, optimizers.Optimizer):
            raise TypeError(f"compile: expected an optimizer or its name, got {optimizer!r}.")
        self._training = Training(self.optimizer, loss, metrics, loss_weights)

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int = 1,
        callbacks: Callback | Sequence[Callback] | None = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        resume: bool = False,
    ) -> History:
        """Train.

        The order of the rows is drawn from `ln.random_state()`: after `ln.set_seed(n)` a run is the same, bit for bit.
        Ctrl-C ends training after the step in progress; what was reached stays, and `fit(resume=True)` goes on.

        Args:
            x: Inputs: an array (also one mapped from a file that is larger than the memory), a data frame, or the
                structure of them that the model takes. Or batches `(x, y)` or `(x, y, sample_weight)`: an iterable that
                is walked anew in each epoch (also a list of such tuples, or what has a length and numbered items), an
                iterator, or a function without arguments that returns one.
            y: Targets, in the structure of the outputs; None with batches.
            batch_size: Rows of a step, default 32; None with batches. The last batch of an epoch may have fewer.
            epochs: How often to go over the data, counted from 0 also when training starts at `initial_epoch`.
            verbose: 1 (default) shows a line of progress on a terminal, 0 nothing.
            callbacks: Objects of `ln.callbacks`, called in this order, or one.
            validation_split: What share of the rows, the last ones, is kept for validation, default 0.
            validation_data: `(x, y)` or `(x, y, sample_weight)`, or batches; evaluated after each epoch.
            shuffle: Whether rows come in a new order in each epoch, default True; batches come as they are.
            class_weight: Weights of the rows by their class, a dictionary; classes left out have 1.
            sample_weight: One number per row; None (default) means 1.
            initial_epoch: The number of the first epoch, default 0.
            steps_per_epoch: How many batches make an epoch; None (default): all there are.
            validation_steps: How many batches of validation data, given as batches, are taken; None (default): all.
            resume: Whether to go on where the latest `fit` of this model ended, or where the run ended whose
                `training_variables` were restored: in the same epoch, at the next batch, in the same order of rows.
                Metrics and loss of that epoch are those of its rest, and callbacks begin anew; of an epoch whose last
                batch was done nothing is shown. Default False.

        Returns:
            What happened, a `History`: `history.history["loss"]` has the mean loss of each epoch.

        Raises:
            FailedPreconditionError: The model is not compiled.
            ShapeError: Different numbers of rows, none, or sizes that do not fit.
            InvalidArgumentError: Arguments that contradict each other.
            KeyboardInterrupt: Ctrl-C.

        Example:
            >>> import numpy as np, layernet as ln
            >>> ln.set_seed(1)
            >>> x = np.linspace(-1.0, 1.0, 64, dtype="float32")[:, None]
            >>> inputs = ln.Input((1,))
            >>> hidden = ln.layers.Dense(16, activation="tanh")(inputs)
            >>> model = ln.Model(inputs, ln.layers.Dense(1)(hidden))
            >>> model.compile(ln.optimizers.Adam(0.03), "mean_squared_error", ["mae"])
            >>> history = model.fit(x, np.sin(2.0 * x), batch_size=16, epochs=60, validation_split=0.25)
            >>> sorted(history.history)
            ['loss', 'mae', 'val_loss', 'val_mae']
            >>> history.history["loss"][-1] < 0.2 * history.history["loss"][0]
            True
        """
        training = self._compiled("fit")
        if not isinstance(epochs, (int, np.integer)):
            raise InvalidArgumentError(f"fit: expected epochs as a whole number, got {epochs!r}.")
        feed = feed_of("fit", x, y, sample_weight, batch_size, steps_per_epoch)
        validation: Arrays | Batches | None = None
        if validation_data is not None:
            listed = isinstance(validation_data, list) and not is_list_of_batches(validation_data)
            parts = tuple(validation_data) if listed or isinstance(validation_data, tuple) else (validation_data,)
            size = feed.batch_size if isinstance(feed, Arrays) and len(parts) > 1 else None
            inputs, targets, weights = (*parts, None, None)[:3]
            validation = feed_of("validation_data", inputs, targets, weights, size, validation_steps)
        elif validation_split:
            if not isinstance(feed, Arrays):
                raise InvalidArgumentError(
                    "fit: expected arrays for validation_split, got batches. Give validation_data."
                )
            feed, validation = feed.split(validation_split)
        weighting = None if class_weight is None else ClassWeights("fit", class_weight)
        first = training.resumed() if resume else _Place(initial_epoch)
        if isinstance(feed, Batches):
            feed.goes_on = resume and feed.iterator is not None and feed.iterator is training.iterator
            training.iterator = feed.iterator
        history = self.history if resume and self.history is not None else History()
        self.history, self.stop_training = history, False
        calls = [history, *([callbacks] if isinstance(callbacks, Callback) else callbacks or ())]
        for callback in calls:
            callback.model = self
            callback.params = {"epochs": epochs, "steps": feed.steps, "verbose": verbose}
        with _Interruption() as interruption:
            for callback in calls:
                callback.on_train_begin()
            place = first
            while place.epoch < epochs and not self.stop_training:
                title = f"epoch {place.epoch + 1}/{epochs}"
                with Progress(title, feed.rows, bool(verbose)) as progress:
                    run = _Epoch(self, training, feed, calls, progress, interruption)
                    run.go(place, shuffle, weighting)
                    if run.nothing_left:  # the run before had come to the epoch's last batch
                        place = _Place(place.epoch + 1)
                        continue
                    logs = training.logs(run.loss)
                    if validation is not None:
                        names = [f"val_{name}" for name in logs]
                        try:
                            values = self._evaluate(validation, check=interruption.check).values()
                        except BaseException:
                            # The epoch's steps are made: they stay in the history, and are not made again.
                            training.note(_Place(place.epoch + 1))
                            history.on_epoch_end(place.epoch, {**logs, **dict.fromkeys(names, math.nan)})
                            raise
                        logs.update(zip(names, values, strict=True))
                    progress.finish(logs)
                following = place if run.broken_off else _Place(place.epoch + 1)
                training.note(following)
                for callback in calls:
                    callback.on_epoch_end(place.epoch, logs)
                place = following
                interruption.check()
            for callback in calls:
                callback.on_train_end()
            interruption.check()
        return history

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        sample_weight: Any = None,
        steps: int | None = None,
        return_dict: bool = False,
        verbose: int = 1,
    ) -> Any:
        """The loss and the metrics for some data, in inference mode.

        Args:
            x, y, batch_size, sample_weight: As for `fit`.
            steps: How many batches to take; None (default): all there are.
            return_dict: Whether to return names and values, default False.
            verbose: 1 (default) shows a line of progress on a terminal, 0 nothing.

        Returns:
            The mean loss over all rows, with the network's own losses (regularizers, `add_loss`) as in `fit`; with
            metrics a list, the loss and their values in order; or a dictionary.

        Raises:
            FailedPreconditionError: The model is not compiled.
            ShapeError: Different numbers of rows, none, or sizes that do not fit.

        Example:
            >>> import numpy as np, layernet as ln
            >>> x = ln.Input((1,))
            >>> model = ln.Model(x, ln.layers.Dense(1, kernel_initializer="ones")(x))
            >>> model.compile("sgd", "mse", ["mae"])
            >>> model.evaluate(np.ones((4, 1)), np.full(4, 3.0))
            [4.0, 2.0]
        """
        self._compiled("evaluate")
        feed = feed_of("evaluate", x, y, sample_weight, batch_size, steps)
        with Progress("evaluate", feed.rows, bool(verbose)) as progress:
            logs = self._evaluate(feed, progress)
            progress.finish(logs)
        return _as_returned(logs, return_dict)

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Mapping[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """One step of training.

        Args:
            x, y, sample_weight, class_weight: As for `fit`; all rows are one batch.
            return_dict: Whether to return names and values, default False.

        Returns:
            The loss before the step, and the metrics of this batch: see `evaluate`.

        Raises:
            FailedPreconditionError: The model is not compiled.
            ShapeError: Different numbers of rows, none, or sizes that do not fit.

        Example:
            >>> import numpy as np, layernet as ln
            >>> x = ln.Input((1,))
            >>> model = ln.Model(x, ln.layers.Dense(1, kernel_initializer="ones")(x))
            >>> model.compile(ln.optimizers.SGD(0.5), "mse")
            >>> [model.train_on_batch([[1.0]], [3.0]) for _ in range(2)]
            [4.0, 4.0]
        """
        training = self._compiled("train_on_batch")
        batch = as_arrays(x), as_arrays(y), as_arrays(sample_weight)
        if class_weight is not None:
            batch = ClassWeights("train_on_batch", class_weight)(batch)
        training.prepare(batch[1])
        training.reset()
        return _as_returned(training.logs(training.run(self, batch)), return_dict)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """`evaluate` for one batch.

        Args:
            x, y, sample_weight: As for `evaluate`; all rows are one batch.
            return_dict: Whether to return names and values, default False.
        """
        rows = max(_rows_of((as_arrays(x), None, None)), 1)
        return self.evaluate(x, y, rows, sample_weight, return_dict=return_dict, verbose=0)

    def training_variables(self) -> dict[str, Variable]:
        """All that training depends on, by name: what a `Saver` must save for `fit(resume=True)` to go on.

        The model's variables, the optimizer's, the states of the random generators (the library's, and those of layers
        with a seed), the place in the data, and the learning rate, if it is a number. A run that goes on has the same
        weights, bit for bit, as one that was not broken off.

        Returns:
            Names without ":0", and variables.

        Raises:
            FailedPreconditionError: The model is not compiled.
            ValueError: The model is not built.

        Example:
            >>> import numpy as np, layernet as ln
            >>> x = ln.Input((1,))
            >>> model = ln.Model(x, ln.layers.Dense(1, use_bias=False, name="out")(x))
            >>> model.compile(ln.optimizers.SGD(0.1, momentum=0.9), "mse")
            >>> sorted(model.training_variables())
            ['out/kernel', 'out/kernel/Momentum', 'random_state', 'training/learning_rate', 'training/position']
        """
        training = self._compiled("training_variables")
        if not self.built:
            raise ValueError(f"{self._who()}: has no variables before it is built. Call it once.")
        training.optimizer.create_slots(self.trainable_variables)
        own = [*unique_variables(self), *training.optimizer.variables()]
        named = {variable.full_name: variable for variable in own}
        named["random_state"] = random_state()
        for layer in layers_in(self):
            for value in vars(layer).values():
                if isinstance(value, Variable) and value.full_name.endswith("random_state"):
                    named[_unique(f"{layer.name}/random_state", named)] = value
        return {**named, **training.variables()}

    @property
    def current_batch(self) -> Batch:
        """The inputs, targets and weights of the latest step of `fit`, for callbacks.

        Raises:
            FailedPreconditionError: The model is not compiled.
        """
        return self._compiled("current_batch").batch

    # --- not for users -----------------------------------------------------------------------------------------------

    def _compiled(self, who: str) -> Training:
        if self._training is None:
            raise FailedPreconditionError(
                f"{who}: expected a compiled model, got one without loss. Call compile first."
            )
        return self._training

    def _build(self, x: Any) -> None:
        """Builds the model, if nobody has, for rows like these."""
        if not self.built:
            leaves = zip(nest.flatten(x), input_dtypes(self, x), strict=True)
            self(nest.pack_like(x, [_core.constant(a[:1], dtype=d and as_dtype(d)) for a, d in leaves]))

    def _evaluate(
        self, feed: Arrays | Batches, progress: Progress | None = None, check: Callable[[], None] = lambda: None
    ) -> dict[str, Any]:
        training = self._compiled("evaluate")
        total, rows = 0.0, 0
        for number, batch in enumerate(feed.batches()):
            training.prepare(batch[1])
            if number == 0:
                training.reset()
            size = _rows_of(batch)
            if size == 0:
                raise no_rows("evaluate", nest.flatten(batch[0])[0])
            self._build(batch[0])
            total += size * training.test(self, batch)
            rows += size
            if progress is not None:
                progress.advance(size, partial(training.logs, total / rows))
            check()
        return training.logs(total / rows)


class Training:
    """What `compile` fixed, and how far `fit` is.

    Args:
        optimizer: An optimizer.
        loss, metric_list, loss_weights: As given to `compile`.

    Attributes:
        position: int64 [4]: epoch, batch, and the state of the random generator from which the order of the epoch's
            rows is drawn.
        batch: The inputs, targets and weights of the latest step.
        rate: float64: the optimizer's learning rate, NaN unless it is a number.
    """

    def __init__(self, optimizer: optimizers.Optimizer, loss: Any, metric_list: Any, loss_weights: Any) -> None:
        self.optimizer = optimizer
        self._weights = loss_weights
        self._loss = None if loss is None else nest.map_structure(losses.get, loss)
        self._metrics = metric_list
        _check_metrics(metric_list)
        self.position = Variable([0, _NOT_BEGUN, 0, 0], trainable=False, name="training/position", dtype="int64")
        self.rate = Variable(np.float64(math.nan), trainable=False, name="training/learning_rate")
        self.batch: Batch = (None, None, None)
        self.iterator: Any = None  # that the latest fit took batches from
        self._objectives: list[Objective] | None = None
        self._shown: dict[str, Metric] = {}
        self._step: TrainStep | None = None
        self._evaluation: EvaluationStep | None = None
        self._tried = False  # whether losses and metrics have served for a batch
        self._noted_rate = math.nan

    def variables(self) -> dict[str, Variable]:
        """Where training stands, by name."""
        self._note_rate()
        return {"training/position": self.position, "training/learning_rate": self.rate}

    def note(self, place: _Place) -> None:
        """Keep a place in the variables."""
        numbers = [place.epoch, place.batch, *place.key]
        _ops.assign(self.position, _core.constant(numbers, dtype=_core.int64))
        self._note_rate()

    def resumed(self) -> _Place:
        """The place that the variables have; the learning rate goes back to its value there."""
        epoch, batch, *key = self.position.numpy().tolist()
        place = _Place(epoch, batch, (key[0], key[1]), float(self.rate))
        self.set_rate(place)
        return place

    def set_rate(self, place: _Place) -> None:
        """Give the optimizer the learning rate that a place was left with, if both have numbers."""
        if not math.isnan(place.rate) and isinstance(self.optimizer.learning_rate, float):
            self.optimizer.learning_rate = place.rate

    def _note_rate(self) -> None:
        rate = self.optimizer.learning_rate
        number = rate if isinstance(rate, float) else math.nan
        if number != self._noted_rate:
            self._noted_rate = number
            self.rate.assign(np.float64(number))

    def prepare(self, y: Any) -> list[Objective]:
        """The losses and metrics for targets of this structure, made the first time."""
        if self._objectives is None:
            names = [] if y is None else nest.leaf_names(y, "output")
            self._objectives = self._made(names, y)
        return self._objectives

    def _made(self, names: list[str], y: Any) -> list[Objective]:
        if not names:
            if self._loss is not None:
                raise InvalidArgumentError("fit: expected targets for the loss, got None. Give y, or batches (x, y).")
            return []
        for what, given in (("losses", self._loss), ("loss_weights", self._weights)):
            if isinstance(given, (list, tuple)) and len(given) > 1 and isinstance(y, Mapping):
                raise InvalidArgumentError(
                    f"fit: expected {what} for {', '.join(names)}, got {len(given)} in a list. Give compile a "
                    "dictionary: names have no order."
                )
            if isinstance(given, Mapping) and len(names) > 1 and nest.leaf_names(given, "output") != names:
                raise InvalidArgumentError(
                    f"fit: expected {what} for {', '.join(names)}, got some for {', '.join(map(str, given))}. Give "
                    "compile a structure like the targets."
                )
        functions = [None] if self._loss is None else nest.flatten(self._loss)
        if len(functions) == 1:
            functions = functions * len(names)
        if len(functions) != len(names):
            raise InvalidArgumentError(
                f"fit: expected a loss for each of {len(names)} targets, got {len(functions)} losses. Give compile one "
                "for all, or a structure like the targets."
            )
        weights = [1.0] * len(names) if self._weights is None else nest.flatten(self._weights)
        if len(weights) != len(names):
            raise InvalidArgumentError(
                f"fit: expected loss_weights for each of {len(names)} targets, got {len(weights)}. Give compile a "
                "structure like the targets."
            )
        objectives = []
        several = len(names) > 1
        parts = zip(names, functions, weights, metrics_of("fit", self._metrics, names), strict=True)
        for name, function, weight, given in parts:
            prefix = f"{name}_" if several else ""
            own = _metric_objects(given, several)
            mean = Mean(f"{prefix}loss") if several else None
            objectives.append(Objective(function, weight, [metric for _, metric in own], mean))
            shown = [(f"{prefix}loss", mean)] if mean is not None else []
            for shown_name, metric in [*shown, *((f"{prefix}{key}", metric) for key, metric in own)]:
                self._shown[_unique(shown_name, self._shown)] = metric
        return objectives

    def reset(self) -> None:
        """Start the metrics anew."""
        for metric in self._shown.values():
            metric.reset_state()

    def run(self, model: Trainable, batch: Batch) -> float:
        """One step; returns the loss."""
        if self._step is None:
            self._step = TrainStep(model, self._objectives or None, self.optimizer)
        return self._made_with(self._step, batch)

    def test(self, model: Trainable, batch: Batch) -> float:
        """The loss of a batch; the metrics take it in."""
        if self._evaluation is None:
            self._evaluation = EvaluationStep(model, self._objectives or None)
        return self._made_with(self._evaluation, batch)

    def _made_with(self, step: TrainStep | EvaluationStep, batch: Batch) -> float:
        try:
            loss = float(step(*batch))
        except BaseException:
            if not self._tried:
                # Losses and metrics were chosen by the structure of these targets, which may be what is wrong.
                self._objectives = self._step = self._evaluation = None
                self._shown = {}
            raise
        self._tried = True
        return loss

    def logs(self, loss: float) -> dict[str, Any]:
        """The loss and the results of the metrics."""
        logs: dict[str, Any] = {"loss": loss}
        for name, metric in self._shown.items():
            value = metric.result().numpy()
            logs[name] = float(value) if value.ndim == 0 else value.tolist()
        return logs


class Objective:
    """The loss of one output; a call, which is traced into a step, also updates the output's metrics.

    Args:
        loss: A function, or None for 0.
        weight: What it is multiplied by.
        metric_list: Metrics.
        mean: Gets the loss without its weight, to show it beside those of other outputs; None for a single output.
    """

    def __init__(
        self, loss: Callable[..., Any] | None, weight: float, metric_list: list[Metric], mean: Mean | None
    ) -> None:
        self._loss = loss
        self._weight = float(weight)
        self._metrics = metric_list
        self._mean = mean
        self._takes_weights = loss is not None and _takes(loss, "sample_weight")

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        for metric in self._metrics:
            metric.update_state(y_true, y_pred, sample_weight)
        value = self._value(y_true, y_pred, sample_weight)
        if self._mean is not None:
            rows = _ops.ones_like(losses._value(y_pred))
            self._mean.update_state(_ops.multiply(rows, _ops.cast(value, dtype=rows.dtype)))
        return value if self._weight == 1.0 else _ops.affine(value, scale=self._weight)

    def _value(self, y_true: Any, y_pred: Any, sample_weight: Any) -> Any:
        if self._loss is None:
            return _core.constant(0.0)
        if sample_weight is not None and self._takes_weights:
            value = self._loss(y_true, y_pred, sample_weight=sample_weight)
        else:
            value = self._loss(y_true, y_pred)
        if not value.shape:
            if sample_weight is not None and not self._takes_weights:
                name = getattr(self._loss, "__name__", type(self._loss).__name__)
                raise InvalidArgumentError(
                    f"fit: expected a loss that takes sample_weight or returns one number per row, got the scalar of "
                    f"{name}, in which rows have no weights. Return a number for each row."
                )
            return value
        return losses._reduced(value, None if self._takes_weights else sample_weight, "mean")


class _Place:
    """A batch of an epoch, the key of the order of its rows, and the learning rate of a place to go on from."""

    def __init__(
        self, epoch: int, batch: int = _NOT_BEGUN, key: tuple[int, int] = (0, 0), rate: float = math.nan
    ) -> None:
        self.epoch = epoch
        self.batch = batch
        self.key = key
        self.rate = rate


class _Epoch:
    """One walk over the data."""

    def __init__(
        self,
        model: Trainable,
        training: Training,
        feed: Arrays | Batches,
        calls: list[Callback],
        progress: Progress,
        interruption: _Interruption,
    ) -> None:
        self._model = model
        self._training = training
        self._feed = feed
        self._calls = [call for call in calls if _has_batch_methods(call)]
        self._all_calls = calls
        self._progress = progress
        self._interruption = interruption
        self._total = 0.0
        self._rows = 0
        self.broken_off = False

    @property
    def loss(self) -> float:
        """The mean over all rows so far."""
        return self._total / self._rows

    @property
    def nothing_left(self) -> bool:
        """Whether no batch was left."""
        return self._rows == 0

    def go(self, place: _Place, shuffle: bool, weighting: ClassWeights | None) -> None:
        """All steps of the epoch from a place on."""
        training, model = self._training, self._model
        begun = place.batch != _NOT_BEGUN
        batches = self._begin(place, begun, shuffle)
        for callback in self._all_calls:
            callback.on_epoch_begin(place.epoch)
        if begun:
            training.set_rate(place)  # a callback may have changed it a second time
        fresh = True
        for batch in batches:
            if weighting is not None:
                batch = weighting(batch)
            training.prepare(batch[1])
            if fresh:
                training.reset()
                fresh = False
            training.batch = batch
            model._build(batch[0])
            for callback in self._calls:
                callback.on_train_batch_begin(place.batch)
            loss = training.run(model, batch)
            rows = _rows_of(batch)
            self._total += loss * rows
            self._rows += rows
            place.batch += 1
            training.note(place)
            self._progress.advance(rows, self._logs)
            if self._calls:
                logs = _LazyLogs(self._logs)
                for callback in self._calls:
                    callback.on_train_batch_end(place.batch - 1, logs)
            self._interruption.check()
            if model.stop_training:
                self.broken_off = place.batch != self._feed.steps
                break

    def _begin(self, place: _Place, begun: bool, shuffle: bool) -> Iterator[Batch]:
        """The batches from a place on."""
        place.batch = max(place.batch, 0)
        feed = self._feed
        if not isinstance(feed, Arrays):
            return feed.batches(place.batch)
        order = None
        if shuffle:
            if not begun:
                seed, counter = random_state().numpy().tolist()
                place.key = seed, counter
            order, after = permutation(feed.rows, place.key)
            if not begun:
                random_state().assign(after)
        self._training.note(place)
        return feed.batches(place.batch, order)

    def _logs(self) -> dict[str, Any]:
        return self._training.logs(self.loss)


class _LazyLogs(Mapping[str, Any]):
    """Logs that are computed when something is read from them."""

    def __init__(self, make: Callable[[], dict[str, Any]]) -> None:
        self._make = make
        self._made: dict[str, Any] | None = None

    def _logs(self) -> dict[str, Any]:
        if self._made is None:
            self._made = self._make()
        return self._made

    def __getitem__(self, name: str) -> Any:
        return self._logs()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._logs())

    def __len__(self) -> int:
        return len(self._logs())


class _Interruption:
    """A block in which Ctrl-C waits for `check`. The second one does not wait. In the main thread only."""

    def __init__(self) -> None:
        self._asked = False
        self._outer: Any = None

    def __enter__(self) -> _Interruption:
        if threading.current_thread() is threading.main_thread():
            outer = signal.getsignal(signal.SIGINT)
            if outer is signal.default_int_handler:
                self._outer = outer
                signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, *exception: object) -> None:
        if self._outer is not None:
            signal.signal(signal.SIGINT, self._outer)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked = True
        signal.signal(signal.SIGINT, self._outer)

    def check(self) -> None:
        """Raise KeyboardInterrupt, if Ctrl-C was pressed."""
        if self._asked:
            self._asked = False
            raise KeyboardInterrupt


def accuracy(y_true: Any, y_pred: Any, reduction: str = "mean") -> Tensor:
    """The accuracy that fits the shapes: of class numbers, of one-hot rows, or of one probability per row."""
    pred = losses._value(y_pred)
    true_shape = tuple(y_true.shape)
    if len(pred.shape) < 2 or pred.shape[-1] == 1:
        return metrics.binary_accuracy(y_true, pred, reduction=reduction)
    if len(true_shape) == len(pred.shape) and true_shape[-1] == pred.shape[-1]:
        return metrics.categorical_accuracy(y_true, pred, reduction=reduction)
    return metrics.sparse_categorical_accuracy(y_true, pred, reduction=reduction)


def _metric_objects(given: Iterable[Any], copies: bool) -> list[tuple[str, Metric]]:
    """Names and objects for what `compile` was given for one output."""
    made: list[tuple[str, Metric]] = []
    for metric in given:
        if metric in ("accuracy", "acc"):
            made.append((metric, MeanMetricWrapper(accuracy, metric)))
            continue
        part = metrics.get(metric)
        if not isinstance(part, Metric):
            part = MeanMetricWrapper(part, metric if isinstance(metric, str) else None)
        elif part is metric and copies:
            part = metrics.deserialize(metrics.serialize(part))  # one state for each output
        made.append((part.name, part))
    return made


def _check_metrics(given: Any) -> None:
    """Unknown names are errors of `compile`."""
    for metric in nest.flatten(given if given is not None else []):
        if not isinstance(metric, Metric):
            metrics.get(metric)


def _unique(name: str, taken: Mapping[str, Any]) -> str:
    number, unique = 0, name
    while unique in taken:
        number += 1
        unique = f"{name}_{number}"
    return unique


def _rows_of(batch: Batch) -> int:
    x = batch[0]
    return int((x if type(x) is np.ndarray else nest.flatten(x)[0]).shape[0])


def _takes(function: Callable[..., Any], name: str) -> bool:
    parameters = inspect.signature(function).parameters.values()
    return any(p.name == name or p.kind is p.VAR_KEYWORD for p in parameters)


def _has_batch_methods(callback: Callback) -> bool:
    kind = type(callback)
    return (
        kind.on_train_batch_begin is not Callback.on_train_batch_begin
        or kind.on_train_batch_end is not Callback.on_train_batch_end
    )


def _as_returned(logs: dict[str, Any], return_dict: bool) -> Any:
    if return_dict:
        return logs
    return list(logs.values()) if len(logs) > 1 else logs["loss"]

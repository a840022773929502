"""A training step as one C++ call: forward, loss, gradients and the optimizer's update, traced into one plan.

The network, the loss and the optimizer are called once on placeholders, under a gradient tape that records symbols, by
the same ops that eager training runs. What they did, effects on variables included, becomes a plan whose variables are
read anew at each step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from layernet import _core, _thread_control, losses, metrics, nest, optimizers, symbolic
from layernet._predict import PlanCaller
from layernet.clipping import clip_by_global_norm
from layernet.compiling import StepTable, as_input, takes_training
from layernet.errors import GraphError, InvalidArgumentError, ShapeError
from layernet.layers.base import Layer
from layernet.schedules import LearningRateSchedule
from layernet.tape import GradientTape
from layernet.tensor import Symbol, Tensor, as_dtype
from layernet.tensor import core_ops as _ops

__all__ = ["EvaluationStep", "TrainStep", "input_dtypes", "metrics_of", "no_rows"]

# Learning rates that are part of the plan; others are one of its inputs.
_TRACED_RATES = (_core.Variable, Tensor, LearningRateSchedule)
Arrays = list[npt.NDArray[Any]]


class _Step:
    """What a batch gives, traced once for each signature: the loss with the network's own losses, and the metrics.

    Args:
        network, loss, metrics, threads: See `TrainStep`.
    """

    _who = "TrainStep"
    _training = True

    def __init__(self, network: Layer, loss: Any, metrics: Any = (), threads: int | None = None) -> None:
        if not isinstance(network, Layer):
            raise TypeError(f"TrainStep: expected a Network or Layer, got {type(network).__name__}.")
        if threads is not None and threads < 1:
            raise ValueError(f"TrainStep: expected threads >= 1, got {threads}.")
        self.network = network
        self._losses = None if loss is None else nest.map_structure(_as_loss, loss)
        self._metrics = nest.map_structure(_as_metric, metrics)
        self._threads = _core.get_num_threads() if threads is None else threads
        if self._threads > 1:
            _thread_control.register()
        self._compiled: dict[Any, _Compiled] = {}
        self._latest: _Compiled | None = None
        self._rows_are_fixed = False

    def __call__(self, x: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Make one step.

        Args:
            x: An array or a structure of arrays, as the network takes it, with at least one row.
            y: Targets, in the structure of the network's outputs.
            sample_weight: One number per row; None (default) means 1.

        Returns:
            The loss before the step, a scalar tensor; with metrics a tuple, the loss and their values.

        Raises:
            ShapeError: No rows, or numbers of rows, sizes or names of targets that do not agree.
            DTypeError: Something that is not made of numbers.
            ValueError: There is no loss, or one that depends on nothing that is trainable.
        """
        results = None if self._latest is None or sample_weight is not None else self._again(self._latest, x, y)
        if results is None:
            compiled, arrays = self._ready(x, y, sample_weight)
            results = compiled.caller.run_list(arrays)
        if not self._metrics:
            return _core.constant(results[0])
        return tuple([_core.constant(result) for result in results])

    @property
    def steps(self) -> StepTable:
        """What the latest step ran, in order: a list of dictionaries that prints as a table (see `Predictor.steps`).

        Raises:
            RuntimeError: No step has been made.
        """
        return StepTable(self._made().plan.steps)

    def profile(self, x: Any, y: Any = None, sample_weight: Any = None, repeats: int = 10) -> StepTable:
        """`steps` with the time that each takes, as key microseconds; makes `repeats` steps, the quickest counts."""
        compiled, arrays = self._ready(x, y, sample_weight)
        times = [compiled.plan.profile_step(arrays, self._threads)[1] for _ in range(repeats)]
        best = [1e6 * min(seconds) for seconds in zip(*times, strict=True)]
        rows = zip(compiled.plan.steps, best, strict=True)
        return StepTable({**step, "microseconds": us, "share": us / (sum(best) or 1.0)} for step, us in rows)

    def _made(self) -> _Compiled:
        if self._latest is None:
            raise RuntimeError("TrainStep: expected a step to look at, got one that was never called. Call it once.")
        return self._latest

    def _again(self, latest: _Compiled, x: Any, y: Any) -> Arrays | None:
        """What the plan of the call before gives, if it is the one for these and takes them as they are; else None."""
        return None

    def _ready(self, x: Any, y: Any, sample_weight: Any) -> tuple[_Compiled, Arrays]:
        """The plan for these arguments, and the arrays it takes."""
        return self._compiled_for(x, y, sample_weight)

    def _compiled_for(
        self, x: Any, y: Any, sample_weight: Any, traced: Any = None, counted: bool = False
    ) -> tuple[_Compiled, Arrays]:
        """The plan for these arguments, `traced` being part of it, and the arrays that stand for them."""
        names: tuple[str, ...]
        if type(x) is type(y) is np.ndarray:
            arrays, names = [x, y], ()
        else:
            x, y = _structure(x), _structure(y)
            arrays = [np.asarray(leaf) for leaf in _leaves(x) + _leaves(y)]
            names = *nest.leaf_names(x, "x"), "", *nest.leaf_names(y, "y")
        if sample_weight is not None:
            arrays.append(np.asarray(sample_weight))
        rows = arrays[0].shape[0] if self._rows_are_fixed else None
        signature = sample_weight is None, names, id(traced), counted, *[(a.dtype.char, a.shape[1:]) for a in arrays]
        compiled = self._compiled.get((signature, rows))
        if compiled is None:
            _check_rows(self._who, arrays)
            given = x, y, sample_weight is not None, arrays, traced
            plan = None
            try:
                plan = self._compile(*given, rows)
            except GraphError:
                if rows is not None:
                    raise
            if plan is None:
                # Sizes that are no multiples of the number of rows, such as that of all pairs of rows, must be known.
                rows = arrays[0].shape[0]
                plan = self._compile(*given, rows)
                self._rows_are_fixed = True
            compiled = _Compiled(plan, self._threads, traced, counted, not names and sample_weight is None, self._who)
            self._compiled[signature, rows] = compiled
        self._latest = compiled
        if arrays[0].shape[0] == 0:
            raise no_rows(self._who, arrays[0])
        return compiled, arrays

    def _compile(self, x: Any, y: Any, weighted: bool, arrays: Arrays, traced: Any, rows: int | None) -> _core.Plan:
        given = _Given(self._who, rows)
        dtypes = input_dtypes(self.network, x)
        inputs = [given.value(a, "input", dtype) for a, dtype in zip(arrays, dtypes, strict=False)]
        with symbolic.Tracing(record=False) as tracing:
            with GradientTape() as tape:
                kwargs = {"training": self._training} if takes_training(self.network) else {}
                outputs = self.network(nest.pack_like(x, inputs), **kwargs)
                check_names(self._who, y, outputs, "targets")
                if isinstance(outputs, Mapping) and isinstance(y, (list, tuple)) and len(y) > 1:
                    raise ShapeError(
                        f"{self._who}: expected targets for outputs {', '.join(sorted(map(str, outputs)))}, got "
                        f"{len(y)} in a list. Give a dictionary: names have no order."
                    )
                check_names(self._who, self._losses, outputs, "losses")
                predictions = nest.flatten(outputs)
                rest = [given.target(a, predictions) for a in arrays[len(inputs) :]]
                weight = rest.pop() if weighted else None
                if len(rest) != len(predictions) and (self._losses is not None or nest.flatten(self._metrics)):
                    raise ShapeError(
                        f"{self._who}: expected a target for each of {len(predictions)} outputs of "
                        f"{self.network.name!r}, got {len(rest)}. Give y in the structure of the outputs."
                    )
                total = self._total(predictions, rest, weight)
            values = self._values(nest.leaf_names(outputs, "output"), predictions, rest, weight)
            more = self._update(tape, total, traced)
            results = [_ops.cast(v, dtype=_core.float32) if v.dtype is _core.bfloat16 else v for v in (total, *values)]
            graph = _core.Graph([*given.placeholders, *more], results, tracing.effects)
        return _core.Plan.step(graph)

    def _update(self, tape: GradientTape, total: Any, traced: Any) -> list[Symbol]:
        """Change variables by the loss; returns placeholders of what that takes."""
        return []

    def _total(self, predictions: list[Any], targets: list[Any], weight: Any) -> Any:
        terms = []
        if self._losses is not None:
            functions = nest.flatten(self._losses)
            if len(functions) == 1:
                functions *= len(predictions)
            if len(functions) != len(predictions):
                raise ShapeError(
                    f"{self._who}: expected a loss for each of {len(predictions)} outputs of {self.network.name!r}, "
                    f"got {len(functions)} losses. Give one for all, or a structure like the outputs."
                )
            weighted = {} if weight is None else {"sample_weight": weight}
            for function, target, prediction in zip(functions, targets, predictions, strict=True):
                terms.append(_scalar(function(target, prediction, **weighted)))
        terms += [_scalar(loss) for loss in self.network.losses]
        if not terms:
            raise ValueError(
                f"{self._who}: expected a loss, got None, and {self.network.name!r} has none of its own. Name one."
            )
        total = terms[0]
        for term in terms[1:]:
            total = _ops.add(total, _ops.cast(term, dtype=total.dtype))
        return total

    def _values(self, names: list[str], predictions: list[Any], targets: list[Any], weight: Any) -> list[Any]:
        """The values of the metrics."""
        per_output = metrics_of(self._who, self._metrics, names)
        objects = [metric for group in per_output for metric in group if hasattr(metric, "update_state")]
        if len({id(metric) for metric in objects}) != len(objects):
            raise ValueError(
                f"{self._who}: expected metric objects for one output each, got one list of them for {len(names)}. "
                "Give metrics in a structure like the outputs."
            )
        triples = zip(per_output, targets, predictions, strict=False)
        return [_value(metric, true, pred, weight) for group, true, pred in triples for metric in group]


class TrainStep(_Step):
    """One step of training as one call: computes the loss of a batch, and changes the network's variables by it.

    `loss = mean over the rows of loss(y, network(x)) + the network's own losses` (regularizers, `add_loss`); then the
    optimizer applies the gradients to the trainable variables, to each once. All of it is traced on the first call, and
    again when dtypes or sizes other than the number of rows change. Variables are read at each step: they may be
    assigned, saved and restored in between, and the learning rate may be set, be a schedule or be a variable. What is
    trainable is settled by the trace: make a new step after layers were frozen or released.

    The result equals that of a `GradientTape` around the same calls to rounding. For a given seed its bits do not
    depend on `threads`.

    Args:
        network: A Network or Layer. `training=True` is passed where its `call` takes it.
        loss: The name of a loss, or a function of targets and predictions (and `sample_weight`, when it is given) that
            returns a scalar; for several outputs one for all or a structure of them, whose values are added. None
            leaves the network's own losses.
        optimizer: An optimizer or its name.
        metrics: Names, functions like losses, or metric objects. For several outputs one list for all of them, or a
            dictionary or list with a metric or a list of them for each. Their values come after the loss, in the order
            of the outputs: of functions for this batch, of objects for what they have seen.
        clip_norm: Gradients are scaled down so that all of them together have at most this norm; None (default) leaves
            them.
        threads: Threads of the library's pool that a step may use, default all it is allowed; small steps stay on one.

    Raises:
        TypeError: A network, loss or optimizer that is none.
        ValueError: An unknown name, or `clip_norm` or `threads` that is not above 0.

    Example:
        >>> import numpy as np, layernet as ln
        >>> ln.set_seed(1)
        >>> net = ln.Sequential([ln.layers.Dense(8, activation="tanh"), ln.layers.Dense(1)])
        >>> step = ln.TrainStep(net, "mean_squared_error", ln.optimizers.Adam(0.05))
        >>> x = np.linspace(-1.0, 1.0, 20, dtype="float32")[:, None]
        >>> first = step(x, x * x)
        >>> for _ in range(200):
        ...     last = step(x, x * x)
        >>> float(last) < 0.05 * float(first)
        True

    Reference:
        Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks", 2013, algorithm 1, for
        `clip_norm`.
    """

    def __init__(
        self,
        network: Layer,
        loss: Any,
        optimizer: Any,
        *,
        metrics: Any = (),
        clip_norm: float | None = None,
        threads: int | None = None,
    ) -> None:
        super().__init__(network, loss, metrics, threads)
        if clip_norm is not None and not clip_norm > 0:
            raise ValueError(f"TrainStep: expected clip_norm above 0, got {clip_norm!r}.")
        self.optimizer: optimizers.Optimizer = optimizers.get(optimizer)
        if not isinstance(self.optimizer, optimizers.Optimizer):
            raise TypeError(f"TrainStep: expected an optimizer or its name, got {optimizer!r}.")
        self._clip_norm = clip_norm
        self._rate = np.zeros((), "float64")

    def __repr__(self) -> str:
        return f"TrainStep({self.network!r}, {self.optimizer!r})"

    def _again(self, latest: _Compiled, x: Any, y: Any) -> Arrays | None:
        optimizer = self.optimizer
        rate = optimizer._learning_rate
        number = type(rate) is float
        # The plan is for one array and its targets, at this learning rate.
        if (
            not latest.plain
            or not (number if latest.rate is None else rate is latest.rate)
            or latest.counted != (optimizer._iterations is not None)
        ):
            return None
        return latest.caller.run_ready(x, y, rate if number else 0.0)

    def _ready(self, x: Any, y: Any, sample_weight: Any) -> tuple[_Compiled, Arrays]:
        rate = self.optimizer.learning_rate
        traced = rate if isinstance(rate, _TRACED_RATES) else None
        compiled, arrays = self._compiled_for(x, y, sample_weight, traced, self.optimizer.iterations is not None)
        if traced is None:
            self._rate[()] = rate if type(rate) is float else self.optimizer.current_rate()
        arrays.append(self._rate)
        return compiled, arrays

    def _update(self, tape: GradientTape, total: Any, traced: Any) -> list[Symbol]:
        network, optimizer = self.network, self.optimizer
        rate = _core.placeholder((), _core.float64, "learning_rate")
        # Networks that share a layer list its variables several times.
        variables = list({id(v): v for v in network.trainable_variables}.values())
        gradients = tape.gradient(total, variables)
        pairs = [(g, v) for g, v in zip(gradients, variables, strict=True) if g is not None]
        if not pairs:
            raise ValueError(
                f"TrainStep: expected a loss that depends on trainable variables of {network.name!r}, got one that "
                "depends on none. Name a loss, and see what is trainable."
            )
        with symbolic.eagerly():
            optimizer.create_slots(v for _, v in pairs)
        if self._clip_norm is not None:
            clipped = clip_by_global_norm([g for g, _ in pairs], self._clip_norm)[0]
            pairs = [(g, v) for g, (_, v) in zip(clipped, pairs, strict=True)]
        with optimizer.rate_from(rate if traced is None else None):
            optimizer.apply_gradients(pairs)
        return [rate]


class EvaluationStep(_Step):
    """The loss of a batch as `TrainStep` has it, and the metrics, in inference mode; the network stays as it is.

    Args:
        network, loss, metrics, threads: See `TrainStep`.
    """

    _who = "evaluate"
    _training = False


class _Compiled:
    """A plan for one signature, and the learning rate that is part of it: while it lives, no other has its id."""

    __slots__ = ("caller", "counted", "plain", "plan", "rate")

    def __init__(self, plan: _core.Plan, threads: int, rate: Any, counted: bool, plain: bool, who: str) -> None:
        self.plan = plan
        self.rate = rate
        self.counted = counted
        self.plain = plain
        self.caller = PlanCaller(plan.capsule(), threads, who=who)


def input_dtypes(network: Layer, x: Any) -> list[str | None]:
    """The types of a network's inputs as of its first call; None: that of the array.

    Before that, what a first layer for floating point numbers is given becomes such, of its type if it says one.
    """
    known = nest.flatten(network._call_signature)
    leaves = nest.flatten(x)
    if network._call_signature is not None and len(known) == len(leaves):
        return [spec.dtype.name for spec in known]
    layers = getattr(network, "layers", None) or [network]
    own = None if layers[0].dtype is None else as_dtype(layers[0].dtype)
    floats = own.name if own is not None and own.is_floating else None
    if getattr(network, "_takes_floats", bool)():
        return [floats or "float32"] * len(leaves)
    return [floats or "float32" if _is_floating(np.asarray(leaf)) else None for leaf in leaves]


def check_names(who: str, given: Any, outputs: Any, what: str) -> None:
    """What is given by name for several outputs has their names.

    Raises:
        ShapeError: Other names, or outputs without names: they could be taken for one another.
    """
    if not isinstance(given, Mapping) or len(given) < 2:
        return
    names = sorted(map(str, outputs)) if isinstance(outputs, Mapping) else []
    if sorted(map(str, given)) != names:
        raise ShapeError(
            f"{who}: expected {what} for outputs {', '.join(names) or 'without names'}, got some for "
            f"{', '.join(sorted(map(str, given)))}. Give them in the structure of the outputs."
        )


def _structure(x: Any) -> Any:
    """`x`, with lists of numbers as what they are: an array and not a structure."""
    if isinstance(x, (list, tuple)) and any(np.ndim(leaf) == 0 for leaf in nest.flatten(x)):
        return np.asarray(x)
    return x


def _leaves(structure: Any) -> list[Any]:
    return [] if structure is None else nest.flatten(structure)


def _as_loss(loss: Any) -> Callable[..., Any]:
    function: Callable[..., Any] = losses.get(loss)
    if not callable(function):
        raise TypeError(f"TrainStep: expected the name of a loss or a function, got {loss!r}.")
    return function


def _as_metric(metric: Any) -> Any:
    return metric if hasattr(metric, "update_state") else metrics.get(metric)


def _check_rows(who: str, arrays: Arrays) -> None:
    """Every array has the same number of rows, at least one."""
    for a in arrays:
        if a.ndim == 0:
            raise ShapeError(f"{who}: expected arrays with rows along their first axis, got {a!r}.")
        if a.shape[0] == 0:
            raise no_rows(who, a)
        if a.shape[0] != arrays[0].shape[0]:
            raise ShapeError(
                f"{who}: expected inputs, targets and weights of one number of rows, "
                f"got {[list(b.shape) for b in arrays]}."
            )


def no_rows(who: str, array: npt.NDArray[Any]) -> ShapeError:
    """The error for an empty batch."""
    return ShapeError(
        f"{who}: expected at least one row, got shape {list(array.shape)}: the mean over no rows is not a number. "
        "Leave empty batches out."
    )


def _is_floating(array: npt.NDArray[Any]) -> bool:
    return array.dtype.kind == "f" or array.dtype.name == "bfloat16"


class _Given:
    """Placeholders for arrays, and the values they stand for; bfloat16, which NumPy has not, is given as float32."""

    def __init__(self, who: str, rows: int | None) -> None:
        self.placeholders: list[Symbol] = []
        self._who = who
        self._rows = rows

    def value(self, array: npt.NDArray[Any], name: str, dtype: str | None = None) -> Any:
        """A value for arrays like this one; floating types are float32 unless another is asked for."""
        if array.dtype.kind not in "biuf":
            array = as_input(array, "float32", self._who)
        if dtype is None:
            dtype = "float32" if _is_floating(array) else array.dtype.name
        given_dtype = "float32" if dtype == "bfloat16" else dtype
        given = symbolic.Input(array.shape[1:], given_dtype, self._rows, name)
        self.placeholders.append(given)
        return given if given.dtype == dtype else _ops.cast(given, dtype=as_dtype(dtype))

    def target(self, array: npt.NDArray[Any], predictions: Iterable[Any]) -> Any:
        """A value for targets or weights: floating ones are of the type of the predictions."""
        return self.value(array, "target", next(iter(predictions)).dtype.name if _is_floating(array) else None)


def _scalar(loss: Any) -> Any:
    return loss if loss.shape == () else _ops.reduce_mean(loss)


def _value(metric: Any, target: Any, prediction: Any, weight: Any) -> Any:
    """The value of a metric as a symbol; a metric object takes the batch in."""
    weighted = {} if weight is None else {"sample_weight": weight}
    if hasattr(metric, "update_state"):
        metric.update_state(target, prediction, **weighted)
        return metric.result()
    return _scalar(metric(target, prediction, **weighted))


def metrics_of(who: str, given: Any, names: list[str]) -> list[list[Any]]:
    """The metrics of each output: one list for all, or a dictionary or list with one metric or several for each.

    Args:
        who: Named in errors.
        given: Metrics in one of these forms.
        names: The outputs.

    Raises:
        InvalidArgumentError: An output that is not there, or another number of lists.
    """
    if isinstance(given, Mapping):
        unknown = sorted(set(given) - set(names))
        if unknown:
            raise InvalidArgumentError(
                f"{who}: expected metrics for {', '.join(names)}, got some for {unknown[0]!r}. Give them by the names "
                "of outputs."
            )
        return [_as_list(given.get(name, [])) for name in names]
    if not any(isinstance(one, (list, tuple)) for one in _as_list(given)):
        return [_as_list(given) for _ in names]
    if len(given) != len(names):
        raise InvalidArgumentError(
            f"{who}: expected metrics for each of {len(names)} targets, got {len(given)} lists. Give one list for all, "
            "or one for each."
        )
    return [_as_list(one) for one in given]


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]

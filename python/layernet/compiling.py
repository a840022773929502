"""From a network to a plan: tracing, compiling, calling.

A network is called once on placeholders inside a trace that records nothing on the user's objects; the graph of that
call is compiled into an immutable plan with its own copy of the weights.
"""

from __future__ import annotations

import inspect
import math
import os
from typing import Any

import numpy as np
import numpy.typing as npt

from layernet import _core, _thread_control, nest, structure_json, symbolic
from layernet._predict import PlanCaller
from layernet.errors import DTypeError, FormatError, GraphError, ShapeError
from layernet.layers.base import Layer
from layernet.tensor import Symbol
from layernet.tensor import core_ops as _ops

__all__ = ["Predictor"]


def as_input(x: Any, dtype: str, who: str = "predict") -> npt.NDArray[Any]:
    """`x` as a native, aligned, C-contiguous array of `dtype`.

    Raises:
        DTypeError: x is complex, or not made of numbers.
    """
    if isinstance(x, Symbol):
        raise GraphError(f"{who}: expected an array, got a symbolic value. Call the network itself on it.")
    array = np.asarray(x)
    if array.dtype.kind not in "biuf" and array.dtype.name != "bfloat16":
        raise DTypeError(
            f'{who}: expected numbers, got an array of dtype {array.dtype}. Convert it, e.g. np.asarray(x, "float32").'
        )
    return np.require(array.astype(dtype, copy=False), requirements=["C", "A"])


def input_template(network: Layer, inputs: Any = None) -> Any:
    """Placeholders to trace `network` with: `inputs`, else as in its first call, else its first layer's shape."""
    if inputs is not None:
        for leaf in nest.flatten(inputs):
            if not isinstance(leaf, Symbol):
                raise TypeError(f"inputs: expected ln.Input(...) or a structure of them, got {type(leaf).__name__}.")
        return inputs
    signature = getattr(network, "_call_signature", None)
    if signature is not None:
        return nest.map_structure(lambda s: symbolic.Input(s.shape[1:], s.dtype), signature)
    layers = getattr(network, "layers", None) or [network]
    shape = getattr(layers[0], "_batch_input_shape", None)
    if shape is not None:
        return symbolic.Input(shape[1:], layers[0].dtype or "float32", batch_size=shape[0])
    raise ShapeError(
        f"{network!r}: expected a network that knows its inputs, got one that was never called. "
        "Call it once on an array, or say Predictor(network, ln.Input(shape=(8,)))."
    )


def trace(network: Layer, inputs: Any, **kwargs: Any) -> tuple[list[Symbol], Any, symbolic.Tracing]:
    """The symbolic outputs of one call that leaves no mark on the network: placeholders, outputs, the trace."""
    flat = nest.flatten(inputs)
    with symbolic.Tracing(record=False) as tracing:
        outputs = network(inputs, **kwargs)
    return flat, outputs, tracing


def _trace_for_numpy(network: Layer, template: Any, **kwargs: Any) -> tuple[list[Symbol], Any]:
    """As `trace`, with ports that NumPy has a type for: bfloat16 comes and goes as float32, cast in the graph."""
    wanted = nest.flatten(template)
    given = [_wide_port(placeholder) for placeholder in wanted]
    with symbolic.Tracing(record=False):
        leaves = [s if s is port else _ops.cast(port, dtype=s.dtype) for s, port in zip(wanted, given, strict=True)]
        outputs = network(nest.pack_like(template, leaves), **kwargs)
        outputs = nest.map_structure(_widened, outputs)
    return given, outputs


def _wide_port(placeholder: Symbol) -> Symbol:
    if placeholder.dtype != "bfloat16":
        return placeholder
    batch, *row = placeholder.shape
    return symbolic.Input(tuple(row), "float32", batch_size=batch)


def _as_first_called(network: Layer, inputs: Any) -> Any:
    """Arrays for a call of the network, cast to bfloat16 where its first call had that."""
    leaves, specs = nest.flatten(inputs), nest.flatten(getattr(network, "_call_signature", None))
    if len(leaves) != len(specs):
        return inputs
    narrow = [getattr(spec, "dtype", None) is _core.bfloat16 for spec in specs]
    cast = [_ops.cast(x, dtype=_core.bfloat16) if n else x for x, n in zip(leaves, narrow, strict=True)]
    return nest.pack_like(inputs, cast)


def _widened(value: Any) -> Any:
    return _ops.cast(value, dtype=_core.float32) if getattr(value, "dtype", None) is _core.bfloat16 else value


def takes_training(network: Layer) -> bool:
    """Whether `network.call` has a parameter named training."""
    return "training" in inspect.signature(network.call).parameters


class StepTable(list[dict[str, Any]]):
    """Steps of a plan, one dictionary each; prints as a table."""

    def __repr__(self) -> str:
        if not self:
            return "(no steps)"
        columns = list(self[0])
        rows = [columns] + [[f"{v:.3g}" if isinstance(v, float) else str(v) for v in step.values()] for step in self]
        widths = [max(len(row[i]) for row in rows) for i in range(len(columns))]
        return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows)


WEIGHTS = ("float32", "bfloat16", "int8")
Port = tuple[str, tuple[int | None, ...]]  # name and shape


class Predictor(PlanCaller):
    """A network compiled for inference: traced, fused, its weights packed. Immutable; threads may share it.

    Args:
        network: A Network or Layer. `training=False` is passed where its `call` takes it.
        inputs: `ln.Input(...)` or a list, tuple or dictionary of them. By default what the network's first call took,
            else the first layer's `input_shape`. Inputs and outputs of bfloat16, which NumPy has not, are given and
            returned as float32 arrays.
        weights: How the matrices of dense layers are kept: "float32"; "bfloat16", rounded to 8 significant bits; or
            "int8", q * scale with q from -127 to 127 and a scale for each output, max |w| / 127 of its column. The two
            halve and quarter the memory that a call reads, which is what bounds calls of a few rows; sums are still in
            float32, or for int8 where the CPU has AVX-512 VNNI or AMX exact sums of inputs rounded to 2^-23 of the
            largest in their row. `compare` says what it costs in accuracy.
        threads: Threads of the library's pool that one call may use, at most `get_num_threads()`, which starts as
            LAYERNET_NUM_THREADS or the CPUs the process is allowed, and which `set_num_threads` and threadpoolctl (when
            imported before) change; small calls stay on one. The bits of the result do not depend on it.
        release_gil: Whether calls give up the GIL: "auto" from about 10 us of work on, True or False.

    Attributes:
        input_shapes: Shapes of the inputs in the structure that `predict` takes, None for the batch.
        output_shapes: Shapes of the outputs.

    Raises:
        ValueError: `weights`, `threads` or `release_gil` is none of the above.
        ShapeError: The network was never called and `inputs` is not given.
        GraphError: The network cannot be traced (Python control flow on values, sizes that depend on data).

    Example:
        >>> import numpy as np, layernet as ln
        >>> ln.set_seed(1)
        >>> net = ln.Sequential([ln.layers.Dense(4, activation="relu"), ln.layers.Dense(1)])
        >>> y = net(np.ones((2, 3), "float32"))
        >>> predictor = ln.Predictor(net)
        >>> predictor.predict(np.ones((5, 3), "float32")).shape
        (5, 1)
        >>> small = ln.Predictor(net, weights="bfloat16")
        >>> small.compare(net, np.ones((5, 3), "float32"))["max_relative_error"] < 0.02
        True

    Reference:
        Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference"
        (2018), section 2.1, with zero point 0 and weights only.
    """

    _outputs: Any
    _plan: Any
    _file: _core.PredictorFile
    _handle: Any
    _ports: tuple[list[Port], list[Port]]
    _options: dict[str, Any]
    input_shapes: Any
    output_shapes: Any

    def __new__(
        cls,
        network: Layer,
        inputs: Any = None,
        *,
        weights: str = "float32",
        threads: int = 1,
        release_gil: bool | str = "auto",
    ) -> Predictor:
        if not isinstance(network, Layer):
            raise TypeError(f"Predictor: expected a Network or Layer, got {type(network).__name__}.")
        if weights not in WEIGHTS:
            raise ValueError(f"Predictor: expected weights to be one of {', '.join(WEIGHTS)}, got {weights!r}.")
        template = input_template(network, inputs)
        kwargs = {"training": False} if takes_training(network) else {}
        flat, outputs = _trace_for_numpy(network, template, **kwargs)
        file = _core.PredictorFile.of(
            _core.Graph(flat, nest.flatten(outputs)),
            variables={v: v.name.removesuffix(":0") for v in network.variables},
            inputs=nest.leaf_names(template, "input"),
            outputs=nest.leaf_names(outputs, "output"),
            structure=structure_json.encode_pair(template, outputs),
            weights=weights,
        )
        return cls._compile(file, template, outputs, threads, release_gil)

    def __init__(
        self,
        network: Layer,
        inputs: Any = None,
        *,
        weights: str = "float32",
        threads: int = 1,
        release_gil: bool | str = "auto",
    ) -> None:
        pass

    @classmethod
    def _compile(
        cls, file: _core.PredictorFile, inputs: Any, outputs: Any, threads: int, release_gil: bool | str
    ) -> Predictor:
        """A predictor of what a file holds; `inputs` and `outputs` give the structures."""
        if threads < 1:
            raise ValueError(f"Predictor: expected threads >= 1, got {threads}.")
        if release_gil not in ("auto", True, False):
            raise ValueError(f'Predictor: expected release_gil to be "auto", True or False, got {release_gil!r}.')
        if threads > 1:
            _thread_control.register()
        graph = file.graph()
        plan = _core.Plan(graph, file.weights)
        self = PlanCaller.__new__(cls, plan.capsule(), threads, release_gil)
        self._file = file
        self._plan = plan
        self._handle = None
        self._options = {"threads": threads, "release_gil": release_gil}
        self._outputs = nest.map_structure(lambda _: None, outputs)
        output_names = file.output_names or nest.leaf_names(outputs, "output")
        self._ports = (
            [(name, s.shape) for name, s in zip(file.input_names, graph.inputs, strict=True)],
            [(name, s.shape) for name, s in zip(output_names, graph.outputs, strict=True)],
        )
        self.input_shapes = nest.pack_like(inputs, [s.shape for s in graph.inputs])
        self.output_shapes = nest.pack_like(outputs, [s.shape for s in graph.outputs])
        return self

    @classmethod
    def _from_file(cls, file: _core.PredictorFile, threads: int, release_gil: bool | str) -> Predictor:
        inputs, outputs = structure_json.decode_pair(file.structure, len(file.input_names), file.output_count)
        try:
            return cls._compile(file, inputs, outputs, threads, release_gil)
        except (DTypeError, GraphError, ShapeError) as error:
            raise FormatError(f"predictor file: {error}") from error

    @classmethod
    def _from_bytes(cls, content: bytes, options: dict[str, Any]) -> Predictor:
        return cls._from_file(_core.PredictorFile.parse(content), **options)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self)._from_bytes, (self._file.bytes(), self._options)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network to a safetensors file, from which Python, C++ and C can load it without the network's code.

        The file holds the graph as it was traced, and the weights under their names; loading compiles it anew for the
        CPU at hand. It appears in one step: readers see the old file or the new one.

        Args:
            path: The file.

        Raises:
            OSError: The file cannot be written; what was there stays.

        Example:
            >>> import numpy as np, tempfile, layernet as ln
            >>> predictor = ln.Predictor(ln.layers.Dense(2), ln.Input((3,)))
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     predictor.save(folder + "/dense.safetensors")
            ...     loaded = ln.Predictor.load(folder + "/dense.safetensors")
            >>> x = np.ones((4, 3), "float32")
            >>> bool((loaded.predict(x) == predictor.predict(x)).all())
            True
        """
        self._file.save(os.fsencode(path))

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, threads: int = 1, release_gil: bool | str = "auto") -> Predictor:
        """The predictor that `save` wrote. Nothing in the file is trusted or executed.

        Args:
            path: The file.
            threads: As for a new predictor.
            release_gil: As for a new predictor.

        Raises:
            FormatError: The file is damaged, of another kind or of a newer version.
            OSError: The file cannot be read.
        """
        return cls._from_file(_core.PredictorFile.open(os.fsencode(path)), threads, release_gil)

    @property
    def handle(self) -> Any:
        """A capsule with the C handle (`layernet_predictor*`), for extension modules: see `layernet/python.h`."""
        if self._handle is None:
            self._handle = _core.plan_handle(self._plan, self._file.output_names)
        return self._handle

    def __call__(self, x: Any, out: Any = None) -> Any:
        """The same as `predict`."""
        return self.predict(x, out)

    def predict_structure(self, x: Any, out: Any = None) -> Any:
        """`predict` for several inputs or outputs: structures of arrays in and out."""
        arrays = [as_input(leaf, dtype) for leaf, dtype in zip(nest.flatten(x), self.input_dtypes, strict=False)]
        outs = None if out is None else nest.flatten(out)
        run = self.run_list
        if self._plan.last_axis_only and arrays and arrays[0].ndim > len(self._ports[0][0][1]):
            run = self.predict_more_axes
        return nest.pack_like(self._outputs, run(arrays, outs))

    def predict_more_axes(self, xs: list[Any], outs: list[Any] | None = None) -> list[Any]:
        """`run_list` for arrays with more leading axes than the ports: all of them count as rows."""
        extra = xs[0].ndim - len(self._ports[0][0][1])
        lead = xs[0].shape[: extra + 1]
        rows = math.prod(lead)
        for i, (x, (_, shape)) in enumerate(zip(xs, self._ports[0], strict=True)):
            if x.ndim != len(shape) + extra or x.shape[: extra + 1] != lead:
                raise ShapeError(
                    f"predict: expected every input to have the leading axes {list(lead)} of input 0, "
                    f"got shape {list(x.shape)} (input {i})."
                )
        wanted = [lead + shape[1:] for _, shape in self._ports[1]]
        for out, shape in zip(outs or [], wanted, strict=False):
            if not (isinstance(out, np.ndarray) and out.flags.c_contiguous and out.shape == shape):
                raise ShapeError(
                    f"predict: expected out to be a writable C-contiguous array of shape {list(shape)}, "
                    f"got {type(out).__name__} {getattr(out, 'shape', '')}."
                )
        flat = [x.reshape((rows, *x.shape[extra + 1 :])) for x in xs]
        targets = None if outs is None else [out.reshape((rows, *out.shape[extra + 1 :])) for out in outs]
        results = self.run_list(flat, targets)
        return outs if outs is not None else [y.reshape(shape) for y, shape in zip(results, wanted, strict=True)]

    @property
    def steps(self) -> StepTable:
        """What runs, in order: a list of dictionaries that prints as a table.

        Keys: op, kernel, inputs, outputs, constant_bytes (bytes of weights read), flops and flops_per_row (estimated
        floating-point operations of a call, and of each row of the batch).

        Example:
            >>> import layernet as ln
            >>> predictor = ln.Predictor(ln.layers.Dense(2, activation="relu"), ln.Input((3,)))
            >>> [(s["op"], s["flops_per_row"]) for s in predictor.steps]
            [('dense', 12.0)]
        """
        return StepTable(self._plan.steps)

    def profile(self, x: Any, repeats: int = 10) -> StepTable:
        """The steps with the time each takes for `x`, on one thread.

        Args:
            x: An array or structure as for `predict`.
            repeats: Runs, after one that is not counted; the quickest counts, step by step.

        Returns:
            `steps` with two more keys: microseconds, and share (of the sum, 0 to 1).

        Example:
            >>> import numpy as np, layernet as ln
            >>> predictor = ln.Predictor(ln.layers.Dense(2, activation="relu"), ln.Input((3,)))
            >>> sum(s["share"] for s in predictor.profile(np.ones((4, 3), "float32")))
            1.0
        """
        if repeats < 1:
            raise ValueError(f"profile: expected repeats >= 1, got {repeats}.")
        arrays = [as_input(leaf, dtype) for leaf, dtype in zip(nest.flatten(x), self.input_dtypes, strict=True)]
        self._plan.profile(arrays)
        seconds = [min(column) for column in zip(*(self._plan.profile(arrays) for _ in range(repeats)), strict=True)]
        total = sum(seconds) or 1.0
        steps = self._plan.steps
        for step, t in zip(steps, seconds, strict=True):
            step["microseconds"] = t * 1e6
            step["share"] = t / total
        return StepTable(steps)

    def compare(self, network: Layer, x: Any) -> dict[str, Any]:
        """How far the predictor's outputs for `x` are from those of calling `network`.

        Args:
            network: The network the predictor was made of, or another with outputs of the same structure.
            x: An array or structure as for `predict`.

        Returns:
            A dictionary: max_error and mean_error, |predictor - network| over all elements of all outputs, and
            max_relative_error, the largest error of an output divided by the largest absolute value of that output.

        Raises:
            ShapeError: The outputs differ in number or shape.

        Example:
            >>> import numpy as np, layernet as ln
            >>> net = ln.layers.Dense(2)
            >>> predictor = ln.Predictor(net, ln.Input((3,)))
            >>> predictor.compare(net, np.ones((4, 3), "float32"))["max_error"] < 1e-6
            True
        """
        inputs = _as_first_called(network, nest.map_structure(np.asarray, x))
        kwargs = {"training": False} if takes_training(network) else {}
        want = [np.asarray(y, "float64") for y in nest.flatten(network(inputs, **kwargs))]
        got = [np.asarray(y, "float64") for y in nest.flatten(self.predict(x))]
        if [y.shape for y in want] != [y.shape for y in got]:
            raise ShapeError(
                f"compare: expected outputs of shapes {[list(y.shape) for y in got]}, "
                f"got {[list(y.shape) for y in want]} from {network!r}."
            )
        errors = [np.abs(a - b) for a, b in zip(want, got, strict=True) if a.size]
        scales = [np.abs(a).max() or 1.0 for a in want if a.size]
        total = sum(e.size for e in errors)
        return {
            "max_error": float(max((e.max() for e in errors), default=0.0)),
            "mean_error": float(sum(e.sum() for e in errors) / total) if total else 0.0,
            "max_relative_error": float(max((e.max() / s for e, s in zip(errors, scales, strict=True)), default=0.0)),
        }

    @property
    def weights(self) -> str:
        """How the matrices of dense layers are kept: "float32", "bfloat16" or "int8"."""
        return self._file.weights

    @property
    def input_shape(self) -> Any:
        """The shape of the input, None for the batch; with several inputs, their structure."""
        return self.input_shapes

    @property
    def output_shape(self) -> Any:
        """The shape of the output, None for the batch; with several outputs, their structure."""
        return self.output_shapes

    @property
    def dtype(self) -> str:
        """The dtype of the first input; all of them are in `input_dtypes`."""
        return str(self.input_dtypes[0]) if self.input_dtypes else "float32"

    @property
    def nbytes(self) -> int:
        """Bytes of constants held."""
        return int(self._plan.constant_bytes)

    def __repr__(self) -> str:
        weights = "" if self.weights == "float32" else f" with {self.weights} weights"
        size = f"{len(self.steps)} steps, {self.nbytes} bytes{weights}"
        return f"Predictor({self.input_shapes} -> {self.output_shapes}, {size})"

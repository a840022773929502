"""From a network to a plan: tracing, compiling, calling.

A network is called once on placeholders inside a trace that records nothing on the user's objects; the graph of that
call is compiled into an immutable plan with its own copy of the weights.
"""

from __future__ import annotations

import inspect
import os
from typing import Any

import numpy as np
import numpy.typing as npt

from layernet import _core, nest, structure_json, symbolic
from layernet._predict import PlanCaller
from layernet.errors import DTypeError, FormatError, GraphError, ShapeError
from layernet.layers.base import Layer
from layernet.tensor import Symbol

__all__ = ["Predictor"]


def as_input(x: Any, dtype: str) -> npt.NDArray[Any]:
    """`x` as a native, aligned, C-contiguous array of `dtype`.

    Raises:
        DTypeError: x is complex, or not made of numbers.
    """
    if isinstance(x, Symbol):
        raise GraphError("predict: expected an array, got a symbolic value. Call the network itself on it.")
    array = np.asarray(x)
    if array.dtype.kind not in "biuf" and array.dtype.name != "bfloat16":
        raise DTypeError(
            f"predict: expected numbers, got an array of dtype {array.dtype}. "
            'Convert it, e.g. np.asarray(x, "float32").'
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


def takes_training(network: Layer) -> bool:
    """Whether `network.call` has a parameter named training."""
    return "training" in inspect.signature(network.call).parameters


Port = tuple[str, tuple[int | None, ...]]  # name and shape


class Predictor(PlanCaller):
    """A network compiled for inference: traced, fused, its weights packed. Immutable; threads may share it.

    Args:
        network: A Network or Layer. `training=False` is passed where its `call` takes it.
        inputs: `ln.Input(...)` or a list, tuple or dictionary of them. By default what the network's first call took,
            else the first layer's `input_shape`.
        threads: Threads of the library's pool that one call may use, at most the CPUs the process is allowed; small
            calls stay on one. The bits of the result do not depend on it.
        release_gil: Whether calls give up the GIL: "auto" from about 10 us of work on, True or False.

    Attributes:
        input_shapes: Shapes of the inputs in the structure that `predict` takes, None for the batch.
        output_shapes: Shapes of the outputs.

    Raises:
        ShapeError: The network was never called and `inputs` is not given.
        GraphError: The network cannot be traced (Python control flow on values, sizes that depend on data).

    Example:
        >>> import numpy as np, layernet as ln
        >>> net = ln.Sequential([ln.layers.Dense(4, activation="relu"), ln.layers.Dense(1)])
        >>> y = net(np.ones((2, 3), "float32"))
        >>> predictor = ln.Predictor(net)
        >>> predictor.predict(np.ones((5, 3), "float32")).shape
        (5, 1)
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
        cls, network: Layer, inputs: Any = None, *, threads: int = 1, release_gil: bool | str = "auto"
    ) -> Predictor:
        if not isinstance(network, Layer):
            raise TypeError(f"Predictor: expected a Network or Layer, got {type(network).__name__}.")
        template = input_template(network, inputs)
        kwargs = {"training": False} if takes_training(network) else {}
        flat, outputs, _ = trace(network, template, **kwargs)
        file = _core.PredictorFile.of(
            _core.Graph(flat, nest.flatten(outputs)),
            variables={v: v.name.removesuffix(":0") for v in network.variables},
            inputs=nest.leaf_names(template, "input"),
            outputs=nest.leaf_names(outputs, "output"),
            structure=structure_json.encode_pair(template, outputs),
        )
        return cls._compile(file, template, outputs, threads, release_gil)

    def __init__(
        self, network: Layer, inputs: Any = None, *, threads: int = 1, release_gil: bool | str = "auto"
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
        graph = file.graph()
        plan = _core.Plan(graph)
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
        results = self.run_list(nest.flatten(x), None if out is None else nest.flatten(out))
        return nest.pack_like(self._outputs, results)

    @property
    def steps(self) -> list[dict[str, Any]]:
        """What runs, in order: op, kernel, inputs, outputs, bytes of constants."""
        return list(self._plan.steps)

    @property
    def nbytes(self) -> int:
        """Bytes of constants held."""
        return int(self._plan.constant_bytes)

    def __repr__(self) -> str:
        return f"Predictor({self.input_shapes} -> {self.output_shapes}, {len(self.steps)} steps, {self.nbytes} bytes)"

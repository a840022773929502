"""Model: a network that tracks the layers assigned to it, or that is read off the calls between inputs and outputs."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from layernet import drawing, nest, symbolic
from layernet.errors import FormatError
from layernet.fitting import Trainable
from layernet.functional import CallGraph
from layernet.layers.base import Layer
from layernet.model_config import decode_model, encode_model
from layernet.naming import VariableScope, restore_scope
from layernet.network import unique_variables
from layernet.saving import file_value, stored_variable
from layernet.tensorfile import TensorFile, write_tensors
from layernet.tracking import adopt
from layernet.variable import Variable

__all__ = ["Model"]

_KEY = "layernet.model"
# What networks keep for themselves: lists in these attributes are no lists of layers.
_OWN_ATTRIBUTES = frozenset(vars(Trainable(name="model"))) | {"_call_graph"}


class Model(Trainable):
    """A network in Keras' style: layers become members by assignment, or by the calls from inputs to outputs.

    *By assignment*: a layer assigned to an attribute is tracked as by `track_layer`, and so are the layers in lists,
    tuples and dictionaries, now or later (`self.blocks.append(layer)`). Layers are tracked once, in this order, and
    stay tracked when the attribute changes. Subclasses define `call`.

    *By calls*: `Model(inputs, outputs)` walks back from the outputs of symbolic calls to the inputs. Calling the model
    makes these calls again, on other inputs; masks and `training` are passed on. The layers have been built by then and
    keep their names.

    Args:
        inputs: `ln.Input(...)` (or any symbol), or a list, tuple or dictionary of them.
        outputs: Symbols made from the inputs by layers, in any structure.
        name: As for `Network`. Alone, it may be the first argument.

    Raises:
        TypeError: Inputs without outputs, or something that is not a symbol.
        GraphError: Outputs that do not come from the inputs by calls of layers alone.
        ValueError: A name with "/".

    Example:
        >>> import numpy as np, layernet as ln
        >>> class Mlp(ln.Model):
        ...     def __init__(self, name=None):
        ...         super().__init__(name=name)
        ...         self.hidden = [ln.layers.Dense(8, activation="relu") for _ in range(2)]
        ...         self.out = ln.layers.Dense(1)
        ...     def call(self, inputs):
        ...         for layer in self.hidden:
        ...             inputs = layer(inputs)
        ...         return self.out(inputs)
        >>> mlp = Mlp("mlp")
        >>> mlp.predict(np.ones((5, 3), "float32")).shape
        (5, 1)
        >>> [layer.name for layer in mlp.layers]
        ['dense', 'dense_1', 'dense_2']
        >>> a, b = ln.Input((3,)), ln.Input((2,))
        >>> both = ln.Model([a, b], ln.layers.Dense(1)(ln.layers.Concatenate()([a, b])), name="both")
        >>> both([np.ones((4, 3), "float32"), np.ones((4, 2), "float32")]).shape
        (4, 1)
    """

    def __init__(self, inputs: Any = None, outputs: Any = None, name: str | None = None) -> None:
        if isinstance(inputs, (str, VariableScope)) and outputs is None and name is None:
            inputs, name = None, inputs
        if (inputs is None) != (outputs is None):
            raise TypeError(
                f"{type(self).__name__}: expected inputs and outputs, or neither, got "
                f"{'outputs' if inputs is None else 'inputs'} only."
            )
        super().__init__(name=name)
        self._call_graph: CallGraph | None = None
        if inputs is not None:
            self._init_functional(inputs, outputs)

    def _init_functional(self, inputs: Any, outputs: Any) -> None:
        graph = CallGraph.between(self._who(), inputs, outputs)
        for layer in graph.layers:
            self.track_layer(layer)
        self._call_graph = graph
        # No variable is made in this scope, so that several models may have it, such as copies read from a file.
        self._finalize_name(None)
        self._scope = restore_scope(self._outer_scope.child_name(self.name), is_copy=False)
        self._name = self._scope.name
        self._dtype = graph.specs[0].dtype.name if graph.specs[0].dtype is not None else None
        self._call_signature = nest.pack_like(graph.inputs, list(graph.specs))
        self._inbound_nodes.append(symbolic.Node(self, (inputs, (), {}), outputs))
        self.built = True

    # --- members by assignment ---------------------------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        # A property puts the value where its setter says, which comes by here again.
        is_member = name not in _OWN_ATTRIBUTES and not isinstance(getattr(type(self), name, None), property)
        if is_member and isinstance(value, (Layer, list, tuple, dict)):
            value = adopt(value, self._track_attribute)
        super().__setattr__(name, value)

    def _track_attribute(self, layer: Layer) -> None:
        if layer is not self and not any(layer is member for member in self.__dict__.get("_layers", ())):
            self.track_layer(layer)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for name, value in state.items():
            if isinstance(value, (list, tuple, dict)) and name not in _OWN_ATTRIBUTES:
                self.__dict__[name] = adopt(value, self._track_attribute)

    # --- calling -----------------------------------------------------------------------------------------------------

    def call(self, inputs: Any, training: Any = None) -> Any:
        """The function of the model. Subclasses apply their layers here, with the arguments they like.

        Args:
            inputs: A functional model takes as many tensors as it has inputs.
            training: Passed on, unless it is None, to the layers that take it.

        Returns:
            What a functional model's outputs look like; without any, the inputs.

        Raises:
            InvalidArgumentError: Another number of inputs, or other names.
        """
        if self._call_graph is None:
            return inputs
        return self._call_graph.run(self._who(), inputs, training)

    # --- descriptions ------------------------------------------------------------------------------------------------

    def summary(self, print_fn: Callable[[str], Any] | None = print) -> str:
        """A table of the members: name and class, shape of the output, number of parameters; and totals.

        A variable that several members share counts once in the totals.

        Args:
            print_fn: Gets the text; None leaves it at returning it. Default: it is printed.

        Returns:
            The text.

        Raises:
            ValueError: The model is not built.

        Example:
            >>> import layernet as ln
            >>> x = ln.Input((3,))
            >>> model = ln.Model(x, ln.layers.Dense(2, name="out")(x), name="small")
            >>> text = model.summary()
            Model 'small'
            Layer        Output shape  Parameters
            -------------------------------------
            out (Dense)  (None, 2)              8
            -------------------------------------
            Total 8, trainable 8, non-trainable 0
        """
        text = drawing.summary(self)
        if print_fn is not None:
            print_fn(text)
        return text

    def to_json(self, indent: int | None = None) -> str:
        """The classes, configurations and connections of all layers, without weights.

        Args:
            indent: Spaces by level; None (default) puts all into one line.

        Raises:
            ValueError: A layer of a class that is not registered, or with a configuration that does not make it again.
            NotImplementedError: A `Lambda`.

        Example: see `register_serializable`.
        """
        return json.dumps(encode_model(self), indent=indent)

    @classmethod
    def from_json(cls, text: str) -> Model:
        """A new model from what `to_json` wrote, with initial weights of its own; layers keep their names.

        Args:
            text: The description. It is not trusted: classes are looked up among the library's and the registered ones.

        Raises:
            FormatError: Not such a description, or a class that is not registered.
        """
        return decode_model(_parsed(text, "from_json"), "from_json")

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the whole model, description and weights, to one safetensors file.

        The file appears in one step: readers see the old file or the new one. Optimizers are not part of it, see
        `Saver`. Partitioned variables are put together, and stay so in the loaded model.

        Args:
            path: The file.

        Raises:
            ValueError: The model is not built, a layer cannot be described (see `to_json`), or two variables have one
                name.
            NotImplementedError: A `Lambda`.
            OSError: The file cannot be written; what was there stays.

        Example:
            >>> import numpy as np, tempfile, layernet as ln
            >>> x = ln.Input((3,))
            >>> model = ln.Model(x, ln.layers.Dense(2)(x))
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     model.save(folder + "/model.safetensors")
            ...     loaded = ln.Model.load(folder + "/model.safetensors")
            >>> rows = np.ones((4, 3), "float32")
            >>> bool((loaded.predict(rows) == model.predict(rows)).all())
            True
        """
        if not self.built:
            raise ValueError(f"{self._who()}: has no weights to save before it is built. Call it once.")
        named = _named_variables(self)
        description = {**encode_model(self), "variables": list(named)}
        write_tensors(path, {name: _stored(parts) for name, parts in named.items()}, {_KEY: json.dumps(description)})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Model:
        """The model that `save` wrote: a copy with the same names and weights. Nothing in the file is executed.

        Args:
            path: The file.

        Returns:
            The model. It is of the class that was saved, which must be registered if it is one of yours.

        Raises:
            FormatError: The file is damaged or of another kind, names a class that is not registered, or does not fit
                that class.
            OSError: The file cannot be read.
        """
        with TensorFile(path) as file:
            if _KEY not in file.metadata:
                raise FormatError(
                    f"{file.path}: expected a file that Model.save wrote, got one without {_KEY!r} in its metadata. "
                    "Predictor.load and restore_network_checkpoint read the other kinds."
                )
            description = _parsed(file.metadata[_KEY], file.path)
            names = description.pop("variables", None) if isinstance(description, dict) else None
            if not isinstance(names, list) or sorted(map(repr, names)) != sorted(map(repr, file.entries)):
                raise FormatError(f"{file.path}: expected a list 'variables' with the names of all tensors.")
            model = decode_model(description, file.path, sum(e.end - e.begin for e in file.entries.values()))
            _set_variables(model, file, names)
        return model


def _named_variables(model: Model) -> dict[str, list[Variable]]:
    """The variables by name, in order: each alone, or the pieces of a partitioned one."""
    named: dict[str, list[Variable]] = {}
    for variable in unique_variables(model):
        piece = variable.piece_of
        parts = named.setdefault(variable.full_name if piece is None else piece.full_name, [])
        if parts and (piece is None or parts[-1].piece_of is None or parts[-1].piece_of.end != piece.begin):
            raise ValueError(
                f"{model._who()}: expected variables of different names to save, got two called "
                f"'{variable.full_name}'. Name the layers."
            )
        parts.append(variable)
    return named


def _stored(parts: list[Variable]) -> tuple[str, Any]:
    stored = [stored_variable(part) for part in parts]
    piece = parts[0].piece_of
    return stored[0][0], stored[0][1] if piece is None else np.concatenate([array for _, array in stored], piece.axis)


def _parsed(text: str, who: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError, TypeError) as error:
        raise FormatError(f"{who}: expected the description of a model in JSON, got an error: {error}") from None


def _set_variables(model: Model, file: TensorFile, names: list[str]) -> None:
    """Give the variables their stored values and names, in order, after all have been compared."""
    variables = unique_variables(model)
    if len(variables) != len(names):
        raise FormatError(
            f"{file.path}: expected {len(variables)} variables for this model, got {len(names)}. The class may have "
            "changed since."
        )
    for variable, name in zip(variables, names, strict=True):
        entry = file.entries[name]
        if entry.shape != variable.shape:
            raise FormatError(
                f"{file.path}: expected shape {list(variable.shape)} for '{name}', got {list(entry.shape)}. The class "
                "may have changed since."
            )
        if entry.dtype != variable.dtype.name:
            raise FormatError(f"{file.path}: expected dtype {variable.dtype.name} for '{name}', got {entry.dtype}.")
    values = [file_value(file, name) for name in names]
    for variable, name, value in zip(variables, names, values, strict=True):
        variable.assign(value)
        variable._full_name = name

"""A model as JSON: the classes and configurations of its layers, and how they are connected.

The form is a list of layers, each after those that it is made of, the model last. A functional model has its calls, a
Sequential its members; what another network consists of is up to its constructor. Classes are given by name. A name is
looked up among the library's layers and what was registered, never imported. Whatever a file says is checked here or
by the constructors of the layers, and comes out as FormatError when it does not hold.

Layers made from JSON are copies: they keep the names and scopes of the originals.
"""

from __future__ import annotations

import inspect
import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from layernet import activations, config, layers, naming, nest, structure_json
from layernet.compiling import takes_training, trace
from layernet.errors import FormatError
from layernet.functional import CallGraph, Slot
from layernet.layers.base import Layer
from layernet.layers.input_spec import InputSpec
from layernet.network import Network
from layernet.sequential import Sequential
from layernet.symbolic import Input
from layernet.tensor import DType, as_dtype
from layernet.variable import creation_check

if TYPE_CHECKING:
    from layernet.model import Model

__all__ = ["decode_model", "encode_model"]

VERSION = 1
# Structures nest only as deep as somebody wrote them; this is far beyond.
_DEEPEST = 32
# Variables that a saved model makes may take the size of its tensors and this much (variables outside of the list of
# weights, such as a counter); without a file, this bound alone keeps a foreign description from taking all memory.
_SPARE_BYTES = 1 << 26
_NO_FILE_BYTES = 1 << 34

_OWN = {name: getattr(layers, name) for name in layers.__all__ if name not in ("InputSpec", "Layer")}


# --- writing ---------------------------------------------------------------------------------------------------------


def encode_model(model: Model) -> dict[str, Any]:
    """The description of a model, made of JSON's types.

    Raises:
        ValueError: A layer whose class is not registered, or whose configuration cannot be written or read back.
    """
    writer = _Writer()
    writer.index_of(model)
    return {"version": VERSION, "layers": writer.entries}


class _Writer:
    """Collects the entries of layers, each layer once."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []
        self._indices: dict[int, int] = {}

    def index_of(self, layer: Layer) -> int:
        known = self._indices.get(id(layer))
        if known is None:
            entry = self._entry(layer)
            known = self._indices[id(layer)] = len(self.entries)
            self.entries.append(entry)
        return known

    def _entry(self, layer: Layer) -> dict[str, Any]:
        entry: dict[str, Any] = {"class": _class_name(layer), "config": _plain(layer.get_config(), _describe(layer))}
        if layer.scope is not None:
            entry["scope"] = layer.scope_name
        if isinstance(layer, Network):
            self._add_network(entry, layer)
        else:
            _check_readable(layer, entry)
        return entry

    def _add_network(self, entry: dict[str, Any], network: Network) -> None:
        graph = getattr(network, "_call_graph", None)
        if type(network) is Sequential:
            entry["members"] = [self._member(network, member) for _, member in network._members]
        elif _is_plain_model(network) and graph is not None:
            entry["graph"] = self._graph(graph, network)
        else:
            entry["parts"] = [[layer._name, layer.trainable] for layer in _parts(network)]
        if network._call_signature is not None and "graph" not in entry:
            entry["signature"] = _signature(network._call_signature)

    def _member(self, network: Sequential, member: Any) -> dict[str, Any]:
        if isinstance(member, Layer):
            if any(other is not member and other._name == member._name for other in network.layers):
                raise ValueError(
                    f"{_describe(network)}: expected members of different names to save, got two called "
                    f"'{member.name}'. Name them."
                )
            return {"layer": self.index_of(member)}
        return {"function": _plain(activations.serialize(member), _describe(network))}

    def _graph(self, graph: CallGraph, model: Network) -> dict[str, Any]:
        calls = []
        for call in graph.calls:
            who = _describe(call.layer)
            one = {"layer": self.index_of(call.layer), "inputs": _slots(call.inputs, who)}
            if call.args:
                one["args"] = _slots(list(call.args), who)
            if call.kwargs:
                one["kwargs"] = _slots(call.kwargs, who)
            calls.append({**one, "outputs": _slots(call.outputs, who)})
        return {
            "specs": [_spec(spec) for spec in graph.specs],
            "inputs": _slots(graph.inputs, _describe(model)),
            "calls": calls,
            "outputs": _slots(graph.outputs, _describe(model)),
        }


def _class_name(layer: Layer) -> str:
    cls = type(layer)
    if cls is Sequential or _is_plain_model(layer) or _OWN.get(cls.__name__) is cls:
        return cls.__name__
    name = config.registered_name(cls)
    if name is None:
        raise ValueError(
            f"{_describe(layer)}: expected a class of the library or a registered one to save, got {cls.__name__}. "
            "Decorate the class with @ln.register_serializable."
        )
    return name


def _is_plain_model(layer: Layer) -> bool:
    from layernet.model import Model

    return type(layer) is Model


def _describe(layer: Layer) -> str:
    return layer._who()


def _plain(value: Any, who: str) -> Any:
    """A configuration's value in JSON's types."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, DType):
        return value.name
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: _plain(item, who) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, who) for item in value]
    name = config.registered_name(value)
    if name is None:
        raise ValueError(
            f"{who}: expected a configuration of numbers, strings, lists and dictionaries to save, got {value!r} in "
            "it. Register functions and classes with @ln.register_serializable."
        )
    return name


def _check_readable(layer: Layer, entry: dict[str, Any]) -> None:
    """Find out now, not when the file is read, that a configuration does not make the layer again."""
    try:
        type(layer).from_config(json.loads(json.dumps(entry["config"])))
    except Exception as error:
        raise ValueError(
            f"{_describe(layer)}: expected get_config() to give what the constructor of {type(layer).__name__} takes, "
            f"but making the layer again failed: {error}"
        ) from error


def _slots(structure: Any, who: str) -> Any:
    """Arguments or results of a call: slots, scalars and strings in lists, tuples and dictionaries."""
    if type(structure) is Slot:
        return {"slot": int(structure)}
    if structure is None or type(structure) in (bool, int, float, str):
        return structure
    if isinstance(structure, dict) and all(isinstance(key, str) for key in structure):
        return {"dict": [[key, _slots(value, who)] for key, value in structure.items()]}
    if type(structure) in (list, tuple):
        return {type(structure).__name__: [_slots(value, who) for value in structure]}
    if isinstance(structure, list):
        return {"list": [_slots(value, who) for value in structure]}
    raise ValueError(
        f"{who}: expected calls on symbols, numbers and strings to save, got {type(structure).__name__} as an argument."
    )


def _spec(spec: Any) -> dict[str, Any]:
    return {"dtype": as_dtype(spec.dtype).name, "shape": [None if size is None else int(size) for size in spec.shape]}


def _signature(signature: Any) -> dict[str, Any] | None:
    """What a network's first inputs looked like; None when there was more among them than arrays."""
    leaves = nest.flatten(signature)
    if not all(isinstance(leaf, InputSpec) for leaf in leaves):
        return None
    return {"structure": structure_json.encode(signature), "specs": [_spec(leaf) for leaf in leaves]}


def _parts(network: Network) -> Iterator[Layer]:
    """The layers of a network and of those within it."""
    for layer in network.layers:
        yield layer
        if isinstance(layer, Network):
            yield from _parts(layer)


# --- reading ---------------------------------------------------------------------------------------------------------


def decode_model(description: Any, who: str, variable_bytes: int | None = None) -> Model:
    """The model that `encode_model` described, built if the original was, with initial weights of its own.

    Args:
        description: JSON's types.
        who: The source, for messages.
        variable_bytes: What the variables are expected to take, as a limit. None: 16 GB.

    Raises:
        FormatError: Not such a description, an unknown class, or a layer that cannot be made as described.
    """
    from layernet.model import Model

    left = _NO_FILE_BYTES if variable_bytes is None else variable_bytes + _SPARE_BYTES

    def check(name: str, shape: tuple[int, ...], dtype: DType) -> None:
        nonlocal left
        left -= math.prod(shape) * dtype.itemsize
        if left < 0:
            raise FormatError(
                f"{who}: expected variables that fit the stored ones, got '{name}' of shape {list(shape)}, which "
                "exceeds them."
            )

    with creation_check(check):
        model = _Reader(who).model(description)
    if not isinstance(model, Model):
        raise FormatError(f"{who}: expected a Model as the last layer, got {type(model).__name__}.")
    return model


class _Reader:
    """Makes the layers of a description one after the other."""

    def __init__(self, who: str) -> None:
        self._who = who
        self._layers: list[Layer] = []

    def model(self, description: Any) -> Layer:
        fields = self._fields(description, "the description of a model", ("version", "layers"))
        if fields["version"] != VERSION:
            raise self._broken(f"version {VERSION} of the format", fields["version"])
        entries = self._list(fields["layers"], "layers")
        if not entries:
            raise self._broken("at least one layer", entries)
        for number, entry in enumerate(entries):
            with self._blaming(number, entry):
                self._layers.append(self._layer(entry))
        return self._layers[-1]

    @contextmanager
    def _blaming(self, number: int, entry: Any) -> Iterator[None]:
        """Errors of constructors and of calls as FormatError that names the layer."""
        try:
            yield
        except FormatError:
            raise
        except Exception as error:
            named = entry.get("class") if isinstance(entry, dict) else None
            raise FormatError(
                f"{self._who}: expected layer {number} ({named!r}) to be made as described, but: {error}"
            ) from error

    def _layer(self, entry: Any) -> Layer:
        optional = ("scope", "members", "graph", "parts", "signature")
        fields = self._fields(entry, "a layer", ("class", "config"), optional)
        cls = self._class(fields["class"])
        arguments = fields["config"]
        if not isinstance(arguments, dict) or not isinstance(arguments.get("name"), str):
            raise self._broken("a configuration with a name", arguments)
        full_name = arguments["name"]
        if issubclass(cls, Network):  # constructed in a variable scope, it has a name that its constructor would refuse
            arguments = {**arguments, "name": full_name.rpartition("/")[2]}
        scope = fields.get("scope")
        if scope is not None and (not isinstance(scope, str) or not scope):
            raise self._broken("a scope that is a name", scope)
        if "graph" in fields:
            layer = self._functional(cls, arguments, fields["graph"])
        elif "members" in fields:
            layer = self._sequential(cls, arguments, fields["members"])
        else:
            layer = cls.from_config(arguments)
        if not isinstance(layer, Layer) or (layer.scope is not None and "graph" not in fields):
            raise self._broken("a class whose from_config gives a new layer", fields["class"])
        if scope is not None:
            layer._scope = naming.restore_scope(scope, is_copy=True)
            if isinstance(layer, Network):
                layer._name = full_name
                layer._first_parent = False
        if isinstance(layer, Network) and "graph" not in fields:
            self._build(layer, fields)
        return layer

    def _class(self, name: Any) -> type[Layer]:
        from layernet.model import Model

        if not isinstance(name, str):
            raise self._broken("the name of a class", name)
        known = {**_OWN, "Sequential": Sequential, "Model": Model}
        cls = known.get(name) or config.registered(name)
        if cls is None:
            raise FormatError(
                f"{self._who}: expected known classes, got {name[:80]!r}. If it is one of yours, import its module "
                "first and decorate the class with @ln.register_serializable."
            )
        if not (inspect.isclass(cls) and issubclass(cls, Layer)):
            raise self._broken("the name of a layer's class", name)
        return cls

    def _sequential(self, cls: type[Layer], arguments: dict[str, Any], members: Any) -> Layer:
        if cls is not Sequential:
            raise self._broken("members of a Sequential only", cls.__name__)
        network = Sequential(name=arguments["name"])
        for member in self._list(members, "members"):
            if isinstance(member, dict) and member.keys() == {"layer"}:
                network.add(self._reference(member["layer"]))
            elif isinstance(member, dict) and member.keys() == {"function"}:
                network.add(activations.get(member["function"]))
            else:
                raise self._broken("a member of a Sequential", member)
        return network

    def _functional(self, cls: type[Layer], arguments: dict[str, Any], graph: Any) -> Layer:
        """Make the calls on new placeholders: this builds the layers as it did the first time."""
        from layernet.model import Model

        if cls is not Model:
            raise self._broken("calls of a Model only", cls.__name__)
        fields = self._fields(graph, "the calls of a model", ("specs", "inputs", "calls", "outputs"))
        values: list[Any] = [self._placeholder(spec) for spec in self._list(fields["specs"], "specs")]
        inputs = self._filled(fields["inputs"], values)
        for call in self._list(fields["calls"], "calls"):
            one = self._fields(call, "a call", ("layer", "inputs", "outputs"), ("args", "kwargs"))
            args = self._filled(one.get("args", {"list": []}), values)
            kwargs = self._filled(one.get("kwargs", {"dict": []}), values)
            if not isinstance(args, list) or not isinstance(kwargs, dict):
                raise self._broken("a list of arguments and a dictionary of keywords", one)
            result = self._reference(one["layer"])(self._filled(one["inputs"], values), *args, **kwargs)
            self._place(one["outputs"], result, values)
        return Model(inputs, self._filled(fields["outputs"], values), name=arguments["name"])

    def _place(self, form: Any, result: Any, values: list[Any]) -> None:
        """Give the results of a call their places, which are the next ones (or are taken, by the same values)."""
        places, leaves = nest.flatten(self._filled(form, None)), nest.flatten(result)
        if len(places) != len(leaves):
            raise self._broken(f"{len(leaves)} results of a call", form)
        for place, leaf in zip(places, leaves, strict=True):
            if type(place) is not Slot or place > len(values):
                raise self._broken("results in the order of their places", form)
            if place == len(values):
                values.append(leaf)

    def _build(self, network: Network, fields: dict[str, Any]) -> None:
        """Build a network by a call that leaves no nodes; give its parts the names they had, and freeze the frozen."""
        signature = fields.get("signature")
        if signature is not None:
            form = self._fields(signature, "a signature", ("structure", "specs"))
            structure = structure_json.decode(form["structure"])
            placeholders = [self._placeholder(spec) for spec in self._list(form["specs"], "specs")]
            if len(nest.flatten(structure)) != len(placeholders):
                raise self._broken("a signature of as many inputs as it has places", signature)
            inputs = nest.pack_like(structure, placeholders)
            specs = [InputSpec(symbol.dtype, symbol.shape) for symbol in placeholders]
            trace(network, inputs, **({"training": False} if takes_training(network) else {}))
            network._call_signature = nest.pack_like(structure, specs)
        described = fields.get("parts")
        if described is not None:
            parts = list(_parts(network))
            if len(self._list(described, "parts")) != len(parts):
                raise self._broken(f"{len(described)} layers in {network!r}", f"{len(parts)}; its class has changed")
            for layer, part in zip(parts, described, strict=True):
                match part:
                    case [None | str() as name, bool() as trainable]:
                        layer._name, layer.trainable = name, trainable
                    case _:
                        raise self._broken("a name and whether the layer is trainable", part)

    def _placeholder(self, spec: Any) -> Any:
        fields = self._fields(spec, "an input", ("dtype", "shape"))
        shape = self._list(fields["shape"], "shape")
        if not all(size is None or (type(size) is int and 0 <= size < 2**31) for size in shape) or not shape:
            raise self._broken("a shape with a batch axis", shape)
        if not isinstance(fields["dtype"], str):
            raise self._broken("the name of a dtype", fields["dtype"])
        return Input(shape[1:], fields["dtype"], batch_size=shape[0])

    def _reference(self, index: Any) -> Layer:
        if type(index) is not int or not 0 <= index < len(self._layers):
            raise self._broken("the number of an earlier layer", index)
        return self._layers[index]

    def _filled(self, form: Any, values: list[Any] | None, depth: int = 0) -> Any:
        """A structure with values (or, without them, slots) at the places of its slots."""
        if form is None or type(form) in (bool, int, float, str):
            return form
        if depth == _DEEPEST or not isinstance(form, dict) or len(form) != 1:
            raise self._broken("arguments or results of a call", form)
        kind, content = next(iter(form.items()))
        if kind == "slot" and type(content) is int and content >= 0:
            if values is None:
                return Slot(content)
            if content < len(values):
                return values[content]
        elif kind in ("list", "tuple") and isinstance(content, list):
            items = [self._filled(item, values, depth + 1) for item in content]
            return items if kind == "list" else tuple(items)
        elif kind == "dict" and isinstance(content, list):
            pairs = [item for item in content if isinstance(item, list) and len(item) == 2 and type(item[0]) is str]
            if len(pairs) == len(content):
                return {key: self._filled(item, values, depth + 1) for key, item in pairs}
        raise self._broken("arguments or results of a call", form)

    def _fields(
        self, value: Any, what: str, required: tuple[str, ...], optional: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        if not isinstance(value, dict) or not set(required) <= value.keys() <= {*required, *optional}:
            raise self._broken(f"{what} with {', '.join(required)}", value)
        return value

    def _list(self, value: Any, what: str) -> list[Any]:
        if not isinstance(value, list):
            raise self._broken(f"a list of {what}", value)
        return value

    def _broken(self, expected: str, got: Any) -> FormatError:
        text = got if isinstance(got, str) else repr(got)
        return FormatError(f"{self._who}: expected {expected}, got {text if len(text) <= 80 else text[:77] + '...'}.")

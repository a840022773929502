"""The calls between some inputs and some outputs, found by walking back from the outputs, to be made again on others.

What is kept are the layers, what each is called on (places in a row of values) and what the inputs look like; the
symbols from which it was read are not, so that a graph of calls can be copied and written into a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from layernet import nest, symbolic
from layernet.errors import GraphError, InvalidArgumentError
from layernet.layers.base import Layer, parameters_of
from layernet.layers.input_spec import InputSpec
from layernet.tensor import Symbol

__all__ = ["CallGraph", "LayerCall", "Slot", "check_kind"]


class Slot(int):
    """The place of a value in the row of all values: first the inputs, then what the calls return, in order."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"%{int(self)}"


class LayerCall(NamedTuple):
    """One call of a layer.

    Attributes:
        layer: The layer.
        inputs: Its inputs, slots in place of symbols.
        args: Further positional arguments, likewise.
        kwargs: Keyword arguments, likewise.
        outputs: What it returns: slots.
        masked: Whether its inputs or outputs have masks.
    """

    layer: Layer
    inputs: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    outputs: Any
    masked: bool

    def slots(self) -> list[Slot]:
        """The values it uses, its inputs first."""
        found = [_slots_in(part) for part in (self.inputs, self.args, self.kwargs)]
        return [slot for part in found for slot in part]


class CallGraph:
    """Calls of layers, in an order in which they can be made.

    Attributes:
        inputs: The structure of the inputs: slots.
        specs: What each input looks like.
        calls: The calls.
        outputs: The structure of the outputs: slots.
    """

    def __init__(self, inputs: Any, specs: list[InputSpec], calls: list[LayerCall], outputs: Any) -> None:
        self.inputs = inputs
        self.specs = specs
        self.calls = calls
        self.outputs = outputs

    @classmethod
    def between(cls, who: str, inputs: Any, outputs: Any) -> CallGraph:
        """Read off the calls by which symbols were made.

        Args:
            who: The model, for messages.
            inputs: A symbol or a structure of symbols.
            outputs: Likewise.

        Raises:
            TypeError: Something that is not a symbol.
            GraphError: An output that does not come from the inputs by calls of layers alone.
        """
        for role, structure in (("inputs", inputs), ("outputs", outputs)):
            leaves = nest.flatten(structure)
            wrong = [leaf for leaf in leaves if not isinstance(leaf, Symbol)]
            if wrong or not leaves:
                raise TypeError(
                    f"{who}: expected symbols as {role}, got {type(wrong[0]).__name__ if wrong else 'none'}. "
                    "Start from ln.Input(shape) and call layers on it."
                )
        starts = nest.flatten(inputs)
        slots: dict[int, Slot] = {id(symbol): Slot(i) for i, symbol in enumerate(starts)}
        if len(slots) != len(starts):
            raise GraphError(f"{who}: expected distinct inputs, got one of them twice.")
        nodes = _nodes_before(who, nest.flatten(outputs), slots)
        for node in nodes:
            for symbol in node.outputs:
                # A symbol that an input stands for, or a call within an outer one has returned, keeps its place.
                slots.setdefault(id(symbol), Slot(len(slots)))

        def placed(structure: Any) -> Any:
            return nest.map_structure(
                lambda leaf: slots.get(id(leaf), leaf) if isinstance(leaf, Symbol) else leaf, structure
            )

        specs = [InputSpec(symbol.dtype, symbol.shape) for symbol in starts]
        calls = []
        for node in nodes:
            where, args, kwargs = map(placed, node.arguments)
            calls.append(LayerCall(node.layer, where, args, kwargs, placed(node.result), _has_masks(node)))
        return cls(placed(inputs), specs, calls, placed(outputs))

    @property
    def layers(self) -> list[Layer]:
        """The layers called, each once, in the order of their first calls."""
        return list({id(call.layer): call.layer for call in self.calls}.values())

    def run(self, who: str, inputs: Any, training: Any = None) -> Any:
        """Make the calls on other inputs.

        Args:
            who: The model, for messages.
            inputs: Values in the structure of the graph's inputs, or as many in another one.
            training: Passed to the layers that take it and were called without, unless it is None.
        """
        values: dict[int, Any] = dict(zip(nest.flatten(self.inputs), self._leaves(who, inputs), strict=True))
        masks: dict[int, Any] = {}
        # In symbolic calls the layers themselves pass masks on.
        eager = symbolic.current() is None
        for layer, where, args, kwargs, outputs, masked in self.calls:
            if type(where) is Slot and not args and not kwargs and not masked and training is None:
                result = layer(values[where])
            else:
                given, args, options = (_filled(part, values) for part in (where, args, kwargs))
                if training is not None and not args and "training" not in options and _takes(layer, "training"):
                    options["training"] = training
                mask = _mask_of(where, masks) if masked and eager else None
                if mask is not None and "mask" not in options and _takes(layer, "mask"):
                    options["mask"] = mask
                result = layer(given, *args, **options)
                if masked and eager:
                    _note_masks(outputs, layer.compute_mask(given, mask), masks)
            for slot, value in zip(nest.flatten(outputs), nest.flatten(result), strict=True):
                values.setdefault(slot, value)  # what is given as an input stays
        return _filled(self.outputs, values)

    def _leaves(self, who: str, inputs: Any) -> list[Any]:
        wanted = len(self.specs)
        check_kind(who, self.inputs, inputs)
        if isinstance(self.inputs, dict) and isinstance(inputs, dict) and self.inputs.keys() != inputs.keys():
            raise InvalidArgumentError(
                f"{who}: expected inputs called {', '.join(map(repr, self.inputs))}, "
                f"got {', '.join(map(repr, sorted(inputs)))}."
            )
        leaves = nest.flatten(inputs)
        if len(leaves) != wanted:
            raise InvalidArgumentError(f"{who}: expected {wanted} inputs, got {len(leaves)}.")
        return leaves


def check_kind(who: str, wanted: Any, inputs: Any) -> None:
    """Several inputs with names are not taken for several in order, nor the other way round.

    Raises:
        InvalidArgumentError: One is a dictionary and the other is not.
    """
    if len(nest.flatten(wanted)) > 1 and nest.is_structure(inputs):
        named = isinstance(wanted, Mapping)
        if isinstance(inputs, Mapping) != named:
            names = ", ".join(map(repr, wanted)) if named else f"{len(nest.flatten(wanted))} inputs in order"
            raise InvalidArgumentError(
                f"{who}: expected a {'dictionary' if named else 'list'} of {names}, got a "
                f"{'list' if named else 'dictionary'}. Give the inputs in the structure that the model was made with."
            )


def _nodes_before(who: str, outputs: list[Symbol], slots: dict[int, Slot]) -> list[symbolic.Node]:
    """The nodes that lead to `outputs`, in the order of their making; those before the symbols in `slots` are left."""
    found: dict[int, symbolic.Node] = {}
    waiting = list(outputs)
    while waiting:
        symbol = waiting.pop()
        if id(symbol) in slots:
            continue
        node = symbolic.node_of(symbol)
        if node is None:
            shape = list(symbol.shape)
            if symbol.op == "input":
                raise GraphError(
                    f"{who}: expected every input to be listed, got an output that needs another ln.Input of shape "
                    f"{shape}. Add it to the inputs."
                )
            raise GraphError(
                f"{who}: expected outputs made by layers only, got a symbol of shape {shape} made by the op "
                f"'{symbol.op}' outside of layers. Do that in a layer, such as ln.layers.Add or one of your own."
            )
        if node.number not in found:
            found[node.number] = node
            waiting.extend(symbol for part in node.arguments for symbol in symbolic.symbols_in(part))
    return [found[number] for number in sorted(found)]


def _has_masks(node: symbolic.Node) -> bool:
    return any(symbolic.get_mask(symbol) is not None for symbol in node.inputs + node.outputs)


def _slots_in(structure: Any) -> list[Slot]:
    return [leaf for leaf in nest.flatten(structure) if type(leaf) is Slot]


def _filled(structure: Any, values: dict[int, Any]) -> Any:
    return nest.map_structure(lambda leaf: values[leaf] if type(leaf) is Slot else leaf, structure)


def _takes(layer: Layer, name: str) -> bool:
    return name in parameters_of(layer.call)


def _mask_of(where: Any, masks: dict[int, Any]) -> Any:
    """The masks of a call's inputs, in the form `symbolic.previous_mask` has for symbols."""
    if not nest.is_structure(where):
        return masks.get(where)
    found = [masks.get(slot) for slot in nest.flatten(where)]
    return None if all(mask is None for mask in found) else found


def _note_masks(outputs: Any, mask: Any, masks: dict[int, Any]) -> None:
    """Keep the masks of a call's outputs, as `symbolic.set_masks` does for symbols."""
    if isinstance(outputs, (list, tuple)):
        each = mask if isinstance(mask, (list, tuple)) else [mask] * len(outputs)
        masks.update((slot, own) for slot, own in zip(outputs, each, strict=False) if type(slot) is Slot)
    elif type(outputs) is Slot:
        masks[outputs] = mask

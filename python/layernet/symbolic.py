"""Symbolic calls: placeholders, the nodes that layers record, and the traces around both.

A layer called on an `Input` runs its `call` on symbols inside a trace, where variables are read as references. The
trace gives the nodes asked for by `layer.input` and friends, and the graph that a plan is compiled from.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from layernet import _core, nest
from layernet.tensor import INTEGER, DTypeLike, Symbol, as_dtype, core_ops

if TYPE_CHECKING:
    from layernet.layers.base import Layer

__all__ = ["Input", "Node", "Symbol", "Tracing", "eagerly"]


def Input(
    shape: Sequence[int | None] | int | None = None,
    dtype: DTypeLike = "float32",
    batch_size: int | None = None,
    name: str | None = None,
) -> Symbol:
    """A placeholder for an input: layers called on it record nodes instead of computing.

    Args:
        shape: Shape of one row, without the batch axis; None stands for an unknown size. `()` is the default.
        dtype: Element type, default float32.
        batch_size: Number of rows; None (default) leaves it open.
        name: Shown in printed graphs.

    Returns:
        A symbol of shape `(batch_size, *shape)`.

    Example:
        >>> import layernet as ln
        >>> y = ln.layers.Dense(2)(ln.Input(shape=(3,)))
        >>> y.shape
        (None, 2)
    """
    row = () if shape is None else (shape,) if isinstance(shape, INTEGER) else tuple(shape)
    placeholder: Symbol = _core.placeholder((batch_size, *row), as_dtype(dtype), name or "")
    return placeholder


class Node:
    """One symbolic call of a layer.

    Symbols hold the node that made them, and nodes their layer, so that `Model(inputs, outputs)` can walk back through
    layers that nothing else holds. Layers hold their nodes: this cycle is for the collector.

    Attributes:
        layer: The layer that was called.
        arguments: What it was called with: inputs, further positional and keyword arguments.
        inputs: The symbols among the inputs, in order.
        result: What it returned.
        outputs: The symbols in it, in order.
        number: Nodes that were made later have higher numbers.
    """

    __slots__ = ("__weakref__", "arguments", "inputs", "layer", "number", "outputs", "result")

    def __init__(self, layer: Layer, arguments: tuple[Any, tuple[Any, ...], dict[str, Any]], result: Any) -> None:
        self.layer = layer
        self.arguments = arguments
        self.inputs = symbols_in(arguments[0])
        self.result = result
        self.outputs = symbols_in(result)
        self.number = next(_numbers)

    def __repr__(self) -> str:
        shapes = [[s.shape for s in symbols] for symbols in (self.inputs, self.outputs)]
        return f"Node({self.layer!r}, {shapes[0]} -> {shapes[1]})"


_numbers = itertools.count()


class _Active(threading.local):
    def __init__(self) -> None:
        self.tracing: Tracing | None = None


_active = _Active()


class Tracing:
    """Context manager in which variables are read as references and effects are recorded.

    Args:
        record: Whether layers keep nodes, losses and updates of the calls made inside (default). Without, layers stay
            as they are and this object has the losses and updates: that is how plans are traced.

    Attributes:
        updates: With `record=False`: what `add_update` was given.
        calls: A list to which each call adds its depth and its node when it ends, or None (default).
    """

    def __init__(self, record: bool = True) -> None:
        self.record = record
        self.updates: list[Any] = []
        self.calls: list[tuple[int, Node]] | None = None
        self._losses: list[tuple[Layer, Any]] = []
        self._trace = _core.Trace()
        self._outer: Tracing | None = None

    def __enter__(self) -> Tracing:
        self._outer, _active.tracing = _active.tracing, self
        self._trace.__enter__()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._trace.__exit__(*exception)
        _active.tracing = self._outer

    @property
    def effects(self) -> list[Any]:
        """The effects (assignments, updates, draws) so far, in order."""
        return list(self._trace.effects)

    @property
    def losses(self) -> list[Any]:
        """With `record=False`: the losses that calls made, in order."""
        return [loss for _, loss in self._losses]

    def add_loss(self, layer: Layer, loss: Any) -> None:
        """Keep a loss that a call of `layer` made."""
        self._losses.append((layer, loss))

    def losses_of(self, layer: Layer) -> list[Any]:
        """The losses kept for one layer."""
        return [loss for owner, loss in self._losses if owner is layer]


def current() -> Tracing | None:
    """The innermost trace of this thread."""
    return _active.tracing


class eagerly:
    """Context manager that suspends tracing: ops on tensors and variables compute."""

    __slots__ = ("_pause",)

    def __enter__(self) -> None:
        self._pause = _core.NoTrace() if _core.is_tracing() else None
        if self._pause is not None:
            self._pause.__enter__()

    def __exit__(self, *exception: Any) -> None:
        if self._pause is not None:
            self._pause.__exit__(*exception)


def effect_count() -> int:
    """How many effects the current trace has; 0 when there is none."""
    return len(_active.tracing.effects) if _active.tracing is not None else 0


def effects_since(count: int) -> list[Any]:
    """The effects recorded since `effect_count()` was `count`."""
    return _active.tracing.effects[count:] if _active.tracing is not None else []


def depends_on(outputs: Any, inputs: Any) -> bool:
    """Whether a symbol in `outputs` was computed from one in `inputs` (or is one of them)."""
    wanted, given = symbols_in(outputs), symbols_in(inputs)
    if any(a is b for a in wanted for b in given):
        return True
    return bool(wanted) and bool(given) and bool(_core.depends_on(wanted, given))


def get_mask(symbol: Any) -> Any:
    """The mask that the layer which made `symbol` gave it; None without one."""
    return getattr(symbol, "_mask", None)


def previous_mask(leaves: list[Any], is_single: bool) -> Any:
    """The masks of a call's inputs: one or a list, None when there are none."""
    masks = [get_mask(leaf) for leaf in leaves]
    if all(mask is None for mask in masks):
        return None
    return masks[0] if is_single else masks


def set_masks(outputs: Any, mask: Any) -> None:
    """Give the outputs of a call their masks: one for each output, or None."""
    if isinstance(outputs, (list, tuple)):
        masks = mask if isinstance(mask, (list, tuple)) else [mask] * len(outputs)
        for output, own in zip(outputs, masks, strict=False):
            if isinstance(output, Symbol):
                output.__dict__["_mask"] = own
    elif isinstance(outputs, Symbol):
        outputs.__dict__["_mask"] = mask


def own_outputs(inputs: list[Any], outputs: Any) -> Any:
    """The outputs of a call, each a symbol of its own: an input passed through gets a new one."""
    given = {id(symbol) for symbol in inputs}
    return nest.map_structure(lambda output: core_ops.identity(output) if id(output) in given else output, outputs)


def link_node(layer: Layer, arguments: tuple[Any, tuple[Any, ...], dict[str, Any]], outputs: Any) -> None:
    """Record a call with the layer and with the layers that made its inputs."""
    node = Node(layer, arguments, outputs)
    layer.inbound_nodes.append(node)
    for symbol in node.inputs:
        before = node_of(symbol)
        if before is not None:
            before.layer.outbound_nodes.append(node)
    for symbol in node.outputs:
        symbol.__dict__["_node"] = node


def node_of(symbol: Any) -> Node | None:
    """The call that returned a symbol: the outermost one, of layers within layers."""
    node: Node | None = getattr(symbol, "_node", None)
    return node


def symbols_in(structure: Any) -> list[Symbol]:
    """The symbols among the leaves of a structure, in order."""
    return [leaf for leaf in nest.flatten(structure) if isinstance(leaf, Symbol)]

"""What a layer tells about its symbolic calls: nodes, and the inputs, outputs, shapes and masks in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from layernet import symbolic
from layernet.errors import NodeError

__all__ = ["NodeRecord"]


class NodeRecord:
    """The symbolic calls of a layer, in order. Every `Layer` is one."""

    def __init__(self) -> None:
        self._inbound_nodes: list[symbolic.Node] = []
        self._outbound_nodes: list[symbolic.Node] = []

    def _who(self) -> str:
        """The layer as messages call it."""
        raise NotImplementedError

    @property
    def inbound_nodes(self) -> list[symbolic.Node]:
        """One node for each symbolic call of this layer."""
        return self._inbound_nodes

    @property
    def outbound_nodes(self) -> list[symbolic.Node]:
        """One node for each symbolic call, of any layer, on an output of this one."""
        return self._outbound_nodes

    def _node(self, index: int, asked: str) -> symbolic.Node:
        nodes = self._inbound_nodes
        if not nodes:
            raise NodeError(
                f"{self._who()}: '{asked}' is known after a symbolic call only, and there was none. "
                "Call the layer on ln.Input(shape)."
            )
        if not -len(nodes) <= index < len(nodes):
            raise ValueError(f"{self._who()}: expected a node index below {len(nodes)}, got {index}.")
        return nodes[index]

    def get_input_at(self, node_index: int) -> Any:
        """The input of a symbolic call: the symbol, or a list when there were several.

        Args:
            node_index: Number of the call; 0 is the first.

        Raises:
            RuntimeError: The layer has not been called on symbols.
            ValueError: There was no such call.
        """
        return _single(self._node(node_index, "get_input_at").inputs)

    def get_output_at(self, node_index: int) -> Any:
        """The output of a symbolic call: the symbol, or a list when there were several.

        Args:
            node_index: Number of the call; 0 is the first.

        Raises:
            RuntimeError: The layer has not been called on symbols.
            ValueError: There was no such call.
        """
        return _single(self._node(node_index, "get_output_at").outputs)

    def get_input_shape_at(self, node_index: int) -> Any:
        """The shape of the input of a symbolic call; arguments and errors as for `get_input_at`."""
        return _single([symbol.shape for symbol in self._node(node_index, "get_input_shape_at").inputs])

    def get_output_shape_at(self, node_index: int) -> Any:
        """The shape of the output of a symbolic call; arguments and errors as for `get_output_at`."""
        return _single([symbol.shape for symbol in self._node(node_index, "get_output_shape_at").outputs])

    def get_input_mask_at(self, node_index: int) -> Any:
        """The mask of the input of a symbolic call; arguments and errors as for `get_input_at`."""
        return _single([symbolic.get_mask(symbol) for symbol in self._node(node_index, "get_input_mask_at").inputs])

    def get_output_mask_at(self, node_index: int) -> Any:
        """The mask of the output of a symbolic call; arguments and errors as for `get_output_at`."""
        return _single([symbolic.get_mask(symbol) for symbol in self._node(node_index, "get_output_mask_at").outputs])

    @property
    def input(self) -> Any:
        """The input of the first symbolic call.

        Raises:
            AttributeError: The layer has not been called on symbols.
        """
        return _single(self._node(0, "input").inputs)

    @property
    def output(self) -> Any:
        """The output of the first symbolic call.

        Raises:
            AttributeError: The layer has not been called on symbols.
        """
        return _single(self._node(0, "output").outputs)

    @property
    def input_mask(self) -> Any:
        """The mask of `input`."""
        self._node(0, "input_mask")
        return self.get_input_mask_at(0)

    @property
    def output_mask(self) -> Any:
        """The mask of `output`."""
        self._node(0, "output_mask")
        return self.get_output_mask_at(0)

    @property
    def input_shape(self) -> Any:
        """The shape of the input, the same in all symbolic calls.

        Raises:
            AttributeError: The layer has not been called on symbols, or on symbols of several shapes.
        """
        self._node(0, "input_shape")
        return self._common("input_shape", self.get_input_shape_at)

    @property
    def output_shape(self) -> Any:
        """The shape of the output, the same in all symbolic calls.

        Raises:
            AttributeError: The layer has not been called on symbols, or its outputs have several shapes.
        """
        self._node(0, "output_shape")
        return self._common("output_shape", self.get_output_shape_at)

    def _common(self, asked: str, shape_at: Callable[[int], Any]) -> Any:
        shapes = [shape_at(index) for index in range(len(self._inbound_nodes))]
        if any(shape != shapes[0] for shape in shapes):
            raise NodeError(
                f"{self._who()}: has {len(shapes)} inbound nodes of different shapes, so '{asked}' is ambiguous. "
                f"Use get_{asked}_at(node_index)."
            )
        return shapes[0]


def _single(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values

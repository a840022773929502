"""Networks as tables and pictures: what a call of the network calls, and what each call gets from the others.

The network is traced once on symbols, which leaves no mark on it. The same calls give the table (`summary`), a text in
the language DOT or Mermaid, and an image, for which graphviz has to be installed.
"""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from layernet import _core, nest, symbolic
from layernet.compiling import input_template, takes_training
from layernet.errors import GraphError
from layernet.layers.base import Layer
from layernet.network import Network
from layernet.symbolic import Node
from layernet.tensor import Symbol

__all__ = ["plot", "summary"]

_TEXT_FORMATS = {"dot": "dot", "gv": "dot", "mermaid": "mermaid", "mmd": "mermaid"}


class Calls(NamedTuple):
    """What happens in a call of a network: symbols that come in, calls of layers, symbols that come out."""

    inputs: list[Symbol]
    nodes: list[Node]
    outputs: list[Symbol]


def calls_of(network: Network) -> Calls:
    """The calls that a network makes itself, those inside other layers left out.

    Raises:
        ShapeError: The network does not know its inputs.
        GraphError: The network cannot be traced.
    """
    template = input_template(network)
    with symbolic.Tracing(record=False) as tracing:
        tracing.calls = []
        outputs = network(template, **({"training": False} if takes_training(network) else {}))
    # Each call is listed after those inside it, which are deeper. The last one is the network's own.
    open_calls: list[tuple[int, Node]] = []
    for depth, node in tracing.calls[:-1]:
        while open_calls and open_calls[-1][0] > depth:
            open_calls.pop()
        open_calls.append((depth, node))
    return Calls(nest.flatten(template), [node for _, node in open_calls], symbolic.symbols_in(outputs))


# --- table -----------------------------------------------------------------------------------------------------------


def summary(network: Network) -> str:
    """A table of the members and the totals. See `Model.summary`."""
    network.count_params()  # refuses what is not built
    shapes = _output_shapes(network)
    rows = [("Layer", "Output shape", "Parameters")]
    for layer in network.layers:
        count = str(layer.count_params()) if layer.built else "not built"
        rows.append((f"{layer.name} ({type(layer).__name__})", shapes.get(id(layer), "?"), count))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [f"{a.ljust(widths[0])}  {b.ljust(widths[1])}  {c.rjust(widths[2])}" for a, b, c in rows]
    trainable = _scalars(network.trainable_variables)
    total = _scalars(network.variables)
    totals = f"Total {total:,}, trainable {trainable:,}, non-trainable {total - trainable:,}"
    rule = "-" * max(len(totals), *map(len, lines))
    title = f"{type(network).__name__} '{network.name}'"
    return "\n".join([title, lines[0], rule, *lines[1:], rule, totals])


def _output_shapes(network: Network) -> dict[int, str]:
    """The shapes that each layer's calls return; nothing when the network cannot be traced."""
    try:
        nodes = calls_of(network).nodes
    except (GraphError, ValueError):
        return {}
    found: dict[int, list[str]] = {}
    for node in nodes:
        text = _shapes(node.outputs)
        if text not in found.setdefault(id(node.layer), []):
            found[id(node.layer)].append(text)
    return {layer: " or ".join(texts) for layer, texts in found.items()}


def _shapes(symbols: list[Symbol]) -> str:
    return ", ".join(str(symbol.shape) for symbol in symbols)


def _scalars(variables: list[Any]) -> int:
    return sum(variable.size for variable in {id(variable): variable for variable in variables}.values())


# --- pictures --------------------------------------------------------------------------------------------------------


class _Picture:
    """Boxes and arrows between them."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.boxes: list[list[str]] = []  # the lines of text in each
        self.arrows: list[tuple[int, int]] = []

    def dot(self) -> str:
        """The language of graphviz. Reference: https://graphviz.org/doc/info/lang.html"""
        boxes = ["  n{} [label={}];".format(i, _dot_quoted("\n".join(lines))) for i, lines in enumerate(self.boxes)]
        arrows = [f"  n{a} -> n{b};" for a, b in self.arrows]
        return "\n".join([f"digraph {_dot_quoted(self.title)} {{", "  node [shape=box];", *boxes, *arrows, "}"]) + "\n"

    def mermaid(self) -> str:
        """The language of Mermaid. Reference: https://mermaid.js.org/syntax/flowchart.html"""
        boxes = [f'  n{i}["{"<br>".join(map(_mermaid_escaped, lines))}"]' for i, lines in enumerate(self.boxes)]
        arrows = [f"  n{a} --> n{b}" for a, b in self.arrows]
        return "\n".join(["flowchart TB", *boxes, *arrows]) + "\n"


def _dot_quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _mermaid_escaped(text: str) -> str:
    for character, code in (("&", "#amp;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;")):
        text = text.replace(character, code)
    return text


def _picture(network: Network, show_shapes: bool) -> _Picture:
    inputs, nodes, outputs = calls_of(network)
    picture = _Picture(network.name)

    def box(lines: list[str], symbols: list[Symbol]) -> None:
        picture.boxes.append(lines + ([_shapes(symbols)] if show_shapes else []))

    for symbol in inputs:
        box(["input"], [symbol])
    for node in nodes:
        box([f"{_name(node.layer)} ({type(node.layer).__name__})"], node.outputs)
    box(["output"], outputs)
    # Where values come from: the boxes and what they give, with the earlier one first where two give the same symbol.
    givers: dict[int, tuple[int, Symbol]] = {}
    for number, given in enumerate([*([symbol] for symbol in inputs), *(node.outputs for node in nodes)]):
        for symbol in given:
            givers.setdefault(id(symbol), (number, symbol))
    takers = [*([*symbolic.symbols_in(node.arguments[0]), *_further(node)] for node in nodes), outputs]
    for number, taken in enumerate(takers, len(inputs)):
        sources = [source for symbol in taken for source in _sources(symbol, number, givers)]
        picture.arrows += [(source, number) for source in dict.fromkeys(sources)]
    return picture


def _further(node: Node) -> list[Symbol]:
    return [symbol for part in node.arguments[1:] for symbol in symbolic.symbols_in(part)]


def _name(layer: Layer) -> str:
    return layer._name or type(layer).__name__


def _sources(symbol: Symbol, taker: int, givers: dict[int, tuple[int, Symbol]]) -> list[int]:
    """The boxes whose results reach a symbol without passing through another box."""
    if id(symbol) in givers and givers[id(symbol)][0] < taker:
        return [givers[id(symbol)][0]]
    before = [(number, given) for number, given in givers.values() if number < taker]
    before = [(number, given) for number, given in before if symbolic.depends_on(symbol, given)]
    cut = [given for _, given in before]
    size = _nodes_behind(symbol, cut)
    # Without one symbol in the cut, the graph behind it shows if the symbol was reached.
    return [
        number
        for number, given in before
        if _nodes_behind(symbol, [other for other in cut if other is not given]) != size
    ]


def _nodes_behind(symbol: Symbol, cut: list[Symbol]) -> int:
    """How many ops lie between a cut and a symbol; -1 when the cut does not hold."""
    try:
        return int(_core.Graph(cut, [symbol]).num_nodes)
    except GraphError:
        return -1


def plot(
    network: Network,
    to_file: str | os.PathLike[str] | None = None,
    format: str | None = None,
    show_shapes: bool = True,
) -> str:
    """Draw a network. See `Network.plot`."""
    path = None if to_file is None else os.fspath(to_file)
    suffix = os.path.splitext(path)[1][1:].lower() if path else ""
    kind = (format or suffix or "dot").lower()
    text_kind = _TEXT_FORMATS.get(kind)
    if text_kind is None and path is None:
        raise ValueError(f"plot: expected format 'dot' or 'mermaid' without a file, got {kind!r}. Give to_file.")
    picture = _picture(network, show_shapes)
    text = picture.mermaid() if text_kind == "mermaid" else picture.dot()
    if path is not None and text_kind is not None:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    elif path is not None:
        _write_image(path, kind, picture.dot())
    return text


def _write_image(path: str, kind: str, dot: str) -> None:
    try:
        import graphviz
    except ImportError:
        raise ImportError(
            f"plot: expected the package graphviz to write {kind!r}, but it is not installed. Install layernet[viz], "
            "or write '.dot' or '.mmd', which need nothing."
        ) from None
    try:
        content = graphviz.Source(dot).pipe(format=kind)
    except graphviz.ExecutableNotFound:
        raise OSError(
            f"plot: expected the program dot to write {kind!r}, but it is not on the path. Install Graphviz, or write "
            "'.dot' or '.mmd', which need nothing."
        ) from None
    with open(path, "wb") as file:
        file.write(content)

"""Damaged and hostile predictor files, by name: what a reader that trusts nothing has to refuse.

Each case starts from one good file, taken apart into header, graph and data, and spoils one thing. `CASES` maps the
name to the bytes of the file; run as a script, it writes them to a folder.
"""

from __future__ import annotations

import copy
import json
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

KERNEL = [[0.0, 0.125], [0.25, 0.375], [0.5, 0.625]]
BIAS = [0.5, -0.5]
FLAGS = [True, False]
HEADER = {
    "net/kernel": {"dtype": "F32", "shape": [3, 2], "data_offsets": [0, 24]},
    "net/bias": {"dtype": "F32", "shape": [2], "data_offsets": [24, 32]},
    "constant/0": {"dtype": "BOOL", "shape": [2], "data_offsets": [32, 34]},
}
DATA = struct.pack("<8f2?", *(value for row in KERNEL for value in row), *BIAS, *FLAGS)
GRAPH = {
    "version": 1,
    "inputs": [{"name": "x", "dtype": "float32", "shape": ["N", 3]}],
    "nodes": [
        {"op": "dense", "inputs": [0, "net/kernel", "net/bias"], "attributes": {"activation": "relu"}},
        {"op": "where", "inputs": ["constant/0", 1, "net/bias"]},
    ],
    "outputs": [2],
    "output_names": ["y"],
    "structure": {"inputs": None, "outputs": None},
}

CASES: dict[str, bytes] = {}


def framed(header: bytes | str, data: bytes = DATA, length: int | None = None) -> bytes:
    """A file of this header; `length` is what it says about the header's."""
    text = header.encode() if isinstance(header, str) else header
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def packed(
    graph: Any = None, header: dict[str, Any] | None = None, data: bytes = DATA, graph_text: str | None = None
) -> bytes:
    text = graph_text if graph_text is not None else json.dumps(GRAPH if graph is None else graph)
    return framed(json.dumps({"__metadata__": {"layernet": text}, **(HEADER if header is None else header)}), data)


GOOD = packed()


def add(name: str, content: bytes) -> None:
    assert name not in CASES, name
    assert content != GOOD, name
    CASES[name] = content


def header_case(name: str, change: Callable[[dict[str, Any]], Any], data: bytes = DATA) -> None:
    """A copy of the tensors' part of the header, changed."""
    header = copy.deepcopy(HEADER)
    change(header)
    add("header " + name, packed(header=header, data=data))


def graph_case(name: str, change: Callable[[dict[str, Any]], Any]) -> None:
    graph = copy.deepcopy(GRAPH)
    change(graph)
    add("graph " + name, packed(graph))


def node_case(
    name: str, op: str, inputs: list[Any], attributes: Any = None, more: dict[str, Any] | None = None
) -> None:
    """A node at the end of the graph whose result is the output."""
    node: dict[str, Any] = {"op": op, "inputs": inputs, **(more or {})}
    if attributes is not None:
        node["attributes"] = attributes

    def change(graph: dict[str, Any]) -> None:
        graph["nodes"].append(node)
        graph["outputs"] = [3]

    graph_case("node: " + name, change)


# ---- the frame

for size in range(9):
    add(f"only the first {size} bytes", GOOD[:size])
add("header cut in the middle", GOOD[:60])
add("data cut by a byte", GOOD[:-1])
add("data missing", GOOD[: -len(DATA)])
add("data with a byte more", GOOD + b"\0")
HEADER_BYTES = GOOD[8 : -len(DATA)]
for name, length in {
    "zero": 0,
    "one": 1,
    "one less": len(HEADER_BYTES) - 1,
    "one more": len(HEADER_BYTES) + 1,
    "the whole file": len(GOOD),
    "100 MB": 100_000_000,
    "2^32": 2**32,
    "2^63": 2**63,
    "2^64 - 1": 2**64 - 1,
    "2^64 - 8": 2**64 - 8,
}.items():
    add(f"header length of {name}", framed(HEADER_BYTES, length=length))
add("header length in big endian", struct.pack(">Q", len(HEADER_BYTES)) + HEADER_BYTES + DATA)
add("a zip archive", b"PK\x03\x04" + bytes(200))
add("a pickle", b"\x80\x04\x95" + bytes(200))
add("text", b"hello, this is not a predictor file at all\n" * 3)

# ---- JSON of the header

for name, text in {
    "empty": "",
    "spaces": " " * 16,
    "leading space": " " + HEADER_BYTES.decode(),
    "leading byte order mark": "\ufeff" + HEADER_BYTES.decode(),
    "open brace": "{",
    "a list": "[]",
    "a number": "1",
    "a string": '"abc"',
    "null": "null",
    "no quotes": "{a:1}",
    "single quotes": "{'a':1}",
    "no colon": '{"a" 1}',
    "no value": '{"a":}',
    "trailing comma": '{"a":1,}',
    "leading comma": '{,"a":1}',
    "two commas": '{"a":1,,"b":2}',
    "two objects": "{}{}",
    "wrong bracket": '{"a":[1}',
    "comment": '{/* */"a":1}',
    "key that is a number": "{1:2}",
    "NaN": '{"a":NaN}',
    "Infinity": '{"a":Infinity}',
    "leading zero": '{"a":01}',
    "plus sign": '{"a":+1}',
    "minus alone": '{"a":-}',
    "point without digits": '{"a":1.}',
    "exponent without digits": '{"a":1e}',
    "hexadecimal": '{"a":0x10}',
    "word cut": '{"a":tru}',
    "word in capitals": '{"a":True}',
    "string without end": '{"a":"b',
    "escape at the end": '{"a":"\\',
    "unknown escape": '{"a":"\\x"}',
    "short unicode escape": '{"a":"\\u12"}',
    "unicode escape without digits": '{"a":"\\uzzzz"}',
    "NUL escape": '{"a":"\\u0000"}',
    "first half of a pair": '{"a":"\\ud800"}',
    "second half of a pair": '{"a":"\\udc00"}',
    "half of a pair and a letter": '{"a":"\\ud800\\u0041"}',
    "newline in a string": '{"a":"\n"}',
    "NUL in a string": '{"a":"\0"}',
    "NUL outside": '{"a":1}\0',
    "deep lists": '{"a":' + "[" * 100_000 + "]" * 100_000 + "}",
    "deep lists without end": '{"a":' + "[" * 100_000,
    "deep objects": '{"a":' * 1000 + "1" + "}" * 1000,
    "65 levels": '{"a":' + "[" * 64 + "]" * 64 + "}",
}.items():
    add("json: " + name, framed(text))
for name, raw in {
    "continuation byte alone": b"\x80",
    "sequence cut": b"\xc3",
    "overlong slash": b"\xc0\xaf",
    "overlong in three bytes": b"\xe0\x80\xaf",
    "surrogate": b"\xed\xa0\x80",
    "beyond the last character": b"\xf4\x90\x80\x80",
    "byte 0xff": b"\xff",
    "Latin-1": "é".encode("latin-1"),
}.items():
    add("utf-8: " + name, framed(b'{"a":"' + raw + b'"}'))

# ---- tensors

add(
    "header gives a tensor twice",
    framed(HEADER_BYTES.decode()[:-1] + ',"net/bias":' + json.dumps(HEADER["net/bias"]) + "}"),
)
add(
    "header gives a dtype twice",
    framed(HEADER_BYTES.decode().replace('"dtype": "F32",', '"dtype": "F32", "dtype": "F32",', 1)),
)
add(
    "header gives a name twice in two spellings",
    framed(HEADER_BYTES.decode()[:-1] + ',"net\\/bias":' + json.dumps(HEADER["net/bias"]) + "}"),
)
for value in (None, 1, "F32", [], {}, True):
    header_case(f"tensor is {json.dumps(value)}", lambda h, v=value: h.update({"net/bias": v}))
for member in ("dtype", "shape", "data_offsets"):
    header_case(f"tensor without {member}", lambda h, m=member: h["net/bias"].pop(m))
header_case("tensor with another member", lambda h: h["net/bias"].update(strides=[4]))
for value in ("F31", "f32", "float32", "", "C64", "F8_E4M3", 1, None, ["F32"]):
    header_case(f"dtype {json.dumps(value)}", lambda h, v=value: h["net/bias"].update(dtype=v))
header_case("dtype of another size", lambda h: h["net/bias"].update(dtype="F64"))
for value in (
    2,
    "2",
    None,
    {},
    [-2],
    [2.0],
    ["2"],
    [None],
    [True],
    [3],
    [],
    [2, 2],
    [1] * 13 + [2],
    [2**63],
    [2**64],
    [10**30],
):
    header_case(f"shape {json.dumps(value)}", lambda h, v=value: h["net/bias"].update(shape=v))
header_case("shape whose product overflows to 2", lambda h: h["net/bias"].update(shape=[2**62, 2, 2**62]))
header_case("shape whose bytes overflow to 8", lambda h: h["net/bias"].update(shape=[2**62 + 2]))
header_case("shape of 2^61 zeros and a zero", lambda h: h["net/bias"].update(shape=[2**61, 2**61, 2]))
for value in (
    24,
    None,
    "24",
    [],
    [24],
    [24, 32, 40],
    [32, 24],
    [-8, 0],
    [24.0, 32.0],
    ["24", "32"],
    [24, 2**63],
    [2**64 - 8, 2**64],
    [24, 31],
    [24, 33],
    [0, 8],
    [16, 24],
    [25, 33],
    [1000, 1008],
):
    header_case(f"data_offsets {json.dumps(value)}", lambda h, v=value: h["net/bias"].update(data_offsets=v))
header_case("tensors that share bytes", lambda h: h.update({"copy": dict(HEADER["net/bias"])}))
header_case(
    "gap at the start",
    lambda h: [t.update(data_offsets=[a + 8 for a in t["data_offsets"]]) for t in h.values()],
    b"\0" * 8 + DATA,
)
header_case(
    "gap in the middle", lambda h: h["constant/0"].update(data_offsets=[40, 42]), DATA[:32] + b"\0" * 8 + DATA[32:]
)
header_case("no tensors", lambda h: h.clear())
header_case("tensor that the graph reads missing", lambda h: h.pop("constant/0"), DATA[:32])
header_case(
    "tensor that the graph does not read",
    lambda h: h.update({"extra": {"dtype": "U8", "shape": [1], "data_offsets": [34, 35]}}),
    DATA + b"\0",
)
add("a bool of 2", packed(data=DATA[:-1] + b"\2"))
add("a bool of 255", packed(data=DATA[:-2] + b"\xff\0"))

# ---- metadata

for name, metadata in {
    "missing": None,
    "null": "null",
    "a list": "[]",
    "a string": '"layernet"',
    "empty": "{}",
    "of another library": '{"format":"pt"}',
    "with a number": '{"layernet":1}',
    "with an object": '{"layernet":{"version":1}}',
    "with another number": '{"layernet":"{}","a":1}',
}.items():
    start = "{" if metadata is None else '{"__metadata__":' + metadata + ","
    add("metadata " + name, framed(start + json.dumps(HEADER)[1:]))
for name, text in {
    "empty": "",
    "not JSON": "hello",
    "a list": "[]",
    "null": "null",
    "a number": "1",
    "empty object": "{}",
    "cut": json.dumps(GRAPH)[:-1],
    "with a NUL": json.dumps(GRAPH) + "\0",
    "twice": json.dumps(GRAPH) * 2,
    "with version twice": '{"version":1,' + json.dumps(GRAPH)[1:],
    "deep": '{"version":1,"structure":' + "[" * 5000 + "]" * 5000 + "}",
}.items():
    add("graph text " + name, packed(graph_text=text))

# ---- the graph

for member in ("version", "inputs", "nodes", "outputs"):
    graph_case(f"without {member}", lambda g, m=member: g.pop(m))
for member in ("inputs", "nodes", "outputs", "output_names"):
    for value in (None, 1, "a", {}):
        graph_case(f"{member} is {json.dumps(value)}", lambda g, m=member, v=value: g.update({m: v}))
graph_case("with another member", lambda g: g.update(comment="hi"))
for value in (0, -1, 3, 1000, 2**31, 2**63, 2**70, 1.0, 1.5, "1", None, [1], True):
    graph_case(f"version {json.dumps(value)}", lambda g, v=value: g.update(version=v))
graph_case("newer version with other members", lambda g: g.update(version=3, layers=[]))
for member in ("name", "dtype", "shape"):
    graph_case(f"input without {member}", lambda g, m=member: g["inputs"][0].pop(m))
    graph_case(f"input whose {member} is 1", lambda g, m=member: g["inputs"][0].update({m: 1}))
graph_case("input is a list", lambda g: g.update(inputs=[[]]))
graph_case("input with another member", lambda g: g["inputs"][0].update(default=0))
graph_case("input of an unknown dtype", lambda g: g["inputs"][0].update(dtype="complex64"))
for dim in (
    -1,
    3.0,
    None,
    True,
    [],
    "n",
    "M",
    "",
    "3",
    "0N",
    "03N",
    "-3N",
    "3NN",
    "N3",
    "3 N",
    "99999999999999999999N",
    "?",
    2**63,
    2**50,
):
    graph_case(f"input dimension {json.dumps(dim)}", lambda g, d=dim: g["inputs"][0].update(shape=["N", d]))
graph_case("input of rank 13", lambda g: g["inputs"][0].update(shape=["N"] + [1] * 11 + [3]))
graph_case("input of two batches", lambda g: g["inputs"][0].update(shape=["N", "N"]))
graph_case("gigantic input", lambda g: g["inputs"][0].update(shape=["N", 2**40, 3]))
graph_case("too many inputs", lambda g: g.update(inputs=g["inputs"] * 1025))
graph_case("input that does not fit the kernel", lambda g: g["inputs"][0].update(shape=["N", 4]))
graph_case("input of another dtype than the kernel", lambda g: g["inputs"][0].update(dtype="float64"))
for value in (None, 1, "dense", [], {}):
    graph_case(f"node is {json.dumps(value)}", lambda g, v=value: g["nodes"].append(v))
graph_case("too many nodes", lambda g: g.update(nodes=[{"op": "relu", "inputs": [0]}] * 65_537))
for value in ([], [3], [-1], [2**40], ["none"], [None], [1.0], [[0]], [True], [2] * 1025):
    graph_case(f"outputs {json.dumps(value)[:24]}", lambda g, v=value: g.update(outputs=v))
for value in ([1], ["a", "b"], [None]):
    graph_case(f"output_names {json.dumps(value)}", lambda g, v=value: g.update(output_names=v))

# ---- nodes (value 2 is float32[N, 2], "net/kernel" float32[3, 2])

node_case("without an op", "relu", [2], more={"op": None})
node_case("op is a number", "relu", [2], more={"op": 1})
node_case("unknown op", "frobnicate", [2])
node_case("empty op", "", [2])
node_case("op with another case", "Relu", [2])
node_case("op that changes a variable", "assign", ["net/bias", "net/bias"])
node_case("op that draws numbers", "random_normal", ["net/bias"], {"shape": [2]})
node_case("with another member", "relu", [2], more={"name": "act"})
node_case("inputs is null", "relu", [2], more={"inputs": None})
node_case("inputs is a number", "relu", [2], more={"inputs": 2})
node_case("itself as input", "relu", [3])
node_case("later value as input", "relu", [4])
for value in (-1, 2**40, 2**64, 2.0, None, True, [2], {}, "net/none", "", "__metadata__"):
    node_case(f"input {json.dumps(value)}", "relu", [value])
node_case("no input", "relu", [])
node_case("one input too many", "relu", [2, 2])
node_case("one input too few", "add", [2])
node_case("many inputs", "concat", [2] * 70_000, {"axis": 1})
for value in (None, 1, "axis", []):
    node_case(f"attributes is {json.dumps(value)}", "relu", [2], more={"attributes": value})
node_case("attribute of an op without any", "relu", [2], {"alpha": 0.1})
node_case("unknown attribute", "softmax", [2], {"axes": 1})
for value in ("1", 1.0, 1.5, None, True, [1], 2**63, -(2**63) - 1, 10**30):
    node_case(f"integer attribute {json.dumps(value)}", "softmax", [2], {"axis": value})
for value in ("0.1", None, True, [0.1], "infinity", "NaN"):
    node_case(f"number attribute {json.dumps(value)}", "leaky_relu", [2], {"alpha": value})
for value in (1, "true", None, []):
    node_case(f"bool attribute {json.dumps(value)}", "reduce_sum", [2], {"keepdims": value})
for value in ("swoosh", "", 1, None, []):
    node_case(f"choice attribute {json.dumps(value)}", "dense", [2, "net/bias"], {"activation": value})
for value in ("float31", "", 0, None):
    node_case(f"dtype attribute {json.dumps(value)}", "cast", [2], {"dtype": value})
for value in (None, 1, "0", {}, [1.0], ["0"], [None], [[0]]):
    node_case(f"list attribute {json.dumps(value)}", "transpose", [2], {"perm": value})
for value in (None, 1, [-1], [1.0], ["2M"], ["N", "N"], ["?", "?"], [3, "?"], [2**62, 2**62], [1] * 13):
    node_case(f"shape attribute {json.dumps(value)}", "reshape", [2], {"shape": value})
node_case("number beyond a double", "leaky_relu", [2], {"alpha": 0.125})
CASES["graph node: number beyond a double"] = packed(
    graph_text=json.dumps(GRAPH).replace(
        '"inputs": ["constant/0", 1, "net/bias"]}',
        '"inputs": ["constant/0", 1, "net/bias"]}, {"op": "leaky_relu", "inputs": [2], "attributes": {"alpha": 1e999}}',
    )
)

for op, inputs, attributes, name in [
    ("softmax", [2], {"axis": 2}, "axis beyond the rank"),
    ("softmax", [2], {"axis": -3}, "axis below the rank"),
    ("softmax", [2], {"axis": -(2**63)}, "axis of -2^63"),
    ("softmax", [2], {"axis": 2**63 - 1}, "axis of 2^63 - 1"),
    ("softmax", [2], {"axis": 2**32}, "axis that is 0 in 32 bits"),
    ("reduce_sum", [2], {"axis": [5], "all": False}, "reduced axis beyond the rank"),
    ("reduce_sum", [2], {"axis": [1, 1], "all": False}, "reduced axis twice"),
    ("transpose", [2], {"perm": [0]}, "permutation too short"),
    ("transpose", [2], {"perm": [0, 0]}, "permutation with a repetition"),
    ("transpose", [2], {"perm": [0, 2]}, "permutation out of range"),
    ("transpose", [2], {"perm": [0, -(2**63)]}, "permutation of -2^63"),
    ("reshape", [2], {"shape": ["N", 3]}, "reshape to another size"),
    ("reshape", [2], {"shape": ["N", 0]}, "reshape to nothing"),
    ("expand_dims", [2], {"axis": 9}, "expand_dims beyond the rank"),
    ("squeeze", [2], {"axes": [1]}, "squeeze of a size that is not 1"),
    ("concat", [2, "net/kernel"], {"axis": 0}, "concat of a batch and a number"),
    ("concat", [2, 0], {"axis": 0}, "concat of sizes that differ"),
    ("concat", [2], {"axis": 7}, "concat beyond the rank"),
    ("stack", [2, 0], {"axis": 0}, "stack of shapes that differ"),
    ("split", [2], {"sizes": [1, 2], "axis": 1}, "split into too much"),
    ("split", [2], {"sizes": [3, -1], "axis": 1}, "split into a negative size"),
    ("slice", [2], {"begin": [0], "end": [2], "strides": [0], "axes": [1]}, "slice by a stride of 0"),
    ("slice", [2], {"begin": [2], "end": [-4], "strides": [0], "axes": [1]}, "slice backwards by a stride of 0"),
    ("slice", [2], {"begin": [-(2**62)], "end": [2**62], "strides": [1], "axes": [1]}, "slice over more than 2^63"),
    ("slice", [2], {"begin": [0], "end": [2], "strides": [-(2**63)], "axes": [1]}, "slice by a stride of -2^63"),
    ("slice", [2], {"begin": [0], "end": [2], "strides": [1], "axes": [5]}, "slice beyond the rank"),
    ("slice", [2], {"begin": [0], "end": [2], "strides": [1, 1], "axes": [1]}, "slice of lists that differ in length"),
    ("slice", [2], {"begin": [0], "end": [100], "strides": [1], "axes": [1]}, "slice beyond the end"),
    ("pad", [2], {"before": [0], "after": [0]}, "pad of too few axes"),
    ("pad", [2], {"before": [0, -5], "after": [0, 0]}, "pad by a negative size"),
    ("pad", [2], {"before": [0, 2**62], "after": [0, 2**62]}, "pad that overflows"),
    ("pad", [2], {"before": [0, 2**45], "after": [0, 0]}, "gigantic pad"),
    ("broadcast_to", [2], {"shape": ["N", 3]}, "broadcast to a size that does not fit"),
    ("broadcast_to", [2], {"shape": [2**40, "N", 2]}, "gigantic broadcast"),
    ("broadcast_to", ["net/bias"], {"shape": [2**30, 2]}, "constant broadcast to 8 GB"),
    ("broadcast_to", ["net/bias"], {"shape": [2**62, 2]}, "constant broadcast that overflows"),
    ("tile", [2], {"multiples": [1]}, "tile of too few axes"),
    ("tile", [2], {"multiples": [1, -1]}, "tile by a negative number"),
    ("tile", [2], {"multiples": [1, 2**62]}, "tile that overflows"),
    ("tile", ["net/bias"], {"multiples": [2**28]}, "constant tiled to 2 GB"),
    ("gather", [2, "net/bias"], {}, "gather by floats"),
    ("one_hot", [2], {"depth": 3}, "one_hot of floats"),
    ("matmul", [2, "net/kernel"], {}, "matmul of sizes that differ"),
    ("matmul", ["net/bias", "net/bias"], {}, "matmul of vectors"),
    ("dense", [2, "net/kernel"], {"transpose_w": False}, "dense of sizes that differ"),
    ("dense", [0, "net/kernel", "constant/0"], {}, "dense with a bias of bools"),
    ("dense", [0, "net/kernel", "net/kernel"], {}, "dense with a matrix as bias"),
    ("add", [2, "constant/0"], {}, "add of float and bool"),
    ("add", [0, 2], {}, "add of shapes that do not broadcast"),
    ("where", [2, 2, 2], {}, "where of a float condition"),
    ("batch_norm", [2, "net/kernel", "net/bias", "net/bias", "net/bias"], {}, "batch_norm with a matrix"),
    ("layer_norm", [0, "net/bias", "net/bias"], {}, "layer_norm of sizes that differ"),
    ("conv", [2, "net/kernel"], {"strides": [1]}, "conv of matrices"),
    ("max_pool", [2], {"size": [2], "strides": [1]}, "max_pool of a matrix"),
    ("logical_not", [2], {}, "logical_not of floats"),
    ("sparse_softmax_cross_entropy", [2, 2], {}, "labels that are floats"),
]:
    node_case(name, op, inputs, attributes)


def image_case(name: str, op: str, attributes: dict[str, Any]) -> None:
    """The op on an image of shape [N, 4, 4, 3] and, for convolutions, a filter of shape [1, 1, 3, 2]."""

    def change(graph: dict[str, Any]) -> None:
        graph["inputs"].append({"name": "image", "dtype": "float32", "shape": ["N", 4, 4, 3]})
        graph["nodes"] = [
            {"op": "dense", "inputs": [0, "net/kernel", "net/bias"]},
            {"op": "where", "inputs": ["constant/0", 2, "net/bias"]},
            {"op": "reshape", "inputs": ["net/kernel"], "attributes": {"shape": [1, 1, 3, 2]}},
            {"op": op, "inputs": [1, 4] if "conv" in op else [1], "attributes": attributes},
        ]
        graph["outputs"] = [3, 5]
        graph["output_names"] = []
        graph["structure"] = None

    graph_case("image: " + name, change)


image_case("conv with strides of 0", "conv", {"strides": [0, 0]})
image_case("conv with negative strides", "conv", {"strides": [-1, 1]})
image_case("conv with a stride too few", "conv", {"strides": [1]})
image_case("conv with dilation of 0", "conv", {"strides": [1, 1], "dilation": [0, 0]})
image_case("conv with another padding", "conv", {"strides": [1, 1], "padding": "full"})
image_case("conv with dilation of 2^63 - 1", "conv", {"padding": "same", "dilation": [2**63 - 1, 1]})
image_case("conv with a window of 2^31 lines", "conv", {"padding": "same", "dilation": [2**31, 1]})
image_case("depthwise_conv by a filter of another rank", "depthwise_conv", {"padding": "same"})
image_case("max_pool of size 0", "max_pool", {"size": [0, 0], "strides": [1, 1]})
image_case("max_pool with strides of 0", "max_pool", {"size": [2, 2], "strides": [0, 0]})
image_case("max_pool larger than the image", "max_pool", {"size": [9, 9], "strides": [1, 1]})
image_case("max_pool of a negative size", "max_pool", {"size": [-2, 2], "strides": [1, 1]})
image_case("avg_pool of size 0", "avg_pool", {"size": [0, 2], "strides": [1, 1]})
image_case("avg_pool of size 2^63 - 1", "avg_pool", {"size": [2**63 - 1, 2], "strides": [1, 1]})


def growing(graph: dict[str, Any]) -> None:
    """Constants that double 64 times."""
    for i in range(64):
        graph["nodes"].append(
            {"op": "concat", "inputs": ["net/bias" if i == 0 else 2 + i] * 2, "attributes": {"axis": 0}}
        )
    graph["outputs"] = [2 + 64]


graph_case("constants that double 64 times", growing)


def wide(graph: dict[str, Any]) -> None:
    """Values that depend on the input and double 64 times."""
    for i in range(64):
        graph["nodes"].append({"op": "concat", "inputs": [2 + i] * 2, "attributes": {"axis": 1}})
    graph["outputs"] = [2 + 64]


graph_case("values that double 64 times", wide)

# ---- weights kept in a smaller type

SMALL_DATA = struct.pack("<2f", 0.5, 0.25) + DATA[24:] + struct.pack("<6b", 0, 1, -127, 3, 127, 5)
SMALL_HEADER = {
    "net/kernel/scale": {"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 8]},
    "net/bias": {"dtype": "F32", "shape": [2], "data_offsets": [8, 16]},
    "constant/0": {"dtype": "BOOL", "shape": [2], "data_offsets": [16, 18]},
    "net/kernel": {"dtype": "I8", "shape": [3, 2], "data_offsets": [18, 24]},
}
SMALL_GRAPH = {**GRAPH, "version": 2, "weights": {"dtype": "int8", "variables": ["net/kernel"]}}
GOOD_SMALL = packed(SMALL_GRAPH, SMALL_HEADER, SMALL_DATA)


def weights_case(name: str, change: Callable[[dict[str, Any], dict[str, Any]], Any], data: bytes = SMALL_DATA) -> None:
    """A copy of the graph and of the tensors' part of the header, changed."""
    graph, header = copy.deepcopy(SMALL_GRAPH), copy.deepcopy(SMALL_HEADER)
    change(graph, header)
    content = packed(graph, header, data)
    assert content != GOOD_SMALL, name
    add("weights " + name, content)


for value in (None, 1, "int8", [], {}):
    weights_case(f"is {json.dumps(value)}", lambda g, _, v=value: g.update(weights=v))
for member in ("dtype", "variables"):
    weights_case(f"without {member}", lambda g, _, m=member: g["weights"].pop(m))
weights_case("with another member", lambda g, _: g["weights"].update(scale=1))
for value in ("float32", "uint8", "float64", "int4", "", 8, None):
    weights_case(f"dtype {json.dumps(value)}", lambda g, _, v=value: g["weights"].update(dtype=v))
weights_case("of another dtype than the tensor", lambda g, _: g["weights"].update(dtype="bfloat16"))
for value in (None, "net/kernel", {}, [1], [None], [["net/kernel"]], ["net/none"], ["net/kernel", "net/none"]):
    weights_case(f"variables {json.dumps(value)}", lambda g, _, v=value: g["weights"].update(variables=v))
weights_case("of rank 1", lambda g, _: g["weights"].update(variables=["net/bias"]))
weights_case("not among the variables", lambda g, _: g["weights"].update(variables=[]))
weights_case("of a scale", lambda g, _: g["weights"].update(variables=["net/kernel", "net/kernel/scale"]))
for shape in ([2], [2, 1], [1, 1, 2], [1, 2, 1]):
    weights_case(f"scale of shape {shape}", lambda _, h, s=shape: h["net/kernel/scale"].update(shape=s))
weights_case("scale of integers", lambda _, h: h["net/kernel/scale"].update(dtype="I32"))
weights_case("scale under another name", lambda _, h: h.update({"scale": h.pop("net/kernel/scale")}))
weights_case(
    "scale that a node reads",
    lambda g, _: g["nodes"].insert(0, {"op": "relu", "inputs": ["net/kernel/scale"]}) or g.update(outputs=[3]),
)

# Structures are read by Python alone; a program in C++ takes such files.
STRUCTURES: dict[str, bytes] = {}
for value in (
    1,
    "a",
    [],
    {},
    {"inputs": None},
    {"inputs": None, "outputs": None, "more": None},
    {"inputs": 1, "outputs": None},
    {"inputs": {"list": [None, None]}, "outputs": None},
    {"inputs": {"list": []}, "outputs": None},
    {"inputs": {"set": [None]}, "outputs": None},
    {"inputs": {"list": None}, "outputs": None},
    {"inputs": {"list": [None], "tuple": []}, "outputs": None},
    {"inputs": {"dict": [None]}, "outputs": None},
    {"inputs": {"dict": [["a"]]}, "outputs": None},
    {"inputs": {"dict": [[None, None]]}, "outputs": None},
    {"inputs": {"dict": [["a", {"list": []}], ["a", None]]}, "outputs": None},
    {"inputs": {"dict": [["a", {"list": []}], [1, None]]}, "outputs": None},
    {"inputs": {"namedtuple": []}, "outputs": None},
    {"inputs": {"namedtuple": ["A", ["b", "c"], [None]]}, "outputs": None},
    {"inputs": {"namedtuple": ["import os", ["b"], [None]]}, "outputs": None},
    {"inputs": {"namedtuple": ["A", ["_b"], [None]]}, "outputs": None},
    {"inputs": {"namedtuple": ["A", ["b", "b"], [None, {"list": []}]]}, "outputs": None},
    {"inputs": {"namedtuple": ["A", ["class"], [None]]}, "outputs": None},
):
    STRUCTURES["structure " + json.dumps(value)] = packed({**GRAPH, "structure": value})
deep: Any = None
for _ in range(40):
    deep = {"list": [deep]}
STRUCTURES["structure 40 deep"] = packed({**GRAPH, "structure": {"inputs": deep, "outputs": None}})


def write_all(folder: Path) -> list[Path]:
    """Writes GOOD and every case as files; the names are in index.txt."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "good").write_bytes(GOOD)
    (folder / "good-weights").write_bytes(GOOD_SMALL)
    paths = []
    for number, content in enumerate(CASES.values()):
        paths.append(folder / f"bad-{number:04}")
        paths[-1].write_bytes(content)
    (folder / "index.txt").write_text("".join(f"bad-{i:04} {name}\n" for i, name in enumerate(CASES)))
    return paths


if __name__ == "__main__":
    print(f"{len(write_all(Path(sys.argv[1])))} files")

"""Writes what the fuzzer starts from: good files, damaged ones, and graphs alone. Usage: seeds.py FOLDER."""

from __future__ import annotations

import json
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

import malformed  # noqa: E402 - its folder has just been added

# Graphs over the tensors of fuzz_format.cpp, as many ops as possible.
NODES = [
    ("dense", [0, "w", "b"], {"activation": "gelu", "alpha": 0.5, "transpose_w": False}),
    ("softmax", [0], {"axis": -1}),
    ("reshape", [0], {"shape": ["3N"]}),
    ("reshape", [0], {"shape": ["?", 1, 3]}),
    ("transpose", [0], {"perm": [1, 0]}),
    ("concat", [0, 0], {"axis": 1}),
    ("stack", [0, 0], {"axis": 1}),
    ("split", [0], {"sizes": [1, 2], "axis": 1}),
    ("slice", [0], {"begin": [2], "end": [-4], "strides": [-1], "axes": [1]}),
    ("pad", [0], {"before": [0, 1], "after": [0, 2], "value": 1.5}),
    ("gather", ["w", "constant/i"], {"axis": 0}),
    ("one_hot", ["constant/i"], {"depth": 3, "on": 1.0, "off": 0.0, "dtype": "float64"}),
    ("broadcast_to", ["b"], {"shape": ["N", 2]}),
    ("tile", [0], {"multiples": [1, 2]}),
    ("shape", [0], {}),
    ("matmul", [0, "w"], {"transpose_a": False, "transpose_b": False}),
    ("reduce_sum", [0], {"axis": [1], "all": False, "keepdims": True}),
    ("argmax", [0], {"axis": -1}),
    ("where", ["constant/c", "b", "b"], {}),
    ("cast", [0], {"dtype": "bfloat16"}),
    ("clip", [0], {"min": "-inf", "max": 1.0}),
    ("expand_dims", [0], {"axis": 1}),
    ("squeeze", [0], {"axes": []}),
    ("conv", [1, "f"], {"strides": [1, 1], "padding": "same", "dilation": [1, 1]}),
    ("conv_input_grad", [1, "t"], {"size": [8, 8], "strides": [2, 2], "padding": "same", "dilation": [1, 1]}),
    ("depthwise_conv", [1, "d"], {"strides": [1, 1], "padding": "valid", "dilation": [1, 1]}),
    ("max_pool", [1], {"size": [2, 2], "strides": [1, 1], "padding": "valid"}),
    ("avg_pool", [1], {"size": [2, 2], "strides": [2, 2], "padding": "same"}),
    ("layer_norm", [2, "b", "b"], {"epsilon": 0.001}),
    ("batch_norm", [2, "b", "b", "b", "b"], {"epsilon": 0.001, "axis": -1}),
    ("add", [0, 0], {}),
    ("tanh", [0], {}),
]
INPUTS = [
    {"name": "x", "dtype": "float32", "shape": ["N", 3]},
    {"name": "image", "dtype": "float32", "shape": ["N", 4, 4, 3]},
    {"name": "z", "dtype": "float32", "shape": ["N", 2]},
]


def main(folder: Path) -> None:
    malformed.write_all(folder)
    for path in (TESTS / "data").glob("format_v*/*.safetensors"):
        (folder / f"golden-{path.stem}").write_bytes(path.read_bytes())
    for op, inputs, attributes in NODES:
        node = {"op": op, "inputs": inputs, "attributes": attributes}
        graph = {"version": 1, "inputs": INPUTS, "nodes": [node], "outputs": [3]}
        (folder / f"graph-{op}").write_text(json.dumps(graph))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""Made the files in the folders beside it: networks in a version of the format, inputs, and the outputs then.

They are kept as they are: a later layernet must read them and give these outputs. Run again only to add a file, and
only that one: `python make.py NAME`; add networks that need a newer version under that one.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

import layernet as ln
from layernet import nest

FOLDER = Path(__file__).parent


class Conditioned(ln.Network):
    """Structures, several types, and ops with attributes of every kind."""

    def __init__(self) -> None:
        super().__init__(name="conditioned")
        self.table = ln.Variable(np.zeros((5, 3), "float32"), name="table")
        self.out = self.track_layer(ln.layers.Dense(2, activation="gelu"))

    def call(self, inputs: Any) -> Any:
        rows = ln.reshape(ln.gather(self.table, inputs["index"]), [-1, 3])
        x = ln.concat([inputs["x"], rows], 1)
        x = ln.clip_by_value(x, -np.inf, 0.75)
        mean = ln.reduce_mean(x, axis=[1], keepdims=True)
        y = self.out(ln.where(x > mean, x, x * 0.1))
        return {"y": y, "parts": (ln.nn.softmax(y), [ln.cast(mean, "float64"), ln.argmax(x, 1)])}


def mlp(dtype: str) -> tuple[Any, Any]:
    net = ln.Sequential(
        [ln.layers.Dense(8, activation="tanh", dtype=dtype), ln.layers.Dense(3, dtype=dtype)], name="mlp"
    )
    return net, ln.Input((5,), dtype)


def image() -> tuple[Any, Any]:
    layers = [
        ln.layers.Conv2D(4, 3, strides=2, padding="same", activation="relu"),
        ln.layers.BatchNormalization(),
        ln.layers.MaxPooling2D(2, 1),
        ln.layers.Flatten(),
        ln.layers.Dense(2, activation="sigmoid"),
    ]
    return ln.Sequential(layers, name="image"), ln.Input((8, 6, 2))


def wide() -> tuple[Any, Any]:
    layers = [ln.layers.Dense(n, activation="relu") for n in (48, 40)] + [ln.layers.Dense(3)]
    return ln.Sequential(layers, name="wide"), ln.Input((20,))


NETWORKS = {
    "mlp_float32": lambda: mlp("float32"),
    "mlp_float64": lambda: mlp("float64"),
    "mlp_float16": lambda: mlp("float16"),
    "image": image,
    "conditioned": lambda: (Conditioned(), {"x": ln.Input((4,)), "index": ln.Input((1,), "int64")}),
    "weights_bfloat16": wide,
    "weights_int8": wide,
}


def make(name: str) -> None:
    ln.reset_naming()
    network, inputs = NETWORKS[name]()
    ln.Predictor(network, inputs)  # creates the variables
    generator = np.random.default_rng(1)
    for v in [*network.variables, *([network.table] if name == "conditioned" else [])]:
        values = generator.uniform(0.2, 1, v.shape) if "variance" in v.name else generator.normal(0, 0.5, v.shape)
        v.assign(values.astype(v.dtype.name))
    weights = name.removeprefix("weights_") if name.startswith("weights_") else "float32"
    predictor = ln.Predictor(network, inputs, weights=weights)
    folder = FOLDER / ("format_v1" if weights == "float32" else "format_v2")
    predictor.save(folder / f"{name}.safetensors")
    x = nest.map_structure(lambda s: sample(generator, s), inputs)
    arrays = {f"input_{i}": a for i, a in enumerate(nest.flatten(x))}
    arrays |= {f"output_{i}": a for i, a in enumerate(nest.flatten(predictor.predict(x)))}
    np.savez(folder / f"{name}.npz", **arrays)


def sample(generator: np.random.Generator, symbol: Any) -> Any:
    shape = [3 if size is None else size for size in symbol.shape]
    if symbol.dtype == "int64":
        return generator.integers(0, 5, shape)
    return generator.normal(size=shape).astype(symbol.dtype.name)


if __name__ == "__main__":
    for wanted in sys.argv[1:]:
        make(wanted)

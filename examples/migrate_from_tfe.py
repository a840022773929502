"""A network written for tf.contrib.eager.Network, with its TensorFlow 1.10 checkpoint, moved to layernet.

The classes are the old ones with `tfe` and `tf` replaced by `ln`; names, nesting and so the keys of the checkpoint
stay. The script restores the checkpoint, compares with what TensorFlow computed, and saves in layernet's own format.

Usage: migrate_from_tfe.py [FOLDER], where FOLDER holds ranker_net-3.index, its data file and data.npz (default: the
fixtures of the tests).
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import layernet as ln

FIXTURES = Path(__file__).resolve().parents[1] / "tests" / "fixtures" / "tf110"


class Tower(ln.Network):
    def __init__(self, units: int, name: str | None = None) -> None:
        super().__init__(name=name)
        self.a = self.track_layer(ln.layers.Dense(units, activation="relu"))
        self.bn = self.track_layer(ln.layers.BatchNormalization())
        self.b = self.track_layer(ln.layers.Dense(units // 2, activation="tanh", name="proj"))

    def call(self, x: Any, training: bool = False) -> Any:
        return self.b(self.bn(self.a(x), training=training))


class Ranker(ln.Network):
    def __init__(self, units: int = 8, name: str | None = None) -> None:
        super().__init__(name=name)
        self.tower = self.track_layer(Tower(units))
        self.mix = self.track_layer(ln.layers.Dense(5, use_bias=False))
        self.head = self.track_layer(ln.Sequential([ln.layers.Dense(4, activation="elu"), ln.layers.Dense(1)]))

    def call(self, inputs: Any, training: bool = False) -> Any:
        q, d = inputs
        towers = [self.tower(q, training=training), self.tower(d, training=training)]
        return self.head(self.mix(ln.concat(towers, -1)))


def main(folder: Path) -> None:
    data = np.load(folder / "data.npz")
    inputs = [data["q"], data["d"]]

    ranker = Ranker(name="ranker")
    ln.restore_network_checkpoint(ranker, folder / "ranker_net-3")  # before the first call: values wait for variables
    difference = float(np.abs(np.asarray(ranker(inputs)) - data["ranker"]).max())
    print(f"restored {len(ranker.variables)} variables; largest difference from TensorFlow's outputs: {difference:.1e}")
    if not difference < 1e-6:
        sys.exit("the outputs differ")

    with tempfile.TemporaryDirectory() as target:
        path = ln.save_network_checkpoint(ranker, Path(target, "ranker"), global_step=3)
        again = Ranker()
        ln.restore_network_checkpoint(again, path)
        same = bool((np.asarray(again(inputs)) == np.asarray(ranker(inputs))).all())
        print(f"saved as {Path(path).name}.safetensors and restored into another network: equal outputs {same}")
        if not same:
            sys.exit("the outputs differ")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FIXTURES)

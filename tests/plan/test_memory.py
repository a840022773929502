"""What a loaded predictor holds in memory: its packed weights, and no second copy of them."""

import os
import subprocess
import sys

import numpy as np
import pytest

import layernet as ln

LOAD = """
import sys, numpy as np, layernet as ln

def resident():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmRSS")).split()[1]) * 1024

ln.Predictor.load(sys.argv[1]).predict(np.ones((1, 8), "float32"))
before = resident()
predictor = ln.Predictor.load(sys.argv[2])
predictor.predict(np.ones((1, 512), "float32"))
print(resident() - before, predictor.nbytes)
"""


@pytest.fixture(scope="module")
def recsys():
    layers = [ln.layers.Dense(n, "relu") for n in (1024, 512, 256)] + [ln.layers.Dense(1)]
    net = ln.Sequential(layers)
    net(np.ones((1, 512), "float32"))
    return net


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.skipif("libasan" in os.environ.get("LD_PRELOAD", ""), reason="the sanitizer keeps freed memory")
def test_a_loaded_predictor_holds_its_weights_once(recsys, tmp_path):
    ln.Predictor(ln.layers.Dense(2), ln.Input((8,))).save(tmp_path / "small.safetensors")
    ln.Predictor(recsys).save(tmp_path / "recsys.safetensors")
    paths = [str(tmp_path / name) for name in ("small.safetensors", "recsys.safetensors")]
    done = subprocess.run([sys.executable, "-c", LOAD, *paths], capture_output=True, text=True, check=True)
    resident, held = map(int, done.stdout.split())
    weights = sum(v.numpy().nbytes for v in recsys.variables)
    assert weights <= held <= 1.01 * weights
    assert resident <= 1.15 * weights


def test_bytes_of_steps_are_those_of_what_they_read(recsys):
    predictor = ln.Predictor(recsys)
    assert sum(step["constant_bytes"] for step in predictor.steps) == predictor.nbytes

"""Every C++ test program: built with the library (LAYERNET_TESTS=ON), run here."""

import os
import subprocess
from pathlib import Path

import pytest

FOLDER = os.environ.get("LAYERNET_CPP_PROGRAMS")
NAMES = sorted(source.stem for source in Path(__file__).parent.glob("*.cpp"))


@pytest.mark.skipif(FOLDER is None, reason="LAYERNET_CPP_PROGRAMS does not name the folder of the built programs")
@pytest.mark.parametrize("name", NAMES)
def test_program(name):
    done = subprocess.run([Path(FOLDER) / name], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr

"""Object files of the kernels export their table fillers only (check_symbols.py says why)."""

import os
from pathlib import Path

import pytest

from cpp.check_symbols import leaks

FOLDER = os.environ.get("LAYERNET_CPP_PROGRAMS")
OBJECTS = sorted(Path(FOLDER).parent.glob("CMakeFiles/layernet_kernels_*/**/target_*.o")) if FOLDER else []


@pytest.mark.skipif(FOLDER is None, reason="LAYERNET_CPP_PROGRAMS does not name the folder of the built programs")
def test_kernel_objects_found():
    assert OBJECTS


@pytest.mark.parametrize("path", OBJECTS, ids=lambda path: f"{path.parts[-4]}/{path.name}")
def test_kernel_object_exports(path):
    if b"__asan_" in path.read_bytes():
        pytest.skip("sanitizers add symbols of their own")
    assert leaks(path) == []

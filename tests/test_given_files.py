"""The golden cases and the checkpoints of TensorFlow 1.10 are the given ones, byte for byte."""

from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
SHARED = HERE.parent.parent / "shared"


@pytest.mark.skipif(not SHARED.is_dir(), reason="the given files are not beside the clone")
@pytest.mark.parametrize("folder", ["conformance", "fixtures"])
def test_given_files_are_unchanged(folder):
    given = {p.relative_to(SHARED / folder) for p in (SHARED / folder).rglob("*") if p.is_file()}
    given = {p for p in given if "__pycache__" not in p.parts}

    differing = [p for p in given if (HERE / folder / p).read_bytes() != (SHARED / folder / p).read_bytes()]

    assert given
    assert not differing

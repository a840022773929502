"""Writes the type stubs of the installed extension module layernet._core.

Usage: stubs.py FILE
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path


def generate() -> str:
    """The text of _core.pyi, as pybind11-stubgen and ruff make it."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pybind11_stubgen", "layernet._core", "--exit-code", "-o", folder]
        subprocess.run(command, check=True)
        path = Path(folder, "layernet", "_core.pyi")
        config = Path(__file__).resolve().parent.parent / "pyproject.toml"
        for arguments in (["check", "--fix", "--quiet", "--exit-zero"], ["format", "--quiet"]):
            subprocess.run([sys.executable, "-m", "ruff", *arguments, "--config", config, path], check=True)
        return path.read_text()


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    Path(sys.argv[1]).write_text(generate())


if __name__ == "__main__":
    main()

"""Installs one distribution file into an empty virtual environment in a temporary folder and runs Python code there."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from pathlib import Path


def run_installed(distribution: Path, commands: Sequence[Sequence[str]], extra: str = "") -> None:
    """Run `python <arguments>` for each of `commands`, with nothing but `distribution` (and its `extra`) installed."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(Path(folder, "venv"), with_pip=True)
        python = Path(folder, "venv", "bin", "python")
        work = Path(folder, "empty")
        work.mkdir()
        pip = [
            str(python),
            "-m",
            "pip",
            "install",
            "-q",
            "--disable-pip-version-check",
            f"{distribution.resolve()}{extra}",
        ]
        for command in [pip, *([str(python), *arguments] for arguments in commands)]:
            if subprocess.run(command, cwd=work).returncode != 0:
                sys.exit(f"{distribution.name}: failed: {' '.join(command)}")

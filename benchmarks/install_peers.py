"""Installs the peers named in requirements.txt, one by one, and goes on without those that cannot be had here.

Usage: install_peers.py PYTHON
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    lines = Path(__file__).with_name("requirements.txt").read_text().splitlines()
    for requirement in (line for line in lines if line and not line.startswith("#")):
        command = [sys.argv[1], "-m", "pip", "install", "-q", "--disable-pip-version-check", requirement]
        if subprocess.run(command).returncode != 0:
            print(f"{requirement}: not installed, left out")


if __name__ == "__main__":
    main()

"""Builds and installs a source distribution in an empty folder and runs one test file against it.

Usage: check_sdist.py SDIST TEST_FILE
"""

from __future__ import annotations

import sys
import tarfile
from pathlib import Path

from fresh_venv import run_installed

UNWANTED = ("build/", "dist/", ".venv", ".ci/", ".git/", ".hypothesis/")


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sdist, test = (Path(argument).resolve() for argument in sys.argv[1:])
    with tarfile.open(sdist) as archive:
        inner = [name.partition("/")[2] for name in archive.getnames()]
    stray = [name for name in inner if name.startswith(UNWANTED) or name.endswith((".so", ".pyc"))]
    if stray:
        sys.exit(f"{sdist.name}: files that do not belong there: {stray[:10]}")
    run_installed(sdist, [["-m", "pytest", "-q", "-p", "no:cacheprovider", str(test)]], extra="[test]")
    print(f"{sdist.name}: ok ({len(inner)} files, {sdist.stat().st_size / 1e6:.2f} MB)")


if __name__ == "__main__":
    main()

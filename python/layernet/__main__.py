"""`python -m layernet`: where the headers and the CMake package are, and how the library was built."""

from __future__ import annotations

import argparse
from pathlib import Path

import layernet
from layernet import _core

# Headers and libraries lie beside the extension module, which an editable install keeps apart from the sources.
ROOT = Path(_core.__file__).resolve().parent


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m layernet", description=__doc__)
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument("--version", action="store_true", help="print the version")
    choice.add_argument("--include-dir", action="store_true", help="print the folder of the C++ headers")
    choice.add_argument("--cmake-dir", action="store_true", help="print the folder of the CMake package")
    choice.add_argument("--build-info", action="store_true", help="print compiler, instruction sets, BLAS and threads")
    options = parser.parse_args()
    if options.version:
        print(layernet.__version__)
    elif options.include_dir:
        print(ROOT / "include")
    elif options.cmake_dir:
        print(ROOT / "lib" / "cmake" / "layernet")
    else:
        for key, value in layernet.build_info().items():
            print(f"{key}: {value}")


if __name__ == "__main__":
    main()

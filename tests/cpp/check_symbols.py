"""Checks that per-ISA object files define nothing but their table fillers: check_symbols.py OBJECT...

A weak or inline function compiled for one instruction set could stand in for another's at link time and then run on a
CPU that lacks it. Exit status 1 and a list if an object defines any other symbol that is visible to the linker.
"""

import os
import re
import subprocess
import sys

# fill_<family>_<isa>(KernelTable*), as the Itanium C++ ABI spells it
FILLER = re.compile(
    r"_?_ZN8layernet7kernels\d+fill_[a-z0-9_]+_(scalar|avx2|avx512(vnni)?|amx|neon)EPNS0_11KernelTableE$"
)


def leaks(path):
    """Symbols of the object at `path` that are neither local, undefined nor a filler, as (type, name)."""
    listing = subprocess.run([os.environ.get("NM", "nm"), path], capture_output=True, text=True, check=True).stdout
    symbols = [line.split()[-2:] for line in listing.splitlines() if len(line.split()) >= 2]
    # Lower case letters are local, but u, v and w are unique and weak ones; U is undefined.
    visible = [(kind, name) for kind, name in symbols if kind in "uvw" or (kind.isupper() and kind != "U")]
    return [(kind, name) for kind, name in visible if not (kind == "T" and FILLER.match(name))]


def main(paths):
    """Prints every leak; the exit status."""
    found = [(path, kind, name) for path in paths for kind, name in leaks(path)]
    for path, kind, name in found:
        print(f"{path}: {kind} {name}")
    if not paths:
        print("check_symbols: expected the object files of the kernels, got none.")
    return 1 if found or not paths else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

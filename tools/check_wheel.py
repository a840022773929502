"""Checks a repaired wheel: size, contents, and that it imports and predicts in an empty environment.

Usage: check_wheel.py WHEEL...
"""

from __future__ import annotations

import re
import sys
import zipfile
from collections import Counter
from pathlib import Path, PurePosixPath

from fresh_venv import run_installed

MAX_BYTES = 10_000_000
REQUIRED = [
    r"layernet/__init__\.py",
    r"layernet/py\.typed",
    r"layernet/_core\.pyi",
    r"layernet/_predict\.pxd",
    r"layernet/_core\.[^/]+\.so",
    r"layernet/_predict\.[^/]+\.so",
    r"layernet/lib/liblayernet\.(so|dylib)",
    r"layernet/lib/libscipy_openblas\.(so|dylib)",
    r"layernet/lib/cmake/layernet/layernet-config\.cmake",
    r"layernet/lib/pkgconfig/layernet\.pc",
    r"layernet/include/layernet/layernet\.h",
    r"layernet/include/layernet/version\.h",
    r"layernet-[^/]+\.dist-info/licenses/LICENSE",
    r"layernet-[^/]+\.dist-info/licenses/scipy-openblas32/.+",
    r"layernet-[^/]+\.dist-info/licenses/pybind11/.+",
]
ALLOWED_TOP = r"layernet|layernet-[^/]+\.dist-info"
ALLOWED_SUFFIXES = {"", ".py", ".pyi", ".pxd", ".typed", ".so", ".dylib", ".h", ".cmake", ".pc", ".txt", ".json"}
PREDICT = """
import sys
import numpy as np
import layernet as ln

assert "scipy_openblas32" not in sys.modules
net = ln.Sequential([ln.layers.Dense(5, activation="relu"), ln.layers.Dense(3)])
x = np.linspace(-1, 1, 28, dtype="float32").reshape(4, 7)
net(x)
kernel, bias, kernel_1, bias_1 = (np.asarray(v) for v in net.variables)
expected = np.maximum(x @ kernel + bias, 0) @ kernel_1 + bias_1
np.testing.assert_allclose(ln.Predictor(net).predict(x), expected, rtol=1e-5, atol=1e-6)
print("predicts:", ln.__version__, ln.build_info())
"""


def problems(wheel: Path) -> list[str]:
    """What is wrong with the file, without installing it."""
    found = []
    size = wheel.stat().st_size
    if size > MAX_BYTES:
        found.append(f"{size} bytes, at most {MAX_BYTES} are allowed")
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        largest = sorted(archive.infolist(), key=lambda item: -item.compress_size)[:5]
    for pattern in REQUIRED:
        if not any(re.fullmatch(pattern, name) for name in names):
            found.append(f"missing: {pattern}")
    for name in names:
        if not re.fullmatch(ALLOWED_TOP, name.split("/")[0]):
            found.append(f"stray top-level entry: {name}")
        if ".dist-info/" not in name and PurePosixPath(name).suffix not in ALLOWED_SUFFIXES:
            found.append(f"stray file: {name}")
    # auditwheel gives a grafted copy the name lib<x>-<hash>.so: cut at the first mark to see doubles.
    libraries = Counter(
        re.split(r"[-.]", PurePosixPath(name).name)[0] for name in names if re.search(r"\.(so|dylib)\b", name)
    )
    if libraries != Counter(["_core", "_predict", "liblayernet", "libscipy_openblas"]):
        found.append(f"expected four libraries, each once, got {dict(libraries)}")
    print(f"{wheel.name}: {size / 1e6:.2f} MB, {len(names)} files; largest (compressed):")
    for item in largest:
        print(f"  {item.compress_size / 1e6:6.2f} MB  {item.filename}")
    return found


def main() -> None:
    wheels = [Path(argument) for argument in sys.argv[1:]]
    if not wheels:
        sys.exit(__doc__)
    for wheel in wheels:
        found = problems(wheel)
        if found:
            sys.exit("\n".join([f"{wheel.name} is not fit for release:", *found]))
        run_installed(wheel, [["-I", "-W", "error", "-c", PREDICT], ["-I", "-m", "layernet", "--build-info"]])
        print(f"{wheel.name}: ok")


if __name__ == "__main__":
    main()

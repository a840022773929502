"""The examples of csrc/examples, copied to an empty folder, built there against the installed package, and run."""

import importlib.metadata
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import layernet as ln

EXAMPLES = Path(__file__).parents[2] / "csrc" / "examples"
# The tools of the environment that runs the tests go first.
SEARCH = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
CXX = os.environ.get("CXX") or shutil.which("c++", path=SEARCH) or shutil.which("g++", path=SEARCH)
CC = os.environ.get("CC") or shutil.which("cc", path=SEARCH) or shutil.which("gcc", path=SEARCH)
pytestmark = pytest.mark.skipif(CXX is None or CC is None, reason="no C and C++ compiler")


def run(*command, folder, **variables):
    environment = {**os.environ, "PATH": SEARCH, "CC": str(CC), "CXX": str(CXX), **variables}
    done = subprocess.run([str(part) for part in command], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def printed_by_module(option):
    return run(sys.executable, "-m", "layernet", option, folder="/").strip()


def build(example, folder, *options, prefix=None):
    """Configures and builds a copy of the example; returns the folder with the results."""
    source, target = folder / example, folder / f"{example}-build"
    shutil.copytree(EXAMPLES / example, source)
    prefixes = [prefix or printed_by_module("--cmake-dir")]
    if example == "pybind11_service":
        prefixes.append(run(sys.executable, "-m", "pybind11", "--cmakedir", folder=folder).strip())
    generator = ["-GNinja"] if shutil.which("ninja", path=SEARCH) else []
    run("cmake", "-S", source, "-B", target, *generator, f"-DPython_EXECUTABLE={sys.executable}",
        "-DCMAKE_BUILD_TYPE=Release", f"-DCMAKE_PREFIX_PATH={';'.join(prefixes)}", *options, folder=folder)  # fmt: skip
    run("cmake", "--build", target, folder=folder)
    return target


@pytest.fixture
def saved(tmp_path):
    """A predictor and its file."""
    net = ln.Sequential([ln.layers.Dense(16, activation="tanh"), ln.layers.Dense(3)], name="net")
    net(np.ones((1, 5), "float32"))
    predictor = ln.Predictor(net)
    predictor.save(tmp_path / "net.safetensors")
    return predictor, tmp_path / "net.safetensors"


def assert_prints_outputs_of_ones(text, predictor):
    values = np.array(text.split(), "float32").reshape(2, 3)
    np.testing.assert_array_equal(values, predictor.predict(np.ones((2, 5), "float32")))


def test_cmake_project_in_cpp(tmp_path, saved):
    predictor, file = saved
    program = build("hello_plan", tmp_path) / "hello_plan"
    lines = run(program, file, folder=tmp_path).splitlines()
    assert lines[0] == "input input: type 0, [N, 5]"
    assert lines[1] == "output output: type 0, [N, 3]"
    assert_prints_outputs_of_ones(lines[2], predictor)


def test_cpp_program_gets_an_exception_for_a_bad_file(tmp_path, saved):
    program = build("hello_plan", tmp_path) / "hello_plan"
    (tmp_path / "bad").write_bytes(b"not a file of ours")
    for name, message in (("bad", "expected a header that fits"), ("none", "No such file")):
        done = subprocess.run([program, tmp_path / name], capture_output=True, text=True)
        assert done.returncode == 1
        assert message in done.stderr


def test_cmake_project_in_c99(tmp_path, saved):
    predictor, file = saved
    program = build("hello_c", tmp_path) / "hello_c"
    assert_prints_outputs_of_ones(run(program, file, folder=tmp_path), predictor)


def test_cmake_prefix_entry_point_leads_to_the_package(tmp_path):
    entries = [e for e in importlib.metadata.entry_points(group="cmake.prefix") if e.name == "layernet"]
    if not entries:
        pytest.skip("layernet is run from a build folder, which has no entry points")
    build("hello_plan", tmp_path, prefix=str(Path(entries[0].load().__file__).parent))


def test_c_compiler_alone(tmp_path, saved):
    predictor, file = saved
    library = Path(printed_by_module("--cmake-dir")).parents[1]
    shutil.copy(EXAMPLES / "hello_c" / "main.c", tmp_path)
    run(CC, "-std=c99", "-Wall", "-Werror", "-pedantic", "main.c", f"-I{printed_by_module('--include-dir')}",
        f"-L{library}", "-llayernet", f"-Wl,-rpath,{library}", "-o", "hello", folder=tmp_path)  # fmt: skip
    assert_prints_outputs_of_ones(run(tmp_path / "hello", file, folder=tmp_path), predictor)


@pytest.mark.skipif(shutil.which("pkg-config") is None, reason="no pkg-config")
def test_pkg_config(tmp_path, saved):
    predictor, file = saved
    folder = Path(printed_by_module("--cmake-dir")).parents[1] / "pkgconfig"
    flags = run("pkg-config", "--cflags", "--libs", "layernet", folder=tmp_path, PKG_CONFIG_PATH=str(folder)).split()
    shutil.copy(EXAMPLES / "hello_c" / "main.c", tmp_path)
    run(CC, "-std=c99", "-Wall", "-Werror", "main.c", *flags, "-o", "hello", folder=tmp_path)
    assert_prints_outputs_of_ones(run(tmp_path / "hello", file, folder=tmp_path), predictor)


def test_extension_module_in_pybind11_calls_from_its_own_threads(tmp_path, saved):
    folder = build("pybind11_service", tmp_path)
    script = """
import sys, numpy as np, layernet as ln, scorer
predictor = ln.Predictor.load(sys.argv[1])
x = np.random.default_rng(0).normal(size=(1001, 5)).astype("float32")
expected = predictor.predict(x)
s = scorer.Scorer(predictor)
del predictor
assert (s.score(x, threads=4) == expected).all()
for wrong in (3, None, ln):
    try:
        scorer.Scorer(wrong)
    except TypeError as error:
        assert "expected a layernet.Predictor, got" in str(error), error
    else:
        raise AssertionError(wrong)
"""
    run(sys.executable, "-c", script, saved[1], folder=folder)
    assert "liblayernet" not in run("ldd", next(folder.glob("scorer*.so")), folder=folder)


def test_extension_module_in_cython_calls_without_the_gil(tmp_path, saved):
    folder = build("cython_service", tmp_path)
    script = """
import sys, numpy as np, layernet as ln, rater
predictor = ln.Predictor.load(sys.argv[1])
x = np.random.default_rng(0).normal(size=(101, 5)).astype("float32")
y = np.empty((101, 3), "float32")
rater.rate(predictor, x, y)
assert (y == predictor.predict(x)).all()
try:
    rater.rate(object(), x, y)
except TypeError as error:
    assert "expected a layernet.Predictor, got object" in str(error)
else:
    raise AssertionError
"""
    run(sys.executable, "-c", script, saved[1], folder=folder)
    assert "liblayernet" not in run("ldd", next(folder.glob("rater*.so")), folder=folder)

"""Rules of the source tree that no compiler checks: the version, the stubs, who may include whom, where things are."""

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import layernet as ln
from layernet import _core, _predict

ROOT = Path(__file__).resolve().parent.parent
CSRC, PACKAGE = ROOT / "csrc", ROOT / "python" / "layernet"


def files(folder, *suffixes):
    return sorted(p for p in (ROOT / folder).rglob("*") if p.suffix in suffixes and "build" not in p.parts)


CPP = files("csrc", ".h", ".c", ".cpp")
PYTHON = [p for f in ("python", "tests", "tools", "benchmarks") for p in files(f, ".py", ".pyx")]
PYTHON = [p for p in PYTHON if "conformance" not in p.parts]
TEXT = [*CPP, *PYTHON, *files("csrc", ".def", ".cmake", ".in", ".txt", ".md"), *files("tests/cpp", ".h", ".cpp", ".sh")]
TEXT += [p for p in ROOT.iterdir() if p.suffix in (".md", ".toml", ".txt", ".json") or p.name == "Makefile"]


def named(paths):
    return [pytest.param(p, id=str(p.relative_to(ROOT))) for p in paths]


# ---- the version -----------------------------------------------------------------------------------------------------


def test_version_is_written_once():
    written = re.search(r'^version = "(.*)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)[1]

    places = [p for p in TEXT if p.suffix not in (".md", ".toml") and f'"{written}"' in p.read_text()]

    assert ln.__version__ == _core.build_info()["version"] == written
    assert places == []


# ---- stubs -----------------------------------------------------------------------------------------------------------


def test_core_stub_is_what_would_be_generated(tmp_path):
    pytest.importorskip("pybind11_stubgen", reason="the extra [dev] has the generator")
    made = tmp_path / "_core.pyi"

    done = subprocess.run([sys.executable, ROOT / "tools" / "stubs.py", made], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert made.read_text() == (PACKAGE / "_core.pyi").read_text(), "run `make stubs`"


@pytest.mark.parametrize("module", [_core, _predict], ids=lambda module: module.__name__)
def test_stub_has_every_name(module):
    tree = ast.parse((PACKAGE / f"{module.__name__.split('.')[1]}.pyi").read_text())

    stubbed = {node.name for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
    stubbed |= {node.target.id for node in tree.body if isinstance(node, ast.AnnAssign)}

    present = {name for name in vars(module) if not name.startswith("_")} - {"annotations"}
    assert {name for name in stubbed if not name.startswith("_")} == present


def test_predict_stub_has_every_method():
    tree = ast.parse((PACKAGE / "_predict.pyi").read_text())
    [caller] = [node for node in tree.body if isinstance(node, ast.ClassDef)]

    stubbed = {node.name for node in caller.body if isinstance(node, ast.FunctionDef)} - {"__new__"}

    assert stubbed == {name for name in vars(_predict.PlanCaller) if not name.startswith("_")}


# ---- public names ----------------------------------------------------------------------------------------------------


def test_every_op_function_is_public():
    made_here = {
        name
        for name, thing in vars(ln.ops).items()
        if inspect.isfunction(thing) and thing.__module__ == "layernet.ops" and not name.startswith("_")
    }

    assert made_here <= set(ln.ops.__all__)
    assert made_here - set(ln.__all__) <= set(ln.nn.__all__) | {"assign", "assign_add", "assign_sub", "moving_average"}


# ---- who may include whom --------------------------------------------------------------------------------------------

# Folder -> what its files may include, beside files of the same folder. Calls go downwards only.
ALLOWED = {
    "include": ("layernet/",),
    "core": ("layernet/", "kernels/table.h", "kernels/dispatch.h"),
    "kernels": ("simd/",),
    "graph": ("layernet/", "core/", "kernels/table.h", "kernels/dispatch.h"),
    "ops": ("layernet/", "graph/", "core/", "kernels/table.h", "kernels/kernel_args.h", "kernels/gemm_auto.h"),
    "autograd": ("layernet/", "graph/", "core/"),
    "plan": ("layernet/", "graph/", "core/"),
    "bindings": ("layernet/", "graph/", "core/", "autograd/", "plan/handle.h"),
}
EXCEPTIONS = {
    ("kernels/blas.cpp", "core/platform_posix.h"),  # OpenBLAS is found and opened as any other library
    ("core/info.cpp", "kernels/blas.h"),  # build_info() says which BLAS is loaded
    ("graph/op.cpp", "ops/ops.def"),  # the list of names is what keeps the registry ignorant of the ops
}


def includes(path):
    return re.findall(r'^#include "([^"]+)"', path.read_text(), re.MULTILINE)


@pytest.mark.parametrize("folder", sorted(ALLOWED))
def test_includes_go_downwards(folder):
    wrong = [
        (name, included)
        for path in files(f"csrc/{folder}", ".h", ".cpp")
        for name in [str(path.relative_to(CSRC))]
        for included in includes(path)
        if not included.startswith((f"{folder}/", *ALLOWED[folder]))
        and not (path.parent / included).exists()
        and (name, included) not in EXCEPTIONS
    ]

    assert wrong == []


def test_kernels_use_c_headers_only():
    headers = {
        (path.name, header)
        for path in files("csrc/kernels", ".h")
        for header in re.findall(r"^#include <([^>]+)>", path.read_text(), re.MULTILINE)
        if not header.endswith(".h")
    }

    assert headers == set()


def test_intrinsics_are_in_simd_only():
    users = [str(p.relative_to(CSRC)) for p in CPP if re.search(r"#include <(immintrin|arm_neon)\.h>", p.read_text())]

    assert [name for name in users if not name.startswith("kernels/simd/")] == []


@pytest.mark.parametrize("path", named(files("python/layernet/layers", ".py")))
def test_layers_know_neither_core_nor_plans(path):
    imported = {
        f"{node.module}.{alias.name}"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }

    assert not [name for name in imported if re.match(r"layernet\.(_core|_predict|compiling|tape|optimizers)\b", name)]


# ---- where things are ------------------------------------------------------------------------------------------------

OPS = re.findall(r"^LN_OP\((\w+)\)$", (CSRC / "ops" / "ops.def").read_text(), re.MULTILINE)


def test_ops_are_listed_in_order():
    assert sorted(set(OPS)) == OPS
    assert {op["name"] for op in _core.op_list()} == set(OPS)


@pytest.mark.parametrize("name", OPS)
def test_op_is_defined_in_the_file_of_its_name(name):
    defining = [p.stem for p in files("csrc/ops", ".cpp") if re.search(rf"\bOpDef {name}_op\b *[={{]", p.read_text())]

    assert len(defining) == 1
    assert name == defining[0] or name.startswith(f"{defining[0]}_") or f"{defining[0]}_" in f"{name}_"


@pytest.mark.parametrize("path", named([*CPP, *files("tests/cpp", ".h", ".cpp")]))
def test_source_opens_with_what_it_is_for(path):
    assert path.read_text().startswith(("// ", "/* "))


@pytest.mark.parametrize("path", named(PYTHON))
def test_module_opens_with_what_it_is_for(path):
    assert re.match(r'(#.*\n)*(r?""")', path.read_text())


# Written so that this file does not match.
LEFT_OVER = re.compile(r"\b(TO[D]O|FIX[M]E|XX[X]|HA[C]K)\b|(?<![\w.~/])/(ro[o]t|ho[m]e|wo[r]k|tm[p])/")


@pytest.mark.parametrize("path", named(sorted(TEXT)))
def test_nothing_is_left_over(path):
    assert not LEFT_OVER.search(path.read_text())

"""Writes the type stubs of the installed extension module layernet._core.

Usage: stubs.py FILE

pybind11-stubgen lists what there is and quotes the documentation. What it cannot know is added here: the operators,
which are C slots, the ops, which are callable objects, and the item types of containers.
"""

from __future__ import annotations

import ast
import subprocess
import sys
import tempfile
from pathlib import Path

HEADER = """\
from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, NoReturn, TypeAlias

import numpy as np
import numpy.typing as npt
from typing_extensions import CapsuleType, Self

_TensorLike: TypeAlias = Tensor | Symbol | Variable | npt.NDArray[Any] | np.generic | float | Sequence[Any]
_DTypeLike: TypeAlias = DType | str | npt.DTypeLike
_Value: TypeAlias = Tensor | Symbol

class Op:
    \"\"\"An op of the library: inputs by position, attributes by keyword. On a symbol it gives a symbol.\"\"\"

    @property
    def __name__(self) -> str: ...
    def __call__(self, *inputs: Any, **attributes: Any) -> Tensor: ...
"""

VALUES = {"Tensor": "Tensor", "Symbol": "Symbol", "Variable": "Tensor"}  # class -> what its operators give
BINARY = ["add", "and", "floordiv", "matmul", "mod", "mul", "or", "pow", "sub", "truediv", "xor"]
COMPARISONS = ["ge", "gt", "le", "lt"]
UNARY = ["abs", "invert", "neg", "pos"]
IDENTITY = ["eq", "ne"]  # tensors compare by identity, as in TensorFlow 1.x
CONVERSIONS = {"bool": "bool", "float": "float", "int": "int", "index": "int", "len": "int", "hash": "int"}

# Function -> its signature, for what the generator leaves as *args or without types.
SIGNATURES = {
    "DType.__eq__": "(self, other: object) -> bool",
    "DType.dtype": "(self) -> np.dtype[Any]",
    "Tensor.__array__": "(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]",
    "Tensor.__deepcopy__": "(self, memo: Any) -> Tensor",
    "Tensor.__dlpack__": "(self, *, stream: Any = None, max_version: tuple[int, int] | None = None,"
    " dl_device: tuple[int, int] | None = None, copy: bool | None = None) -> CapsuleType",
    "Tensor.__format__": "(self, format_spec: str) -> str",
    "Tensor.__iter__": "(self) -> Iterator[Tensor]",
    "Symbol.__array__": "(self, *args: Any, **kwargs: Any) -> NoReturn",
    "Symbol.__iter__": "(self) -> NoReturn",
    "Symbol._known_dims": "(self) -> list[int] | None",
    "Symbol.numpy": "(self) -> NoReturn",
    "Symbol.shape": "(self) -> tuple[int | None, ...]",
    "Variable.__array__": "(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]",
    "Variable.__dlpack__": "(self, *, stream: Any = None, max_version: tuple[int, int] | None = None,"
    " dl_device: tuple[int, int] | None = None, copy: bool | None = None) -> CapsuleType",
    "Variable.__format__": "(self, format_spec: str) -> str",
    "Variable.__init__": "(self, initial_value: _TensorLike, dtype: _DTypeLike | None = None, trainable: bool = True)"
    " -> None",
    "Variable.__iter__": "(self) -> Iterator[Tensor]",
    "Variable.value": "(self) -> Tensor",
    "Tape.gradient": "(self, targets: list[Any], sources: list[Any], output_gradients: list[Any] | None = None,"
    " by_rows: bool = False) -> list[Any]",
    "Tape.watch": "(self, value: Tensor | Symbol | Variable) -> None",
    "Tape.watched_variables": "(self) -> list[Any]",
    "Effect.depends_on": "(self, inputs: list[Any]) -> bool",
    "Effect.variables": "(self) -> list[Variable]",
    "Graph.__init__": "(self, inputs: list[Symbol], outputs: list[Any], effects: list[Effect] = ...) -> None",
    "Graph.inputs": "(self) -> list[Symbol]",
    "Graph.outputs": "(self) -> list[_Value]",
    "NoTrace.__enter__": "(self) -> Self",
    "NoTrace.__exit__": "(self, *args: object) -> None",
    "Plan.run": "(self, inputs: list[Any]) -> list[npt.NDArray[Any]]",
    "Plan.steps": "(self) -> list[dict[str, Any]]",
    "PredictorFile.of": "(graph: Graph, variables: Mapping[Variable, str], inputs: Sequence[str],"
    " outputs: Sequence[str], structure: str, weights: str) -> PredictorFile",
    "Trace.__enter__": "(self) -> Self",
    "Trace.__exit__": "(self, *args: object) -> None",
    "Trace.effects": "(self) -> list[Effect]",
    "as_dtype": "(object: Any) -> DType",
    "constant": "(value: Any, dtype: _DTypeLike | None = None, shape: Sequence[int] | None = None) -> Tensor",
    "depends_on": "(outputs: list[Any], inputs: list[Any]) -> bool",
    "from_numpy": "(array: npt.NDArray[Any], copy: bool = True) -> Tensor",
    "op_list": "() -> list[dict[str, Any]]",
    "placeholder": "(shape: Sequence[int | None], dtype: _DTypeLike = 'float32', name: str = '') -> Symbol",
}
for cls, result in VALUES.items():
    for name in BINARY:
        SIGNATURES[f"{cls}.__{name}__"] = f"(self, other: _TensorLike) -> {result}"
        SIGNATURES[f"{cls}.__r{name}__"] = f"(self, other: _TensorLike) -> {result}"
    for name in COMPARISONS:
        SIGNATURES[f"{cls}.__{name}__"] = f"(self, other: _TensorLike) -> {result}"
    for name in UNARY:
        SIGNATURES[f"{cls}.__{name}__"] = f"(self) -> {result}"
    for name in IDENTITY:
        SIGNATURES[f"{cls}.__{name}__"] = "(self, other: object) -> bool"
    SIGNATURES[f"{cls}.__getitem__"] = f"(self, index: Any) -> {result}"
    SIGNATURES[f"{cls}.dtype"] = "(self) -> DType"
    SIGNATURES.setdefault(f"{cls}.shape", "(self) -> tuple[int, ...]")
    for name, kind in CONVERSIONS.items():
        SIGNATURES[f"{cls}.__{name}__"] = f"(self) -> {kind}"

# Types as the generator spells them -> as they are written here.
TYPES = {
    "bytes": "builtins.bytes",  # PredictorFile has a method of this name
    "dict": "dict[str, Any]",
    "list": "list[Any]",
    "tuple": "tuple[Any, ...]",
    "collections.abc.Sequence": "Sequence",
    "numpy.ndarray": "npt.NDArray[Any]",
    "typing.Any": "Any",
    "typing.ClassVar": "ClassVar",
    "typing.SupportsInt | typing.SupportsIndex": "int",
    "typing_extensions.CapsuleType": "CapsuleType",
}
LEFT_OUT = {"Op", "__new__", "__reduce__", "ops"}


class _Types(ast.NodeTransformer):
    """Replaces types by TYPES; a subscripted container keeps its items."""

    def visit(self, node: ast.AST) -> ast.AST:
        text = ast.unparse(node) if isinstance(node, ast.expr) else ""
        if text in TYPES:
            return ast.parse(TYPES[text], mode="eval").body
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
            node.slice = self.visit(node.slice)  # type: ignore[assignment]
            return node
        return self.generic_visit(node)


def _documentation(node: ast.stmt) -> ast.stmt:
    """A docstring on one line if it is one; anything else as it is."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        node.value.value = node.value.value.strip()
    return node


def _function(node: ast.FunctionDef, owner: str) -> ast.FunctionDef:
    """The function with its signature from SIGNATURES, or with its types respelled."""
    node.body = [_documentation(line) for line in node.body]
    signature = SIGNATURES.get(owner + node.name)
    if signature is not None:
        [known] = ast.parse(f"def {node.name}{signature}: ...").body
        assert isinstance(known, ast.FunctionDef)
        node.args, node.returns = known.args, known.returns
        if not owner or (node.args.args and node.args.args[0].arg == "self"):
            # A slot looks like a static method to the generator.
            node.decorator_list = [d for d in node.decorator_list if ast.unparse(d) != "staticmethod"]
        return node
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    for argument in filter(None, [*arguments, node.args.vararg, node.args.kwarg]):
        if argument.annotation is not None:
            argument.annotation = _Types().visit(argument.annotation)
        elif argument.arg != "self":
            sys.exit(f"stubs: {owner}{node.name} has no types. Add its signature to SIGNATURES.")
    node.returns = _Types().visit(node.returns) if node.returns is not None else None
    return node


def _order(node: ast.stmt) -> tuple[int, str]:
    """Documentation and constants, properties, methods, operators."""
    if not isinstance(node, ast.FunctionDef):
        return 0, ""
    if any(ast.unparse(d) == "property" for d in node.decorator_list):
        return 1, node.name
    return (3 if node.name.startswith("__") and node.name != "__init__" else 2), node.name


def _statements(body: list[ast.stmt], owner: str = "") -> list[ast.stmt]:
    kept: list[ast.stmt] = []
    for node in body:
        if isinstance(node, ast.ClassDef):
            if node.name not in LEFT_OUT:
                node.body = sorted(_statements(node.body, node.name + "."), key=_order)
                kept.append(node)
        elif isinstance(node, ast.FunctionDef):
            if node.name not in LEFT_OUT:
                kept.append(_function(node, owner))
        elif isinstance(node, ast.AnnAssign):
            if ast.unparse(node.target) != "__all__":
                node.annotation = _Types().visit(node.annotation)
                kept.append(node)
        elif isinstance(node, ast.Expr):
            kept.append(_documentation(node))
    return kept


def _ops(source: str) -> str:
    """The submodule as an object: one attribute for every op."""
    names = [ast.unparse(n.target) for n in ast.parse(source).body if isinstance(n, ast.AnnAssign)]
    lines = [f"    {name}: Op" for name in names if name != "__all__"]
    return "\n".join(["class _Ops:", '    """Every op of the library."""', "", *lines, "", "ops: _Ops"])


def generate() -> str:
    """The text of _core.pyi."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pybind11_stubgen", "layernet._core", "--exit-code", "-o", folder]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(done.stderr)
        generated = Path(folder, "layernet", "_core")
        tree = ast.parse((generated / "__init__.pyi").read_text())
        tree.body = _statements(tree.body)
        documentation = f'"""{ast.get_docstring(tree)}"""'
        constants = [node for node in tree.body if isinstance(node, ast.AnnAssign)]
        others = [node for node in tree.body[1:] if node not in constants]
        parts = [documentation, HEADER, "\n".join(map(ast.unparse, constants)), *map(ast.unparse, others)]
        path = Path(folder, "_core.pyi")
        path.write_text("\n\n".join([*parts, _ops((generated / "ops.pyi").read_text()), ""]))
        config = Path(__file__).resolve().parent.parent / "pyproject.toml"
        format_command = [sys.executable, "-m", "ruff", "format", "--quiet", "--config", str(config), str(path)]
        subprocess.run(format_command, check=True)
        return path.read_text()


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    Path(sys.argv[1]).write_text(generate())


if __name__ == "__main__":
    main()

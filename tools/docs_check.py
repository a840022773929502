"""Runs every documented example: doctests of the installed package's docstrings, Python blocks of the README.

The blocks of the README run one after the other in one namespace and one temporary folder, as a reader would type them.
"""

from __future__ import annotations

import doctest
import importlib
import importlib.util
import os
import pkgutil
import re
import sys
import tempfile
import traceback
from pathlib import Path
from types import ModuleType

import layernet

ROOT = Path(__file__).resolve().parent.parent
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
# Importing a __main__ runs it; _core and _predict have no examples of their own: their users' docstrings have them.
LEFT_OUT = {"layernet.__main__", "layernet._core", "layernet._predict"}
if importlib.util.find_spec("sklearn") is None:
    LEFT_OUT.add("layernet.sklearn")


def modules() -> list[ModuleType]:
    names = [info.name for info in pkgutil.walk_packages(layernet.__path__, "layernet.") if info.name not in LEFT_OUT]
    return [layernet, *map(importlib.import_module, sorted(names))]


def check_docstrings() -> tuple[int, int]:
    """Examples run, examples failed."""
    finder, runner = doctest.DocTestFinder(exclude_empty=True), doctest.DocTestRunner(optionflags=FLAGS)
    for module in modules():
        for test in finder.find(module, module.__name__):
            layernet.reset_naming()
            runner.run(test)
    return runner.tries, runner.failures


def check_readme(path: Path) -> tuple[int, int]:
    """Blocks run, blocks failed. A block written as a session (>>>) is a doctest, any other one a script."""
    text = path.read_text()
    namespace: dict[str, object] = {"__name__": "__readme__"}
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    tried = failed = 0
    layernet.reset_naming()
    for match in re.finditer(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        line = text.count("\n", 0, match.start(1))
        tried += 1
        if ">>>" in match[1]:
            test = doctest.DocTestParser().get_doctest(match[1], namespace, path.name, str(path), line)
            failed += runner.run(test, clear_globs=False).failed > 0
            namespace = test.globs
            continue
        try:
            exec(compile("\n" * line + match[1], str(path), "exec"), namespace)
        except Exception:
            failed += 1
            traceback.print_exc()
    return tried, failed


def main() -> None:
    ran, wrong = check_docstrings()
    print(f"docstrings: {ran} examples, {wrong} failed")
    readme = ROOT / "README.md"
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        blocks, bad = check_readme(readme) if readme.exists() else (0, 0)
    print(f"README.md: {blocks} blocks, {bad} failed")
    sys.exit(bool(wrong or bad))


if __name__ == "__main__":
    main()

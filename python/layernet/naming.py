"""Names of layers and variables: two tables for the process, and the scopes of the current thread.

*Layer names* are numbered per base name (`dense_1`). *Scope names* are the prefixes of variable names and may be used
once (`net/dense`). A thread also has a stack of open scopes. What is used inside an open scope of a layer is forgotten
when that scope closes, so each stack entry holds its own table of names; the outermost table is shared by all threads.
This is the bookkeeping of TensorFlow 1.10's variable scopes, which decides every variable name.
"""

from __future__ import annotations

import re
import threading
from collections import defaultdict
from collections.abc import Callable, Container, Sequence
from typing import Any

__all__ = ["VariableScope", "reset_naming", "snake_case", "unique_layer_name", "variable_scope"]

RestoreHook = Callable[[str, "tuple[int, ...]", Any], Any]
Partitioner = Callable[..., "Sequence[int]"]  # of shape= and dtype=: how many pieces along each axis

# Guards claiming a name and building a layer: both look first and write afterwards.
lock = threading.RLock()

_layer_counts: defaultdict[tuple[str, str], int] = defaultdict(int)


class _Outside(dict[str, bool]):
    """Names used outside of layers' calls; inside each call they are in a plain dictionary."""


_used_scopes = _Outside()


class VariableScope:
    """A prefix of variable names.

    Attributes:
        name: The full prefix without a trailing slash; "" for the outermost scope.
        parent: The scope around it, None for the outermost one.
        restore_hooks: Asked for the initial value of each variable created in this scope or below it, newest first.
        partitioner: Cuts the variables of layers in this scope or below it into pieces; see `find_partitioner`.
        is_copy: Whether networks in this scope may have names that are taken, since they are copies of those that took
            them.
    """

    __slots__ = ("__weakref__", "is_copy", "name", "parent", "partitioner", "restore_hooks")

    def __init__(self, name: str, parent: VariableScope | None = None, partitioner: Partitioner | None = None) -> None:
        self.name = name
        self.parent = parent
        self.restore_hooks: list[RestoreHook] = []
        self.partitioner = partitioner
        self.is_copy = False

    def child_name(self, name: str) -> str:
        """The full name of something called `name` in this scope."""
        return f"{self.name}/{name}" if self.name else name

    def find_partitioner(self) -> Partitioner | None:
        """The partitioner of this scope, else that of the nearest scope around it which has one."""
        scope: VariableScope | None = self
        while scope is not None:
            if scope.partitioner is not None:
                return scope.partitioner
            scope = scope.parent
        return None

    def __deepcopy__(self, memo: object) -> VariableScope:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return VariableScope, (self.name, self.parent)

    def __repr__(self) -> str:
        return f"VariableScope({self.name!r})"


ROOT = VariableScope("")


class _Thread(threading.local):
    """The scopes open in this thread, each with the names used inside (False: free again)."""

    def __init__(self) -> None:
        self.open: list[tuple[VariableScope, dict[str, bool]]] = [(ROOT, _used_scopes)]


thread = _Thread()


def current_scope() -> VariableScope:
    """The innermost scope open in this thread."""
    return thread.open[-1][0]


def is_used(name: str) -> bool:
    """Whether the full scope name `name` is taken."""
    return next((used[name] for _, used in reversed(thread.open) if name in used), False)


def was_used(name: str) -> bool:
    """Whether the full scope name `name` is taken or was taken inside a scope that has been closed."""
    return any(name in used for _, used in thread.open)


def unique_scope_name(parent: VariableScope, base: str) -> str:
    """The first of `base`, `base_1`, ... that is free in `parent`, as a full name."""
    name = candidate = parent.child_name(base)
    number = 0
    while is_used(candidate):
        number += 1
        candidate = f"{name}_{number}"
    return candidate


def open_scope(base: str, exact: str | VariableScope | None = None) -> VariableScope:
    """A new scope within the current one, its name claimed: `base` made unique, or `exact` as it is."""
    with lock:
        if isinstance(exact, VariableScope):
            scope = exact
        else:
            parent = current_scope()
            name = unique_scope_name(parent, base) if exact is None else parent.child_name(exact)
            scope = VariableScope(name, parent)
        thread.open[-1][1][scope.name] = True
        return scope


def claim_scope(parent: VariableScope, name: str) -> VariableScope | None:
    """A new scope called `name` in `parent`, claimed for the whole life of the process; None when it is taken."""
    with lock:
        full = parent.child_name(name)
        if is_used(full) and not parent.is_copy:
            return None
        _used_scopes[full] = True
        scope = VariableScope(full, parent)
        scope.is_copy = parent.is_copy
        return scope


def restore_scope(name: str, is_copy: bool) -> VariableScope:
    """The scope of that full name, claimed if it is free: for copies, which keep the names of what they copy."""
    with lock:
        _used_scopes.setdefault(name, True)
        scope = VariableScope(name, ROOT)
        scope.is_copy = is_copy
        return scope


def outermost_call() -> object:
    """Something that stands for the outermost call of a layer that this thread is in; None outside."""
    return next((used for _, used in thread.open if type(used) is dict), None)


def enter(scope: VariableScope) -> None:
    """Make `scope` the current one for a call. `Layer.__call__` does the same in line, for speed."""
    thread.open[-1][1][scope.name] = True
    thread.open.append((scope, {}))


def leave() -> None:
    """Undo the latest `enter`."""
    thread.open.pop()


class inside:
    """Context manager around `enter` and `leave`."""

    def __init__(self, scope: VariableScope) -> None:
        self._scope = scope

    def __enter__(self) -> VariableScope:
        enter(self._scope)
        return self._scope

    def __exit__(self, *exception: object) -> None:
        leave()


class variable_scope:
    """Prefix the names of what is created inside the block.

    Free layers called inside take the prefix, and so do free variables; a Network takes the scope in which it is
    constructed.

    Args:
        name_or_scope: A name, which is used as it is, or a `VariableScope` to go back to.
        default_name: When there is no `name_or_scope`: a name that is made unique by a number.
        partitioner: Cuts the variables that layers of the scope, and of scopes within it, make; see
            `fixed_size_partitioner`. None (default) leaves it to the scope around.

    Raises:
        ValueError: Neither a name nor a default is given.
        TypeError: A name of another type, or a partitioner that cannot be called.

    Example:
        >>> import layernet as ln
        >>> with ln.variable_scope("encoder") as scope:
        ...     v = ln.Variable(1.0, name="scale")
        >>> scope.name, v.name
        ('encoder', 'encoder/scale:0')
    """

    def __init__(
        self,
        name_or_scope: str | VariableScope | None = None,
        default_name: str | None = None,
        partitioner: Partitioner | None = None,
    ) -> None:
        if not name_or_scope and not default_name:
            raise ValueError("variable_scope: expected name_or_scope or default_name, got neither. Give one of them.")
        if name_or_scope is not None and not isinstance(name_or_scope, (str, VariableScope)):
            raise TypeError(f"variable_scope: expected a name or a VariableScope, got {name_or_scope!r}.")
        if partitioner is not None and not callable(partitioner):
            raise TypeError(
                f"variable_scope: expected a function of shape and dtype as partitioner, got {partitioner!r}."
            )
        if isinstance(name_or_scope, VariableScope) and partitioner is not None:
            hooks = name_or_scope.restore_hooks
            name_or_scope = VariableScope(name_or_scope.name, name_or_scope.parent, partitioner)
            name_or_scope.restore_hooks = hooks  # one scope still, seen with another partitioner
        self._wanted = name_or_scope
        self._default = default_name or ""
        self._partitioner = partitioner

    def __enter__(self) -> VariableScope:
        if isinstance(self._wanted, VariableScope):
            enter(self._wanted)
            thread.open[-1] = (self._wanted, _Outside())
            return self._wanted
        scope = open_scope(self._default, self._wanted)
        scope.partitioner = self._partitioner
        thread.open.append((scope, thread.open[-1][1]))
        return scope

    def __exit__(self, *exception: object) -> None:
        if isinstance(self._wanted, VariableScope):
            leave()
            return
        # A scope opened by name gives the names below it free again.
        prefix = thread.open.pop()[0].name + "/"
        below = {name for _, used in thread.open for name in used.copy() if name.startswith(prefix)}
        thread.open[-1][1].update(dict.fromkeys(below, False))


def snake_case(name: str) -> str:
    """The base name of a class: `MyNet2D` gives `my_net2d`, `_Private` gives `private__private`.

    Example:
        >>> snake_case("HTTPServerNet")
        'http_server_net'
    """
    name = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name)
    name = re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
    return "private" + name if name.startswith("_") else name


def unique_layer_name(
    base: str,
    counts: dict[tuple[str, str], int] | None = None,
    taken: Container[str] | Callable[[str], bool] = (),
    namespace: str = "",
    zero_based: bool = False,
) -> str:
    """The next name for `base`: `base_1`, `base_2`, ... or, zero based, `base`, `base_1`, ...

    Args:
        base: The name to number.
        counts: How often each base name was used; None means the table of the process. Counted on.
        taken: Names to step over, or a function that tells them.
        namespace: Prefix that has numbers of its own in `counts`.
        zero_based: Whether the first one has no number.
    """
    is_taken = taken if callable(taken) else taken.__contains__
    with lock:
        table = _layer_counts if counts is None else counts
        key = (namespace, base)
        while True:
            number = table.get(key, 0) + (not zero_based)
            table[key] = table.get(key, 0) + 1
            name = f"{base}_{number}" if number else base
            if not is_taken(name):
                return name


def reset_naming() -> None:
    """Forget all names given so far, as in a fresh process. Existing layers keep theirs.

    Example:
        >>> import layernet as ln
        >>> ln.reset_naming()
        >>> ln.layers.Dense(1).name, ln.layers.Dense(1).name
        ('dense_1', 'dense_2')
    """
    with lock:
        _layer_counts.clear()
        _used_scopes.clear()

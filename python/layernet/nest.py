"""Structures of values: lists, tuples (named ones too) and dictionaries, nested as one likes. Anything else is a leaf.

Dictionaries are walked in the order of their sorted keys, as in TensorFlow 1.x.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

__all__ = ["flatten", "flatten_like", "is_structure", "leaf_names", "map_structure", "pack_like"]


def is_structure(value: object) -> bool:
    """Whether `value` is a list, tuple or dictionary."""
    return isinstance(value, (list, tuple, Mapping))


def flatten(structure: Any) -> list[Any]:
    """The leaves, in order.

    Example:
        >>> flatten({"b": [1, 2], "a": (3,)})
        [3, 1, 2]
    """
    if not is_structure(structure):
        return [structure]
    leaves: list[Any] = []
    for child in _children(structure):
        leaves.extend(flatten(child))
    return leaves


def flatten_like(structure: Any, values: Any) -> list[Any]:
    """What stands in `values` at the places of the leaves of `structure`.

    Raises:
        TypeError, ValueError, KeyError: `values` has another structure.

    Example:
        >>> flatten_like({"b": 0, "a": 0}, {"b": [1, 2], "a": 3})
        [3, [1, 2]]
    """
    if not is_structure(structure):
        return [values]
    if isinstance(structure, Mapping):
        values = [values[key] for key in sorted(structure)]
    pairs = zip(_children(structure), values, strict=True)
    return [leaf for child, value in pairs for leaf in flatten_like(child, value)]


def map_structure(function: Callable[[Any], Any], structure: Any) -> Any:
    """The same structure with `function` of each leaf.

    Example:
        >>> map_structure(lambda x: x * 10, {"a": 1, "b": [2, 3]})
        {'a': 10, 'b': [20, 30]}
    """
    if not is_structure(structure):
        return function(structure)
    return _rebuild(structure, [map_structure(function, child) for child in _children(structure)])


def pack_like(structure: Any, leaves: list[Any]) -> Any:
    """`leaves` in the form of `structure`: the inverse of `flatten`.

    Example:
        >>> pack_like({"b": [0, 0], "a": 0}, [1, 2, 3])
        {'a': 1, 'b': [2, 3]}
    """
    rest = iter(leaves)
    return map_structure(lambda _: next(rest), structure)


def leaf_names(structure: Any, single: str) -> list[str]:
    """A name for each leaf: the keys and positions that lead to it. `single` is the name of a structure that is a leaf.

    Example:
        >>> leaf_names({"b": [0, 0], "a": 0}, "x"), leaf_names(0, "x"), leaf_names([0, 0], "x")
        (['a', 'b/0', 'b/1'], ['x'], ['x_0', 'x_1'])
    """
    if not is_structure(structure):
        return [single]
    names: list[str] = []
    for key, child in _named_children(structure):
        text = f"{single}_{key}" if isinstance(key, int) else str(key)
        names.extend(leaf_names(child, text) if not is_structure(child) else _paths(child, text))
    return names


def _paths(structure: Any, prefix: str) -> list[str]:
    if not is_structure(structure):
        return [prefix]
    return [path for key, child in _named_children(structure) for path in _paths(child, f"{prefix}/{key}")]


def _named_children(structure: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(structure, Mapping):
        return zip(sorted(structure), _children(structure), strict=True)
    if hasattr(structure, "_fields"):
        return zip(structure._fields, _children(structure), strict=True)
    return enumerate(structure)


def _children(structure: Any) -> Iterator[Any]:
    if isinstance(structure, Mapping):
        return (structure[key] for key in sorted(structure))
    return iter(structure)


def _rebuild(structure: Any, children: list[Any]) -> Any:
    if isinstance(structure, Mapping):
        return dict(zip(sorted(structure), children, strict=True))
    if hasattr(structure, "_fields"):
        return type(structure)(*children)
    return type(structure)(children)

"""Structures of inputs and outputs as JSON, for predictor files: lists, tuples, dictionaries and their keys."""

from __future__ import annotations

import json
from collections import namedtuple
from collections.abc import Mapping
from typing import Any

from layernet import nest
from layernet.errors import FormatError

__all__ = ["decode", "decode_pair", "encode", "encode_pair"]

_DEEPEST = 32


def encode(structure: Any) -> Any:
    """The form of `structure` in JSON's types; leaves are null.

    Raises:
        TypeError: A dictionary key that is neither a string nor an integer.

    Example:
        >>> encode({"a": 1, "b": (2, [3])})
        {'dict': [['a', None], ['b', {'tuple': [None, {'list': [None]}]}]]}
    """
    if isinstance(structure, Mapping):
        for key in structure:
            if type(key) not in (str, int):
                raise TypeError(f"structure: expected keys that are strings or integers, got {key!r}.")
        return {"dict": [[key, encode(structure[key])] for key in sorted(structure)]}
    if hasattr(structure, "_fields"):
        return {"namedtuple": [type(structure).__name__, list(structure._fields), [encode(v) for v in structure]]}
    if isinstance(structure, (list, tuple)):
        return {"list" if isinstance(structure, list) else "tuple": [encode(v) for v in structure]}
    return None


def decode(form: Any) -> Any:
    """The structure that `encode` wrote, with None for leaves. A named tuple gets a type of its own.

    Raises:
        FormatError: Anything that `encode` does not write.
    """
    return _decode(form, 0)


def encode_pair(inputs: Any, outputs: Any) -> str:
    """The structures of inputs and outputs as JSON."""
    return json.dumps({"inputs": encode(inputs), "outputs": encode(outputs)}, separators=(",", ":"))


def decode_pair(text: str, inputs: int, outputs: int) -> tuple[Any, Any]:
    """The structures of so many inputs and outputs; a file without any has a leaf or a list on each side.

    Raises:
        FormatError: Anything else.
    """
    form = json.loads(text)  # the file's reader has checked the grammar and the depth
    if form is None:
        return _plain(inputs), _plain(outputs)
    if not isinstance(form, dict) or form.keys() != {"inputs", "outputs"}:
        raise _broken("inputs and outputs", form)
    pair = decode(form["inputs"]), decode(form["outputs"])
    if (len(nest.flatten(pair[0])), len(nest.flatten(pair[1]))) != (inputs, outputs):
        raise _broken(f"{inputs} inputs and {outputs} outputs", form)
    return pair


def _plain(count: int) -> Any:
    return None if count == 1 else [None] * count


def _decode(form: Any, depth: int) -> Any:
    if form is None:
        return None
    if depth == _DEEPEST or not isinstance(form, dict) or len(form) != 1:
        raise _broken(f"null, a list, tuple or dict, at most {_DEEPEST} deep", form)
    kind, items = next(iter(form.items()))
    if not isinstance(items, list):
        raise _broken("a list of items", form)
    if kind == "list":
        return [_decode(item, depth + 1) for item in items]
    if kind == "tuple":
        return tuple(_decode(item, depth + 1) for item in items)
    if kind == "dict":
        return _decode_dict(items, depth)
    if kind == "namedtuple":
        return _decode_named(items, depth)
    raise _broken("list, tuple, dict or namedtuple", form)


def _decode_dict(items: list[Any], depth: int) -> dict[Any, Any]:
    good = all(isinstance(item, list) and len(item) == 2 and type(item[0]) in (str, int) for item in items)
    keys = [item[0] for item in items] if good else []
    if not good or len(set(keys)) != len(keys) or len({type(key) for key in keys}) > 1:
        raise _broken("pairs of distinct keys (all strings or all integers) and structures", items)
    return {key: _decode(item, depth + 1) for key, item in items}


def _decode_named(items: list[Any], depth: int) -> Any:
    if len(items) != 3 or not isinstance(items[1], list) or not isinstance(items[2], list):
        raise _broken("a name, fields and items of a named tuple", items)
    name, fields, values = items
    good = all(isinstance(text, str) and text.isidentifier() for text in [name, *fields])
    if not good or len(fields) != len(values):
        raise _broken("a name, fields and items of a named tuple", items)
    try:
        cls = namedtuple(name, fields)  # type: ignore[misc]
    except ValueError as error:
        raise FormatError(f"predictor file: structure: {error}.") from None
    return cls(*(_decode(value, depth + 1) for value in values))


def _broken(expected: str, got: Any) -> FormatError:
    text = repr(got)
    return FormatError(
        f"predictor file: structure: expected {expected}, got {text if len(text) <= 80 else text[:77] + '...'}."
    )

"""Names and configurations of exchangeable parts: initializers, regularizers, constraints, losses, optimizers.

A part is named in a call (`kernel_initializer="zeros"`), written into a layer's configuration, and made again from
there. One `Registry` per kind holds the table and words the errors alike.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

__all__ = ["Configurable", "Registry"]

_C = TypeVar("_C", bound="Configurable")


class Configurable:
    """Something that its constructor's arguments describe. Classes with arguments define `get_config`."""

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments by name; numbers, strings and lists only."""
        return {}

    @classmethod
    def from_config(cls: type[_C], config: Mapping[str, Any]) -> _C:
        """An object made from `get_config()`."""
        return cls(**config)

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.get_config().items())
        return f"{type(self).__name__}({arguments})"


class Registry:
    """The known parts of one kind, by name.

    Args:
        kind: What the entries are, in the singular and for messages ("initializer").
        entries: Name to class or function. Several names may lead to one entry; the first is the one that is written.
        factories: True when an entry is called to make the part (classes, `l2`); False when the entry is the part
            itself (loss functions).
    """

    def __init__(self, kind: str, entries: Mapping[str, Callable[..., Any]], factories: bool = True) -> None:
        self.kind = kind
        self.factories = factories
        self._entries = dict(entries)
        self._names: dict[Any, str] = {}
        for name, entry in self._entries.items():
            self._names.setdefault(entry, name)

    def names(self) -> list[str]:
        """All known names, sorted."""
        return sorted(self._entries)

    def lookup(self, name: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
        """The entry called `name`; `custom_objects` go first.

        Raises:
            ValueError: No such name.
        """
        if custom_objects and name in custom_objects:
            return custom_objects[name]
        try:
            return self._entries[name]
        except KeyError:
            raise ValueError(
                f"{self.kind}: expected a known name, got {name!r}. Known names: {', '.join(self.names())}."
            ) from None

    def get(self, identifier: Any) -> Any:
        """The part meant by a name, a configuration, a class, or a callable (which is returned as it is); None stays.

        Raises:
            ValueError: An unknown name, or something that is none of these.
        """
        if identifier is None:
            return None
        if isinstance(identifier, str):
            entry = self.lookup(identifier)
            return entry() if self.factories else entry
        if isinstance(identifier, Mapping):
            return self.deserialize(identifier)
        if isinstance(identifier, type) or (self.factories and self._is_entry(identifier)):
            return identifier()
        if callable(identifier):
            return identifier
        raise ValueError(
            f"{self.kind}: expected a name, a configuration, a callable or None, got {identifier!r}. "
            f"Known names: {', '.join(self.names())}."
        )

    def serialize(self, part: Any) -> Any:
        """What `deserialize` makes the part from again: a name, a dictionary, or None for None.

        Raises:
            ValueError: The part has neither a configuration nor a name.
        """
        if part is None:
            return None
        if isinstance(part, functools.partial):
            return {"class_name": self._name_of(part.func), "config": dict(part.keywords)}
        if hasattr(part, "get_config") and not isinstance(part, type):
            return {"class_name": self._name_of(type(part)), "config": part.get_config()}
        if hasattr(part, "__name__"):
            return self._name_of(part)
        raise ValueError(
            f"{self.kind}: expected something with get_config() or a name, got {part!r}. Give the class a get_config()."
        )

    def deserialize(self, config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
        """The part described by what `serialize` returned.

        Raises:
            ValueError: An unknown name, or a configuration that is not `{"class_name": ..., "config": {...}}`.
        """
        if config is None:
            return None
        if isinstance(config, str):
            entry = self.lookup(config, custom_objects)
            return entry() if inspect.isclass(entry) or (self.factories and self._is_entry(entry)) else entry
        if not isinstance(config, Mapping) or "class_name" not in config:
            raise ValueError(
                f'{self.kind}: expected a configuration {{"class_name": ..., "config": {{...}}}}, got {config!r}.'
            )
        entry = self.lookup(config["class_name"], custom_objects)
        options = dict(config.get("config") or {})
        if self.factories or inspect.isclass(entry):
            make = getattr(entry, "from_config", None)
            return make(options) if make is not None else entry(**options)
        return functools.partial(entry, **options) if options else entry

    def _is_entry(self, candidate: Any) -> bool:
        try:
            return candidate in self._names
        except TypeError:
            return False

    def _name_of(self, entry: Any) -> str:
        return self._names.get(entry) or str(entry.__name__)

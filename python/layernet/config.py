"""Names and configurations of exchangeable parts: initializers, regularizers, constraints, losses, optimizers.

A part is named in a call (`kernel_initializer="zeros"`), written into a layer's configuration, and made again from
there. One `Registry` per kind holds the table and words the errors alike.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, overload

__all__ = ["Configurable", "Registry", "register_serializable", "registered", "registered_name"]

_C = TypeVar("_C", bound="Configurable")
_F = TypeVar("_F", bound=Callable[..., Any])

# What users have registered: name to class or function, and back.
_registered: dict[str, Any] = {}
_registered_names: dict[Any, str] = {}


@overload
def register_serializable(thing: _F, *, name: str | None = None) -> _F: ...
@overload
def register_serializable(thing: None = None, *, name: str | None = None) -> Callable[[_F], _F]: ...
def register_serializable(thing: Any = None, *, name: str | None = None) -> Any:
    """Decorator: let a class or function of your own be named in saved models.

    A saved model says which classes its layers have by name. Names of the library are known; others are looked up in
    what was registered, and nowhere else: a file cannot have code imported. Register whatever is named in
    configurations: layers, models, initializers, regularizers, constraints, activations.

    Args:
        thing: A class with `get_config`, or a function.
        name: What files call it; None (default) takes the class's own name. A prefix ("mypackage>Scale") keeps names
            of several packages apart.

    Returns:
        The class or function.

    Raises:
        ValueError: The name stands for something else already.
        TypeError: Neither a class nor a function.

    Example:
        >>> import layernet as ln
        >>> @ln.register_serializable(name="doc>Double")
        ... class Double(ln.Layer):
        ...     def call(self, inputs):
        ...         return inputs * 2.0
        >>> x = ln.Input((3,))
        >>> text = ln.Model(x, Double(name="twice")(x), name="doubling").to_json()
        >>> type(ln.Model.from_json(text).get_layer("twice")) is Double
        True
    """
    if thing is None:
        return functools.partial(register_serializable, name=name)
    if not (inspect.isclass(thing) or inspect.isfunction(thing)):
        raise TypeError(f"register_serializable: expected a class or a function, got {thing!r}.")
    key = name or thing.__name__
    known = _registered.get(key, thing)
    # A class that is defined anew, as in a notebook's cell run again, takes the place of its former self.
    if known is not thing and (known.__module__, known.__qualname__) != (thing.__module__, thing.__qualname__):
        raise ValueError(
            f"register_serializable: expected a new name, got {key!r}, which stands for {known!r}. Give another name."
        )
    _registered_names.pop(known, None)
    _registered[key] = thing
    _registered_names[thing] = key
    return thing


def registered(name: str) -> Any:
    """What was registered as `name`; None without."""
    return _registered.get(name)


def registered_name(thing: Any) -> str | None:
    """The name under which a class or function was registered; None without."""
    try:
        return _registered_names.get(thing)
    except TypeError:  # not hashable
        return None


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
        entry = self._entries.get(name) or registered(name)
        if entry is None:
            raise ValueError(
                f"{self.kind}: expected a known name, got {name!r}. Known names: {', '.join(self.names())}. "
                "Names of your own are made known by ln.register_serializable."
            )
        return entry

    def get(self, identifier: Any) -> Any:
        """The part meant by a name, a configuration, a class, or a callable (which is returned as it is); None stays.

        Raises:
            ValueError: An unknown name, or something that is none of these.
        """
        if identifier is None:
            return None
        if isinstance(identifier, str):
            entry = self.lookup(identifier)
            return entry() if self._is_factory(entry) else entry
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
            return entry() if self._is_factory(entry) else entry
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

    def _is_factory(self, entry: Any) -> bool:
        """Whether the part is what `entry` returns: of functions that users registered, it is the function itself."""
        return inspect.isclass(entry) or (self.factories and self._is_entry(entry))

    def _is_entry(self, candidate: Any) -> bool:
        try:
            return candidate in self._names
        except TypeError:
            return False

    def _name_of(self, entry: Any) -> str:
        return self._names.get(entry) or registered_name(entry) or str(entry.__name__)

"""Lists and dictionaries that a model holds as attributes: layers put into them later are tracked like the first ones.

The containers are lists and dictionaries in every other respect. They know their model weakly, so that it is freed as
soon as it is no longer used; copies and pickles do not know one until the model that holds them tells them.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from typing import Any, SupportsIndex

__all__ = ["TrackedDict", "TrackedList", "adopt"]

Track = Callable[[Any], None]  # a method of the model, which takes each layer found


class _Tracked:
    """What both containers share: the weak link to the model."""

    _owner: weakref.WeakMethod[Track] | None = None

    def _adopted(self, value: Any) -> Any:
        track = self._owner() if self._owner is not None else None
        return value if track is None else adopt(value, track)


class TrackedList(_Tracked, list[Any]):
    """A list whose layers belong to a model."""

    def append(self, value: Any) -> None:
        """As `list.append`."""
        super().append(self._adopted(value))

    def extend(self, values: Iterable[Any]) -> None:
        """As `list.extend`."""
        super().extend([self._adopted(value) for value in values])

    def insert(self, index: SupportsIndex, value: Any) -> None:
        """As `list.insert`."""
        super().insert(index, self._adopted(value))

    def __iadd__(self, values: Iterable[Any]) -> TrackedList:  # type: ignore[misc]
        self.extend(values)
        return self

    def __setitem__(self, index: Any, value: Any) -> None:
        if isinstance(index, slice):
            super().__setitem__(index, [self._adopted(item) for item in value])
        else:
            super().__setitem__(index, self._adopted(value))

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        return type(self), (), None, iter(self)


class TrackedDict(_Tracked, dict[Any, Any]):
    """A dictionary whose layers belong to a model."""

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, self._adopted(value))

    def setdefault(self, key: Any, default: Any = None) -> Any:
        """As `dict.setdefault`."""
        if key not in self:
            self[key] = default
        return self[key]

    def update(self, *args: Any, **kwargs: Any) -> None:
        """As `dict.update`."""
        for key, value in dict(*args, **kwargs).items():
            self[key] = value

    def __ior__(self, other: Any) -> TrackedDict:  # type: ignore[misc]
        self.update(other)
        return self

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        return type(self), (), None, None, iter(self.items())


def adopt(value: Any, track: Track) -> Any:
    """`value` with every layer in it given to `track`, and its lists and dictionaries turned into tracked ones.

    Args:
        value: Anything. Lists, tuples and dictionaries are walked in order; what is in other containers is not seen.
        track: A bound method.
    """
    from layernet.layers.base import Layer

    if isinstance(value, Layer):
        track(value)
    elif isinstance(value, (TrackedList, TrackedDict)) and _same(value._owner, track):
        pass
    elif type(value) in (list, TrackedList):
        tracked = TrackedList()
        tracked._owner = weakref.WeakMethod(track)
        tracked.extend(value)
        return tracked
    elif type(value) in (dict, TrackedDict):
        table = TrackedDict()
        table._owner = weakref.WeakMethod(track)
        table.update(value)
        return table
    elif isinstance(value, tuple):
        items = [adopt(item, track) for item in value]
        if any(new is not old for new, old in zip(items, value, strict=True)):
            return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    elif isinstance(value, list):
        for item in value:
            adopt(item, track)
    elif isinstance(value, dict):
        for item in value.values():
            adopt(item, track)
    return value


def _same(owner: weakref.WeakMethod[Track] | None, track: Track) -> bool:
    return owner is not None and owner() == track

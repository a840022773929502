"""The exception classes of the library, one per kind of failure.

Both extension modules raise these very classes, found by the error's code. Each also derives from the built-in class
that Python users catch, and the names are TensorFlow's where that has one, so that either habit works:

    >>> import layernet as ln
    >>> issubclass(ln.errors.ShapeError, ln.errors.InvalidArgumentError), issubclass(ln.errors.ShapeError, ValueError)
    (True, True)
"""

from __future__ import annotations

__all__ = [
    "CheckpointNotFoundError",
    "DTypeError",
    "DataLossError",
    "Error",
    "FailedPreconditionError",
    "FormatError",
    "GraphError",
    "InvalidArgumentError",
    "NodeError",
    "NotFoundError",
    "ShapeError",
]


class Error(Exception):
    """Base class: `except ln.errors.Error` catches whatever the library itself raises."""


class InvalidArgumentError(Error, ValueError):
    """An argument out of its range."""


class ShapeError(InvalidArgumentError):
    """Sizes that do not fit each other, or an axis out of range."""


class DTypeError(InvalidArgumentError, TypeError):
    """An element type that is not taken here, or types that should be equal."""


class GraphError(Error, RuntimeError, TypeError):
    """A symbolic value used as a number, or a graph that cannot be built."""


class NodeError(Error, AttributeError, RuntimeError):
    """A question about symbolic calls, asked of a layer that has none."""


class FormatError(Error, ValueError):
    """A file that is damaged, truncated, of another kind or of a newer version."""


class DataLossError(Error, ValueError):
    """A file that does not hold the data it announces."""


class NotFoundError(Error, KeyError):
    """A name that is not in the file, or a file that does not exist."""

    def __str__(self) -> str:
        return Exception.__str__(self)  # KeyError would show the message in quotes


class CheckpointNotFoundError(NotFoundError, InvalidArgumentError, FileNotFoundError):
    """A checkpoint that does not exist: a ValueError in TensorFlow when restoring, a NotFoundError when listing."""


class FailedPreconditionError(Error, RuntimeError):
    """An object that is not (or no longer) in the state needed."""

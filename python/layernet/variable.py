"""Variables: the named, changeable values that layers own and optimizers update.

The numbers and the in-place updates live in C++ (`_core.Variable`); this class adds what only Python asks for.
"""

from __future__ import annotations

import enum
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar, cast

from layernet import _core, naming, symbolic
from layernet.errors import DTypeError, ShapeError
from layernet.tensor import DType, DTypeLike, Tensor, TensorLike, as_dtype, constant, core_ops

__all__ = ["Variable", "VariableAggregation", "VariableSynchronization", "creation_hook"]

_V = TypeVar("_V", bound="Variable")


class VariableSynchronization(enum.Enum):
    """When copies of a variable are brought together. Kept for compatibility: this library has one copy.

    `ON_READ` variables cannot be trained.
    """

    AUTO = 0
    NONE = 1
    ON_WRITE = 2
    ON_READ = 3


class VariableAggregation(enum.Enum):
    """How copies of a variable are brought together. Kept for compatibility: this library has one copy."""

    NONE = 0
    SUM = 1
    MEAN = 2


class _Hooks(threading.local):
    def __init__(self) -> None:
        self.stack: list[naming.RestoreHook] = []
        self.check: Callable[[str, tuple[int, ...], DType], None] | None = None


_hooks = _Hooks()


@contextmanager
def creation_check(check: Callable[[str, tuple[int, ...], DType], None]) -> Iterator[None]:
    """Call `check(name, shape, dtype)` before a layer's variable takes memory; what it raises prevents the variable.

    For those who build layers that they do not trust. One block at a time in a thread.
    """
    outer, _hooks.check = _hooks.check, check
    try:
        yield
    finally:
        _hooks.check = outer


@contextmanager
def creation_hook(hook: naming.RestoreHook) -> Iterator[None]:
    """Ask `hook(name, shape, dtype)` for the initial value of each variable created in the block.

    Args:
        hook: Gets the name without ":0"; returns an array, or None to leave the variable its own initial value. The
            innermost block is asked first, and all of them before the hooks of scopes.
    """
    _hooks.stack.append(hook)
    try:
        yield
    finally:
        _hooks.stack.remove(hook)


class Variable(_core.Variable):
    """A value that can be changed in place, with a name.

    Ops read it like a tensor. Gradient tapes watch it if it is trainable. An update writes in place unless something
    else (a tensor, a view, a tape) still holds the present value, which then stays as it was.

    Args:
        initial_value: Numbers, an array, a tensor, or a function without arguments that returns one of them.
        trainable: Whether gradient tapes watch it, default True. Cannot be changed later.
        name: Default "Variable"; an enclosing `ln.variable_scope` is put in front. Need not be unique.
        dtype: None (default) takes it from the initial value: Python floats are float32, arrays keep theirs.
        constraint: Function of the variable that gives its allowed value; optimizers apply it after each step.
        synchronization: Kept as an attribute.
        aggregation: Kept as an attribute.

    Raises:
        ValueError: A value that is being restored for this name has another shape or dtype.
        DTypeError: A name that is not a string.

    Example:
        >>> import layernet as ln
        >>> v = ln.Variable([1.0, 2.0], name="v")
        >>> v.name, v.assign_add([1.0, 1.0]).numpy()
        ('v:0', array([2., 3.], dtype=float32))
    """

    piece_of: PieceOf | None = None  # for a piece of a partitioned variable: its place in the whole

    def __init__(
        self,
        initial_value: TensorLike | Callable[[], TensorLike],
        trainable: bool = True,
        name: str | None = None,
        dtype: DTypeLike | None = None,
        constraint: Callable[[Any], Any] | None = None,
        synchronization: VariableSynchronization = VariableSynchronization.AUTO,
        aggregation: VariableAggregation = VariableAggregation.NONE,
    ) -> None:
        if name is not None and not isinstance(name, str):
            raise DTypeError(f"Variable: expected a string as name, got {name!r}.")
        scope = naming.current_scope()
        self._create(initial_value, trainable, scope.child_name(name or "Variable"), dtype, scope)
        self.constraint = constraint
        self.synchronization = synchronization
        self.aggregation = aggregation

    def _create(
        self,
        initial_value: TensorLike | Callable[[], TensorLike],
        trainable: bool,
        full_name: str,
        dtype: DTypeLike | None,
        scope: naming.VariableScope,
        piece: PieceOf | None = None,
    ) -> None:
        with symbolic.eagerly():
            value = initial_value() if callable(initial_value) else initial_value
            value = value if isinstance(value, Tensor) and dtype is None else _converted(value, dtype)
            restored = _restored_value(full_name, value, scope)
            if restored is None and piece is not None:
                restored = piece.restored_value(value, scope)
            _core.Variable.__init__(self, value if restored is None else restored, trainable=trainable)
        self._full_name = full_name
        if piece is not None:
            self.piece_of = piece

    @property
    def name(self) -> str:
        """The full name, with TensorFlow's ":0" at its end."""
        return self._full_name + ":0"

    @property
    def full_name(self) -> str:
        """The full name as files have it: without ":0"."""
        return self._full_name

    def assign(self: _V, value: TensorLike) -> _V:
        """Replace the value by one of the same shape.

        Args:
            value: Numbers of the variable's shape; converted to its dtype.

        Returns:
            The variable.

        Raises:
            ShapeError: Another shape.
        """
        core_ops.assign(self, _converted(value, self.dtype))
        return self

    def assign_add(self: _V, value: TensorLike) -> _V:
        """Add to the value, elementwise.

        Args:
            value: Numbers of the variable's shape; converted to its dtype.

        Returns:
            The variable.

        Raises:
            ShapeError: Another shape.
        """
        core_ops.assign_add(self, _converted(value, self.dtype))
        return self

    def assign_sub(self: _V, value: TensorLike) -> _V:
        """Subtract from the value, elementwise.

        Args:
            value: Numbers of the variable's shape; converted to its dtype.

        Returns:
            The variable.

        Raises:
            ShapeError: Another shape.
        """
        core_ops.assign_sub(self, _converted(value, self.dtype))
        return self

    def __deepcopy__(self: _V, memo: dict[int, Any]) -> _V:
        copied = _rebuilt(*self.__reduce__()[1])
        memo[id(self)] = copied
        return cast(_V, copied)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (type(self), self.numpy().copy(), self.dtype.name, self.trainable, self.__dict__.copy())

    def __repr__(self) -> str:
        return f"<Variable {self.name!r} shape={self.shape} dtype={self.dtype.name}, numpy={self.numpy()!r}>"


class PieceOf:
    """Where a piece of a partitioned variable lies in the whole.

    Args:
        full_name: The name of the whole, without ":0".
        full_shape: Its shape.
        axis: The axis along which it is cut.
        begin: Where the piece starts on this axis.
        end: Where it ends.
    """

    def __init__(self, full_name: str, full_shape: tuple[int, ...], axis: int, begin: int, end: int) -> None:
        self.full_name = full_name
        self.full_shape = full_shape
        self.axis = axis
        self.begin = begin
        self.end = end
        self.siblings: list[Any] = []  # shared by all pieces: the whole's restored value, once it was asked for

    def cut(self, whole: Any) -> Any:
        """The piece of an array or tensor of the whole's shape."""
        index = (slice(None),) * self.axis + (slice(self.begin, self.end),)
        return whole[index]

    def restored_value(self, initial: Tensor, scope: naming.VariableScope) -> Tensor | None:
        """The piece of what the hooks have for the whole, which they are asked for once."""
        if not self.siblings:
            self.siblings.append(_hooked_value(self.full_name, self.full_shape, initial.dtype, scope))
        whole = self.siblings[0]
        return None if whole is None else cast(Tensor, self.cut(whole))


def layer_variable(
    name: str,
    scope: naming.VariableScope,
    shape: tuple[int, ...],
    initial_value: Callable[[], TensorLike],
    trainable: bool,
    dtype: DType,
    constraint: Callable[[Any], Any] | None,
    synchronization: VariableSynchronization,
    aggregation: VariableAggregation,
    piece: PieceOf | None = None,
) -> Variable:
    """A variable of a layer: its name is `name` within the layer's scope, whatever scope is open."""
    if _hooks.check is not None:
        _hooks.check(scope.child_name(name), shape, dtype)
    variable = Variable.__new__(Variable)
    variable._create(initial_value, trainable, scope.child_name(name), dtype, scope, piece)
    variable.constraint = constraint
    variable.synchronization = synchronization
    variable.aggregation = aggregation
    return variable


def outside_variable(name: str, value: Any) -> Variable:
    """A variable that is not trained and belongs to no scope: called `name`, with this value, whatever hooks there are.

    For what the library makes for itself on first use, in the middle of someone's layer or restore.
    """
    attributes = {
        "_full_name": name,
        "constraint": None,
        "synchronization": VariableSynchronization.AUTO,
        "aggregation": VariableAggregation.NONE,
    }
    return _rebuilt(Variable, value, value.dtype.name, False, attributes)


def _converted(value: Any, dtype: DTypeLike | None) -> Any:
    if isinstance(value, (Tensor, symbolic.Symbol, _core.Variable)):
        if dtype is None or value.dtype == dtype:
            return core_ops.identity(value) if isinstance(value, _core.Variable) else value
        return core_ops.cast(value, dtype=as_dtype(dtype))
    return constant(value, dtype=dtype)


def _restored_value(name: str, value: Tensor, scope: naming.VariableScope) -> Tensor | None:
    """What the hooks have for a new variable, checked against its own initial value."""
    return _hooked_value(name, value.shape, value.dtype, scope)


def _hooked_value(name: str, shape: tuple[int, ...], dtype: DType, scope: naming.VariableScope) -> Tensor | None:
    for hook in _candidates(scope):
        found = hook(name, shape, dtype)
        if found is not None:
            restored = _converted(found, None)
            if restored.shape != shape or restored.dtype != dtype:
                raise ShapeError(
                    f"variable '{name}': expected a stored value of shape {list(shape)} and dtype "
                    f"{dtype.name}, got shape {list(restored.shape)} and dtype {restored.dtype.name}."
                )
            return cast(Tensor, restored)
    return None


def _candidates(scope: naming.VariableScope) -> Iterator[naming.RestoreHook]:
    yield from reversed(_hooks.stack)
    around: naming.VariableScope | None = scope
    while around is not None:
        yield from reversed(around.restore_hooks)
        around = around.parent


def _rebuilt(
    cls: type[Variable], value: Sequence[Any], dtype: str, trainable: bool, attributes: dict[str, Any]
) -> Variable:
    variable = cls.__new__(cls)
    _core.Variable.__init__(variable, constant(value, dtype=dtype), trainable=trainable)
    variable.__dict__.update(attributes)
    return variable

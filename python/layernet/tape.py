"""GradientTape: records what is computed, and differentiates it backwards. The record is kept in C++."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from layernet import _core, nest
from layernet.errors import InvalidArgumentError
from layernet.indexed_slices import IndexedSlices
from layernet.tensor import Symbol, Tensor, TensorLike, constant, core_ops
from layernet.variable import Variable

__all__ = ["GradientTape"]


class GradientTape:
    """Records the ops run inside its block, for `gradient`.

    Trainable variables are watched as soon as they are read; anything else must be given to `watch`. Tapes nest: the
    gradient of a gradient needs an outer tape.

    Args:
        persistent: Whether `gradient` may be called more than once, default False. A tape that is not persistent gives
            its memory back while it differentiates.

    Example:
        >>> import layernet as ln
        >>> v = ln.Variable(3.0)
        >>> with ln.GradientTape() as tape:
        ...     y = v * v
        >>> float(tape.gradient(y, v))
        6.0
    """

    def __init__(self, persistent: bool = False) -> None:
        self._persistent = persistent
        self._tape: _core.Tape | None = None
        self._recording = False

    def __enter__(self) -> GradientTape:
        if self._recording:
            raise ValueError("GradientTape: expected a tape that is not recording, got an active one. Use another one.")
        if self._tape is None:
            self._tape = _core.Tape(self._persistent)
        self._tape.push()
        self._recording = True
        return self

    def __exit__(self, *exception: object) -> None:
        if self._recording:
            self._pop()

    def _pop(self) -> None:
        self._recording = False
        self._started().pop()

    def _started(self) -> _core.Tape:
        if self._tape is None:
            raise RuntimeError(
                "GradientTape: expected a tape with a record, got one that was never entered or has been used up. "
                "Compute inside 'with tape:', and make the tape persistent to ask twice."
            )
        return self._tape

    def watch(self, tensor: Any) -> None:
        """Record what is computed from a tensor.

        Args:
            tensor: A tensor, symbol or variable, or a structure of them.

        Raises:
            RuntimeError: The tape has not been entered.
            TypeError: Something else: an array has no identity that a tape could follow.
        """
        tape = self._started()
        for leaf in nest.flatten(tensor):
            tape.watch(_checked("watch", leaf))

    def gradient(self, target: Any, sources: Any, output_gradients: Any = None) -> Any:
        """Derivatives of a sum over `target`.

        Args:
            target: A tensor or a structure of tensors. The sum of all their elements is differentiated.
            sources: A tensor or variable or a structure of them: with respect to what.
            output_gradients: A tensor for each target, of its shape: weights of its elements; None means 1.

        Returns:
            The gradients in the structure of `sources`. None where the target does not depend on a source, or the
            source was not watched. `IndexedSlices` for a variable that was read by `gather` alone.

        Raises:
            RuntimeError: The tape was never entered, or is not persistent and was asked before.

        Example:
            >>> import layernet as ln
            >>> x = ln.constant([1.0, 2.0])
            >>> with ln.GradientTape() as tape:
            ...     tape.watch(x)
            ...     y = x * x
            >>> tape.gradient(y, x, output_gradients=[1.0, 10.0]).numpy()
            array([ 2., 40.], dtype=float32)
        """
        tape = self._started()
        if self._recording and not self._persistent:
            self._pop()
        targets = [_checked("gradient", leaf) for leaf in nest.flatten(target)]
        wanted = [_checked("gradient", leaf) for leaf in nest.flatten(sources)]
        weights = None if output_gradients is None else _weights(target, targets, output_gradients)
        gradients = tape.gradient(targets, wanted, weights, by_rows=True)
        if not self._persistent:
            self._tape = None
        joined = [_joined(source, *parts) for source, parts in zip(wanted, gradients, strict=True)]
        return nest.pack_like(sources, joined)

    @contextmanager
    def stop_recording(self) -> Iterator[None]:
        """A block whose ops are not recorded.

        Raises:
            RuntimeError: The tape is not recording.

        Example:
            >>> import layernet as ln
            >>> v = ln.Variable(3.0)
            >>> with ln.GradientTape() as tape:
            ...     with tape.stop_recording():
            ...         factor = v * 2.0
            ...     y = v * factor
            >>> float(tape.gradient(y, v))
            6.0
        """
        tape = self._started()
        tape.stop()
        try:
            yield
        finally:
            tape.resume()

    def reset(self) -> None:
        """Forget everything recorded and watched so far.

        Raises:
            RuntimeError: The tape has not been entered.
        """
        self._started().reset()

    def watched_variables(self) -> list[Variable]:
        """The variables read so far that are being watched, in the order of their first reading.

        Raises:
            RuntimeError: The tape was never entered, or is not persistent and was asked for gradients.
        """
        return list(self._started().watched_variables())


def _joined(source: Any, dense: Any, parts: list[tuple[Any, Any]]) -> Any:
    """One gradient of its dense part, or None, and its parts by rows."""
    if not parts:
        return dense
    rows, numbers = parts[0]
    if len(parts) > 1:
        numbers = core_ops.concat([core_ops.cast(n, dtype=_core.int64) for _, n in parts], axis=0)
        rows = core_ops.concat([r for r, _ in parts], axis=0)
    if dense is not None:
        return core_ops.scatter_add(dense, numbers, rows)
    return IndexedSlices.of(source, rows, numbers)


def _checked(who: str, value: Any) -> Any:
    if not isinstance(value, (Tensor, Symbol, _core.Variable)):
        raise TypeError(
            f"{who}: expected a tensor or variable, got {type(value).__name__}. Convert it first: ln.constant(x)."
        )
    return value


def _weights(target: Any, targets: list[Any], output_gradients: Any) -> list[Any]:
    """One weight or None for each target."""
    try:
        weights: list[TensorLike | None] = nest.flatten_like(target, output_gradients)
    except (TypeError, ValueError, KeyError):
        raise InvalidArgumentError(
            f"gradient: expected output_gradients in the structure of the {len(targets)} targets, "
            f"got {output_gradients}."
        ) from None
    return [
        w if w is None or isinstance(w, (Tensor, Symbol)) else constant(w, dtype=t.dtype)
        for w, t in zip(weights, targets, strict=True)
    ]

"""The state of the random number generator, an ordinary variable.

The generator is counter based (Philox): a state is `[seed, counter]`, and a draw of n numbers depends on these and n
alone, not on threads or instruction sets. Being a variable, the state can be saved and restored like any other.

Reference:
    Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011.
"""

from __future__ import annotations

import operator
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from layernet import naming
from layernet.errors import DTypeError, InvalidArgumentError
from layernet.variable import Variable, outside_variable

__all__ = ["new_state", "random_state", "set_seed", "using_state"]

_state: Variable | None = None


class _Own(threading.local):
    state: Variable | None = None


_own = _Own()


def random_state() -> Variable:
    """The state that random ops and layers use unless they have a seed of their own.

    Returns:
        A variable, int64 [2], not trainable: the seed and the number of blocks drawn so far.

    Example:
        >>> import layernet as ln
        >>> ln.set_seed(3)
        >>> ln.random_state().numpy()
        array([3, 0])
    """
    global _state
    if _own.state is not None:
        return _own.state
    if _state is None:
        with naming.lock:
            if _state is None:
                # 63 bits of the system's entropy: each process starts elsewhere.
                _state = new_state(int.from_bytes(os.urandom(8), "little") >> 1)
    return _state


def new_state(seed: int) -> Variable:
    """A state of its own for one user of random numbers.

    It is made on first use, which may be anywhere, so neither its name nor its value follow from the place: scopes,
    restores on creation and other hooks are not asked.

    Args:
        seed: Any int64.

    Returns:
        A variable, int64 [2], not trainable, called "random_state:0".

    Raises:
        DTypeError: A seed that is not an integer.
        InvalidArgumentError: An integer that does not fit 64 bits.

    Example:
        >>> import layernet as ln
        >>> ln.random.new_state(7).numpy()
        array([7, 0])
    """
    return outside_variable("random_state", np.array([_checked("new_state", seed), 0], np.int64))


@contextmanager
def using_state(state: Variable) -> Iterator[Variable]:
    """A block in which `random_state()` is `state`, for this thread: what others draw does not matter to it.

    Args:
        state: What `new_state` returned.

    Example:
        >>> import layernet as ln
        >>> with ln.random.using_state(ln.random.new_state(7)):
        ...     _ = ln.random_uniform((2,))
        ...     ln.random_state().numpy()
        array([7, 1])
    """
    outer, _own.state = _own.state, state
    try:
        yield state
    finally:
        _own.state = outer


def set_seed(seed: int) -> None:
    """Start the random numbers of the process anew.

    Args:
        seed: Any int64. The same seed gives the same numbers on every machine.

    Raises:
        DTypeError: A seed that is not an integer.
        InvalidArgumentError: An integer that does not fit 64 bits.

    Example:
        >>> import layernet as ln
        >>> ln.set_seed(1)
        >>> a = ln.random_uniform((2,)).numpy()
        >>> ln.set_seed(1)
        >>> bool((ln.random_uniform((2,)).numpy() == a).all())
        True
    """
    random_state().assign(np.array([_checked("set_seed", seed), 0], np.int64))


def _checked(who: str, seed: Any) -> int:
    try:
        number = operator.index(seed)
    except TypeError:
        raise DTypeError(f"{who}: expected seed to be an integer, got {seed!r}.") from None
    if not -(2**63) <= number < 2**63:
        raise InvalidArgumentError(f"{who}: expected a seed that fits 64 bits, got {number}.")
    return number

"""The state of the random number generator, an ordinary variable.

The generator is counter based (Philox): a state is `[seed, counter]`, and a draw of n numbers depends on these and n
alone, not on threads or instruction sets. Being a variable, the state can be saved and restored like any other.

Reference:
    Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011.
"""

from __future__ import annotations

import os

from layernet import naming
from layernet.variable import Variable

__all__ = ["new_state", "random_state", "set_seed"]

_state: Variable | None = None


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
    if _state is None:
        with naming.lock:
            if _state is None:
                # 63 bits of the system's entropy: each process starts elsewhere.
                _state = new_state(int.from_bytes(os.urandom(8), "little") >> 1)
    return _state


def new_state(seed: int) -> Variable:
    """A state of its own for one user of random numbers.

    Args:
        seed: Any int64.

    Returns:
        A variable, int64 [2], not trainable.

    Example:
        >>> import layernet as ln
        >>> ln.random.new_state(7).numpy()
        array([7, 0])
    """
    return Variable([seed, 0], trainable=False, name="random_state", dtype="int64")


def set_seed(seed: int) -> None:
    """Start the random numbers of the process anew.

    Args:
        seed: Any int64. The same seed gives the same numbers on every machine.

    Example:
        >>> import layernet as ln
        >>> ln.set_seed(1)
        >>> a = ln.random_uniform((2,)).numpy()
        >>> ln.set_seed(1)
        >>> bool((ln.random_uniform((2,)).numpy() == a).all())
        True
    """
    random_state().assign([seed, 0])

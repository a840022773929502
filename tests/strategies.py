"""Hypothesis strategies: shapes, arrays, broadcasting pairs, axes. Sizes stay small; 0 and 1 come up often."""

import math

import numpy as np
from hypothesis import strategies as st

sizes = st.sampled_from([0, 1, 1, 2, 3, 4, 5, 7])
positive_sizes = st.sampled_from([1, 1, 2, 3, 4, 5, 7])


@st.composite
def shapes(draw, min_rank=0, max_rank=4, size=sizes):
    """A shape of at most some thousand elements."""
    return tuple(draw(st.lists(size, min_size=min_rank, max_size=max_rank)))


@st.composite
def axes_of(draw, rank):
    """Some of the axes 0..rank-1, in any order, some counted from the end."""
    chosen = draw(st.lists(st.integers(0, rank - 1), unique=True, max_size=rank)) if rank else []
    return [axis - rank if draw(st.booleans()) else axis for axis in chosen]


@st.composite
def broadcast_shapes(draw, count=2, max_rank=3):
    """Shapes that broadcast together."""
    full = draw(shapes(max_rank=max_rank))
    result = []
    for _ in range(count):
        kept = draw(st.integers(0, len(full)))
        result.append(tuple(1 if draw(st.booleans()) else n for n in full[len(full) - kept :]))
    return result


@st.composite
def arrays(draw, shape, low=-4.0, high=4.0, dtype="float32", contiguous=None):
    """An array of that shape, of numbers between low and high; one in three is not contiguous."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = rng.uniform(low, high, shape)
    values = np.round(values) if np.dtype(dtype).kind in "iu" else values
    values = np.asarray(values).astype(dtype)
    scattered = draw(st.integers(0, 2)) == 0 if contiguous is None else not contiguous
    return not_contiguous(values) if scattered else values


def not_contiguous(x):
    """The same array, read backwards along its first axis and with gaps along its last."""
    if x.ndim == 0:
        return x
    room = np.zeros((*x.shape[:-1], 2 * x.shape[-1]), x.dtype)
    view = room[..., ::2]
    if x.ndim > 1:
        view = view[::-1]
    view[...] = x
    return view


@st.composite
def permutations(draw, rank):
    return list(draw(st.permutations(range(rank))))


def elements(shape):
    return math.prod(shape)

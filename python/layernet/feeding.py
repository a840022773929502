"""Where batches come from: arrays of any size, cut into batches, or iterables that give batches.

Rows are gathered batch by batch. Arrays mapped from files may be larger than the memory: pages that were read are given
back to the system as the reading goes on.
"""

from __future__ import annotations

import itertools
import mmap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from layernet import _core, nest
from layernet.errors import InvalidArgumentError, ShapeError
from layernet.tensor import Tensor, core_ops

__all__ = [
    "Arrays",
    "Batch",
    "Batches",
    "ClassWeights",
    "as_array",
    "as_arrays",
    "feed_of",
    "is_list_of_batches",
    "permutation",
]

# Inputs, targets and weights of some rows: structures of arrays; targets and weights may be None.
Batch = tuple[Any, Any, Any]

# Of an array mapped from a file, about so many bytes stay in memory.
_RESIDENT = 32 * 1024 * 1024
# A row that is read brings in its surroundings: Linux maps what it keeps together, up to a large page.
_AROUND = 2 * 1024 * 1024


class Arrays:
    """Arrays with one row for each sample.

    Args:
        who: Named in errors.
        x, y, sample_weight: Arrays, data frames, tensors, or structures of them.
        batch_size: Rows in a batch; the last batch may have fewer.

    Raises:
        ShapeError: Different numbers of rows, or none.
        InvalidArgumentError: A batch size below 1.
    """

    def __init__(self, who: str, x: Any, y: Any, sample_weight: Any, batch_size: int | None) -> None:
        self._who = who
        self._data: Batch = as_arrays(x), as_arrays(y), as_arrays(sample_weight)
        leaves = [leaf for part in self._data for leaf in _leaves(part)]
        counts = [leaf.shape[0] if leaf.ndim else None for leaf in leaves]
        if len(set(counts)) != 1 or counts[0] is None:
            raise ShapeError(
                f"{who}: expected inputs, targets and weights with one number of rows, got shapes "
                f"{', '.join(str(list(leaf.shape)) for leaf in leaves)}. Give a row for each sample."
            )
        if counts[0] == 0:
            raise ShapeError(f"{who}: expected at least one row, got arrays without any. Give some data.")
        self.rows: int = counts[0]
        self.batch_size = 32 if batch_size is None else batch_size
        if self.batch_size < 1:
            raise InvalidArgumentError(f"{who}: expected batch_size of 1 or more, got {batch_size!r}.")
        self._pages = [pages for leaf in leaves if (pages := _Pages.of(leaf)) is not None]

    @property
    def steps(self) -> int:
        """The number of batches."""
        return -(-self.rows // self.batch_size)

    def split(self, fraction: float) -> tuple[Arrays, Arrays]:
        """The first rows and the last ones, which are `fraction` of all."""
        if not 0.0 < fraction < 1.0:
            raise InvalidArgumentError(f"{self._who}: expected validation_split in [0, 1), got {fraction!r}.")
        at = int(self.rows * (1.0 - fraction))
        if at == 0:
            raise InvalidArgumentError(
                f"{self._who}: expected validation_split to leave rows for training, got {fraction!r} of {self.rows}."
            )
        first, last = (_cut(self._data, rows) for rows in (slice(at), slice(at, None)))
        return Arrays(self._who, *first, self.batch_size), Arrays(self._who, *last, self.batch_size)

    def batches(self, start: int = 0, order: npt.NDArray[np.int64] | None = None) -> Iterator[Batch]:
        """The batches from number `start` on, of rows in the given order; None: as they are."""
        for step in range(start, self.steps):
            begin, end = step * self.batch_size, min((step + 1) * self.batch_size, self.rows)
            if order is None:
                yield _cut(self._data, slice(begin, end))
                for pages in self._pages:
                    pages.read(end - begin)
            else:
                yield self._gathered(order[begin:end])

    def _gathered(self, order: npt.NDArray[np.int64]) -> Batch:
        """Rows in an order; of mapped files so few at a time that their surroundings are not too much."""
        if not self._pages:
            return _cut(self._data, order)
        pieces = []
        few = _RESIDENT // _AROUND
        for begin in range(0, len(order), few):
            pieces.append(_cut(self._data, order[begin : begin + few]))
            for pages in self._pages:
                pages.give_back()
        x, y, sample_weight = (_joined(parts) for parts in zip(*pieces, strict=True))
        return x, y, sample_weight


class Batches:
    """Batches made elsewhere: by an iterable that is walked anew in each epoch, an iterator, or a function.

    Args:
        who: Named in errors.
        source: Gives x, (x, y) or (x, y, sample_weight), tuples or lists. A function is called for each epoch and
            returns an iterable; what has a length and numbered items only gives them in order.
        steps: How many batches make an epoch; None: all there are.
    """

    rows: int | None = None

    def __init__(self, who: str, source: Any, steps: int | None) -> None:
        if steps is not None and steps < 1:
            raise InvalidArgumentError(f"{who}: expected steps of 1 or more, got {steps!r}.")
        self._who = who
        self._source: Iterable[Any] | Callable[[], Iterable[Any]] = source
        self.steps = steps
        # An iterator, of which what was taken is gone, and whether this feed begins where another one has left it.
        self.iterator = source if hasattr(source, "__next__") else None
        self.goes_on = False

    def batches(self, start: int = 0) -> Iterator[Batch]:
        """The batches of an epoch, without the first `start`."""
        source: Any = self._source() if callable(self._source) else self._source
        if not hasattr(source, "__iter__"):
            source = map(source.__getitem__, range(len(source)))
        taken, skipped = 0, 0 if self.goes_on else start
        for item in itertools.islice(
            iter(source), skipped, None if self.steps is None else self.steps - start + skipped
        ):
            taken += 1
            parts = tuple(item) if isinstance(item, (tuple, list)) else (item,)
            if not 1 <= len(parts) <= 3 or parts[0] is None:
                raise InvalidArgumentError(
                    f"{self._who}: expected batches (x, y) or (x, y, sample_weight), got "
                    f"{f'a tuple of {len(parts)}' if len(parts) != 1 else 'None'}."
                )
            yield as_arrays(parts[0]), *(as_arrays(part) for part in (*parts[1:], None, None)[:2])
        if not taken and not start:
            raise InvalidArgumentError(
                f"{self._who}: expected batches, got none. An iterator is used up after one epoch: give an iterable "
                "that starts anew, a function that returns one, or say how many steps make an epoch."
            )


class ClassWeights:
    """Weights of rows by their class, for a target of class numbers or one-hot rows.

    Args:
        who: Named in errors.
        weights: From class number to weight; classes left out have weight 1.
    """

    def __init__(self, who: str, weights: Mapping[int, float]) -> None:
        numbers = isinstance(weights, Mapping) and all(isinstance(number, (int, np.integer)) for number in weights)
        if not numbers or not weights or min(weights) < 0:
            raise InvalidArgumentError(f"{who}: expected class_weight from class numbers to weights, got {weights!r}.")
        self._who = who
        self._table = np.ones(max(weights) + 1, "float32")
        for number, weight in weights.items():
            self._table[number] = weight

    def __call__(self, batch: Batch) -> Batch:
        """The batch, its weights multiplied by those of the classes."""
        x, y, sample_weight = batch
        if not isinstance(y, np.ndarray):
            raise InvalidArgumentError(f"{self._who}: expected one array of targets for class_weight, got {type(y)}.")
        numbers = y.argmax(-1) if y.ndim > 1 and y.shape[-1] > 1 else y.reshape(y.shape[0], -1)[:, 0].astype("int64")
        known = (numbers >= 0) & (numbers < len(self._table))
        weights = np.where(known, self._table[np.where(known, numbers, 0)], np.float32(1.0))
        return x, y, weights if sample_weight is None else weights * sample_weight.reshape(weights.shape)


class _Pages:
    """Gives the memory of a mapped file back as its rows are read."""

    def __init__(self, mapping: mmap.mmap, row_bytes: int) -> None:
        self._mapping = mapping
        self._row_bytes = row_bytes
        self._read = 0

    @classmethod
    def of(cls, array: npt.NDArray[Any]) -> _Pages | None:
        """For an array that lies in a file; None for one in memory, or whose changes are not written to the file."""
        base: Any = array
        mode = None
        while isinstance(base, np.ndarray):
            mode = getattr(base, "mode", mode)  # of a memmap
            base = base.base
        if mode not in ("r", "r+", "w+") or not isinstance(base, mmap.mmap) or not hasattr(base, "madvise"):
            return None
        return cls(base, array[:1].nbytes)

    def read(self, rows: int) -> None:
        """Note that rows were read, one after the other."""
        self._read += rows * self._row_bytes
        if self._read >= _RESIDENT:
            self.give_back()

    def give_back(self) -> None:
        """Let the system have the memory."""
        self._read = 0
        self._mapping.madvise(mmap.MADV_DONTNEED)


def feed_of(
    who: str, x: Any, y: Any, sample_weight: Any, batch_size: int | None, steps: int | None
) -> Arrays | Batches:
    """What gives the batches for these arguments of `fit` or `evaluate`.

    Raises:
        InvalidArgumentError: Arguments that contradict each other.
    """
    is_structure = nest.is_structure(x) and not (y is None and is_list_of_batches(x))
    is_data = isinstance(x, (np.ndarray, Tensor, _core.Variable)) or is_structure or hasattr(x, "to_numpy")
    is_iterable = callable(x) or hasattr(x, "__iter__") or (hasattr(x, "__getitem__") and hasattr(x, "__len__"))
    if is_data or hasattr(x, "__array__") or not is_iterable:
        if x is None:
            raise InvalidArgumentError(f"{who}: expected data, got None. Give arrays, or an iterable of batches.")
        if steps is not None:
            raise InvalidArgumentError(f"{who}: expected steps for iterables only, got arrays. Leave it out.")
        return Arrays(who, x, y, sample_weight, batch_size)
    if y is not None or sample_weight is not None or batch_size is not None:
        raise InvalidArgumentError(
            f"{who}: expected no y, sample_weight or batch_size beside an iterable, whose batches have them. "
            "Let it give (x, y, sample_weight)."
        )
    return Batches(who, x, steps)


def as_arrays(values: Any) -> Any:
    """`values` as arrays, in their structure: dictionaries, and lists or tuples of arrays. None stays.

    Other lists are the numbers of one array.
    """
    if values is None:
        return None
    if isinstance(values, Mapping):
        return {key: as_arrays(value) for key, value in values.items()}
    if isinstance(values, (list, tuple)) and values and all(_is_array(value) for value in values):
        return nest.map_structure(as_arrays, values)
    return as_array(values)


def as_array(values: Any) -> npt.NDArray[Any]:
    """`values` as one array; data frames with columns of several types of numbers, or missing ones, as float64."""
    if not hasattr(values, "to_numpy"):
        return np.asarray(values)
    array = np.asarray(values.to_numpy())
    if array.dtype.kind == "O":
        types = values.dtypes if hasattr(values, "columns") else [values.dtype]
        if all(getattr(one, "kind", "O") in "biuf" for one in types):
            array = np.asarray(values.to_numpy("float64", na_value=np.nan))
    return array


def permutation(count: int, key: Sequence[int]) -> tuple[npt.NDArray[np.int64], Tensor]:
    """The numbers below `count` in the order that belongs to a state of the random generator, and the next state.

    Random numbers with a place in their low bits are sorted, and the places kept. All of them differ, so that the
    order is the same whatever sorts them.
    """
    bits = max(count - 1, 1).bit_length()
    state = _core.Variable(_core.constant(key, dtype=_core.int64), trainable=False)
    drawn = core_ops.random_int(state, shape=[count], dtype=_core.int64, low=0, high=1 << (62 - bits))
    numbers: npt.NDArray[np.int64] = drawn.numpy() << bits
    numbers |= np.arange(count)
    numbers.sort()
    numbers &= (1 << bits) - 1
    return numbers, state.value()


def _is_array(value: Any) -> bool:
    return len(getattr(value, "shape", ())) > 0 or isinstance(value, Mapping)


def is_list_of_batches(x: Any) -> bool:
    """Whether x is a list of tuples of arrays: of rows of one array the tuples would have numbers."""
    return isinstance(x, list) and bool(x) and all(isinstance(one, tuple) and one and _is_input(one[0]) for one in x)


def _is_input(x: Any) -> bool:
    return _is_array(x) or (isinstance(x, (list, tuple)) and bool(x) and all(map(_is_array, x)))


def _leaves(part: Any) -> list[npt.NDArray[Any]]:
    return [] if part is None else nest.flatten(part)


def _cut(data: Batch, rows: slice | npt.NDArray[np.int64]) -> Batch:
    """Some rows of everything."""
    x, y, sample_weight = (_rows(part, rows) for part in data)
    return x, y, sample_weight


def _joined(parts: tuple[Any, ...]) -> Any:
    """One structure of arrays from several."""
    if parts[0] is None:
        return None
    leaves = zip(*map(nest.flatten, parts), strict=True)
    return nest.pack_like(parts[0], [np.concatenate(pieces) for pieces in leaves])


def _rows(part: Any, rows: slice | npt.NDArray[np.int64]) -> Any:
    if part is None:
        return None
    if not isinstance(part, np.ndarray):
        return nest.map_structure(partial(_rows, rows=rows), part)
    # take is several times quicker, but would first copy the whole of an array that is laid out otherwise.
    plain = part.flags.c_contiguous and part.flags.aligned and part.dtype.isnative
    return part.take(rows, 0) if plain and not isinstance(rows, slice) else part[rows]

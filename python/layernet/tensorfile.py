"""Safetensors files: a strict reader and an atomic writer.

A file is 8 bytes with the header's length (little endian), the header (JSON: name to dtype, shape and byte range), and
the tensors' bytes, row by row, little endian. The reader trusts nothing: every size is checked against the file before
memory is taken, and the ranges must cover the data exactly, without overlap or gap.

Reference: https://huggingface.co/docs/safetensors/index#format
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from layernet import _core
from layernet.errors import FormatError, NotFoundError

__all__ = ["Entry", "TensorFile", "atomic_write", "write_tensors"]

# Format name, library name and numpy type of the stored bytes. numpy has no bfloat16: its bits go into uint16.
_TYPES = (
    ("F64", "float64", "<f8"),
    ("F32", "float32", "<f4"),
    ("F16", "float16", "<f2"),
    ("BF16", "bfloat16", "<u2"),
    ("I64", "int64", "<i8"),
    ("I32", "int32", "<i4"),
    ("I8", "int8", "i1"),
    ("U8", "uint8", "u1"),
    ("BOOL", "bool", "?"),
)
_BY_FORMAT = {format_name: (name, np.dtype(stored)) for format_name, name, stored in _TYPES}
_BY_NAME = {name: (format_name, np.dtype(stored)) for format_name, name, stored in _TYPES}

# The limit of the reference implementation; a header of this size names about a million tensors.
_LARGEST_HEADER = 100_000_000
# What numpy before 2.0 can hold.
_LARGEST_RANK = 32


class Entry(NamedTuple):
    """What the header says about one tensor; `begin` and `end` count bytes from the start of the data."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


class TensorFile:
    """An open safetensors file, whose header has been read and checked.

    The file stays open until `close` (or the end of a `with` block), so that all reads see one and the same file even
    when another process puts a new one in its place.

    Args:
        path: The file.

    Attributes:
        entries: Name to `Entry`, in the order of the file.
        metadata: The file's `__metadata__`.

    Raises:
        FormatError: The file is not a safetensors file, is damaged, or holds a type that the library does not have.
        OSError: The file cannot be opened.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self._file = open(self.path, "rb", buffering=0)  # noqa: SIM115 - closed by close()
        try:
            size = os.fstat(self._file.fileno()).st_size
            header, self._data = self._read_header(size)
            self.metadata = self._metadata(header.pop("__metadata__", {}))
            self.entries = {name: self._entry(name, value) for name, value in header.items()}
            self._check_cover(size - self._data)
        except BaseException:
            self._file.close()
            raise

    def close(self) -> None:
        """Close the file; the entries stay."""
        self._file.close()

    def __enter__(self) -> TensorFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def read(self, name: str) -> npt.NDArray[Any]:
        """The tensor called `name` as an array of its own; bfloat16 is widened to float32.

        Raises:
            NotFoundError: No such name.
            FormatError: The file has become shorter, or a bool is neither 0 nor 1.
        """
        try:
            entry = self.entries[name]
        except KeyError:
            raise NotFoundError(
                f"{self.path}: expected a tensor {name!r}, but the file has none of that name. "
                "See list_variables for those that it has."
            ) from None
        stored = _BY_NAME[entry.dtype][1]
        values: npt.NDArray[Any] = np.empty(entry.shape, np.uint8 if entry.dtype == "bool" else stored)
        self._read_at(self._data + entry.begin, values)
        if entry.dtype == "bool":
            if values.size and values.max() > 1:
                raise self._broken(f"tensor {name!r} to hold bools, bytes 0 or 1", f"a byte {int(values.max())}")
            return values.view(np.bool_)
        if entry.dtype == "bfloat16":
            return (values.astype(np.uint32) << 16).view(np.float32)
        return values.astype(stored.newbyteorder("="), copy=False)

    def _read_header(self, size: int) -> tuple[dict[str, Any], int]:
        """The header and where the data start."""
        if size < 8:
            raise self._broken("at least 8 bytes", f"{size}")
        prefix = np.empty(1, "<u8")
        self._read_at(0, prefix)
        length = int(prefix[0])
        if length > min(_LARGEST_HEADER, size - 8):
            raise self._broken("a header that fits into the file and has at most 100 MB", f"a length of {length} bytes")
        text = np.empty(length, np.uint8)
        self._read_at(8, text)
        try:
            header = json.loads(text.tobytes().decode(), object_pairs_hook=_without_repetition)
        except (ValueError, RecursionError) as error:
            raise self._broken("a header in JSON", f"an error: {error}") from None
        if not isinstance(header, dict):
            raise self._broken("a JSON object as header", f"{type(header).__name__}")
        return header, 8 + length

    def _metadata(self, value: Any) -> dict[str, str]:
        if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
            raise self._broken("__metadata__ to be an object of strings", _short(value))
        return value

    def _entry(self, name: str, value: Any) -> Entry:
        if not isinstance(value, dict) or value.keys() != {"dtype", "shape", "data_offsets"}:
            raise self._broken(f"tensor {name!r} to have dtype, shape and data_offsets", _short(value))
        dtype, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
        if not isinstance(dtype, str) or dtype not in _BY_FORMAT:
            raise self._broken(f"tensor {name!r} to have a dtype of {', '.join(_BY_FORMAT)}", _short(dtype))
        if not _sizes(shape) or len(shape) > _LARGEST_RANK:
            raise self._broken(f"tensor {name!r} to have a shape of at most {_LARGEST_RANK} sizes", _short(shape))
        if not _sizes(offsets) or len(offsets) != 2:
            raise self._broken(f"tensor {name!r} to have two data_offsets", _short(offsets))
        library_name, stored = _BY_FORMAT[dtype]
        begin, end = offsets
        wanted = math.prod(shape) * stored.itemsize
        if end - begin != wanted:
            raise self._broken(f"tensor {name!r} of shape {shape} to take {wanted} bytes", f"data_offsets {offsets}")
        # A size of 0 makes the others harmless for the file, but numpy has no such arrays.
        if math.prod(max(n, 1) for n in shape) * stored.itemsize >= 1 << 63:
            raise self._broken(f"tensor {name!r} to have a shape of less than 2^63 bytes", _short(shape))
        return Entry(library_name, tuple(shape), begin, end)

    def _check_cover(self, size: int) -> None:
        """The tensors fill the data from the first byte to the last, each byte once."""
        position = 0
        for name, entry in sorted(self.entries.items(), key=lambda item: (item[1].begin, item[1].end)):
            if entry.begin != position:
                raise self._broken(f"tensor {name!r} to start at byte {position} of the data", f"{entry.begin}")
            position = entry.end
        if position != size:
            raise self._broken(f"{position} bytes of data", f"{size}")

    def _read_at(self, position: int, target: npt.NDArray[Any]) -> None:
        """Fill `target` with the bytes from `position` on."""
        view = target.reshape(-1).view(np.uint8)
        self._file.seek(position)
        done = 0
        while done < view.size:
            count = self._file.readinto(view.data[done:])
            if not count:
                raise self._broken(f"{view.size} bytes at {position}", f"{done}: the file has become shorter")
            done += count

    def _broken(self, expected: str, got: str) -> FormatError:
        return FormatError(f"{self.path}: expected {expected}, got {got}.")


def write_tensors(
    path: str | os.PathLike[str],
    tensors: Mapping[str, tuple[str, npt.NDArray[Any]]],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write a safetensors file, atomically.

    Args:
        path: The file; what is there is replaced at once or, when anything fails, not at all.
        tensors: Name to dtype name and array. bfloat16 comes as a float32 array of values that bfloat16 holds exactly.
        metadata: Strings for `__metadata__`; None (default) writes none.

    Raises:
        OSError: The file cannot be written.
    """
    # Falling item size keeps every tensor aligned to its own size; equal sizes go by name: the same bytes each time.
    order = sorted(tensors, key=lambda name: (-_BY_NAME[tensors[name][0]][1].itemsize, name))
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    blocks: list[npt.NDArray[Any]] = []
    position = 0
    for name in order:
        dtype, array = tensors[name]
        format_name, stored = _BY_NAME[dtype]
        block = _bfloat16_bits(array) if dtype == "bfloat16" else np.asarray(array, stored)
        end = position + block.nbytes
        header[name] = {"dtype": format_name, "shape": list(array.shape), "data_offsets": [position, end]}
        blocks.append(np.ascontiguousarray(block).reshape(-1).view(np.uint8))
        position = end
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    atomic_write(path, [len(text).to_bytes(8, "little"), text, *(block.data for block in blocks)])


def atomic_write(path: str | os.PathLike[str], chunks: Iterable[bytes | memoryview]) -> None:
    """Put a file with the given content at `path`, in one step: readers see the old file or the new one.

    The content goes into a temporary file of the same folder, which is flushed to the disk and then renamed; the folder
    is flushed too, so that the new name outlives a power failure. The file's mode is that of a new file (0666 less the
    umask). What a killed process has left in the folder, the next write there removes.

    Args:
        path: The file.
        chunks: Its content in pieces, in order.

    Raises:
        OSError: The file cannot be written; the old one is then untouched.
    """
    _core.write_file(os.fsencode(path), chunks)


def _bfloat16_bits(array: npt.NDArray[Any]) -> npt.NDArray[np.uint16]:
    bits = np.ascontiguousarray(array, "<f4").view("<u4")
    return (bits >> 16).astype("<u2")


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"{next(key for key in keys if keys.count(key) > 1)!r} appears twice")
    return names


def _sizes(value: Any) -> bool:
    """Whether `value` is a list of integers from 0 to 2^63 - 1."""
    return isinstance(value, list) and all(type(item) is int and 0 <= item < 2**63 for item in value)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."

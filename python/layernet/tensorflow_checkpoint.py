"""Checkpoints of TensorFlow 1.x (`.index` and `.data-00000-of-00001`): a strict reader.

The index is a sorted table of blocks in LevelDB's format: entries whose keys share prefixes, then restart points, then
a type byte and a checksum; a footer says where the block of blocks lies. Under the empty key stands a
BundleHeaderProto, under each variable's name a BundleEntryProto with type, shape, and the place and checksum of its
bytes in one of the data files. A partitioned variable has an entry that lists its slices, each stored under a key of
its own. Nothing is trusted: sizes are compared with the files before memory is taken, and every checksum (CRC-32C,
masked) is verified.

Reference: https://github.com/google/leveldb/blob/main/doc/table_format.md, and tensor_bundle.proto of TensorFlow.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from layernet import _core
from layernet.errors import FormatError, NotFoundError

__all__ = ["TensorFlowCheckpoint"]

_MAGIC = 0xDB4775248B80FB57
_FOOTER = 48
_TRAILER = 5  # type and checksum of a block
_LARGEST_INDEX = 1 << 28  # names about a million variables
_LARGEST_RANK = 32
# DataType of types.proto: library name and numpy type of the stored bytes.
_TYPES = {
    1: ("float32", "<f4"),
    2: ("float64", "<f8"),
    3: ("int32", "<i4"),
    4: ("uint8", "u1"),
    6: ("int8", "i1"),
    9: ("int64", "<i8"),
    10: ("bool", "?"),
    14: ("bfloat16", "<u2"),
    19: ("float16", "<f2"),
}
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class _Damaged(ValueError):
    """What was expected and what came; the reader adds the file."""


class Entry(NamedTuple):
    """One tensor, or one slice of a tensor: where its bytes are. `slices` is set for partitioned variables."""

    dtype: str
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    crc: int
    slices: tuple[tuple[slice, ...], ...]


class TensorFlowCheckpoint:
    """An open checkpoint of TensorFlow 1.x, whose index has been read and checked.

    Args:
        prefix: The path without `.index`.

    Attributes:
        entries: Name to `Entry`, sorted by name. Tensors of types that the library lacks (strings, complex) are left
            out.

    Raises:
        FormatError: The index is damaged, of another kind, or in big endian.
        OSError: It cannot be opened.
    """

    def __init__(self, prefix: str | os.PathLike[str]) -> None:
        self.prefix = os.fspath(prefix)
        self.path = self.prefix + ".index"
        self._files: dict[int, Any] = {}
        with open(self.path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if not _FOOTER <= size <= _LARGEST_INDEX:
                raise FormatError(f"{self.path}: expected between {_FOOTER} bytes and 256 MB, got {size} bytes.")
            content = file.read(size)
        self._unreadable: dict[str, int] = {}
        try:
            self._all = self._read(content)
        except _Damaged as error:
            raise FormatError(f"{self.path}: expected {error}.") from None
        self.entries = {key.decode(): entry for key, entry in self._all.items() if key[0] != 0}

    def close(self) -> None:
        """Close the data files; the entries stay."""
        for file in self._files.values():
            file.close()
        self._files.clear()

    def __enter__(self) -> TensorFlowCheckpoint:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def read(self, name: str) -> npt.NDArray[Any]:
        """The tensor called `name` as an array of its own; bfloat16 is widened to float32.

        Raises:
            NotFoundError: No such name.
            FormatError: A data file is missing, too short or damaged, or the tensor's type is unknown to the library.
        """
        if name in self._unreadable:
            raise FormatError(
                f"{self.path}: expected tensor {name!r} to hold numbers of a type that layernet has, "
                f"got TensorFlow's type number {self._unreadable[name]}."
            )
        if name not in self.entries:
            raise NotFoundError(
                f"{self.path}: expected a tensor {name!r}, but the checkpoint has none of that name. "
                "See list_variables for those that it has."
            )
        entry = self.entries[name]
        if not entry.slices:
            return self._tensor(name, entry)
        parts = [self._all[_slice_key(name, place)] for place in entry.slices]
        for stored in parts:
            self._file_of(name, stored)  # all bytes are there before memory is taken for the whole
        whole: npt.NDArray[Any] | None = None
        for place, stored in zip(entry.slices, parts, strict=True):
            part = self._tensor(name, stored)
            if whole is None:
                whole = np.empty(entry.shape, part.dtype)
            whole[tuple(slice(s.start, None if s.stop < 0 else s.stop) for s in place)] = part
        assert whole is not None
        return whole

    def _read(self, content: bytes) -> dict[bytes, Entry]:
        if int.from_bytes(content[-8:], "little") != _MAGIC:
            raise _Damaged(f"a table that ends in {_MAGIC:#x}, got {content[-8:].hex()}")
        body, footer = len(content) - _FOOTER, content[-_FOOTER:-8]
        position = 0
        handles: list[int] = []
        for _ in range(4):
            place, position = _varint(footer, position)
            handles.append(place)
        _block(content, body, handles[0], handles[1])
        raw: dict[bytes, bytes] = {}
        last = None
        for bound, handle in _entries(_block(content, body, handles[2], handles[3])):
            offset, used = _varint(handle, 0)
            length, used = _varint(handle, used)
            if used != len(handle):
                raise _Damaged(f"the place of a block to be two numbers, got {len(handle) - used} bytes more")
            for key, value in _entries(_block(content, body, offset, length)):
                if last is not None and key <= last:
                    raise _Damaged(f"keys in rising order, got {key!r} after {last!r}")
                if key > bound:
                    raise _Damaged(f"keys up to {bound!r} in a block, got {key!r}")
                raw[key] = value
                last = key
        if b"" not in raw:
            raise _Damaged("a header under the empty key, got none")
        self._shards = _header(raw.pop(b""))
        found: dict[bytes, Entry] = {}
        for key, message in raw.items():
            entry = self._entry(key, message)
            if entry is not None:
                found[key] = entry
        for key, entry in found.items():
            if entry.slices:
                self._check_slices(key.decode(), entry, found)
        return found

    def _entry(self, key: bytes, value: bytes) -> Entry | None:
        what = f"entry {key!r}"
        kind = shard = offset = size = crc = 0
        shape: tuple[int, ...] = ()
        places: list[tuple[slice, ...]] = []
        for number, wire, item in _fields(value, what):
            if (number, wire) == (1, _VARINT):
                kind = item
            elif (number, wire) == (2, _BYTES):
                shape = _shape(item, what)
            elif (number, wire) == (3, _VARINT):
                shard = item
            elif (number, wire) == (4, _VARINT):
                offset = item
            elif (number, wire) == (5, _VARINT):
                size = item
            elif (number, wire) == (6, _FIXED32):
                crc = item
            elif (number, wire) == (7, _BYTES):
                places.append(_extents(item, what))
            elif number <= 7:
                raise _Damaged(f"field {number} of {what} in another encoding, got wire type {wire}")
        if key[:1] != b"\0":
            try:
                name = key.decode()
            except UnicodeDecodeError:
                raise _Damaged(f"names in UTF-8, got {key!r}") from None
            if kind not in _TYPES:
                self._unreadable[name] = kind
                return None
        elif places:
            raise _Damaged(f"slices of a tensor, got slices of the slice {key!r}")
        elif kind not in _TYPES:
            return None
        dtype, stored = _TYPES[kind]
        bytes_wanted = math.prod(shape) * np.dtype(stored).itemsize
        # A size of 0 makes the others harmless for the file, but numpy has no such arrays.
        if math.prod(max(n, 1) for n in shape) * np.dtype(stored).itemsize >= 1 << 63:
            raise _Damaged(f"{what} to have a shape of less than 2^63 bytes, got {list(shape)}")
        if not places:
            if size != bytes_wanted:
                raise _Damaged(
                    f"{what} of shape {list(shape)} and type {dtype} to take {bytes_wanted} bytes, got {size}"
                )
            if shard >= self._shards:
                raise _Damaged(f"{what} in one of {self._shards} data files, got number {shard}")
        return Entry(dtype, shape, shard, offset, size, crc, tuple(places))

    def _check_slices(self, name: str, entry: Entry, found: dict[bytes, Entry]) -> None:
        """Every slice is there, of the right shape and type, and together they cover the tensor once."""
        covered = 0
        boxes: list[tuple[tuple[int, int], ...]] = []
        for place in entry.slices:
            if len(place) != len(entry.shape):
                raise _Damaged(f"slices of {name!r} with {len(entry.shape)} axes, got {len(place)}")
            box = tuple((s.start, n if s.stop < 0 else s.stop) for s, n in zip(place, entry.shape, strict=True))
            for (begin, end), n in zip(box, entry.shape, strict=True):
                if not 0 <= begin <= end <= n:
                    raise _Damaged(f"slices of {name!r} inside shape {list(entry.shape)}, got {begin}:{end}")
            shape = tuple(end - begin for begin, end in box)
            part = found.get(_slice_key(name, place))
            if part is None or part.slices or part.shape != shape or part.dtype != entry.dtype:
                raise _Damaged(
                    f"a slice {list(box)} of {name!r} of type {entry.dtype}, "
                    f"got {'none' if part is None else f'{part.dtype} {list(part.shape)}'}"
                )
            for other in boxes:
                if all(a < d and c < b for (a, b), (c, d) in zip(box, other, strict=True)):
                    raise _Damaged(f"slices of {name!r} that lie apart, got {list(box)} and {list(other)}")
            boxes.append(box)
            covered += math.prod(shape)
        if covered != math.prod(entry.shape):
            raise _Damaged(f"slices of {name!r} that cover {math.prod(entry.shape)} elements, got {covered}")

    def _file_of(self, name: str, entry: Entry) -> tuple[str, Any]:
        """The data file that holds the bytes of an entry: its path and the open file."""
        path = f"{self.prefix}.data-{entry.shard:05d}-of-{self._shards:05d}"
        if entry.shard not in self._files:
            try:
                self._files[entry.shard] = open(path, "rb", buffering=0)  # noqa: SIM115 - closed by close()
            except FileNotFoundError:
                raise FormatError(f"{self.path}: expected its data file {path}, which is missing.") from None
        file = self._files[entry.shard]
        length = os.fstat(file.fileno()).st_size
        if entry.offset + entry.size > length:
            raise FormatError(
                f"{path}: expected {entry.size} bytes of {name!r} at byte {entry.offset}, got a file of {length} bytes."
            )
        return path, file

    def _tensor(self, name: str, entry: Entry) -> npt.NDArray[Any]:
        path, file = self._file_of(name, entry)
        raw = np.empty(entry.size, np.uint8)
        file.seek(entry.offset)
        done = 0
        while done < entry.size:
            count = file.readinto(raw.data[done:])
            if not count:
                raise FormatError(
                    f"{path}: expected {entry.size} bytes of {name!r}, got {done}: it has become shorter."
                )
            done += count
        if _masked_crc(raw.data) != entry.crc:
            raise FormatError(
                f"{path}: expected the checksum {entry.crc:#010x} for {name!r}, got {_masked_crc(raw.data):#010x}: "
                "the file is damaged."
            )
        if entry.dtype == "bool":
            if raw.size and raw.max() > 1:
                raise FormatError(f"{path}: expected {name!r} to hold bools, bytes 0 or 1, got {int(raw.max())}.")
            return raw.view(np.bool_).reshape(entry.shape)
        stored = np.dtype(next(form for dtype, form in _TYPES.values() if dtype == entry.dtype))
        values = raw.view(stored).reshape(entry.shape)
        if entry.dtype == "bfloat16":
            return (values.astype(np.uint32) << 16).view(np.float32)
        return values.astype(stored.newbyteorder("="), copy=False)


def _masked_crc(data: Any) -> int:
    crc: int = _core.crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """A number of 7 bits a byte, least first, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(data):
            raise _Damaged("a number, got the end of its block")
        byte = data[position]
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            if value >= 1 << 64:
                break
            return value, position
    raise _Damaged("a number of at most 64 bits, got a longer one")


def _block(content: bytes, body: int, offset: int, size: int) -> bytes:
    """The entries and restart points of a block, after the check of its checksum."""
    if offset + size + _TRAILER > body:
        raise _Damaged(f"a block inside the first {body} bytes, got {size} bytes at {offset}")
    end = offset + size
    kind = content[end]
    stored = int.from_bytes(content[end + 1 : end + _TRAILER], "little")
    if _masked_crc(content[offset : end + 1]) != stored:
        raise _Damaged(f"a block at byte {offset} with the checksum {stored:#010x}, got another: the file is damaged")
    if kind != 0:
        raise _Damaged(f"a block at byte {offset} that is not compressed, got compression type {kind}")
    return content[offset:end]


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    if len(block) < 4:
        raise _Damaged(f"a block with restart points, got {len(block)} bytes")
    restarts = int.from_bytes(block[-4:], "little")
    end = len(block) - 4 - 4 * restarts
    if end < 0:
        raise _Damaged(f"{restarts} restart points in a block, got {len(block)} bytes")
    position, key = 0, b""
    while position < end:
        shared, position = _varint(block, position)
        own, position = _varint(block, position)
        length, position = _varint(block, position)
        if shared > len(key) or position + own + length > end:
            raise _Damaged(f"an entry inside its block, got lengths {shared}, {own} and {length}")
        key = key[:shared] + block[position : position + own]
        position += own
        yield key, block[position : position + length]
        position += length


def _fields(message: bytes, what: str) -> Iterator[tuple[int, int, Any]]:
    """Number, wire type and value of each field of a protocol buffer."""
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        wire = tag & 7
        value: Any
        if wire == _VARINT:
            value, position = _varint(message, position)
        else:
            if wire == _BYTES:
                length, position = _varint(message, position)
            else:
                length = {_FIXED64: 8, _FIXED32: 4}.get(wire, -1)
            if length < 0 or position + length > len(message):
                raise _Damaged(f"a field of {what} inside its message, got wire type {wire} and {length} bytes")
            value = message[position : position + length]
            if wire != _BYTES:
                value = int.from_bytes(value, "little")
            position += length
        yield tag >> 3, wire, value


def _header(message: bytes) -> int:
    """The number of data files."""
    shards = 0
    for number, wire, value in _fields(message, "the header"):
        if (number, wire) == (1, _VARINT):
            shards = value
        if number == 2 and value != 0:
            raise _Damaged("numbers in little endian, got a checkpoint written in big endian")
    if not 1 <= shards <= 99999:
        raise _Damaged(f"1 to 99999 data files, got {shards}")
    return shards


def _shape(message: bytes, what: str) -> tuple[int, ...]:
    sizes = []
    for number, wire, value in _fields(message, what):
        if (number, wire) == (2, _BYTES):
            size = 0
            for inner, inner_wire, item in _fields(value, what):
                if (inner, inner_wire) == (1, _VARINT):
                    size = item
            if size >= 1 << 63:
                raise _Damaged(f"{what} to have known sizes, got {size - (1 << 64)}")
            sizes.append(size)
        if number == 3 and value:
            raise _Damaged(f"{what} to have a known rank, got an unknown one")
    if len(sizes) > _LARGEST_RANK:
        raise _Damaged(f"{what} to have at most {_LARGEST_RANK} axes, got {len(sizes)}")
    return tuple(sizes)


def _extents(message: bytes, what: str) -> tuple[slice, ...]:
    """start:stop of each axis; a stop of -1 is the whole axis."""
    places = []
    for number, wire, value in _fields(message, what):
        if (number, wire) != (1, _BYTES):
            continue
        start, length = 0, -1
        for inner, inner_wire, item in _fields(value, what):
            if inner_wire != _VARINT or item >= 1 << 62:
                raise _Damaged(f"{what} to have extents of two numbers, got field {inner}")
            if inner == 1:
                start = item
            elif inner == 2:
                length = item
        places.append(slice(start, -1 if length < 0 else start + length))
    return tuple(places)


def _slice_key(name: str, place: tuple[slice, ...]) -> bytes:
    """The key of a slice: 0, name, rank, then start and length of each axis, in a code that keeps their order."""
    escaped = name.encode().replace(b"\0", b"\0\xff")  # UTF-8 has no byte 255, the other one that is escaped
    key = b"\0" + escaped + b"\0\1" + _ordered(len(place))
    for s in place:
        key += _ordered_signed(s.start) + _ordered_signed(-1 if s.stop < 0 else s.stop - s.start)
    return key


def _ordered(value: int) -> bytes:
    digits = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return bytes([len(digits)]) + digits


def _ordered_signed(value: int) -> bytes:
    """A byte for -64 to 63; else as many leading ones as there are bytes (in all of them together), then the value."""
    length = (value if value >= 0 else ~value).bit_length() // 7 + 1
    header = ((1 << length) - 1) << (8 * length - length)
    return ((value & ((1 << 8 * length) - 1)) ^ header).to_bytes(length, "big")

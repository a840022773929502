"""Writes TensorFlow 1.x checkpoints, for tests of the reader: an independent and slow implementation of the format."""

import struct
from pathlib import Path

import numpy as np

MAGIC = 0xDB4775248B80FB57
TYPES = {
    "float32": 1,
    "float64": 2,
    "int32": 3,
    "uint8": 4,
    "int8": 6,
    "int64": 9,
    "bool": 10,
    "bfloat16": 14,
    "float16": 19,
}


def crc32c(data: bytes) -> int:
    """Bit by bit."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data: bytes) -> int:
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def varint(value: int) -> bytes:
    out = b""
    while value >= 128:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value) if value else b""


def message(field: int, content: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(content)) + content


def shape_of(shape: tuple[int, ...]) -> bytes:
    return b"".join(message(2, number(1, size)) for size in shape)


def entry(
    kind: int,
    shape: tuple[int, ...],
    shard: int = 0,
    offset: int = 0,
    size: int = 0,
    crc: int = 0,
    slices: list[list[tuple[int, int]]] | None = None,
) -> bytes:
    out = number(1, kind) + message(2, shape_of(shape)) + number(3, shard) + number(4, offset) + number(5, size)
    if crc:
        out += varint(6 << 3 | 5) + struct.pack("<I", crc)
    for place in slices or []:
        extents = b"".join(message(1, number(1, start) + number(2, length)) for start, length in place)
        out += message(7, extents)
    return out


def header(shards: int = 1, endianness: int = 0) -> bytes:
    return number(1, shards) + number(2, endianness) + message(3, number(1, 1))


def block(entries: list[tuple[bytes, bytes]], interval: int = 4) -> bytes:
    """Keys share prefixes with the key before, but for each `interval`-th."""
    out, restarts, last = b"", [], b""
    for i, (key, value) in enumerate(entries):
        shared = 0
        if i % interval == 0:
            restarts.append(len(out))
        else:
            while shared < min(len(last), len(key)) and last[shared] == key[shared]:
                shared += 1
        out += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        last = key
    restarts = restarts or [0]
    return out + b"".join(struct.pack("<I", r) for r in restarts) + struct.pack("<I", len(restarts))


def table(entries: dict[bytes, bytes], per_block: int = 5, kind: int = 0) -> bytes:
    out = b""
    handles = []

    def put(content: bytes) -> bytes:
        nonlocal out
        handle = varint(len(out)) + varint(len(content))
        out += content + bytes([kind]) + struct.pack("<I", masked(content + bytes([kind])))
        return handle

    items = sorted(entries.items())
    for i in range(0, len(items), per_block):
        part = items[i : i + per_block]
        handles.append((part[-1][0], put(block(part))))
    meta = put(block([]))
    index = put(block(handles, interval=1))
    return out + (meta + index).ljust(40, b"\0") + struct.pack("<Q", MAGIC)


def write(prefix: Path, tensors: dict[str, tuple[str, np.ndarray]], shards: int = 1) -> None:
    """Tensors (dtype name, array; bfloat16 as the bits in uint16) spread over `shards` data files in turn."""
    files = [b""] * shards
    entries = {b"": header(shards)}
    for i, (name, (dtype, array)) in enumerate(sorted(tensors.items())):
        shard, raw = i % shards, np.ascontiguousarray(array).tobytes()
        entries[name.encode()] = entry(TYPES[dtype], array.shape, shard, len(files[shard]), len(raw), masked(raw))
        files[shard] += raw
    prefix.with_name(prefix.name + ".index").write_bytes(table(entries))
    for shard, content in enumerate(files):
        prefix.with_name(f"{prefix.name}.data-{shard:05d}-of-{shards:05d}").write_bytes(content)

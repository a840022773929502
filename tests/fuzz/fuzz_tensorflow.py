"""Fuzzes the reader of TensorFlow checkpoints: changes good ones at random and reads all of them.

Half of the changes are made to bytes. The other half are made to entries, handles and messages before the table is put
together again with its checksums, for else no change would get past those. Any exception but the reader's documented
ones is a find: its files are kept, and the traceback printed. The same seed gives the same cases.

Usage: fuzz_tensorflow.py [--seconds S | --runs N] [--seed I] [--found FOLDER]
"""

from __future__ import annotations

import argparse
import contextlib
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from types import FrameType
from typing import NamedTuple

import numpy as np

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

import tensorflow_writer as writer  # noqa: E402 - its folder has just been added
from layernet import _core  # noqa: E402
from layernet.errors import FormatError  # noqa: E402
from layernet.tensorflow_checkpoint import TensorFlowCheckpoint, _slice_key  # noqa: E402

writer.crc32c = _core.crc32c  # the tests compare the two; bit by bit would take most of the time

# Sizes at which numbers, lengths and products of them go wrong.
NUMBERS = [0, 1, 2, 3, 4, 7, 63, 64, 127, 128, 255, 2**16, 2**31 - 1, 2**31, 2**32, 2**48, 2**61, 2**62, 2**63 - 1]
NUMBERS += [2**63, 2**64 - 1, 2**64]
SECONDS_PER_CASE = 5
MEMORY = 1 << 30  # a case of a few kilobytes has no use for more


class Seed(NamedTuple):
    """A checkpoint in parts: entries of the index, and the content of the data files."""

    entries: dict[bytes, bytes]
    data: list[bytes]


def seeds(folder: Path) -> list[Seed]:
    """TensorFlow's own files, one of every type, one in several files, one partitioned."""
    values = np.arange(12, dtype="f4").reshape(3, 4)
    many = {f"net/{name}": (name, (values % 2).astype("u2" if name == "bfloat16" else name)) for name in writer.TYPES}
    many |= {"net/empty": ("float32", np.zeros((0, 3), "f4")), "net/scalar": ("int64", np.array(5))}
    writer.write(folder / "one", many)
    writer.write(folder / "three", many, 3)
    found = [read_seed(folder / "one"), read_seed(folder / "three")]
    found += [read_seed(path.with_suffix("")) for path in sorted((TESTS / "fixtures/tf110").glob("*.index"))]
    return [*found, partitioned(values)]


def read_seed(prefix: Path) -> Seed:
    files = sorted(prefix.parent.glob(prefix.name + ".data-*"))
    with TensorFlowCheckpoint(prefix) as checkpoint:
        entries = {b"": writer.header(len(files))}
        for name, e in checkpoint.entries.items():
            entries[name.encode()] = writer.entry(writer.TYPES[e.dtype], e.shape, e.shard, e.offset, e.size, e.crc)
    return Seed(entries, [path.read_bytes() for path in files])


def partitioned(values: np.ndarray) -> Seed:
    places = [[(0, 1), (0, 4)], [(1, 2), (0, 4)]]
    entries, data = {b"": writer.header()}, b""
    entries[b"w"] = writer.entry(1, values.shape, slices=places)
    for place in places:
        part = values[place[0][0] : sum(place[0])]
        raw = part.tobytes()
        key = _slice_key("w", tuple(slice(start, start + length) for start, length in place))
        entries[key] = writer.entry(1, part.shape, 0, len(data), len(raw), writer.masked(raw))
        data += raw
    return Seed(entries, [data])


def changed(draw: random.Random, content: bytes) -> bytes:
    """A few bytes changed, put in, taken away, doubled or cut off; or a number put in."""
    out = bytearray(content)
    for _ in range(draw.choice([1, 1, 1, 2, 4])):
        begin = draw.randrange(len(out) + 1)
        end = min(len(out), begin + draw.choice([0, 1, 1, 2, 8, 64]))
        kind = draw.randrange(6)
        if kind == 0:
            out[begin:end] = draw.randbytes(end - begin)
        elif kind == 1:
            out[begin:begin] = draw.randbytes(draw.randrange(1, 9))
        elif kind == 2:
            del out[begin:end]
        elif kind == 3:
            out[begin:begin] = out[begin:end]
        elif kind == 4:
            del out[begin:]
        else:
            out[begin:end] = writer.varint(draw.choice(NUMBERS))
    return bytes(out)


def any_entry(draw: random.Random, slices: bool) -> bytes:
    """A well-formed entry of numbers that mean something alone, but not together."""
    small = lambda: draw.choice(NUMBERS[:8] if draw.random() < 0.6 else NUMBERS)  # noqa: E731
    shape = tuple(small() for _ in range(draw.choice([0, 1, 2, 2, 3, 33])))
    places = [[(small(), small()) for _ in shape] for _ in range(draw.randrange(3))] if slices else None
    kind = draw.choice([*writer.TYPES.values(), 7, 8, 99])
    return writer.entry(kind, shape, small(), small(), small(), draw.randrange(1 << 32), places)


def consistent_entries(draw: random.Random, seed: Seed) -> dict[bytes, bytes]:
    """Shapes and slices that fit together, of any size: only the data files can tell that they are not there."""
    name = draw.choice(["w", "net/kernel", ""])
    sizes = [draw.choice(NUMBERS[:-3]) for _ in range(draw.randrange(1, 3))]
    width = draw.choice([1, 1, 4, 0, *NUMBERS[8:-3]])
    kind = draw.choice(list(writer.TYPES))
    bytes_each = {"float64": 8, "int64": 8, "float32": 4, "int32": 4, "float16": 2, "bfloat16": 2}.get(kind, 1)
    places, entries, start = [], dict(seed.entries), 0
    for size in sizes:
        place = [(start, size), (0, width)]
        key = _slice_key(name, tuple(slice(begin, begin + length) for begin, length in place))
        count = size * width * bytes_each
        crc = writer.masked(seed.data[0][:count]) if count <= len(seed.data[0]) else 1
        entries[key] = writer.entry(writer.TYPES[kind], (size, width), 0, 0, count, crc)
        places.append(place)
        start += size
    entries[name.encode() or b"x"] = writer.entry(writer.TYPES[kind], (start, width), slices=places)
    return entries


def write_case(draw: random.Random, seed: Seed, prefix: Path) -> None:
    """A checkpoint with something wrong, at `prefix`."""
    entries, data = dict(seed.entries), list(seed.data)
    keys = list(entries)
    kind = draw.randrange(7)
    if kind == 0:
        key = draw.choice(keys)
        entries[key] = changed(draw, entries[key])
    elif kind == 1:
        key = draw.choice(keys)
        entries[changed(draw, key)] = entries.pop(key)
    elif kind == 2:
        slices = draw.random() < 0.5
        key = draw.choice([draw.choice(keys), b"\0" + draw.randbytes(4), b"new"])
        entries[key] = any_entry(draw, slices)
    elif kind == 3:
        entries = consistent_entries(draw, seed)
    index = writer.table(entries, per_block=draw.choice([1, 2, 5, 100]))
    if kind == 4:
        index = changed(draw, index)
    elif kind == 5:
        at = draw.randrange(len(data))
        data[at] = changed(draw, data[at])
    elif kind == 6:
        index = broken_table(draw, entries)
    prefix.with_name(prefix.name + ".index").write_bytes(index)
    for shard, content in enumerate(data):
        prefix.with_name(f"{prefix.name}.data-{shard:05d}-of-{len(data):05d}").write_bytes(content)


def broken_table(draw: random.Random, entries: dict[bytes, bytes]) -> bytes:
    """Blocks and handles with wrong insides, but right checksums."""
    plain = writer.block
    try:
        writer.block = lambda items, interval=4: changed(draw, plain(items, interval))
        return writer.table(entries)
    finally:
        writer.block = plain


def read_all(prefix: Path) -> None:
    """What every caller does: the names, then each tensor."""
    try:
        checkpoint = TensorFlowCheckpoint(prefix)
    except FormatError:
        return
    with checkpoint:
        for name in checkpoint.entries:
            with contextlib.suppress(FormatError):
                checkpoint.read(name)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--runs", type=int, help="so many cases, whatever time they take")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--found", type=Path, help="folder for the files of finds")
    options = parser.parse_args()

    def too_long(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"a case took more than {SECONDS_PER_CASE} s")

    signal.signal(signal.SIGALRM, too_long)
    if Path("/proc/self/statm").exists():
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
    finds = runs = 0
    end = time.monotonic() + options.seconds
    with tempfile.TemporaryDirectory() as name:
        good = seeds(Path(name))
        while runs < options.runs if options.runs is not None else time.monotonic() < end:
            folder = Path(name, "case")
            folder.mkdir()
            draw = random.Random(f"{options.seed} {runs}")
            write_case(draw, draw.choice(good), folder / "ckpt")
            signal.alarm(SECONDS_PER_CASE)
            try:
                read_all(folder / "ckpt")
            except Exception:
                finds += 1
                print(f"case {runs} of seed {options.seed}:\n{traceback.format_exc()}")
                if options.found is not None:
                    shutil.copytree(folder, options.found / f"tensorflow-{options.seed}-{runs}", dirs_exist_ok=True)
            finally:
                signal.alarm(0)
            shutil.rmtree(folder)
            runs += 1
            if finds == 10:
                break
    print(f"{runs} cases, {finds} finds")
    return finds > 0


if __name__ == "__main__":
    raise SystemExit(main())

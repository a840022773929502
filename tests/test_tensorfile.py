"""Safetensors files: round trips, every refusal of the reader, and atomic replacement."""

import json
import os
import stat

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from layernet.errors import FormatError, NotFoundError
from layernet.tensorfile import TensorFile, atomic_write, write_tensors

DTYPES = ("float64", "float32", "float16", "int64", "int32", "int8", "uint8", "bool")


def read_all(path):
    with TensorFile(path) as file:
        return {name: (entry.dtype, file.read(name)) for name, entry in file.entries.items()}


def raw(path, header, data=b"", length=None):
    """A file with the given header (object or text) and data."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes((len(text) if length is None else length).to_bytes(8, "little") + text + data)
    return path


def one(dtype="F32", shape=(1,), offsets=(0, 4)):
    return {"a": {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (1,), (3, 0, 2), (2, 3, 5)])
def test_round_trip(tmp_path, dtype, shape):
    values = (np.arange(np.prod(shape, dtype=int)) % 2 + 1).reshape(shape).astype(dtype)
    write_tensors(tmp_path / "f", {"x": (dtype, values)})
    [(name, (got_dtype, got))] = read_all(tmp_path / "f").items()
    assert (name, got_dtype, got.dtype, got.shape) == ("x", dtype, np.dtype(dtype), shape)
    np.testing.assert_array_equal(got, values)
    assert got.flags.writeable


def test_bfloat16_is_stored_in_two_bytes(tmp_path):
    values = np.array([1.0, -0.0, 3.140625, np.inf, 1e-40], np.float32)
    values = (values.view(np.uint32) & 0xFFFF0000).view(np.float32)
    write_tensors(tmp_path / "f", {"x": ("bfloat16", values)})
    with TensorFile(tmp_path / "f") as file:
        entry = file.entries["x"]
        assert (entry.dtype, entry.end - entry.begin) == ("bfloat16", 10)
        np.testing.assert_array_equal(file.read("x").view(np.uint32), values.view(np.uint32))


@given(
    st.dictionaries(
        st.text(max_size=8).filter(lambda name: name != "__metadata__"),
        st.sampled_from(DTYPES).flatmap(lambda d: hnp.arrays(d, hnp.array_shapes(min_dims=0, min_side=0, max_side=4))),
        max_size=5,
    )
)
def test_round_trip_of_any_dictionary(tmp_path_factory, arrays):
    path = tmp_path_factory.mktemp("any") / "f"
    write_tensors(path, {name: (array.dtype.name, array) for name, array in arrays.items()})
    got = read_all(path)
    assert got.keys() == arrays.keys()
    for name, array in arrays.items():
        assert got[name][1].dtype == array.dtype
        np.testing.assert_array_equal(got[name][1], array)


def test_strided_and_foreign_byte_order_arrays_are_written(tmp_path):
    values = np.arange(12, dtype=">f4").reshape(3, 4)[::2, ::-1]
    write_tensors(tmp_path / "f", {"x": ("float32", values)})
    np.testing.assert_array_equal(read_all(tmp_path / "f")["x"][1], values)


def test_order_alignment_and_equal_bytes(tmp_path):
    tensors = {"b": ("int8", np.ones(3, np.int8)), "a": ("float64", np.ones(1)), "c": ("float32", np.ones(1, "f4"))}
    write_tensors(tmp_path / "f", tensors)
    write_tensors(tmp_path / "g", dict(reversed(tensors.items())))
    content = (tmp_path / "f").read_bytes()
    assert content == (tmp_path / "g").read_bytes()
    length = int.from_bytes(content[:8], "little")
    assert length % 8 == 0
    assert list(json.loads(content[8 : 8 + length])) == ["a", "c", "b"]


def test_other_readers_accept_the_file(tmp_path):
    safetensors = pytest.importorskip("safetensors.numpy", reason="the reference implementation is not installed")
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    write_tensors(tmp_path / "f", {"x": ("float32", values)}, {"key": "value"})
    np.testing.assert_array_equal(safetensors.load_file(tmp_path / "f")["x"], values)
    safetensors.save_file({"y": values}, tmp_path / "g", metadata={"key": "value"})
    with TensorFile(tmp_path / "g") as file:
        assert file.metadata == {"key": "value"}
        np.testing.assert_array_equal(file.read("y"), values)


def test_metadata(tmp_path):
    write_tensors(tmp_path / "f", {}, {"key": "välue"})
    with TensorFile(tmp_path / "f") as file:
        assert (file.metadata, file.entries) == ({"key": "välue"}, {})


def test_unknown_name(tmp_path):
    write_tensors(tmp_path / "f", {})
    with TensorFile(tmp_path / "f") as file, pytest.raises(NotFoundError, match=r"expected a tensor 'x', but the file"):
        file.read("x")


@pytest.mark.parametrize(
    ("header", "data", "message"),
    [
        (one(offsets=(0, 8)), b"\0" * 8, r"tensor 'a' of shape \[1\] to take 4 bytes, got data_offsets \[0, 8\]"),
        (one(shape=(2**62, 2**62, 2**62)), b"\0" * 4, r"tensor 'a' of shape .* to take \d+ bytes"),
        (one(shape=(-1,)), b"\0" * 4, r"tensor 'a' to have a shape of at most 32 sizes, got \[-1\]"),
        (one(shape=(1.0,)), b"\0" * 4, r"a shape of at most 32 sizes, got \[1.0\]"),
        (one(shape=(True,)), b"\0" * 4, r"a shape of at most 32 sizes, got \[True\]"),
        (one(shape=(1,) * 33), b"\0" * 4, r"a shape of at most 32 sizes, got \[1, 1"),
        (one(offsets=(4, 8)), b"\0" * 8, r"tensor 'a' to start at byte 0 of the data, got 4"),
        (one(offsets=(0, 4, 8)), b"\0" * 8, r"tensor 'a' to have two data_offsets, got \[0, 4, 8\]"),
        (one(offsets=(4, 0)), b"\0" * 4, r"to take 4 bytes, got data_offsets \[4, 0\]"),
        (one(), b"\0" * 3, r"expected 4 bytes of data, got 3"),
        (one(), b"\0" * 5, r"expected 4 bytes of data, got 5"),
        (one(dtype="F8_E4M3"), b"\0" * 4, r"tensor 'a' to have a dtype of F64, .*, got 'F8_E4M3'"),
        (one(dtype=["F32"]), b"\0" * 4, r"tensor 'a' to have a dtype of F64"),
        ({"a": {"dtype": "F32", "shape": [1]}}, b"", r"tensor 'a' to have dtype, shape and data_offsets, got"),
        ({"a": 1}, b"", r"tensor 'a' to have dtype, shape and data_offsets, got 1"),
        (one("F32", (0, 2**40, 2**40), (0, 0)), b"", r"tensor 'a' to have a shape of less than 2\^63 bytes, got \[0, "),
        ({"__metadata__": {"a": 1}}, b"", r"__metadata__ to be an object of strings"),
        ({"__metadata__": []}, b"", r"__metadata__ to be an object of strings, got \[\]"),
        ([], b"", r"a JSON object as header, got list"),
        (b"{", b"", r"a header in JSON, got an error"),
        (b"\xff\xfe", b"", r"a header in JSON, got an error"),
        (b"[" * 100_000, b"", r"a header in JSON, got an error"),
        (b'{"a": ' + b"9" * 5000 + b"}", b"", r"a header in JSON, got an error|to have dtype"),
        (b'{"a": 1, "a": 2}', b"", r"a header in JSON, got an error: 'a' appears twice"),
        ({**one(), "b": one()["a"]}, b"\0" * 4, r"tensor 'b' to start at byte 4 of the data, got 0"),
    ],
)
def test_damaged_header_is_refused(tmp_path, header, data, message):
    with pytest.raises(FormatError, match=message):
        TensorFile(raw(tmp_path / "f", header, data))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"at least 8 bytes, got 0"),
        (b"\0" * 7, r"at least 8 bytes, got 7"),
        (b"\x01" + b"\0" * 7, r"a header that fits into the file and has at most 100 MB, got a length of 1 bytes"),
        (b"\xff" * 8 + b"{}", r"a header that fits into the file"),
    ],
)
def test_truncated_file_is_refused(tmp_path, content, message):
    (tmp_path / "f").write_bytes(content)
    with pytest.raises(FormatError, match=message):
        TensorFile(tmp_path / "f")


def test_bools_must_be_0_or_1(tmp_path):
    with (
        TensorFile(raw(tmp_path / "f", one("BOOL", (2,), (0, 2)), b"\1\2")) as file,
        pytest.raises(FormatError, match=r"tensor 'a' to hold bools, bytes 0 or 1, got a byte 2"),
    ):
        file.read("a")


def test_file_that_shrinks_after_opening(tmp_path):
    path = raw(tmp_path / "f", one(), b"\0" * 4)
    with TensorFile(path) as file:
        os.truncate(path, path.stat().st_size - 2)
        with pytest.raises(FormatError, match=r"expected 4 bytes at \d+, got 2: the file has become shorter"):
            file.read("a")


@given(st.binary(max_size=64), st.data())
def test_changed_bytes_give_a_format_error_or_arrays(tmp_path_factory, noise, data):
    path = tmp_path_factory.mktemp("fuzz") / "f"
    write_tensors(path, {"x": ("float32", np.ones((2, 2), "f4")), "y": ("bool", np.ones(3, "?"))})
    content = bytearray(path.read_bytes())
    start = data.draw(st.integers(0, len(content)))
    content[start : start + data.draw(st.integers(0, 64))] = noise
    path.write_bytes(content)
    try:
        arrays = read_all(path)
    except FormatError:
        return
    assert sum(array.nbytes for _, array in arrays.values()) <= len(content)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        TensorFile(tmp_path / "absent")


def test_open_file_keeps_its_content_when_replaced(tmp_path):
    write_tensors(tmp_path / "f", {"x": ("float32", np.zeros(2, "f4"))})
    with TensorFile(tmp_path / "f") as file:
        write_tensors(tmp_path / "f", {"x": ("float32", np.ones(2, "f4"))})
        np.testing.assert_array_equal(file.read("x"), [0, 0])
    np.testing.assert_array_equal(read_all(tmp_path / "f")["x"][1], [1, 1])


def test_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    (tmp_path / "f").write_bytes(b"old")

    def chunks():
        yield b"new"
        raise RuntimeError("power failure")

    with pytest.raises(RuntimeError, match="power failure"):
        atomic_write(tmp_path / "f", chunks())
    assert (tmp_path / "f").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["f"]


def test_written_file_has_the_usual_permissions(tmp_path):
    (tmp_path / "usual").write_bytes(b"")
    atomic_write(tmp_path / "f", [b"x"])
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == stat.S_IMODE((tmp_path / "usual").stat().st_mode)
    assert sorted(os.listdir(tmp_path)) == ["f", "usual"]


def test_write_into_a_missing_folder(tmp_path):
    with pytest.raises(FileNotFoundError):
        atomic_write(tmp_path / "absent" / "f", [b"x"])

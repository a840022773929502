"""Tensors are values; variables update in place exactly when nobody else holds their storage."""

import gc
import pickle
import re
from pathlib import Path

import numpy as np
import pytest

import layernet as ln
from layernet import _core


def test_a_writable_array_is_copied() -> None:
    array = np.ones(3, "float32")
    tensor = ln.constant(array)
    array[0] = 5
    assert tensor.numpy().tolist() == [1, 1, 1]


def test_numpy_gives_a_read_only_view_of_the_same_memory() -> None:
    tensor = ln.constant([1.0, 2.0])
    view = tensor.numpy()
    assert not view.flags.writeable
    assert view.__array_interface__["data"][0] == tensor.numpy().__array_interface__["data"][0]
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 3


def test_a_view_outlives_its_tensor() -> None:
    view = ln.constant(np.arange(1000.0)).numpy()
    gc.collect()
    assert view[999] == 999


def test_from_numpy_without_copy_shares_memory() -> None:
    array = np.zeros(4, "float32")
    tensor = _core.from_numpy(array, copy=False)
    array[1] = 7
    assert tensor.numpy()[1] == 7


def test_a_variable_is_updated_in_place_when_it_is_alone() -> None:
    variable = _core.Variable(np.ones(1000, "float32"))
    before = variable.numpy().__array_interface__["data"][0]
    gc.collect()
    _core.ops.assign_add(variable, np.ones(1000, "float32"))
    assert variable.numpy().__array_interface__["data"][0] == before
    assert variable.numpy()[0] == 2


@pytest.mark.parametrize("hold", ["tensor", "array", "dlpack", "tape"])
def test_whoever_holds_the_value_keeps_it(hold: str) -> None:
    variable = _core.Variable(np.ones(8, "float32"))
    tape = _core.Tape(True)
    holder = None
    if hold == "tensor":
        holder = variable.value()
    elif hold == "array":
        holder = variable.numpy()
    elif hold == "dlpack":
        holder = np.from_dlpack(variable.value())
    else:
        tape.push()
        _core.ops.square(variable)
        tape.pop()
    address = variable.numpy().__array_interface__["data"][0]
    _core.ops.assign_add(variable, np.ones(8, "float32"))
    assert variable.numpy().__array_interface__["data"][0] != address
    assert variable.numpy().tolist() == [2] * 8
    if holder is not None:
        assert np.asarray(holder).tolist() == [1] * 8


def test_version_counts_updates() -> None:
    variable = _core.Variable(0.0)
    start = variable.version
    for _ in range(3):
        _core.ops.assign_add(variable, 1.0)
    assert variable.version == start + 3


def test_an_eager_op_allocates_its_output_and_nothing_else() -> None:
    a = ln.constant(np.ones((4, 4), "float32"))
    a + a
    before = _core.allocation_count()
    for _ in range(10):
        a + a
    assert _core.allocation_count() == before + 10


def test_equality_is_identity_and_tensors_hash() -> None:
    a, b = ln.constant(1.0), ln.constant(1.0)
    assert a == a
    assert a != b
    assert len({a, b, a}) == 2
    assert bool(ln.equal(a, b))


def test_tensors_and_dtypes_pickle() -> None:
    tensor = ln.constant([[1.0, 2.0]])
    again = pickle.loads(pickle.dumps(tensor))
    assert again.numpy().tolist() == [[1, 2]]
    assert pickle.loads(pickle.dumps(ln.float16)) == "float16"


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=">f4").reshape(2, 3),
        np.arange(6, dtype="f4").reshape(2, 3)[:, ::-1],
        np.asfortranarray(np.arange(6, dtype="f4").reshape(2, 3)),
    ],
)
def test_any_layout_and_byte_order_is_taken(array: np.ndarray) -> None:
    assert ln.constant(array).numpy().tolist() == array.tolist()


@pytest.mark.parametrize("bad", [np.array(["a"]), np.array([1j]), np.array([None]), "text", object()])
def test_what_is_not_a_number_is_refused(bad: object) -> None:
    with pytest.raises(ln.errors.DTypeError, match="expected numbers"):
        ln.constant(bad)


def test_python_numbers_take_tensorflow_types() -> None:
    assert [ln.constant(v).dtype.name for v in (1.0, 1, True, [1.0], [[2]])] == [
        "float32",
        "int32",
        "bool",
        "float32",
        "int32",
    ]


def test_too_many_axes_are_refused() -> None:
    with pytest.raises(ln.errors.ShapeError, match="at most 12 axes"):
        ln.constant(np.ones((1,) * 13))


def test_numpy_functions_take_tensors_and_mixed_arithmetic_gives_tensors() -> None:
    tensor = ln.constant([1.0, 2.0])
    assert np.add(tensor, 1).tolist() == [2, 3]
    assert float(np.mean(tensor)) == 1.5
    for mixed in (np.ones(2, "float32") * tensor, tensor * np.ones(2), np.float32(2) + tensor):
        assert isinstance(mixed, _core.Tensor)
        assert mixed.dtype == "float32"


def flags_of_memory_at(address):
    """The kernel's flags of the area of memory that holds an address."""
    inside = False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        area = re.match(r"([0-9a-f]+)-([0-9a-f]+) ", line)
        if area:
            inside = int(area[1], 16) <= address < int(area[2], 16)
        elif inside and line.startswith("VmFlags:"):
            return line.split()[1:]
    raise AssertionError(f"{address:#x} is in no area")


@pytest.mark.skipif(not Path("/sys/kernel/mm/transparent_hugepage").exists(), reason="the kernel has no large pages")
def test_large_pages_are_asked_for():
    large = np.asarray(ln.zeros((8 << 20,), dtype="uint8"))
    assert "hg" in flags_of_memory_at(large.ctypes.data + (4 << 20))

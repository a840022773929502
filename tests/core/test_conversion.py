"""What Python values become and what values are to Python: conversion, indexing, construction, DLPack, format."""

import numpy as np
import pytest

import layernet as ln

BIG = 2**40



@pytest.mark.parametrize("cls", [ln.Tensor, ln.Symbol])
def test_values_without_numbers_cannot_be_made(cls):
    base = cls.__mro__[-2]
    with pytest.raises(TypeError, match="expected no construction"):
        cls()
    with pytest.raises(TypeError, match="expected no construction"):
        cls.__new__(cls)
    with pytest.raises(TypeError):
        base.__new__(cls)
    with pytest.raises(TypeError):
        object.__new__(cls)


def test_symbol_subclass_cannot_be_made():
    class Own(ln.Symbol):
        pass

    with pytest.raises(TypeError, match="Own: expected no construction"):
        Own()


class _Exporter:
    """Hands numpy a capsule with the given options."""

    def __init__(self, tensor, **options):
        self._tensor, self._options = tensor, options

    def __dlpack__(self, **ignored):
        return self._tensor.__dlpack__(**self._options)

    def __dlpack_device__(self):
        return self._tensor.__dlpack_device__()


def test_dlpack_shares_memory():
    x = ln.constant([1.0, 2.0])

    assert np.shares_memory(np.from_dlpack(x), x.numpy())
    assert np.shares_memory(np.from_dlpack(_Exporter(x, copy=False)), x.numpy())


def test_dlpack_copy():
    x = ln.constant([1.0, 2.0])
    y = np.from_dlpack(_Exporter(x, copy=True))

    assert not np.shares_memory(y, x.numpy())
    np.testing.assert_array_equal(y, [1.0, 2.0])


def test_dlpack_of_another_device_is_refused():
    x = ln.constant([1.0, 2.0])

    assert x.__dlpack__(dl_device=(1, 0)) is not None
    with pytest.raises(BufferError, match=r"expected dl_device to be None or \(1, 0\), the CPU, got \(2, 0\)"):
        x.__dlpack__(dl_device=(2, 0))
    with pytest.raises(BufferError):
        ln.Variable([1.0]).__dlpack__(dl_device=(2, 0))


def test_dlpack_of_version_1_says_read_only():
    x = ln.constant([[1.0, 2.0]])
    capsule = x.__dlpack__(max_version=(1, 0))

    assert "dltensor_versioned" in repr(capsule)
    y = np.from_dlpack(_Exporter(x, max_version=(1, 0)))
    assert not y.flags.writeable
    np.testing.assert_array_equal(y, [[1.0, 2.0]])
    z = np.from_dlpack(_Exporter(x, max_version=(1, 0), copy=True))
    assert z.flags.writeable
    assert not np.shares_memory(z, x.numpy())


@pytest.mark.parametrize(
    "index",
    [
        True,
        np.True_,
        [True, False, True],
        np.array([True, False, True]),
        ln.constant([True, False, True]),
        (slice(None), [True, False]),
    ],
)
def test_masks_as_index_are_refused(index):
    x = ln.constant(np.arange(6.0, dtype="float32").reshape(3, 2))

    with pytest.raises(IndexError, match=r"got a mask of bool.*ln\.where.*ln\.gather"):
        x[index]


def test_mask_of_a_comparison_is_refused():
    x = ln.constant([1.0, 5.0])

    with pytest.raises(IndexError, match="got a mask of bool"):
        x[x > 3]


def test_format_of_a_scalar():
    loss = ln.constant(1.23456)

    assert f"{loss:.3f}" == "1.235"
    assert f"{ln.Variable(2.0):.1f}" == "2.0"
    assert f"{loss}" == str(loss)


def test_format_of_a_vector_is_refused():
    with pytest.raises(TypeError, match=r"expected a 0-d tensor for the format '.3f', got shape \[2\]"):
        f"{ln.constant([1.0, 2.0]):.3f}"
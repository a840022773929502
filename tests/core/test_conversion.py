"""What Python values become and what values are to Python: conversion, indexing, construction, DLPack, format."""

import numpy as np
import pytest

import layernet as ln

BIG = 2**40


@pytest.mark.parametrize(
    "use",
    [
        lambda: ln.constant([BIG]),
        lambda: ln.constant((1, [BIG])[1]),
        lambda: ln.constant([[1, 2], [3, -BIG]]),
        lambda: ln.constant([True, BIG]),
        lambda: ln.constant([BIG], dtype="int32"),
        lambda: ln.Variable([BIG]),
        lambda: ln.add([BIG], [1]),
        lambda: ln.add(ln.constant([1]), [BIG]),
        lambda: ln.add(ln.constant([1]), BIG),
        lambda: ln.cast([BIG], "int64"),
    ],
)
def test_integers_that_do_not_fit_32_bits_are_refused(use):
    with pytest.raises(
        ln.errors.InvalidArgumentError,
        match=r'expected integers that fit int32, got -?1099511627776. Give dtype="int64"',
    ):
        use()


@pytest.mark.parametrize("value", [300, [300], [[1], [-129]], np.array([300]), np.int32(300)])
def test_integers_that_do_not_fit_8_bits_are_refused(value):
    with pytest.raises(ln.errors.InvalidArgumentError, match=r"expected integers that fit int8, got (300|-129)\."):
        ln.constant(value, dtype="int8")


def test_negative_integers_are_refused_by_uint8():
    with pytest.raises(ln.errors.InvalidArgumentError, match="expected integers that fit uint8, got -1"):
        ln.constant([1, -1], dtype="uint8")


@pytest.mark.parametrize("value", [[2**63], [2**70], 2**70])
def test_integers_of_more_than_64_bits_are_refused(value):
    with pytest.raises(
        ln.errors.InvalidArgumentError, match=r"expected (an integer|integers) of 64 bits, got a larger one"
    ):
        ln.constant(value)


def test_integers_at_the_ends_of_a_type_are_taken():
    np.testing.assert_array_equal(ln.constant([127, -128], dtype="int8").numpy(), [127, -128])
    np.testing.assert_array_equal(ln.constant([2**31 - 1, -(2**31)]).numpy(), [2**31 - 1, -(2**31)])
    np.testing.assert_array_equal(ln.constant([BIG], dtype="int64").numpy(), [BIG])
    np.testing.assert_array_equal(ln.constant(np.array([BIG])).numpy(), [BIG])


def test_cast_wraps_integers_around():
    np.testing.assert_array_equal(ln.cast(ln.constant([300]), "int8").numpy(), [44])


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        ([1, 2.5], "float32"),
        ([True, 2.5], "float32"),
        ([True, 2], "int32"),
        ([2, True], "int32"),
        ([True, False], "bool"),
        ([np.float64(1), 2.0], "float64"),
        ([np.int64(1), 2], "int64"),
        ([], "float32"),
    ],
)
def test_dtype_of_a_list(value, dtype):
    x = ln.constant(value)

    assert x.dtype.name == dtype
    np.testing.assert_array_equal(x.numpy(), np.asarray(value, dtype))


@pytest.mark.parametrize("value", [[[1, 2], [3]], [1, [2]]])
def test_lists_of_different_lengths_are_refused(value):
    with pytest.raises(ln.errors.InvalidArgumentError, match="expected nested lists of numbers with equal lengths"):
        ln.constant(value)


def test_large_indices_are_not_wrapped_around():
    x = ln.constant([10.0, 20.0, 30.0])

    # Beyond the axis: NaN where something is read, nothing where something is written.
    np.testing.assert_array_equal(x[[2**32 + 1, 1]].numpy(), [np.nan, 20.0])
    np.testing.assert_array_equal(ln.gather(x, [2**32 + 1]).numpy(), [np.nan])
    np.testing.assert_array_equal(ln.gather(x, 2**32 + 1).numpy(), np.nan)
    np.testing.assert_array_equal(ln.scatter_add(x, [2**32 + 1, 2], [1.0, 1.0]).numpy(), [10.0, 20.0, 31.0])


def test_one_hot_of_a_large_index_is_zeros():
    np.testing.assert_array_equal(ln.one_hot([2**32, 1], 3).numpy(), [[0, 0, 0], [0, 1, 0]])


def test_index_of_nothing_is_empty():
    x = ln.constant([[1.0, 2.0], [3.0, 4.0]])

    assert x[[]].shape == (0, 2)
    assert ln.gather(x, [], axis=1).shape == (2, 0)


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
    if np.lib.NumpyVersion(np.__version__) < "2.1.0":
        return  # reads capsules of before version 1 only
    y = np.from_dlpack(_Exporter(x, max_version=(1, 0)))
    assert not y.flags.writeable
    np.testing.assert_array_equal(y, [[1.0, 2.0]])
    z = np.from_dlpack(_Exporter(x, max_version=(1, 0), copy=True))
    assert z.flags.writeable
    assert not np.shares_memory(z, x.numpy())


def test_format_of_a_scalar():
    loss = ln.constant(1.23456)

    assert f"{loss:.3f}" == "1.235"
    assert f"{ln.Variable(2.0):.1f}" == "2.0"
    assert f"{loss}" == str(loss)


def test_format_of_a_vector_is_refused():
    with pytest.raises(TypeError, match=r"expected a 0-d tensor for the format '.3f', got shape \[2\]"):
        f"{ln.constant([1.0, 2.0]):.3f}"

"""Global pooling and masking."""

import numpy as np
import pytest

import layernet as ln

LAYERS = {
    ln.layers.GlobalAveragePooling1D: (1, np.mean),
    ln.layers.GlobalAveragePooling2D: (2, np.mean),
    ln.layers.GlobalAveragePooling3D: (3, np.mean),
    ln.layers.GlobalMaxPooling1D: (1, np.max),
    ln.layers.GlobalMaxPooling2D: (2, np.max),
    ln.layers.GlobalMaxPooling3D: (3, np.max),
}


@pytest.mark.parametrize("cls", LAYERS, ids=lambda c: c.__name__)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_one_number_per_channel(cls, data_format):
    rank, reduce = LAYERS[cls]
    x = np.random.default_rng(0).normal(size=(2, 4, 3, 5, 2)[: rank + 2]).astype("float32")
    axes = tuple(range(1, rank + 1)) if data_format == "channels_last" else tuple(range(2, rank + 2))
    layer = cls(data_format=data_format)
    want = reduce(x.astype("float64"), axis=axes)

    np.testing.assert_allclose(layer(x), want, rtol=1e-5, atol=1e-6)
    assert layer.compute_output_shape((None, *x.shape[1:])) == (None, want.shape[1])
    assert layer(ln.Input(x.shape[1:])).shape == (None, want.shape[1])


def test_global_pooling_checks_the_rank():
    with pytest.raises(ValueError, match="expected an input with 4 axes"):
        ln.layers.GlobalMaxPooling2D()(np.ones((2, 3, 4), "float32"))


def test_masked_steps_are_cleared_and_the_mask_goes_on():
    x = np.float32([[[1, 2], [9, 9], [9, 0]]])
    layer = ln.layers.Masking(9.0)

    np.testing.assert_array_equal(layer(x).numpy(), [[[1, 2], [0, 0], [9, 0]]])
    np.testing.assert_array_equal(layer.compute_mask(ln.constant(x)).numpy(), [[True, False, True]])
    dense = ln.layers.Dense(2)
    dense(layer(ln.Input((3, 2))))
    assert dense.input_mask is not None

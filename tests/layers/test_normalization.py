"""BatchNormalization."""

import numpy as np
import pytest

import layernet as ln

rng = np.random.default_rng(2)


def reference(x, axes):
    x = np.asarray(x, "float64")
    rest = tuple(i for i in range(x.ndim) if i not in axes)
    return (x - x.mean(rest, keepdims=True)) / np.sqrt(x.var(rest, keepdims=True) + 1e-3)


@pytest.mark.parametrize("shape", [(5, 3), (4, 2, 3), (2, 3, 4, 5), (2, 2, 2, 2, 3)])
@pytest.mark.parametrize("axis", [-1, 1])
def test_training_normalises_each_channel(shape, axis):
    x = rng.standard_normal(shape).astype("float32") * 2 + 1
    layer = ln.layers.BatchNormalization(axis=axis)

    # differences of numbers below 16, divided by deviations around 1
    np.testing.assert_allclose(
        layer(x, training=True).numpy(), reference(x, {axis % x.ndim}), rtol=1e-5, atol=64 * 2**-23
    )


def test_several_axes():
    x = rng.standard_normal((4, 2, 3)).astype("float32")
    layer = ln.layers.BatchNormalization(axis=[1, -1], momentum=0.0)
    y = layer(x, training=True)

    np.testing.assert_allclose(y.numpy(), reference(x, {1, 2}), rtol=1e-5, atol=64 * 2**-23)
    assert layer.gamma.shape == (2, 3)
    np.testing.assert_allclose(layer(x).numpy(), y.numpy(), rtol=1e-5, atol=64 * 2**-23)


def test_without_scale_and_center():
    x = rng.standard_normal((6, 3)).astype("float32")
    layer = ln.layers.BatchNormalization(scale=False, center=False)
    layer(x)

    assert [v.name.rpartition("/")[2] for v in layer.variables] == ["moving_mean:0", "moving_variance:0"]
    np.testing.assert_allclose(layer(x, training=True).numpy(), reference(x, {1}), rtol=1e-5, atol=64 * 2**-23)


def test_one_row_of_images_of_one_pixel():
    layer = ln.layers.BatchNormalization(momentum=0.0)
    layer(np.ones((1, 1, 1, 2), "float32"), training=True)

    assert layer.moving_variance.numpy().tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("fused", "shape", "axis", "divisor"),
    [
        (None, (2, 3, 2, 4), -1, 11),
        (True, (2, 3, 2, 4), 3, 11),
        (True, (2, 3, 2, 4), 1, 15),
        (False, (2, 3, 2, 4), -1, 12),
        (None, (6, 2, 4), -1, 12),
    ],
)
def test_moving_variance_of_the_fused_op(fused, shape, axis, divisor):
    x = rng.standard_normal(shape)
    layer = ln.layers.BatchNormalization(axis=axis, momentum=0.0, fused=fused)
    layer(x, training=True)

    rest = tuple(i for i in range(x.ndim) if i != axis % x.ndim)
    deviations = x - x.mean(rest, keepdims=True)
    np.testing.assert_allclose(layer.moving_variance.numpy(), (deviations**2).sum(rest) / divisor, rtol=1e-12)
    assert layer.get_config()["fused"] is fused


@pytest.mark.parametrize(("shape", "axis"), [((2, 3), -1), ((2, 2, 2, 3), 2), ((2, 2, 2, 3), [1, 3])])
def test_fused_needs_images(shape, axis):
    with pytest.raises(ValueError, match=r"expected channels on axis 1 or 3 of four with fused=True, got axis .* Le"):
        ln.layers.BatchNormalization(axis=axis, fused=True)(np.ones(shape, "float32"))


def test_half_type_keeps_float32_statistics():
    layer = ln.layers.BatchNormalization()
    y = layer(np.ones((2, 3), "float16"), training=True)

    assert (y.dtype.name, layer.moving_mean.dtype.name) == ("float16", "float32")


@pytest.mark.parametrize("axis", [2, -3, [0, 0], []])
def test_axis_out_of_range(axis):
    with pytest.raises(ValueError, match=r"batch_normalization 'b': expected axes of an input of shape \[2, 2\]"):
        ln.layers.BatchNormalization(axis=axis, name="b")(np.ones((2, 2), "float32"))


@pytest.mark.parametrize("axis", ["x", 1.0, ["x"]])
def test_axis_that_is_no_number(axis):
    with pytest.raises(TypeError, match="expected a number or a list of numbers as axis"):
        ln.layers.BatchNormalization(axis=axis)(np.ones((2, 2), "float32"))


def test_unknown_number_of_channels():
    with pytest.raises(ValueError, match="expected known sizes on axis -1"):
        ln.layers.BatchNormalization()(ln.Input((None,)))


def test_update_of_a_symbolic_call_uses_the_sample_variance_for_images():
    layer = ln.layers.BatchNormalization()
    layer(ln.Input((2, 2, 3)), training=True)

    assert len(layer.updates) == 2


def test_moving_averages_are_not_differentiated():
    layer = ln.layers.BatchNormalization()
    x = ln.constant(rng.standard_normal((4, 2)).astype("float32"))
    with ln.GradientTape() as tape:
        y = ln.reduce_sum(layer(x, training=True) * x)

    assert [v.name for v in tape.watched_variables()] == ["batch_normalization/gamma:0", "batch_normalization/beta:0"]
    assert all(g is not None for g in tape.gradient(y, layer.trainable_variables))


def test_renorm_and_virtual_batches_are_refused():
    with pytest.raises(NotImplementedError, match=r"expected renorm=False, got True: .* Leave it out, or take Layer"):
        ln.layers.BatchNormalization(renorm=True)
    with pytest.raises(NotImplementedError, match=r"expected virtual_batch_size=None, got 8: .* Leave it out, or call"):
        ln.layers.BatchNormalization(virtual_batch_size=8)
    assert ln.layers.BatchNormalization(renorm=False, virtual_batch_size=None)(np.ones((2, 3), "f4")).shape == (2, 3)

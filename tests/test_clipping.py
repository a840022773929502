"""Clipping by norms against numpy."""

import numpy as np
import pytest

import layernet as ln
from layernet import symbolic


@pytest.mark.parametrize("size", [0.1, 10.0])
@pytest.mark.parametrize("axes", [None, 0, [1], (0, 1)])
def test_clip_by_norm(size, axes):
    t = np.random.default_rng(1).normal(size=(3, 4)) * size
    axis = axes if axes is None or isinstance(axes, int) else tuple(axes)
    norm = np.sqrt((t * t).sum(axis, keepdims=True))

    clipped = ln.clip_by_norm(t, 2.0, axes)

    np.testing.assert_allclose(clipped.numpy(), t * 2.0 / np.maximum(norm, 2.0), rtol=1e-14)


def test_norms_of_zeros_and_nan():
    assert ln.clip_by_norm([0.0, 0.0], 1.0).numpy().tolist() == [0.0, 0.0]
    assert np.isnan(ln.clip_by_norm([np.nan, 1.0], 1.0).numpy()).all()
    clipped, norm = ln.clip_by_global_norm([ln.constant([0.0])], 1.0)
    assert (clipped[0].numpy().tolist(), float(norm)) == ([0.0], 0.0)


@pytest.mark.parametrize("clip_norm", [0.5, 100.0])
def test_clip_by_global_norm(clip_norm):
    rng = np.random.default_rng(2)
    tensors = [rng.normal(size=shape) for shape in [(3,), (), (2, 2)]]
    norm = np.sqrt(sum((t * t).sum() for t in tensors))

    clipped, before = ln.clip_by_global_norm([*tensors, None], clip_norm)

    assert clipped.pop() is None
    assert float(before) == pytest.approx(norm, rel=1e-14)
    for got, t in zip(clipped, tensors, strict=True):
        np.testing.assert_allclose(got.numpy(), t * clip_norm / max(norm, clip_norm), rtol=1e-14)


def test_tensors_of_several_types():
    tensors = [ln.constant([3.0]), ln.constant([4.0], dtype="float16"), ln.constant([12.0], dtype="float64")]
    assert ln.global_norm(tensors).dtype == "float64"
    assert float(ln.global_norm(tensors)) == 13.0
    clipped, _ = ln.clip_by_global_norm(tensors, 6.5)
    assert [(t.dtype.name, float(ln.cast(t, "float64").numpy()[0])) for t in clipped] == [
        ("float32", 1.5),
        ("float16", 2.0),
        ("float64", 6.0),
    ]
    assert ln.global_norm([ln.constant([3.0], dtype="float16")]).dtype == "float32"


def test_norm_that_is_known():
    clipped, norm = ln.clip_by_global_norm([ln.constant([3.0])], 1.0, use_norm=ln.constant(6.0))
    assert (clipped[0].numpy().tolist(), float(norm)) == ([0.5], 6.0)


def test_symbols():
    x = ln.Input((2,))
    with symbolic.Tracing(record=False):
        clipped, norm = ln.clip_by_global_norm([x, None], 1.0)
    assert (clipped[0].shape, clipped[1], norm.shape) == ((None, 2), None, ())


def test_errors():
    with pytest.raises(ValueError, match=r"clip_by_norm: expected clip_norm above 0, got 0"):
        ln.clip_by_norm([1.0], 0)
    with pytest.raises(ValueError, match=r"clip_by_global_norm: expected clip_norm above 0, got -1"):
        ln.clip_by_global_norm([ln.constant(1.0)], -1)
    with pytest.raises(ValueError, match=r"global_norm: expected at least one tensor, got none"):
        ln.global_norm([None])

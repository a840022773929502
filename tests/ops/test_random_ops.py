"""The generator's promises: a state says everything, draws never overlap, distributions are what they claim."""

import math

import numpy as np
import pytest

from layernet import _core

ops = _core.ops
DRAWS = {
    "random_uniform": {"low": 0.0, "high": 1.0},
    "random_normal": {},
    "random_truncated_normal": {},
}


def state(seed=1, counter=0):
    return _core.Variable(_core.constant(np.array([seed, counter], np.int64)))


def draw(name, generator, shape, dtype="float32", **attributes):
    return getattr(ops, name)(generator, shape=shape, dtype=dtype, **{**DRAWS.get(name, {}), **attributes}).numpy()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", DRAWS)
def test_same_state_gives_the_same_numbers(name, dtype):
    np.testing.assert_array_equal(draw(name, state(), (9,), dtype), draw(name, state(), (9,), dtype))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", DRAWS)
def test_two_draws_continue_each_other(name, dtype):
    """8 numbers use whole blocks, so the next draw begins where a longer one goes on."""
    generator = state()

    parts = [draw(name, generator, (8,), dtype) for _ in range(2)]

    np.testing.assert_array_equal(np.concatenate(parts), draw(name, state(), (16,), dtype))


@pytest.mark.parametrize(
    ("dtype", "count", "blocks"),
    [("float32", 0, 0), ("float32", 1, 1), ("float32", 4, 1), ("float32", 5, 2), ("float64", 2, 1), ("float64", 3, 2)],
)
def test_counter_advances_by_the_blocks_used(dtype, count, blocks):
    generator = state(seed=7, counter=2**63 - 1 if count == 0 else 5)
    before = generator.numpy()[1]

    draw("random_uniform", generator, (count,), dtype)

    np.testing.assert_array_equal(generator.numpy(), [7, before + blocks])


@pytest.mark.parametrize("name", DRAWS)
def test_seeds_give_unrelated_numbers(name):
    a, b = (draw(name, state(seed), (4096,)).astype("float64") for seed in (1, 2))

    assert abs(np.corrcoef(a, b)[0, 1]) < 5 / math.sqrt(4096)


# Within five standard errors; the seed is fixed, so a test that passes once passes always.
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize(
    ("name", "attributes", "mean", "variance"),
    [
        ("random_uniform", {"low": -1.0, "high": 3.0}, 1, 16 / 12),
        ("random_normal", {"mean": 2.0, "stddev": 3.0}, 2, 9),
        ("random_truncated_normal", {"mean": 1.0, "stddev": 2.0}, 1, 4 * 0.7737413),
    ],
)
def test_moments(name, attributes, mean, variance, dtype):
    count = 40000

    x = draw(name, state(), (count,), dtype, **attributes).astype("float64")

    assert abs(x.mean() - mean) < 5 * math.sqrt(variance / count)
    assert abs(x.var() - variance) < 5 * variance * math.sqrt(2 / count)


def test_uniform_stays_below_its_end():
    x = draw("random_uniform", state(), (50000,), low=1.0, high=1.0 + 2.0**-22)

    assert x.min() >= 1
    assert x.max() < 1 + 2.0**-22


def test_truncated_normal_stays_within_two_deviations():
    x = draw("random_truncated_normal", state(), (50000,), mean=1.0, stddev=0.5)

    assert x.min() >= 0
    assert x.max() <= 2


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_integers_cover_their_range_evenly(dtype):
    x = draw("random_int", state(), (30000,), dtype, low=-2, high=4)

    values, counts = np.unique(x, return_counts=True)
    np.testing.assert_array_equal(values, range(-2, 4))
    assert np.all(np.abs(counts - 5000) < 5 * math.sqrt(5000))


def test_integers_over_the_whole_range():
    x = draw("random_int", state(), (1000,), "int64", low=-(2**63), high=2**63 - 1)

    assert abs((x > 0).mean() - 0.5) < 0.08
    assert len(np.unique(x)) == 1000


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.999])
def test_dropout_keeps_the_expected_share_and_scale(rate):
    count = 40000

    mask = ops.dropout_mask(state(), np.ones(count, "float32"), rate=rate).numpy()

    kept = mask != 0
    np.testing.assert_array_equal(mask[kept], np.float32(1 / (1 - rate)))
    assert abs(kept.mean() - (1 - rate)) <= 5 * math.sqrt(rate * (1 - rate) / count)


def test_dropout_drops_the_same_elements_in_every_type():
    masks = [ops.dropout_mask(state(), np.ones(500, dtype), rate=0.5).numpy() != 0 for dtype in ("f2", "f4", "f8")]

    np.testing.assert_array_equal(masks[0], masks[1])
    np.testing.assert_array_equal(masks[1], masks[2])


def test_dropout_of_a_symbol_is_an_effect_of_the_trace():
    x = _core.placeholder((None, 3), _core.float32)
    with _core.Trace() as trace:
        mask = ops.dropout_mask(state(), x, rate=0.5, noise_shape=[-1, 1])

    assert mask.shape == (None, 1)
    assert len(trace.effects) == 1


def test_drawing_while_a_trace_is_active_leaves_the_state_alone():
    generator = state()
    with _core.Trace():
        ops.random_uniform(generator, shape=(3,))

    np.testing.assert_array_equal(generator.numpy(), [1, 0])

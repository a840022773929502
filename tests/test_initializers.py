"""Initial values against the moments and bounds that their distributions promise."""

import copy
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import layernet as ln

SIZE = 200_000
# A mean of n draws lies within 5 standard errors but for one seed in two million; seeds are fixed, so it holds or not.
SIGMAS = 5.0
# Variance of a normal distribution of variance 1 cut at -2 and 2.
TRUNCATED_VARIANCE = 1 - 4 * math.exp(-2) / math.sqrt(2 * math.pi) / math.erf(math.sqrt(2))


def check_moments(values, mean, stddev, excess=0.0):
    """Mean and variance of `values`; `excess` is the kurtosis of the distribution minus 3."""
    values = values.astype(np.float64).ravel()
    assert abs(values.mean() - mean) < SIGMAS * stddev / math.sqrt(values.size)
    variance = ((values - mean) ** 2).mean()
    assert abs(variance / stddev**2 - 1) < SIGMAS * math.sqrt((2 + excess) / values.size)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16", "int32", "int64", "bool"])
def test_zeros_and_ones(dtype):
    for value, initializer in ((0, ln.initializers.Zeros()), (1, ln.initializers.Ones())):
        tensor = initializer((2, 3), dtype)
        assert (tensor.dtype, tensor.shape) == (dtype, (2, 3))
        np.testing.assert_array_equal(ln.cast(tensor, "float32").numpy(), np.full((2, 3), value))


def test_default_dtype_is_float32_and_partition_info_is_ignored():
    assert ln.initializers.Zeros()((2,), partition_info=object()).dtype == "float32"
    assert ln.initializers.GlorotUniform(seed=1)((2,)).dtype == "float32"


def test_constant_number_list_and_array():
    np.testing.assert_array_equal(ln.initializers.Constant(2.5)((2, 2)).numpy(), np.full((2, 2), 2.5))
    np.testing.assert_array_equal(ln.initializers.Constant([1, 2, 3, 4])((2, 2)).numpy(), [[1, 2], [3, 4]])
    values = np.arange(6.0).reshape(2, 3)
    got = ln.initializers.Constant(values)((2, 3), "float64")
    np.testing.assert_array_equal(got.numpy(), values)
    assert got.dtype == "float64"


def test_constant_of_wrong_size():
    with pytest.raises(ValueError, match=r"Constant: expected 4 numbers for shape \[2, 2\], got 3"):
        ln.initializers.Constant([1, 2, 3])((2, 2))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_random_uniform_bounds_and_moments(dtype):
    values = ln.initializers.RandomUniform(-1.0, 3.0, seed=11)((SIZE,), dtype).numpy()
    assert values.min() >= -1.0
    assert values.max() < 3.0
    check_moments(values, 1.0, 4 / math.sqrt(12), excess=-1.2)


def test_random_uniform_integers():
    values = ln.initializers.RandomUniform(-2, 3, seed=3)((1000,), "int32").numpy()
    assert values.dtype == np.int32
    assert set(values.tolist()) == {-2, -1, 0, 1, 2}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_random_normal_moments(dtype):
    check_moments(ln.initializers.RandomNormal(2.0, 0.5, seed=12)((SIZE,), dtype).numpy(), 2.0, 0.5)


def test_truncated_normal_bounds_and_moments():
    values = ln.initializers.TruncatedNormal(1.0, 0.5, seed=13)((SIZE,)).numpy()
    assert abs(values - 1.0).max() <= 1.0
    check_moments(values, 1.0, 0.5 * math.sqrt(TRUNCATED_VARIANCE), excess=-0.63)


FANS = [((), 1, 1), ((20,), 20, 20), ((300, 200), 300, 200), ((3, 5, 40, 100), 600, 1500)]


@pytest.mark.parametrize(("shape", "fan_in", "fan_out"), FANS[2:])
@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg"])
@pytest.mark.parametrize("distribution", ["truncated_normal", "normal", "untruncated_normal", "uniform"])
def test_variance_scaling(shape, fan_in, fan_out, mode, distribution):
    values = ln.initializers.VarianceScaling(3.0, mode, distribution, seed=14)(shape).numpy()
    n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[mode]
    check_moments(
        values, 0.0, math.sqrt(3.0 / n), excess={"uniform": -1.2, "untruncated_normal": 0}.get(distribution, -0.63)
    )
    if distribution == "uniform":
        assert abs(values).max() <= np.float32(math.sqrt(9.0 / n))
    if "untruncated" not in distribution and "normal" in distribution:
        assert abs(values).max() <= 2 * math.sqrt(3.0 / n) / math.sqrt(TRUNCATED_VARIANCE) * (1 + 1e-6)


@pytest.mark.parametrize(("shape", "fan_in", "fan_out"), FANS)
@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("glorot_uniform", lambda i, o: 6 / (i + o)),
        ("he_uniform", lambda i, o: 6 / i),
        ("lecun_uniform", lambda i, o: 3 / i),
    ],
)
def test_uniform_presets(shape, fan_in, fan_out, name, limit):
    values = getattr(ln.initializers, name)(seed=2)(shape).numpy()
    bound = math.sqrt(limit(fan_in, fan_out))
    assert values.shape == shape
    assert abs(values).max() <= np.float32(bound)
    if values.size > 1000:
        check_moments(values, 0.0, bound / math.sqrt(3), excess=-1.2)


@pytest.mark.parametrize(
    ("name", "variance"),
    [
        ("glorot_normal", lambda i, o: 2 / (i + o)),
        ("he_normal", lambda i, o: 2 / i),
        ("lecun_normal", lambda i, o: 1 / i),
    ],
)
def test_normal_presets(name, variance):
    values = getattr(ln.initializers, name)(seed=2)((300, 200)).numpy()
    check_moments(values, 0.0, math.sqrt(variance(300, 200)), excess=-0.63)


@pytest.mark.parametrize("shape", [(0, 4), (4, 0), (0,)])
def test_empty_shapes(shape):
    assert ln.initializers.GlorotUniform(seed=1)(shape).shape == shape


@given(st.lists(st.integers(1, 6), min_size=2, max_size=4), st.floats(0.1, 4.0))
def test_orthogonal(shape, gain):
    q = ln.initializers.Orthogonal(gain, seed=5)(shape, "float64").numpy()
    assert q.shape == tuple(shape)
    matrix = q.reshape(-1, shape[-1]) / gain
    few = matrix.T if matrix.shape[0] < matrix.shape[1] else matrix
    # Householder QR leaves a defect of a small multiple of eps, sizes here being below 300.
    np.testing.assert_allclose(few.T @ few, np.eye(few.shape[1]), atol=1e-13)


def test_orthogonal_takes_both_signs():
    signs = {np.sign(ln.initializers.Orthogonal(seed=s)((1, 1)).numpy().item()) for s in range(20)}
    assert signs == {-1.0, 1.0}


def test_orthogonal_needs_two_dimensions():
    with pytest.raises(ValueError, match=r"Orthogonal: expected a shape of at least two dimensions, got \[3\]"):
        ln.initializers.Orthogonal()((3,))


def test_identity():
    np.testing.assert_array_equal(ln.initializers.Identity(2.0)((2, 3)).numpy(), [[2, 0, 0], [0, 2, 0]])
    with pytest.raises(ValueError, match=r"Identity: expected a shape of two dimensions, got \[2, 2, 2\]"):
        ln.initializers.Identity()((2, 2, 2))


@pytest.mark.parametrize(
    "make", [ln.initializers.GlorotUniform, ln.initializers.RandomNormal, ln.initializers.Orthogonal]
)
def test_seed_fixes_the_numbers_and_calls_go_on(make):
    first, second = make(seed=3), make(seed=3)
    a, b = first((4, 4)).numpy(), first((4, 4)).numpy()
    np.testing.assert_array_equal(second((4, 4)).numpy(), a)
    assert (a != b).any()
    np.testing.assert_array_equal(copy.deepcopy(make(seed=3))((4, 4)).numpy(), a)


def test_without_a_seed_the_library_generator_is_used():
    ln.set_seed(5)
    a = ln.initializers.GlorotUniform()((4,)).numpy()
    b = ln.initializers.GlorotUniform()((4,)).numpy()
    ln.set_seed(5)
    np.testing.assert_array_equal(ln.initializers.GlorotUniform()((4,)).numpy(), a)
    assert (a != b).any()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_types_are_drawn_in_float32(dtype):
    half = ln.initializers.RandomNormal(seed=3)((100,), dtype)
    full = ln.initializers.RandomNormal(seed=3)((100,), "float32")
    assert half.dtype == dtype
    np.testing.assert_array_equal(ln.cast(half, "float32").numpy(), ln.cast(ln.cast(full, dtype), "float32").numpy())


@pytest.mark.parametrize(
    "make", [ln.initializers.RandomNormal, ln.initializers.GlorotUniform, ln.initializers.Orthogonal]
)
def test_integers_cannot_be_drawn_from_continuous_distributions(make):
    with pytest.raises(ValueError, match=r": expected a floating point dtype, got int32"):
        make()((2, 2), "int32")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scale": 0.0}, r"VarianceScaling: expected a scale above 0, got 0.0"),
        ({"scale": float("nan")}, r"expected a scale above 0, got nan"),
        ({"mode": "fan"}, r"expected mode 'fan_in', 'fan_out' or 'fan_avg', got 'fan'"),
        ({"distribution": "beta"}, r"expected distribution 'truncated_normal', .* or 'uniform', got 'beta'"),
    ],
)
def test_variance_scaling_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        ln.initializers.VarianceScaling(**arguments)


def test_base_class_has_no_values():
    with pytest.raises(NotImplementedError, match=r"Initializer: expected the initializer to define __call__"):
        ln.initializers.Initializer()((1,))


ALL = [
    ln.initializers.Zeros(),
    ln.initializers.Ones(),
    ln.initializers.Constant(3.0),
    ln.initializers.RandomUniform(-1, 1, seed=1),
    ln.initializers.RandomNormal(0.5, 2.0),
    ln.initializers.TruncatedNormal(0.5, 2.0, 4),
    ln.initializers.VarianceScaling(2.0, "fan_out", "uniform", 1),
    ln.initializers.Orthogonal(2.0, 1),
    ln.initializers.Identity(0.5),
    ln.initializers.glorot_uniform(1),
    ln.initializers.glorot_normal(),
    ln.initializers.he_uniform(),
    ln.initializers.he_normal(),
    ln.initializers.lecun_uniform(),
    ln.initializers.lecun_normal(),
]


@pytest.mark.parametrize("initializer", ALL, ids=lambda i: type(i).__name__)
def test_serialized_and_made_again(initializer):
    config = ln.initializers.serialize(initializer)
    assert config["class_name"] == type(initializer).__name__
    again = ln.initializers.deserialize(config)
    assert type(again) is type(initializer)
    assert again.get_config() == initializer.get_config()
    assert repr(again) == repr(initializer)


def test_get():
    get = ln.initializers.get
    assert get(None) is None
    assert type(get("glorot_uniform")) is type(get("GlorotUniform")) is ln.initializers.GlorotUniform
    assert type(get(ln.initializers.Ones)) is ln.initializers.Ones
    assert get({"class_name": "constant", "config": {"value": 2}}).value == 2
    own = lambda shape, dtype=None, partition_info=None: None  # noqa: E731
    assert get(own) is own


@pytest.mark.parametrize(
    ("identifier", "message"),
    [
        ("glorot", r"initializer: expected a known name, got 'glorot'. Known names: Constant, .*, zeros"),
        (3, r"initializer: expected a name, a configuration, a callable or None, got 3"),
        ({"config": {}}, r'initializer: expected a configuration \{"class_name": ..., "config": \{...\}\}, got'),
    ],
)
def test_get_refuses(identifier, message):
    with pytest.raises(ValueError, match=message):
        ln.initializers.get(identifier)


def test_custom_objects_go_first():
    class Mine(ln.initializers.Zeros):
        pass

    assert type(ln.initializers.deserialize("Zeros", {"Zeros": Mine})) is Mine
    assert type(ln.initializers.deserialize({"class_name": "Mine"}, {"Mine": Mine})) is Mine
    assert ln.initializers.serialize(Mine()) == {"class_name": "Mine", "config": {}}

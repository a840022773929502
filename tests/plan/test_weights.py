"""Predictors whose weights are kept as bfloat16 or int8: what they compute, what their files hold, what they take."""

import json
import pickle

import numpy as np
import pytest

import layernet as ln
from layernet.tensorfile import TensorFile

SMALL = ("bfloat16", "int8")


def rows(count, width=40):
    return np.random.default_rng(count).normal(size=(count, width)).astype("float32")


def mlp(widths=(96, 64, 50), activation="tanh"):
    net = ln.Sequential([ln.layers.Dense(n, activation=activation) for n in widths], name="net")
    net(np.ones((1, 40), "float32"))
    generator = np.random.default_rng(0)
    for v in net.variables:
        v.assign(generator.normal(0, 0.3, v.shape).astype("float32"))
    return net


def to_bfloat16(values):
    """Nearest, ties to even, in float64 arithmetic."""
    fraction, exponent = np.frexp(np.asarray(values, "float64"))
    return np.ldexp(np.rint(np.ldexp(fraction, 8)), exponent - 8).astype("float32")


def to_int8(values):
    """q and the scales of the columns."""
    largest = np.abs(values).max(0, keepdims=True).astype("float32")
    fraction, exponent = np.frexp((largest / np.float32(127)).astype("float64"))
    scale = np.ldexp(np.rint(np.ldexp(fraction, 16)), exponent - 16)
    return np.rint(values / scale), scale


def rounded(net, convert):
    ln.reset_naming()
    other = mlp(tuple(layer.units for layer in net.layers))
    for to, v in zip(other.variables, net.variables, strict=True):
        to.assign(convert(v.numpy()) if len(v.shape) == 2 else v.numpy())
    return other


def test_bfloat16_is_a_predictor_of_rounded_weights():
    net = mlp()
    expected = ln.Predictor(rounded(net, to_bfloat16))
    small = ln.Predictor(net, weights="bfloat16")
    for count in (1, 2, 7, 40):
        np.testing.assert_array_equal(small.predict(rows(count)), expected.predict(rows(count)))


def test_int8_is_the_formula():
    net = mlp((64,), None)
    kernel, bias = (v.numpy() for v in net.variables)
    q, scale = to_int8(kernel)
    assert np.abs(q).max() == 127
    x = rows(9)
    expected = (x.astype("float64") @ q) * scale + bias
    small = ln.Predictor(net, weights="int8")
    np.testing.assert_allclose(small.predict(x), expected, rtol=0, atol=4 * np.sqrt(40) * 2**-23 * 12)
    # Half a step of the quantization a term.
    assert np.abs(small.predict(x) - net(x).numpy()).max() <= 0.51 * (scale * np.abs(x).sum(1, keepdims=True)).max()


@pytest.mark.parametrize("weights", SMALL)
def test_same_row_same_bits(weights):
    net = mlp((300, 200, 37))
    x = rows(150)
    alone = ln.Predictor(net, weights=weights)
    expected = np.concatenate([alone.predict(x[i : i + 1]) for i in range(len(x))])
    for threads in (1, 2):
        predictor = ln.Predictor(net, weights=weights, threads=threads)
        for count in (1, 2, 3, 8, 17, 64, 150):
            np.testing.assert_array_equal(predictor.predict(x[:count]), expected[:count])


@pytest.mark.parametrize("weights", SMALL)
def test_loaded_predictor_gives_the_same_bits(weights, tmp_path):
    predictor = ln.Predictor(mlp(), weights=weights)
    predictor.save(tmp_path / "net.safetensors")
    loaded = ln.Predictor.load(tmp_path / "net.safetensors")
    copy = pickle.loads(pickle.dumps(predictor))
    for other in (loaded, copy):
        assert other.weights == weights
        assert other.nbytes == predictor.nbytes
        np.testing.assert_array_equal(other.predict(rows(5)), predictor.predict(rows(5)))
        other.save(tmp_path / "again")
        assert (tmp_path / "again").read_bytes() == (tmp_path / "net.safetensors").read_bytes()


def test_files_hold_the_small_weights(tmp_path):
    net = mlp()
    kernel = net.variables[0].numpy()
    ln.Predictor(net, weights="bfloat16").save(tmp_path / "bfloat16")
    with TensorFile(tmp_path / "bfloat16") as file:
        assert file.entries["net/dense/kernel"].dtype == "bfloat16"
        assert file.entries["net/dense/bias"].dtype == "float32"
    ln.Predictor(net, weights="int8").save(tmp_path / "int8")
    with TensorFile(tmp_path / "int8") as file:
        q, scale = to_int8(kernel)
        np.testing.assert_array_equal(file.read("net/dense/kernel"), q)
        np.testing.assert_array_equal(file.read("net/dense/kernel/scale"), scale)
        graph = json.loads(file.metadata["layernet"])
    assert graph["version"] == 2
    assert graph["weights"]["dtype"] == "int8"
    assert "net/dense/kernel" in graph["weights"]["variables"]


def test_float32_files_stay_readable_by_the_first_version(tmp_path):
    ln.Predictor(mlp()).save(tmp_path / "net")
    with TensorFile(tmp_path / "net") as file:
        graph = json.loads(file.metadata["layernet"])
    assert graph["version"] == 1
    assert "weights" not in graph


def test_memory_is_a_half_and_a_quarter():
    net = mlp((512, 512))
    full = ln.Predictor(net).nbytes
    assert ln.Predictor(net, weights="bfloat16").nbytes < 0.51 * full
    assert ln.Predictor(net, weights="int8").nbytes < 0.27 * full


@pytest.mark.parametrize("weights", SMALL)
def test_batch_norm_folds_into_small_weights(weights):
    net = ln.Sequential([ln.layers.Dense(64), ln.layers.BatchNormalization(), ln.layers.Activation("relu")])
    net(rows(2))
    generator = np.random.default_rng(3)
    for v in net.variables:
        v.assign(generator.uniform(0.5, 1.5, v.shape).astype("float32"))
    predictor = ln.Predictor(net, weights=weights)
    assert [step["op"] for step in predictor.steps] == ["dense"]
    assert predictor.compare(net, rows(20))["max_relative_error"] < (0.02 if weights == "bfloat16" else 0.03)


@pytest.mark.parametrize("weights", SMALL)
def test_residuals_and_shared_layers(weights):
    class Residual(ln.Network):
        def __init__(self):
            super().__init__()
            self.inner = self.track_layer(ln.layers.Dense(40, activation="tanh"))

        def call(self, x):
            return self.inner(x + self.inner(x)) + x

    net = Residual()
    net(rows(1))
    predictor = ln.Predictor(net, weights=weights)
    assert predictor.compare(net, rows(30))["max_relative_error"] < 0.02


def test_weights_that_something_else_reads_too_stay_float32(tmp_path):
    class Tied(ln.Network):
        def __init__(self):
            super().__init__(name="tied")
            self.inner = self.track_layer(ln.layers.Dense(40, use_bias=False))

        def call(self, x):
            return self.inner(x) + ln.reduce_sum(self.inner.kernel)

    net = Tied()
    net.inner(rows(1))
    predictor = ln.Predictor(net, ln.Input((40,)), weights="int8")
    predictor.save(tmp_path / "net")
    with TensorFile(tmp_path / "net") as file:
        assert {e.dtype for e in file.entries.values()} == {"float32"}
    assert ln.Predictor.load(tmp_path / "net").weights == "int8"


def test_other_types_are_kept():
    net = ln.layers.Dense(40, dtype="float64")
    predictor = ln.Predictor(net, ln.Input((40,), "float64"), weights="int8")
    assert predictor.compare(net, rows(3).astype("float64"))["max_relative_error"] < 1e-12


@pytest.mark.parametrize("weights", SMALL)
def test_nan_weights_give_nan_and_nan_rows_nan(weights):
    net = mlp((64,), None)
    kernel = net.variables[0].numpy().copy()
    kernel[3, 5] = np.nan
    net.variables[0].assign(kernel)
    result = ln.Predictor(net, weights=weights).predict(rows(4))
    np.testing.assert_array_equal(np.isnan(result), np.arange(64)[None] == np.full((4, 1), 5))
    x = rows(4)
    x[2, 0] = np.nan
    ln.reset_naming()
    assert np.isnan(ln.Predictor(mlp(), weights=weights).predict(x)).any(1).tolist() == [False, False, True, False]


def test_columns_of_zeros_and_denormal_weights():
    net = mlp((64,), None)
    kernel = np.zeros((40, 64), "float32")
    kernel[:, 1] = 1e-42
    kernel[:, 2] = 3e38
    net.variables[0].assign(kernel)
    bias = net.variables[1].numpy()
    for weights in SMALL:
        result = ln.Predictor(net, weights=weights).predict(np.full((1, 40), 1e-3, "float32"))
        np.testing.assert_array_equal(result[0, [0, 1, 3]], bias[[0, 1, 3]])
        np.testing.assert_allclose(result[0, 2], 40 * 3e35, rtol=0.01)


def test_what_the_predictor_says():
    net = mlp()
    assert ln.Predictor(net).weights == "float32"
    assert "weights" not in repr(ln.Predictor(net))
    assert repr(ln.Predictor(net, weights="int8")).endswith(" bytes with int8 weights)")
    kernels = {step["kernel"] for step in ln.Predictor(net, weights="bfloat16").steps}
    assert kernels == {"gemm_packed_bf16"}


@pytest.mark.parametrize("weights", ["float16", "int4", None, 8, b"int8"])
def test_another_type_is_an_error(weights):
    with pytest.raises(ValueError, match=r"Predictor: expected weights to be one of float32, bfloat16, int8, got"):
        ln.Predictor(mlp(), weights=weights)

"""Predictor files: what is saved, what loads, and what happens to files when something fails."""

import collections
import json
import locale
import os
import pickle
import resource
import stat

import numpy as np
import pytest

import layernet as ln
from layernet.tensorfile import TensorFile


def small_network():
    net = ln.Sequential([ln.layers.Dense(8, activation="tanh"), ln.layers.Dense(3)], name="net")
    net(np.ones((1, 5), "float32"))
    return net


def rows(count, width=5, dtype="float32"):
    return np.random.default_rng(count).normal(size=(count, width)).astype(dtype)


def graph_of(path):
    with TensorFile(path) as file:
        return json.loads(file.metadata["layernet"])


def test_loaded_predictor_gives_the_same_bits(tmp_path):
    predictor = ln.Predictor(small_network())
    predictor.save(tmp_path / "net.safetensors")
    loaded = ln.Predictor.load(tmp_path / "net.safetensors")
    for count in (0, 1, 3, 100):
        np.testing.assert_array_equal(loaded.predict(rows(count)), predictor.predict(rows(count)))
    assert loaded.input_shapes == (None, 5)
    assert loaded.output_shapes == (None, 3)
    assert repr(loaded) == repr(predictor)


def test_file_holds_the_weights_under_their_names(tmp_path):
    net = small_network()
    ln.Predictor(net).save(tmp_path / "net.safetensors")
    with TensorFile(tmp_path / "net.safetensors") as file:
        assert sorted(file.entries) == ["net/dense/bias", "net/dense/kernel", "net/dense_1/bias", "net/dense_1/kernel"]
        np.testing.assert_array_equal(file.read("net/dense/kernel"), np.asarray(net.variables[0]))


def test_file_holds_the_graph_before_the_passes(tmp_path):
    x = ln.Input((4,))
    net = ln.Sequential([ln.layers.Dense(2), ln.layers.Activation("relu")])
    ln.Predictor(net, x).save(tmp_path / "net.safetensors")
    assert [node["op"] for node in graph_of(tmp_path / "net.safetensors")["nodes"]] == ["dense", "relu"]


def test_saving_a_loaded_predictor_copies_the_file(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    ln.Predictor(small_network()).save(first)
    loaded = ln.Predictor.load(first)
    first.rename(tmp_path / "elsewhere")
    loaded.save(second)
    assert second.read_bytes() == (tmp_path / "elsewhere").read_bytes()


def test_saving_a_loaded_predictor_whose_file_was_written_to_is_refused(tmp_path):
    path = tmp_path / "net"
    ln.Predictor(small_network()).save(path)
    loaded = ln.Predictor.load(path)
    os.utime(path, ns=(1, 1))
    with pytest.raises(ln.FormatError, match=r"expected the file as it was when it was loaded"):
        loaded.save(tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_saved_weights_are_those_of_the_construction(tmp_path):
    net = small_network()
    predictor = ln.Predictor(net)
    before = predictor.predict(rows(2))
    for v in net.variables:
        v.assign(np.zeros(v.shape, "float32"))
    predictor.save(tmp_path / "net")
    np.testing.assert_array_equal(ln.Predictor.load(tmp_path / "net").predict(rows(2)), before)


@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
def test_other_float_types_are_kept(tmp_path, dtype):
    net = ln.layers.Dense(3, dtype=dtype)
    predictor = ln.Predictor(net, ln.Input((5,), dtype))
    predictor.save(tmp_path / "net")
    with TensorFile(tmp_path / "net") as file:
        assert {entry.dtype for entry in file.entries.values()} == {dtype}
    loaded = ln.Predictor.load(tmp_path / "net")
    given = "float32" if dtype == "bfloat16" else dtype  # NumPy has no bfloat16
    assert loaded.input_dtypes == loaded.output_dtypes == (given,)
    x = rows(4, dtype=str(loaded.input_dtypes[0]))
    np.testing.assert_array_equal(loaded.predict(x), predictor.predict(x))


class Structured(ln.Network):
    def call(self, inputs):
        total = inputs["b"] + inputs["a"][0] * 2.0
        return {"sum": total, "parts": (inputs["a"][1], [total * total])}


def test_structures_of_inputs_and_outputs_are_kept(tmp_path):
    inputs = {"b": ln.Input((3,)), "a": (ln.Input((3,)), ln.Input((1,)))}
    predictor = ln.Predictor(Structured(), inputs)
    predictor.save(tmp_path / "net")
    loaded = ln.Predictor.load(tmp_path / "net")
    x = {"b": rows(2, 3), "a": (rows(2, 3), rows(2, 1))}
    result, expected = loaded.predict(x), predictor.predict(x)
    assert loaded.input_shapes == {"b": (None, 3), "a": ((None, 3), (None, 1))}
    assert isinstance(result["parts"], tuple)
    assert isinstance(result["parts"][1], list)
    np.testing.assert_array_equal(result["sum"], expected["sum"])
    np.testing.assert_array_equal(result["parts"][1][0], expected["parts"][1][0])
    graph = graph_of(tmp_path / "net")
    assert [i["name"] for i in graph["inputs"]] == ["a/0", "a/1", "b"]
    assert graph["output_names"] == ["parts/0", "parts/1/0", "sum"]


Pair = collections.namedtuple("Pair", "low high")


class Bounds(ln.Network):
    def call(self, inputs):
        return Pair(inputs - 1.0, inputs + 1.0)


def test_a_named_tuple_comes_back_with_its_fields(tmp_path):
    ln.Predictor(Bounds(), ln.Input((2,))).save(tmp_path / "net")
    result = ln.Predictor.load(tmp_path / "net").predict(np.zeros((1, 2), "float32"))
    np.testing.assert_array_equal(result.high, [[1, 1]])
    np.testing.assert_array_equal(result.low, [[-1, -1]])


class ManyAttributes(ln.Network):
    def call(self, inputs):
        x = ln.clip_by_value(inputs, -np.inf, 0.1)
        x = ln.concat([x, inputs], 1)
        x = ln.reshape(x, [-1, 3])
        x = ln.cast(ln.cast(x, "int32"), "float32") + ln.reduce_sum(x, axis=[1], keepdims=True)
        return ln.pad(x[:, ::-1], [[0, 0], [1, 2]])


def test_attributes_of_every_type_are_kept(tmp_path):
    predictor = ln.Predictor(ManyAttributes(), ln.Input((3,)))
    predictor.save(tmp_path / "net")
    x = rows(4, 3) * 3
    np.testing.assert_array_equal(ln.Predictor.load(tmp_path / "net").predict(x), predictor.predict(x))


class Nameless(ln.Network):
    def __init__(self):
        super().__init__()
        self.hidden_from_tracking = [ln.Variable([[1.0, 2.0]], name="same"), ln.Variable([[3.0, 4.0]], name="same")]

    def call(self, inputs):
        return inputs * self.hidden_from_tracking[0] + self.hidden_from_tracking[1]


def test_variables_of_no_name_or_one_name_stay_apart(tmp_path):
    predictor = ln.Predictor(Nameless(), ln.Input((2,)))
    predictor.save(tmp_path / "net")
    loaded = ln.Predictor.load(tmp_path / "net")
    np.testing.assert_array_equal(loaded.predict(np.ones((1, 2), "float32")), [[4, 6]])


def test_pickling_goes_through_the_bytes_of_the_file():
    predictor = ln.Predictor(small_network(), threads=2)
    content = pickle.dumps(predictor)
    copy = pickle.loads(content)
    np.testing.assert_array_equal(copy.predict(rows(3)), predictor.predict(rows(3)))
    assert b"net/dense/kernel" in content
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(copy)).predict(rows(3)), predictor.predict(rows(3)))


def test_saved_file_has_the_mode_of_the_umask(tmp_path):
    old = os.umask(0o027)
    try:
        ln.Predictor(small_network()).save(tmp_path / "net")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "net").stat().st_mode) == 0o640


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "net"
    ln.Predictor(small_network()).save(path)
    before = path.read_bytes()
    big = ln.Sequential([ln.layers.Dense(300)])
    big(np.ones((1, 300), "float32"))
    predictor = ln.Predictor(big)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(OSError, match=r"net"):
            predictor.save(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["net"]


def test_saving_to_a_folder_that_does_not_exist_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        ln.Predictor(small_network()).save(tmp_path / "none" / "net")


def test_loading_what_cannot_be_opened_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        ln.Predictor.load(tmp_path / "none")
    with pytest.raises(IsADirectoryError):
        ln.Predictor.load(tmp_path)


def test_a_checkpoint_is_not_a_predictor_file(tmp_path):
    path = ln.save_network_checkpoint(small_network(), tmp_path / "ckpt")
    with pytest.raises(ln.FormatError, match=r"expected a predictor file, got a safetensors file without 'layernet'"):
        ln.Predictor.load(path + ".safetensors")


def test_a_newer_version_says_what_to_do(tmp_path):
    path = tmp_path / "net"
    ln.Predictor(small_network()).save(path)
    path.write_bytes(path.read_bytes().replace(rb"{\"version\":1,", rb"{\"version\":9,"))
    with pytest.raises(ln.FormatError, match=r"version 2 or older, got version 9. Update layernet"):
        ln.Predictor.load(path)


def test_loading_does_not_need_the_locale_of_the_writer(tmp_path):
    predictor = ln.Predictor(ManyAttributes(), ln.Input((3,)))
    old = locale.setlocale(locale.LC_ALL)
    for name in ("de_DE.UTF-8", "fr_FR.UTF-8", "de_DE"):
        try:
            locale.setlocale(locale.LC_ALL, name)
            break
        except locale.Error:
            continue
    try:
        predictor.save(tmp_path / "net")
        loaded = ln.Predictor.load(tmp_path / "net")
    finally:
        locale.setlocale(locale.LC_ALL, old)
    np.testing.assert_array_equal(loaded.predict(rows(2, 3)), predictor.predict(rows(2, 3)))

"""Checkpoints of TensorFlow 1.x: files that TensorFlow wrote, files of another writer, and damaged ones."""

import contextlib
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import layernet as ln
import tensorflow_writer as writer
from layernet import _core
from layernet.tensorflow_checkpoint import TensorFlowCheckpoint, _ordered_signed, _slice_key

ROOT = Path(__file__).resolve().parents[1]
FIXTURES = ROOT / "tests" / "fixtures" / "tf110"

spec = importlib.util.spec_from_file_location("migrate_from_tfe", ROOT / "examples" / "migrate_from_tfe.py")
assert spec is not None
assert spec.loader is not None
migrate = importlib.util.module_from_spec(spec)
spec.loader.exec_module(migrate)


@pytest.fixture(autouse=True)
def fresh_names():
    ln.reset_naming()


@pytest.fixture
def data():
    return np.load(FIXTURES / "data.npz")


class Pixels(ln.Network):
    def __init__(self):
        super().__init__()
        layers = ln.layers
        self.c1 = self.track_layer(layers.Conv2D(6, 3, activation="relu", padding="same"))
        self.p = self.track_layer(layers.MaxPooling2D(2, 2))
        self.c2 = self.track_layer(layers.Conv2D(8, 3, strides=2))
        self.bn = self.track_layer(layers.BatchNormalization())
        self.f = self.track_layer(layers.Flatten())
        self.d = self.track_layer(layers.Dense(10))

    def call(self, x, training=False):
        return self.d(self.f(ln.nn.relu(self.bn(self.c2(self.p(self.c1(x))), training=training))))


def names_of(section):
    sections = (FIXTURES / "names.txt").read_text().split("# ")
    lines = next(s for s in sections if s.startswith(section + "\n")).splitlines()[1:]
    return [line.split(" ")[0] for line in lines]


@pytest.mark.parametrize("prefix", ["ranker_net-3", "pixels_net", "ranker_saver"])
def test_list_variables_names_every_entry(prefix):
    assert [name for name, _ in ln.list_variables(FIXTURES / prefix)] == names_of(f"in file {prefix}")


@pytest.mark.parametrize("built", [False, True])
def test_ranker_computes_what_tensorflow_computed(data, built):
    net = migrate.Ranker(name="ranker")
    inputs = [data["q"], data["d"]]
    if built:
        net(inputs)
    ln.restore_network_checkpoint(net, FIXTURES / "ranker_net-3")
    np.testing.assert_allclose(net(inputs), data["ranker"], rtol=2e-6, atol=1e-6)
    assert [v.name for v in net.variables] == names_of("ranker")


def test_convolutional_network_computes_what_tensorflow_computed(data):
    net = Pixels()
    ln.restore_network_checkpoint(net, FIXTURES / "pixels_net")
    np.testing.assert_allclose(net(data["img"]), data["pixels"], rtol=1e-5, atol=1e-5)
    assert [v.name for v in net.variables] == names_of("pixels")


def test_optimizer_slots_are_restored_with_the_variables(data):
    net = migrate.Ranker(name="ranker")
    inputs = [data["q"], data["d"]]
    adam = ln.optimizers.Adam()
    with ln.GradientTape() as tape:
        loss = ln.reduce_sum(net(inputs))
    adam.apply_gradients(zip(tape.gradient(loss, net.trainable_variables), net.trainable_variables, strict=True))
    ln.Saver(net.variables + adam.variables()).restore(FIXTURES / "ranker_saver")
    np.testing.assert_allclose(net(inputs), data["ranker"], rtol=2e-6, atol=1e-6)
    slots = {v.name.removesuffix(":0"): v for v in adam.variables()}
    assert float(slots["beta1_power"]) == pytest.approx(0.9**4)  # three steps were taken
    name = "ranker/tower/dense/kernel/Adam"
    np.testing.assert_array_equal(slots[name].numpy(), ln.load_variable(FIXTURES / "ranker_saver", name))


def test_variables_start_with_their_values_in_the_checkpoint():
    with ln.restore_variables_on_create(FIXTURES / "ranker_saver"):
        v = ln.Variable(np.zeros((8, 5), "float32"), name="ranker/dense/kernel")
    assert np.abs(v.numpy()).max() > 0


def test_latest_checkpoint_reads_the_state_file_of_tensorflow():
    assert ln.latest_checkpoint(FIXTURES) == str(FIXTURES / "ranker_saver")
    assert ln.load_variable(FIXTURES, "beta1_power:0") == np.float32(0.6560999)


def test_safetensors_wins_where_both_kinds_exist(tmp_path):
    for file in FIXTURES.glob("ranker_net-3.*"):
        shutil.copy(file, tmp_path)
    prefix = tmp_path / "ranker_net-3"
    assert len(ln.list_variables(prefix)) == 13
    assert len(ln.list_variables(tmp_path / "ranker_net-3.index")) == 13
    ln.Saver([ln.Variable(1.0, name="v")]).save(prefix)
    assert ln.list_variables(prefix) == [("v", [])]


def test_migration_example_runs(capsys):
    migrate.main(FIXTURES)
    assert "restored 13 variables" in capsys.readouterr().out


def tensors():
    rng = np.random.default_rng(0)
    found = {}
    for i, dtype in enumerate(writer.TYPES):
        stored = "uint16" if dtype == "bfloat16" else dtype
        array = (rng.normal(size=(3, i + 1)) * 3).astype("float32")
        bits = (array.view("uint32") >> 16).astype("uint16")
        found[f"net/{dtype}/kernel"] = (dtype, bits if dtype == "bfloat16" else array.astype(stored))
    found["scalar"] = ("float32", np.float32(2.5).reshape(()))
    found["empty"] = ("int64", np.zeros((0, 4), "int64"))
    return found


@pytest.mark.parametrize("shards", [1, 2, 7])
def test_every_type_from_several_files(tmp_path, shards):
    wanted = tensors()
    writer.write(tmp_path / "ckpt", wanted, shards)
    assert [(n, tuple(s)) for n, s in ln.list_variables(tmp_path / "ckpt")] == [
        (name, array.shape) for name, (_, array) in sorted(wanted.items())
    ]
    for name, (dtype, array) in wanted.items():
        got = ln.load_variable(tmp_path / "ckpt", name)
        if dtype == "bfloat16":
            array = (array.astype("uint32") << 16).view("float32")
        np.testing.assert_array_equal(got, array)
        assert got.dtype == array.dtype


def test_halves_stay_halves(tmp_path):
    writer.write(tmp_path / "ckpt", tensors())
    for dtype in ("float16", "bfloat16"):
        v = ln.Variable(ln.cast(ln.zeros((3, list(writer.TYPES).index(dtype) + 1)), dtype), name=f"net/{dtype}/kernel")
        ln.Saver([v]).restore(tmp_path / "ckpt")
        assert v.dtype.name == dtype
        assert np.abs(np.asarray(ln.cast(v, "float32"))).max() > 0


SLICE_KEYS = {  # name "w" of rank 2: rows 0-2 and 2-5, all columns
    (0, 2): b"\0w\0\1\1\x02\x80\x82\x80\x7f",
    (2, 3): b"\0w\0\1\1\x02\x82\x83\x80\x7f",
}


def partitioned(folder, slices=((0, 2), (2, 3)), shape=(5, 4), kind=1, leave_out=None):
    values = np.arange(20, dtype="float32").reshape(5, 4)
    places = [[(start, length), (0, 0)] for start, length in slices]
    entries = {b"": writer.header(), b"w": writer.entry(1, shape, slices=places)}
    raw = b""
    for (start, length), key in SLICE_KEYS.items():
        part = values[start : start + length].tobytes()
        if (start, length) != leave_out:
            entries[key] = writer.entry(kind, (length, 4), 0, len(raw), len(part), writer.masked(part))
        raw += part
    (folder / "ckpt.index").write_bytes(writer.table(entries))
    (folder / "ckpt.data-00000-of-00001").write_bytes(raw)
    return values


def test_partitioned_variables_are_put_together(tmp_path):
    values = partitioned(tmp_path)
    assert ln.list_variables(tmp_path / "ckpt") == [("w", [5, 4])]
    np.testing.assert_array_equal(ln.load_variable(tmp_path / "ckpt", "w"), values)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"leave_out": (2, 3)}, r"expected a slice \[\(2, 5\), \(0, 4\)\] of 'w' of type float32, got none"),
        ({"shape": (6, 4)}, "expected slices of 'w' that cover 24 elements, got 20"),
        ({"slices": ((0, 2), (0, 2))}, "expected slices of 'w' that lie apart"),
        ({"shape": (4, 4)}, r"expected slices of 'w' inside shape \[4, 4\], got 2:5"),
        ({"shape": (5, 4, 1)}, "expected slices of 'w' with 3 axes, got 2"),
        ({"kind": 3}, r"of type float32, got int32 \[2, 4\]"),
    ],
)
def test_slices_that_do_not_fit_are_refused(tmp_path, changes, message):
    partitioned(tmp_path, **changes)
    with pytest.raises(ln.errors.FormatError, match=message):
        ln.list_variables(tmp_path / "ckpt")


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (0, "80"),
        (63, "bf"),
        (-1, "7f"),
        (-64, "40"),
        (64, "c040"),
        (8191, "dfff"),
        (8192, "e02000"),
        (-65, "3fbf"),
        (2**40, "fd0000000000"),
    ],
)
def test_code_of_numbers_in_slice_keys(value, code):
    assert _ordered_signed(value).hex() == code


@given(st.lists(st.integers(-(2**62), 2**62), min_size=2, max_size=2, unique=True))
def test_code_of_numbers_keeps_their_order(pair):
    low, high = sorted(pair)
    assert _ordered_signed(low) < _ordered_signed(high)


@given(st.binary(max_size=100))
def test_checksum_agrees_with_the_plain_definition(content):
    assert _core.crc32c(content) == writer.crc32c(content)


def test_checksum_of_known_bytes():
    assert _core.crc32c(b"123456789") == 0xE3069283
    with pytest.raises(ValueError, match="crc32c: expected contiguous bytes"):
        _core.crc32c(np.zeros(8, "uint8")[::2])


def index_of(entries, **options):
    return writer.table({b"": writer.header(), **entries}, **options)


GOOD = index_of({b"a/b": writer.entry(1, (2,), 0, 0, 8, 5), b"a/c": writer.entry(3, (), 0, 8, 4, 7)})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected between 48 bytes and 256 MB, got 0 bytes"),
        (b"\0" * 100, "expected a table that ends in 0xdb4775248b80fb57"),
        (GOOD[:-8] + b"\1" * 8, "expected a table that ends in 0xdb4775248b80fb57, got 0101"),
        (bytes([GOOD[0] ^ 1]) + GOOD[1:], "expected a block at byte 0 with the checksum .* the file is damaged"),
        (index_of({}, kind=1), "that is not compressed, got compression type 1"),
        (writer.table({b"a": writer.entry(1, (2,), 0, 0, 8, 5)}), "expected a header under the empty key, got none"),
        (writer.table({b"": writer.header(endianness=1)}), "expected numbers in little endian"),
        (writer.table({b"": writer.header(shards=0)}), "expected 1 to 99999 data files, got 0"),
        (
            index_of({b"a": writer.entry(1, (2,), 0, 0, 12, 5)}),
            r"of shape \[2\] and type float32 to take 8 bytes, got 12",
        ),
        (index_of({b"a": writer.entry(1, (2,), 3, 0, 8, 5)}), "in one of 1 data files, got number 3"),
        (
            index_of({b"\0\xff": writer.entry(1, (2,), slices=[[(0, 2)]])}),
            "slices of a tensor, got slices of the slice",
        ),
        (index_of({b"a": writer.entry(1, (0, 2**40, 2**40))}), r"a shape of less than 2\^63 bytes, got \[0, "),
        (index_of({b"a": writer.entry(1, (1,) * 33, 0, 0, 4, 5)}), "to have at most 32 axes, got 33"),
        (index_of({b"a": writer.entry(1, (2**64 - 1,), 0, 0, 4, 5)}), "to have known sizes, got -1"),
        (index_of({b"a": b"\x0a\x7f"}), "inside its message, got wire type 2 and 127 bytes"),
        (index_of({b"a": b"\x0b"}), "inside its message, got wire type 3"),
        (index_of({b"a": b"\x80" * 10 + b"\1"}), "expected a number of at most 64 bits, got a longer one"),
        (index_of({b"a": b"\x80"}), "expected a number, got the end of its block"),
        (index_of({b"a": b"\x0d\0\0\0\0"}), "field 1 of entry b'a' in another encoding, got wire type 5"),
        (index_of({b"\xff\xfe": writer.entry(1, (2,), 0, 0, 8, 5)}), "expected names in UTF-8"),
    ],
)
def test_damaged_indexes_say_what_is_wrong(tmp_path, content, message):
    (tmp_path / "ckpt.index").write_bytes(content)
    with pytest.raises(ln.errors.FormatError, match=message) as caught:
        ln.list_variables(tmp_path / "ckpt")
    assert str(tmp_path / "ckpt.index") in str(caught.value)


def test_index_cut_anywhere_is_refused(tmp_path):
    for size in range(len(GOOD)):
        (tmp_path / "ckpt.index").write_bytes(GOOD[:size])
        with pytest.raises(ln.errors.FormatError):
            TensorFlowCheckpoint(tmp_path / "ckpt")


def test_index_with_any_byte_changed_is_refused_or_means_the_same(tmp_path):
    """Checksums cover the blocks; bytes between them (the padding of the footer) mean nothing."""
    (tmp_path / "ckpt.index").write_bytes(GOOD)
    whole = TensorFlowCheckpoint(tmp_path / "ckpt").entries
    for position in range(len(GOOD)):
        for flip in (1, 0x80, 0xFF):
            content = bytearray(GOOD)
            content[position] ^= flip
            (tmp_path / "ckpt.index").write_bytes(bytes(content))
            with contextlib.suppress(ln.errors.FormatError):
                assert TensorFlowCheckpoint(tmp_path / "ckpt").entries == whole


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_any_entry_is_read_or_refused(tmp_path_factory, key, value):
    folder = tmp_path_factory.mktemp("any")
    (folder / "ckpt.index").write_bytes(index_of({key or b"a": value}))
    with contextlib.suppress(ln.errors.FormatError):
        TensorFlowCheckpoint(folder / "ckpt")


def test_slices_that_are_not_in_the_data_file_take_no_memory(tmp_path):
    places = [[(0, 1), (0, 4)], [(1, 1 << 50), (0, 4)]]
    entries = {b"": writer.header(), b"w": writer.entry(1, ((1 << 50) + 1, 4), slices=places)}
    raw = np.arange(4, dtype="f4").tobytes()
    for place, size, crc in zip(places, (16, 16 << 50), (writer.masked(raw), 1), strict=True):
        key = _slice_key("w", tuple(slice(start, start + length) for start, length in place))
        entries[key] = writer.entry(1, tuple(length for _, length in place), 0, 0, size, crc)
    (tmp_path / "ckpt.index").write_bytes(writer.table(entries))
    (tmp_path / "ckpt.data-00000-of-00001").write_bytes(raw)
    with pytest.raises(ln.errors.FormatError, match=r"expected \d+ bytes of 'w' at byte 0, got a file of 16 bytes"):
        ln.load_variable(tmp_path / "ckpt", "w")


def test_fuzzing_finds_nothing(tmp_path):
    script = ROOT / "tests" / "fuzz" / "fuzz_tensorflow.py"
    command = [sys.executable, script, "--runs", "1500", "--found", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == "1500 cases, 0 finds\n"


def test_damaged_data_files_say_what_is_wrong(tmp_path):
    writer.write(tmp_path / "ckpt", {"v": ("float32", np.float32([1, 2, 3])), "b": ("bool", np.array([1, 0], "?"))})
    path = tmp_path / "ckpt.data-00000-of-00001"
    good = path.read_bytes()
    path.write_bytes(good[:2] + b"\7" + good[3:])
    with pytest.raises(
        ln.errors.FormatError, match=r"expected the checksum 0x\w+ for 'v', got 0x\w+: the file is damaged"
    ):
        ln.load_variable(tmp_path / "ckpt", "v")
    path.write_bytes(good[:-1])
    with pytest.raises(ln.errors.FormatError, match="expected 12 bytes of 'v' at byte 2, got a file of 13 bytes"):
        ln.load_variable(tmp_path / "ckpt", "v")
    path.unlink()
    with pytest.raises(ln.errors.FormatError, match=r"expected its data file .*data-00000-of-00001, which is missing"):
        ln.load_variable(tmp_path / "ckpt", "v")


def test_a_restore_from_a_damaged_data_file_changes_nothing(tmp_path):
    writer.write(tmp_path / "ckpt", {"a": ("float32", np.float32([1])), "v": ("float32", np.float32([1, 2, 3]))})
    path = tmp_path / "ckpt.data-00000-of-00001"
    path.write_bytes(path.read_bytes()[:-1] + b"\7")
    a, v = ln.Variable([5.0], name="a"), ln.Variable([7.0, 8.0, 9.0], name="v")
    with pytest.raises(ln.errors.FormatError, match="damaged"):
        ln.Saver([a, v]).restore(tmp_path / "ckpt")
    assert (float(a[0]), v.numpy().tolist()) == (5.0, [7.0, 8.0, 9.0])


def test_bools_other_than_0_and_1_are_refused(tmp_path):
    entries = {b"": writer.header(), b"b": writer.entry(10, (1,), 0, 0, 1, writer.masked(b"\2"))}
    (tmp_path / "ckpt.index").write_bytes(writer.table(entries))
    (tmp_path / "ckpt.data-00000-of-00001").write_bytes(b"\2")
    with pytest.raises(ln.errors.FormatError, match="expected 'b' to hold bools, bytes 0 or 1, got 2"):
        ln.load_variable(tmp_path / "ckpt", "b")


def test_tensors_of_types_that_the_library_lacks_do_not_stand_in_the_way(tmp_path):
    raw = np.float32([4]).tobytes()
    entries = {
        b"": writer.header(),
        b"_CHECKPOINTABLE_OBJECT_GRAPH": writer.entry(7, (), 0, 4, 3, 1),
        b"v": writer.entry(1, (1,), 0, 0, 4, writer.masked(raw)),
    }
    (tmp_path / "ckpt.index").write_bytes(writer.table(entries))
    (tmp_path / "ckpt.data-00000-of-00001").write_bytes(raw + b"abc")
    assert ln.list_variables(tmp_path / "ckpt") == [("v", [1])]
    assert ln.load_variable(tmp_path / "ckpt", "v") == [4]
    with pytest.raises(ln.errors.FormatError, match="type that layernet has, got TensorFlow's type number 7"):
        ln.load_variable(tmp_path / "ckpt", "_CHECKPOINTABLE_OBJECT_GRAPH")
    with pytest.raises(
        ln.errors.NotFoundError, match="expected a tensor 'w', but the checkpoint has none of that name"
    ):
        ln.load_variable(tmp_path / "ckpt", "w")

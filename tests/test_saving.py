"""Checkpoints of networks and variables, the state file, deferred restoring, errors."""

import gc
import os

import numpy as np
import pytest

import layernet as ln
from layernet.tensorfile import write_tensors

ONE = np.ones((1, 2), np.float32)


def network(*units, name=None, **options):
    return ln.Sequential([ln.layers.Dense(n, **options) for n in units], name=name)


def built(*units, **options):
    net = network(*units, **options)
    net(ONE)
    return net


def equal(a, b):
    return len(a) == len(b) and all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.fixture(autouse=True)
def fresh_names():
    ln.reset_naming()


@pytest.mark.parametrize(
    "dtype", ["float64", "float32", "float16", "bfloat16", "int64", "int32", "int8", "uint8", "bool"]
)
def test_saver_keeps_every_type(tmp_path, dtype):
    start = ln.cast(ln.constant([1.0, 0.0, 3.140625]), dtype)
    v = ln.Variable(start, trainable=False, name="v")
    path = ln.Saver([v]).save(tmp_path / "ckpt")
    v.assign(ln.zeros_like(v))
    ln.Saver([v]).restore(path)
    np.testing.assert_array_equal(ln.cast(v, "float64").numpy(), ln.cast(start, "float64").numpy())
    want = [(1.0, 0.0, 3.140625), (True, False, True)][dtype == "bool"]
    if dtype in ("float64", "float32", "float16", "bfloat16", "bool"):
        np.testing.assert_array_equal(ln.load_variable(path, "v"), want)


def test_saver_names_steps_and_folders(tmp_path):
    net = built(1, name="net")
    path = ln.Saver(net.variables).save(str(tmp_path / "new" / "folder" / "ckpt"), global_step=7)
    assert path == str(tmp_path / "new" / "folder" / "ckpt-7")
    assert os.path.isfile(path + ".safetensors")
    assert ln.list_variables(path) == [("net/dense/bias", [1]), ("net/dense/kernel", [2, 1])]
    step = ln.Variable(8, trainable=False)
    assert ln.Saver(net.variables).save(tmp_path / "ckpt", step) == str(tmp_path / "ckpt-8")
    assert ln.Saver(net.variables).save(tmp_path / "ckpt", np.int64(9)) == str(tmp_path / "ckpt-9")


@pytest.mark.parametrize("step", [1.5, "3", ln.constant(2.0)])
def test_steps_are_integers(tmp_path, step):
    with pytest.raises(TypeError, match="global_step: expected an integer"):
        ln.save_network_checkpoint(built(1), tmp_path / "ckpt", global_step=step)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(("most", "left"), [({}, [2, 3, 4, 5, 6]), ({"max_to_keep": 2}, [5, 6])])
def test_saver_removes_its_oldest_checkpoints(tmp_path, most, left):
    v = ln.Variable([1.0], name="v")
    foreign = ln.Saver([v]).save(tmp_path / "foreign")
    saver = ln.Saver([v], **most)

    for step in range(7):
        saver.save(tmp_path / "ckpt", step)

    kept = [f"ckpt-{step}" for step in left]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ["checkpoint", "foreign.safetensors", *(name + ".safetensors" for name in kept)]
    )
    state = (tmp_path / "checkpoint").read_text().splitlines()
    assert state == [f'model_checkpoint_path: "{kept[-1]}"'] + [
        f'all_model_checkpoint_paths: "{name}"' for name in ["foreign", *kept]
    ]
    ln.Saver([v]).restore(foreign)


@pytest.mark.parametrize("most", [None, 0])
def test_saver_keeps_all_if_told_so(tmp_path, most):
    saver = ln.Saver([ln.Variable([1.0], name="v")], max_to_keep=most)
    for step in range(7):
        saver.save(tmp_path / "ckpt", step)
    assert len(list(tmp_path.glob("*.safetensors"))) == 7


def test_checkpoint_saved_again_is_the_latest(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    saver = ln.Saver([ln.Variable([1.0], name="v")], max_to_keep=2)
    saver.save("a")
    saver.save("b")
    saver.save(tmp_path / "a")
    os.remove("b.safetensors")

    saver.save("c")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.safetensors", "c.safetensors", "checkpoint"]
    assert ln.latest_checkpoint(".") == "./c"


def test_checkpoint_stays_when_the_next_cannot_be_written(tmp_path):
    saver = ln.Saver([ln.Variable([1.0], name="v")], max_to_keep=1)
    path = saver.save(tmp_path / "ckpt", 0)
    (tmp_path / "ckpt-1.safetensors").mkdir()

    with pytest.raises(OSError, match=r"ckpt-1"):
        saver.save(tmp_path / "ckpt", 1)

    saver.restore(path)


def test_restore_accepts_the_file_itself(tmp_path):
    v = ln.Variable(1.0, name="v")
    path = ln.Saver([v]).save(tmp_path / "ckpt")
    v.assign(2.0)
    ln.Saver([v]).restore(path + ".safetensors")
    assert float(v) == 1.0


def test_restore_is_all_or_nothing(tmp_path):
    a, b = ln.Variable([1.0], name="a"), ln.Variable([1.0, 2.0], name="b")
    path = ln.Saver([a, b]).save(tmp_path / "ckpt")
    a.assign([5.0])
    other = ln.Variable([0.0, 0.0, 0.0], name="b")
    with pytest.raises(
        ln.errors.ShapeError, match=r"variable 'b:0': expected shape \[3\], got \[2\] for 'b' in .*ckpt.safetensors"
    ):
        ln.Saver([a, other]).restore(path)
    assert a.numpy().tolist() == [5.0]


def test_restore_compares_types(tmp_path):
    path = ln.Saver([ln.Variable([1.0], name="a")]).save(tmp_path / "ckpt")
    with pytest.raises(
        ln.errors.DataLossError,
        match=r"variable 'a:0': expected dtype int32, got float32 for 'a' in .*ckpt.safetensors",
    ):
        ln.Saver([ln.Variable([1], name="a")]).restore(path)


def test_missing_name_and_missing_file(tmp_path):
    path = ln.Saver([ln.Variable([1.0], name="a")]).save(tmp_path / "ckpt")
    with pytest.raises(
        ln.errors.NotFoundError, match=r"expected the variables 'b', but the file lacks 'b'. See list_var"
    ):
        ln.Saver([ln.Variable([1.0], name="b")]).restore(path)
    for kind in (ValueError, ln.errors.NotFoundError, FileNotFoundError):
        with pytest.raises(kind, match=r"absent: expected a checkpoint, but there is no file 'absent.safetensors'"):
            ln.Saver({"a": ln.Variable(1.0)}).restore(tmp_path / "absent")


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: ln.Saver([]), ValueError, r"Saver: expected at least one variable, got none"),
        (lambda: ln.Saver([ln.constant(1.0)]), TypeError, r"Saver: expected variables, got Tensor. Tensors cannot"),
        (
            lambda: ln.Saver(ln.Variable([1.0])),
            TypeError,
            r"Saver: expected a list of variables or a dictionary, got Variable. Give \[variable\]",
        ),
        (
            lambda: ln.Saver(built(1)),
            TypeError,
            r"Saver: expected a list of variables or a dictionary, got Sequential. Give .* or the variables of a layer",
        ),
        (lambda: ln.Saver({"a": 1.0}), TypeError, r"Saver: expected variables, got float"),
        (
            lambda: ln.Saver([ln.Variable(1.0, name="v"), ln.Variable(1.0, name="v")]),
            ValueError,
            r"Saver: expected one variable of each name, got two called 'v'. Give a dictionary",
        ),
        (
            lambda: ln.Saver([ln.Variable(1.0)], max_to_keep=-1),
            ValueError,
            r"Saver: expected max_to_keep to be a number, or None to keep all, got -1",
        ),
    ],
)
def test_saver_arguments(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_state_file_is_that_of_tensorflow(tmp_path):
    v = ln.Variable(1.0, name="v")
    for step in (1, 2, 1):
        ln.Saver([v]).save(tmp_path / "ckpt", step)
    assert (tmp_path / "checkpoint").read_text().splitlines() == [
        'model_checkpoint_path: "ckpt-1"',
        'all_model_checkpoint_paths: "ckpt-2"',
        'all_model_checkpoint_paths: "ckpt-1"',
    ]
    assert ln.latest_checkpoint(tmp_path) == str(tmp_path / "ckpt-1")
    (tmp_path / "ckpt-2.safetensors").unlink()
    ln.Saver([v]).save(tmp_path / "ckpt", 3)
    assert "ckpt-2" not in (tmp_path / "checkpoint").read_text()
    assert ln.list_variables(tmp_path) == [("v", [])]
    assert ln.load_variable(tmp_path, "v:0") == 1.0


def test_latest_checkpoint_of_a_folder_without(tmp_path):
    assert ln.latest_checkpoint(tmp_path) is None
    assert ln.latest_checkpoint(tmp_path / "absent") is None
    path = ln.Saver([ln.Variable(1.0)]).save(tmp_path / "ckpt")
    os.unlink(path + ".safetensors")
    assert ln.latest_checkpoint(tmp_path) is None
    with pytest.raises(
        ln.errors.NotFoundError, match=r"expected a folder with a checkpoint, but its 'checkpoint' file"
    ):
        ln.list_variables(tmp_path)


@pytest.mark.parametrize("name", ["plain", 'quo"te', "back\\slash", "späce é", "new\nline", "tab\t", "\udcff"])
def test_state_file_quotes_names(tmp_path, name):
    path = ln.Saver([ln.Variable(1.0)]).save(str(tmp_path / name))
    assert (tmp_path / "checkpoint").read_bytes().isascii()
    assert ln.latest_checkpoint(tmp_path) == path


def test_state_file_written_by_others(tmp_path):
    path = ln.Saver([ln.Variable(1.0)]).save(tmp_path / "späce")
    lines = [
        '# "comments" are not part of it',
        'model_checkpoint_path: "sp\\303\\244ce"',
        'all_model_checkpoint_paths: "old"',
        'all_model_checkpoint_paths: "sp\\xc3\\xa4ce"',
        "all_model_checkpoint_timestamps: 1.5",
        "",
    ]
    (tmp_path / "checkpoint").write_text("\n".join(lines[1:]))
    assert ln.latest_checkpoint(tmp_path) == path
    (tmp_path / "checkpoint").write_text("\n".join(lines))
    with pytest.raises(
        ln.errors.FormatError, match=r"checkpoint: expected lines 'key: value', got '# \"comments.* in line 1"
    ):
        ln.latest_checkpoint(tmp_path)
    (tmp_path / "checkpoint").write_text("model_checkpoint_path: unquoted\n")
    with pytest.raises(ln.errors.FormatError, match=r"in line 1"):
        ln.latest_checkpoint(tmp_path)
    assert ln.Saver([ln.Variable(1.0)]).save(tmp_path / "again") == ln.latest_checkpoint(tmp_path)


def test_network_into_a_folder_and_back(tmp_path):
    net = built(3, 1)
    want = net.get_weights()
    path = ln.save_network_checkpoint(net, tmp_path, global_step=10)
    assert path == str(tmp_path / "sequential-10")
    net.set_weights([np.zeros_like(w) for w in want])
    ln.restore_network_checkpoint(net, path)
    assert equal(net.get_weights(), want)


def test_folder_that_does_not_exist_yet(tmp_path):
    path = ln.save_network_checkpoint(built(1, name="net"), str(tmp_path / "new") + os.sep)
    assert path == str(tmp_path / "new" / "net")


def test_nested_name_in_a_folder(tmp_path):
    with ln.variable_scope("outer"):
        net = network(1)
    net(ONE)
    assert os.path.basename(ln.save_network_checkpoint(net, tmp_path)) == "outer_sequential"


def test_deferred_restore_of_a_new_network(tmp_path):
    first, second = built(3, 1), network(3, 1)
    ln.restore_network_checkpoint(second, ln.save_network_checkpoint(first, tmp_path / "ckpt"))
    assert (second.variables, second.name) == ([], "sequential_1")
    np.testing.assert_array_equal(second(ONE).numpy(), first(ONE).numpy())
    assert equal(second.get_weights(), first.get_weights())


def test_deferred_restore_reaches_layers_tracked_later(tmp_path):
    first, second = built(3, 1), network(3)
    path = ln.save_network_checkpoint(first, tmp_path / "ckpt")
    ln.restore_network_checkpoint(second, path)
    second.add(ln.layers.Dense(1))
    np.testing.assert_array_equal(second(ONE).numpy(), first(ONE).numpy())


def test_deferred_restore_compares_shapes(tmp_path):
    path = ln.save_network_checkpoint(built(2), tmp_path / "ckpt")
    net = network(3)
    ln.restore_network_checkpoint(net, path)
    with pytest.raises(ValueError, match=r"kernel': expected a stored value of shape \[2, 3\]"):
        net(ONE)


def test_deferred_value_waits_for_an_input_that_fits(tmp_path):
    first, second = built(2), network(2)
    ln.restore_network_checkpoint(second, ln.save_network_checkpoint(first, tmp_path / "ckpt"))
    with pytest.raises(ValueError, match=r"kernel': expected a stored value of shape \[3, 2\]"):
        second(np.ones((1, 3), "float32"))

    np.testing.assert_array_equal(second(ONE).numpy(), first(ONE).numpy())


def test_deferred_value_goes_to_one_variable(tmp_path):
    path = ln.save_network_checkpoint(built(2, use_bias=False), tmp_path / "ckpt", map_func=lambda name: "w")
    net = network(2, 2, use_bias=False)
    ln.restore_network_checkpoint(net, path, map_func=lambda name: "w")
    with pytest.raises(
        ValueError, match=r"'sequential_1/dense_1/kernel': expected a value of its own .* 'w' already went"
    ):
        net(ONE)


def test_deferred_restore_reaches_shared_and_nested_layers(tmp_path):
    source = ln.Sequential([ln.Sequential([ln.layers.Dense(2)]), ln.layers.Dense(1)])
    source(ONE)
    shared = ln.layers.Dense(1)
    owner = ln.Sequential([shared], name="owner")
    user = ln.Sequential([ln.Sequential([ln.layers.Dense(2)]), shared], name="user")
    rename = {"owner/dense/kernel": "dense/kernel", "owner/dense/bias": "dense/bias"}
    path = ln.save_network_checkpoint(source, tmp_path / "ckpt")
    ln.restore_network_checkpoint(user, path, map_func=lambda name: rename.get(name, name.removeprefix("user/")))
    user(ONE)
    assert equal(user.get_weights(), source.get_weights())
    assert owner.variables == user.variables[2:]


def test_unbuilt_layer_of_a_network_that_is_gone(tmp_path):
    path = ln.save_network_checkpoint(built(1), tmp_path / "ckpt")
    shared = ln.layers.Dense(1)
    owner = ln.Sequential([shared])
    user = ln.Sequential([ln.Sequential([shared])])
    del owner
    gc.collect()
    with pytest.raises(ValueError, match="dense"):
        ln.restore_network_checkpoint(user, path)


def test_restore_gives_back_the_optimizer_too(tmp_path):
    net, optimizer = built(2, name="net"), ln.optimizers.Adam()
    step = lambda: optimizer.minimize(lambda: ln.reduce_sum(ln.square(net(ONE))), net.variables)  # noqa: E731
    step()
    saver = ln.Saver(net.variables + optimizer.variables())
    path = saver.save(tmp_path / "ckpt")
    step()
    want = net.get_weights()
    saver.restore(path)
    step()
    assert equal(net.get_weights(), want)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda path: ln.save_network_checkpoint(network(1), path),
            ValueError,
            r"save_network_checkpoint: expected a network that has been called, got Sequential",
        ),
        (
            lambda path: ln.save_network_checkpoint(built(1, 1, name="n"), path, map_func=lambda name: name[-6:]),
            ValueError,
            r"network 'n': expected names in the checkpoint to differ, but 'n/dense/kernel' and 'n/dense_1/kernel' b",
        ),
        (
            lambda path: ln.save_network_checkpoint(built(1), path, map_func=lambda name: None),
            TypeError,
            r"map_func: expected a string for 'sequential/dense/kernel', got None",
        ),
        (
            lambda path: ln.save_network_checkpoint(ln.layers.Dense(1), path),
            TypeError,
            r"save_network_checkpoint: expected a network, got Dense. Saver takes the variables of anything else",
        ),
        (
            lambda path: ln.restore_network_checkpoint("net", path),
            TypeError,
            r"restore_network_checkpoint: expected a network, got str. Saver takes the variables of anything else",
        ),
        (
            lambda path: ln.restore_network_checkpoint(network(1), path),
            ln.errors.NotFoundError,
            r"expected a checkpoint, but there is no file",
        ),
    ],
)
def test_network_errors(tmp_path, call, error, message):
    with pytest.raises(error, match=message):
        call(tmp_path / "ckpt")
    assert os.listdir(tmp_path) == []


def test_restore_variables_on_create(tmp_path):
    path = ln.Saver([ln.Variable([5.0], name="v")]).save(tmp_path / "ckpt")
    with ln.restore_variables_on_create(path, lambda name: name.removeprefix("my_")):
        v = ln.Variable([1.0], name="my_v")
        with pytest.raises(ln.errors.NotFoundError, match=r"expected a tensor 'w', but the file has none of that name"):
            ln.Variable([1.0], name="w")
        with pytest.raises(ValueError, match=r"variable 'v': expected a stored value of shape \[2\]"):
            ln.Variable([1.0, 2.0], name="v")
    assert v.numpy().tolist() == [5.0]
    assert ln.Variable([1.0], name="v").numpy().tolist() == [1.0]


def test_damaged_file(tmp_path):
    v = ln.Variable([1.0], name="v")
    path = ln.Saver([v]).save(tmp_path / "ckpt")
    os.truncate(path + ".safetensors", 20)
    with pytest.raises(ln.errors.FormatError, match=r"ckpt.safetensors: expected"):
        ln.Saver([v]).restore(path)


def test_files_of_others_are_read(tmp_path):
    write_tensors(tmp_path / "x.safetensors", {"v": ("float32", np.array([3.0], "f4"))}, {"format": "np"})
    v = ln.Variable([1.0], name="v")
    ln.Saver([v]).restore(tmp_path / "x")
    assert v.numpy().tolist() == [3.0]

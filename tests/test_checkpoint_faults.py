"""Checkpoints when things go wrong: killed processes, full disks, several writers; and training that goes on."""

import fcntl
import os
import random
import resource
import signal
import stat
import subprocess
import sys
import time

import numpy as np
import pytest

import layernet as ln
from layernet.tensorfile import atomic_write, write_tensors

# Saves forever; every element of a checkpoint is its number, so that a mixture of two would be seen. The variables take
# 2 MB: writing them is most of the time, and so most kills meet a file half written.
WRITER = """
import sys
import numpy as np
import layernet as ln
prefix, number = sys.argv[1], int(sys.argv[2])
a, b = ln.Variable(np.zeros(400_000, "f4"), name="a"), ln.Variable(np.zeros(100_000, "f4"), name="b")
saver = ln.Saver([a, b])
print("ready", flush=True)
for value in range(number, number + 100_000):
    a.assign(np.full(400_000, value, "f4"))
    b.assign(np.full(100_000, value, "f4"))
    saver.save(prefix)
    sys.stdout.write(f"{value}\\n")
    sys.stdout.flush()
"""


@pytest.fixture(autouse=True)
def fresh_names():
    ln.reset_naming()


def saved_number(prefix):
    """The number of the checkpoint, which is one checkpoint and not parts of two."""
    values = np.concatenate([ln.load_variable(prefix, name).ravel() for name in ("a", "b")])
    assert values.size == 500_000
    assert (values == values[0]).all()
    return int(values[0])


def test_killed_writers_leave_a_whole_checkpoint_and_the_next_save_cleans_up(tmp_path):
    draw = random.Random(1)
    prefix, start, leftovers, rounds = tmp_path / "ckpt", 0, 0, 0
    # 200 saves, and more if by chance no kill met a file half written, which would show nothing.
    while start < 200 or (leftovers == 0 and rounds < 100):
        rounds += 1
        command = [sys.executable, "-c", WRITER, str(prefix), str(start)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            told = [int(process.stdout.readline()) for _ in range(draw.randrange(1, 30))]
            time.sleep(draw.uniform(0, 0.01))
            process.send_signal(signal.SIGKILL)
            told += [int(line) for line in process.stdout.read().splitlines()]
        # What was told is on the disk; one more save may have finished without being told.
        found = saved_number(prefix)
        assert told[-1] <= found <= told[-1] + 1
        assert ln.latest_checkpoint(tmp_path) == str(prefix)
        names = set(os.listdir(tmp_path)) - {"checkpoint", "ckpt.safetensors"}
        assert all(name.endswith(".layernet-tmp") for name in names)
        assert len(names) <= 1  # what the writer before left is gone
        leftovers += len(names)
        start = found + 1
    assert leftovers > 0
    ln.Saver([ln.Variable(1.0, name="c")]).save(tmp_path / "other")
    assert sorted(os.listdir(tmp_path)) == ["checkpoint", "ckpt.safetensors", "other.safetensors"]


def test_files_of_living_writers_and_of_others_stay(tmp_path):
    for name in (".1-1.layernet-tmp", ".2-2.layernet-tmp", ".layernet-tmp", "x.layernet-tmp", ".f.tmp"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / ".3-3.layernet-tmp").symlink_to(tmp_path / ".f.tmp")
    (tmp_path / ".4-4.layernet-tmp").mkdir()
    with open(tmp_path / ".2-2.layernet-tmp", "rb+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        atomic_write(tmp_path / "f", [b"new"])
    kept = [".2-2.layernet-tmp", ".3-3.layernet-tmp", ".4-4.layernet-tmp", ".f.tmp", ".layernet-tmp"]
    assert sorted(os.listdir(tmp_path)) == [*kept, "f", "x.layernet-tmp"]


def test_writers_in_one_folder_do_not_disturb_each_other(tmp_path):
    script = """
import sys
from layernet.tensorfile import atomic_write
for i in range(200):
    atomic_write(sys.argv[1], [b"%d " % i * 1000])
"""
    writers = [subprocess.Popen([sys.executable, "-c", script, tmp_path / f"f{i % 2}"]) for i in range(4)]
    assert [writer.wait() for writer in writers] == [0] * 4
    assert sorted(os.listdir(tmp_path)) == ["f0", "f1"]
    assert all((tmp_path / name).read_bytes() == b"199 " * 1000 for name in ("f0", "f1"))


def test_a_name_as_long_as_names_can_be(tmp_path):
    atomic_write(tmp_path / ("f" * 255), [b"x"])
    assert os.listdir(tmp_path) == ["f" * 255]


def test_chunks_must_be_contiguous(tmp_path):
    with pytest.raises(ValueError, match=r"write_file: expected contiguous bytes, got an array with strides"):
        atomic_write(tmp_path / "f", [memoryview(b"abcd")[::2]])
    assert os.listdir(tmp_path) == []


def checkpoint_of(value, size):
    return ln.Saver({"v": ln.Variable(np.full(size, value, "f4"))})


def test_a_limit_on_the_file_size_keeps_the_old_checkpoint(tmp_path):
    path = checkpoint_of(1.0, 10).save(tmp_path / "ckpt")
    before = {name: (tmp_path / name).read_bytes() for name in os.listdir(tmp_path)}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(OSError, match=r"ckpt\.safetensors"):
            checkpoint_of(2.0, 100_000).save(path)
        with pytest.raises(OSError, match=r"net-1\.safetensors"):
            checkpoint_of(2.0, 100_000).save(tmp_path / "net", 1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert {name: (tmp_path / name).read_bytes() for name in os.listdir(tmp_path)} == before


def test_a_state_file_that_cannot_be_written_keeps_the_old_one(tmp_path):
    checkpoint_of(1.0, 1).save(tmp_path / "a")
    before = (tmp_path / "checkpoint").read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (220, limits[1]))
    try:
        with pytest.raises(OSError, match=r"checkpoint"):
            checkpoint_of(2.0, 1).save(tmp_path / ("b" * 100))  # 100 bytes of tensor file, 290 of state file
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (tmp_path / "checkpoint").read_bytes() == before
    assert ln.latest_checkpoint(tmp_path) == str(tmp_path / "a")


FULL_DISK = """
import errno, os, sys
import numpy as np
import layernet as ln
folder = sys.argv[1]
path = ln.Saver({"v": ln.Variable(np.full(1000, 1.0, "f4"))}).save(folder + "/ckpt")
big = ln.Saver({"v": ln.Variable(np.full(300_000, 2.0, "f4"))})
try:
    big.save(path)
except OSError as error:
    assert error.errno == errno.ENOSPC, error
    assert "ckpt.safetensors" in str(error), error
else:
    raise AssertionError("1.2 MB were written to a disk of 1 MB")
assert (ln.load_variable(path, "v") == 1.0).all()
assert sorted(os.listdir(folder)) == ["checkpoint", "ckpt.safetensors"]
# A killed writer has left the disk full: its file makes room for the next save.
with open(folder + "/.1-1.layernet-tmp", "wb") as file:
    file.write(bytes(900_000))
ln.Saver({"v": ln.Variable(np.full(100_000, 3.0, "f4"))}).save(path)
assert (ln.load_variable(path, "v") == 3.0).all()
print("done")
"""


def test_a_full_disk_keeps_the_old_checkpoint(tmp_path):
    mount = f"mount -t tmpfs -o size=1m none '{tmp_path}'"
    private = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]
    try:
        subprocess.run([*private, "sh", "-c", mount], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no disk of 1 MB can be mounted here")
    script = f"{mount} && exec '{sys.executable}' -c '{FULL_DISK}' '{tmp_path}'"
    assert subprocess.run([*private, "sh", "-c", script], check=True, capture_output=True).stdout == b"done\n"


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o027, 0o640), (0o077, 0o600), (0o000, 0o666)])
def test_files_have_the_mode_of_the_umask(tmp_path, umask, mode):
    old = os.umask(umask)
    try:
        checkpoint_of(1.0, 3).save(tmp_path / "ckpt")
    finally:
        os.umask(old)
    for name in ("checkpoint", "ckpt.safetensors"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == mode


OPTIMIZERS = {
    "sgd": lambda: ln.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    "adam": lambda: ln.optimizers.Adam(0.01),
    "adamw": lambda: ln.optimizers.AdamW(0.01),
    "rmsprop": lambda: ln.optimizers.RMSProp(0.01, momentum=0.5),
    "adagrad": lambda: ln.optimizers.Adagrad(0.05),
}
X = np.random.default_rng(1).normal(size=(64, 6)).astype("f4")
Y = np.random.default_rng(2).normal(size=(64, 1)).astype("f4")


def training(optimizer):
    """A network that has been called, its optimizer, and a function that takes steps from one number to another."""
    ln.reset_naming()
    ln.set_seed(3)
    layers = ln.layers
    net = ln.Sequential(
        [layers.Dense(8, activation="tanh"), layers.BatchNormalization(momentum=0.9), layers.Dense(1)], name="net"
    )
    net(X)

    def run(begin, end):
        for i in range(begin, end):
            rows = slice(16 * (i % 4), 16 * (i % 4) + 16)
            with ln.GradientTape() as tape:
                loss = ln.losses.mean_squared_error(Y[rows], net(X[rows], training=True))
            variables = net.trainable_variables
            optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))

    return net, run


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_training_goes_on_from_a_checkpoint_bit_for_bit(tmp_path, kind):
    optimizer = OPTIMIZERS[kind]()
    net, run = training(optimizer)
    run(0, 5)
    path = ln.Saver(net.variables + optimizer.variables()).save(tmp_path / "ckpt", 5)
    run(5, 12)

    again = OPTIMIZERS[kind]()
    resumed, resume = training(again)
    resume(0, 1)  # makes the optimizer's variables
    ln.Saver(resumed.variables + again.variables()).restore(path)
    resume(5, 12)

    names = [v.name for v in net.variables + optimizer.variables()]
    assert names == [v.name for v in resumed.variables + again.variables()]
    for name, want, got in zip(
        names, net.variables + optimizer.variables(), resumed.variables + again.variables(), strict=True
    ):
        np.testing.assert_array_equal(got.numpy(), want.numpy(), err_msg=name, strict=True)


def test_an_uninterrupted_reader_sees_whole_files_only(tmp_path):
    write_tensors(tmp_path / "f.safetensors", {"v": ("float32", np.zeros(50_000, "f4"))})
    script = """
import sys
import numpy as np
from layernet.tensorfile import write_tensors
for i in range(1, 301):
    write_tensors(sys.argv[1], {"v": ("float32", np.full(50_000, i, "f4"))})
"""
    with subprocess.Popen([sys.executable, "-c", script, tmp_path / "f.safetensors"]) as process:
        seen = set()
        while process.poll() is None:
            values = ln.load_variable(tmp_path / "f", "v")
            assert (values == values[0]).all()
            seen.add(float(values[0]))
    assert process.returncode == 0
    assert len(seen) > 1

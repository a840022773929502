"""Error classes: TensorFlow's names and the built-in classes at once."""

import re

import numpy as np
import pytest

import layernet as ln
from layernet import errors


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (errors.ShapeError, ValueError),
        (errors.ShapeError, errors.InvalidArgumentError),
        (errors.DTypeError, TypeError),
        (errors.DTypeError, errors.InvalidArgumentError),
        (errors.GraphError, RuntimeError),
        (errors.GraphError, TypeError),
        (errors.NodeError, AttributeError),
        (errors.NodeError, RuntimeError),
        (errors.FormatError, ValueError),
        (errors.NotFoundError, KeyError),
        (errors.CheckpointNotFoundError, ValueError),
        (errors.CheckpointNotFoundError, errors.NotFoundError),
        (errors.DataLossError, ValueError),
        (errors.FailedPreconditionError, RuntimeError),
        (errors.InvalidArgumentError, ValueError),
    ],
)
def test_error_can_be_caught_as(error, builtin):
    assert issubclass(error, builtin)
    assert issubclass(error, errors.Error)


def test_not_found_error_shows_its_message_without_quotes():
    assert str(errors.NotFoundError("no such file")) == "no such file"


# --- each class as a user meets it ------------------------------------------------------------------------------------


class Careless(ln.Network):
    def __init__(self):
        pass


def built():
    layer = ln.layers.Dense(2, name="d")
    layer(np.ones((1, 3), "float32"))
    return layer


def restored_with_another_type(folder):
    path = ln.Saver({"v": ln.Variable(1.0)}).save(folder / "ckpt")
    ln.Saver({"v": ln.Variable(1)}).restore(path)


def restored_with_a_damaged_file(folder):
    path = ln.Saver({"v": ln.Variable(1.0)}).save(folder / "ckpt")
    with open(path + ".safetensors", "ab") as file:
        file.write(b"more")
    ln.Saver({"v": ln.Variable(1.0)}).restore(path)


def restored_without_its_name(folder):
    path = ln.Saver({"v": ln.Variable(1.0)}).save(folder / "ckpt")
    ln.Saver({"w": ln.Variable(1.0)}).restore(path)


# The class, the built-in classes that catch it too, the call (which gets a folder), what the message says.
MET = {
    "Error": (errors.Error, (), restored_with_another_type, "expected dtype int32, got float32"),
    "InvalidArgumentError": (
        errors.InvalidArgumentError,
        (ValueError,),
        lambda _: built().set_weights([]),
        r"dense 'd': expected 2 arrays, got 0\.",
    ),
    "ShapeError": (
        errors.ShapeError,
        (ValueError,),
        lambda _: built()(np.ones((1, 4), "float32")),
        r"dense 'd': expected an input with size 3 on axis -1, got shape \[1, 4\]\.",
    ),
    "ShapeError of an op": (
        errors.ShapeError,
        (ValueError,),
        lambda _: ln.matmul(np.ones((2, 3)), np.ones((2, 3))),
        "^matmul: expected ",
    ),
    "DTypeError": (
        errors.DTypeError,
        (ValueError, TypeError),
        lambda _: ln.layers.Dense(2, name="d")(np.ones((1, 3), "int32")),
        "dense 'd': expected floating point inputs, got int32. Convert them",
    ),
    "GraphError": (
        errors.GraphError,
        (RuntimeError, TypeError),
        lambda _: bool(ln.Input((3,))),
        "symbol",
    ),
    "NodeError": (
        errors.NodeError,
        (AttributeError, RuntimeError),
        lambda _: built().input,
        "dense 'd': 'input' is known after a symbolic call only, and there was none. Call the layer on ln.Input",
    ),
    "FormatError": (
        errors.FormatError,
        (ValueError,),
        restored_with_a_damaged_file,
        r"ckpt.safetensors: expected \d+ bytes of data, got \d+\.",
    ),
    "DataLossError": (
        errors.DataLossError,
        (ValueError,),
        restored_with_another_type,
        "variable 'Variable:0': expected dtype int32, got float32 for 'v' in ",
    ),
    "NotFoundError": (
        errors.NotFoundError,
        (KeyError,),
        restored_without_its_name,
        "expected the variables 'w', but the file lacks 'w'. See list_variables",
    ),
    "CheckpointNotFoundError": (
        errors.CheckpointNotFoundError,
        (ValueError, KeyError, FileNotFoundError),
        lambda folder: ln.list_variables(folder / "none"),
        "none: expected a checkpoint, but there is no file 'none.safetensors'",
    ),
    "FailedPreconditionError": (
        errors.FailedPreconditionError,
        (RuntimeError,),
        lambda _: Careless()(np.ones((1, 3), "float32")),
        r"Careless: its constructor did not call super\(\).__init__\(\). Call it first in __init__\.",
    ),
    "FailedPreconditionError in track_layer": (
        errors.FailedPreconditionError,
        (RuntimeError,),
        lambda _: Careless().track_layer(built()),
        r"Careless: expected super\(\).__init__\(\) before track_layer\(\). Call it first in __init__\.",
    ),
    "FailedPreconditionError of a member": (
        errors.FailedPreconditionError,
        (RuntimeError,),
        lambda _: ln.Network("net").track_layer(Careless()),
        r"Careless: its constructor did not call super\(\).__init__\(\). Call it first in __init__\.",
    ),
}


def test_every_class_is_met():
    assert {name.partition(" ")[0] for name in MET} == set(errors.__all__)


@pytest.mark.parametrize("name", MET)
def test_error_is_met(name, tmp_path):
    error, builtins, call, message = MET[name]

    with pytest.raises(error, match=message) as caught:
        call(tmp_path)

    assert name.startswith("Error") or type(caught.value) is error
    assert all(isinstance(caught.value, builtin) for builtin in builtins)


@pytest.mark.parametrize("name", MET)
def test_message_says_who_and_what(name, tmp_path):
    _, _, call, _ = MET[name]
    with pytest.raises(errors.Error) as caught:
        call(tmp_path)

    assert re.fullmatch(r"[^:].*: .*\.", str(caught.value))

"""`python -m layernet`."""

import re

import numpy as np
import pytest

import layernet as ln
from layernet.__main__ import main


@pytest.fixture
def saved(tmp_path):
    """A predictor and its file."""
    net = ln.Sequential([ln.layers.Dense(8, activation="tanh"), ln.layers.Dense(3)], name="net")
    net(np.ones((1, 5), "float32"))
    predictor = ln.Predictor(net)
    predictor.save(tmp_path / "net")
    return predictor, str(tmp_path / "net")


def test_info_shows_ports_and_steps(saved, capsys):
    assert main(["info", saved[1]]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "input input: float32 [N, 5]"
    assert lines[1] == "output output: float32 [N, 3]"
    assert lines[2] == f"constants: {saved[0].nbytes} bytes, weights float32"
    assert lines[3].startswith("step 0: dense (float32[N, 5], float32[5, 8], float32[8]) -> float32[N, 8], ")


def test_predict_writes_the_outputs(saved, tmp_path, capsys):
    x = np.random.default_rng(0).normal(size=(7, 5)).astype("float32")
    np.save(tmp_path / "x.npy", x)
    assert main(["predict", saved[1], str(tmp_path / "x.npy"), "-o", str(tmp_path / "y.npy")]) == 0
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), saved[0].predict(x))


def test_predict_takes_several_inputs_and_outputs(tmp_path):
    class Both(ln.Network):
        def call(self, inputs):
            return {"sum": inputs["a"] + inputs["b"], "product": inputs["a"] * inputs["b"]}

    ln.Predictor(Both(), {"a": ln.Input((2,)), "b": ln.Input((2,))}).save(tmp_path / "net")
    np.save(tmp_path / "a.npy", np.full((1, 2), 3, "float32"))
    np.save(tmp_path / "b.npy", np.full((1, 2), 4, "float32"))
    names = [str(tmp_path / name) for name in ("net", "a.npy", "b.npy", "product.npy", "sum.npy")]
    assert main(["predict", *names[:3], "-o", *names[3:]]) == 0
    np.testing.assert_array_equal(np.load(names[3]), [[12, 12]])
    np.testing.assert_array_equal(np.load(names[4]), [[7, 7]])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["info", "none"], "No such file"),
        (["predict", "net", "wide.npy", "-o", "y.npy"], r"expected an input of shape \[N, 5\]"),
        (["predict", "net", "x.npy", "-o", "y.npy", "z.npy"], "expected 1 output files, got 2"),
        (["predict", "net", "x.npy", "x.npy", "-o", "y.npy"], "expected 1 inputs, got 2"),
        (["predict", "net", "objects.npy", "-o", "y.npy"], "allow_pickle"),
        (["info", "x.npy"], "header"),
    ],
)
def test_errors_are_a_line_and_a_status(saved, tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", np.ones((2, 5), "float32"))
    np.save("wide.npy", np.ones((2, 6), "float32"))
    np.save("objects.npy", np.array([None]), allow_pickle=True)
    assert main(arguments) == 1
    captured = capsys.readouterr()
    assert re.search(message, captured.err)
    assert captured.err.count("\n") == 1


def test_bench_prints_a_line_for_each_batch_and_thread_count(saved, capsys):
    assert main(["bench", saved[1], "--batch", "1", "3", "--threads", "1", "2", "--seconds", "0.02"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "threads 1, batch 1",
        "threads 1, batch 3",
        "threads 2, batch 1",
        "threads 2, batch 3",
    ]


def test_no_command_is_an_error(capsys):
    with pytest.raises(SystemExit, match="2"):
        main([])
    assert "expected a command or an option" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--version", "--include-dir", "--cmake-dir", "--build-info"])
def test_options_print_what_they_say(option, capsys):
    assert main([option]) == 0
    assert {"--version": ln.__version__, "--include-dir": "include", "--cmake-dir": "cmake", "--build-info": "isa"}[
        option
    ] in capsys.readouterr().out

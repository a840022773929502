"""The examples in Python, in their short form, with their pictures."""

import importlib.util
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name, tmp_path, *needs):
    for module in ("matplotlib", *needs):
        pytest.importorskip(module)
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    result = example.main(["--short", "--picture", str(tmp_path / "picture.png")])
    assert (tmp_path / "picture.png").read_bytes()[:4] == b"\x89PNG"
    return result


def test_embeddings_beat_a_linear_model(tmp_path):
    result = run("tabular_regression", tmp_path, "vega_datasets", "pandas")
    assert result["error"] < result["linear_error"]


def test_ranking_is_better_than_chance(tmp_path):
    result = run("two_tower_ranking", tmp_path)
    assert result["auc"] > 0.6
    assert result["recall"] > 3 * result["chance"]


def test_policy_learns_to_balance(tmp_path):
    result = run("control_policy", tmp_path)
    assert result["after"] > 1.5 * result["before"]


def test_digits_are_read(tmp_path):
    assert run("digits_convolution", tmp_path, "sklearn")["accuracy"] > 0.8

"""The demonstration holds all its checks."""

import numpy as np
import pytest

import layernet as ln
from layernet import demo


@pytest.fixture(autouse=True)
def fresh_names():
    ln.reset_naming()
    yield
    ln.reset_naming()


@pytest.mark.slow
def test_all_checks_hold(capsys, monkeypatch):
    pytest.importorskip("sklearn", reason="scikit-learn has the data")
    monkeypatch.setattr(demo, "WANTED_SECONDS", float("inf"))  # tests assert no timing
    status = demo.main()
    printed = capsys.readouterr().out
    assert status == 0, printed
    assert printed.count("\nok ") == 4
    assert "digits/dense_2/kernel  [64, 10]" in printed
    assert "\r" not in printed  # no progress line in a pipe


def test_failing_check_is_reported(capsys, monkeypatch):
    pytest.importorskip("sklearn", reason="scikit-learn has the data")
    monkeypatch.setattr(demo, "EPOCHS", 1)
    monkeypatch.setattr(demo, "SEEDS", (0,))
    monkeypatch.setattr(demo, "WANTED_ACCURACY", 1.1)
    assert demo.main() == 1
    assert "FAILED  median test accuracy" in capsys.readouterr().out


def test_shifted_images():
    image = np.zeros((1, 8, 8), np.float32)
    image[0, 4, 4] = 1
    many = np.repeat(image.reshape(1, 64), 500, axis=0)
    order = np.random.default_rng(0)
    np.testing.assert_array_equal(demo.shifted(many, 0.0, order), many)
    _, rows, columns = np.nonzero(demo.shifted(many, 1.0, order).reshape(-1, 8, 8))
    assert {*zip(rows.tolist(), columns.tolist(), strict=True)} == {(r, c) for r in (3, 4, 5) for c in (3, 4, 5)}

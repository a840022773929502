"""Every malformed file is a FormatError that names the file, in Python and in a sanitized C++ program."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

import layernet as ln
import malformed

PROGRAMS = os.environ.get("LAYERNET_CPP_PROGRAMS")


def load(path, content):
    path.write_bytes(content)
    return ln.Predictor.load(path)


def test_the_file_that_the_cases_spoil_is_good(tmp_path):
    predictor = load(tmp_path / "good", malformed.GOOD)
    x = np.ones((2, 3), "float32")
    expected = np.where(malformed.FLAGS, np.maximum(x @ np.array(malformed.KERNEL) + malformed.BIAS, 0), malformed.BIAS)
    np.testing.assert_allclose(predictor.predict(x), expected, rtol=1e-6)


def test_the_file_with_small_weights_that_the_cases_spoil_is_good(tmp_path):
    predictor = load(tmp_path / "good", malformed.GOOD_SMALL)
    assert predictor.weights == "int8"
    kernel = np.array([[0, 1], [-127, 3], [127, 5]]) * [0.5, 0.25]
    x = np.array([[0.5, 2, 2.25]], "float32")
    expected = np.where(malformed.FLAGS, np.maximum(x @ kernel + malformed.BIAS, 0), malformed.BIAS)
    np.testing.assert_allclose(predictor.predict(x), expected, rtol=1e-6)


def test_there_are_many_kinds():
    assert len(malformed.CASES) >= 150
    assert len(set(malformed.CASES.values())) == len(malformed.CASES)


@pytest.mark.parametrize("name", [*malformed.CASES, *malformed.STRUCTURES])
def test_malformed_file_is_a_format_error(tmp_path, name):
    content = malformed.CASES.get(name) or malformed.STRUCTURES.get(name, b"")
    with pytest.raises(ln.FormatError) as caught:
        load(tmp_path / "bad", content)
    message = str(caught.value)
    assert message.endswith(".")
    assert len(message) < 600
    if name in malformed.CASES:
        assert str(tmp_path / "bad") in message


def test_a_file_cut_at_any_byte_is_a_format_error(tmp_path):
    for size in range(len(malformed.GOOD)):
        with pytest.raises(ln.FormatError):
            load(tmp_path / "bad", malformed.GOOD[:size])


@pytest.mark.skipif(PROGRAMS is None, reason="LAYERNET_CPP_PROGRAMS does not name the folder of the built programs")
def test_sanitized_reader_refuses_every_file(tmp_path):
    paths = malformed.write_all(tmp_path)
    environment = {**os.environ, "ASAN_OPTIONS": "max_allocation_size_mb=256:detect_leaks=0"}
    environment.pop("LD_PRELOAD", None)
    done = subprocess.run(
        [Path(PROGRAMS) / "format_check", *paths], capture_output=True, text=True, env=environment, timeout=600
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]

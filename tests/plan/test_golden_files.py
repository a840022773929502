"""Files of earlier versions of the format are read for ever, and give the outputs that they gave."""

from pathlib import Path

import numpy as np
import pytest

import layernet as ln
from layernet import nest

FILES = sorted((Path(__file__).parents[1] / "data").glob("format_v*/*.safetensors"))
# Another CPU, or a later version, may add up in another order: a few roundings of the sums' terms.
TOLERANCE = {"float16": 2e-3, "float32": 2e-6, "float64": 1e-6, "int64": 0}


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_golden_file_gives_the_outputs_of_its_time(path):
    expected = np.load(path.with_suffix(".npz"))
    predictor = ln.Predictor.load(path)
    inputs = [expected[f"input_{i}"] for i in range(len(predictor.input_dtypes))]
    result = predictor.predict(nest.pack_like(_form(predictor), inputs))
    for i, output in enumerate(nest.flatten(result)):
        wanted = expected[f"output_{i}"]
        assert output.dtype == wanted.dtype
        np.testing.assert_allclose(output, wanted, rtol=0, atol=TOLERANCE[output.dtype.name])


def _form(predictor):
    """The structure of the inputs, with shapes (tuples themselves) replaced by leaves."""
    shapes = predictor.input_shapes
    return dict.fromkeys(shapes, 0) if isinstance(shapes, dict) else 0


def test_there_are_golden_files_of_every_version():
    assert {path.parent.name for path in FILES} == {"format_v1", "format_v2"}
    assert len(FILES) >= 7

"""Error classes: TensorFlow's names and the built-in classes at once."""

import pytest

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

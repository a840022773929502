"""What all tests share: each starts with the naming state of a fresh process."""

import pytest

import layernet as ln


@pytest.fixture(autouse=True)
def _fresh_names():
    ln.reset_naming()

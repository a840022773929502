"""What all tests share: each starts with the naming state of a fresh process."""

import pytest

import layernet as ln


@pytest.fixture(autouse=True)
def _fresh_names():
    ln.reset_naming()


def pytest_collection_modifyitems(items):
    """The product in one minute comes first: what fails there explains the rest."""
    items.sort(key=lambda item: item.path.name != "test_tiny.py")

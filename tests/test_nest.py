"""Structures of inputs."""

from collections import OrderedDict, namedtuple

import pytest

from layernet import nest

Pair = namedtuple("Pair", "left right")


def test_flatten_walks_dictionaries_by_sorted_key():
    assert nest.flatten({"b": [1, (2,)], "a": 3}) == [3, 1, 2]


def test_flatten_of_a_leaf():
    assert nest.flatten("text") == ["text"]


@pytest.mark.parametrize("structure", [[1, 2], (1, 2), {"a": 1, "b": 2}, Pair(1, [2]), [1, {"x": (2,)}], [], {}])
def test_map_structure_keeps_the_structure(structure):
    assert nest.map_structure(lambda x: x, structure) == structure
    assert type(nest.map_structure(lambda x: x, structure)) is type(structure)


def test_map_structure_of_an_ordered_dictionary():
    assert nest.map_structure(str, OrderedDict(b=1, a=2)) == {"a": "2", "b": "1"}


def test_flatten_like_stops_at_the_leaves_of_the_structure():
    assert nest.flatten_like([0, {"a": 0}], [[1, 2], {"a": (3,)}]) == [[1, 2], (3,)]


@pytest.mark.parametrize("values", [[1], 5, None])
def test_flatten_like_of_another_structure(values):
    with pytest.raises((TypeError, ValueError)):
        nest.flatten_like([0, 0], values)


@pytest.mark.parametrize("structure", [5, [1, 2], {"b": (1, 2), "a": [3]}, Pair(1, {"k": 2})])
def test_pack_like_is_the_inverse_of_flatten(structure):
    assert nest.pack_like(structure, nest.flatten(structure)) == structure

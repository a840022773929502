"""What Python values become and what values are to Python: conversion, indexing, construction, DLPack, format."""

import numpy as np
import pytest

import layernet as ln

BIG = 2**40



@pytest.mark.parametrize("cls", [ln.Tensor, ln.Symbol])
def test_values_without_numbers_cannot_be_made(cls):
    base = cls.__mro__[-2]
    with pytest.raises(TypeError, match="expected no construction"):
        cls()
    with pytest.raises(TypeError, match="expected no construction"):
        cls.__new__(cls)
    with pytest.raises(TypeError):
        base.__new__(cls)
    with pytest.raises(TypeError):
        object.__new__(cls)


def test_symbol_subclass_cannot_be_made():
    class Own(ln.Symbol):
        pass

    with pytest.raises(TypeError, match="Own: expected no construction"):
        Own()
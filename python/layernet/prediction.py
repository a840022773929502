"""Prediction by a network itself: a predictor for each shape of inputs, made anew when a variable has changed."""

from __future__ import annotations

from typing import Any

import numpy as np

from layernet import nest, symbolic
from layernet.compiling import Predictor, as_input
from layernet.errors import InvalidArgumentError, ShapeError
from layernet.feeding import as_array, as_arrays
from layernet.functional import check_kind
from layernet.layers.input_spec import InputSpec
from layernet.network import Network
from layernet.tensor import constant
from layernet.training import input_dtypes

__all__ = ["Predicting"]

# Shapes of inputs for which predictors are kept; the one used longest ago goes first.
_KEPT_PREDICTORS = 8


class Predicting(Network):
    """A network with `predict`. Its predictors are not part of copies."""

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name=name)
        self._predictors: dict[Any, tuple[tuple[int, int], Predictor]] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_predictors": {}}

    def predict(self, x: Any, batch_size: int | None = None) -> Any:
        """The outputs for `x`, in inference mode, computed by a `Predictor` that the model keeps.

        The predictor is made anew when a variable has changed since, and for inputs of other sizes beyond the batch.
        It has the weights and the Python attributes of the moment when it was made: of changes, only those of variables
        are noticed.

        Args:
            x: An array, a data frame, or the structure of them that the model takes; any type of numbers.
            batch_size: Rows to take at a time; None (default) takes all at once.

        Returns:
            An array, or the structure of arrays that the model returns.

        Raises:
            InvalidArgumentError: A batch size below 1, or inputs with different numbers of rows to cut.
            ShapeError: Inputs of a shape that the model does not take.
            GraphError: The model cannot be traced.

        Example:
            >>> import numpy as np, layernet as ln
            >>> x = ln.Input((3,))
            >>> model = ln.Model(x, ln.layers.Dense(2, kernel_initializer="ones")(x))
            >>> model.predict(np.ones((2, 3), "float32"), batch_size=1)
            array([[3., 3.],
                   [3., 3.]], dtype=float32)
        """
        if batch_size is not None and batch_size < 1:
            raise InvalidArgumentError(f"{self._who()}: expected batch_size >= 1, got {batch_size}.")
        one = self._takes_one_array()
        if one and isinstance(x, (list, tuple)) and len(x) == 1:
            rank = len(self._call_signature.shape or ())
            x = x[0] if np.ndim(x[0]) == rank else x  # a list of the one input, as for models of several
        inputs = as_array(x) if one else as_arrays(x)
        arrays = nest.flatten(inputs)
        if self._call_signature is not None:
            check_kind(self._who(), self._call_signature, inputs)
        predictor = self._predictor(inputs, arrays)
        if batch_size is None:
            return predictor.predict(inputs)
        rows = {array.shape[0] if array.ndim else None for array in arrays}
        if len(rows) != 1 or None in rows:
            raise InvalidArgumentError(
                f"{self._who()}: expected inputs with the same number of rows, got shapes "
                f"{', '.join(str(list(array.shape)) for array in arrays)}."
            )
        [count] = rows
        starts = range(0, count, batch_size) if count else [0]
        parts = [
            predictor.predict(nest.pack_like(inputs, [array[start : start + batch_size] for array in arrays]))
            for start in starts
        ]
        leaves = zip(*(nest.flatten(part) for part in parts), strict=True)
        return nest.pack_like(parts[0], [np.concatenate(leaf) for leaf in leaves])

    def _takes_one_array(self) -> bool:
        return isinstance(self._call_signature, InputSpec)

    def _predictor(self, inputs: Any, arrays: list[Any]) -> Predictor:
        """The predictor for inputs of these shapes, as the variables are now."""
        key = tuple(array.shape[1:] for array in arrays)
        variables = self.variables
        state = len(variables), sum(variable.version for variable in variables)
        kept = self._predictors.get(key)
        if kept is not None and kept[0] == state:
            return kept[1]
        predictor = Predictor(self, self._template(inputs, arrays))
        # Building, the first time, makes variables.
        variables = self.variables
        state = len(variables), sum(variable.version for variable in variables)
        # A new table each time: another thread may be looking into this one.
        others = {k: v for k, v in self._predictors.items() if k != key and v[0] == state}
        self._predictors = {**dict(list(others.items())[1 - _KEPT_PREDICTORS :]), key: (state, predictor)}
        return predictor

    def _template(self, inputs: Any, arrays: list[Any]) -> Any:
        """Placeholders for inputs like these, of the types of the first call; None: what the first call took."""
        for array in arrays:
            as_input(array[:0] if array.ndim else array, "float32")  # refuses what is not made of numbers
            if array.ndim == 0:
                raise ShapeError(f"{self._who()}: expected arrays with a row for each sample, got a single number.")
        known = nest.flatten(self._call_signature)
        if self._call_signature is None:
            said = input_dtypes(self, inputs)
            structure, dtypes = inputs, [d or constant(a[:0]).dtype for d, a in zip(said, arrays, strict=True)]
        elif len(known) == len(arrays) and all(
            isinstance(spec, InputSpec) and len(spec.shape or ()) == array.ndim
            for spec, array in zip(known, arrays, strict=True)
        ):
            structure, dtypes = self._call_signature, [spec.dtype for spec in known]
        else:
            return None  # the predictor says what it expects, and takes more leading axes where it can
        shapes = [array.shape[1:] for array in arrays]
        return nest.pack_like(structure, [symbolic.Input(s, d) for s, d in zip(shapes, dtypes, strict=True)])

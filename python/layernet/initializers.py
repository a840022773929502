"""Initial values of variables: Keras' initializers.

An initializer is called with a shape and a data type and returns a tensor. Random ones draw from the library's own
counter-based generator, so that `ln.set_seed` (or an initializer's own `seed`) fixes every bit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from layernet import _core
from layernet.config import Configurable, Registry
from layernet.random import random_state
from layernet.tensor import Tensor
from layernet.tensor import core_ops as _ops

__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "deserialize",
    "get",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "lecun_normal",
    "lecun_uniform",
    "serialize",
]

# Standard deviation of a standard normal distribution cut at -2 and 2: sqrt(1 - 4 phi(2) / (2 Phi(2) - 1)).
_TRUNCATED_STDDEV = 0.87962566103423978


class Initializer(Configurable):
    """What all initializers share. Subclasses define `__call__` and, when they have arguments, `get_config`.

    Example:
        >>> import layernet as ln
        >>> class Sevens(ln.initializers.Initializer):
        ...     def __call__(self, shape, dtype=None, partition_info=None):
        ...         return ln.constant(7.0, dtype=dtype, shape=shape)
        >>> Sevens()((2,)).numpy()
        array([7., 7.], dtype=float32)
    """

    def __call__(self, shape: Sequence[int], dtype: Any = None, partition_info: object = None) -> Tensor:
        """The initial value.

        Args:
            shape: Shape of the variable.
            dtype: Its data type; None means float32.
            partition_info: Accepted because TensorFlow 1.x passes it; not used.
        """
        raise NotImplementedError(f"{type(self).__name__}: expected the initializer to define __call__. Define it.")


class Zeros(Initializer):
    """All values 0.

    Example:
        >>> import layernet as ln
        >>> ln.initializers.Zeros()((2, 2)).numpy()
        array([[0., 0.],
               [0., 0.]], dtype=float32)
    """

    def __call__(self, shape: Sequence[int], dtype: Any = None, partition_info: object = None) -> Tensor:
        return _filled(0, shape, dtype)


class Ones(Initializer):
    """All values 1.

    Example:
        >>> import layernet as ln
        >>> ln.initializers.Ones()((3,), "int32").numpy()
        array([1, 1, 1], dtype=int32)
    """

    def __call__(self, shape: Sequence[int], dtype: Any = None, partition_info: object = None) -> Tensor:
        return _filled(1, shape, dtype)


class Constant(Initializer):
    """One number everywhere, or given numbers.

    Args:
        value: A number, or an array or nested list with as many numbers as the variable has. Default 0.

    Raises:
        ValueError: When called, if an array has another number of elements than the variable.

    Example:
        >>> import layernet as ln
        >>> ln.initializers.Constant(0.5)((2,)).numpy()
        array([0.5, 0.5], dtype=float32)
        >>> ln.initializers.Constant([1, 2, 3, 4])((2, 2)).numpy()
        array([[1., 2.],
               [3., 4.]], dtype=float32)
    """

    def __init__(self, value: Any = 0) -> None:
        self.value = value

    def __call__(self, shape: Sequence[int], dtype: Any = None, partition_info: object = None) -> Tensor:
        values = np.asarray(self.value)
        if values.ndim == 0:
            return _filled(values.item(), shape, dtype)
        if values.size != math.prod(shape):
            raise ValueError(
                f"Constant: expected {math.prod(shape)} numbers for shape {_text(shape)}, got {values.size}. "
                "Give one number, or one for each element."
            )
        return _core.constant(values.reshape(tuple(shape)), dtype=_dtype(dtype))

    def get_config(self) -> dict[str, Any]:
        value = self.value
        return {"value": np.asarray(value).tolist() if isinstance(value, np.ndarray | np.generic) else value}


class _Random(Initializer):
    """Holds the seed and hands out the generator's state."""

    seed: int | None
    _own_state: Any

    def _set_seed(self, seed: int | None) -> None:
        self.seed = seed
        self._own_state = None

    def _state(self) -> Any:
        """The library's generator, or one of this object's own when it has a seed."""
        if self.seed is None:
            return random_state()
        if self._own_state is None:
            self._own_state = _core.Variable(np.array([self.seed, 0], np.int64), trainable=False)
        return self._own_state

    def _uniform(self, shape: Sequence[int], dtype: Any, low: float, high: float) -> Tensor:
        wanted, drawn = _drawn_dtype(self, dtype)
        values = _ops.random_uniform(self._state(), shape=list(shape), dtype=drawn, low=low, high=high)
        return _cast(values, wanted)

    def _normal(self, shape: Sequence[int], dtype: Any, mean: float, stddev: float, truncated: bool = False) -> Tensor:
        wanted, drawn = _drawn_dtype(self, dtype)
        draw = _ops.random_truncated_normal if truncated else _ops.random_normal
        return _cast(draw(self._state(), shape=list(shape), dtype=drawn, mean=mean, stddev=stddev), wanted)


class RandomUniform(_Random):
    """Independent, uniform in [minval, maxval).

    Args:
        minval: Lower bound, default -0.05.
        maxval: Upper bound, excluded, default 0.05. For integers [minval, maxval) must be given as integers.
        seed: None (default) draws from `ln.random.random_state()`; a number gives this object a generator of its own.

    Example:
        >>> import layernet as ln
        >>> values = ln.initializers.RandomUniform(0.0, 2.0, seed=1)((1000,)).numpy()
        >>> bool(values.min() >= 0.0 and values.max() < 2.0)
        True
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None) -> None:
        self.minval, self.maxval = minval, maxval
        self._set_seed(seed)

    def __call__(self, shape: Sequence[int], dtype: Any = None, partition_info: object = None) -> Tensor:
        if _dtype(dtype).is_integer:
            return _ops.random_int(
                self._state(), shape=list(shape), dtype=_dtype(dtype), low=int(self.minval), high=int(self.maxval)
            )
        return self._uniform(shape, dtype, self.minval, self.maxval)

    def get_config(self) -> dict[str, Any]:
        return {"minval": self.minval, "maxval": self.maxval, "seed": self.seed}


class RandomNormal(_Random):
    """Independent, normal.

    Args:
        mean: Default 0.
        stddev: Standard deviation, default 0.05.
        seed: None (default) draws from `ln.random.random_state()`; a number gives this object a generator of its own.

    Example:
        >>> import layernet as ln
        >>> first = ln.initializers.RandomNormal(seed=3)((4,)).numpy()
        >>> second = ln.initializers.RandomNormal(seed=3)((4,)).numpy()
        >>> bool((first == second).all())
        True
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        self.mean, self.stddev = mean, stddev
        self._set_seed(seed)

    def __call__(self, shape: Sequence[int], dtype: Any = None, partition_info: object = None) -> Tensor:
        return self._normal(shape, dtype, self.mean, self.stddev)

    def get_config(self) -> dict[str, Any]:
        return {"mean": self.mean, "stddev": self.stddev, "seed": self.seed}


class TruncatedNormal(RandomNormal):
    """Independent, normal, but never further than two standard deviations from the mean.

    `stddev` is that of the normal distribution before it is cut; the values' own is 0.8796 times as large.

    Args:
        mean: Default 0.
        stddev: Default 0.05.
        seed: None (default) draws from `ln.random.random_state()`; a number gives this object a generator of its own.

    Example:
        >>> import layernet as ln
        >>> values = ln.initializers.TruncatedNormal(stddev=1.0, seed=1)((1000,)).numpy()
        >>> bool(abs(values).max() <= 2.0)
        True
    """

    def __call__(self, shape: Sequence[int], dtype: Any = None, partition_info: object = None) -> Tensor:
        return self._normal(shape, dtype, self.mean, self.stddev, truncated=True)


class VarianceScaling(_Random):
    """Random values whose variance is `scale / n`, with n from the shape of the variable.

    n is the number of inputs of a unit ("fan_in"), of its outputs ("fan_out"), or the mean of both ("fan_avg"). A
    kernel of shape `[in, out]` has fans `in` and `out`; one of shape `[..., in, out]` has both times the product of the
    leading dimensions.

    Args:
        scale: Positive, default 1.
        mode: "fan_in" (default), "fan_out" or "fan_avg".
        distribution: "truncated_normal" (default; "normal" is the same), "untruncated_normal" or "uniform".
        seed: None (default) draws from `ln.random.random_state()`; a number gives this object a generator of its own.

    Raises:
        ValueError: A scale that is not positive, an unknown mode or distribution.

    Reference:
        Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010, eq. 16;
        He et al., "Delving deep into rectifiers", 2015, eq. 10; LeCun et al., "Efficient backprop", 1998, section 4.6.

    Example:
        >>> import layernet as ln
        >>> values = ln.initializers.VarianceScaling(2.0, "fan_in", "uniform", seed=5)((300, 100)).numpy()
        >>> bool(abs(values).max() <= (6 / 300) ** 0.5)
        True
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | None = None,
    ) -> None:
        if not scale > 0:
            raise ValueError(f"VarianceScaling: expected a scale above 0, got {scale!r}.")
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ValueError(f"VarianceScaling: expected mode 'fan_in', 'fan_out' or 'fan_avg', got {mode!r}.")
        if distribution not in ("truncated_normal", "normal", "untruncated_normal", "uniform"):
            raise ValueError(
                "VarianceScaling: expected distribution 'truncated_normal', 'normal', 'untruncated_normal' or "
                f"'uniform', got {distribution!r}."
            )
        self.scale, self.mode, self.distribution = scale, mode, distribution
        self._set_seed(seed)

    def __call__(self, shape: Sequence[int], dtype: Any = None, partition_info: object = None) -> Tensor:
        fan_in, fan_out = _fans(shape)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, n)
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            return self._uniform(shape, dtype, -limit, limit)
        if self.distribution == "untruncated_normal":
            return self._normal(shape, dtype, 0.0, math.sqrt(variance))
        return self._normal(shape, dtype, 0.0, math.sqrt(variance) / _TRUNCATED_STDDEV, truncated=True)

    def get_config(self) -> dict[str, Any]:
        return {"scale": self.scale, "mode": self.mode, "distribution": self.distribution, "seed": self.seed}


class _Preset(VarianceScaling):
    """A `VarianceScaling` whose only argument is the seed."""

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.seed}


class GlorotUniform(_Preset):
    """Uniform in +-sqrt(6 / (fan_in + fan_out)): the default for kernels.

    Args:
        seed: See `VarianceScaling`.

    Reference:
        Glorot and Bengio, 2010, eq. 16.

    Example:
        >>> import layernet as ln
        >>> bool(abs(ln.initializers.GlorotUniform(seed=1)((2, 4)).numpy()).max() <= 1.0)
        True
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(1.0, "fan_avg", "uniform", seed)


class GlorotNormal(_Preset):
    """Truncated normal of variance 2 / (fan_in + fan_out).

    Args:
        seed: See `VarianceScaling`.

    Reference:
        Glorot and Bengio, 2010, eq. 12.

    Example:
        >>> import layernet as ln
        >>> ln.initializers.GlorotNormal(seed=1)((2, 4)).shape
        (2, 4)
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(1.0, "fan_avg", "truncated_normal", seed)


class HeUniform(_Preset):
    """Uniform in +-sqrt(6 / fan_in): for relu.

    Args:
        seed: See `VarianceScaling`.

    Reference:
        He et al., 2015, eq. 10.

    Example:
        >>> import layernet as ln
        >>> bool(abs(ln.initializers.HeUniform(seed=1)((6, 4)).numpy()).max() <= 1.0)
        True
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(2.0, "fan_in", "uniform", seed)


class HeNormal(_Preset):
    """Truncated normal of variance 2 / fan_in: for relu.

    Args:
        seed: See `VarianceScaling`.

    Reference:
        He et al., 2015, eq. 10.

    Example:
        >>> import layernet as ln
        >>> ln.initializers.HeNormal(seed=1)((6, 4)).shape
        (6, 4)
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(2.0, "fan_in", "truncated_normal", seed)


class LecunUniform(_Preset):
    """Uniform in +-sqrt(3 / fan_in).

    Args:
        seed: See `VarianceScaling`.

    Reference:
        LeCun et al., "Efficient backprop", 1998, section 4.6.

    Example:
        >>> import layernet as ln
        >>> bool(abs(ln.initializers.LecunUniform(seed=1)((3, 4)).numpy()).max() <= 1.0)
        True
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(1.0, "fan_in", "uniform", seed)


class LecunNormal(_Preset):
    """Truncated normal of variance 1 / fan_in: for selu.

    Args:
        seed: See `VarianceScaling`.

    Reference:
        LeCun et al., 1998, section 4.6; Klambauer et al., "Self-normalizing neural networks", 2017, section 2.

    Example:
        >>> import layernet as ln
        >>> ln.initializers.LecunNormal(seed=1)((3, 4)).shape
        (3, 4)
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(1.0, "fan_in", "truncated_normal", seed)


class Orthogonal(_Random):
    """A random matrix with orthonormal rows or columns (whichever there are fewer of), uniform over all of them.

    A shape of more than two dimensions is taken as the matrix `[product of all but the last, last]`. The matrix is the
    Q factor of a normal matrix, with the signs of R's diagonal moved into it: without them it would not be uniform.

    Args:
        gain: Factor, default 1.
        seed: None (default) draws from `ln.random.random_state()`; a number gives this object a generator of its own.

    Raises:
        ValueError: When called with fewer than two dimensions.

    Reference:
        Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks", 2014,
        section 3; Mezzadri, "How to generate random matrices from the classical compact groups", 2007, section 5.

    Example:
        >>> import layernet as ln
        >>> import numpy as np
        >>> q = ln.initializers.Orthogonal(seed=2)((5, 3)).numpy()
        >>> bool(np.allclose(q.T @ q, np.eye(3), atol=1e-6))
        True
    """

    def __init__(self, gain: float = 1.0, seed: int | None = None) -> None:
        self.gain = gain
        self._set_seed(seed)

    def __call__(self, shape: Sequence[int], dtype: Any = None, partition_info: object = None) -> Tensor:
        if len(shape) < 2:
            raise ValueError(f"Orthogonal: expected a shape of at least two dimensions, got {_text(shape)}.")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        normal = self._normal((max(rows, columns), min(rows, columns)), "float64", 0.0, 1.0)
        q, r = np.linalg.qr(normal.numpy())
        q *= np.where(np.diagonal(r) < 0, -1.0, 1.0) * self.gain
        if rows < columns:
            q = q.T
        return _cast(_core.constant(np.ascontiguousarray(q.reshape(tuple(shape)))), _drawn_dtype(self, dtype)[0])

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain, "seed": self.seed}


class Identity(Initializer):
    """`gain` on the diagonal, 0 elsewhere; for matrices only, square or not.

    Args:
        gain: Default 1.

    Raises:
        ValueError: When called with a shape that is not of two dimensions.

    Example:
        >>> import layernet as ln
        >>> ln.initializers.Identity(2.0)((2, 3)).numpy()
        array([[2., 0., 0.],
               [0., 2., 0.]], dtype=float32)
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: Sequence[int], dtype: Any = None, partition_info: object = None) -> Tensor:
        if len(shape) != 2:
            raise ValueError(f"Identity: expected a shape of two dimensions, got {_text(shape)}.")
        return _core.constant(np.eye(shape[0], shape[1]) * self.gain, dtype=_dtype(dtype))

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain}


glorot_uniform = GlorotUniform
glorot_normal = GlorotNormal
he_uniform = HeUniform
he_normal = HeNormal
lecun_uniform = LecunUniform
lecun_normal = LecunNormal

_registry = Registry(
    "initializer",
    {
        "Zeros": Zeros,
        "zeros": Zeros,
        "Ones": Ones,
        "ones": Ones,
        "Constant": Constant,
        "constant": Constant,
        "RandomUniform": RandomUniform,
        "random_uniform": RandomUniform,
        "uniform": RandomUniform,
        "RandomNormal": RandomNormal,
        "random_normal": RandomNormal,
        "normal": RandomNormal,
        "TruncatedNormal": TruncatedNormal,
        "truncated_normal": TruncatedNormal,
        "VarianceScaling": VarianceScaling,
        "variance_scaling": VarianceScaling,
        "Orthogonal": Orthogonal,
        "orthogonal": Orthogonal,
        "Identity": Identity,
        "identity": Identity,
        "GlorotUniform": GlorotUniform,
        "glorot_uniform": GlorotUniform,
        "GlorotNormal": GlorotNormal,
        "glorot_normal": GlorotNormal,
        "HeUniform": HeUniform,
        "he_uniform": HeUniform,
        "HeNormal": HeNormal,
        "he_normal": HeNormal,
        "LecunUniform": LecunUniform,
        "lecun_uniform": LecunUniform,
        "LecunNormal": LecunNormal,
        "lecun_normal": LecunNormal,
    },
)

get = _registry.get
serialize = _registry.serialize
deserialize = _registry.deserialize


def _text(shape: Sequence[int]) -> str:
    return "[" + ", ".join(map(str, shape)) + "]"


def _dtype(dtype: Any) -> _core.DType:
    return _core.float32 if dtype is None else _core.as_dtype(dtype)


def _filled(value: Any, shape: Sequence[int], dtype: Any) -> Tensor:
    return _core.constant(value, dtype=_dtype(dtype), shape=tuple(shape))


def _drawn_dtype(initializer: Initializer, dtype: Any) -> tuple[_core.DType, _core.DType]:
    """The wanted type, and the one to draw in: half types are drawn in float32 and rounded."""
    wanted = _dtype(dtype)
    if not wanted.is_floating:
        raise ValueError(f"{type(initializer).__name__}: expected a floating point dtype, got {wanted.name}.")
    return wanted, wanted if wanted in (_core.float32, _core.float64) else _core.float32


def _cast(values: Tensor, dtype: _core.DType) -> Tensor:
    return values if values.dtype == dtype else _ops.cast(values, dtype=dtype)


def _fans(shape: Sequence[int]) -> tuple[float, float]:
    """Inputs and outputs of one unit for a kernel `[..., in, out]`."""
    if len(shape) == 0:
        return 1.0, 1.0
    if len(shape) == 1:
        return float(shape[0]), float(shape[0])
    field = math.prod(shape[:-2])
    return float(field * shape[-2]), float(field * shape[-1])

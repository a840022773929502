"""Optimizers: the update rules, argument names and slot names of TensorFlow 1.10.

A step is one C++ update operation per variable, which writes the variable and its slots in place. Slots (moving
averages and the like) are variables themselves, made at the first step and named after the variable they belong to:
`net/dense/kernel/Adam`, `net/dense/kernel/Adam_1`.

`get`, `serialize` and `deserialize` turn names and configurations into optimizers and back:

    >>> import layernet as ln
    >>> ln.optimizers.get("adagrad")
    Adagrad(learning_rate=0.01, initial_accumulator_value=0.1)
"""

from __future__ import annotations

import inspect
import math
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from layernet import _core
from layernet import schedules as schedules
from layernet.clipping import clip_by_global_norm, clip_by_norm
from layernet.config import Configurable, Registry
from layernet.errors import DTypeError
from layernet.indexed_slices import IndexedSlices
from layernet.initializers import Constant
from layernet.schedules import LearningRateSchedule
from layernet.tape import GradientTape
from layernet.tensor import Tensor
from layernet.tensor import core_ops as _ops
from layernet.variable import Variable

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Lion",
    "Nadam",
    "Optimizer",
    "RMSProp",
    "deserialize",
    "get",
    "schedules",
    "serialize",
]

_VALUES = (_core.Tensor, _core.Symbol, _core.Variable)

# Keras' spelling of an argument, and TensorFlow 1.10's, which is the one used here.
_KERAS_SPELLING = {
    "lr": "learning_rate",
    "beta_1": "beta1",
    "beta_2": "beta2",
    "rho": "decay",
    "use_nesterov": "nesterov",
}

# Arguments of every optimizer, by keyword.
_OPTIONS = ("clipnorm", "clipvalue", "global_clipnorm", "gradient_accumulation_steps")

# The slots alive for each variable, by name: a second optimizer of the same kind gets `Adam_2`, not `Adam`.
_slot_names: weakref.WeakKeyDictionary[Variable, weakref.WeakValueDictionary[str, Variable]]
_slot_names = weakref.WeakKeyDictionary()


class _State:
    """What an optimizer keeps for one variable."""

    __slots__ = ("dtype", "slots", "total", "variable")

    def __init__(self, variable: Variable, slots: tuple[Variable, ...], total: Variable | None = None) -> None:
        self.variable = variable
        self.slots = slots
        self.total = total  # of gradients not yet applied
        self.dtype: str = variable.dtype.name


class Optimizer(Configurable):
    """What all optimizers share: applying gradients, the learning rate, the slots.

    A subclass names its slots, computes in `_inputs` what the variables of one data type have in common in a step, and
    calls its update operation in `_update`.

    Args:
        learning_rate: A number, a scalar variable or tensor, a schedule (see `schedules`), or a function without
            arguments that returns one of these and is called at each step.
        name: Names the slot variables.
        slots: What `get_slot` calls the slots, in the order in which they are made.
        clipnorm: Gradients are clipped to this norm, each by itself (`clip_by_norm`), default None.
        clipvalue: Elements of gradients are clipped to [-clipvalue, clipvalue], default None.
        global_clipnorm: Gradients are clipped to this norm of all together (`clip_by_global_norm`), default None.
        gradient_accumulation_steps: k, 2 or more: variables change at every k-th call of `apply_gradients`, by the mean
            gradient of the k calls, which is clipped then. Default None: at every call.

    All optimizers take the last four arguments, by keyword.

    Raises:
        TypeError: A learning rate that is none of these, an unknown argument.
        ValueError: A negative learning rate, a limit that is not above 0, more than one limit, k below 2.

    Example:
        >>> import layernet as ln
        >>> v = ln.Variable([1.0, 1.0])
        >>> opt = ln.optimizers.SGD(1.0, clipvalue=0.5, gradient_accumulation_steps=2)
        >>> for gradient in ([4.0, 0.25], [0.0, 0.25]):
        ...     opt.apply_gradients([(gradient, v)])
        >>> v.numpy()
        array([0.5 , 0.75], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any,
        name: str,
        slots: tuple[str, ...] = (),
        *,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        gradient_accumulation_steps: int | None = None,
        **unknown: object,
    ) -> None:
        _refuse(self, unknown)
        self.name = name
        self.clipnorm = _limit(self, "clipnorm", clipnorm)
        self.clipvalue = _limit(self, "clipvalue", clipvalue)
        self.global_clipnorm = _limit(self, "global_clipnorm", global_clipnorm)
        if sum(limit is not None for limit in (self.clipnorm, self.clipvalue, self.global_clipnorm)) > 1:
            raise ValueError(
                f"{type(self).__name__}: expected one of clipnorm, clipvalue and global_clipnorm, got several. "
                "Choose one."
            )
        if gradient_accumulation_steps is not None and gradient_accumulation_steps < 2:
            raise ValueError(
                f"{type(self).__name__}: expected gradient_accumulation_steps of 2 or more, or None, got "
                f"{gradient_accumulation_steps!r}."
            )
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self._iterations: Variable | None = None
        self._slots = slots
        self._states: dict[int, _State] = {}
        self._rates: dict[str, Tensor] = {}
        self._given_rate: Any = None
        self.learning_rate = learning_rate

    @property
    def learning_rate(self) -> Any:
        """The learning rate as it was given; may be set at any time."""
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if isinstance(value, (int, float, np.number)) and not isinstance(value, bool):
            value = _number(self, "learning_rate", float(value))
        elif isinstance(value, Mapping):
            value = schedules.deserialize(value)
        elif not isinstance(value, _VALUES) and not callable(value):
            raise TypeError(
                f"{type(self).__name__}: expected learning_rate to be a number, a scalar variable, a schedule or a "
                f"function, got {value!r}."
            )
        self._learning_rate = value
        self._rates.clear()
        if self._iterations is None and (isinstance(value, LearningRateSchedule) or self.gradient_accumulation_steps):
            self._iterations = Variable(0, trainable=False, name="iterations", dtype="int64")

    @property
    def iterations(self) -> Variable | None:
        """How often `apply_gradients` was called, int64; None for optimizers that need not know it.

        Those with a schedule or with gradient accumulation do. The variable is among `variables()` then.
        """
        return self._iterations

    def current_rate(self) -> float:
        """The learning rate of the coming step, as a number.

        Example:
            >>> import layernet as ln
            >>> ln.optimizers.SGD(lambda: 0.5).current_rate()
            0.5
        """
        value = self._learning_rate
        if isinstance(value, LearningRateSchedule):
            value = value(self._updates())
        elif callable(value) and not isinstance(value, _VALUES):
            value = value()
        return float(value)

    @contextmanager
    def rate_from(self, symbol: Any) -> Iterator[None]:
        """A block in which a symbol, unless it is None, takes the place of the learning rate: for who traces a step."""
        self._given_rate = symbol
        try:
            yield
        finally:
            self._given_rate = None

    def apply_gradients(
        self, grads_and_vars: Iterable[tuple[Any, Variable]], global_step: Variable | None = None
    ) -> None:
        """One step: changes each variable by its gradient, then applies its constraint, if it has one.

        Args:
            grads_and_vars: Pairs of gradient and variable. A gradient is a tensor or array of the variable's shape, or
                None, which skips the variable. `IndexedSlices` change their rows alone, slots included, with SGD,
                RMSProp, Adagrad and Adadelta, as in TensorFlow 1.10; the averages of the others move in all rows, and
                so do all rows with clipping or accumulation.
            global_step: An integer variable that is raised by one, default None.

        Raises:
            ValueError: No pairs, or no gradient among them.
            TypeError: Something that is not a variable, or not of a floating point type.
            ShapeError: A gradient of another shape than its variable.

        Example:
            >>> import layernet as ln
            >>> v = ln.Variable([1.0, 2.0])
            >>> ln.optimizers.SGD(0.5).apply_gradients([([1.0, -1.0], v)])
            >>> v.numpy()
            array([0.5, 2.5], dtype=float32)
        """
        states = self._states
        work: list[tuple[_State, Any]] = []
        pairs = 0
        for gradient, variable in grads_and_vars:
            pairs += 1
            if gradient is None:
                continue
            state = states.get(id(variable))
            if state is None:
                state = self._make_state(variable)
            if isinstance(gradient, IndexedSlices):
                if not self._rows or self._whole:
                    gradient = gradient.to_dense()
            elif not isinstance(gradient, _VALUES):
                gradient = _core.constant(gradient, dtype=variable.dtype)
            work.append((state, gradient))
        if not work:
            what = "one gradient that is not None, got none" if pairs else "at least one pair, got none"
            raise ValueError(f"{type(self).__name__}: expected {what}. Check that the loss depends on the variables.")
        if self.gradient_accumulation_steps:
            self._accumulate(work, self.gradient_accumulation_steps)
        else:
            self._step(work)
        if self._iterations is not None:
            _ops.assign_add(self._iterations, _core.constant(1, dtype=_core.int64))
        if global_step is not None:
            global_step.assign_add(1)

    def compute_gradients(
        self, loss_fn: Callable[[], Any], var_list: Sequence[Variable] | None = None
    ) -> list[tuple[Any, Variable]]:
        """The gradients of `loss_fn()` with their variables, as `apply_gradients` takes them.

        Args:
            loss_fn: A function without arguments that returns the loss.
            var_list: The variables; None (default) means the trainable ones that the function reads.
        """
        return self._gradients(loss_fn, var_list)[1]

    def minimize(
        self,
        loss_fn: Callable[[], Any],
        var_list: Sequence[Variable] | None = None,
        global_step: Variable | None = None,
    ) -> Any:
        """One step that lowers `loss_fn()`.

        Args:
            loss_fn: A function without arguments that returns the loss.
            var_list: The variables to change; None (default) means the trainable ones that the function reads.
            global_step: An integer variable that is raised by one, default None.

        Returns:
            The loss before the step.

        Raises:
            TypeError: `loss_fn` is not a function.
            ValueError: The loss depends on no variable.

        Example:
            >>> import layernet as ln
            >>> v = ln.Variable(3.0)
            >>> float(ln.optimizers.SGD(0.25).minimize(lambda: v * v))
            9.0
            >>> float(v)
            1.5
        """
        loss, pairs = self._gradients(loss_fn, var_list)
        self.apply_gradients(pairs, global_step)
        return loss

    def create_slots(self, var_list: Iterable[Variable]) -> None:
        """Makes the slots of the given variables now instead of at the first step, for instance to restore them."""
        for variable in var_list:
            if id(variable) not in self._states:
                self._make_state(variable)

    def variables(self) -> list[Variable]:
        """The optimizer's own variables, sorted by name; slots exist from the first step (or `create_slots`) on.

        Example:
            >>> import layernet as ln
            >>> v = ln.Variable([1.0], name="v")
            >>> opt = ln.optimizers.Adam()
            >>> opt.apply_gradients([([1.0], v)])
            >>> [s.name for s in opt.variables()]
            ['beta1_power:0', 'beta2_power:0', 'v/Adam:0', 'v/Adam_1:0']
        """
        own = [*self._other_variables(), *(() if self._iterations is None else (self._iterations,))]
        for state in self._states.values():
            own += state.slots if state.total is None else (*state.slots, state.total)
        return sorted(own, key=lambda variable: variable.name)

    def get_slot(self, variable: Variable, name: str) -> Variable | None:
        """The slot `name` of a variable; None before the slots exist.

        Raises:
            ValueError: The optimizer has no slot of that name.
        """
        if name not in self._slots:
            raise ValueError(
                f"{type(self).__name__}: expected the name of a slot, got {name!r}. Known: {self.get_slot_names()}."
            )
        state = self._states.get(id(variable))
        return None if state is None else state.slots[self._slots.index(name)]

    def get_slot_names(self) -> list[str]:
        """The names that `get_slot` knows, sorted."""
        return sorted(self._slots)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments.

        Raises:
            ValueError: The learning rate is a function.
        """
        rate = self._learning_rate
        if isinstance(rate, _VALUES):
            rate = float(rate)
        elif isinstance(rate, LearningRateSchedule):
            rate = schedules.serialize(rate)
        elif callable(rate):
            raise ValueError(f"{type(self).__name__}: expected a number as learning_rate to write down, got {rate!r}.")
        options = {name: getattr(self, name) for name in _OPTIONS}
        return {"learning_rate": rate, **{name: value for name, value in options.items() if value is not None}}

    def __getstate__(self) -> dict[str, Any]:
        # Keys are identities, which a copy does not share.
        states = [(state.variable, state.slots, state.total) for state in self._states.values()]
        return {**self.__dict__, "_states": states, "_rates": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._states = {id(variable): _State(variable, *rest) for variable, *rest in state["_states"]}

    # What a subclass says.

    def _initial(self, slot: str) -> float:
        """The value a slot starts with."""
        return 0.0

    def _inputs(self, dtype: str) -> Any:
        """What the updates of one step and data type share; the learning rate unless a subclass says otherwise."""
        return self._rate(dtype)

    def _update(self, variable: Variable, slots: tuple[Variable, ...], gradient: Any, common: Any) -> None:
        raise NotImplementedError(f"{type(self).__name__}: expected the optimizer to define _update. Define it.")

    def _finish(self) -> None:
        """What happens once per step, after the updates."""

    def _other_variables(self) -> list[Variable]:
        """Variables that belong to no variable in particular."""
        return []

    # Whether `_update` takes gradients by rows (`_by_rows`); others are given whole ones.
    _rows = False

    # What subclasses use.

    @staticmethod
    def _by_rows(gradient: Any) -> tuple[Any, tuple[Any, ...]]:
        """The gradient, or its rows, and what tells an update operation their numbers."""
        if isinstance(gradient, IndexedSlices):
            return gradient.values, (gradient.indices,)
        return gradient, ()

    def _rate(self, dtype: str) -> Any:
        """The learning rate as a scalar of the given type; numbers are converted once."""
        if self._given_rate is not None:
            return _ops.cast(self._given_rate, dtype=_core.as_dtype(dtype))
        rate = self._rates.get(dtype)
        if rate is not None:
            return rate
        value = self._learning_rate
        fixed = isinstance(value, float)
        if isinstance(value, LearningRateSchedule):
            value = value(self._updates())
        elif callable(value) and not isinstance(value, _VALUES):
            value = value()
        if isinstance(value, _VALUES):
            return value if value.dtype.name == dtype else _ops.cast(value, dtype=_core.as_dtype(dtype))
        rate = _core.constant(float(value), dtype=_core.as_dtype(dtype))
        if fixed:
            self._rates[dtype] = rate
        return rate

    # Not for subclasses.

    @property
    def _whole(self) -> bool:
        """Whether gradients are changed before they are applied, which needs them whole."""
        return any(getattr(self, name) is not None for name in _OPTIONS)

    def _updates(self) -> Any:
        """How often the variables have changed."""
        count, every = self._iterations, self.gradient_accumulation_steps
        return _ops.floordiv(count, _core.constant(every, dtype=_core.int64)) if every else count

    def _step(self, work: list[tuple[_State, Any]]) -> None:
        """Changes the variables by their gradients, clipped."""
        inputs: dict[str, Any] = {}
        for (state, _), gradient in zip(work, self._clipped([gradient for _, gradient in work]), strict=True):
            variable = state.variable
            common = inputs.get(state.dtype)
            if common is None:
                common = inputs[state.dtype] = self._inputs(state.dtype)
            self._update(variable, state.slots, gradient, common)
            if variable.constraint is not None:
                variable.assign(variable.constraint(variable))
        self._finish()

    def _clipped(self, gradients: list[Any]) -> list[Any]:
        if self.clipnorm is not None:
            return [clip_by_norm(gradient, self.clipnorm) for gradient in gradients]
        if self.clipvalue is not None:
            return [_ops.clip(gradient, min=-self.clipvalue, max=self.clipvalue) for gradient in gradients]
        if self.global_clipnorm is not None:
            return clip_by_global_norm(gradients, self.global_clipnorm)[0]
        return gradients

    def _accumulate(self, work: list[tuple[_State, Any]], every: int) -> None:
        """Adds to the totals, makes the step of the mean, and takes all changes back unless this call is the last of
        `every`. So a traced step needs no branch, and what is taken back is as it was, bit for bit.
        """
        zero, one, period = (_core.constant(n, dtype=_core.int64) for n in (0, 1, every))
        due = _ops.equal(_ops.mod(_ops.add(self._iterations, one), period), zero)
        totals = [_ops.add(state.total, gradient) for state, gradient in work]
        kept = [variable for state, _ in work for variable in (state.variable, *state.slots)]
        kept += self._other_variables()
        before = [_ops.identity(variable) for variable in kept]
        self._step([(state, _ops.affine(t, scale=1.0 / every)) for (state, _), t in zip(work, totals, strict=True)])
        for variable, value in zip(kept, before, strict=True):
            _ops.assign(variable, _ops.where(due, variable, value))
        for (state, _), total in zip(work, totals, strict=True):
            _ops.assign(state.total, _ops.where(due, _ops.zeros_like(total), total))

    def _make_state(self, variable: Variable) -> _State:
        if not isinstance(variable, Variable):
            raise TypeError(
                f"{type(self).__name__}: expected pairs (gradient, variable), got {type(variable).__name__} "
                "in the place of a variable."
            )
        if not variable.dtype.is_floating:
            raise DTypeError(
                f"{type(self).__name__}: expected variables of a floating point type, "
                f"got {variable.name!r} of {variable.dtype.name}."
            )
        slots = tuple(self._make_slot(variable, self.name, self._initial(slot)) for slot in self._slots)
        total = self._make_slot(variable, "gradient_accumulator", 0.0) if self.gradient_accumulation_steps else None
        state = self._states[id(variable)] = _State(variable, slots, total)
        return state

    def _make_slot(self, variable: Variable, own_name: str, initial: float) -> Variable:
        taken = _slot_names.setdefault(variable, weakref.WeakValueDictionary())
        base = name = f"{variable.name.removesuffix(':0')}/{own_name}"
        number = 0
        while name in taken:
            number += 1
            name = f"{base}_{number}"
        slot = Variable(Constant(initial)(variable.shape, variable.dtype), trainable=False, name=name)
        taken[name] = slot
        return slot

    def _gradients(
        self, loss_fn: Callable[[], Any], var_list: Sequence[Variable] | None
    ) -> tuple[Any, list[tuple[Any, Variable]]]:
        if not callable(loss_fn):
            raise TypeError(
                f"{type(self).__name__}: expected a function that returns the loss, got {type(loss_fn).__name__}. "
                "Write minimize(lambda: loss(...))."
            )
        with GradientTape() as tape:
            loss = loss_fn()
        variables = list(tape.watched_variables()) if var_list is None else list(var_list)
        return loss, list(zip(tape.gradient(loss, variables), variables, strict=True))


class SGD(Optimizer):
    """Gradient descent, with momentum if wanted.

    Without momentum `v -= lr * g`. With momentum `a = m * a + g`, then `v -= lr * a`, or, as Nesterov proposed,
    `v -= lr * (g + m * a)`.

    Args:
        learning_rate: A number, a scalar variable, a schedule or a function, default 0.01.
        momentum: m, 0 or more, default 0. The slot is "momentum".
        nesterov: Default False.
        name: Names the slots; default "Momentum" as in TensorFlow's MomentumOptimizer.
        options: clipnorm, clipvalue, global_clipnorm, gradient_accumulation_steps: see `Optimizer`.

    Raises:
        TypeError: An unknown argument; Keras' spellings are answered with the right one.
        ValueError: A number out of its range.

    Reference:
        Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013, section 2, for
        Nesterov's form; the accumulator here holds sums of gradients, not of steps.

    Example:
        >>> import layernet as ln
        >>> v = ln.Variable([1.0])
        >>> opt = ln.optimizers.SGD(0.5, momentum=0.5)
        >>> for _ in range(2):
        ...     opt.apply_gradients([([1.0], v)])
        >>> v.numpy()
        array([-0.25], dtype=float32)
    """

    _rows = True

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        name: str = "Momentum",
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, name, ("momentum",) if momentum else (), **options)
        self.momentum = _number(self, "momentum", momentum)
        self.nesterov = bool(nesterov)

    def _update(self, variable: Variable, slots: tuple[Variable, ...], gradient: Any, common: Any) -> None:
        gradient, rows = self._by_rows(gradient)
        if slots:
            _ops.momentum(variable, *slots, gradient, common, *rows, momentum=self.momentum, nesterov=self.nesterov)
        else:
            _ops.sgd(variable, gradient, common, *rows)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "momentum": self.momentum, "nesterov": self.nesterov}


class _BiasCorrected(Optimizer):
    """Keeps beta^t for the moving averages, which start at 0, as variables: TensorFlow's `beta1_power`, ..."""

    _betas: tuple[str, ...] = ("beta1", "beta2")
    _powers: tuple[Variable, ...] | None = None

    def _rests(self, dtype: str) -> list[Any]:
        """1 - beta^t for the coming step t, as scalars: float64 for that type, else float32."""
        powers: Sequence[Tensor | Variable] = self._beta_powers()
        if dtype == "float64":
            powers = [_ops.cast(power, dtype=_core.float64) for power in powers]
        return [_ops.affine(power, scale=-1.0, shift=1.0) for power in powers]

    def _finish(self) -> None:
        for beta, power in zip(self._betas, self._beta_powers(), strict=True):
            _ops.assign(power, _ops.affine(power, scale=getattr(self, beta)))

    def _beta_powers(self) -> tuple[Variable, ...]:
        if self._powers is None:
            self._powers = tuple(
                Variable(getattr(self, beta), trainable=False, name=f"{beta}_power") for beta in self._betas
            )
        return self._powers

    def _make_state(self, variable: Variable) -> _State:
        self._beta_powers()
        return super()._make_state(variable)

    def _other_variables(self) -> list[Variable]:
        return list(self._powers or ())


class Adam(_BiasCorrected):
    """Adam: steps scaled by moving averages of the gradient and of its square.

    `m = beta1 * m + (1 - beta1) * g`, `s = beta2 * s + (1 - beta2) * g^2`,
    `lr_t = lr * sqrt(1 - beta2^t) / (1 - beta1^t)`, `v -= lr_t * m / (sqrt(s) + epsilon)`: the epsilon is the one that
    the paper calls "epsilon hat". Slots are "m" and "v"; the powers of the betas are variables too.

    Args:
        learning_rate: A number, a scalar variable, a schedule or a function, default 0.001.
        beta1: In [0, 1), default 0.9.
        beta2: In [0, 1), default 0.999.
        epsilon: 0 or more, default 1e-8.
        use_locking: Accepted because TensorFlow 1.x has it; a step is always applied as a whole.
        name: Names the slots, default "Adam".
        options: clipnorm, clipvalue, global_clipnorm, gradient_accumulation_steps: see `Optimizer`.

    Raises:
        TypeError: An unknown argument; Keras' spellings are answered with the right one.
        ValueError: A number out of its range.

    Reference:
        Kingma and Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1 and the end of section 2.

    Example:
        >>> import layernet as ln
        >>> v = ln.Variable([1.0, -1.0])
        >>> ln.optimizers.Adam(0.125).apply_gradients([([4.0, -0.5], v)])
        >>> v.numpy().round(4)
        array([ 0.875, -0.875], dtype=float32)
    """

    weight_decay = 0.0
    _nesterov = False

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        use_locking: bool = False,
        name: str = "Adam",
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, name, ("m", "v"), **options)
        self.beta1 = _number(self, "beta1", beta1, 1.0)
        self.beta2 = _number(self, "beta2", beta2, 1.0)
        self.epsilon = _number(self, "epsilon", epsilon)

    def _inputs(self, dtype: str) -> Any:
        rate = self._rate(dtype)
        rest1, rest2 = self._rests(dtype)
        correction = _ops.divide(_ops.sqrt(rest2), rest1)
        if dtype in ("float16", "bfloat16"):
            correction = _ops.cast(correction, dtype=_core.as_dtype(dtype))
        return _ops.multiply(rate, correction), rate

    def _update(self, variable: Variable, slots: tuple[Variable, ...], gradient: Any, common: Any) -> None:
        _ops.adam(
            variable,
            slots[0],
            slots[1],
            gradient,
            common[0],
            common[1],
            beta1=self.beta1,
            beta2=self.beta2,
            epsilon=self.epsilon,
            weight_decay=self.weight_decay,
            nesterov=self._nesterov,
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "beta1": self.beta1, "beta2": self.beta2, "epsilon": self.epsilon}


class AdamW(Adam):
    """Adam whose weights also shrink by themselves: as `Adam`, then `v -= lr * weight_decay * v` (v before the step).

    Args:
        learning_rate: A number, a scalar variable, a schedule or a function, default 0.001.
        weight_decay: 0 or more, default 0.004.
        beta1: In [0, 1), default 0.9.
        beta2: In [0, 1), default 0.999.
        epsilon: 0 or more, default 1e-8.
        use_locking: Accepted because TensorFlow 1.x has it; a step is always applied as a whole.
        name: Names the slots, default "AdamW".
        options: clipnorm, clipvalue, global_clipnorm, gradient_accumulation_steps: see `Optimizer`.

    Raises:
        TypeError: An unknown argument; Keras' spellings are answered with the right one.
        ValueError: A number out of its range.

    Reference:
        Loshchilov and Hutter, "Decoupled weight decay regularization", 2019, algorithm 2.

    Example:
        >>> import layernet as ln
        >>> v = ln.Variable([2.0])
        >>> ln.optimizers.AdamW(0.5, weight_decay=0.5).apply_gradients([([0.0], v)])
        >>> v.numpy()
        array([1.5], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        use_locking: bool = False,
        name: str = "AdamW",
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, beta1, beta2, epsilon, use_locking, name, **options)
        self.weight_decay = _number(self, "weight_decay", weight_decay)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "weight_decay": self.weight_decay}


class Nadam(Adam):
    """Adam with Nesterov's momentum: `beta1 * m + (1 - beta1) * g` takes the place of m in the step of `Adam`.

    This is TensorFlow's `NadamOptimizer`, without the paper's schedule of beta1, and its slots are called "Adam" too.

    Args: as for `Adam`.

    Raises:
        TypeError: An unknown argument; Keras' spellings are answered with the right one.
        ValueError: A number out of its range.

    Reference:
        Dozat, "Incorporating Nesterov momentum into Adam", 2016, algorithm 2.

    Example:
        >>> import layernet as ln
        >>> v = ln.Variable([1.0])
        >>> ln.optimizers.Nadam(0.125).apply_gradients([([4.0], v)])
        >>> v.numpy().round(4)
        array([0.7625], dtype=float32)
    """

    _nesterov = True


class Adamax(_BiasCorrected):
    """Adam with the largest gradient, forgotten slowly, in the place of the mean square.

    `m = beta1 * m + (1 - beta1) * g`, `s = max(beta2 * s, |g|)`, `v -= lr / (1 - beta1^t) * m / (s + epsilon)`. Slots
    are "m" and "v"; the power of beta1 is a variable too.

    Args:
        learning_rate: A number, a scalar variable, a schedule or a function, default 0.001.
        beta1: In [0, 1), default 0.9.
        beta2: In [0, 1), default 0.999.
        epsilon: 0 or more, default 1e-8.
        use_locking: Accepted because TensorFlow 1.x has it; a step is always applied as a whole.
        name: Names the slots, default "AdaMax" as in TensorFlow's AdaMaxOptimizer.
        options: clipnorm, clipvalue, global_clipnorm, gradient_accumulation_steps: see `Optimizer`.

    Raises:
        TypeError: An unknown argument; Keras' spellings are answered with the right one.
        ValueError: A number out of its range.

    Reference:
        Kingma and Ba, "Adam: a method for stochastic optimization", 2015, algorithm 2.

    Example:
        >>> import layernet as ln
        >>> v = ln.Variable([1.0, -1.0])
        >>> ln.optimizers.Adamax(0.125).apply_gradients([([4.0, -0.5], v)])
        >>> v.numpy().round(4)
        array([ 0.875, -0.875], dtype=float32)
    """

    _betas = ("beta1",)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        use_locking: bool = False,
        name: str = "AdaMax",
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, name, ("m", "v"), **options)
        self.beta1 = _number(self, "beta1", beta1, 1.0)
        self.beta2 = _number(self, "beta2", beta2, 1.0)
        self.epsilon = _number(self, "epsilon", epsilon)

    def _inputs(self, dtype: str) -> Any:
        [rest] = self._rests(dtype)
        if dtype in ("float16", "bfloat16"):
            rest = _ops.cast(rest, dtype=_core.as_dtype(dtype))
        return _ops.divide(self._rate(dtype), rest)

    def _update(self, variable: Variable, slots: tuple[Variable, ...], gradient: Any, common: Any) -> None:
        m, s = slots
        _ops.adamax(variable, m, s, gradient, common, beta1=self.beta1, beta2=self.beta2, epsilon=self.epsilon)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "beta1": self.beta1, "beta2": self.beta2, "epsilon": self.epsilon}


class Lion(Optimizer):
    """Steps of one size in each direction: `v -= lr * (sign(beta1 * m + (1 - beta1) * g) + weight_decay * v)`, then
    `m = beta2 * m + (1 - beta2) * g`. The slot is "m".

    As every element moves by lr, rates are a third to a tenth of what Adam takes.

    Args:
        learning_rate: A number, a scalar variable, a schedule or a function, default 0.001.
        beta1: In [0, 1), default 0.9.
        beta2: In [0, 1), default 0.99.
        weight_decay: 0 or more, default 0.
        name: Names the slots, default "Lion".
        options: clipnorm, clipvalue, global_clipnorm, gradient_accumulation_steps: see `Optimizer`.

    Raises:
        TypeError: An unknown argument; Keras' spellings are answered with the right one.
        ValueError: A number out of its range.

    Reference:
        Chen et al., "Symbolic discovery of optimization algorithms", 2023, program 1.

    Example:
        >>> import layernet as ln
        >>> v = ln.Variable([1.0, -1.0])
        >>> ln.optimizers.Lion(0.125).apply_gradients([([4.0, -0.5], v)])
        >>> v.numpy()
        array([ 0.875, -0.875], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.99,
        weight_decay: float = 0.0,
        name: str = "Lion",
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, name, ("m",), **options)
        self.beta1 = _number(self, "beta1", beta1, 1.0)
        self.beta2 = _number(self, "beta2", beta2, 1.0)
        self.weight_decay = _number(self, "weight_decay", weight_decay)

    def _update(self, variable: Variable, slots: tuple[Variable, ...], gradient: Any, common: Any) -> None:
        options = {"beta1": self.beta1, "beta2": self.beta2, "weight_decay": self.weight_decay}
        _ops.lion(variable, slots[0], gradient, common, **options)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        return {**config, "beta1": self.beta1, "beta2": self.beta2, "weight_decay": self.weight_decay}


class RMSProp(Optimizer):
    """Steps scaled by a moving average of the squared gradient.

    `s = decay * s + (1 - decay) * g^2` with s starting at 1, `mom = momentum * mom + lr * g / sqrt(s + epsilon)`,
    `v -= mom`. Centered: also `q = decay * q + (1 - decay) * g`, and the root is of `s - q^2 + epsilon`. Slots are
    "rms" and "momentum", with "mg" between them when centered.

    Args:
        learning_rate: A number, a scalar variable, a schedule or a function, default 0.001.
        decay: In [0, 1], default 0.9.
        momentum: 0 or more, default 0.
        epsilon: 0 or more, default 1e-10.
        use_locking: Accepted because TensorFlow 1.x has it; a step is always applied as a whole.
        centered: Default False.
        name: Names the slots, default "RMSProp".
        options: clipnorm, clipvalue, global_clipnorm, gradient_accumulation_steps: see `Optimizer`.

    Raises:
        TypeError: An unknown argument; Keras' spellings are answered with the right one.
        ValueError: A number out of its range.

    Reference:
        Tieleman and Hinton, "Neural networks for machine learning", lecture 6.5, 2012; centered: Graves, "Generating
        sequences with recurrent neural networks", 2013, eq. 38-45.

    Example:
        >>> import layernet as ln
        >>> v = ln.Variable([1.0])
        >>> ln.optimizers.RMSProp(0.5, decay=0.5).apply_gradients([([1.0], v)])
        >>> v.numpy().round(4)
        array([0.5], dtype=float32)
    """

    _rows = True

    def __init__(
        self,
        learning_rate: Any = 0.001,
        decay: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-10,
        use_locking: bool = False,
        centered: bool = False,
        name: str = "RMSProp",
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, name, ("rms", "mg", "momentum") if centered else ("rms", "momentum"), **options)
        self.decay = _number(self, "decay", decay, 1.0, closed=True)
        self.momentum = _number(self, "momentum", momentum)
        self.epsilon = _number(self, "epsilon", epsilon)
        self.centered = bool(centered)

    def _initial(self, slot: str) -> float:
        return 1.0 if slot == "rms" else 0.0

    def _update(self, variable: Variable, slots: tuple[Variable, ...], gradient: Any, common: Any) -> None:
        gradient, rows = self._by_rows(gradient)
        if self.centered:
            rms, mean, momentum = slots
            _ops.rmsprop_centered(
                variable,
                rms,
                momentum,
                mean,
                gradient,
                common,
                *rows,
                decay=self.decay,
                momentum=self.momentum,
                epsilon=self.epsilon,
            )
        else:
            rms, momentum = slots
            _ops.rmsprop(
                variable,
                rms,
                momentum,
                gradient,
                common,
                *rows,
                decay=self.decay,
                momentum=self.momentum,
                epsilon=self.epsilon,
            )

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "decay": self.decay,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "centered": self.centered,
        }


class Adagrad(Optimizer):
    """Steps scaled by the sum of all squared gradients: `acc += g^2`, `v -= lr * g / sqrt(acc)`.

    Args:
        learning_rate: A number, a scalar variable, a schedule or a function, default 0.01.
        initial_accumulator_value: Where acc starts, above 0, default 0.1. The slot is "accumulator".
        use_locking: Accepted because TensorFlow 1.x has it; a step is always applied as a whole.
        name: Names the slots, default "Adagrad".
        options: clipnorm, clipvalue, global_clipnorm, gradient_accumulation_steps: see `Optimizer`.

    Raises:
        TypeError: An unknown argument; Keras' spellings are answered with the right one.
        ValueError: A number out of its range.

    Reference:
        Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic optimization", 2011,
        figure 1, the diagonal form.

    Example:
        >>> import layernet as ln
        >>> v = ln.Variable([1.0])
        >>> ln.optimizers.Adagrad(0.5, initial_accumulator_value=3.0).apply_gradients([([1.0], v)])
        >>> v.numpy()
        array([0.75], dtype=float32)
    """

    _rows = True

    def __init__(
        self,
        learning_rate: Any = 0.01,
        initial_accumulator_value: float = 0.1,
        use_locking: bool = False,
        name: str = "Adagrad",
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, name, ("accumulator",), **options)
        if not initial_accumulator_value > 0:
            raise ValueError(f"Adagrad: expected initial_accumulator_value above 0, got {initial_accumulator_value!r}.")
        self.initial_accumulator_value = float(initial_accumulator_value)

    def _initial(self, slot: str) -> float:
        return self.initial_accumulator_value

    def _update(self, variable: Variable, slots: tuple[Variable, ...], gradient: Any, common: Any) -> None:
        gradient, rows = self._by_rows(gradient)
        _ops.adagrad(variable, *slots, gradient, common, *rows)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "initial_accumulator_value": self.initial_accumulator_value}


class Adadelta(Optimizer):
    """Steps as long as recent steps were, measured against recent gradients.

    `a = rho * a + (1 - rho) * g^2`, `d = g * sqrt(u + epsilon) / sqrt(a + epsilon)`,
    `u = rho * u + (1 - rho) * d^2`, `v -= lr * d`. Slots are "accum" (a) and "accum_update" (u).

    Args:
        learning_rate: A number, a scalar variable, a schedule or a function, default 0.001; the paper has 1.
        rho: In [0, 1], default 0.95.
        epsilon: 0 or more, default 1e-8.
        use_locking: Accepted because TensorFlow 1.x has it; a step is always applied as a whole.
        name: Names the slots, default "Adadelta".
        options: clipnorm, clipvalue, global_clipnorm, gradient_accumulation_steps: see `Optimizer`.

    Raises:
        TypeError: An unknown argument; Keras' spellings are answered with the right one.
        ValueError: A number out of its range.

    Reference:
        Zeiler, "Adadelta: an adaptive learning rate method", 2012, algorithm 1.

    Example:
        >>> import layernet as ln
        >>> v = ln.Variable([1.0])
        >>> ln.optimizers.Adadelta(1.0, rho=0.5, epsilon=1.0).apply_gradients([([1.0], v)])
        >>> v.numpy().round(4)
        array([0.1835], dtype=float32)
    """

    _rows = True

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-8,
        use_locking: bool = False,
        name: str = "Adadelta",
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, name, ("accum", "accum_update"), **options)
        self.rho = _number(self, "rho", rho, 1.0, closed=True)
        self.epsilon = _number(self, "epsilon", epsilon)

    def _update(self, variable: Variable, slots: tuple[Variable, ...], gradient: Any, common: Any) -> None:
        gradient, rows = self._by_rows(gradient)
        _ops.adadelta(variable, *slots, gradient, common, *rows, rho=self.rho, epsilon=self.epsilon)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rho": self.rho, "epsilon": self.epsilon}


_registry = Registry(
    "optimizer",
    {
        "SGD": SGD,
        "sgd": SGD,
        "Adam": Adam,
        "adam": Adam,
        "AdamW": AdamW,
        "adamw": AdamW,
        "RMSProp": RMSProp,
        "rmsprop": RMSProp,
        "RMSprop": RMSProp,
        "Adagrad": Adagrad,
        "adagrad": Adagrad,
        "Adadelta": Adadelta,
        "adadelta": Adadelta,
        "Adamax": Adamax,
        "adamax": Adamax,
        "Nadam": Nadam,
        "nadam": Nadam,
        "Lion": Lion,
        "lion": Lion,
    },
)

serialize = _registry.serialize
deserialize = _registry.deserialize


def get(identifier: Any) -> Any:
    """The optimizer meant by a name, a configuration or a class; an optimizer and None stay as they are.

    Raises:
        ValueError: An unknown name, or something that is none of these.

    Example:
        >>> import layernet as ln
        >>> ln.optimizers.get("sgd")
        SGD(learning_rate=0.01, momentum=0.0, nesterov=False)
    """
    return identifier if isinstance(identifier, Optimizer) else _registry.get(identifier)


def _refuse(optimizer: Optimizer, unknown: Mapping[str, object]) -> None:
    """TypeError for arguments that do not exist, with TensorFlow 1.10's name for those of Keras."""
    own = inspect.signature(type(optimizer)).parameters.values()
    known = [*(p.name for p in own if p.kind is not p.VAR_KEYWORD), *_OPTIONS]
    for name in unknown:
        spelling = _KERAS_SPELLING.get(name)
        advice = f"Write {spelling!r}." if spelling in known else f"Known: {', '.join(known)}."
        raise TypeError(f"{type(optimizer).__name__}: expected TensorFlow 1.10's arguments, got {name!r}. {advice}")


def _limit(optimizer: Optimizer, name: str, value: float | None) -> float | None:
    if value is not None and not 0.0 < value < math.inf:
        raise ValueError(f"{type(optimizer).__name__}: expected {name} above 0 and finite, or None, got {value!r}.")
    return None if value is None else float(value)


def _number(optimizer: Optimizer, name: str, value: float, high: float = math.inf, closed: bool = False) -> float:
    """`value` as a float, checked to lie in [0, high), or in [0, high] when closed."""
    number = float(value)
    if not (0.0 <= number < high or (closed and number == high)):
        interval = "a finite number of 0 or more" if high == math.inf else f"in [0, {high:g}" + ("]" if closed else ")")
        raise ValueError(f"{type(optimizer).__name__}: expected {name} to be {interval}, got {value!r}.")
    return number

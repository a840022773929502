"""Layer: naming, building, tracking of variables and losses, and the record of symbolic calls.

`Layer.__call__` is the one entry for eager and symbolic calls. Once a layer is built, an eager call takes a short path
in it: no inspection, no context managers, and the input is checked only when its shape differs from the last one.
"""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from numpy import ndarray

from layernet import constraints, initializers, naming, nest, regularizers, symbolic
from layernet.errors import DTypeError, FailedPreconditionError, InvalidArgumentError, ShapeError
from layernet.layers.input_spec import InputSpec
from layernet.layers.nodes import NodeRecord
from layernet.naming import thread
from layernet.partitioning import partitioned
from layernet.tensor import INTEGER, DTypeLike, Symbol, Tensor, as_dtype, constant, convert_to_tensor
from layernet.variable import Variable, VariableAggregation, VariableSynchronization, layer_variable

if TYPE_CHECKING:
    import numpy.typing as npt

    from layernet.network import Network

__all__ = ["Layer", "Shape"]

Shape = tuple[int | None, ...]
_L = TypeVar("_L", bound="Layer")
_KEYWORDS = ("input_shape", "batch_input_shape", "batch_size", "weights", "activity_regularizer")


class _UninitializedError(FailedPreconditionError, AttributeError):
    """An attribute of a layer whose constructor has not run: an AttributeError too, for the sake of `hasattr`."""


class BeforeInit:
    """Stands in a class for an attribute that the constructor sets, and says so when it has not.

    An instance's own attribute goes before this one. `__getattr__` would do for all names, and slow down each access.
    """

    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            return self
        raise _UninitializedError(
            f"{owner.__name__}: its constructor did not call super().__init__(). Call it first in __init__."
        )


class Layer(NodeRecord):
    """A function with variables: subclasses define `build` (make the variables) and `call` (apply ops).

    A layer is built at its first call, when the shape of its input is known. Called on arrays or tensors it computes;
    called on `ln.Input` it records a node and returns symbols.

    Args:
        trainable: Whether its variables count as trainable, default True.
        name: Prefix of its variables' names; None (default) makes one from the class name.
        dtype: Element type of its variables; None (default) takes that of the first input.
        input_shape: Shape of one row. Only remembered, for the configuration.
        batch_input_shape: The same with the batch axis.
        batch_size: Batch axis to go with `input_shape`.
        weights: Initial values, set when the layer is built.
        activity_regularizer: Function of an output that gives a loss.

    Raises:
        TypeError: An unknown keyword, or a name that is not a string.

    Example:
        >>> import layernet as ln
        >>> class Scale(ln.Layer):
        ...     def build(self, input_shape):
        ...         self.factor = self.add_weight("factor", input_shape[-1:], initializer="ones")
        ...     def call(self, inputs):
        ...         return inputs * self.factor
        >>> layer = Scale(name="scale")
        >>> layer(ln.constant([[1.0, 2.0]])).numpy()
        array([[1., 2.]], dtype=float32)
        >>> [v.name for v in layer.variables]
        ['scale/factor:0']
    """

    _initialized = False
    _ready = False  # whether __call__ may take its short path

    def __init__(
        self, trainable: bool = True, name: str | None = None, dtype: DTypeLike | None = None, **kwargs: Any
    ) -> None:
        unknown = [keyword for keyword in kwargs if keyword not in _KEYWORDS]
        if unknown:
            raise TypeError(
                f"{type(self).__name__}: got an unexpected keyword argument {unknown[0]!r}. "
                f"Every layer takes name, trainable, dtype, {', '.join(_KEYWORDS)}."
            )
        if name is not None and not isinstance(name, str):
            raise TypeError(f"{type(self).__name__}: expected a string as name, got {name!r}.")
        super().__init__()
        self._initialized = True
        self.trainable = trainable
        self.built = False
        self.stateful = False
        self.supports_masking = False
        self._dtype = None if dtype is None else as_dtype(dtype).name
        self._name: str | None = None
        self._base_name = ""
        self._is_anonymous = not name
        self._init_name(name)
        self._scope: naming.VariableScope | None = None
        self._first_parent: weakref.ref[Network] | Literal[False] | None = None
        self._input_spec: InputSpec | Sequence[InputSpec | None] | None = None
        self._call_signature: Any = None  # shapes and dtypes of the first inputs, for those who trace the layer
        self._checked_shape: Any = None
        self._trainable_weights: list[Variable] = []
        self._non_trainable_weights: list[Variable] = []
        self._weight_names: set[str] = set()
        self._regularized: list[tuple[Variable, Callable[[Any], Any]]] = []
        self._initial_weights = kwargs.get("weights")
        self._activity_regularizer = regularizers.get(kwargs.get("activity_regularizer"))
        self._symbolic_losses: list[tuple[Any, bool]] = []  # (loss, whether it was given without inputs)
        self._updates: list[tuple[Any, Any]] = []  # (update, its inputs or None)
        self._eager_losses: list[Any] = []
        self._eager_call: object = None
        if kwargs.get("batch_input_shape") is not None:
            self._batch_input_shape: Shape | None = _as_shape(kwargs["batch_input_shape"])
        elif kwargs.get("input_shape") is not None:
            self._batch_input_shape = (kwargs.get("batch_size"), *_as_shape(kwargs["input_shape"]))
        else:
            self._batch_input_shape = None

    # --- names -------------------------------------------------------------------------------------------------------

    def _init_name(self, name: str | None) -> None:
        self._base_name = name or naming.snake_case(type(self).__name__)
        self._name = name or naming.unique_layer_name(self._base_name)

    @property
    def name(self) -> str:
        """The layer's own name, without prefix."""
        return cast(str, self._name)

    @property
    def scope(self) -> naming.VariableScope | None:
        """The scope of the layer's variables; None before the first use."""
        return self._scope

    @property
    def scope_name(self) -> str:
        """The prefix of the layer's variable names.

        Raises:
            ValueError: The layer has not been used yet.
        """
        if self._scope is None:
            raise ValueError(f"{self._who()}: has no scope before its first call. Call it first.")
        return self._scope.name

    def _fix_scope(self, exact: str | naming.VariableScope | None = None) -> None:
        """Give the layer its scope, the first time: within the current one, numbered unless given exactly."""
        if self._scope is None:
            with naming.lock:
                if self._scope is None:
                    self._scope = naming.open_scope(self._base_name, exact)

    def _owner(self) -> Network | None:
        """The network that first tracked the layer, if it still exists."""
        parent = self._first_parent
        return parent() if parent else None

    def _keeps_name(self) -> bool:
        """Whether a network that tracks the layer leaves it its name."""
        return not self._is_anonymous

    def _join(self, network: Network) -> None:
        """Become a member of `network`, named by it unless the layer has a name of its own."""
        if self._is_anonymous:
            self._base_name = naming.snake_case(type(self).__name__)
            self._name = naming.unique_layer_name(
                self._base_name, network._layer_counts, network._owned_layers, zero_based=True
            )
        self._first_parent = weakref.ref(network)

    def _who(self) -> str:
        """The layer as messages call it."""
        name = self._scope.name if self._scope is not None else self._name
        kind = naming.snake_case(type(self).__name__)
        return f"{kind} '{name}'" if name else kind

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._name!r}>" if self._name else f"<{type(self).__name__}>"

    # --- calling -----------------------------------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Make the variables. Called once, before the first `call`.

        Args:
            input_shape: Shape of the input, a tuple with None for unknown sizes; for a structure of inputs the same
                structure of shapes.
        """
        self.built = True

    def call(self, inputs: Any, /, *args: Any, **kwargs: Any) -> Any:
        """The layer's function. Subclasses apply ops here; the base class returns its inputs.

        Args:
            inputs: A tensor or a structure of tensors.
            *args: What the caller gave in addition.
            **kwargs: The same by name.
        """
        return inputs

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Apply the layer: name and build it the first time, then `call`.

        Args:
            inputs: A tensor, symbol, variable or array, or lists, tuples and dictionaries of them.
            *args: Passed on to `call`.
            **kwargs: Passed on to `call`, except `scope` (free layers only): the scope for the variables.

        Returns:
            What `call` returns.

        Raises:
            ShapeError: An input that does not meet `input_spec`.
            ValueError: `call` returned None.
        """
        if type(inputs) is ndarray:
            inputs = constant(inputs)
        if not self._ready or type(inputs) is not Tensor or "scope" in kwargs:
            return self._full_call(inputs, args, kwargs)
        if self._input_spec is not None and inputs.shape != self._checked_shape:
            self._check_inputs([inputs])
        scope = self._scope
        open_scopes = thread.open
        open_scopes[-1][1][scope.name] = True  # type: ignore[union-attr]  # a ready layer has a scope
        open_scopes.append((scope, {}))  # type: ignore[arg-type]
        try:
            outputs = self.call(inputs, *args, **kwargs)
        finally:
            open_scopes.pop()
        if outputs is None:
            self._refuse_none()
        return outputs

    apply = __call__

    def _full_call(self, inputs: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A call with everything that a first or a symbolic one needs."""
        if not self._initialized:
            raise FailedPreconditionError(
                f"{type(self).__name__}: its constructor did not call super().__init__(). Call it first in __init__."
            )
        exact = kwargs.pop("scope", None)
        inputs = self._converted(inputs)
        leaves = nest.flatten(inputs)
        if isinstance(self._input_spec, InputSpec) and nest.is_structure(inputs):
            raise InvalidArgumentError(
                f"{self._who()}: expected one tensor as input, got a {type(inputs).__name__}. "
                "Give the tensor itself, or an array for a list of numbers."
            )
        self._fix_scope(exact)
        if any(isinstance(leaf, Symbol) for leaf in leaves):
            if symbolic.current() is not None:
                return self._symbolic_call(inputs, leaves, args, kwargs)
            with symbolic.Tracing():
                return self._symbolic_call(inputs, leaves, args, kwargs)
        outputs = self._scoped_call(inputs, leaves, args, kwargs)
        self._ready = self._is_plain()
        return outputs

    def _is_plain(self) -> bool:
        """Whether calls on tensors need nothing but a check and `call`."""
        return self.built and self._activity_regularizer is None and "scope" not in _parameters(self)

    def _symbolic_call(self, inputs: Any, leaves: list[Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A call on symbols: masks are passed on and, unless a plan is being traced, a node is recorded."""
        arguments = (inputs, args, dict(kwargs))
        mask = symbolic.previous_mask(leaves, not nest.is_structure(inputs))
        if mask is not None and "mask" not in kwargs and "mask" in _parameters(self):
            kwargs["mask"] = mask
        outputs = self._scoped_call(inputs, leaves, args, kwargs)
        outputs = symbolic.own_outputs(leaves, outputs)
        symbolic.set_masks(outputs, self.compute_mask(inputs, mask))
        tracing = cast(symbolic.Tracing, symbolic.current())
        if tracing.record and all(isinstance(leaf, Symbol) for leaf in leaves):
            symbolic.link_node(self, arguments, outputs)
        if tracing.calls is not None:
            tracing.calls.append((len(thread.open), symbolic.Node(self, arguments, outputs)))
        return outputs

    def _scoped_call(self, inputs: Any, leaves: list[Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Check, build and call, inside the layer's scope."""
        scope = cast(naming.VariableScope, self._scope)
        first = self._call_signature is None
        naming.enter(scope)
        try:
            self._check_inputs(leaves)
            if not self.built:
                self._build_once(inputs, leaves)
            if first:
                self._call_signature = nest.map_structure(_spec_of, inputs)
            if self._initial_weights is not None:
                self.set_weights(self._initial_weights)
                self._initial_weights = None
            if "scope" in _parameters(self):
                kwargs["scope"] = scope
            outputs = self.call(inputs, *args, **kwargs)
            if outputs is None:
                self._refuse_none()
            if self._activity_regularizer is not None:
                for output in nest.flatten(outputs):
                    self.add_loss(self._activity_regularizer(output), inputs=inputs)
        except BaseException:
            if first:
                self._call_signature = None  # a call that failed says nothing of the inputs to expect
            raise
        finally:
            naming.leave()
        return outputs

    def _build_once(self, inputs: Any, leaves: list[Any]) -> None:
        with naming.lock, symbolic.eagerly():
            if self.built:
                return
            dtype, spec, names = self._dtype, self._input_spec, {*self._weight_names}
            kept = [list(weights) for weights in self._weight_lists()]
            if self._dtype is None and leaves and hasattr(leaves[0], "dtype"):
                self._dtype = as_dtype(leaves[0].dtype).name
            try:
                self.build(nest.map_structure(_shape_of, inputs))
            except BaseException:
                # Nothing of a failed attempt stays, so that a second one can succeed.
                self._dtype, self.input_spec = dtype, spec
                for weights, earlier in zip(self._weight_lists(), kept, strict=True):
                    weights[:] = earlier
                self._weight_names = names
                raise
            self.built = True
            # What build has added to input_spec holds for this input too.
            self._check_inputs(leaves)

    def _weight_lists(self) -> tuple[list[Any], list[Any], list[Any]]:
        return self._trainable_weights, self._non_trainable_weights, self._regularized

    def _converted(self, inputs: Any) -> Any:
        """The inputs with arrays turned into tensors."""
        if not nest.is_structure(inputs):
            return _as_value(inputs)

        def leaf(value: Any) -> Any:
            if isinstance(value, (bool, int, float, complex)):
                raise InvalidArgumentError(
                    f"{self._who()}: expected arrays or tensors in a structure of inputs, got the number {value!r}. "
                    'Convert a list of numbers first, e.g. np.asarray(x, "float32").'
                )
            return _as_value(value)

        return nest.map_structure(leaf, inputs)

    def _refuse_none(self) -> None:
        raise ValueError(f"{self._who()}: expected call() to return a tensor or a structure of tensors, got None.")

    # --- inputs and shapes -------------------------------------------------------------------------------------------

    @property
    def input_spec(self) -> InputSpec | Sequence[InputSpec | None] | None:
        """What is expected of the input: an `InputSpec`, or a list of one for each input. Checked at every call."""
        return self._input_spec

    @input_spec.setter
    def input_spec(self, spec: InputSpec | Sequence[InputSpec | None] | None) -> None:
        self._input_spec = spec
        self._checked_shape = None

    def _check_inputs(self, leaves: list[Any]) -> None:
        spec = self._input_spec
        if spec is None:
            return
        specs = [spec] if isinstance(spec, InputSpec) else list(spec)
        if len(specs) != len(leaves):
            raise InvalidArgumentError(f"{self._who()}: expected {len(specs)} inputs, got {len(leaves)}.")
        for one, leaf in zip(specs, leaves, strict=True):
            if one is not None and not hasattr(leaf, "shape"):
                raise DTypeError(f"{self._who()}: expected an array or a tensor as input, got {leaf!r}.")
            problem = one.problem(leaf) if one is not None else None
            if problem is not None:
                raise problem[0](f"{self._who()}: {problem[1]}.")
        if isinstance(spec, InputSpec) and spec.dtype is None and type(leaves[0]) is Tensor:
            self._checked_shape = leaves[0].shape

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for a shape of the input, without building anything.

        Args:
            input_shape: A shape with None for unknown sizes, or a structure of shapes.

        Raises:
            NotImplementedError: The layer does not define it.
        """
        raise NotImplementedError(
            f"{self._who()}: does not say its output shape. Call it on ln.Input and read the result's shape."
        )

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the output.

        Args:
            inputs: The input.
            mask: The input's mask, or a list of masks.

        Returns:
            `mask` itself if the layer supports masking, else None.

        Raises:
            TypeError: There is a mask and the layer does not support masking.
        """
        if self.supports_masking:
            return mask
        given = mask if isinstance(mask, (list, tuple)) else [mask]
        if any(one is not None for one in given):
            raise TypeError(f"{self._who()}: does not support masking, but its input has a mask. Drop the mask before.")
        return None

    # --- variables ---------------------------------------------------------------------------------------------------

    @property
    def dtype(self) -> str | None:
        """Element type of the variables; None while it waits for the first input."""
        return self._dtype

    def add_weight(
        self,
        name: str,
        shape: Sequence[int] | int,
        dtype: DTypeLike | None = None,
        initializer: Any = None,
        regularizer: Any = None,
        trainable: bool | None = None,
        constraint: Callable[[Any], Any] | str | None = None,
        use_resource: bool | None = None,
        synchronization: VariableSynchronization = VariableSynchronization.AUTO,
        aggregation: VariableAggregation = VariableAggregation.NONE,
        partitioner: Any = None,
    ) -> Variable:
        """Make a variable of this layer.

        Args:
            name: Unique in the layer; the variable is called `<scope>/<name>:0`.
            shape: Its shape, all sizes known.
            dtype: Default: the layer's dtype, else float32.
            initializer: A name, an initializer or a function `(shape, dtype)`; the default is Glorot's uniform
                distribution for floats, 0 for integers and False for bools.
            regularizer: Function of the variable whose value `losses` has.
            trainable: Default True, except with `VariableSynchronization.ON_READ`.
            constraint: Function that optimizers apply to the variable after each step, or its name.
            use_resource: Accepted and not used.
            synchronization: Kept as the variable's attribute.
            aggregation: Kept as the variable's attribute.
            partitioner: Function of `shape` and `dtype` that gives the number of pieces along each axis, such as
                `ln.fixed_size_partitioner(4)`. None (default) takes that of the scope (see `ln.variable_scope`), False
                none at all. Scalars are never cut.

        Returns:
            The variable; with a partitioner a `PartitionedVariable`, which reads as the whole, while the lists of the
            layer have its pieces.

        Raises:
            ValueError: A name used before in this layer, an unknown size, an unknown initializer, a trainable variable
                synchronized on read, or a partitioner that does not fit the shape.
        """
        if synchronization is VariableSynchronization.ON_READ:
            if trainable:
                raise ValueError(f"{self._who()}: a variable that is synchronized on read cannot be trainable.")
            trainable = False
        trainable = True if trainable is None else bool(trainable)
        sizes = (shape,) if isinstance(shape, INTEGER) else tuple(shape) if shape is not None else (None,)
        if any(size is None or int(size) < 0 for size in sizes):
            raise ValueError(f"{self._who()}: expected known sizes for the variable '{name}', got shape {shape}.")
        full_shape = tuple(map(int, sizes))
        if name in self._weight_names:
            raise ValueError(f"{self._who()}: has a variable called '{name}' already. Choose another name.")
        wanted = as_dtype(dtype or self._dtype or "float32")
        if initializer is None:
            initializer = "glorot_uniform" if wanted.is_floating else "zeros"
        make = initializers.get(initializer)
        limit = constraints.get(constraint)
        self._fix_scope()
        scope = cast(naming.VariableScope, self._scope)

        def variable(name: str, shape: tuple[int, ...], value: Callable[[], Any], piece: Any = None) -> Variable:
            return layer_variable(
                name,
                scope,
                shape,
                value,
                trainable and self.trainable,
                wanted,
                limit,
                synchronization,
                aggregation,
                piece,
            )

        if partitioner is None:
            partitioner = scope.find_partitioner()
        if partitioner and full_shape:
            result: Any = partitioned(
                name,
                scope.child_name(name),
                full_shape,
                wanted,
                partitioner,
                lambda shape, info: _initial_value(make, shape, wanted, info),
                "partition_info" in parameters_of(make) and not isinstance(make, initializers.Initializer),
                variable,
            )
            made = list(result)
        else:
            result = variable(name, full_shape, lambda: _initial_value(make, full_shape, wanted))
            made = [result]
        self._weight_names.add(name)
        (self._trainable_weights if trainable else self._non_trainable_weights).extend(made)
        if regularizer is not None:
            self._regularized += [(one, regularizers.get(regularizer)) for one in made]
        return cast(Variable, result)

    def add_variable(self, *args: Any, **kwargs: Any) -> Variable:
        """The same as `add_weight`."""
        return self.add_weight(*args, **kwargs)

    def _own_weights(self) -> list[Variable]:
        return self._trainable_weights + self._non_trainable_weights

    @property
    def weights(self) -> list[Variable]:
        """All variables: the trainable ones first, each kind in the order of creation."""
        return self.trainable_weights + self.non_trainable_weights

    @property
    def trainable_weights(self) -> list[Variable]:
        """The variables to train; none while `trainable` is false."""
        return list(self._trainable_weights) if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The variables not to train; all while `trainable` is false."""
        return list(self._non_trainable_weights) if self.trainable else self._own_weights()

    @property
    def variables(self) -> list[Variable]:
        """The same as `weights`."""
        return self.weights

    @property
    def trainable_variables(self) -> list[Variable]:
        """The same as `trainable_weights`."""
        return self.trainable_weights

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The same as `non_trainable_weights`."""
        return self.non_trainable_weights

    def get_weights(self) -> list[npt.NDArray[Any]]:
        """Copies of all variables' values, in the order of `weights`."""
        return [variable.numpy().copy() for variable in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set all variables, in the order of `weights`. Nothing is set when something does not fit.

        Args:
            weights: One array for each variable, of its shape; converted to its dtype.

        Raises:
            ValueError: Another number of arrays, or a wrong shape.
        """
        variables = self.weights
        if len(weights) != len(variables):
            raise InvalidArgumentError(
                f"{self._who()}: expected {len(variables)} arrays, got {len(weights)}."
                + ("" if self.built else " The layer is not built yet. Call it first.")
            )
        values = [constant(value, dtype=v.dtype) for value, v in zip(weights, variables, strict=True)]
        for value, variable in zip(values, variables, strict=True):
            if value.shape != variable.shape:
                raise ShapeError(
                    f"{self._who()}: expected an array of shape {list(variable.shape)} for '{variable.name}', "
                    f"got {list(value.shape)}."
                )
        for value, variable in zip(values, variables, strict=True):
            variable.assign(value)

    def count_params(self) -> int:
        """The number of scalars in all variables; a variable listed twice counts twice.

        Raises:
            ValueError: The layer is not built.
        """
        if not self.built:
            raise ValueError(f"{self._who()}: has no parameters to count before it is built. Call it first.")
        return sum(_size(variable.shape) for variable in self.weights)

    # --- losses and updates ------------------------------------------------------------------------------------------

    @property
    def activity_regularizer(self) -> Any:
        """Function of an output that gives a loss, or None."""
        return self._activity_regularizer

    @activity_regularizer.setter
    def activity_regularizer(self, regularizer: Any) -> None:
        self._activity_regularizer = regularizer
        self._ready = False

    @property
    def losses(self) -> list[Any]:
        """The losses of this layer, evaluated now: one for each regularized variable, then those of calls.

        Eager calls leave the losses of the latest outermost call; symbolic calls add theirs, as symbols.
        """
        losses = [regularizer(variable) for variable, regularizer in self._regularized]
        tracing = symbolic.current()
        if tracing is not None and not tracing.record:
            return losses + tracing.losses_of(self)
        return losses + [loss for loss, _ in self._symbolic_losses] + self._eager_losses

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Add losses of a call; used inside `call`.

        Args:
            losses: A scalar or a list of scalars.
            inputs: The inputs on which they depend; None marks them as unconditional (symbolic calls only).
        """
        tracing = symbolic.current()
        for loss in nest.flatten(losses):
            if tracing is None:
                self._add_eager_loss(loss)
            elif tracing.record:
                self._symbolic_losses.append((loss, inputs is None))
            else:
                tracing.add_loss(self, loss)

    def _add_eager_loss(self, loss: Any) -> None:
        outermost = naming.outermost_call()
        if self._eager_call is not outermost:
            self._eager_call, self._eager_losses = outermost, []
        self._eager_losses.append(loss)

    def get_losses_for(self, inputs: Any) -> list[Any]:
        """The losses that depend on the given symbols.

        Args:
            inputs: A symbol or a structure of symbols; None asks for the unconditional losses.

        Raises:
            RuntimeError: The layer has not been called on symbols.
        """
        self._node(0, "get_losses_for")
        return self._losses_for(inputs)

    def _losses_for(self, inputs: Any) -> list[Any]:
        if inputs is None:
            regular = [regularizer(variable) for variable, regularizer in self._regularized]
            return regular + [loss for loss, unconditional in self._symbolic_losses if unconditional]
        return [loss for loss, _ in self._symbolic_losses if symbolic.depends_on(loss, inputs)]

    @property
    def updates(self) -> list[Any]:
        """The updates that symbolic calls have recorded; none while a stateless layer is frozen."""
        if not self.trainable and not self.stateful:
            return []
        return [update for update, _ in self._updates]

    def add_update(self, updates: Any, inputs: Any = None) -> None:
        """Note updates of variables in a symbolic call; ignored in an eager one, where they have happened already.

        Args:
            updates: An update or a list of updates.
            inputs: The inputs on which they depend; None marks them as unconditional.
        """
        tracing = symbolic.current()
        if tracing is None:
            return
        for update in nest.flatten(updates):
            if tracing.record:
                self._updates.append((update, inputs))
            else:
                tracing.updates.append(update)

    def get_updates_for(self, inputs: Any) -> list[Any]:
        """The updates that depend on the given symbols.

        Args:
            inputs: A symbol or a structure of symbols; None asks for the unconditional updates.

        Raises:
            RuntimeError: The layer has not been called on symbols.
        """
        self._node(0, "get_updates_for")
        return self._updates_for(inputs)

    def _updates_for(self, inputs: Any) -> list[Any]:
        if not self.trainable and not self.stateful:
            return []
        if inputs is None:
            return [update for update, own in self._updates if own is None]
        return [update for update, own in self._updates if symbolic.depends_on([update, own], inputs)]

    @property
    def graph(self) -> Any:
        """There is no graph to hold on to.

        Raises:
            RuntimeError: Always.
        """
        raise RuntimeError(f"{self._who()}: has no graph. Predictor and TrainStep make graphs of networks.")

    # --- configuration and copies ------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, from which `from_config` makes an unbuilt layer."""
        config: dict[str, Any] = {"name": self.name, "trainable": self.trainable, "dtype": self.dtype}
        if self._batch_input_shape is not None:
            config["batch_input_shape"] = self._batch_input_shape
        return config

    @classmethod
    def from_config(cls: type[_L], config: dict[str, Any]) -> _L:
        """A new layer with the constructor's arguments `config`; it is not built and has no weights.

        Args:
            config: What `get_config` returned.
        """
        return cls(**config)

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the record of calls and the parent: copies own their variables and have no history."""
        state = self.__dict__.copy()
        state.update(
            _ready=False,
            _checked_shape=None,
            _inbound_nodes=[],
            _outbound_nodes=[],
            _symbolic_losses=[],
            _updates=[],
            _eager_losses=[],
            _eager_call=None,
        )
        if state.get("_first_parent"):
            state["_first_parent"] = None
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)


# Those by which a layer without its base's constructor is noticed, and that no call of a ready layer reads.
for _attribute in (
    "trainable",
    "_name",
    "_dtype",
    "_first_parent",
    "_trainable_weights",
    "_non_trainable_weights",
    "_weight_names",
    "_regularized",
    "_symbolic_losses",
    "_updates",
    "_inbound_nodes",
    "_outbound_nodes",
):
    setattr(Layer, _attribute, BeforeInit())


def parameters_of(function: Callable[..., Any]) -> frozenset[str]:
    """The names of a function's parameters; none when they cannot be found out."""
    try:
        return frozenset(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return frozenset()


def _parameters(layer: Layer) -> frozenset[str]:
    """The parameters of `layer.call`, looked up once per class."""
    if "call" in layer.__dict__:
        return parameters_of(layer.__dict__["call"])
    cls = type(layer)
    known: frozenset[str] | None = cls.__dict__.get("_call_parameters")
    if known is None:
        known = parameters_of(cls.call)
        cls._call_parameters = known  # type: ignore[attr-defined]
    return known


def _as_value(value: Any) -> Any:
    if isinstance(value, (Tensor, Symbol)):
        return value
    if isinstance(value, Variable) or hasattr(value, "__array__") or isinstance(value, (bool, int, float)):
        return convert_to_tensor(value)
    return value


def _spec_of(value: Any) -> Any:
    return InputSpec(value.dtype, value.shape) if hasattr(value, "shape") and hasattr(value, "dtype") else value


def _shape_of(value: Any) -> Any:
    shape = getattr(value, "shape", None)
    return None if shape is None else tuple(shape)


def _initial_value(make: Callable[..., Any], shape: tuple[int, ...], dtype: Any, info: Any = None) -> Any:
    """What an initializer or a user's function gives for a shape."""
    accepted = parameters_of(make)
    options: dict[str, Any] = {}
    if "dtype" in accepted or not accepted:
        options["dtype"] = dtype
    if "partition_info" in accepted:
        options["partition_info"] = info
    value = make(shape, **options)
    tensor = constant(value, dtype=dtype) if not isinstance(value, Tensor) else value
    if tensor.shape != shape:
        raise ShapeError(f"initializer: expected values of shape {list(shape)}, got {list(tensor.shape)}.")
    return tensor


def _as_shape(shape: Any) -> Shape:
    """A shape as a tuple; one number stands for one axis."""
    return (int(shape),) if isinstance(shape, INTEGER) else tuple(shape)


def _size(shape: Sequence[int]) -> int:
    size = 1
    for extent in shape:
        size *= extent
    return size

"""Network: a layer made of layers, with TensorFlow 1.10's rules of naming.

A network names what it tracks: anonymous members are numbered by the network's own counters when they are tracked, and
their variables' prefix starts with the network's. The network that first tracks an unbuilt layer owns it; this link is
weak, so that networks are freed as soon as they are no longer used.
"""

from __future__ import annotations

import os
import weakref
from typing import Any, NoReturn, TypeVar

from layernet import naming
from layernet.errors import FailedPreconditionError
from layernet.layers.base import BeforeInit, Layer
from layernet.variable import Variable

__all__ = ["Network", "unique_variables"]

_L = TypeVar("_L", bound=Layer)
_N = TypeVar("_N", bound="Network")


class Network(Layer):
    """A composition of layers: subclasses track layers in `__init__` and use them in `call`.

    Args:
        name: Prefix of all variable names, without "/". None (default): a name is made from the class name when the
            network is first called or tracked by another one.

    Raises:
        ValueError: A name with "/", or a scope as name.

    Example:
        >>> import layernet as ln
        >>> import numpy as np
        >>> class TwoLayer(ln.Network):
        ...     def __init__(self, name=None):
        ...         super().__init__(name=name)
        ...         self.hidden = self.track_layer(ln.layers.Dense(16, activation="relu"))
        ...         self.out = self.track_layer(ln.layers.Dense(1))
        ...     def call(self, inputs):
        ...         return self.out(self.hidden(inputs))
        >>> net = TwoLayer("net")
        >>> net(np.ones((1, 8), "float32")).shape
        (1, 1)
        >>> [v.name for v in net.variables]
        ['net/dense/kernel:0', 'net/dense/bias:0', 'net/dense_1/kernel:0', 'net/dense_1/bias:0']
    """

    def __init__(self, name: str | None = None) -> None:
        if isinstance(name, naming.VariableScope):
            raise ValueError(f"{type(self).__name__}: expected a string as name, got a variable scope.")
        if isinstance(name, str) and "/" in name:
            raise ValueError(f"{type(self).__name__}: expected a name without '/', got {name!r}.")
        super().__init__(name=name)
        self._layers: list[Layer] = []
        self._layer_counts: dict[tuple[str, str], int] = {}
        self._owned_layers: dict[str, Layer] = {}
        self._unscoped: list[Layer] = []  # tracked layers (no networks) that may still need a scope
        self._outer_scope = naming.current_scope()

    # --- names -------------------------------------------------------------------------------------------------------

    def _init_name(self, name: str | None) -> None:
        self._name = name

    @property
    def name(self) -> str:
        """The network's name.

        Raises:
            ValueError: An anonymous network that has been neither called nor tracked.
        """
        if self._name is None:
            raise ValueError(
                f"{type(self).__name__}: has no name yet; an anonymous network gets one when it is first called or "
                "tracked. Call it first, or give it a name."
            )
        return self._name

    def _finalize_name(self, parent: Network | None) -> None:
        """Settle the name and, unless there is a living one, the first parent (False: top level for good)."""
        if not self._name:
            base = naming.snake_case(type(self).__name__)
            if parent is not None:
                self._name = naming.unique_layer_name(base, parent._layer_counts, parent._owned_layers, zero_based=True)
            else:
                outer = self._outer_scope
                self._name = naming.unique_layer_name(
                    base,
                    taken=lambda name: naming.was_used(outer.child_name(name)),
                    namespace=outer.name,
                    zero_based=True,
                )
        if self._first_parent is not False and self._owner() is None:
            self._first_parent = False if parent is None else weakref.ref(parent)

    def _keeps_name(self) -> bool:
        return bool(self._name)

    def _join(self, network: Network) -> None:
        self._finalize_name(network)

    def fix_scope(self) -> None:
        """Settle the name and the scope of the network and of the layers it tracks, without building anything.

        Raises:
            ValueError: The name is taken, or a tracked layer was left unbuilt by a network that does not exist any
                more.
        """
        self._fix_scope()

    def _fix_scope(self, exact: str | naming.VariableScope | None = None) -> None:
        if exact is not None:
            raise ValueError(f"{self._who()}: a network chooses its scope by its name. Leave out 'scope'.")
        with naming.lock:
            self._claim_scope()
            while self._unscoped:
                self._fix_scope_of(self._unscoped[0])
                del self._unscoped[0]

    def _claim_scope(self) -> naming.VariableScope:
        if self._scope is not None:
            return self._scope
        parent = self._owner()
        if parent is None:
            self._finalize_name(None)
        outer = self._outer_scope if parent is None else parent._claim_scope()
        scope = naming.claim_scope(outer, self.name)
        if scope is None:
            raise ValueError(
                f"network '{self.name}': the name is taken: a network, a layer or a variable scope used "
                f"'{outer.child_name(self.name)}' before. Choose another name."
            )
        self._scope = scope
        if parent is None:
            self._name = scope.name  # with the prefix of the scope around the constructor
        return scope

    def _fix_scope_of(self, layer: Layer) -> None:
        """Give a tracked layer the scope `<owner>/<layer name>`."""
        if layer._scope is not None:
            return
        owner = layer._owner()
        if owner is None:
            raise ValueError(
                f"network '{self.name}': tracks the layer '{layer.name}', whose first network was deleted before the "
                "layer was built. Keep that network, or track the layer here first."
            )
        with naming.inside(owner._claim_scope()):
            layer._scope = naming.open_scope(layer.name)

    # --- members -----------------------------------------------------------------------------------------------------

    def track_layer(self, layer: _L) -> _L:
        """Make a layer or network part of this one, and name it if it is anonymous and not yet built.

        Args:
            layer: A layer or a network.

        Returns:
            The layer.

        Raises:
            TypeError: Something that is not a layer.
            ValueError: This network owns another layer of the same name.
            RuntimeError: `super().__init__()` was not called before.
        """
        if "_owned_layers" not in self.__dict__:
            raise FailedPreconditionError(
                f"{type(self).__name__}: expected super().__init__() before track_layer(). Call it first in __init__."
            )
        if not isinstance(layer, Layer):
            raise TypeError(f"{self._who()}: expected a layer to track, got {layer!r}.")
        if not layer._initialized:
            raise FailedPreconditionError(
                f"{type(layer).__name__}: its constructor did not call super().__init__(). Call it first in __init__."
            )
        with naming.lock:
            return self._track(layer)

    def _track(self, layer: _L) -> _L:
        is_network = isinstance(layer, Network)
        if layer._first_parent is not False and layer._owner() is None and (is_network or not layer.built):
            if not layer.built and layer._keeps_name() and layer.name in self._owned_layers:
                raise ValueError(f"{self._who()}: has a layer named '{layer.name}' already. Choose another name.")
            layer._join(self)
        if not layer.built and layer._owner() is self:
            if self._owned_layers.get(layer.name) is layer:
                return layer
            self._owned_layers[layer.name] = layer
        if not layer.built and not is_network:
            self._unscoped.append(layer)
            self._ready = False
        self._layers.append(layer)
        return layer

    @property
    def layers(self) -> list[Layer]:
        """The tracked layers, in order."""
        return self._layers

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """A tracked layer.

        Args:
            name: Its name; the first of several with this name.
            index: Its number in the order of tracking, `[0, len(layers))`.

        Returns:
            The layer.

        Raises:
            ValueError: No such layer, or not exactly one of the arguments.
        """
        if (name is None) == (index is None):
            raise ValueError(f"{self._who()}: expected either a name or an index, got {name!r} and {index!r}.")
        if index is not None:
            if not 0 <= index < len(self._layers):
                raise ValueError(f"{self._who()}: expected an index in [0, {len(self._layers)}), got {index}.")
            return self._layers[index]
        if not name:
            raise ValueError(f"{self._who()}: expected the name of a layer, got an empty one.")
        for layer in self._layers:
            if layer._name == name:
                return layer
        raise ValueError(
            f"{self._who()}: has no layer named '{name}'. Its layers: {', '.join(str(m._name) for m in self._layers)}."
        )

    def _is_plain(self) -> bool:
        return super()._is_plain() and not self._unscoped

    # --- variables, losses, updates: those of the members, in order --------------------------------------------------

    @property
    def trainable(self) -> bool:
        """Always True: freeze the members one by one.

        Raises:
            AttributeError: Something false is assigned.
        """
        return True

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if not value:
            raise AttributeError(f"{self._who()}: a network is always trainable. Set trainable of its layers instead.")

    @property
    def weights(self) -> list[Variable]:
        """The weights of all tracked layers, in the order of tracking; shared ones as often as they are shared."""
        return [variable for layer in self._layers for variable in layer.weights]

    @property
    def trainable_weights(self) -> list[Variable]:
        """The trainable weights of all tracked layers."""
        return [variable for layer in self._layers for variable in layer.trainable_weights]

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The other weights of all tracked layers."""
        return [variable for layer in self._layers for variable in layer.non_trainable_weights]

    @property
    def losses(self) -> list[Any]:
        """The losses of all tracked layers, evaluated now."""
        return [loss for layer in self._layers for loss in layer.losses]

    @property
    def updates(self) -> list[Any]:
        """The updates that symbolic calls of the tracked layers have recorded."""
        return [update for layer in self._layers for update in layer.updates]

    def _losses_for(self, inputs: Any) -> list[Any]:
        return [loss for layer in self._layers for loss in layer._losses_for(inputs)]

    def _updates_for(self, inputs: Any) -> list[Any]:
        return [update for layer in self._layers for update in layer._updates_for(inputs)]

    def add_weight(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Not for networks: variables belong to layers.

        Raises:
            RuntimeError: Always.
        """
        raise RuntimeError(f"{self._who()}: a network has no variables of its own. Put them into a layer.")

    def add_variable(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Not for networks: variables belong to layers.

        Raises:
            RuntimeError: Always.
        """
        self.add_weight()

    def add_loss(self, losses: Any, inputs: Any = None) -> NoReturn:
        """Not for networks: losses belong to layers.

        Raises:
            RuntimeError: Always.
        """
        raise RuntimeError(f"{self._who()}: a network has no losses of its own. Add them in a layer.")

    # --- pictures ----------------------------------------------------------------------------------------------------

    def plot(
        self, to_file: str | os.PathLike[str] | None = None, format: str | None = None, show_shapes: bool = True
    ) -> str:
        """Draw the calls that a call of the network makes: a box for each, an arrow for each value passed on.

        Args:
            to_file: A file to write. Text (`.dot`, `.gv`, `.mmd`) needs nothing; images (`.png`, `.svg`, `.pdf`, ...)
                need the package graphviz and the program of that name.
            format: "dot", "mermaid" or an image format; None (default) takes it from the file's name, else "dot".
            show_shapes: Whether boxes have the shapes of the outputs.

        Returns:
            The text, in DOT for images.

        Raises:
            ShapeError: The network was never called and does not know its inputs.
            GraphError: The network cannot be traced.
            ImportError: An image, and the package graphviz is not installed.
            OSError: The file cannot be written, or the program graphviz is missing.
            ValueError: An image format without a file.

        Example:
            >>> import layernet as ln
            >>> net = ln.Sequential([ln.layers.Dense(2), ln.layers.Dense(1)], name="net")
            >>> y = net(ln.constant([[1.0]]))
            >>> print(net.plot(format="mermaid"), end="")
            flowchart TB
              n0["input<br>(None, 1)"]
              n1["dense (Dense)<br>(None, 2)"]
              n2["dense_1 (Dense)<br>(None, 1)"]
              n3["output<br>(None, 1)"]
              n0 --> n1
              n1 --> n2
              n2 --> n3
        """
        from layernet import drawing  # needs the tracer, which needs networks

        return drawing.plot(self, to_file, format, show_shapes)

    # --- configuration and copies ------------------------------------------------------------------------------------

    @classmethod
    def from_config(cls: type[_N], config: dict[str, Any]) -> _N:
        """A new network with the name (and further constructor arguments) in `config`; not built, without weights.

        Args:
            config: What `get_config` returned, or just `{"name": ...}`.
        """
        arguments = {key: value for key, value in config.items() if key not in ("trainable", "dtype")}
        network = cls(**arguments)
        network._dtype = config.get("dtype")
        return network

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for layer in self._owned_layers.values():
            if layer._first_parent is None:
                layer._first_parent = weakref.ref(self)


for _attribute in ("_layers", "_owned_layers", "_outer_scope"):
    setattr(Network, _attribute, BeforeInit())


def unique_variables(network: Layer) -> list[Variable]:
    """The variables of a network, each once, in order."""
    return list({id(variable): variable for variable in network.variables}.values())

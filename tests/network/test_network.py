"""Network: tracking, sharing, lifetime, member lists."""

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest

import layernet as ln

ONE = np.ones((1, 2), "float32")


def kernel(units=2, **kwargs):
    return ln.layers.Dense(units, use_bias=False, **kwargs)


class Chain(ln.Network):
    def __init__(self, *layers, name=None):
        super().__init__(name=name)
        self.parts = [self.track_layer(layer) for layer in layers]

    def call(self, x):
        for part in self.parts:
            x = part(x)
        return x


@pytest.fixture
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


# --- lifetime ---------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("no_collector")
def test_called_network_is_freed_by_reference_counting():
    inner = Chain(kernel(), ln.layers.BatchNormalization())
    net = Chain(inner, kernel())
    net(ONE)
    net(ONE)
    references = [weakref.ref(o) for o in (net, inner, inner.parts[0], net.variables[0])]
    del net, inner

    assert [r() for r in references] == [None] * 4


@pytest.mark.usefixtures("no_collector")
def test_nested_network_outlives_its_parent_and_is_freed_alone():
    inner = Chain(kernel())
    net = Chain(inner)
    net(ONE)
    outer, reference = weakref.ref(net), weakref.ref(inner)
    del net
    assert outer() is None
    inner(ONE)
    del inner

    assert reference() is None


@pytest.mark.usefixtures("no_collector")
def test_network_called_under_a_tape_is_freed_by_reference_counting():
    net = Chain(kernel(kernel_regularizer="l2"), kernel(activity_regularizer="l2"))
    with ln.GradientTape() as tape:
        loss = ln.reduce_sum(net(ONE)) + sum(net.losses)
    tape.gradient(loss, net.trainable_variables)
    reference = weakref.ref(net)
    del net

    assert reference() is None


def test_symbolically_called_network_lives_as_long_as_its_outputs_and_is_collected_with_them():
    net = Chain(kernel(), kernel())
    y = net(ln.Input((2,)))
    references = [weakref.ref(o) for o in (net, net.parts[0], net.variables[0])]
    del net
    assert all(r() is not None for r in references)
    del y
    gc.collect()

    assert [r() for r in references] == [None] * 3


@pytest.mark.usefixtures("no_collector")
def test_network_traced_for_a_predictor_is_freed_by_reference_counting():
    net = Chain(kernel(), kernel())
    net(ONE)
    ln.Predictor(net)
    reference = weakref.ref(net)
    del net

    assert reference() is None


def test_collected_owner_after_build_changes_nothing():
    shared = kernel()
    owner = Chain(shared)
    user = Chain(shared)
    owner(ONE)
    del owner
    gc.collect()
    user(ONE)

    assert [v.name for v in user.variables] == ["chain/dense/kernel:0"]


def test_layer_of_a_collected_owner_says_what_to_do():
    shared = kernel()
    owner = Chain(shared)
    user = Chain(shared, name="user")
    del owner
    gc.collect()

    for _ in range(2):
        with pytest.raises(ValueError, match="'user': tracks the layer 'dense', whose first network was deleted"):
            user(ONE)


def test_orphan_is_renamed_when_its_name_is_owned():
    orphan = kernel()
    Chain(orphan)
    gc.collect()
    net = Chain(kernel(), orphan)
    net(ONE)

    assert [v.name for v in net.variables] == ["chain/dense/kernel:0", "chain/dense_1/kernel:0"]


# --- tracking ---------------------------------------------------------------------------------------------------------


def test_owned_name_twice():
    with pytest.raises(ValueError, match="chain: has a layer named 'x' already"):
        Chain(kernel(name="x"), kernel(name="x"))


def test_refused_layer_is_left_alone():
    refused = kernel(name="x")
    net = Chain(kernel(name="x"))
    with pytest.raises(ValueError, match="already"):
        net.track_layer(refused)
    other = Chain(refused)
    net(ONE)
    other(ONE)

    assert len(net.layers) == 1
    assert refused.scope_name == "chain_1/x"


def test_track_layer_of_something_else():
    with pytest.raises(TypeError, match="expected a layer to track, got 3"):
        ln.Network().track_layer(3)


def test_track_layer_before_init():
    class Hasty(ln.Network):
        def __init__(self):
            self.track_layer(kernel())

    with pytest.raises(RuntimeError, match=r"expected super\(\).__init__\(\) before track_layer"):
        Hasty()


def test_call_without_init():
    class Careless(ln.Network):
        def __init__(self):
            pass

    with pytest.raises(RuntimeError, match=r"did not call super\(\).__init__\(\)"):
        Careless()(ONE)


def test_layers_is_the_live_list():
    net = Chain(kernel())

    assert net.layers is net.layers
    assert net.layers == net.parts


def test_members_may_be_tracked_while_calling():
    class Lazy(ln.Network):
        def __init__(self):
            super().__init__()
            self.dense = None

        def call(self, x):
            if self.dense is None:
                self.dense = self.track_layer(kernel())
            return self.dense(x)

    net = Lazy()
    net(ONE)
    net(ONE)

    assert len(net.variables) == 1


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({}, "expected either a name or an index"),
        ({"name": "dense", "index": 0}, "expected either a name or an index"),
        ({"index": 1}, r"expected an index in \[0, 1\), got 1"),
        ({"index": -1}, r"expected an index in \[0, 1\), got -1"),
        ({"name": ""}, "got an empty one"),
        ({"name": "nope"}, "has no layer named 'nope'. Its layers: dense"),
    ],
)
def test_get_layer_of_none(kwargs, message):
    with pytest.raises(ValueError, match=message):
        Chain(kernel()).get_layer(**kwargs)


@pytest.mark.parametrize("method", ["add_weight", "add_variable"])
@pytest.mark.parametrize("called", [False, True])
def test_network_has_no_variables_of_its_own(method, called):
    net = Chain(name="n")
    if called:
        net(ONE)

    with pytest.raises(RuntimeError, match="network has no variables of its own"):
        getattr(net, method)("w", (1,))


def test_network_has_no_losses_of_its_own():
    with pytest.raises(RuntimeError, match="network has no losses of its own"):
        Chain().add_loss(1.0)


def test_network_is_always_trainable():
    with pytest.raises(AttributeError, match="a network is always trainable"):
        Chain().trainable = False


def test_scope_keyword_is_refused():
    with pytest.raises(ValueError, match="chooses its scope by its name"):
        Chain()(ONE, scope="s")


def test_call_that_raises_leaves_what_was_built():
    class Flaky(ln.Network):
        def __init__(self):
            super().__init__(name="flaky")
            self.a, self.b = self.track_layer(kernel()), self.track_layer(kernel())
            self.fails = True

        def call(self, x):
            x = self.a(x)
            if self.fails:
                raise OSError("disk")
            return self.b(x)

    net = Flaky()
    with pytest.raises(OSError, match="disk"):
        net(ONE)
    after_failure = (net.built, [v.name for v in net.variables])
    net.fails = False
    net(ONE)

    assert after_failure == (True, ["flaky/dense/kernel:0"])
    assert [v.name for v in net.variables] == ["flaky/dense/kernel:0", "flaky/dense_1/kernel:0"]


def test_shared_layer_is_listed_by_each_use():
    shared = kernel()
    shared(ONE)
    net = Chain(shared, shared)
    net(ONE)

    assert [v.name for v in net.variables] == ["dense/kernel:0"] * 2
    assert net.count_params() == 8


def test_fix_scope_names_without_building():
    net = Chain(kernel())
    net.fix_scope()

    assert (net.name, net.scope_name, net.parts[0].scope_name) == ("chain", "chain", "chain/dense")
    assert not net.built
    assert not net.parts[0].built


def test_repr_works_without_a_name():
    assert repr(Chain()) == "<Chain>"
    assert repr(Chain(name="n")) == "<Chain 'n'>"


# --- configuration and copies -----------------------------------------------------------------------------------------


class Named(ln.Network):
    def __init__(self, name=None):
        super().__init__(name=name)
        self.dense = self.track_layer(kernel())

    def call(self, x):
        return self.dense(x)


def test_config_round_trip():
    net = Named(name="n")
    net(ONE)
    again = Named.from_config(net.get_config())

    assert again.get_config() == net.get_config()
    assert not again.built


def test_deep_copy_of_a_built_network_owns_its_storage():
    net = Named(name="n")
    net(ONE)
    before = net.get_weights()[0]
    twin = copy.deepcopy(net)
    twin.set_weights([before + 1.0])

    np.testing.assert_array_equal(net.get_weights()[0], before)
    assert [v.name for v in twin.variables] == ["n/dense/kernel:0"]
    assert twin.dense.kernel is twin.variables[0]
    np.testing.assert_array_equal(twin(ONE).numpy(), ONE @ (before + 1.0))
    del twin
    gc.collect()
    np.testing.assert_array_equal(net(ONE).numpy(), ONE @ before)


def test_deep_copy_of_an_unbuilt_network_owns_its_members():
    net = Named()
    twin = copy.deepcopy(net)
    del net
    gc.collect()
    twin(ONE)

    assert [v.name for v in twin.variables] == ["named/dense/kernel:0"]


def test_deep_copy_has_no_nodes():
    net = Named(name="n")
    net(ln.Input((2,)))
    twin = copy.deepcopy(net)

    assert (len(net.inbound_nodes), len(twin.inbound_nodes), len(twin.dense.inbound_nodes)) == (1, 0, 0)


def test_deep_copy_of_a_tracked_layer_has_no_parent():
    net = Named(name="n")
    layer = copy.deepcopy(net.dense)
    other = Chain(layer, name="other")
    other(ONE)

    assert layer.scope_name == "other/dense"


def test_pickle_round_trip():
    net = ln.Sequential([kernel(), ln.nn.relu, ln.layers.BatchNormalization()], name="n")
    y = net(ONE).numpy()
    again = pickle.loads(pickle.dumps(net))

    np.testing.assert_array_equal(again(ONE).numpy(), y)
    assert [v.name for v in again.variables] == [v.name for v in net.variables]


@pytest.mark.parametrize("ask", ["variables", "name", "weights", "losses", "updates", "inbound_nodes"])
@pytest.mark.parametrize("base", [ln.Network, ln.Model, ln.Layer])
def test_attributes_before_the_constructor_of_the_base_say_so(base, ask):
    class Bad(base):
        def __init__(self):
            pass

    with pytest.raises(ln.errors.FailedPreconditionError, match=r"Bad: its constructor did not call super\(\)"):
        getattr(Bad(), ask)


def test_repr_before_the_constructor_of_the_base_says_so():
    class Bad(ln.Network):
        def __init__(self):
            pass

    with pytest.raises(ln.errors.FailedPreconditionError, match=r"Bad: its constructor did not call super\(\)"):
        repr(Bad())
    with pytest.raises(ln.errors.FailedPreconditionError, match=r"Bad: its constructor did not call super\(\)"):
        Bad().layers  # noqa: B018 - reading it is the test


def test_hasattr_before_the_constructor_of_the_base():
    class Careful(ln.Network):
        def __init__(self):
            assert not hasattr(self, "_mine")
            super().__init__()

    Careful()


def test_missing_attributes_are_attribute_errors():
    net = Chain()

    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        net.nothing  # noqa: B018 - reading it is the test
    with pytest.raises(AttributeError, match="has no attribute '_nothing'"):
        net._nothing  # noqa: B018 - reading it is the test


def test_errors_of_properties_are_their_own():
    class Asking(ln.Layer):
        @property
        def mine(self):
            return self.not_there

    with pytest.raises(AttributeError, match="has no attribute 'not_there'"):
        Asking().mine  # noqa: B018 - reading it is the test
    with pytest.raises(ln.errors.NodeError, match="'input' is known after a symbolic call only"):
        ln.layers.Dense(1).input  # noqa: B018 - reading it is the test

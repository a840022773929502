"""Names and scopes: sections 2 and 5 of the specification, as far as no golden case covers them."""

import gc
import threading

import numpy as np
import pytest

import layernet as ln
from layernet import naming

ONE = np.ones((1, 2), "float32")


class Net(ln.Network):
    def __init__(self, name=None):
        super().__init__(name=name)
        self.dense = self.track_layer(ln.layers.Dense(1, use_bias=False))

    def call(self, x):
        return self.dense(x)


def named(cls_name, **kwargs):
    return type(cls_name, (Net,), {})(**kwargs)


@pytest.mark.parametrize(
    ("class_name", "base"),
    [
        ("MLP2", "ml_p2"),
        ("MyNet2D", "my_net2d"),
        ("HTTPServerNet", "http_server_net"),
        ("Mixed_Case", "mixed__case"),
        ("_Private", "private__private"),
        ("lower", "lower"),
        ("A", "a"),
    ],
)
def test_snake_case(class_name, base):
    assert naming.snake_case(class_name) == base


def test_building_by_hand_gives_no_name():
    net = Net()
    net.build((1, 2))

    with pytest.raises(ValueError, match="has no name yet"):
        _ = net.name


def test_name_cannot_be_assigned():
    with pytest.raises(AttributeError):
        Net().name = "x"
    with pytest.raises(AttributeError):
        ln.layers.Dense(1).name = "x"


def test_count_params_of_an_anonymous_network():
    with pytest.raises(ValueError, match="before it is built"):
        Net().count_params()


def test_scope_as_a_network_name():
    with ln.variable_scope("s") as scope:
        pass

    with pytest.raises(ValueError, match="got a variable scope"):
        Net(name=scope)


def test_name_that_is_no_string():
    with pytest.raises(TypeError, match="expected a string as name, got 3"):
        Net(name=3)
    with pytest.raises(TypeError, match="expected a string as name, got 3"):
        ln.layers.Dense(1, name=3)


def test_name_with_a_slash():
    with pytest.raises(ValueError, match="expected a name without '/', got 'a/b'"):
        Net(name="a/b")


def test_classes_of_equal_name_share_a_counter():
    a, b = named("Twin"), named("Twin")
    a(ONE)
    b(ONE)

    assert [a.name, b.name] == ["twin", "twin_1"]


def test_claimed_name_is_not_released_when_the_network_is_gone():
    Net(name="n")(ONE)
    gc.collect()

    with pytest.raises(ValueError, match="network 'n': the name is taken"):
        Net(name="n")(ONE)


def test_loser_of_a_name_can_not_retry_it():
    Net(name="n")(ONE)
    loser = Net(name="n")
    for _ in range(2):
        with pytest.raises(ValueError, match="Choose another name"):
            loser(ONE)

    assert (loser.name, loser.built, loser.variables) == ("n", False, [])


def test_free_layers_of_one_explicit_name():
    a, b = ln.layers.Dense(1, name="same"), ln.layers.Dense(1, name="same")
    a(ONE)
    b(ONE)

    assert [a.name, b.name] == ["same", "same"]
    assert [a.scope_name, b.scope_name] == ["same", "same_1"]


def test_free_layer_takes_a_network_s_scope_name():
    ln.layers.Dense(1, name="n")(ONE)

    with pytest.raises(ValueError, match="the name is taken"):
        Net(name="n")(ONE)


def test_network_name_inside_a_call_of_another_one_is_not_released():
    inner = Net(name="inner")

    class Outer(ln.Network):
        def call(self, x):
            return inner(x)

    Outer()(ONE)

    with pytest.raises(ValueError, match="the name is taken"):
        Net(name="inner")(ONE)


def test_anonymous_network_steps_over_a_name_used_after_its_construction():
    first = named("Late")
    named("Other")(ONE)
    Net(name="late")(ONE)
    first(ONE)

    assert first.name == "late_1"


def test_parent_and_child_of_one_name():
    class Outer(ln.Network):
        def __init__(self):
            super().__init__(name="same")
            self.inner = self.track_layer(Net(name="same"))

        def call(self, x):
            return self.inner(x)

    net = Outer()
    net(ONE)

    assert [v.name for v in net.variables] == ["same/same/dense/kernel:0"]


def test_untracked_layer_made_in_each_call():
    made = []

    class Careless(ln.Network):
        def call(self, x):
            made.append(ln.layers.Dense(1, use_bias=False))
            return made[-1](x)

    net = Careless()
    net(ONE)
    net(ONE)

    assert [layer.scope_name for layer in made] == ["careless/dense", "careless/dense"]


def test_variable_scope_is_found_again():
    with ln.variable_scope("a") as scope:
        ln.layers.Dense(1, name="x")(ONE)
    layer = ln.layers.Dense(1, name="y")
    with ln.variable_scope(scope):
        layer(ONE)

    assert layer.scope_name == "a/y"


def test_variable_scopes_nest():
    with ln.variable_scope("a"), ln.variable_scope("b") as scope:
        layer = ln.layers.Dense(1)
        layer(ONE)

    assert scope.name == "a/b"
    assert layer.scope_name == "a/b/dense"


def test_default_name_of_a_variable_scope_is_made_unique():
    names = []
    for _ in range(2):
        with ln.variable_scope(None, default_name="s") as scope:
            names.append(scope.name)

    assert names == ["s", "s_1"]


def test_names_in_a_closed_scope_are_free_again():
    names = []
    for _ in range(2):
        with ln.variable_scope("s"):
            layer = ln.layers.Dense(1, name="d")
            layer(ONE)
            names.append(layer.scope_name)

    assert names == ["s/d", "s/d"]


def test_variable_scope_without_arguments():
    with pytest.raises(ValueError, match="expected name_or_scope or default_name"):
        ln.variable_scope()


def test_variable_scope_of_something_else():
    with pytest.raises(TypeError, match="expected a name or a VariableScope, got 3"):
        ln.variable_scope(3)


def test_scope_keyword_takes_a_scope_object():
    with ln.variable_scope("there") as scope:
        pass
    layer = ln.layers.Dense(1)
    layer(ONE, scope=scope)

    assert layer.scope_name == "there"


def test_scope_keyword_is_used_at_the_first_call_only():
    layer = ln.layers.Dense(1)
    layer(ONE, scope="first")
    layer(ONE, scope="second")

    assert layer.scope_name == "first"


def test_scope_parameter_of_call_gets_the_scope():
    class Curious(ln.Layer):
        def call(self, x, scope=None):
            self.seen = scope.name
            return x

    layer = Curious(name="c")
    layer(ONE)
    layer(ONE)

    assert layer.seen == "c"


def test_exception_in_call_leaves_the_scopes():
    class Bad(ln.Layer):
        def call(self, x):
            raise KeyError("no")

    layer = Bad()
    for _ in range(3):
        with pytest.raises(KeyError):
            layer(ONE)

    assert naming.current_scope() is naming.ROOT
    assert len(naming.thread.open) == 1


def test_threads_share_names_but_not_open_scopes():
    seen = []

    def work():
        seen.append(naming.current_scope().name)
        net = Net(name=f"n{len(seen)}")
        net(ONE)
        with pytest.raises(ValueError, match="the name is taken"):
            Net(name="main")(ONE)
        seen.append(net.scope_name)

    Net(name="main")(ONE)
    with ln.variable_scope("outer"):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()

    assert seen == ["", "n1"]


def test_many_threads_give_each_network_a_name_of_its_own():
    nets = [Net() for _ in range(16)]
    threads = [threading.Thread(target=net, args=(ONE,)) for net in nets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(net.name for net in nets) == sorted(["net", *(f"net_{i}" for i in range(1, 16))])


def test_reset_naming_starts_anew():
    a = Net()
    a(ONE)
    ln.reset_naming()
    b = Net()
    b(ONE)

    assert [a.name, b.name] == ["net", "net"]

"""Symbolic calls: nodes, masks, losses and updates of layers called on Input."""

import numpy as np
import pytest

import layernet as ln
from layernet import symbolic

ONE = np.ones((2, 3), "float32")


def test_input_shapes():
    assert ln.Input((3,)).shape == (None, 3)
    assert ln.Input(3).shape == (None, 3)
    assert ln.Input().shape == (None,)
    assert ln.Input((None, 3), batch_size=4).shape == (4, None, 3)


def test_operators_and_ops_work_on_symbols():
    x = ln.Input((3,))
    y = ln.reduce_sum((2.0 * x + 1.0) * ln.exp(-x), axis=1)

    assert y.shape == (None,)
    assert (x > 0.5).dtype.name == "bool"


@pytest.mark.parametrize("use", [bool, float, int, iter, np.asarray], ids=lambda f: f.__name__)
def test_symbol_is_no_number(use):
    x = ln.Input((3,))

    with pytest.raises(ln.errors.GraphError):
        use(x)


def test_building_inside_a_trace_makes_real_variables():
    net = ln.Sequential([ln.layers.Dense(4), ln.layers.BatchNormalization()], name="n")
    net(ln.Input((3,)))

    assert [tuple(w.shape) for w in net.get_weights()] == [(3, 4), (4,), (4,), (4,), (4,), (4,)]
    assert abs(net.get_weights()[0]).max() > 0
    assert net(ONE).shape == (2, 4)


def test_symbolic_call_does_not_advance_the_random_state():
    net = ln.Sequential([ln.layers.Dropout(0.5)], name="n")
    before = ln.random_state().numpy().copy()
    net(ln.Input((3,)), training=True)

    np.testing.assert_array_equal(ln.random_state().numpy(), before)


def test_symbolic_call_does_not_move_averages():
    layer = ln.layers.BatchNormalization()
    layer(ln.Input((3,)), training=True)

    assert [w.tolist() for w in layer.get_weights()[2:]] == [[0.0] * 3, [1.0] * 3]


def test_several_outputs_are_a_list():
    class Split(ln.Layer):
        def call(self, x):
            return ln.split(x, 3, axis=1)

    layer = Split()
    outputs = layer(ln.Input((3,)))

    assert layer.output == outputs
    assert layer.output_shape == [(None, 1)] * 3


def test_dictionaries_of_inputs_and_outputs():
    class Swap(ln.Layer):
        def call(self, d):
            return {"x": d["y"], "y": d["x"]}

    layer = Swap()
    a, b = ln.Input((1,)), ln.Input((2,))
    outputs = layer({"x": a, "y": b})

    assert layer.input == [a, b]
    assert outputs["x"].shape == (None, 2)
    assert outputs["x"] is not b


def test_node_of_a_call():
    layer = ln.layers.Dense(2)
    x = ln.Input((3,))
    y = layer(x)
    (node,) = layer.inbound_nodes

    assert (node.layer, node.inputs, node.outputs) == (layer, [x], [y])
    assert repr(node) == "Node(<Dense 'dense_1'>, [(None, 3)] -> [(None, 2)])"


def test_members_of_a_network_have_nodes_too():
    net = ln.Sequential([ln.layers.Dense(2), ln.nn.relu, ln.layers.Dense(1)])
    net(ln.Input((3,)))

    assert [len(layer.inbound_nodes) for layer in net.layers] == [1, 1]


def test_first_node_answers_for_several():
    layer = ln.layers.Dense(2)
    a, b = ln.Input((3,)), ln.Input((3,))
    layer(a)
    layer(b)

    assert layer.input is a
    assert layer.input_shape == (None, 3)


def test_different_shapes_are_ambiguous():
    layer = ln.layers.Dense(2, name="d")
    layer(ln.Input((3,)))
    layer(ln.Input((4, 3)))

    with pytest.raises(AttributeError, match=r"dense 'd': has 2 inbound nodes of different shapes, so 'input_shape'"):
        _ = layer.input_shape


def test_no_node_to_ask():
    layer = ln.layers.Dense(2, name="d")

    with pytest.raises(AttributeError, match="dense 'd': 'input' is known after a symbolic call only"):
        _ = layer.input
    with pytest.raises(RuntimeError, match="'get_input_at' is known after a symbolic call only"):
        layer.get_input_at(0)
    assert not hasattr(layer, "output_mask")


@pytest.mark.parametrize("index", [1, -2])
def test_bad_node_index(index):
    layer = ln.layers.Dense(2)
    layer(ln.Input((3,)))

    with pytest.raises(ValueError, match=f"expected a node index below 1, got {index}"):
        layer.get_output_at(index)


def test_positional_arguments_are_allowed():
    class Scale(ln.Layer):
        def call(self, x, factor):
            return x * factor

    layer = Scale()
    layer(ln.Input((3,)), 2.0)

    assert len(layer.inbound_nodes) == 1


def test_constant_beside_a_symbol_gives_no_node():
    class Join(ln.Layer):
        def call(self, xs):
            return xs[0] + xs[1]

    layer = Join()

    assert layer([ln.Input((3,)), ONE[:1]]).shape == (None, 3)
    assert layer.inbound_nodes == []


def test_symbolic_losses_do_not_hide_evaluated_ones():
    layer = ln.layers.Dense(1, kernel_regularizer=ln.regularizers.l2(1.0), kernel_initializer="ones")
    layer(ln.Input((3,)))

    assert [float(loss) for loss in layer.losses] == [3.0]


def test_add_loss_in_a_symbolic_call():
    class Penalty(ln.Layer):
        def call(self, x):
            self.add_loss(ln.reduce_sum(x), inputs=x)
            self.add_loss(ln.constant(2.0))
            return x

    layer = Penalty()
    x = ln.Input((3,))
    layer(x)

    assert len(layer.losses) == 2
    assert len(layer.get_losses_for(x)) == 1
    assert [float(loss) for loss in layer.get_losses_for(None)] == [2.0]


def test_updates_are_gathered_by_networks():
    net = ln.Sequential([ln.layers.Dense(2), ln.layers.BatchNormalization()])
    x, other = ln.Input((3,)), ln.Input((3,))
    net(x, training=True)

    assert len(net.updates) == 2
    assert len(net.get_updates_for(x)) == 2
    assert net.get_updates_for(other) == []


def test_updates_without_symbolic_calls():
    net = ln.Sequential([ln.layers.BatchNormalization()])
    net(ONE, training=True)

    assert net.updates == []


@pytest.mark.parametrize("method", ["get_losses_for", "get_updates_for"])
def test_questions_about_symbols_need_a_symbolic_call(method):
    net = ln.Sequential([ln.layers.Dense(2)])
    net(ONE)

    with pytest.raises(RuntimeError, match=f"'{method}' is known after a symbolic call only"):
        getattr(net, method)(None)


def test_mask_reaches_the_mask_argument():
    class Source(ln.Layer):
        def compute_mask(self, inputs, mask=None):
            return inputs > 0.5

        def call(self, x):
            return x * 1.0

    class Sink(ln.Layer):
        def __init__(self):
            super().__init__()
            self.supports_masking = True

        def call(self, x, mask=None):
            self.seen = mask
            return x

    source, sink = Source(), Sink()
    sink(source(ln.Input((3,))))

    assert sink.seen is source.output_mask


def test_masks_are_joined_when_inputs_are_added():
    class Source(ln.Layer):
        def compute_mask(self, inputs, mask=None):
            return inputs > 0.5

        def call(self, x):
            return x * 1.0

    source, add = Source(), ln.layers.Add()
    add([source(ln.Input((3,))), ln.Input((3,))])

    assert add.input_mask == [source.output_mask, None]
    assert add.output_mask is source.output_mask


def test_plan_tracing_leaves_no_mark():
    net = ln.Sequential(
        [ln.layers.Dense(2, kernel_regularizer="l2", activity_regularizer="l2"), ln.layers.BatchNormalization()], "n"
    )
    net(ONE)
    before = len(net.losses)

    with symbolic.Tracing(record=False) as tracing:
        y = net(ln.Input((3,)), training=True)
        inside = net.losses

    assert y.shape == (None, 2)
    assert [isinstance(loss, symbolic.Symbol) for loss in inside] == [True, True]
    assert len(tracing.losses) == 1
    assert len(tracing.effects) == len(tracing.updates) == 2
    assert (len(net.losses), net.updates, net.inbound_nodes, net.layers[0].inbound_nodes) == (before, [], [], [])


def test_plan_tracing_may_build():
    net = ln.Sequential([ln.layers.Dense(2)], name="n")
    with symbolic.Tracing(record=False):
        net(ln.Input((3,)))

    assert [v.name for v in net.variables] == ["n/dense/kernel:0", "n/dense/bias:0"]

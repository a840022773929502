"""Every item of the documentation page of tf.contrib.eager.Network, eager and symbolic (section 22)."""

import numpy as np
import pytest

import layernet as ln

NODE_PROPERTIES = ["input", "output", "input_mask", "output_mask", "input_shape", "output_shape"]
NODE_METHODS = [
    "get_input_at",
    "get_output_at",
    "get_input_mask_at",
    "get_output_mask_at",
    "get_input_shape_at",
    "get_output_shape_at",
]


def network():
    return ln.Sequential([ln.layers.Dense(2), ln.layers.Dense(1)], name="n")


@pytest.fixture
def eager():
    net = network()
    net(np.ones((1, 3), "float32"))
    return net


@pytest.fixture
def symbolic():
    net = network()
    net(ln.Input((3,)))
    return net


def test_items_after_an_eager_call(eager):
    assert eager.activity_regularizer is None
    assert eager.dtype == "float32"
    assert eager.inbound_nodes == eager.outbound_nodes == eager.updates == eager.losses == []
    assert (eager.name, eager.scope_name, eager.trainable, eager.stateful) == ("n", "n", True, False)
    assert len(eager.layers) == 2
    assert eager.variables == eager.weights == eager.trainable_variables == eager.trainable_weights
    assert eager.non_trainable_variables == eager.non_trainable_weights == []
    assert eager.count_params() == 11
    assert eager.get_config() == {"name": "n", "trainable": True, "dtype": "float32"}
    assert eager.compute_mask(np.ones((1, 3))) is None
    assert eager.add_update([1.0]) is None
    assert eager.updates == []


def test_items_after_a_symbolic_call(symbolic):
    assert (len(symbolic.inbound_nodes), symbolic.outbound_nodes, symbolic.updates) == (1, [], [])
    assert symbolic.input is symbolic.get_input_at(0)
    assert symbolic.output is symbolic.get_output_at(0)
    assert (symbolic.input_shape, symbolic.output_shape) == ((None, 3), (None, 1))
    assert (symbolic.input_mask, symbolic.output_mask) == (None, None)
    assert (symbolic.get_losses_for(None), symbolic.get_updates_for(symbolic.input)) == ([], [])
    assert symbolic.dtype == "float32"


@pytest.mark.parametrize("name", NODE_PROPERTIES)
def test_node_property_after_eager_calls_only(eager, name):
    for error in (AttributeError, RuntimeError):
        with pytest.raises(error, match=f"sequential 'n': '{name}' is known after a symbolic call only"):
            getattr(eager, name)


@pytest.mark.parametrize("name", NODE_METHODS)
def test_node_method_after_eager_calls_only(eager, name):
    with pytest.raises(RuntimeError, match=f"sequential 'n': '{name}' is known after a symbolic call only"):
        getattr(eager, name)(0)


@pytest.mark.parametrize("name", NODE_METHODS)
def test_node_method_with_a_bad_index(symbolic, name):
    with pytest.raises(ValueError, match="expected a node index below 1, got 1"):
        getattr(symbolic, name)(1)


def test_both_kinds_of_call_in_one_process(symbolic):
    assert symbolic(np.ones((4, 3), "float32")).shape == (4, 1)
    assert symbolic(ln.Input((3,))).shape == (None, 1)
    assert len(symbolic.inbound_nodes) == 2


def test_network_built_by_hand_learns_its_inputs_at_the_first_call():
    net = network()
    net.build((1, 3))
    net(np.ones((1, 3), "float32"))

    assert ln.Predictor(net).predict(np.ones((2, 3), "float32")).shape == (2, 1)


def test_construction_warns_about_nothing(recwarn):
    network()

    assert len(recwarn) == 0

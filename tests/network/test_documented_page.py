"""docs/network.md: every item of the original's page is there, and does what the table says."""

import ast
import builtins
import re
from pathlib import Path

import pytest

import layernet as ln

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "network.md").read_text()
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| `")]
CODE = re.search(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[1]
# The properties and methods of tf.contrib.eager.Network in TensorFlow 1.10.
ITEMS = re.findall(
    r"\w+",
    """
activity_regularizer dtype graph inbound_nodes input input_mask input_shape layers losses name non_trainable_variables
non_trainable_weights outbound_nodes output output_mask output_shape scope_name trainable trainable_variables
trainable_weights updates variables weights
__init__ __call__ __deepcopy__ add_loss add_update add_variable add_weight apply build call compute_mask
compute_output_shape count_params from_config get_config get_input_at get_input_mask_at get_input_shape_at get_layer
get_losses_for get_output_at get_output_mask_at get_output_shape_at get_updates_for get_weights set_weights track_layer
""",
)


def test_table_has_every_item_once():
    assert sorted(row[0].strip("`") for row in ROWS) == sorted(ITEMS)


def test_rows_are_complete():
    assert {len(row) for row in ROWS} == {5}
    assert all(all(row) for row in ROWS)


def outcome(expression, namespace):
    """The value, or the names of the exception's classes."""
    try:
        return eval(expression, namespace)
    except Exception as error:
        return {cls.__name__ for cls in type(error).__mro__}


@pytest.mark.parametrize("row", ROWS, ids=[row[0].strip("`") for row in ROWS])
@pytest.mark.parametrize("mode", ["eager", "symbolic"])
def test_item_does_what_the_table_says(row, mode):
    expression, eager, symbolic = (cell.strip("`") for cell in row[1:4])
    expected = eager if mode == "eager" else symbolic
    namespace = {}
    exec(CODE, namespace)
    namespace["y"] = namespace["net"](namespace["x" if mode == "eager" else "s"])

    got = outcome(expression, namespace)

    if isinstance(getattr(builtins, expected, None), type):
        assert isinstance(got, set)
        assert expected in got
    else:
        want = ast.literal_eval(expected)
        assert type(got) is type(want)
        assert got == want


@pytest.mark.parametrize("item", sorted(set(ITEMS) - {"__deepcopy__"}))
def test_item_is_documented(item):
    thing = getattr(ln.Network, item)
    doc = ln.Network.__doc__ if item == "__init__" else thing.__doc__

    assert len((doc or "").strip()) >= len("The mask of `input`.")


def test_every_expression_uses_its_item():
    for item, expression, *_ in ROWS:
        name = item.strip("`")
        if not name.startswith("__"):
            assert re.search(rf"\.{name}\b", expression)


# --- the errors that the remarks speak of -----------------------------------------------------------------------------


@pytest.fixture
def net():
    namespace = {}
    exec(CODE, namespace)
    return namespace["net"]


@pytest.mark.parametrize(
    ("ask", "error", "message"),
    [
        (lambda n: n.scope_name, ValueError, "'net': has no scope before its first call"),
        (lambda n: type(n)().name, ValueError, "TwoLayer: has no name yet"),
        (lambda n: n.count_params(), ValueError, "has no parameters to count before it is built"),
        (lambda n: setattr(n, "trainable", False), AttributeError, "a network is always trainable"),
        (lambda n: type(n)("a/b"), ValueError, "expected a name without '/'"),
        (lambda n: n.compute_mask(1, mask=1), TypeError, "does not support masking"),
        (lambda n: n.get_layer(index=-1), ValueError, r"expected an index in \[0, 2\), got -1"),
        (lambda n: n.get_layer(index=2), ValueError, r"expected an index in \[0, 2\), got 2"),
        (lambda n: n.track_layer(1), TypeError, "expected a layer to track, got 1"),
    ],
)
def test_error_of_the_remarks(net, ask, error, message):
    with pytest.raises(error, match=message):
        ask(net)


def test_dtype_before_the_first_call(net):
    assert net.dtype is None


def test_several_nodes_are_answered_by_the_first(net):
    first, second = ln.Input((3,)), ln.Input((3,))
    net(first)
    net(second)

    assert net.input is first
    assert net.input_shape == (None, 3)
    with pytest.raises(ValueError, match="expected a node index below 2, got 2"):
        net.get_input_at(2)


def test_updates_of_members_are_gathered():
    net = ln.Sequential([ln.layers.BatchNormalization()], name="net")
    s = ln.Input((3,))
    net(s, training=True)

    assert len(net.updates) == len(net.get_updates_for(s)) == 2
    assert net.get_updates_for(None) == []


def test_losses_of_members_are_evaluated():
    net = ln.Sequential([ln.layers.Dense(1, kernel_regularizer="l2", kernel_initializer="ones")], name="net")
    net(ln.ones((1, 3)))
    before = float(net.losses[0])
    net.variables[0].assign([[2.0]] * 3)

    assert (float(net.losses[0]) / before) == pytest.approx(4.0)

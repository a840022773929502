"""Sizes are integers or multiples of one batch symbol; whatever is neither is an error that names the op."""

import pytest

import layernet as ln
from layernet import _core


def sizes(symbol: object) -> str:
    return symbol.symbolic_shape  # type: ignore[attr-defined]


def test_concat_over_the_batch_gives_a_multiple() -> None:
    x = ln.Input(shape=(3,))
    assert sizes(_core.ops.concat([x, x], axis=0)) == "[2N, 3]"


def test_reshape_infers_symbolic_sizes() -> None:
    x = ln.Input(shape=(4, 6))
    assert sizes(ln.reshape(x, [-1, 3])) == "[8N, 3]"
    assert sizes(ln.reshape(x, [-1])) == "[24N]"


def test_shape_gives_sizes_that_reshape_accepts() -> None:
    x = ln.Input(shape=(4, 6))
    n = ln.shape(x)[0]
    assert sizes(ln.reshape(x, [n, 2, -1])) == "[N, 2, 12]"


def test_a_sum_of_batch_and_number_is_refused_by_name() -> None:
    x = ln.Input(shape=(3,))
    with pytest.raises(ln.errors.GraphError, match=r"concat: expected sizes that stay integers or multiples"):
        _core.ops.concat([x, ln.constant([[1.0, 2.0, 3.0]])], axis=0)


def test_the_square_of_the_batch_is_refused() -> None:
    x = ln.Input(shape=(3,))
    with pytest.raises(ln.errors.GraphError, match="multiples of the batch symbol N"):
        ln.reshape(ln.matmul(x, x, transpose_b=True), [-1])


def test_a_size_that_depends_on_data_is_refused() -> None:
    x = ln.Input(shape=(3,))
    size = ln.cast(ln.reduce_sum(x), "int64")
    with pytest.raises(ln.errors.GraphError, match="a size that depends on data"):
        ln.reshape(x, [size, -1])


def test_slicing_the_batch_is_refused() -> None:
    x = ln.Input(shape=(3,))
    with pytest.raises(ln.errors.GraphError, match="kept whole"):
        x[1:]
    assert sizes(x[:, 1:]) == "[N, 2]"


@pytest.mark.parametrize("use", [bool, float, int, list, lambda x: x.numpy(), lambda x: 1 if x > 0 else 2])
def test_python_cannot_look_at_a_symbolic_value(use: object) -> None:
    x = ln.Input(shape=(3,))
    with pytest.raises(ln.errors.GraphError, match="not known while a network is traced"):
        use(x)  # type: ignore[operator]


def test_variables_are_references_inside_a_trace_only() -> None:
    variable = _core.Variable([1.0])
    assert isinstance(_core.ops.exp(variable), _core.Tensor)
    with _core.Trace():
        assert _core.is_tracing()
        assert isinstance(_core.ops.exp(variable), _core.Symbol)
        with _core.NoTrace():
            assert isinstance(_core.ops.exp(variable), _core.Tensor)
    assert not _core.is_tracing()


def test_effects_are_recorded_in_order_and_leave_the_variable_alone() -> None:
    variable = _core.Variable([1.0])
    with _core.Trace() as trace:
        _core.ops.assign_add(variable, [2.0])
        read = _core.ops.identity(variable)
        _core.ops.assign(variable, read)
    assert [e.op for e in trace.effects] == ["assign_add", "assign"]
    assert variable.numpy().tolist() == [1.0]
    assert variable.version == 0


def test_a_graph_lists_what_it_needs_and_prints_it() -> None:
    x, unused = ln.Input(shape=(2,)), ln.Input(shape=(2,))
    y = ln.tanh(x * 2.0)
    unused * 3.0
    text = _core.Graph([x], [y]).text()
    assert text.splitlines() == [
        "%0 = input : float32[N, 2]",
        "%1 = multiply(%0, 2) : float32[N, 2]",
        "%2 = tanh(%1) : float32[N, 2]",
        "return %2",
    ]


def test_a_missing_input_is_named() -> None:
    x = ln.Input(shape=(2,), name="left")
    with pytest.raises(ln.errors.GraphError, match="unlisted input 'left'"):
        _core.Graph([], [ln.tanh(x)])


def test_an_inner_value_can_be_an_input() -> None:
    x = ln.Input(shape=(2,))
    h = ln.tanh(x)
    assert _core.Graph([h], [ln.exp(h)]).num_nodes == 1


def test_long_chains_are_freed_without_deep_recursion() -> None:
    x = ln.Input(shape=(1,))
    for _ in range(100_000):
        x = -x
    del x

"""Each pass of the plan, before and after on the printed graph, and that the results stay."""

import numpy as np
import pytest

import layernet as ln
import reference
from layernet import _core


def plan_of(inputs: list, outputs: list) -> "_core.Plan":
    return _core.Plan(_core.Graph(inputs, outputs))


def body(plan: "_core.Plan") -> list[str]:
    return plan.text().splitlines()[1:-1]


def variable(rng: np.random.Generator, *shape: int) -> "_core.Variable":
    return _core.Variable(rng.uniform(0.5, 1.5, shape).astype("float32"))


def dense_then(rest, transpose_w: bool = False, dtype: str = "float32"):  # type: ignore[no-untyped-def]
    """x, w, b, rest(dense(x w + b))."""
    rng = np.random.default_rng(0)
    x = ln.Input(shape=(3,), dtype=dtype)
    w = _core.Variable(rng.normal(size=(4, 3) if transpose_w else (3, 4)).astype(dtype))
    b = _core.Variable(rng.normal(size=4).astype(dtype))
    with _core.Trace():
        y = rest(_core.ops.dense(x, w, b, transpose_w=transpose_w))
    return x, w.numpy(), b.numpy(), y


@pytest.mark.parametrize("transpose_w", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_batch_norm_is_folded_into_dense(transpose_w: bool, dtype: str) -> None:
    rng = np.random.default_rng(1)
    vectors = [rng.uniform(0.5, 1.5, 4).astype(dtype) for _ in range(4)]
    parts = [_core.Variable(v) for v in vectors]
    x, w, b, y = dense_then(lambda h: _core.ops.batch_norm(h, *parts, epsilon=1e-3), transpose_w, dtype)
    plan = plan_of([x], [y])
    (line,) = body(plan)
    assert "= dense(%0, constant" in line
    data = rng.normal(size=(5, 3)).astype(dtype)
    gamma, beta, mean, variance = (v.astype("float64") for v in vectors)
    h = data.astype("float64") @ (w.T if transpose_w else w) + b
    want = gamma * (h - mean) / np.sqrt(variance + 1e-3) + beta
    # One rounding of each folded weight and bias, then the bound of the product.
    np.testing.assert_allclose(plan.run([data])[0], want, atol=8 * np.finfo(dtype).eps * np.abs(want).max())


def test_batch_norm_over_another_axis_stays() -> None:
    x = ln.Input(shape=(4, 3))
    w = _core.Variable(np.ones((3, 4), "float32"))
    parts = [_core.Variable(np.ones(4, "float32")) for _ in range(4)]
    with _core.Trace():
        y = _core.ops.batch_norm(_core.ops.dense(x, w), *parts, axis=1)
    assert [s["op"] for s in plan_of([x], [y]).steps] == ["dense", "batch_norm"]


def test_batch_norm_after_an_activation_stays() -> None:
    parts = [_core.Variable(np.ones(4, "float32")) for _ in range(4)]
    x, _, _, y = dense_then(lambda h: _core.ops.batch_norm(_core.ops.relu(h), *parts))
    assert [s["op"] for s in plan_of([x], [y]).steps] == ["dense", "chain"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("axis", [-1, 2])
def test_a_batch_norm_by_itself_is_a_multiplication_and_an_addition_in_a_chain(dtype: str, axis: int) -> None:
    rng = np.random.default_rng(1)
    vectors = [rng.uniform(0.5, 1.5, 5).astype(dtype) for _ in range(4)]
    x = ln.Input(shape=(3, 5), dtype=dtype)
    with _core.Trace():
        y = _core.ops.relu(_core.ops.batch_norm(x, *(_core.Variable(v) for v in vectors), epsilon=1e-3, axis=axis))
    plan = plan_of([x], [y])
    vector = f"constant {dtype}[5]"
    assert [line.split(" = ")[1] for line in body(plan)] == [
        f"chain(%0, {vector}, {vector}; multiply(#0, #1), add(_, #2), relu(_)) : {dtype}[N, 3, 5]"
    ]
    data = rng.normal(size=(2, 3, 5)).astype(dtype)
    gamma, beta, mean, variance = (v.astype("float64") for v in vectors)
    want = np.maximum(gamma * (data.astype("float64") - mean) / np.sqrt(variance + 1e-3) + beta, 0)
    np.testing.assert_allclose(plan.run([data])[0], want, rtol=0, atol=20 * np.finfo(dtype).eps)


def test_a_batch_norm_of_halves_or_another_axis_is_no_chain() -> None:
    for dtype, axis in (("float16", -1), ("float32", 1)):
        parts = [_core.Variable(np.ones(3, dtype)) for _ in range(4)]
        x = ln.Input(shape=(3, 3), dtype=dtype)
        with _core.Trace():
            y = _core.ops.batch_norm(x, *parts, axis=axis)
        assert [s["op"] for s in plan_of([x], [y]).steps] == ["batch_norm"]


def test_a_bias_added_behind_a_product_is_taken_into_it() -> None:
    x = ln.Input(shape=(3,))
    w, b = _core.Variable(np.ones((3, 2), "float32")), _core.Variable(np.float32([1, 2]))
    with _core.Trace():
        y = _core.ops.relu(_core.ops.dense(x, w) + b)
    plan = plan_of([x], [y])
    assert [line.split(" = ")[1] for line in body(plan)] == [
        "dense(%0, constant float32[3, 2], constant float32[2]; activation=relu) : float32[N, 2]"
    ]
    np.testing.assert_array_equal(plan.run([np.ones((1, 3))])[0], [[4, 5]])


@pytest.mark.parametrize("swap", [False, True])
@pytest.mark.parametrize("use_bias", [False, True])
def test_a_residual_and_the_activation_behind_it_are_taken_into_dense(swap: bool, use_bias: bool) -> None:
    rng = np.random.default_rng(0)
    x = ln.Input(shape=(4,))
    w = rng.normal(size=(4, 4)).astype("float32")
    b = rng.normal(size=4).astype("float32")
    arguments = [_core.Variable(w)] + ([_core.Variable(b)] if use_bias else [])
    with _core.Trace():
        h = _core.ops.tanh(x)
        z = _core.ops.dense(h, *arguments)
        y = _core.ops.relu(h + z if swap else z + h)
    plan = plan_of([x], [y])
    assert [s["op"] for s in plan.steps] == ["tanh", "dense"]
    assert (
        body(plan)[1]
        .split(" = ")[1]
        .startswith("dense(%1, constant float32[4, 4], constant float32[4], %1; activation=relu)")
    )
    data = rng.normal(size=(9, 4)).astype("float32")
    t = np.tanh(data.astype("float64"))
    want = np.maximum(t + t @ w + (b if use_bias else 0), 0)
    np.testing.assert_allclose(plan.run([data])[0], want, atol=1e-6)


def test_a_residual_that_comes_later_goes_to_the_later_product() -> None:
    rng = np.random.default_rng(0)
    x = ln.Input(shape=(4,))
    v, w = variable(rng, 4, 3), variable(rng, 4, 3)
    with _core.Trace():
        y = _core.ops.dense(x, v) + _core.ops.dense(_core.ops.tanh(x), w)
    plan = plan_of([x], [y])
    assert [s["op"] for s in plan.steps] == ["dense", "tanh", "dense"]
    data = rng.normal(size=(2, 4)).astype("float32")
    np.testing.assert_allclose(plan.run([data])[0], data @ v.numpy() + np.tanh(data) @ w.numpy(), rtol=1e-5)


@pytest.mark.parametrize("threads", [1, 2])
def test_residuals_by_columns_and_rows_have_the_same_bits(threads: int) -> None:
    class Residual(ln.Network):
        def __init__(self) -> None:
            super().__init__()
            self.a = self.track_layer(ln.layers.Dense(1024, activation="relu"))
            self.b = self.track_layer(ln.layers.Dense(1024))

        def call(self, x):  # type: ignore[no-untyped-def]
            return ln.nn.relu(x + self.b(self.a(x)))

    net = Residual()
    rows = np.random.default_rng(0).normal(size=(70, 1024)).astype("float32")
    net(rows[:1])
    whole = ln.Predictor(net, threads=threads).predict(rows)
    alone = ln.Predictor(net, threads=threads)
    for first, count in ((0, 1), (3, 5), (69, 1)):
        assert (alone.predict(rows[first : first + count]) == whole[first : first + count]).all()


def image_variables(dtype: str, *shapes: tuple[int, ...]) -> list["_core.Variable"]:
    rng = np.random.default_rng(3)
    return [_core.Variable(rng.uniform(0.5, 1.5, shape).astype(dtype)) for shape in shapes]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("op", "kernel", "out"), [("conv", (2, 3, 3, 4), 4), ("conv", (1, 1, 3, 4), 4), ("depthwise_conv", (2, 3, 3), 3)]
)
def test_bias_batch_norm_and_activation_are_taken_into_a_convolution(
    op: str, kernel: tuple[int, ...], out: int, dtype: str
) -> None:
    x = ln.Input(shape=(5, 4, 3), dtype=dtype)
    w, b, *parts = image_variables(dtype, kernel, *[(out,)] * 5)
    with _core.Trace():
        y = getattr(_core.ops, op)(x, w, padding="same", strides=[2, 1]) + b
        y = ln.tanh(_core.ops.batch_norm(y, *parts, epsilon=1e-3))
    plan = plan_of([x], [y])
    (line,) = body(plan)
    assert f"= {op}(%0, constant {dtype}{list(kernel)}, constant {dtype}[{out}]; strides=[2, 1], " in line
    assert "activation=tanh" in line
    data = np.random.default_rng(0).normal(size=(3, 5, 4, 3)).astype(dtype)
    h = reference.OPS[op](data.astype("float64"), w.numpy().astype("float64"), padding="same", strides=[2, 1])
    gamma, beta, mean, variance = (v.numpy().astype("float64") for v in parts)
    want = np.tanh(gamma * (h + b.numpy() - mean) / np.sqrt(variance + 1e-3) + beta)
    # One rounding of each folded weight and bias, 18 terms below 20 each, then tanh, which has no larger slope than 1.
    np.testing.assert_allclose(plan.run([data])[0], want, rtol=0, atol=18 * 20 * np.finfo(dtype).eps)


def test_activation_behind_a_convolution_is_printed_with_it() -> None:
    x = ln.Input(shape=(5, 3))
    w, b, d = image_variables("float32", (2, 3, 4), (4,), (3, 3))
    with _core.Trace():
        y = ln.nn.elu(_core.ops.conv(x, w) + b, 0.5)
        z = ln.nn.relu(_core.ops.depthwise_conv(x, d))
    assert [line.split(" = ")[1] for line in body(plan_of([x], [y, z]))] == [
        "conv(%0, constant float32[2, 3, 4], constant float32[4]; activation=elu, alpha=0.5) : float32[N, 4, 4]",
        "depthwise_conv(%0, constant float32[3, 3]; activation=relu) : float32[N, 3, 3]",
    ]


@pytest.mark.parametrize("swap", [False, True])
def test_a_residual_is_taken_into_a_convolution(swap: bool) -> None:
    x = ln.Input(shape=(6, 5, 4))
    v, w = image_variables("float32", (3, 3, 4, 4), (1, 1, 4, 4))
    with _core.Trace():
        h = _core.ops.tanh(x)
        z = _core.ops.conv(_core.ops.conv(h, v, padding="same"), w)
        y = ln.nn.relu(h + z if swap else z + h)
    plan = plan_of([x], [y])
    assert [s["op"] for s in plan.steps] == ["tanh", "conv", "conv"]
    assert (
        body(plan)[2]
        .split(" = ")[1]
        .startswith("conv(%3, constant float32[1, 1, 4, 4], constant float32[4], %1; activation=relu)")
    )
    data = np.random.default_rng(0).normal(size=(8, 6, 5, 4)).astype("float32")
    t = np.tanh(data.astype("float64"))
    inner = reference.conv(t, v.numpy().astype("float64"), padding="same")
    want = np.maximum(reference.conv(inner, w.numpy().astype("float64")) + t, 0)
    # Sums of 36, then 4 terms, of up to 100 in all.
    np.testing.assert_allclose(plan.run([data])[0], want, rtol=0, atol=40 * 100 * 2.0**-24)


def test_a_depthwise_convolution_takes_no_residual() -> None:
    x = ln.Input(shape=(6, 4))
    (w,) = image_variables("float32", (3, 4))
    with _core.Trace():
        y = x + _core.ops.depthwise_conv(x, w, padding="same")
    assert [s["op"] for s in plan_of([x], [y]).steps] == ["depthwise_conv", "add"]


def test_layers_of_a_separable_block_are_two_steps() -> None:
    L = ln.layers
    net = ln.Sequential(
        [
            L.SeparableConv2D(8, 3, padding="same", use_bias=False),
            L.BatchNormalization(),
            L.Activation("relu"),
        ]
    )
    data = np.random.default_rng(0).normal(size=(2, 5, 6, 4)).astype("float32")
    want = net(data).numpy()
    predictor = ln.Predictor(net)
    assert [s["op"] for s in predictor.steps] == ["depthwise_conv", "conv"]
    # Sums of 9 and 4 terms; the batch norm divides by sqrt(1.001) before, not after.
    np.testing.assert_allclose(predictor.predict(data), want, rtol=0, atol=13 * 8 * 2.0**-24)


def test_elementwise_ops_become_one_chain() -> None:
    rng = np.random.default_rng(0)
    mean, scale = rng.normal(size=5).astype("float32"), rng.uniform(1, 2, 5).astype("float32")
    x = ln.Input(shape=(5,))
    with _core.Trace():
        z = ln.clip_by_value((x - _core.Variable(mean)) * _core.Variable(scale), -1.0, 1.0)
        y = ln.multiply(x, ln.sigmoid(z))
    plan = plan_of([x], [y])
    (line,) = body(plan)
    assert line.split(" = ")[1] == (
        "chain(%0, constant float32[5], constant float32[5]; subtract(#0, #1), multiply(_, #2), "
        "clip(_; min=-1, max=1), sigmoid(_), multiply(#0, _)) : float32[N, 5]"
    )
    for rows in (0, 1, 204, 205, 1000):  # a block is 204 rows
        data = rng.normal(size=(rows, 5)).astype("float32")
        z64 = np.clip((data.astype("float64") - mean) * scale, -1, 1)
        np.testing.assert_allclose(plan.run([data])[0], data / (1 + np.exp(-z64)), rtol=2e-6, atol=1e-7)


def test_a_chain_may_change_the_type_and_take_numbers() -> None:
    x = ln.Input(shape=(7, 300))
    with _core.Trace():
        y = _core.ops.logical_not(ln.greater(ln.exp(x) * np.float32(2), 3.0))
    plan = plan_of([x], [y])
    assert [s["op"] for s in plan.steps] == ["chain"]
    data = np.random.default_rng(0).normal(size=(3, 7, 300)).astype("float32")
    np.testing.assert_array_equal(plan.run([data])[0], ~(np.exp(data) * 2 > 3))


@pytest.mark.parametrize("shape", [(5,), (1, 5), (4, 5), (4, 1)])
def test_chains_with_operands_of_other_shapes_agree_with_eager(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    other = rng.normal(size=shape).astype("float32")
    x = ln.Input(shape=(4, 5))
    with _core.Trace():
        y = ln.exp(ln.tanh(x) + _core.Variable(other)) * 0.5
    data = rng.normal(size=(6, 4, 5)).astype("float32")
    want = (ln.exp(ln.tanh(ln.constant(data)) + other) * 0.5).numpy()
    np.testing.assert_array_equal(plan_of([x], [y]).run([data])[0], want)


def test_halves_are_not_chained() -> None:
    x = ln.Input(shape=(5,), dtype="float16")
    y = ln.exp(ln.tanh(x))
    assert [s["op"] for s in plan_of([x], [y]).steps] == ["tanh", "exp"]


def test_results_take_the_memory_of_inputs_that_are_used_up() -> None:
    """A residual network of any depth needs two buffers; its rows never reach the caller's input."""
    rng = np.random.default_rng(0)
    x = ln.Input(shape=(8,))
    with _core.Trace():
        h = _core.ops.dense(x, variable(rng, 8, 8))
        for _ in range(6):
            h = ln.nn.relu(
                h + _core.ops.dense(ln.nn.relu(_core.ops.dense(h, variable(rng, 8, 8))), variable(rng, 8, 8))
            )
        y = _core.ops.softmax(h)
    plan = plan_of([x], [y])
    assert plan.workspace_bytes(64) <= 2 * 64 * 8 * 4 + 4096
    data = rng.normal(size=(64, 8)).astype("float32")
    before = data.copy()
    plan.run([data])
    assert (data == before).all()


def test_an_input_is_never_overwritten() -> None:
    x = ln.Input(shape=(4,))
    y = ln.exp(x)
    data = np.ones((2, 4), "float32")
    plan_of([x], [y]).run([data])
    assert (data == 1).all()


def test_a_value_used_later_is_not_overwritten() -> None:
    rng = np.random.default_rng(0)
    x = ln.Input(shape=(4,))
    w = variable(rng, 4, 4)
    with _core.Trace():
        a = _core.ops.dense(x, w)
        b = ln.exp(a)
        c = _core.ops.dense(b, w)
        y = ln.reduce_sum(a, axis=-1, keepdims=True) + ln.reduce_sum(c, axis=-1, keepdims=True)
    data = rng.normal(size=(3, 4)).astype("float32") * 0.1
    a64 = data.astype("float64") @ w.numpy()
    want = a64.sum(-1, keepdims=True) + (np.exp(a64) @ w.numpy()).sum(-1, keepdims=True)
    np.testing.assert_allclose(plan_of([x], [y]).run([data])[0], want, rtol=1e-5)


def test_dead_nodes_are_dropped() -> None:
    x = ln.Input(shape=(4,))
    y = ln.split(x, 2, axis=1)
    assert [s["op"] for s in plan_of([x], [ln.exp(y[0])]).steps] == ["split", "exp"]


def step_of(outputs: list, trace: "_core.Trace", inputs: list) -> "_core.Plan":
    return _core.Plan.step(_core.Graph(inputs, outputs, trace.effects))


def ops_of(plan: "_core.Plan") -> list[str]:
    return [s["op"] for s in plan.steps]


def test_an_update_comes_after_the_last_reader_of_the_old_value_and_as_soon_as_it_can() -> None:
    x = ln.Input(shape=(2,))
    v = ln.Variable([1.0, 2.0])
    with _core.Trace() as trace:
        change = ln.reduce_sum(x, axis=0)
        y = ln.exp(x) * v.value()
        z = ln.reduce_sum(ln.tanh(y))
        v.assign_sub(change)
    plan = step_of([z], trace, [x])
    assert ops_of(plan) == ["reduce_sum", "chain", "reduce_sum", "assign_sub"]
    trace = _core.Trace()
    with trace:
        y = ln.matmul(x, ln.reshape(v.value(), (2, 1)))
        change = ln.reduce_sum(x, axis=0)
        v.assign_sub(change)
        z = ln.reduce_sum(ln.nn.softmax(y, axis=0))
    ops = ops_of(step_of([z], trace, [x]))
    assert ops.index("assign_sub") == 1 + max(ops.index("matmul"), ops.index("reduce_sum"))


def test_who_reads_the_old_value_after_an_update_gets_a_copy() -> None:
    """Two variables change places, and the output is what one of them was."""
    x = ln.Input(shape=(1,))
    a, b = ln.Variable([1.0, 2.0]), ln.Variable([3.0, 4.0])
    with _core.Trace() as trace:
        old_a, old_b = a.value(), b.value()
        a.assign(old_b)
        b.assign(old_a)
    plan = step_of([old_a, ln.reduce_sum(x)], trace, [x])
    assert ops_of(plan).count("copy") >= 1
    for first, second in [([3.0, 4.0], [1.0, 2.0]), ([1.0, 2.0], [3.0, 4.0])]:
        before = a.numpy().copy()
        out, _ = plan.run([np.ones((1, 1), "float32")])
        assert (a.numpy().tolist(), b.numpy().tolist()) == (first, second)
        assert (out == before).all()


def test_a_view_of_the_old_value_counts_as_a_reader_of_it() -> None:
    x = ln.Input(shape=(2,))
    v = ln.Variable([1.0, 2.0])
    with _core.Trace() as trace:
        old = ln.reshape(v, (2, 1))
        v.assign_sub(ln.reduce_sum(x, axis=0))
        y = ln.reduce_sum(ln.matmul(x, old))
    data = np.array([[1.0, 10.0], [1.0, 10.0]], "float32")
    plan = step_of([y], trace, [x])
    assert [float(plan.run([data])[0]) for _ in range(2)] == [42.0, -362.0]
    assert v.numpy().tolist() == [-3.0, -38.0]
    with _core.Trace() as trace:
        old = ln.reshape(v, (2, 1))
        v.assign(ln.reduce_sum(x, axis=0))
    out = step_of([old, ln.reduce_sum(x)], trace, [x]).run([data])[0]
    assert out.tolist() == [[-3.0], [-38.0]]


def test_an_update_waits_for_who_reads_a_view() -> None:
    x = ln.Input(shape=(2,))
    v = ln.Variable([1.0, 2.0])
    with _core.Trace() as trace:
        change = ln.reduce_sum(x, axis=0)
        column = ln.reshape(v, (2, 1))
        y = ln.matmul(ln.exp(ln.matmul(x, column)), ln.constant([[1.0]]))
        z = ln.reduce_sum(ln.nn.softmax(y, axis=0) * ln.matmul(x, column))
        v.assign_sub(change)
    ops = ops_of(step_of([z], trace, [x]))
    assert ops.index("assign_sub") > len(ops) - 1 - ops[::-1].index("matmul")
    assert "copy" not in ops


def test_a_variable_read_again_has_its_new_value() -> None:
    x = ln.Input(shape=())
    v = ln.Variable(1.0)
    with _core.Trace() as trace:
        v.assign_add(ln.reduce_sum(x))
        once = v.value() * 10.0
        v.assign_add(ln.reduce_sum(x))
        twice = v.value() * 100.0
    plan = step_of([once, twice], trace, [x])
    assert [float(y) for y in plan.run([np.array([1.0, 1.0], "float32")])] == [30.0, 500.0]
    assert float(v) == 5.0


def test_a_product_takes_in_the_gradient_of_the_activation_before_it() -> None:
    rng = np.random.default_rng(0)
    x, g = ln.Input(shape=(4,)), ln.Input(shape=(3,))
    w = variable(rng, 4, 3)
    with _core.Trace() as trace:
        y = _core.ops.tanh_grad(_core.ops.matmul(g, w, transpose_b=True), x)
    (line,) = body(step_of([y], trace, [x, g]))[1:]
    assert "matmul(" in line
    assert "gradient=tanh" in line
    data = rng.normal(size=(5, 4)).astype("float32"), rng.normal(size=(5, 3)).astype("float32")
    want = (data[1] @ w.numpy().T) * (1 - data[0] ** 2)
    np.testing.assert_allclose(step_of([y], trace, [x, g]).run(list(data))[0], want, rtol=1e-5, atol=1e-6)


def test_a_product_of_more_axes_does_not() -> None:
    x, g = ln.Input(shape=(2, 4)), ln.Input(shape=(2, 3))
    w = _core.Variable(np.ones((4, 3), "float32"))
    with _core.Trace() as trace:
        y = _core.ops.tanh_grad(_core.ops.matmul(g, w, transpose_b=True), x)
    assert ops_of(step_of([y], trace, [x, g])) == ["matmul", "tanh_grad"]

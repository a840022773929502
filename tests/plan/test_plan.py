"""Plans: what the passes do, and the promises of running."""

import os
import threading
import weakref

import numpy as np
import pytest

import layernet as ln
from layernet import _core


def plan_of(inputs: list, outputs: list) -> "_core.Plan":
    return _core.Plan(_core.Graph(inputs, outputs))


def mlp(*units: int, activation: str = "tanh") -> ln.Sequential:
    layers = [ln.layers.Dense(u, activation=activation) for u in units[:-1]] + [ln.layers.Dense(units[-1])]
    return ln.Sequential(layers)


def test_activation_is_absorbed_by_dense() -> None:
    x = ln.Input(shape=(3,))
    w = _core.Variable(np.ones((3, 2), "float32"))
    with _core.Trace():
        y = _core.ops.relu(_core.ops.dense(x, w))
    assert plan_of([x], [y]).text().splitlines() == [
        "%0 = input : float32[N, 3]",
        "%3 = dense(%0, constant float32[3, 2]; activation=relu) : float32[N, 2]",
        "return %3",
    ]


def test_a_value_that_others_read_is_not_absorbed() -> None:
    x = ln.Input(shape=(3,))
    w = _core.Variable(np.ones((3, 2), "float32"))
    with _core.Trace():
        h = _core.ops.dense(x, w)
        y = _core.ops.add(_core.ops.relu(h), h)
    assert [s["op"] for s in plan_of([x], [y]).steps] == ["dense", "chain"]


def test_constants_are_folded_and_identities_dropped() -> None:
    x = ln.Input(shape=(3,))
    v = _core.Variable(np.full(3, 2.0, "float32"))
    with _core.Trace():
        y = _core.ops.identity(x) * _core.ops.exp(_core.ops.square(v))
    plan = plan_of([x], [y])
    assert [s["op"] for s in plan.steps] == ["multiply"]
    np.testing.assert_allclose(plan.run([np.ones((1, 3))])[0], np.full((1, 3), np.exp(4)), rtol=1e-6)


def test_a_plan_is_a_snapshot() -> None:
    net = mlp(2)
    x = np.ones((1, 3), "float32")
    net(x)
    predictor = ln.Predictor(net)
    before = predictor.predict(x)
    net.set_weights([w * 0 for w in net.get_weights()])
    assert (predictor.predict(x) == before).all()
    assert (ln.Predictor(net).predict(x) == 0).all()


@pytest.mark.parametrize("output", ["input", "constant", "view", "twice"])
def test_outputs_that_no_step_produces(output: str) -> None:
    x = ln.Input(shape=(4,))
    y = ln.exp(x)
    outputs = {
        "input": [x],
        "constant": [ln.constant([1.0, 2.0]), y],
        "view": [ln.reshape(y, [-1, 2]), y],
        "twice": [y, y],
    }[output]
    data = np.arange(8, dtype="float32").reshape(2, 4)
    results = plan_of([x], outputs).run([data])
    want = {
        "input": [data],
        "constant": [np.float32([1, 2]), np.exp(data)],
        "view": [np.exp(data).reshape(-1, 2), np.exp(data)],
        "twice": [np.exp(data)] * 2,
    }[output]
    for got, expected in zip(results, want, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_updates_are_refused_with_the_remedy() -> None:
    x = ln.Input(shape=(4,))
    state = _core.Variable(np.zeros(2, "int64"), trainable=False)
    with _core.Trace():
        y = x * _core.ops.dropout_mask(state, x, rate=0.5)
    with pytest.raises(ln.errors.GraphError, match="training=False"):
        plan_of([x], [y])


@pytest.mark.parametrize("threads", [1, 2])
def test_same_row_same_bits(threads: int) -> None:
    net = mlp(37, 91, 7)
    rows = np.random.default_rng(0).normal(size=(5003, 53)).astype("float32")
    net(rows[:1])
    predictor = ln.Predictor(net, threads=threads)
    whole = predictor.predict(rows)
    alone = ln.Predictor(net)
    for first, count in ((0, 1), (1, 2), (7, 16), (60, 131), (4095, 908), (5002, 1)):
        assert (alone.predict(rows[first : first + count]) == whole[first : first + count]).all()


def test_one_row_by_columns_has_the_same_bits() -> None:
    net = mlp(1024, 512, 1, activation="relu")
    row = np.random.default_rng(1).normal(size=(1, 512)).astype("float32")
    net(row)
    assert (ln.Predictor(net, threads=2).predict(row) == ln.Predictor(net).predict(row)).all()


def test_softmax_over_the_batch_is_not_cut_into_blocks() -> None:
    x = ln.Input(shape=(3,))
    y = ln.nn.softmax(ln.tanh(x), axis=0)
    data = np.random.default_rng(0).normal(size=(20_000, 3)).astype("float32")
    got = plan_of([x], [y]).run([data])[0]
    e = np.exp(np.tanh(data.astype("float64")))
    np.testing.assert_allclose(got, e / e.sum(0), rtol=1e-4)


@pytest.mark.parametrize("n", [0, 1, 5])
def test_any_batch_size(n: int) -> None:
    net = mlp(4, 2)
    net(np.ones((3, 3), "float32"))
    assert ln.Predictor(net).predict(np.ones((n, 3), "float32")).shape == (n, 2)


def test_predict_allocates_nothing_but_the_output() -> None:
    net = mlp(16, 4)
    x = np.ones((8, 3), "float32")
    net(x)
    predictor = ln.Predictor(net)
    out = predictor.predict(x)
    before = _core.allocation_count()
    for _ in range(20):
        predictor.predict(x, out=out)
    assert _core.allocation_count() == before


def test_a_small_result_is_written_again_once_nobody_holds_it() -> None:
    net = mlp(4, 2)
    x = np.random.default_rng(0).normal(size=(3, 5)).astype("float32")
    net(x)
    predictor = ln.Predictor(net)
    predict, want = predictor.predict, ln.Predictor(net).predict(x).copy()
    addresses = {id(predict(x)) for _ in range(10)}
    assert len(addresses) <= 2
    y = predict(x)
    for _ in range(10):  # the result that the name holds is not the one being written
        before = y
        y = predict(x)
        assert y is not before
    held = [predict(x + i) for i in range(6)]
    assert len({id(h) for h in held}) == 6
    np.testing.assert_array_equal(held[0], want)
    assert predict(x[:2]).shape == (2, 2)
    np.testing.assert_array_equal(predict(x), want)


@pytest.mark.parametrize(
    "keep",
    [
        lambda y: y[1:],
        lambda y: y.T,
        memoryview,
        lambda y: np.frombuffer(y, "float32"),
        np.from_dlpack,
        lambda y: np.lib.stride_tricks.as_strided(y, (6,), (4,)),
    ],
)
def test_what_looks_into_a_result_keeps_it(keep: object) -> None:
    net = mlp(4, 2)
    x = np.ones((3, 5), "float32")
    net(x)
    predict = ln.Predictor(net).predict
    views = [keep(predict(x * i)) for i in range(4)]
    for i, view in enumerate(views):
        np.testing.assert_array_equal(np.asarray(view), np.asarray(keep(predict(x * i))))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # NumPy would rather not have shapes and types assigned
def test_a_result_that_was_changed_or_is_watched_is_not_written_again() -> None:
    net = mlp(4, 2)
    x = np.ones((3, 5), "float32")
    net(x)
    predict = ln.Predictor(net).predict
    want = predict(x).copy()
    for change in [
        lambda y: y.setflags(write=False),
        lambda y: setattr(y, "shape", (2, 3)),
        lambda y: setattr(y, "dtype", "int32"),
        lambda y: y.fill(7),
    ]:
        for _ in range(3):
            change(predict(x))
        got = predict(x)
        assert (got.flags.writeable, got.shape, got.dtype) == (True, (3, 2), np.float32)
        np.testing.assert_array_equal(got, want)
    del got
    watched = predict(x)
    gone = weakref.ref(watched)
    kept_by_the_predictor = id(watched)
    del watched
    assert gone() is None or id(predict(x)) != kept_by_the_predictor


def test_results_and_workspaces_of_threads_are_apart() -> None:
    net = mlp(64, 64, 4)
    x = np.random.default_rng(0).normal(size=(8, 16)).astype("float32")
    net(x)
    predictor = ln.Predictor(net, release_gil=True)
    want = [predictor.predict(x + i).copy() for i in range(4)]
    wrong = []

    def work(i: int) -> None:
        for _ in range(500):
            if not (predictor.predict(x + i) == want[i]).all():
                wrong.append(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_many_threads_share_one_predictor() -> None:
    net = mlp(64, 8)
    rows = np.random.default_rng(2).normal(size=(64, 16)).astype("float32")
    net(rows)
    predictor = ln.Predictor(net, threads=2, release_gil=True)
    want = ln.Predictor(net).predict(rows)
    wrong = []

    def call() -> None:
        for i in range(200):
            n = i % 64 + 1
            if not (predictor.predict(rows[:n]) == want[:n]).all():
                wrong.append(n)

    workers = [threading.Thread(target=call) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert wrong == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork is POSIX")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("threads", [1, 2])
def test_predicting_goes_on_in_a_forked_child(threads: int) -> None:
    net = mlp(512, 512, 1, activation="relu")
    rows = np.random.default_rng(3).normal(size=(256, 64)).astype("float32")
    net(rows)
    predictor = ln.Predictor(net, threads=threads)
    want = predictor.predict(rows)
    child = os.fork()
    if child == 0:
        os._exit(0 if (predictor.predict(rows) == want).all() else 1)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize(
    "convert",
    [
        lambda x: x.astype("float64"),
        lambda x: x.astype("float16").astype("float32").astype("float16"),
        lambda x: x.astype(">f4"),
        lambda x: np.asfortranarray(x),
        lambda x: np.repeat(x, 2, axis=0)[::2],
        lambda x: x.tolist(),
        lambda x: np.frombuffer(b"\0" + x.tobytes(), "f4", offset=0, count=0) if x.size == 0 else misaligned(x),
    ],
)
def test_inputs_of_other_layouts_and_types_are_converted(convert: object) -> None:
    net = mlp(4, 2)
    x = np.random.default_rng(0).integers(-3, 3, size=(5, 3)).astype("float32")
    net(x)
    predictor = ln.Predictor(net)
    assert (predictor.predict(convert(x)) == predictor.predict(x)).all()  # type: ignore[operator]


def misaligned(x: np.ndarray) -> np.ndarray:
    raw = np.zeros(x.nbytes + 1, "uint8")
    raw[1:] = np.frombuffer(x.tobytes(), "uint8")
    return raw[1:].view("f4").reshape(x.shape)


@pytest.mark.parametrize("bad", [np.array([["a"]]), np.ones((1, 3), "complex64"), np.array([[None] * 3])])
def test_inputs_that_are_not_real_numbers_are_refused(bad: np.ndarray) -> None:
    net = mlp(2)
    net(np.ones((1, 3), "float32"))
    with pytest.raises(ln.errors.DTypeError, match="predict: expected numbers"):
        ln.Predictor(net).predict(bad)


@pytest.mark.parametrize("shape", [(3,), (1, 4), (1, 1, 4), ()])
def test_inputs_of_the_wrong_shape_are_refused(shape: tuple[int, ...]) -> None:
    net = mlp(2)
    net(np.ones((1, 3), "float32"))
    with pytest.raises(ln.errors.ShapeError, match=r"predict: expected an input of shape \[N, 3\]"):
        ln.Predictor(net).predict(np.ones(shape, "float32"))


def test_more_leading_axes_are_rows_where_every_op_acts_on_the_last_axis() -> None:
    net = ln.Sequential([ln.layers.Dense(4, activation="tanh"), ln.square, ln.layers.Dense(2), ln.nn.softmax])
    x = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
    net(x[0])
    predictor = ln.Predictor(net)
    want = predictor.predict(x.reshape(10, 3)).reshape(2, 5, 2)
    assert (predictor.predict(x) == want).all()
    assert (predictor.predict(x.astype("float64").tolist()) == want).all()
    assert predictor.predict(np.ones((2, 0, 7, 3), "float32")).shape == (2, 0, 7, 2)
    out = np.empty((2, 5, 2), "float32")
    assert predictor.predict(x, out=out) is out
    assert (out == want).all()
    np.testing.assert_allclose(net(x), want, rtol=1e-5)
    with pytest.raises(ln.errors.ShapeError, match=r"C-contiguous array of shape \[2, 5, 2\], got ndarray \(10, 2\)"):
        predictor.predict(x, out=np.empty((10, 2), "float32"))


@pytest.mark.parametrize("kind", ["flatten", "axis", "batch"])
def test_the_rank_is_fixed_where_an_op_acts_on_other_axes(kind: str) -> None:
    layer = {
        "flatten": ln.layers.Flatten(),
        "axis": lambda x: ln.nn.softmax(x, axis=1),
        "batch": lambda x: ln.reduce_sum(x, axis=0, keepdims=True) + x,
    }[kind]
    net = ln.Sequential([ln.layers.Dense(4), layer])
    net(np.ones((2, 3), "float32"))
    with pytest.raises(ln.errors.ShapeError, match=r"expected an input of shape \[N, 3\] \(input 0\), got \[2, 2, 3\]"):
        ln.Predictor(net).predict(np.ones((2, 2, 3), "float32"))


def test_more_leading_axes_of_several_inputs_must_agree() -> None:
    net = TwoInTwoOut()
    a, b = np.ones((2, 3, 4), "float32"), np.full((2, 3, 5), 2, "float32")
    want = net({"a": a[0], "b": b[0]})
    predictor = ln.Predictor(net)
    np.testing.assert_allclose(predictor.predict({"a": a, "b": b})["sum"][1], want["sum"], rtol=1e-6)
    with pytest.raises(
        ln.errors.ShapeError, match=r"leading axes \[2, 3\] of input 0, got shape \[1, 3, 5\] \(input 1"
    ):
        predictor.predict({"a": a, "b": b[:1]})


def test_steps_print_as_a_table_and_profile_adds_times() -> None:
    net = mlp(8, 2)
    x = np.ones((4, 3), "float32")
    net(x)
    predictor = ln.Predictor(net)
    lines = repr(predictor.steps).splitlines()
    assert lines[0].split() == [
        *("op", "kernel", "inputs", "outputs", "constant_bytes", "flops", "flops_per_row"),
    ]
    assert len(lines) == 3
    assert [s["flops_per_row"] for s in predictor.steps] == [2.0 * 3 * 8, 2.0 * 8 * 2]
    profile = predictor.profile(x)
    assert [s["op"] for s in profile] == ["dense", "dense"]
    assert all(s["microseconds"] > 0 for s in profile)
    assert sum(s["share"] for s in profile) == pytest.approx(1)
    with pytest.raises(ValueError, match="profile: expected repeats >= 1, got 0"):
        predictor.profile(x, repeats=0)
    with pytest.raises(ln.errors.ShapeError, match="predict: expected input 0 of shape"):
        predictor.profile(np.ones((4, 5), "float32"))


def test_compare_reports_the_largest_and_the_mean_error() -> None:
    net = TwoInTwoOut()
    x = {"a": np.ones((2, 4), "float32"), "b": np.full((2, 5), 2, "float32")}
    net(x)
    predictor = ln.Predictor(net)
    assert predictor.compare(net, x)["max_relative_error"] < 1e-6
    net.set_weights([w + np.float32(1) for w in net.get_weights()])
    errors = predictor.compare(net, x)
    want = net(x)["product"].numpy() - predictor.predict(x)["product"]
    assert errors["max_error"] == pytest.approx(np.abs(want).max())
    assert 0 < errors["mean_error"] < errors["max_error"]
    with pytest.raises(ln.errors.ShapeError, match="compare: expected outputs of shapes"):
        predictor.compare(Other(), x)


class Other(ln.Network):
    def call(self, inputs: dict) -> dict:
        return {"sum": inputs["a"], "product": inputs["b"]}


def test_ports_tell_shapes_and_types() -> None:
    predictor = ln.Predictor(mlp(2), ln.Input(shape=(3,)))
    assert (predictor.input_shape, predictor.output_shape, predictor.dtype) == ((None, 3), (None, 2), "float32")


@pytest.mark.parametrize(
    "out",
    [np.empty((2, 3), "float32"), np.empty((2, 2), "float64"), np.empty((2, 4), "float32")[:, ::2], [[0.0] * 2] * 2],
)
def test_out_that_does_not_fit_is_refused(out: object) -> None:
    net = mlp(2)
    x = np.ones((2, 3), "float32")
    net(x)
    with pytest.raises(ln.errors.ShapeError, match="predict: expected out to be a writable C-contiguous array"):
        ln.Predictor(net).predict(x, out=out)


def test_out_must_not_overlap_the_input() -> None:
    net = mlp(3)
    x = np.ones((2, 3), "float32")
    net(x)
    with pytest.raises(ValueError, match="overlapping memory"):
        ln.Predictor(net).predict(x, out=x)


def test_a_network_that_was_never_called_says_how_to_go_on() -> None:
    with pytest.raises(ln.errors.ShapeError, match=r"Call it once on an array, or say Predictor\(network, ln.Input"):
        ln.Predictor(mlp(2))
    assert ln.Predictor(mlp(2), ln.Input(shape=(3,))).predict(np.ones((1, 3), "float32")).shape == (1, 2)
    first = ln.Sequential([ln.layers.Dense(2, input_shape=(5,))])
    assert ln.Predictor(first).input_shapes == (None, 5)


class TwoInTwoOut(ln.Network):
    def __init__(self) -> None:
        super().__init__()
        self.left = self.track_layer(ln.layers.Dense(3))
        self.right = self.track_layer(ln.layers.Dense(3))

    def call(self, inputs: dict) -> dict:
        a, b = self.left(inputs["a"]), self.right(inputs["b"])
        return {"sum": a + b, "product": a * b}


def test_structures_of_inputs_and_outputs() -> None:
    net = TwoInTwoOut()
    x = {"a": np.ones((2, 4), "float32"), "b": np.full((2, 5), 2, "float32")}
    want = net(x)
    got = ln.Predictor(net).predict(x)
    assert set(got) == {"sum", "product"}
    for key in got:
        np.testing.assert_allclose(got[key], want[key].numpy(), rtol=1e-5)


def test_tracing_for_a_plan_leaves_no_mark() -> None:
    net = ln.Sequential(
        [ln.layers.Dense(2, activity_regularizer=ln.regularizers.l2(1.0)), ln.layers.BatchNormalization()]
    )
    net(np.ones((2, 3), "float32"))
    before = (len(net.inbound_nodes), len(net.layers[0].inbound_nodes), len(net.losses), len(net.updates))
    ln.Predictor(net)
    assert (len(net.inbound_nodes), len(net.layers[0].inbound_nodes), len(net.losses), len(net.updates)) == before


def test_python_control_flow_is_a_clear_error() -> None:
    class Branching(ln.Network):
        def call(self, x):  # type: ignore[no-untyped-def]
            return x if float(ln.reduce_sum(x)) > 0 else -x

    net = Branching()
    net(np.ones((1, 2), "float32"))
    with pytest.raises(ln.errors.GraphError, match="Python's if, while, float"):
        ln.Predictor(net)


def rounded(x):
    """float32 with the digits that bfloat16 has."""
    return ln.cast(ln.cast(x, "bfloat16"), "float32").numpy()


def test_predictor_takes_float32_for_bfloat16_inputs():
    x = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    net = ln.Sequential([ln.layers.Dense(2)])
    want = net(ln.cast(x, "bfloat16"))
    predictor = ln.Predictor(net)

    y = predictor.predict(x)

    assert want.dtype.name == "bfloat16"
    assert predictor.dtype == "float32"
    assert predictor.compare(net, x)["max_error"] == 0
    assert y.dtype == np.float32
    np.testing.assert_array_equal(y, want.numpy())


def test_predictor_gives_bfloat16_outputs_as_float32():
    x = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    net = ln.Sequential([lambda x: ln.cast(x, "bfloat16")])

    y = ln.Predictor(net, ln.Input((4,))).predict(x)

    assert y.dtype == np.float32
    np.testing.assert_array_equal(y, rounded(x))


def test_predictor_with_one_bfloat16_port_of_several_is_saved_and_loaded(tmp_path):
    class Both(ln.Network):
        def call(self, inputs):
            return {"sum": ln.cast(inputs["a"], "float32") + inputs["b"], "same": inputs["a"]}

    inputs = {"a": ln.Input((2,), "bfloat16"), "b": ln.Input((2,))}
    a, b = np.full((3, 2), 1.001, "float32"), np.full((3, 2), 2.0, "float32")
    predictor = ln.Predictor(Both(), inputs)
    predictor.save(tmp_path / "both.safetensors")

    for one in (predictor, ln.Predictor.load(tmp_path / "both.safetensors")):
        y = one.predict({"a": a, "b": b})
        np.testing.assert_array_equal(y["sum"], rounded(a) + b)
        np.testing.assert_array_equal(y["same"], rounded(a))

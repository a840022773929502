"""Gradients by rows: what a tape gives for a table, and that a step touches the rows read and no others."""

import numpy as np
import pytest

import layernet as ln
from layernet import _core

OPT = ln.optimizers
BY_ROWS = {
    "sgd": lambda: OPT.SGD(0.1),
    "momentum": lambda: OPT.SGD(0.1, momentum=0.9),
    "nesterov": lambda: OPT.SGD(0.1, momentum=0.9, nesterov=True),
    "rmsprop": lambda: OPT.RMSProp(0.1, momentum=0.5),
    "rmsprop_centered": lambda: OPT.RMSProp(0.1, centered=True),
    "adagrad": lambda: OPT.Adagrad(0.1),
    "adadelta": lambda: OPT.Adadelta(1.0),
}
WHOLE = {"adam": lambda: OPT.Adam(0.1), "adamw": lambda: OPT.AdamW(0.1), "lion": lambda: OPT.Lion(0.1)}


def table(rows=6, width=3, dtype="float32"):
    return ln.Variable(np.random.default_rng(0).normal(size=(rows, width)).astype(dtype))


def gradient_of(variable, indices, weights):
    with ln.GradientTape() as tape:
        loss = ln.reduce_sum(ln.gather(variable, indices) * weights)
    return tape.gradient(loss, variable)


def test_a_table_that_is_gathered_from_has_a_gradient_by_rows():
    weights = np.arange(12, dtype="float32").reshape(2, 2, 3)
    g = gradient_of(table(), [[4, 1], [1, 5]], weights)
    assert isinstance(g, ln.IndexedSlices)
    assert g.dense_shape == g.shape == (6, 3)
    assert g.dtype.name == "float32"
    assert g.indices.numpy().tolist() == [4, 1, 1, 5]
    assert (g.values.numpy() == weights.reshape(4, 3)).all()
    dense = np.zeros((6, 3), "float32")
    np.add.at(dense, [4, 1, 1, 5], weights.reshape(4, 3))
    assert (g.numpy() == dense).all()
    assert (ln.convert_to_tensor(g).numpy() == dense).all()
    assert (np.asarray(g, "float64") == dense).all()
    assert repr(g) == "IndexedSlices([4, 3] of [6, 3], float32)"


def test_several_lookups_are_joined():
    v = table()
    with ln.GradientTape() as tape:
        loss = ln.reduce_sum(ln.gather(v, np.array([1, 2], "int32"))) + 10.0 * ln.reduce_sum(ln.gather(v, [2]))
    g = tape.gradient(loss, v)
    assert isinstance(g, ln.IndexedSlices)
    assert g.numpy()[:, 0].tolist() == [0.0, 1.0, 11.0, 0.0, 0.0, 0.0]


def test_a_table_used_as_a_whole_too_has_a_whole_gradient():
    v = table()
    with ln.GradientTape() as tape:
        loss = ln.reduce_sum(ln.gather(v, [3])) + ln.reduce_sum(v)
    g = tape.gradient(loss, v)
    assert isinstance(g, _core.Tensor)
    assert g.numpy()[:, 0].tolist() == [1.0, 1.0, 1.0, 2.0, 1.0, 1.0]


def test_gathering_along_another_axis_and_from_a_value_stay_whole():
    v = table()
    with ln.GradientTape(persistent=True) as tape:
        loss = ln.reduce_sum(ln.gather(v, [0], axis=1)) + ln.reduce_sum(ln.gather(v * 2.0, [3]))
    g = tape.gradient(loss, v)
    assert isinstance(g, _core.Tensor)
    assert g.numpy()[3].tolist() == [3.0, 2.0, 2.0]


def test_second_order_through_the_rows():
    v = table()
    with ln.GradientTape() as outer:
        with ln.GradientTape() as inner:
            loss = ln.reduce_sum(ln.gather(v, [2, 2]) ** 3.0)
        g = inner.gradient(loss, v)
        total = ln.reduce_sum(ln.convert_to_tensor(g))
    second = outer.gradient(total, v)
    want = np.zeros((6, 3))
    want[2] = 12 * v.numpy()[2]
    np.testing.assert_allclose(ln.convert_to_tensor(second).numpy(), want, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", BY_ROWS)
def test_rows_are_updated_as_a_table_of_these_rows_would_be(name, dtype):
    """Numbers that come again add up first; the other rows, and their slots, keep their bits."""
    rng = np.random.default_rng(1)
    whole, part = table(dtype=dtype), ln.Variable(table(dtype=dtype).numpy()[[1, 4]])
    one, two = BY_ROWS[name](), BY_ROWS[name]()
    before = whole.numpy().copy()
    for _ in range(3):
        rows = rng.normal(size=(3, 3)).astype(dtype)
        one.apply_gradients([(ln.IndexedSlices(rows, [4, 1, 4], (6, 3)), whole)])
        two.apply_gradients([(np.stack([rows[1], rows[0] + rows[2]]), part)])
    assert (whole.numpy()[[1, 4]] == part.numpy()).all()
    rest = [0, 2, 3, 5]
    assert (whole.numpy()[rest] == before[rest]).all()
    for a, b in zip(one.variables(), two.variables(), strict=True):
        if a.shape == (6, 3):
            assert (a.numpy()[[1, 4]] == b.numpy()).all()
            assert len(np.unique(a.numpy()[rest])) == 1


@pytest.mark.parametrize("name", WHOLE)
def test_optimizers_whose_averages_move_everywhere_take_the_whole(name):
    a, b = table(), table()
    one, two = WHOLE[name](), WHOLE[name]()
    for _ in range(2):
        g = ln.IndexedSlices([[1.0, 2.0, 3.0]], [2], (6, 3))
        one.apply_gradients([(g, a)])
        two.apply_gradients([(g.numpy(), b)])
    assert (a.numpy() == b.numpy()).all()


@pytest.mark.parametrize(
    "options", [{"clipnorm": 0.5}, {"clipvalue": 0.5}, {"global_clipnorm": 0.5}, {"gradient_accumulation_steps": 2}]
)
def test_clipping_and_accumulation_need_the_whole(options):
    a, b = table(), table()
    one, two = OPT.SGD(1.0, **options), OPT.SGD(1.0, **options)
    for _ in range(4):
        g = ln.IndexedSlices([[1.0, 2.0, 3.0], [1.0, 1.0, 1.0]], [2, 2], (6, 3))
        one.apply_gradients([(g, a)])
        two.apply_gradients([(g.numpy(), b)])
    assert (a.numpy() == b.numpy()).all()
    assert not (a.numpy() == table().numpy()).all()


def test_clipping_functions_take_rows():
    g = ln.IndexedSlices([[3.0], [4.0]], [0, 1], (3, 1))
    assert float(ln.global_norm([g])) == 5.0
    assert ln.clip_by_norm(g, 2.5).numpy().ravel().tolist() == [1.5, 2.0, 0.0]


def test_numbers_outside_change_nothing_and_negative_ones_count_from_the_end():
    v = table()
    before = v.numpy().copy()
    OPT.SGD(1.0).apply_gradients([(ln.IndexedSlices(np.ones((3, 3), "float32"), [6, -1, -7], (6, 3)), v)])
    before[5] -= 1.0
    assert (v.numpy() == before).all()


def test_no_rows_at_all():
    v = table()
    before = v.numpy().copy()
    OPT.Adagrad(1.0).apply_gradients([(ln.IndexedSlices(np.ones((0, 3), "float32"), np.zeros(0, "int64"), (6, 3)), v)])
    assert (v.numpy() == before).all()


def test_half_precision_tables():
    v = ln.Variable(np.ones((4, 2)), dtype="bfloat16")
    OPT.SGD(0.5).apply_gradients([(gradient_of(v, [1], np.ones((1, 2), "float32").astype("float32")), v)])
    assert ln.cast(v, "float32").numpy()[:, 0].tolist() == [1.0, 0.5, 1.0, 1.0]


def test_a_step_on_a_large_table_stays_where_it_is():
    """Neither the gradient nor the update makes anything of the table's size."""
    v = ln.Variable(np.zeros((1_000_000, 8), "float32"))
    optimizer = OPT.SGD(1.0)

    def address():
        return v.numpy().__array_interface__["data"][0]

    before = address()
    for _ in range(3):
        optimizer.apply_gradients([(gradient_of(v, [5, 999_999], np.ones((2, 8), "float32")), v)])
    assert address() == before
    assert v.numpy()[[4, 5, 999_999], 0].tolist() == [0.0, -3.0, -3.0]


def test_embedding_in_a_traced_step():
    rng = np.random.default_rng(0)
    ids, y = rng.integers(0, 50, size=(8, 2)), rng.normal(size=(8, 1)).astype("float32")

    def make():
        return ln.Sequential([ln.layers.Embedding(50, 4), ln.layers.Flatten(), ln.layers.Dense(1)])

    first, second = make(), make()
    for net in (first, second):
        net(ids)
    for a, b in zip(first.variables, second.variables, strict=True):
        b.assign(a)
    one, step = OPT.Adagrad(0.1), ln.TrainStep(second, "mse", OPT.Adagrad(0.1))
    for _ in range(3):
        with ln.GradientTape() as tape:
            loss = ln.losses.mean_squared_error(y, first(ids))
        variables = first.trainable_variables
        one.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        assert float(step(ids, y)) == float(loss)
    for a, b in zip(first.variables, second.variables, strict=True):
        assert (a.numpy() == b.numpy()).all()
    assert "gather_grad" not in [s["op"] for s in step.steps]
    clipped = ln.TrainStep(second, "mse", OPT.Adagrad(0.1), clip_norm=1.0)
    assert float(clipped(ids, y)) < float(loss)


@pytest.mark.parametrize(
    ("rows", "numbers", "message"),
    [
        (np.ones((2, 4), "float32"), [0, 1], "expected equal sizes of the variable and what changes it, got 3 and 4"),
        (np.ones((3, 3), "float32"), [0, 1], r"expected a gradient of 2 rows like those of \[6, 3\]"),
        (np.ones((2, 3), "float32"), [[0], [1]], "expected rank 1"),
    ],
)
def test_rows_that_do_not_fit(rows, numbers, message):
    v = table()
    with pytest.raises(ln.errors.ShapeError, match=message):
        OPT.SGD(1.0).apply_gradients([(ln.IndexedSlices(rows, numbers, (6, 3)), v)])
    with pytest.raises(ln.errors.DTypeError, match="expected int32 or int64 indices, got float32"):
        _core.ops.sgd(v, np.ones((1, 3), "float32"), 1.0, ln.constant([0.0]))

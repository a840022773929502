"""Partitioned variables: how they are cut, named, read, trained, saved and restored."""

import copy
import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import layernet as ln

ROWS = np.random.default_rng(0).normal(size=(4, 5)).astype("float32")
CUT = ln.fixed_size_partitioner(2)


def make_net(partitioner=CUT, name="net", **options):
    with ln.variable_scope(f"scope_{name}", partitioner=partitioner):
        return ln.Sequential([ln.layers.Dense(3, **options), ln.layers.Dense(2)], name=name)


def built(*arguments, **options):
    net = make_net(*arguments, **options)
    net(ROWS)
    return net


# --- partitioners -----------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(1, 50), min_size=1, max_size=4), st.integers(1, 60), st.data())
def test_fixed_size_partitioner(shape, shards, data):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))

    pieces = ln.fixed_size_partitioner(shards, axis)(shape=shape, dtype="float32")

    want = [1] * len(shape)
    want[axis] = min(shards, shape[axis])
    assert pieces == want


@given(
    st.lists(st.integers(1, 50), min_size=1, max_size=3),
    st.integers(1, 2000),
    st.sampled_from(["float32", "float64", "int8"]),
    st.one_of(st.none(), st.integers(1, 9)),
)
def test_variable_axis_size_partitioner(shape, limit, dtype, most):
    [count, *others] = ln.variable_axis_size_partitioner(limit, max_shards=most)(shape=shape, dtype=dtype)

    slice_bytes = math.prod(shape[1:]) * np.dtype(dtype).itemsize
    assert others == [1] * (len(shape) - 1)
    assert 1 <= count <= min(shape[0], most or shape[0])
    largest = math.ceil(shape[0] / count)
    if most is None:
        assert largest == 1 or largest * slice_bytes <= limit
    if count > 1:  # one piece fewer would not do
        assert math.ceil(shape[0] / (count - 1)) * slice_bytes > limit


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ln.fixed_size_partitioner(0), "fixed_size_partitioner: expected num_shards >= 1, got 0"),
        (lambda: ln.variable_axis_size_partitioner(0), "expected max_shard_bytes >= 1, got 0"),
        (lambda: ln.variable_axis_size_partitioner(1, bytes_per_string_element=0), "bytes_per_string_element >= 1"),
        (lambda: ln.variable_axis_size_partitioner(1, max_shards=0), "expected max_shards >= 1, got 0"),
        (lambda: ln.fixed_size_partitioner(2, axis=1)(shape=(3,)), r"expected a variable with axis 1, got shape \[3\]"),
        (lambda: ln.variable_axis_size_partitioner(2, axis=2)(shape=(3, 1)), "expected a variable with axis 2"),
    ],
)
def test_wrong_partitioner(make, message):
    with pytest.raises(ln.errors.InvalidArgumentError, match=message):
        make()


# --- making -----------------------------------------------------------------------------------------------------------


def test_pieces_have_the_names_of_tensorflow_and_the_first_are_longer():
    layer = ln.Layer(name="host")
    whole = layer.add_weight("w", (7, 2), partitioner=ln.fixed_size_partitioner(3))

    assert [(v.name, v.shape) for v in layer.variables] == [
        ("host/w/part_0:0", (3, 2)),
        ("host/w/part_1:0", (2, 2)),
        ("host/w/part_2:0", (2, 2)),
    ]
    assert isinstance(whole, ln.PartitionedVariable)
    assert (whole.name, whole.shape, whole.ndim, whole.size, len(whole)) == ("host/w", (7, 2), 2, 14, 3)
    assert (whole.dtype.name, whole.trainable, whole.constraint) == ("float32", True, None)
    assert repr(whole) == "<PartitionedVariable 'host/w' shape=(7, 2) dtype=float32, 3 pieces along axis 0>"


def test_one_piece_is_a_partitioned_variable_too():
    layer = ln.Layer(name="host")
    whole = layer.add_weight("w", (3,), partitioner=ln.fixed_size_partitioner(1))

    assert [v.name for v in whole] == ["host/w/part_0:0"]
    assert (whole.value().numpy() == whole.numpy()).all()


def test_initial_values_are_those_of_a_whole_variable():
    ln.set_seed(7)
    whole = built(None, "a").get_weights()
    ln.set_seed(7)
    net = built(CUT, "b")

    assert len(net.variables) == 8
    for layer, kernel in zip(net.layers, whole[::2], strict=True):
        assert (layer.kernel.numpy() == kernel).all()


def test_initializer_that_asks_for_partition_info_makes_each_piece():
    asked = []

    def initializer(shape, dtype=None, partition_info=None):
        asked.append((shape, partition_info.full_shape, partition_info.var_offset))
        return np.full(shape, len(asked))

    whole = ln.Layer().add_weight("w", (2, 3), initializer=initializer, partitioner=ln.fixed_size_partitioner(2, 1))

    assert asked == [((2, 2), (2, 3), (0, 0)), ((2, 1), (2, 3), (0, 2))]
    assert whole.numpy().tolist() == [[1, 1, 2], [1, 1, 2]]


def test_scope_within_a_scope():
    with ln.variable_scope("a", partitioner=CUT) as outer:
        with ln.variable_scope("b"):
            inherited = ln.Layer(name="x").add_weight("w", (4,))
        with ln.variable_scope("c", partitioner=ln.fixed_size_partitioner(4)):
            own = ln.Layer(name="x").add_weight("w", (4,))
        none = ln.Layer(name="y").add_weight("w", (4,), partitioner=False)
        scalar = ln.Layer(name="z").add_weight("w", ())
        free = ln.Variable(np.ones(4), name="v")
    with ln.variable_scope(outer):
        again = ln.Layer(name="q").add_weight("w", (4,))
    with ln.variable_scope(outer, partitioner=ln.fixed_size_partitioner(3)):
        other = ln.Layer(name="r").add_weight("w", (4,))
    outside = ln.Layer(name="s").add_weight("w", (4,))

    assert [len(v) for v in (inherited, own, again, other)] == [2, 4, 2, 3]
    assert [type(v) for v in (none, scalar, free, outside)] == [ln.Variable] * 4
    assert other.name == "a/r/w"


def test_moving_averages_stay_whole():
    with ln.variable_scope("s", partitioner=CUT):
        layer = ln.layers.BatchNormalization()
        layer(ROWS, training=True)

    assert [v.name.removeprefix("s/batch_normalization/") for v in layer.variables] == [
        "gamma/part_0:0",
        "gamma/part_1:0",
        "beta/part_0:0",
        "beta/part_1:0",
        "moving_mean:0",
        "moving_variance:0",
    ]


def test_options_are_kept_on_each_piece():
    layer = ln.Layer()
    whole = layer.add_weight(
        "w",
        (4,),
        partitioner=CUT,
        constraint=ln.constraints.NonNeg(),
        regularizer=ln.regularizers.l2(0.5),
        initializer="ones",
        synchronization=ln.VariableSynchronization.ON_WRITE,
        aggregation=ln.VariableAggregation.MEAN,
    )

    assert all(v.constraint is whole.constraint for v in whole)
    assert whole.synchronization is ln.VariableSynchronization.ON_WRITE
    assert whole.aggregation is ln.VariableAggregation.MEAN
    assert [float(loss) for loss in layer.losses] == [1.0, 1.0]


def test_pieces_are_not_trainable_when_the_variable_is_not():
    layer = ln.Layer()
    layer.add_weight("w", (4,), partitioner=CUT, synchronization=ln.VariableSynchronization.ON_READ)

    assert layer.trainable_variables == []
    assert len(layer.non_trainable_variables) == 2


@pytest.mark.parametrize(
    ("pieces", "message"),
    [
        ([2, 2], "expected a partitioner that cuts one axis, got pieces"),
        ([5, 1], r"to give a number of pieces, 1 or more, for each axis of \[4, 3\], got \[5, 1\]"),
        ([0, 1], "to give a number of pieces, 1 or more"),
        ([2], "to give a number of pieces, 1 or more"),
        ([1.5, 1], "to give a number of pieces, 1 or more"),
    ],
)
def test_partitioner_that_does_not_fit(pieces, message):
    layer = ln.Layer(name="host")
    with pytest.raises(ValueError, match=f"variable 'host/w': .*{message}"):
        layer.add_weight("w", (4, 3), partitioner=lambda shape, dtype: pieces)

    assert layer.variables == []
    assert layer.add_weight("w", (4, 3)).shape == (4, 3)


def test_name_of_a_partitioned_variable_is_taken():
    layer = ln.Layer(name="host")
    layer.add_weight("w", (4,), partitioner=CUT)

    with pytest.raises(ValueError, match="has a variable called 'w' already"):
        layer.add_weight("w", (4,))


def test_partitioner_of_a_scope_that_cannot_be_called():
    with pytest.raises(TypeError, match="variable_scope: expected a function of shape and dtype as partitioner, got 3"):
        ln.variable_scope("s", partitioner=3)


def test_partitioned_variable_of_nothing_and_of_scalars():
    with pytest.raises(ValueError, match="PartitionedVariable 'w': expected at least one piece, got none"):
        ln.PartitionedVariable("w", [])
    with pytest.raises(ValueError, match="PartitionedVariable 'w': expected pieces with axes, got a scalar"):
        ln.PartitionedVariable("w", [ln.Variable(1.0)])


# --- reading ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def pair():
    values = np.arange(1, 13, dtype="float32").reshape(3, 4)
    whole = ln.Layer().add_weight("w", (3, 4), initializer=lambda shape: values, partitioner=CUT)
    return whole, values


@pytest.mark.parametrize(
    "use",
    [
        lambda w: w + 1.0,
        lambda w: 2.0 - w,
        lambda w: w * w,
        lambda w: 6.0 / w,
        lambda w: w**2.0,
        lambda w: -w,
        lambda w: abs(w),
        lambda w: w[1:, 2],
        lambda w: w > 3.0,
        lambda w: ln.constant(np.ones((2, 3), "float32")) @ w,
        lambda w: w @ np.ones((4, 2), "float32"),
        lambda w: np.ones((3, 4), "float32") + w,
    ],
    ids=range(12),
)
def test_operators(use, pair):
    whole, values = pair

    assert (np.asarray(use(whole)) == np.asarray(use(ln.constant(values)))).all()


@pytest.mark.parametrize(
    "use",
    [
        lambda w: ln.matmul(np.ones((2, 3), "float32"), w),
        lambda w: ln.reduce_sum(w, axis=0),
        lambda w: ln.concat([w, w], 0),
        lambda w: ln.gather(w, [2, 0]),
        lambda w: ln.convert_to_tensor(w),
        lambda w: ln.constant(w),
        lambda w: np.asarray(w),
        lambda w: np.asarray(w, "float64"),
        lambda w: ln.layers.Activation("tanh")(w),
    ],
    ids=range(9),
)
def test_ops_and_arrays(use, pair):
    whole, values = pair

    assert (np.asarray(use(whole)) == np.asarray(use(ln.constant(values)))).all()


def test_value_is_read_anew(pair):
    whole, values = pair
    before = whole.as_tensor()
    next(iter(whole)).assign(np.zeros((2, 4)))

    assert (before.numpy() == values).all()
    assert (whole.as_tensor().numpy()[:2] == 0).all()


def test_assigning_to_all_pieces(pair):
    whole, values = pair

    assert whole.assign(values * 2.0) is whole

    assert (whole.numpy() == values * 2).all()
    assert [v.shape for v in whole] == [(2, 4), (1, 4)]
    with pytest.raises(ln.errors.ShapeError, match=r"expected values of shape \[3, 4\], got \[4\]"):
        whole.assign(np.ones(4))


def test_value_that_stands_for_something_else_is_refused():
    class Wrong:
        def __layernet_value__(self):
            return 3

    with pytest.raises(TypeError, match="__layernet_value__: expected a tensor, variable or symbol"):
        ln.square(Wrong())


def test_error_while_reading_comes_through():
    class Failing:
        def __layernet_value__(self):
            raise LookupError("not here")

    with pytest.raises(LookupError, match="not here"):
        ln.square(Failing())


# --- training and compiling -------------------------------------------------------------------------------------------


def step(net, optimizer):
    with ln.GradientTape() as tape:
        loss = ln.reduce_sum(ln.square(net(ROWS))) + sum(net.losses, ln.constant(0.0))
    gradients = tape.gradient(loss, net.trainable_variables)
    optimizer.apply_gradients(zip(gradients, net.trainable_variables, strict=True))
    return gradients


def test_training_is_that_of_whole_variables():
    ln.set_seed(3)
    whole = built(None, "a", kernel_regularizer="l2")
    ln.set_seed(3)
    cut = built(CUT, "b", kernel_regularizer="l2")
    optimizers = ln.optimizers.Adam(0.1), ln.optimizers.Adam(0.1)

    for _ in range(3):
        step(whole, optimizers[0])
        step(cut, optimizers[1])

    for layer, same in zip(cut.layers, whole.layers, strict=True):
        np.testing.assert_allclose(layer.kernel.numpy(), same.kernel.numpy(), rtol=1e-5)
        np.testing.assert_allclose(layer.bias.numpy(), same.bias.numpy(), rtol=1e-4, atol=1e-6)


def test_gradients_reach_each_piece():
    net = built()
    gradients = step(net, ln.optimizers.SGD(0.0))

    assert [g.shape for g in gradients] == [v.shape for v in net.trainable_variables]


def test_predictor_has_the_whole():
    net = built()

    np.testing.assert_allclose(ln.Predictor(net).predict(ROWS), net(ROWS).numpy(), rtol=1e-5)


def test_symbolic_call_and_model_file(tmp_path):
    x = ln.Input((5,))
    with ln.variable_scope("s", partitioner=CUT):
        model = ln.Model(x, ln.layers.Dense(3)(x), name="m")

    assert model.count_params() == 18
    np.testing.assert_allclose(model.predict(ROWS), model(ROWS).numpy(), rtol=1e-5)
    model.save(tmp_path / "m")
    loaded = ln.Model.load(tmp_path / "m")
    assert [v.name for v in loaded.variables] == ["s/dense/kernel:0", "s/dense/bias:0"]
    assert (loaded(ROWS).numpy() == model(ROWS).numpy()).all()


def test_weights_are_listed_piece_by_piece():
    net = built()
    weights = net.get_weights()

    assert [w.shape for w in weights[:4]] == [(3, 3), (2, 3), (2,), (1,)]
    assert net.count_params() == 26
    net.set_weights([w * 0 for w in weights])
    assert (net.layers[0].kernel.numpy() == 0).all()


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda n: pickle.loads(pickle.dumps(n))], ids=["copy", "pickle"])
def test_copies_own_their_pieces(duplicate):
    net = built()
    other = duplicate(net)

    other.layers[0].kernel.assign(np.zeros((5, 3)))

    assert (other.variables[0].numpy() == 0).all()
    assert (net.variables[0].numpy() != 0).any()
    assert list(other.layers[0].kernel) == other.variables[:2]


# --- saving -----------------------------------------------------------------------------------------------------------


def test_pieces_are_saved_under_their_names(tmp_path):
    net = built()
    path = ln.save_network_checkpoint(net, tmp_path / "ckpt")

    assert ln.list_variables(path)[:2] == [("dense/bias/part_0", [2]), ("dense/bias/part_1", [1])]


def test_checkpoint_of_pieces_restores_built_and_unbuilt_networks(tmp_path):
    net = built(name="a")
    path = ln.save_network_checkpoint(net, tmp_path / "ckpt")
    now, later = built(name="b"), make_net(name="c")

    ln.restore_network_checkpoint(now, path)
    ln.restore_network_checkpoint(later, path)

    assert (now(ROWS).numpy() == net(ROWS).numpy()).all()
    assert (later(ROWS).numpy() == net(ROWS).numpy()).all()


def test_checkpoint_of_whole_variables_restores_partitioned_networks(tmp_path):
    net = built(None, "a")
    path = ln.save_network_checkpoint(net, tmp_path / "ckpt")
    now, later = built(ln.fixed_size_partitioner(3), "b"), make_net(CUT, "c")

    ln.restore_network_checkpoint(now, path)
    ln.restore_network_checkpoint(later, path)
    later(ROWS)

    for other in (now, later):
        for layer, same in zip(other.layers, net.layers, strict=True):
            assert (layer.kernel.numpy() == same.kernel.numpy()).all()
            assert (layer.bias.numpy() == same.bias.numpy()).all()


def test_whole_value_of_another_shape(tmp_path):
    path = ln.Saver({"dense/kernel": ln.Variable(np.ones((4, 3), "float32"))}).save(tmp_path / "ckpt")
    later = make_net()
    ln.restore_network_checkpoint(later, path)

    with pytest.raises(ln.errors.ShapeError, match=r"expected a stored value of shape \[5, 3\]"):
        later(ROWS)

    layer = ln.Layer(name="dense")
    layer.add_weight("kernel", (5, 3), partitioner=CUT)
    with pytest.raises(ln.errors.ShapeError, match=r"expected shape \[5, 3\], got \[4, 3\] for 'dense/kernel'"):
        ln.Saver(layer.variables).restore(path)


@pytest.mark.parametrize("source", ["whole", "pieces"])
def test_restoring_on_creation(source, tmp_path):
    first = ln.Layer(name="dense")
    first.add_weight("kernel", (5, 3), partitioner=CUT if source == "pieces" else None)
    path = ln.Saver(first.variables).save(tmp_path / "ckpt")
    ln.reset_naming()

    with ln.restore_variables_on_create(path):
        second = ln.Layer(name="dense").add_weight("kernel", (5, 3), partitioner=CUT)
        with pytest.raises(ln.errors.NotFoundError, match="expected a tensor 'other/w/part_0'"):
            ln.Layer(name="other").add_weight("w", (5, 3), partitioner=CUT)

    assert (second.numpy() == np.concatenate([v.numpy() for v in first.variables])).all()


def test_saver_takes_partitioned_variables_apart(tmp_path):
    whole = ln.Layer(name="host").add_weight("w", (5, 3), partitioner=CUT)
    path = ln.Saver([whole]).save(tmp_path / "a")
    renamed = ln.Saver({"other": whole}).save(tmp_path / "b")
    values = whole.numpy().copy()
    whole.assign(np.zeros((5, 3)))

    assert [name for name, _ in ln.list_variables(path)] == ["host/w/part_0", "host/w/part_1"]
    assert [name for name, _ in ln.list_variables(renamed)] == ["other/part_0", "other/part_1"]
    ln.Saver({"other": whole}).restore(renamed)
    assert (whole.numpy() == values).all()

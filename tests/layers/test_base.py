"""Layer: calling, building, input checks, weights, losses, copies."""

import copy

import numpy as np
import pytest

import layernet as ln

ONE = np.ones((1, 2), "float32")


class Scale(ln.Layer):
    def build(self, input_shape):
        self.factor = self.add_weight("factor", input_shape[-1:], initializer="ones")

    def call(self, x):
        return x * self.factor


# --- calling ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "x",
    [ONE, ln.constant(ONE), ln.Variable(ONE), np.asfortranarray(ONE)],
    ids=["array", "tensor", "variable", "fortran"],
)
def test_kinds_of_input(x):
    layer = Scale()

    assert layer(x).numpy().tolist() == [[1.0, 1.0]]
    assert layer(x).numpy().tolist() == [[1.0, 1.0]]


def test_list_of_numbers_is_no_array():
    with pytest.raises(ValueError, match="dense 'd': expected arrays or tensors in a structure of inputs, got the"):
        ln.layers.Dense(1, name="d")([1.0, 2.0])


def test_call_that_returns_none():
    class Bad(ln.Layer):
        def call(self, x):
            pass

    layer = Bad()
    for _ in range(2):
        with pytest.raises(ValueError, match=r"bad 'bad': expected call\(\) to return a tensor"):
            layer(ONE)


def test_layer_without_init():
    class Careless(ln.Layer):
        def __init__(self):
            pass

    with pytest.raises(RuntimeError, match=r"Careless: its constructor did not call super\(\).__init__\(\)"):
        Careless()(ONE)


def test_unknown_keyword_of_the_constructor():
    with pytest.raises(TypeError, match="Dense: got an unexpected keyword argument 'colour'"):
        ln.layers.Dense(1, colour="red")


def test_second_thread_finds_the_layer_built():
    import threading

    builds = []

    class Slow(Scale):
        def build(self, input_shape):
            builds.append(input_shape)
            super().build(input_shape)

    layer = Slow()
    threads = [threading.Thread(target=layer, args=(ONE,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(builds) == 1
    assert len(layer.variables) == 1


def test_structure_of_shapes_reaches_build():
    class Named(ln.Layer):
        def build(self, input_shape):
            self.seen = input_shape

        def call(self, d):
            return d["a"]

    layer = Named()
    layer({"a": ONE, "b": [ONE, np.ones((3, 1), "float32")]})

    assert layer.seen == {"a": (1, 2), "b": [(1, 2), (3, 1)]}


def test_build_that_fails_leaves_nothing():
    class Flaky(ln.Layer):
        fails = True

        def build(self, input_shape):
            self.add_weight("w", (1,), regularizer="l2")
            if self.fails:
                raise OSError("disk")

    layer = Flaky(name="flaky")
    with pytest.raises(OSError, match="disk"):
        layer(ONE)
    after_failure = (layer.built, layer.variables, layer.losses, layer.dtype)
    layer.fails = False
    layer(ONE)

    assert after_failure == (False, [], [], None)
    assert [v.name for v in layer.variables] == ["flaky/w:0"]


def test_given_weights_are_set_when_the_layer_is_built():
    layer = ln.layers.Dense(1, weights=[[[2.0], [3.0]], [1.0]])

    assert layer(ONE).numpy().tolist() == [[6.0]]


def test_given_weights_are_set_after_building_by_hand():
    layer = ln.layers.Dense(1, weights=[[[2.0], [3.0]], [1.0]])
    layer.build((None, 2))

    assert layer(ONE).numpy().tolist() == [[6.0]]


# --- input checks -----------------------------------------------------------------------------------------------------


def checked(**spec):
    layer = ln.Layer(name="l")
    layer.input_spec = ln.InputSpec(**spec)
    return layer


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"ndim": 3}, r"layer 'l': expected an input with 3 axes, got shape \[1, 2\]"),
        ({"min_ndim": 3}, "with at least 3 axes"),
        ({"max_ndim": 1}, "with at most 1 axes"),
        ({"axes": {-1: 3}}, "with size 3 on axis -1"),
        ({"axes": {2: 3}}, "with an axis 2"),
        ({"shape": (None, 3)}, "with size 3 on axis 1"),
    ],
)
def test_input_spec_is_checked_at_every_call(spec, message):
    layer = checked(**spec)
    with pytest.raises(ln.errors.ShapeError, match=message):
        layer(ONE)
    layer.built = True
    for _ in range(2):
        with pytest.raises(ValueError, match=message):
            layer(ONE)


def test_dtype_of_the_input_spec():
    with pytest.raises(ln.errors.DTypeError, match="expected an input of dtype float64, got float32"):
        checked(dtype="float64")(ONE)


def test_dtype_of_the_input_spec_is_checked_at_every_call():
    layer = checked(dtype="float64")
    layer(np.ones((1, 2)))
    layer(ln.constant(np.ones((1, 2))))

    with pytest.raises(ln.errors.InvalidArgumentError, match="expected an input of dtype float64"):
        layer(ln.constant(ONE))


def test_number_of_inputs():
    layer = ln.Layer(name="l")
    layer.input_spec = [ln.InputSpec(ndim=2), None]

    assert len(layer([ONE, ONE])) == 2
    with pytest.raises(ValueError, match="layer 'l': expected 2 inputs, got 3"):
        layer([ONE, ONE, ONE])


def test_later_input_of_a_wrong_size():
    layer = ln.layers.Dense(2, name="d")
    layer(ONE)
    layer(ln.constant(ONE))

    with pytest.raises(
        ln.errors.ShapeError, match=r"dense 'd': expected an input with size 2 on axis -1, got shape \[1"
    ):
        layer(ln.ones((1, 3)))
    assert layer(ln.ones((5, 2))).shape == (5, 2)


def test_later_input_of_another_dtype():
    layer = ln.layers.Dense(2)
    layer(ONE)

    with pytest.raises(ln.errors.InvalidArgumentError):
        layer(np.ones((1, 2)))


def test_repr_of_an_input_spec():
    assert repr(ln.InputSpec(dtype="float32", ndim=2)) == "InputSpec(dtype='float32', ndim=2)"


# --- weights ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [None, (None, 2), (2, None), (-1,)])
def test_weight_needs_known_sizes(shape):
    with pytest.raises(ValueError, match="layer 'l': expected known sizes for the variable 'w'"):
        ln.Layer(name="l").add_weight("w", shape)


def test_weight_name_twice():
    layer = ln.Layer(name="l")
    layer.add_weight("w", (1,))

    with pytest.raises(ValueError, match="layer 'l': has a variable called 'w' already"):
        layer.add_weight("w", (1,))


def test_trainable_weight_synchronized_on_read():
    with pytest.raises(ValueError, match="synchronized on read cannot be trainable"):
        ln.Layer().add_weight("w", (1,), trainable=True, synchronization=ln.VariableSynchronization.ON_READ)


@pytest.mark.parametrize(("dtype", "value"), [("int32", 0), ("bool", False), ("int64", 0), ("uint8", 0)])
def test_default_initial_values(dtype, value):
    assert ln.Layer().add_weight("w", (2,), dtype=dtype).numpy().tolist() == [value, value]


def test_default_initializer_of_floats_is_glorot():
    w = ln.Layer().add_weight("w", (30, 50)).numpy()

    assert 0.9 * np.sqrt(6 / 80) < abs(w).max() <= np.sqrt(6 / 80)


def test_initializer_that_takes_a_shape_only():
    w = ln.Layer().add_weight("w", (2,), initializer=lambda shape: np.full(shape, 3.0))

    assert (w.numpy().tolist(), w.dtype.name) == ([3.0, 3.0], "float32")


def test_initializer_of_a_wrong_shape():
    with pytest.raises(ln.errors.ShapeError, match=r"initializer: expected values of shape \[2\], got \[3\]"):
        ln.Layer().add_weight("w", (2,), initializer=lambda shape: np.zeros(3))


def test_weights_created_in_any_order_list_trainable_ones_first():
    layer = ln.Layer(name="l")
    layer.add_weight("a", (), trainable=False)
    layer.add_weight("b", ())

    assert [v.name for v in layer.weights] == ["l/b:0", "l/a:0"]


def test_set_weights_with_a_wrong_shape_sets_nothing():
    layer = ln.layers.Dense(1, kernel_initializer="ones", name="d")
    layer(ONE)

    with pytest.raises(ValueError, match=r"expected an array of shape \[1\] for 'd/bias:0', got \[3\]"):
        layer.set_weights([np.zeros((2, 1)), np.zeros(3)])
    assert layer.get_weights()[0].tolist() == [[1.0], [1.0]]


def test_set_weights_before_build_says_so():
    with pytest.raises(ValueError, match=r"expected 0 arrays, got 1\. The layer is not built yet"):
        ln.layers.Dense(1).set_weights([ONE])


def test_set_weights_does_not_apply_constraints():
    layer = ln.layers.Dense(1, use_bias=False, kernel_constraint="non_neg")
    layer(ONE)
    layer.set_weights([[[-1.0], [-1.0]]])

    assert layer(ONE).numpy().tolist() == [[-2.0]]


def test_weight_made_in_call():
    class Late(ln.Layer):
        def call(self, x):
            if not self.variables:
                self.add_weight("w", (2,), initializer="ones")
            return x * self.variables[0]

    assert Late()(ONE).numpy().tolist() == [[1.0, 1.0]]


# --- masks, shapes ----------------------------------------------------------------------------------------------------


def test_mask_for_a_layer_that_does_not_support_it():
    with pytest.raises(TypeError, match="layer 'l': does not support masking"):
        ln.Layer(name="l").compute_mask(ONE, ONE > 0)


def test_output_shape_of_a_layer_that_does_not_say_it():
    with pytest.raises(NotImplementedError, match="layer 'l': does not say its output shape"):
        ln.Layer(name="l").compute_output_shape((1, 2))


def test_graph():
    with pytest.raises(RuntimeError, match="layer 'l': has no graph"):
        _ = ln.Layer(name="l").graph


# --- losses -----------------------------------------------------------------------------------------------------------


def test_activity_loss_of_the_latest_call():
    layer = ln.layers.Dense(1, kernel_initializer="ones", activity_regularizer=lambda y: ln.reduce_sum(y))
    layer(ONE)
    layer(2 * ONE)

    assert [float(loss) for loss in layer.losses] == [4.0]


@pytest.mark.parametrize("by_object", [False, True])
def test_activity_loss_of_the_latest_call_inside_a_variable_scope(by_object):
    layer = ln.layers.Activation("linear", activity_regularizer=lambda y: ln.reduce_sum(y))
    with ln.variable_scope("s") as scope:
        pass
    with ln.variable_scope(scope if by_object else "s"):
        layer(ONE)
        layer(2 * ONE)

    assert [float(loss) for loss in layer.losses] == [4.0]


def test_activity_losses_of_a_layer_used_twice_in_one_call():
    class Twice(ln.Network):
        def __init__(self):
            super().__init__()
            self.layer = self.track_layer(
                ln.layers.Activation("linear", activity_regularizer=lambda y: ln.reduce_sum(y))
            )

        def call(self, x):
            return self.layer(self.layer(x) * 2.0)

    net = Twice()
    net(ONE)
    net(ONE)

    assert [float(loss) for loss in net.losses] == [2.0, 4.0]


def test_activity_loss_can_be_differentiated():
    layer = ln.layers.Dense(1, use_bias=False, activity_regularizer=ln.regularizers.l2(1.0), kernel_initializer="ones")
    with ln.GradientTape() as tape:
        layer(ONE)
        loss = sum(layer.losses)

    assert tape.gradient(loss, layer.kernel).numpy().tolist() == [[4.0], [4.0]]


def test_add_loss_in_an_eager_call():
    class Penalty(ln.Layer):
        def call(self, x):
            self.add_loss([ln.reduce_sum(x), ln.reduce_max(x)])
            return x

    layer = Penalty()
    layer(ONE)
    layer(3 * ONE)

    assert [float(loss) for loss in layer.losses] == [6.0, 3.0]


def test_activity_regularizer_may_be_set_after_the_first_call():
    layer = ln.layers.Activation("linear")
    layer(ONE)
    layer.activity_regularizer = lambda y: ln.reduce_sum(y)
    layer(ln.constant(ONE))

    assert [float(loss) for loss in layer.losses] == [2.0]


# --- configuration and copies -----------------------------------------------------------------------------------------


def test_deep_copy_of_a_built_layer_owns_its_storage():
    layer = ln.layers.Dense(1, kernel_regularizer="l2", kernel_initializer="ones", name="d")
    layer(ONE)
    twin = copy.deepcopy(layer)
    twin.set_weights([np.zeros((2, 1)), np.ones(1)])

    assert layer(ONE).numpy().tolist() == [[2.0]]
    assert twin(ONE).numpy().tolist() == [[1.0]]
    assert (twin.name, twin.scope_name) == ("d", "d")
    assert [float(loss) for loss in twin.losses] == [0.0]


def test_deep_copy_of_an_attribute():
    layer = ln.Layer()
    layer.table = ln.constant([1.0])
    layer.tags = ["a"]
    twin = copy.deepcopy(layer)
    twin.tags.append("b")

    assert layer.tags == ["a"]
    assert twin.table.numpy().tolist() == [1.0]


@pytest.mark.parametrize(
    "layer",
    [
        ln.layers.Dense(3, activation="tanh", kernel_regularizer="l2", kernel_constraint="max_norm", name="x"),
        ln.layers.Activation("relu", name="x"),
        ln.layers.Dropout(0.3, seed=1, name="x"),
        ln.layers.Flatten(data_format="channels_first", name="x"),
        ln.layers.Reshape((2, -1), name="x"),
        ln.layers.Concatenate(axis=1, name="x"),
        ln.layers.Add(name="x"),
        ln.layers.BatchNormalization(momentum=0.5, scale=False, name="x"),
        ln.layers.Conv1D(2, 3, padding="causal", name="x"),
        ln.layers.Conv2D(2, (3, 1), strides=2, activation="relu", name="x"),
        ln.layers.MaxPooling1D(2, name="x"),
        ln.layers.Embedding(3, 2, mask_zero=True, embeddings_regularizer=ln.regularizers.l2(0.1), name="x"),
        ln.layers.LayerNormalization(epsilon=0.1, center=False, name="x"),
        ln.layers.GlobalAveragePooling1D("channels_first", name="x"),
        ln.layers.GlobalMaxPooling2D(name="x"),
        ln.layers.Masking(2.0, name="x"),
        ln.layers.AveragePooling2D(3, strides=1, padding="same", name="x"),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_config_round_trip(layer):
    config = layer.get_config()
    again = type(layer).from_config(config)

    assert again.get_config() == config
    assert not again.built


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda n: ln.layers.Conv2D(n, n, strides=n, padding="same"), (1, 4, 4, 3)),
        (lambda n: ln.layers.Dense(n), (2, 3)),
        (lambda n: ln.layers.Embedding(n, n, input_shape=(n,)), None),
        (lambda n: ln.layers.MaxPooling1D(n, n), (1, 4, 3)),
        (lambda n: ln.layers.UpSampling2D(n), (1, 2, 2, 3)),
        (lambda n: ln.layers.ZeroPadding1D(n), (1, 2, 3)),
        (lambda n: ln.layers.ZeroPadding2D((n, (n, 0))), (1, 2, 2, 3)),
        (lambda n: ln.layers.RepeatVector(n), (1, 2)),
        (lambda n: ln.layers.BatchNormalization(n), (1, 2, 2, 3)),
        (lambda n: ln.layers.LayerNormalization(n), (1, 2, 2, 3)),
        (lambda n: ln.layers.LayerNormalization([1, n]), (1, 2, 2, 3)),
        (lambda n: ln.layers.PReLU(shared_axes=n), (1, 2, 2, 3)),
        (lambda n: ln.layers.Dense(2, kernel_constraint=ln.constraints.max_norm(1.0, axis=n - 2)), (2, 3)),
    ],
)
def test_numbers_of_numpy_are_numbers(make, shape):
    x = np.zeros((1, 3), "int32") if shape is None else np.ones(shape, "float32")
    expected, layer = make(2), make(np.int64(2))
    want, got = expected(x), layer(x)

    assert got.shape == want.shape
    assert [v.shape for v in layer.variables] == [v.shape for v in expected.variables]
    assert ln.layers.Layer().add_weight("w", np.int64(3)).shape == (3,)


def test_custom_activation_survives_the_config():
    layer = ln.layers.Dense(1, activation=abs, name="x")

    assert ln.layers.Dense.from_config(layer.get_config()).activation is abs


@pytest.mark.parametrize("value", [None, "a"])
@pytest.mark.parametrize("make", [lambda: ln.layers.Dense(2), ln.layers.Flatten, lambda: ln.layers.Conv2D(2, 3)])
def test_inputs_that_are_no_arrays_are_refused(make, value):
    with pytest.raises(ln.errors.DTypeError, match=f"expected an array or a tensor as input, got {value!r}"):
        make()(value)


def test_list_for_a_layer_of_one_input_is_refused():
    x = np.ones((1, 2), "float32")
    layer = ln.layers.Dense(2)

    with pytest.raises(ln.errors.InvalidArgumentError, match="expected one tensor as input, got a list"):
        layer([x])
    assert layer(x).shape == (1, 2)


def test_input_shape_of_one_number():
    assert ln.layers.Dense(2, input_shape=3).get_config()["batch_input_shape"] == (None, 3)
    assert ln.Predictor(ln.Sequential([ln.layers.Dense(2, input_shape=3)])).input_shape == (None, 3)


def test_constraint_by_name():
    class Scale(ln.Layer):
        def build(self, input_shape):
            self.factor = self.add_weight("factor", (2,), constraint="non_neg")

    layer = Scale()
    layer(np.ones((1, 2), "float32"))

    np.testing.assert_array_equal(layer.factor.constraint(ln.constant([-1.0, 2.0])).numpy(), [0.0, 2.0])


def test_constraint_of_an_unknown_name_is_refused():
    class Scale(ln.Layer):
        def build(self, input_shape):
            self.add_weight("factor", (2,), constraint="non_such")

    with pytest.raises(ValueError, match="non_such"):
        Scale()(np.ones((1, 2), "float32"))


def test_dropout_rate_has_to_be_a_number():
    with pytest.raises(ln.errors.DTypeError, match=r"dropout.*expected a rate in \[0, 1\), got 'a'"):
        ln.layers.Dropout("a")


def test_reshape_to_one_axis_by_a_number():
    assert ln.layers.Reshape(6)(ln.ones((5, 2, 3))).shape == (5, 6)

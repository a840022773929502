"""Model: members by assignment, functional models, prediction, tables."""

import copy
import gc
import pickle
import threading
import weakref
from collections import namedtuple

import numpy as np
import pytest

import layernet as ln

ROWS = np.arange(12, dtype="float32").reshape(4, 3) / 8
Pair = namedtuple("Pair", "first second")


def dense(units=2, **options):
    return ln.layers.Dense(units, kernel_initializer="ones", **options)


# --- members by assignment --------------------------------------------------------------------------------------------


class ByCalls(ln.Network):
    def __init__(self, name=None):
        super().__init__(name=name)
        self.first = self.track_layer(dense())
        self.blocks = []
        for _ in range(2):
            self.blocks.append(self.track_layer(dense()))
        self.norm = self.track_layer(ln.layers.BatchNormalization(name="norm"))
        self.last = self.track_layer(dense())

    def call(self, x):
        x = self.first(x)
        for block in self.blocks:
            x = block(x)
        return self.last(self.norm(x))


class ByAssignment(ln.Model):
    def __init__(self, name=None):
        super().__init__(name=name)
        self.first = dense()
        self.blocks = []
        for _ in range(2):
            self.blocks.append(dense())
        self.norm = ln.layers.BatchNormalization(name="norm")
        self.last = dense()

    call = ByCalls.call


def test_code_without_track_layer_behaves_the_same():
    old, new = ByCalls("a"), ByAssignment("b")
    assert [m.name for m in new.layers] == [m.name for m in old.layers]

    assert (new(ROWS).numpy() == old(ROWS).numpy()).all()

    assert [v.name.removeprefix("b/") for v in new.variables] == [v.name.removeprefix("a/") for v in old.variables]
    assert new._layer_counts == old._layer_counts
    assert [v.name for v in new.trainable_variables][:2] == ["b/dense/kernel:0", "b/dense/bias:0"]


def test_anonymous_model_is_named_as_any_network():
    model = ByAssignment()
    with pytest.raises(ValueError, match="ByAssignment: has no name yet"):
        _ = model.name

    model(ROWS)

    assert (model.name, model.variables[0].name) == ("by_assignment", "by_assignment/dense/kernel:0")


def test_model_within_a_model_is_a_member():
    class Outer(ln.Model):
        def __init__(self):
            super().__init__("outer")
            self.inner = ByAssignment()

        def call(self, x):
            return self.inner(x)

    outer = Outer()
    outer(ROWS)

    assert outer.variables[0].name == "outer/by_assignment/dense/kernel:0"


@pytest.mark.parametrize(
    ("fill", "names"),
    [
        (lambda m: setattr(m, "x", [dense(), [dense()]]), ["dense", "dense_1"]),
        (lambda m: setattr(m, "x", (dense(), {"a": dense(name="a")})), ["dense", "a"]),
        (lambda m: setattr(m, "x", Pair(dense(), [dense()])), ["dense", "dense_1"]),
        (lambda m: setattr(m, "x", {"b": dense(), "a": ln.layers.Flatten()}), ["dense", "flatten"]),
        (lambda m: m.items.append(dense()), ["dense"]),
        (lambda m: m.items.extend([dense(), dense()]), ["dense", "dense_1"]),
        (lambda m: m.items.insert(0, dense()), ["dense"]),
        (lambda m: m.items.__iadd__([dense()]), ["dense"]),
        (lambda m: m.items.append([1, {"k": dense()}]), ["dense"]),
        (lambda m: (m.items.append(0), m.items.__setitem__(0, dense())), ["dense"]),
        (lambda m: m.items.__setitem__(slice(0, 0), [dense(), dense()]), ["dense", "dense_1"]),
        (lambda m: (m.items.append([]), m.items[0].append(dense())), ["dense"]),
        (lambda m: m.table.__setitem__("k", dense()), ["dense"]),
        (lambda m: m.table.update(k=dense()), ["dense"]),
        (lambda m: m.table.setdefault("k", dense()), ["dense"]),
        (lambda m: m.table.__ior__({"k": [dense()]}), ["dense"]),
        (lambda m: setattr(m, "_hidden", dense()), ["dense"]),
    ],
    ids=range(17),
)
def test_layers_in_containers_are_members(fill, names):
    model = ln.Model("m")
    model.items, model.table = [], {}

    fill(model)

    assert [layer.name for layer in model.layers] == names


def test_containers_are_lists_and_dictionaries_still():
    model = ln.Model("m")
    model.sizes, model.table, model.pair = [3, 4], {"a": 1}, Pair(1, 2)
    model.sizes += [5]

    assert isinstance(model.sizes, list)
    assert isinstance(model.table, dict)
    assert (model.sizes, model.table) == ([3, 4, 5], {"a": 1})
    assert type(model.pair) is Pair
    assert repr(model.sizes) == "[3, 4, 5]"
    assert model.layers == []


def test_layer_assigned_twice_is_one_member_even_when_built():
    model = ByAssignment("m")
    model(ROWS)
    count = len(model.variables)

    model.again = model.first
    model.blocks = list(model.blocks)

    assert len(model.variables) == count


def test_layer_stays_a_member_when_the_attribute_changes():
    model = ln.Model("m")
    model.layer = dense()
    model.layer = dense()

    assert [layer.name for layer in model.layers] == ["dense", "dense_1"]


def test_property_of_a_subclass_is_set_by_its_setter():
    class WithProperty(ln.Model):
        @property
        def head(self):
            return self._head

        @head.setter
        def head(self, layer):
            self._head = layer

    model = WithProperty("m")
    model.head = dense()

    assert model.layers == [model.head]


def test_layers_assigned_before_the_constructor_of_the_base_class():
    class Early(ln.Model):
        def __init__(self):
            self.layer = dense()
            super().__init__()

    with pytest.raises(RuntimeError, match=r"Early: expected super\(\).__init__\(\) before track_layer"):
        Early()


def test_two_members_of_one_explicit_name():
    model = ln.Model("m")
    model.a = dense(name="same")

    with pytest.raises(ValueError, match="has a layer named 'same' already"):
        model.b = dense(name="same")


def test_model_with_containers_is_freed_by_reference_counting():
    gc.collect()
    gc.disable()
    try:
        model = ByAssignment("m")
        model.table = {"a": [dense()]}
        model(ROWS)
        reference = weakref.ref(model)
        del model
        assert reference() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["copy", "pickle"])
def test_copy_owns_its_variables_and_tracks_on(duplicate):
    model = ByAssignment("m")
    before = model(ROWS).numpy()

    other = duplicate(model)
    other.variables[0].assign(np.zeros((3, 2)))
    other.blocks.append(dense(name="more"))

    assert [layer.name for layer in other.layers[-2:]] == ["dense_3", "more"]
    assert len(other.layers) == len(model.layers) + 1
    assert other.blocks[0] is other.layers[1]
    assert (model(ROWS).numpy() == before).all()
    np.testing.assert_allclose(model.predict(ROWS), before, rtol=1e-5)


# --- functional models ------------------------------------------------------------------------------------------------


def test_functional_model_makes_the_recorded_calls():
    x = ln.Input((3,))
    h = ln.layers.Dense(4, activation="tanh")(x)
    y = ln.layers.Dense(2)(h)

    model = ln.Model(x, y, name="net")

    kernel, bias, kernel_1, bias_1 = (v.numpy().astype("float64") for v in model.variables)
    hidden = np.tanh(ROWS @ kernel + bias)
    want = hidden @ kernel_1 + bias_1
    # 4 sqrt(k) eps of the products' sizes, not of a sum in which they may cancel; once for each of the two layers.
    bound = 2 * 4 * 4**0.5 * np.finfo("float32").eps * (np.abs(hidden) @ np.abs(kernel_1)).max()
    np.testing.assert_allclose(model(ROWS).numpy(), want, rtol=0, atol=bound)
    np.testing.assert_allclose(model.predict(ROWS), want, rtol=0, atol=bound)


def test_functional_model_is_built_and_layers_keep_their_names():
    x = ln.Input((3,))
    h = dense()(x)
    model = ln.Model(x, dense()(h))

    assert (model.name, model.built, model.dtype) == ("model", True, "float32")
    assert [layer.name for layer in model.layers] == ["dense_1", "dense_2"]
    assert [v.name for v in model.variables][::2] == ["dense/kernel:0", "dense_1/kernel:0"]
    assert model.count_params() == 14
    assert (model.input, model.input_shape, model.output_shape) == (x, (None, 3), (None, 2))
    assert ln.Model(x, dense()(x)).name == "model_1"


def test_layers_that_nothing_else_holds_live_on_in_the_symbols():
    x = ln.Input((3,))
    y = dense()(dense()(x))
    gc.collect()

    assert len(ln.Model(x, y).layers) == 2


def test_shared_layer_is_one_member_called_twice():
    a, b = ln.Input((3,)), ln.Input((3,))
    shared = dense()
    model = ln.Model([a, b], ln.layers.Subtract()([shared(a), shared(b)]))

    assert [type(m).__name__ for m in model.layers] == ["Dense", "Subtract"]
    assert len(model.variables) == 2
    assert (model([ROWS, ROWS]).numpy() == 0).all()


def test_several_inputs_and_outputs_in_structures():
    a, b = ln.Input((3,)), ln.Input((2,))
    both = ln.layers.Concatenate()([a, b])
    model = ln.Model({"a": a, "b": b}, {"sum": dense(1, use_bias=False)(both), "parts": (both, a)})

    out = model({"a": ROWS, "b": ROWS[:, :2]})

    np.testing.assert_allclose(out["sum"].numpy()[:, 0], ROWS.sum(1) + ROWS[:, :2].sum(1), rtol=1e-6)
    assert isinstance(out["parts"], tuple)
    assert (out["parts"][1].numpy() == ROWS).all()
    predicted = model.predict({"a": ROWS, "b": ROWS[:, :2]}, batch_size=3)
    np.testing.assert_allclose(predicted["sum"], out["sum"].numpy(), rtol=1e-6)
    assert predicted["parts"][0].shape == (4, 5)


def test_model_of_the_middle_of_another():
    x = ln.Input((3,))
    h = dense()(x)
    y = dense()(h)

    rest = ln.Model(h, y)

    assert len(rest.layers) == 1
    assert rest(np.ones((2, 2), "float32")).numpy().tolist() == [[2.0, 2.0]] * 2


def test_networks_are_called_as_one_layer():
    inner = ln.Sequential([dense(), dense()], name="inner")
    x = ln.Input((3,))
    model = ln.Model(x, dense(1)(inner(x)))

    assert [layer.name for layer in model.layers] == ["inner", "dense_3"]
    assert model.variables[0].name == "inner/dense/kernel:0"
    assert model(ROWS).shape == (4, 1)


def test_functional_model_as_a_member():
    x = ln.Input((3,))
    features = ln.Model(x, dense()(x), name="features")

    class Head(ln.Model):
        def __init__(self):
            super().__init__("head")
            self.features = features
            self.out = dense(1)

        def call(self, inputs):
            return self.out(self.features(inputs))

    head = Head()
    head(ROWS)

    assert [v.name for v in head.variables][::2] == ["dense/kernel:0", "head/dense/kernel:0"]


def test_training_goes_to_the_layers_that_take_it():
    x = ln.Input((3,))
    model = ln.Model(x, ln.layers.Dropout(0.5)(ln.layers.BatchNormalization()(x)))
    always = ln.Model(x, ln.layers.Dropout(0.5)(x, training=True))

    quiet = model(ROWS).numpy()
    loud = model(np.ones((64, 3), "float32"), training=True).numpy()

    assert (quiet != 0).sum() == 11
    assert (loud == 0).all()  # constant rows, normalised by themselves
    assert (always(np.ones((64, 3), "float32"), training=False).numpy() == 0).any()


def test_masks_are_passed_on_in_eager_calls():
    seen = []

    class Reader(ln.Layer):
        def call(self, inputs, mask=None):
            seen.append(mask)
            return inputs

        def compute_mask(self, inputs, mask=None):
            return None

    x = ln.Input((3, 2))
    model = ln.Model(x, Reader()(ln.layers.Masking()(x)))
    seen.clear()
    rows = np.ones((1, 3, 2), "float32")
    rows[0, 1] = 0

    model(rows)

    assert [np.asarray(mask).tolist() for mask in seen] == [[[True, False, True]]]


def test_arguments_of_calls_are_kept():
    class Scale(ln.Layer):
        def call(self, inputs, factor, *, shift=None):
            return inputs * factor if shift is None else inputs * factor + shift

    x, s = ln.Input((3,)), ln.Input((3,))
    scale = Scale()
    model = ln.Model([x, s], scale(scale(x, 2.0), 3.0, shift=s))

    assert (model([ROWS, ROWS]).numpy() == ROWS * 7).all()


def test_gradients_reach_functional_models():
    x = ln.Input((3,))
    model = ln.Model(x, dense(1)(dense()(x)))

    with ln.GradientTape() as tape:
        loss = ln.reduce_sum(model(ROWS))

    assert all(g is not None for g in tape.gradient(loss, model.trainable_variables))


def test_functional_model_is_copied_with_its_calls():
    x = ln.Input((3,))
    model = ln.Model(x, dense()(x))

    other = copy.deepcopy(model)
    other.variables[0].assign(np.zeros((3, 2)))

    assert (other(ROWS).numpy() == 0).all()
    assert (model(ROWS).numpy() != 0).any()
    assert pickle.loads(pickle.dumps(model))(ROWS).numpy().tolist() == model(ROWS).numpy().tolist()


def test_functional_model_is_collected():
    x = ln.Input((3,))
    model = ln.Model(x, dense()(x))
    reference = weakref.ref(model)
    del model, x
    gc.collect()

    assert reference() is None


def test_a_long_chain_needs_no_deep_stack():
    x = y = ln.Input((2,))
    layer = ln.layers.Activation("relu")
    for _ in range(3000):
        y = layer(y)

    assert (ln.Model(x, y)(np.ones((1, 2), "float32")).numpy() == 1).all()


X = ln.Input((3,))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: ln.Model(X), TypeError, "Model: expected inputs and outputs, or neither, got inputs only"),
        (lambda: ln.Model(outputs=X), TypeError, "got outputs only"),
        (lambda: ln.Model(ROWS, X), TypeError, "model: expected symbols as inputs, got ndarray"),
        (lambda: ln.Model(X, [1]), TypeError, "model: expected symbols as outputs, got int"),
        (lambda: ln.Model(X, []), TypeError, "model: expected symbols as outputs, got none"),
        (lambda: ln.Model([X, X], dense()(X)), ln.errors.GraphError, "distinct inputs, got one of them twice"),
        (
            lambda: ln.Model(ln.Input((3,)), dense()(X)),
            ln.errors.GraphError,
            r"needs another ln.Input of shape \[None, 3\]. Add it to the inputs",
        ),
        (
            lambda: ln.Model(X, dense()(X + X)),
            ln.errors.GraphError,
            r"got a symbol of shape \[None, 3\] made by the op 'add' outside of layers",
        ),
        (lambda: ln.Model("a/b"), ValueError, "expected a name without '/'"),
    ],
)
def test_wrong_functional_model(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_wrong_inputs_of_a_functional_model():
    a, b = ln.Input((3,)), ln.Input((3,))
    model = ln.Model({"a": a, "b": b}, ln.layers.Add()([a, b]), name="m")

    with pytest.raises(ln.errors.InvalidArgumentError, match="model 'm': expected 2 inputs, got 1"):
        model(ROWS)
    with pytest.raises(ln.errors.InvalidArgumentError, match="expected inputs called 'a', 'b', got 'a', 'c'"):
        model({"a": ROWS, "c": ROWS})


# --- prediction -------------------------------------------------------------------------------------------------------


def test_predict_keeps_its_predictor_until_a_variable_changes():
    model = ByAssignment("m")
    first = model.predict(ROWS)
    [(_, plan)] = model._predictors.values()

    assert (model.predict(ROWS) == first).all()
    assert [kept[1] for kept in model._predictors.values()] == [plan]

    model.variables[0].assign(np.zeros((3, 2)))
    second = model.predict(ROWS)

    assert [kept[1] for kept in model._predictors.values()] != [plan]
    np.testing.assert_allclose(second, model(ROWS).numpy(), rtol=1e-5)
    assert (plan.predict(ROWS) == first).all()  # a plan handed out never changes


def test_predict_notices_an_optimizer():
    x = ln.Input((3,))
    model = ln.Model(x, dense()(x))
    before = model.predict(ROWS)
    with ln.GradientTape() as tape:
        loss = ln.reduce_sum(model(ROWS))
    gradients = tape.gradient(loss, model.trainable_variables)
    ln.optimizers.SGD(0.5).apply_gradients(zip(gradients, model.trainable_variables, strict=True))

    assert (model.predict(ROWS) != before).all()


def test_predict_in_batches_has_the_same_bits():
    model = ByAssignment("m")
    rows = np.random.default_rng(0).normal(size=(11, 3)).astype("float32")
    whole = model.predict(rows)

    for size in (1, 4, 11, 100):
        assert (model.predict(rows, batch_size=size) == whole).all()
    assert model.predict(rows[:0], batch_size=4).shape == (0, 2)


def test_predict_takes_numbers_of_other_types_and_lists():
    model = ByAssignment("m")
    model(ROWS)
    whole = model.predict(ROWS)

    assert (model.predict(ROWS.astype("float64")) == whole).all()
    assert (model.predict(ROWS.tolist()) == whole).all()
    assert (model.predict(ln.constant(ROWS)) == whole).all()
    assert model.predict(np.zeros((2, 3), "int32")).dtype == np.float32


def test_predict_of_other_sizes_and_of_more_axes():
    x = ln.Input((None, 3))
    model = ln.Model(x, dense()(x))

    assert model.predict(np.ones((2, 5, 3), "float32")).shape == (2, 5, 2)
    assert model.predict(np.ones((2, 7, 3), "float32")).shape == (2, 7, 2)
    y = ln.Input((3,))
    assert ln.Model(y, dense()(y)).predict(np.ones((4, 5, 3), "float32")).shape == (4, 5, 2)


def test_predictors_of_few_shapes_are_kept():
    x = ln.Input((None, 3))
    model = ln.Model(x, dense()(x))
    for length in range(1, 12):
        model.predict(np.ones((1, length, 3), "float32"))

    assert [key[0][0] for key in model._predictors] == list(range(4, 12))


def test_predict_infers():
    x = ln.Input((3,))
    model = ln.Model(x, ln.layers.Dropout(0.9)(x))

    assert (model.predict(ROWS) == ROWS).all()


def test_predict_leaves_no_node():
    model = ByAssignment("m")
    model.predict(ROWS)

    assert model.inbound_nodes == model.first.inbound_nodes == []
    assert model.built


def test_predict_from_several_threads_while_variables_change():
    x = ln.Input((3,))
    model = ln.Model(x, dense(use_bias=False)(x))
    rows = np.ones((1, 3), "float32")
    wrong = []

    def ask():
        for _ in range(100):
            value = model.predict(rows)[0, 0]
            if value % 3 or not 3 <= value <= 60:
                wrong.append(value)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for factor in range(1, 21):
        model.variables[0].assign(np.full((3, 2), factor))
    for thread in threads:
        thread.join()

    assert wrong == []
    assert model.predict(rows)[0, 0] == 60


@pytest.mark.parametrize(
    ("ask", "error", "message"),
    [
        (lambda m: m.predict(ROWS, batch_size=0), ValueError, "expected batch_size >= 1, got 0"),
        (lambda m: m.predict(np.array(["a"])), TypeError, "predict: expected numbers, got an array of dtype"),
        (lambda m: m.predict(np.float32(1)), ValueError, "expected arrays with a row for each sample"),
        (lambda m: m.predict(ROWS[:, :2]), ValueError, "expected an input with size 3 on axis -1, got"),
    ],
)
def test_wrong_prediction(ask, error, message):
    x = ln.Input((3,))
    model = ln.Model(x, dense()(x), name="m")

    with pytest.raises(error, match=message):
        ask(model)


def test_rows_that_cannot_be_cut():
    a, b = ln.Input((3,)), ln.Input((3,))
    model = ln.Model([a, b], [a, dense()(b)], name="m")

    with pytest.raises(ValueError, match=r"the same number of rows, got shapes \[4, 3\], \[3, 3\]"):
        model.predict([ROWS, ROWS[:3]], batch_size=2)


# --- tables -----------------------------------------------------------------------------------------------------------


def test_summary_of_a_functional_model(capsys):
    x = ln.Input((3,))
    shared = dense(4, name="shared")
    y = ln.layers.Add(name="sum")([shared(x), shared(x)])
    frozen = dense(1, name="out", trainable=False)
    model = ln.Model(x, frozen(y), name="m")

    text = model.summary()

    assert capsys.readouterr().out == text + "\n"
    assert text.splitlines() == [
        "Model 'm'",
        "Layer           Output shape  Parameters",
        "----------------------------------------",
        "shared (Dense)  (None, 4)             16",
        "sum (Add)       (None, 4)              0",
        "out (Dense)     (None, 1)              5",
        "----------------------------------------",
        "Total 21, trainable 16, non-trainable 5",
    ]


def test_summary_of_a_subclass_leaves_no_mark():
    model = ByAssignment("m")
    model(ROWS)
    model.unused = dense()

    text = model.summary(print_fn=None)

    assert "norm (BatchNormalization)  (None, 2)              8" in text
    assert "dense_4 (Dense)            ?              not built" in text
    assert "Total 34, trainable 30, non-trainable 4" in text
    assert model.inbound_nodes == []


def test_summary_names_all_shapes_of_a_layer_called_on_several():
    layer = ln.layers.Activation("relu")
    a, b = ln.Input((3,)), ln.Input((2,))

    assert "(None, 3) or (None, 2)" in ln.Model([a, b], [layer(a), layer(b)]).summary(None)


def test_summary_of_an_unbuilt_model():
    with pytest.raises(ValueError, match="has no parameters to count before it is built"):
        ByAssignment("m").summary()


def test_get_layer():
    model = ByAssignment("m")

    assert model.get_layer("norm") is model.get_layer(index=3) is model.norm
    with pytest.raises(ValueError, match=r"has no layer named 'x'. Its layers: dense, "):
        model.get_layer("x")

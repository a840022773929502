"""Models as JSON and as files: the same outputs and names come back, and nothing in a file is trusted."""

import contextlib
import copy
import json
import os
import resource

import numpy as np
import pytest

import layernet as ln
from layernet.tensorfile import TensorFile, write_tensors

ROWS = np.random.default_rng(1).normal(size=(4, 6)).astype("float32")
KEY = "layernet.model"


@ln.register_serializable(name="tests>Scale")
class Scale(ln.Layer):
    def __init__(self, factor=2.0, **options):
        super().__init__(**options)
        self.factor = factor

    def build(self, input_shape):
        self.gain = self.add_weight("gain", (input_shape[-1],), initializer="ones")
        self.built = True

    def call(self, inputs):
        return inputs * self.gain * self.factor

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


@ln.register_serializable(name="tests>Mlp")
class Mlp(ln.Model):
    def __init__(self, units=4, name=None):
        super().__init__(name=name)
        self.units = units
        x = ln.Input((6,))
        self.features = ln.Model(x, ln.layers.Dense(units)(x))  # free layers: names by the counters of the process
        self.blocks = [ln.layers.BatchNormalization(), Scale(3.0)]
        self.out = ln.layers.Dense(2)

    def call(self, x, training=None):
        x = self.features(x)
        x = self.blocks[0](x, training=training)
        return self.out(self.blocks[1](x))

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@ln.register_serializable(name="tests>NotNew")
class NotNew(ln.Layer):
    @classmethod
    def from_config(cls, config):
        return 3


@ln.register_serializable(name="tests>bend")
def bend(x):
    return x * ln.sigmoid(x * 3.0)


@ln.register_serializable(name="tests>Half")
class Half(ln.initializers.Initializer):
    def __call__(self, shape, dtype=None):
        return ln.fill(shape, 0.5)


@ln.register_serializable(name="tests>Towers")
class Towers(ln.Model):
    def __init__(self, name=None):
        super().__init__(name=name)
        self.towers = [ln.Sequential([ln.layers.Dense(3), ln.Sequential([ln.layers.Dense(2)])]) for _ in range(2)]

    def call(self, x):
        return self.towers[0](x) + self.towers[1](x)


def branched():
    a, b = ln.Input((6,), name="a"), ln.Input((6,))
    shared = ln.layers.Dense(3, activation=bend, kernel_initializer=Half(), kernel_regularizer="l2", name="shared")
    inner = ln.Sequential([ln.layers.Dense(3), ln.nn.relu, ln.layers.Dense(3)], name="inner")
    joined = ln.layers.Concatenate(axis=-1)([shared(a), inner(shared(b))])
    dropped = ln.layers.Dropout(0.25, seed=3)(joined, training=False)
    out = Scale(0.5, trainable=False)(ln.layers.LayerNormalization()(dropped))
    return ln.Model({"a": a, "b": b}, (out, {"joined": joined}), name="branched")


def conv():
    x = ln.Input((6, 6, 2))
    y = ln.layers.Conv2D(3, (2, 3), padding="same", activation="relu")(x)
    y = ln.layers.BatchNormalization()(y)
    y = ln.layers.MaxPooling2D((2, 2), (2, 2))(y)
    y = ln.layers.Reshape((9, 3))(y)
    return ln.Model(x, ln.layers.GlobalAveragePooling1D()(y), name="conv")


def embedding():
    x = ln.Input((5,), "int32")
    return ln.Model(x, ln.layers.Flatten()(ln.layers.Embedding(10, 3)(x)), name="embedding")


def subclass():
    model = Mlp(5, name="mlp")
    model(ROWS)
    model.blocks[1].trainable = False
    return model


def networks_within():
    model = Towers(name="towers")
    model(ROWS)
    return model


def scoped():
    with ln.variable_scope("outer"):
        x = ln.Input((6,))
        return ln.Model(x, ln.layers.Dense(2)(x), name="scoped")


MODELS = {
    branched: {"a": ROWS, "b": ROWS + 1},
    conv: np.random.default_rng(2).normal(size=(2, 6, 6, 2)).astype("float32"),
    embedding: np.array([[0, 1, 2, 9, 4]], "int32"),
    subclass: ROWS,
    networks_within: ROWS,
    scoped: ROWS,
}
by_model = pytest.mark.parametrize(("make", "x"), MODELS.items(), ids=[make.__name__ for make in MODELS])


def spoil(model):
    """Other values than the initial ones everywhere."""
    random = np.random.default_rng(5)
    model.set_weights([random.uniform(0.5, 1.5, w.shape).astype(w.dtype) for w in model.get_weights()])
    return model


def outputs(model, x):
    return [np.asarray(leaf) for leaf in ln.nest.flatten(model(x))]


def names(model):
    return [v.name for v in model.variables]


@by_model
@pytest.mark.parametrize("fresh", [True, False], ids=["new process", "same process"])
def test_loaded_model_is_a_copy(make, x, fresh, tmp_path):
    model = spoil(make())
    path = tmp_path / "model.safetensors"
    model.save(path)
    want, layers = outputs(model, x), [layer.name for layer in model.layers]
    if fresh:
        ln.reset_naming()

    loaded = ln.Model.load(path)

    assert type(loaded) is type(model)
    assert (loaded.name, loaded.scope_name, names(loaded)) == (model.name, model.scope_name, names(model))
    assert [layer.name for layer in loaded.layers] == layers
    assert [v.name for v in loaded.trainable_variables] == [v.name for v in model.trainable_variables]
    for got, expected in zip(outputs(loaded, x), want, strict=True):
        assert (got == expected).all()
    for got, expected in zip(
        ln.nest.flatten(loaded.predict(x)), ln.nest.flatten(ln.Predictor(model).predict(x)), strict=True
    ):
        assert (got == expected).all()
    assert len(loaded.losses) == len(model.losses)


@by_model
def test_saving_a_loaded_model_gives_the_same_file(make, x, tmp_path):
    make().save(tmp_path / "first")
    ln.Model.load(tmp_path / "first").save(tmp_path / "second")

    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


@by_model
def test_original_and_loaded_model_live_side_by_side(make, x, tmp_path):
    model = make()
    model.save(tmp_path / "m")
    loaded = spoil(ln.Model.load(tmp_path / "m"))
    model.predict(x)
    loaded.predict(x)

    assert any((a != b).any() for a, b in zip(model.get_weights(), loaded.get_weights(), strict=True) if a.size)


@by_model
def test_json_has_the_architecture_without_the_weights(make, x):
    model = make()
    again = ln.Model.from_json(model.to_json())

    assert again.to_json() == model.to_json()
    assert [w.shape for w in again.get_weights()] == [w.shape for w in model.get_weights()]
    assert [np.shape(y) for y in outputs(again, x)] == [np.shape(y) for y in outputs(model, x)]
    again.set_weights(model.get_weights())
    for got, expected in zip(outputs(again, x), outputs(model, x), strict=True):
        assert (got == expected).all()


def test_checkpoint_of_the_original_fits_the_loaded_model(tmp_path):
    model = spoil(branched())
    model.save(tmp_path / "m")
    loaded = ln.Model.load(tmp_path / "m")
    spoil(model)
    path = ln.save_network_checkpoint(model, tmp_path / "ckpt")

    ln.restore_network_checkpoint(loaded, path)

    assert all((a == b).all() for a, b in zip(model.get_weights(), loaded.get_weights(), strict=True))


def test_any_safetensors_reader_opens_the_file(tmp_path):
    safetensors = pytest.importorskip("safetensors.numpy", reason="the extra [dev] has safetensors")
    model = conv()
    model.save(tmp_path / "m")

    tensors = safetensors.load_file(tmp_path / "m")

    assert sorted(tensors) == sorted(v.full_name for v in model.variables)
    assert (tensors["conv2d/kernel"] == model.variables[0].numpy()).all()


def test_half_precision_is_kept(tmp_path):
    x = ln.Input((3,), "bfloat16")
    model = ln.Model(x, ln.layers.Dense(2)(x), name="m")
    model.save(tmp_path / "m")
    loaded = ln.Model.load(tmp_path / "m")

    assert [v.dtype.name for v in loaded.variables] == ["bfloat16", "bfloat16"]
    assert (np.asarray(loaded.variables[0].value(), "float32") == np.asarray(model.variables[0].value())).all()


def test_new_names_step_around_those_of_a_loaded_model(tmp_path):
    subclass().save(tmp_path / "m")
    ln.reset_naming()
    ln.Model.load(tmp_path / "m")

    with pytest.raises(ValueError, match="the name is taken"):
        Mlp(name="mlp")(ROWS)


@pytest.mark.parametrize("name", sorted(set(ln.layers.__all__) - {"InputSpec", "Lambda", "Layer"}))
def test_every_layer_can_be_described(name):
    arguments = {
        "Activation": ["relu"],
        "Conv1D": [2, 3],
        "Conv2D": [2, 3],
        "Conv2DTranspose": [2, 3],
        "Conv3D": [2, 3],
        "Conv3DTranspose": [2, 3],
        "Dense": [2],
        "Embedding": [4, 2],
        "DepthwiseConv2D": [3],
        "Permute": [(1,)],
        "RepeatVector": [3],
        "Reshape": [(-1,)],
        "SeparableConv1D": [2, 3],
        "SeparableConv2D": [2, 3],
        "MaxPooling1D": [2, 2],
        "MaxPooling2D": [2, 2],
        "AveragePooling1D": [2, 2],
        "AveragePooling2D": [2, 2],
    }
    layer = getattr(ln.layers, name)(*arguments.get(name, []), name="layer")
    dtype = "int32" if name == "Embedding" else "float32"
    shape = {"1D": (8, 2), "2D": (8, 8, 2), "3D": (4, 4, 4, 2)}.get(name.removesuffix("Transpose")[-2:], (4,))
    count = 2 if isinstance(layer, (ln.layers.Add, ln.layers.Concatenate, ln.layers.Subtract)) else 1
    count = 2 if name in ("Add", "Average", "Concatenate", "Maximum", "Multiply", "Subtract") else count
    xs = [ln.Input(shape, dtype) for _ in range(count)]
    model = ln.Model(xs, layer(xs if count > 1 else xs[0]), name="m")

    again = ln.Model.from_json(model.to_json()).layers[0]

    assert type(again) is type(layer)
    assert json.dumps(again.get_config()) == json.dumps(layer.get_config())


# --- what cannot be written -------------------------------------------------------------------------------------------


class Unregistered(ln.Layer):
    pass


@ln.register_serializable(name="tests>Forgetful")
class Forgetful(ln.Layer):
    def __init__(self, size, **options):
        super().__init__(**options)
        self.size = size


def functional(layer, *args):
    x = ln.Input((6,))
    return ln.Model(x, layer(x, *args), name="m")


class Takes(Scale):
    def call(self, inputs, other=None):
        return inputs * 1.0


ln.register_serializable(Takes, name="tests>Takes")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: functional(Unregistered()), "expected a class of the library or a registered one to save, got Unreg"),
        (lambda: functional(Forgetful(3)), "expected get_config\\(\\) to give what the constructor of Forgetful takes"),
        (
            lambda: functional(ln.layers.Dense(2, activation=lambda x: x)),
            "expected a configuration of numbers, strings, lists and dictionaries to save, got <function",
        ),
        (
            lambda: functional(Takes(), np.ones(3)),
            "expected calls on symbols, numbers and strings to save, got ndarray",
        ),
        (
            lambda: functional(ln.Sequential([ln.layers.Dense(2), lambda x: x], name="s")),
            "sequential 's': expected a configuration of numbers",
        ),
    ],
)
def test_model_that_cannot_be_described(make, message, tmp_path):
    model = make()

    with pytest.raises(ValueError, match=message):
        model.to_json()
    with pytest.raises(ValueError, match=message):
        model.save(tmp_path / "m")
    assert os.listdir(tmp_path) == []


def test_members_of_one_name_in_a_sequential():
    twins = [ln.layers.Dense(6, name="d") for _ in range(2)]
    for twin in twins:
        twin(ROWS)
    model = functional(ln.Sequential(twins, name="s"))

    with pytest.raises(ValueError, match="sequential 's': expected members of different names to save, got two"):
        model.to_json()


def test_unbuilt_model_is_not_saved(tmp_path):
    with pytest.raises(ValueError, match="mlp 'mlp': has no weights to save before it is built"):
        Mlp(name="mlp").save(tmp_path / "m")


def test_variables_of_one_name_are_not_saved(tmp_path):
    first = ln.layers.Dense(6, name="d")
    x = ln.Input((6,))
    h = first(x)
    ln.reset_naming()
    model = ln.Model(x, ln.layers.Dense(6, name="d")(h), name="m")

    with pytest.raises(ValueError, match="expected variables of different names to save, got two called 'd/kernel'"):
        model.save(tmp_path / "m")


def test_full_disk_keeps_the_old_file(tmp_path):
    model = conv()
    model.save(tmp_path / "m")
    before = (tmp_path / "m").read_bytes()

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            spoil(model).save(tmp_path / "m")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert (tmp_path / "m").read_bytes() == before
    assert os.listdir(tmp_path) == ["m"]


# --- registering ------------------------------------------------------------------------------------------------------


def test_registering_takes_classes_and_functions_only():
    with pytest.raises(TypeError, match="register_serializable: expected a class or a function, got 3"):
        ln.register_serializable(3)


def test_registering_a_name_of_something_else():
    with pytest.raises(ValueError, match="expected a new name, got 'tests>Scale', which stands for"):
        ln.register_serializable(Unregistered, name="tests>Scale")


def test_class_defined_anew_takes_the_place_of_its_former_self():
    def define():
        @ln.register_serializable(name="tests>Again")
        class Again(ln.Layer):
            pass

        return Again

    text = functional(define()()).to_json()
    second = define()

    assert type(ln.Model.from_json(text).layers[0]) is second


def test_decorator_without_arguments_takes_the_name_of_the_class():
    @ln.register_serializable
    class PlainlyRegistered(ln.Layer):
        pass

    assert json.loads(functional(PlainlyRegistered()).to_json())["layers"][0]["class"] == "PlainlyRegistered"


def test_registered_parts_are_found_by_name():
    assert ln.activations.get("tests>bend") is bend
    assert isinstance(ln.initializers.get("tests>Half"), Half)


# --- what is not trusted ----------------------------------------------------------------------------------------------


def description(make=branched):
    ln.reset_naming()
    return json.loads(make().to_json())


def test_class_that_is_not_registered_is_not_looked_for():
    form = description(conv)
    form["layers"][0]["class"] = "os.system"

    with pytest.raises(
        ln.FormatError, match=r"from_json: expected known classes, got .os.system.. If it is one of yours"
    ):
        ln.Model.from_json(json.dumps(form))


def changed(change, make=branched):
    form = description(make)
    result = change(form)
    return json.dumps(form if result is None else result)


def at(form, *path):
    for key in path:
        form = form[key]
    return form


DENSE = {"class": "Dense", "config": {"name": "d", "units": 2}}
BROKEN = {
    "no JSON": ("{", "in JSON, got an error"),
    "deep JSON": ("[" * 100_000, "in JSON, got an error"),
    "a list": ("[]", "the description of a model with version, layers, got"),
    "no layers": ('{"version": 1, "layers": []}', "at least one layer"),
    "layers no list": ('{"version": 1, "layers": {}}', "a list of layers"),
    "another version": ('{"version": 2, "layers": [1]}', "version 1 of the format, got 2"),
    "another key": ('{"version": 1, "layers": [1], "code": ""}', "the description of a model"),
    "entry no object": ('{"version": 1, "layers": [1]}', "a layer with class, config, got 1"),
    "last is no model": (json.dumps({"version": 1, "layers": [DENSE]}), "a Model as the last layer, got Dense"),
    "class no string": (changed(lambda f: at(f, "layers", 0).update({"class": 1})), "the name of a class, got 1"),
    "class no layer": (changed(lambda f: at(f, "layers", 0).update({"class": "tests>bend"})), "a layer's class"),
    "config no object": (changed(lambda f: at(f, "layers", 0).update(config=[])), "a configuration with a name"),
    "config without name": (
        changed(lambda f: at(f, "layers", 0, "config").pop("name") and None),
        "a configuration with a name",
    ),
    "unknown argument": (
        changed(lambda f: at(f, "layers", 0, "config").update(x=1)),
        r"layer 0 \('Dense'\) to be made",
    ),
    "unknown initializer": (
        changed(lambda f: at(f, "layers", 0, "config").update(bias_initializer="eval")),
        r"layer 0 \('Dense'\) to be made as described, but: initializer: expected a known name, got 'eval'",
    ),
    "huge layer": (
        changed(lambda f: at(f, "layers", 0, "config").update(units=10**12)),
        "expected variables that fit the stored ones, got 'shared/kernel' of shape",
    ),
    "config of a layer within": (
        changed(lambda f: at(f, "layers", 0).update({"class": "tests>NotNew"})),
        "a class whose from_config gives a new layer, got tests>NotNew",
    ),
    "scope no string": (changed(lambda f: at(f, "layers", 0).update(scope=1)), "a scope that is a name"),
    "members elsewhere": (changed(lambda f: at(f, "layers", 0).update(members=[])), "members of a Sequential only"),
    "graph elsewhere": (changed(lambda f: at(f, "layers", 0).update(graph={})), "calls of a Model only"),
    "later layer": (changed(lambda f: at(f, "layers", -1, "graph", "calls", 0).update(layer=99)), "an earlier layer"),
    "negative layer": (changed(lambda f: at(f, "layers", -1, "graph", "calls", 0).update(layer=-1)), "earlier layer"),
    "later value": (
        changed(lambda f: at(f, "layers", -1, "graph", "calls", 0).update(inputs={"slot": 99})),
        "arguments or results of a call",
    ),
    "value out of order": (
        changed(lambda f: at(f, "layers", -1, "graph", "calls", 0).update(outputs={"slot": 99})),
        "results in the order of their places",
    ),
    "several results": (
        changed(lambda f: at(f, "layers", -1, "graph", "calls", 0).update(outputs={"list": [{"slot": 2}] * 2})),
        "1 results of a call",
    ),
    "strange argument": (
        changed(lambda f: at(f, "layers", -1, "graph", "calls", 0).update(inputs={"import": "os"})),
        "arguments or results of a call",
    ),
    "keywords no dictionary": (
        changed(lambda f: at(f, "layers", -1, "graph", "calls", 0).update(kwargs={"list": []})),
        "a list of arguments and a dictionary of keywords",
    ),
    "unknown keyword": (
        changed(lambda f: at(f, "layers", -1, "graph", "calls", 0).update(kwargs={"dict": [["x", 1]]})),
        r"layer \d+ \('Model'\) to be made as described",
    ),
    "deep argument": (
        changed(
            lambda f: at(f, "layers", -1, "graph", "calls", 0).update(
                inputs=json.loads('{"list": [' * 40 + "1" + "]}" * 40)
            )
        ),
        "arguments or results of a call",
    ),
    "input without batch": (
        changed(lambda f: at(f, "layers", -1, "graph", "specs", 0).update(shape=[])),
        "a shape with a batch axis",
    ),
    "negative input": (
        changed(lambda f: at(f, "layers", -1, "graph", "specs", 0).update(shape=[None, -3])),
        "a shape with a batch axis",
    ),
    "unknown dtype": (
        changed(lambda f: at(f, "layers", -1, "graph", "specs", 0).update(dtype="object")),
        "to be made as described",
    ),
    "dtype no string": (
        changed(lambda f: at(f, "layers", -1, "graph", "specs", 0).update(dtype=1)),
        "the name of a dtype",
    ),
    "unused signature": (
        changed(lambda f: at(f, "layers", -1).update(signature={"structure": {"list": []}, "specs": [1]}), subclass),
        "an input with dtype, shape",
    ),
    "signature without places": (
        changed(
            lambda f: at(f, "layers", -1).update(
                signature={"structure": {"list": []}, "specs": [{"dtype": "float32", "shape": [None, 6]}]}
            ),
            subclass,
        ),
        "a signature of as many inputs as it has places",
    ),
    "other members": (
        changed(lambda f: at(f, "layers", -1).update(parts=[["d", True]]), subclass),
        "its class has changed",
    ),
    "strange part": (changed(lambda f: at(f, "layers", -1, "parts").__setitem__(0, 1), subclass), "a name and whether"),
    "strange member": (changed(lambda f: at(f, "layers", 3, "members").append(1)), "a member of a Sequential"),
    "strange function": (
        changed(lambda f: at(f, "layers", 3, "members").append({"function": "os.system"})),
        "activation: expected a known name, got 'os.system'",
    ),
}


def test_the_sequential_is_where_the_cases_expect_it():
    assert [entry["class"] for entry in description()["layers"]].index("Sequential") == 3


@pytest.mark.parametrize("case", BROKEN)
def test_broken_description(case):
    text, message = BROKEN[case]

    with pytest.raises(ln.FormatError, match=message):
        ln.Model.from_json(text)


def rewrite(path, change):
    """The file with its description and its tensors changed."""
    with TensorFile(path) as file:
        tensors = {name: (entry.dtype, file.read(name)) for name, entry in file.entries.items()}
        metadata = dict(file.metadata)
    form = json.loads(metadata[KEY])
    form = change(form, tensors) or form
    write_tensors(path, tensors, {KEY: json.dumps(form)})


def first(tensors):
    return next(name for name in tensors if name.endswith("kernel"))


BROKEN_FILES = {
    "no list of variables": (lambda f, t: f.pop("variables") and None, "a list 'variables' with the names of all"),
    "a tensor too many": (lambda f, t: t.update(x=("float32", np.ones(2, "float32"))), "a list 'variables' with the"),
    "a tensor too few": (lambda f, t: t.popitem() and None, "a list 'variables' with the names"),
    "a variable too few": (
        lambda f, t: t.pop(f["variables"].pop()) and None,
        r"expected \d variables for this model, got",
    ),
    "another shape": (lambda f, t: t.update({first(t): ("float32", np.ones((1, 1), "float32"))}), "expected shape"),
    "another type": (
        lambda f, t: t.update({first(t): ("float64", t[first(t)][1].astype("float64"))}),
        "expected dtype float32 for",
    ),
    "name no string": (lambda f, t: f["variables"].__setitem__(0, 1), "a list 'variables' with the names"),
    "description no object": (lambda f, t: [1], "a list 'variables' with the names"),
    "variables beyond the file": (
        lambda f, t: f["layers"][0]["config"].update(filters=10**8),
        "expected variables that fit the stored ones, got",
    ),
}


@pytest.mark.parametrize("case", BROKEN_FILES)
def test_broken_file(case, tmp_path):
    change, message = BROKEN_FILES[case]
    path = tmp_path / "m"
    conv().save(path)
    rewrite(path, change)

    with pytest.raises(ln.FormatError, match=message):
        ln.Model.load(path)


def test_file_of_another_kind(tmp_path):
    model = conv()
    ln.Predictor(model).save(tmp_path / "predictor")

    with pytest.raises(
        ln.FormatError, match=r"expected a file that Model.save wrote, got one without 'layernet.model'"
    ):
        ln.Model.load(tmp_path / "predictor")


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        ln.Model.load(tmp_path / "m")


def test_truncated_file_at_every_length(tmp_path):
    embedding().save(tmp_path / "m")
    content = (tmp_path / "m").read_bytes()
    for length in range(0, len(content), 7):
        (tmp_path / "cut").write_bytes(content[:length])
        with pytest.raises(ln.FormatError):
            ln.Model.load(tmp_path / "cut")


def test_description_with_anything_replaced_is_read_or_refused():
    form = description()
    spoils = [None, -1, 10**20, "x", [], {}, [[]], True, 1.5]
    for number, path in enumerate(paths(form)):
        for value in spoils[number % 3 :: 3]:
            broken = copy.deepcopy(form)
            at(broken, *path[:-1])[path[-1]] = value
            with contextlib.suppress(ln.FormatError):
                ln.Model.from_json(json.dumps(broken))


def paths(form, path=()):
    items = form.items() if isinstance(form, dict) else enumerate(form) if isinstance(form, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from paths(value, (*path, key))

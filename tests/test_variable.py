"""Variable: names, assignment, copies, and values given at creation."""

import copy
import pickle

import numpy as np
import pytest

import layernet as ln
from layernet.variable import creation_hook


def test_unnamed_variables_have_equal_names():
    assert [ln.Variable(1.0).name, ln.Variable(1.0).name] == ["Variable:0", "Variable:0"]


def test_full_name_has_no_suffix():
    assert ln.Variable(1.0, name="v").full_name == "v"


def test_variable_in_a_scope():
    with ln.variable_scope("s"):
        v = ln.Variable(1.0, name="v")

    assert v.name == "s/v:0"


def test_initial_value_may_be_a_function():
    assert ln.Variable(lambda: [1.0, 2.0]).numpy().tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("value", "dtype", "expected"),
    [
        (1.0, None, "float32"),
        (1, None, "int32"),
        (True, None, "bool"),
        (np.float64(1), None, "float64"),
        (1, "float64", "float64"),
        (np.ones(2), "float32", "float32"),
    ],
)
def test_dtype_of_a_variable(value, dtype, expected):
    assert ln.Variable(value, dtype=dtype).dtype.name == expected


def test_assign_returns_the_variable():
    v = ln.Variable([1.0])

    assert v.assign([2.0]) is v
    assert v.assign_add([2.0]) is v
    assert v.assign_sub([1.0]) is v
    assert v.numpy().tolist() == [3.0]


def test_assign_converts_to_the_variable_s_dtype():
    v = ln.Variable([1.0, 2.0])
    v.assign(np.array([3.0, 4.0]))
    v.assign_add(np.array([1, 1]))

    assert v.dtype.name == "float32"
    assert v.numpy().tolist() == [4.0, 5.0]


def test_assign_of_another_variable():
    a, b = ln.Variable([1.0]), ln.Variable([2.0])
    a.assign(b)
    b.assign([3.0])

    assert a.numpy().tolist() == [2.0]


def test_assign_of_another_shape():
    with pytest.raises(ln.errors.ShapeError):
        ln.Variable([1.0, 2.0]).assign([1.0, 2.0, 3.0])


def test_tensor_keeps_its_value_when_the_variable_changes():
    v = ln.Variable([1.0])
    before, view = v.value(), v.numpy()
    v.assign([2.0])

    assert before.numpy().tolist() == [1.0]
    assert view.tolist() == [1.0]


def test_deep_copy_owns_its_storage():
    v = ln.Variable([1.0], name="v", trainable=False, constraint=ln.constraints.NonNeg())
    w = copy.deepcopy(v)
    w.assign([2.0])

    assert v.numpy().tolist() == [1.0]
    assert (w.name, w.trainable, type(w.constraint)) == ("v:0", False, ln.constraints.NonNeg)


def test_deep_copy_of_a_structure_keeps_identity():
    v = ln.Variable([1.0])
    a, b = copy.deepcopy([v, v])

    assert a is b
    assert a is not v


def test_pickle_round_trip():
    v = ln.Variable(np.arange(3.0), name="v")
    w = pickle.loads(pickle.dumps(v))

    assert (w.name, w.dtype.name, w.numpy().tolist()) == ("v:0", "float64", [0.0, 1.0, 2.0])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_type_survives_a_copy(dtype):
    v = ln.Variable([1.5, -2.0], dtype=dtype)
    w = copy.deepcopy(v)

    assert w.dtype.name == dtype
    assert ln.cast(w, "float32").numpy().tolist() == [1.5, -2.0]


def test_repr_shows_name_and_value():
    text = repr(ln.Variable([1.0], name="v"))

    assert "'v:0'" in text
    assert "array([1.]" in text


def test_equality_is_identity():
    a, b = ln.Variable(1.0), ln.Variable(1.0)

    assert a == a
    assert a != b
    assert len({a, b}) == 2


def test_creation_hook_gives_the_value():
    seen = []

    def hook(name, shape, dtype):
        seen.append((name, shape, dtype.name))
        return np.array([5.0], "float32") if name == "v" else None

    with creation_hook(hook):
        v, w = ln.Variable([1.0], name="v"), ln.Variable([1.0], name="w")

    assert [v.numpy().tolist(), w.numpy().tolist()] == [[5.0], [1.0]]
    assert seen == [("v", (1,), "float32"), ("w", (1,), "float32")]


def test_inner_creation_hook_goes_first():
    with creation_hook(lambda *_: np.float32(1)), creation_hook(lambda *_: np.float32(2)):
        v = ln.Variable(0.0)

    assert float(v) == 2.0


def test_creation_hook_with_a_wrong_shape():
    with (
        creation_hook(lambda *_: np.zeros((2, 2), "float32")),
        pytest.raises(
            ValueError,
            match=r"variable 'v': expected a stored value of shape \[1\] and dtype float32, got shape \[2, 2\]",
        ),
    ):
        ln.Variable([1.0], name="v")


def test_scope_hook_reaches_variables_below_the_scope():
    net = ln.Sequential([ln.layers.Dense(1, use_bias=False)], name="n")
    net.fix_scope()
    net.scope.restore_hooks.append(lambda name, *_: np.array([[7.0]], "float32") if name == "n/dense/kernel" else None)

    assert net(np.ones((1, 1), "float32")).numpy().tolist() == [[7.0]]


def test_name_has_to_be_a_string():
    with pytest.raises(ln.errors.DTypeError, match="Variable: expected a string as name, got 3"):
        ln.Variable(1.0, name=3)


@pytest.mark.parametrize(
    "use",
    [
        lambda v: v / 2,
        lambda v: v**2,
        lambda v: v + 1,
        lambda v: v[0],
        lambda v: ln.constant([1.0])[v],
        len,
        iter,
    ],
)
def test_operators_before_the_constructor_say_so(use):
    with pytest.raises(TypeError, match=r"expected an initialised variable; super\(\).__init__\(\) was not called"):
        use(ln.Variable.__new__(ln.Variable))

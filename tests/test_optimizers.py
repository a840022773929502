"""Update rules against their formulas in float64, slots and their names, errors."""

import copy
import gc
import pathlib
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import layernet as ln
from layernet import symbolic

OPT = ln.optimizers
STEPS = 6


def sgd(v, grads, lr=0.1):
    for g in grads:
        v = v - lr * g
        yield v


def momentum(v, grads, lr=0.1, m=0.9, nesterov=False):
    a = np.zeros_like(v)
    for g in grads:
        a = m * a + g
        v = v - (lr * g + lr * m * a if nesterov else lr * a)
        yield v


def adam(
    v, grads, lr=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=0.0, power_type=np.float32, nesterov=False
):
    m, s = np.zeros_like(v), np.zeros_like(v)
    power1, power2 = power_type(beta1), power_type(beta2)  # kept as float32 variables, as TensorFlow does
    for g in grads:
        m = beta1 * m + (1 - beta1) * g
        s = beta2 * s + (1 - beta2) * g * g
        lr_t = lr * np.sqrt(1 - np.float64(power2)) / (1 - np.float64(power1))
        direction = beta1 * m + (1 - beta1) * g if nesterov else m
        v = v - lr_t * direction / (np.sqrt(s) + epsilon) - lr * weight_decay * v
        power1, power2 = power1 * power_type(beta1), power2 * power_type(beta2)
        yield v


def rmsprop(v, grads, lr=0.001, decay=0.9, momentum=0.0, epsilon=1e-10, centered=False):
    s, q, mom = np.ones_like(v), np.zeros_like(v), np.zeros_like(v)
    for g in grads:
        s = decay * s + (1 - decay) * g * g
        q = decay * q + (1 - decay) * g
        mom = momentum * mom + lr * g / np.sqrt(s - q * q * centered + epsilon)
        v = v - mom
        yield v


def adagrad(v, grads, lr=0.01, start=0.1):
    acc = np.full_like(v, start)
    for g in grads:
        acc = acc + g * g
        v = v - lr * g / np.sqrt(acc)
        yield v


def adadelta(v, grads, lr=0.001, rho=0.95, epsilon=1e-8):
    a, u = np.zeros_like(v), np.zeros_like(v)
    for g in grads:
        a = rho * a + (1 - rho) * g * g
        d = g * np.sqrt(u + epsilon) / np.sqrt(a + epsilon)
        u = rho * u + (1 - rho) * d * d
        v = v - lr * d
        yield v


def adamax(v, grads, lr=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
    m, s, power = np.zeros_like(v), np.zeros_like(v), np.float32(beta1)
    for g in grads:
        m = beta1 * m + (1 - beta1) * g
        s = np.maximum(beta2 * s, np.abs(g))
        v = v - lr / (1 - np.float64(power)) * m / (s + epsilon)
        power = power * np.float32(beta1)
        yield v


def lion(v, grads, lr=0.001, beta1=0.9, beta2=0.99, weight_decay=0.0):
    m = np.zeros_like(v)
    for g in grads:
        v = v - lr * (np.sign(beta1 * m + (1 - beta1) * g) + weight_decay * v)
        m = beta2 * m + (1 - beta2) * g
        yield v


CASES = {
    "sgd": (lambda: OPT.SGD(0.1), sgd),
    "sgd_default": (lambda: OPT.SGD(), lambda v, g: sgd(v, g, 0.01)),
    "momentum": (lambda: OPT.SGD(0.1, momentum=0.9), momentum),
    "nesterov": (lambda: OPT.SGD(0.1, 0.8, nesterov=True), lambda v, g: momentum(v, g, 0.1, 0.8, True)),
    "adam": (lambda: OPT.Adam(), adam),
    "adam_all": (lambda: OPT.Adam(0.05, 0.8, 0.95, 1e-3), lambda v, g: adam(v, g, 0.05, 0.8, 0.95, 1e-3)),
    "adamw": (lambda: OPT.AdamW(), lambda v, g: adam(v, g, weight_decay=0.004)),
    "adamw_all": (
        lambda: OPT.AdamW(0.05, weight_decay=0.1, beta1=0.8, beta2=0.95, epsilon=1e-3),
        lambda v, g: adam(v, g, 0.05, 0.8, 0.95, 1e-3, 0.1),
    ),
    "rmsprop": (lambda: OPT.RMSProp(0.01), lambda v, g: rmsprop(v, g, 0.01)),
    "rmsprop_all": (
        lambda: OPT.RMSProp(0.01, decay=0.8, momentum=0.5, epsilon=1e-3),
        lambda v, g: rmsprop(v, g, 0.01, 0.8, 0.5, 1e-3),
    ),
    "rmsprop_centered": (
        lambda: OPT.RMSProp(0.01, momentum=0.5, centered=True),
        lambda v, g: rmsprop(v, g, 0.01, momentum=0.5, centered=True),
    ),
    "nadam": (lambda: OPT.Nadam(), lambda v, g: adam(v, g, nesterov=True)),
    "nadam_all": (
        lambda: OPT.Nadam(0.05, 0.8, 0.95, 1e-3),
        lambda v, g: adam(v, g, 0.05, 0.8, 0.95, 1e-3, nesterov=True),
    ),
    "adamax": (lambda: OPT.Adamax(), adamax),
    "adamax_all": (lambda: OPT.Adamax(0.05, 0.8, 0.95, 1e-3), lambda v, g: adamax(v, g, 0.05, 0.8, 0.95, 1e-3)),
    "lion": (lambda: OPT.Lion(), lion),
    "lion_all": (
        lambda: OPT.Lion(0.01, 0.8, 0.95, weight_decay=0.1),
        lambda v, g: lion(v, g, 0.01, 0.8, 0.95, 0.1),
    ),
    "adadelta": (lambda: OPT.Adadelta(), adadelta),
    "adadelta_all": (lambda: OPT.Adadelta(0.5, 0.8, 1e-3), lambda v, g: adadelta(v, g, 0.5, 0.8, 1e-3)),
    "adagrad": (lambda: OPT.Adagrad(0.1), lambda v, g: adagrad(v, g, 0.1)),
    "adagrad_start": (lambda: OPT.Adagrad(0.1, initial_accumulator_value=1.0), lambda v, g: adagrad(v, g, 0.1, 1.0)),
}
MAKERS = [make for make, _ in CASES.values()]


def each_optimizer(test):
    return pytest.mark.parametrize("make", MAKERS, ids=CASES)(test)


def run(make, start, grads, dtype):
    v = ln.Variable(start.astype(dtype))
    optimizer = make()
    for g in grads:
        optimizer.apply_gradients([(ln.constant(g.astype(dtype)), v)])
        yield v.numpy().copy()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("make", "formula"), CASES.values(), ids=CASES)
def test_steps(make, formula, dtype):
    rng = np.random.default_rng(3)
    # Sizes around the vector lengths and a tail.
    for shape in [(), (1,), (7,), (16,), (33,), (5, 13)]:
        start = np.asarray(rng.normal(size=shape).astype(dtype), np.float64)
        grads = [np.asarray(rng.normal(size=shape).astype(dtype), np.float64) for _ in range(STEPS)]
        eps = np.finfo(dtype).eps
        for got, want in zip(run(make, start, grads, dtype), formula(start, grads), strict=True):
            # About ten roundings per step, of values of order 1; 1 - beta2^t loses 1 / (1 - beta2) in float32, which
            # enters by its root, relative to a step of lr.
            np.testing.assert_allclose(got, want, rtol=0, atol=10 * STEPS * eps * (1 + 0.05 / 0.001**0.5))


VALUES = st.floats(-100, 100, width=32, allow_subnormal=False)


@settings(max_examples=30)
@given(hnp.arrays(np.float32, 9, elements=VALUES), hnp.arrays(np.float32, 9, elements=VALUES))
def test_one_step_of_any_numbers(start, gradient):
    for make, formula in CASES.values():
        [got] = run(make, start, [gradient], "float32")
        [want] = formula(start.astype(np.float64), [gradient.astype(np.float64)])
        step = np.abs(want - start).max()
        # centered: s - q^2 may cancel down to 0.9 * 0.1 of s and lose a factor of about 10.
        np.testing.assert_allclose(got, want, rtol=2e-7, atol=1e-5 * step + 1e-12)


@each_optimizer
def test_gradients_as_arrays_lists_and_tensors(make):
    results = []
    for convert in (ln.constant, np.asarray, list, lambda g: np.asarray(g, np.float64)):
        v = ln.Variable([1.0, 2.0])
        make().apply_gradients([(convert([0.5, -0.25]), v)])
        results.append(v.numpy().tolist())
    assert results[0] == results[1] == results[2] == results[3]


@each_optimizer
def test_none_is_skipped_and_makes_no_slots(make):
    a, b = ln.Variable([1.0], name="a"), ln.Variable([2.0], name="b")
    optimizer = make()
    optimizer.apply_gradients([([1.0], a), (None, b)])
    assert b.numpy().tolist() == [2.0]
    assert not any(s.name.startswith("b/") for s in optimizer.variables())


@each_optimizer
def test_values_seen_before_a_step_stay(make):
    v = ln.Variable([1.0, 2.0])
    before = v.numpy()
    make().apply_gradients([([1.0, 1.0], v)])
    assert before.tolist() == [1.0, 2.0]
    assert (v.numpy() != before).all()


@each_optimizer
def test_variables_of_two_types_in_one_step(make):
    a, b = ln.Variable([1.0, -1.0]), ln.Variable(np.array([1.0, -1.0]))
    optimizer = make()
    for _ in range(3):
        optimizer.apply_gradients([([0.5, 0.25], a), ([0.5, 0.25], b)])
    np.testing.assert_allclose(a.numpy(), b.numpy(), atol=1e-5)
    assert (a.dtype, b.dtype) == ("float32", "float64")


def count_of_powers(optimizer):
    return 2 if isinstance(optimizer, OPT.Adam) else 1 if isinstance(optimizer, OPT.Adamax) else 0


@pytest.mark.parametrize(
    ("make", "slots"),
    [
        (lambda: OPT.SGD(0.1), {}),
        (lambda: OPT.SGD(0.1, momentum=0.5), {"momentum": "Momentum"}),
        (lambda: OPT.Adam(), {"m": "Adam", "v": "Adam_1"}),
        (lambda: OPT.AdamW(), {"m": "AdamW", "v": "AdamW_1"}),
        (lambda: OPT.Adam(name="Mine"), {"m": "Mine", "v": "Mine_1"}),
        (lambda: OPT.RMSProp(0.1), {"rms": "RMSProp", "momentum": "RMSProp_1"}),
        (lambda: OPT.RMSProp(0.1, centered=True), {"rms": "RMSProp", "mg": "RMSProp_1", "momentum": "RMSProp_2"}),
        (lambda: OPT.Adagrad(0.1), {"accumulator": "Adagrad"}),
        (lambda: OPT.Nadam(), {"m": "Adam", "v": "Adam_1"}),
        (lambda: OPT.Adamax(), {"m": "AdaMax", "v": "AdaMax_1"}),
        (lambda: OPT.Lion(), {"m": "Lion"}),
        (lambda: OPT.Adadelta(), {"accum": "Adadelta", "accum_update": "Adadelta_1"}),
    ],
)
def test_slot_names(make, slots):
    v = ln.Variable([1.0], name="net/dense/kernel")
    optimizer = make()
    assert optimizer.get_slot_names() == sorted(slots)
    assert all(optimizer.get_slot(v, key) is None for key in slots)
    optimizer.apply_gradients([([1.0], v)])
    for key, name in slots.items():
        slot = optimizer.get_slot(v, key)
        assert (slot.name, slot.shape, slot.trainable) == (f"net/dense/kernel/{name}:0", (1,), False)
    powers = [f"{beta}_power:0" for beta in ("beta1", "beta2")[: count_of_powers(optimizer)]]
    names = [v.name for v in optimizer.variables()]
    assert names == sorted(powers + [f"net/dense/kernel/{name}:0" for name in slots.values()])


def test_second_optimizer_takes_the_next_names_while_the_first_lives():
    v = ln.Variable([1.0], name="v")
    first, second = OPT.Adam(), OPT.Adam()
    for optimizer in (first, second):
        optimizer.apply_gradients([([1.0], v)])
    assert [s.name for s in second.variables()] == ["beta1_power:0", "beta2_power:0", "v/Adam_2:0", "v/Adam_3:0"]
    del first, optimizer
    gc.collect()
    third = OPT.Adam()
    third.create_slots([v])
    assert third.get_slot(v, "m").name == "v/Adam:0"


def test_create_slots_before_the_first_step():
    v = ln.Variable([1.0], name="v")
    optimizer = OPT.Adam()
    assert optimizer.variables() == []
    optimizer.create_slots([v])
    optimizer.create_slots([v])
    names = [s.name for s in optimizer.variables()]
    optimizer.apply_gradients([([1.0], v)])
    assert [s.name for s in optimizer.variables()] == names
    assert float(optimizer.variables()[0]) == pytest.approx(0.81)


def test_initial_values_of_slots():
    v = ln.Variable([1.0, 2.0])
    for optimizer, starts in [
        (OPT.RMSProp(0.1, centered=True), {"rms": 1, "mg": 0, "momentum": 0}),
        (OPT.Adagrad(0.1, 0.25), {"accumulator": 0.25}),
        (OPT.Adam(), {"m": 0, "v": 0}),
    ]:
        optimizer.create_slots([v])
        for key, start in starts.items():
            assert optimizer.get_slot(v, key).numpy().tolist() == [start, start]


def test_constraint_after_each_step():
    v = ln.Variable([1.0, -1.0], constraint=ln.constraints.NonNeg())
    OPT.SGD(0.5).apply_gradients([([4.0, -4.0], v)])
    assert v.numpy().tolist() == [0.0, 1.0]


def test_learning_rate_as_variable_and_function():
    rate = ln.Variable(0.5, trainable=False)
    v = ln.Variable([1.0])
    optimizer = OPT.SGD(rate)
    optimizer.apply_gradients([([1.0], v)])
    rate.assign(0.25)
    optimizer.apply_gradients([([1.0], v)])
    assert v.numpy().tolist() == [0.25]
    rates = iter([0.25, ln.constant(0.5)])
    optimizer = OPT.SGD(lambda: next(rates))
    for _ in range(2):
        optimizer.apply_gradients([([1.0], v)])
    assert v.numpy().tolist() == [-0.5]


def test_learning_rate_of_another_type_than_the_variable():
    v = ln.Variable(np.array([1.0]))
    OPT.SGD(ln.Variable(0.5, trainable=False)).apply_gradients([([1.0], v)])
    assert v.numpy().tolist() == [0.5]


def test_learning_rate_may_be_set():
    v = ln.Variable([1.0])
    optimizer = OPT.SGD(0.5)
    optimizer.apply_gradients([([1.0], v)])
    optimizer.learning_rate = 0.25
    assert optimizer.learning_rate == 0.25
    optimizer.apply_gradients([([1.0], v)])
    assert v.numpy().tolist() == [0.25]


def test_global_step():
    v, step = ln.Variable([1.0]), ln.Variable(0, trainable=False)
    OPT.SGD(0.5).apply_gradients([([1.0], v)], global_step=step)
    OPT.SGD(0.5).minimize(lambda: ln.reduce_sum(v), global_step=step)
    assert int(step) == 2


def test_minimize():
    a, b = ln.Variable([3.0], name="a"), ln.Variable([4.0], name="b")
    optimizer = OPT.SGD(0.5)
    loss = optimizer.minimize(lambda: ln.reduce_sum(a * a + b), [a])
    assert (float(loss), a.numpy().tolist(), b.numpy().tolist()) == (13.0, [0.0], [4.0])
    optimizer.minimize(lambda: ln.reduce_sum(a * a + b))
    assert b.numpy().tolist() == [3.5]
    [(gradient, variable)] = optimizer.compute_gradients(lambda: ln.reduce_sum(a * b), [b])
    assert (gradient.numpy().tolist(), variable is b) == ([0.0], True)


def test_minimum_of_a_quadratic_is_found():
    for make in (
        lambda: OPT.SGD(0.1, momentum=0.5),
        lambda: OPT.Adam(0.1),
        lambda: OPT.RMSProp(0.01),
        lambda: OPT.Adagrad(0.5),
        lambda: OPT.Nadam(0.1),
        lambda: OPT.Adamax(0.1),
        lambda: OPT.Lion(0.008, beta2=0.9),
        lambda: OPT.Adadelta(10.0, epsilon=1e-3),
    ):
        v = ln.Variable([3.0, -2.0])
        optimizer = make()
        for _ in range(500):
            optimizer.minimize(lambda v=v: ln.reduce_sum(ln.square(v - 1.0)))
        np.testing.assert_allclose(v.numpy(), [1.0, 1.0], atol=0.02)


@each_optimizer
@pytest.mark.parametrize("clone", [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))])
def test_copies_go_on_by_themselves(make, clone):
    v = ln.Variable([1.0, -2.0], name="v")
    optimizer = make()
    optimizer.apply_gradients([([0.5, 1.0], v)])
    other, w = clone((optimizer, v))
    assert [s.name for s in other.variables()] == [s.name for s in optimizer.variables()]
    other.apply_gradients([([1.0, 1.0], w)])
    assert (v.numpy() != w.numpy()).all()
    optimizer.apply_gradients([([1.0, 1.0], v)])
    np.testing.assert_array_equal(v.numpy(), w.numpy())


@each_optimizer
def test_configuration(make):
    optimizer = make()
    config = OPT.serialize(optimizer)
    again = OPT.deserialize(config)
    assert type(again) is type(optimizer)
    assert again.get_config() == optimizer.get_config()
    assert repr(again) == repr(optimizer)


def test_get():
    assert type(OPT.get("rmsprop")) is type(OPT.get("RMSprop")) is OPT.RMSProp
    assert OPT.serialize(OPT.RMSProp(0.1))["class_name"] == "RMSProp"
    optimizer = OPT.SGD(0.1)
    assert OPT.get(optimizer) is optimizer
    assert OPT.get({"class_name": "Adam", "config": {"learning_rate": 0.5}}).learning_rate == 0.5
    assert OPT.SGD(ln.Variable(0.5)).get_config()["learning_rate"] == 0.5
    with pytest.raises(
        ValueError, match=r"optimizer: expected a known name, got 'ftrl'. Known names: Adadelta, Adagrad, Adam"
    ):
        OPT.get("ftrl")
    with pytest.raises(ValueError, match=r"SGD: expected a number as learning_rate to write down, got <function"):
        OPT.SGD(lambda: 0.1).get_config()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: OPT.SGD(lr=0.1), r"SGD: expected TensorFlow 1.10's arguments, got 'lr'. Write 'learning_rate'"),
        (lambda: OPT.Adam(beta_1=0.8), r"Adam: expected TensorFlow 1.10's arguments, got 'beta_1'. Write 'beta1'"),
        (lambda: OPT.Adam(beta_2=0.8), r"Adam: .*, got 'beta_2'. Write 'beta2'"),
        (lambda: OPT.AdamW(beta_2=0.8), r"AdamW: .*, got 'beta_2'. Write 'beta2'"),
        (lambda: OPT.RMSProp(0.1, rho=0.8), r"RMSProp: .*, got 'rho'. Write 'decay'"),
        (lambda: OPT.SGD(0.1, use_nesterov=True), r"SGD: .*, got 'use_nesterov'. Write 'nesterov'"),
        (lambda: OPT.Adagrad(lr=0.1), r"Adagrad: .*, got 'lr'. Write 'learning_rate'"),
        (lambda: OPT.Adagrad(0.1, rho=0.1), r"Adagrad: .*, got 'rho'. Known: learning_rate, initial_accumulator_value"),
        (
            lambda: OPT.SGD(0.1, clip=1.0),
            r"SGD: .*, got 'clip'. Known: learning_rate, momentum, nesterov, name, clipnorm, clipvalue, global_clip",
        ),
        (lambda: OPT.Lion(beta_1=0.8), r"Lion: .*, got 'beta_1'. Write 'beta1'"),
        (lambda: OPT.Adamax(lr=0.8), r"Adamax: .*, got 'lr'. Write 'learning_rate'"),
        (lambda: OPT.Adadelta(decay=0.8), r"Adadelta: .*, got 'decay'. Known: learning_rate, rho"),
        (
            lambda: OPT.SGD("0.1"),
            r"SGD: expected learning_rate to be a number, a scalar variable, a schedule or a function, got '0.1'",
        ),
        (lambda: OPT.SGD(True), r"SGD: expected learning_rate to be a number, .* got True"),
        (
            lambda: OPT.SGD(0.1).apply_gradients([([1.0], [1.0])]),
            r"SGD: expected pairs \(gradient, variable\), got list in the place of a variable",
        ),
        (
            lambda: OPT.SGD(0.1).apply_gradients([(1, ln.Variable(1, name="v"))]),
            r"SGD: expected variables of a floating point type, got 'v:0' of int32",
        ),
        (
            lambda: OPT.SGD(0.1).minimize(ln.constant(1.0)),
            r"SGD: expected a function that returns the loss, got Tensor. Write minimize\(lambda: loss\(...\)\)",
        ),
    ],
)
def test_type_errors(call, message):
    with pytest.raises(TypeError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: OPT.SGD(-0.1), r"SGD: expected learning_rate to be a finite number of 0 or more, got -0.1"),
        (lambda: OPT.SGD(float("nan")), r"SGD: expected learning_rate to be a finite number of 0 or more, got nan"),
        (lambda: OPT.SGD(0.1, momentum=-1), r"SGD: expected momentum to be a finite number of 0 or more, got -1"),
        (lambda: OPT.Adam(beta1=1.5), r"Adam: expected beta1 to be in \[0, 1\), got 1.5"),
        (lambda: OPT.Adam(beta2=-0.5), r"Adam: expected beta2 to be in \[0, 1\), got -0.5"),
        (lambda: OPT.Adam(epsilon=-1e-8), r"Adam: expected epsilon to be a finite number of 0 or more, got -1e-08"),
        (
            lambda: OPT.AdamW(weight_decay=-1),
            r"AdamW: expected weight_decay to be a finite number of 0 or more, got -1",
        ),
        (lambda: OPT.RMSProp(0.1, decay=2), r"RMSProp: expected decay to be in \[0, 1\], got 2"),
        (lambda: OPT.Adagrad(0.1, 0.0), r"Adagrad: expected initial_accumulator_value above 0, got 0.0"),
        (lambda: OPT.Lion(weight_decay=-1), r"Lion: expected weight_decay to be a finite number of 0 or more, got -1"),
        (lambda: OPT.Adadelta(rho=1.5), r"Adadelta: expected rho to be in \[0, 1\], got 1.5"),
        (lambda: OPT.Adamax(beta1=1), r"Adamax: expected beta1 to be in \[0, 1\), got 1"),
        (lambda: OPT.SGD(clipnorm=0), r"SGD: expected clipnorm above 0 and finite, or None, got 0"),
        (lambda: OPT.SGD(clipvalue=-1.0), r"SGD: expected clipvalue above 0 and finite, or None, got -1.0"),
        (
            lambda: OPT.Adam(global_clipnorm=float("inf")),
            r"Adam: expected global_clipnorm above 0 and finite, .* got inf",
        ),
        (
            lambda: OPT.SGD(clipnorm=1.0, clipvalue=1.0),
            r"SGD: expected one of clipnorm, clipvalue and global_clipnorm, got several. Choose one",
        ),
        (
            lambda: OPT.SGD(gradient_accumulation_steps=1),
            r"SGD: expected gradient_accumulation_steps of 2 or more, or None, got 1",
        ),
        (lambda: OPT.SGD(0.1).apply_gradients([]), r"SGD: expected at least one pair, got none"),
        (
            lambda: OPT.SGD(0.1).apply_gradients([(None, ln.Variable(1.0))]),
            r"SGD: expected one gradient that is not None, got none. Check that the loss depends on the variables",
        ),
        (
            lambda: OPT.Adam().get_slot(ln.Variable(1.0), "momentum"),
            r"Adam: expected the name of a slot, got 'momentum'. Known: \['m', 'v'\]",
        ),
    ],
)
def test_value_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@each_optimizer
def test_gradient_of_another_shape(make):
    v = ln.Variable([1.0, 2.0])
    with pytest.raises(ln.errors.ShapeError):
        make().apply_gradients([(ln.constant([1.0, 2.0, 3.0]), v)])
    assert v.numpy().tolist() == [1.0, 2.0]


def test_base_class_has_no_update():
    with pytest.raises(NotImplementedError, match=r"Optimizer: expected the optimizer to define _update"):
        OPT.Optimizer(0.1, "Plain").apply_gradients([([1.0], ln.Variable([1.0]))])


@each_optimizer
@pytest.mark.parametrize(("dtype", "eps"), [("float16", 2.0**-10), ("bfloat16", 2.0**-7)])
def test_half_types_are_computed_in_float32(make, dtype, eps):
    start, gradient = [1.0, 2.0, -0.5], [1.0, -0.25, 0.5]
    half = ln.Variable(ln.cast(ln.constant(start), dtype))
    full = ln.Variable(start)
    make().apply_gradients([(ln.cast(ln.constant(gradient), dtype), half)])
    make().apply_gradients([(gradient, full)])
    assert half.dtype == dtype
    # The value is rounded once; the learning rate, rounded to the half type, moves a step of at most 0.5 by eps of it.
    np.testing.assert_allclose(ln.cast(half, "float32").numpy(), full.numpy(), rtol=eps, atol=eps / 2)


@each_optimizer
def test_step_can_be_traced(make):
    v = ln.Variable([1.0, 2.0])
    optimizer = make()
    optimizer.create_slots([v])
    before = [s.numpy().copy() for s in (v, *optimizer.variables())]
    with symbolic.Tracing(record=False) as tracing:
        gradient = ln.Input((), batch_size=2) * 2.0
        optimizer.apply_gradients([(gradient, v)])
    assert len(tracing.effects) == 1 + count_of_powers(optimizer)  # the update; the powers of the betas
    after = [s.numpy() for s in (v, *optimizer.variables())]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


# --- schedules, clipping, accumulation --------------------------------------------------------------------------------


def test_schedule_gives_the_rate_of_each_step():
    v = ln.Variable([0.0])
    optimizer = OPT.SGD(OPT.schedules.PiecewiseConstantDecay([0, 2], [1.0, 10.0, 100.0]))
    seen = []
    for _ in range(4):
        optimizer.apply_gradients([([-1.0], v)])
        seen.append(float(v.numpy()[0]))
    assert seen == [1.0, 11.0, 21.0, 121.0]
    assert int(optimizer.iterations) == 4
    assert [variable.name for variable in optimizer.variables()] == ["iterations:0"]
    assert optimizer.iterations.dtype == "int64"


def test_iterations_are_counted_only_where_they_are_needed():
    optimizer = OPT.Adam()
    assert optimizer.iterations is None
    optimizer.create_slots([ln.Variable([0.0], name="v")])
    assert [s.name for s in optimizer.variables()] == ["beta1_power:0", "beta2_power:0", "v/Adam:0", "v/Adam_1:0"]
    optimizer.learning_rate = OPT.schedules.CosineDecay(0.1, 10)
    assert int(optimizer.iterations) == 0


def test_schedule_for_variables_of_two_types():
    a, b = ln.Variable([0.0]), ln.Variable(np.array([0.0]))
    optimizer = OPT.SGD(OPT.schedules.ExponentialDecay(0.5, 1, 0.5))
    for _ in range(2):
        optimizer.apply_gradients([([1.0], a), ([1.0], b)])
    assert (float(a.numpy()[0]), float(b.numpy()[0])) == (-0.75, -0.75)


@pytest.mark.parametrize(
    ("options", "clipped"),
    [
        ({"clipnorm": 2.5}, lambda gs: [g * min(1, 2.5 / np.linalg.norm(g)) for g in gs]),
        ({"clipvalue": 1.5}, lambda gs: [np.clip(g, -1.5, 1.5) for g in gs]),
        (
            {"global_clipnorm": 2.5},
            lambda gs: [g * min(1, 2.5 / np.sqrt(sum((x * x).sum() for x in gs))) for g in gs],
        ),
    ],
)
def test_clipping(options, clipped):
    rng = np.random.default_rng(5)
    gradients = [rng.normal(size=size) * 2 for size in ((3,), (2, 4), ())]
    variables = [ln.Variable(np.zeros(g.shape)) for g in gradients]

    OPT.SGD(1.0, **options).apply_gradients(zip(gradients, variables, strict=True))

    for variable, want in zip(variables, clipped(gradients), strict=True):
        np.testing.assert_allclose(variable.numpy(), -want, rtol=1e-14)


@each_optimizer
def test_accumulated_gradients_make_one_step_of_their_mean(make):
    rng = np.random.default_rng(6)
    start = rng.normal(size=5)
    gradients = rng.normal(size=(7, 5))
    v, w = ln.Variable(start), ln.Variable(start)
    often = type(make()).from_config({**make().get_config(), "gradient_accumulation_steps": 3})
    seldom = make()

    for number, gradient in enumerate(gradients, start=1):
        before = [s.numpy().copy() for s in (v, *often.variables()) if "accumulator:" not in s.name]
        often.apply_gradients([(gradient, v)])
        after = [s.numpy() for s in (v, *often.variables()) if "accumulator:" not in s.name]
        if number % 3 == 0:
            seldom.apply_gradients([(gradients[number - 3 : number].mean(0), w)])
        elif number > 1:  # the first call makes the slots
            changed = [not np.array_equal(a, b) for a, b in zip(before, after, strict=True)]
            assert sum(changed) == 1  # iterations alone

    # sums and means in another order than numpy's: a few roundings of order 1
    np.testing.assert_allclose(v.numpy(), w.numpy(), rtol=0, atol=1e-14)
    slots = {s.name.split("/")[-1]: s.numpy() for s in seldom.variables() if "/" in s.name}
    assert int(often.iterations) == 7
    total = [s for s in often.variables() if s.name.endswith("gradient_accumulator:0")]
    np.testing.assert_allclose(total[0].numpy(), gradients[6], rtol=1e-15)
    assert len(often.variables()) == len(seldom.variables()) + 2
    assert len(slots) == len(often.get_slot_names())


def test_schedule_counts_changes_not_calls():
    v = ln.Variable([0.0])
    optimizer = OPT.SGD(OPT.schedules.PiecewiseConstantDecay([0], [1.0, 10.0]), gradient_accumulation_steps=2)
    for _ in range(4):
        optimizer.apply_gradients([([-1.0], v)])
    assert v.numpy().tolist() == [11.0]


def test_mean_is_clipped_not_what_is_added():
    v = ln.Variable([0.0])
    optimizer = OPT.SGD(1.0, clipvalue=1.0, gradient_accumulation_steps=2)
    for gradient in ([-3.0], [3.5]):
        optimizer.apply_gradients([(gradient, v)])
    assert v.numpy().tolist() == [-0.25]


def test_accumulation_can_be_traced():
    v = ln.Variable([1.0, 2.0])
    optimizer = OPT.Adam(gradient_accumulation_steps=2)
    optimizer.create_slots([v])
    before = [s.numpy().copy() for s in (v, *optimizer.variables())]
    with symbolic.Tracing(record=False) as tracing:
        optimizer.apply_gradients([(ln.Input((), batch_size=2) * 2.0, v)])
    # The update and two powers; what is taken back of v, two slots and two powers; the total; iterations.
    assert len(tracing.effects) == 3 + 5 + 1 + 1
    assert all(np.array_equal(a, s.numpy()) for a, s in zip(before, (v, *optimizer.variables()), strict=True))


def test_copies_keep_totals_and_counts():
    v = ln.Variable([0.0])
    optimizer = OPT.SGD(1.0, gradient_accumulation_steps=2)
    optimizer.apply_gradients([([1.0], v)])
    other, w = pickle.loads(pickle.dumps((optimizer, v)))
    other.apply_gradients([([3.0], w)])
    assert (v.numpy().tolist(), w.numpy().tolist()) == ([0.0], [-2.0])


def test_configuration_with_options_and_schedule():
    rate = OPT.schedules.Warmup(OPT.schedules.CosineDecay(0.5, 100, alpha=0.1), 10)
    optimizer = OPT.Adam(rate, global_clipnorm=2.0, gradient_accumulation_steps=4)

    again = OPT.deserialize(OPT.serialize(optimizer))

    assert again.get_config() == optimizer.get_config()
    assert (again.global_clipnorm, again.gradient_accumulation_steps, again.clipnorm) == (2.0, 4, None)
    assert [float(again.learning_rate(n)) for n in (0, 5, 50)] == [float(rate(n)) for n in (0, 5, 50)]


class Tower(ln.Network):
    def __init__(self, units, name=None):
        super().__init__(name=name)
        self.a = self.track_layer(ln.layers.Dense(units, activation="relu"))
        self.bn = self.track_layer(ln.layers.BatchNormalization())
        self.b = self.track_layer(ln.layers.Dense(units // 2, activation="tanh", name="proj"))

    def call(self, x, training=False):
        return self.b(self.bn(self.a(x), training=training))


class Ranker(ln.Network):
    def __init__(self):
        super().__init__(name="ranker")
        self.tower = self.track_layer(Tower(8))
        self.mix = self.track_layer(ln.layers.Dense(5, use_bias=False))
        self.head = self.track_layer(ln.Sequential([ln.layers.Dense(4, activation="elu"), ln.layers.Dense(1)]))

    def call(self, inputs, training=False):
        towers = [self.tower(x, training=training) for x in inputs]
        return self.head(self.mix(ln.concat(towers, -1)))


def test_names_are_those_in_a_file_of_tensorflow():
    """The entries of a Saver's file with a network and its Adam slots, written by TensorFlow 1.10."""
    text = (pathlib.Path(__file__).parent / "fixtures" / "tf110" / "names.txt").read_text()
    listed = text.split("# in file ranker_saver\n")[1].split("\n#")[0].splitlines()
    ln.reset_naming()
    network, optimizer = Ranker(), OPT.Adam()
    inputs = [np.ones((7, 6), np.float32)] * 2
    optimizer.minimize(lambda: ln.reduce_sum(network(inputs)))
    entries = [f"{v.full_name} {list(v.shape)}" for v in network.variables + optimizer.variables()]
    assert sorted(entries) == sorted(line for line in listed if line)

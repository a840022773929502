"""Moving averages of weights."""

import numpy as np
import pytest

import layernet as ln
from layernet import symbolic


def run(ema, values, dtype="float32", count=None):
    v = ln.Variable(np.zeros(3, dtype), name="v")
    for value in values:
        v.assign(value)
        ema.apply([v])
        if count is not None:
            count.assign_add(1)
    return v


def test_average_follows_the_formula():
    values = np.random.default_rng(1).normal(size=(6, 3))
    ema = ln.ExponentialMovingAverage(0.8)
    v = run(ema, values, "float64")
    want = values[0]
    for value in values:
        want = 0.8 * want + 0.2 * value
    np.testing.assert_allclose(ema.average(v).numpy(), want, rtol=1e-14)
    np.testing.assert_array_equal(v.numpy(), values[-1])


def test_decay_that_grows_with_the_number_of_updates():
    values = np.random.default_rng(2).normal(size=(6, 3))
    count = ln.Variable(0, dtype="int64", trainable=False)
    ema = ln.ExponentialMovingAverage(0.3, num_updates=count)
    v = run(ema, values, "float64", count)
    want = values[0]
    for n, value in enumerate(values):
        d = min(0.3, (1 + n) / (10 + n))
        want = d * want + (1 - d) * value
    np.testing.assert_allclose(ema.average(v).numpy(), want, rtol=1e-14)


def test_names_are_tensorflows():
    v = ln.Variable([1.0], name="net/dense/kernel")
    ema = ln.ExponentialMovingAverage(0.5)
    assert ema.average(v) is None
    assert ema.average_name(v) == "net/dense/kernel/ExponentialMovingAverage"
    ema.apply([v])
    average = ema.average(v)
    assert (average.name, average.trainable) == ("net/dense/kernel/ExponentialMovingAverage:0", False)
    assert ema.variables() == [average]
    assert ema.variables_to_restore() == {"net/dense/kernel/ExponentialMovingAverage": v}


def test_saved_averages_become_the_values(tmp_path):
    ema = ln.ExponentialMovingAverage(0.5)
    v = run(ema, [[0.0, 0.0, 0.0], [1.0, 2.0, 3.0]])
    path = ln.Saver(ema.variables()).save(tmp_path / "averages")

    ln.Saver(ema.variables_to_restore()).restore(path)

    assert v.numpy().tolist() == [0.5, 1.0, 1.5]


def test_swap_is_undone_also_after_an_error():
    ema = ln.ExponentialMovingAverage(0.5)
    v = run(ema, [[0.0, 0.0, 0.0], [1.0, 2.0, 3.0]])
    seen = []

    def evaluate():
        with ema.swap():
            seen.extend(v.numpy().tolist())
            raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        evaluate()
    assert seen == [0.5, 1.0, 1.5]
    assert v.numpy().tolist() == [1.0, 2.0, 3.0]
    assert ema.average(v).numpy().tolist() == [0.5, 1.0, 1.5]


@pytest.mark.parametrize("counted", [False, True])
def test_apply_can_be_traced(counted):
    v = ln.Variable([1.0])
    ema = ln.ExponentialMovingAverage(0.5, ln.Variable(3, trainable=False) if counted else None)
    with symbolic.Tracing(record=False) as tracing:
        ema.apply([v])
    assert len(tracing.effects) == 1
    assert ema.average(v).numpy().tolist() == [1.0]


def test_errors():
    with pytest.raises(ValueError, match=r"ExponentialMovingAverage: expected decay in \[0, 1\), got 1"):
        ln.ExponentialMovingAverage(1.0)
    with pytest.raises(TypeError, match=r"ExponentialMovingAverage: expected variables of floats, got \[1.0\]"):
        ln.ExponentialMovingAverage(0.5).apply([[1.0]])
    with pytest.raises(TypeError, match=r"ExponentialMovingAverage: expected variables of floats, got <Variable"):
        ln.ExponentialMovingAverage(0.5).apply([ln.Variable(1)])
    with pytest.raises(ValueError, match=r"ExponentialMovingAverage: expected averages to swap in, got none"):
        ln.ExponentialMovingAverage(0.5).swap().__enter__()

"""The state of the random numbers."""

import copy
import threading

import numpy as np
import pytest

import layernet as ln


def test_set_seed_repeats_the_numbers():
    ln.set_seed(5)
    first = ln.random_uniform((7,)).numpy()
    second = ln.random_uniform((7,)).numpy()
    ln.set_seed(5)

    np.testing.assert_array_equal(ln.random_uniform((7,)).numpy(), first)
    np.testing.assert_array_equal(ln.random_uniform((7,)).numpy(), second)
    assert (first != second).any()


def test_random_state_is_a_variable_to_save_and_restore():
    ln.set_seed(5)
    state = ln.random_state()
    ln.random_normal((3,))
    saved = state.numpy().copy()
    first = ln.random_normal((3,)).numpy()
    state.assign(saved)

    assert state.dtype.name == "int64"
    assert not state.trainable
    np.testing.assert_array_equal(ln.random_normal((3,)).numpy(), first)


def test_seed_of_an_op_repeats_at_each_call():
    a, b = ln.random_normal((5,), seed=1).numpy(), ln.random_normal((5,), seed=1).numpy()

    np.testing.assert_array_equal(a, b)


def test_seed_of_an_op_leaves_the_global_state():
    before = ln.random_state().numpy().copy()
    ln.random_uniform((5,), seed=1)

    np.testing.assert_array_equal(ln.random_state().numpy(), before)


def test_random_integers():
    x = ln.random_uniform((1000,), 2, 5, dtype="int32", seed=1).numpy()

    assert x.dtype == np.int32
    assert set(x.tolist()) == {2, 3, 4}


def test_random_integers_need_an_upper_bound():
    with pytest.raises(ln.errors.InvalidArgumentError, match="expected maxval for integers"):
        ln.random_uniform((3,), dtype="int32")


def test_truncated_normal_stays_within_two_deviations():
    x = ln.truncated_normal((2000,), mean=1.0, stddev=2.0, seed=1).numpy()

    assert abs(x - 1.0).max() <= 4.0


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_random_numbers_of_a_dtype(dtype):
    assert ln.random_normal((3,), dtype=dtype, seed=1).numpy().dtype == dtype


def test_dropout_layer_with_a_seed_repeats_after_a_copy():
    layer = ln.layers.Dropout(0.5, seed=3)
    twin = copy.deepcopy(layer)
    x = ln.ones((50,))

    np.testing.assert_array_equal(layer(x, training=True).numpy(), twin(x, training=True).numpy())
    assert (layer(x, training=True).numpy() != layer(x, training=True).numpy()).any()


def test_state_of_a_block_is_that_of_its_thread_alone():
    ln.set_seed(5)
    want = ln.random_uniform((3,)).numpy()
    ln.set_seed(5)
    elsewhere = []
    with ln.random.using_state(ln.random.new_state(9)) as own:
        assert ln.random_state() is own
        first = ln.random_uniform((3,)).numpy()
        thread = threading.Thread(target=lambda: elsewhere.append(ln.random_uniform((3,)).numpy()))
        thread.start()
        thread.join()
    np.testing.assert_array_equal(elsewhere[0], want)
    np.testing.assert_array_equal(first, ln.random_uniform((3,), seed=9).numpy())
    assert ln.random_state() is not own


@pytest.fixture
def unmade_state(monkeypatch):
    """The process as it is before anyone has drawn a number."""
    monkeypatch.setattr(ln.random, "_state", None)


def test_random_state_made_inside_a_layer_is_not_the_layers(unmade_state):
    with ln.variable_scope("encoder"):
        ln.layers.Dense(2)(np.ones((1, 3), "float32"))

    assert ln.random_state().name == "random_state:0"


def test_random_state_is_not_restored_on_creation(unmade_state, tmp_path):
    x = np.ones((1, 3), "float32")
    path = ln.Saver([ln.Variable(np.ones((3, 2), "float32"), name="dense/kernel")]).save(tmp_path / "ckpt")
    ln.reset_naming()

    with ln.restore_variables_on_create(path):
        y = ln.layers.Dense(2, use_bias=False, name="dense")(x)

    np.testing.assert_array_equal(y.numpy(), [[3.0, 3.0]])


def test_state_of_a_seed_is_not_restored_on_creation(tmp_path):
    path = ln.Saver([ln.Variable(1.0, name="v")]).save(tmp_path / "ckpt")

    with ln.restore_variables_on_create(path):
        x = ln.random_normal((5,), seed=1)

    np.testing.assert_array_equal(x.numpy(), ln.random_normal((5,), seed=1).numpy())


@pytest.mark.parametrize("seed", ["a", 1.5, None])
def test_seed_has_to_be_an_integer(seed):
    with pytest.raises(ln.errors.DTypeError, match="set_seed: expected seed to be an integer, got"):
        ln.set_seed(seed)


def test_seed_has_to_fit_64_bits():
    with pytest.raises(ln.errors.InvalidArgumentError, match="set_seed: expected a seed that fits 64 bits"):
        ln.set_seed(2**63)

"""Metrics on small examples."""

import numpy as np
import pytest

import layernet as ln

M = ln.metrics


@pytest.mark.parametrize(
    ("metric", "true", "pred", "rows"),
    [
        (M.accuracy, [1.0, 2.0, 3.0], [1.0, 0.0, 3.0], [1, 0, 1]),
        (M.accuracy, [[1, 2], [3, 4]], [[1, 0], [3, 4]], [0.5, 1]),
        (M.binary_accuracy, [[1], [0], [1]], [[0.6], [0.5], [0.4]], [1, 1, 0]),
        (M.categorical_accuracy, [[0, 1], [1, 0], [0, 1]], [[0.1, 0.9], [0.3, 0.7], [0.5, 0.5]], [1, 0, 0]),
        (M.sparse_categorical_accuracy, [1, 0, 1], [[0.1, 0.9], [0.3, 0.7], [0.5, 0.5]], [1, 0, 0]),
        (M.sparse_categorical_accuracy, [[1], [0]], [[0.1, 0.9], [0.3, 0.7]], [1, 0]),
    ],
)
def test_rows_mean_and_weights(metric, true, pred, rows):
    pred = ln.constant(pred, dtype="float32")
    got = metric(true, pred, reduction="none")
    assert got.dtype == "float32"
    np.testing.assert_array_equal(got.numpy(), rows)
    assert float(metric(true, pred)) == pytest.approx(np.mean(rows))
    weights = np.arange(len(rows))
    assert float(metric(true, pred, weights)) == pytest.approx(np.mean(weights * rows))


@pytest.mark.parametrize(
    ("metric", "true"),
    [
        (M.accuracy, [np.nan, 1.0]),
        (M.binary_accuracy, [np.nan, 1.0]),
        (M.categorical_accuracy, [[np.nan, 0.0], [0.0, 1.0]]),
        (M.top_k_categorical_accuracy, [[np.nan, 0.0], [0.0, 1.0]]),
        (M.sparse_categorical_accuracy, [np.nan, 1.0]),
        (M.sparse_top_k_categorical_accuracy, [np.nan, 1.0]),
    ],
)
def test_labels_that_are_nan_are_wrong(metric, true):
    pred = [0.0, 1.0] if metric in (M.accuracy, M.binary_accuracy) else [[0.9, 0.1], [0.2, 0.8]]
    assert metric(true, np.array(pred), reduction="none").numpy().tolist() == [0.0, 1.0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_correlations_of_rows_that_do_not_vary(dtype):
    flat, other = np.full((1, 7), 0.1, dtype), np.full((1, 7), 0.3, dtype)
    rising = np.arange(7.0).reshape(1, 7).astype(dtype)
    for true, pred in [(flat, other), (flat, rising), (rising, flat)]:
        assert float(M.pearson_correlation(true, pred)) == 0.0
        assert float(M.concordance_correlation(true, pred)) == 0.0


def test_correlations_far_from_zero():
    t, p = np.random.default_rng(7).normal(size=(2, 3, 9))
    want = [np.corrcoef(a, b)[0, 1] for a, b in zip(t, p, strict=True)]
    np.testing.assert_allclose(M.pearson_correlation(t + 2.0**30, p, reduction="none").numpy(), want, rtol=1e-6)


def test_threshold():
    assert float(M.binary_accuracy([[1.0]], [[0.4]], threshold=0.3)) == 1.0


def test_errors_are_those_of_the_losses():
    assert M.mean_squared_error is ln.losses.mean_squared_error
    assert M.mae is M.MAE is ln.losses.mean_absolute_error
    with pytest.raises(ln.errors.ShapeError, match=r"sparse_categorical_accuracy: expected y_true of shape \[2\]"):
        M.sparse_categorical_accuracy([1, 2, 3], [[0.1, 0.9], [0.3, 0.7]])


@pytest.mark.parametrize("name", sorted(set(ln.losses.__all__) - {"get", "serialize", "deserialize"}))
def test_losses_are_metrics(name):
    if name == "cosine_similarity":  # the metric of this name has the other sign
        assert M.get(name).name == name
    else:
        assert M.get(name) is getattr(M, name) is getattr(ln.losses, name)
        assert M.serialize(M.get(name)) == name


def test_keras_names():
    assert M.get("kld") is M.get("KLD") is M.kld is M.kl_divergence
    assert M.get("logcosh") is M.logcosh is M.log_cosh
    assert isinstance(M.get("root_mean_squared_error"), M.RootMeanSquaredError)


def test_losses_of_whole_batches_are_metrics_of_a_model():
    ln.set_seed(4)
    x = ln.Input((2,))
    model = ln.Model(x, ln.layers.Dense(3, activation="sigmoid")(x))
    model.compile("sgd", "bce", ["dice", "tversky"])
    masks = np.array([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    values = model.evaluate(np.ones((2, 2)), masks)
    assert values[1] == pytest.approx(float(ln.losses.dice(masks, model.predict(np.ones((2, 2))))), rel=1e-6)
    assert values[2] == pytest.approx(float(ln.losses.tversky(masks, model.predict(np.ones((2, 2))))), rel=1e-6)


def test_names():
    assert M.get("acc") is M.acc is M.accuracy
    assert M.serialize(M.acc) == "accuracy"
    with pytest.raises(
        ValueError, match=r"metric: expected a known name, got 'ndcg'. Known names: AUC, Accuracy, Binary"
    ):
        M.get("ndcg")

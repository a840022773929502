"""Estimators: scikit-learn's own checks, pipelines and searches, and what they share with networks."""

import pickle
import subprocess
import sys
import threading

import numpy as np
import pytest

import layernet as ln

pytest.importorskip("sklearn", minversion="1.6")

from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks

from layernet.sklearn import NetworkClassifier, NetworkRegressor

X, LABELS = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])[LABELS]


QUICK = ln.optimizers.Adam(0.02)


def scaled(estimator):
    return make_pipeline(StandardScaler(), estimator)


@pytest.mark.parametrize("estimator", [NetworkClassifier(random_state=0), NetworkRegressor(random_state=0)])
@pytest.mark.filterwarnings("ignore")
def test_checks_of_scikit_learn(estimator):
    results = estimator_checks.check_estimator(estimator, on_fail=None)
    failed = [result["check_name"] for result in results if result["status"] == "failed"]
    assert failed == []
    assert sum(result["status"] == "passed" for result in results) >= 40


def test_classifier():
    classifier = scaled(NetworkClassifier((16,), epochs=40, optimizer=QUICK, random_state=1)).fit(X, NAMES)
    assert classifier.score(X, NAMES) > 0.95
    chances = classifier.predict_proba(X)
    np.testing.assert_allclose(chances.sum(1), 1.0, rtol=1e-6)
    assert (classifier.classes_[chances.argmax(1)] == classifier.predict(X)).all()
    last = classifier[-1]
    assert (last.n_iter_, len(last.history_["loss"])) == (40, 40)
    assert [layer.units for layer in last.model_.layers] == [16, 3]


def test_regressor_of_one_and_of_several_targets():
    x, y = load_diabetes(return_X_y=True, scaled=False)
    y = (y - y.mean()) / y.std()
    one = scaled(NetworkRegressor((16,), epochs=40, optimizer=QUICK, random_state=1)).fit(x, y)
    assert one.score(x, y) > 0.5
    assert one.predict(x).shape == y.shape
    two = scaled(NetworkRegressor((16,), epochs=40, optimizer=QUICK, random_state=1)).fit(x, np.stack([y, -y], 1))
    assert two.predict(x).shape == (len(x), 2)
    assert two.score(x, np.stack([y, -y], 1)) > 0.5


def test_seed_decides_and_the_librarys_own_generator_stays():
    ln.set_seed(3)
    before = ln.random_state().numpy().copy()
    first, again, other = (
        NetworkClassifier((8,), epochs=3, random_state=seed).fit(X, LABELS).predict_proba(X) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    np.testing.assert_array_equal(ln.random_state().numpy(), before)


@pytest.mark.parametrize("make", [np.random.default_rng, np.random.RandomState])
def test_generators_of_numpy_decide_and_move_on(make):
    def chances(state):
        estimator = NetworkClassifier((8,), epochs=3, early_stopping=True, random_state=state)
        return estimator.fit(X, LABELS).predict_proba(X)

    generator = make(1)
    first, second = chances(generator), chances(generator)
    np.testing.assert_array_equal(first, chances(make(1)))
    assert (first != second).any()
    assert (first != chances(make(2))).any()


def test_threads_do_not_disturb_each_other():
    want = [NetworkClassifier((8,), epochs=5, random_state=seed).fit(X, LABELS).predict_proba(X) for seed in range(4)]
    got = [None] * 4

    def run(seed):
        got[seed] = NetworkClassifier((8,), epochs=5, random_state=seed).fit(X, LABELS).predict_proba(X)

    threads = [threading.Thread(target=run, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for a, b in zip(got, want, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_search_over_a_pipeline(backend):
    joblib = pytest.importorskip("joblib")
    pipeline = scaled(NetworkClassifier(epochs=15, optimizer=QUICK, random_state=0))
    grid = {"networkclassifier__hidden_sizes": [(4,), (16, 8)], "networkclassifier__activation": ["relu", "tanh"]}
    alone = GridSearchCV(pipeline, grid, cv=2).fit(X, NAMES)
    with joblib.parallel_backend(backend, n_jobs=2):
        search = GridSearchCV(pipeline, grid, cv=2, n_jobs=2).fit(X, NAMES)
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"])
    assert search.best_score_ > 0.8


def test_partial_fit_is_an_epoch_over_some_rows():
    order = np.random.default_rng(1).permutation(len(X))
    x, labels = StandardScaler().fit_transform(X)[order], NAMES[order]
    classifier = NetworkClassifier((16,), optimizer=QUICK, random_state=1)
    for _ in range(30):
        for start in range(0, 150, 50):
            rows = slice(start, start + 50)
            classifier.partial_fit(x[rows], labels[rows], classes=["virginica", "setosa", "versicolor"])
    assert classifier.score(x, labels) > 0.9
    assert classifier.n_iter_ == 90

    whole, parts = NetworkRegressor((4,), epochs=1, random_state=1), NetworkRegressor((4,), random_state=1)
    np.testing.assert_array_equal(whole.fit(x, x[:, 0]).predict(x), parts.partial_fit(x, x[:, 0]).predict(x))


def test_early_stopping_takes_the_best_weights():
    classifier = NetworkClassifier((32,), epochs=400, early_stopping=True, patience=3, random_state=0)
    x = StandardScaler().fit_transform(X)
    classifier.fit(x, LABELS)
    losses = classifier.history_["val_loss"]
    assert classifier.n_iter_ == len(losses) == int(np.argmin(losses)) + 1 + 3 < 400
    assert classifier.score(x, LABELS) > 0.9


def network_of(inputs, outputs):
    return ln.Sequential([ln.layers.Dense(8, activation="elu"), ln.layers.Dense(outputs)])


def model_of(inputs, outputs):
    x = ln.Input((inputs,))
    return ln.Model(x, ln.layers.Dense(outputs)(ln.layers.Dropout(0.1)(x)))


@pytest.mark.parametrize("factory", [network_of, model_of])
def test_network_of_ones_own(factory):
    optimizer = ln.optimizers.SGD(0.1, momentum=0.9)
    classifier = scaled(NetworkClassifier(network=factory, optimizer=optimizer, epochs=30, random_state=0))
    assert clone(classifier).fit(X, NAMES).score(X, NAMES) > 0.9
    assert optimizer.variables() == []


def test_fitted_estimators_are_pickled_and_go_on():
    classifier = NetworkClassifier((8,), epochs=5, random_state=0).fit(X, NAMES)
    other = pickle.loads(pickle.dumps(classifier))
    np.testing.assert_array_equal(other.predict_proba(X), classifier.predict_proba(X))
    other.partial_fit(X, NAMES)
    assert (other.predict_proba(X) != classifier.predict_proba(X)).any()


def test_errors():
    with pytest.raises(
        ValueError, match="NetworkClassifier: expected classes in the first call of partial_fit, got No"
    ):
        NetworkClassifier().partial_fit(X, LABELS)
    classifier = NetworkClassifier((4,)).partial_fit(X, LABELS, classes=[0, 1, 2])
    with pytest.raises(ValueError, match=r"NetworkClassifier: expected labels among \[0, 1, 2\], got .*7"):
        classifier.partial_fit(X, np.full(150, 7))


def test_layernet_does_not_import_scikit_learn():
    code = "import sys, layernet; print('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


def test_without_scikit_learn():
    code = (
        "import sys\nsys.modules['sklearn.base'] = None\n"
        "try:\n    import layernet.sklearn\nexcept ImportError as error:\n    print(error)"
    )
    text = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    assert text == "layernet.sklearn: expected scikit-learn 1.6 or later. Install scikit-learn.\n"

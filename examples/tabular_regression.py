"""Miles per gallon of cars, from numbers and categories: each category is an embedding, learnt with the rest.

Two inputs have names (`numbers`, and one for each category), rows with missing values are left out, and the result is
compared with a linear model of the same columns on cars that neither has seen. The data are the 406 cars that
vega_datasets ships.

Usage: tabular_regression.py [--short] [--picture FILE]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas
from vega_datasets import data

import layernet as ln

NUMBERS = ["Displacement", "Horsepower", "Weight_in_lbs", "Acceleration", "Year"]
CATEGORIES = ["Origin", "Cylinders", "Make"]


def load() -> tuple[Any, np.ndarray]:
    """The cars, in an order drawn once, and what they are to be told by."""
    cars = pandas.DataFrame(json.loads(Path(data.cars.filepath).read_text())).dropna()
    cars["Make"] = cars["Name"].str.split().str[0]
    cars["Year"] = cars["Year"].str[:4].astype(int)
    cars = cars.iloc[np.random.default_rng(0).permutation(len(cars))]
    return cars, cars["Miles_per_Gallon"].to_numpy("float32")


def columns(cars: Any, train: slice) -> tuple[dict[str, np.ndarray], dict[str, int]]:
    """The inputs by name, scaled and numbered by the training rows, and how many values each category has.

    Number 0 stands for what the training rows do not have.
    """
    values = cars[NUMBERS].to_numpy("float32")
    inputs = {"numbers": (values - values[train].mean(0)) / values[train].std(0)}
    sizes = {}
    for name in CATEGORIES:
        known = {value: number for number, value in enumerate(sorted(set(cars[name].iloc[train])), start=1)}
        inputs[name] = np.array([[known.get(value, 0)] for value in cars[name]])
        sizes[name] = len(known) + 1
    return inputs, sizes


def network(sizes: dict[str, int]) -> ln.Model:
    inputs = {"numbers": ln.Input((len(NUMBERS),), name="numbers")}
    parts = [inputs["numbers"]]
    for name, size in sizes.items():
        inputs[name] = ln.Input((1,), "int64", name=name)
        embedded = ln.layers.Embedding(size, min(4, size - 1), name=f"{name.lower()}_embedding")(inputs[name])
        parts.append(ln.layers.Flatten()(embedded))
    hidden = ln.layers.Dense(32, activation="relu")(ln.layers.Concatenate()(parts))
    hidden = ln.layers.Dropout(0.1)(hidden)
    return ln.Model(inputs, ln.layers.Dense(1)(hidden), name="cars")


def linear_error(
    inputs: dict[str, np.ndarray], sizes: dict[str, int], y: np.ndarray, train: slice, test: slice
) -> float:
    """The mean absolute error of ridge regression on the same columns, categories one-hot."""
    one_hot = [np.eye(size, dtype="float32")[inputs[name][:, 0]] for name, size in sizes.items()]
    x = np.concatenate([inputs["numbers"], *one_hot, np.ones((len(y), 1), "float32")], axis=1)
    a, b = x[train], y[train]
    weights = np.linalg.solve(a.T @ a + 0.1 * np.eye(x.shape[1]), a.T @ b)
    return float(np.abs(x[test] @ weights - y[test]).mean())


def draw(path: str, truth: np.ndarray, guess: np.ndarray, history: ln.callbacks.History) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(history.epoch, history.history["mae"], label="training")
    left.plot(history.epoch, history.history["val_mae"], label="validation")
    left.set(xlabel="epoch", ylabel="mean error, miles per gallon")
    left.legend()
    right.scatter(truth, guess, s=14, alpha=0.7)
    right.plot([8, 47], [8, 47], color="gray", linewidth=1)
    right.set(xlabel="miles per gallon", ylabel="predicted", title="cars not seen in training")
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120)


def main(arguments: list[str] | None = None) -> dict[str, float]:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--short", action="store_true", help="train for a moment only")
    parser.add_argument("--picture", metavar="FILE", help="draw errors and predictions (needs matplotlib)")
    options = parser.parse_args(arguments)
    ln.set_seed(0)
    cars, y = load()
    train, test = slice(0, 300), slice(300, None)
    inputs, sizes = columns(cars, train)
    model = network(sizes)
    model.get_layer(model.layers[-1].name).bias.assign([y[train].mean()])
    model.compile(ln.optimizers.Adam(0.005), "huber", ["mae"])
    stop = ln.callbacks.EarlyStopping("val_mae", patience=40, mode="min", restore_best_weights=True)
    history = model.fit(
        {name: values[train] for name, values in inputs.items()},
        y[train],
        batch_size=32,
        epochs=30 if options.short else 400,
        validation_split=0.15,
        callbacks=[stop],
    )
    guess = model.predict({name: values[test] for name, values in inputs.items()})[:, 0]
    result = {
        "error": float(np.abs(guess - y[test]).mean()),
        "linear_error": linear_error(inputs, sizes, y, train, test),
        "epochs": len(history.epoch),
    }
    print(f"mean error {result['error']:.2f} miles per gallon after {result['epochs']} epochs, ", end="")
    print(f"{result['linear_error']:.2f} with a linear model")
    if options.picture:
        draw(options.picture, y[test], guess, history)
    return result


if __name__ == "__main__":
    main()

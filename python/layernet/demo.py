"""`python -m layernet.demo`: train, check, save, restore and compile a network on real data.

The data are scikit-learn's handwritten digits: 1797 images of 8 x 8 pixels. For each of three fixed seeds a stratified
random fifth is kept for testing; the width of the network, and whether it sees images shifted by a pixel, are chosen on
a part of the rest. The exit status is 0 when every check holds.
"""

from __future__ import annotations

import functools
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

import layernet as ln

SEEDS = (0, 1, 2)
EPOCHS = 30
BATCH = 32
HIGHEST_RATE = 3e-3
# Width of the first hidden layer and share of shifted images, tried in this order; the first of equals is taken.
CHOICES = ((64, 0.5), (128, 0.0), (128, 0.5))
WANTED_ACCURACY = 0.97
WANTED_SECONDS = 20.0
# Predictor and eager call add up the 128 products of a unit in orders of their own; outputs are of order 10.
LARGEST_DIFFERENCE = 128 * 10 * float(np.finfo(np.float32).eps)

Array = npt.NDArray[Any]


class Digits(ln.Network):
    """Three Dense layers: pixels to scores of the ten digits."""

    def __init__(self, width: int, name: str | None = None) -> None:
        super().__init__(name=name)
        self.first = self.track_layer(ln.layers.Dense(width, activation="relu", kernel_initializer="he_uniform"))
        self.second = self.track_layer(ln.layers.Dense(width // 2, activation="relu", kernel_initializer="he_uniform"))
        self.scores = self.track_layer(ln.layers.Dense(10))

    def call(self, inputs: Any) -> Any:
        return self.scores(self.second(self.first(inputs)))


class Split(NamedTuple):
    """Images and labels to train on and to measure with."""

    x: Array
    y: Array
    x_held: Array
    y_held: Array


def split(x: Array, y: Array, seed: int) -> Split:
    """A stratified random fifth held out."""
    from sklearn.model_selection import train_test_split

    x_train, x_held, y_train, y_held = train_test_split(x, y, test_size=0.2, stratify=y, random_state=seed)
    return Split(x_train, y_train, x_held, y_held)


def accuracy(network: Digits, x: Array, y: Array) -> float:
    """The share of images whose highest score is that of the right digit."""
    return float(ln.metrics.sparse_categorical_accuracy(y, network(x)))


def shifted(x: Array, share: float, order: np.random.Generator) -> Array:
    """The images, that share of them moved by up to a pixel in each direction; what comes in is empty."""
    wide = np.pad(x.reshape(-1, 8, 8), ((0, 0), (1, 1), (1, 1)))
    moved = order.random(len(x)) < share
    rows, columns = (np.where(moved, order.integers(0, 3, len(x)), 1)[:, None] + np.arange(8) for _ in range(2))
    return wide[np.arange(len(x))[:, None, None], rows[:, :, None], columns[:, None, :]].reshape(-1, 64)


def train(data: Split, width: int, share: float, seed: int, title: str) -> Digits:
    """A trained network; the learning rate falls to zero in a straight line."""
    ln.set_seed(seed)
    order = np.random.default_rng(seed)
    network = Digits(width)
    rate = ln.Variable(HIGHEST_RATE, trainable=False, name="learning_rate")
    optimizer = ln.optimizers.Adam(rate)
    loss_of = functools.partial(ln.losses.sparse_categorical_crossentropy, from_logits=True)
    for epoch in range(EPOCHS):
        rate.assign(HIGHEST_RATE * (1 - epoch / EPOCHS))
        total = 0.0
        rows = order.permutation(len(data.x))
        x, y = shifted(data.x[rows], share, order), data.y[rows]
        for start in range(0, len(rows), BATCH):
            batch = slice(start, start + BATCH)
            with ln.GradientTape() as tape:
                loss = loss_of(y[batch], network(x[batch]))
            variables = network.trainable_variables
            optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
            total += float(loss) * len(y[batch])
        mean = total / len(rows)
        progress(f"{title}: width {width}, {share:.0%} shifted, epoch {epoch + 1}/{EPOCHS}, loss {mean:.4f}")
    return network


def choose(data: Split, seed: int) -> tuple[int, float]:
    """The choice with the best accuracy on a fifth of the training data."""
    inner = split(data.x, data.y, seed)
    scores = [
        accuracy(train(inner, width, share, seed, f"seed {seed}, choosing"), inner.x_held, inner.y_held)
        for width, share in CHOICES
    ]
    return CHOICES[int(np.argmax(scores))]


def summary(network: Digits) -> str:
    """A table of layers, variables, shapes and parameters."""
    table = [("layer", "variable", "shape", "parameters")]
    for layer in network.layers:
        for variable in layer.variables:
            shape = list(variable.shape)
            table.append((layer.name, variable.full_name, str(shape), str(int(np.prod(shape)))))
    table.append(("total", "", "", str(network.count_params())))
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join("  ".join([*map(str.ljust, row[:-1], widths), row[-1].rjust(widths[-1])]) for row in table)


def rows_per_second(function: Callable[[Array], Any], x: Array, seconds: float = 0.3) -> float:
    """Rows per second of repeated calls, the best of a few rounds."""
    function(x)
    best = 0.0
    for _ in range(5):
        calls, start = 0, time.perf_counter()
        while (elapsed := time.perf_counter() - start) < seconds / 5:
            function(x)
            calls += 1
        best = max(best, calls * len(x) / elapsed)
    return best


def progress(text: str) -> None:
    """Show `text` in place of the previous progress line; nothing when the output is not a terminal."""
    if sys.stdout.isatty():
        print(f"\r\x1b[K{text}", end="", flush=True)


def main() -> int:
    """Run the demonstration; 0 when every check holds."""
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        print("demo: expected scikit-learn, which has the data, and it is not installed. pip install 'layernet[demo]'.")
        return 2
    start = time.perf_counter()
    failed: list[str] = []

    def check(what: str, holds: bool) -> None:
        print(f"{'ok    ' if holds else 'FAILED'}  {what}")
        if not holds:
            failed.append(what)

    images, labels = load_digits(return_X_y=True)
    x, y = (images / 16).astype(np.float32), labels.astype(np.int64)

    scores = []
    for seed in SEEDS:
        data = split(x, y, seed)
        width, share = choose(data, seed)
        ln.reset_naming()
        network = train(data, width, share, seed, f"seed {seed}, training")
        scores.append(accuracy(network, data.x_held, data.y_held))
        progress("")
        print(
            f"seed {seed}: width {width}, {share:.0%} shifted: test accuracy {scores[-1]:.2%} "
            f"of {len(data.x_held)} images"
        )
    median = float(np.median(scores))

    print(f"\n{summary(network)}\n")
    check(f"median test accuracy {median:.2%} is at least {WANTED_ACCURACY:.0%}", median >= WANTED_ACCURACY)

    eager = network(data.x_held).numpy()
    with tempfile.TemporaryDirectory() as folder:
        path = ln.save_network_checkpoint(network, folder, global_step=EPOCHS)
        restored = Digits(width)
        ln.restore_network_checkpoint(restored, path)
        same = bool((restored(data.x_held).numpy() == eager).all())
        check(f"{len(ln.list_variables(path))} variables saved, restored into a new network: equal predictions", same)

    predictor = ln.Predictor(network)
    compiled = np.asarray(predictor.predict(data.x_held))
    difference = float(np.abs(compiled - eager).max())
    check(
        f"predictor and eager differ by {difference:.1e}, at most {LARGEST_DIFFERENCE:.1e}",
        difference <= LARGEST_DIFFERENCE and bool((compiled.argmax(-1) == eager.argmax(-1)).all()),
    )

    print(f"\n{'rows per second':<20} {'eager':>14} {'predictor':>14}")
    for rows in (1, len(data.x_held)):
        batch = data.x_held[:rows]
        speeds = [rows_per_second(function, batch) for function in (network, predictor.predict)]
        print(f"{f'{rows} at a time':<20} {speeds[0]:>14,.0f} {speeds[1]:>14,.0f}")
    print()

    seconds = time.perf_counter() - start
    check(f"{seconds:.1f} seconds, fewer than {WANTED_SECONDS:.0f}", seconds < WANTED_SECONDS)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

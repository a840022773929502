"""Handwritten digits by convolution: two layers of it, a small one after them, and what was read wrongly.

The digits are scikit-learn's, 8 by 8 pixels each. Training stops when the accuracy on some of the training digits does
not rise any more; the last two hundred digits are not seen until then.

Usage: digits_convolution.py [--short] [--picture FILE]
"""

from __future__ import annotations

import argparse

import numpy as np
from sklearn.datasets import load_digits

import layernet as ln


def network() -> ln.Model:
    pixels = ln.Input((8, 8, 1), name="pixels")
    values = ln.layers.Conv2D(16, 3, padding="same", activation="relu")(pixels)
    values = ln.layers.MaxPooling2D(2)(values)
    values = ln.layers.Conv2D(32, 3, padding="same", activation="relu")(values)
    values = ln.layers.Dropout(0.3)(ln.layers.Flatten()(values))
    return ln.Model(pixels, ln.layers.Dense(10, activation="softmax", name="digit")(values), name="digits")


def draw(path: str, images: np.ndarray, truth: np.ndarray, chances: np.ndarray) -> None:
    """The digits that were read wrongly, and beside them those of which the network was least sure."""
    from matplotlib.figure import Figure

    sure = chances[np.arange(len(truth)), truth]
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    for axes, index in zip(figure.subplots(2, 6).ravel(), np.argsort(sure)[:12], strict=True):
        axes.imshow(images[index, :, :, 0], cmap="gray_r")
        axes.set_title(f"{truth[index]}, read as {chances[index].argmax()}", fontsize=9)
        axes.set_axis_off()
    figure.savefig(path, dpi=120)


def main(arguments: list[str] | None = None) -> dict[str, float]:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--short", action="store_true", help="train for a moment only")
    parser.add_argument("--picture", metavar="FILE", help="draw the hardest digits (needs matplotlib)")
    options = parser.parse_args(arguments)
    ln.set_seed(0)
    images, labels = load_digits(return_X_y=True)
    images = (images / 16.0).astype("float32").reshape(-1, 8, 8, 1)
    order = np.random.default_rng(0).permutation(len(images))
    images, labels = images[order], labels[order]
    model = network()
    model.compile(ln.optimizers.Adam(0.002), "sparse_categorical_crossentropy", ["accuracy"])
    stop = ln.callbacks.EarlyStopping("val_accuracy", patience=8, restore_best_weights=True)
    history = model.fit(
        images[:-200],
        labels[:-200],
        batch_size=32,
        epochs=2 if options.short else 60,
        validation_split=0.1,
        callbacks=[stop],
    )
    chances = model.predict(images[-200:])
    result = {
        "accuracy": float((chances.argmax(axis=1) == labels[-200:]).mean()),
        "epochs": float(len(history.epoch)),
    }
    print(f"{result['accuracy']:.1%} of 200 digits are read rightly after {result['epochs']:.0f} epochs")
    if options.picture:
        draw(options.picture, images[-200:], labels[-200:], chances)
    return result


if __name__ == "__main__":
    main()

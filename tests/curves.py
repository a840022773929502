"""The problems whose loss curves `data/curves/make.py` recorded with PyTorch: 50 steps of a small network.

Weights and batches come from numpy's generator, so both sides start from the same numbers.
"""

from __future__ import annotations

import numpy as np

STEPS, ROWS, INPUTS, HIDDEN, OUTPUTS = 50, 16, 6, 10, 4

# The last activation, and the kind of targets, for each loss.
LOSSES = {
    "mean_squared_error": ("linear", "numbers"),
    "mean_absolute_error": ("linear", "numbers"),
    "mean_absolute_percentage_error": ("linear", "far"),
    "mean_squared_logarithmic_error": ("softplus", "positive"),
    "huber": ("linear", "numbers"),
    "log_cosh": ("linear", "numbers"),
    "hinge": ("linear", "signs"),
    "squared_hinge": ("linear", "signs"),
    "categorical_hinge": ("linear", "one_hot"),
    "kl_divergence": ("softmax", "distributions"),
    "poisson": ("softplus", "positive"),
    "cosine_similarity": ("linear", "numbers"),
    "binary_crossentropy": ("sigmoid", "bits"),
    "binary_crossentropy_from_logits": ("linear", "bits"),
    "binary_crossentropy_smoothed": ("linear", "bits"),
    "categorical_crossentropy": ("softmax", "one_hot"),
    "categorical_crossentropy_from_logits": ("linear", "one_hot"),
    "categorical_crossentropy_smoothed": ("linear", "one_hot"),
    "sparse_categorical_crossentropy_from_logits": ("linear", "classes"),
    "sparse_categorical_crossentropy": ("softmax", "classes"),
    "binary_focal_crossentropy": ("sigmoid", "bits"),
    "categorical_focal_crossentropy": ("softmax", "one_hot"),
    "categorical_generalized_cross_entropy": ("softmax", "classes"),
    "dice": ("sigmoid", "bits"),
    "tversky": ("sigmoid", "bits"),
    "circle": ("linear", "classes"),
    "ctc": ("linear", "sequences"),
}

OPTIONS = {
    "binary_focal_crossentropy": {"apply_class_balancing": True, "alpha": 0.3, "gamma": 1.5},
    "categorical_focal_crossentropy": {"alpha": 0.6, "gamma": 1.5},
    "categorical_generalized_cross_entropy": {"q": 0.7},
    "tversky": {"alpha": 0.3, "beta": 0.7},
    "circle": {"gamma": 4.0, "margin": 0.25},
}

# The rate of SGD. Percents of far targets are steep: with 0.1 the weights jump about, and a last bit grows to 4e-4.
SGD_RATE = 0.1
SGD_RATES = {"mean_absolute_percentage_error": 0.001}

# For "sequences" so many rows are the steps of one, and their targets its labels.
LENGTH = 4

# PyTorch adds epsilon elsewhere than TensorFlow 1.x in Adam and Adamax: so small that it does not matter.
OPTIMIZERS = {
    "sgd": ("SGD", {"learning_rate": SGD_RATE}),
    "momentum": ("SGD", {"learning_rate": 0.05, "momentum": 0.9}),
    "nesterov": ("SGD", {"learning_rate": 0.05, "momentum": 0.9, "nesterov": True}),
    "adam": ("Adam", {"learning_rate": 0.01, "beta1": 0.8, "beta2": 0.99, "epsilon": 1e-12}),
    "adamw": ("AdamW", {"learning_rate": 0.01, "weight_decay": 0.05, "epsilon": 1e-12}),
    "adagrad": ("Adagrad", {"learning_rate": 0.1, "initial_accumulator_value": 0.1}),
    "adadelta": ("Adadelta", {"learning_rate": 1.0, "rho": 0.9, "epsilon": 1e-6}),
    "adamax": ("Adamax", {"learning_rate": 0.01, "epsilon": 1e-12}),
}


def weights() -> list[np.ndarray]:
    """Kernel and bias of the two layers."""
    rng = np.random.default_rng(11)
    shapes = [(INPUTS, HIDDEN), (HIDDEN,), (HIDDEN, OUTPUTS), (OUTPUTS,)]
    return [(rng.normal(size=s) * 0.4).astype("float32") for s in shapes]


def batches(kind: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Inputs and targets of each step: the targets follow from the inputs, so that there is something to learn."""
    rng = np.random.default_rng(12)
    rule = rng.normal(size=(INPUTS, OUTPUTS))
    result = []
    for _ in range(STEPS):
        x = rng.normal(size=(ROWS, INPUTS))
        z = np.tanh(x @ rule) + 0.1 * rng.normal(size=(ROWS, OUTPUTS))
        result.append((x.astype("float32"), _targets(kind, z)))
    return result


def _targets(kind: str, z: np.ndarray) -> np.ndarray:
    if kind == "classes":
        return z.argmax(1)
    if kind == "sequences":
        return np.concatenate([_spelt(steps) for steps in z.argmax(1).reshape(-1, LENGTH)])
    e = np.exp(2 * z)
    target = {
        "numbers": z,
        "far": z + np.where(z < 0, -1.0, 1.0),
        "positive": np.abs(z) + 0.1,
        "signs": np.where(z < 0, -1.0, 1.0),
        "bits": (z > 0).astype("float64"),
        "one_hot": np.eye(OUTPUTS)[z.argmax(1)],
        "distributions": e / e.sum(1, keepdims=True),
    }[kind]
    return target.astype("float32")


def _spelt(steps: np.ndarray) -> list[int]:
    """What a path spells, its repetitions made one and blanks left out, filled up with 0."""
    labels = [int(b) for a, b in zip([0, *steps[:-1]], steps, strict=True) if b not in (0, a)]
    return labels + [0] * (LENGTH - len(labels))

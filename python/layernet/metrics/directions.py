"""Which way metrics become better, told by their names: all that a callback sees of them in the logs."""

from __future__ import annotations

import re

__all__ = ["grows"]

# Names of metrics, and words of names that users give. One that ends with another, "binary_accuracy", need not be here.
_GROWING = (
    "acc",
    "accuracy",
    "auc",
    "correlation",
    "cosine_similarity",
    "f1",
    "io_u",
    "iou",
    "miou",
    "precision",
    "r2",
    "recall",
    "score",
    "sensitivity",
    "specificity",
    "true_negatives",
    "true_positives",
)
_SHRINKING = (
    "bce",
    "circle",
    "cross_entropy",
    "crossentropy",
    "ctc",
    "dice",
    "divergence",
    "error",
    "false_negatives",
    "false_positives",
    "hinge",
    "huber",
    "kld",
    "log_cosh",
    "logcosh",
    "loss",
    "mae",
    "mape",
    "mse",
    "msle",
    "poisson",
    "tversky",
)
_DIRECTIONS = {**dict.fromkeys(_GROWING, True), **dict.fromkeys(_SHRINKING, False)}


def grows(name: str) -> bool:
    """Whether more is better, by a name in the logs; False for one that says nothing.

    The last known name in it decides: "val_recall_head_loss" is the loss of an output that is called "recall_head".

    Args:
        name: The words between underscores count, without numbers at their ends: "val_head_auc_1", "top5_accuracy".
    """
    words = [re.sub(r"(?<=[a-z]{2})\d+$", "", word) for word in re.split(r"[^a-z0-9]+", name.lower())]
    for end in range(len(words), 0, -1):
        for start in range(end):
            known = _DIRECTIONS.get("_".join(words[start:end]))
            if known is not None:
                return known
    return False

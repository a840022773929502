"""Recorded curves.json beside it: loss curves of PyTorch on the problems of tests/curves.py.

Run in an environment with PyTorch and numpy: `python tests/data/curves/make.py`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parents[1]))

import curves  # noqa: E402 - its folder has just been added

EPSILON = 1e-7  # as in Keras' formulas


def categorical_hinge(t: torch.Tensor, p: torch.Tensor) -> torch.Tensor:
    wrong = ((1 - t) * p).max(-1).values
    return torch.relu(wrong - (t * p).sum(-1) + 1).mean()


def kl_divergence(t: torch.Tensor, p: torch.Tensor) -> torch.Tensor:
    return functional.kl_div(torch.log(p.clamp(EPSILON, 1)), t.clamp(EPSILON, 1), reduction="batchmean")


def categorical(t: torch.Tensor, p: torch.Tensor) -> torch.Tensor:
    return -(t * torch.log(p / p.sum(-1, keepdim=True))).sum(-1).mean()


def binary_focal(t: torch.Tensor, p: torch.Tensor, alpha: float, gamma: float, **_: bool) -> torch.Tensor:
    right = torch.where(t > 0, p, 1 - p)
    weight = torch.where(t > 0, alpha, 1 - alpha)
    return (weight * (1 - right) ** gamma * functional.binary_cross_entropy(p, t, reduction="none")).mean()


def categorical_focal(t: torch.Tensor, p: torch.Tensor, alpha: float, gamma: float) -> torch.Tensor:
    return -(alpha * (1 - p) ** gamma * t * torch.log(p)).sum(-1).mean()


def generalized(t: torch.Tensor, p: torch.Tensor, q: float) -> torch.Tensor:
    return ((1 - p.gather(1, t[:, None]) ** q) / q).mean()


def tversky(t: torch.Tensor, p: torch.Tensor, alpha: float = 0.5, beta: float = 0.5) -> torch.Tensor:
    found, wrong, missed = (t * p).sum(), ((1 - t) * p).sum(), (t * (1 - p)).sum()
    return 1 - found / (found + alpha * wrong + beta * missed + EPSILON)


def dice(t: torch.Tensor, p: torch.Tensor) -> torch.Tensor:
    return 1 - 2 * (t * p).sum() / (t.sum() + p.sum() + EPSILON)


def circle(t: torch.Tensor, p: torch.Tensor, gamma: float, margin: float) -> torch.Tensor:
    units = functional.normalize(p)
    cosine = units @ units.T
    same = t[:, None] == t
    away = torch.exp(gamma * torch.relu(cosine + margin) * (cosine - margin)) * ~same
    near = torch.exp(-gamma * torch.relu(1 + margin - cosine) * (cosine - 1 + margin))
    near = near * (same & ~torch.eye(len(t), dtype=torch.bool))
    return torch.log1p(away.sum(1) * near.sum(1)).mean()


def ctc(t: torch.Tensor, p: torch.Tensor) -> torch.Tensor:
    t = t.reshape(-1, curves.LENGTH)
    steps = torch.log_softmax(p.reshape(*t.shape, -1), -1).transpose(0, 1)
    lengths = torch.full((len(t),), curves.LENGTH)
    return functional.ctc_loss(steps, t, lengths, (t != 0).sum(1), reduction="none").mean()


LOSSES: dict[str, Any] = {
    "mean_squared_error": lambda t, p: functional.mse_loss(p, t),
    "mean_absolute_error": lambda t, p: functional.l1_loss(p, t),
    "mean_absolute_percentage_error": lambda t, p: 100 * ((t - p) / t.abs().clamp(min=EPSILON)).abs().mean(),
    "mean_squared_logarithmic_error": lambda t, p: functional.mse_loss(torch.log1p(p), torch.log1p(t)),
    "huber": lambda t, p: functional.huber_loss(p, t),
    "log_cosh": lambda t, p: torch.log(torch.cosh(p - t)).mean(),
    "hinge": lambda t, p: torch.relu(1 - t * p).mean(),
    "squared_hinge": lambda t, p: torch.relu(1 - t * p).square().mean(),
    "categorical_hinge": categorical_hinge,
    "kl_divergence": kl_divergence,
    "poisson": lambda t, p: functional.poisson_nll_loss(p, t, log_input=False, eps=EPSILON),
    "cosine_similarity": lambda t, p: -functional.cosine_similarity(t, p).mean(),
    "binary_crossentropy": lambda t, p: functional.binary_cross_entropy(p, t),
    "binary_crossentropy_from_logits": lambda t, p: functional.binary_cross_entropy_with_logits(p, t),
    "binary_crossentropy_smoothed": lambda t, p: functional.binary_cross_entropy_with_logits(p, t * 0.8 + 0.1),
    "categorical_crossentropy": categorical,
    "categorical_crossentropy_from_logits": lambda t, p: functional.cross_entropy(p, t),
    "categorical_crossentropy_smoothed": lambda t, p: functional.cross_entropy(p, t, label_smoothing=0.2),
    "sparse_categorical_crossentropy_from_logits": lambda t, p: functional.cross_entropy(p, t),
    "sparse_categorical_crossentropy": lambda t, p: functional.nll_loss(torch.log(p), t),
    "binary_focal_crossentropy": binary_focal,
    "categorical_focal_crossentropy": categorical_focal,
    "categorical_generalized_cross_entropy": generalized,
    "dice": dice,
    "tversky": tversky,
    "circle": circle,
    "ctc": ctc,
}

ACTIVATIONS: dict[str, Any] = {
    "linear": lambda z: z,
    "softplus": functional.softplus,
    "softmax": lambda z: torch.softmax(z, -1),
    "sigmoid": torch.sigmoid,
}


def optimizer(name: str, parameters: list[torch.Tensor]) -> torch.optim.Optimizer:
    kind, options = curves.OPTIMIZERS[name]
    given: dict[str, Any] = {"lr": options["learning_rate"]}
    for ours, theirs in [("momentum", "momentum"), ("nesterov", "nesterov"), ("epsilon", "eps"), ("rho", "rho")]:
        if ours in options:
            given[theirs] = options[ours]
    if "beta1" in options:
        given["betas"] = (options["beta1"], options["beta2"])
    if kind == "AdamW":
        given["weight_decay"] = options["weight_decay"]
    if kind == "Adagrad":
        given.update(initial_accumulator_value=options["initial_accumulator_value"], eps=0.0)
    return getattr(torch.optim, kind)(parameters, **given)


def curve(loss: str, optimizer_name: str) -> list[float]:
    activation, kind = curves.LOSSES[loss]
    w0, b0, w1, b1 = (torch.tensor(w, requires_grad=True) for w in curves.weights())
    step = optimizer(optimizer_name, [w0, b0, w1, b1])
    step.param_groups[0]["lr"] = curves.SGD_RATES.get(loss, step.param_groups[0]["lr"])
    values = []
    for x, y in curves.batches(kind):
        target = torch.tensor(y)
        prediction = ACTIVATIONS[activation](torch.tanh(torch.tensor(x) @ w0 + b0) @ w1 + b1)
        value = LOSSES[loss](target, prediction, **curves.OPTIONS.get(loss, {}))
        step.zero_grad()
        value.backward()
        step.step()
        values.append(float(value.detach()))
    return values


def main() -> None:
    torch.set_num_threads(1)
    recorded = {
        "torch": torch.__version__,
        "losses": {name: curve(name, "sgd") for name in curves.LOSSES},
        "optimizers": {name: curve("mean_squared_error", name) for name in curves.OPTIMIZERS},
    }
    (FOLDER / "curves.json").write_text(json.dumps(recorded, indent=1) + "\n")


if __name__ == "__main__":
    main()

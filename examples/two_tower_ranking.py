"""Ranking by two towers: a network for users and one for items give vectors whose product says how they fit.

The vectors of all items are computed once; a user is then one pass through a small network and one product, which is
how such rankings are served. Users and items are made here: each has hidden tastes that only show in noisy features,
and a user clicks where tastes agree. The ranking is measured on users that were not seen in training.

Usage: two_tower_ranking.py [--short] [--picture FILE]
"""

from __future__ import annotations

import argparse
import time

import numpy as np

import layernet as ln

ITEMS, TASTES, FEATURES, WIDTH = 500, 6, 24, 16


class Tower(ln.Model):
    """From features to a vector of length 1."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name)
        self.hidden = ln.layers.Dense(48, activation="relu")
        self.out = ln.layers.Dense(WIDTH)

    def call(self, inputs: ln.Tensor) -> ln.Tensor:
        return ln.nn.l2_normalize(self.out(self.hidden(inputs)), axis=-1)


class Ranker(ln.Model):
    """The logit of a click: a scaled product of the two vectors."""

    def __init__(self) -> None:
        super().__init__(name="ranker")
        self.user = Tower("user")
        self.item = Tower("item")
        self.scale = ln.layers.Dense(1, kernel_initializer="ones", name="scale")

    def call(self, inputs: dict[str, ln.Tensor]) -> ln.Tensor:
        product = self.user(inputs["user"]) * self.item(inputs["item"])
        return self.scale(ln.reduce_sum(product, axis=-1, keepdims=True))


class World:
    """Users and items with hidden tastes."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.mixing = self.rng.normal(size=(2, TASTES, FEATURES))
        self.item_tastes, self.items = self.some(ITEMS, 1)

    def some(self, count: int, kind: int) -> tuple[np.ndarray, np.ndarray]:
        """Tastes and features of users (kind 0) or items (kind 1)."""
        tastes = self.rng.normal(size=(count, TASTES))
        features = np.tanh(tastes @ self.mixing[kind]) + 0.3 * self.rng.normal(size=(count, FEATURES))
        return tastes, features.astype("float32")

    def clicks(self, users: int, shown: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """What users see, and whether they click: about one time in six."""
        tastes, features = self.some(users, 0)
        items = self.rng.integers(0, ITEMS, (users, shown))
        fit = np.einsum("ut,ust->us", tastes, self.item_tastes[items])
        clicked = self.rng.random(fit.shape) < 1 / (1 + np.exp(4.0 - 1.5 * fit))
        rows = {"user": np.repeat(features, shown, axis=0), "item": self.items[items.ravel()]}
        return rows, clicked.reshape(-1, 1).astype("float32")


def recall(scores: np.ndarray, fit: np.ndarray, count: int = 10) -> float:
    """How many of each user's best `count` items are among the first `count` of the ranking."""
    best, ranked = (np.argsort(-values, axis=1)[:, :count] for values in (fit, scores))
    return float(np.mean([len(set(a) & set(b)) / count for a, b in zip(best, ranked, strict=True)]))


def draw(path: str, history: ln.callbacks.History, recalls: dict[str, float]) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(history.epoch, history.history["auc"], marker="o", label="training")
    left.plot(history.epoch, history.history["val_auc"], marker="o", label="new users")
    left.set(xlabel="epoch", ylabel="area under ROC")
    left.legend()
    left.grid(alpha=0.3)
    right.bar(list(recalls), list(recalls.values()), color=["tab:gray", "tab:gray", "tab:blue"])
    right.set(ylabel="share of the best 10 found", ylim=(0, 1))
    figure.savefig(path, dpi=120)


def main(arguments: list[str] | None = None) -> dict[str, float]:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--short", action="store_true", help="train for a moment only")
    parser.add_argument("--picture", metavar="FILE", help="draw the learning and the ranking (needs matplotlib)")
    options = parser.parse_args(arguments)
    ln.set_seed(0)
    world = World(0)
    model = Ranker()

    def loss(y_true: ln.Tensor, y_pred: ln.Tensor) -> ln.Tensor:
        return ln.losses.binary_crossentropy(y_true, y_pred, from_logits=True)

    rate = ln.optimizers.schedules.Warmup(ln.optimizers.schedules.CosineDecay(0.01, 4000), 100)
    model.compile(ln.optimizers.Adam(rate), loss, [ln.metrics.AUC(from_logits=True)])
    rows, clicked = world.clicks(300 if options.short else 3000, 40)
    history = model.fit(
        rows, clicked, batch_size=256, epochs=2 if options.short else 8, validation_data=world.clicks(200, 40)
    )

    tastes, users = world.some(300, 0)
    fit = tastes @ world.item_tastes.T
    item_vectors = model.item.predict(world.items)
    served = ln.Predictor(model.user)
    start = time.perf_counter()
    scores = np.stack([served.predict(user[None])[0] @ item_vectors.T for user in users])
    microseconds = (time.perf_counter() - start) / len(users) * 1e6
    # Items with strong tastes are clicked most: one ranking for everybody.
    popular = np.linalg.norm(world.item_tastes, axis=1)
    recalls = {
        "chance": recall(np.random.default_rng(1).random(fit.shape), fit),
        "popularity": recall(np.broadcast_to(popular, fit.shape), fit),
        "two towers": recall(scores, fit),
    }
    result = {"auc": history.history["val_auc"][-1], "recall": recalls["two towers"], "chance": recalls["chance"]}
    print(f"area under ROC for new users {result['auc']:.3f}; of a user's best 10 of {ITEMS} items ", end="")
    print(f"{result['recall']:.0%} are found, {result['chance']:.0%} by chance; {microseconds:.0f} us for a user")
    if options.picture:
        draw(options.picture, history, recalls)
    return result


if __name__ == "__main__":
    main()

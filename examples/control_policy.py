"""A policy that learns to balance a pole on a cart, by trial: a pole, 64 carts at once, and a policy gradient.

The task is written below in numpy. The policy is a network that gives logits for pushing left or right. Each round the
carts run with the present policy; what was done is then made more likely where it went better than usual. That is a
weighted cross-entropy, so a round of learning is a few calls of `TrainStep` with weights for the rows.

Reference: Williams, "Simple statistical gradient-following algorithms for connectionist reinforcement learning", 1992;
the cart: Barto, Sutton and Anderson, "Neuronlike adaptive elements that can solve difficult learning control problems",
1983.

Usage: control_policy.py [--short] [--picture FILE]
"""

from __future__ import annotations

import argparse

import numpy as np

import layernet as ln

CARTS, LIMIT, DISCOUNT = 64, 300, 0.98


class Carts:
    """Carts on a track, each with a pole; a step is 0.02 s. A cart is done when the pole falls or the track ends."""

    gravity, pole_mass, cart_mass, half_length, force, step_time = 9.8, 0.1, 1.0, 0.5, 10.0, 0.02

    def __init__(self, count: int, rng: np.random.Generator) -> None:
        self.state = rng.uniform(-0.05, 0.05, (count, 4))
        self.alive = np.ones(count, bool)

    def step(self, push_right: np.ndarray) -> None:
        _, speed, angle, turning = self.state.T
        force = np.where(push_right, self.force, -self.force)
        total = self.pole_mass + self.cart_mass
        sine, cosine = np.sin(angle), np.cos(angle)
        push = (force + self.pole_mass * self.half_length * turning**2 * sine) / total
        turn = (self.gravity * sine - cosine * push) / (self.half_length * (4 / 3 - self.pole_mass * cosine**2 / total))
        pull = push - self.pole_mass * self.half_length * turn * cosine / total
        change = np.stack([speed, pull, turning, turn], axis=1)
        self.state = np.where(self.alive[:, None], self.state + self.step_time * change, self.state)
        self.alive &= (np.abs(self.state[:, 0]) < 2.4) & (np.abs(self.state[:, 2]) < 0.21)


def play(policy: ln.Predictor, rng: np.random.Generator, limit: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """States, pushes and whether a cart was still going, `[steps, carts, ...]`."""
    carts = Carts(CARTS, rng)
    states, pushes, going = [], [], []
    for _ in range(limit):
        seen = carts.state.astype("float32")
        logits = policy.predict(seen)
        right = rng.random(CARTS) < 1 / (1 + np.exp(logits[:, 0] - logits[:, 1]))
        states.append(seen)
        pushes.append(right)
        going.append(carts.alive.copy())
        carts.step(right)
        if not carts.alive.any():
            break
    return np.array(states), np.array(pushes), np.array(going)


def advantages(going: np.ndarray) -> np.ndarray:
    """How much longer than usual, at this time, each cart went on; later steps count less."""
    left = np.zeros(going.shape, "float32")
    after = np.zeros(going.shape[1], "float32")
    for t in range(len(going) - 1, -1, -1):
        after = np.where(going[t], 1.0 + DISCOUNT * after, 0.0)
        left[t] = after
    usual = np.sum(left * going, axis=1) / np.maximum(going.sum(axis=1), 1)
    return np.asarray(((left - usual[:, None]) * going) / (left[going].std() + 1e-6), "float32")


def draw(path: str, lengths: list[float], states: np.ndarray, going: np.ndarray) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(lengths)
    left.set(xlabel="round", ylabel="steps until the pole falls")
    for cart in range(12):
        steps = going[:, cart].sum()
        right.plot(states[:steps, cart, 0], np.degrees(states[:steps, cart, 2]), linewidth=0.7)
    right.set(xlabel="place of the cart, m", ylabel="angle of the pole, degrees", title="twelve carts after training")
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120)


def main(arguments: list[str] | None = None) -> dict[str, float]:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--short", action="store_true", help="train for a moment only")
    parser.add_argument("--picture", metavar="FILE", help="draw the learning and some runs (needs matplotlib)")
    options = parser.parse_args(arguments)
    ln.set_seed(0)
    rng = np.random.default_rng(0)
    limit = 60 if options.short else LIMIT
    network = ln.Sequential([ln.layers.Dense(32, activation="tanh"), ln.layers.Dense(2)], name="policy")
    network(np.zeros((1, 4), "float32"))

    def loss(y_true: ln.Tensor, y_pred: ln.Tensor, sample_weight: ln.Tensor) -> ln.Tensor:
        return ln.losses.sparse_categorical_crossentropy(y_true, y_pred, sample_weight, from_logits=True)

    step = ln.TrainStep(network, loss, ln.optimizers.Adam(0.004, global_clipnorm=0.5))
    lengths = []
    for _ in range(20 if options.short else 60):
        states, pushes, going = play(ln.Predictor(network), rng, limit)
        lengths.append(float(going.sum(axis=0).mean()))
        weights = advantages(going)[going]
        rows, chosen = states[going], pushes[going].astype("int64")
        for part in np.array_split(rng.permutation(len(rows)), max(1, len(rows) // 1024)):
            step(rows[part], chosen[part], weights[part])
    states, _, going = play(ln.Predictor(network), rng, limit)
    lengths.append(float(going.sum(axis=0).mean()))
    result = {"before": lengths[0], "after": lengths[-1], "limit": float(limit)}
    print(f"the pole stays up for {result['before']:.0f} steps before training, {result['after']:.0f} after ", end="")
    print(f"{len(lengths) - 1} rounds, of {limit} at most")
    if options.picture:
        draw(options.picture, lengths, states, going)
    return result


if __name__ == "__main__":
    main()

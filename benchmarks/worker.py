"""One library in a process of its own: reads one JSON request per line, answers with one JSON line.

Usage: worker.py LIBRARY CPU
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

Calls = dict[str, tuple[Callable[[], Any], int]]


def product(step: Any, x: Any, kernel: Any) -> Any:
    """The sum over the taps of the kernel, each times the pixels that it meets."""
    import numpy as np

    if step.op == "dense":
        return x @ kernel
    sizes = [-(-size // step.stride) for size in x.shape[1:3]]
    totals = [
        max((count - 1) * step.stride + span - size, 0)
        for count, span, size in zip(sizes, kernel.shape, x.shape[1:3], strict=False)
    ]
    x = np.pad(x, [(0, 0), *((total // 2, total - total // 2) for total in totals), (0, 0)])
    y = 0.0
    for i, j in np.ndindex(kernel.shape[:2]):
        ends = [start + (count - 1) * step.stride + 1 for start, count in zip((i, j), sizes, strict=True)]
        met = x[:, i : ends[0] : step.stride, j : ends[1] : step.stride]
        y = y + (met @ kernel[i, j] if step.op == "conv" else met * kernel[i, j])
    return y


def reference(workload: Any, x: Any) -> Any:
    """The network in float64, or None where numpy has no such activation."""
    import numpy as np

    from workloads import EPSILON, PRODUCTS

    values = {"x": x.astype(np.float64)}
    for step in workload.steps:
        source = values[step.inputs[0]]
        arrays = [array.astype(np.float64) for array in step.arrays]
        activation = step.activation
        if step.op in PRODUCTS:
            y = product(step, source, arrays[0]) + arrays[1]
        elif step.op == "batch_norm":
            y = (source - arrays[2]) / np.sqrt(arrays[3] + EPSILON) * arrays[0] + arrays[1]
        elif step.op == "add":
            y = source + values[step.inputs[1]]
        else:
            y, activation = source, step.op
        if activation == "relu":
            y = np.maximum(y, 0)
        elif activation == "tanh":
            y = np.tanh(y)
        elif activation == "gelu":
            try:
                from scipy.special import erf
            except ImportError:
                return None
            y = 0.5 * y * (1 + erf(y * 0.5**0.5))
        values[step.output] = y
    return values[workload.result]


def load_inference(peer: Any, request: dict[str, Any]) -> tuple[Calls, dict[str, float]]:
    """The calls of a workload, and how far each is from the float64 result, relative to its largest value."""
    import numpy as np

    import workloads

    workload = next(w for w in workloads.inference() if w.name == request["workload"])
    x = workload.rows(request["batch"])
    expected = reference(workload, x)
    calls, errors = peer.inference(workload, x), {}
    for name, call in calls.items():
        got = np.asarray(call(), np.float64)
        if expected is not None:
            if got.shape != expected.shape:  # channels first
                got = np.moveaxis(got, 1, -1)
            errors[name] = float(np.abs(got - expected).max() / np.abs(expected).max())
    return {name: (call, 1) for name, call in calls.items()}, errors


def load_train(peer: Any, request: dict[str, Any]) -> tuple[Calls, dict[str, float]]:
    """The steps of a workload, and each one's loss after 20 steps: from the same weights, so they must agree."""
    import workloads

    training = next(
        t for t in workloads.training() if [t.workload.name, t.batch] == [request["workload"], request["batch"]]
    )
    x, y = training.workload.rows(training.batch), training.targets()
    calls = peer.train(training, x, y) if hasattr(peer, "train") else {}
    losses = {}
    for name, call in calls.items():
        for _ in range(20):
            loss = call()
        losses[name] = float(loss)
    return {name: (call, 1) for name, call in calls.items()}, losses


def load(peer: Any, request: dict[str, Any]) -> tuple[Calls, dict[str, float]]:
    if request["kind"] == "inference":
        return load_inference(peer, request)
    if request["kind"] == "train":
        return load_train(peer, request)
    return (peer.overheads() if hasattr(peer, "overheads") else {}), {}


def measure(call: Callable[[], Any], seconds: float) -> float:
    """Seconds per call: the quickest of a number of short runs, so that one interruption spoils one run only."""
    clock = time.perf_counter
    start = clock()
    call()
    once = max(clock() - start, 1e-9)
    repeats = max(1, min(int(0.002 / once), 100_000))
    loop, best, end = range(repeats), float("inf"), clock() + seconds
    while True:
        start = clock()
        for _ in loop:
            call()
        stop = clock()
        best = min(best, (stop - start) / repeats)
        if stop >= end:
            return best


def main() -> None:
    library, cpu = sys.argv[1], int(sys.argv[2])
    os.sched_setaffinity(0, {cpu})
    # Answers go to the real standard output; whatever the library prints goes to standard error.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    folder = os.path.dirname(os.path.abspath(__file__))
    module = library if os.path.exists(os.path.join(folder, "peers", f"{library}.py")) else f"{library}_peer"
    peer: Any = None
    calls: Calls = {}
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer: dict[str, Any] = {}
            if request["do"] == "start":
                peer = importlib.import_module(f"peers.{module}")
                answer["version"] = peer.version()
            elif request["do"] == "load":
                calls = {}
                gc.collect()
                calls, answer["check"] = load(peer, request)
                answer["variants"] = list(calls)
                gc.collect()
                gc.freeze()
            elif request["do"] == "time":
                call, count = calls[request["variant"]]
                answer["seconds"] = measure(call, request["seconds"]) / count
        except Exception:
            answer = {"error": traceback.format_exc()}
        answers.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()

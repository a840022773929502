"""What more threads gain: predictors and steps with `threads=` given, and threads that call one predictor.

    env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE python benchmarks/threads.py [--threads 2] [--only REGEX]

Calls with one thread and with several take turns; printed are the least times and their ratio, beside the median of the
ratios of neighbours, which other programs on the machine disturb less.
"""

from __future__ import annotations

import argparse
import re
import statistics
import threading
import time
from collections.abc import Callable

import layernet as ln
from peers import layernet_peer
from workloads import Training, Workload, inference, training

TURNS = 40
SECONDS = 0.02  # of one turn
LEAST_CALL = 5e-5


def seconds(call: Callable[[], object], calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - start) / calls


def compare(title: str, one: Callable[[], object], several: Callable[[], object], share: int = 1) -> None:
    """Time of `one` by time of `several`, which does `share` times as much."""
    one(), several()
    calls = max(1, int(SECONDS / seconds(one, 3)))
    pairs = [(seconds(one, calls), seconds(several, calls) / share) for _ in range(TURNS)]
    first, second = (min(times) for times in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"{title:34} {first * 1e6:10.1f} us {second * 1e6:10.1f} us  {first / second:5.2f}  median {ratio:5.2f}")


def predictors(workload: Workload, batch: int, threads: int) -> None:
    network, x = layernet_peer.network(workload), workload.rows(batch)
    one, several = (ln.Predictor(network, threads=n).predict for n in (1, threads))
    compare(f"predict {workload.name} {batch}", lambda: one(x), lambda: several(x))


def callers(workload: Workload, batch: int, threads: int) -> None:
    """As many threads, each with calls of its own of one predictor; calls too short to give up the GIL are left out."""
    predict, x = ln.Predictor(layernet_peer.network(workload)).predict, workload.rows(batch)
    time_of_call = seconds(lambda: predict(x), 5)
    if time_of_call < LEAST_CALL:
        return
    calls = max(1, int(SECONDS / time_of_call))

    def work() -> None:
        for _ in range(calls):
            predict(x)

    def together() -> None:
        workers = [threading.Thread(target=work) for _ in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    compare(f"{threads} callers {workload.name} {batch}", work, together, threads)


def steps(case: Training, threads: int) -> None:
    def step(n: int) -> ln.TrainStep:
        optimizer = ln.optimizers.Adam(case.learning_rate, case.beta1, case.beta2, case.epsilon)
        return ln.TrainStep(layernet_peer.network(case.workload), "mse", optimizer, threads=n)

    one, several, x, y = step(1), step(threads), case.workload.rows(case.batch), case.targets()
    compare(f"train {case.workload.name} {case.batch}", lambda: one(x, y), lambda: several(x, y))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", default="tiny 1$|recsys", help="what to measure, by title")
    arguments = parser.parse_args()
    ln.set_num_threads(arguments.threads)
    wanted = re.compile(arguments.only).search
    print(f"{'':34} {'one thread':>13} {f'{arguments.threads} threads':>13}  ratio")
    for workload in inference():
        for batch in workload.batches:
            if wanted(f"{workload.name} {batch}"):
                predictors(workload, batch, arguments.threads)
                callers(workload, batch, arguments.threads)
    for case in training():
        if wanted(f"{case.workload.name} {case.batch}"):
            steps(case, arguments.threads)


if __name__ == "__main__":
    main()

"""layernet and its peers side by side: each library in a worker process of its own, all on one core with one thread.

Only one worker computes at a time; rounds go through the libraries in turn, starting with another one each time, and
the least disturbed (quickest) round of each counts. Prints tables and writes all numbers to a JSON file.

Usage: run.py [--only PATTERN] [--libraries NAME,NAME] [--rounds N] [--seconds S] [--no-compile] [--check] [--json FILE]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import peers
import workloads

HERE = Path(__file__).resolve().parent
ONE_THREAD = {
    name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "LAYERNET_NUM_THREADS")
}
XLA_FLAGS = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
# float32 sums of up to 4096 products, relative to the largest output.
TOLERANCE = 2e-5
ROUNDED_WEIGHTS = {"layernet bfloat16": 0.02, "layernet int8": 0.04}
# After 20 steps; PyTorch adds Adam's epsilon at another place, which shows where gradients are tiny.
LOSS_TOLERANCE = 0.03


class Worker:
    def __init__(self, library: str, cpu: int, compiled: bool) -> None:
        self.library = library
        self.log = tempfile.TemporaryFile("w+")  # noqa: SIM115 (open as long as the process runs)
        environment = {
            **os.environ,
            **ONE_THREAD,
            "XLA_FLAGS": XLA_FLAGS,
            "JAX_PLATFORMS": "cpu",
            "LAYERNET_BENCH_COMPILE": str(int(compiled)),
        }
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "worker.py"), library, str(cpu)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            env=environment,
        )

    def ask(self, **request: Any) -> dict[str, Any]:
        """The worker's answer; a dead worker answers with an error."""
        assert self.process.stdin
        assert self.process.stdout
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self.log.seek(0)
            return {"error": f"the worker ended: {self.log.read()[-500:]}"}
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        assert self.process.stdin
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait()


def start_workers(names: list[str], cpu: int, compiled: bool) -> tuple[list[Worker], dict[str, str]]:
    """The workers whose library can be imported, and the versions."""
    workers, versions = [], {}
    for name in names:
        worker = Worker(name, cpu, compiled)
        answer = worker.ask(do="start")
        if "error" in answer:
            print(f"{name}: left out: {answer['error'].strip().splitlines()[-1]}")
            worker.close()
        else:
            workers.append(worker)
            versions[name] = answer["version"]
    return workers, versions


def run_case(workers: list[Worker], case: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """Seconds per variant, the check values, and what failed."""
    loaded: list[tuple[Worker, str]] = []
    result: dict[str, Any] = {**case, "seconds": {}, "check": {}, "errors": {}}
    for worker in workers:
        answer = worker.ask(do="load", **case)
        if "error" in answer:
            result["errors"][worker.library] = answer["error"]
            continue
        loaded += [(worker, variant) for variant in answer["variants"]]
        result["check"].update(answer["check"])
    if options.check:
        return result
    for start in range(options.rounds):
        turn = start * 3 % max(1, len(loaded))
        for worker, variant in loaded[turn:] + loaded[:turn]:
            answer = worker.ask(do="time", variant=variant, seconds=options.seconds)
            if "error" in answer:
                result["errors"][variant] = answer["error"]
            else:
                key = variant if case["kind"] != "overheads" else f"{worker.library}: {variant}"
                result["seconds"][key] = min(answer["seconds"], result["seconds"].get(key, float("inf")))
    return result


def disagreements(result: dict[str, Any]) -> list[str]:
    """Variants whose results are not those of the others."""
    check = result["check"]
    if result["kind"] == "inference":
        return [
            f"{name}: error {error:.1e}"
            for name, error in check.items()
            if not error < ROUNDED_WEIGHTS.get(name, TOLERANCE)
        ]
    if result["kind"] == "train" and check:
        middle = sorted(check.values())[len(check) // 2]
        return [
            f"{name}: loss {loss:.5f}, others {middle:.5f}"
            for name, loss in check.items()
            if not abs(loss - middle) < LOSS_TOLERANCE * middle
        ]
    return []


def microseconds(seconds: float) -> str:
    value = seconds * 1e6
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 1000 else f"{value:.0f}"


def print_case(result: dict[str, Any]) -> None:
    kind, seconds = result["kind"], result["seconds"]
    ours = {name: time for name, time in seconds.items() if name.startswith("layernet")}
    others = {name: time for name, time in seconds.items() if name not in ours}
    print(f"\n{result['title']}")
    for name, time in sorted(seconds.items(), key=lambda item: item[1]):
        rate = f"{result['flops'] / time * 1e-9:8.1f} GFLOP/s" if kind != "overheads" else ""
        print(f"  {name:24} {microseconds(time):>10} us {rate}")
    if ours and others and kind != "overheads":
        best = min(others, key=lambda name: others[name])
        for name, time in ours.items():
            print(f"  ratio {name} : best peer ({best}) {others[best] / time:.2f}x")
    for problem in disagreements(result):
        print(f"  DISAGREES  {problem}")
    for name, error in result["errors"].items():
        print(f"  FAILED     {name}: {error.strip().splitlines()[-1]}")
    sys.stdout.flush()


def cases(pattern: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [{"kind": "overheads", "title": "overheads"}]
    for workload in workloads.inference():
        for batch in workload.batches:
            title, flops = f"predict {workload.name} {batch}", workload.flops * batch
            found.append(
                {"kind": "inference", "workload": workload.name, "batch": batch, "title": title, "flops": flops}
            )
    for training in workloads.training():
        name, batch = training.workload.name, training.batch
        # Backward makes two products for each forward one, but none for the input's gradient.
        first = 2 * training.workload.steps[0].arrays[0].size
        flops = (3 * training.workload.flops - first) * batch
        found.append(
            {"kind": "train", "workload": name, "batch": batch, "title": f"train {name} {batch}", "flops": flops}
        )
    return [case for case in found if re.search(pattern, case["title"])]


def machine_limits(cpu: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "machine")
        command = [
            os.environ.get("CXX", "c++"),
            "-O3",
            "-march=native",
            "-ffp-contract=fast",
            "-std=c++17",
            "-o",
            str(program),
            str(HERE / "machine.cpp"),
        ]
        subprocess.run(command, check=True)
        pinned = subprocess.run(
            [program], check=True, capture_output=True, text=True, preexec_fn=lambda: os.sched_setaffinity(0, {cpu})
        )
    limits: dict[str, float] = json.loads(pinned.stdout)
    return limits


IMPORT = """
import json, os, sys, time
import numpy
def memory():
    with open("/proc/self/smaps_rollup") as lines:
        return sum(int(line.split()[1]) for line in lines if line.startswith(("Rss:",))) / 1024
before, threads, start = memory(), len(os.listdir("/proc/self/task")), time.perf_counter()
__import__(sys.argv[1])
seconds = time.perf_counter() - start
print(json.dumps([seconds * 1e3, memory() - before, len(os.listdir("/proc/self/task")) - threads]))
"""
MODULES = {"litert": "ai_edge_litert.interpreter", "sklearn": "sklearn.neural_network"}


def import_costs(names: list[str], cpu: int) -> dict[str, list[float]]:
    """Milliseconds, MiB and threads that an import adds to numpy's: the least of several processes."""
    costs: dict[str, list[float]] = {}
    for name in names:
        runs = []
        for _ in range(5):
            command = ["taskset", "-c", str(cpu), sys.executable, "-c", IMPORT, MODULES.get(name, name)]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode == 0:
                runs.append(json.loads(done.stdout.splitlines()[-1]))
        if runs:
            costs[name] = [min(column) for column in zip(*runs, strict=True)]
    return costs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="regular expression on the case's title, e.g. 'predict tiny'")
    parser.add_argument("--libraries", default=",".join(peers.NAMES))
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=0.05, help="per library and round")
    parser.add_argument("--no-compile", action="store_true", help="leave out torch.compile, which takes long to start")
    parser.add_argument("--check", action="store_true", help="compare the libraries' results and measure nothing")
    parser.add_argument("--json", type=Path, default=HERE.parent / "build" / "bench.json")
    options = parser.parse_args()

    cpu = max(os.sched_getaffinity(0))
    names = options.libraries.split(",")
    workers, versions = start_workers(names, cpu, not options.no_compile)
    print("libraries:", ", ".join(f"{name} {version}" for name, version in versions.items()))
    report: dict[str, Any] = {"versions": versions, "python": platform.python_version(), "cases": []}
    if not options.check and not options.only:
        report["machine"] = machine_limits(cpu)
        print("\nmachine, one core")
        for name, value in report["machine"].items():
            print(f"  {name:24} {value:10.1f}")
        report["imports"] = import_costs([name for name in names if name != "numpy"], cpu)
        print("\nimport, on top of numpy        ms       MiB   threads")
        for name, (milliseconds, mebibytes, threads) in report["imports"].items():
            print(f"  {name:24} {milliseconds:7.1f}  {mebibytes:8.1f}  {threads:8.0f}")
    failed = False
    for case in cases(options.only):
        result = run_case(workers, case, options)
        report["cases"].append(result)
        print_case(result)
        failed |= bool(disagreements(result) or result["errors"])
    for worker in workers:
        worker.close()
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(report, indent=1) + "\n")
    print(f"\nnumbers: {options.json}")
    sys.exit(failed)


if __name__ == "__main__":
    main()

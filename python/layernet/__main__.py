"""`python -m layernet`: predictor files on the command line, and where the headers and the CMake package are.

python -m layernet info FILE                     what the file takes, gives and runs
python -m layernet predict FILE x.npy -o y.npy   outputs for the rows of x
python -m layernet bench FILE --batch 1 64       time of a call
"""

from __future__ import annotations

import argparse
import functools
import io
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import layernet
from layernet import _core
from layernet.tensorfile import atomic_write

# Headers and libraries lie beside the extension module, which an editable install keeps apart from the sources.
ROOT = Path(_core.__file__).absolute().parent


def main(arguments: list[str] | None = None) -> int:
    """Runs a command; returns the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.version:
        print(layernet.__version__)
    elif options.include_dir:
        print(ROOT / "include")
    elif options.cmake_dir:
        print(ROOT / "lib" / "cmake" / "layernet")
    elif options.build_info:
        for key, value in layernet.build_info().items():
            print(f"{key}: {value}")
    elif options.command is None:
        parser.error("expected a command or an option")
    else:
        try:
            options.run(options)
        except (OSError, ValueError, TypeError) as error:  # the library's errors are of these kinds
            print(f"python -m layernet {options.command}: {error}", file=sys.stderr)
            return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m layernet", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--version", action="store_true", help="print the version")
    choice.add_argument("--include-dir", action="store_true", help="print the folder of the C++ headers")
    choice.add_argument("--cmake-dir", action="store_true", help="print the folder of the CMake package")
    choice.add_argument("--build-info", action="store_true", help="print compiler, instruction sets, BLAS and threads")
    commands = parser.add_subparsers(dest="command", metavar="command")

    info = commands.add_parser("info", help="print inputs, outputs and steps of a predictor file")
    info.add_argument("file")
    info.set_defaults(run=_info)

    predict = commands.add_parser("predict", help="run a predictor file on arrays")
    predict.add_argument("file")
    predict.add_argument("input", nargs="+", help=".npy file, one for each input in the order that info shows")
    predict.add_argument("-o", "--output", nargs="+", required=True, help=".npy file, one for each output")
    predict.add_argument("--threads", type=int, default=1)
    predict.set_defaults(run=_predict)

    bench = commands.add_parser("bench", help="time a predictor file on random numbers")
    bench.add_argument("file")
    bench.add_argument("--batch", type=_positive, nargs="+", default=[1, 8, 64], help="rows of a call (1 8 64)")
    bench.add_argument("--threads", type=_positive, nargs="+", default=[1], help="threads of a call (1)")
    bench.add_argument("--seconds", type=float, default=0.5, help="for each line (0.5)")
    bench.set_defaults(run=_bench)
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected at least 1, got {text}")
    return value


def _info(options: argparse.Namespace) -> None:
    predictor = layernet.Predictor.load(options.file)
    dtypes = (predictor.input_dtypes, predictor.output_dtypes)
    for what, ports, types in zip(("input", "output"), predictor._ports, dtypes, strict=True):
        for (name, shape), dtype in zip(ports, types, strict=True):
            print(f"{what} {name}: {dtype} [{', '.join('N' if size is None else str(size) for size in shape)}]")
    print(f"constants: {predictor.nbytes} bytes, weights {predictor.weights}")
    for index, step in enumerate(predictor.steps):
        print(
            f"step {index}: {step['op']} ({step['inputs']}) -> {step['outputs']}, "
            f"{step['constant_bytes']} bytes, kernel {step['kernel'] or '-'}"
        )


def _predict(options: argparse.Namespace) -> None:
    predictor = layernet.Predictor.load(options.file, threads=options.threads)
    arrays = [np.load(path, allow_pickle=False) for path in options.input]
    if len(options.output) != len(predictor.output_dtypes):
        raise ValueError(f"expected {len(predictor.output_dtypes)} output files, got {len(options.output)}.")
    for path, result in zip(options.output, predictor.run_list(arrays), strict=True):
        atomic_write(path, [_npy(result)])


def _npy(array: npt.NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _bench(options: argparse.Namespace) -> None:
    generator = np.random.default_rng(0)
    for threads in options.threads:
        predictor = layernet.Predictor.load(options.file, threads=threads)
        for batch in options.batch:
            arrays = [
                _numbers(generator, [batch if size is None else size for size in shape], dtype)
                for (_, shape), dtype in zip(predictor._ports[0], predictor.input_dtypes, strict=True)
            ]
            best = _best_time(predictor, arrays, options.seconds)
            print(f"threads {threads}, batch {batch}: {best * 1e6:.2f} us a call, {batch / best:.0f} rows/s")


def _numbers(generator: np.random.Generator, shape: list[int], dtype: str) -> npt.NDArray[Any]:
    if dtype.startswith(("float", "bfloat")):
        return generator.normal(size=shape).astype("float32" if dtype == "bfloat16" else dtype)
    return np.zeros(shape, dtype)  # indices: zero is always in range


def _best_time(predictor: layernet.Predictor, arrays: list[npt.NDArray[Any]], seconds: float) -> float:
    """Seconds for a call: the best of blocks of calls, since other programs only ever make it slower."""
    is_single = len(predictor.input_dtypes) == len(predictor.output_dtypes) == 1
    call: Callable[[], object] = (
        functools.partial(predictor.predict, arrays[0]) if is_single else functools.partial(predictor.run_list, arrays)
    )
    call()
    start = time.perf_counter()
    call()
    calls = max(1, int(seconds / 20 / max(time.perf_counter() - start, 1e-7)))
    best = float("inf")
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        for _ in range(calls):
            call()
        best = min(best, (time.perf_counter() - start) / calls)
    return best


if __name__ == "__main__":
    sys.exit(main())

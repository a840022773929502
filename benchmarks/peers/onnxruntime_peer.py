"""ONNX Runtime, with all graph optimizations: `run`, and an I/O binding to arrays kept by the caller."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime

from onnx_writer import write
from workloads import Array, Workload


def version() -> str:
    return onnxruntime.__version__


def inference(workload: Workload, x: Array) -> dict[str, Callable[[], Any]]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(write(workload), options, providers=["CPUExecutionProvider"])
    x = workload.channels_first(x)
    result = np.empty((len(x), *workload.result_shape_channels_first), np.float32)
    binding = session.io_binding()
    binding.bind_input("x", "cpu", 0, np.float32, x.shape, x.ctypes.data)
    binding.bind_output(workload.result, "cpu", 0, np.float32, result.shape, result.ctypes.data)
    feed, names = {"x": x}, [workload.result]

    # The binding borrows the rows.
    def bound(borrowed: Array = x) -> Array:
        session.run_with_iobinding(binding)
        return result

    return {"onnxruntime": lambda: session.run(names, feed)[0], "onnxruntime bound": bound}

"""LiteRT (TensorFlow Lite with XNNPACK). Its interpreter copies rows in and results out."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version as installed_version
from typing import Any

from ai_edge_litert.interpreter import Interpreter

from tflite_writer import write
from workloads import Array, Workload


def version() -> str:
    return installed_version("ai-edge-litert")


def prepared(workload: Workload, batch: int) -> tuple[Interpreter, int, int]:
    """An interpreter and the indices of its input and output."""
    interpreter = Interpreter(model_content=write(workload, batch), num_threads=1)
    interpreter.allocate_tensors()
    return interpreter, interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]


def inference(workload: Workload, x: Array) -> dict[str, Callable[[], Any]]:
    interpreter, source, target = prepared(workload, len(x))

    def copying() -> Array:
        interpreter.set_tensor(source, x)
        interpreter.invoke()
        return interpreter.get_tensor(target)

    # The wrapped object's methods without the Python layer around them: private, and the quickest anyone could get.
    inner = prepared(workload, len(x))[0]._interpreter
    set_tensor, invoke, get_tensor = inner.SetTensor, inner.Invoke, inner.GetTensor

    def direct() -> Array:
        set_tensor(source, x)
        invoke()
        return get_tensor(target, 0)

    return {"litert": copying, "litert direct": direct}

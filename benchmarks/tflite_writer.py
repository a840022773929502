"""Writes a workload as a .tflite file, through the FlatBuffers schema module that ai-edge-litert carries."""

from __future__ import annotations

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from workloads import Array, Workload, fold_batch_norm

FUSED = {None: schema.ActivationFunctionType.NONE, "relu": schema.ActivationFunctionType.RELU}


class Writer:
    """Collects buffers, tensors and operators of one graph."""

    def __init__(self) -> None:
        self.buffers = [schema.BufferT()]  # buffer 0 is the empty one, shared by all values computed at run time
        self.tensors: list[schema.TensorT] = []
        self.operators: list[schema.OperatorT] = []
        self.codes: list[int] = []

    def tensor(self, name: str, shape: tuple[int, ...], data: Array | None = None) -> int:
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type, tensor.buffer = name, list(shape), schema.TensorType.FLOAT32, 0
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(data, np.float32).tobytes(), np.uint8)
            tensor.buffer = len(self.buffers)
            self.buffers.append(buffer)
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def operator(self, code: int, inputs: list[int], output: int, kind: int = 0, options: object | None = None) -> None:
        if code not in self.codes:
            self.codes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex, operator.inputs, operator.outputs = self.codes.index(code), inputs, [output]
        operator.builtinOptionsType, operator.builtinOptions = kind, options
        self.operators.append(operator)

    def finish(self, inputs: list[int], outputs: list[int]) -> bytes:
        graph = schema.SubGraphT()
        graph.name, graph.inputs, graph.outputs = "main", inputs, outputs
        graph.tensors, graph.operators = self.tensors, self.operators
        model = schema.ModelT()
        model.version, model.description = 3, "benchmark"
        model.subgraphs, model.buffers, model.operatorCodes = [graph], self.buffers, []
        for code in self.codes:
            entry = schema.OperatorCodeT()
            entry.builtinCode, entry.deprecatedBuiltinCode, entry.version = code, min(code, 127), 1
            model.operatorCodes.append(entry)
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def write(workload: Workload, batch: int) -> bytes:
    """The model for a fixed batch size; batch norm is folded, as the TensorFlow converter does."""
    writer = Writer()
    values = {"x": writer.tensor("x", (batch, workload.features))}
    widths = {"x": workload.features}
    for step in fold_batch_norm(workload.steps):
        inputs = [values[name] for name in step.inputs]
        width = step.arrays[0].shape[1] if step.op == "dense" else widths[step.inputs[0]]
        widths[step.output] = width
        output = writer.tensor(step.output, (batch, width))
        values[step.output] = output
        if step.op == "dense":
            kernel = writer.tensor(f"{step.output}/kernel", (width, step.arrays[0].shape[0]), step.arrays[0].T)
            bias = writer.tensor(f"{step.output}/bias", (width,), step.arrays[1])
            options = schema.FullyConnectedOptionsT()
            options.fusedActivationFunction = FUSED.get(step.activation, FUSED[None])
            product = output
            if step.activation not in FUSED:
                product = writer.tensor(f"{step.output}/product", (batch, width))
            writer.operator(
                schema.BuiltinOperator.FULLY_CONNECTED,
                [*inputs, kernel, bias],
                product,
                schema.BuiltinOptions.FullyConnectedOptions,
                options,
            )
            if step.activation == "tanh":
                writer.operator(schema.BuiltinOperator.TANH, [product], output)
            elif step.activation == "gelu":
                gelu = schema.GeluOptionsT()
                gelu.approximate = False
                writer.operator(schema.BuiltinOperator.GELU, [product], output, schema.BuiltinOptions.GeluOptions, gelu)
        elif step.op == "add":
            options = schema.AddOptionsT()
            writer.operator(schema.BuiltinOperator.ADD, inputs, output, schema.BuiltinOptions.AddOptions, options)
        elif step.op == "relu":
            writer.operator(schema.BuiltinOperator.RELU, inputs, output)
    return writer.finish([values["x"]], [values[workload.result]])

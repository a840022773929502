"""Writes a workload as a .tflite file, through the FlatBuffers schema module that ai-edge-litert carries."""

from __future__ import annotations

from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from workloads import PRODUCTS, Array, Step, Workload, fold_batch_norm

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


def dense(step: Step) -> Operator:
    code, kind = schema.BuiltinOperator.FULLY_CONNECTED, schema.BuiltinOptions.FullyConnectedOptions
    return code, kind, schema.FullyConnectedOptionsT(), step.arrays[0].T


def convolution(options: Any, step: Step) -> Any:
    options.padding, options.strideH, options.strideW = schema.Padding.SAME, step.stride, step.stride
    options.dilationHFactor = options.dilationWFactor = 1
    return options


def conv(step: Step) -> Operator:
    code, kind = schema.BuiltinOperator.CONV_2D, schema.BuiltinOptions.Conv2DOptions
    return code, kind, convolution(schema.Conv2DOptionsT(), step), step.arrays[0].transpose(3, 0, 1, 2)


def depthwise(step: Step) -> Operator:
    code, kind = schema.BuiltinOperator.DEPTHWISE_CONV_2D, schema.BuiltinOptions.DepthwiseConv2DOptions
    options = convolution(schema.DepthwiseConv2DOptionsT(), step)
    options.depthMultiplier = 1
    return code, kind, options, step.arrays[0][None]


# Operator, kind and value of its options, and the kernel as it wants it.
Operator = tuple[int, int, Any, Array]
OPERATORS = {"dense": dense, "conv": conv, "depthwise": depthwise}


def write(workload: Workload, batch: int) -> bytes:
    """The model for a fixed batch size; batch norm is folded, as the TensorFlow converter does."""
    writer = Writer()
    values = {"x": writer.tensor("x", (batch, *workload.shape))}
    shapes = {"x": workload.shape}
    for step in fold_batch_norm(workload.steps):
        inputs = [values[name] for name in step.inputs]
        shape = shapes[step.inputs[0]]
        if step.op in PRODUCTS:
            shape = (*(-(-size // step.stride) for size in shape[:-1]), len(step.arrays[1]))
        shapes[step.output] = shape
        output = writer.tensor(step.output, (batch, *shape))
        values[step.output] = output
        if step.op in PRODUCTS:
            code, kind, options, array = OPERATORS[step.op](step)
            kernel = writer.tensor(f"{step.output}/kernel", array.shape, array)
            bias = writer.tensor(f"{step.output}/bias", step.arrays[1].shape, step.arrays[1])
            options.fusedActivationFunction = FUSED.get(step.activation, FUSED[None])
            product = output
            if step.activation not in FUSED:
                product = writer.tensor(f"{step.output}/product", (batch, *shape))
            writer.operator(code, [*inputs, kernel, bias], product, kind, options)
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

"""Writes a workload as an ONNX model with a free batch dimension."""

from __future__ import annotations

from onnx import TensorProto, checker, helper, numpy_helper

from workloads import EPSILON, Workload

OPERATORS = {"relu": "Relu", "tanh": "Tanh", "gelu": "Gelu", "add": "Add"}


def write(workload: Workload) -> bytes:
    nodes, constants = [], []

    def constant(name: str, array: object) -> str:
        constants.append(numpy_helper.from_array(array, name))
        return name

    for step in workload.steps:
        if step.op == "dense":
            kernel, bias = (constant(f"{step.output}_{i}", array) for i, array in enumerate(step.arrays))
            product = f"{step.output}_product" if step.activation else step.output
            nodes.append(helper.make_node("Gemm", [step.inputs[0], kernel, bias], [product]))
            if step.activation:
                nodes.append(helper.make_node(OPERATORS[step.activation], [product], [step.output]))
        elif step.op == "batch_norm":
            arrays = [constant(f"{step.output}_{i}", array) for i, array in enumerate(step.arrays)]
            nodes.append(
                helper.make_node("BatchNormalization", [step.inputs[0], *arrays], [step.output], epsilon=EPSILON)
            )
        else:
            nodes.append(helper.make_node(OPERATORS[step.op], list(step.inputs), [step.output]))
    units = workload.steps[-1].arrays[0].shape[1]
    graph = helper.make_graph(
        nodes,
        workload.name,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", workload.features])],
        [helper.make_tensor_value_info(workload.result, TensorProto.FLOAT, ["batch", units])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    checker.check_model(model)
    return model.SerializeToString()

"""Writes a workload as an ONNX model with a free batch dimension; images have their channels first."""

from __future__ import annotations

from onnx import TensorProto, checker, helper, numpy_helper

from workloads import EPSILON, PRODUCTS, Workload

OPERATORS = {"relu": "Relu", "tanh": "Tanh", "gelu": "Gelu", "add": "Add"}


def write(workload: Workload) -> bytes:
    nodes, constants = [], []

    def constant(name: str, array: object) -> str:
        constants.append(numpy_helper.from_array(array, name))
        return name

    for step in workload.steps:
        if step.op in PRODUCTS:
            kernel, bias = step.arrays
            options = {}
            if step.op != "dense":
                options = {"auto_pad": "SAME_UPPER", "strides": [step.stride] * 2}
            if step.op == "conv":
                kernel = kernel.transpose(3, 2, 0, 1)
            elif step.op == "depthwise":
                kernel = kernel.transpose(2, 0, 1)[:, None]
                options["group"] = len(kernel)
            names = [constant(f"{step.output}_{i}", array) for i, array in enumerate((kernel, bias))]
            product = f"{step.output}_product" if step.activation else step.output
            operator = "Gemm" if step.op == "dense" else "Conv"
            nodes.append(helper.make_node(operator, [step.inputs[0], *names], [product], **options))
            if step.activation:
                nodes.append(helper.make_node(OPERATORS[step.activation], [product], [step.output]))
        elif step.op == "batch_norm":
            arrays = [constant(f"{step.output}_{i}", array) for i, array in enumerate(step.arrays)]
            nodes.append(
                helper.make_node("BatchNormalization", [step.inputs[0], *arrays], [step.output], epsilon=EPSILON)
            )
        else:
            nodes.append(helper.make_node(OPERATORS[step.op], list(step.inputs), [step.output]))
    graph = helper.make_graph(
        nodes,
        workload.name,
        [
            helper.make_tensor_value_info(
                "x", TensorProto.FLOAT, ["batch", *workload.channels_first(workload.rows(1)).shape[1:]]
            )
        ],
        [
            helper.make_tensor_value_info(
                workload.result, TensorProto.FLOAT, ["batch", *workload.result_shape_channels_first]
            )
        ],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    checker.check_model(model)
    return model.SerializeToString()

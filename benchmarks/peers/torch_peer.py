"""PyTorch: eager, TorchScript frozen, torch.compile. Tensors in, tensors out."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from workloads import EPSILON, PRODUCTS, Array, Training, Workload

torch.set_num_threads(1)
torch.set_num_interop_threads(1)
COMPILE = os.environ.get("LAYERNET_BENCH_COMPILE", "1") == "1"
ACTIVATIONS = {"relu": torch.relu, "tanh": torch.tanh, "gelu": nn.functional.gelu}


def version() -> str:
    return torch.__version__


class Net(nn.Module):
    def __init__(self, workload: Workload) -> None:
        super().__init__()
        self.steps = [(step.op, step.inputs, step.output, step.activation) for step in workload.steps]
        self.result = workload.result
        self.layers = nn.ModuleDict()
        for step in workload.steps:
            if step.op == "dense":
                inputs, units = step.arrays[0].shape
                layer = nn.Linear(inputs, units)
                with torch.no_grad():
                    layer.weight.copy_(torch.from_numpy(step.arrays[0].T))
                    layer.bias.copy_(torch.from_numpy(step.arrays[1]))
                self.layers[step.output] = layer
            elif step.op in PRODUCTS:
                kernel, bias = step.arrays
                size, channels, groups = kernel.shape[0], kernel.shape[2], 1
                if step.op == "depthwise":
                    kernel, groups = kernel[:, :, None], channels
                conv = nn.Conv2d(channels, len(bias), size, step.stride, size // 2, groups=groups)
                with torch.no_grad():
                    conv.weight.copy_(torch.from_numpy(kernel.transpose(3, 2, 0, 1)))
                    conv.bias.copy_(torch.from_numpy(bias))
                self.layers[step.output] = conv
            elif step.op == "batch_norm":
                make = nn.BatchNorm2d if workload.images else nn.BatchNorm1d
                norm = make(len(step.arrays[0]), eps=EPSILON)
                with torch.no_grad():
                    for target, array in zip(
                        (norm.weight, norm.bias, norm.running_mean, norm.running_var), step.arrays, strict=True
                    ):
                        target.copy_(torch.from_numpy(array))
                self.layers[step.output] = norm

    def forward(self, x: Tensor) -> Tensor:
        values = {"x": x}
        for op, inputs, output, activation in self.steps:
            if op == "add":
                y = values[inputs[0]] + values[inputs[1]]
            elif op == "relu":
                y = torch.relu(values[inputs[0]])
            else:
                y = self.layers[output](values[inputs[0]])
                if activation:
                    y = ACTIVATIONS[activation](y)
            values[output] = y
        return values[self.result]


def inference(workload: Workload, x: Array) -> dict[str, Callable[[], Any]]:
    net = Net(workload).eval()
    calls = {}
    tensor = torch.from_numpy(workload.channels_first(x))

    def wrap(function: Callable[[Tensor], Tensor]) -> Callable[[], Tensor]:
        def call(tensor: Tensor = tensor) -> Tensor:
            with torch.inference_mode():
                return function(tensor)

        return call

    calls["torch"] = wrap(net)
    if workload.images:
        # The same values in the order of memory that convolutions of PyTorch on CPUs prefer, here and in what follows.
        tensor = tensor.to(memory_format=torch.channels_last)
        net = Net(workload).eval().to(memory_format=torch.channels_last)
        calls["torch channels_last"] = wrap(net)
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript is deprecated, and still the quicker way for small networks
        script = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(net, tensor)))
        for _ in range(3):
            script(tensor)
    calls["torchscript"] = wrap(script)
    if COMPILE:
        compiled = torch.compile(net, mode="max-autotune-no-cudagraphs" if workload.name == "wide" else None)
        calls["torch.compile"] = wrap(compiled)
    return calls


def train(training: Training, x: Array, y: Array) -> dict[str, Callable[[], Any]]:
    inputs, targets = torch.from_numpy(x), torch.from_numpy(y)
    settings: dict[str, Any] = {
        "lr": training.learning_rate,
        "betas": (training.beta1, training.beta2),
        "eps": training.epsilon,
    }

    def stepper(forward: Callable[[Tensor], Tensor], optimizer: torch.optim.Optimizer) -> Callable[[], float]:
        def call() -> float:
            optimizer.zero_grad(set_to_none=True)
            loss = nn.functional.mse_loss(forward(inputs), targets)
            loss.backward()
            optimizer.step()
            return loss.item()

        return call

    net, fused = Net(training.workload), Net(training.workload)
    calls = {
        "torch": stepper(net, torch.optim.Adam(net.parameters(), **settings)),
        "torch fused": stepper(fused, torch.optim.Adam(fused.parameters(), fused=True, **settings)),
    }
    if COMPILE:
        source = Net(training.workload)
        calls["torch.compile"] = stepper(
            torch.compile(source), torch.optim.Adam(source.parameters(), fused=True, **settings)
        )
    return calls


def overheads() -> dict[str, tuple[Callable[[], Any], int]]:
    a, b = torch.ones(1, 1), torch.ones(1, 1)
    weight = torch.ones(1, 1, requires_grad=True)
    count = 100

    def recorded() -> Tensor:
        y = weight
        for _ in range(count):
            y = torch.add(y, b)
        return y

    return {"eager add 1x1": (lambda: torch.add(a, b), 1), "recorded add 1x1": (recorded, count)}

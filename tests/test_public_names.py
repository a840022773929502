"""What `import layernet` offers."""

import importlib
import pkgutil

import pytest

import layernet as ln

MODULES = [
    info.name
    for info in pkgutil.walk_packages(ln.__path__, "layernet.")
    if info.name not in ("layernet.__main__", "layernet._core", "layernet._predict")
]
PROMISED = [
    "Network",
    "Model",
    "register_serializable",
    "Sequential",
    "Layer",
    "Input",
    "InputSpec",
    "Variable",
    "Tensor",
    "GradientTape",
    "variable_scope",
    "reset_naming",
    "Saver",
    "save_network_checkpoint",
    "restore_network_checkpoint",
    "restore_variables_on_create",
    "list_variables",
    "load_variable",
    "latest_checkpoint",
    "errors",
    "VariableSynchronization",
    "VariableAggregation",
    "set_num_threads",
    "get_num_threads",
    "set_seed",
    "random_state",
    "build_info",
    "constant",
    "matmul",
    "add",
    "multiply",
    "square",
    "exp",
    "tanh",
    "concat",
    "reshape",
    "reduce_sum",
    "layers",
    "nn",
    "activations",
    "initializers",
    "regularizers",
    "constraints",
    "losses",
    "metrics",
    "optimizers",
    "callbacks",
    "TrainStep",
]


@pytest.mark.parametrize("name", MODULES)
def test_every_name_in_all_exists(name):
    if name == "layernet.sklearn":
        pytest.importorskip("sklearn", minversion="1.6")
    module = importlib.import_module(name)

    missing = [n for n in getattr(module, "__all__", []) if not hasattr(module, n)]

    assert missing == []


@pytest.mark.parametrize("name", PROMISED)
def test_promised_name_is_public(name):
    assert name in ln.__all__


def test_all_has_no_name_twice():
    assert len(set(ln.__all__)) == len(ln.__all__)


@pytest.mark.parametrize("name", sorted(set(ln.__all__) - {"__version__"}))
def test_public_name_is_documented(name):
    thing = getattr(ln, name)

    assert (thing.__doc__ or "").strip()


@pytest.mark.parametrize("module", [ln.ops, ln.nn, ln.layers, ln.callbacks], ids=lambda m: m.__name__)
def test_function_and_layer_has_an_example(module):
    without = [n for n in module.__all__ if ">>>" not in (getattr(module, n).__doc__ or "")]

    assert without == []

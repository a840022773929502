"""Pictures of networks: boxes for calls, arrows for values."""

import re
import sys
import types

import numpy as np
import pytest

import layernet as ln

ROWS = np.ones((2, 3), "float32")


class Residual(ln.Network):
    """Ops between layers: the sum takes from the input and from two calls of one layer."""

    def __init__(self, name=None):
        super().__init__(name=name)
        self.layer = self.track_layer(ln.layers.Dense(3))
        self.inner = self.track_layer(ln.Sequential([ln.layers.Dense(3), ln.layers.Dense(3)]))
        self.out = self.track_layer(ln.layers.Dense(1))

    def call(self, x):
        h = self.layer(x)
        return self.out(x + self.inner(h) * 2.0 + h)


def mermaid(network, **options):
    """The boxes and the arrows of a picture."""
    text = network.plot(format="mermaid", **options)
    boxes = dict(re.findall(r'^  (n\d+)\["(.*)"\]$', text, re.MULTILINE))
    arrows = [(boxes[a], boxes[b]) for a, b in re.findall(r"^  (n\d+) --> (n\d+)$", text, re.MULTILINE)]
    return list(boxes.values()), arrows


def test_ops_between_layers_are_arrows():
    net = Residual("net")
    net(ROWS)

    boxes, arrows = mermaid(net, show_shapes=False)

    assert boxes == ["input", "dense (Dense)", "sequential (Sequential)", "dense_1 (Dense)", "output"]
    assert arrows == [
        ("input", "dense (Dense)"),
        ("dense (Dense)", "sequential (Sequential)"),
        ("input", "dense_1 (Dense)"),
        ("dense (Dense)", "dense_1 (Dense)"),
        ("sequential (Sequential)", "dense_1 (Dense)"),
        ("dense_1 (Dense)", "output"),
    ]


def test_functional_model_with_two_inputs():
    a, b = ln.Input((3,)), ln.Input((2,))
    h = ln.layers.Dense(2, name="d")(a)
    model = ln.Model([a, b], ln.layers.Concatenate(name="c")([h, b]), name="m")

    boxes, arrows = mermaid(model)

    assert boxes == [
        "input<br>(None, 3)",
        "input<br>(None, 2)",
        "d (Dense)<br>(None, 2)",
        "c (Concatenate)<br>(None, 4)",
        "output<br>(None, 4)",
    ]
    assert arrows == [(boxes[0], boxes[2]), (boxes[2], boxes[3]), (boxes[1], boxes[3]), (boxes[3], boxes[4])]


def test_layer_called_twice_has_two_boxes():
    x = ln.Input((3,))
    layer = ln.layers.Dense(3, name="d")
    model = ln.Model(x, layer(layer(x)), name="m")

    boxes, arrows = mermaid(model, show_shapes=False)

    assert boxes == ["input", "d (Dense)", "d (Dense)", "output"]
    assert len(arrows) == 3


def test_dot_text():
    x = ln.Input((3,))
    model = ln.Model(x, ln.layers.Dense(1, name='a"b\\c')(x), name="m")

    assert model.plot() == (
        'digraph "m" {\n'
        "  node [shape=box];\n"
        '  n0 [label="input\\n(None, 3)"];\n'
        '  n1 [label="a\\"b\\\\c (Dense)\\n(None, 1)"];\n'
        '  n2 [label="output\\n(None, 1)"];\n'
        "  n0 -> n1;\n"
        "  n1 -> n2;\n"
        "}\n"
    )


def test_mermaid_text_is_escaped():
    x = ln.Input((3,))
    model = ln.Model(x, ln.layers.Dense(1, name='<a&"b">')(x), name="m")

    assert "#lt;a#amp;#quot;b#quot;#gt; (Dense)" in model.plot(format="mermaid")


def test_drawing_leaves_no_mark():
    net = Residual("net")
    net(ROWS)
    net.plot()

    assert net.inbound_nodes == net.layer.inbound_nodes == net.losses == []


@pytest.mark.parametrize(("suffix", "start"), [(".dot", "digraph"), (".gv", "digraph"), (".mmd", "flowchart")])
def test_text_files(suffix, start, tmp_path):
    net = Residual("net")
    net(ROWS)
    text = net.plot(tmp_path / f"net{suffix}")

    assert text.startswith(start)
    assert (tmp_path / f"net{suffix}").read_text() == text


class Missing(Exception):
    pass


def fake_graphviz(monkeypatch, pipe):
    module = types.ModuleType("graphviz")
    module.ExecutableNotFound = Missing
    module.Source = lambda dot: types.SimpleNamespace(pipe=lambda format: pipe(dot, format))
    monkeypatch.setitem(sys.modules, "graphviz", module)


def test_image_comes_from_graphviz(tmp_path, monkeypatch):
    fake_graphviz(monkeypatch, lambda dot, format: f"{format}: {dot}".encode())
    net = Residual("net")
    net(ROWS)

    dot = net.plot(tmp_path / "net.png")

    assert (tmp_path / "net.png").read_text() == f"png: {dot}"


def test_image_without_the_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "graphviz", None)
    net = Residual("net")
    net(ROWS)

    with pytest.raises(ImportError, match=r"expected the package graphviz to write 'svg', .*Install layernet\[viz\]"):
        net.plot(tmp_path / "net.svg")
    assert list(tmp_path.iterdir()) == []


def test_image_without_the_program(tmp_path, monkeypatch):
    def pipe(dot, format):
        raise Missing

    fake_graphviz(monkeypatch, pipe)
    net = Residual("net")
    net(ROWS)

    with pytest.raises(OSError, match="expected the program dot to write 'pdf', but it is not on the path"):
        net.plot(tmp_path / "net.pdf")


def test_image_without_a_file():
    net = Residual("net")
    net(ROWS)

    with pytest.raises(ValueError, match="expected format 'dot' or 'mermaid' without a file, got 'png'"):
        net.plot(format="png")


def test_network_that_does_not_know_its_inputs():
    with pytest.raises(ValueError, match="expected a network that knows its inputs, got one that was never called"):
        Residual("net").plot()

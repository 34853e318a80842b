"""Write the fitted network as ONNX, node by node as the detector's body has them, 16-bit weights. Needs torch and onnx."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from benchmarks.evaluation.second_look.network import ENDS, FAR, INPUT, SLOPE, TAKEN, Network, inner_half, value
from openproctor.vision.second_look import SIDE

NEWEST_IR = 8  # older engines read no newer files
ATTRIBUTE_AXES = 18  # from this opset on, what is reduced over is an input


class _Writer:
    """Nodes and constants of a graph; values get short names."""

    def __init__(self) -> None:
        self.casts: list[Any] = []
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}
        self._short = {INPUT: "view"}

    def name(self, long: str) -> str:
        """The short name of one of the detector's values."""
        return self._short.setdefault(long, f"v{len(self._short)}")

    def constant(self, name: str, array: NDArray[Any], short: bool = False) -> str:
        """A constant by name; ``short``: kept as 16-bit numbers."""
        if short:
            half = f"{name}_16"
            self.constants[half] = numpy_helper.from_array(array.astype(np.float16), half)
            self.casts.append(helper.make_node("Cast", [half], [name], to=TensorProto.FLOAT))
        elif name not in self.constants:
            self.constants[name] = numpy_helper.from_array(array, name)
        return name

    def node(self, kind: str, inputs: list[str], output: str, **given: Any) -> str:
        """A node of one output, whose name is returned."""
        self.nodes.append(helper.make_node(kind, inputs, [output], **given))
        return output


def export(network: Network, path: Path) -> None:
    """Write ``network`` to ``path``: inputs ``view`` (1 x 3 x SIDE x SIDE, normalised) and ``form`` (1 x 1), output ``out``
    (1 x 6: logits of phone and book, left, top, right, bottom)."""
    if network.graph.opset >= ATTRIBUTE_AXES:
        raise ValueError(
            f"the detector is of opset {network.graph.opset}; this writes older ones than {ATTRIBUTE_AXES}"
        )
    writer = _Writer()
    _body(writer, network)
    usual = _usual(writer, network)
    first, last = network.modules["first"], network.modules["last"]
    seen = writer.node("Concat", [usual, "form"], "seen", axis=1)
    weights = [
        writer.constant("first", _array(first.weight).T.copy(), short=True),
        writer.constant("first_bias", _array(first.bias)),
    ]
    hidden = writer.node("Gemm", [seen, *weights], "hidden")
    kept = writer.node("LeakyRelu", [hidden], "kept", alpha=SLOPE)
    weights = [writer.constant("last", _array(last.weight).T.copy()), writer.constant("last_bias", _array(last.bias))]
    writer.node("Gemm", [kept, *weights], "out")
    graph = helper.make_graph(
        writer.casts + writer.nodes,
        "second-look",
        [
            helper.make_tensor_value_info("view", TensorProto.FLOAT, [1, 3, SIDE, SIDE]),
            helper.make_tensor_value_info("form", TensorProto.FLOAT, [1, 1]),
        ],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, ENDS])],
        list(writer.constants.values()),
    )
    opsets = [helper.make_opsetid("", network.graph.opset)]
    model = helper.make_model(graph, opset_imports=opsets, producer_name="openproctor")
    model.ir_version = min(network.graph.ir_version, NEWEST_IR)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def _array(weights: Any) -> NDArray[np.float32]:
    return np.asarray(weights.detach().numpy(), dtype=np.float32)


def _body(writer: _Writer, network: Network) -> None:
    """The detector's nodes with the fitted weights."""
    for number, node in enumerate(network.graph.nodes):
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        copy.name = ""
        del copy.input[:]
        del copy.output[:]
        if node.op_type == "Conv":
            layer = network.modules[f"conv{number}"]
            weight = writer.constant(f"weight{number}", _array(layer.weight), short=True)
            copy.input.extend([writer.name(node.input[0]), weight])
            copy.input.append(writer.constant(f"bias{number}", _array(layer.bias)))
        else:
            for name in node.input:
                if name in network.graph.constants:
                    copy.input.append(writer.constant(f"constant_{name}", network.graph.constants[name]))
                else:
                    copy.input.append(writer.name(name) if name else "")
        copy.output.extend(writer.name(name) for name in node.output)
        writer.nodes.append(copy)


def _usual(writer: _Writer, network: Network) -> str:
    """The pooled values, made alike."""
    axes = writer.constant("axes", np.array([2, 3], dtype=np.int64))
    parts = []
    for number, (name, size) in enumerate(zip(TAKEN, network.sizes(), strict=True)):
        start, end = inner_half(size)
        first = writer.constant(f"start{number}", np.array([start, start], dtype=np.int64))
        last = writer.constant(f"end{number}", np.array([end, end], dtype=np.int64))
        layer = writer.name(value(name))
        middle = writer.node("Slice", [layer, first, last, axes], f"middle{number}")
        over = {"axes": [2, 3], "keepdims": 0}
        parts.append(writer.node("ReduceMean", [middle], f"middle_mean{number}", **over))
        parts.append(writer.node("ReduceMax", [middle], f"middle_most{number}", **over))
        parts.append(writer.node("ReduceMean", [layer], f"mean{number}", **over))
    pooled = writer.node("Concat", parts, "pooled", axis=1)
    off = writer.node("Sub", [pooled, writer.constant("usual", _array(network.mean))], "off")
    scaled = writer.node("Mul", [off, writer.constant("scale", _array(network.scale))], "scaled")
    limits = [
        writer.constant(name, np.array(limit, dtype=np.float32)) for name, limit in (("least", -FAR), ("most", FAR))
    ]
    return writer.node("Clip", [scaled, *limits], "clipped")

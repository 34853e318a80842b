"""The second look's network in torch: the object detector's body, pooled, one hidden layer. Needs torch and onnx."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
import torch.nn.functional as functional
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import nn

from openproctor.vision.second_look import SIDE

PREFIX, INPUT = "PartitionedCall/onnx_tf_prefix_", "input_1:0"
TAKEN = ("Concat_42", "Concat_62", "LeakyRelu_162", "LeakyRelu_173")  # the detector's inner values that are pooled
FROZEN = "Concat_12"  # so far the detector's weights stay as they are: what edges are, it knows
HIDDEN = 128
DROP = 0.1  # share of the pooled and hidden values left out while it is fitted
FAR = 6.0  # no pooled value counts as further from what is usual than so many deviations
SPREAD = 0.02  # added to each pooled value's deviation
SLOPE = 0.1  # of the hidden layer below nought
ENDS = 6  # logits of phone and book; left, top, right, bottom
Constants = dict[str, NDArray[Any]]


@dataclass(slots=True)
class Graph:
    """The part of a detector's graph that ``TAKEN`` needs: nodes in order, constants by name."""

    nodes: list[Any]
    constants: Constants
    opset: int
    ir_version: int


def value(name: str) -> str:
    """The full name of an inner value."""
    return f"{PREFIX}{name}:0"


def read(path: Path) -> Graph:
    """The needed part of a detector's ONNX file, 16-bit weights made 32-bit ones. Raises KeyError if it has no such part."""
    model = onnx.load(str(path))
    constants: Constants = {entry.name: numpy_helper.to_array(entry) for entry in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Cast" and node.input[0] in constants:
            constants[node.output[0]] = constants[node.input[0]].astype(np.float32)
    makers = {output: node for node in model.graph.node for output in node.output}
    needed: list[Any] = []
    reached: set[str] = set()

    def reach(name: str) -> None:
        if name in constants or name in reached or name in ("", INPUT):
            return
        node = makers[name]
        reached.update(node.output)
        for source in node.input:
            reach(source)
        needed.append(node)

    for name in TAKEN:
        reach(value(name))
    used = {name for node in needed for name in node.input}
    kept = {name: array for name, array in constants.items() if name in used}
    return Graph(needed, kept, model.opset_import[0].version, model.ir_version)


@dataclass(slots=True)
class Network:
    """What is fitted. ``modules`` holds the weights; ``mean`` and ``scale`` make the pooled values alike, and stay."""

    graph: Graph
    modules: Any = field(default_factory=nn.ModuleDict)
    mean: Any = None
    scale: Any = None

    def __post_init__(self) -> None:
        frozen = True
        for number, node in enumerate(self.graph.nodes):
            if node.op_type == "Conv":
                self.modules[f"conv{number}"] = _convolution(node, self.graph.constants).requires_grad_(not frozen)
            frozen = frozen and value(FROZEN) not in node.output
        with torch.no_grad():
            pooled = self.pooled(torch.zeros(1, 3, SIDE, SIDE)).shape[1]
        self.mean, self.scale = torch.zeros(pooled), torch.ones(pooled)
        self.modules["drop"] = nn.Dropout(DROP)
        self.modules["first"] = nn.Linear(pooled + 1, HIDDEN)
        self.modules["last"] = nn.Linear(HIDDEN, ENDS)
        nn.init.zeros_(self.modules["last"].weight)
        nn.init.zeros_(self.modules["last"].bias)
        self.modules.to(memory_format=torch.channels_last)

    def __call__(self, views: Any, forms: Any) -> Any:
        """What is said of views (n x 3 x SIDE x SIDE, normalised) and forms (n x 1): n x ENDS."""
        usual = torch.clamp((self.pooled(views) - self.mean) * self.scale, -FAR, FAR)
        seen = self.modules["drop"](torch.cat([usual, forms], 1))
        hidden = functional.leaky_relu(self.modules["first"](seen), SLOPE)
        return self.modules["last"](self.modules["drop"](hidden))

    def pooled(self, views: Any) -> Any:
        """Mean and most of the middle half, and the mean of all, of each taken value: n x features."""
        parts = []
        for layer in self._inner(views):
            middle = layer[:, :, *(slice(*inner_half(size)) for size in layer.shape[2:])]
            parts += [middle.mean((2, 3)), middle.amax((2, 3)), layer.mean((2, 3))]
        return torch.cat(parts, 1).float()

    def sizes(self) -> list[int]:
        """Rows (and columns) of each taken value."""
        with torch.no_grad():
            return [int(layer.shape[-1]) for layer in self._inner(torch.zeros(1, 3, SIDE, SIDE))]

    def _inner(self, views: Any) -> list[Any]:
        values: dict[str, Any] = {INPUT: views.contiguous(memory_format=torch.channels_last)}
        for number, node in enumerate(self.graph.nodes):
            sources = [values[name] for name in node.input if name in values]
            if node.op_type == "Conv":
                results = [self.modules[f"conv{number}"](sources[0])]
            else:
                results = _computed(node, sources, self.graph.constants)
            values.update(zip(node.output, results, strict=True))
        return [values[value(name)] for name in TAKEN]


def inner_half(size: int) -> tuple[int, int]:
    """First and last (not included) of the middle half of a layer's rows or columns."""
    start = max(1, size // 4)
    return start, size - start


def attributes(node: Any) -> dict[str, Any]:
    """A node's attributes by name."""
    return {entry.name: onnx.helper.get_attribute_value(entry) for entry in node.attribute}


def _convolution(node: Any, constants: Constants) -> Any:
    given, weight = attributes(node), constants[node.input[1]]
    pads, groups = given.get("pads", [0, 0, 0, 0]), given.get("group", 1)
    if len(set(pads)) != 1:
        raise ValueError(f"{node.name}: a convolution with uneven pads")
    layer = nn.Conv2d(
        weight.shape[1] * groups,
        weight.shape[0],
        weight.shape[2],
        given.get("strides", [1, 1])[0],
        pads[0],
        groups=groups,
    )
    bias = constants[node.input[2]] if len(node.input) > 2 else np.zeros(weight.shape[0], dtype=np.float32)
    layer.weight.data, layer.bias.data = torch.tensor(weight.copy()), torch.tensor(bias.copy())
    return layer


def _computed(node: Any, sources: list[Any], constants: Constants) -> list[Any]:
    """The outputs of a node without weights. Raises ValueError for a kind that the detector does not use."""
    given = attributes(node)
    if node.op_type == "Pad":
        _, _, top, left, _, _, bottom, right = (int(number) for number in constants[node.input[1]])
        fill = float(constants[node.input[2]]) if len(node.input) > 2 and node.input[2] else 0.0
        return [functional.pad(sources[0], (left, right, top, bottom), value=fill)]
    if node.op_type == "LeakyRelu":
        return [functional.leaky_relu(sources[0], given.get("alpha", 0.01))]
    if node.op_type == "Concat":
        return [torch.cat(sources, given["axis"])]
    if node.op_type == "Add":
        return [sources[0] + sources[1]]
    if node.op_type == "MaxPool":
        pads = given.get("pads", [0, 0, 0, 0])
        return [functional.max_pool2d(sources[0], given["kernel_shape"], given["strides"], pads[0])]
    if node.op_type == "Resize":
        factor = float(constants[node.input[2]][-1])
        return [functional.interpolate(sources[0], scale_factor=factor, mode="bilinear", align_corners=False)]
    if node.op_type == "Split":
        sizes = [int(number) for number in (constants[node.input[1]] if len(node.input) > 1 else given["split"])]
        return list(torch.split(sources[0], sizes, given.get("axis", 0)))
    raise ValueError(f"the detector's body holds a node of kind {node.op_type}")

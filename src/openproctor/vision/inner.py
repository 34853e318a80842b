"""Let a network also give what its inner layers hold: names more outputs in an ONNX file, and changes nothing else."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from openproctor.vision.models import ModelFile
from openproctor.vision.runtime import Network, Shape, load

GRAPH, OUTPUT, NAME = 7, 12, 1  # field numbers of ONNX: a model's graph, a graph's outputs, a value's name
BYTES = 2  # the wire type of what has a length


def load_with_layers(model: ModelFile, runtime: str, shape: Shape, layers: Sequence[str]) -> Network:
    """A network whose outputs include the named inner values. Raises OSError as :func:`load`."""
    with tempfile.TemporaryDirectory(prefix="openproctor-") as folder:
        path = Path(folder) / model.path.name
        path.write_bytes(with_outputs(model.path.read_bytes(), layers))
        return load(replace(model, path=path), runtime, shape)


def with_outputs(model: bytes, names: Sequence[str]) -> bytes:
    """An ONNX file with more outputs. Raises OSError if it is none."""
    more = b"".join(_field(OUTPUT, _field(NAME, name.encode())) for name in names)
    place, done = 0, b""
    try:
        while place < len(model):
            begun, size = place, 0
            tag, place = _number(model, place)
            if tag & 7 == BYTES:
                size, place = _number(model, place)
                place += size
            elif tag & 7 == 0:
                _, place = _number(model, place)
            else:
                raise OSError("the model file has an unknown structure")
            if tag >> 3 == GRAPH:
                done += _field(GRAPH, model[place - size : place] + more)
            else:
                done += model[begun:place]
    except IndexError:
        raise OSError("the model file is cut off") from None
    return done


def _number(data: bytes, place: int) -> tuple[int, int]:
    """A number of variable length, and where it ends."""
    value = shift = 0
    while True:
        value |= (data[place] & 127) << shift
        place, shift = place + 1, shift + 7
        if data[place - 1] < 128:
            return value, place


def _field(number: int, content: bytes) -> bytes:
    return _coded(number << 3 | BYTES) + _coded(len(content)) + content


def _coded(value: int) -> bytes:
    parts = bytearray()
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])

"""Run an ONNX file. Two engines behind one small interface.

OpenVINO on the CPU is the default; onnxruntime is the portable second. Both compute in 32-bit floats on one thread,
so that the same picture gives the same numbers on every machine (16-bit arithmetic is twice as fast where the processor
has it, but then a finding depends on the processor).
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy.typing as npt

from openproctor.vision.models import ModelFile

log = logging.getLogger(__name__)

RuntimeName = Literal["openvino", "onnxruntime"]
Array = npt.NDArray[Any]
Shape = tuple[int, ...]


class Network(Protocol):
    """A loaded model. ``run`` takes arrays by input name (or one array for the first input) and returns the outputs by
    name. Not for use by two threads at once."""

    @property
    def description(self) -> str:
        """Engine and its version, as findings carry it."""
        ...

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs, in the model's order."""
        ...

    def run(self, inputs: Array | Mapping[str, Array]) -> dict[str, Array]:
        """One inference. The outputs hold until the next one."""
        ...


class _OpenVino:
    def __init__(self, path: Path, shape: Shape | None) -> None:
        import openvino  # imported here: a machine without it uses the other engine

        core = openvino.Core()
        model = core.read_model(str(path))
        if shape is not None:
            model.reshape(list(shape))
        self._compiled = core.compile_model(
            model,
            "CPU",
            {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"},
        )
        self._request = self._compiled.create_infer_request()
        self._first = self._compiled.inputs[0].get_any_name()
        self.outputs = tuple(output.get_any_name() for output in self._compiled.outputs)
        self.description = f"openvino {openvino.__version__.split('-')[0]} cpu f32"

    def run(self, inputs: Array | Mapping[str, Array]) -> dict[str, Array]:
        feed = dict(inputs) if isinstance(inputs, Mapping) else {self._first: inputs}
        # not copied: the request reads the inputs where they are, and uses its output memory again for the next call
        result = self._request.infer(feed, share_inputs=True, share_outputs=True)
        return {name: result[index] for index, name in enumerate(self.outputs)}


class _OnnxRuntime:
    def __init__(self, path: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._first = self._session.get_inputs()[0].name
        self.outputs = tuple(output.name for output in self._session.get_outputs())
        self.description = f"onnxruntime {onnxruntime.__version__} cpu f32"

    def run(self, inputs: Array | Mapping[str, Array]) -> dict[str, Array]:
        feed = dict(inputs) if isinstance(inputs, Mapping) else {self._first: inputs}
        return dict(zip(self.outputs, self._session.run(None, feed), strict=True))


def available(runtime: str) -> RuntimeName:
    """The engine that will really be used for a wish. Raises ValueError for an unknown name."""
    if runtime == "onnxruntime":
        return "onnxruntime"
    if runtime != "openvino":
        raise ValueError(f"unknown inference runtime {runtime!r}: expected openvino or onnxruntime")
    try:
        import openvino  # noqa: F401
    except ImportError as error:
        log.warning("OpenVINO cannot be used (%s); running the detectors with onnxruntime instead", error)
        return "onnxruntime"
    return "openvino"


def load(model: ModelFile, runtime: str = "openvino", shape: Shape | None = None) -> Network:
    """Load a model. ``shape`` fixes the first input's shape where the file leaves it free.

    Raises OSError if the file is missing or is no model that the engine can read.
    """
    if not model.path.is_file():
        raise OSError(f"model file {model.path} does not exist")
    engine = available(runtime)
    try:
        if engine == "openvino":
            return _OpenVino(model.path, shape)
        return _OnnxRuntime(model.path)
    except Exception as error:  # each engine has its own kinds
        raise OSError(f"model file {model.path.name} cannot be loaded: {str(error).splitlines()[0]}") from error

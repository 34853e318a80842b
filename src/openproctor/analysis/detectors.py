"""The detectors a worker has loaded, chosen by name: plug-ins behind one small interface.

An object detector is named ``nanodet`` (shipped) or ``DECODER:FILE`` for a file of the operator's own, such as
``yolox:/models/yolox_nano.onnx``. A new kind is one entry in :data:`OBJECT_DETECTORS`.
"""

from collections.abc import Callable, Collection
from functools import cached_property
from pathlib import Path
from typing import Protocol

from openproctor.vision.faces import Face, FaceDetector
from openproctor.vision.geometry import Image
from openproctor.vision.models import ModelFile, shipped
from openproctor.vision.objects import DECODERS, ObjectDetector, Thing
from openproctor.vision.pose import FaceMesh
from openproctor.vision.recognition import FaceRecognizer
from openproctor.vision.second_look import SecondLook
from openproctor.vision.speech import SpeechDetector

# Enlarged parts are shown to the network at this size, books at the whole picture's. On 310 suspects of composed sittings
# true phones scored higher at 288 x 224 than at 416 x 320 (median 0.48, was 0.43) and what was none lower (0.16, was 0.23), at
# half the cost; true books scored lower (0.25, was 0.35).
VIEW = (288, 224)
WHOLE = (416, 320)


class FindsFaces(Protocol):
    """Faces of a BGR picture with a score of at least ``floor``, best first."""

    model: ModelFile
    runtime: str

    def find(self, image: Image, floor: float) -> list[Face]: ...


class FindsThings(Protocol):
    """Objects of the given COCO labels with a score of at least ``floor``, best first."""

    model: ModelFile
    runtime: str

    def find(self, image: Image, floor: float, labels: Collection[str] | None) -> list[Thing]: ...


def _objects(decoder: str) -> Callable[[str, Path | None], FindsThings]:
    def build(runtime: str, path: Path | None) -> FindsThings:
        # a supplied network may have a fixed input: 416 x 416 is what the small ones are trained with
        width, height = WHOLE if path is None else (416, 416)
        return ObjectDetector(runtime, decoder, path, width, height)

    return build


OBJECT_DETECTORS: dict[str, Callable[[str, Path | None], FindsThings]] = {name: _objects(name) for name in DECODERS}
FACE_DETECTORS: dict[str, Callable[[str], FindsFaces]] = {"mediapipe-face": FaceDetector}


class Detectors:
    """Loaded once a process; the rarely used ones when first asked for. Not for use by two threads at once.

    Raises ValueError for an unknown name and OSError for a file that is no network.
    """

    def __init__(self, runtime: str = "openvino", objects: str = "nanodet", faces: str = "mediapipe-face") -> None:
        self.engine = runtime
        name, _, file = objects.partition(":")
        if name not in OBJECT_DETECTORS or (name != "nanodet" and not file):
            known = ", ".join(["nanodet", *(f"{decoder}:FILE" for decoder in OBJECT_DETECTORS)])
            raise ValueError(f"unknown object detector {objects!r}: expected one of {known}")
        if faces not in FACE_DETECTORS:
            raise ValueError(f"unknown face detector {faces!r}: expected one of {', '.join(FACE_DETECTORS)}")
        self.faces = FACE_DETECTORS[faces](runtime)
        self.objects = OBJECT_DETECTORS[name](runtime, Path(file) if file else None)

    def load_all(self) -> None:
        """Load what every sitting may ask for now, so that none waits for it later."""
        _ = self.views, self.second, self.mesh, self.speech

    @cached_property
    def views(self) -> FindsThings:
        """What looks at enlarged parts of a picture: the shipped network with an input of :data:`VIEW`. A supplied file
        may have a fixed input and is used as it is."""
        own = isinstance(self.objects, ObjectDetector) and self.objects.model is shipped("nanodet-g")
        return ObjectDetector(self.engine, width=VIEW[0], height=VIEW[1]) if own else self.objects

    @cached_property
    def second(self) -> SecondLook | None:
        """What tells phones and books apart and from others; only the shipped network has one."""
        return SecondLook(self.engine) if self.objects.model is shipped("nanodet-g") else None

    @cached_property
    def speech(self) -> SpeechDetector:
        return SpeechDetector(self.engine)

    @cached_property
    def mesh(self) -> FaceMesh:
        return FaceMesh(self.engine)

    @cached_property
    def recognizer(self) -> FaceRecognizer:
        return FaceRecognizer(self.engine)

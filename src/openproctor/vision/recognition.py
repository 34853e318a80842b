"""Is this the same face as that one: faceres embeddings and their distance. Off unless an exam asks for it."""

from dataclasses import dataclass
from math import atan2

import numpy as np
import numpy.typing as npt

from openproctor.vision.faces import Face
from openproctor.vision.geometry import Image, level_crop
from openproctor.vision.models import shipped
from openproctor.vision.runtime import load

SIDE = 224
MARGIN = 1.5
_MEAN = np.array([103.939, 116.779, 123.68], dtype=np.float32)
Embedding = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Reference:
    """A captured face: the capture's id, and what the network makes of it."""

    capture: str
    embedding: Embedding


class FaceRecognizer:
    """``embed`` a face; compare two with :func:`distance`."""

    def __init__(self, runtime: str = "openvino") -> None:
        self.model = shipped("faceres")
        self._network = load(self.model, runtime)
        self.runtime = self._network.description

    def embed(self, image: Image, face: Face) -> Embedding:
        """1024 numbers of unit length."""
        left, right = face.points[0], face.points[1]
        tilt = atan2(right[1] - left[1], right[0] - left[0])
        side = max(face.box.width, face.box.height) * MARGIN
        crop, _ = level_crop(image, face.box.centre, side, tilt, SIDE)
        results = self._network.run(np.ascontiguousarray(crop[np.newaxis], dtype=np.float32) - _MEAN)
        vector = next(value for value in results.values() if value.size == 1024).reshape(-1)
        return np.asarray(vector / (np.linalg.norm(vector) or 1.0), dtype=np.float32)


def distance(one: Embedding, two: Embedding) -> float:
    """Euclidean distance of two embeddings: 0 the same picture, about 0.6 the same person, above 1 somebody else."""
    return round(float(np.linalg.norm(one - two)), 4)

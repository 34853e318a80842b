"""What is at hand while one stretch of a recording is looked at."""

from openproctor.analysis.samples import Frame, Segment
from openproctor.vision.geometry import Image


class Stretch:
    """What one step looks at: its looks in order, with the pictures at hand for stills."""

    def __init__(self) -> None:
        self.images: dict[int, Image] = {}
        self.inputs: list[str] = []

    def add(self, segment: Segment, frame: Frame) -> None:
        self.images[segment.at(frame.time)] = frame.image
        if segment.digest and segment.digest not in self.inputs:
            self.inputs.append(segment.digest)

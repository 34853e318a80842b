"""``python -m benchmarks.analysis_cost``: CPU of the analysis beside bare inference on the same pictures, in one run.

The pipeline reads a sitting's chunks as the worker does, with sound, one thread. The bare program runs the same networks on
the same key frames, decoded beforehand, and nothing else.
"""

import argparse
import json
import time

import numpy as np

from openproctor.analysis.coded import Decoders
from openproctor.analysis.detectors import Detectors
from openproctor.analysis.pipeline import Analysis
from openproctor.analysis.samples import Segment, chunk_segment
from openproctor.analysis.settings import AnalysisSettings
from openproctor.simulation.media import CAMERA, Blob, record
from openproctor.simulation.scenes import Script, camera_frames
from openproctor.simulation.sounds import room_sound
from openproctor.vision.geometry import Image


def segments(blobs: list[Blob], decoders: Decoders) -> list[Segment]:
    """The chunks of a recording."""
    return [
        chunk_segment(
            number=number, digest="", part=0, origin=0, init=blobs[0].data, media=blob.data, decoders=decoders
        )
        for number, blob in enumerate(blobs)
        if number
    ]


def pipeline(blobs: list[Blob], detectors: Detectors) -> tuple[float, float]:
    """CPU seconds of the whole, and of its second half, when the first look is over."""
    analysis, decoders = Analysis(detectors, AnalysisSettings()), Decoders()
    before: Segment | None = None
    times = []
    for number, blob in enumerate(blobs[1:], 1):
        begun = time.process_time()
        segment = chunk_segment(
            number=number, digest="", part=0, origin=0, init=blobs[0].data, media=blob.data, decoders=decoders
        )
        previous = before
        analysis.step(segment, lambda previous=previous: previous)  # type: ignore[misc]
        times.append(time.process_time() - begun)
        before = segment
    return sum(times), float(np.median(times[1:])) * len(times)


def bare(pictures: list[Image], detectors: Detectors) -> float:
    """CPU seconds of the face and the object network on every key frame."""
    begun = time.process_time()
    for picture in pictures:
        detectors.faces.find(picture, 0.3)
        detectors.objects.find(picture, 0.1, None)
    return time.process_time() - begun


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--runtime", default="openvino")
    given = parser.parse_args()
    script = Script(given.seconds, seed=9)
    blobs = list(record(camera_frames(script, CAMERA), CAMERA, room_sound(given.seconds, (), (), 9)))
    detectors = Detectors(given.runtime)
    pictures = [frame.image for segment in segments(blobs, Decoders()) for frame in segment.samples()]
    bare(pictures[:3], detectors)
    whole, usual = pipeline(blobs, detectors)
    networks = bare(pictures, detectors)
    print(
        json.dumps(
            {
                "runtime": detectors.faces.runtime,
                "seconds": given.seconds,
                "cpu_ms_per_candidate_second": round(whole / given.seconds * 1000, 2),
                "cpu_ms_per_candidate_second_median_chunk": round(usual / given.seconds * 1000, 2),
                "bare_inference_ms_per_candidate_second": round(networks / given.seconds * 1000, 2),
                "ratio": round(whole / networks, 3),
                "candidates_per_core": round(given.seconds / whole, 1),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()

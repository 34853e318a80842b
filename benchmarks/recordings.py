"""Recordings to measure the analysis with: an ordinary sitting, and hard ones in which something happens."""

from dataclasses import dataclass

from benchmarks.evaluation.scenes import KINDS, sitting
from openproctor.simulation.media import CAMERA, Blob, record
from openproctor.simulation.scenes import Script, camera_frames
from openproctor.simulation.sounds import room_sound

# seeds of the ordinary sittings, and where each one's room is cut out of the drawn panorama
ORDINARY = ((9, 60), (21, 900), (33, 1700), (45, 2300))
HARD = 3000  # first seed of the hard sittings: one of each kind of the evaluation, none of them used to tune anything


@dataclass(frozen=True, slots=True)
class Recording:
    """What one candidate's camera recorded: the init segment, then a blob every 2 s."""

    name: str
    blobs: list[Blob]

    @property
    def seconds(self) -> float:
        return self.blobs[-1].until_ms / 1000


def ordinary(seconds: int) -> list[Recording]:
    """Somebody who sits before the camera and moves as people do; a fifth of the time they speak, a third they type."""
    made = []
    for seed, view_at in ORDINARY:
        spoken = ((seconds * 0.3, seconds * 0.5),)
        typed = ((0.0, seconds * 0.15), (seconds * 0.6, seconds * 0.8))
        script = Script(seconds, spoken=spoken, typed=typed, seed=seed, view_at=view_at)
        sound = room_sound(seconds, spoken, typed, seed)
        made.append(Recording(f"ordinary-{seed}", list(record(camera_frames(script), CAMERA, sound))))
    return made


def hard() -> list[Recording]:
    """44 s each: somebody leaves, comes in, holds up a phone, a book or something else, covers face or lens, speaks."""
    return [Recording(one.name, one.blobs) for one in map(sitting, range(HARD, HARD + len(KINDS)))]

"""An exam's policy: what is checked, recorded and looked for. Everything has a default."""

from functools import lru_cache
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

CheckId = Literal["consent", "browser", "camera", "microphone", "notifications", "face", "document", "room", "screen"]
CHECK_ORDER: tuple[CheckId, ...] = (
    "consent",
    "browser",
    "camera",
    "microphone",
    "notifications",
    "face",
    "document",
    "room",
    "screen",
)
Milliseconds = Annotated[int, Field(ge=0, le=3_600_000)]


# how long a state must hold before it is raised, by event type
DEFAULT_HOLD_MS: dict[str, int] = {
    "15": 0,
    "16": 3_000,
    "81": 2_000,
    "169": 0,
    "170": 0,
    "1040": 6_000,
    "1041": 3_000,
    "1042": 4_000,
    "1043": 2_000,
    "1044": 10_000,
    "1045": 0,
    "1046": 1_000,
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CameraTrack(_Strict):
    """The camera recording with the microphone's sound."""

    width: int = Field(640, ge=160, le=1920)
    height: int = Field(480, ge=120, le=1080)
    frame_rate: int = Field(15, ge=1, le=30)
    video_bits_per_second: int = Field(300_000, ge=50_000, le=4_000_000)
    audio: bool = True
    audio_bits_per_second: int = Field(32_000, ge=8_000, le=256_000)


class ScreenTrack(_Strict):
    """The screen recording."""

    width: int = Field(1280, ge=320, le=3840)
    height: int = Field(720, ge=240, le=2160)
    frame_rate: int = Field(5, ge=1, le=30)
    video_bits_per_second: int = Field(250_000, ge=50_000, le=4_000_000)


class Tracks(_Strict):
    """Which recordings are made; ``null`` for one that is not."""

    camera: CameraTrack | None = CameraTrack()
    screen: ScreenTrack | None = ScreenTrack()


class Detectors(_Strict):
    """What the analysis looks for."""

    faces: bool = True
    objects: bool = True
    face_covered: bool = True
    camera_obscured: bool = True
    camera_frozen: bool = True
    laptop: bool = True
    speech: bool = True
    looking_away: bool = False
    face_mismatch: bool = False
    virtual_camera: bool = True


class Policy(_Strict):
    """Everything an exam's owner may set. Times in ms unless the name says otherwise."""

    stake: Literal["low", "medium", "high"] = "medium"
    checks: list[CheckId] = Field(default_factory=lambda: list(CHECK_ORDER))
    tracks: Tracks = Field(default_factory=Tracks)
    whole_screen: bool = True
    notifications_required: bool = False
    document_face_required: bool = True
    room_pictures: int = Field(4, ge=2, le=12)
    full_screen: bool = False
    minutes: int | None = Field(60, ge=1, le=1440)
    idle_ms: Milliseconds = Field(60_000, ge=1_000)
    focus_debounce_ms: Milliseconds = 300
    offline_ms: Milliseconds = Field(15_000, ge=1_000)
    recording_stall_ms: Milliseconds = Field(15_000, ge=3_000)
    chunk_ms: int = Field(2_000, ge=500, le=10_000)
    detectors: Detectors = Field(default_factory=Detectors)
    things_rest_ms: int = Field(8_000, ge=0, le=60_000)
    hold_ms: dict[str, Milliseconds] = Field(default_factory=lambda: dict(DEFAULT_HOLD_MS))
    retention_days: int = Field(90, ge=1, le=3650)
    help: str | None = Field(None, max_length=2_000)

    @field_validator("checks")
    @classmethod
    def _in_order(cls, checks: list[CheckId]) -> list[CheckId]:
        # stills need the camera, and what is recorded needs consent: the order is ours, not the caller's
        return [check for check in CHECK_ORDER if check in checks]

    @field_validator("hold_ms")
    @classmethod
    def _with_defaults(cls, hold: dict[str, int]) -> dict[str, int]:
        unknown = set(hold) - set(DEFAULT_HOLD_MS)
        if unknown:
            raise ValueError(f"no hold time can be set for {', '.join(sorted(unknown))}")
        return {**DEFAULT_HOLD_MS, **hold}


@lru_cache(maxsize=256)
def parse_policy(text: str | bytes) -> Policy:
    """A stored policy. All sessions of an exam share one: nobody may change it."""
    return Policy.model_validate_json(text)

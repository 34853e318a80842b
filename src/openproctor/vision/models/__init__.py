"""The model files that ship with us: where they are, where they come from, how to know them again."""

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

MODELS_DIR = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One entry of ``manifest.json``, or a file an operator named. ``sha256`` is hex."""

    name: str
    path: Path
    sha256: str
    licence: str
    origin: str
    thresholds: dict[str, float]


@cache
def manifest() -> dict[str, ModelFile]:
    """The shipped models by name."""
    raw: dict[str, Any] = json.loads((MODELS_DIR / "manifest.json").read_text(encoding="utf-8"))
    return {
        entry["name"]: ModelFile(
            name=entry["name"],
            path=MODELS_DIR / entry["file"],
            sha256=entry["sha256"],
            licence=entry["licence"],
            origin=entry["origin"],
            thresholds=entry["thresholds"],
        )
        for entry in raw["models"]
    }


def shipped(name: str) -> ModelFile:
    """A shipped model. Raises KeyError with the known names."""
    try:
        return manifest()[name]
    except KeyError:
        raise KeyError(f"no model named {name!r}; shipped are {', '.join(sorted(manifest()))}") from None


def supplied(path: Path, name: str | None = None) -> ModelFile:
    """A model file of the operator's own; its digest is taken here. Raises OSError if it cannot be read."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return ModelFile(name or path.stem, path, digest, "supplied by the operator", str(path.name), {})

"""Under what conditions findings were made: rules, model files, inference runtime, decoders. Who has the same finds the same."""

import hashlib
from functools import cache
from importlib import metadata
from pathlib import Path

from openproctor import __version__
from openproctor.analysis.detectors import Detectors
from openproctor.vision.models import ModelFile, manifest

_PACKAGE = Path(__file__).parents[1]
# they bring chunks to the rules and findings to the log; what is found does not depend on them
_NO_RULES = {
    "__init__.py", "analyze.py", "conditions.py", "material.py", "models.py", "recheck.py", "report.py", "repository.py",
    "worker.py",
}  # fmt: skip


@cache
def rules_digest() -> str:
    """SHA-256 over the code that decides what is found."""
    files = [path for path in (_PACKAGE / "analysis").glob("*.py") if path.name not in _NO_RULES]
    files += [*(_PACKAGE / "vision").glob("*.py"), _PACKAGE / "isobmff.py"]
    hasher = hashlib.sha256()
    for path in sorted(files):
        hasher.update(f"{path.relative_to(_PACKAGE).as_posix()}\n".encode())
        hasher.update(hashlib.sha256(path.read_bytes()).digest())
    return hasher.hexdigest()


@cache
def software() -> str:
    """Names and versions of what turns bytes into pictures and sound."""
    names = ("av", "opencv-python-headless", "numpy")
    versions = []
    for name in names:
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:  # another build of the same library
            continue
    return ", ".join([f"openproctor {__version__}", *versions])


def conditions(detectors: Detectors) -> dict[str, str]:
    """``runtime``, ``objects`` (digest of the object detector), ``rules`` (digest) and ``software`` of this process."""
    made = {"runtime": detectors.objects.runtime, "objects": detectors.objects.model.sha256}
    return {**made, "rules": rules_digest(), "software": software()}


def model_files(detectors: Detectors) -> list[ModelFile]:
    """Every model file that a finding may rest on."""
    found = {model.sha256: model for model in (*manifest().values(), detectors.faces.model, detectors.objects.model)}
    return sorted(found.values(), key=lambda model: model.name)


def damaged_model(models: list[ModelFile]) -> ModelFile | None:
    """The first model file whose bytes are not those of its digest."""
    for model in models:
        if hashlib.sha256(model.path.read_bytes()).hexdigest() != model.sha256:
            return model
    return None

"""An object detector of the operator's own, named in the settings."""

import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from openproctor.analysis.detectors import Detectors
from openproctor.cli import cli
from openproctor.config import Settings

Clip = Callable[..., Path]
PICTURES = Path(__file__).parents[1] / "pictures"
YOLOX = Path(os.environ.get("TEST_YOLOX", Path(__file__).parents[3] / "shared/models/optional/yolox_nano.onnx"))


@pytest.fixture
def yolox() -> Path:
    if not YOLOX.is_file():
        pytest.skip("no YOLOX file: name one in TEST_YOLOX")
    return YOLOX


def test_a_supplied_network_finds_things(yolox: Path) -> None:
    image = np.asarray(cv2.imread(str(PICTURES / "coffee.png")), dtype=np.uint8)
    detectors = Detectors(objects=f"yolox:{yolox}")
    assert detectors.objects.model.licence == "supplied by the operator"
    assert "cup" in {thing.label for thing in detectors.objects.find(image, 0.4, None)}


def test_the_command_takes_a_supplied_network(clip: Clip, yolox: Path) -> None:
    ran = CliRunner().invoke(cli, ["analyze", str(clip(("one", 3))), "--objects", f"yolox:{yolox}"])
    assert ran.exit_code == 0, ran.output
    assert "Face Detected" in ran.output


@pytest.mark.parametrize(("objects", "complaint"), [("yolox:missing.onnx", "missing.onnx"), ("sonar", "expected one")])
def test_a_detector_that_cannot_be_had_is_one_line(clip: Clip, objects: str, complaint: str) -> None:
    ran = CliRunner().invoke(cli, ["analyze", str(clip(("one", 2))), "--objects", objects])
    assert ran.exit_code == 2
    assert complaint in ran.output
    assert "Traceback" not in ran.output


def test_the_setting_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENPROCTOR_ANALYSIS_OBJECTS", "yolox:own.onnx")
    assert Settings().analysis_objects == "yolox:own.onnx"

"""Names of virtual cameras are told from those of devices."""

import pytest

from openproctor.analysis.virtual_camera import looks_virtual


@pytest.mark.parametrize(
    "label", ["OBS Virtual Camera", "OBS-Camera", "ManyCam Virtual Webcam", "Snap Camera", "XSplit VCam", "NDI Video"]
)
def test_programs(label: str) -> None:
    assert looks_virtual(label)


@pytest.mark.parametrize(
    "label", ["Integrated Camera (13d3:56ff)", "FaceTime HD Camera", "HD Pro Webcam C920", "Iriun Webcam", "", "obs"]
)
def test_devices(label: str) -> None:
    assert not looks_virtual(label)

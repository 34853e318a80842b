"""The model files are the ones the manifest names, and each engine can run them."""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from openproctor.vision.models import MODELS_DIR, manifest, shipped, supplied
from openproctor.vision.runtime import available, load


@pytest.mark.parametrize("name", sorted(manifest()))
def test_each_model_file_has_the_digest_of_the_manifest(name: str) -> None:
    model = manifest()[name]
    assert hashlib.sha256(model.path.read_bytes()).hexdigest() == model.sha256
    assert model.licence in {"Apache-2.0", "MIT"}


def test_no_model_file_is_missing_from_the_manifest_or_the_notices() -> None:
    files = {path.name for path in MODELS_DIR.iterdir() if path.suffix in {".onnx", ".json"}} - {"manifest.json"}
    named = {entry["file"] for entry in json.loads((MODELS_DIR / "manifest.json").read_text())["models"]}
    notices = (MODELS_DIR / "NOTICE.md").read_text(encoding="utf-8")
    assert files == named
    assert all(file in notices for file in files)


def test_an_unknown_model_says_which_ones_there_are() -> None:
    with pytest.raises(KeyError, match="nanodet-g"):
        shipped("nosuch")


def test_a_missing_or_broken_model_file_is_one_clear_error(tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"this is no network")
    for engine in ("openvino", "onnxruntime"):
        with pytest.raises(OSError, match=r"broken\.onnx cannot be loaded"):
            load(supplied(broken), engine)
    broken_model = supplied(broken)
    broken.unlink()
    with pytest.raises(OSError, match="does not exist"):
        load(broken_model)


def test_an_unknown_runtime_is_refused() -> None:
    with pytest.raises(ValueError, match="expected openvino or onnxruntime"):
        available("tensorflow")


def test_without_openvino_the_portable_engine_is_used(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    assert available("openvino") == "onnxruntime"
    assert "onnxruntime instead" in caplog.text


def test_both_engines_give_the_same_numbers_again_and_again() -> None:
    picture = np.random.default_rng(7).random((1, 192, 192, 3), dtype=np.float32)
    model = shipped("mediapipe-face-full-range")
    vino, onnx = load(model, "openvino"), load(model, "onnxruntime")
    first, second, other = vino.run(picture), vino.run(picture), onnx.run(picture)
    for name in vino.outputs:
        assert np.array_equal(first[name], second[name])
        assert np.allclose(first[name], other[name], rtol=1e-3, atol=1e-3)
    assert vino.description.startswith("openvino 2")
    assert onnx.description.startswith("onnxruntime 1")

"""Objects in a folder."""

from pathlib import Path

import pytest

from openproctor.storage.objects import LocalObjects


async def test_what_was_put_is_there_and_keys_stay_in_the_folder(tmp_path: Path) -> None:
    objects = LocalObjects(tmp_path / "media")
    await objects.put("a/b/000001-ff.mp4", b"one")
    await objects.put("a/b/000001-ff.mp4", b"one")
    assert await objects.get("a/b/000001-ff.mp4") == b"one"
    assert [p.name for p in (tmp_path / "media/a/b").iterdir()] == ["000001-ff.mp4"], "nothing half-written is left"
    with pytest.raises(KeyError):
        await objects.get("a/b/none")
    for key in ("../x", "/etc/passwd", "a/../../x", "", "A", "a\0b"):
        with pytest.raises(ValueError, match="not an object key"):
            await objects.get(key)
    await objects.delete("a/b/000001-ff.mp4")
    await objects.delete("a/b/000001-ff.mp4")
    await objects.close()

"""Every kind of tampering with a bundle is caught and named; an untouched one passes."""

import asyncio
import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from openproctor.config import Settings
from openproctor.eventlog.seal import SealingKey
from openproctor.eventlog.verify import Broken, NotABundle, verify_bundle
from openproctor.ids import new_id
from openproctor.media.models import chunks
from openproctor.simulation.media import CAMERA, record
from openproctor.storage.database import Database
from openproctor.storage.engines import open_objects
from tests.live import LiveServer
from tests.page import Page

Files = dict[str, bytes]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with LiveServer(tmp_path_factory.mktemp("bundle"), workers=0) as live:
        yield live


@pytest.fixture(scope="module")
def bundle(server: LiveServer) -> Files:
    """The files of a real session's bundle, in order."""
    import numpy as np

    with server.client() as staff:
        exam = staff.post("/api/v1/exams", json={"title": "Algebra", "policy": {"checks": []}}).json()
        body = {"exam_id": exam["id"], "candidate": {"external_id": "a", "name": "Ada Öz"}}
        page = Page(server.url, staff.post("/api/v1/sessions", json=body).json()["join_url"])
        page.join()
        page.http.post(page.path("start"), json={})
        frames = (np.full((480, 640, 3), n, np.uint8) for n in range(60))
        for number, blob in enumerate(record(frames, CAMERA)):
            assert page.put_chunk("camera", number, blob.data).status_code == 201
            page.send(page.event(6, {"idle_after_ms": number}), page.event(1085, {"text": f"héllo {number} 1.5e3"}))
        manifest = {"streams": {page.stream: page.seq}, "tracks": {"camera": 2}}
        assert page.http.post(page.path("finish"), json={"manifest": manifest}).json()["state"] == "completed"
        answer = staff.get(page.path("bundle"))
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]


def write(files: Files | list[tuple[str, bytes]], path: Path) -> Path:
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in files.items() if isinstance(files, dict) else files:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def test_an_untouched_bundle_passes(bundle: Files, tmp_path: Path) -> None:
    summary = verify_bundle(write(bundle, tmp_path / "b.tar"))
    assert summary.events >= 8
    assert summary.contents == 3
    done = subprocess.run(
        [sys.executable, "-m", "openproctor", "verify", str(tmp_path / "b.tar"), "--key", summary.public_key],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stdout.startswith("OK: session ")
    assert done.stdout.count("\n") == 1


def log_of(files: Files) -> list[dict[str, Any]]:
    return [json.loads(line) for line in files["log.jsonl"].splitlines()]


def with_log(files: Files, entries: list[dict[str, Any]]) -> Files:
    return {**files, "log.jsonl": b"".join(json.dumps(e).encode() + b"\n" for e in entries)}


def change_event(files: Files) -> Files:
    entries = log_of(files)
    event = next(e for e in entries if e.get("type_id") == 6)
    event["data"]["idle_after_ms"] += 1
    return with_log(files, entries)


def move_event_in_time(files: Files) -> Files:
    entries = log_of(files)
    next(e for e in entries if e.get("type_id") == 1085)["occurred_at"] += 1
    return with_log(files, entries)


def swap_chunks(files: Files) -> Files:
    one, two = "media/camera/000001.mp4", "media/camera/000002.mp4"
    return {**files, one: files[two], two: files[one]}


def change_one_byte_of_a_chunk(files: Files) -> Files:
    data = bytearray(files["media/camera/000001.mp4"])
    data[len(data) // 2] ^= 1
    return {**files, "media/camera/000001.mp4": bytes(data)}


def remove_entry(files: Files) -> Files:
    entries = log_of(files)
    del entries[4]
    return with_log(files, entries)


def remove_the_last_entries(files: Files) -> Files:
    return with_log(files, log_of(files)[:-2])


def reorder_a_pair(files: Files) -> Files:
    entries = log_of(files)
    entries[3], entries[4] = entries[4], entries[3]
    return with_log(files, entries)


def renumber_a_reordered_pair(files: Files) -> Files:
    entries = log_of(files)
    entries[3], entries[4] = {**entries[4], "position": 4}, {**entries[3], "position": 5}
    return with_log(files, entries)


def repeat_an_entry(files: Files) -> Files:
    entries = log_of(files)
    return with_log(files, [*entries[:4], entries[3], *entries[4:]])


def forge_the_seal(files: Files) -> Files:
    seals = json.loads(files["seals.json"])
    seals[-1]["sealed_at"] += 1
    return {**files, "seals.json": json.dumps(seals).encode()}


def sign_again_with_another_key(files: Files) -> Files:
    from dataclasses import asdict

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    seal = json.loads(files["seals.json"])[-1]
    forger = SealingKey(Ed25519PrivateKey.generate())
    made = forger.seal(seal["session_id"], seal["position"], seal["link"], seal["subject"], seal["sealed_at"])
    return {**files, "seals.json": json.dumps([asdict(made)]).encode()}


def rename_the_candidate(files: Files) -> Files:
    session = json.loads(files["session.json"])
    session["identity"]["candidate"]["name"] = "Bob"
    return {**files, "session.json": json.dumps(session).encode()}


def remove_the_seals(files: Files) -> Files:
    return {**files, "seals.json": b"[]"}


def remove_a_chunk(files: Files) -> Files:
    return {name: data for name, data in files.items() if name != "media/camera/000002.mp4"}


def add_a_chunk(files: Files) -> Files:
    return {**files, "media/camera/000009.mp4": files["media/camera/000001.mp4"]}


@pytest.mark.parametrize(
    ("tamper", "words"),
    [
        (change_event, "was changed"),
        (move_event_in_time, "was changed"),
        (swap_chunks, "000001.mp4 is not the one that was stored"),
        (change_one_byte_of_a_chunk, "000001.mp4 is not the one that was stored"),
        (remove_entry, "entry 5: .* removed"),
        (remove_the_last_entries, "another link|forged|not sealed"),
        (reorder_a_pair, "entry 4: .* removed"),
        (renumber_a_reordered_pair, "entry 4"),
        (repeat_an_entry, "entry 5: .*repeated"),
        (forge_the_seal, "forged"),
        (sign_again_with_another_key, "another key"),
        (rename_the_candidate, "another candidate"),
        (remove_the_seals, "no seal"),
        (remove_a_chunk, "000002.mp4 is missing"),
        (add_a_chunk, "000009.mp4 is not in the log"),
    ],
)
def test_tampering_is_caught_and_named(
    bundle: Files, tmp_path: Path, tamper: Callable[[Files], Files], words: str
) -> None:
    key = json.loads(bundle["seals.json"])[-1]["public_key"]
    with pytest.raises(Broken, match=words):
        verify_bundle(write(tamper(bundle), tmp_path / "b.tar"), key=key)


def test_data_that_was_erased_leaves_the_proof_whole(bundle: Files, tmp_path: Path) -> None:
    from openproctor.eventlog.chain import data_digest

    entries = log_of(bundle)
    for entry in entries:
        if entry["kind"] == "event":
            entry["data_digest"] = data_digest(bytes.fromhex(entry.pop("salt")), entry.pop("data"))
    session = {**json.loads(bundle["session.json"]), "identity": None, "salt": None}
    files = {**with_log(bundle, entries), "session.json": json.dumps(session).encode()}
    assert verify_bundle(write(files, tmp_path / "b.tar")).erased == len([e for e in entries if e["kind"] == "event"])


@pytest.mark.parametrize("data", [b"", b"hello", b"\0" * 2048])
def test_what_is_no_bundle_is_said_in_one_line(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "b.tar"
    path.write_bytes(data)
    with pytest.raises(NotABundle):
        verify_bundle(path)
    done = subprocess.run(
        [sys.executable, "-m", "openproctor", "verify", str(path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


def test_a_bundle_that_is_cut_off_does_not_pass(bundle: Files, tmp_path: Path) -> None:
    whole = write(bundle, tmp_path / "b.tar").read_bytes()
    for share in (0.2, 0.5, 0.9):
        (tmp_path / "cut.tar").write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises((Broken, NotABundle)):
            verify_bundle(tmp_path / "cut.tar")


def test_a_session_in_the_data_folder_is_verified_in_place(server: LiveServer, bundle: Files) -> None:
    session_id = json.loads(bundle["session.json"])["id"]
    assert server.run("verify", session_id, "--data", str(server.data)).startswith("OK: ")


async def lose_a_chunk(data_dir: Path, session_id: str, number: int) -> None:
    """Remove a stored recording behind the server's back, wherever it is kept."""
    settings = Settings(data_dir=data_dir)
    database = Database(settings.database)
    objects = open_objects(settings.media_url, settings.data_dir, settings.media_access_key, settings.media_secret_key)
    async with database.read() as connection:
        query = select(chunks.c.object_key).where(chunks.c.session_id == session_id, chunks.c.number == number)
        await objects.delete((await connection.execute(query)).scalar_one())
    await objects.close()
    await database.close()


def test_a_recording_that_was_lost_is_named(server: LiveServer, bundle: Files, tmp_path: Path) -> None:
    session_id = json.loads(bundle["session.json"])["id"]
    asyncio.run(lose_a_chunk(server.data, session_id, 1))
    with server.client() as staff:
        (tmp_path / "b.tar").write_bytes(staff.get(f"/api/v1/sessions/{session_id}/bundle").content)
    with pytest.raises(Broken, match=r"000001\.mp4 is missing"):
        verify_bundle(tmp_path / "b.tar")
    done = subprocess.run(
        [sys.executable, "-m", "openproctor", "verify", session_id, "--data", str(server.data)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("BROKEN: ")
    assert "000001.mp4 is missing" in done.stderr
    unknown = subprocess.run(
        [sys.executable, "-m", "openproctor", "verify", new_id(), "--data", str(server.data)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (unknown.returncode, unknown.stderr.count("\n")) == (2, 1)

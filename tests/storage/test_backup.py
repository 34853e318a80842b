"""Backup and restore: what was acknowledged before is in the copy, which a server can serve."""

import secrets
import shutil
import subprocess
import threading
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from openproctor.eventlog.verify import verify_bundle
from openproctor.simulation.media import CAMERA, record
from openproctor.storage.backup import BackupImpossible, back_up
from scripts.engines import Postgres
from tests.engines import new_postgres_database
from tests.live import LiveServer
from tests.page import Page


@pytest.fixture(scope="module")
def blobs() -> list[bytes]:
    """Init segment and two chunks of two seconds."""
    frames = (np.full((480, 640, 3), n * 4, np.uint8) for n in range(60))
    return [blob.data for blob in record(frames, CAMERA)]


def sitting(server: LiveServer) -> Page:
    """A candidate's page in a running exam."""
    with server.client() as staff:
        policy = {"checks": [], "tracks": {"camera": {}}}
        exam = staff.post("/api/v1/exams", json={"title": "Algebra", "policy": policy}).json()
        body = {"exam_id": exam["id"], "candidate": {"external_id": secrets.token_hex(6), "name": "Ada"}}
        page = Page(server.url, staff.post("/api/v1/sessions", json=body).json()["join_url"])
    page.join()
    page.http.post(page.path("start"), json={})
    return page


def finish(page: Page, chunks: int) -> None:
    manifest = {"streams": {page.stream: page.seq}, "tracks": {"camera": chunks - 1}}
    assert page.http.post(page.path("finish"), json={"manifest": manifest}).json()["state"] == "completed"


def stored(server: LiveServer, key: str, session_id: str, folder: Path) -> list[dict[str, Any]]:
    """Events of a session as a server has them, after its bundle was verified."""
    with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {key}"}, timeout=30) as staff:
        bundle = folder / f"{session_id}.tar"
        bundle.write_bytes(staff.get(f"/api/v1/sessions/{session_id}/bundle").content)
        verify_bundle(bundle)
        items: list[dict[str, Any]] = staff.get(f"/api/v1/sessions/{session_id}/events?limit=1000").json()["items"]
        return items


def test_a_backup_taken_under_load_serves_everything_acknowledged_before(tmp_path: Path, blobs: list[bytes]) -> None:
    source, copy = tmp_path / "source", tmp_path / "copy"
    source.mkdir()
    copy.mkdir()
    with LiveServer(source, workers=0) as server:
        page, other = sitting(server), sitting(server)
        for number, data in enumerate(blobs):
            assert page.put_chunk("camera", number, data).status_code == 201
        assert page.send(*[page.event(6, {"idle_after_ms": n}) for n in range(100)]).status_code == 200
        finish(page, len(blobs))
        stop = threading.Event()

        def keep_sending() -> None:
            while not stop.is_set():
                other.send(*[other.event(6, {"idle_after_ms": n}) for n in range(50)])

        sender = threading.Thread(target=keep_sending)
        sender.start()
        try:
            told = server.run("backup", str(copy / "data"), "--data", str(server.data))
            again = server.run("backup", str(copy / "data"), "--data", str(server.data))
        finally:
            stop.set()
            sender.join()
        assert f"{len(blobs)} recordings and stills copied" in told
        assert f"{len(blobs)} were there already" in again
        key = server.key
        before = stored(server, key, page.session_id, tmp_path)
    shutil.rmtree(source)
    with LiveServer(copy, workers=0) as restored:
        assert stored(restored, key, page.session_id, tmp_path) == before
        with httpx.Client(base_url=restored.url, headers={"Authorization": f"Bearer {key}"}, timeout=30) as staff:
            playlist = staff.get(page.path("media/camera/index.m3u8"))
            assert playlist.status_code == 200
            # the exam that went on meanwhile: a whole log up to some moment, and it can go on from there
            sequences = [e["sequence"] for e in staff.get(other.path("events?limit=1000")).json()["items"]]
            assert sequences == list(range(1, len(sequences) + 1))
        assert sitting(restored).send().status_code == 200


def test_a_dump_of_postgresql_and_a_copy_of_the_store_restore_too(
    tmp_path: Path, blobs: list[bytes], postgres: Postgres, request: pytest.FixtureRequest
) -> None:
    databases = [new_postgres_database(request), new_postgres_database(request)]
    urls = [next(each) for each in databases]
    media = [tmp_path / "media", tmp_path / "media-copy"]
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        (folder / "data").mkdir(parents=True)
    with LiveServer(folders[0], workers=0, database_url=urls[0], media_url=f"file://{media[0]}") as server:
        page = sitting(server)
        for number, data in enumerate(blobs):
            page.put_chunk("camera", number, data)
        page.send(*[page.event(6, {"idle_after_ms": n}) for n in range(100)])
        finish(page, len(blobs))
        dump = tmp_path / "dump"
        subprocess.run([postgres.tool("pg_dump"), "--format=custom", f"--file={dump}", urls[0]], check=True)
        shutil.copytree(media[0], media[1])
        for name in ("secret.key", "sealing.key"):
            shutil.copy(server.data / name, folders[1] / "data")
        key = server.key
        before = stored(server, key, page.session_id, tmp_path)
    subprocess.run([postgres.tool("pg_restore"), "--no-owner", f"--dbname={urls[1]}", dump], check=True)
    with LiveServer(folders[1], workers=0, database_url=urls[1], media_url=f"file://{media[1]}") as restored:
        assert stored(restored, key, page.session_id, tmp_path) == before
    for each in databases:
        assert next(each, None) is None  # removes the database


def test_the_copy_of_a_database_and_recordings_from_elsewhere_is_served_without_settings(
    tmp_path: Path, blobs: list[bytes]
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    database, media = f"sqlite:///{elsewhere / 'exam.db'}", f"file://{elsewhere / 'media'}"
    for folder in ("source", "copy"):
        (tmp_path / folder).mkdir()
    with LiveServer(tmp_path / "source", workers=0, database_url=database, media_url=media) as server:
        page = sitting(server)
        for number, data in enumerate(blobs):
            page.put_chunk("camera", number, data)
        finish(page, len(blobs))
        server.run("backup", str(tmp_path / "copy" / "data"), "--data", str(server.data))
        told = server.run("backup", str(tmp_path / "copy" / "data"), "--data", str(server.data))
        unset = "To use it, with OPENPROCTOR_DATABASE_URL and OPENPROCTOR_MEDIA_URL unset: openproctor serve --data "
        assert told.splitlines()[-1].startswith(unset)
        key = server.key
        before = stored(server, key, page.session_id, tmp_path)
    shutil.rmtree(elsewhere)
    with LiveServer(tmp_path / "copy", workers=0) as restored:
        assert stored(restored, key, page.session_id, tmp_path) == before


def test_no_place_and_no_source_are_told(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    database, media = data / "openproctor.db", data / "media"
    with pytest.raises(BackupImpossible, match="no database"):
        back_up(data, tmp_path / "copy", database=database, media=media)
    database.touch()
    with pytest.raises(BackupImpossible, match="outside of the data folder"):
        back_up(data, data / "copy", database=database, media=media)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").touch()
    with pytest.raises(BackupImpossible, match="holds other files"):
        back_up(data, tmp_path / "full", database=database, media=media)
    assert not (tmp_path / "copy").exists()

"""Objects in a folder and in an S3 store."""

import asyncio
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from openproctor.errors import Problem
from openproctor.storage.engines import open_objects
from openproctor.storage.objects import LocalObjects, Objects, ObjectsUnusable, WrongBytes
from scripts.engines import SeaweedFS, free_ports

KEY = "a/b/000001-ff.mp4"


@pytest.fixture(params=["folder", "s3"])
async def objects(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Objects]:
    local = request.param == "folder"
    opened = open_objects(None, tmp_path) if local else s3(request.getfixturevalue("seaweedfs"), tmp_path.name)
    await opened.check()
    yield opened
    await opened.close()


def s3(store: SeaweedFS, prefix: str, **changed: str) -> Objects:
    keys = {"access_key": store.access_key, "secret_key": store.secret_key} | changed
    return open_objects(store.url.replace("?", f"/{prefix}?"), Path(), **keys)


async def test_what_was_put_is_there_until_it_is_deleted(objects: Objects) -> None:
    data = os.urandom(300_000)
    await objects.put(KEY, data)
    await objects.put(KEY, data)
    assert await objects.get(KEY) == data
    await objects.put("empty", b"")
    assert await objects.get("empty") == b""
    await objects.delete(KEY)
    await objects.delete(KEY)
    with pytest.raises(KeyError):
        await objects.get(KEY)
    with pytest.raises(KeyError):
        await objects.get("a/b/none")


@pytest.mark.parametrize("key", ["../x", "/etc/passwd", "a/../../x", "", "A", "a\0b", "a?b", "a%2e%2e/b"])
async def test_a_key_stays_where_it_belongs(objects: Objects, key: str) -> None:
    for call in (objects.get(key), objects.put(key, b""), objects.delete(key)):
        with pytest.raises(ValueError, match="not an object key"):
            await call


async def test_bytes_that_were_not_announced_are_not_stored(objects: Objects) -> None:
    data = os.urandom(10_000)
    await objects.put("announced", data, hashlib.sha256(data).digest())
    assert await objects.get("announced") == data
    with pytest.raises(WrongBytes):
        await objects.put("other", data[:-1], hashlib.sha256(data).digest())
    assert await objects.size("other") is None


async def test_many_at_once(objects: Objects) -> None:
    made = {f"many/{n:03}": os.urandom(1_000 + n) for n in range(50)}
    await asyncio.gather(*[objects.put(key, data) for key, data in made.items()])
    assert await asyncio.gather(*[objects.get(key) for key in made]) == list(made.values())


_SHORT_OF_ROOM = """
import asyncio, resource, signal, sys
from pathlib import Path
from openproctor.errors import Problem
from openproctor.storage.objects import LocalObjects

async def main():
    objects = LocalObjects(Path(sys.argv[1]))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
    try:
        await objects.put("a/large", bytes(200_000))
    except Problem as problem:
        print(problem.status, await objects.size("a/large"))

asyncio.run(main())
"""


async def test_what_the_disk_takes_only_a_part_of_is_not_stored(tmp_path: Path) -> None:
    """A limit on the size of files stands for a disk with less room than the chunk: the first bytes are taken."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _SHORT_OF_ROOM, str(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    out, _ = await process.communicate()
    # nothing else than the answer may be on the last line: the log says why
    assert out.decode().splitlines()[-1] == "503 None"
    assert list((tmp_path / "a").iterdir()) == []


# -- a folder --------------------------------------------------------------------------------------------------------


async def test_a_folder_that_was_taken_away_is_made_again(tmp_path: Path) -> None:
    objects = LocalObjects(tmp_path / "media")
    await objects.put(KEY, b"one")
    shutil.rmtree(tmp_path / "media/a")
    await objects.put(KEY, b"two")
    assert await objects.get(KEY) == b"two"
    await objects.close()


async def test_nothing_half_written_is_left_in_the_folder(tmp_path: Path) -> None:
    objects = LocalObjects(tmp_path / "media")
    await objects.put(KEY, b"one")
    await objects.put(KEY, b"one")
    assert [p.name for p in (tmp_path / "media/a/b").iterdir()] == ["000001-ff.mp4"]
    assert await objects.signed_get(KEY, 60) is None
    assert await objects.signed_put(KEY, 60) is None
    await objects.close()


async def test_a_disk_that_does_not_take_it_is_a_matter_of_trying_again(tmp_path: Path) -> None:
    objects = LocalObjects(tmp_path)
    (tmp_path / "a").write_bytes(b"a file where a folder should be")
    for call in (objects.put(KEY, b"one"), objects.get(KEY), objects.size(KEY), objects.delete(KEY)):
        with pytest.raises(Problem) as problem:
            await call
        assert (problem.value.status, problem.value.slug) == (503, "objects-away")
        assert problem.value.retry_after
    await objects.close()


# -- S3 --------------------------------------------------------------------------------------------------------------


async def test_signed_addresses_give_and_take_one_object_for_a_time(seaweedfs: SeaweedFS, tmp_path: Path) -> None:
    objects = s3(seaweedfs, tmp_path.name)
    reading, writing = await objects.signed_get(KEY, 60), await objects.signed_put(KEY, 60)
    brief = await objects.signed_get(KEY, 1)
    assert reading
    assert writing
    assert brief
    async with httpx.AsyncClient() as browser:
        assert (await browser.put(writing, content=b"0123456789")).status_code == 200
        assert await objects.get(KEY) == b"0123456789"
        assert (await browser.get(reading)).content == b"0123456789"
        part = await browser.get(reading, headers={"Range": "bytes=2-4"})
        assert (part.status_code, part.content) == (206, b"234")
        await objects.put("a/other", b"x")
        for address in (
            reading.replace("000001-ff.mp4", "other"),
            reading.replace("X-Amz-Expires=60", "X-Amz-Expires=6000"),
            reading.split("?")[0],
        ):
            assert (await browser.get(address)).status_code == 403
        assert (await browser.put(reading, content=b"other")).status_code == 403
        assert (await browser.delete(writing)).status_code == 403
        async with asyncio.timeout(10):
            while (await browser.get(brief)).status_code == 200:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
    assert await objects.get(KEY) == b"0123456789"


async def test_browsers_may_reach_the_store_by_another_address(seaweedfs: SeaweedFS) -> None:
    objects = open_objects(f"{seaweedfs.url}&public=https://media.example.org", Path(), "key", "secret")
    assert str(await objects.signed_get(KEY, 60)).startswith(f"https://media.example.org/openproctor/{KEY}?")


async def test_wrong_keys_and_buckets_are_said_at_the_start(seaweedfs: SeaweedFS) -> None:
    for wrong in (
        s3(seaweedfs, "p", secret_key="wrong"),
        s3(seaweedfs, "p", access_key="wrong"),
        open_objects(
            seaweedfs.url.replace("://openproctor", "://nobody"), Path(), seaweedfs.access_key, seaweedfs.secret_key
        ),
    ):
        with pytest.raises(ObjectsUnusable, match="MEDIA_URL") as unusable:
            await wrong.check()
        assert seaweedfs.secret_key not in str(unusable.value)


async def test_a_key_that_may_only_read_cannot_write(seaweedfs: SeaweedFS) -> None:
    reader = s3(seaweedfs, "p", access_key=f"{seaweedfs.access_key}r")
    with pytest.raises(Problem) as problem:
        await reader.put(KEY, b"x")
    assert problem.value.status == 503


async def test_a_store_that_is_away_is_a_matter_of_trying_again() -> None:
    [port] = free_ports(1)
    objects = open_objects(f"s3://openproctor?endpoint=http://127.0.0.1:{port}", Path(), "key", "secret")
    await objects.check()
    for call in (objects.get(KEY), objects.put(KEY, b""), objects.delete(KEY)):
        with pytest.raises(Problem) as problem:
            await call
        assert (problem.value.status, problem.value.slug) == (503, "objects-away")
        assert problem.value.retry_after


@pytest.mark.parametrize(
    "url",
    ["ftp://host/x", "s3://", "s3://bucket?endpont=http://h", "s3://key:secret@bucket?endpoint=http://h"],
)
def test_an_address_that_is_not_understood_is_refused(url: str) -> None:
    with pytest.raises(ObjectsUnusable):
        open_objects(url, Path())


def test_half_a_pair_of_keys_is_refused() -> None:
    with pytest.raises(ObjectsUnusable, match="only one"):
        open_objects("s3://bucket", Path(), "key", None)

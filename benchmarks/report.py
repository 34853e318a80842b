"""Results as a file and as the page ``docs/performance.md``: what is claimed, what was measured, on which machine."""

import json
import os
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).with_name("results.json")
PAGE = ROOT / "docs" / "performance.md"

Result = dict[str, Any]


def machine() -> Result:
    """What the figures depend on; nothing that tells which machine it is."""
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor() or "unknown",
    )
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory_gb": round(pages * size / 1e9),
        "kernel": platform.release().split("-")[0],
        "python": platform.python_version(),
        "sync_ms": _sync_ms(),
    }


def _sync_ms() -> float:
    """What it takes until 4 kB are on the disk, median."""
    with tempfile.TemporaryFile() as file:
        times = []
        for _ in range(50):
            began = time.perf_counter()
            file.write(bytes(4096))
            file.flush()
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - began) * 1000)
    return round(median(times), 2)


def load() -> Result:
    """Results so far, by name."""
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}  # type: ignore[no-any-return]


def keep(name: str, result: Result) -> None:
    """Keep a result in place of the one before, with what else the machine had to do, and write the page."""
    results = load()
    results["machine"] = machine()
    results[name] = {**result, "load_before": result.get("load_before", round(os.getloadavg()[0], 2))}
    RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    PAGE.write_text(page(results))


def _thousands(number: float) -> str:
    return f"{number:,.0f}"


def _compared(what: str, unit: str) -> Callable[[Result], list[tuple[str, str, str]]]:
    def rows(r: Result) -> list[tuple[str, str, str]]:
        return [
            (
                what,
                f"{_thousands(r['ours'])} {unit}, bare program {_thousands(r['bare'])}: ratio **{r['ratio']:.2f}**",
                _kept(r["ratio"] >= 0.6, "ratio 0.6"),
            ),
            (
                f"… CPU of the server for each {unit.split('s/')[0]}",
                f"{_thousands(r['cpu_us'])} µs, bare program {_thousands(r['bare_cpu_us'])} µs:"
                f" ratio {r['bare_cpu_us'] / r['cpu_us']:.2f}",
                "",
            ),
            (
                f"… answered after, {r['connections']} at once",
                f"p50 {r['p50_ms']} ms, p99 {r['p99_ms']} ms (bare program {r['bare_p99_ms']} ms)",
                "",
            ),
        ]

    return rows


def _kept(fine: bool, goal: str) -> str:
    return f"{goal}: kept" if fine else f"{goal}: **missed**"


def _sockets(r: Result) -> list[tuple[str, str, str]]:
    return [
        (
            f"{_thousands(r['candidates'])} candidates connected, {r['events_per_s']:,.0f} events/s",
            f"acknowledged after p50 {r['ack_p50_ms']} ms, p99 **{r['ack_p99_ms']} ms**",
            _kept(r["ack_p99_ms"] <= 100, "p99 100 ms"),
        ),
        (
            "… memory of the server for each",
            f"{r['kb_per_candidate']} kB",
            _kept(r["kb_per_candidate"] <= 60, "60 kB"),
        ),
        (
            "… joining, connecting and starting, 50 at a time",
            f"{r['joined_per_s']:.0f} candidates/s",
            "",
        ),
    ]


def _growth(r: Result) -> list[tuple[str, str, str]]:
    reads = {name: value for name, value in r.items() if name.endswith("_ms")}
    slowest = max(reads, key=lambda name: reads[name])
    return [
        (
            f"{r['stored_events'] / 1e6:g} million events stored: ingest beside an empty database",
            f"{_thousands(r['events_per_s_full'])} against {_thousands(r['events_per_s_empty'])} events/s:"
            f" keeps **{r['kept']:.2f}**",
            _kept(r["kept"] >= 0.8, "0.8"),
        ),
        (
            "… reading a session: 200 events, 1,000, of one type, in one of 20,000 events",
            f"{r['page_ms']}, {r['page_of_1000_ms']}, {r['of_one_type_ms']},"
            f" {max(r['page_in_long_session_ms'], r['of_one_type_in_long_session_ms'])} ms",
            _kept(reads[slowest] <= 50, "50 ms"),
        ),
        ("… the file", f"{r['file_bytes_per_event']} bytes an event; the server listens after {r['start_s']} s", ""),
    ]


def _startup(r: Result) -> list[tuple[str, str, str]]:
    return [
        ("`serve` listens after", f"{r['existing_folder_s']} s; with a new folder {r['new_folder_s']} s", ""),
        ("… memory when nobody is there", f"{r['idle_mb']} MB", ""),
    ]


def _direct(r: Result) -> list[tuple[str, str, str]]:
    return [
        (
            f"CPU of the server for a chunk of {r['chunk_bytes'] / 1e3:.0f} kB that goes into an S3 store",
            f"{r['through_the_server']} ms through the server, {r['straight_to_the_store']} ms by a signed link:"
            f" ratio {r['ratio']:.2f}",
            "",
        )
    ]


def _verify(r: Result) -> list[tuple[str, str, str]]:
    return [
        (
            f"`openproctor verify` on three hours: {_thousands(r['events'])} events, {_thousands(r['chunks'])} chunks,"
            f" {r['megabytes'] / 1e3:.1f} GB",
            f"**{r['ours']} MB/s**, {r['seconds']} s in all; SHA-256 alone {_thousands(r['bare'])} MB/s",
            _kept(r["ours"] >= 200, "200 MB/s"),
        )
    ]


def _analysis(r: Result) -> list[tuple[str, str, str]]:
    ordinary = r.get("ordinary", {})
    if not ordinary:
        return []
    return [
        (
            "Analysis, CPU for a second of a candidate's recording",
            f"**{ordinary['cpu_ms_per_candidate_second']} ms**, {ordinary['candidates_per_core']:.0f} candidates a core;"
            f" {ordinary['ratio_to_bare']} times bare inference",
            f"{_kept(ordinary['cpu_ms_per_candidate_second'] <= 10, '10 ms')},"
            f" {_kept(ordinary['ratio_to_bare'] <= 1.4, '1.4 times')}",
        )
    ]


# name: (is the name of the part of the table, rows of it)
ROWS: dict[str, Callable[[Result], list[tuple[str, str, str]]]] = {
    "events": _compared("Events by HTTP into SQLite", "events/s"),
    "events_postgresql": _compared("Events by HTTP into PostgreSQL", "events/s"),
    "chunks": _compared("Chunks by `PUT` into a folder", "chunks/s"),
    "sockets": _sockets,
    "growth": _growth,
    "growth_10m": _growth,
    "startup": _startup,
    "direct": _direct,
    "verify": _verify,
    "analysis": _analysis,
}

_INTRODUCTION = """# How fast it is

Generated by `make bench` from [results.json](../benchmarks/results.json); do not edit. `make bench ARGS=--full` also measures
ten million stored events, `make bench ARGS="events chunks"` only what is named.

Each figure stands beside a **bare program** that was run on the same engine in the same minutes and got the very same
requests, in turns; a ratio is the median of the turns' ratios. The bare program is the least that can be called the same
job: uvicorn and msgspec, one decoding, rows as wide as ours with an index by session and time and a key that drops repeats,
group commit, answered after the commit (for chunks: written, synced, renamed, folder synced). It does not check who asks or
what is said, has no sessions, and links nothing. What OpenProctor does more for each event: the candidate's token, the
session's state, the event's schema, the clock's bounds, canonical form (RFC 8785), salted digest and hash chain.

Load and server share the machine. `load before` is what else it had to do when a measurement began; ratios bear it, times
do not.
"""


def page(results: Result) -> str:
    """The page, Markdown."""
    about = results["machine"]
    lines = [
        _INTRODUCTION,
        f"**The machine:** {about['cores']} cores of {about['cpu']}, {about['memory_gb']} GB, Linux {about['kernel']},"
        f" Python {about['python']}; 4 kB are on its disk after {about['sync_ms']} ms.",
        "",
        "| what | measured | goal | load before |",
        "|---|---|---|---|",
    ]
    for name, rows in ROWS.items():
        if name in results:
            found = rows(results[name])
            lines += [
                f"| {what} | {said} | {goal} | {results[name]['load_before'] if not number else ''} |"
                for number, (what, said, goal) in enumerate(found)
            ]
    return "\n".join(lines) + "\n"

"""How long ``serve`` takes until it listens, and the memory that it holds when nobody is there."""

import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.programs import memory_bytes, product

IDLE_SECONDS = 3


def startup(folder: Path, *, rounds: int = 3) -> dict[str, Any]:
    """Seconds with a new data folder and with one that is there, MB when idle; without workers, medians."""
    new, again, idle = [], [], []
    for turn in range(rounds):
        for taken in (new, again):
            began = time.perf_counter()
            with product(folder / f"startup-{turn}") as program:
                taken.append(program.ready_at - began)
                time.sleep(IDLE_SECONDS)
                idle.append(memory_bytes(program.pid))
    return {
        "new_folder_s": round(median(new), 2),
        "existing_folder_s": round(median(again), 2),
        "idle_mb": round(median(idle) / 1e6, 1),
    }

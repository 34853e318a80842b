"""``python -m benchmarks``: events and chunks beside the bare program, as JSON."""

import json
import tempfile
from pathlib import Path

from benchmarks import ingest


def main() -> None:
    """Measure in a folder of its own and print."""
    with tempfile.TemporaryDirectory() as folder:
        results = {"events": ingest.events(Path(folder) / "events"), "chunks": ingest.chunks(Path(folder) / "chunks")}
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()

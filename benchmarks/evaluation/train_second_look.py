"""``python -m benchmarks.evaluation.train_second_look FOLDER``: fit the second look's network (``second_look.onnx``).

Needs ``pip install torch onnx`` besides what the project needs. FOLDER holds ``background/`` with pictures of people and
rooms without phones and books, and may hold ``phone/``, ``book/`` and ``other/`` with cut-outs, and ``coco/`` with
``instances.json`` and ``images/``. A file's name up to a double hyphen says its source: ``desk--1.jpg`` and ``desk--2.jpg``
are of one. The drawn things of ``drawing/`` are added, as many as there are cut-outs and half as many again.

Things are laid before backgrounds, turned and at a slant, most of them in a hand, and taken by a cheap camera; photographs
with labels are framed anew so that the thing has the size it has in service, and other things are laid over the phones in
them, for else whatever a hand holds would be a phone. Then the detector's own suspects are taken, as in service, and the
true places, a little off. What is fitted is the detector's body from its middle on, with a hidden layer behind it, to views
that are turned, shifted, lit and blurred anew each time they are seen. No source counts by the number of its pictures, but
by the root of it, and phones, books and other things count the same. A second fit goes on from the first and shows most often
what that got wrong.

With ``--report`` a fourth of the sources is held back, and it is told how well the network judges these.
"""

import argparse
import hashlib
import json
import sys
import time
from collections import Counter
from pathlib import Path

from benchmarks.evaluation.second_look import report
from benchmarks.evaluation.second_look.collect import Collector
from benchmarks.evaluation.second_look.views import held_back
from openproctor.vision.models import MODELS_DIR, shipped


def main() -> int:
    """Collect, fit, write, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=24000, help="pictures to compose")
    parser.add_argument("--passes", type=int, default=8, help="how often each view is seen")
    parser.add_argument(
        "--again", type=int, default=6, help="as many views as in so many passes, the hard ones more often"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--drawn", type=float, default=1.0, help="what a drawn thing counts, a pictured one being 1")
    parser.add_argument("--workers", type=int, default=1, help="processes that vary views")
    parser.add_argument("--threads", type=int, default=2, help="threads that compute")
    parser.add_argument("--report", action="store_true", help="hold a fourth of the sources back and judge them")
    parser.add_argument("--out", type=Path, default=MODELS_DIR / "second_look.onnx")
    given = parser.parse_args()
    try:  # not needed by the project, and asked for before anything long is begun
        from benchmarks.evaluation.second_look.export import export
        from benchmarks.evaluation.second_look.fit import Plan, fitted, said_of
        from benchmarks.evaluation.second_look.network import read
    except ImportError as error:
        print(f"{error}: pip install torch onnx", file=sys.stderr)
        return 1
    begun = time.monotonic()
    samples = Collector(given.folder, given.seed).collect(given.count)
    kinds = Counter(sample.kind for sample in samples)
    counted = ", ".join(f"{kind} {number}" for kind, number in sorted(kinds.items()))
    print(f"{len(samples)} views ({counted}), {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    kept = [sample for sample in samples if given.report and held_back(sample.source)]
    learned = [sample for sample in samples if not (given.report and held_back(sample.source))]
    plan = Plan(given.passes, given.again, given.seed, given.workers, given.threads, given.drawn)
    network = fitted(read(shipped("nanodet-g").path), learned, plan)
    if kept:
        for line in report.lines(kept, said_of(network, kept, given.workers)):
            print(line)
    export(network, given.out)
    data = given.out.read_bytes()
    entry = {"file": given.out.name, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    print(f"for the manifest: {json.dumps(entry)}")
    print(f"{time.monotonic() - begun:.0f} s in all: {given.out}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())

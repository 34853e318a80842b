"""A load run at a real server: what it reports is what happened."""

import json

import pytest

from openproctor.simulation.load import Plan, Report, SimulationError, is_loopback, percentiles, run_load
from openproctor.simulation.load_candidate import Mischief
from tests.live import LiveServer

ROUGH = Mischief(repeated=0.3, late=0.3, reordered=0.3, by_http=0.1, cuts_per_hour=400)


@pytest.fixture(scope="module")
def rough_run(server: LiveServer) -> Report:
    """Thirty candidates on bad lines for some seconds."""
    plan = Plan(30, 6, events_per_s=2, chunks_per_s=4, mischief=ROUGH)
    report = run_load(server.url, server.key, plan=plan)
    print(report.as_text())
    return report


def test_nothing_is_lost_or_repeated_on_bad_lines(rough_run: Report) -> None:
    assert (rough_run.lost, rough_run.repeated, rough_run.refused, rough_run.gave_up) == (0, 0, 0, 0)
    assert rough_run.sent == rough_run.acknowledged == rough_run.stored > 300
    assert rough_run.completed == 30
    assert rough_run.problems == {}


def test_the_lines_were_really_bad(rough_run: Report) -> None:
    line = rough_run.line
    assert min(line["sent_again"], line["late"], line["reordered"], line["by_http"], line["cuts"]) > 0
    # a line that is lost at the very end is not needed again
    assert 30 < line["connections"] <= 30 + line["lost_lines"] <= 30 + line["cuts"]


def test_chunks_are_read_back_with_their_bytes(rough_run: Report) -> None:
    chunks = rough_run.chunks
    assert rough_run.recording == 8
    assert chunks["sent"] == chunks["acknowledged"] == chunks["stored"] >= 8 * 3
    assert (chunks["lost"], chunks["repeated"], chunks["changed"]) == (0, 0, 0)


def test_times_of_acknowledgements_are_reported(rough_run: Report) -> None:
    times = rough_run.ack_ms
    assert 0 < times["p50"] <= times["p95"] <= times["p99"] <= times["most"]
    assert times["count"] > 100


def test_the_command_prints_json_and_ends_well(server: LiveServer) -> None:
    run = ["simulate", "--url", server.url, "--key", server.key, "--candidates", "3", "--seconds", "3", "--json"]
    report = json.loads(server.run(*run))
    assert (report["lost"], report["repeated"], report["completed"]) == (0, 0, 3)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://203.0.113.7:8000", "not this machine"),
        ("ftp://127.0.0.1", "not an address"),
        ("127.0.0.1:8000", "not an address"),
        ("http://127.0.0.1:1", "No OpenProctor server answers"),
    ],
)
def test_an_address_that_is_not_ours_or_not_there_is_said_so(url: str, words: str) -> None:
    with pytest.raises(SimulationError, match=words):
        run_load(url, "op_nothing", candidates=1, seconds=1)


def test_a_wrong_key_is_said_so(server: LiveServer) -> None:
    with pytest.raises(SimulationError, match="API key"):
        run_load(server.url, "op_nothing", candidates=1, seconds=1)


def test_too_many_candidates_are_said_so() -> None:
    with pytest.raises(SimulationError, match="expected 1 to"):
        run_load("http://127.0.0.1:1", "op_nothing", candidates=1_000_000, seconds=1)


def test_only_this_machine_counts_as_loopback() -> None:
    assert is_loopback("127.0.0.1")
    assert is_loopback("::1")
    assert not is_loopback("203.0.113.7")
    assert not is_loopback("no-such-host.invalid")


def test_percentiles_of_nothing_are_zeros() -> None:
    assert percentiles([]) == {"p50": 0.0, "p95": 0.0, "p99": 0.0, "most": 0.0, "count": 0}
    assert percentiles([float(n) for n in range(1, 101)])["p95"] == pytest.approx(95, abs=0.1)

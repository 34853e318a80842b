"""``openproctor demo``: the server with a sample exam, one finished sample session, and links to try it.

The sample session is made by really running the pipeline: a synthetic candidate joins over the network, sends
recordings of public-domain pictures, and the server's own worker finds what is in them.
"""

import asyncio
import itertools
import json
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from openproctor.assembly import Platform
from openproctor.config import Settings
from openproctor.server import run_server
from openproctor.sessions.states import OVER
from openproctor.simulation.demo import CANDIDATE, SAMPLE_EXAM

EMAIL = "demo@openproctor.example"
ORGANIZATION = "Sample University"


def _credentials(folder: Path) -> dict[str, str]:
    """Password and key of the demo: made once, readable by the owner only, so that a second run needs no new ones."""
    path = folder / "demo.json"
    if path.exists():
        found: dict[str, str] = json.loads(path.read_text())
        return found
    made = {"password": secrets.token_urlsafe(12), "key": ""}
    _keep(path, made)
    return made


def _keep(path: Path, values: dict[str, str]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(values, file)


async def _prepare(settings: Settings) -> tuple[dict[str, str], str, bool]:
    """Organization, person, key, exam; returns the credentials, a candidate's link path, and whether a sample session is needed."""
    platform = Platform(settings)
    await platform.open()
    try:
        credentials = await asyncio.to_thread(_credentials, settings.data_dir)
        organization = await platform.accounts.default_organization()
        await platform.accounts.rename(organization.id, ORGANIZATION)
        await platform.accounts.set_person(organization.id, EMAIL, "Demo Reviewer", credentials["password"])
        if not credentials["key"] or not await platform.accounts.key_owner(credentials["key"]):
            credentials["key"] = await platform.accounts.create_key(organization.id, "demo")
            await asyncio.to_thread(_keep, settings.data_dir / "demo.json", credentials)
        exams = await platform.exams.all(organization.id)
        title, url = SAMPLE_EXAM["title"], SAMPLE_EXAM["url"]
        exam = next((e for e in exams if e.title == title and e.url == url), None)
        if exam is None:
            exam = await platform.exams.create(organization.id, title, url, _policy())
        link = await _free_link(platform, exam)
        sample = await platform.sessions.repository.find(exam.id, CANDIDATE["external_id"], 1)
        return credentials, link, sample is None or sample.state != "completed"
    finally:
        await platform.close()


def _policy() -> Any:
    from openproctor.exams.policy import Policy

    return Policy.model_validate(SAMPLE_EXAM.get("policy", {}))


async def _free_link(platform: Platform, exam: Any) -> str:
    """A join link to an attempt that is not over, so that every start of the demo can be tried."""
    for attempt in itertools.count(1):
        session, _ = await platform.sessions.create(exam, "you", "Alex Example", None, attempt)
        if session.state not in OVER:
            return platform.sessions.join_url(session, "")
    raise AssertionError("attempts have no end")


def run_demo(settings: Settings) -> None:
    """Prepare, make the sample session the first time, then serve."""
    settings.data_dir = settings.data_dir.resolve()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    credentials, link, sample_needed = asyncio.run(_prepare(settings))
    console = Console(stderr=False)
    if sample_needed:
        _make_sample(settings, credentials["key"], console)

    async def after_start(url: str) -> None:
        console.rule("OpenProctor is running")
        for words, text in (
            ("Sit the sample exam (needs a camera and a microphone):", f"{url}{link}"),
            ("Review sessions:", f"{url}/console/"),
            ("Sign in with:", f"{EMAIL}   password {credentials['password']}"),
        ):
            console.print(f"\n{words}", style="bold")
            # a link must stay in one piece to be copied
            console.print(text, soft_wrap=True, markup=False, highlight=False)
        console.print(
            f"\nStop with Ctrl+C. Everything is kept in {settings.data_dir}\n", soft_wrap=True, highlight=False
        )

    run_server(settings, after_start)


def _make_sample(settings: Settings, key: str, console: Console) -> None:
    """Let a process of its own make the sample session; if that fails, everything else still works."""
    command = [sys.executable, "-m", "openproctor.sample", str(settings.data_dir), key]
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    console.print("Making a finished sample session. This takes about half a minute, only the first time.")
    done = False
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("Starting", total=1.0)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 -- our own module
            for line in process.stdout or ():
                share, _, words = line.strip().partition(" ")
                progress.update(task, completed=float(share), description=words)
                done = words == "done"
    if not done:
        console.print("The sample session could not be made; the console begins empty.", style="yellow")

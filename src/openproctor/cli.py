"""The command: serve, worker, demo, keys, people, analyze, verify, backup, simulate."""

import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from openproctor import __version__

cli = typer.Typer(
    name="openproctor", help="Self-hosted proctoring of online exams.", no_args_is_help=True, add_completion=False
)
keys = typer.Typer(help="API keys.", no_args_is_help=True)
people = typer.Typer(help="People who sign in to the console.", no_args_is_help=True)
cli.add_typer(keys, name="keys")
cli.add_typer(people, name="people")

errors = Console(stderr=True)
DataDir = Annotated[Path | None, typer.Option("--data", help="Folder for database, media and secrets.")]


def _settings(**values: Any) -> Any:
    from openproctor.config import Settings

    return Settings(**{name: value for name, value in values.items() if value is not None})


def _fail(message: str, code: int = 2) -> typer.Exit:
    errors.print(message, style="red", markup=False, highlight=False, soft_wrap=True)
    return typer.Exit(code)


@cli.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


@cli.command()
def serve(
    data: DataDir = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
) -> None:
    """Start the server. A new data folder is initialised by itself."""
    from openproctor.server import run_server

    run_server(_settings(data_dir=data, host=host, port=port))


@cli.command()
def worker(
    data: DataDir = None,
    metrics_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Serve Prometheus metrics at this port of this machine.")
    ] = None,
) -> None:
    """Analyse stored recordings. The server starts one by itself; more may run beside it."""
    from prometheus_client import start_http_server

    from openproctor.server import run_worker

    if metrics_port is not None:
        try:
            start_http_server(metrics_port, addr="127.0.0.1")
        except OSError as error:
            raise _fail(f"Metrics cannot be served at port {metrics_port}: {error}.") from None
    run_worker(_settings(data_dir=data))


@cli.command()
def demo(
    data: DataDir = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
) -> None:
    """Start the server with a sample exam, a finished sample session, and links to try it."""
    from openproctor.demo import run_demo

    run_demo(_settings(data_dir=data or Path("var/demo"), host=host, port=port))


@keys.command("create")
def create_key(name: Annotated[str, typer.Option(help="What the key is for.")], data: DataDir = None) -> None:
    """Print a new API key, alone. It is shown only once; the server may be running."""

    async def work(platform: Any) -> str:
        organization = await platform.accounts.default_organization()
        secret: str = await platform.accounts.create_key(organization.id, name)
        return secret

    typer.echo(_with_platform(data, work))


@people.command("set")
def set_person(
    email: Annotated[str, typer.Option(help="E-mail address to sign in with.")],
    name: Annotated[str, typer.Option(help="Name that others see.")],
    data: DataDir = None,
) -> None:
    """Create a person, or set a new password for one. The password is asked for, or read from a pipe."""
    from openproctor.errors import Problem

    if sys.stdin.isatty():
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\n")

    async def work(platform: Any) -> None:
        organization = await platform.accounts.default_organization()
        await platform.accounts.set_person(organization.id, email, name, password)

    try:
        _with_platform(data, work)
    except Problem as problem:
        raise _fail(f"{problem.title}. {problem.detail}") from None
    typer.echo(f"{email} can sign in now.")


def _with_platform(data: Path | None, work: Any) -> Any:
    from openproctor.assembly import Platform
    from openproctor.storage.database import DatabaseUnusable

    async def run() -> Any:
        platform = Platform(_settings(data_dir=data))
        await platform.open()
        try:
            return await work(platform)
        finally:
            await platform.close()

    try:
        return asyncio.run(run())
    except DatabaseUnusable as error:
        raise _fail(str(error)) from None


@cli.command()
def analyze(
    file: Annotated[Path | None, typer.Argument(help="A recorded video file.", show_default=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a finding, one a line.")] = False,
    runtime: Annotated[str | None, typer.Option(help="Inference runtime: openvino or onnxruntime.")] = None,
    objects: Annotated[str | None, typer.Option(help="Object detector: nanodet, yolox:FILE or nanodet:FILE.")] = None,
    partial: Annotated[bool, typer.Option("--partial", help="Look at what can be read of a damaged file.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Analyse a finished session again and compare: exit 0 same, 1 different.")
    ] = False,
    session: Annotated[str | None, typer.Option(help="With --check: id of a session in the data folder.")] = None,
    bundle: Annotated[Path | None, typer.Option(help="With --check: a session's bundle; needs no server.")] = None,
    key: Annotated[str | None, typer.Option(help="Public sealing key (hex) that must have sealed the bundle.")] = None,
    data: DataDir = None,
) -> None:
    """Find in a recorded video what the server would find: a file in, findings out.

    With --check: analyse the stored recording of a finished session once more, by the same rules and settings, and compare
    with its log, finding by finding. Exit 0: the same. Exit 1: different, with what differs. Exit 2: cannot be checked.
    """
    from openproctor.analysis.analyze import AnalyzeError, analyze_file
    from openproctor.catalog import CATALOG
    from openproctor.exams.policy import Policy

    if [file is not None, session is not None, bundle is not None].count(True) != 1:
        raise _fail("Give one thing to look at: a FILE, or --session or --bundle with --check.")
    if check != (file is None):
        raise _fail("A session or a bundle is checked with --check; a file has nothing to be checked against.")
    settings = _settings(analysis_runtime=runtime, analysis_objects=objects)
    if file is None:
        _check(session, bundle, key, data, runtime, settings, as_json)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    try:
        with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
            task = progress.add_task(f"Looking at {file.name}", total=1.0)
            findings = analyze_file(
                file,
                Policy(),
                lambda fraction: progress.update(task, completed=fraction),
                runtime=settings.analysis_runtime,
                objects=settings.analysis_objects,
                partial=partial,
            )
    except AnalyzeError as error:
        raise _fail(str(error)) from None
    for finding in findings:
        name = CATALOG.name(finding.type_id)
        if as_json:
            row = {
                "type_id": finding.type_id,
                "name": name,
                "at": finding.at,
                "until": finding.until,
                "score": finding.score,
                "data": finding.data,
            }
            typer.echo(json.dumps(row, ensure_ascii=False))
        else:
            until = f"{finding.until:9.2f}" if finding.until is not None else " " * 9
            typer.echo(f"{finding.at:9.2f} s – {until} s  {finding.type_id:5} {name}  ({finding.score:.2f})")
    if not findings and not as_json:
        typer.echo("Nothing found.")


def _check(
    session: str | None,
    bundle: Path | None,
    key: str | None,
    data: Path | None,
    runtime: str | None,
    settings: Any,
    as_json: bool,
) -> None:
    from openproctor.analysis.material import CannotCheck, bundled_session, stored_session
    from openproctor.analysis.recheck import installed, recheck
    from openproctor.errors import Problem
    from openproctor.eventlog.verify import Broken, NotABundle

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task("Analysing again", total=1.0)

        async def again(material: Any) -> Any:
            detectors = installed(material, settings, runtime)
            return await recheck(material, detectors, lambda fraction: progress.update(task, completed=fraction))

        async def stored(platform: Any) -> Any:
            return await again(await stored_session(platform, str(session)))

        try:
            if bundle is None:
                report = _with_platform(data, stored)
            elif not bundle.is_file():
                raise _fail(f"There is no file {bundle}.")
            else:
                report = asyncio.run(again(bundled_session(bundle, key)))
        except Broken as broken:
            raise _fail(f"The bundle is BROKEN, so it is not analysed: {broken}", 1) from None
        except (CannotCheck, NotABundle, Problem) as error:
            raise _fail(str(error)) from None
    typer.echo(json.dumps(report.as_dict(), ensure_ascii=False) if as_json else report.as_text())
    if not report.same:
        raise typer.Exit(1)


@cli.command()
def verify(
    bundle: Annotated[
        str, typer.Argument(help="A bundle file, or the id of a session in the data folder.", show_default=False)
    ],
    data: DataDir = None,
    key: Annotated[str | None, typer.Option(help="Public sealing key (hex) that must have sealed it.")] = None,
) -> None:
    """Check that nothing of a session was changed, removed or put in: exit 0, or 1 and the first thing that does not fit."""
    from openproctor.errors import Problem
    from openproctor.eventlog.verify import Broken, NotABundle, verify_bundle
    from openproctor.ids import is_id

    path = Path(bundle)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    try:
        with tempfile.TemporaryDirectory() as folder:
            if is_id(bundle) and not path.exists():
                path = Path(folder) / "bundle.tar"
                _with_platform(data, lambda platform: platform.bundles.write(bundle, path))
            if not path.is_file():
                raise _fail(f"There is no file {bundle}.")
            with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
                task = progress.add_task("Verifying", total=1.0)
                summary = verify_bundle(path, key=key, progress=lambda f: progress.update(task, completed=f))
    except Broken as broken:
        raise _fail(f"BROKEN: {broken}", 1) from None
    except (NotABundle, Problem) as error:
        raise _fail(str(error)) from None
    typer.echo(str(summary))


@cli.command()
def backup(
    folder: Annotated[Path, typer.Argument(help="Where the copy goes; an earlier one there is brought up to date.")],
    data: DataDir = None,
) -> None:
    """Copy database, recordings and keys while the server runs. The copy is a data folder: serve it to restore it."""
    from openproctor.storage.backup import BackupImpossible, back_up
    from openproctor.storage.objects import media_folder

    settings = _settings(data_dir=data)
    media = media_folder(settings.media_url, settings.data_dir)
    if settings.database_path is None or media is None:
        raise _fail(
            "Database or recordings are not in the data folder. Copy them with the tools of PostgreSQL and of the S3 store, "
            "the database first: docs/operations.md says how."
        )
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as shown:
        task = shown.add_task("Copying", total=1.0)
        try:
            copied = back_up(
                settings.data_dir,
                folder,
                database=settings.database_path,
                media=media,
                progress=lambda what, share: shown.update(task, description=what, completed=share),
            )
        except (BackupImpossible, OSError) as error:
            raise _fail(str(error)) from None
    typer.echo(str(copied))
    names = [f"OPENPROCTOR_{name}" for name in ("DATABASE_URL", "MEDIA_URL") if getattr(settings, name.lower())]
    unset = f", with {' and '.join(names)} unset" if names else ""
    typer.echo(f"To use it{unset}: openproctor serve --data {folder}")


@cli.command()
def simulate(
    url: Annotated[str, typer.Option(help="Address of a running server.")],
    key: Annotated[str, typer.Option(help="API key.", envvar="OPENPROCTOR_KEY")],
    candidates: Annotated[int, typer.Option(min=1, help="How many synthetic candidates.")] = 10,
    seconds: Annotated[int, typer.Option(min=1, help="How long each of them sits the exam, seconds.")] = 30,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as one JSON object.")] = False,
    allow_remote: Annotated[bool, typer.Option(help="Allow a server that is not on this machine.")] = False,
) -> None:
    """Let synthetic candidates sit an exam over real sockets, and count what was lost or repeated."""
    from openproctor.simulation.load import SimulationError, run_load

    try:
        report = run_load(
            url, key, candidates=candidates, seconds=seconds, allow_remote=allow_remote, progress=errors.is_terminal
        )
    except SimulationError as error:
        raise _fail(str(error)) from None
    typer.echo(json.dumps(report.as_dict()) if as_json else report.as_text())
    if report.lost or report.repeated:
        raise typer.Exit(1)


def main() -> None:
    """Entry of the command."""
    cli()

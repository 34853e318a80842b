"""The processes: the server, with its workers beside it."""

import asyncio
import contextlib
import gc
import json
import logging
import os
import signal
import socket
import sys
from typing import Any

import structlog
import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from openproctor.clock import now_ms
from openproctor.config import Settings
from openproctor.storage.database import DatabaseUnusable

logger = structlog.get_logger(__name__)

BACKLOG = 4096
WORKER_SECONDS = 5.0
LATE_BYTES = 256 * 1024  # what may still be on its way when we close a socket


class _Said:
    """Standard error, which may be a file on a disk that is full: what cannot be said is not said, the work goes on."""

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            return sys.stderr.write(text)
        return 0

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            sys.stderr.flush()


def set_up_logging(settings: Settings) -> None:
    """Plain lines for people, JSON lines for machines; the same for libraries."""
    level = getattr(logging, settings.log_level.upper(), logging.INFO)
    said: Any = _Said()
    renderer: Any = (
        structlog.processors.JSONRenderer() if settings.log_json else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(said),
    )
    logging.basicConfig(
        level=max(level, logging.WARNING), stream=said, format="%(asctime)s [%(levelname)s] %(name)s: %(message)s"
    )


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise SystemExit(
            f"Cannot listen on {settings.host} port {settings.port}: {error.strerror}. "
            "Stop what uses it, or choose another one with --port."
        ) from None
    return listener


class SocketProtocol(WebSocketsSansIOProtocol):
    """Ends connections that uvicorn would keep for ever: of a page that goes on sending after we closed it, and of one
    that takes nothing of what we send. Whoever wants to send waits for such a page, and a close frame waits as well.
    """

    deaf_seconds = 12.5
    _late = 0
    _deaf: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        if self.close_sent:
            self._late += len(data)
            if self._late > LATE_BYTES:
                self.transport.abort()
                return
        super().data_received(data)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._deaf = self.loop.call_later(self.deaf_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        self._hears()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._hears()
        super().connection_lost(exc)

    def _hears(self) -> None:
        if self._deaf is not None:
            self._deaf.cancel()
            self._deaf = None

    async def send(self, message: Any) -> None:
        await super().send(message)
        if message["type"] == "websocket.close" and self.close_timer is not None:
            # a close waits for what is still to be sent, which a page that never reads never takes
            self.close_timer.cancel()
            self.close_timer = self.loop.call_later(self.close_timeout, self.transport.abort)


class Server(uvicorn.Server):
    """uvicorn, with a note in the data folder of where it listens, and workers beside it."""

    def __init__(
        self, config: uvicorn.Config, settings: Settings, url: str, port: int, after_start: Any = None
    ) -> None:
        super().__init__(config)
        self.unusable: Exception | None = None
        self._settings = settings
        self._url = url
        self._port = port
        self._after_start = after_start
        self._tasks: list[asyncio.Task[None]] = []

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        app: Any = self.config.app
        try:
            await app.state.platform.open()
        except (DatabaseUnusable, ValueError) as error:
            # said in a line by whoever started us; uvicorn would print where in its code that happened
            self.unusable = error
            self.should_exit = True
            return
        await super().startup(sockets)
        if self.should_exit:
            return
        # what is there now stays: looking through it for garbage again and again would hold up everybody for a while
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 20)
        note = self._settings.data_dir / "serve.json"
        temporary = note.with_suffix(".new")
        temporary.write_text(json.dumps({"pid": os.getpid(), "port": self._port, "url": self._url}))
        temporary.replace(note)
        logger.info("listening", url=self._url, data=str(self._settings.data_dir))
        self._tasks = [
            asyncio.create_task(keep_worker(self._settings, number)) for number in range(self._settings.workers)
        ]
        if self._after_start:
            self._tasks.append(asyncio.create_task(self._after_start(self._url)))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(OSError):
            (self._settings.data_dir / "serve.json").unlink()
        await super().shutdown(sockets)


async def keep_worker(settings: Settings, number: int) -> None:
    """Run a worker process, and start it again when it dies."""
    environment = {
        **os.environ,
        "OPENPROCTOR_DATA_DIR": str(settings.data_dir),
        "OPENPROCTOR_PARENT": str(os.getpid()),
        "OMP_NUM_THREADS": "1",
    }
    while True:
        started = now_ms()
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "openproctor", "worker", env=environment
            )
        except OSError as error:
            # no memory or no process to be had just now: it may do better in a moment
            logger.error("a worker could not be started and is tried again", worker=number, error=str(error))
            await asyncio.sleep(WORKER_SECONDS)
            continue
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(5):
                    await process.wait()
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            raise
        logger.warning("a worker ended and is started again", worker=number, code=code)
        # one that dies at once must not take the machine with it
        await asyncio.sleep(1 if now_ms() - started > 10_000 else WORKER_SECONDS)


def run_server(settings: Settings, after_start: Any = None) -> None:
    """Serve until told to stop."""
    from openproctor.app import create_app

    set_up_logging(settings)
    settings.data_dir = settings.data_dir.resolve()
    listener = _listen(settings)
    port = listener.getsockname()[1]
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104
    shown = f"[{host}]" if ":" in host else host
    url = (settings.public_url or f"http://{shown}:{port}").rstrip("/")
    try:
        app = create_app(settings)
    except (DatabaseUnusable, ValueError) as error:
        raise SystemExit(str(error)) from None
    SocketProtocol.deaf_seconds = settings.heartbeat_limit_ms / 1000
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws=SocketProtocol,
        ws_max_size=settings.max_batch_bytes,
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        backlog=BACKLOG,
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=5,
        lifespan="on",
    )
    server = Server(config, settings, url, port, after_start)
    server.run(sockets=[listener])
    if server.unusable:
        raise SystemExit(str(server.unusable))


def run_worker(settings: Settings) -> None:
    """Analyse until told to stop, or until the server that started us is gone."""
    from openproctor.analysis.worker import work
    from openproctor.assembly import Platform

    set_up_logging(settings)
    settings.data_dir = settings.data_dir.resolve()
    parent = int(os.environ.get("OPENPROCTOR_PARENT", "0"))

    async def run() -> None:
        try:
            platform = Platform(settings)
            await platform.open()
        except (DatabaseUnusable, ValueError) as error:
            raise SystemExit(str(error)) from None
        task = asyncio.create_task(work(platform, settings))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, task.cancel)
        watch = asyncio.create_task(_follow(parent, task)) if parent else None
        try:
            await task
        except asyncio.CancelledError:
            pass
        finally:
            if watch:
                watch.cancel()
            await platform.close()

    asyncio.run(run())


async def _follow(parent: int, task: "asyncio.Task[None]") -> None:
    """End with the process that started us, also when it was killed."""
    while os.getppid() == parent:  # noqa: ASYNC110 -- nothing tells a process that its parent died
        await asyncio.sleep(1)
    task.cancel()

"""Puts the parts together: which engines, which services. Used by the server, the worker and the command line."""

import asyncio
from functools import partial
from urllib.parse import urlsplit

from starlette.requests import Request

from openproctor.accounts.principal import TokenCache
from openproctor.accounts.repository import AccountRepository
from openproctor.accounts.service import Accounts
from openproctor.accounts.signing import Signer, load_secret
from openproctor.captures.repository import CaptureRepository
from openproctor.captures.service import Captures
from openproctor.config import Settings
from openproctor.eventlog.repository import EventRepository
from openproctor.eventlog.seal import SealingKey
from openproctor.eventlog.writer import LogWriter
from openproctor.exams.service import Exams
from openproctor.integrations.bundle import Bundles
from openproctor.media.holes import holes
from openproctor.media.repository import ChunkRepository
from openproctor.media.service import Media
from openproctor.sessions.presence import PresenceKeeper
from openproctor.sessions.repository import SessionRepository
from openproctor.sessions.room import Rooms
from openproctor.sessions.sealing import Sealer
from openproctor.sessions.service import Sessions
from openproctor.sessions.timekeeper import Timekeeper
from openproctor.storage.database import Database
from openproctor.storage.engines import open_bus, open_objects


class Platform:
    """All services over the engines that the settings name."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._opened = False
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        self.database = Database(settings.database)
        self.objects = open_objects(
            settings.media_url, settings.data_dir, settings.media_access_key, settings.media_secret_key
        )
        self.bus = open_bus(settings.bus_url, settings.data_dir)
        self.signer = Signer(load_secret(settings))
        self.tokens = TokenCache(self.signer)
        self.log = LogWriter(
            self.database.log,
            self.bus,
            max_waiting=settings.max_waiting_entries,
            max_commit=settings.max_commit_entries,
        )
        self.accounts = Accounts(AccountRepository(self.database), sign_in_ms=settings.sign_in_hours * 3_600_000)
        self.exams = Exams(self.database)
        self.events = EventRepository(self.database)
        self.sessions = Sessions(
            SessionRepository(self.database), self.events, self.log, self.bus, self.signer, settings
        )
        self.presence = PresenceKeeper(self.sessions, self.bus, settings)
        self.timekeeper = Timekeeper(self.sessions, self.presence, settings)
        self.rooms = Rooms(self.sessions, self.accounts)
        self.media = Media(ChunkRepository(self.database), self.log, self.objects, settings)
        self.captures = Captures(CaptureRepository(self.database), self.log, self.objects, self.signer, settings)
        self.sealer = Sealer(self.database, self.events, SealingKey.load(settings.data_dir))
        self.bundles = Bundles(self.database, self.objects, self.sealer)
        self._connect()

    def _connect(self) -> None:
        """Lower floors ask upper ones only through what is registered here."""
        self.sessions.missing_chunks = self.media.missing
        self.sessions.confirm_evidence = self.captures.confirm_evidence
        self.sessions.confirm.update(
            {
                13: self.media.confirm_recording,
                26: self.captures.confirm_camera,
                145: self.captures.confirm_still,
                146: self.captures.confirm_still,
            }
        )
        self.sessions.completed.append(self.sealer.seal)
        self.sessions.gaps = partial(holes, self.media.repository, self.events)
        self.timekeeper.last_received = self.media.last_received
        self.rooms.last_chunks = self.media.last_chunks
        self.rooms.direct_upload = self.settings.media_direct

    async def open(self) -> None:
        """Bring the schema up to date and begin to write; does nothing the second time."""
        if self._opened:
            return
        self._opened = True
        await asyncio.to_thread(self.database.prepare)
        await self.objects.check()
        await self.bus.start()
        await self.accounts.default_organization()
        self.log.start()

    async def serve(self) -> None:
        """Begin what only the server does: presence and the exams' clock."""
        await self.sessions.known.start()
        await self.presence.start()
        await self.timekeeper.start()

    async def close(self) -> None:
        """Write what waits and let go of everything."""
        await self.timekeeper.close()
        await self.presence.close()
        await self.sessions.known.close()
        await self.log.close()
        await self.bus.close()
        await self.objects.close()
        await self.database.close()

    @property
    def secure(self) -> bool:
        """Whether browsers reach us over HTTPS."""
        return (self.settings.public_url or "").startswith("https://")

    def base_url(self, request: Request) -> str:
        """Address under which browsers reach us."""
        return (self.settings.public_url or str(request.base_url)).rstrip("/")

    def is_own_origin(self, origin: str, host: str) -> bool:
        """Whether a browser's Origin header names us."""
        netloc = urlsplit(origin).netloc
        public = urlsplit(self.settings.public_url).netloc if self.settings.public_url else None
        return bool(netloc) and netloc in (host, public)

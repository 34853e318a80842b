"""Queries of organizations, people, keys and sign-ins."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, delete, insert, select, update

from openproctor.accounts.models import api_keys, organizations, people, sign_ins
from openproctor.errors import Problem
from openproctor.storage.database import Database


@dataclass(frozen=True, slots=True)
class Organization:
    """An organization: everything else belongs to one."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the staff."""

    id: str
    organization_id: str
    email: str
    name: str
    password_hash: str


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key, without its secret."""

    id: str
    organization_id: str
    name: str


_PERSON = (people.c.id, people.c.organization_id, people.c.email, people.c.name, people.c.password_hash)


class AccountRepository:
    """Reads and writes the accounts' tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def _one(self, query: Select[Any]) -> Any:
        async with self._database.read() as connection:
            return (await connection.execute(query)).first()

    async def first_organization(self) -> Organization | None:
        row = await self._one(
            select(organizations.c.id, organizations.c.name).order_by(organizations.c.created_at).limit(1)
        )
        return Organization(*row) if row else None

    async def organization(self, organization_id: str) -> Organization:
        row = await self._one(
            select(organizations.c.id, organizations.c.name).where(organizations.c.id == organization_id)
        )
        return Organization(*row)

    async def add_organization(self, id: str, name: str, now: int) -> Organization:
        async with self._database.write() as connection:
            first = (await connection.execute(select(organizations.c.id, organizations.c.name).limit(1))).first()
            if first:  # another process was quicker
                return Organization(*first)
            await connection.execute(insert(organizations).values(id=id, name=name, created_at=now))
        return Organization(id, name)

    async def rename(self, organization_id: str, name: str) -> None:
        async with self._database.write() as connection:
            await connection.execute(
                update(organizations).where(organizations.c.id == organization_id).values(name=name)
            )

    async def add_key(self, id: str, organization_id: str, name: str, digest: bytes, now: int) -> None:
        async with self._database.write() as connection:
            await connection.execute(
                insert(api_keys).values(
                    id=id, organization_id=organization_id, name=name, digest=digest, created_at=now
                )
            )

    async def key(self, digest: bytes) -> ApiKey | None:
        row = await self._one(
            select(api_keys.c.id, api_keys.c.organization_id, api_keys.c.name).where(
                api_keys.c.digest == digest, api_keys.c.revoked_at.is_(None)
            )
        )
        return ApiKey(*row) if row else None

    async def put_person(
        self, id: str, organization_id: str, email: str, name: str, password_hash: str, now: int
    ) -> Person:
        async with self._database.write() as connection:
            row = (await connection.execute(select(*_PERSON).where(people.c.email == email))).first()
            if row and row.organization_id != organization_id:
                raise Problem(409, "email-taken", "The e-mail address is taken", "It belongs to another organization.")
            if row:
                id = row.id
                await connection.execute(
                    update(people).where(people.c.id == id).values(name=name, password_hash=password_hash)
                )
            else:
                await connection.execute(
                    insert(people).values(
                        id=id,
                        organization_id=organization_id,
                        email=email,
                        name=name,
                        password_hash=password_hash,
                        created_at=now,
                    )
                )
        return Person(id, organization_id, email, name, password_hash)

    async def person_by_email(self, email: str) -> Person | None:
        row = await self._one(select(*_PERSON).where(people.c.email == email))
        return Person(*row) if row else None

    async def add_sign_in(self, digest: bytes, organization_id: str, person_id: str, expires_at: int, now: int) -> None:
        async with self._database.write() as connection:
            await connection.execute(delete(sign_ins).where(sign_ins.c.expires_at < now))
            await connection.execute(
                insert(sign_ins).values(
                    digest=digest, organization_id=organization_id, person_id=person_id, expires_at=expires_at
                )
            )

    async def person_by_sign_in(self, digest: bytes, now: int) -> Person | None:
        row = await self._one(
            select(*_PERSON)
            .join(sign_ins, sign_ins.c.person_id == people.c.id)
            .where(sign_ins.c.digest == digest, sign_ins.c.expires_at > now)
        )
        return Person(*row) if row else None

    async def remove_sign_in(self, digest: bytes) -> None:
        async with self._database.write() as connection:
            await connection.execute(delete(sign_ins).where(sign_ins.c.digest == digest))

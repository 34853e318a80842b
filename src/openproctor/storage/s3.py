"""Objects in an S3 store, through obstore.

The store acknowledges a ``put`` once it keeps the bytes; how many copies that means is the store's own setting. The
request is signed with the digest of its body, so what arrives damaged is refused there.
"""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from openproctor.storage.objects import ObjectsUnusable, check_sha256, checked_key, logger, objects_away

# a page keeps a chunk until it is stored, so give up before the page does and let it come again
REQUEST_SECONDS = 15
RETRY_SECONDS = 10
_KNOWN = {"endpoint", "region", "public", "style"}
_TYPES = {".mp4": "video/mp4", ".webm": "video/webm"}


class S3Objects:
    """See :class:`openproctor.storage.objects.Objects`.

    ``s3://BUCKET[/PREFIX]?endpoint=URL&region=NAME&public=URL&style=path|host``: ``public`` is the endpoint as browsers
    reach it, where that differs. Without keys, those of the environment or of the machine are taken, as AWS tools do.
    """

    def __init__(self, url: str, access_key: str | None = None, secret_key: str | None = None) -> None:
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query))
        if parts.username or parts.password:
            raise ObjectsUnusable("MEDIA_URL holds a key: put it into MEDIA_ACCESS_KEY and MEDIA_SECRET_KEY instead.")
        if not parts.netloc or set(options) - _KNOWN:
            raise ObjectsUnusable(
                f"MEDIA_URL is not understood; expected s3://BUCKET/PREFIX?{'&'.join(f'{name}=…' for name in sorted(_KNOWN))}."
            )
        if bool(access_key) != bool(secret_key):
            raise ObjectsUnusable("Of MEDIA_ACCESS_KEY and MEDIA_SECRET_KEY only one is set: set both or none.")
        self._bucket = parts.netloc
        self._prefix = parts.path.strip("/")
        self._keys: dict[str, Any] = (
            {"access_key_id": access_key, "secret_access_key": secret_key} if access_key else {}
        )
        self._style = options.get("style", "path") == "host"
        self._region = options.get("region", "us-east-1")
        self._shown = f"s3://{self._bucket} at {options.get('endpoint', 'AWS')}"
        self._store = self._open(options.get("endpoint"))
        self._signer = self._open(options["public"]) if "public" in options else self._store
        self._public = urlsplit(options.get("public") or options.get("endpoint") or self._aws())

    def _aws(self) -> str:
        host = f"s3.{self._region}.amazonaws.com"
        return f"https://{self._bucket}.{host}" if self._style else f"https://{host}"

    @property
    def public_origin(self) -> str | None:
        return f"{self._public.scheme}://{self._public.netloc}"

    def _open(self, endpoint: str | None) -> S3Store:
        more: dict[str, Any] = {"endpoint": endpoint.rstrip("/")} if endpoint else {}
        return S3Store(
            self._bucket,
            prefix=self._prefix or None,
            region=self._region,
            virtual_hosted_style_request=self._style,
            # not every store knows how to remove many objects in one request
            disable_bulk_delete=True,
            client_options={
                "allow_http": bool(endpoint and endpoint.startswith("http://")),
                "timeout": timedelta(seconds=REQUEST_SECONDS),
                "connect_timeout": timedelta(seconds=3),
            },
            retry_config={
                "max_retries": 3,
                "retry_timeout": timedelta(seconds=RETRY_SECONDS),
                "backoff": {
                    "init_backoff": timedelta(milliseconds=100),
                    "max_backoff": timedelta(seconds=2),
                    "base": 2,
                },
            },
            **more,
            **self._keys,
        )

    async def check(self) -> None:
        try:
            # what counts is that we may write; reading what is not there says little about that
            await obstore.put_async(self._store, "openproctor-check", b"", use_multipart=False)
        except (PermissionDeniedError, UnauthenticatedError, FileNotFoundError) as error:
            raise ObjectsUnusable(
                f"The store {self._shown} refuses us: {_reason(error)}. "
                "Make the bucket, or correct OPENPROCTOR_MEDIA_URL, _MEDIA_ACCESS_KEY and _MEDIA_SECRET_KEY."
            ) from error
        except (BaseError, OSError) as error:
            logger.warning("the store of recordings does not answer yet", store=self._shown, error=_reason(error))

    async def put(self, key: str, data: bytes, sha256: bytes | None = None) -> None:
        check_sha256(data, sha256)
        suffix = key[key.rfind(".") :] if "." in key else ""
        try:
            await obstore.put_async(
                self._store,
                checked_key(key),
                data,
                attributes={"Content-Type": _TYPES.get(suffix, "application/octet-stream")},
                use_multipart=False,
            )
        except (BaseError, OSError) as error:
            raise objects_away(error) from error

    async def get(self, key: str) -> bytes:
        try:
            found = await obstore.get_async(self._store, checked_key(key))
            return bytes(await found.bytes_async())
        except FileNotFoundError:
            raise KeyError(key) from None
        except (BaseError, OSError) as error:
            raise objects_away(error) from error

    async def size(self, key: str) -> int | None:
        try:
            return int((await obstore.head_async(self._store, checked_key(key)))["size"])
        except FileNotFoundError:
            return None
        except (BaseError, OSError) as error:
            raise objects_away(error) from error

    async def delete(self, key: str) -> None:
        try:
            await obstore.delete_async(self._store, checked_key(key))
        except FileNotFoundError:
            return
        except (BaseError, OSError) as error:
            raise objects_away(error) from error

    async def signed_get(self, key: str, seconds: int) -> str | None:
        return await obstore.sign_async(self._signer, "GET", checked_key(key), timedelta(seconds=seconds))

    async def signed_put(self, key: str, seconds: int) -> str | None:
        return await obstore.sign_async(self._signer, "PUT", checked_key(key), timedelta(seconds=seconds))

    async def close(self) -> None:
        """Connections end with the store."""


def _reason(error: Exception) -> str:
    """The first line of an error: what follows is how it came about inside the library."""
    return str(error).strip().splitlines()[0] if str(error).strip() else repr(error)

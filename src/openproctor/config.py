"""Settings: one object, read from the environment (prefix ``OPENPROCTOR_``) and the command line.

Every field's description goes to ``docs/configuration.md``.
"""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What an operator may set. Defaults make one machine work with no other server."""

    model_config = SettingsConfigDict(env_prefix="OPENPROCTOR_", env_file=None, extra="ignore")

    data_dir: Path = Field(Path("data"), description="Folder for the embedded database, media and secrets.")
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    public_url: str | None = Field(
        None,
        description="Address under which browsers reach the server; needed behind a proxy. Default: as listened on.",
    )
    database_url: str | None = Field(
        None,
        description="Database: `postgresql://USER:PASSWORD@HOST:5432/NAME` (13 or newer; `?sslmode=require` and other "
        "options of libpq may follow) or `sqlite:///FILE`. Default: SQLite in the data folder.",
    )
    bus_url: str | None = Field(
        None,
        description="Message bus between machines: `nats://USER:PASSWORD@HOST:4222[/NAME]`, several servers "
        "separated by commas; `NAME` keeps installations apart. Default: the processes of this machine "
        "that share the data folder.",
    )
    media_url: str | None = Field(
        None,
        description="Where recordings and stills are kept: `s3://BUCKET[/PREFIX]?endpoint=URL&region=NAME` (`public=URL` when "
        "browsers reach the store by another address, `style=host` for buckets as host names) or `file://FOLDER`. "
        "Default: the data folder.",
    )
    media_access_key: str | None = Field(
        None,
        description="Access key of the S3 store. Default: as AWS tools find it (`AWS_ACCESS_KEY_ID`, the machine's role).",
    )
    media_secret_key: str | None = Field(None, description="Secret key of the S3 store; goes with the access key.")
    media_direct: bool = Field(
        False,
        description="Let pages send recordings straight to the S3 store, and read them there, by short-lived signed links. "
        "Browsers must reach the store, and its CORS rules must allow `PUT` and `GET` from this server's address.",
    )
    secret_key: str | None = Field(
        None,
        description="Key that signs tokens and links, 32 characters or more. Default: made once, in the data folder.",
    )
    workers: int = Field(1, ge=0, le=64, description="Analysis worker processes started beside the server.")
    analysis_runtime: str = Field("openvino", description="Inference runtime: openvino or onnxruntime.")
    analysis_objects: str = Field(
        "nanodet",
        description="Object detector: nanodet (shipped), or an ONNX file of your own with the 80 COCO classes, as "
        "`yolox:FILE` or `nanodet:FILE`.",
    )
    join_link_hours: int = Field(168, ge=1, description="How long a candidate's join link is valid, hours.")
    candidate_token_hours: int = Field(
        48, ge=1, description="How long a joined page may go on without joining again, hours."
    )
    signed_link_minutes: int = Field(
        240, ge=5, description="How long links to recordings and stills are valid, minutes."
    )
    sign_in_hours: int = Field(12, ge=1, description="How long a console sign-in lasts, hours.")
    heartbeat_ms: int = Field(5000, ge=200, description="How often a candidate's page sends a heartbeat, ms.")
    heartbeat_limit_ms: int = Field(
        12500, ge=500, description="Silence after which a candidate's socket counts as lost, ms."
    )
    finish_grace_minutes: int = Field(
        1440,
        ge=1,
        description="How long after the end of an exam the server waits for what the page still keeps, minutes.",
    )
    max_chunk_bytes: int = Field(8 * 1024 * 1024, description="Largest recording chunk, bytes.")
    max_capture_bytes: int = Field(5 * 1024 * 1024, description="Largest still, bytes.")
    max_capture_pixels: int = Field(24_000_000, description="Largest still, pixels once decoded.")
    max_batch_bytes: int = Field(1024 * 1024, description="Largest batch of events, bytes.")
    max_waiting_entries: int = Field(
        50_000, description="Log entries that may wait for the disk before new ones are refused."
    )
    max_commit_entries: int = Field(2_000, description="Log entries in one transaction at the most.")
    metrics_token: str | None = Field(
        None,
        description="Token for `/metrics`, sent as `Authorization: Bearer …`. Without one they are given to this machine only.",
    )
    log_level: str = Field("info", description="How much the server logs: debug, info, warning, error.")
    log_json: bool = Field(False, description="Log one JSON object a line instead of text.")

    @property
    def sqlite_path(self) -> Path:
        """File of the embedded database."""
        return self.data_dir / "openproctor.db"

    @property
    def database(self) -> str:
        """The database's URL, the embedded one if none is set."""
        return self.database_url or f"sqlite:///{self.sqlite_path}"

    @property
    def database_path(self) -> Path | None:
        """File of the database; None where that is PostgreSQL."""
        return Path(self.database.removeprefix("sqlite:///")) if self.database.startswith("sqlite:///") else None

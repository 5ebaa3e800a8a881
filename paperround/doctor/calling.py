"""How a visit begins: everything is opened as it is, so that nothing is made and nothing migrated."""

import secrets
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from domain.clock import Clock
from domain.errors import StorageError
from paperround.doctor.resolving import DnsResolver, Resolver, Unasked
from paperround.doctor.reverse import own_address
from paperround.doctor.visit import SigningKey, Visit
from paperround.doctor.web import PlainWeb
from paperround.settings_model import Settings
from paperround.wiring import House
from paperround.wiring_letters import identity_of
from storage.database import Database
from storage.space import room_at

_PATIENCE = 5.0  # seconds for another process to let go of the database


@contextmanager
def visiting(
    settings: Settings,
    file: Path | None,
    folder: Path,
    *,
    send_test: str = "",
    is_offline: bool = False,
    resolver: Resolver | None = None,
    clock: Clock | None = None,
) -> Iterator[Visit]:
    """Open what there is to look at, for as long as it lasts; raises SettingsError for a source that cannot be."""
    database = _opened(settings.database.url)
    # Whatever needs a house but no archive, such as the templates, has one in memory.
    stand_in = Database("sqlite://") if isinstance(database, StorageError) else database
    context = ssl.create_default_context()
    with stand_in, House(settings, clock=clock, database=stand_in) as house:
        yield Visit(
            settings=settings,
            file=file,
            folder=folder,
            clock=house.clock,
            database=database,
            sources=tuple(source.name for source in house.sources),
            identity=identity_of(settings.mail, secrets.token_hex(16)),  # its letters are no archive's
            renderer=house.renderer,
            resolver=resolver or (Unasked("--offline") if is_offline else DnsResolver()),
            web=PlainWeb(context),
            read_key=_read_key,
            sign=house.sign,
            context=context,
            own_address=own_address,
            free_bytes=room_at,
            send_test=send_test,
            is_offline=is_offline,
        )


def _opened(url: str) -> Database | StorageError:
    try:
        return Database(url, busy_seconds=_PATIENCE, as_it_is=True)
    except StorageError as error:
        return error


def _read_key(pem: bytes) -> SigningKey:
    from digests.mail.dkim import read_key  # noqa: PLC0415 cryptography is loaded only where letters are signed

    key: SigningKey = read_key(pem)
    return key

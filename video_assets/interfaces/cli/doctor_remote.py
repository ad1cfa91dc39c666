"""What `video-assets doctor` looks at where the catalogue is a Supabase project or by URL."""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from video_assets.artifact_place import BUCKET
from video_assets.interfaces.cli.doctor_embedded import examine_server
from video_assets.interfaces.cli.faults import explain
from video_assets.interfaces.cli.finding import Finding
from video_assets.settings import DAGSTER_URL, Settings

if TYPE_CHECKING:
    import psycopg

    from video_assets.storage.remote import Server

LEAST_POSTGRES, LEAST_VECTOR = 15, (0, 8)
SLOW_S = 0.1
SHOWN = 3
ANSWER_S = 15
SQL = "as the owner of the tables, run: "


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at the database and at the project's interfaces, as far as the settings name them."""
    from psycopg import Error

    if settings.db_url is None:
        cost = "set SUPABASE_DB_URL to process clips here; without it, clips are read and edited"
        yield Finding("Database", "note", "reached by its interfaces alone", cost)
    else:
        try:
            yield from _database(settings.db_url, settings)
        except Error as error:
            yield Finding("Database", "missing", _said(error), "nothing can be kept")
        yield from _dagster(settings)
    if settings.supabase_url is not None:
        yield _data_api(settings)


def _said(error: Exception) -> str:
    """The words for a fault that a person can mend; raises the error if it is a bug."""
    from psycopg.errors import InsufficientPrivilege

    if isinstance(error, InsufficientPrivilege):
        return f"{error.diag.message_primary}; SUPABASE_DB_URL has to name the owner of the tables"
    told = explain(error)
    if told is None:
        raise error
    return told[1].partition("\n")[0]


def _database(url: str, settings: Settings) -> Iterator[Finding]:
    from psycopg.rows import tuple_row

    from video_assets.storage import connecting, remote

    with connecting.connect(url, tuple_row, wait_s=0) as connection:
        server = remote.look(connection)
        yield _answer(url, server)
        yield from _versions(server)
        yield from _roles(server)
        yield from _schema(connection)
        yield _session(settings, url)
        yield _room(settings, server)
        yield _bucket(connection, settings)


def _answer(url: str, server: "Server") -> Finding:
    from video_assets.storage.connecting import address

    found = f"answers at {address(url)} as {server.role} in {server.latency_s * 1000:.1f} ms"
    if server.latency_s > SLOW_S:
        return Finding("Database", "note", found, "far away: process where the database is near")
    return Finding("Database", "good", found)


def _versions(server: "Server") -> Iterator[Finding]:
    is_enough = server.major >= LEAST_POSTGRES
    cost = "" if is_enough else f"{LEAST_POSTGRES} is the least; upgrade the server"
    yield Finding("Postgres", "good" if is_enough else "missing", server.version, cost)
    if server.vector is None:
        cost = f"{SQL}CREATE EXTENSION vector WITH SCHEMA extensions;"
        yield Finding("pgvector", "missing", "not switched on", cost)
    elif tuple(map(int, server.vector.split(".")[:2])) < LEAST_VECTOR:
        least = ".".join(map(str, LEAST_VECTOR))
        cost = f"{least} is the least; {SQL}ALTER EXTENSION vector UPDATE;"
        yield Finding("pgvector", "missing", server.vector, cost)
    else:
        yield Finding("pgvector", "good", server.vector)


def _roles(server: "Server") -> Iterator[Finding]:
    if server.no_such_roles:
        roles = ", ".join(server.no_such_roles)
        cost = "a plain Postgres needs sql/embedded/10_supabase.sql first, run by its superuser"
        yield Finding("Roles", "missing", f"there is no {roles}", cost)
    elif server.closed_roles:
        roles = ", ".join(server.closed_roles)
        cost = f'as an administrator, run: GRANT {roles} TO "{server.role}";'
        yield Finding("Roles", "missing", f"{server.role} may not become {roles}", cost)
    else:
        yield Finding("Roles", "good", f"{server.role} may become the service and any owner")


def _schema(connection: "psycopg.Connection[tuple]") -> Iterator[Finding]:
    from video_assets.storage import remote, rights
    from video_assets.storage.migrations import all_migrations, pending

    waiting = pending(connection, embedded=False)
    if waiting:
        names = ", ".join(each.file.name for each in waiting)
        yield Finding("Schema", "missing", f"lacks {names}", "run `video-assets db migrate`")
        return
    ours = {each.version for each in all_migrations(embedded=False)}
    unknown = remote.unknown_migrations(connection, ours)
    newer = [version for version in unknown if version > max(ours)]
    if newer:
        cost = "if they are of a newer release of this program, install that"
        yield Finding("Schema", "note", f"has migrations we lack: {', '.join(newer)}", cost)
    else:
        others = f", and {len(unknown)} migrations of others" if unknown else ""
        yield Finding("Schema", "good", f"up to date{others}")
    drift = rights.drift(connection)
    if drift:
        kinds = (("lacks", drift.missing), ("has besides", drift.extra))
        found = "; ".join(_shortened(word, lines) for word, lines in kinds if lines)
        cost = "look with `video-assets db rights`, mend with `video-assets db rights --repair`"
        yield Finding("Rights", "missing", found, cost)
    else:
        yield Finding("Rights", "good", "tables, functions and policies are as the migrations say")


def _shortened(word: str, lines: tuple[str, ...]) -> str:
    more = f" and {len(lines) - SHOWN} more" if len(lines) > SHOWN else ""
    return f"{word} {' '.join(lines[:SHOWN])}{more}"


def _session(settings: Settings, url: str) -> Finding:
    """Tell whether locks are held; they go past a transaction pooler."""
    from psycopg import Error

    from video_assets.storage.catalogue import by_url
    from video_assets.storage.connecting import address
    from video_assets.storage.poolers import PoolerError

    catalogue = by_url(url, settings)
    try:
        with catalogue.session():
            pass
    except (Error, PoolerError) as error:
        found = _said(error)
        if catalogue.session_dsn is None:
            return Finding("Locks", "missing", found)
        where = address(catalogue.session_dsn)
        cost = f"needed to process clips; SUPABASE_SESSION_DB_URL names another than {where}"
        return Finding("Locks", "missing", found, cost)
    if catalogue.session_dsn is None:
        return Finding("Locks", "good", "held by sessions of the same address")
    return Finding("Locks", "good", f"held past the pooler, at {address(catalogue.session_dsn)}")


def _room(settings: Settings, server: "Server") -> Finding:
    from video_assets.storage.catalogue import REMOTE_CONNECTIONS

    each = (settings.db_connections or REMOTE_CONNECTIONS) + 1
    found = f"{server.in_use} of {server.most} in use; each process here takes {each} at most"
    if server.most - server.in_use < each:
        cost = (
            "processes wait for each other; set VIDEO_ASSETS_DB_CONNECTIONS lower, or use a pooler"
        )
        return Finding("Connections", "note", found, cost)
    return Finding("Connections", "good", found)


def _bucket(connection: "psycopg.Connection[tuple]", settings: Settings) -> Finding:
    from video_assets.storage.remote import is_bucket_public

    is_public = is_bucket_public(connection, BUCKET)
    if is_public is None:
        state = "note" if settings.supabase_url is None else "missing"
        cost = (
            "files stay on this machine; `video-assets db migrate` makes it in a Supabase project"
        )
        return Finding("Bucket", state, f"there is no bucket {BUCKET}", cost)
    if is_public:
        cost = f"in the project's dashboard, Storage, make {BUCKET} private"
        return Finding("Bucket", "missing", f"{BUCKET} can be read by everybody", cost)
    return Finding("Bucket", "good", f"{BUCKET}, for owners alone")


def _dagster(settings: Settings) -> Iterator[Finding]:
    """Tell where Dagster keeps its runs; it listens for events, which a pooler does not pass on."""
    from video_assets.storage.dagster_database import own_server
    from video_assets.storage.poolers import TRANSACTION_PORT

    name, server = "Dagster's database", own_server(settings)
    if server is not None:
        yield from examine_server(server, name, "in the embedded Postgres, which ")
        return
    where = urlsplit(os.environ[DAGSTER_URL])
    found = f"{where.hostname}:{where.port or 5432}{where.path}"
    if where.port == TRANSACTION_PORT:
        cost = (
            f"set {DAGSTER_URL} to the database itself or a session pooler: it listens for events"
        )
        yield Finding(name, "missing", f"{found} is a transaction pooler", cost)
    else:
        yield Finding(name, "good", found)


def _data_api(settings: Settings) -> Finding:
    """Ask as nobody, with the key that everybody may have: nothing may be seen."""
    url = f"{settings.supabase_url}/rest/v1/clips?select=id&limit=1"
    if settings.supabase_publishable_key is None:
        cost = "set SUPABASE_PUBLISHABLE_KEY (in the project's settings, API keys)"
        return Finding("Data API", "missing", "no key to ask it with", cost)
    key = settings.supabase_publishable_key.get_secret_value()
    request = urllib.request.Request(url, headers={"apikey": key})  # noqa: S310  checked by settings
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_S):  # noqa: S310
            cost = "run `video-assets db rights`, which tells what strangers may do"
            return Finding("Data API", "missing", "shows clips to strangers", cost)
    except urllib.error.HTTPError as error:
        return _refusal(error, str(settings.supabase_url))
    except OSError as error:
        cost = "nobody can sign in or look; is SUPABASE_URL right, and the project not paused?"
        return Finding("Data API", "missing", f"does not answer: {error}", cost)


def _refusal(error: urllib.error.HTTPError, url: str) -> Finding:
    code = _code_of(error)
    if code == "42501":  # insufficient_privilege: it is there, and closed to strangers
        return Finding("Data API", "good", f"answers at {url}, and shows strangers nothing")
    if code in ("PGRST205", "42P01"):
        cost = "run `video-assets db migrate`, or: NOTIFY pgrst, 'reload schema';"
        return Finding("Data API", "missing", "does not know the table clips", cost)
    if error.code in (401, 403):
        cost = "copy SUPABASE_PUBLISHABLE_KEY again (in the project's settings, API keys)"
        return Finding("Data API", "missing", "refuses the publishable key", cost)
    return Finding(
        "Data API", "missing", f"answers {error.code}", f"look at {url} in the dashboard"
    )


def _code_of(error: urllib.error.HTTPError) -> str:
    try:
        body = json.loads(error.read())
    except ValueError:
        return ""
    return str(body.get("code", "")) if isinstance(body, dict) else ""

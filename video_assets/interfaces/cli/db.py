"""`video-assets db`: the embedded Postgres and the schema of the catalogue."""

import json
import os
import subprocess
from contextlib import closing
from typing import Annotated
from urllib.parse import urlsplit

import psycopg
import typer

from video_assets.interfaces.cli import moving
from video_assets.interfaces.cli.wording import say
from video_assets.settings import DAGSTER_URL, Settings, SettingsError, load_settings
from video_assets.storage import admins, dagster_database, owners
from video_assets.storage import rights as held
from video_assets.storage.catalogue import open_catalogue, require_database
from video_assets.storage.connecting import OPTIONS
from video_assets.storage.embedded import CATALOGUE, DAGSTER, EmbeddedServer
from video_assets.storage.migrations import migrate, pending

NOT_RUNNING = 3  # as pg_ctl has it

app = typer.Typer(help="The database: start, stop, look into, migrate.", no_args_is_help=True)
app.command()(moving.push)
app.command()(moving.pull)
JsonOption = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


@app.command()
def start(as_json: JsonOption = False) -> None:
    """Start the embedded Postgres, or attach to it, and bring its schema up to date."""
    settings, server = _embedded()
    started = server.start()
    if settings.is_embedded:
        open_catalogue(settings).close()
    status = server.status()
    if as_json:
        typer.echo(json.dumps({"started": started, **status.as_dict()}))
    else:
        word = "started" if started else "already running"
        say(f"Postgres {status.postgres} {word} on {status.host}:{status.port}")


@app.command()
def stop(as_json: JsonOption = False) -> None:
    """Stop the embedded Postgres for every process that uses it."""
    _, server = _embedded()
    stopped = server.stop()
    if as_json:
        typer.echo(json.dumps({"stopped": stopped}))
    else:
        say("stopped" if stopped else "it was not running")


@app.command()
def status(as_json: JsonOption = False) -> None:
    """Tell whether the database answers and what its schema lacks; exit code 3 if it is down."""
    settings = load_settings()
    found = _status_of(settings)
    if as_json:
        typer.echo(json.dumps(found))
    else:
        for name, value in found.items():
            say(f"{name:<14}{'-' if value is None else _text(value)}")
    if not found["running"]:
        raise typer.Exit(NOT_RUNNING)


@app.command()
def url(
    dagster: Annotated[bool, typer.Option(help="Dagster's storage, as SQLAlchemy has it.")] = False,
    admin: Annotated[bool, typer.Option(help="As superuser: no row is hidden.")] = False,
) -> None:
    """Print the address of the database, with its password."""
    settings = load_settings()
    require_database(settings)
    if dagster:
        address = dagster_database.address(settings)
    elif settings.db_url is not None:
        address = settings.db_url
    else:
        server = EmbeddedServer(settings.home)
        address = server.admin_url() if admin else server.url()
    typer.echo(address)


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def psql(
    context: typer.Context,
    dagster: Annotated[bool, typer.Option(help="Look into Dagster's storage.")] = False,
) -> None:
    """Open psql on the catalogue as superuser; further arguments are psql's own."""
    settings, server = _embedded()
    _refuse(
        not dagster and settings.db_url is not None,
        "SUPABASE_DB_URL names the catalogue, and only Dagster's storage is here: --dagster",
    )
    server.start()
    address = urlsplit(server.admin_url(DAGSTER if dagster else CATALOGUE))
    program = str(server.psql())
    # In the environment, because everybody can read the arguments of a process.
    variables = {
        "PGHOST": str(address.hostname),
        "PGPORT": str(address.port),
        "PGUSER": str(address.username),
        "PGPASSWORD": str(address.password),
        "PGDATABASE": address.path.lstrip("/"),
    }
    finished = subprocess.run(
        [program, *context.args], env={**os.environ, **variables}, check=False
    )
    raise typer.Exit(finished.returncode)


@app.command(name="migrate")
def migrate_database(as_json: JsonOption = False) -> None:
    """Bring the schema of the catalogue to this release; applied twice, it changes nothing."""
    settings = load_settings()
    applied = migrate(_owner_url(settings), embedded=settings.is_embedded)
    if as_json:
        typer.echo(json.dumps({"applied": applied}))
    else:
        say("applied " + ", ".join(applied) if applied else "nothing to apply")


@app.command()
def admin(
    account: Annotated[str, typer.Argument(help="E-mail address or id of an account.")],
    grant: Annotated[
        bool | None,
        typer.Option("--grant/--revoke", help="Make it an admin, or no longer one."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Tell whether an account of a Supabase project is an admin, and make it one or not.

    Nobody can do this with an account, not even an admin: it needs SUPABASE_DB_URL.
    """
    settings = load_settings()
    _refuse(
        settings.db_url is None,
        "the embedded catalogue has one owner and no admins; set SUPABASE_DB_URL to the database "
        "of a project",
    )
    with closing(open_catalogue(settings)) as catalogue:
        found = owners.find(catalogue, account)
        if found is None:
            raise SettingsError(f"no account is called {account}; give its e-mail address or id")
        if grant is not None:
            admins.set_admin(catalogue, found, wanted=grant)
        is_admin = admins.is_admin(catalogue, found)
    if as_json:
        typer.echo(json.dumps({"account": account, "user_id": str(found), "is_admin": is_admin}))
    else:
        say(f"{account} is {'an' if is_admin else 'no'} admin")


@app.command()
def rights(
    repair: Annotated[
        bool, typer.Option("--repair", help="Make them what the migrations say.")
    ] = False,
    whole: Annotated[bool, typer.Option("--all", help="All rights, as they are.")] = False,
) -> None:
    """Print, as SQL, what would make grants and policies again what the migrations say."""
    _refuse(repair and whole, "--all only looks; leave one of the two out")
    settings = load_settings()
    with psycopg.connect(_owner_url(settings), autocommit=True, **OPTIONS) as connection:
        _refuse(
            not whole and bool(pending(connection, embedded=settings.is_embedded)),
            "rights are those of the newest schema, and the database lacks part of it; run "
            "`video-assets db migrate` first",
        )
        lines = held.rights(connection) if whole else list(held.drift(connection).remedy())
        for line in lines:
            typer.echo(line)
        if repair:
            with connection.transaction():
                for line in lines:
                    connection.execute(line.encode())
    if not lines:
        say("rights are as the migrations say")


def _owner_url(settings: Settings) -> str:
    """The address as whoever owns the tables; the embedded server is started for it."""
    require_database(settings)
    if settings.db_url is not None:
        return settings.db_url
    server = EmbeddedServer(settings.home)
    server.start()
    return server.admin_url()


def _embedded() -> tuple[Settings, EmbeddedServer]:
    settings = load_settings()
    require_database(settings)
    server = dagster_database.own_server(settings)
    if server is None:
        raise SettingsError(
            f"SUPABASE_DB_URL and {DAGSTER_URL} name databases, so there is no embedded one; "
            "unset one of them first"
        )
    return settings, server


def _status_of(settings: Settings) -> dict[str, object]:
    require_database(settings)
    if settings.db_url is not None:
        address = urlsplit(settings.db_url)
        found: dict[str, object] = {"host": address.hostname, "port": address.port or 5432}
        missing = _pending(settings.db_url, embedded=False)
        return {"running": True, **found, "pending": missing, "dagster": _dagster_of(settings)}
    server = EmbeddedServer(settings.home)
    status = server.status()
    missing = _pending(server.admin_url(), embedded=True) if status.running else None
    return {**status.as_dict(), "pending": missing}


def _dagster_of(settings: Settings) -> str:
    """Say where Dagster's own storage is, which a project does not hold."""
    server = dagster_database.own_server(settings)
    if server is None:
        return "in the database that VIDEO_ASSETS_DAGSTER_URL names"
    return f"in the embedded server, which {'runs' if server.status().running else 'is stopped'}"


def _pending(address: str, *, embedded: bool) -> list[str]:
    with psycopg.connect(address, autocommit=True, **OPTIONS) as connection:
        return [each.file.name for each in pending(connection, embedded=embedded)]


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "nothing"
    return str(value)


def _refuse(unfit: bool, why: str) -> None:
    if unfit:
        raise SettingsError(why)

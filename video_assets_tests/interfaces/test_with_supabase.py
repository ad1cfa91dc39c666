"""Everything with a Supabase project, as people and their machines use it: by commands alone."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psycopg
import pytest

from video_assets.accounts.identity import kept_session
from video_assets.interfaces.cli.faults import ACCOUNT, USAGE
from video_assets.settings import LOCAL_OWNER, load_settings
from video_assets.storage.catalogue import open_catalogue
from video_assets.storage.embedded import EmbeddedServer
from video_assets_tests.clips import Clip, flat, make_clip, quadrants
from video_assets_tests.interfaces.people import Person
from video_assets_tests.lite.project import new_address
from video_assets_tests.lite.server import Project
from video_assets_tests.search.shelves import Shelves, Told
from video_assets_tests.servers import remove_server
from video_assets_tests.services.loopback import embed, serve

HARBOUR = "The harbour lies at dusk, and every boat is back from the sea"
LONG_AGO = datetime(2026, 1, 1, tzinfo=timezone.utc)
PRESET = """
name: heard
extends: fast
steps:
  - {{category: derive, name: audio_track}}
  - {{category: analyze, name: transcript}}
  - {{category: index, name: search_texts}}
  - category: index
    name: embeddings
    queue: embeddings
    params: &letters {{model: letters, base_url: "{url}"}}
  - {{category: index, name: moment_embeddings, queue: embeddings, params: *letters}}
worker_config: {{embeddings: 1}}
"""


class Somebody(NamedTuple):
    """A person, by their token alone and at a machine that has the database too."""

    person: Person
    machine: Person
    footage: Path


@pytest.fixture(scope="module")
def model() -> Iterator[str]:
    with serve() as service:
        service.answers.append(embed)
        yield service.url


@pytest.fixture(scope="module")
def people(
    supabase: Project, dagster_url: str, model: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Somebody, Somebody]:
    """Ann and Ben, who have signed in and taken in a folder each, with one clip in common."""
    root = tmp_path_factory.mktemp("people")
    known = {
        "SUPABASE_URL": supabase.url,
        "SUPABASE_PUBLISHABLE_KEY": supabase.publishable_key,
    }
    given = {
        **known,
        "SUPABASE_SECRET_KEY": supabase.secret_key,
        "SUPABASE_DB_URL": supabase.admin_url,
        "VIDEO_ASSETS_DAGSTER_URL": dagster_url,
        "VIDEO_ASSETS_ARTIFACTS__URL": "supabase://artifacts",
    }
    made = []
    for name in ("ann", "ben"):
        email = new_address(name)
        person = Person(email, root / name, known)
        machine = Person(email, root / f"machine of {name}", given)
        footage = root / f"footage of {name}"
        footage.mkdir()
        for home in (person.home, machine.home):
            (home / "presets").mkdir(parents=True)
            (home / "presets" / "heard.yaml").write_text(PRESET.format(url=model))
        assert "The account is made" in person.auth("signup", "--name", name.title())
        for each in (person, machine):
            assert f"Signed in as {email}" in each.auth("login")
        made.append(Somebody(person, machine, footage))
    ann, ben = made
    for footage, name, picture, text in (
        (ann.footage, "harbour.mkv", quadrants, HARBOUR),
        (ann.footage, "common.mkv", flat(200, 9, 9), "We all walk over the bridge"),
        (ben.footage, "glacier.mkv", flat(9, 9, 200), "Here the glacier calves"),
    ):
        make_clip(footage / name, Clip(frames=24, picture=picture, subtitles=[text]))
    shutil.copy(ann.footage / "common.mkv", ben.footage / "renamed.mkv")
    return ann, ben


class TakenIn(NamedTuple):
    """What the two were told, and what had been made after the one and after the other."""

    told: tuple[Any, Any]
    before: set[tuple]
    after: set[tuple]


@pytest.fixture(scope="module")
def taken_in(people: tuple[Somebody, Somebody], supabase: Project) -> TakenIn:
    """Ann takes her folder in, and then Ben his."""
    told, made = [], []
    for each in people:
        told.append(each.machine.process("ingest", each.footage, "--config", "heard"))
        made.append(results_of(supabase, people))
    return TakenIn((told[0], told[1]), made[0], made[1])


def results_of(supabase: Project, people: tuple[Somebody, Somebody]) -> set[tuple]:
    query = """SELECT DISTINCT asset, file_checksum, attempts, measured_at FROM results
                 JOIN clips USING (file_checksum) JOIN auth.users AS u ON u.id = clips.user_id
                WHERE u.email = ANY (%s)"""
    with psycopg.connect(supabase.admin_url) as connection:
        rows = connection.execute(query, ([each.person.email for each in people],))
        return set(rows.fetchall())


@pytest.fixture(scope="module")
def ann(people: tuple[Somebody, Somebody], taken_in: object) -> Somebody:
    return people[0]


@pytest.fixture(scope="module")
def ben(people: tuple[Somebody, Somebody], taken_in: object) -> Somebody:
    return people[1]


def names(clips: list[dict[str, Any]]) -> set[str]:
    return {clip["file_name"] for clip in clips}


def test_each_takes_in_their_own_and_what_both_have_is_made_once(taken_in, ann, ben):
    for told in taken_in.told:
        assert (told["new"], told["complete"], told["failures"]) == (2, 2, [])
    assert len(taken_in.before) == 2 * len(info(ann.machine, "common.mkv")["steps"])
    assert taken_in.before <= taken_in.after
    assert len(taken_in.after) == 3 * len(info(ben.machine, "renamed.mkv")["steps"])


def info(person: Person, clip: str) -> Any:
    return person.told("info", clip)


def test_to_take_in_again_makes_nothing(ann):
    again = ann.machine.process("ingest", ann.footage, "--config", "heard")
    assert (again["new"], again["complete"], again["failures"]) == (0, 2, [])


def test_each_sees_their_own_alone(ann, ben):
    for who, theirs in (
        (ann, {"harbour.mkv", "common.mkv"}),
        (ben, {"glacier.mkv", "renamed.mkv"}),
    ):
        for seat in (who.person, who.machine):
            assert names(seat.told("list")["clips"]) == theirs
    other = info(ann.person, "harbour.mkv")
    for word in ("harbour.mkv", other["id"], other["file_checksum"][:12]):
        for command in (("info",), ("edit", "--tags", "mine"), ("search", "similar")):
            said = ben.person.says(*command, word, code=USAGE)
            assert "no clip is called" in said
    assert "glacier" not in json.dumps(ann.person.told("info", "common.mkv"))
    assert "renamed" not in json.dumps(ann.person.told("info", "common.mkv"))


ALIKE = [
    "list",
    "info harbour.mkv",
    "info common.mkv",
    "search query harbour",
    "search query harbour --type fulltext",
    "search query dusk --type transcripts",
    "search query harbour --type semantic",
    "search query harbour --type hybrid",
    "search moments dusk",
    "search similar harbour.mkv --threshold 0.1",
    "search stats",
    "costs",
    "compare",
    "failures",
    "stale",
    "monitor --video harbour.mkv",
    "promote --show",
]


@pytest.mark.parametrize("command", ALIKE)
def test_the_token_alone_shows_what_the_database_shows(ann, ben, command: str):
    by_token, by_database = (seat.told(*command.split()) for seat in (ann.person, ann.machine))
    assert placed(by_token, ann.person.home) == placed(by_database, ann.machine.home)
    for word in ("glacier", "renamed", ben.person.email):
        assert word not in json.dumps(by_token)


def placed(told: Any, home: Path) -> Any:
    """What was told, without where the home of who was told is."""
    return json.loads(json.dumps(told).replace(str(home), "HOME"))


@pytest.mark.parametrize("command", [each for each in ALIKE if each.startswith("search query")])
def test_every_search_finds(ann, command: str):
    assert "harbour.mkv" in names(ann.person.told(*command.split())["clips"])


def test_files_are_fetched_by_a_token_and_by_an_address(ann, ben):
    for who, clip in ((ann, "common.mkv"), (ben, "renamed.mkv")):
        files = info(who.person, clip)["artifacts"]
        links = who.person.told("artifacts", "link", clip)
        assert {each["kind"] for each in files} == set(links)
        for each in files:
            there = Path(each["path"])
            assert there.is_relative_to(who.person.home)
            answer = httpx.get(links[each["kind"]], timeout=10)
            assert answer.content == there.read_bytes()
    assert not {*links.values()} & {*ann.person.told("artifacts", "link", "common.mkv").values()}


def test_pictures_of_what_was_found_are_shown(ann, monkeypatch):
    shown: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda address: bool(shown.append(address)) or True)
    ann.person.says("search", "query", "harbour", "--open")
    page = Path(shown[0].removeprefix("file://")).read_text()
    assert "data:image/jpeg" in page


def test_what_they_say_of_a_clip_is_theirs_and_shows_everywhere(ann, ben):
    ann.person.told("edit", "common.mkv", "--summary", "Our viaduct", "--tags", "viaduct")
    for seat in (ann.person, ann.machine):
        assert info(seat, "common.mkv")["content_summary"] == "Our viaduct"
        assert names(seat.told("search", "query", "viaduct", "--type", "fulltext")["clips"]) == {
            "common.mkv"
        }
    assert "Our viaduct" not in json.dumps(info(ben.person, "renamed.mkv"))
    ann.person.told("edit", "common.mkv", "--clear")
    assert "Our viaduct" not in json.dumps(info(ann.machine, "common.mkv"))


def test_tables_reports_and_states_are_told_by_a_token(ann):
    rows = ann.person.says("export")
    assert "harbour.mkv" in rows
    assert rows == ann.machine.says("export")
    assert "harbour lies" in ann.person.says("export", "--table", "transcripts")
    seats = (ann.person, ann.machine)
    states = [seat.told("status")["clips"] for seat in seats]
    assert states[0] == states[1]
    report = Path(ann.person.told("runs", "report")["report"])
    assert report.is_relative_to(ann.person.home)
    assert "harbour.mkv" in report.read_text()
    runs = [[run["run_id"] for run in seat.told("runs", "list")["runs"]] for seat in seats]
    assert runs[0] == runs[1]
    assert ann.person.told("runs", "show")["run_id"] in runs[0]
    assert ann.person.told("auth", "status")["statistics"]["total_clips"] == 2


@pytest.mark.parametrize(
    "command",
    [
        "ingest .",
        "quick-process pyproject.toml",
        "backfill",
        "dev",
        "worker",
        "worker --check",
        "watch add .",
        "cleanup",
        "runs prune",
        "artifacts status",
        "artifacts move --to home",
        "search eval",
        "db start",
        "db stop",
        "db status",
        "db url",
        "db psql",
        "db migrate",
        "db rights",
    ],
)
def test_what_needs_the_database_says_so_and_makes_none(ann, command: str):
    assert "set SUPABASE_DB_URL" in ann.person.says(*command.split(), code=USAGE)
    assert not (ann.person.home / "postgres").exists()


def test_everything_is_in_order(ann):
    for seat in (ann.person, ann.machine):
        assert [each for each in seat.told("doctor") if each["state"] == "missing"] == []


def test_a_session_that_is_over_is_renewed_and_the_new_one_is_kept(ann):
    file = kept_session(ann.person.home)
    session = file.read()
    assert session
    file.write(session.model_copy(update={"expires_at": LONG_AGO}))
    assert len(ann.person.told("list")["clips"]) == 2
    renewed = file.read()
    assert renewed
    assert renewed.expires_at > datetime.now(timezone.utc)
    assert renewed.refresh_token != session.refresh_token
    assert file.path.stat().st_mode & 0o777 == 0o600


def test_whoever_is_signed_out_is_told(ann, tmp_path):
    guest = Person(ann.person.email, tmp_path, ann.person.variables)
    guest.auth("login")
    assert len(guest.told("list")["clips"]) == 2
    assert "Signed out." in guest.says("auth", "logout", "--yes")
    for command in ("list", "search query harbour", "info harbour.mkv", "status", "export"):
        assert "auth login" in guest.says(*command.split(), code=ACCOUNT)
    assert len(ann.person.told("list")["clips"]) == 2


def test_no_log_and_no_file_holds_what_lets_somebody_in(ann, ben):
    for who in (ann, ben):
        for seat in (who.person, who.machine):
            secrets = [each.encode() for each in seat.secrets]
            kept = kept_session(seat.home).path
            written = [path for path in seat.home.rglob("*") if path.is_file() and path != kept]
            assert written
            for path in written:
                content = path.read_bytes()
                assert not [path for secret in secrets if secret in content]


def test_what_was_catalogued_without_a_project_is_found_there_after_a_push(ann, tmp_path):
    home = tmp_path / "home"
    catalogue = open_catalogue(load_settings(home))
    try:
        told = Told("lighthouse.mkv", "A lighthouse in a storm")
        Shelves(catalogue, EmbeddedServer(home).admin_url()).add(LOCAL_OWNER, told)
        pushing = replace(ann.machine, home=home)
        assert pushing.told("db", "push", "--owner", ann.person.email)["is_equal"]
        found = ann.person.told("search", "query", "lighthouse", "--type", "fulltext")["clips"]
        assert [clip["id"] for clip in found] == [str(told.id)]
        ann.person.told("forget", str(told.id), "--yes")
    finally:
        catalogue.close()
        remove_server(EmbeddedServer(home))


def test_what_one_owner_forgets_stays_the_others(ann, ben):
    ben.person.told("forget", "renamed.mkv", "--yes")
    assert names(ben.person.told("list")["clips"]) == {"glacier.mkv"}
    assert names(ann.person.told("list")["clips"]) == {"harbour.mkv", "common.mkv"}
    assert ann.person.told("artifacts", "link", "common.mkv")


def test_an_owner_who_is_erased_leaves_nothing(ann, ben, supabase):
    ben.machine.told("erase", ben.person.email, "--yes")
    with psycopg.connect(supabase.admin_url) as connection:
        query = "SELECT count(*) FROM auth.users WHERE email = %s"
        assert connection.execute(query, (ben.person.email,)).fetchone() == (0,)
    assert "auth login" in ben.person.says("auth", "status", code=ACCOUNT)
    assert names(ann.person.told("list")["clips"]) == {"harbour.mkv", "common.mkv"}

"""Whose files of the bucket `artifacts` somebody reaches, whatever else a project allows."""

import uuid
from collections.abc import Iterator

import psycopg
import pytest

from video_assets_tests.security.owners import DENIED

# There everybody may ask, and policies alone say who gets what.
AS_IN_A_PROJECT = "GRANT ALL ON storage.objects TO anon, authenticated, service_role"
LAX = """CREATE POLICY "Everybody may do everything" ON storage.objects
         FOR ALL TO anon, authenticated USING (true) WITH CHECK (true)"""
ADD = "INSERT INTO storage.objects (bucket_id, name) VALUES ('artifacts', %s)"
ANN, BEN = uuid.uuid4(), uuid.uuid4()


@pytest.fixture(params=["as migrated", "in a lax project"])
def project(admin_url: str, request: pytest.FixtureRequest) -> Iterator[psycopg.Connection]:
    """A bucket with a file of Ann's and one of Ben's; nothing is kept."""
    with psycopg.connect(admin_url) as connection:
        connection.execute(AS_IN_A_PROJECT)
        if request.param == "in a lax project":
            connection.execute(LAX)
        for owner in (ANN, BEN):
            connection.execute(ADD, (name_of(owner),))
        connection.execute("INSERT INTO storage.buckets (id, name) VALUES ('other', 'other')")
        connection.execute("INSERT INTO storage.objects (bucket_id, name) VALUES ('other', 'x')")
        yield connection
        connection.rollback()


def name_of(owner: uuid.UUID, file: str = "a.jpg") -> str:
    return f"{owner}/ab/{'ab' * 32}/thumbnails/{file}"


def become(connection: psycopg.Connection, role: str, owner: uuid.UUID | None = None) -> None:
    claims = f'{{"sub": "{owner}"}}' if owner else ""
    connection.execute("SELECT set_config('request.jwt.claims', %s, true)", (claims,))
    connection.execute(f"SET LOCAL ROLE {role}".encode())


def seen(connection: psycopg.Connection) -> list[str]:
    rows = connection.execute("SELECT name FROM storage.objects WHERE bucket_id = 'artifacts'")
    return sorted(row[0] for row in rows)


def test_an_owner_reads_what_lies_below_their_id_and_nothing_else(project):
    become(project, "authenticated", ANN)
    assert seen(project) == [name_of(ANN)]


@pytest.mark.parametrize(
    ("role", "owner"),
    [("anon", None), ("authenticated", None), ("authenticated", uuid.uuid4())],
)
def test_nobody_else_reads_anything(project, role, owner):
    become(project, role, owner)
    assert seen(project) == []


@pytest.mark.parametrize("role", ["anon", "authenticated"])
@pytest.mark.parametrize("whose", [ANN, BEN], ids=["own", "somebody's"])
def test_nobody_adds_a_file(project, role, whose):
    become(project, role, ANN)
    with pytest.raises(DENIED):
        project.execute(ADD, (name_of(whose, "new.jpg"),))


@pytest.mark.parametrize("role", ["anon", "authenticated"])
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE storage.objects SET metadata = '{}' WHERE bucket_id = 'artifacts'",
        "UPDATE storage.objects SET bucket_id = 'other' WHERE bucket_id = 'artifacts'",
        "DELETE FROM storage.objects WHERE bucket_id = 'artifacts'",
    ],
)
def test_nobody_changes_or_removes_a_file(project, role, change):
    become(project, role, ANN)
    assert project.execute(change.encode()).rowcount == 0


def test_nobody_moves_a_file_of_theirs_into_the_bucket(project):
    become(project, "authenticated", ANN)
    change = "UPDATE storage.objects SET bucket_id = 'artifacts', name = %s WHERE name = 'x'"
    try:
        moved = project.execute(change, (name_of(ANN, "x"),)).rowcount
    except DENIED:
        return
    assert moved == 0


def test_the_service_reads_and_writes(project):
    become(project, "service_role")
    project.execute(ADD, (name_of(ANN, "new.jpg"),))
    assert seen(project) == sorted([name_of(ANN), name_of(ANN, "new.jpg"), name_of(BEN)])


def test_the_bucket_is_private(project):
    query = "SELECT public FROM storage.buckets WHERE id = 'artifacts'"
    assert project.execute(query).fetchone() == (False,)

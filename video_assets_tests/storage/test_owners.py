"""Owners: what admins see of them, who pays for what several have, what goes with an account."""

import uuid
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg import sql

from video_assets.settings import LOCAL_OWNER
from video_assets.storage import ai_calls, erasure, owners, run_traces, runs
from video_assets.storage.ai_calls import Billing, Caps
from video_assets.storage.deletions import Outcome
from video_assets.storage.owners import OwnerError
from video_assets.storage.postgres import Postgres
from video_assets_tests.security.owners import Owner, make_owner
from video_assets_tests.storage.kept import WEEK_S, Kept

CENT = Decimal("0.01")


@pytest.fixture
def kept(catalogue, tmp_path) -> Kept:
    return Kept(catalogue, tmp_path / "artifacts", tmp_path / "footage")


def account(admin_url: str, *, is_admin: bool = False) -> uuid.UUID:
    """Make an account, of an admin if it is to be."""
    owner = uuid.uuid4()
    with psycopg.connect(admin_url) as connection:
        connection.execute(
            "INSERT INTO auth.users (id, email) VALUES (%s, %s)", (owner, f"{owner.hex}@x.org")
        )
        if is_admin:
            connection.execute(
                "UPDATE user_profiles SET profile_type = 'admin' WHERE id = %s", (owner,)
            )
    return owner


def test_an_admin_sees_every_owner_and_their_clips_page_by_page(kept: Kept, admin_url: str):
    admin, ada = account(admin_url, is_admin=True), account(admin_url)
    names = [kept.clip(text, ada) for text in ("one of ada", "two of ada", "three of ada")]
    found, total = owners.profiles(kept.catalogue, admin, at_most=100)
    about = {each.id: each for each in found}
    assert total == len(found)
    assert (about[admin].profile_type, about[ada].profile_type) == ("admin", "user")
    assert (about[ada].email, about[ada].clips) == (f"{ada.hex}@x.org", 3)
    assert about[ada].size_bytes == len("one of ada") + len("two of ada") + len("three of ada")
    pages = [
        owners.clips(kept.catalogue, admin, f"{ada.hex}@X.org", at_most=2, skipped=skipped)
        for skipped in (0, 2)
    ]
    assert [(len(page), total) for page, total in pages] == [(2, 3), (1, 3)]
    assert [clip.file_checksum for page, _ in pages for clip in page] == names[::-1]
    everything, _ = owners.clips(kept.catalogue, admin, None, at_most=1000)
    assert {clip.user_id for clip in everything} >= {ada}
    added_up = owners.statistics(kept.catalogue, admin)
    assert added_up.clips == len(everything)
    assert added_up.owners == total
    with pytest.raises(OwnerError, match=r"there is no owner nobody@x\.org"):
        owners.clips(kept.catalogue, admin, "nobody@x.org", at_most=1)


@pytest.mark.parametrize(
    "ask",
    [
        lambda catalogue, who: owners.profiles(catalogue, who, at_most=1),
        lambda catalogue, who: owners.clips(catalogue, who, None, at_most=1),
        owners.statistics,
    ],
)
def test_who_is_no_admin_is_told_so(catalogue: Postgres, admin_url: str, ask: Any):
    with pytest.raises(OwnerError, match="only an admin may ask this"):
        ask(catalogue, account(admin_url))
    assert ask(catalogue, account(admin_url, is_admin=True))


def test_an_owner_without_an_account_is_told_so(catalogue: Postgres, admin_url: str):
    owners.require(catalogue, account(admin_url))
    with pytest.raises(OwnerError, match="has no account in this catalogue"):
        owners.require(catalogue, uuid.uuid4())


class Shared:
    """A clip of two owners, of whom the first had it first."""

    def __init__(self, kept: Kept, admin_url: str) -> None:
        self.kept = kept
        self.first, self.second = account(admin_url), account(admin_url)
        self.checksum = kept.clip(f"of both {uuid.uuid4().hex}", self.first)
        kept.register(self._text(), self.second)

    def _text(self) -> str:
        query = "SELECT file_name FROM clips WHERE file_checksum = %s"
        return self.kept.rows(query, self.checksum)[0]["file_name"].removesuffix(".mp4")

    def pays(self, run_owner: uuid.UUID | None = None, cap: str | None = None) -> uuid.UUID:
        """Reserve a call, and give whom it is counted to."""
        run_id = "a run of Dagster"
        if run_owner is not None:
            run_id = runs.begin(
                self.kept.catalogue, run_owner, "ingest", preset="default", preset_document={}
            ).run_id
        caps = Caps(owner=None if cap is None else Decimal(cap))
        billing = Billing(self.kept.catalogue, self.checksum, "opinion", run_id, caps)
        call = billing.reserve(
            provider="tests",
            model="m",
            account="an account",
            request=uuid.uuid4().hex,
            usd=CENT,
            tokens=1,
            prices_as_of=None,
            is_price_known=True,
            requests_a_minute=None,
            tokens_a_minute=None,
        )
        assert isinstance(call, uuid.UUID)
        billing.settle(call, "answered", usd=CENT)
        return self.kept.rows("SELECT user_id FROM ai_calls WHERE id = %s", call)[0]["user_id"]


def test_who_asks_pays(kept: Kept, admin_url: str):
    shared = Shared(kept, admin_url)
    assert shared.pays() == shared.first
    assert shared.pays(shared.second) == shared.second
    assert shared.pays(account(admin_url)) == shared.first, "not of a run of somebody else"


def test_the_cap_of_one_owner_holds_up_nobody_else(kept: Kept, admin_url: str):
    shared = Shared(kept, admin_url)
    assert shared.pays(shared.first, cap="0.01") == shared.first
    assert shared.pays(shared.first, cap="0.01") == shared.second
    with pytest.raises(ai_calls.PostponedError, match="the owner's cap"):
        shared.pays(shared.second, cap="0.01")


WHOSE = """
    SELECT format('%%I.%%I', n.nspname, c.relname)
      FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND n.nspname IN ('public', 'private', 'auth', 'storage')
"""


def mentions(admin_url: str, *words: object) -> set[str]:
    """Every table in which one of these words is found."""
    with psycopg.connect(admin_url) as connection:
        tables = [name for (name,) in connection.execute(WHOSE.replace("%%", "%")).fetchall()]
        assert {"public.clips", "private.ai_totals", "auth.users"} <= set(tables)
        found = set[str]()
        for table in tables:
            query = sql.SQL("SELECT EXISTS (SELECT FROM {} AS t WHERE to_jsonb(t)::text ~* %s)")
            name = sql.SQL(table)  # pyright: ignore[reportArgumentType]  quoted by Postgres
            pattern = "|".join(map(str, words))
            row = connection.execute(query.format(name), (pattern,)).fetchone()
            if row and row[0]:
                found.add(table)
    return found


def leave_traces(kept: Kept, admin_url: str, word: str) -> Owner:
    """Make an owner with a row in every table, files, and money spent, all of which hold a word."""
    owner = make_owner(kept.catalogue, admin_url, word, uuid.uuid4().hex * 2)
    kept.make(owner.checksum, "loud", "a.txt")
    folder = kept.root.parent / "runs" / owner.name
    folder.mkdir(parents=True)
    (folder / "run_manifest.json").write_text(word)
    kept.rows(
        "INSERT INTO private.ai_totals (scope, usd) VALUES (%s, 1), (%s, 1)",
        *(f"owner {owner.id} 2026-01", f"run {owner.name}"),
    )
    return owner


@pytest.mark.parametrize("way", ["erase", "dashboard"])
def test_nothing_is_left_of_an_owner(kept: Kept, admin_url: str, way: str):
    word = f"zanzibar{uuid.uuid4().hex[:8]}"
    owner = leave_traces(kept, admin_url, word)
    ben = account(admin_url)
    shared = kept.clip(f"shared {word[-8:]}", ben)
    kept.register(f"shared {word[-8:]}", owner.id)
    before = everything_of(kept, ben)
    assert len(mentions(admin_url, word, owner.id, owner.clip, owner.checksum)) > 20
    if way == "erase":
        erasure.erase_owner(kept.catalogue, owner.id, by="test")
        kept.contents().finish(Outcome("orphans"))
    else:
        with psycopg.connect(admin_url) as connection:
            connection.execute("DELETE FROM auth.users WHERE id = %s", (owner.id,))
        kept.clean(wait_s=WEEK_S)
    run_traces.remove_marked(kept.catalogue, kept.root.parent)
    # The record of what was removed holds ids, which name nobody any more.
    assert mentions(admin_url, word) == set()
    assert mentions(admin_url, owner.id, owner.clip, owner.checksum) <= {"public.deletions"}
    assert not (kept.root.parent / "runs" / owner.name).exists()
    assert kept.files(owner.checksum) == []
    assert (kept.gone, kept.retold) == ([owner.checksum], [shared])
    assert everything_of(kept, ben) == before


def everything_of(kept: Kept, owner: uuid.UUID) -> dict[str, list[str]]:
    """Every row of one owner, but when the ledger was told of."""
    with kept.catalogue.transaction() as connection:
        tables = [row["table_name"] for row in erasure.queries.owned(connection)]
    rows = {
        table: [
            row["told"]
            for row in kept.rows(
                f"SELECT to_jsonb(t)::text AS told FROM {table} t WHERE user_id = %s ORDER BY 1",  # noqa: S608
                owner,
            )
        ]
        for table in tables
    }
    assert rows["clips"]
    assert len(rows) > 15
    return rows


def test_the_local_owner_keeps_an_account(kept: Kept, admin_url: str):
    kept.clip("of the local owner")
    erasure.erase_owner(kept.catalogue, LOCAL_OWNER, by="test")
    owners.require(kept.catalogue, LOCAL_OWNER)
    assert kept.count("clips WHERE user_id = %s", LOCAL_OWNER) == 0

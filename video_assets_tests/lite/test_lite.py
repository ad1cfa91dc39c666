"""What other tests take for granted of the project on loopback."""

import json
import urllib.error
import urllib.request
import uuid
from typing import Any

import psycopg
import pytest

from video_assets_tests.lite.server import Lite, Project


def asked(project: Project, path: str, body: Any = None, token: str | None = None) -> Any:
    """Ask as anybody, or as somebody with a token."""
    headers = {"apikey": project.publishable_key, "Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{project.url}{path}", data, headers)  # noqa: S310 - our own
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
        return json.load(response)


@pytest.fixture(scope="module")
def token(lite: Lite) -> str:
    account = {"email": f"{uuid.uuid4().hex}@example.com", "password": "Passw0rd!"}
    return asked(lite, "/auth/v1/signup", account)["access_token"]


def test_an_account_has_a_profile_and_an_empty_catalogue(lite, token):
    (profile,) = asked(lite, "/rest/v1/user_profiles", token=token)
    assert profile["profile_type"] == "user"
    (statistics,) = asked(lite, "/rest/v1/rpc/get_user_stats", {}, token)
    assert statistics["total_clips"] == 0


def test_the_grants_are_those_of_the_migrations(lite, token, catalogue, admin_url):
    with pytest.raises(urllib.error.HTTPError, match=r"401|403"):
        asked(lite, "/rest/v1/clips")
    assert asked(lite, "/rest/v1/clips", token=token) == []
    query = """
        SELECT c.oid::regclass::text, a.grantee::regrole::text, a.privilege_type
          FROM pg_class AS c, aclexplode(c.relacl) AS a
         WHERE c.relnamespace = 'public'::regnamespace AND a.grantee <> c.relowner
         ORDER BY 1, 2, 3"""
    with psycopg.connect(lite.admin_url) as theirs, psycopg.connect(admin_url) as ours:
        assert theirs.execute(query).fetchall() == ours.execute(query).fetchall()

"""Files of another owner, and tokens of a caller's making: neither is to be had."""

import base64
import json
import time
from typing import Any

import httpx
import jwt
import psycopg
import pytest
from postgrest.exceptions import APIError

from video_assets_tests.security.attempts import Attempts, tells_of
from video_assets_tests.security.file_requests import (
    SECRET,
    FileRequest,
    name_of_file,
    on_files,
    put,
)
from video_assets_tests.security.owners import Owner
from video_assets_tests.security.project import Project

WRONG = "x" * 64


def test_no_file_of_another_owner_is_read_written_or_guessed(project: Project):
    lite, tokens = project.lite, project.tokens
    buckets = [each["id"] for each in asked(project, FileRequest("GET", "bucket")).json()]
    assert buckets, "the migrations bring one"
    with psycopg.connect(lite.admin_url) as connection:
        nobody = Attempts(connection, project.victim, project.eve).nobody
    count = 0
    for bucket in buckets:
        name = name_of_file(project.victim)
        assert asked(project, put(bucket, name)).is_success
        before = names_in(project)
        requests = [on_files(bucket, of, project.eve) for of in (project.victim, nobody)]
        for request, other in zip(*requests, strict=True):
            count += 1
            for token in (None, tokens["eve"]):
                answer = request.send(lite, lite.publishable_key, token)
                assert SECRET not in answer.content, request
                assert not tells(project.victim, answer), (request, answer.text)
                told = masked(project.victim, bucket, answer)
                other_answer = other.send(lite, lite.publishable_key, token)
                there = masked(nobody, bucket, other_answer)
                assert told == there, request
        assert asked(project, FileRequest("GET", f"object/{bucket}/{name}")).content == SECRET
        assert names_in(project) == before
        assert not is_public(project, bucket)
    print(f"{count} attempts on files, each with a key alone and with a token")
    failed = [
        f"{request}: {done.text}"
        for bucket in buckets
        if bucket != project.victim.name  # which has no policy, so that not even owners may
        for request in on_files(bucket, project.victim, project.eve)
        if request.by is not None and not may(done := rightly(project, bucket, request))
    ]
    assert not failed, "\n".join(failed)


def asked(project: Project, request: FileRequest, token: str | None = None) -> httpx.Response:
    """Ask as who may: with a token, or as the service."""
    lite = project.lite
    return request.send(lite, lite.publishable_key if token else lite.secret_key, token)


def tells(owner: Owner, answer: httpx.Response) -> bool:
    """Whether an answer holds a way to a file; what was asked is said back."""
    return "token=" in answer.text or (answer.is_success and tells_of(owner, answer.text))


def masked(owner: Owner, bucket: str, answer: httpx.Response) -> tuple[int, str]:
    text = answer.text
    for each in (bucket, owner.id, owner.checksum, owner.checksum[:2], owner.name):
        text = text.replace(str(each), "…")
    return answer.status_code, text


def rightly(project: Project, bucket: str, request: FileRequest) -> httpx.Response:
    """Ask as who may, of a file that is there."""
    asked(project, put(bucket, name_of_file(project.victim)))
    return asked(project, request, project.tokens["owner"] if request.by == "owner" else None)


def may(answer: httpx.Response) -> bool:
    """Whether somebody was let, also where something was in the way."""
    return answer.is_success or answer.json()["statusCode"] in ("409", 409)


def names_in(project: Project) -> list[str]:
    with psycopg.connect(project.lite.admin_url) as connection:
        query = "SELECT name FROM storage.objects ORDER BY 1"
        return [str(name) for (name,) in connection.execute(query)]


def is_public(project: Project, bucket: str) -> bool:
    with psycopg.connect(project.lite.admin_url) as connection:
        query = "SELECT FROM storage.buckets WHERE id = %s AND public"
        return connection.execute(query, (bucket,)).fetchone() is not None


def forged(project: Project) -> dict[str, str]:
    """Tokens that name the victim or a worker, and that nobody signed."""
    now = int(time.time())
    claims: dict[str, Any] = {
        "sub": str(project.victim.id),
        "role": "authenticated",
        "aud": "authenticated",
        "exp": now + 3600,
        "iat": now,
    }
    worker = {**claims, "role": "service_role"}
    head, body, signature = project.tokens["eve"].split(".")
    return {
        "signed by nobody": jwt.encode(claims, "", algorithm="none"),
        "signed with another secret": jwt.encode(claims, WRONG, algorithm="HS256"),
        "signed with the publishable key": jwt.encode(
            claims, project.lite.publishable_key, algorithm="HS256"
        ),
        "of a worker, signed by nobody": jwt.encode(worker, "", algorithm="none"),
        "of a worker, signed with another secret": jwt.encode(worker, WRONG, algorithm="HS256"),
        "over": jwt.encode({**claims, "exp": now - 60}, project.lite.jwt_secret, algorithm="HS256"),
        "of Eve with another body": ".".join([head, encoded(claims), signature]),
        "of Eve without a signature": ".".join([head, encoded(claims), ""]),
        "of Eve with another head": ".".join([encoded({"alg": "none"}), body, signature]),
        "a publishable key": project.lite.publishable_key,
        "the id of the victim": str(project.victim.id),
    }


def encoded(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def names_seen(project: Project, token: str) -> list[str]:
    """The clips that a token shows."""
    headers = {"apikey": project.lite.publishable_key, "Authorization": f"Bearer {token}"}
    url = f"{project.lite.url}/rest/v1/clips?select=file_name"
    answer = httpx.get(url, headers=headers, timeout=30)
    assert answer.status_code in (200, 401, 403), answer.text
    return [row["file_name"] for row in answer.json()] if answer.is_success else []


def test_no_token_of_a_callers_making_is_believed(project: Project):
    for what, token in forged(project).items():
        assert names_seen(project, token) == [], what
    claims = jwt.decode(project.tokens["owner"], options={"verify_signature": False})
    signed = jwt.encode(claims, project.lite.jwt_secret, algorithm="HS256")
    for token in (project.tokens["owner"], signed):
        assert names_seen(project, token) == [project.victim.name]


BUILT_IN = {
    "pg_read_file": {"filename": "/etc/passwd"},
    "pg_ls_dir": {"dirname": "/"},
    "pg_sleep": {"seconds": 1},
    "set_config": {"setting_name": "role", "new_value": "postgres", "is_local": False},
    "pg_terminate_backend": {"pid": 1},
    "current_setting": {"setting_name": "is_superuser"},
    "lo_import": {"filename": "/etc/passwd"},
    "query_to_xml": {"query": "SELECT 1", "nulls": True, "tableforest": True, "targetns": ""},
}


@pytest.mark.parametrize("name", BUILT_IN)
def test_no_function_of_postgres_is_called(project: Project, name: str):
    asking = project.clients["eve"]
    for schema in ("public", "pg_catalog", "private", "auth"):
        with pytest.raises(APIError):
            asking.schema(schema).rpc(name, BUILT_IN[name]).execute()

"""What the settings say of a Supabase project: its address, its database, and two kinds of keys.

Keys are easily mixed up. Both kinds come in two forms: `sb_publishable_…` and `sb_secret_…`, and
the older JSON web tokens whose role is `anon` or `service_role`.
"""

import base64
import ipaddress
import json
from enum import Enum
from urllib.parse import SplitResult, urlsplit

from pydantic import AliasChoices, BaseModel, Field, SecretStr, field_validator

DASHBOARD = ("supabase.com", "app.supabase.com")


class SupabaseProject(BaseModel):
    """The part of the settings that names a project, if there is one."""

    supabase_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("SUPABASE_URL", "VIDEO_ASSETS_SUPABASE_URL"),
        description="a Supabase project, whose accounts sign in; none means no accounts",
    )
    supabase_publishable_key: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices(
            "SUPABASE_PUBLISHABLE_KEY",
            "VIDEO_ASSETS_SUPABASE_PUBLISHABLE_KEY",
            "SUPABASE_ANON_KEY",  # older names, which projects and their manuals still use
            "SUPABASE_KEY",
        ),
        description="what people's commands send along; with it alone nothing can be seen",
    )
    supabase_secret_key: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices(
            "SUPABASE_SECRET_KEY",
            "VIDEO_ASSETS_SUPABASE_SECRET_KEY",
            "SUPABASE_SERVICE_ROLE_KEY",
            "SUPABASE_SERVICE_KEY",
        ),
        description="for machines that process; no policy holds for it",
    )
    access_token: SecretStr | None = Field(
        default=None, description="of a person, for commands that nobody signs in for"
    )
    refresh_token: SecretStr | None = Field(
        default=None, description="renews that one; without it the access token ends after an hour"
    )
    db_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("SUPABASE_DB_URL", "VIDEO_ASSETS_DB_URL"),
        description="its database, or another Postgres; none means the embedded one",
    )
    session_db_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("SUPABASE_SESSION_DB_URL", "VIDEO_ASSETS_SESSION_DB_URL"),
        description="the same database past a transaction pooler, for locks",
    )
    db_connections: int | None = Field(
        default=None,
        ge=2,
        description="to the database, of each process at most; one more where it processes",
    )

    @field_validator("supabase_url")
    @classmethod
    def _is_a_project(cls, url: str | None) -> str | None:
        return None if url is None else checked_url(url)

    @field_validator("supabase_publishable_key")
    @classmethod
    def _is_publishable(cls, key: SecretStr | None) -> SecretStr | None:
        return key and SecretStr(checked_publishable_key(key.get_secret_value().strip()))

    @field_validator("supabase_secret_key")
    @classmethod
    def _is_secret(cls, key: SecretStr | None) -> SecretStr | None:
        return key and SecretStr(checked_secret_key(key.get_secret_value().strip()))


class KeyKind(Enum):
    """What a key lets its holder do."""

    PUBLISHABLE = "publishable"
    SECRET = "secret"  # noqa: S105  the word, no secret
    USER = "a person's token"
    ACCESS = "a token of the Supabase CLI"
    UNKNOWN = "unknown"


def kind_of(key: str) -> KeyKind:
    """Tell what a key is by its form; its signature is the project's to check."""
    prefixes = {
        "sb_publishable_": KeyKind.PUBLISHABLE,
        "sb_secret_": KeyKind.SECRET,
        "sbp_": KeyKind.ACCESS,
    }
    for prefix, kind in prefixes.items():
        if key.startswith(prefix):
            return kind
    roles = {
        "anon": KeyKind.PUBLISHABLE,
        "service_role": KeyKind.SECRET,
        "authenticated": KeyKind.USER,
    }
    return roles.get(str(claims_of(key).get("role")), KeyKind.UNKNOWN)


def claims_of(token: str) -> dict[str, object]:
    """Read what a JSON web token says of itself; nothing if it is none."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return {}
    return claims if isinstance(claims, dict) else {}


def checked_publishable_key(key: str) -> str:
    """Take a key that may be given to everybody.

    Raises ValueError for one that may not.
    """
    kind = kind_of(key)
    if kind is KeyKind.SECRET:
        raise ValueError(
            "this is a secret key, with which everybody's rows could be read; put the publishable "
            "one (sb_publishable_…, or the older anon key) here and this one into "
            "SUPABASE_SECRET_KEY"
        )
    return _a_key(key, kind, "the publishable key (sb_publishable_…, or the older anon key)")


def checked_secret_key(key: str) -> str:
    """Take a key for which no policy holds.

    Raises ValueError for one that has no such rights.
    """
    kind = kind_of(key)
    if kind is KeyKind.PUBLISHABLE:
        raise ValueError(
            "this is a publishable key, which may do nothing without a person's token; put the "
            "secret one (sb_secret_…, or the older service_role key) here and this one into "
            "SUPABASE_PUBLISHABLE_KEY"
        )
    return _a_key(key, kind, "the secret key (sb_secret_…, or the older service_role key)")


def _a_key(key: str, kind: KeyKind, wanted: str) -> str:
    if kind in (KeyKind.USER, KeyKind.ACCESS):
        raise ValueError(f"this is {kind.value} and no key of a project; take {wanted}")
    if not key.isascii() or not key.isprintable() or " " in key:  # it travels as a header
        raise ValueError(f"no key looks like this; copy {wanted} again")
    return key


def checked_url(url: str) -> str:
    """Write the address of a project without a slash at its end.

    Raises ValueError, which says what the address seems to be instead.
    """
    try:
        address = urlsplit(url.strip())
        port = address.port
    except ValueError:
        raise ValueError("this is no address; write https://PROJECT.supabase.co") from None
    if address.scheme in ("postgres", "postgresql"):
        raise ValueError(
            "this is the address of the database, which SUPABASE_DB_URL takes; write "
            "https://PROJECT.supabase.co"
        )
    if address.scheme not in ("http", "https") or not address.hostname:
        raise ValueError("it must begin with https://; write https://PROJECT.supabase.co")
    if address.username or address.password:
        raise ValueError("leave the name and the password out of the address")
    if address.hostname in DASHBOARD:
        raise ValueError(f"this is a page of Supabase's own; write {_address_of_page(address)}")
    host = f"[{address.hostname}]" if ":" in address.hostname else address.hostname
    root = f"{address.scheme}://{host}" + (f":{port}" if port else "")
    if address.path.strip("/") or address.query or address.fragment:
        raise ValueError(f"leave off what follows the host; write {root}")
    if address.scheme == "http" and not _is_near(address.hostname):
        raise ValueError(f"over http:// everybody on the way reads passwords; write https://{host}")
    return root


def _address_of_page(address: SplitResult) -> str:
    parts = address.path.strip("/").split("/")
    names = parts[parts.index("project") + 1 :] if "project" in parts else []
    return f"https://{names[0] if names else 'PROJECT'}.supabase.co"


def _is_near(host: str) -> bool:
    """Whether a host is this machine or in its own network, where people run their own project."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith((".localhost", ".local", ".internal"))

"""What `video-assets auth status` shows."""

from dataclasses import asdict
from typing import Any

from video_assets.accounts.account_errors import AccountError
from video_assets.accounts.identity import Identity, kept_session
from video_assets.accounts.profile import Profile, profile_of
from video_assets.interfaces.cli.reading import by_token
from video_assets.interfaces.cli.wording import (
    NONE,
    cell,
    console,
    new_table,
    say,
    say_json,
    titled,
)
from video_assets.search import queries
from video_assets.search.queries import Statistics
from video_assets.settings import Settings

NOT_NEEDED = (
    "No account is needed: SUPABASE_URL names no project, and a catalogue on this machine has one "
    "owner."
)
ID_SHOWN = 8


def show(settings: Settings, identity: Identity, *, as_json: bool) -> None:
    """Show who is signed in, and what their catalogue holds."""
    profile = profile_of(identity)
    statistics = queries.statistics(by_token(identity), identity.user_id)
    if as_json:
        say_json(_document(settings, identity, profile, statistics))
        return
    _table(
        "Authentication Status",
        {
            "Email": identity.email,
            "User ID": f"{str(identity.user_id)[:ID_SHOWN]}...",
            "Display Name": profile.display_name if profile else None,
            "Account Type": profile.profile_type if profile else None,
            "Created": f"{profile.created_at:%Y-%m-%d}" if profile else None,
        },
    )
    _table(
        "Video Processing Statistics",
        {
            "Total Videos": f"{statistics.total_clips:,}",
            "Total Duration": f"{statistics.total_duration_hours:,.1f} hours",
            "Storage Used": f"{statistics.total_storage_gb:,.2f} GB",
            "Videos with Transcripts": f"{statistics.clips_with_transcripts:,}",
            "In Progress": f"{statistics.clips_in_progress:,}",
            "Completed": f"{statistics.clips_completed:,}",
        },
    )


def show_not_needed(*, as_json: bool) -> None:
    """Say that a catalogue on this machine asks nobody who they are."""
    if as_json:
        say_json({"signed_in": False, "account_needed": False})
    else:
        say(NOT_NEEDED)


def show_nobody(error: AccountError, *, as_json: bool) -> None:
    """Tell programs that nobody is signed in; people are told by the error itself."""
    if as_json:
        say_json({"signed_in": False, "account_needed": True, "why": str(error)})


def _document(
    settings: Settings, identity: Identity, profile: Profile | None, statistics: Statistics
) -> dict[str, Any]:
    return {
        "signed_in": True,
        "account_needed": True,
        "project": identity.project.url,
        "email": identity.email,
        "user_id": identity.user_id,
        "display_name": profile.display_name if profile else None,
        "account_type": profile.profile_type if profile else None,
        "created_at": profile.created_at if profile else None,
        "session_ends_at": identity.session.expires_at,
        "tokens_kept_in": _place(settings),
        "statistics": asdict(statistics),
    }


def _place(settings: Settings) -> str:
    if settings.access_token is not None:
        return "variable"
    return "keyring" if kept_session(settings.home).is_in_keyring else "file"


def _table(title: str, rows: dict[str, str | None]) -> None:
    table = new_table(header=False)
    table.add_column("Property", style="dim", no_wrap=True)
    table.add_column("Value", overflow="fold")
    for name, value in rows.items():
        table.add_row(name, cell(value or NONE))
    console().print(titled(title, table))

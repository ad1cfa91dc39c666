"""`video-assets auth`: accounts of a Supabase project."""

import sys
from contextlib import closing
from typing import Annotated, NoReturn

import typer

from video_assets.accounts.account_errors import (
    AccountError,
    NoCatalogueError,
    SessionRevokedError,
    UnreachableProjectError,
)
from video_assets.accounts.identity import identify, kept_session
from video_assets.accounts.profile import Profile, profile_of
from video_assets.accounts.project import Project, project_of
from video_assets.accounts.session import Session
from video_assets.accounts.session_file import SessionFile, UnreadableSessionError
from video_assets.accounts.signing import renew, sign_in, sign_out, sign_up
from video_assets.interfaces.cli import auth_status
from video_assets.interfaces.cli.faults import MACHINE, USAGE, tell
from video_assets.interfaces.cli.maintaining import YesOption
from video_assets.interfaces.cli.passwords import read_email, read_password, refuse_given
from video_assets.interfaces.cli.reading import JsonOption, leave
from video_assets.interfaces.cli.wording import say
from video_assets.settings import Settings, SettingsError, load_settings

app = typer.Typer(
    help="Accounts of a Supabase project: sign up, in and out, and who is signed in.",
    no_args_is_help=True,
)

EmailOption = Annotated[str | None, typer.Option("--email", "-e", help="Asked for if left out.")]
StdinOption = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from the standard input.")
]
GivenOption = Annotated[str | None, typer.Option("--password", "-p", hidden=True)]


@app.command()
def login(
    email: EmailOption = None,
    password_stdin: StdinOption = False,
    password: GivenOption = None,
    yes: YesOption = False,
) -> None:
    """Sign in; the password is asked for, or comes by --password-stdin or VIDEO_ASSETS_PASSWORD."""
    refuse_given(password)
    settings, project = _opened()
    file = kept_session(settings.home)
    before = _kept(file)
    is_here = before is not None and before.project == project.url
    if before and is_here and not (yes or password_stdin) and not _confirms_another(before):
        say("Nothing was changed.")
        return
    session = sign_in(project, read_email(email), read_password(from_stdin=password_stdin))
    with file.locked():
        before = _kept(file)
        file.write(session)
    if before:
        _end(project, before)
    say(f"Signed in as {session.email}.")
    _welcome(settings)


@app.command()
def signup(
    email: EmailOption = None,
    password_stdin: StdinOption = False,
    password: GivenOption = None,
    name: Annotated[str | None, typer.Option("--name", help="How you are called.")] = None,
) -> None:
    """Make an account; it does not sign you in."""
    refuse_given(password)
    _, project = _opened()
    address = read_email(email)
    has_to_confirm = sign_up(
        project, address, read_password(from_stdin=password_stdin, twice=True), name
    )
    if has_to_confirm:
        say(
            f"The account is made. Check your e-mail: open the link that was sent to {address}, "
            "then run `video-assets auth login`."
        )
    else:
        say("The account is made. Sign in with `video-assets auth login`.")


@app.command()
def logout(yes: YesOption = False) -> None:
    """Sign out: end the session at the project, and forget it here in any case."""
    settings = load_settings()
    if settings.supabase_url is None:
        say(auth_status.NOT_NEEDED)
        return
    _refuse_given_token(settings)
    file = kept_session(settings.home)
    if not file.path.exists():
        say("Nobody is signed in.")
        return
    session = _kept(file)
    if not yes and not _confirms(f"Sign {session.email} out?" if session else "Sign out?"):
        say("Nothing was changed.")
        return
    problem = None
    with file.locked():
        try:
            session = _kept(file)
            problem = _end(project_of(settings), session) if session else None
        finally:
            file.remove()
    say("Signed out.")
    if problem:
        tell(f"signed out here alone, and the session at the project goes on: {problem}")
        raise typer.Exit(MACHINE)


@app.command()
def status(as_json: JsonOption = False) -> None:
    """Tell who is signed in, and what their catalogue holds; exit code 4 if nobody is."""
    settings = load_settings()
    if settings.supabase_url is None:
        auth_status.show_not_needed(as_json=as_json)
        return
    try:
        with closing(identify(settings)) as identity:
            identity.confirm()
            auth_status.show(settings, identity, as_json=as_json)
    except AccountError as error:
        auth_status.show_nobody(error, as_json=as_json)
        raise


def _opened() -> tuple[Settings, Project]:
    """The settings and the project that somebody signs in to."""
    settings = load_settings()
    if settings.supabase_url is None:
        leave(auth_status.NOT_NEEDED)
    _refuse_given_token(settings)
    return settings, project_of(settings)


def _refuse_given_token(settings: Settings) -> None:
    if settings.access_token is not None:
        raise SettingsError(
            "VIDEO_ASSETS_ACCESS_TOKEN says who is signed in, and goes before any other session; "
            "unset it first"
        )


def _kept(file: SessionFile) -> Session | None:
    """The session that is kept, if it can be used."""
    try:
        return file.read()
    except UnreadableSessionError:
        return None


def _confirms_another(before: Session) -> bool:
    return _confirms(f"{before.email} is signed in. Use another account?")


def _confirms(question: str) -> bool:
    if not sys.stdin.isatty():
        _nobody_to_ask()
    return typer.confirm(question, err=True)


def _nobody_to_ask() -> NoReturn:
    tell("nobody is there to ask; add --yes to do it")
    raise typer.Exit(USAGE)


def _end(project: Project, session: Session) -> str | None:
    """End a session at its project; what went wrong, if it goes on there."""
    if session.project != project.url:
        return f"it is of {session.project}, and SUPABASE_URL names {project.url}"
    try:
        sign_out(project, renew(project, session) if session.is_over else session)
    except SessionRevokedError:
        return None
    except (AccountError, UnreachableProjectError) as error:
        return str(error)
    return None


def _welcome(settings: Settings) -> None:
    try:
        with closing(identify(settings)) as identity:
            profile = profile_of(identity)
    except NoCatalogueError as error:
        tell(str(error))
        return
    _greet(profile)


def _greet(profile: Profile | None) -> None:
    if profile is None:
        return
    say(f"Welcome, {profile.display_name}!" if profile.display_name else "Welcome!")
    if profile.is_admin:
        say("You are an admin.")

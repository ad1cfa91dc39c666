"""Why somebody is not let in, each with the sentence that tells them what to do."""

SIGN_IN = "run `video-assets auth login`"


class AccountError(RuntimeError):
    """Who asks is not known, or was refused."""


class SignedOutError(AccountError):
    """Nobody is signed in here."""


class SessionExpiredError(AccountError):
    """The session is over because its time is."""


class SessionRevokedError(AccountError):
    """The session was ended from elsewhere."""


class CredentialsError(AccountError):
    """The e-mail or the password is wrong."""


class UnconfirmedError(AccountError):
    """The address was not confirmed yet."""


class WeakPasswordError(AccountError):
    """The project wants a better password."""


class TakenError(AccountError):
    """The address may have an account already."""


class RefusedError(AccountError):
    """The project refuses for another reason, which the sentence quotes."""


class ProjectKeyError(AccountError):
    """The project does not know the key of the settings."""


class UnreachableProjectError(RuntimeError):
    """The project cannot be reached, or what answers at its address is none."""


class NoCatalogueError(RuntimeError):
    """The project has no catalogue, or one of an earlier release."""

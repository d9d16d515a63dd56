"""What can go wrong, in the words of the domain; the web layer maps each to a status once."""

from __future__ import annotations

from collections.abc import Sequence

from pypid.domain.cache_status import CacheStatus, Forwarded
from pypid.domain.files import ProjectStatus


class PackageIndexError(Exception):
    """An answer other than the one that was asked for."""

    cache_status: CacheStatus | None = None
    """How it came about, where an upstream has to do with it."""


class IndexNotFound(PackageIndexError):
    """There is no index of that name."""


class ProjectNotFound(PackageIndexError):
    """The project does not exist in this index; a layered index may try its next base."""

    def __init__(self, message: str, *, reason: str = "", cache_status: CacheStatus | None = None) -> None:
        """``reason``: why it does not, in upstream's words."""
        super().__init__(f"{message}: upstream says {reason}" if reason else message)
        self.reason = reason
        self.cache_status = cache_status


class FileNotFound(PackageIndexError):
    """The project exists, the file does not."""


class FileBlocked(PackageIndexError):
    """Somebody here decided that nobody gets the file."""


class UpstreamUnavailable(PackageIndexError):
    """
    Whether the project or file exists cannot be known now.

    Nobody may be asked instead, and it must never be answered as "not found":
    installers would take that as leave to look in the next index.
    """

    detail = "unavailable"
    """Why, in one word of letters, digits and dashes, for Cache-Status and for counting."""

    def __init__(self, message: str, *, retry_after: int = 5, detail: str | None = None) -> None:
        """``retry_after``: whole seconds after which a client may ask again."""
        super().__init__(message)
        self.retry_after = retry_after
        if detail is not None:
            self.detail = detail
        self.cache_status = CacheStatus(forwarded=Forwarded.URI_MISS, detail=self.detail)


class UpstreamBroken(UpstreamUnavailable):
    """Upstream answered, with something that cannot be used."""

    detail = "broken"


class DigestMismatch(UpstreamBroken):
    """The bytes that arrived are not those that the index page promised."""

    detail = "digest"


class UpstreamLacksFile(UpstreamBroken):
    """Upstream has no file where its page says that one is."""


class RangesRefused(UpstreamBroken):
    """Upstream did not send the part of the file that it was asked for, or not as such."""

    detail = "ranges"


class MirrorLoop(UpstreamBroken):
    """Mirrors ask each other in a circle, or too many in a row."""

    detail = "loop"


class UploadRefused(PackageIndexError):
    """The upload cannot be accepted; ``problems`` names every reason, one line each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


class FileExists(UploadRefused):
    """The filename is taken by other bytes."""

    def __init__(self, filename: str, sha256: str) -> None:
        # twine --skip-existing and poetry match on the first four words.
        super().__init__(
            [
                (
                    f"File already exists ({filename!r}, with sha256 hash {sha256!r}). "
                    "A published file never changes: upload the change under a new version."
                )
            ]
        )


class FileDeleted(UploadRefused):
    """The filename is that of a deleted file with other bytes."""

    def __init__(self, filename: str) -> None:
        super().__init__(
            [
                (
                    f"This filename was previously used by a file that has since been deleted ({filename!r}). "
                    "Use a different version."
                )
            ]
        )


class ProjectClosed(PackageIndexError):
    """The project's status allows no uploads."""

    def __init__(self, project: str, status: ProjectStatus) -> None:
        why = f": {status.reason}" if status.reason else ""
        super().__init__(f"The project {project!r} is {status.status.value}, and accepts no uploads{why}")


class NameStillUsed(PackageIndexError):
    """A project that still has files cannot give its name away."""


class InspectionFailed(PackageIndexError):
    """Whether an uploaded file may be published could not be found out: not for the file's sake, but for ours."""

    def __init__(self, filename: str, why: str) -> None:
        super().__init__(f"{filename} could not be looked into; it may be uploaded again")
        self.why = why
        """For the log."""


class UploadTooLarge(PackageIndexError):
    """The body is longer than the index accepts."""


class BodyTooSlow(PackageIndexError):
    """The client sends its body too slowly to be waited for."""


class NotOffered(PackageIndexError):
    """A part of the upload API that this server, as PyPI today, has not."""


class NotHosted(PackageIndexError):
    """The index mirrors another one, or is a directory: nothing can be uploaded to it."""


class AuthenticationRequired(PackageIndexError):
    """No credentials, or wrong ones."""


class CredentialsUnclear(PackageIndexError):
    """More credentials than one, or more than anybody's are long: nothing is made of them."""


class TooManySignIns(PackageIndexError):
    """Passwords arrive faster than they can be checked; this one was not."""

    retry_after = 5
    """Whole seconds after which a client may ask again."""


class TooManyGuesses(PackageIndexError):
    """Wrong passwords came for this user from this place: another one is not looked at yet."""

    def __init__(self, message: str, retry_after: int) -> None:
        """``retry_after``: whole seconds after which a client may ask again."""
        super().__init__(message)
        self.retry_after = retry_after


class PermissionRefused(PackageIndexError):
    """What was asked for is not allowed to this identity, or to anyone."""


class TokenNotFound(PackageIndexError):
    """There is no token of that id, or it is somebody else's."""


class TooManyTokens(PackageIndexError):
    """The user has as many tokens as one may have."""


class StorageFull(PackageIndexError):
    """There is no room to keep what was sent or fetched."""


class StorageBusy(PackageIndexError):
    """Another program keeps the database to itself: nothing can be changed now."""

    retry_after = 5
    """Whole seconds after which a client may ask again."""


class StoredFileMissing(PackageIndexError):
    """A file that was acknowledged cannot be read back: an operator must look."""


class NotAcceptable(PackageIndexError):
    """The client accepts none of the formats that there are."""


class CallMalformed(PackageIndexError):
    """What a call of the management API says makes no sense; ``problems`` names every reason, one line each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


class MediaTypeRefused(PackageIndexError):
    """The body is in no form that is understood here."""


class NotForThisIndex(PackageIndexError):
    """What is asked for is done to indexes of another kind."""

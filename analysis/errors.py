"""The exception tree: every error says what is wrong, the value given, the limit, the likely cause and the remedy."""

from __future__ import annotations


class BellwetherError(Exception):
    """Base of every error this package raises on purpose.

    Parameters
    ----------
    what : str
        What is wrong, in one clause.
    given : object, optional
        The offending value.
    limit : str, optional
        The allowed set or bound that was broken.
    cause : str, optional
        The likely cause.
    remedy : str, optional
        What the reader should do next.

    Notes
    -----
    The parts stay available as attributes, so that a caller can react to facts and never has to parse the message.
    """

    def __init__(
        self,
        what: str,
        *,
        given: object | None = None,
        limit: str | None = None,
        cause: str | None = None,
        remedy: str | None = None,
    ) -> None:
        self.what = what
        self.given = given
        self.limit = limit
        self.cause = cause
        self.remedy = remedy
        super().__init__(what)

    def __str__(self) -> str:
        parts = [self.what.rstrip(".")]
        if self.given is not None:
            parts.append(f"Given: {self.given}")
        if self.limit is not None:
            parts.append(f"Allowed: {self.limit}")
        if self.cause is not None:
            parts.append(f"Likely cause: {self.cause}")
        if self.remedy is not None:
            parts.append(f"What to do: {self.remedy}")
        return ". ".join(part.rstrip(".") for part in parts) + "."

    def __reduce__(self) -> tuple[object, ...]:
        facts = {"given": self.given, "limit": self.limit, "cause": self.cause, "remedy": self.remedy}
        return (_rebuild, (type(self), self.what, facts))


def _rebuild(kind: type[BellwetherError], what: str, facts: dict[str, object]) -> BellwetherError:
    """Restore an error that crossed a process boundary."""
    return kind(what, **facts)  # type: ignore[arg-type]


class InputError(BellwetherError, ValueError):
    """An argument of a function is outside its contract."""


class DataError(BellwetherError, ValueError):
    """A data file or series breaks its contract; names the file and row where there is one."""


class SourceError(BellwetherError):
    """A provider could not deliver a series."""


class ConfigError(BellwetherError, ValueError):
    """A catalogue, claims or study file is not valid."""


class SnapshotError(BellwetherError):
    """A snapshot is missing, incomplete or was changed after it was frozen."""


class LedgerError(BellwetherError):
    """A result id is unknown or a ledger cannot be read."""


class PublishError(BellwetherError):
    """A document could not be rendered."""


class GateError(PublishError):
    """A rendered document breaks a rule that every published document must keep."""


class VersionError(PublishError):
    """A version exists with other content, or a build would write outside its folder."""

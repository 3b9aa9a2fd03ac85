"""Every error the house raises on purpose, and what to do next.

CloudtopError
├── UsageError            wrong command line or tool argument            exit 2
│   └── ArgumentError     one argument: its name, what it takes, what is nearest
│       └── MissingArgument   one that is needed and was not given
├── ConfigError           configuration file: file, line, key            exit 2
├── SpecError             tool or connector YAML: file, line, key        exit 2
├── StoreError            the SQLite file: locked, read-only, newer, damaged
└── CloudError            one cloud's failure; the fleet turns it into a Trouble
    Unauthorized Forbidden NotEnabled RateLimited TooSlow Unreachable NotFound
    Invalid Changed Unavailable NotConfigured NotCovered
"""

from __future__ import annotations


def innermost(error: BaseException) -> BaseException:
    """What went wrong, out of the groups that tasks wrap it in."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


class CloudtopError(Exception):
    """Something a person can act on: `message` says what, `next_step` what to do."""

    exit_code = 1

    def __init__(self, message: str, next_step: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.message} {self.next_step}".strip()


class UsageError(CloudtopError):
    """A command line or a tool argument that cannot be meant."""

    exit_code = 2


class ArgumentError(UsageError):
    """One tool argument that is refused: names it, what it accepts and the nearest match."""

    def __init__(self, argument: str, message: str, accepted: str = "", nearest: str | None = None) -> None:
        hint = f"Did you mean {nearest}?" if nearest else ""
        step = " ".join(part for part in (f"Accepted: {accepted}." if accepted else "", hint) if part)
        # What is accepted follows in the same line, so the first sentence must end.
        stop = "" if message.endswith((".", "?", "!")) else "."
        super().__init__(f"{argument}: {message}{stop}", step)
        self.argument = argument
        self.accepted = accepted
        self.nearest = nearest


class MissingArgument(ArgumentError):
    """One tool argument that a call needs and does not have: where somebody can be asked, they are."""

    def __init__(self, argument: str, accepted: str = "") -> None:
        super().__init__(argument, "is missing.", accepted)


class _FileError(CloudtopError):
    """Something wrong at a place in a file a person wrote."""

    exit_code = 2

    def __init__(
        self,
        file: str,
        message: str,
        next_step: str = "",
        *,
        line: int | None = None,
        key: str | None = None,
    ) -> None:
        where = f"{file}:{line}" if line else file
        # What to do follows in the same line, so the first sentence must end.
        stop = "." if next_step and not message.endswith((".", "?", "!")) else ""
        super().__init__(f"{where}: {f'{key}: ' if key else ''}{message}{stop}", next_step)
        self.file, self.line, self.key, self.said = file, line, key, message


class ConfigError(_FileError):
    """The configuration file cannot be used as it stands."""


class SpecError(_FileError):
    """A tool's or connector's YAML cannot be used as it stands."""


class StoreError(CloudtopError):
    """The store cannot be used: locked, read-only, damaged, or written by a newer cloudtop."""


class CloudError(CloudtopError):
    """One cloud's failure. Class attributes say how it is reported; the fleet adds where it happened."""

    code = "unavailable"
    retryable = False

    def __init__(
        self,
        message: str,
        next_step: str = "",
        *,
        retry_after_s: float | None = None,
        reference: str | None = None,
    ) -> None:
        super().__init__(message, next_step)
        self.retry_after_s = retry_after_s
        self.reference = reference


class Unauthorized(CloudError):
    """401: the key is missing, wrong or expired."""

    code = "unauthorized"


class Forbidden(CloudError):
    """403: the key is valid and lacks a permission."""

    code = "forbidden"


class NotEnabled(CloudError):
    """The key is valid, and the account has not switched on the product that was asked."""

    code = "not_configured"


class RateLimited(CloudError):
    """429 and its disguises: the cloud asks to wait."""

    code = "rate_limited"
    retryable = True


class TooSlow(CloudError):
    """The deadline passed before the cloud answered."""

    code = "too_slow"
    retryable = True


class Unreachable(CloudError):
    """No connection: the name does not resolve, refused, reset, or nothing accepts."""

    code = "unreachable"
    retryable = True


class NotFound(CloudError):
    """404: what was asked for is not there."""

    code = "not_found"


class Invalid(CloudError):
    """The answer is not what the cloud's documentation promises, or it refused our request as malformed."""

    code = "invalid"


class Changed(CloudError):
    """410 and the like: the interface itself has moved; cloudtop needs an update."""

    code = "changed"


class Unavailable(CloudError):
    """5xx: the cloud is in trouble."""

    code = "unavailable"
    retryable = True


class NotConfigured(CloudError):
    """No credentials for a provider that needs them."""

    code = "not_configured"


class NotCovered(CloudError):
    """cloudtop has no connector for this seller."""

    code = "not_covered"

"""The errors a user can meet, drawn as one tree.

::

    ObsError
    ├─ ConfigError       unknown key, bad value, secret not found
    ├─ UsageError        wrong options on a magic (did you mean …?)
    ├─ TranslationError  could not understand; holds the candidates
    ├─ QueryError        the platform refused the query; holds position and its own words
    ├─ AccessDenied      this user may not ask this
    ├─ CapsuleError      not recorded; digest differs; damaged
    └─ SourceError       something went wrong on the way to a source or back
       ├─ AuthError          wrong or missing credentials
       ├─ RateLimited        asked too often; holds retry_after
       ├─ SourceTimeout      no answer in time
       ├─ SourceUnavailable  nobody there: refused, unknown host, 5xx
       ├─ LimitExceeded      the question or its answer is larger than a limit allows
       └─ BadAnswer          an answer came, but not one that makes sense

Each message says what failed, where (source and address, never a secret), and the way out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class ObsError(Exception):
    """Base of every error this package raises on purpose.

    Args:
        message: What failed, in one sentence without a full stop.
        where: Source name and address, when there is one. Never holds a secret.
        hint: The way out, in one sentence.
    """

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def details(self) -> Sequence[str]:
        """Lines between the message and the way out; subclasses add their own."""
        return ()

    def __str__(self) -> str:
        head = f"{self.where}: {self.message}" if self.where else self.message
        tail = [f"→ {self.hint}"] if self.hint else []
        return "\n".join([head, *self.details(), *tail])

    def _render_traceback_(self) -> list[str]:
        """IPython's own hook: a few lines that name the way out, instead of a wall of frames."""
        return [f"{type(self).__name__}: {line}" if not number else line
                for number, line in enumerate(str(self).split("\n"))]  # fmt: skip


class ConfigError(ObsError):
    """The configuration has an unknown key, a bad value, or names a secret that is not there."""


class UsageError(ObsError):
    """A magic was called with options it does not have, or with values they do not take."""


class TranslationError(ObsError):
    """A question could not be turned into a query.

    Args:
        message: What was not understood.
        candidates: Queries that may have been meant, best first.
        where: As in `ObsError`.
        hint: As in `ObsError`.
    """

    def __init__(self, message: str, *, candidates: Sequence[str] = (), where: str = "", hint: str = "") -> None:
        super().__init__(message, where=where, hint=hint)
        self.candidates = tuple(candidates)

    def details(self) -> Sequence[str]:
        """The candidates, one a line."""
        return [f"  {candidate}" for candidate in self.candidates]


class QueryError(ObsError):
    """The query was refused, by the platform or before it was sent.

    Args:
        message: What is wrong with the query.
        query: The query as it was asked.
        position: Offset of the offending character in `query`, from 0; None when unknown.
        length: How many characters are marked from `position` on.
        words: The platform's own words, kept whole.
        where: As in `ObsError`.
        hint: As in `ObsError`.
    """

    def __init__(
        self,
        message: str,
        *,
        query: str = "",
        position: int | None = None,
        length: int = 1,
        words: str = "",
        where: str = "",
        hint: str = "",
    ) -> None:
        super().__init__(message, where=where, hint=hint)
        self.query = query
        self.position = position
        self.length = length
        self.words = words

    def details(self) -> Sequence[str]:
        """The line of the query with the offending place marked, when it is known."""
        if self.position is None or not 0 <= self.position <= len(self.query):
            return ()
        line_start = self.query.rfind("\n", 0, self.position) + 1
        line = self.query[line_start:].split("\n", 1)[0]
        column = self.position - line_start
        marks = "^" * max(1, min(self.length, len(line) - column))
        return [f"  {line}", f"  {' ' * column}{marks}"]


class AccessDenied(ObsError):  # noqa: N818 - the field's own word, as in DESIGN's tree
    """This user may not ask this."""


class CapsuleError(ObsError):
    """A capsule lacks what was asked, its digest differs, or it is damaged."""


class SourceError(ObsError):
    """Something went wrong on the way to a source or back."""


class AuthError(SourceError):
    """The source refused the credentials, or wants some."""


class RateLimited(SourceError):  # noqa: N818 - the field's own word, as in DESIGN's tree
    """The source was asked too often.

    Args:
        message: What was refused.
        retry_after: Seconds to wait before asking again; None when the source did not say.
        where: As in `ObsError`.
        hint: As in `ObsError`.
    """

    def __init__(self, message: str, *, retry_after: float | None = None, where: str = "", hint: str = "") -> None:
        super().__init__(message, where=where, hint=hint)
        self.retry_after = retry_after


class SourceTimeout(SourceError):  # noqa: N818 - the field's own word, as in DESIGN's tree
    """No answer came in time."""


class SourceUnavailable(SourceError):  # noqa: N818 - the field's own word, as in DESIGN's tree
    """Nobody answers at the address, or the server says it cannot."""


class LimitExceeded(SourceError):  # noqa: N818 - the field's own word, as in DESIGN's tree
    """The question, or its answer, is larger than a limit of the source or of ours."""


class BadAnswer(SourceError):  # noqa: N818 - the field's own word, as in DESIGN's tree
    """An answer came that is not what the platform promises: HTML, half a body, another shape."""


def did_you_mean(word: str, known: Iterable[str], *, limit: int = 3) -> str:
    """A hint naming the known words nearest to a mistyped one, or an empty string.

    >>> did_you_mean("sorce", ["source", "last"])
    'did you mean source?'
    """
    from rapidfuzz import fuzz, process

    close = process.extract(word, list(known), scorer=fuzz.ratio, limit=limit, score_cutoff=60)
    names = [name for name, _, _ in close]
    return f"did you mean {' or '.join(names)}?" if names else ""

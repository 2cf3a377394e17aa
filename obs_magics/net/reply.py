"""An answer as it came over the wire, read to its end, with the errors for answers that are not what they should be."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from obs_magics.model.errors import BadAnswer

_TITLE = re.compile(rb"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_CHARSET = re.compile(r"charset=\"?([\w.:-]+)", re.ASCII)
# Terminal colours as a whole, then everything else that does not show or turns the writing direction.
_CONTROL = re.compile(r"(?:\x1b\[[0-9;?]*[@-~]|[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069])+")
_HEAD_BYTES = 65_536
_WORDS = 300


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer.

    Args:
        status: HTTP status.
        headers: By lower-case name; several of one name are joined by ``", "``.
        body: Decoded (not compressed); the only copy of it.
        url: Where it came from, without credentials and query.
        where: ``name (address)`` of the source, for errors.
        notes: What a reader has to know about how it was got, each a sentence.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    url: str
    where: str = ""
    notes: tuple[str, ...] = ()

    @property
    def is_html(self) -> bool:
        """Is it a page for people: by its content type, or by how it begins?"""
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind in {"text/html", "application/xhtml+xml"}:
            return True
        return self.body[:256].lstrip().lower().startswith((b"<!doctype html", b"<html"))

    @property
    def title(self) -> str:
        """The title of an HTML page; empty when it has none."""
        found = _TITLE.search(self.body[:_HEAD_BYTES])
        return shown(html.unescape(self._decoded(found[1]))) if found else ""

    def text(self) -> str:
        """The body as text; bytes that are none in its character set become U+FFFD."""
        return self._decoded(self.body)

    def first_line(self) -> str:
        """The first line that says something, at most 300 characters, without control characters."""
        lines = self._decoded(self.body[:_HEAD_BYTES]).splitlines()
        return next((line for line in map(shown, lines) if line), "")

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            BadAnswer: It is none: an HTML page, half of it, or something else.
        """
        import msgspec

        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise self.not_json(str(error)) from None

    def not_json(self, why: str = "") -> BadAnswer:
        """The error for a body that could not be read as JSON; for adapters that parse `body` themselves.

        Args:
            why: The parser's own words.
        """
        if self.is_html:
            title = f"title: {self.title}" if self.title else "without a title"
            return BadAnswer(
                f"the answer is an HTML page ({title}) instead of JSON: a login page or proxy in between?",
                where=self.where,
                hint="open the address in a browser; check its path prefix, and auth: in the YAML",
            )
        if not self.body:
            return BadAnswer("the answer is empty where JSON belongs", where=self.where, hint=_HINT_ADDRESS)
        if self.body[:1] in b"{[" and self.body.rstrip()[-1:] not in (b"}", b"]"):
            message = f"the answer broke off after {len(self.body)} bytes: its JSON does not end"
            return BadAnswer(message, where=self.where, hint=_HINT_CUT)
        words = f" ({shown(why)})" if why else ""
        message = f"the answer is not JSON{words}; it begins with: {self.first_line()[:80]}"
        return BadAnswer(message, where=self.where, hint=_HINT_ADDRESS)

    def hiding(self, secrets: tuple[str, ...]) -> Reply:
        """The same answer with every secret in body and headers replaced by asterisks: servers echo what they get."""
        body, headers = self.body, dict(self.headers)
        for secret in secrets:
            body = body.replace(secret.encode(), b"***")
            headers = {name: value.replace(secret, "***") for name, value in headers.items()}
        return replace(self, body=body, headers=headers)

    def _decoded(self, raw: bytes) -> str:
        named = _CHARSET.search(self.headers.get("content-type", ""))
        try:
            return raw.decode(named[1] if named else "utf-8", errors="replace")
        except LookupError:  # a character set nobody knows
            return raw.decode("utf-8", errors="replace")


_HINT_ADDRESS = "does the address name this platform, with the right path prefix?"
_HINT_CUT = "ask again; when it stays so, a proxy in between cuts answers: ask for a shorter range or fewer series"


def shown(text: str, limit: int = _WORDS) -> str:
    """Text from outside as one line fit for a message: no control characters, cut to `limit` characters."""
    line = " ".join(_CONTROL.sub(" ", text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"

"""Run by the peers' Python: what one library hides in lines, and how long it takes. Writes JSON.

usage: PYTHON peer_redact.py LIBRARY LINES RESULT      (LINES: a JSON list of strings)
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path

Hide = Callable[[str], str]


def _detect_secrets(stack: ExitStack) -> Hide:
    """Its default plugins and filters."""
    from detect_secrets.core import scan  # type: ignore[import-not-found]
    from detect_secrets.settings import default_settings  # type: ignore[import-not-found]

    stack.enter_context(default_settings())
    return lambda text: _without(text, [one.secret_value for part in text.split("\n") for one in scan.scan_line(part)])


def _detect_secrets_exact(stack: ExitStack) -> Hide:
    """Without the plugins that guess by entropy or by key words."""
    from detect_secrets.core import scan
    from detect_secrets.settings import default_settings

    settings = stack.enter_context(default_settings())
    settings.disable_plugins("Base64HighEntropyString", "HexHighEntropyString", "KeywordDetector")
    return lambda text: _without(text, [one.secret_value for part in text.split("\n") for one in scan.scan_line(part)])


def _presidio(_: ExitStack) -> Hide:
    """Its pattern recognizers for what our policies know, without a language model."""
    from presidio_analyzer import predefined_recognizers as known  # type: ignore[import-not-found]

    names = ("EmailRecognizer", "IpRecognizer", "CreditCardRecognizer", "IbanRecognizer", "UsSsnRecognizer")
    recognizers = [getattr(known, name)() for name in (*names, "PhoneRecognizer")]

    def hide(text: str) -> str:
        found = [
            text[one.start : one.end]
            for recognizer in recognizers
            for one in recognizer.analyze(text, recognizer.supported_entities, None) or ()
        ]
        return _without(text, found)

    return hide


def _without(text: str, found: Iterable[str | None]) -> str:
    for value in sorted({value for value in found if value}, key=len, reverse=True):
        text = text.replace(value, "<hidden>")
    return text


LIBRARIES: dict[str, tuple[str, Callable[[ExitStack], Hide]]] = {
    "detect-secrets": ("detect-secrets", _detect_secrets),
    "detect-secrets, exact plugins": ("detect-secrets", _detect_secrets_exact),
    "presidio, patterns": ("presidio-analyzer", _presidio),
}


def main() -> None:
    """Redact with one library."""
    library, lines, result = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    package, make = LIBRARIES[library]
    texts = json.loads(lines.read_text(encoding="utf-8"))
    with ExitStack() as stack:
        hide = make(stack)
        hide(texts[0])
        began = time.process_time()
        safe = [hide(text) for text in texts]
        seconds = time.process_time() - began
    told = {"text": safe, "lines_per_second": len(texts) / seconds, "version": version(package)}
    result.write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main()

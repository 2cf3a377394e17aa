"""What a change does to code or configuration, as far as its files and its diff tell, and how risky that is.

A table of rules: the first that fits decides for what cannot do harm; the others each raise the risk.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

# Files that do not run in production.
_HARMLESS_FILES = re.compile(
    r"(?i)(^|/)(docs?|documentation|tests?|testdata|__tests__|\.github|\.circleci|\.gitlab|examples?)/"
    r"|_test\.\w+$|\.test\.\w+$|(^|/)test_\w+\.py$|\.(md|rst|adoc|css|scss|svg|png)$"
    r"|(^|/)(CODEOWNERS|LICENSE|README|CHANGELOG|\.golangci\.ya?ml|\.editorconfig|\.gitignore|\.pre-commit-config\.yaml)"
)
_HARMLESS_TITLES = re.compile(r"(?i)^#?(docs?|tests?|style|ci)\b(\([^)]*\))?[:! ]")
_LOGGING = re.compile(r"(?i)\b(log|logger|slog|LOG_\w+|span|counter|histogram|metrics?|prometheus|tracing)\b")
_GUARD = re.compile(
    r"\b(if|unless|assert|require|guard|try|catch|except|defer|recover|lock|timeout|limit|retry)\b"
    r"|[=!]= ?(nil|null|None)"
)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_UNIT = re.compile(
    r"(?i)\b(nanosecond|microsecond|millisecond|second|minute|hour|ms|s|m|h|kib?|mib?|gib?|kb|mb|gb|\d+[smh])s?\b"
)
_DEPENDENCY_FILES = re.compile(
    r"(?i)(go\.(mod|sum)|package(-lock)?\.json|requirements[\w.-]*\.txt|pom\.xml|Cargo\.(toml|lock)|Gemfile(\.lock)?|yarn\.lock|poetry\.lock|Dockerfile)$"
)
_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")

HARMLESS, LOGS_ONLY, PATCH = 0.05, 0.3, 0.5


@dataclass(frozen=True, slots=True)
class Edit:
    """What a change touches.

    Args:
        removed: Lines that went.
        added: Lines that came.
        files: What was touched.
        risk: How risky it is; 1 for an ordinary change.
        why: The reason in words, where the risk is not ordinary.
    """

    removed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    risk: float = 1.0
    why: str = ""


def read_edit(title: str, files: Sequence[str], diff: str) -> Edit:
    """Judge a change by its title, its files and its diff (unified, or anything with `+` and `-` lines)."""
    lines = [line for line in diff.splitlines() if not line.startswith(("+++", "---"))]
    removed = tuple(line[1:].strip() for line in lines if line.startswith("-") and line[1:].strip())
    added = tuple(line[1:].strip() for line in lines if line.startswith("+") and line[1:].strip())
    risk, why = _risk(title, files, removed, added)
    return Edit(removed, added, tuple(files), risk, why)


def _risk(title: str, files: Sequence[str], removed: Sequence[str], added: Sequence[str]) -> tuple[float, str]:
    if files and all(_HARMLESS_FILES.search(name) for name in files):
        return HARMLESS, "touches nothing that runs in production"
    if _HARMLESS_TITLES.search(title) and not removed and not added:
        return HARMLESS, "touches nothing that runs in production"
    if files and all(_DEPENDENCY_FILES.search(name) for name in files):
        return _bump(removed, added)
    told = [line for line in (*removed, *added) if re.search(r"\w", line)]
    if told and sum(bool(_LOGGING.search(line)) for line in told) >= 0.6 * len(told):
        return LOGS_ONLY, "only logs or measures"
    found = [(risk, why) for test, risk, why in _RAISES if test(removed, added)]
    return max(found, default=(1.0, ""))


def _bump(removed: Sequence[str], added: Sequence[str]) -> tuple[float, str]:
    """A new version of a dependency, by the most significant number that changed."""
    pairs = zip((_VERSION.search(line) for line in removed), (_VERSION.search(line) for line in added), strict=False)
    level = 3
    for old, new in pairs:
        if old and new:
            level = min(level, next((at for at in range(3) if old.group(at + 1) != new.group(at + 1)), 3))
    return {0: (1.2, "a new major version"), 1: (1.0, "")}.get(level, (PATCH, "a patch version"))


def _loses_guard(removed: Sequence[str], added: Sequence[str]) -> bool:
    """Whether a check went that did not come back."""
    came = " ".join(added)
    return any(_GUARD.search(line) and line not in added and _condition(line) not in came for line in removed)


def _condition(line: str) -> str:
    return line.removesuffix("{").strip()


def _changes_number(removed: Sequence[str], added: Sequence[str]) -> bool:
    """Whether a line came back with another number or unit in it."""

    def bare(line: str) -> str:
        return _UNIT.sub("#", _NUMBER.sub("#", line))

    came = {bare(line): line for line in added}
    return any((line not in added) and ("#" in bare(line)) and came.get(bare(line), line) != line for line in removed)


def _changes_name(removed: Sequence[str], added: Sequence[str]) -> bool:
    """Whether a quoted name, as of a field or a key, was exchanged for another."""
    quoted = re.compile(r"[\"'`]([A-Za-z_][\w.-]*)[\"'`]")
    went, came = ({name for line in lines for name in quoted.findall(line)} for lines in (removed, added))
    return bool(went - came and came - went)


_RAISES = (
    (_loses_guard, 1.25, "a check was removed"),
    (_changes_number, 1.25, "a number was changed"),
    (_changes_name, 1.25, "a name was changed"),
)

"""Which change it was, if any: by when it took effect, where, what it touches, and what the trouble is called.

A change counts from when it is in production: with its own deployment or with the next one that carries it. One that
took effect after the symptom began is ruled out. The last change before is usually innocent, so that time alone decides
nothing: what a change touches has to have something in common with what broke.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import pandas as pd

from obs_magics.analysis.root_cause.edits import HARMLESS, Edit, read_edit
from obs_magics.analysis.root_cause.inputs import nanoseconds
from obs_magics.analysis.root_cause.settings import setting_of
from obs_magics.analysis.root_cause.undone import Undone, undone
from obs_magics.analysis.root_cause.words import Rarity, spelled, words

Verdict = Literal["likely", "possible", "unlikely", "ruled out"]

CHANGE_KINDS = ("commit", "deployment", "config_change", "feature_flag", "scale")
"""Kinds of events that change what runs. Restarts are consequences more often than causes."""

_MINUTE = 60 * 1_000_000_000
_TOLERANCE_NS = 15 * 1_000_000_000  # clocks of those who record changes and of those who measure
_FADES_NS = 90 * _MINUTE  # a change loses half of its weight in so long
_TITLE = 0.6  # what a word of the title or a path counts, beside one of a changed line
_GONE = 1.3  # what a word counts that went away
_BULK = 10.0  # words by which long changes are held against short ones
_LEAST = 0.4  # what the best change must reach: a deployment to the very place shortly before, though no word is shared
_POSSIBLE = 0.6  # of the best score
_PLAIN_DEPLOY = 0.35  # relevance of a deployment to the service itself, whatever it touches
_FLAG = 0.7  # flags are switched often, and often back
_OWN_DEPLOY, _CARRIED, _LOOSE = 1.4, 1.1, 0.8
_HELPED = 0.8  # relevance of a change that was taken back just before it got better
_NEAR, _FAR = 1.0, 0.45  # services of the symptom's part of the call graph, and others


@dataclass(frozen=True, slots=True)
class Change:
    """One change, with all events that tell of it.

    Args:
        id: As its source calls it; made from title and time where it has none.
        kind: The kind of the event that put it in production, else of that which tells of it.
        title: In a few words.
        service: Where it was put in production; empty when that is not known.
        told_ns: When it was made.
        effect_ns: When it took effect.
        deployed: Whether a deployment, a flag or a configuration put it in production.
        edit: What it touches.
        text: All that is told of it.
        undone: The change that took it back.
    """

    id: str
    kind: str
    title: str
    service: str
    told_ns: int
    effect_ns: int
    deployed: Literal["own", "carried", "no"]
    edit: Edit
    text: str
    undone: Undone | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A change and what speaks for it and against it."""

    change: Change
    score: float
    verdict: Verdict
    shared: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What changes are held against.

    Args:
        onset_ns: When the symptom began.
        places: Where it shows, and where it comes from as far as the findings tell.
        near: Services that can bring it about: it, those it calls, those that call it.
        words: How much each word stands for the trouble.
        elsewhere: What speaks for a cause that is no change of ours, and what that leaves of a change's score.
        services: All that are known.
    """

    onset_ns: int
    places: Collection[str]
    near: Collection[str]
    words: Mapping[str, float]
    elsewhere: Sequence[tuple[str, float]] = ()
    services: Collection[str] = field(default=())


def read_changes(events: pd.DataFrame, end_ns: int | None = None) -> list[Change]:
    """The changes that an events frame tells of, each once, in order of when they took effect.

    Args:
        events: An events frame.
        end_ns: When the symptom was over, to tell whether it helped to take a change back.
    """
    rows = events[events["kind"].astype(object).isin(CHANGE_KINDS)]
    texts = [
        str(name) for name in events.columns if str(name) not in {"timestamp", "end", "kind", "severity", "source"}
    ]
    told: list[dict[Any, Any]] = rows[texts].astype(object).where(rows[texts].notna(), "").to_dict("records")
    found: dict[str, list[dict[str, Any]]] = {}
    kinds = rows["kind"].astype(object).tolist()
    for row, kind, at in zip(told, kinds, nanoseconds(rows["timestamp"]).tolist(), strict=True):
        key = str(row.get("id") or "") or f"{row['title']} @{at}"
        found.setdefault(key, []).append({**row, "kind": kind, "at": at})
    every = sorted((row for group in found.values() for row in group), key=lambda row: int(row["at"]))
    made = [_made(key, group, every, end_ns) for key, group in found.items()]
    deployments = [(change.effect_ns, change.service) for change in made if change.kind == "deployment"]
    return sorted((_carried(change, deployments) for change in made), key=lambda one: (one.effect_ns, one.id))


def _made(key: str, told: Sequence[dict[str, Any]], every: Sequence[dict[str, Any]], end_ns: int | None) -> Change:
    """One change from its events: the first that is more than a commit puts it in production."""
    ordered = sorted(told, key=lambda row: int(row["at"]))
    released = [row for row in ordered if row["kind"] != "commit"]
    main = (released or ordered)[0]
    title = max((str(row["title"]) for row in ordered if str(row["title"]) != key), key=len, default=key)
    files = [name for row in ordered for name in str(row.get("files") or "").split("\n") if name]
    diff = "\n".join(str(row.get("diff") or "") for row in ordered)
    skipped = {"kind", "at", "id", "service", "diff", "version", "url"}
    text = " ".join(str(value) for row in ordered for name, value in row.items() if name not in skipped and value)
    return Change(
        id=key,
        kind=str(main["kind"]),
        title=title,
        service=str(main["service"]),
        told_ns=int(ordered[0]["at"]),
        effect_ns=int(main["at"]),
        deployed="own" if released else "no",
        edit=_edit(title, files, diff, main),
        text=f"{text} {key}" if main["kind"] == "feature_flag" else text,
        undone=undone(main, every, end_ns) if released else None,
    )


def _edit(title: str, files: Sequence[str], diff: str, main: Mapping[str, Any]) -> Edit:
    """What was touched; a setting that went from one value to another counts as a line that changed."""
    moved = setting_of(main)
    if moved is not None and moved.key and not diff:
        diff = f"-{moved.key} = {moved.old}\n+{moved.key} = {moved.new}"
    return read_edit(title, files, diff)


def _carried(change: Change, deployments: Sequence[tuple[int, str]]) -> Change:
    """A commit that was not deployed by its own name goes out with the next deployment of a service that it touches."""
    if change.deployed != "no":
        return change
    later = [
        (at, service) for at, service in deployments if at >= change.told_ns and _touches(change.edit.files, service)
    ]
    if not later:
        return change
    at, service = min(later)
    return replace(change, service=service, effect_ns=at, deployed="carried")


def _touches(files: Sequence[str], service: str) -> bool:
    """Whether any of the files may belong to a service: it lies in a folder of its name, or in no service's."""
    return any(_owner_fits(name, service) for name in files)


def _owner_fits(path: str, service: str) -> bool:
    parts = path.lower().split("/")[:-1]
    bare = _bare(service)
    if any(_bare(part) == bare or (len(bare) > 3 and bare in _bare(part)) for part in parts):
        return True
    return bool(parts) and parts[0] in {"pkg", "lib", "libs", "internal", "common", "shared", "db", "config"}


def _bare(name: str) -> str:
    """A service's name without what all of them have."""
    bare = name.lower().replace("_", "-")
    for suffix in ("-service", "service", "-svc", "-api"):
        bare = bare.removesuffix(suffix)
    return bare


def judge(changes: Sequence[Change], trouble: Trouble) -> list[Judged]:
    """All changes, the most likely first, those that are ruled out last."""
    spoken = [(_words(change), change) for change in changes]
    rarity = Rarity([text for text, _change in spoken])
    judged = [_judged(change, text, rarity, trouble) for text, change in spoken]
    best = max((one.score for one in judged if one.verdict != "ruled out"), default=0.0)
    named = [replace(one, verdict=_verdict(one, best)) for one in judged]
    return sorted(named, key=lambda one: (one.verdict == "ruled out", -one.score, one.change.effect_ns, one.change.id))


def _verdict(one: Judged, best: float) -> Verdict:
    if one.verdict == "ruled out":
        return "ruled out"
    if one.score < _LEAST:
        return "unlikely"
    return "likely" if one.score == best else "possible" if one.score >= _POSSIBLE * best else "unlikely"


def _words(change: Change) -> set[str]:
    return words(" ".join((change.text, *change.edit.removed, *change.edit.added)))


def _judged(change: Change, text: set[str], rarity: Rarity, trouble: Trouble) -> Judged:
    lag = trouble.onset_ns - change.effect_ns
    if lag < -_TOLERANCE_NS:
        minutes = math.ceil(-lag / _MINUTE)
        return Judged(change, 0.0, "ruled out", reasons=(f"took effect {minutes} min after the symptom began",))
    relevance, shared = _relevance(change, text, rarity, trouble)
    reasons = [f"took effect {max(lag, 0) // _MINUTE} min before the symptom began"]
    if change.deployed == "own" and change.service in trouble.places and change.edit.risk > HARMLESS:
        relevance += _PLAIN_DEPLOY * 0.5 ** (max(lag, 0) / (10 * _MINUTE))
        reasons.append(f"went to {change.service}, which the symptom comes from")
    if change.undone and change.undone.effect:
        reasons.append(f"was taken back ({change.undone.by}), which {change.undone.effect}")
        if change.undone.effect == "did not help":
            return Judged(change, 0.0, "ruled out", reasons=(reasons[-1], *reasons[:-1]))
        relevance += _HELPED
    place = _place(change, trouble)
    if place < _NEAR:
        reasons.append(
            f"{change.service} has no part in the requests that suffer"
            if change.service
            else "was not seen to be deployed"
        )
    score = relevance * place * change.edit.risk * 0.5 ** (max(lag, 0) / _FADES_NS)
    score *= {"own": _OWN_DEPLOY, "carried": _CARRIED, "no": _LOOSE}[change.deployed]
    if change.kind == "feature_flag":
        score *= _FLAG
    for sign, left in trouble.elsewhere:
        score *= left
        reasons += [f"but {sign}"] if left < 1.0 else []
    if shared:
        told = spelled(" ".join((change.text, *change.edit.removed, *change.edit.added)))
        reasons.append("has in common with the trouble: " + ", ".join(told[word] for word in shared[:6]))
    if change.edit.why:
        reasons.append(change.edit.why)
    return Judged(change, score, "possible", tuple(shared), tuple(reasons))


def _relevance(change: Change, text: set[str], rarity: Rarity, trouble: Trouble) -> tuple[float, list[str]]:
    """How much of what the change touches is what the trouble is called."""
    went = words(" ".join(line for line in change.edit.removed if line not in change.edit.added))
    touched = words(" ".join((*change.edit.removed, *change.edit.added)))
    told = {
        word: trouble.words[word] * rarity(word) * (_GONE if word in went else 1.0 if word in touched else _TITLE)
        for word in text
        if word in trouble.words
    }
    own = words(change.service)  # that it is the service's own is judged by where it went
    shared = sorted(told.keys() - own, key=lambda word: (-told[word], word))
    return sum(told.values()) / math.sqrt(len(text) + _BULK), shared


def _place(change: Change, trouble: Trouble) -> float:
    """How near the change was to the symptom."""
    if change.service:
        return _NEAR if change.service in trouble.near else _FAR
    if any(_owner_fits(path, service) for path in change.edit.files for service in trouble.near):
        return _NEAR
    return _FAR

"""Answers of Alertmanager's API v2: alerts, groups of them and silences as events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypeVar

import msgspec

from obs_magics.analysis.events.alerts import alert_event, service_of
from obs_magics.model.events import Event
from obs_magics.model.query import EventMatcher
from obs_magics.net.reply import Reply, shown
from obs_magics.syntax.moments import moment_ns

T = TypeVar("T")
# By whether it is to be equal, and whether it is a regular expression.
_SIGNS: Mapping[tuple[bool, bool], Literal["=", "!=", "=~", "!~"]] = {
    (True, False): "=",
    (False, False): "!=",
    (True, True): "=~",
    (False, True): "!~",
}


class Receiver(msgspec.Struct, frozen=True):
    """Whom alerts are sent to."""

    name: str = ""


class AlertStatus(msgspec.Struct, frozen=True, rename="camel"):
    """Whether anybody hears of it: `active`, `suppressed` or `unprocessed`, and what keeps it quiet."""

    state: str = ""
    silenced_by: tuple[str, ...] = ()
    inhibited_by: tuple[str, ...] = ()
    muted_by: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        """In one word: firing, silenced, inhibited, muted, unprocessed."""
        if self.state != "suppressed":
            return "firing" if self.state == "active" else self.state
        kept = {"silenced": self.silenced_by, "inhibited": self.inhibited_by, "muted": self.muted_by}
        return " and ".join(word for word, ids in kept.items() if ids) or "muted"


class Alert(msgspec.Struct, frozen=True, rename="camel"):
    """One alert: `gettableAlert` of the specification."""

    labels: dict[str, str]
    annotations: dict[str, str] = {}
    starts_at: str = ""
    ends_at: str = ""
    fingerprint: str = ""
    generator_url: str = msgspec.field(name="generatorURL", default="")
    receivers: tuple[Receiver, ...] = ()
    status: AlertStatus = AlertStatus()


class Group(msgspec.Struct, frozen=True):
    """Alerts that are told together."""

    labels: dict[str, str] = {}
    receiver: Receiver = Receiver()
    alerts: tuple[Alert, ...] = ()


class Matcher(msgspec.Struct, frozen=True, rename="camel"):
    """What a silence is about."""

    name: str
    value: str = ""
    is_regex: bool = False
    is_equal: bool = True

    def written(self) -> str:
        """As people write it: `alertname="X"`."""
        return str(EventMatcher(name=self.name, op=_SIGNS[self.is_equal, self.is_regex], value=self.value))


class SilenceStatus(msgspec.Struct, frozen=True):
    """`pending`, `active` or `expired`."""

    state: str = ""


class Silence(msgspec.Struct, frozen=True, rename="camel"):
    """One silence: `gettableSilence` of the specification."""

    id: str
    matchers: tuple[Matcher, ...] = ()
    starts_at: str = ""
    ends_at: str = ""
    created_by: str = ""
    comment: str = ""
    status: SilenceStatus = SilenceStatus()


ALERTS = msgspec.json.Decoder(list[Alert])
GROUPS = msgspec.json.Decoder(list[Group])
SILENCES = msgspec.json.Decoder(list[Silence])


def read_list(reply: Reply, decoder: msgspec.json.Decoder[list[T]]) -> list[T]:
    """The elements of an answer.

    Raises:
        BadAnswer: It is no such list.
    """
    if reply.is_html:
        raise reply.not_json()
    try:
        return decoder.decode(reply.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise reply.not_json(str(problem)) from None


def groups_by_alert(groups: Iterable[Group]) -> dict[str, str]:
    """In which groups each alert is told, by its fingerprint: `{alertname="X"} to pager`."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for group in groups:
        labels = ",".join(f'{name}="{value}"' for name, value in sorted(group.labels.items()))
        for alert in group.alerts:
            found[alert.fingerprint][f"{{{labels}}} to {group.receiver.name}"] = None
    return {fingerprint: "; ".join(texts) for fingerprint, texts in found.items()}


def alert_events(alerts: Sequence[Alert], groups: Mapping[str, str], *, source: str) -> list[Event]:
    """Alerts as events. All of them still go on: their `endsAt` is when they would end if nobody said so again."""
    found = []
    for alert in alerts:
        start = moment_ns(alert.starts_at)
        if start is None:
            continue
        own = {
            "alert_state": alert.status.said,
            "alert_receivers": ",".join(receiver.name for receiver in alert.receivers),
            "alert_group": groups.get(alert.fingerprint, ""),
            "alert_silenced_by": ",".join(alert.status.silenced_by),
            "alert_inhibited_by": ",".join(alert.status.inhibited_by),
            "alert_fingerprint": alert.fingerprint,
        }
        found.append(
            alert_event(
                alert.labels,
                alert.annotations,
                start_ns=start,
                end_ns=None,
                source=source,
                url=alert.generator_url,
                own=own,
            )
        )
    return found


def silence_events(silences: Iterable[Silence], *, source: str) -> list[Event]:
    """Silences as events of kind `annotation`: somebody wrote down that alerts are to be quiet, and why."""
    found = []
    for silence in silences:
        start, end = moment_ns(silence.starts_at), moment_ns(silence.ends_at)
        if start is None:
            continue
        matchers = ",".join(matcher.written() for matcher in silence.matchers)
        plain = {one.name: one.value for one in silence.matchers if one.is_equal and not one.is_regex}
        why = f": {shown(silence.comment)}" if silence.comment.strip() else ""
        attributes = {
            "silence_id": silence.id,
            "silence_state": silence.status.state,
            "silence_matchers": f"{{{matchers}}}",
            "by": silence.created_by,
        }
        found.append(
            Event(
                start_ns=start,
                end_ns=end,
                kind="annotation",
                service=service_of(plain),
                title=f"Silence of {{{shown(matchers)}}}{why}",
                source=source,
                attributes={name: value for name, value in attributes.items() if value},
            )
        )
    return found

"""How a service is found among the labels of a metric: the label, the form of its value, and the matcher."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from obs_magics.syntax.promql import quote
from obs_magics.syntax.promql_split import label_text

_PODS = frozenset({"pod", "pod_name", "exported_pod", "k8s_pod_name"})
_ADDRESSES = frozenset({"instance", "host", "hostname"})
_JOBS = frozenset({"job", "exported_job"})
# What Kubernetes appends to the names of pods: a replica set's hash and a pod's suffix, a daemon set's suffix, or a
# number. Its letters are those of k8s.io/apimachinery's rand.SafeEncodeString: no vowels, no 0, 1 and 3.
_SAFE = "[bcdfghjklmnpqrstvwxz2456789]"
_POD_ENDINGS = (rf"-{_SAFE}{{6,10}}-{_SAFE}{{5}}", rf"-{_SAFE}{{5}}", r"-[0-9]+")
_POD = re.compile(rf"(?P<service>.+?)(?:{'|'.join(_POD_ENDINGS)})")
_POD_MATCH = r"-[a-z0-9]+(-[a-z0-9]+)?"
_META = re.compile(r"[.+*?()|\[\]{}^$\\]")


@dataclass(frozen=True, slots=True)
class Found:
    """Where a service was found.

    Args:
        label: The label's name.
        matcher: PromQL: ``service="payment-api"``.
        exact: The value is the service's name, so that grouping by the label groups by service.
    """

    label: str
    matcher: str
    exact: bool


def service_of(label: str, value: str) -> str:
    """The service that a label's value names.

    >>> service_of("pod", "payment-api-7d8f9c6b5-x2kqz"), service_of("job", "shop/cart"), service_of("instance", "a:80")
    ('payment-api', 'cart', 'a')
    """
    if label in _PODS:
        match = _POD.fullmatch(value)
        return match["service"] if match else value
    if label in _ADDRESSES:
        return value.rpartition(":")[0] or value
    if label in _JOBS:
        return value.rpartition("/")[2]
    return value.partition("@")[0]  # Traefik's service@provider


def find_service(label: str, values: Sequence[str], service: str) -> Found | None:
    """The service on one label; None when no value names it."""
    if service in values:
        return Found(label, f'{label_text(label)}="{quote(service)}"', exact=True)
    if not any(service_of(label, value) == service for value in values):
        return None
    pattern = quote(_META.sub(lambda match: "\\" + match[0], service))
    forms = {
        **dict.fromkeys(_PODS, f"{pattern}{_POD_MATCH}"),
        **dict.fromkeys(_ADDRESSES, f"{pattern}(:[0-9]+)?"),
        **dict.fromkeys(_JOBS, f"(.+/)?{pattern}"),
    }
    return Found(label, f'{label_text(label)}=~"{forms.get(label, f"{pattern}(@.+)?")}"', exact=False)

"""The pods of the demo world: which replica was which pod when, and the rows of the axis at which each was scraped."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from obs_magics.demo.world.chance import stream
from obs_magics.demo.world.clock import SCRAPE_MS, Axis, at
from obs_magics.demo.world.topology import DEPLOYS, NAMESPACE, NODES, OUT_OF_MEMORY, SERVICES, Service

Array = np.ndarray[Any, Any]

_ROLL_MS = 20_000  # how long after one replica the next is replaced
_DOWN_MS = 40_000  # how long a killed container takes to come back
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"  # what Kubernetes makes names of


@dataclass(frozen=True)
class Pod:
    """One pod: a replica of a service from `start_ms` to `end_ms`, with the times at which it was killed inside."""

    service: Service
    replica: int
    version: str
    name: str
    node: str
    ip: str
    start_ms: int
    end_ms: int
    killed_ms: tuple[int, ...] = ()

    @property
    def target(self) -> dict[str, str]:
        """Labels of what is scraped from the service itself."""
        return {
            "job": self.service.name,
            "service": self.service.name,
            "namespace": NAMESPACE,
            "pod": self.name,
            "instance": f"{self.ip}:8080",
            "version": self.version,
        }

    @property
    def container(self) -> dict[str, str]:
        """Labels of what the kubelet (cAdvisor) says of the container."""
        return {
            "job": "cadvisor",
            "namespace": NAMESPACE,
            "pod": self.name,
            "container": self.service.name,
            "node": self.node,
            "service": self.service.name,
        }

    @property
    def object(self) -> dict[str, str]:
        """Labels of what kube-state-metrics says of the pod."""
        return {"job": "kube-state-metrics", "namespace": NAMESPACE, "pod": self.name, "service": self.service.name}

    @cached_property
    def offset_ms(self) -> int:
        """When in the scrape interval this target's turn is."""
        return int(stream("offset", self.service.name, self.replica).integers(0, SCRAPE_MS))

    def lives(self, axis: Axis) -> list[tuple[int, int]]:
        """Rows of the axis (from, up to) at which one process after the other was there."""
        edges = [self.start_ms, *(edge for time in self.killed_ms for edge in (time, time + _DOWN_MS)), self.end_ms]
        rows = [axis.position(edge) for edge in edges]
        return [(first, last) for first, last in zip(rows[::2], rows[1::2], strict=True) if first < last]


@dataclass(frozen=True, slots=True)
class Host:
    """A target that lives as long as the world: a node, redis, postgres, kube-state-metrics."""

    name: str

    @property
    def offset_ms(self) -> int:
        """When in the scrape interval this target's turn is."""
        return int(stream("offset", self.name).integers(0, SCRAPE_MS))

    def lives(self, axis: Axis) -> list[tuple[int, int]]:
        """All rows of the axis."""
        return [(0, len(axis))]


class Target(Protocol):
    """Something that is scraped."""

    @property
    def offset_ms(self) -> int:
        """When in the scrape interval its turn is."""
        ...

    def lives(self, axis: Axis) -> list[tuple[int, int]]:
        """Rows of the axis (from, up to) at which it was there, one life after the other."""
        ...


def pods(axis: Axis) -> dict[tuple[str, int], list[Pod]]:
    """Every pod of every replica of every service, in order of time."""
    return {
        (service.name, replica): _generations(service, replica, axis)
        for service in SERVICES
        for replica in range(service.replicas)
    }


def _generations(service: Service, replica: int, axis: Axis) -> list[Pod]:
    begin, end = int(axis.times_ms[0]) - 3 * 86_400_000, axis.end_ms + SCRAPE_MS
    deploys = [
        (at(deploy.time) + replica * _ROLL_MS, deploy.version) for deploy in DEPLOYS if deploy.service == service.name
    ]
    starts = [(begin, service.version), *(deploy for deploy in deploys if deploy[0] > axis.times_ms[0])]
    ends = [time for time, _ in starts[1:]] + [end]
    return [_pod(service, replica, version, start, until) for (start, version), until in zip(starts, ends, strict=True)]


def _pod(service: Service, replica: int, version: str, start_ms: int, end_ms: int) -> Pod:
    letters = stream("pod", service.name, version, start_ms - replica * _ROLL_MS)
    template = "".join(_LETTERS[i] for i in letters.integers(0, len(_LETTERS), 9))
    own = stream("pod", service.name, version, start_ms, replica)
    suffix = "".join(_LETTERS[i] for i in own.integers(0, len(_LETTERS), 5))
    killed = [
        at(time) for name, number, times in OUT_OF_MEMORY for time in times if (name, number) == (service.name, replica)
    ]
    number = int(own.integers(2, 250))
    node = (SERVICES.index(service) + replica) % len(NODES)
    return Pod(
        service=service,
        replica=replica,
        version=version,
        name=f"{service.name}-{template}-{suffix}",
        node=NODES[node],
        ip=f"10.42.{node}.{number}",
        start_ms=start_ms,
        end_ms=end_ms,
        killed_ms=tuple(time for time in killed if start_ms < time < end_ms),
    )


def pod_at(generations: list[Pod], time_ms: int) -> Pod:
    """The pod that a replica was at a time."""
    return next((pod for pod in generations if pod.start_ms <= time_ms < pod.end_ms), generations[-1])

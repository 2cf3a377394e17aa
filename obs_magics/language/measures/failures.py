"""Which requests of a counter failed: the label that tells it, by its name and its values.

A failed request is one that the server failed: 5xx of HTTP, and of gRPC the codes that OpenTelemetry counts as errors
of a server (https://opentelemetry.io/docs/specs/semconv/rpc/grpc/). What a client did wrong (4xx) is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

LABELS = (
    *("http_response_status_code", "http.response.status_code", "http_status_code", "http_status", "status_code"),
    *("response_code", "return_code", "code", "status", "status_class", "response_code_class"),
    *("envoy_response_code_class", "grpc_code", "rpc_grpc_status_code", "rpc.grpc.status_code"),
    *("rpc_response_status_code", "rpc.response.status_code", "grpc_status", "grpc_response_status", "classification"),
    *("outcome", "result", "success", "error"),
)
"""Where it is looked for, first choice first."""

_GRPC = {
    "Unknown": ("2", "UNKNOWN"),
    "DeadlineExceeded": ("4", "DEADLINE_EXCEEDED"),
    "Unimplemented": ("12", "UNIMPLEMENTED"),
    "Internal": ("13", "INTERNAL"),
    "Unavailable": ("14", "UNAVAILABLE"),
    "DataLoss": ("15", "DATA_LOSS"),
}
_GRPC_NAMES = {"OK", "Canceled", "InvalidArgument", "NotFound", "CANCELLED", "INVALID_ARGUMENT", "NOT_FOUND"}
_WORDS = ("error", "errors", "failure", "failed", "fail", "exception", "SERVER_ERROR", "STATUS_CODE_ERROR")
_GOOD_WORDS = {"success", "succeeded", "ok", "successful", "STATUS_CODE_UNSET", "STATUS_CODE_OK", "SUCCESS"}
_CODE = re.compile(r"[1-5][0-9]{2}")
_CLASS = re.compile(r"[1-5]([xX])[xX]")

Rule = Callable[[str, Sequence[str]], str]
"""From a label's name and its values to the matcher of what failed; empty when the values tell nothing."""


def _http_codes(label: str, values: Sequence[str]) -> str:
    return f'{label}=~"5.."' if any(_CODE.fullmatch(value) for value in values) else ""


def _http_classes(label: str, values: Sequence[str]) -> str:
    letters = sorted({match[1] for value in values if (match := _CLASS.fullmatch(value))})
    return f'{label}=~"{"|".join(f"5{letter}{letter}" for letter in letters)}"' if letters else ""


def _single_digits(label: str, values: Sequence[str]) -> str:
    """`2`, `4`, `5` under a name that says class; under any other name they are numbers of gRPC."""
    return f'{label}="5"' if "class" in label and set(values) <= set("12345") else ""


def _grpc_numbers(label: str, values: Sequence[str]) -> str:
    if "grpc" not in label and "rpc" not in label:
        return ""
    known = {str(number) for number in range(17)}
    return f'{label}=~"{"|".join(number for number, _ in _GRPC.values())}"' if values and set(values) <= known else ""


def _grpc_words(label: str, values: Sequence[str]) -> str:
    camel, snake = set(_GRPC), {word for _, word in _GRPC.values()}
    if not set(values) & (camel | snake | _GRPC_NAMES):
        return ""
    loud = any(value in snake or (value.isupper() and value != "OK") for value in values)
    if "outcome" in label or {"SUCCESS", "SERVER_ERROR"} & set(values):
        return ""  # Micrometer's outcome has UNKNOWN too
    return f'{label}=~"{"|".join(word for _, word in _GRPC.values()) if loud else "|".join(_GRPC)}"'


def _words(label: str, values: Sequence[str]) -> str:
    failed = [value for value in values if value in _WORDS]
    if failed:
        return f'{label}=~"{"|".join(failed)}"' if len(failed) > 1 else f'{label}="{failed[0]}"'
    good = next((value for value in values if value in _GOOD_WORDS), "")
    guess = {"SUCCESS": "SERVER_ERROR", "STATUS_CODE_UNSET": "STATUS_CODE_ERROR", "STATUS_CODE_OK": "STATUS_CODE_ERROR"}
    return f'{label}=~"{guess.get(good, "error|failure|failed")}"' if good else ""


def _truth(label: str, values: Sequence[str]) -> str:
    bad = {"success": "false", "error": "true"}.get(label, "")
    return f'{label}="{bad}"' if bad and {"true", "false"} & set(values) else ""


_RULES: tuple[Rule, ...] = (_http_codes, _http_classes, _single_digits, _grpc_numbers, _grpc_words, _truth, _words)


def failed_matcher(label: str, values: Sequence[str], *, shown: str = "") -> str:
    """The matcher of failed requests by this label; empty when its values do not tell.

    Args:
        label: Its name.
        values: What it takes.
        shown: The name as it stands in a query, where that differs (quotes around dots).

    >>> failed_matcher("code", ["200", "404"]), failed_matcher("status", ["2xx", "5xx"]), failed_matcher("job", ["api"])
    ('code=~"5.."', 'status=~"5xx"', '')
    """
    for rule in _RULES:
        found = rule(label, values)
        if found:
            return (shown or label) + found.removeprefix(label)
    return ""

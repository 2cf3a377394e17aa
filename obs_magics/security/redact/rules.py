"""The table of rules: everything that is looked for, secrets first, the specific before the general.

Where two rules want the same place, the one that stands higher names it.
"""

from __future__ import annotations

from collections.abc import Mapping

from obs_magics.security.redact.credentials import CREDENTIAL_RULES
from obs_magics.security.redact.fields import FIELD_RULES
from obs_magics.security.redact.personal import PERSONAL_RULES
from obs_magics.security.redact.rule import Kind, Rule
from obs_magics.security.redact.vendors import TOKEN_RULES

RULES: tuple[Rule, ...] = (*TOKEN_RULES, *CREDENTIAL_RULES, *FIELD_RULES, *PERSONAL_RULES)

KINDS: Mapping[str, Kind] = {rule.kind.name: rule.kind for rule in RULES}
"""Every kind by its name."""

PERSONAL_KINDS: frozenset[str] = frozenset(name for name, kind in KINDS.items() if kind.personal)
"""The kinds that a policy may choose: `email`, `ipv4`, `ipv6`, `card`, `iban`, `ssn`, `phone`."""

"""Redaction: secrets always, personal data by policy, pseudonyms in their place.

from obs_magics.security.redact import EXPORT, Redactor, new_key

redactor = Redactor(new_key(), pii=EXPORT)
safe = redactor.frame(logs)
print(redactor.report)       # hidden: 3 AWS access keys, 12 e-mail addresses
"""

from obs_magics.security.redact.pseudonyms import new_key
from obs_magics.security.redact.redactor import EXPORT, SCREEN, Redactor, Report
from obs_magics.security.redact.rules import KINDS, PERSONAL_KINDS

__all__ = ["EXPORT", "KINDS", "PERSONAL_KINDS", "SCREEN", "Redactor", "Report", "new_key"]

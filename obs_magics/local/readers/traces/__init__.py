"""Files of spans that people have, recognised by what is in them: a table of formats, the surest first."""

from __future__ import annotations

from obs_magics.local.readers.base import SpanFormat

SPAN_FORMATS: tuple[SpanFormat, ...] = ()

"""What takes labels out of lines: json, logfmt, pattern, regexp, unpack."""

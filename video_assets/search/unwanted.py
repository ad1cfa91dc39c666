"""Words of a question that must not be there: a `-` before a word or a phrase, as in a web search.

The database reads them in the same way (`private.unwanted`).
"""

import re

UNWANTED = re.compile(r'(?<!\S)-(?:"[^"]*"?|\S+)')

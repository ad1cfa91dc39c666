"""Words of a question that must not be there: a `-` before a word or a phrase, as in a web search.

The database reads them in the same way (`private.unwanted`); a test asks both the same.
"""

import re

# What is unwanted, or else a phrase or a word: a hyphen in one of these says nothing.
_PART = re.compile(r'(?:--)*-("[^"]*"?|[^\s"-][^\s"]*)|"[^"]*"?|[^\s"]+')


def unwanted_spans(question: str) -> list[tuple[int, int]]:
    """Give where each begins, with its hyphen, and where it ends."""
    return [part.span() for part in _PART.finditer(question) if part[1]]


def without_unwanted(question: str) -> str:
    """Give what is wanted, which may be nothing."""
    for begin, end in reversed(unwanted_spans(question)):
        question = question[:begin] + question[end:]
    return question

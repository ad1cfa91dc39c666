"""Tells somebody: a message as JSON to a webhook, or as text to a program such as `mail`.

A message that cannot be delivered is a matter for the log; it never fails the work it tells of.
"""

import logging
import subprocess
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import urllib3
from urllib3.util import Retry, Timeout

from video_assets.settings import Notify

CONNECT_S, READ_S = 5.0, 10.0
COMMAND_S = 20.0
AGAIN = (429, 500, 502, 503, 504)
TRIES_MORE = 1

_log = logging.getLogger(__name__)
_log.addHandler(logging.NullHandler())


def deliver(notify: Notify, text: str, document: Mapping[str, Any]) -> bool:
    """Send one message everywhere the settings name, and tell whether all of them took it."""
    answers = []
    if notify.webhook is not None:
        answers.append(_post(notify.webhook.get_secret_value(), {"text": text, **document}))
    if notify.command:
        answers.append(_run(notify.command, text))
    return bool(answers) and all(answers)


def _post(address: str, document: Mapping[str, Any]) -> bool:
    host = urlsplit(address).hostname  # the rest of the address is a secret
    retries = Retry(
        total=TRIES_MORE,
        redirect=0,
        status_forcelist=AGAIN,
        allowed_methods=None,
        backoff_factor=0.5,
        respect_retry_after_header=False,  # the next look comes soon enough
    )
    try:
        with urllib3.PoolManager(
            retries=retries, timeout=Timeout(connect=CONNECT_S, read=READ_S)
        ) as pool:
            status = pool.request("POST", address, json=document).status
    except urllib3.exceptions.HTTPError as error:
        _log.warning("the webhook at %s did not take the message: %s", host, type(error).__name__)
        return False
    if status >= 300:
        _log.warning("the webhook at %s answered %s to the message", host, status)
    return status < 300


def _run(command: tuple[str, ...], text: str) -> bool:
    try:
        done = subprocess.run(
            command,
            input=f"{text}\n",
            text=True,
            capture_output=True,
            timeout=COMMAND_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        _log.warning("%s could not be told: %s", command[0], type(error).__name__)
        return False
    if done.returncode:
        said = done.stderr.strip().partition("\n")[0]
        _log.warning("%s ended with %s: %s", command[0], done.returncode, said)
    return done.returncode == 0

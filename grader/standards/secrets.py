"""Secrets in text: passwords, tokens and keys, found by detect-secrets' detectors.

The detectors are used line by line, without detect-secrets' own filters: those would let a
submission's comments (``pragma: allowlist secret``) switch a detector off.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from detect_secrets.plugins.aws import AWSKeyDetector
from detect_secrets.plugins.azure_storage_key import AzureStorageKeyDetector
from detect_secrets.plugins.base import BasePlugin
from detect_secrets.plugins.basic_auth import BasicAuthDetector
from detect_secrets.plugins.github_token import GitHubTokenDetector
from detect_secrets.plugins.gitlab_token import GitLabTokenDetector
from detect_secrets.plugins.jwt import JwtTokenDetector
from detect_secrets.plugins.keyword import KeywordDetector
from detect_secrets.plugins.npm import NpmDetector
from detect_secrets.plugins.openai import OpenAIDetector
from detect_secrets.plugins.private_key import PrivateKeyDetector
from detect_secrets.plugins.pypi_token import PypiTokenDetector
from detect_secrets.plugins.sendgrid import SendGridDetector
from detect_secrets.plugins.slack import SlackDetector
from detect_secrets.plugins.stripe import StripeDetector
from detect_secrets.plugins.twilio import TwilioKeyDetector

from grader.standards.project import is_test

MOST_BYTES = 400_000
"""Of each file, this much is searched."""
MOST_LINE = 2_000
"""Of each line, this much is searched: the detectors' patterns are slow on endless lines."""

LEAST_LENGTH = 8
LEAST_ENTROPY = 2.5
"""Characters, and bits per character, below which a value is no password worth guessing."""

_HINT = re.compile(
    r"key|token|secret|passw|pwd|auth|credential|AKIA|ASIA|://[^/\s]*@|gh[opsur]_|glpat|eyJ|sk-"
    r"|sk_|SG\.|xox|pypi-|npm_|hooks\.slack|AC[0-9a-f]{32}",
    re.IGNORECASE,
)
"""What every line that holds a secret holds as well: most lines need no further look."""

_PLACEHOLDER = re.compile(
    r"example|change.?me|placeholder|dummy|redacted|your[-_ ]|xxx|<[^>]*>|\$\{|\{\{|\.\.\.|\*\*\*"
    r"|^(none|null|true|false|test|secret|password|token|todo)$",
    re.IGNORECASE,
)
_NO_TEXT = (".lock", ".ipynb", ".csv")


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A place where a secret lies. What it is is not kept: reports are read by many."""

    path: str
    line: int
    kind: str
    """What detect-secrets calls it, such as ``AWS Access Key``."""


def find_secrets(texts: Mapping[str, str]) -> tuple[Secret, ...]:
    """Search files for secrets, by path and line.

    Values that say themselves that they are none (``changeme``, ``${TOKEN}``) don't count, nor do
    guesses by name (``password = …``) in tests, which need such values.
    """
    found: set[Secret] = set()
    for path, text in texts.items():
        if not path.endswith(_NO_TEXT) and "requirements" not in path.rsplit("/", 1)[-1]:
            found |= _search(path, text[:MOST_BYTES])
    return tuple(sorted(found, key=lambda secret: (secret.path, secret.line, secret.kind)))


def _search(path: str, text: str) -> set[Secret]:
    found: set[Secret] = set()
    for number, line in enumerate(text.splitlines(), start=1):
        if _HINT.search(line) or "-----BEGIN" in line:
            found |= {
                Secret(path=path, line=number, kind=kind)
                for kind in _kinds(path, line[:MOST_LINE], number)
            }
    return found


def _kinds(path: str, line: str, number: int) -> set[str]:
    kinds: set[str] = set()
    # In settings, values stand without quotes; the detectors tell such files by their suffix.
    name = f"{path}.ini" if path.rsplit("/", 1)[-1].startswith(".env") else path
    for detector in _detectors():
        for hit in detector.analyze_line(filename=name, line=line, line_number=number):
            value = hit.secret_value or ""
            if isinstance(detector, KeywordDetector) and (is_test(path) or not _strong(value)):
                continue
            if not _PLACEHOLDER.search(value):
                kinds.add(hit.type)
    return kinds


@cache
def _detectors() -> tuple[BasePlugin, ...]:
    return (
        AWSKeyDetector(),
        AzureStorageKeyDetector(),
        BasicAuthDetector(),
        GitHubTokenDetector(),
        GitLabTokenDetector(),
        JwtTokenDetector(),
        KeywordDetector(),
        NpmDetector(),
        OpenAIDetector(),
        PrivateKeyDetector(),
        PypiTokenDetector(),
        SendGridDetector(),
        SlackDetector(),
        StripeDetector(),
        TwilioKeyDetector(),
    )


def _strong(value: str) -> bool:
    """Whether a value that a name calls a secret could be one: no word, no code, no name."""
    if len(value) < LEAST_LENGTH or re.search(r"[\s()\[\]{}]", value) or "." in value.strip("."):
        return False
    mixed = bool(re.search(r"\d", value)) and bool(re.search(r"[A-Za-z]", value))
    return mixed and _entropy(value) > LEAST_ENTROPY


def _entropy(value: str) -> float:
    """Shannon's entropy, in bits per character."""
    shares = [n / len(value) for n in Counter(value).values()]
    return -math.fsum(share * math.log2(share) for share in shares)

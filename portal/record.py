"""Conversion records: signed statements of what was approved, checked without this portal.

An in-toto statement (v1) in a DSSE envelope, signed with the portal's Ed25519 key. Whoever holds
the public key can prove that this commit, graded so against that challenge, was approved by that
person. https://github.com/in-toto/attestation, https://github.com/secure-systems-lab/dsse
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner, SSlibKey  # type: ignore[attr-defined]

from grader import report as reports
from leaderboard.model import (
    ChallengeVersion,
    Person,
    RecordedReport,
    Review,
    Submission,
    Team,
    WaiverRuling,
)
from portal.errors import PortalError
from portal.house import House

PAYLOAD = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://drydock.example/conversion/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """An approved port, and all that its approval rests on."""

    team: Team
    version: ChallengeVersion
    submission: Submission
    report: RecordedReport
    review: Review
    waivers: tuple[WaiverRuling, ...]
    approver: Person


def write(house: House, conversion: Conversion) -> Path:
    """Sign a record and keep it; return its file. One that is there already stays."""
    folder = house.settings.data / "records"
    folder.mkdir(exist_ok=True)
    file = folder / f"submission-{conversion.submission.id}-review-{conversion.review.id}.json"
    if not file.exists():
        signer = _signer(house.settings.data / "keys")
        envelope = Envelope(_encoded(statement(conversion)), PAYLOAD, {})
        envelope.sign(signer)
        unfinished = file.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(envelope.to_dict(), indent=1) + "\n", encoding="utf-8")
        unfinished.replace(file)
    return file


def statement(conversion: Conversion) -> dict[str, Any]:
    """Return what is signed: the commit and the tree, and everything they were judged by."""
    report = reports.from_json(conversion.report.content)
    version, review = conversion.version, conversion.review
    return {
        "_type": STATEMENT,
        "subject": [
            {
                "name": f"{conversion.team.slug}/{version.slug}",
                "digest": {
                    "gitCommit": conversion.submission.commit,
                    "sha256": report.tree_digest,
                },
            }
        ],
        "predicateType": PREDICATE,
        "predicate": {
            "challenge": {
                "slug": version.slug,
                "version": report.challenge_version,
                "digest": {"sha256": report.challenge_digest},
            },
            "data": {"digest": {"sha256": report.data_digest}},
            "rubric": {"digest": {"sha256": report.rubric_digest}},
            "grader": report.grader_version,
            "environment": {"digest": {"sha256": report.environment_digest}},
            "report": {
                "digest": {"sha256": conversion.report.digest},
                "outcome": conversion.report.outcome,
                "total": conversion.report.total,
                "possible": conversion.report.possible,
            },
            "waivers": [
                {"code": waiver.code, "path": waiver.path, "reason": waiver.reason}
                for waiver in conversion.waivers
            ],
            "approval": {
                "by": conversion.approver.email,
                "reason": review.reason,
                "at": review.at.isoformat(),
            },
        },
    }


def verify(record: Path, key: Path) -> dict[str, Any]:
    """Return the statement of a record whose signature holds.

    :param key: the public key, as PEM
    :raises PortalError: a file cannot be read (slug ``record-unreadable``), or the signature is
        not of this key (slug ``record-forged``)
    """
    try:
        envelope = Envelope.from_dict(json.loads(record.read_text(encoding="utf-8")))
        public = _public(key)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise PortalError(
            "record-unreadable",
            f"{record} and {key} are no record and its key: {error}.",
            remedy="Name the record, and the public key that the portal shows.",
        ) from error
    try:
        envelope.verify([public], 1)
        found: dict[str, Any] = json.loads(envelope.payload)
    except (VerificationError, ValueError) as error:
        raise PortalError(
            "record-forged",
            f"{record} is not signed by {key}, or was changed since.",
            remedy="Ask the portal's administrator for the record and the key.",
        ) from error
    return found


def public_key(data: Path) -> Path:
    """Return the file of the portal's public key, made where there was none."""
    _signer(data / "keys")
    return data / "keys" / "records.pub"


def _signer(folder: Path) -> CryptoSigner:
    secret, public = folder / "records.key", folder / "records.pub"
    if not secret.exists():
        folder.mkdir(mode=0o700, exist_ok=True)
        made = Ed25519PrivateKey.generate()
        public.write_bytes(
            made.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        )
        unfinished = folder / "records.key.unfinished"
        unfinished.touch(mode=0o600)
        unfinished.write_bytes(
            made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        unfinished.replace(secret)
    return CryptoSigner(load_pem_private_key(secret.read_bytes(), None), _public(public))


def _public(file: Path) -> SSlibKey:
    return SSlibKey.from_crypto(load_pem_public_key(file.read_bytes()))


def _encoded(document: dict[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()

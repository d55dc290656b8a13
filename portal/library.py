"""Published challenge packages: copies that never change, each found by its digest."""

from __future__ import annotations

import functools
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from grader import package
from grader.model import Challenge
from portal.errors import PortalError


@dataclass(frozen=True, slots=True)
class Library:
    """The folder that published packages are kept in."""

    root: Path

    def keep(self, challenge: Challenge) -> None:
        """Keep a copy of a package, whole or not at all; one that is there already stays."""
        place = self._place(challenge.digest)
        if place.exists():
            return
        self.root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=self.root) as folder:
            new = Path(folder) / "new"
            shutil.copytree(challenge.root, new / challenge.slug)
            new.rename(place)

    def load(self, digest: str) -> Challenge:
        """Return the package of a digest.

        :raises PortalError: it is not here (slug ``challenge-missing``)
        """
        return _load(self._place(digest), digest)

    def _place(self, digest: str) -> Path:
        return self.root / digest


@functools.lru_cache(maxsize=64)
def _load(place: Path, digest: str) -> Challenge:
    for folder in sorted(place.glob("*/challenge.toml")):
        challenge = package.load_challenge(folder.parent)
        if challenge.digest == digest:
            return challenge
    raise PortalError(
        "challenge-missing",
        f"The package of challenge version {digest[:12]} is not in {place.parent}.",
        remedy="Publish it again, or bring the folder back from the backup.",
    )

"""What is downloaded: reports in their forms, and what a challenge hands to teams."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from grader import kits, package
from grader.model import Challenge
from leaderboard.model import Person
from portal import record
from portal.errors import Forbidden
from portal.house import House
from portal.services import challenges, learning, reading, reviewing
from portal.settings import HOME
from portal.web import identity

_FORMS = {
    "html": ("text/html; charset=utf-8", "inline"),
    "json": ("application/json", "attachment"),
    "junit": ("application/xml", "attachment"),
    "sarif": ("application/sarif+json", "attachment"),
    "md": ("text/markdown; charset=utf-8", "attachment"),
}
_NAMES = {"junit": "junit.xml", "sarif": "sarif.json"}
# A report quotes a team's own code and messages: nothing in it may run, whatever got past escaping.
_SANDBOXED = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"


def routes(house: House) -> list[Route]:
    """Return the routes of downloads."""
    files = Files(house)
    return [
        Route("/files/reports/{submission:int}.{form}", files.report),
        Route("/files/records/portal.pem", files.key),
        Route("/files/records/{submission:int}.json", files.record),
        Route("/files/challenges/{slug}.zip", files.challenge),
        Route("/files/kits/{slug}.zip", files.kit),
        Route("/files/lessons/{slug}.zip", files.lesson),
        Route("/files/lessons/{slug}/{notebook}.html", files.reading),
        Route("/files/feedback/{attempt:int}/{notebook}.html", files.feedback),
    ]


class Files:
    """The downloads, over one house."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def report(self, request: Request) -> Response:
        """Send a report in one of its forms."""
        form = request.path_params["form"]
        if form not in _FORMS:
            return PlainTextResponse("Reports come as html, json, junit, sarif and md.\n", 404)
        submission = request.path_params["submission"]
        content = await self._run(request, lambda by: self._told(by, submission, form))
        kind, disposition = _FORMS[form]
        name = f"drydock-{submission}.{_NAMES.get(form, form)}"
        return Response(
            content,
            headers={
                "content-type": kind,
                "content-disposition": f'{disposition}; filename="{name}"',
                "content-security-policy": _SANDBOXED,
            },
        )

    async def record(self, request: Request) -> Response:
        """Send the signed record of an approved conversion."""
        submission = request.path_params["submission"]
        content = await self._run(
            request,
            lambda by: reviewing.conversion_record(self._house, by, submission).read_bytes(),
        )
        return _attached(content, f"conversion-{submission}.json", "application/json")

    async def key(self, request: Request) -> Response:
        """Send the public key that records are checked with."""
        data = self._house.settings.data
        content = await self._run(request, lambda _: record.public_key(data).read_bytes())
        return _attached(content, "portal.pem", "application/x-pem-file")

    async def challenge(self, request: Request) -> Response:
        """Send a challenge's public export."""
        slug = request.path_params["slug"]
        content = await self._run(request, lambda by: self._packed(by, slug, _export))
        return _archive(content, f"{slug}.zip")

    async def kit(self, request: Request) -> Response:
        """Send the starter kit, filled in for a challenge."""
        slug = request.path_params["slug"]
        content = await self._run(request, lambda by: self._packed(by, slug, _kit))
        return _archive(content, f"{slug}-kit.zip")

    async def lesson(self, request: Request) -> Response:
        """Send what learners get of a lesson."""
        slug = request.path_params["slug"]
        content = await self._run(
            request, lambda _: _folder(learning.release(self._house, slug), slug)
        )
        return _archive(content, f"{slug}.zip")

    async def reading(self, request: Request) -> Response:
        """Send a lesson's notebook as a page to read."""
        slug, name = request.path_params["slug"], request.path_params["notebook"]
        return _page(
            await self._run(request, lambda _: learning.reading(self._house, slug, name).encode())
        )

    async def feedback(self, request: Request) -> Response:
        """Send what a learner reads of a notebook that was handed in."""
        attempt, name = request.path_params["attempt"], request.path_params["notebook"]
        return _page(
            await self._run(
                request,
                lambda by: learning.feedback(self._house, by, attempt, name).encode(),
            )
        )

    async def _run(self, request: Request, read: Callable[[Person], bytes]) -> bytes:
        person = await identity.person(self._house, request)
        if person is None:
            raise Forbidden("signed-out", "Sign in first.")
        return await run_in_threadpool(read, person)

    def _told(self, person: Person, submission: int, form: str) -> bytes:
        return reading.told(self._house, person, submission, form).encode()

    def _packed(self, person: Person, slug: str, write: Callable[[Challenge, Path], None]) -> bytes:
        challenge = challenges.published(self._house, person, slug)
        return _zip(challenge, write)


@lru_cache(maxsize=16)
def _zip(challenge: Challenge, write: Callable[[Challenge, Path], None]) -> bytes:
    """Return a folder that is written for this, as an archive."""
    with tempfile.TemporaryDirectory(prefix="drydock-pack-") as folder:
        root = Path(folder) / challenge.slug
        write(challenge, root)
        return _folder(root, challenge.slug)


def _folder(root: Path, name: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(path for path in root.rglob("*") if path.is_file()):
            archive.write(file, Path(name) / file.relative_to(root))
    return packed.getvalue()


def _page(content: bytes) -> Response:
    """Send a page that somebody's notebook has a say in: nothing of it runs."""
    headers = {"content-type": "text/html; charset=utf-8", "content-security-policy": _SANDBOXED}
    return Response(content, headers=headers)


def _export(challenge: Challenge, root: Path) -> None:
    package.export_public(challenge, root)


def _kit(challenge: Challenge, root: Path) -> None:
    kit = kits.find_kit(challenge.kits[0], HOME / "starter_kits")
    kits.new_kit(kit, root, challenge, owner="A team")


def _archive(content: bytes, name: str) -> Response:
    return _attached(content, name, "application/zip")


def _attached(content: bytes, name: str, kind: str) -> Response:
    """Send a file that a browser saves."""
    disposition = f'attachment; filename="{name}"'
    return Response(content, headers={"content-type": kind, "content-disposition": disposition})

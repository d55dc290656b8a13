"""A made-up event in progress: real repositories, really graded, to look around in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from grader import package
from grader.lessons import answered, find_lesson
from leaderboard.model import ChallengeVersion, Event, LinkPurpose, Person, Role
from leaderboard.store import events, models, people
from leaderboard.store.models import NewModel
from portal.house import House
from portal.services import accounts, challenges, joining, learning, rehearsing
from portal.settings import HOME

CHALLENGE = "r-health-tariff"
LINKS_LAST = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A team: who founds it, from which unit, and what it submits, one after the other."""

    team: str
    founder: str
    unit: str
    submits: tuple[str, ...]


_UNITS = {"Insurance": None, "Pricing": "Insurance", "Claims": "Insurance", "Health": "Insurance"}
_ENTRIES = (
    _Entry(
        "Plimsoll", "Ada Keel", "Pricing", ("wrong_value/rounded-parts", "accepted/statsmodels")
    ),
    _Entry("Halyard", "Ben Mast", "Claims", ("standards/undocumented",)),
    _Entry("Windlass", "Cleo Rudder", "Health", ("gaming/memorised-public",)),
    _Entry("Bowline", "Dev Anchor", "Pricing", ("accepted/scikit-learn",)),
)
_OTHERS = (
    ("champion", "Edda Sextant", (Role.CHAMPION, Role.MEMBER)),
    ("leader", "Finn Beacon", (Role.LEADER, Role.MEMBER)),
    ("manager", "Gita Chart", (Role.MANAGER, Role.MEMBER)),
    ("administrator", "Hugo Harbour", (Role.ADMIN, Role.MEMBER)),
)
_LEARNT = (
    ("Ada Keel", "from-notebook-to-package", "missing values fall through"),
    ("Dev Anchor", "from-notebook-to-package", ""),
    ("Cleo Rudder", "from-notebook-to-package", "tests that look at nothing"),
    ("Ada Keel", "from-notebook-to-package", ""),
    ("Ada Keel", "what-sas-r-and-excel-do-differently", "rounds as Python does"),
)
"""Who hands in which lesson: one of its wrong answers, or the right one."""
_MODELS = (
    ("Health tariff", "Health", "Cleo Rudder", "R", CHALLENGE),
    ("Lapse propensity", "Pricing", "Ada Keel", "SAS", None),
    ("Large claims", "Claims", "Ben Mast", "SPSS", None),
    ("Fraud score", "Claims", "Ben Mast", "R", None),
)


def prepare(house: House) -> tuple[tuple[str, str], ...]:
    """Fill an empty portal, and return a sign-in link for each role: (who, link).

    A portal that holds the demonstration already is left as it is.
    """
    if not accounts.anybody_here(house):
        _fill(house)
    with house.database.read() as tx:
        by_name = {person.name: person for person in people.people(tx)}
    roles = [("member", _ENTRIES[0].founder), *((who, name) for who, name, _ in _OTHERS)]
    return tuple(
        (who, accounts.hand_out(house, LinkPurpose.DEMO, by_name[name].id, LINKS_LAST))
        for who, name in roles
        if name in by_name
    )


def _fill(house: House) -> None:
    challenge = package.find_challenge(CHALLENGE, [HOME / "challenges"])
    by_name = _people(house)
    champion = by_name[_OTHERS[0][1]]
    version = challenges.publish(house, champion, challenge)
    event = _event(house, champion, version)
    teams = {
        entry.team: joining.found(house, by_name[entry.founder], event, entry.team)[0]
        for entry in _ENTRIES
    }
    # First each team's first one, then the second ones: so the board fills from the start.
    for turn in range(max(len(entry.submits) for entry in _ENTRIES)):
        for entry in _ENTRIES:
            if turn < len(entry.submits):
                founder = by_name[entry.founder]
                reference = entry.submits[turn]
                rehearsing.submit_reference(
                    house, challenge, version, teams[entry.team], founder, reference
                )
    for name, slug, wrong in _LEARNT:
        lesson = find_lesson(slug, [HOME / "lessons"])
        learning.hand_in(house, by_name[name], slug, answered(lesson, wrong))


def _people(house: House) -> Mapping[str, Person]:
    now = house.now()
    units: dict[str, int] = {}
    found: dict[str, Person] = {}
    with house.database.write() as tx:
        for name, parent in _UNITS.items():
            above = units[parent] if parent else None
            units[name] = people.add_unit(tx, name, at=now, parent=above).id
        members = [(entry.founder, entry.unit, (Role.MEMBER,)) for entry in _ENTRIES]
        others = [(name, "Insurance", roles) for _, name, roles in _OTHERS]
        for name, unit, roles in [*members, *others]:
            address = f"{name.split()[0].lower()}@drydock.example"
            found[name] = people.add_person(
                tx, address, name, at=now, roles=roles, unit=units[unit]
            )
        register = [
            NewModel(
                name=name, unit_id=units[unit], owner=owner, language=language, challenge_slug=slug
            )
            for name, unit, owner, language, slug in _MODELS
        ]
        models.register(tx, register, at=now, by=None)
    return found


def _event(house: House, champion: Person, version: ChallengeVersion) -> Event:
    now = house.now()
    with house.database.write() as tx:
        event = events.hold(
            tx,
            slug="first-refit",
            title="The first refit",
            starts_at=now - timedelta(hours=6),
            ends_at=now + timedelta(days=2),
            freezes_at=now + timedelta(days=1, hours=20),
            at=now,
            by=champion.id,
        )
        events.add_challenge(tx, event.id, version.id, at=now, by=champion.id)
    return event

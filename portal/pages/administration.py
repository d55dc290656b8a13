"""Administration: people, units, workers and the queue, the audit."""

from __future__ import annotations

import math
from dataclasses import replace

import pandas as pd
import streamlit as st

from leaderboard.model import Person, Role, Unit
from portal.access import Page
from portal.house import House
from portal.pages.common import (
    as_csv,
    as_table,
    confirm,
    done,
    empty,
    linked_tabs,
    moment,
    need,
    plain,
    show_done,
    told,
)
from portal.services import administration
from portal.services.administration import SILENT

_SHOWN = 50
_LINES = 100


def draw() -> None:
    """Draw the page."""
    house, person = need(Page.ADMINISTRATION)
    st.title("Administration")
    show_done()
    link = st.session_state.pop("link", "")
    if link:
        st.markdown("Send this link; it is shown this once:")
        st.code(link, language=None, wrap_lines=True)
    everybody, units, work, sso, backups, audit = linked_tabs(
        ["People", "Units", "Workers and queue", "Single sign-on", "Backups", "Audit"]
    )
    with everybody:
        _people(house, person)
    with units:
        _units(house, person)
    with work:
        _work(house, person)
    with sso:
        _single_sign_on(house)
    with backups:
        _backups()
    with audit:
        _audit(house, person)


def _people(house: House, person: Person) -> None:
    everybody = administration.people_here(house, person)
    units = {unit.id: unit.name for unit in administration.units(house, person)}
    known = _found(everybody, units)
    if st.button("Make a link to sign up", help="Whoever has it may create an account, for a week"):
        st.session_state["link"] = administration.sign_up_link(house, person)
        st.rerun()
    _invite(house, person, units, len(everybody))
    if known:
        _change(house, person, known, units)


def _found(everybody: tuple[Person, ...], units: dict[int, str]) -> dict[int, Person]:
    """Show those that are looked for, and return them by their numbers."""
    wanted = st.text_input("Find", help="A part of a name, an address, a unit or a role.")
    rows = {
        other.id: {
            "Name": other.name,
            "Address": other.email,
            "Unit": units.get(other.unit_id or 0, "not known"),
            "Roles": ", ".join(sorted(role.value for role in other.roles)),
            "Account": "open" if other.active else "closed",
        }
        for other in everybody
    }
    word = wanted.strip().casefold()
    found = {
        number: row
        for number, row in rows.items()
        if any(word in cell.casefold() for cell in row.values())
    }
    if not found:
        empty("Nobody is found.", "Try a shorter part of the name.")
        return {}
    as_table(pd.DataFrame(list(found.values())[:_SHOWN]).set_index("Name"))
    if len(found) > _SHOWN:
        st.caption(f"And {len(found) - _SHOWN} more: look for a part of their name.")
    return {other.id: other for other in everybody if other.id in found}


def _invite(house: House, person: Person, units: dict[int, str], number: int) -> None:
    st.subheader("Add somebody", anchor=False)
    # A form of its own for each that comes: so that it is empty then, and not where one is refused.
    with st.form(f"invite-{number}"):
        name = st.text_input("Name", max_chars=200)
        email = st.text_input("E-mail address", max_chars=320)
        roles = _roles("Roles", [Role.MEMBER], f"invite-roles-{number}")
        unit = st.selectbox("Unit", [None, *units], format_func=lambda u: units.get(u, "not known"))
        if st.form_submit_button("Add"):
            with told():
                link = administration.invite(
                    house, person, email=email, name=name, roles=roles, unit=unit
                )
                st.session_state["link"] = link
                st.rerun()


def _change(house: House, person: Person, known: dict[int, Person], units: dict[int, str]) -> None:
    st.subheader("Change an account", anchor=False)
    number = st.selectbox(
        "Person", list(known), format_func=lambda n: f"{known[n].name} ({known[n].email})"
    )
    other = known[number]
    with st.form("roles"):
        roles = _roles("Roles", sorted(other.roles), f"roles-{number}")
        if st.form_submit_button("Set the roles"):
            with told():
                administration.set_roles(house, person, number, roles)
                done(f"{plain(other.name)} has these roles now.")
    places = [None, *units]
    with st.form("unit-of-person"):
        unit = st.selectbox(
            "Works in",
            places,
            index=places.index(other.unit_id),
            format_func=lambda u: units.get(u, "not known"),
            key=f"unit-of-{number}",
        )
        if st.form_submit_button("Set the unit"):
            with told():
                administration.move(house, person, number, unit)
                done(f"{plain(other.name)}'s unit: {plain(units.get(unit or 0, 'not known'))}.")
    if st.button("Make a link that signs them in once"):
        st.session_state["link"] = administration.sign_in_link(house, person, number)
        st.rerun()

    def turn() -> None:
        with told():
            administration.set_active(house, person, number, active=not other.active)
            state = "closed" if other.active else "open again"
            done(f"{plain(other.name)}'s account is {state}.")

    if other.active:
        question = "They are signed out at once, and can't sign in until it is opened again."
        confirm("Close the account", question, turn, key=f"close-{number}")
    elif st.button("Open the account again"):
        turn()


def _roles(label: str, default: list[Role], key: str) -> list[Role]:
    names = st.pills(
        label,
        [role.value for role in Role],
        selection_mode="multi",
        default=[role.value for role in default],
        key=key,
    )
    return [Role(name) for name in names]


def _units(house: House, person: Person) -> None:
    known = {unit.id: unit for unit in administration.units(house, person)}
    if known:
        table = pd.DataFrame(
            {
                "Unit": unit.name,
                "Part of": known[unit.parent_id].name if unit.parent_id else "the company",
            }
            for unit in known.values()
        )
        as_table(table.set_index("Unit"))
    else:
        empty("No unit is known yet.", "Add the parts of your company, from the top down.")
    with st.form("unit", clear_on_submit=True):
        name = st.text_input("Name of the unit", max_chars=200)
        parent = _part_of(known, None, "new-unit-part-of")
        if st.form_submit_button("Add"):
            with told():
                administration.add_unit(house, person, name, parent)
                done(f"{plain(name)} is there.")
    if known:
        _change_unit(house, person, known)


def _change_unit(house: House, person: Person, known: dict[int, Unit]) -> None:
    st.subheader("Change a unit", anchor=False)
    number = st.selectbox(
        "Unit", list(known), format_func=lambda n: known[n].name, key="unit-to-change"
    )
    unit = known[number]
    with st.form(f"change-unit-{number}"):
        name = st.text_input("Its name", unit.name, max_chars=200)
        parent = _part_of(known, unit.parent_id, f"unit-part-of-{number}")
        if st.form_submit_button("Change it"):
            with told():
                administration.change_unit(
                    house, person, replace(unit, name=name, parent_id=parent)
                )
                done(f"{plain(name.strip())} is changed.")
    if st.button("Remove the unit", help="Only one that nobody and nothing belongs to."):
        with told():
            administration.remove_unit(house, person, unit)
            done(f"{plain(unit.name)} is removed.")


def _part_of(known: dict[int, Unit], now: int | None, key: str) -> int | None:
    places = [None, *known]
    return st.selectbox(
        "Part of",
        places,
        index=places.index(now),
        format_func=lambda number: known[number].name if number else "the company",
        key=key,
    )


def _work(house: House, person: Person) -> None:
    silences = administration.silences(house, person)
    if not any(silence < SILENT for silence in silences.values()):
        st.error("No worker runs: nothing is graded. Start one with 'drydock worker'.")
    for name, silence in silences.items():
        state = "" if silence < SILENT else ", taken for dead: others do its work"
        st.markdown(f"- {plain(name)}: heard of {silence.total_seconds():.0f} s ago{state}")
    waiting = administration.waiting(house, person)
    st.markdown(f"**{len(waiting)}** wait for grading.")
    if waiting:
        table = pd.DataFrame(
            {
                "Submission": sent.id,
                "Received": moment(sent.received_at),
                "State": job.state.value,
                "Step": job.step or "none",
                "Begun": job.attempts,
            }
            for sent, job in waiting
        )
        as_table(table.set_index("Submission"))


def _single_sign_on(house: House) -> None:
    provider = house.settings.single_sign_on
    if provider is None:
        empty("No single sign-on is configured.", "It takes three variables, and a restart:")
        names = ("ISSUER=https://login.example.org", "CLIENT_ID=drydock", "CLIENT_SECRET=...")
        st.code("\n".join(f"export DRYDOCK_OIDC_{name}" for name in names), language=None)
    else:
        st.markdown(
            f"People sign in by **{plain(provider.issuer)}**. The claim "
            f"{plain(provider.unit_claim)} gives the unit, {plain(provider.role_claim)} the roles."
        )
    st.markdown("The redirect address that the provider has to know:")
    st.code(f"{house.settings.public_address}/sso/callback", language=None)


@st.fragment(run_every=5)
def _backups() -> None:
    house, person = need(Page.ADMINISTRATION)
    errand = administration.backing_up(house, person)
    running = errand is not None and errand.running
    if st.button("Back up now", disabled=running):
        with told():
            administration.back_up(house, person)
            st.rerun(scope="fragment")
    if errand is not None and running:
        st.info("Under way; this page may be left.")
    elif errand is not None and errand.status:
        st.error(" ".join(errand.lines[-3:]) or "It ended early.")
    known = administration.backups(house, person)
    if not known:
        empty("No backup lies here yet.", "Take one, and copy it to another machine.")
        return
    st.caption(f"In {house.settings.data / 'backups'}; copy them to another machine.")
    table = pd.DataFrame(
        {"File": file.name, "Taken": moment(file.at), "MB": f"{file.size_mb:.1f}"} for file in known
    )
    as_table(table.set_index("File"))


def _audit(house: House, person: Person) -> None:
    if st.button("Prove the chain"):
        proof = administration.prove(house, person)
        if proof.broken:
            st.error(f"Broken: {proof.broken}.")
        else:
            st.success(f"{proof.entries} lines hold. The last hash is {proof.last}.")
    found = st.text_input("Find lines", help="A part of any column.", key="audit-find")
    number = administration.number_of_lines(house, person, found)
    if not number:
        empty("No line is found.", "Try a shorter part of it.")
        return
    pages = math.ceil(number / _LINES)
    page = st.pagination(pages, key=f"audit-page-{pages}") if pages > 1 else 1
    shown = administration.lines(house, person, found, newest=_LINES, skipped=(page - 1) * _LINES)
    st.caption(f"{number} lines, the newest first.")
    table = pd.DataFrame(
        {
            "Line": line.entry.number,
            "When": moment(line.entry.at),
            "What": line.entry.action,
            "To": line.entry.subject,
            "By": line.actor,
            "Details": line.entry.details,
        }
        for line in shown
    )
    as_table(table.set_index("Line"))
    st.download_button(
        "Download as CSV",
        lambda: _exported(house, person, found),
        "audit.csv",
        "text/csv",
        on_click="ignore",
        help="All lines that are found, with their hashes.",
    )


def _exported(house: House, person: Person, found: str) -> str:
    """Return lines as CSV, by universal time, with what proves their chain."""
    return as_csv(
        pd.DataFrame(
            {
                "number": line.entry.number,
                "at": line.entry.at.isoformat(),
                "action": line.entry.action,
                "subject": line.entry.subject,
                "by": line.actor,
                "details": line.entry.details,
                "previous": line.entry.previous,
                "hash": line.entry.hash,
            }
            for line in administration.lines(house, person, found, newest=None)
        )
    )


draw()

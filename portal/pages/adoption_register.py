"""Adoption: the register of legacy models, imported as a table and mended one by one."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from leaderboard.model import Person, Role
from portal.house import House
from portal.pages.common import as_table, confirm, done, empty, plain, told
from portal.services import register as service
from portal.services.adopting import Adoption
from portal.services.register import Preview


def register(house: House, person: Person, found: Adoption) -> None:
    """Draw the tab."""
    if {Role.MANAGER, Role.ADMIN}.isdisjoint(person.roles):
        st.caption("Managers import the register.")
        return
    _import(house, person, found)
    if found.models:
        _change(house, person, found)


def _import(house: House, person: Person, found: Adoption) -> None:
    st.subheader("Import a table", anchor=False)
    st.markdown(
        "Columns: name, unit, owner, language; optionally challenge (its slug) and live (yes or "
        "no). A model of a name that is registered already is changed."
    )
    st.caption("Units: " + (", ".join(plain(unit.name) for unit in found.units) or "none yet"))
    file = st.file_uploader("A table (.csv, .xlsx)", type=["csv", "xlsx"])
    if file is not None:
        with told():
            _looked_over(house, person, service.preview(house, person, file.name, file.getvalue()))


def _looked_over(house: House, person: Person, looked_over: Preview) -> None:
    table = pd.DataFrame(
        {"Row": row.number, **row.cells, "Problems": "; ".join(row.problems) or "none"}
        for row in looked_over.rows
    )
    if table.empty:
        empty("The table has no row.", "Add one below the header.")
        return
    as_table(table.set_index("Row"))
    bad = sum(bool(row.problems) for row in looked_over.rows)
    if bad:
        st.error(f"{bad} of {len(table)} rows have problems. Mend them and upload it again.")
    elif st.button(f"Take in {len(table)} models"):
        new, changed = service.take_in(house, person, looked_over)
        done(f"{new} models are new, {changed} were changed.")


def _change(house: House, person: Person, found: Adoption) -> None:
    """Offer to change what is said of one model, or to take it out."""
    st.subheader("Change a model", anchor=False)
    number = st.selectbox(
        "Model", list(found.models), format_func=lambda n: found.models[n].name, key="model"
    )
    model = found.models[number]
    units = {unit.id: unit.name for unit in found.units}
    challenges = sorted({*service.published(house), model.challenge_slug or ""} - {""})
    with st.form(f"change-model-{number}"):
        unit = st.selectbox(
            "Unit", list(units), list(units).index(model.unit_id), format_func=units.__getitem__
        )
        owner = st.text_input("Owner", model.owner, max_chars=200)
        language = st.text_input("Language", model.language, max_chars=40)
        slug = st.selectbox(
            "Challenge that asks for its port",
            ["", *challenges],
            ["", *challenges].index(model.challenge_slug or ""),
            format_func=lambda known: known or "none yet",
        )
        live = st.checkbox("Its port is live", model.live_since is not None)
        if st.form_submit_button("Change it"):
            with told():
                changed = replace(
                    model, unit_id=unit, owner=owner, language=language, challenge_slug=slug or None
                )
                service.change(house, person, changed, live=live)
                done(f"{plain(model.name)} is changed.")

    def remove() -> None:
        with told():
            service.remove(house, person, model)
            done(f"{plain(model.name)} is removed from the register.")

    question = "Adoption counts it no more; its challenge and what was submitted stay."
    confirm("Remove the model", question, remove, key=f"remove-model-{number}")

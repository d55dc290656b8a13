"""Commands that are loaded when they are called: each needs little of what all of them need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

SETTINGS: Mapping[str, Any] = {"rich_markup_mode": "rich", "pretty_exceptions_enable": False}


@dataclass(frozen=True, slots=True)
class Command:
    """Where a command is, and what the list of all says of it."""

    module: str
    attribute: str
    """A function, or a Typer application of its own commands."""
    about: str
    """The first sentence of its help, which is not read until it is called."""

    def load(self, name: str) -> Any:
        """Import it, and return it as Typer's parser takes it."""
        found = getattr(import_module(self.module), self.attribute)
        if not isinstance(found, typer.Typer):
            found = _alone(name, found)
        loaded = typer.main.get_command(found)
        loaded.name = name
        return loaded

    def shown(self, name: str) -> Any:
        """Return what stands for it in the list of all."""

        def nothing() -> None:
            """Do nothing: it is only shown."""

        nothing.__doc__ = self.about
        return typer.main.get_command(_alone(name, nothing))


def group(commands: Mapping[str, Command]) -> type[TyperGroup]:
    """Return the class of a group of these commands, for ``typer.Typer(cls=...)``."""

    class Group(TyperGroup):
        """Knows its commands by name, and loads the one that is called."""

        def __init__(self, **settings: Any) -> None:
            super().__init__(**settings)
            self.commands = _Loaded(commands)  # type: ignore[assignment]  # a mapping is all it needs
            self._listing = False

        def list_commands(self, ctx: Any) -> list[str]:
            del ctx
            return list(commands)

        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            if self._listing and cmd_name in commands:
                return commands[cmd_name].shown(cmd_name)
            return super().get_command(ctx, cmd_name)

        def format_help(self, ctx: Any, formatter: Any) -> None:
            self._listing = True
            try:
                super().format_help(ctx, formatter)
            finally:
                self._listing = False

    return Group


class _Loaded(Mapping[str, Any]):
    """Commands by name, each loaded when it is asked for."""

    def __init__(self, commands: Mapping[str, Command]) -> None:
        self._commands = commands

    def __getitem__(self, name: str) -> Any:
        return self._commands[name].load(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._commands)

    def __len__(self) -> int:
        return len(self._commands)


def _alone(name: str, function: Any) -> typer.Typer:
    app = typer.Typer(add_completion=False, **SETTINGS)
    app.command(name)(function)
    return app

"""Jobs in namespaces of their own: forked from a warm parent, or each from a parent of its own."""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

from grader.errors import SandboxError
from grader.model import Binding, Environment
from grader.sandbox.inside import files
from grader.sandbox.inside.orders import Order
from grader.sandbox.jobs import Job, Result
from grader.sandbox.parent import VARIABLES, Parent
from grader.sandbox.quarters import INSIDE, Quarters
from grader.sandbox.running import Running

PRELOADED = (
    "numpy",
    "pandas",
    "scipy.stats",
    "sklearn.compose",
    "sklearn.ensemble",
    "sklearn.impute",
    "sklearn.linear_model",
    "sklearn.pipeline",
    "sklearn.preprocessing",
    "statsmodels.api",
    "joblib",
    "matplotlib.backends.backend_agg",  # with its fonts, whose list takes seconds to make
    "pyarrow.pandas_compat",
    "fastapi.testclient",
    "uvicorn.lifespan.on",
    "uvicorn.loops.asyncio",
    "uvicorn.protocols.http.h11_impl",
    "pytest",
    "coverage",
    "hatchling.build",
    "IPython.core.interactiveshell",
)
"""What a warm parent imports: what submissions import most, and what takes longest."""

_RESERVED = ("/proc", "/dev", "/etc")


class IsolatedSandbox:
    """A sandbox whose jobs share nothing that they can write; ``Sandbox`` says what it promises.

    :param warm: whether jobs are forked from one parent that has imported :data:`PRELOADED`
    :param code: the scripts to run inside
    :raises SandboxError: this machine does not allow it
    """

    parent: Parent
    """The parent of all warm jobs; that of cold ones only showed that one can be started."""

    def __init__(self, environment: Environment, *, warm: bool, code: Path = INSIDE) -> None:
        self._environment = environment
        self._warm = warm
        self._lock = Lock()
        self._parents: set[Parent] = set()
        self._quarters = Quarters(code)
        try:
            self.parent = self._new_parent(PRELOADED if warm else ())
        except BaseException:
            self._quarters.close()
            raise
        self._leave(self.parent)

    @property
    def level(self) -> str:
        """``warm`` or ``cold``."""
        return "warm" if self._warm else "cold"

    def new_folder(self, name: str) -> Path:
        """Return a fresh folder to give to jobs."""
        return self._quarters.new_folder(name)

    def run(self, job: Job) -> Result:
        """Run a job to its end."""
        order = self._order(job)
        parent = self._parent()
        try:
            return parent.order(order).wait()
        finally:
            self._leave(parent)

    def open(self, job: Job) -> Running:
        """Start a job that serves."""
        order = self._order(job)
        parent = self._parent()
        try:
            running = parent.order(order)
        except BaseException:
            self._leave(parent)
            raise
        running.follow_in_background(lambda: self._leave(parent))
        return running

    def close(self) -> None:
        """End all jobs and remove all folders."""
        with self._lock:
            parents, self._parents = self._parents, set()
        for parent in parents:
            parent.close()
        self._quarters.close()

    def __enter__(self) -> Self:
        """Return the sandbox itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

    # --------------------------------------------------------------------------------- parents

    def _parent(self) -> Parent:
        return self.parent if self._warm else self._new_parent(())

    def _new_parent(self, preload: tuple[str, ...]) -> Parent:
        parent = Parent(self._environment, self._quarters, preload)
        with self._lock:
            self._parents.add(parent)
        return parent

    def _leave(self, parent: Parent) -> None:
        """Let go of a parent whose only job is done. A warm one stays."""
        if self._warm:
            return
        with self._lock:
            mine = parent in self._parents
            self._parents.discard(parent)
        if mine:
            parent.close()

    # ---------------------------------------------------------------------------------- orders

    def _order(self, job: Job) -> Order:
        limits = job.limits
        return Order(
            module=job.module,
            arguments=job.arguments,
            python_path=job.python_path,
            environment=variables(self._environment, job),
            mounts=tuple(self._mount(binding) for binding in job.mounts),
            copy_to_work=job.copy_to_work,
            collect=job.collect,
            wall_seconds=limits.wall_seconds,
            cpu_seconds=limits.cpu_seconds,
            memory_mb=limits.memory_mb,
            disk_mb=limits.disk_mb,
            output_mb=limits.output_mb,
            processes=limits.processes,
        )

    def _mount(self, binding: Binding) -> tuple[str, str]:
        readable = self._environment.readable
        _check_place(binding.inside, tuple(item.inside for item in readable))
        return str(self._quarters.shown_path(binding.host, readable)), str(binding.inside)


def variables(environment: Environment, job: Job) -> dict[str, str]:
    """Return all variables that a job starts with."""
    path = {"PYTHONPATH": ":".join(job.python_path)} if job.python_path else {}
    return VARIABLES | {"PATH": str(environment.python.parent)} | path | dict(job.environment)


def _check_place(inside: Path, taken: tuple[Path, ...]) -> None:
    """Refuse a mount that would hide what every job needs."""
    own = tuple(Path(name) for name in (*files.WRITABLE, *_RESERVED))
    collides = any(
        inside.is_relative_to(other) or other.is_relative_to(inside) for other in (*own, *taken)
    )
    if not inside.is_absolute() or ".." in inside.parts or collides:
        raise SandboxError(
            "sandbox-mount",
            f"A job asks to see something at {inside}, where there is no room for it.",
            remedy="Choose a folder of its own below the root, such as /input.",
        )

"""The submission's wheel: built in the sandbox, unpacked and looked at outside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from packaging.markers import UndefinedEnvironmentName
from packaging.metadata import parse_email
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion

from grader.checkout import unpack_wheel
from grader.commands import place_file, place_files, printable, tree_files, why_failed
from grader.errors import SandboxError, SourceError
from grader.model import Binding, Cause, Checkout, Environment, Limits, WheelBuild
from grader.sandbox import Job, Result, Sandbox

_WHEEL = "drydock.whl"
_WHEEL_MB = 64
_SOURCE_DATE_EPOCH = "1704067200"
"""Files in a wheel are dated, so that the same tree gives the same bytes."""
_BUILDER = Path(__file__).parent / "inside" / "drydock_build.py"


def build_wheel(
    checkout: Checkout, sandbox: Sandbox, limits: Limits, environment: Environment
) -> tuple[WheelBuild, Path | None]:
    """Build the wheel as its own back end does, and unpack it to where jobs can import it.

    :return: what was seen, and the folder to import from; None where there is no usable wheel
    :raises SandboxError: the sandbox failed, which is no fault of the submission
    """
    result = sandbox.run(_job(checkout, sandbox, limits))
    failure = why_failed("The build", result, limits, reveal=True)
    if failure is not None and failure.cause is Cause.SANDBOX:
        raise SandboxError("sandbox-failed", failure.message, remedy="Run 'drydock doctor'.")
    if failure is not None:
        return WheelBuild(built=False, message=failure.message), None
    return _unpack(result, sandbox, environment)


def _job(checkout: Checkout, sandbox: Sandbox, limits: Limits) -> Job:
    tree = place_files(sandbox, "submission", tree_files(checkout.tree))
    tools = place_file(sandbox, "tools", _BUILDER.name, _BUILDER.read_bytes())
    return Job(
        module=_BUILDER.stem,
        arguments=(_WHEEL,),
        mounts=(
            Binding(host=tree, inside=Path("/submission")),
            Binding(host=tools, inside=Path("/tools")),
        ),
        python_path=("/tools",),
        environment={"SOURCE_DATE_EPOCH": _SOURCE_DATE_EPOCH},
        limits=replace(
            limits,
            output_mb=max(_WHEEL_MB, limits.output_mb),
            disk_mb=limits.disk_mb + 2 * _WHEEL_MB,
        ),
        collect=(_WHEEL,),
        copy_to_work="/submission",
    )


def _unpack(
    result: Result, sandbox: Sandbox, environment: Environment
) -> tuple[WheelBuild, Path | None]:
    (wheel,) = result.files
    if wheel.content is None:
        message = f"The build left no usable wheel: {wheel.problem}."
        return WheelBuild(built=False, message=message), None
    site = sandbox.new_folder("site") / "packages"
    try:
        names = unpack_wheel(wheel.content, site)
    except SourceError as error:
        return WheelBuild(built=False, message=printable(str(error))), None
    _make_removable(site)
    metadata = _metadata(site, names)
    missing = missing_packages(metadata.get("requires_dist", ()), environment.packages)
    built = WheelBuild(
        built=True,
        message="",
        files=names,
        version=printable(str(metadata.get("version", ""))),
        missing=missing,
    )
    return built, site


def _make_removable(site: Path) -> None:
    """Let folders be emptied again when the sandbox closes; jobs see all of it read-only."""
    for folder in [site, *(path for path in site.rglob("*") if path.is_dir())]:
        folder.chmod(0o755)


def _metadata(site: Path, names: tuple[str, ...]) -> Mapping[str, object]:
    for name in names:
        if name.endswith(".dist-info/METADATA") and name.count("/") == 1:
            return dict(parse_email((site / name).read_bytes())[0])
    return {}


def missing_packages(requirements: object, packages: Mapping[str, str]) -> tuple[str, ...]:
    """Return which of the declared dependencies an environment cannot meet, sorted.

    :param requirements: as the wheel's metadata lists them; extras are optional, so left out
    :param packages: distribution to version
    """
    held = {str(canonicalize_name(name)): version for name, version in packages.items()}
    declared = requirements if isinstance(requirements, list | tuple) else ()
    return tuple(sorted({printable(str(one)) for one in declared if not _met(str(one), held)}))


def _met(declared: str, held: Mapping[str, str]) -> bool:
    try:
        requirement = Requirement(declared)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            return True
        version = held.get(canonicalize_name(requirement.name))
        return version is not None and requirement.specifier.contains(version, prereleases=True)
    except (InvalidRequirement, InvalidVersion, UndefinedEnvironmentName):
        return False

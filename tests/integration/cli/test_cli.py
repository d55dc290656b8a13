"""The command line as a stranger meets it: real processes, real files, real exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import jsonschema
import pytest

from grader import package, references

ROOT = Path(__file__).parents[3]
DRYDOCK = Path(sys.executable).with_name("drydock")
CHALLENGE = "r-health-tariff"


def drydock(*arguments: object, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [DRYDOCK, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the right port's repository."""
    challenge = package.find_challenge(CHALLENGE, [ROOT / "challenges"])
    right = next(item for item in references.list_references(challenge) if item.base)
    return references.build(right, challenge, tmp_path_factory.mktemp("port") / "port.git")


def test_right_port_is_accepted_in_every_form(port: Path) -> None:
    """It is graded once, into every kind of report: that takes half a minute."""
    files = {
        kind: port.parent / f"report.{kind}" for kind in ("json", "html", "md", "xml", "sarif")
    }
    options = [part for kind, file in files.items() for part in (f"--{kind}", file)]
    options = ["--junit" if option == "--xml" else option for option in options]
    done = drydock("grade", port, "-c", CHALLENGE, *options)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "ACCEPTED" in done.stdout
    assert "train" in done.stdout
    assert "\x1b" not in done.stdout  # steps are plain off a terminal
    report = json.loads(files["json"].read_text())
    schema = json.loads((ROOT / "docs" / "report.schema.json").read_text())
    jsonschema.validate(report, schema)
    assert (report["outcome"], report["possible"]) == ("accepted", 1000)
    assert "<html" in files["html"].read_text()
    assert "accepted" in files["md"].read_text().lower()
    assert ET.parse(files["xml"]).getroot().tag == "testsuites"  # noqa: S314 - our own
    assert json.loads(files["sarif"].read_text())["version"] == "2.1.0"


def test_json_on_stdout_stands_alone(tmp_path: Path) -> None:
    (tmp_path / "plain.txt").write_text("no project")
    done = drydock("grade", tmp_path, "-c", CHALLENGE, "--json", "-")
    assert done.returncode == 1
    assert json.loads(done.stdout)["outcome"] == "rejected"


@pytest.mark.parametrize(
    ("arguments", "slug"),
    [
        (["grade", "/nowhere", "-c", CHALLENGE], "no-such-source"),
        (["grade", ".", "-c", "r-helth-tarif"], "unknown-challenge"),
        (["grade", "docs"], "no-challenge"),
        (["grade", "/nowhere", "--public"], "no-such-source"),
        (["grade", "file:///nowhere"], "no-such-source"),
        (["grade", "nowhere@v1"], "no-such-source"),
        (["grade", "README.md"], "archive-damaged"),
        (["grade", "https://nowhere.invalid/port.git@v1"], "no-challenge"),
        (["grade", ".", "-c", CHALLENGE, "--json", "/nowhere/x.json"], "cannot-write"),
        (["grade", ".", "-c", CHALLENGE, "--json", "-", "--md", "-"], "two-on-stdout"),
        (["explain", "REPO999"], "unknown-check"),
        (["challenge", "show", "nothing"], "unknown-challenge"),
        (["challenge", "list", "--challenges", "/nowhere"], "no-such-folder"),
        (["kit", "new", "python-modal", "never", "-c", CHALLENGE], "unknown-kit"),
        (["environment", "build", "nothing"], "unknown-environment"),
    ],
)
def test_user_error_is_one_clear_end(arguments: list[str], slug: str) -> None:
    done = drydock(*arguments)
    assert done.returncode == 2, done.stderr
    assert f"docs/errors.md#{slug}" in done.stderr
    assert "Traceback" not in done.stderr


def test_usage_error_exits_two() -> None:
    assert drydock("grade").returncode == 2
    assert drydock("nonsense").returncode == 2


def test_list_as_json() -> None:
    done = drydock("challenge", "list", "--json", "-")
    rows = json.loads(done.stdout)
    assert {"slug", "title", "language", "level", "version"} == set(rows[0])
    assert CHALLENGE in {row["slug"] for row in rows}


def test_show_tells_points() -> None:
    done = drydock("challenge", "show", CHALLENGE)
    assert "parity" in done.stdout
    assert "800 of 1000 points pass" in done.stdout


def test_export_holds_nothing_hidden(tmp_path: Path) -> None:
    done = drydock("challenge", "export-public", CHALLENGE, tmp_path / "export")
    assert done.returncode == 0
    names = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    assert not any("hidden" in name or "references" in name for name in names)


def test_explain_tells_why() -> None:
    done = drydock("explain", "repo001")
    assert done.returncode == 0
    for heading in ("Why", "Fix", "Example", "Source"):
        assert heading in done.stdout


def test_doctor_finds_all_well() -> None:
    done = drydock("doctor")
    assert done.returncode == 0, done.stdout
    assert "this machine can grade" in done.stdout


def test_team_grades_its_own_copy(tmp_path: Path) -> None:
    """A team has the kit and the public export, and no challenge package of its own."""
    drydock("kit", "new", "python-model", tmp_path / "port", "-c", CHALLENGE)
    (tmp_path / "none").mkdir()
    done = drydock(
        "grade", ".", "--public", "--challenges", tmp_path / "none", "--json", "-",
        cwd=tmp_path / "port",
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    assert report["grader"]["scope"] == "public"
    assert report["left_out"]
    lost = {
        item["code"]
        for item in report["findings"]
        if item["verdict"] != "pass" and item["family"] != "repository"
    }
    assert lost == set()


def test_standards_need_no_challenge(port: Path) -> None:
    done = drydock("standards", port, "--family", "types", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["package"] == "healthtariff"


def test_standards_tell_what_fails(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("print(1)\n")
    done = drydock("standards", tmp_path, "--family", "layout")
    assert done.returncode == 1
    assert "LAYT003" in done.stdout


def test_unknown_family_is_usage(tmp_path: Path) -> None:
    done = drydock("standards", tmp_path, "--family", "styles")
    assert (done.returncode, "unknown-family" in done.stderr) == (2, True)


def test_unknown_revision_is_said_before_challenge(port: Path) -> None:
    done = drydock("grade", f"{port}@nothing", "--public")
    assert (done.returncode, "no revision 'nothing'" in done.stderr) == (2, True)


def test_help_names_the_table() -> None:
    assert "[tool.drydock]" in drydock("grade", "--help").stdout


def test_one_check_is_looked_at_alone(port: Path) -> None:
    done = drydock("grade", port, "-c", CHALLENGE, "--only", "DOCS001", "--json", "-")
    report = json.loads(done.stdout)
    assert (done.returncode, report["outcome"], report["total"]) == (0, "partial", None)
    assert [item["code"] for item in report["findings"]] == ["DOCS001"]
    assert report["cases"] == []


def test_unknown_check_is_usage(port: Path) -> None:
    done = drydock("grade", port, "-c", CHALLENGE, "--only", "DOCS01")
    assert (done.returncode, "DOCS001" in done.stderr) == (2, True)

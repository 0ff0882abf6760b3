"""What ay-bot is made of is known, audited and signed for: the audit, the parts lists, and the release's workflow."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
RELEASE = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text())


@pytest.mark.parametrize(
    ("zizmor", "pip_audit", "exit_code", "said"),
    [
        ("exit 0", "exit 0", 0, "nothing known"),
        ("exit 14", "exit 0", 1, "something was found"),
        ("exit 0", "echo 'Found 1 known vulnerability in 1 package' >&2; exit 1", 1, "something was found"),
        ("exit 0", "echo 'ERROR: HTTPSConnectionPool: Max retries exceeded' >&2; exit 1", 3, "can't be reached"),
        (
            "exit 0",
            "echo 'ERROR: Dependency not found on PyPI and could not be audited' >&2; exit 1",
            3,
            "nothing is known",
        ),
    ],
)
def test_at_46_an_audit_never_says_that_all_is_well_when_it_could_not_look(
    tmp_path, zizmor, pip_audit, exit_code, said
):
    for name, program in (("zizmor", zizmor), ("pip-audit", pip_audit)):
        (tmp_path / name).write_text(f"#!/bin/sh\n{program}\n")
        (tmp_path / name).chmod(0o755)
    given = {"PATH": os.environ["PATH"], "TOOLS": str(tmp_path)}
    ended = subprocess.run([ROOT / "scripts" / "audit"], env=given, capture_output=True, text=True, check=False)
    assert ended.returncode == exit_code, ended.stderr
    assert said in ended.stdout + ended.stderr


def test_at_46_the_parts_list_of_a_lock_names_all_of_it(tmp_path):
    pytest.importorskip("cyclonedx")
    program = (
        "import sys; sys.path.insert(0, 'scripts'); import sbom; from pathlib import Path\n"
        f"sbom.of_lock('ay_bot/agent/toolbox.lock', Path({str(tmp_path / 'x')!r}))\n"
        "print(*(part.purl for part in sbom._python(Path('ay_bot/agent/toolbox.lock'))), sep='\\n')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    pinned = re.findall(r"^(\S+?)==(\S+)", (ROOT / "ay_bot" / "agent" / "toolbox.lock").read_text(), re.MULTILINE)
    wanted = {f"pkg:pypi/{name}@{version}" for name, version in pinned}
    listed = json.loads((tmp_path / "x").read_text())
    assert {part["purl"].partition("?")[0] for part in listed["components"]} == wanted
    assert set(done.stdout.split()) == wanted
    assert all("hashes" in part["externalReferences"][0] for part in listed["components"])


def test_at_46_a_release_is_built_without_rights_and_signed_without_code_of_ours():
    """Whatever a build runs can't publish; and what publishes runs nothing of the build."""
    build, publish = RELEASE["jobs"]["build"], RELEASE["jobs"]["publish"]
    assert build["permissions"] == {"contents": "read"}
    assert publish["needs"] == "build"
    assert {"id-token", "attestations"} <= publish["permissions"].keys()
    commands = " ".join(step.get("run", "") for step in publish["steps"])
    assert not re.search(r"\b(?:make|python|pip|scripts/|docker run|docker build)\b", commands)
    assert not any("checkout" in step.get("uses", "") for step in publish["steps"])


def test_at_46_everything_that_a_release_holds_is_attested():
    attested = [
        step["with"] for step in RELEASE["jobs"]["publish"]["steps"] if "actions/attest@" in step.get("uses", "")
    ]
    for subject in ("dist/*.whl", "-box", "-bot"):
        of_it = [given for given in attested if subject in given.get("subject-path", given.get("subject-name", ""))]
        assert len(of_it) == 2, subject
        assert sum("sbom-path" in given for given in of_it) == 1, subject


def test_dependencies_are_looked_after():
    config = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())
    kinds = {update["package-ecosystem"]: update for update in config["updates"]}
    assert kinds.keys() == {"github-actions", "pip", "docker"}
    assert all(update["cooldown"]["default-days"] >= 7 for update in kinds.values())

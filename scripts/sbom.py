"""Write what ay-bot is made of as CycloneDX 1.6: python sbom.py DIRECTORY [NAME=IMAGE...]

One file for each lock (cyclonedx-bom reads it, hashes included), and one for each image: its Debian packages as dpkg
lists them in the image, and the Python packages of the locks that it was built from.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

ROOT = Path(__file__).resolve().parent.parent
LOCKS = {
    "ay-bot": "requirements/all.txt",
    "ay-bot-development": "requirements/dev.txt",
    "box-runtime": "ay_bot/agent/runtime.lock",
    "box-toolbox": "ay_bot/agent/toolbox.lock",
}
IMAGES = {"box": ("ay_bot/agent/runtime.lock", "ay_bot/agent/toolbox.lock"), "bot": ("requirements/all.txt",)}
QUERY = "${binary:Package}\t${Version}\t${Architecture}\t${source:Package}\t${source:Version}\n"
PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\]+)", re.MULTILINE)


def of_lock(lock: str, target: Path) -> None:
    """Let cyclonedx-bom describe a lock."""
    program = Path(sys.executable).with_name("cyclonedx-py")
    options = ["--pyproject", str(ROOT / "pyproject.toml"), "--output-reproducible", "--sv", "1.6", "-o", str(target)]
    # It warns that a lock doesn't say who needs what.
    subprocess.run([program, "requirements", *options, str(ROOT / lock)], check=True, env={"PYTHONWARNINGS": "ignore"})


def of_image(name: str, image: str, target: Path) -> None:
    """Describe an image by its own list of packages, and by the locks that it was built from."""
    bom = Bom()
    digest = _engine("image", "inspect", "--format", "{{.Id}}", image).strip()
    bom.metadata.component = Component(name=f"ay-bot-{name}", version=digest, type=ComponentType.CONTAINER)
    bom.components.update(_debian(image))
    for lock in IMAGES.get(name, ()):
        bom.components.update(_python(ROOT / lock))
    bom.register_dependency(bom.metadata.component, bom.components)
    target.write_text(JsonV1Dot6(bom).output_as_string(indent=1) + "\n", encoding="utf-8")


def _debian(image: str) -> Iterator[Component]:
    listed = _engine("run", "--rm", "--network", "none", "--entrypoint", "dpkg-query", image, "-W", "-f", QUERY)
    for line in listed.splitlines():
        package, version, architecture, source, source_version = line.split("\t")
        url = PackageURL("deb", "debian", package.partition(":")[0], version, {"arch": architecture})
        why = "" if (source, source_version) == (package, version) else f"built from {source} {source_version}"
        yield Component(
            name=package, version=version, purl=url, bom_ref=url.to_string(), description=why or None,
            type=ComponentType.LIBRARY,
        )  # fmt: skip


def _python(lock: Path) -> Iterator[Component]:
    for package, version in PINNED.findall(lock.read_text(encoding="utf-8")):
        url = PackageURL("pypi", None, package.lower(), version)
        yield Component(name=package, version=version, purl=url, bom_ref=url.to_string(), type=ComponentType.LIBRARY)


def _engine(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout


def main(arguments: list[str]) -> None:
    """Write them all."""
    directory = Path(arguments[0])
    directory.mkdir(parents=True, exist_ok=True)
    for name, lock in LOCKS.items():
        of_lock(lock, directory / f"{name}.cdx.json")
    for argument in arguments[1:]:
        name, _, image = argument.partition("=")
        of_image(name, image, directory / f"image-{name}.cdx.json")
    for path in sorted(directory.glob("*.cdx.json")):
        print(f"{path}: {path.read_text(encoding='utf-8').count(chr(34) + 'purl' + chr(34))} components")


if __name__ == "__main__":
    main(sys.argv[1:])

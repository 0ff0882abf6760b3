"""Make description.json.gz and schema.graphql.gz from GitHub's own, as npm has them: `python -m tests.loopback_github.make_description`.

Needs npm. Run it after a new route, example or GraphQL type; it writes what the routes use, without prose.
"""

import gzip
import io
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from tests.loopback_github.make_graphql import slim_schema
from tests.loopback_github.routing import ROUTES

HERE = Path(__file__).parent
OPENAPI, GRAPHQL = "@octokit/openapi@23.0.2", "@octokit/graphql-schema@15.26.1"
EXAMPLES = {
    "public-user-default-response": "", "full-repository": "", "installation": "", "installation-token": "",
    "integration": "", "workflow-run": "", "check-run": "check-run-paginated/check_runs/0", "short-branch": "branch-get",
}  # fmt: skip
PROSE = ("description", "example", "examples", "title", "externalDocs", "deprecated", "format", "readOnly", "default")


def fetch(package: str, member: str) -> bytes:
    """Return a file of an npm package."""
    with tempfile.TemporaryDirectory() as folder:
        run = ["npm", "pack", "--silent", package]
        name = subprocess.run(run, cwd=folder, check=True, capture_output=True, text=True).stdout.split()[-1]
        with tarfile.open(Path(folder, name)) as archive:
            found = archive.extractfile(f"package/{member}")
            assert found, f"{package} has no {member}"
            return found.read()


class Slimmer:
    """Copies schemas without prose, with OpenAPI 3.0's `nullable` as JSON schema says it, noting what they refer to."""

    def __init__(self, components: dict[str, Any]) -> None:
        self.components = components
        self.wanted: dict[str, Any] = {}

    def resolve(self, value: dict[str, Any]) -> dict[str, Any]:
        """Follow a reference to something that isn't a schema."""
        while "$ref" in value:
            _, _, kind, name = value["$ref"].split("/")
            value = self.components[kind][name]
        return value

    def schema(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        if "$ref" in value:
            self.want(value["$ref"].rsplit("/", 1)[-1])
            return {"$ref": value["$ref"]}
        kept = {k: v for k, v in value.items() if k not in PROSE and not k.startswith("x-") and k != "nullable"}
        for key in ("properties", "patternProperties"):
            if key in kept:
                kept[key] = {name: self.schema(inner) for name, inner in kept[key].items()}
        for key in ("items", "additionalProperties", "not"):
            if key in kept:
                kept[key] = self.schema(kept[key])
        for key in ("allOf", "anyOf", "oneOf"):
            if key in kept:
                kept[key] = [self.schema(inner) for inner in kept[key]]
        return {"anyOf": [kept, {"type": "null"}]} if value.get("nullable") else kept

    def want(self, name: str) -> None:
        if name not in self.wanted:
            self.wanted[name] = None
            self.wanted[name] = self.schema(self.components["schemas"][name])


def slim_operation(slimmer: Slimmer, operation: dict[str, Any]) -> dict[str, Any]:
    rows = [slimmer.resolve(row) for row in operation.get("parameters", [])]
    kept: dict[str, Any] = {
        "parameters": [
            {
                "name": r["name"],
                "in": r["in"],
                "required": r.get("required", False),
                "schema": slimmer.schema(r.get("schema", {})),
            }
            for r in rows
        ]
    }
    if "requestBody" in operation:
        body = slimmer.resolve(operation["requestBody"])
        kept["body"] = slimmer.schema(body["content"]["application/json"]["schema"])
        kept["body_required"] = body.get("required", False)
    answers = {
        code: slimmer.resolve(r).get("content", {}).get("application/json")
        for code, r in operation["responses"].items()
    }
    kept["responses"] = {
        c: slimmer.schema(a["schema"]) if a else {} for c, a in answers.items() if c.startswith(("2", "3"))
    }
    return kept


def load_routes() -> None:
    from tests.loopback_github import dispatch

    assert dispatch.AREAS


def slim_description(whole: dict[str, Any]) -> dict[str, Any]:
    slimmer, paths, missing = Slimmer(whole["components"]), {}, []
    for route in ROUTES:
        operation = whole["paths"].get(route.template, {}).get(route.method.lower())
        if operation is None:
            missing.append(f"{route.method} {route.template}")
            continue
        paths.setdefault(route.template, {})[route.method.lower()] = slim_operation(slimmer, operation)
    if missing:
        sys.exit("GitHub's description has no\n  " + "\n  ".join(missing))
    examples = {name: _example(whole["components"]["examples"], place or name) for name, place in EXAMPLES.items()}
    source = f"{OPENAPI}, copyright GitHub and contributors, MIT License"
    return {"source": source, "paths": paths, "schemas": slimmer.wanted, "examples": examples}


def _example(examples: dict[str, Any], place: str) -> Any:
    name, *steps = place.split("/")
    found = examples[name]["value"]
    for step in steps:
        found = found[int(step) if step.isdigit() else step]
    return found


def write(name: str, data: bytes) -> None:
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0, filename="") as stream:
        stream.write(data)
    (HERE / name).write_bytes(packed.getvalue())
    print(f"{name}: {len(data)} bytes, {len(packed.getvalue())} packed")


def main() -> None:
    load_routes()
    whole = json.loads(fetch(OPENAPI, "generated/api.github.com.json"))
    write("description.json.gz", json.dumps(slim_description(whole), separators=(",", ":"), sort_keys=True).encode())
    write("schema.graphql.gz", slim_schema(fetch(GRAPHQL, "schema.graphql").decode(), GRAPHQL).encode())


if __name__ == "__main__":
    main()

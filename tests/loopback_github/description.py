"""GitHub's own OpenAPI description, a slice of it: judges requests and answers, and gives examples of answers."""

import copy
import gzip
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

NULLS = re.compile(r"(labels/\d+/description|head/repo|position|\bline): None is not of type")
"""Where GitHub answers null though its description doesn't say so: a label without words, a fork that is gone, a
comment on a line that is gone."""
FILE = Path(__file__).with_name("description.json.gz")


@cache
def description() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(gzip.decompress(FILE.read_bytes()))
    return loaded


@cache
def _example(name: str, api: str, web: str, repository: str) -> Any:
    text = json.dumps(description()["examples"][name])
    text = text.replace("https://api.github.com", api).replace("https://github.com", web)
    return json.loads(text.replace("octocat/Hello-World", repository).replace("octocat/hello-world", repository))


def example(name: str, api: str, web: str, repository: str = "octocat/Hello-World") -> dict[str, Any]:
    """Return an example of the description, with addresses of this server and this repository."""
    found: dict[str, Any] = copy.deepcopy(_example(name, api, web, repository))
    return found


@cache
def _validator(template: str, method: str, *place: str) -> Any:
    import jsonschema

    schema = description()["paths"][template][method.lower()]
    for step in place:
        schema = schema.get(step, {})
        if not schema:
            return None
    whole = {**schema, "components": {"schemas": description()["schemas"]}}
    return jsonschema.Draft202012Validator(whole)


def _complaints(validator: Any, value: Any, what: str) -> list[str]:
    from jsonschema.exceptions import best_match

    if validator is None or validator.is_valid(value):
        return []
    errors = [best_match([error]) for error in validator.iter_errors(value)]
    return [f"{what}: {'/'.join(map(str, error.absolute_path))}: {error.message[:300]}" for error in errors]


def request_complaints(
    template: str, method: str, parameters: dict[str, str], query: dict[str, str], body: Any
) -> list[str]:
    """Say how a request breaks the description."""
    operation = description()["paths"].get(template, {}).get(method.lower())
    if operation is None:
        return ["GitHub's description has no such operation"]
    known = {row["name"]: row for row in operation["parameters"] if row["in"] == "query"}
    found = [f"query: there is no parameter {name}" for name in query if name not in known]
    for row in operation["parameters"]:
        given = (query if row["in"] == "query" else parameters if row["in"] == "path" else {}).get(row["name"])
        if given is not None:
            found += _parameter_complaints(row, given)
        elif row.get("required") and row["in"] == "query":
            found.append(f"query: {row['name']} is missing")
    return found + _body_complaints(template, method, operation, body)


def _parameter_complaints(row: dict[str, Any], given: str) -> list[str]:
    kind = row["schema"].get("type")
    if kind == "integer" and not re.fullmatch(r"-?\d+", given):
        return [f"{row['in']}: {row['name']} is no whole number: {given!r}"]
    if kind == "boolean" and given not in ("true", "false"):
        return [f"{row['in']}: {row['name']} is neither true nor false: {given!r}"]
    if "enum" in row["schema"] and given not in row["schema"]["enum"]:
        return [f"{row['in']}: {row['name']} is none of {row['schema']['enum']}: {given!r}"]
    return []


def _body_complaints(template: str, method: str, operation: dict[str, Any], body: Any) -> list[str]:
    if "body" not in operation:
        return ["body: this operation takes none"] if body not in (None, {}) else []
    if body is None:
        return ["body: is missing"] if operation.get("body_required") else []
    if template.endswith("/issues/{issue_number}/labels") and isinstance(body, list):
        # GitHub takes the bare list, too, though its description doesn't say so.
        body = {"labels": body}
    found = _complaints(_validator(template, method, "body"), body, "body")
    properties = operation["body"].get("properties")
    if properties and isinstance(body, dict):
        found += [f"body: there is no property {name}" for name in body if name not in properties]
    return found


def response_complaints(template: str, method: str, status: int, body: Any) -> list[str]:
    """Say how an answer of ours differs from the description."""
    operation = description()["paths"].get(template, {}).get(method.lower(), {})
    if str(status) not in operation.get("responses", {}):
        return [f"status {status} is not described"] if status < 400 else []
    found = _complaints(_validator(template, method, "responses", str(status)), body, f"answer {status}")
    return [complaint for complaint in found if not NULLS.search(complaint)]

"""devcontainer.json: what boxes take of it, what is refused, and JSON as people write it."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ay_bot.errors import UsageError
from ay_bot.host.setup.devcontainer import find_kind, parse_devcontainer
from ay_bot.host.setup.jsonc import parse_jsonc

PLACE = ".devcontainer/devcontainer.json"


def parse(text: str, place: str = PLACE):
    return parse_devcontainer(text.encode(), place)


def test_a_usual_file():
    described = parse(
        """
        // For format details, see https://aka.ms/devcontainer.json.
        {
            "name": "Python 3", /* a comment
            of two lines */
            "build": {"dockerfile": "Dockerfile", "context": "..", "args": {"VARIANT": "3.11"}, "target": "dev"},
            "onCreateCommand": "echo one // not a comment",
            "updateContentCommand": ["npm", "ci", "--prefix", "a b"],
            "postCreateCommand": {"a": "pip install -e .[test]", "b": ["make", "${containerWorkspaceFolder}"]},
            "containerEnv": {"NODE_ENV": "test", "WHERE": "${containerWorkspaceFolder}/x", "LD_PRELOAD": "/x.so"},
            "remoteEnv": {"MY_TOKEN": "${localEnv:MY_TOKEN}", "PATH": "/x:${containerEnv:PATH}", "GONE": null},
            "customizations": {"vscode": {"extensions": ["a.b",]}},
            "runArgs": ["--privileged"],
        }
        """
    )
    assert (described.dockerfile, described.context, described.target) == (".devcontainer/Dockerfile", "", "dev")
    assert described.args == {"VARIANT": "3.11"}
    assert described.commands == (
        "echo one // not a comment",
        "npm ci --prefix 'a b'",
        "pip install -e .[test]",
        "make /work",
    )
    assert described.environment == {"NODE_ENV": "test", "WHERE": "/work/x"}
    told = " ".join(described.notices)
    assert all(name in told for name in ("runArgs", "LD_PRELOAD", "MY_TOKEN", "PATH"))


def test_an_image_is_enough():
    described = parse('{"image": "debian:bookworm"}', ".devcontainer.json")
    assert (described.image, described.dockerfile, described.commands) == ("debian:bookworm", "", ())


def test_the_older_spelling():
    described = parse('{"dockerFile": "../Dockerfile", "context": "../src"}')
    assert (described.dockerfile, described.context) == ("Dockerfile", "src")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"image": "a", "features": {"ghcr.io/devcontainers/features/node:1": {}}}', "features"),
        ('{"dockerComposeFile": "compose.yml", "image": "a"}', "dockerComposeFile"),
        ("{}", "neither"),
        ('{"build": {"dockerfile": "../../Dockerfile"}}', "leads out"),
        ('{"build": {"dockerfile": "/etc/passwd"}}', "not a path"),
        ('{"build": {"dockerfile": "D", "context": "../../.."}}', "leads out"),
        ('{"build": {"dockerfile": "D", "options": ["--network=host"]}}', "walls"),
        ('{"build": {"dockerfile": "D", "more": 1}}', "build.more"),
        ('{"image": 3}', "image"),
        ('{"image": "a", "image": "b"}', "twice"),
        ("[]", "it"),
        ("{", "JSON"),
        ("[" * 5000, "JSON"),
        ('{"image": "a", "postCreateCommand": 3}', "postCreateCommand"),
    ],
)
def test_what_can_not_be_used_says_why(text, why):
    with pytest.raises(UsageError, match=why):
        parse(text)


@pytest.mark.parametrize(
    ("image", "kind"),
    [
        ("devcontainer", ("devcontainer", "")),
        ("devcontainer:.devcontainer/ci/devcontainer.json", ("devcontainer", ".devcontainer/ci/devcontainer.json")),
        ("dockerfile:docker/Dockerfile", ("dockerfile", "docker/Dockerfile")),
        ("dockerfile:", None),
        ("python:3.12", None),
        ("", None),
    ],
)
def test_what_an_image_setting_asks_for(image, kind):
    assert find_kind(image) == kind


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.text(max_size=12)
    | st.sampled_from(["//", "/*", '",}']),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
)


@given(VALUES, st.sampled_from(["", " // a\n", "/* b\n */", "\n"]))
def test_json_with_comments_is_read_as_without(value, comment):
    written = json.dumps(value, indent=1).replace("\n", f"{comment}\n")
    assert parse_jsonc(written.encode()) == value


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_whatever_the_file_holds_it_is_taken_or_refused(content):
    with contextlib.suppress(UsageError):
        parse_devcontainer(content, PLACE)
    with contextlib.suppress(ValueError):
        parse_jsonc(content)


WORDS = [
    "image",
    "build",
    "dockerfile",
    "context",
    "args",
    "containerEnv",
    "onCreateCommand",
    "features",
    "..",
    "/",
    "a",
]
SAID = st.recursive(
    st.sampled_from(WORDS) | st.none() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
)


@given(st.dictionaries(st.sampled_from(WORDS), SAID, max_size=5))
def test_no_path_ever_leads_out_of_the_repository(said):
    try:
        described = parse(json.dumps(said))
    except UsageError:
        return
    for path in (described.dockerfile, described.context):
        assert not path.startswith("/")
        assert ".." not in path.split("/")

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ay_bot.host.path_policy import PathPolicy, find_link_fault, find_path_fault, looks_like_git, protect

POLICY = PathPolicy()
IGNORED_BY_HFS = "\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u206a\u206f\ufeff"


@pytest.mark.parametrize(
    "path",
    [
        "a",
        "a/b.py",
        ".gitignore",
        "src/git/x",
        "digit",
        "café.txt",
        "名前",
        "a b",
        "it's",
        ".hidden",
        "...a",
        "git",
        "a.git",
        "console.py",
        "auxiliary",
        "com.py",
        "x/.github/y",
        "emoji-😀",
        "{a}",
        "a,b;c",
        "@x",
        "~a",
        "a~1b",
        "logit~1",
    ],
)
def test_takes_ordinary_paths(path: str) -> None:
    assert find_path_fault(path) is None


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/a",
        "a/",
        "a//b",
        "./a",
        "a/.",
        "..",
        "../a",
        "a/../b",
        "a\\b",
        "C:a",
        "a:b",
        "a*",
        "a?",
        'a"',
        "a<",
        "a>",
        "a|b",
        "a\x00b",
        "a\nb",
        "a\tb",
        "a\x7f",
        "a\x85",
        "a\u202eb",
        "a\u200bb",
        "a\u2028b",
        "a\ufeff",
        "a\ue000",
        chr(0xD800),
        "café",
        "a.",
        "a ",
        "a./b",
        " a",
        "con",
        "CON.txt",
        "a/nul",
        "aux.c",
        "com1",
        "LPT9.log",
        "com¹",
        "conin$",
        "x" * 256,
        "é" * 128,
        "/".join("a" * 41),
        "/".join(["x" * 200] * 6),
    ],
)
def test_refuses_other_paths(path: str) -> None:
    assert find_path_fault(path)


@pytest.mark.parametrize(
    "name",
    [
        ".git",
        ".GIT",
        ".Git",
        ".gİt",
        ".g\u0131t",
        ".gi̇t",
        ".git.",
        ".git ",
        ".git . .",
        ".git::$INDEX_ALLOCATION",
        ".git:x",
        "git~1",
        "GIT~2",
        ".git~1",
        "gitmod~1",
        "gi7eba~1",
        "a\\.git",
        ".\uff47\uff49\uff54",
        "\ufeff.git",
        ".g\u200cit",
        ".git\u200d",
        ".\U0001d420it",
        ".gị̇t",
        ".git\t",
    ],
)
def test_at_36_knows_git_in_disguise(name: str) -> None:
    assert looks_like_git(name)
    assert find_path_fault(f"a/{name}/hooks/x")


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["upper", "mark", "ignored", "trail", "wide"]), max_size=4),
    st.integers(0, 4),
    st.sampled_from(IGNORED_BY_HFS),
)
def test_at_36_no_disguise_of_git_passes(disguises: list[str], at: int, ignored: str) -> None:
    name = ".git"
    for disguise in disguises:
        match disguise:
            case "upper":
                name = name[:at] + name[at : at + 1].upper() + name[at + 1 :]
            case "mark":
                name = name[:at] + "\u0307" + name[at:]
            case "ignored":
                name = name[:at] + ignored + name[at:]
            case "trail":
                name += ". "[at % 2]
            case "wide":
                name = name.replace("g", "\uff47")
    assert looks_like_git(name)
    assert find_path_fault(f"x/{unicodedata.normalize('NFC', name)}")


@settings(deadline=None)
@given(st.text())
def test_what_passes_is_safe_everywhere(path: str) -> None:
    if find_path_fault(path) is not None:
        return
    components = path.split("/")
    assert path.encode().decode() == path == unicodedata.normalize("NFC", path)
    assert not {"", ".", "..", ".git"}.intersection(component.casefold() for component in components)
    assert not set('\\:*?"<>|\0\n').intersection(path)
    assert len(path.encode()) <= 1000
    assert all(len(component.encode()) <= 255 for component in components)


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("a", b"b"),
        ("d/a", b"../b"),
        ("d/e/a", b"../../b/c"),
        ("a", b"d/e/f"),
        ("a", b"."),
        ("a", b"./b"),
        ("d/a", b".."),
    ],
)
def test_takes_links_that_stay(path: str, target: bytes) -> None:
    assert find_link_fault(path, target) is None


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("a", b""),
        ("a", b"/etc/passwd"),
        ("a", b".."),
        ("d/a", b"../../x"),
        ("a", b"d/../../x"),
        ("a", b".git/config"),
        ("d/a", b"../.GIT"),
        ("a", b"C:\\x"),
        ("a", b"..\\x"),
        ("a", b"\xff"),
        ("a", b"x" * 1001),
        ("a", b"x\x00y"),
        ("a", b"git~1/config"),
        ("d/a", b"l/../../x"),
        ("a", b"d/l/.."),
    ],
)
def test_at_37_refuses_links_that_leave(path: str, target: bytes) -> None:
    assert find_link_fault(path, target)


@pytest.mark.parametrize(
    "path",
    [
        ".github/workflows/ci.yml",
        ".GitHub/Workflows/ci.yml",
        "sub/.github/workflows/x.yml",
        ".github/actions/a/x.js",
        "CODEOWNERS",
        "docs/CODEOWNERS",
        ".github/CODEOWNERS",
        ".github/ay-bot.yml",
        "action.yml",
        "pkg/action.yaml",
        ".gitmodules",
        "sub/.gitattributes",
        ".husky/pre-commit",
        ".githooks/x",
        ".pre-commit-config.yaml",
        ".envrc",
        ".vscode/tasks.json",
        ".devcontainer/x",
        ".gitlab-ci.yml",
        ".circleci/config.yml",
        "Jenkinsfile",
        ".lfsconfig",
        ".github/dependabot.yml",
        "azure-pipelines.yml",
        ".travis.yml",
    ],
)
def test_never(path: str) -> None:
    assert protect(path, POLICY).tier == "never"
    assert protect(path, POLICY).rule


@pytest.mark.parametrize(
    "path",
    [
        "pyproject.toml",
        "sub/package.json",
        "package-lock.json",
        "uv.lock",
        "Cargo.lock",
        "Dockerfile",
        "Dockerfile.dev",
        "AGENTS.md",
        "sub/CLAUDE.md",
        ".cursor/rules/x",
        "conftest.py",
        "tests/conftest.py",
        "tox.ini",
        "Makefile",
        "x.mk",
        "jest.config.js",
        "setup.py",
        ".github/ISSUE_TEMPLATE/bug.md",
        ".gitignore",
        "requirements-dev.txt",
        "x/y.pth",
    ],
)
def test_review(path: str) -> None:
    assert protect(path, POLICY).tier == "review"


@pytest.mark.parametrize(
    "path",
    ["a.py", "src/workflows/ci.yml", "docs/actions.md", "tests/test_a.py", "README.md", "github/workflows/x.yml"],
)
def test_open(path: str) -> None:
    assert protect(path, POLICY) == ("open", "")


@pytest.mark.parametrize(
    ("only", "path", "tier"),
    [
        ((), "src/a.py", "open"),
        (("docs/", "*.md"), "docs/a/b.txt", "open"),
        (("docs/", "*.md"), "src/README.md", "open"),
        (("docs/", "*.md"), "src/a.py", "never"),
        (("docs/", "!docs/private.txt"), "docs/public.txt", "open"),
        (("*.py", "!conftest.py"), "tests/conftest.py", "never"),
        (("/a.py",), "b/a.py", "never"),
        (("docs/",), "Docs/a.txt", "never"),  # an allowance is taken at its word
        (("*",), ".github/workflows/x.yml", "never"),  # what is closed to all stays so
        (("*",), "pyproject.toml", "review"),
        (("# nothing",), "a.py", "never"),
    ],
)
def test_patterns_say_what_alone_may_change(only, path, tier):
    assert protect(path, PathPolicy(only=only)).tier == tier


def test_a_path_outside_of_the_patterns_is_refused_with_a_rule():
    assert "outside of the paths" in protect("src/a.py", PathPolicy(only=("docs/",))).rule


def test_no_pattern_names_what_is_not_utf_8():
    assert protect("docs/\udcff", PathPolicy(only=("docs/",))).tier == "never"  # found by fuzzing: it raised

"""A set-up on a Docker engine: it runs once, in a box of its own, and later boxes are made of what it leaves."""

import threading
from pathlib import Path

import pytest

from ay_bot.errors import SandboxUnavailable, UsageError
from ay_bot.host.image import image_name
from ay_bot.host.sandbox import Sandbox
from ay_bot.host.setup import preparing
from ay_bot.host.setup.engine import KeptImages
from ay_bot.host.setup.installing import bounded_layer
from ay_bot.host.tree_stream import TreeChange
from tests.fakes import LocalSandbox
from tests.host.git_repositories import git, write_files
from tests.host.setup.conftest import FILES, Prepare, images_of

pytestmark = pytest.mark.docker

INSTALLS = [
    "mkdir -p node_modules/a ~/.m2 && echo module > node_modules/a/index.js && echo jar > ~/.m2/jar",
    "touch /usr/local/lib/installed && chown 33:33 /usr/local/lib/installed",
    "echo built > built.txt; echo rewritten >> src.txt; echo 'PATH=/evil' > /opt/ay/bin/x; cat /proc/net/dev; id -u",
]
LOOKS = "cat node_modules/a/index.js ~/.m2/jar built.txt src.txt; stat -c %u /usr/local/lib/installed; id -u"


def commit(project: Path, name: str, content: str) -> str:
    write_files(project, {name: content})
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", name)
    return git(project, "rev-parse", "HEAD")


def test_it_runs_once_and_what_it_made_is_in_every_later_box(project: Path, prepare: Prepare, docker: Sandbox):
    settings = {"setup": INSTALLS, "test": LOOKS}
    with prepare(**settings) as first:
        checked = first.check()
        assert images_of(docker, project) == [first.ground.image.partition(":")[2]]
        kept = next(image for image in KeptImages(docker).list() if image.name == first.ground.image)
        assert kept.in_use
        assert not KeptImages(docker).remove(kept.model_copy(update={"in_use": False})), "the engine removed it"
    *made, uid = checked.output.split()
    assert (checked.exit_code, made) == (0, ["module", "jar", "built", "one", "33"])
    assert 20_000 <= int(uid) < 60_000
    assert first.boxes == ["setup", "tests-baseline"]
    assert [ran.exit_code for ran in first.ran] == [0, 0, 0]
    words = first.ran[2].output
    assert words.endswith("\n0"), "a set-up is root in its box"
    assert "Read-only file system" in words, "what installs could change the program that runs in every box"
    assert "lo:" in words
    assert "eth0" not in words
    assert "changed files of the repository, and that is not kept: src.txt" in first.notices
    with prepare(**settings) as second:
        assert second.check().output.split()[:4] == made[:4]
    assert second.boxes == ["tests-baseline"]
    assert second.ground == first.ground


def test_a_pull_request_does_not_get_the_trusted_image_nor_give_it_one(
    project: Path, prepare: Prepare, docker: Sandbox
):
    """Its lock files are those of the branch that it is for, and what else of it runs in the set-up is not."""
    with prepare(setup="touch a") as trusted:
        pass
    before = git(project, "rev-parse", "HEAD")
    commit(project, "src.txt", "two\n")
    with prepare(setup="touch a") as later:
        assert later.ground == trusted.ground
    with prepare(setup="touch a", trusted=before) as request:
        assert request.ground.image != trusted.ground.image
    assert len(images_of(docker, project)) == 2


def test_a_set_up_that_fails_says_its_last_words_and_keeps_nothing(project: Path, prepare: Prepare, docker: Sandbox):
    command = "for i in $(seq 9999); do echo line $i; done; printf '\\033[31mno such package\\033[0m\\n' >&2; exit 4"
    with (
        pytest.raises(UsageError, match=r"failed with exit code 4:\n(line \d+\n)+no such package\n") as caught,
        prepare(setup=["true", command, "touch /never"]),
    ):
        pytest.fail("it was prepared")
    assert caught.value.exit_code == 2
    assert "network.setup" in caught.value.hint
    assert len(caught.value.message) < 8_000
    assert images_of(docker, project) == []


def test_a_change_to_lock_files_is_told_or_set_up_on_its_own(project: Path, prepare: Prepare, docker: Sandbox):
    command = "grep -q broken package-lock.json && exit 3; cp package-lock.json /installed"
    change = TreeChange(b"package-lock.json", "100644", b"another\n")
    broken = TreeChange(b"package-lock.json", "100644", b"broken\n")
    with prepare(setup=command, test="cat /installed") as one:
        tree = one.checkout.write_tree(one.site.base_tree, [change])
        assert one.site.runner.run(tree, "candidate").output == FILES["package-lock.json"]
    assert "package-lock.json" in one.notices
    assert "setup_for_changes" in one.notices
    with prepare(setup=command, test="cat /installed", setup_for_changes=True) as own:
        tree = own.checkout.write_tree(own.site.base_tree, [change])
        assert own.site.runner.run(tree, "candidate").output == "another\n"
        failed = own.site.runner.run(own.checkout.write_tree(tree, [broken]), "candidate")
    assert "failed with exit code 3" in failed.output
    assert not failed.passed
    assert len(images_of(docker, project)) == 2


def test_a_set_up_that_does_not_end_is_cut(project: Path, prepare: Prepare, docker: Sandbox):
    with (
        pytest.raises(UsageError, match="did not end within 1 s"),
        prepare(setup=["true", "sleep 60"], setup_timeout=1.0),
    ):
        pytest.fail("it was prepared")
    assert images_of(docker, project) == []


def test_two_runs_at_once_build_one_image(prepare: Prepare):
    waiting, waited = threading.Barrier(2, timeout=60), set()
    find = KeptImages.find

    def find_together(self: KeptImages, key: str) -> str:
        found = find(self, key)
        if threading.current_thread() not in waited:
            waited.add(threading.current_thread())
            waiting.wait()
        return found

    runs = []

    def run() -> None:
        with prepare(setup="sleep 0.5; date +%N > made") as one:
            runs.append(one)

    threads = [threading.Thread(target=run) for _ in range(2)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(KeptImages, "find", find_together)
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(one.boxes for one in runs) == [[], ["setup"]]
    assert runs[0].ground == runs[1].ground


def test_a_set_up_can_not_fill_the_disk(prepare: Prepare, monkeypatch: pytest.MonkeyPatch):
    def bounded(box, engine):
        return bounded_layer(box, engine, largest=1 << 20, every=0.1)

    monkeypatch.setattr(preparing, "bounded_layer", bounded)
    with (
        pytest.raises(UsageError, match="wrote more than"),
        prepare(setup="head -c 50000000 /dev/zero > /usr/large; sleep 60"),
    ):
        pytest.fail("it was prepared")


def test_what_a_set_up_leaves_says_nothing_of_how_boxes_start(prepare: Prepare, docker: Sandbox):
    with prepare(setup="touch a") as one:
        found = docker.client.inspect_image(one.ground.image)["Config"]
    assert found["Entrypoint"] == ["/bin/sh"]
    assert not found["Cmd"]
    assert found["User"] == "root"
    assert found["Healthcheck"] == {"Test": ["NONE"]}
    labels = found["Labels"]
    assert (labels["ay.run"], labels["ay.owner"], labels["ay.deadline"]) == ("", "", "99999999999")


def test_a_wall_without_images_runs_the_set_up_in_each_box_and_says_so(prepare: Prepare):
    network = {"setup": {"mode": "allowlist", "presets": ["npm"]}}
    with prepare(sandbox=LocalSandbox(), setup=["touch a", "touch b"], network=network, test="ls") as one:
        assert one.ground.setup == "set -e\ntouch a\ntouch b"
        assert {"a", "b"} <= set(one.check().output.split())
    assert "`network.setup` is not used" in one.notices
    with pytest.raises(UsageError, match="has to be built"), prepare(sandbox=LocalSandbox(), image="devcontainer"):
        pytest.fail("it was prepared")


def test_a_step_of_a_build_reaches_nothing(project: Path, prepare: Prepare, docker: Sandbox):
    """Not the bridge's gateway, no host, no name: it has the loopback of a box without network, and no more."""
    probe = """\
import socket, sys
gateway = sys.argv[1]
for address in [(gateway, int(sys.argv[2])), ("1.1.1.1", 53), ("169.254.169.254", 80), ("127.0.0.1", 3128)]:
    try:
        socket.create_connection(address, timeout=2)
        print("REACHED", address)
    except OSError as error:
        print("refused", address, error)
try:
    print("REACHED", socket.getaddrinfo("example.org", 80))
except OSError as error:
    print("refused", error)
"""
    listener = socket_on_all_addresses()
    gateway = docker.client.inspect_network("bridge")["IPAM"]["Config"][0]["Gateway"]
    dockerfile = f"""\
FROM {image_name()}
COPY probe.py /probe.py
RUN /opt/python/bin/python3 /probe.py {gateway} {listener.getsockname()[1]} > /said; cat /proc/net/dev >> /said
RUN env | grep -i proxy >> /said; true
ENTRYPOINT ["/never"]
"""
    write_files(project, {"docker/Dockerfile": dockerfile, "probe.py": probe})
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "Dockerfile")
    with listener, prepare(image="dockerfile:docker/Dockerfile", test="cat /said") as one:
        said = one.check().output
        listener.settimeout(0.1)
        with pytest.raises(TimeoutError):
            listener.accept()
    assert "REACHED" not in said
    assert sum(line.startswith("refused ") for line in said.split("\n")) == 5
    assert "proxy" not in said.lower()
    assert "eth0" not in said
    assert [ran.command.partition(" : ")[2].split()[0] for ran in one.ran] == [
        "FROM",
        "COPY",
        "RUN",
        "RUN",
        "ENTRYPOINT",
    ]
    with prepare(image="dockerfile:docker/Dockerfile") as again:
        assert again.ground == one.ground
    assert again.boxes == []
    environment = docker.client.inspect_image(one.ground.image)["Config"]["Env"]
    assert not [variable for variable in environment if "proxy" in variable.lower()]


def socket_on_all_addresses():
    import socket

    listener = socket.socket()
    listener.bind(("0.0.0.0", 0))
    listener.listen()
    return listener


def test_a_devcontainer_is_built_and_set_up(project: Path, prepare: Prepare):
    described = """{
        "build": {"dockerfile": "Dockerfile", "context": "..", "args": {"WHAT": "made"}},
        "postCreateCommand": "echo $MODE > post.txt",
        "containerEnv": {"MODE": "testing"}, // and a comment
    }"""
    dockerfile = f"FROM {image_name()}\nARG WHAT\nCOPY src.txt /from/\nRUN echo $WHAT > /made\n"
    write_files(project, {".devcontainer/devcontainer.json": described, ".devcontainer/Dockerfile": dockerfile})
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "devcontainer")
    with prepare(
        image="devcontainer", setup="cat post.txt > /set-up", test="cat /made /from/src.txt /set-up; env"
    ) as one:
        said = one.check().output.split("\n")
    assert said[:3] == ["made", "one", "testing"]
    assert "MODE=testing" in said
    assert one.boxes == ["build", "setup", "tests-baseline"]


@pytest.mark.parametrize(
    ("dockerfile", "why"),
    [
        ("FROM {image}\nRUN echo why >&2; exit 3\n", "(?s)can't be built.*why"),
        ("FRM x\n", "can't be built"),
        ("FROM {image}\nCOPY nowhere /x\n", "there is no `nowhere`"),
    ],
    ids=["a step fails", "it is none", "a file is missing"],
)
def test_a_dockerfile_that_can_not_be_built_says_why(project: Path, prepare: Prepare, dockerfile: str, why: str):
    commit(project, "Dockerfile", dockerfile.format(image=image_name()))
    with pytest.raises(UsageError, match=why), prepare(image="dockerfile:Dockerfile"):
        pytest.fail("it was built")


def test_an_image_that_is_not_there_is_told(prepare: Prepare):
    with (
        pytest.raises(SandboxUnavailable, match="not on this Docker engine"),
        prepare(image="no-such:image", setup="true"),
    ):
        pytest.fail("it was prepared")
    with pytest.raises(UsageError, match="there is no"), prepare(image="devcontainer"):
        pytest.fail("it was prepared")

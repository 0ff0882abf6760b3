"""The pure part of the Docker driver: what goes from an image into a box, and when a box is abandoned."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ay_bot.host.owner import this_process
from ay_bot.host.sandbox import BoxLimits
from ay_bot.host.sandbox.docker_places import tmpfs
from ay_bot.host.sandbox.labels import (
    DEADLINE_LABEL,
    NAMESPACE_LABEL,
    OWNER_LABEL,
    is_abandoned,
    labels,
    pid_namespace,
)
from ay_bot.host.sandbox.policy import (
    ALLOWED_VARIABLES,
    DEFAULT_PATH,
    command_environment,
    first_process_environment,
    new_uid,
)

VARIABLES = st.lists(
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ_=/", max_size=30) | st.sampled_from(["PATH=/x", "LD_PRELOAD=x"])
)


@given(VARIABLES)
def test_commands_get_nothing_of_the_image_but_the_allowlist(variables: list[str]) -> None:
    environment = command_environment(variables)
    assert set(environment) <= ALLOWED_VARIABLES
    assert environment["PATH"]


def test_an_image_without_a_path_gets_the_usual_one() -> None:
    assert command_environment(["SECRET=x"]) == {"PATH": DEFAULT_PATH}
    assert command_environment(["PATH=/a:/b", "JAVA_HOME=/j", "SECRET=x"]) == {"PATH": "/a:/b", "JAVA_HOME": "/j"}


def test_a_value_without_end_is_left_out() -> None:
    assert "LANG" not in command_environment([f"LANG={'x' * 5000}"])


@given(VARIABLES)
def test_nothing_steers_the_loader_of_the_first_process(variables: list[str]) -> None:
    over = first_process_environment([*variables, "LD_AUDIT=/x", "GLIBC_TUNABLES=y", "GCONV_PATH=/z"])
    assert {"LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "GLIBC_TUNABLES", "GCONV_PATH"} <= set(over)
    assert set(over.values()) == {""}


def test_volumes_of_an_image_are_capped_and_do_not_replace_our_places() -> None:
    places = tmpfs(BoxLimits(), 20000, ["/data", "/work", "/tmp/", "/opt/ay", "/", "relative"])
    assert set(places) == {"/data", "/work", "/tmp"}
    assert all("size=" in options and "nr_inodes=" in options for options in places.values())
    assert f"size={BoxLimits().work}" in places["/work"]


def test_each_box_has_a_uid_that_is_nobodys() -> None:
    uids = {new_uid() for _ in range(50)}
    assert len(uids) > 40
    assert all(20_000 <= uid < 60_000 for uid in uids)


def test_a_box_of_a_living_owner_is_not_abandoned() -> None:
    assert not is_abandoned(labels("test", 60), now=0, alive=True)


@pytest.mark.parametrize(
    ("change", "now", "alive", "abandoned"),
    [
        pytest.param({}, 10, False, True, id="owner-dead"),
        pytest.param({}, 1e12, True, True, id="overdue"),
        pytest.param({DEADLINE_LABEL: "soon"}, 10, True, True, id="labels-nobody-wrote"),
        pytest.param({OWNER_LABEL: "other:1:2"}, 10, False, False, id="another-machine"),
        pytest.param({NAMESPACE_LABEL: "pid:[1]"}, 10, False, False, id="another-namespace"),
    ],
)
def test_when_a_box_is_abandoned(change: dict[str, str], now: float, alive: bool, abandoned: bool) -> None:
    found = labels("test", 60) | change
    assert found[OWNER_LABEL] == change.get(OWNER_LABEL, this_process())
    assert found[NAMESPACE_LABEL] == change.get(NAMESPACE_LABEL, pid_namespace())
    assert is_abandoned(found, now=now, alive=alive) is abandoned

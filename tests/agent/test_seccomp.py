"""The filter's program, run by a small interpreter: both machines' tables are tested on either."""

import errno
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ay_bot.agent.seccomp import AARCH64, ALLOW, KILL_PROCESS, NAMESPACE_FLAGS, X32_BIT, X86_64, Machine, build_filter

MACHINES = pytest.mark.parametrize("machine", [X86_64, AARCH64], ids=["x86_64", "aarch64"])
EPERM, ENOSYS, EAFNOSUPPORT = (0x50000 | number for number in (errno.EPERM, errno.ENOSYS, errno.EAFNOSUPPORT))


def verdict(machine: Machine, number: int, *arguments: int, audit: int | None = None) -> int:
    """Run the program as the kernel would, on one system call."""
    padded = [*arguments, 0, 0, 0, 0, 0, 0][:6]
    data = struct.pack("<IIQ6Q", number, machine.audit if audit is None else audit, 0, *padded)
    program = list(struct.iter_unpack("<HBBI", build_filter(machine)))
    position, accumulator = 0, 0
    while True:
        code, if_true, if_false, value = program[position]
        position += 1
        match code:
            case 0x20:
                (accumulator,) = struct.unpack_from("<I", data, value)
            case 0x15:
                position += if_true if accumulator == value else if_false
            case 0x35:
                position += if_true if accumulator >= value else if_false
            case 0x45:
                position += if_true if accumulator & value else if_false
            case 0x06:
                return value
            case _:
                raise AssertionError(code)


@MACHINES
def test_every_refused_call_is_refused(machine: Machine) -> None:
    assert {name: verdict(machine, number) for name, number in machine.refused.items()} == dict.fromkeys(
        machine.refused, EPERM
    )


@MACHINES
@given(number=st.integers(0, 500))
def test_what_the_tables_do_not_name_is_allowed(machine: Machine, number: int) -> None:
    special = {machine.clone, machine.clone3, machine.prlimit, machine.ioctl, machine.socket, machine.socketpair}
    if number not in special and number not in machine.refused.values():
        assert verdict(machine, number, 1, 2, 3) == ALLOW


@MACHINES
@given(family=st.integers(0, 2**32 - 1))
def test_only_four_socket_families_are_allowed(machine: Machine, family: int) -> None:
    expected = ALLOW if family in (1, 2, 10, 16) else EAFNOSUPPORT
    assert verdict(machine, machine.socket, family) == expected
    assert verdict(machine, machine.socketpair, family) == expected


@MACHINES
@pytest.mark.parametrize("family", [1, 2, 10, 16, 40, 17])
def test_socket_families_that_matter(machine: Machine, family: int) -> None:
    assert (verdict(machine, machine.socket, family) == ALLOW) is (family in (1, 2, 10, 16))


@MACHINES
@given(flags=st.integers(0, 2**32 - 1))
def test_no_process_is_made_in_a_new_namespace(machine: Machine, flags: int) -> None:
    expected = EPERM if flags & NAMESPACE_FLAGS else ALLOW
    assert verdict(machine, machine.clone, flags) == expected


@MACHINES
def test_calls_that_depend_on_their_arguments(machine: Machine) -> None:
    assert verdict(machine, machine.clone3) == ENOSYS
    assert verdict(machine, machine.clone, 0x11) == ALLOW
    assert verdict(machine, machine.prlimit, 0) == ALLOW
    assert verdict(machine, machine.prlimit, 1) == EPERM
    assert verdict(machine, machine.ioctl, 0, 0x5401) == ALLOW
    assert verdict(machine, machine.ioctl, 0, 0x5412) == EPERM
    assert verdict(machine, machine.ioctl, 0, 0x541C) == EPERM
    assert verdict(machine, machine.ioctl, 0, 0x5412 | 7 << 32) == EPERM, "the kernel ignores the upper half"


@MACHINES
def test_a_foreign_abi_ends_the_process(machine: Machine) -> None:
    assert verdict(machine, 20, audit=0x40000003) == KILL_PROCESS


def test_the_second_abi_of_x86_is_unknown() -> None:
    assert verdict(X86_64, X32_BIT | 39) == ENOSYS
    assert verdict(AARCH64, X32_BIT | 39) == ALLOW


@MACHINES
def test_no_jump_leaves_the_program(machine: Machine) -> None:
    program = list(struct.iter_unpack("<HBBI", build_filter(machine)))
    assert len(program) < 256
    for position, (code, if_true, if_false, _) in enumerate(program):
        if code in (0x15, 0x35, 0x45):
            assert position + 1 + max(if_true, if_false) < len(program)
    assert program[-1][0] == program[-2][0] == 0x06

"""Becomes a child of the supervisor: `python -I -S exec_child.py SPEC PROGRAM [ARGUMENT...]`.

Runs as a file of its own, on the standard library alone, because everything here must happen between fork and
exec, and running Python code in a forked copy of the supervisor (`preexec_fn`) is not safe. SPEC is JSON:

parent      id of the process that must be alive; when it dies, however it dies, `signal` is sent to PROGRAM
signal      number of that signal
account     null, or [uid, gid] to run as; needs root
capability  null, or the number of the one capability to keep when dropping to the account
namespace   true = only appear as the account: in a user namespace that maps it to the present one
reach       directories that PROGRAM has to get into; without access this ends with NO_ACCESS
"""

import contextlib
import ctypes
import json
import os
import sys
from pathlib import Path

NO_ACCESS = 126  # as shells end when a program is there but cannot be run

_PR_SET_PDEATHSIG, _PR_SET_SECUREBITS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 1, 28, 47, 2
# Leaves capabilities as they are when the account changes, also while access(2) looks with the real account's eyes:
# without it PostgreSQL, which asks that of its own programs, is told that it may not read what it can read.
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_CLONE_NEWUSER = 0x10000000
_CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


def main(spec_json: str, *command: str) -> None:
    """Does what SPEC says and executes the command; raises SystemExit(NO_ACCESS) or OSError."""
    spec = json.loads(spec_json)
    if spec["account"]:
        take_identity(*spec["account"], capability=spec["capability"], namespace=spec["namespace"])
    # After the change of identity, which resets it; and the parent may have died before it was set.
    check(_libc.prctl(_PR_SET_PDEATHSIG, spec["signal"], 0, 0, 0))
    if os.getppid() != spec["parent"]:
        sys.exit("the supervisor is gone")
    try:
        for directory in spec["reach"]:
            os.chdir(directory)
        os.execv(command[0], command)
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(NO_ACCESS)


def take_identity(uid: int, gid: int, *, capability: int | None, namespace: bool) -> None:
    """Becomes the account, or appears as it."""
    if namespace:
        enter_namespace(uid, gid)
    else:
        drop_to(uid, gid, capability)


def drop_to(uid: int, gid: int, capability: int | None) -> None:
    """Becomes the account for good, keeping one capability at most."""
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    if capability is not None:
        check(_libc.prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP, 0, 0, 0))
    os.setresuid(uid, uid, uid)
    if capability is not None:
        keep(capability)


def keep(capability: int) -> None:
    """Reduces the capabilities to one, which the next program and its children inherit."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    low = 1 << capability
    sets = (ctypes.c_uint32 * 6)(
        low, low, low, 0, 0, 0
    )  # effective, permitted, inheritable; then their upper halves
    check(_libc.capset(header, sets))
    check(_libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability, 0, 0))


def enter_namespace(uid: int, gid: int) -> None:
    """Appears as the account to this process and its children; for others, files and rights stay as they are."""
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    check(_libc.unshare(_CLONE_NEWUSER))
    with contextlib.suppress(FileNotFoundError):  # before Linux 3.19
        Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {outer_uid} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {outer_gid} 1")


def check(result: int) -> None:
    """Raises OSError if a call into the C library failed."""
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


if __name__ == "__main__":
    main(*sys.argv[1:])

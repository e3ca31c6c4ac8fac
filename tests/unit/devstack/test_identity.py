import json
import os
import pwd
import select
import subprocess
import sys
from pathlib import Path

import pytest

from laurel_server.devstack import identity as identities
from laurel_server.devstack.errors import DevstackError
from laurel_server.devstack.identity import Identity, choose_identity

NOBODY = (pwd.getpwnam("nobody").pw_uid, pwd.getpwnam("nobody").pw_gid)
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can change its account")
SHOW_ACCOUNT = "id -u; cat /proc/self/status | grep CapEff"


def run(identity: Identity, script: str, reach: list[Path] | None = None) -> subprocess.CompletedProcess[str]:
    command = identity.wrap(["/bin/sh", "-c", script], reach=reach or [])
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")


def test_the_present_account_is_used_as_it_is() -> None:
    assert run(Identity(), "id -u").stdout.strip() == str(os.geteuid())
    assert Identity().owner == (os.geteuid(), os.getegid())


def test_a_child_dies_with_its_parent() -> None:
    parent_script = (
        "import subprocess, sys; from laurel_server.devstack.identity import Identity;"
        "command = Identity().wrap(['/bin/sh', '-c', 'echo $$; exec sleep 60']);"
        "subprocess.Popen(command); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", parent_script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = os.pidfd_open(int(parent.stdout.readline()))
        parent.kill()
        assert select.select([child], [], [], 60)[0] == [child]
    os.close(child)


def test_a_child_whose_parent_is_gone_does_not_start(tmp_path: Path) -> None:
    command = Identity().wrap(["/bin/touch", str(tmp_path / "started")])
    spec = json.loads(command[4]) | {"parent": 1}
    done = subprocess.run(
        [*command[:4], json.dumps(spec), *command[5:]], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "the supervisor is gone" in done.stderr
    assert not (tmp_path / "started").exists()


@AS_ROOT
def test_dropping_to_an_account_keeps_no_power() -> None:
    uid, capabilities = run(Identity(NOBODY), SHOW_ACCOUNT).stdout.splitlines()
    assert uid == str(NOBODY[0])
    assert int(capabilities.split()[1], 16) == 0


@AS_ROOT
def test_dropping_with_a_capability_keeps_that_one() -> None:
    uid, capabilities = run(Identity(NOBODY, capability=2), SHOW_ACCOUNT).stdout.splitlines()
    assert uid == str(NOBODY[0])
    assert int(capabilities.split()[1], 16) == 1 << 2


@AS_ROOT
def test_a_kept_capability_counts_also_where_programs_ask_for_access(tmp_path: Path) -> None:
    (tmp_path / "program").touch(mode=0o755)
    tmp_path.chmod(0o700)
    for identity, answer in ((Identity(NOBODY), 1), (Identity(NOBODY, capability=2), 0)):
        command = identity.wrap(
            ["/usr/bin/test", "-x", tmp_path / "program"]
        )  # asks access(2), as PostgreSQL does
        assert subprocess.run(command, check=False).returncode == answer


def test_a_namespace_gives_a_name_and_no_power(tmp_path: Path) -> None:
    done = run(Identity(NOBODY, namespace=True), f"{SHOW_ACCOUNT}; touch '{tmp_path}/file'")
    if done.returncode != 0:
        pytest.skip(f"this machine has no user namespaces: {done.stderr.splitlines()[-1]}")
    uid, capabilities = done.stdout.splitlines()
    assert uid == str(NOBODY[0])
    assert int(capabilities.split()[1], 16) == 0
    assert (tmp_path / "file").stat().st_uid == os.geteuid()


@AS_ROOT
def test_a_directory_that_an_account_cannot_get_into_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    done = run(Identity(NOBODY), "true", reach=[tmp_path])
    assert done.returncode == 126
    assert "Permission denied" in done.stderr


@AS_ROOT
def test_the_least_powerful_identity_that_gets_there_is_chosen(tmp_path: Path) -> None:
    assert choose_identity(Path("/bin/true"), Path("/tmp/engine")) == Identity(NOBODY)
    tmp_path.chmod(0o700)
    assert choose_identity(Path("/bin/true"), tmp_path / "engine") == Identity(NOBODY, capability=2)


@AS_ROOT
def test_the_account_that_owns_the_data_stays_the_owner(tmp_path: Path) -> None:
    (tmp_path / "engine").mkdir()
    games = pwd.getpwnam("games")
    os.chown(tmp_path / "engine", games.pw_uid, games.pw_gid)
    assert choose_identity(Path("/bin/true"), tmp_path / "engine").account == (games.pw_uid, games.pw_gid)


@AS_ROOT
def test_a_program_that_nobody_can_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(DevstackError, match="LAUREL_PG_DSN"):
        choose_identity(Path("/bin/false"), tmp_path / "engine")


def test_an_account_without_a_name_appears_as_one_with(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    assert list(identities._candidates(tmp_path / "engine")) == [Identity(NOBODY, namespace=True)]


def test_an_ordinary_user_needs_no_change(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: NOBODY[0])
    assert choose_identity(Path("/nowhere"), tmp_path) == Identity()

import stat
from pathlib import Path

import pytest

from laurel_server.devstack.datadir import open_data_dir, own_directory, write_private
from laurel_server.devstack.errors import DevstackError
from laurel_server.devstack.runfile import ProcessEntry, RunFile, read_run_file

RUN = RunFile("127.0.0.1:1", "127.0.0.1:2", "postgresql://a", "redis://b", None, [ProcessEntry("server", 3)])


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_passwords_are_made_once_and_differ(tmp_path: Path) -> None:
    first = open_data_dir(tmp_path).passwords()
    assert open_data_dir(tmp_path).passwords() == first
    assert len({first.postgres, first.postgres_superuser, first.redis}) == 3
    assert mode(tmp_path / "secrets.json") == 0o600


def test_a_new_directory_cannot_be_listed_by_others(tmp_path: Path) -> None:
    data = open_data_dir(tmp_path / "deep" / "data")
    assert mode(data.root) & 0o066 == 0
    assert mode(data.root / "logs") == 0o700


def test_a_present_directory_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    open_data_dir(tmp_path)
    assert mode(tmp_path) == 0o755


def test_links_are_resolved(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert open_data_dir(tmp_path / "link").root == tmp_path / "real"


def test_a_file_in_the_place_is_told_with_the_variable(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(DevstackError, match=r"cannot work in .*data: .*LAUREL_DATA_DIR"):
        open_data_dir(tmp_path / "data")


def test_private_files_are_replaced_whole(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("old and longer")
    file.chmod(0o644)
    write_private(file, b"new")
    assert (file.read_text(), mode(file)) == ("new", 0o600)
    assert list(tmp_path.iterdir()) == [file]


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("old")
    with pytest.raises(TypeError):
        write_private(file, "no bytes")  # type: ignore[arg-type]
    assert [entry.read_text() for entry in tmp_path.iterdir()] == ["old"]


def test_an_owned_directory_is_for_its_owner_alone(tmp_path: Path) -> None:
    own_directory(tmp_path / "engine", (tmp_path.stat().st_uid, tmp_path.stat().st_gid))
    assert mode(tmp_path / "engine") == 0o700


def test_a_run_file_reads_as_it_was_written(tmp_path: Path) -> None:
    RUN.write(tmp_path / "run.json")
    assert read_run_file(tmp_path / "run.json") == RUN
    assert read_run_file(tmp_path / "other.json") is None

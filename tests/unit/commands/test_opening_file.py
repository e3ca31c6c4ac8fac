import os
from pathlib import Path

import pytest

from laurel_server.commands.opening_file import OpeningFileError, read_openings
from laurel_server.rewards.opening import Opening


def read(tmp_path: Path, text: str) -> list[Opening]:
    file = tmp_path / "people.csv"
    file.write_text(text)
    found = read_openings(file)
    openings = list(found.openings())
    assert found.lines == len(openings)
    return openings


def test_columns_stand_in_any_order_and_may_be_missing(tmp_path: Path) -> None:
    text = "country, points ,user_id,note\nus, 12 ,ann,is here\n\n,,bob,\nDE,7,cleo,x\n"
    assert read(tmp_path, text) == [
        Opening(2, "ann", 12, "", "", "US", ""),
        Opening(4, "bob", 0, "", "", "", ""),
        Opening(5, "cleo", 7, "", "", "DE", ""),
    ]


def test_what_spreadsheets_write_is_read(tmp_path: Path) -> None:
    text = '\ufeffuser_id,points,username\r\nann,1,"O""Neill, Ann"\r\n'
    assert read(tmp_path, text) == [Opening(2, "ann", 1, 'O"Neill, Ann', "", "", "")]


def test_the_line_of_a_person_is_that_of_the_file_also_behind_names_of_several_lines(tmp_path: Path) -> None:
    text = 'user_id,points,username\nann,1,"Ann\nof Cleves"\nbob,2,Bob\n'
    assert [(each.line, each.username) for each in read(tmp_path, text)] == [
        (3, "Ann\nof Cleves"),
        (4, "Bob"),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no column user_id"),
        ("user_id,points,points\nann,1,2\n", "line 1: has more than one column points"),
        ("user_id,points\nann,1,000\n", "line 2: has 3 cells where the header has 2"),
        ("user_id,points\nann,1\nbob\n", "line 3: has 1 cells where the header has 2"),
        ("user_id,points\nann,9007199254740993\n", "line 2, column points: must be a whole number"),
        ("user_id,points\nann,-1\n", "line 2, column points: must be a whole number"),
        ("user_id,points\n,1\n", "line 2, column user_id: must be 1 to 64"),
        ("user_id,points\n~7,1\n", "line 2, column user_id: must be 1 to 64"),
        ("user_id,points,username\nann,1," + "n" * 101, "line 2, column username: must be up to 100"),
        ("user_id,points,username\nann,1,A\0n\n", "line 2, column username: must be up to 100"),
        ("user_id,points,email\nann,1," + "n" * 256, "line 2, column email: must be up to 255"),
        ("user_id,points,country\nann,1,USA\n", "line 2, column country: must be two letters"),
        ("user_id,points,region\nann,1,North East\n", "line 2, column region: must be up to 64"),
        ('user_id,points\nann,1\n"bob,2\ncleo,3\n', "line 3: is no CSV"),
        ('user_id,points\nann,"1"2\n', "line 2: is no CSV"),
    ],
)
def test_what_is_wrong_is_refused_with_its_line_and_column(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(OpeningFileError, match=f"^{words}"):
        read(tmp_path, text)


@pytest.mark.parametrize(("encoding", "line"), [("latin-1", 3), ("utf-16", 1)])
def test_another_encoding_is_refused_with_the_line(tmp_path: Path, encoding: str, line: int) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes("user_id,points,username\nann,1,Ann\nbob,2,Böb\n".encode(encoding))
    with pytest.raises(OpeningFileError, match=f"^line {line}: is not in UTF-8"):
        read_openings(file)


def test_a_pipe_is_refused_as_it_can_be_read_once_alone(tmp_path: Path) -> None:
    pipe = tmp_path / "people.csv"
    os.mkfifo(pipe)
    with pytest.raises(OpeningFileError, match="is no regular file"):
        read_openings(pipe)

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
    text = "country,points,user_id,note\nus, 12 ,ann,is here\n\n,,bob\nDE,7,cleo,x,beyond\n"
    assert read(tmp_path, text) == [
        Opening(2, "ann", 12, "", "", "US", ""),
        Opening(4, "bob", 0, "", "", "", ""),
        Opening(5, "cleo", 7, "", "", "DE", ""),
    ]


def test_the_line_of_a_person_is_that_of_the_file_also_behind_names_of_several_lines(tmp_path: Path) -> None:
    text = 'user_id,points,username\nann,1,"Ann\nof Cleves"\nbob,2,Bob\n'
    assert [(each.line, each.username) for each in read(tmp_path, text)] == [
        (3, "Ann\nof Cleves"),
        (4, "Bob"),
    ]


@pytest.mark.parametrize("text", ["", "user_id,points\nann,9007199254740993\n", "user_id,points\n,1\n"])
def test_what_is_no_such_file_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(OpeningFileError):
        read(tmp_path, text)

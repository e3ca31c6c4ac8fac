"""Events out of CSV files."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from laurel_client.replay import Event
from laurel_server.commands.event_file import Columns, EventFileError, read_events

ALL = Columns("id", "user", "time", "amount", "country", "kind")
FEW = Columns("", "user", "", "", "", "")
HEADER = "id,user,time,amount,country,kind"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "events.csv"


def write(file: Path, *lines: str) -> None:
    file.write_text("\n".join(lines) + "\n")


def test_a_row_becomes_an_event(file: Path) -> None:
    write(file, HEADER, "7,ada,2011-12-09T12:50:00+01:00, 1.10 ,GB,PURCHASE")
    moment = datetime(2011, 12, 9, 11, 50, tzinfo=UTC)
    assert read_events(file, ALL, "PURCHASE") == ([Event("7", "ada", moment, "1.10", "GB")], 0)


def test_other_kinds_are_counted_and_need_not_be_right(file: Path) -> None:
    write(file, HEADER, "7,ada,2011-12-09,1,GB,PURCHASE", ",,,,,CANCELLATION")
    events, skipped = read_events(file, ALL, "PURCHASE")
    assert ([each.event_id for each in events], skipped) == (["7"], 1)


def test_a_time_without_an_offset_is_utc(file: Path) -> None:
    write(file, HEADER, "7,ada,2011-12-09 12:50,1,GB,PURCHASE")
    (event,), _ = read_events(file, ALL, "PURCHASE")
    assert event.occurred_at == datetime(2011, 12, 9, 12, 50, tzinfo=UTC)


def test_columns_may_be_missing_if_one_says_so(file: Path) -> None:
    write(file, "user", "ada", "bob")
    (ada, bob), skipped = read_events(file, FEW, "PURCHASE")
    assert ((ada.user_id, ada.occurred_at, ada.amount, ada.country), skipped) == (("ada", None, "", ""), 0)
    assert ada.event_id != bob.event_id


def test_without_ids_the_same_file_gives_the_same_ids_and_equal_rows_different_ones(file: Path) -> None:
    write(file, "user", "ada", "ada", "bob")
    ids = [event.event_id for event in read_events(file, FEW, "").events]
    assert len(set(ids)) == 3
    write(file, "user", "bob", "ada", "ada", "ada")
    more = [event.event_id for event in read_events(file, FEW, "").events]
    assert set(ids) < set(more)


def test_a_byte_order_mark_is_no_part_of_the_first_column(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbfuser\nada\n")
    assert read_events(file, FEW, "").events[0].user_id == "ada"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["id,user,time,amount,kind"], "has no column 'country'; it has id, user, time, amount, kind"),
        ([""], "has no column 'id'; it has none"),
        ([HEADER, "7,ada,yesterday,1,GB,PURCHASE"], "line 2: 'yesterday' is no time such as"),
        ([HEADER, "7,ada,2011-12-09,much,GB,PURCHASE"], "line 2: 'much' is no number"),
        ([HEADER, "7,ada,2011-12-09,NaN,GB,PURCHASE"], "line 2: 'NaN' is no number"),
        ([HEADER, "7,ada,2011-12-09,,GB,PURCHASE"], "line 2: '' is no number"),
        ([HEADER, ",ada,2011-12-09,1,GB,PURCHASE"], "line 2 has no id"),
        ([HEADER, *["7,ada,2011-12-09,1,GB,PURCHASE"] * 2], "lines 2 and 3 have the same id, 7"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(file: Path, lines: list[str], message: str) -> None:
    write(file, *lines)
    with pytest.raises(EventFileError, match=f"^{message}"):
        read_events(file, ALL, "PURCHASE")


def test_a_file_that_is_no_text_is_refused(file: Path) -> None:
    file.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(EventFileError, match="cannot be read"):
        read_events(file, ALL, "PURCHASE")


def test_a_cancellation_refunds_the_latest_purchases_each_up_to_its_amount(file: Path) -> None:
    rows = [
        "1,ada,2011-01-01,10,GB,PURCHASE",
        "2,ada,2011-01-02,5.50,GB,PURCHASE",
        "3,bob,2011-01-03,9,GB,PURCHASE",
    ]
    write(file, HEADER, *rows, "c1,ada,2011-01-04,-7.50,GB,CANCEL", "c2,ada,2011-01-05,100,GB,CANCEL")
    events, skipped = read_events(file, ALL, "PURCHASE", "CANCEL")
    assert [(each.event_id, each.refunds, each.amount, each.refunds_amount) for each in events[3:]] == [
        ("c1", "2", "5.50", "5.50"),
        ("c1/2", "1", "2.00", "10"),
        ("c2", "1", "8.00", "10"),
    ]
    assert skipped == 0


def test_a_cancellation_of_nothing_and_one_before_the_purchase_are_skipped(file: Path) -> None:
    rows = [
        "c1,ada,2011-01-01,1,GB,CANCEL",
        "1,ada,2011-01-03,10,GB,PURCHASE",
        "c2,ada,2011-01-02,1,GB,CANCEL",
    ]
    write(file, HEADER, *rows)
    events, skipped = read_events(file, ALL, "PURCHASE", "CANCEL")
    assert ([each.event_id for each in events], skipped) == (["1"], 2)

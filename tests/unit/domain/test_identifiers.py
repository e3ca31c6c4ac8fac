from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laurel_server.domain.clock import END_OF_TIME, EPOCH
from laurel_server.domain.errors import Reason
from laurel_server.domain.identifiers import (
    check_action,
    ids_of_months,
    month_of,
    parse_transaction_id,
    sequence_of,
    transaction_id,
)
from tests.unit.domain.refusals import refused

MOMENTS = st.datetimes(
    EPOCH.replace(tzinfo=None),
    END_OF_TIME.replace(tzinfo=None) - timedelta(microseconds=1),
    timezones=st.just(UTC),
)
SEQUENCES = st.integers(0, 2**48 - 1)


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (check_action, "PURCHASE"),
        (check_action, "A" * 64),
        (check_action, "STEP_2"),
    ],
)
def test_valid_ids_are_returned(check: Callable[[str], str], text: str) -> None:
    assert check(text) == text


@pytest.mark.parametrize(
    ("check", "field", "text"),
    [
        *((check_action, "action", text) for text in ("", "purchase", "_A", "1A", "A" * 65, "A-B", "A\n")),
    ],
)
def test_invalid_ids_are_refused(check: Callable[[str], str], field: str, text: str) -> None:
    with refused(Reason.INVALID_FIELD, field):
        check(text)


@given(MOMENTS, SEQUENCES)
def test_a_transaction_id_holds_month_and_sequence_in_a_positive_int64(
    moment: datetime, sequence: int
) -> None:
    packed = transaction_id(moment, sequence)
    assert 0 <= packed < 2**63
    assert month_of(packed) == (moment.year, moment.month)
    assert sequence_of(packed) == sequence


@given(MOMENTS, SEQUENCES)
def test_an_id_lies_in_the_range_of_its_month_and_in_no_other(moment: datetime, sequence: int) -> None:
    low, high = ids_of_months(moment, moment)
    assert low <= transaction_id(moment, sequence) < high


def test_the_ranges_of_months_join_without_a_gap() -> None:
    december, january, first = (
        datetime(*month, 1, tzinfo=UTC) for month in ((2026, 12), (2027, 1), (1970, 1))
    )
    assert ids_of_months(december, december)[1] == ids_of_months(january, january)[0]
    assert ids_of_months(first, first) == (0, 2**48)


@given(SEQUENCES.filter(bool))
def test_a_written_id_reads_back_as_itself(sequence: int) -> None:
    packed = transaction_id(datetime(2026, 11, 23, tzinfo=UTC), sequence)
    assert parse_transaction_id(str(packed)) == packed


@pytest.mark.parametrize("text", ["nope", "0", "-5", "1.0", "01", str(2**63), "9" * 19, "9" * 500, " 5"])
def test_what_cannot_be_an_id_names_no_transaction(text: str) -> None:
    with refused(Reason.TRANSACTION_NOT_FOUND):
        parse_transaction_id(text)


def test_an_empty_id_is_invalid() -> None:
    with refused(Reason.INVALID_FIELD, "transaction_id"):
        parse_transaction_id("")

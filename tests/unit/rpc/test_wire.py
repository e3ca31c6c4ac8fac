import pytest
from google.protobuf.internal import encoder
from hypothesis import given
from hypothesis import strategies as st

from laurel.leaderboard.v1.leaderboard_pb2 import LeaderboardEntry
from laurel.leaderboard.v1.leaderboard_service_pb2 import GetLeaderboardResponse
from laurel_server.rpc.wire import length_delimited, true_flag, varint


@given(st.integers(min_value=0, max_value=2**64 - 1))
def test_varint_is_that_of_protobuf(number: int) -> None:
    written = bytearray()
    encoder._EncodeVarint(written.extend, number)  # type: ignore[attr-defined]
    assert varint(number) == written


@pytest.mark.parametrize("length", [0, 1, 127, 128, 20_000])
def test_a_message_put_together_parses(length: int) -> None:
    entry = LeaderboardEntry(username="x" * length)
    field = length_delimited(GetLeaderboardResponse.USER_ENTRY_FIELD_NUMBER, entry.SerializeToString())
    assert GetLeaderboardResponse.FromString(field) == GetLeaderboardResponse(user_entry=entry)


def test_a_flag_is_set_to_true() -> None:
    flag = true_flag(LeaderboardEntry.IS_CURRENT_USER_FIELD_NUMBER)
    assert LeaderboardEntry.FromString(flag) == LeaderboardEntry(is_current_user=True)

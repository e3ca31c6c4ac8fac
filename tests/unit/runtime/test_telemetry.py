import logging
from collections.abc import Iterator

import pytest
import structlog

from tests.unit.runtime.log_lines import LogLines, captured_log


@pytest.fixture
def lines() -> Iterator[LogLines]:
    with captured_log() as captured:
        yield captured


def test_a_line_is_one_json_object_with_time_and_level(lines: LogLines) -> None:
    structlog.get_logger().info("boards.rebuilt", board="global", members=5, skipped=None)
    line = lines.only()
    assert str(line.pop("timestamp")).endswith("Z")
    assert line == {"event": "boards.rebuilt", "level": "info", "board": "global", "members": 5}


def test_line_breaks_stay_inside_the_object(lines: LogLines) -> None:
    structlog.get_logger().warning("a\nb", detail='"quoted"\n')
    assert lines.only()["event"] == "a\nb"


def test_values_of_any_kind_are_written(lines: LogLines) -> None:
    structlog.get_logger().info("x", value={1, 2}, error=ValueError("no"))
    assert lines.only()["error"] == "no"


def test_lines_below_the_level_are_left_out(lines: LogLines) -> None:
    structlog.get_logger().debug("x")
    assert lines.all() == []


def test_a_traceback_is_a_field(lines: LogLines) -> None:
    structlog.get_logger().error("job failed", exc_info=ValueError("no"))
    line = lines.only()
    assert line["level"] == "error"
    assert "ValueError: no" in str(line["exception"])


def test_lines_of_libraries_have_the_same_form(lines: LogLines) -> None:
    logging.getLogger("grpc").warning("connection %d lost", 7)
    line = lines.only()
    assert (line["event"], line["level"], line["logger"]) == ("connection 7 lost", "warning", "grpc")
    assert str(line["timestamp"]).endswith("Z")


def test_libraries_are_heard_from_warnings_on(lines: LogLines) -> None:
    logging.getLogger("asyncio").info("x")
    assert lines.all() == []

import pytest

from laurel_server.domain.achievements import Milestone, milestone_of_points, milestone_of_rank


@pytest.mark.parametrize(
    ("before", "after", "value"),
    [
        (0, 999, None),
        (0, 1_000, 1_000),
        (999, 1_000, 1_000),
        (1_000, 2_499, None),
        (0, 6_000, 5_000),
        (9_999, 10_000, 10_000),
        (24_000, 26_000, 25_000),
        (2_000, 500, None),
    ],
)
def test_the_highest_milestone_of_points_that_an_award_passes(
    before: int, after: int, value: int | None
) -> None:
    milestone = milestone_of_points("ann", before, after)
    assert (milestone and milestone.value) == value


def test_the_words_of_milestones() -> None:
    assert milestone_of_points("ann", 0, 5_000) == Milestone(
        "ann", "POINTS", 5_000, "You reached 5,000 points!"
    )
    assert milestone_of_rank("ann", 1) == Milestone("ann", "RANK", 1, "You reached rank 1!")
    assert milestone_of_rank("ann", 4) == Milestone("ann", "RANK", 10, "You reached the top 10!")


@pytest.mark.parametrize(
    ("rank", "value"), [(1, 1), (2, 3), (3, 3), (10, 10), (11, 20), (51, 100), (1000, 1000), (1001, None)]
)
def test_the_best_milestone_that_a_rank_reaches(rank: int, value: int | None) -> None:
    milestone = milestone_of_rank("ann", rank)
    assert (milestone and milestone.value) == value

import pytest

from laurel_server.domain.boards import (
    DEFAULT_FAMILIES,
    BoardFamily,
    BoardKey,
    BoardMatrix,
    Membership,
    Scope,
    ScopeKind,
    Visibility,
    parse_scope,
)
from laurel_server.domain.errors import Reason
from laurel_server.domain.periods import PeriodType
from laurel_server.domain.tiers import Tier
from tests.unit.domain.refusals import refused

ANN = Membership("US", "West", Tier.GOLD, ("vip", "beta"), Visibility.PUBLIC)


@pytest.mark.parametrize(
    ("text", "scope", "canonical"),
    [
        ("", Scope(ScopeKind.GLOBAL), "global"),
        ("global", Scope(ScopeKind.GLOBAL), "global"),
        ("country:US", Scope(ScopeKind.COUNTRY, "US"), "country:US"),
        ("country:us", Scope(ScopeKind.COUNTRY, "US"), "country:US"),
        ("region:Île-de-France", Scope(ScopeKind.REGION, "Île-de-France"), "region:Île-de-France"),
        ("region:New South Wales", Scope(ScopeKind.REGION, "New South Wales"), "region:New South Wales"),
        ("tier:gold", Scope(ScopeKind.TIER, "gold"), "tier:gold"),
        ("tier:GOLD", Scope(ScopeKind.TIER, "gold"), "tier:gold"),
        ("segment:vip", Scope(ScopeKind.SEGMENT, "vip"), "segment:vip"),
        ("fastest-lap", Scope(ScopeKind.BOARD, "fastest-lap"), "fastest-lap"),
    ],
)
def test_scopes(text: str, scope: Scope, canonical: str) -> None:
    assert parse_scope(text) == scope
    assert scope.text == canonical
    assert parse_scope(canonical) == scope


@pytest.mark.parametrize(
    "text",
    [
        *(
            "country:",
            "country:USA",
            "country:*",
            "country:U1",
            "Country:US",
            "planet:earth",
            ":",
            "global:all",
        ),
        *(
            "tier:wood",
            "tier:",
            "region:",
            "region: West",
            "region:West ",
            "region:a:b",
            "region:*",
            "region:a{b}",
        ),
        *("segment:" + "s" * 65, "segment:a\n", "segment:a/b", "board:fast", "a b", "-a", "b" * 65, "a{b}"),
    ],
)
def test_malformed_scopes_are_refused(text: str) -> None:
    with refused(Reason.INVALID_FIELD, "board.scope"):
        parse_scope(text)


def test_the_refusal_names_the_field_of_the_request() -> None:
    with refused(Reason.INVALID_FIELD, "scope"):
        parse_scope("country:nowhere", "scope")


def test_a_board_key_is_a_value() -> None:
    boards = {BoardKey("global", "all"): 1}
    assert boards[BoardKey("global", "all")] == 1
    assert sorted([BoardKey("b", "1"), BoardKey("a", "2"), BoardKey("a", "1")]) == [
        ("a", "1"),
        ("a", "2"),
        ("b", "1"),
    ]


@pytest.mark.parametrize(
    ("period_type", "scopes"),
    [
        (PeriodType.DAILY, ("global",)),
        (PeriodType.WEEKLY, ("global", "country:US", "tier:gold")),
        (PeriodType.MONTHLY, ("global",)),
        (PeriodType.QUARTERLY, ()),
        (PeriodType.YEARLY, ()),
        (PeriodType.ALL_TIME, ("global", "country:US", "tier:gold")),
    ],
)
def test_the_boards_of_a_member_in_the_default_matrix(
    period_type: PeriodType, scopes: tuple[str, ...]
) -> None:
    assert BoardMatrix().boards_of(ANN, period_type) == scopes


@pytest.mark.parametrize("visibility", [Visibility.HIDDEN, Visibility.SHADOW])
@pytest.mark.parametrize("period_type", PeriodType)
def test_who_is_not_public_takes_no_position(visibility: Visibility, period_type: PeriodType) -> None:
    assert BoardMatrix().boards_of(ANN._replace(visibility=visibility), period_type) == ()


def test_who_has_no_country_is_on_no_country_board() -> None:
    assert BoardMatrix().boards_of(ANN._replace(country=""), PeriodType.WEEKLY) == ("global", "tier:gold")


def test_members_of_all_kinds_of_scopes() -> None:
    matrix = BoardMatrix(
        BoardFamily(kind, kind, f"{kind}:*", PeriodType.YEARLY) for kind in ("region", "segment")
    )
    assert matrix.boards_of(ANN, PeriodType.YEARLY) == ("region:West", "segment:vip", "segment:beta")
    assert matrix.boards_of(ANN._replace(region="", segments=()), PeriodType.YEARLY) == ()


def test_a_segment_named_twice_counts_once() -> None:
    matrix = BoardMatrix([BoardFamily("s", "s", "segment:*", PeriodType.DAILY)])
    assert matrix.boards_of(ANN._replace(segments=("vip", "vip")), PeriodType.DAILY) == ("segment:vip",)


def test_a_board_of_one_country_alone() -> None:
    matrix = BoardMatrix([BoardFamily("us-daily", "US", "country:US", PeriodType.DAILY)])
    assert matrix.boards_of(ANN, PeriodType.DAILY) == ("country:US",)
    assert matrix.boards_of(ANN._replace(country="DE"), PeriodType.DAILY) == ()
    assert matrix.contains("country:US", PeriodType.DAILY)
    assert not matrix.contains("country:DE", PeriodType.DAILY)


def test_the_own_configuration_of_a_board_goes_before_that_of_its_kind() -> None:
    every = BoardFamily("every", "Every country", "country:*", PeriodType.DAILY)
    own = BoardFamily("own", "US", "country:US", PeriodType.DAILY)
    matrix = BoardMatrix([own, every])
    assert matrix.family_of("country:US", PeriodType.DAILY) is own
    assert matrix.family_of("country:DE", PeriodType.DAILY) is every


@pytest.mark.parametrize(
    ("scope", "period_type", "contained"),
    [
        ("global", PeriodType.DAILY, True),
        ("global", PeriodType.YEARLY, False),
        ("country:DE", PeriodType.WEEKLY, True),
        ("country:DE", PeriodType.DAILY, False),
        ("tier:bronze", PeriodType.ALL_TIME, True),
        ("region:West", PeriodType.ALL_TIME, False),
        ("fastest-lap", PeriodType.ALL_TIME, False),
    ],
)
def test_what_the_default_matrix_contains(scope: str, period_type: PeriodType, contained: bool) -> None:
    assert BoardMatrix().contains(scope, period_type) is contained


def test_the_default_matrix_counts_in_four_period_types() -> None:
    assert BoardMatrix().period_types() == (
        PeriodType.DAILY,
        PeriodType.WEEKLY,
        PeriodType.MONTHLY,
        PeriodType.ALL_TIME,
    )


def test_the_seeded_families() -> None:
    bonuses = {family.board_id: [*map(tuple, family.winner_bonuses)] for family in DEFAULT_FAMILIES}
    assert bonuses == {
        "global-daily": [(1, 100), (2, 50), (3, 25)],
        "global-weekly": [(1, 1000), (2, 500), (3, 250)],
        "global-monthly": [(1, 5000), (2, 2500), (3, 1000)],
        "global-all": [],
        "country-weekly": [],
        "country-all": [],
        "tier-weekly": [],
        "tier-all": [],
    }

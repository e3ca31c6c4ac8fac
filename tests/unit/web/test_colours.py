"""The colours of the pages: what is read can be read, in light and in dark."""

import re
from pathlib import Path

import pytest

import laurel_server

CSS = Path(laurel_server.__file__).with_name("web") / "shared" / "tokens.css"
PAIR = re.compile(r"--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)")
TEXTS = (
    "ink",
    "muted",
    "accent",
    "up",
    "down",
    "warn",
    "bad",
    "bronze",
    "silver",
    "gold",
    "platinum",
    "diamond",
)
GROUNDS = ("paper", "surface", "raised")
SPECIAL = (
    ("on-accent", "accent"),
    ("warn", "warn-soft"),
    ("bad", "bad-soft"),
    ("accent", "accent-soft"),
    ("muted", "sunken"),
)


def colours(scheme: int) -> dict[str, str]:
    return {name: both[scheme] for name, *both in PAIR.findall(CSS.read_text())}


def luminance(colour: str) -> float:
    """As WCAG 2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_stands_out_from_its_ground(scheme: int) -> None:
    named = colours(scheme)
    pairs = [(text, ground) for text in TEXTS for ground in GROUNDS] + list(SPECIAL)
    weak = {
        pair: round(ratio, 2) for pair in pairs if (ratio := contrast(named[pair[0]], named[pair[1]])) < 4.5
    }
    assert weak == {}

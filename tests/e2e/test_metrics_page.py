"""docs/reference/metrics.md against what a running server exposes: the same names, types and labels."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import REGISTRY

import laurel_server.runtime.serving  # noqa: F401 - brings in every module that measures
from tests.e2e.curl import curl
from tests.e2e.gateway import award
from tests.e2e.serving import Serve

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "metrics.md"
NAMED = re.compile(r"\blaurel_[a-z_]+_(?:total|seconds|bytes|records|progress|batches|waiting)\b")
OF_SAMPLES = {"le"}
"""Labels that the format itself adds."""


class Told(NamedTuple):
    """What the page tells of a metric."""

    kind: str
    labels: frozenset[str]


def told() -> Iterator[tuple[str, Told]]:
    """Yield what the tables of the page say, by the name in full."""
    columns: list[str] = []
    for line in PAGE.read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if cells[:1] == ["metric"]:
            columns = cells
        elif cells and cells[0].startswith("`laurel_"):
            row = dict(zip(columns, cells, strict=True))
            labels = re.findall(r"`(\w+)`", row.get("labels", "").partition(":")[0])
            yield row["metric"].strip("`"), Told(row["type"], frozenset(labels))


def exposed(serve: Serve) -> Iterator[tuple[str, Told]]:
    """Yield what the server says; the labels of a metric that has no series yet stand in its code."""
    page = curl(f"http://{serve.run['http']}/metrics").body
    declared = {
        family.name: collector._labelnames
        for collector in REGISTRY._collector_to_names
        if isinstance(collector, MetricWrapperBase)
        for family in collector.describe()
    }
    for family in text_string_to_metric_families(page):
        if family.name.startswith("laurel_") and not family.name.endswith("_created"):
            seen = {label for sample in family.samples for label in sample.labels}
            labels = (seen or set(declared.get(family.name, ()))) - OF_SAMPLES
            name = f"{family.name}_total" if family.type == "counter" else family.name
            yield name, Told(family.type, frozenset(labels))


def test_the_page_has_every_metric_with_its_type_and_labels(laurel: Serve, api: str) -> None:
    assert award(api, "measured").status == 200
    page, server = dict(told()), dict(exposed(laurel))
    assert len(page) > 30
    assert page == server


def test_every_metric_that_the_other_pages_name_is_there() -> None:
    known = dict(told()).keys()
    root = PAGE.parents[2]
    places = [*root.glob("docs/**/*.md"), *root.glob("deploy/**/*.json"), *root.glob("deploy/**/*.y*ml")]
    named = {
        name
        for place in places
        if place.name != "benchmarks.md"
        for name in NAMED.findall(place.read_text("utf-8"))
    }
    assert named
    assert named <= known

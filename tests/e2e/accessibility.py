"""What a screen reader gets of a page: Chromium's accessibility tree."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from playwright.async_api import Page

CONTROLS = frozenset(
    {"button", "link", "textbox", "searchbox", "combobox", "radio", "checkbox", "spinbutton"}
)
"""Roles of what somebody can do something with."""


class Node(NamedTuple):
    """One node that is not left out; `properties` by name, such as `live` or `focused`."""

    role: str
    name: str
    properties: dict[str, Any]
    text: str


async def tree_of(page: Page) -> list[Node]:
    """Return all nodes in the order in which they are read."""
    session = await page.context.new_cdp_session(page)
    try:
        await session.send("Accessibility.enable")
        found = (await session.send("Accessibility.getFullAXTree"))["nodes"]
    finally:
        await session.detach()
    nodes = {node["nodeId"]: node for node in found}

    def value(node: dict[str, Any], field: str) -> str:
        return str(node.get(field, {}).get("value", ""))

    def text(node: dict[str, Any]) -> str:
        if value(node, "role") == "StaticText":
            return value(node, "name")
        return " ".join(
            filter(None, (text(nodes[child]) for child in node.get("childIds", ()) if child in nodes))
        )

    return [
        Node(
            value(node, "role"),
            value(node, "name"),
            {each["name"]: each["value"].get("value") for each in node.get("properties", ())},
            text(node),
        )
        for node in found
        if not node["ignored"]
    ]


async def of_role(page: Page, role: str) -> list[Node]:
    """Return the nodes of a role."""
    return [node for node in await tree_of(page) if node.role == role]


def nameless(tree: Sequence[Node]) -> list[Node]:
    """Return what can be used, seen or left by Escape, but is called nothing."""
    return [node for node in tree if node.role in CONTROLS | {"image", "dialog"} and not node.name.strip()]


async def tab_order(page: Page, stops: int) -> list[str]:
    """Press Tab so many times, and return the names of what has the focus each time."""
    names = []
    for _ in range(stops):
        await page.keyboard.press("Tab")
        focused = [node for node in await tree_of(page) if node.properties.get("focused")]
        names += [node.name for node in focused if node.role != "RootWebArea"]
    return names

"""`laurel actions`: what entries are for, and what can be awarded."""

from rich.table import Table

from laurel_client import ActionConfig, Laurel, as_plain
from laurel_server.commands.calling import Address, AsJson, Seconds, ask, print_json
from laurel_server.commands.tables import new_table, open_console
from laurel_server.domain.actions import SYSTEM_ACTIONS


def actions(address: Address = "", timeout: Seconds = 10, as_json: AsJson = False) -> None:
    """List the actions, what they give, and when."""

    async def question(laurel: Laurel) -> list[ActionConfig]:
        return [config async for config in laurel.admin.list_action_configs()]

    configs = ask(question, address, as_json=as_json, seconds=timeout)
    if as_json:
        print_json({"configs": [as_plain(config) for config in configs]})
    else:
        open_console().print(_table(configs))


def _table(configs: list[ActionConfig]) -> Table:
    table = new_table("action", "gives", "active", "expires", "cap a day")
    for config in configs:
        table.add_row(
            config.action,
            config.points_formula or config.base_points,
            _active(config),
            config.expires_after or "never",
            f"{config.max_daily_points:,}" if config.max_daily_points else "",
        )
    return table


def _active(config: ActionConfig) -> str:
    if config.action in SYSTEM_ACTIONS:
        return "not to callers"
    return "yes" if config.active else "no"

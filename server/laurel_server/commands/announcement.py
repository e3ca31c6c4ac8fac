"""What `laurel serve` says once everything answers: to people, or all of it to programs."""

import json
import time

import typer

from laurel_server.devstack.engines import Engine
from laurel_server.devstack.stack import Ready, StackOptions
from laurel_server.devstack.supervisor import Report


def announce(started: float, options: StackOptions, report: Report, ready: Ready, *, as_json: bool) -> None:
    """Says what is where, and writes the ready line; `started` is the monotonic time of the start."""
    seconds = time.monotonic() - started
    line: dict[str, object] = {"ready": True, "grpc": str(ready.grpc), "http": str(ready.http)}
    if as_json:
        line |= _details(options, ready, seconds)
    else:
        report(_summary(options, ready, seconds))
    typer.echo(json.dumps(line))


def _details(options: StackOptions, ready: Ready, seconds: float) -> dict[str, object]:
    """Returns what `_summary` tells, for programs; null: there is none."""
    base = _web(options, ready)
    return {
        "seconds": round(seconds, 1),
        "web": f"{base}/" if base else None,
        "admin": f"{base}/admin" if base else None,
        "engines": {
            "postgres": _engine(ready.postgres),
            "redis": _engine(ready.redis),
            "clickhouse": _engine(ready.clickhouse),
            "envoy": _engine(ready.gateway),
        },
        "data": str(ready.data.root),
    }


def _engine(engine: Engine | None) -> dict[str, str] | None:
    return None if engine is None else {"version": engine.version, "place": engine.place}


_AWARD = (
    '{"request_id": "r-1", "user_id": "ada", "action": "PURCHASE", "attributes": {"order_value": "1999.00"}}'
)


def _summary(options: StackOptions, ready: Ready, seconds: float) -> str:
    return f"""\
Laurel is ready after {seconds:.1f} s
  gRPC        {ready.grpc}
  HTTP        {ready.http}  ({_served(ready)})
{_pages(options, ready)}  {_line(ready.postgres)}
  {_line(ready.redis)}
  data, logs  {ready.data.root}
Try
  grpcurl -plaintext {ready.grpc} list
  grpcurl -plaintext -d '{_AWARD}' \\
    {ready.grpc} laurel.rewards.v1.RewardsService/AwardPoints
  grpcurl -plaintext -d '{{"board": {{"scope": "global"}}}}' \\
    {ready.grpc} laurel.leaderboard.v1.LeaderboardService/GetLeaderboard
  curl '{ready.http}/api/v1/leaderboard/global?period=weekly&limit=10'"""


def _line(engine: Engine) -> str:
    return f"{engine.name:<11} {engine.version}, {engine.place}"


def _served(ready: Ready) -> str:
    if ready.gateway is None:
        return "/metrics, /healthz"
    return f"REST, gRPC-Web, /metrics, /healthz; Envoy {ready.gateway.version}"


def _pages(options: StackOptions, ready: Ready) -> str:
    base = _web(options, ready)
    return f"  web         {base}/ (the live board), {base}/admin (for operators)\n" if base else ""


def _web(options: StackOptions, ready: Ready) -> str:
    """Returns where the pages are; empty without a gateway."""
    if options.gateway is None or ready.gateway is None:
        return ""
    return f"{'https' if options.gateway.tls else 'http'}://{ready.http}"

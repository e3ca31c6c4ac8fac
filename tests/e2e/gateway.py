"""Calls of the gateway that several tests make."""

from itertools import count

from tests.e2e.curl import Answer, curl

TOKENS = (
    '{"s3cret-shop": {"caller": "shop", "scopes": ["write", "read"]},'
    ' "s3cret-desk": {"caller": "desk", "scopes": ["read"]},'
    ' "s3cret-admin": {"caller": "ops", "scopes": ["admin"]}}'
)

_numbers = count()


def award(api: str, user_id: str, **more: object) -> Answer:
    body = {"request_id": f"gateway-{next(_numbers)}", "user_id": user_id, "action": "REVIEW", **more}
    return curl(f"{api}/rewards/award", data=body)


def bearing(token: str) -> tuple[str, str]:
    return "-H", f"Authorization: Bearer {token}"

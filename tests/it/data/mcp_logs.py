"""A log tool for the tests, on the official Python SDK in either of its majors: over standard streams, or
over HTTP with `--http PORT`. Its lines are the same every time: one each second from 19:30:00 WIB on."""

import json
import sys
from datetime import datetime, timedelta, timezone

try:
    from mcp.server.fastmcp import FastMCP as Server
except ImportError:
    from mcp.server import MCPServer as Server

START = datetime(2025, 1, 12, 12, 30, tzinfo=timezone.utc)
LINES = [
    {
        "id": n,
        "ts": (START + timedelta(seconds=n)).isoformat(),
        "service": ["mrg", "upg", "orch"][n % 3],
        "level": "ERROR" if n % 5 == 0 else "INFO",
        "msg": f"{'acquire timeout' if n % 5 == 0 else 'done'} for ORD-20250112-{n:07}",
    }
    for n in range(600)
]
server = Server("mcp_logs")


def wanted(query, start, end):
    words = query.split("|") if query else []
    begin, stop = datetime.fromisoformat(start), datetime.fromisoformat(end)
    return [
        line
        for line in LINES
        if begin <= datetime.fromisoformat(line["ts"]) < stop
        and (not words or any(w in line["msg"] for w in words))
    ]


@server.tool()
def search_logs(start: str, end: str, query: str = "", limit: int = 100, cursor: str | None = None) -> dict:
    """Lines with a cursor."""
    found = wanted(query, start, end)
    at = int(cursor or 0)
    more = at + limit < len(found)
    return {"lines": found[at : at + limit], "total": len(found), "next_cursor": str(at + limit) if more else None}


@server.tool()
def recent_logs(start: str, end: str, limit: int = 100) -> str:
    """The newest lines as text, newest first, without a cursor."""
    found = wanted("", start, end)[::-1][:limit]
    return "\n".join(f"{line['ts']} {line['level']} {line['service']} {line['msg']}" for line in found)


@server.tool()
def json_lines(start: str, end: str) -> str:
    """A JSON object a line."""
    return "\n".join(json.dumps(line) for line in wanted("", start, end))


@server.tool()
def broken() -> str:
    """Fails."""
    raise ValueError("the index is closed")


if sys.argv[1:2] == ["--http"]:
    import uvicorn

    uvicorn.run(server.streamable_http_app(), host="127.0.0.1", port=int(sys.argv[2]), log_level="warning")
else:
    server.run()

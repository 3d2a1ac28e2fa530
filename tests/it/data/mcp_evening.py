"""A log server for the tests, on the official Python SDK in either of its majors, over standard streams: it has the
lines of the file it is given, a JSON object each, and counts them by the window."""

import json
import sys
from datetime import datetime

try:
    from mcp.server.fastmcp import FastMCP as Server
except ImportError:
    from mcp.server import MCPServer as Server

with open(sys.argv[1], encoding="utf-8") as file:
    LINES = [json.loads(line) for line in file]
for line in LINES:
    line["at"] = datetime.fromisoformat(line["ts"]).timestamp()
server = Server("evening")


def wanted(query, start, end):
    words = [w.lower() for w in query.split("|")] if query else []
    begin, stop = datetime.fromisoformat(start).timestamp(), datetime.fromisoformat(end).timestamp()
    return [
        line
        for line in LINES
        if begin <= line["at"] < stop and (not words or any(w in line["msg"].lower() for w in words))
    ]


@server.tool()
def search_logs(start: str, end: str, query: str = "", limit: int = 100, cursor: str | None = None) -> dict:
    """Lines with a cursor."""
    found = wanted(query, start, end)
    at = int(cursor or 0)
    more = at + limit < len(found)
    return {"lines": found[at : at + limit], "total": len(found), "next_cursor": str(at + limit) if more else None}


@server.tool()
def log_histogram(start: str, end: str, step: int = 60, query: str = "") -> dict:
    """Lines by the window."""
    begin = datetime.fromisoformat(start).timestamp()
    counts: dict[int, int] = {}
    for line in wanted(query, start, end):
        n = int((line["at"] - begin) // step)
        counts[n] = counts.get(n, 0) + 1
    return {"buckets": [{"ts": int(begin + n * step), "count": c} for n, c in sorted(counts.items())]}


server.run()

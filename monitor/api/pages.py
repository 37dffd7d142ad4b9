"""What a browser loads: the dashboard's files, from a list made at the start, and a page about the API."""

from __future__ import annotations

import hashlib
import html
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import Request
from starlette.responses import Response

from monitor.api.asked import InHouse
from monitor.api.problems import Problem

KINDS = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
FOLDERS = ("css", "js", "vendor")
"""The dashboard's folders that have a route; a file elsewhere would be out of reach."""
TOP = ("index.html", "icon.svg")


def dashboard_files(folder: Path) -> dict[str, bytes]:
    """Every file that may be served, by its path: nothing outside this list ever is (T18)."""
    if not (folder / "index.html").is_file():
        raise ValueError(f"the dashboard is missing: there is no index.html in {folder}")
    found: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.suffix not in KINDS or not path.is_file():
            continue
        if name not in TOP and name.split("/")[0] not in FOLDERS:
            raise ValueError(f"no route serves the dashboard's {name}")
        found[name] = path.read_bytes()
    return found


async def dashboard(house: InHouse) -> Response:
    """The dashboard: one page for every screen, which then looks at its own address."""
    return Response(house.doors.files["index.html"], media_type=KINDS[".html"])


async def dashboard_file(request: Request, house: InHouse) -> Response:
    """One of the dashboard's files, revalidated each time: an upgrade is seen at the next load."""
    name = request.url.path.removeprefix("/")
    content = house.doors.files.get(name)
    if content is None:
        raise Problem(404)
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type=KINDS[Path(name).suffix])


async def openapi(request: Request) -> Response:
    """The OpenAPI document."""
    return Response(request.app.state.openapi_json, media_type="application/json")


async def docs(request: Request) -> Response:
    """The OpenAPI document as a page to read."""
    return Response(request.app.state.docs_html, media_type=KINDS[".html"])


def docs_page(document: Mapping[str, Any], roles: Mapping[tuple[str, str], str]) -> str:
    """The operations of an OpenAPI document as a table, without scripts, styles or anybody else's server."""
    rows = [
        f"<tr><td><code>{method.upper()}</code></td><td><code>{html.escape(path)}</code></td>"
        f"<td>{html.escape(operation.get('description', ''))}</td>"
        f"<td>{html.escape(roles.get((method.upper(), path), ''))}</td></tr>"
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
    title = html.escape(f"{document['info']['title']} {document['info']['version']}")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}: API</title></head><body>'
        f"<h1>{title}: API</h1>"
        f"<p>{html.escape(document['info']['description'])}</p>"
        '<p>For programs: <a href="/openapi.json">openapi.json</a>.</p>'
        "<table><thead><tr><th>method</th><th>path</th><th>what it does</th><th>who may</th></tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></body></html>"
    )

"""What every request passes and every answer carries: origin, host, policy, bounds (T06, 07, 14, 18, 20)."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import re
from pathlib import Path

import httpx
import pytest

from monitor.api.guard import content_security_policy
from monitor.api.routes import ROUTES
from tests.shells.api_clinic import ALIAS, DASHBOARD, PATIENCE_S, running

CUFF = "/api/v1/beds/3/cuff"


@pytest.mark.parametrize(
    "forged",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://127.0.0.1.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
async def test_another_sites_page_changes_nothing_on_any_route(forged: dict[str, str]) -> None:
    async with running() as clinic:
        for row in ROUTES:
            if row.method == "GET":
                continue
            async with clinic.browser("anna") as client:
                answer = await client.request(row.method, re.sub(r"\{\w+\}", "3", row.path), headers=forged)
                assert answer.status_code == 403, row.path
        assert clinic.ward.acts == []


async def test_a_request_without_an_origin_is_refused_and_without_sec_fetch_site_is_not() -> None:
    async with running() as clinic, clinic.browser("anna") as client:
        del client.headers["Sec-Fetch-Site"]  # browsers leave it out over plain HTTP on a LAN
        assert (await client.post(CUFF)).status_code == 200
        del client.headers["Origin"]
        assert (await client.post(CUFF)).status_code == 403


async def test_under_tls_the_origin_is_https() -> None:
    async with running(tls=True) as clinic, clinic.browser("anna") as client:
        assert (await client.post(CUFF)).status_code == 403
        https = {"Origin": clinic.origin.replace("http:", "https:")}
        answer = await client.post(CUFF, headers=https)
        assert answer.status_code == 200
        assert "max-age" in answer.headers["strict-transport-security"]


async def test_a_token_needs_no_origin_and_no_cookie_may_stand_beside_it() -> None:
    async with running() as clinic, clinic.browser() as client:
        token = clinic.headers("machine")["Authorization"]
        del client.headers["Origin"]
        refused = await client.post(CUFF, headers={"Authorization": token})
        assert refused.status_code == 403
        assert refused.json()["detail"] == "Your role may not do this."
        both = await client.get(
            "/api/v1/status", headers={"Authorization": token, "Cookie": "__Host-chairside=x"}
        )
        assert both.status_code == 400


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil", "", "[::2]"])
async def test_an_unknown_host_is_refused_on_every_kind_of_page(host: str) -> None:
    async with running() as clinic, clinic.browser("anna") as client:
        for path in ("/", "/api/v1/status", "/healthz", "/metrics", "/js/main.js", "/docs"):
            assert (await client.get(path, headers={"Host": host})).status_code == 421


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "[::1]:8000", "127.0.0.1", "station.clinic"])
async def test_the_names_it_was_told_are_answered_to(host: str) -> None:
    hosts = ("localhost", "127.0.0.1", "::1", "station.clinic")
    async with running(hosts=hosts) as clinic, clinic.browser() as client:
        assert (await client.get("/healthz", headers={"Host": host})).status_code == 200


async def test_every_answer_carries_the_policy_and_is_not_kept() -> None:
    async with running() as clinic, clinic.browser("anna") as client:
        policy = content_security_policy((DASHBOARD / "index.html").read_bytes())
        for path in ("/", "/bed/3", "/docs", "/openapi.json", "/api/v1/beds", "/api/v1/nothing", "/metrics"):
            answer = await client.get(path)
            assert answer.headers["content-security-policy"] == policy
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert "server" not in answer.headers
            assert not any(name.startswith("access-control") for name in answer.headers)
        async with clinic.live() as live:
            assert live.answer.headers["content-security-policy"] == policy
            assert live.answer.headers["cache-control"] == "no-store"


def test_the_policy_names_the_import_map_of_the_dashboard_and_nothing_inline_else() -> None:
    index = (DASHBOARD / "index.html").read_bytes()
    inline = re.findall(rb"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", index, re.DOTALL)
    assert len(inline) == 1
    digest = base64.b64encode(hashlib.sha256(inline[0]).digest()).decode()
    assert content_security_policy(index) == (
        f"default-src 'none'; script-src 'self' 'sha256-{digest}'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    )
    assert not re.search(rb"<style|\son\w+=|style=", index)


async def test_the_dashboards_files_are_served_from_a_list_and_nothing_beside_it() -> None:
    async with running() as clinic, clinic.browser() as client:
        for name in re.findall(r'(?:href|src)="/([^"]+)"', (DASHBOARD / "index.html").read_text()):
            if (DASHBOARD / name).exists():
                answer = await client.get(f"/{name}")
                assert answer.content == (DASHBOARD / name).read_bytes()
                again = await client.get(f"/{name}", headers={"If-None-Match": answer.headers["etag"]})
                assert again.status_code == 304
        assert (await client.get("/js/state.js")).headers["content-type"].startswith("text/javascript")
        for path in (
            "/js/../../api/app.py",
            "/js/%2e%2e/%2e%2e/api/app.py",
            "/js/..%2f..%2fapi%2fapp.py",
            "/vendor/preact.LICENSE",
            "/css/",
            "/js//etc/passwd",
            "/css/%00",
        ):
            assert (await client.get(path)).status_code == 404, path


def test_a_dashboard_file_that_no_route_serves_is_a_mistake_at_the_start(tmp_path: Path) -> None:
    from monitor.api.pages import dashboard_files

    with pytest.raises(ValueError, match="the dashboard is missing"):
        dashboard_files(tmp_path)
    (tmp_path / "index.html").write_text("<!doctype html>")
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "plan.js").write_text("")
    with pytest.raises(ValueError, match=r"secret/plan\.js"):
        dashboard_files(tmp_path)


# Bounds: n-1, n, n+1.


@pytest.mark.parametrize(("size", "status"), [(999, 422), (1000, 422), (1001, 413)])
async def test_a_body_may_be_as_large_as_the_bound_and_not_a_byte_more(size: int, status: int) -> None:
    async with running(body_bytes_max=1000) as clinic, clinic.browser("anna") as client:
        body = b'{"why":"' + b"x" * (size - 10) + b'"}'
        assert len(body) == size
        as_json = {"Content-Type": "application/json"}
        assert (await client.post("/api/v1/sessions", content=body, headers=as_json)).status_code == status

        async def pieces() -> object:
            for at in range(0, size, 100):
                yield body[at : at + 100]

        chunked = await client.post("/api/v1/sessions", content=pieces(), headers=as_json)  # type: ignore[arg-type]
        assert chunked.status_code == status


async def test_a_body_that_drips_is_given_up() -> None:
    async with running(body_deadline_s=0.2) as clinic:
        reader, writer = await asyncio.open_connection("127.0.0.1", clinic.port)
        head = "".join(f"{name}: {value}\r\n" for name, value in clinic.headers("anna").items())
        writer.write(
            f"POST /api/v1/sessions HTTP/1.1\r\nHost: 127.0.0.1:{clinic.port}\r\n{head}"
            "Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{".encode()
        )
        async with asyncio.timeout(PATIENCE_S):
            assert (await reader.readline()).startswith(b"HTTP/1.1 408")
        writer.close()


async def test_a_head_that_does_not_come_is_given_up() -> None:
    async with running(header_deadline_s=0.2) as clinic:
        for said in (b"", b"GET / HTTP/1.1\r\nHost: loc"):
            reader, writer = await asyncio.open_connection("127.0.0.1", clinic.port)
            writer.write(said)
            async with asyncio.timeout(PATIENCE_S):
                with contextlib.suppress(ConnectionResetError):  # as good as a quiet end
                    assert await reader.read() == b""
            writer.close()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": "multipart/form-data; boundary=x"}, 415),
        ({"Content-Type": "application/json", "Content-Encoding": "gzip"}, 415),
        ({}, 415),
    ],
)
async def test_only_plain_json_is_read(headers: dict[str, str], status: int) -> None:
    async with running() as clinic, clinic.browser("anna") as client:
        answer = await client.post("/api/v1/sessions", content=b'{"bed":"3"}', headers=headers)
        assert answer.status_code == status


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 500_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b"\xff\xfe",
        b"{",
        b"null",
        b'{"bed":"3","alias":"x","baseline":{"systolic_mmhg":NaN}}',
        b'{"bed":"3","alias":"x","baseline":{"systolic_mmhg":1e999}}',
        b'{"bed":"3","alias":"x","cuff_interval_s":' + b"9" * 5000 + b"}",
        b'{"bed":"3","alias":"\\ud800"}',
        b'{"bed":"3","alias":"\\u0000"}',
        b'{"bed":"3","alias":"x","__proto__":{}}',
    ],
)
async def test_any_body_is_survived(body: bytes) -> None:
    async with running() as clinic, clinic.browser("anna") as client:
        as_json = {"Content-Type": "application/json"}
        answer = await client.post("/api/v1/sessions", content=body, headers=as_json)
        assert answer.status_code in {400, 422}
        assert answer.headers["content-type"] == "application/problem+json"
        assert clinic.ward.acts == []


@pytest.mark.parametrize("count", [2, 3, 4])
async def test_a_source_may_have_as_many_connections_as_the_bound(count: int) -> None:
    async with running(connections_per_source=3) as clinic:
        held = [await asyncio.open_connection("127.0.0.1", clinic.port) for _ in range(count)]
        said = []
        for reader, writer in held:
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            async with asyncio.timeout(PATIENCE_S):
                said.append((await reader.readline()).split()[1])
        assert said == [b"200"] * min(count, 3) + [b"503"] * (count - min(count, 3))
        for _, writer in held:
            writer.close()


async def test_connections_that_end_make_room() -> None:
    async with running(connections_max=1) as clinic:
        for _ in range(5):
            async with clinic.browser() as client, asyncio.timeout(PATIENCE_S):
                answer = await client.get("/healthz", headers={"Connection": "close"})
                while answer.status_code == 503:  # the last one's end may not have been seen yet
                    answer = await client.get("/healthz", headers={"Connection": "close"})
                assert answer.status_code == 200


# Nothing of the inside, and of nobody.


async def test_a_route_that_fails_says_so_without_its_inside_and_the_rest_goes_on() -> None:
    async with running() as clinic, clinic.browser("anna") as client:
        clinic.ward.fails = RuntimeError(f"secret inside: {ALIAS}")
        answer = await client.post(CUFF)
        assert answer.status_code == 500
        assert answer.headers["content-type"] == "application/problem+json"
        assert "inside" not in answer.text
        assert "content-security-policy" in answer.headers
        assert (await client.get("/api/v1/beds")).status_code == 200


async def test_the_patient_is_in_no_metric_no_status_no_document_and_no_error() -> None:
    async with running() as clinic:
        async with clinic.browser("anna") as client:
            assert ALIAS in (await client.get("/api/v1/beds")).text
            await client.post("/api/v1/sessions", json={"bed": "4", "alias": ALIAS, "nonsense": ALIAS})
            refused = await client.post("/api/v1/sessions", json={"bed": "4", "alias": ALIAS + "\n"})
            assert refused.status_code == 422
            assert ALIAS not in refused.text
            await client.get(f"/api/v1/{ALIAS}")
            for path in ("/api/v1/status", "/openapi.json", "/docs", "/healthz", "/readyz"):
                assert ALIAS not in (await client.get(path)).text
        async with clinic.browser() as client:
            assert ALIAS not in (await client.get("/metrics")).text
        async with clinic.browser("display") as client:
            for path in ("/api/v1/beds", "/api/v1/beds/3", "/api/v1/alarms", "/api/v1/pages", "/api/v1/duty"):
                answer = await client.get(path)
                assert answer.status_code == 200
                assert ALIAS not in answer.text


async def test_a_visitor_sees_no_name_of_anybody() -> None:
    async with running() as clinic, clinic.browser() as client:
        for row in ROUTES:
            if row.method == "GET":
                answer = await client.get(re.sub(r"\{[\w:]+\}", "3", row.path))
                assert not any(name in answer.text for name in ("anna", "Carla", "dr-dee", ALIAS)), row.path


async def test_metrics_are_for_a_token_or_for_this_machine() -> None:
    async with running() as clinic:
        async with httpx.AsyncClient(base_url=clinic.origin, trust_env=False) as client:
            text = (await client.get("/metrics", headers=clinic.headers("machine"))).text
            assert "chairside_recording 1.0" in text
            assert 'chairside_links{state="up"} 1.0' in text
            assert (
                await client.get("/metrics", headers={"Authorization": "Bearer wrong"})
            ).status_code == 200
        async with clinic.browser("anna") as client:
            assert (await client.get("/metrics")).status_code == 403

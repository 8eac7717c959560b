"""The page's server as it runs on the unit, asked from outside."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from firmware.kiosk.server import WebError
from firmware.kiosk.sockets import PAGES
from tests.browser import screens
from tests.browser.showcase import Reply, Showcase, scene
from tests.eventually import eventually
from tests.system.page_socket import ClosedError, PageSocket, RefusedError

BUSY_S = 10


@pytest.fixture(scope="module")
def one_showcase(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Showcase]:
    """The server of all these tests, with a map folder."""
    maps = tmp_path_factory.mktemp("maps")
    (maps / "city.pmtiles").write_bytes(bytes(range(256)) * 40)
    (maps / "secret.txt").write_text("not a map")
    with Showcase(maps=maps) as running:
        yield running
    assert running.failure is None


@pytest.fixture
def showcase(one_showcase: Showcase) -> Showcase:
    """The server as it began, without pages."""
    eventually(lambda: one_showcase.web._feed.pages == 0)
    one_showcase.reset()
    return one_showcase


@pytest.fixture
def client(showcase: Showcase) -> Iterator[httpx.Client]:
    """A browser's half, without the browser."""
    with httpx.Client(base_url=showcase.web.url, timeout=BUSY_S) as asked:
        yield asked


def order(name: str, **data: Any) -> dict[str, Any]:
    return {"id": "6d1f0e5a-0001", "cmd": name, "d": data}


# --- who may ask


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1:1", "localhost", "127.0.0.1.evil.example:{port}", ""])
def test_a_name_that_only_points_here_is_refused(showcase: Showcase, client: httpx.Client, host: str) -> None:
    answer = client.get("/api/v1/state", headers={"host": host.format(port=showcase.web.port)})
    assert answer.status_code in {400, 403}
    assert "stop_id" not in answer.text


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1:{port}", "http://127.0.0.1:1", "file://"])
def test_a_page_of_another_site_can_ask_nothing(showcase: Showcase, client: httpx.Client, origin: str) -> None:
    origin = origin.format(port=showcase.web.port)
    assert client.post("/api/v1/command", json=order("pod.start"), headers={"origin": origin}).status_code == 403
    for path in ("/ws", "/ws/camera"):
        with pytest.raises(RefusedError, match="403"):
            PageSocket(showcase.web.port, path, origin=origin)
    assert showcase.standin.commands == []


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LOCALHOST"])
def test_the_page_itself_is_let_in_by_either_name(showcase: Showcase, client: httpx.Client, name: str) -> None:
    host = f"{name}:{showcase.web.port}"
    headers = {"host": host, "origin": f"http://{host.lower()}"}
    assert client.post("/api/v1/command", json=order("pod.start"), headers=headers).json()["ok"] is True
    with PageSocket(showcase.web.port, host=host, origin=f"http://{host.lower()}") as page:
        assert page.view()["d"]["screen"] == "route"


@pytest.mark.parametrize("path", ["/", "/api/v1/state", "/i18n/de.json", "/static/none.js", "/none", "/maps/city.pmtiles"])
def test_every_answer_carries_the_policy(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'self'; img-src 'self' blob: data:;")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "cache-control" in headers
    assert "server" not in headers


# --- what may be asked


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"id":1,"cmd":"pod.start"}', b'{"id":"6d1f0e5a-0001","cmd":"../etc"}', b"\xff\xfe", b"[" * 90_000]
)
def test_an_ill_formed_command_gets_a_sentence(showcase: Showcase, client: httpx.Client, body: bytes) -> None:
    answer = client.post("/api/v1/command", content=body)
    assert (answer.status_code, answer.json()["err"]) == (400, "command.ill_formed")
    assert answer.json()["args"]["sentence"].startswith("this is not a command")
    with PageSocket(showcase.web.port) as page:
        page.send_text(body)
        assert page.until(lambda message: "t" not in message)["status"] == 400
        assert page.command("pod.start")["ok"] is True


@pytest.mark.parametrize(("key", "status"), [("command.unknown", 422), ("moving", 423), ("command.not_now", 409)])
def test_what_the_terminal_refuses_reaches_the_page_with_its_status(
    showcase: Showcase, client: httpx.Client, key: str, status: int
) -> None:
    showcase.standin.answers["pod.start"] = Reply(ok=False, key=key, args={"n": 1}, status=status)
    expected = {"id": "6d1f0e5a-0001", "err": key, "args": {"n": 1}, "status": status}
    answer = client.post("/api/v1/command", json=order("pod.start"))
    assert (answer.status_code, answer.json()) == (status, expected)
    with PageSocket(showcase.web.port) as page:
        assert page.command("pod.start", "6d1f0e5a-0001") == expected


def test_a_command_longer_than_any_signature_is_refused(showcase: Showcase, client: httpx.Client) -> None:
    assert client.post("/api/v1/command", content=b" " * 1_000_001).status_code == 413
    with PageSocket(showcase.web.port) as page:
        page.send_text(" " * 1_000_001)
        with pytest.raises(ClosedError, match="1009"):
            page.until(lambda _: False)


def test_a_body_of_unknown_length_is_cut_off_at_the_limit(client: httpx.Client) -> None:
    assert client.post("/api/v1/command", content=(b" " * 100_000 for _ in range(20))).status_code == 413


def test_a_dropped_picture_goes_to_whoever_waits_for_one(showcase: Showcase, client: httpx.Client) -> None:
    picture, headers = scene(1), {"content-type": "image/jpeg"}
    assert client.post("/api/v1/picture", content=picture, headers=headers).status_code == 409
    showcase.standin.show(screen="scan")
    assert client.post("/api/v1/picture", content=picture, headers=headers).json()["ok"] is True
    showcase.standin.show(screen="photo")
    assert client.post("/api/v1/picture", content=picture, headers=headers).json()["ok"] is True
    assert (showcase.camera.dropped, showcase.standin.pictures) == ([picture], [picture])


def test_what_is_no_picture_or_too_big_a_one_is_refused(client: httpx.Client) -> None:
    assert client.post("/api/v1/picture", content=b"x", headers={"content-type": "text/html"}).status_code == 415
    assert client.post("/api/v1/picture", content=bytes(12_000_001), headers={"content-type": "image/png"}).status_code == 413


def test_a_dropped_file_that_is_no_picture_is_refused_in_words_and_the_page_is_served_on(showcase: Showcase, client: httpx.Client) -> None:
    showcase.standin.show(screen="scan")
    told = client.post("/api/v1/picture", content=b"no picture at all", headers={"content-type": "image/png"})
    assert (told.status_code, told.json()["err"]) == (422, "photo.unreadable")
    assert client.get("/api/v1/state").status_code == 200


def test_the_maps_on_the_unit_are_listed(client: httpx.Client) -> None:
    assert client.get("/maps/").json() == {"maps": ["city"]}


def test_a_map_is_read_in_ranges(client: httpx.Client) -> None:
    part = client.get("/maps/city.pmtiles", headers={"range": "bytes=250-259"})
    assert (part.status_code, part.headers["content-range"]) == (206, "bytes 250-259/10240")
    assert part.content == bytes([250, 251, 252, 253, 254, 255, 0, 1, 2, 3])
    beyond = client.get("/maps/city.pmtiles", headers={"range": "bytes=10240-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, "bytes */10240")


@pytest.mark.parametrize("name", ["secret.txt", "../city.pmtiles", "..%2fcity.pmtiles", ".pmtiles", "none.pmtiles", "city.pmtiles%00"])
def test_only_maps_are_served_from_the_map_folder(client: httpx.Client, name: str) -> None:
    assert client.get(f"/maps/{name}").status_code == 404


@pytest.mark.parametrize("path", ["/static/../server.py", "/static/..%2fserver.py", "/static/%2e%2e/guard.py", "/static//etc/passwd"])
def test_nothing_beside_the_pages_own_files_is_served(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_only_photos_of_the_proof_under_way_are_shown(client: httpx.Client) -> None:
    assert client.get(f"/media/{screens.PHOTO}").content == scene(0)
    for name in ("0" * 64, "x", "..%2f..%2fetc%2fpasswd"):
        assert client.get(f"/media/{name}").status_code == 404


def test_the_diagnosis_is_the_units_status(client: httpx.Client) -> None:
    assert client.get("/api/v1/diag").json()["unit"] == "VAN-042"


def test_the_diagnosis_says_of_each_part_what_the_boot_screen_says(showcase: Showcase, client: httpx.Client) -> None:
    well = showcase._status
    gone = "The hand scanner at /dev/ttyACM0 was unplugged."
    showcase.status(camera="opening", scanners=(gone,), link="dns", link_sentence="no such name", journal="The card is full.")
    said = {one["key"]: (one["state"], one["text"]) for one in client.get("/api/v1/diag").json()["checks"]}
    showcase._status = well
    assert said == {
        "gnss": ("ok", "11"), "camera": ("wait", ""), "scanner": ("bad", gone), "broker": ("wait", "no such name"),
        "storage": ("bad", "The card is full."), "queue": ("ok", "3"), "clock": ("wait", "floor"),
    }  # fmt: skip


def test_the_diagnosis_holds_the_sky(showcase: Showcase, client: httpx.Client) -> None:
    well = showcase._status
    showcase.status(sky=screens.sky())
    seen = client.get("/api/v1/diag").json()["sky"]
    showcase._status = well
    assert seen[0] == {"system": "GPS", "prn": 2, "elevation_deg": 71, "azimuth_deg": 64, "snr_db": 47, "used": True}
    assert len(seen) == len(screens.sky())


# --- the technician's self-test


def test_the_self_test_is_begun_followed_and_signed(showcase: Showcase, client: httpx.Client) -> None:
    assert client.post("/api/v1/selftest", json={"ask": "run"}).json()["running"] is True
    showcase.bench.step(2)
    assert [one["key"] for one in client.get("/api/v1/selftest").json()["findings"]] == ["gnss", "antenna"]
    showcase.bench.end()
    told = client.post("/api/v1/selftest", json={"ask": "report"}).json()["report"]
    assert told["unit"] == showcase.bench.report().unit


def test_what_cannot_be_tested_or_signed_now_is_refused_in_the_pages_words(showcase: Showcase, client: httpx.Client) -> None:
    early = client.post("/api/v1/selftest", json={"ask": "report"})
    assert (early.status_code, early.json()["err"]) == (409, "diag.nothing_found")
    showcase.bench.run()
    papers, showcase.bench.papers = showcase.bench.papers, None
    unsigned = client.post("/api/v1/selftest", json={"ask": "report"})
    showcase.bench.papers = papers
    assert (unsigned.status_code, unsigned.json()["err"]) == (422, "diag.unsigned")
    assert "roadproof enrol" in unsigned.json()["args"]["sentence"]


@pytest.mark.parametrize(
    "wish",
    [b"", b"{}", b"[]", b'{"ask":"wipe"}', b'{"ask":"run","only":["gnss"]}', b'{"ask":"touch"}', b"\xff", b"[" * 900,
     b'{"ask":"touch","targets":9,"hit":9,"worst_px":-1,"breaks":0}', b'{"ask":"touch","targets":9,"hit":9,"worst_px":1e9,"breaks":0}'],
)  # fmt: skip
def test_a_wish_that_is_none_changes_nothing(showcase: Showcase, client: httpx.Client, wish: bytes) -> None:
    assert client.post("/api/v1/selftest", content=wish).status_code == 400
    assert (showcase.bench.tests.runs, showcase.bench.inspection.state()["running"]) == (0, False)


def test_a_wish_as_long_as_a_book_is_not_read(client: httpx.Client) -> None:
    assert client.post("/api/v1/selftest", content=b" " * 5_000).status_code == 413


def test_a_page_of_another_site_tests_nothing(showcase: Showcase, client: httpx.Client) -> None:
    answer = client.post("/api/v1/selftest", json={"ask": "run"}, headers={"origin": "http://evil.example"})
    assert (answer.status_code, showcase.bench.inspection.state()["running"]) == (403, False)


# --- the page's socket


def test_a_page_gets_the_whole_view_first_and_after_each_change(showcase: Showcase) -> None:
    with PageSocket(showcase.web.port) as page:
        first = page.view()
        assert first["d"]["panel"].keys() == {"px_per_mm", "version"}
        assert first["d"]["bar"]["gnss"] == "3d"
        showcase.standin.show(screen="stop")
        second = page.view()
        assert second["d"]["screen"] == "stop"
        assert second["seq"] == second["d"]["seq"] > first["seq"]


def test_the_bar_goes_on_while_nothing_else_changes(showcase: Showcase) -> None:
    with PageSocket(showcase.web.port) as page:
        page.view()
        showcase.status(at_ms=screens.NOW_MS + 5, link="dns")
        message = page.until(lambda found: found["t"] == "bar" and found["d"]["link"] == "dns")
        assert message["d"]["time_ms"] == screens.NOW_MS + 5


def test_a_page_that_lives_is_noted_and_the_day_is_not_asked(showcase: Showcase) -> None:
    with PageSocket(showcase.web.port) as page:
        assert page.command("ui.alive")["ok"] is True
    assert (showcase.alive, showcase.standin.commands) == (1, [])


def test_a_command_that_waits_for_the_disk_holds_up_nobody_else(showcase: Showcase, client: httpx.Client) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        assert go_on.wait(BUSY_S)

    showcase.standin.on_command = wait
    with PageSocket(showcase.web.port) as page, PageSocket(showcase.web.port) as other:
        page.send({"id": "00000000-0001", "cmd": "pod.confirm", "d": {}})
        assert begun.wait(BUSY_S)
        assert client.get("/i18n/pl.json").status_code == 200
        other.view()
        showcase.standin.show(screen="stop")
        assert other.view()["d"]["screen"] == "stop"
        go_on.set()
        assert page.until(lambda message: "t" not in message)["ok"] is True


def test_commands_of_one_page_are_obeyed_in_their_order(showcase: Showcase) -> None:
    with PageSocket(showcase.web.port) as page:
        for n in range(50):
            page.send({"id": f"00000000-{n:04}", "cmd": "pod.line", "d": {"n": n}})
        for n in range(50):
            assert page.until(lambda message: "t" not in message)["id"] == f"00000000-{n:04}"
    assert [command.data["n"] for command in showcase.standin.commands] == list(range(50))


def test_a_page_that_does_not_read_gets_the_newest_view_later_and_not_all_of_them(showcase: Showcase) -> None:
    changes = 100
    showcase.standin.ballast = "x" * 300_000  # more than the kernel keeps for a page that does not read
    with PageSocket(showcase.web.port, buffer_bytes=4096) as slow, PageSocket(showcase.web.port) as quick:
        for n in range(changes):
            showcase.standin.show(screen="route" if n % 2 else "stop")
            while quick.view()["seq"] < showcase.standin.seq:
                pass  # so that the server has made every view, and the slow page had its chance to be sent it
        seen = [slow.view()["seq"]]
        while seen[-1] < showcase.standin.seq:
            seen.append(slow.view()["seq"])
    assert seen == sorted(set(seen))
    assert len(seen) < changes


def test_a_page_that_goes_while_its_view_is_made_leaves_the_next_page_no_old_one(showcase: Showcase) -> None:
    begun, go_on = threading.Event(), threading.Event()
    with PageSocket(showcase.web.port) as page:
        page.view()

        def wait() -> None:
            begun.set()
            assert go_on.wait(BUSY_S)

        showcase.standin.on_view = wait
        showcase.standin.show(screen="stop")
        assert begun.wait(BUSY_S)
    eventually(lambda: showcase.web._feed.pages == 0)
    go_on.set()
    with PageSocket(showcase.web.port) as page:
        assert page.view()["d"]["screen"] == "stop"


def test_one_page_too_many_is_asked_to_come_later(showcase: Showcase) -> None:
    pages = [PageSocket(showcase.web.port) for _ in range(PAGES)]
    for page in pages:
        page.view()
    with PageSocket(showcase.web.port) as late, pytest.raises(ClosedError, match="1013"):
        late.receive()
    for page in pages:
        page.__exit__(None, None, None)
    eventually(lambda: showcase.web._feed.pages == 0)
    with PageSocket(showcase.web.port) as page:
        assert page.view()["t"] == "view"


# --- the camera's socket


def test_a_picture_follows_only_the_ack_of_the_one_before(showcase: Showcase) -> None:
    with PageSocket(showcase.web.port, "/ws/camera") as page:
        for _ in range(3):
            marks, picture = page.receive(), page.receive()
            assert len(marks["marks"][0]["corners"]) == 4
            assert marks["marks"][0]["text"] == "00340123450000008812"
            assert marks["hint"] is None
            assert picture.startswith(b"\xff\xd8")
            with pytest.raises(TimeoutError):
                page.receive(within_s=0.2)
            page.send_text("ack")


# --- the worker


def test_a_taken_port_is_said_in_one_sentence(showcase: Showcase) -> None:
    with pytest.raises(WebError, match=r"port \d+ of 127.0.0.1: another program uses it"):
        Showcase(port=showcase.web.port)


def test_a_command_that_breaks_ends_the_worker_with_its_error() -> None:
    def broken() -> None:
        raise RuntimeError("the day is broken")

    with Showcase() as breaking:
        breaking.standin.on_command = broken
        with PageSocket(breaking.web.port) as page:
            page.send({"id": "00000000-0001", "cmd": "pod.start", "d": {}})
            with pytest.raises(ClosedError):
                page.until(lambda _: False)
        assert str(eventually(lambda: breaking.failure)) == "the day is broken"


def test_the_end_waits_for_the_command_under_way_and_takes_leave_of_the_pages() -> None:
    begun, ended = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        ending._stop.wait(BUSY_S)
        ended.set()

    ending = Showcase()
    ending.standin.on_command = wait
    ending.__enter__()
    with PageSocket(ending.web.port) as page, PageSocket(ending.web.port) as other:
        page.send({"id": "00000000-0001", "cmd": "pod.confirm", "d": {}})
        assert begun.wait(BUSY_S)
        ending.__exit__(None, None, None)
        assert ended.is_set()
        with pytest.raises(ClosedError, match="1012"):
            other.until(lambda _: False)
    with pytest.raises(httpx.ConnectError):
        httpx.get(ending.web.url)

"""What one person changes, another sees without a reload (how soon is for bench/subscribers.py)."""

import json
import time
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Request, WebSocketRoute, expect

from models.history import NEWEST_FIRST
from schema.pagination import encode_cursor
from tests.browser.conftest import OpenPage, Watch
from tests.browser.held import Held
from tests.browser.service import OTHER_ADMIN, Service
from tests.browser.test_groups import CLOSERS, row, section
from tests.browser.test_members import popover
from tests.browser.until import until


def group_page(open_page: OpenPage, service: Service, email: str, **options: object) -> Page:
    page = open_page(f"/groups?open={service.group(CLOSERS)}", email, **options)
    expect(section(page, "Users").get_by_role("listitem")).to_have_count(6)
    return page


def texts(page: Page) -> str:
    return page.get_by_role("main").inner_text()


def test_two_browsers_side_by_side_end_up_the_same(open_page: OpenPage, service: Service) -> None:
    mine = open_page(f"/groups?open={service.group(CLOSERS)}")
    yours = group_page(open_page, service, OTHER_ADMIN)

    popover(mine, "users").get_by_role("option", name="Aisha Rahman").click()
    expect(section(yours, "Users").get_by_text("Aisha Rahman")).to_be_visible()
    expect(row(yours, CLOSERS).get_by_role("cell").nth(1)).to_have_text("7")
    mine.keyboard.press("Escape")

    yours.get_by_role("button", name="Remove Skeptical CFO").click()
    expect(section(mine, "Personas").get_by_text("Skeptical CFO")).to_have_count(0)

    mine.get_by_role("button", name="Edit the name").click()
    mine.get_by_label("New name").fill("Closers")
    mine.keyboard.press("Enter")
    expect(row(yours, "Closers")).to_be_visible()
    expect(row(mine, "Closers")).to_be_visible()
    expect(mine.get_by_role("button", name="Save")).to_have_count(0)
    assert texts(mine) == texts(yours)

    yours.get_by_role("button", name="Delete group").click()
    dialog = yours.get_by_role("dialog", name="Delete Closers?")
    dialog.get_by_role("button", name="Delete group").click()
    expect(row(mine, "Closers")).to_have_count(0)
    expect(mine.get_by_text("The group that this address opens is gone.")).to_be_visible()


def test_many_changes_at_once_end_up_the_same(open_page: OpenPage, service: Service) -> None:
    mine = group_page(open_page, service, OTHER_ADMIN)
    for name in ("Aisha Rahman", "Grace Wanjiru", "Minh Nguyễn", "Samuel Osei"):
        service.add_users(CLOSERS, name)
    service.remove_users(CLOSERS, "Hana Sato", "Luca Moretti")

    users = section(mine, "Users")
    expect(users.get_by_text("Luca Moretti")).to_have_count(0)  # after all that came before
    expect(users.get_by_role("listitem")).to_have_count(8)
    shown = {text.split("\n")[-1] for text in users.get_by_role("listitem").all_inner_texts()}
    assert shown == service.users_of(CLOSERS)


def test_a_broken_connection_is_taken_up_where_it_was(
    open_page: OpenPage, service: Service, watch: Watch
) -> None:
    watch.expect("WebSocket")
    page = open_page("/me")  # in a context of its own, to set the socket up before it is opened
    asked: set[Request] = set()  # and not answered yet
    page.on("request", lambda request: asked.add(request))
    page.on("requestfinished", lambda request: asked.discard(request))
    page.on("requestfailed", lambda request: asked.discard(request))
    sockets: list[WebSocketRoute] = []
    is_down = False

    def connect(socket: WebSocketRoute) -> None:
        if is_down:
            socket.close()
            return
        socket.connect_to_server()
        sockets.append(socket)

    page.route_web_socket("**/graphql", connect)
    page.goto(f"/groups?open={service.group(CLOSERS)}")
    expect(section(page, "Users").get_by_role("listitem")).to_have_count(6)
    until(page, lambda: sockets != [])
    service.add_users(CLOSERS, "Aisha Rahman")
    expect(section(page, "Users").get_by_text("Aisha Rahman")).to_be_visible()

    until(page, lambda: not asked)  # an answer would tell of what has changed meanwhile
    is_down = True
    sockets[-1].close(code=1011)
    expect(page.get_by_role("status").filter(has_text="Offline")).to_be_visible()
    service.add_users(CLOSERS, "Grace Wanjiru")
    time.sleep(0.3)
    expect(section(page, "Users").get_by_text("Grace Wanjiru")).to_have_count(0)
    is_down = False
    expect(section(page, "Users").get_by_text("Grace Wanjiru")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="Offline")).to_have_count(0)


def test_a_connection_that_died_without_a_word_is_noticed(
    open_page: OpenPage, service: Service
) -> None:
    page = open_page("/me")  # in a context of its own, to set the socket up before it is opened
    page.clock.install()
    told: list[str] = []
    connections = 0
    is_dead = False

    def connect(socket: WebSocketRoute) -> None:
        nonlocal connections
        if is_dead:
            socket.close()
            return
        connections += 1
        server = socket.connect_to_server()

        def tell(message: str | bytes) -> None:
            if not is_dead:
                told.append(json.loads(message)["type"])
                socket.send(message)

        server.on_message(tell)

    page.route_web_socket("**/graphql", connect)
    page.goto(f"/groups?open={service.group(CLOSERS)}")
    users = section(page, "Users")
    until(page, lambda: "connection_ack" in told)
    service.add_users(CLOSERS, "Aisha Rahman")
    expect(users.get_by_text("Aisha Rahman")).to_be_visible()
    for number in (1, 2, 3):
        page.clock.run_for(10_000)
        until(page, lambda number=number: told.count("pong") >= number)  # type: ignore[misc]
    assert connections == 1

    is_dead = True
    service.add_users(CLOSERS, "Grace Wanjiru")
    page.clock.run_for(20_000)  # a ping is due within ten seconds, its answer within ten more
    expect(page.get_by_role("status").filter(has_text="Offline")).to_be_visible()
    is_dead = False
    page.clock.run_for(10_000)
    expect(users.get_by_text("Grace Wanjiru")).to_be_visible()
    assert connections == 2


@pytest.mark.parametrize(
    "end",
    [
        {"type": "complete"},
        {"type": "error", "payload": [{"message": "No.", "extensions": {"code": "INTERNAL"}}]},
    ],
    ids=lambda end: end["type"],
)
def test_a_subscription_that_the_service_ends_is_made_anew(
    open_page: OpenPage, service: Service, end: dict[str, Any]
) -> None:
    page = open_page("/me")  # in a context of its own, to set the socket up before it is opened
    sockets: list[WebSocketRoute] = []
    subscriptions: list[dict[str, Any]] = []

    def connect(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        server = socket.connect_to_server()

        def pass_on(message: str | bytes) -> None:
            said = json.loads(message)
            if said["type"] == "subscribe":
                subscriptions.append(said)
            server.send(message)

        socket.on_message(pass_on)

    page.route_web_socket("**/graphql", connect)
    page.goto(f"/groups?open={service.group(CLOSERS)}")
    users = section(page, "Users")
    expect(users.get_by_role("listitem")).to_have_count(6)
    until(page, lambda: len(subscriptions) == 1)
    service.add_users(CLOSERS, "Aisha Rahman")
    expect(users.get_by_text("Aisha Rahman")).to_be_visible()

    sockets[-1].send(json.dumps({"id": subscriptions[0]["id"], **end}))
    expect(page.get_by_role("status").filter(has_text="Offline")).to_be_visible()
    until(page, lambda: len(subscriptions) == 2)
    expect(page.get_by_role("status").filter(has_text="Offline")).to_have_count(0)
    after = [said["payload"]["variables"]["after"] for said in subscriptions]
    assert after[0] != after[1]  # it goes on behind the last change
    service.add_users(CLOSERS, "Grace Wanjiru")
    expect(users.get_by_text("Grace Wanjiru")).to_be_visible()


def test_a_service_that_starts_again_is_found_again(
    open_page: OpenPage, service: Service, watch: Watch
) -> None:
    watch.expect("WebSocket")
    watch.expect("ERR_CONNECTION_REFUSED")
    page = group_page(open_page, service, OTHER_ADMIN)
    service.server.stop()
    expect(page.get_by_role("status").filter(has_text="Offline")).to_be_visible()
    service.server.start()
    service.add_users(CLOSERS, "Aisha Rahman")

    expect(section(page, "Users").get_by_text("Aisha Rahman")).to_be_visible()


def long_list(open_page: OpenPage, service: Service) -> tuple[Page, Locator]:
    """The group “Leadership” with three pages of users, all loaded; and their cards."""
    service.create_users("Leadership", 120)
    page = open_page(f"/groups?open={service.group('Leadership')}")
    cards = section(page, "Users").get_by_role("listitem")
    # Whose answer, if it came after a change, would have all lists asked for again.
    expect(page.get_by_role("button", name="Create New Group")).to_be_visible()
    for loaded in (50, 100, 125):
        expect(cards).to_have_count(loaded)
        cards.last.scroll_into_view_if_needed()
    return page, cards


def test_what_stays_as_it_was_is_not_drawn_again(open_page: OpenPage, service: Service) -> None:
    page, cards = long_list(open_page, service)
    # Whatever draws a card takes the initials of its name.
    page.evaluate(
        """() => {
            const { segment } = Intl.Segmenter.prototype;
            window.drawn = 0;
            Intl.Segmenter.prototype.segment = function (...text) {
                window.drawn += 1;
                return segment.apply(this, text);
            };
        }"""
    )

    service.remove_users("Leadership", "Person 001")
    expect(cards).to_have_count(124)
    expect(cards.filter(has_text="Person 001")).to_have_count(0)
    page.wait_for_timeout(300)
    assert page.evaluate("window.drawn") < 25  # those that move from page to page


def test_a_change_of_another_group_leaves_the_pages_of_a_long_list_alone(
    open_page: OpenPage, service: Service
) -> None:
    page, cards = long_list(open_page, service)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.post_data or ""))

    service.add_users(CLOSERS, "Aisha Rahman")
    expect(row(page, CLOSERS).get_by_role("cell").nth(1)).to_have_text("7")
    page.wait_for_timeout(200)
    assert not any("query GroupUsers" in body for body in asked)

    service.remove_users("Leadership", "Person 060")
    expect(cards).to_have_count(124)
    expect(cards.filter(has_text="Person 060")).to_have_count(0)
    assert any("query GroupUsers" in body for body in asked)


def test_what_is_shown_and_typed_stays_while_the_service_does_not_answer(
    open_page: OpenPage, service: Service, watch: Watch
) -> None:
    watch.expect("429")
    page = open_page(f"/groups?open={service.group(CLOSERS)}")
    expect(page.get_by_role("button", name="Remove Hana Sato")).to_be_attached()
    page.get_by_role("button", name="Edit the name").click()
    page.get_by_label("New name").fill("Half a na")
    page.route("**/graphql", lambda route: route.fulfill(status=429, body="Slow down."))
    with page.expect_response("**/graphql"):
        service.remove_users(CLOSERS, "Hana Sato")
    sign = page.get_by_role("status").filter(has_text="Offline")
    expect(sign).to_be_visible()
    expect(page.get_by_label("New name")).to_have_value("Half a na")

    page.unroute("**/graphql")
    expect(page.get_by_role("button", name="Remove Hana Sato")).to_have_count(0)
    expect(page.get_by_label("New name")).to_have_value("Half a na")
    expect(sign).to_have_count(0)


def test_who_is_signed_in_is_asked_again_where_that_failed(
    open_page: OpenPage, service: Service, watch: Watch
) -> None:
    watch.expect("503")
    page = open_page("about:blank")
    held = Held(page, "query Viewer")
    page.goto("/groups")
    expect(row(page, CLOSERS)).to_be_visible()
    held.next().fulfill(status=503, body="Not now.")
    held.release()

    expect(page.get_by_role("button", name="Create New Group")).to_be_visible()
    service.add_users(CLOSERS, "Aisha Rahman")
    expect(row(page, CLOSERS).get_by_role("cell").nth(1)).to_have_text("7")


def test_a_group_on_another_page_opens_though_it_could_not_be_loaded_at_first(
    open_page: OpenPage, service: Service, watch: Watch
) -> None:
    watch.expect("503")
    page = open_page("about:blank")
    held = Held(page, "query Group(")
    page.goto(f"/groups?search=support&open={service.group(CLOSERS)}")
    expect(row(page, "Support")).to_be_visible()
    held.next().fulfill(status=503, body="Not now.")
    held.release()

    expect(section(page, "Users").get_by_role("listitem")).to_have_count(6)


def test_a_page_of_a_time_that_the_service_does_not_know_begins_anew(
    open_page: OpenPage, service: Service
) -> None:
    page = open_page("/me")
    other = encode_cursor(NEWEST_FIRST, {"revision": 1_000_000, "id": "chg_of_a_lost_time"})
    starts: list[str] = []

    def connect(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def pass_on(message: str | bytes) -> None:
            said = json.loads(message)
            if said["type"] == "subscribe":
                starts.append(said["payload"]["variables"]["after"])
                if len(starts) == 1:
                    said["payload"]["variables"]["after"] = other
            server.send(json.dumps(said))

        socket.on_message(pass_on)

    page.route_web_socket("**/graphql", connect)
    documents: list[str] = []  # whose scripts have run: one may be left before all of it is loaded
    page.on("domcontentloaded", lambda page: documents.append(page.url))
    with page.expect_event("domcontentloaded", predicate=lambda _: len(documents) == 2):
        page.goto(f"/groups?open={service.group(CLOSERS)}", wait_until="commit")
    users = section(page, "Users")
    expect(users.get_by_role("listitem")).to_have_count(6)
    until(page, lambda: len(starts) == 2)
    service.add_users(CLOSERS, "Aisha Rahman")
    expect(users.get_by_text("Aisha Rahman")).to_be_visible()
    assert (len(starts), len(documents)) == (2, 2)

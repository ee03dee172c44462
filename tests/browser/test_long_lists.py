"""A list of which most is far out of view: what it costs, and that nobody can tell."""

import json

from playwright.sync_api import Locator, Page, Request, Route, expect

from tests.browser.conftest import OpenPage, Watch, settle
from tests.browser.places import top_and_bottom
from tests.browser.service import Service
from tests.browser.test_groups import section
from tests.browser.test_members import popover
from tests.browser.until import draw, until

PAGE = 50
MOST = 6 * PAGE
"""Items that are drawn at a time: in view, around it, and at both ends."""
SETTLED = 200
"""Milliseconds in which a change, or what has come into view, is asked for."""


class Lists:
    """The page's questions for members of a group, and how many of these are not answered yet."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.asked = 0
        self.under_way: set[Request] = set()
        page.on("request", self._begin)
        page.on("requestfinished", self._end)
        page.on("requestfailed", self._end)

    def _begin(self, request: Request) -> None:
        if "query GroupUsers" in (request.post_data or ""):
            self.asked += 1
            self.under_way.add(request)

    def _end(self, request: Request) -> None:
        self.under_way.discard(request)

    def settle(self) -> None:
        """Wait until none is asked for any more."""
        asked = -1
        while asked != self.asked or self.under_way:
            asked = self.asked
            self.page.wait_for_timeout(SETTLED)
            until(self.page, lambda: not self.under_way)
            draw(self.page)


def scrolled(open_page: OpenPage, service: Service, count: int) -> tuple[Page, Locator, Lists]:
    """The group “Everybody” of so many, with all of its users loaded and the last in view."""
    service.create_groups("Everybody")
    service.create_users("Everybody", count)
    page = open_page(f"/groups?open={service.group('Everybody')}")
    lists = Lists(page)
    users = viewport(page)
    expect(users.get_by_role("listitem").first).to_be_visible()
    settle(page)
    users.evaluate("users => users.scrollIntoView({block: 'center'})")
    last = users.locator(f'[aria-posinset="{count}"]')

    def is_loaded() -> bool:
        users.evaluate("users => { users.scrollTop = users.scrollHeight; }")
        return last.count() == 1

    until(page, is_loaded)
    lists.settle()
    return page, users, lists


def viewport(page: Page) -> Locator:
    """What scrolls the users of the group that is open."""
    return section(page, "Users").locator(".mantine-ScrollArea-viewport")


def scroll(users: Locator, share: float) -> None:
    """Scroll to a share of all there is room for: 0 is the upper end."""
    users.evaluate(
        "(list, share) => { list.scrollTop = share * (list.scrollHeight - list.clientHeight); }",
        share,
    )


def names(users: Locator) -> list[str]:
    """All that are drawn."""
    return users.get_by_role("link").all_inner_texts()


def card(users: Locator, number: int) -> Locator:
    return users.get_by_role("listitem").filter(has_text=f"Person {number:03}")


def bin_of(users: Locator, number: int) -> Locator:
    return users.get_by_role("button", name=f"Remove Person {number:03}")


def in_view(users: Locator) -> list[str]:
    """Those that are in view, from above."""
    shown: list[str] = users.evaluate(
        """users => {
            const { top, bottom } = users.getBoundingClientRect();
            return [...users.querySelectorAll('a')].filter((link) => {
                const box = link.getBoundingClientRect();
                return box.bottom > top && box.top < bottom;
            }).map((link) => link.textContent);
        }"""
    )
    return shown


def members(service: Service) -> list[str]:
    """All that are in the group, in their order."""
    query = "query ($id: ID!, $after: String) { group(id: $id) { users(first: 100, after: $after)"
    query += " { pageInfo { hasNextPage endCursor } nodes { name } } } }"
    found: list[str] = []
    after, is_more, group = None, True, service.group("Everybody")
    while is_more:
        users = service.ask(query, id=group, after=after)["group"]["users"]
        found += [user["name"] for user in users["nodes"]]
        after, is_more = users["pageInfo"]["endCursor"], users["pageInfo"]["hasNextPage"]
    return found


def drawn_around_view(users: Locator) -> list[str]:
    """Those in view, and all that follow them above and below without an interruption."""
    drawn: list[str] = users.evaluate(
        """users => {
            const { top, bottom } = users.getBoundingClientRect();
            const pages = [...users.querySelector('[role=list]').children];
            const isInView = (page) => {
                const box = page.getBoundingClientRect();
                return box.bottom > top && box.top < bottom;
            };
            let first = pages.findIndex(isInView);
            let end = first + 1;
            while (pages[first - 1]?.firstChild) first -= 1;
            while (pages[end]?.firstChild) end += 1;
            return pages.slice(first, end)
                .flatMap((page) => [...page.querySelectorAll('a')])
                .map((link) => link.textContent);
        }"""
    )
    return drawn


def read_upwards(users: Locator, lists: Lists) -> list[str]:
    """All that are drawn where somebody scrolls from the end to the beginning, in their order."""
    seen: list[str] = []
    scroll(users, 1)
    while True:
        lists.settle()
        assert len(names(users)) == len(set(names(users)))
        assert in_view(users)
        now = drawn_around_view(users)
        seen = now + [name for name in seen if name not in now]
        if users.evaluate("users => users.scrollTop") == 0:
            return seen
        users.evaluate("users => { users.scrollTop -= 1_500; }")
        draw(users.page)


def wait_until_told(users: Locator, lists: Lists, total: int) -> None:
    """Wait until the page knows of all that others have changed: so many are left."""
    first = users.get_by_role("listitem").first
    expect(first).to_have_attribute("aria-setsize", str(total))
    lists.settle()


def test_it_costs_no_more_however_far_somebody_has_scrolled(
    open_page: OpenPage, service: Service
) -> None:
    page, users, lists = scrolled(open_page, service, 950)
    assert lists.asked == 950 / PAGE
    assert users.get_by_role("listitem").count() <= MOST
    upper, lower = top_and_bottom(card(users, 950))
    room = users.evaluate("users => users.scrollHeight")
    assert room > 940 * (lower - upper)

    lists.asked = 0
    service.remove_users("Everybody", "Person 001")
    expect(card(users, 1)).to_have_count(0)
    wait_until_told(users, lists, 949)
    assert lists.asked <= 2 * MOST / PAGE
    scroll(users, 0.5)
    lists.settle()
    assert in_view(users)
    assert users.get_by_role("listitem").count() <= MOST
    assert names(users)[0] == "Person 002"


def test_nobody_is_missing_or_twice_whatever_changes_out_of_view(
    open_page: OpenPage, service: Service
) -> None:
    _, users, lists = scrolled(open_page, service, 400)
    service.remove_users("Everybody", "Person 060", "Person 150", "Person 151")
    service.add_users("Everybody", "Hana Sato", "Aisha Rahman", "Luca Moretti")
    wait_until_told(users, lists, 400)
    service.remove_users("Everybody", *(f"Person {number:03}" for number in range(200, 210)))
    wait_until_told(users, lists, 390)
    assert read_upwards(users, lists) == members(service)


def found(service: Service, search: str) -> list[str]:
    """The ids of a hundred users of the group, as a search finds them."""
    query = "query ($id: ID!, $s: String) { group(id: $id) { users(first: 100, search: $s)"
    query += " { nodes { id } } } }"
    answer = service.ask(query, id=service.group("Everybody"), s=search)
    ids = [user["id"] for user in answer["group"]["users"]["nodes"]]
    assert len(ids) == 100
    return ids


def test_a_page_full_of_members_goes_out_of_view(open_page: OpenPage, service: Service) -> None:
    _, users, lists = scrolled(open_page, service, 400)
    service.write("removeUsersFromGroup", "Everybody", found(service, "Person 1"))
    wait_until_told(users, lists, 300)
    upper, lower = top_and_bottom(card(users, 1))
    assert users.evaluate("users => users.scrollHeight") < 310 * (lower - upper)
    assert read_upwards(users, lists) == members(service)


def test_nobody_is_twice_though_a_page_that_is_not_drawn_has_become_empty(
    open_page: OpenPage, service: Service
) -> None:
    _, users, lists = scrolled(open_page, service, 400)
    scroll(users, 0.55)  # of the lower pages, the last but one is not drawn
    lists.settle()
    early = [{"name": f"Early {n}", "email": f"early{n}@example.com"} for n in range(15)]
    upsert = "mutation ($u: [UserInput!]!) { upsertUsers(input: {users: $u}) { users { id } } }"
    added = service.ask(upsert, u=early)["upsertUsers"]["users"]
    service.write("addUsersToGroup", "Everybody", [user["id"] for user in added])
    wait_until_told(users, lists, 415)
    service.write("removeUsersFromGroup", "Everybody", found(service, "Person 2")[:60])
    wait_until_told(users, lists, 355)
    assert len(names(users)) == len(set(names(users)))
    assert read_upwards(users, lists) == members(service)


def test_it_keeps_its_place_while_the_service_does_not_answer(
    open_page: OpenPage, service: Service, watch: Watch
) -> None:
    watch.expect("net::ERR_FAILED")
    page, users, lists = scrolled(open_page, service, 400)
    service.remove_users("Everybody", "Person 001")  # the second page begins elsewhere now
    wait_until_told(users, lists, 399)
    room = users.evaluate("users => users.scrollHeight")
    page.route("**/graphql", lambda route: route.abort())
    with page.expect_event("requestfailed"):
        users.evaluate("users => { users.scrollTop = 2_500; }")
    draw(page)
    assert "Person 066" in in_view(users)
    assert users.evaluate("users => users.scrollHeight") > 0.9 * room

    scroll(users, 1)  # what could not be asked for goes out of view
    expect(card(users, 75)).to_have_count(0)
    assert users.evaluate("users => users.scrollHeight") > 0.9 * room
    users.evaluate("users => { users.scrollTop = 2_500; }")
    draw(page)
    assert in_view(users)

    page.unroute("**/graphql")
    expect(card(users, 101)).to_have_attribute("aria-posinset", "100")
    until(page, lambda: drawn_around_view(users) == members(service)[: 3 * PAGE])


def test_what_is_in_view_stays_there_while_others_change_what_is_above(
    open_page: OpenPage, service: Service
) -> None:
    _, users, lists = scrolled(open_page, service, 400)
    scroll(users, 0.6)
    lists.settle()
    seen = in_view(users)
    some = users.get_by_role("link", name=seen[4], exact=True)
    before = top_and_bottom(some)[0]
    service.add_users("Everybody", "Aisha Rahman", "Hana Sato")
    service.remove_users("Everybody", "Person 010", "Person 120", "Person 121")
    wait_until_told(users, lists, 399)
    assert top_and_bottom(some)[0] == before

    users.evaluate("users => { users.scrollTop -= 3_000; }")
    lists.settle()
    shown = drawn_around_view(users)
    assert len(shown) >= 2 * PAGE
    place = members(service).index(shown[0])
    assert members(service)[place : place + len(shown)] == shown


def test_the_focus_stays_and_goes_on_from_there(open_page: OpenPage, service: Service) -> None:
    page, users, lists = scrolled(open_page, service, 400)
    scroll(users, 0.25)
    lists.settle()
    bin_of(users, 100).focus()  # the last of its page
    scroll(users, 1)
    lists.settle()
    expect(bin_of(users, 100)).to_be_focused()
    assert card(users, 200).count() == 0
    page.keyboard.press("Tab")
    expect(users.get_by_role("link", name="Person 101")).to_be_focused()
    assert "Person 101" in in_view(users)
    for _ in range(2 * 60):
        page.keyboard.press("Tab")
    expect(users.get_by_role("link", name="Person 161")).to_be_focused()

    page.keyboard.press("Tab")
    scroll(users, 0)
    lists.settle()
    page.keyboard.press("Enter")
    expect(bin_of(users, 162)).to_be_focused()
    expect(card(users, 161)).to_have_count(0)


def test_keys_come_into_it_where_it_begins_and_ends(open_page: OpenPage, service: Service) -> None:
    page, users, lists = scrolled(open_page, service, 400)
    scroll(users, 0.5)
    lists.settle()
    section(page, "Users").get_by_label("Search users of Everybody").focus()
    page.keyboard.press("Tab")
    expect(users.get_by_role("link", name="Person 001")).to_be_focused()
    scroll(users, 0.5)
    lists.settle()
    section(page, "Bots").get_by_role("button", name="Add bots to Everybody").focus()
    page.keyboard.press("Shift+Tab")
    expect(bin_of(users, 400)).to_be_focused()


def test_the_arrow_keys_go_on_from_what_they_have_marked(
    open_page: OpenPage, service: Service
) -> None:
    service.create_users("Support", 400)
    page = open_page(f"/groups?open={service.group('Sales')}")
    options = popover(page, "users", "Sales").get_by_role("option")
    expect(options).to_have_count(PAGE)
    place = page.get_by_role("dialog").locator(".mantine-ScrollArea-viewport")
    end = page.get_by_role("dialog").locator('[aria-posinset="350"]')

    def is_loaded() -> bool:
        place.evaluate("place => { place.scrollTop = place.scrollHeight; }")
        return end.count() == 1

    marked = page.get_by_role("dialog").locator("[data-combobox-selected]")
    for number in range(1, 61):
        if number > PAGE:
            expect(options).not_to_have_count(PAGE)  # what follows is loaded
        page.keyboard.press("ArrowDown")
        expect(marked).to_have_attribute("aria-posinset", str(number))
    until(page, is_loaded)
    assert options.count() <= MOST
    page.keyboard.press("ArrowDown")
    expect(marked).to_have_attribute("aria-posinset", "61")
    expect(marked).to_be_in_viewport()


def test_a_search_shows_its_first_match_and_leads_back_to_all_of_it(
    open_page: OpenPage, service: Service
) -> None:
    page, users, lists = scrolled(open_page, service, 400)
    search = section(page, "Users").get_by_label("Search users of Everybody")
    search.fill("Person 1")
    expect(users.get_by_role("listitem").first).to_contain_text("Person 100")
    lists.settle()
    assert in_view(users)[0] == "Person 100"
    scroll(users, 1)
    lists.settle()
    search.fill("Person 37")
    expect(users.get_by_role("listitem")).to_have_count(10)
    assert in_view(users)[0] == "Person 370"
    search.fill("")
    expect(card(users, 1)).to_be_attached()
    lists.settle()
    assert in_view(users)[0] == "Person 001"
    shown = drawn_around_view(users)
    assert members(service)[: len(shown)] == shown


def test_a_search_of_those_who_can_be_added_shows_its_first_match(
    open_page: OpenPage, service: Service
) -> None:
    service.create_users("Support", 60)
    page = open_page(f"/groups?open={service.group('Sales')}")
    dialog = popover(page, "users", "Sales")
    options = dialog.get_by_role("option")
    expect(options).to_have_count(PAGE)
    options.last.scroll_into_view_if_needed()
    expect(options).not_to_have_count(PAGE)
    dialog.get_by_role("combobox").fill("Person")
    expect(options.first).to_contain_text("Person 001")
    expect(options.first).to_be_in_viewport()


def test_screen_readers_are_told_where_each_stands(open_page: OpenPage, service: Service) -> None:
    _, users, lists = scrolled(open_page, service, 300)
    scroll(users, 0.5)
    lists.settle()
    for number in (1, 140, 300):
        expect(card(users, number)).to_have_attribute("aria-posinset", str(number))
        expect(card(users, number)).to_have_attribute("aria-setsize", "300")
    service.remove_users("Everybody", "Person 002")
    expect(card(users, 140)).to_have_attribute("aria-setsize", "299")


def test_all_of_it_is_printed(open_page: OpenPage, service: Service) -> None:
    page, users, _ = scrolled(open_page, service, 300)
    scroll(users, 0)
    expect(card(users, 175)).to_have_count(0)
    page.emulate_media(media="print")
    expect(users.get_by_role("listitem")).to_have_count(300)
    assert names(users) == [f"Person {number:03}" for number in range(1, 301)]
    page.emulate_media(media="screen")
    expect(card(users, 175)).to_have_count(0)


def test_text_that_is_selected_stays(open_page: OpenPage, service: Service) -> None:
    page, users, lists = scrolled(open_page, service, 400)
    scroll(users, 0.4)
    lists.settle()
    first, last = in_view(users)[1], in_view(users)[4]
    users.evaluate(
        """(users, [first, last]) => {
            const find = (name) => [...users.querySelectorAll('a')]
                .find((link) => link.textContent === name);
            getSelection().setBaseAndExtent(find(first), 0, find(last), 1);
        }""",
        [first, last],
    )
    scroll(users, 1)
    lists.settle()
    text = page.evaluate("getSelection().toString()")
    assert first in text
    assert last in text


def test_what_was_too_much_for_a_while_is_asked_for_in_full_by_trying_again(
    open_page: OpenPage, service: Service
) -> None:
    service.create_groups("Everybody")
    service.create_users("Everybody", 20)
    page = open_page("/nowhere")
    too_much = {PAGE, 5, 1}
    asked: set[int] = set()

    def answer(route: Route) -> None:
        question = json.loads(route.request.post_data or "{}")
        first = question.get("variables", {}).get("first")
        if "query GroupUsers(" not in question.get("query", "") or first not in too_much:
            route.fallback()
            return
        asked.add(first)
        error = {"message": "Too much.", "extensions": {"code": "LIMIT_EXCEEDED"}}
        route.fulfill(json={"errors": [error]})

    page.route("**/graphql", answer)
    page.goto(f"/groups?open={service.group('Everybody')}")
    again = page.get_by_role("button", name="Try again")
    expect(again).to_be_visible()
    assert asked == too_much

    too_much.remove(PAGE)
    again.click()
    expect(viewport(page).get_by_role("listitem")).to_have_count(20)
    expect(page.get_by_role("alert")).to_have_count(0)

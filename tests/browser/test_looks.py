"""Themes, widths, empty states, skeletons, and dates in the reader's locale."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage, Watch, settle
from tests.browser.held import Held
from tests.browser.places import left_and_right, top_and_bottom, until_above, until_beside
from tests.browser.service import Service
from tests.browser.test_groups import CLOSERS, section

LONG = "W" * 120
"""The longest name that a group may have, and nowhere to break it."""


def wider_than_the_screen(page: Page) -> int:
    """By how much the page would have to be scrolled sideways."""
    width: int = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return width


def background(page: Page) -> str:
    color: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return color


def test_light_and_dark(open_page: OpenPage) -> None:
    page = open_page("/groups", color_scheme="dark")
    expect(page.get_by_role("button", name="Light theme")).to_be_visible()
    dark = background(page)
    page.get_by_role("button", name="Light theme").click()
    expect(page.get_by_role("button", name="Dark theme")).to_be_visible()
    assert background(page) != dark

    page.reload()
    expect(page.get_by_role("button", name="Dark theme")).to_be_visible()


def test_graphiql_changes_with_the_theme_of_the_system(open_page: OpenPage) -> None:
    page = open_page("/graphiql", color_scheme="dark")
    query = page.locator(".graphiql-query-editor .monaco-editor").first
    is_dark = re.compile(r"\bvs-dark\b")
    expect(query).to_have_class(is_dark)
    page.emulate_media(color_scheme="light")
    expect(query).not_to_have_class(is_dark)

    page.get_by_role("button", name="Open settings dialog").click()
    page.get_by_role("button", name="Dark", exact=True).click()
    page.emulate_media(color_scheme="dark")
    page.emulate_media(color_scheme="light")
    expect(query).to_have_class(is_dark)


@pytest.mark.parametrize("width", [360, 768, 1920])
def test_phone_to_wide_screen(open_page: OpenPage, service: Service, width: int) -> None:
    page = open_page(
        f"/groups?open={service.group(CLOSERS)}", viewport={"width": width, "height": 800}
    )
    for address in ("/groups", "/users", f"/users/{service.user('Hana Sato')}", "/history"):
        page.goto(address)
        expect(page.get_by_role("main").get_by_role("heading").first).to_be_visible()
        settle(page)
        assert wider_than_the_screen(page) <= 0, address
    if width < 768:
        expect(page.get_by_role("link", name="Groups", exact=True)).not_to_be_in_viewport()
        page.get_by_role("button", name="Open the menu").click()
        page.get_by_role("link", name="Groups", exact=True).click()
        expect(page.get_by_role("heading", name="Groups")).to_be_visible()


@pytest.mark.parametrize("width", [375, 1600])
def test_the_longest_name_breaks(open_page: OpenPage, service: Service, width: int) -> None:
    service.create_groups(LONG)
    service.add_users(LONG, "Hana Sato")
    hana = service.user("Hana Sato")
    page = open_page("/nowhere", viewport={"width": width, "height": 800})
    for address in (f"/users/{hana}", f"/groups?open={service.group(LONG)}", "/history"):
        page.goto(address)
        expect(page.get_by_text(LONG).first).to_be_visible()
        settle(page)
        assert wider_than_the_screen(page) <= 0, address


def test_the_longest_name_breaks_where_a_group_is_chosen(
    open_page: OpenPage, service: Service
) -> None:
    service.create_groups(LONG)
    page = open_page("/history", viewport={"width": 320, "height": 640})
    page.get_by_role("combobox", name="Group").fill(LONG[:20])
    option = page.get_by_role("option", name=LONG)
    begin, end = left_and_right(page.get_by_role("listbox"))
    left, right = left_and_right(option.get_by_text(LONG))
    assert begin <= left < right <= end


def test_a_name_does_not_turn_its_neighbours(open_page: OpenPage, service: Service) -> None:
    turned = "AA\u202ebc"
    service.create_groups(turned)
    service.add_users(turned, "Hana Sato")
    service.add_bots(turned, "Closing Coach")
    page = open_page(f"/users/{service.user('Hana Sato')}", viewport={"width": 1920, "height": 800})
    coach = section(page, "Bots").get_by_role("listitem").filter(has_text="Closing Coach")

    first, second = coach.get_by_role("link").nth(1), coach.get_by_role("link").nth(2)
    expect(first).to_have_text(turned)
    assert left_and_right(first)[1] < left_and_right(second)[0]


def test_the_focus_is_seen_where_the_reader_has_few_colours(
    open_page: OpenPage, service: Service
) -> None:
    page = open_page(f"/users/{service.user('Hana Sato')}", forced_colors="active")
    button = page.get_by_role("button", name="As of")
    button.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    expect(button).to_be_focused()
    expect(button).to_have_css("outline-style", "solid")


def test_a_date_reads_as_its_language_does(open_page: OpenPage, service: Service) -> None:
    page = open_page(f"/users/{service.user('Hana Sato')}?on=2026-11-29", locale="he-IL")
    told = page.get_by_role("status").filter(has_text="at the end of")
    button = page.get_by_role("button", name="As of")
    expect(told).to_be_visible()
    for text in (told, button):
        assert place_of(text, "29") > place_of(text, "2026")
    page.goto("/history")
    entry = page.locator("time").first
    expect(entry).to_be_visible()
    year = re.search(r"\d{4}", entry.inner_text())
    assert year
    assert place_of(entry, entry.inner_text()[:2]) > place_of(entry, year[0])


def place_of(locator: Locator, part: str) -> float:
    """Where part of a text begins on the screen, in pixels."""
    left: float = locator.evaluate(
        """(element, part) => {
            const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
            while (!texts.nextNode().data.includes(part));
            const range = document.createRange();
            const start = texts.currentNode.data.indexOf(part);
            range.setStart(texts.currentNode, start);
            range.setEnd(texts.currentNode, start + part.length);
            return range.getBoundingClientRect().left;
        }""",
        part,
    )
    return left


def test_the_title_stays_as_it_is_whichever_way_a_name_is_written(
    open_page: OpenPage, service: Service
) -> None:
    name = "AA\u202ebc"
    service.ask(
        "mutation ($user: UserInput!) { upsertUsers(input: {users: [$user]}) { revision } }",
        user={"name": name, "email": "ab@example.com"},
    )
    page = open_page(f"/users/{service.user(name)}")
    expect(page).to_have_title(f"\u2068{name}\u2069 – Cohort")


@pytest.mark.parametrize("width", [375, 1280])
def test_a_name_has_room_in_the_table(open_page: OpenPage, width: int) -> None:
    page = open_page("/groups", viewport={"width": width, "height": 800})
    expect(page.get_by_role("button", name=CLOSERS)).to_be_visible()

    for head in page.get_by_role("columnheader").all():
        assert head.evaluate("head => head.scrollWidth - head.clientWidth") <= 0, head.inner_text()
    begin, end = left_and_right(page.get_by_role("columnheader", name="Name"))
    assert end - begin > 150


@pytest.mark.parametrize("width", [375, 1280])
def test_a_name_has_room_where_it_is_edited(
    open_page: OpenPage, service: Service, width: int
) -> None:
    page = open_page(
        f"/groups?open={service.group(CLOSERS)}", viewport={"width": width, "height": 800}
    )
    page.get_by_role("button", name="Edit the name").click()

    begin, end = left_and_right(page.get_by_label("New name"))
    save, _ = left_and_right(page.get_by_role("button", name="Save"))
    if width == 375:
        assert end - begin > 280
        assert save < end, "the buttons are below"
    else:
        assert end - begin > 450
        assert save > end, "the buttons are beside it"


@pytest.mark.parametrize("width", [375, 1280])
def test_the_dialog_for_a_deletion_has_the_whole_name(
    open_page: OpenPage, service: Service, width: int
) -> None:
    service.create_groups(LONG)
    page = open_page(
        f"/groups?open={service.group(LONG)}", viewport={"width": width, "height": 800}
    )
    page.get_by_role("button", name="Delete group").click()
    dialog = page.get_by_role("dialog", name=f"Delete {LONG}?")

    title = dialog.get_by_role("heading")
    expect(title).to_be_visible()
    assert title.evaluate("title => title.scrollWidth - title.clientWidth") <= 0
    assert (
        left_and_right(dialog.get_by_role("button", name="Close"))[1] <= left_and_right(dialog)[1]
    )


def test_scrollbars_stand_beside_what_they_scroll(open_page: OpenPage, service: Service) -> None:
    service.create_users(CLOSERS, 20)
    page = open_page(f"/groups?open={service.group(CLOSERS)}")
    users = section(page, "Users")
    person = users.get_by_role("listitem").filter(has_text="Person 001")
    person.hover()
    bar = users.locator("[data-orientation=vertical][data-state=visible]")
    bin_ = person.get_by_role("button", name="Remove Person 001")
    until_beside(bin_, bar)

    page.get_by_role("button", name="Delete group").click()
    dialog = page.get_by_role("dialog", name=f"Delete {CLOSERS}?")
    lost = dialog.get_by_role("listitem").filter(has_text="Person 001")
    bar = dialog.locator("[data-orientation=vertical][data-state=visible]")
    until_beside(lost, bar)


def test_skeletons_stand_where_rows_will_be(open_page: OpenPage) -> None:
    page = open_page("/nowhere")
    code = Held(page, address="**/GroupsPage*.js")
    rows = Held(page)
    page.get_by_role("link", name="Groups").click()
    expect(page.locator("[class*=Skeleton]").first).to_be_visible()

    code.release()
    expect(page.get_by_label("Search groups")).to_be_visible()
    expect(page.locator("[class*=Skeleton]").first).to_be_visible()
    rows.release()
    expect(page.get_by_role("button", name=CLOSERS)).to_be_visible()
    settle(page)


def test_empty_states_say_what_to_do_next(open_page: OpenPage, service: Service) -> None:
    service.create_groups("Night Shift")
    page = open_page(f"/groups?open={service.group('Night Shift')}")

    for kind in ("Users", "Bots", "Personas"):
        expect(section(page, kind)).to_contain_text(f"No {kind.lower()} yet")
        expect(section(page, kind)).to_contain_text("Add some with the + above.")


def test_a_page_whose_code_is_gone_offers_a_way_on(open_page: OpenPage, watch: Watch) -> None:
    for part in ("ERR_FAILED", "dynamically imported module", "error occurred"):
        watch.expect(part)
    page = open_page("/groups")
    page.route("**/UsersPage*.js", lambda route: route.abort())
    page.get_by_role("link", name="Users", exact=True).click()

    expect(page.get_by_role("alert")).to_contain_text("This page could not be shown")
    page.get_by_role("link", name="Groups", exact=True).click()
    expect(page.get_by_role("button", name=CLOSERS)).to_be_visible()


def test_a_page_that_was_opened_offline_comes_with_the_connection(
    open_page: OpenPage, watch: Watch
) -> None:
    for part in ("ERR_", "dynamically imported module", "error occurred", "WebSocket"):
        watch.expect(part)
    page = open_page("/groups")
    expect(page.get_by_role("button", name=CLOSERS)).to_be_visible()
    page.context.set_offline(True)
    page.get_by_role("link", name="Users", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("You are offline.")

    page.context.set_offline(False)
    expect(page.get_by_role("link", name="Amara Okafor")).to_be_visible()


def test_escape_closes_the_menu_of_a_phone(open_page: OpenPage) -> None:
    page = open_page("/groups", viewport={"width": 360, "height": 800})
    page.get_by_role("button", name="Open the menu").click()
    expect(page.get_by_role("link", name="Users", exact=True)).to_be_in_viewport()
    page.get_by_role("link", name="Users", exact=True).focus()
    page.keyboard.press("Escape")

    expect(page.get_by_role("button", name="Open the menu")).to_be_focused()
    expect(page.get_by_role("link", name="Users", exact=True)).not_to_be_in_viewport()


def test_the_popover_is_in_view_at_200_percent(open_page: OpenPage, service: Service) -> None:
    page = open_page(
        f"/groups?open={service.group(CLOSERS)}", viewport={"width": 640, "height": 400}
    )
    page.get_by_role("button", name=f"Add users to {CLOSERS}").click()
    expect(page.get_by_role("option").first).to_be_visible()

    expect(page.get_by_role("combobox", name="Search users to add")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("width", [320, 768])
def test_notices_do_not_cover_the_popover(
    open_page: OpenPage, service: Service, width: int
) -> None:
    page = open_page(
        f"/groups?open={service.group('Support')}", viewport={"width": width, "height": 640}
    )
    bots = section(page, "Bots").get_by_role("button", name="Remove", exact=False)
    notices = page.get_by_role("alert")
    for count in (1, 2):
        bots.first.click()
        expect(notices).to_have_count(count)
    page.get_by_role("button", name="Add users to Support").click()
    popover = page.get_by_role("dialog", name="Add users to Support")
    expect(popover.get_by_role("option").first).to_be_visible()
    until_above(popover, notices.first)
    expect(popover.get_by_role("combobox")).to_be_in_viewport(ratio=1)
    place = top_and_bottom(popover)
    assert place[0] >= top_and_bottom(page.get_by_role("banner"))[1]

    # No option slides under a finger as they go.
    for count in (1, 0):
        notices.last.get_by_role("button", name="Close the notice").dispatch_event("click")
        expect(notices).to_have_count(count)
    assert top_and_bottom(popover) == place


def test_a_notice_that_comes_later_does_not_cover_the_popover(
    open_page: OpenPage, service: Service, watch: Watch
) -> None:
    watch.expect("503")
    page = open_page(
        f"/groups?open={service.group('Support')}", viewport={"width": 320, "height": 640}
    )
    add = page.get_by_role("button", name="Add bots to Support")
    expect(add).to_be_visible()
    settle(page)
    add.evaluate("add => scrollBy(0, add.getBoundingClientRect().bottom + 12 - innerHeight)")
    add.click()
    popover = page.get_by_role("dialog", name="Add bots to Support")
    held = Held(page, "mutation AddBots")
    popover.get_by_role("option").first.click()
    held.next().fulfill(status=503, body="Not now.")
    until_above(popover, page.get_by_role("alert"))
    expect(popover.get_by_role("combobox")).to_be_in_viewport(ratio=1)


BROKEN_WORDS = """() => {
    const broken = [];
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let text; (text = texts.nextNode()); ) {
        for (const { 0: word, index } of text.data.matchAll(/[\\p{L}\\p{N}]+/gu)) {
            const range = document.createRange();
            range.setStart(text, index);
            range.setEnd(text, index + word.length);
            const lines = new Set([...range.getClientRects()].map(({ top }) => Math.round(top)));
            if (lines.size > 1) broken.push(word);
        }
    }
    return broken;
}"""


def test_an_address_is_read_in_one_piece(open_page: OpenPage) -> None:
    page = open_page("/users")
    expect(page.get_by_role("cell", name="hana.sato@example.com")).to_be_visible()
    # What Chromium itself tells screen readers, where Playwright has its own reckoning.
    nodes = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    names = {node["name"]["value"] for node in nodes if node.get("name")}
    assert "hana.sato@example.com" in names


@pytest.mark.parametrize("width", [320, 390, 768])
def test_words_stay_whole(open_page: OpenPage, service: Service, width: int) -> None:
    words = "Telecommunications Representatives"
    service.create_groups(words)
    service.add_users(words, "Hana Sato")
    hana = service.user("Hana Sato")
    page = open_page("/groups", viewport={"width": width, "height": 640})
    for address in ("/groups", f"/groups?open={service.group(words)}", f"/users/{hana}", "/users"):
        page.goto(address)
        expect(page.get_by_text("Hana Sato" if "user" in address else words).first).to_be_visible()
        settle(page)
        assert page.evaluate(BROKEN_WORDS) == [], address
        assert wider_than_the_screen(page) <= 0, address


def test_the_smallest_table_has_its_numbers_below_their_heads(open_page: OpenPage) -> None:
    page = open_page("/groups", viewport={"width": 320, "height": 640})
    cells = page.get_by_role("row").filter(has_text=CLOSERS).get_by_role("cell")
    for place, head in enumerate(("Name", "Users", "Bots", "Personas")):
        begin, _ = left_and_right(page.get_by_role("columnheader", name=head))
        assert left_and_right(cells.nth(place))[0] == begin


@pytest.mark.parametrize("width", [360, 1280])
def test_a_feature_is_not_cut_off(open_page: OpenPage, service: Service, width: int) -> None:
    long = ("Handling of objections and of difficulty", "F" * 40)  # the longest that one may be
    service.ask(
        "mutation ($bot: BotInput!) { upsertBots(input: {bots: [$bot]}) { bots { id } } }",
        bot={"name": "Drill", "features": list(long)},
    )
    service.add_bots(CLOSERS, "Drill")
    page = open_page("/bots?search=drill", viewport={"width": width, "height": 800})
    for address in ("/bots?search=drill", f"/groups?open={service.group(CLOSERS)}"):
        page.goto(address)
        for feature in long:
            tag = page.get_by_text(feature)
            expect(tag).to_be_visible()
            assert tag.evaluate("tag => tag.scrollWidth - tag.clientWidth") <= 0
            assert tag.evaluate("tag => tag.scrollHeight - tag.clientHeight") <= 0


def test_on_paper_nothing_is_covered_or_cut_off(open_page: OpenPage, service: Service) -> None:
    page = open_page(f"/groups?open={service.group('Support')}")
    users = section(page, "Users").get_by_role("listitem")
    expect(users).to_have_count(12)
    page.get_by_role("button", name="Remove", exact=False).first.click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.emulate_media(media="print")

    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.get_by_role("banner")).to_have_count(0)
    expect(page.get_by_role("navigation")).to_have_count(0)
    expect(page.get_by_text("Skip to the page")).to_be_hidden()
    is_whole = "list => list.scrollHeight === list.clientHeight"
    assert section(page, "Users").locator(".mantine-ScrollArea-viewport").evaluate(is_whole)

"""A group that is open stays where it is, whatever changes around it, until it is closed."""

from playwright.sync_api import Locator, expect

from tests.browser.conftest import OpenPage
from tests.browser.held import Held
from tests.browser.service import OTHER_ADMIN, Service
from tests.browser.test_groups import CLOSERS, names, row, section
from tests.browser.test_members import popover

RENAME = "mutation ($id: ID!, $name: String!) { updateGroup(input: {id: $id, name: $name}) {"
RENAME += " userErrors { message } } }"
SETTLED = 300
"""Milliseconds in which whatever would move has moved."""


def top(locator: Locator) -> float:
    """Where something begins on the screen, from its upper edge."""
    box = locator.bounding_box()
    assert box
    return box["y"]


def test_what_somebody_types_and_looks_at_stays_where_it_is(
    open_page: OpenPage, service: Service
) -> None:
    service.create_users("Sales", 20)
    group = service.group("Sales")
    page = open_page(f"/groups?open={group}")
    people = section(page, "Users").locator(".mantine-ScrollArea-viewport")
    expect(people.get_by_role("listitem")).to_have_count(34)
    people.evaluate("people => people.scrollTop = 300")
    page.get_by_role("button", name="Edit the description").click()
    draft = page.get_by_label("New description")
    draft.fill("Half a te")
    before = top(draft)

    for name in ("Aardvarks", "Zebras"):
        service.ask(RENAME, OTHER_ADMIN, id=group, name=name)
        expect(row(page, name)).to_be_visible()
        page.wait_for_timeout(SETTLED)
        assert (top(draft), people.evaluate("people => people.scrollTop")) == (before, 300)
    service.create_groups("Aaa", "Zzz")
    expect(row(page, "Zzz")).to_be_attached()
    page.wait_for_timeout(SETTLED)
    assert top(draft) == before
    expect(draft).to_have_value("Half a te")
    expect(draft).to_be_focused()

    page.keyboard.press("Escape")
    page.get_by_role("button", name="Zebras", exact=True).press("Enter")
    expect(page.locator("tbody button[aria-expanded=true]")).to_have_count(0)
    assert names(page) == sorted(names(page), key=str.casefold)


def test_it_stays_in_a_page_that_is_scrolled_though_another_page_has_it_now(
    open_page: OpenPage, service: Service
) -> None:
    service.create_groups(*(f"Crew {number:03}" for number in range(1, 61)))
    page = open_page(f"/groups?search=crew&open={service.group('Crew 050')}")
    toggle = page.get_by_role("button", name="Crew 050", exact=True)
    for kind in ("Users", "Bots", "Personas"):  # the page is as long as it will be
        expect(section(page, kind)).to_contain_text("Add some with the + above.")
    toggle.scroll_into_view_if_needed()
    before = top(toggle)
    service.create_groups("Crew 000")
    expect(row(page, "Crew 000")).to_be_attached()
    page.wait_for_timeout(SETTLED)
    assert top(toggle) == before

    toggle.press("Enter")
    expect(toggle).to_have_count(0)
    expect(page.get_by_role("main")).to_be_focused()


def test_what_somebody_types_stays_though_nothing_of_a_group_is_loaded_yet(
    open_page: OpenPage, service: Service
) -> None:
    service.create_groups(*(f"Crew {number:03}" for number in range(1, 61)))
    page = open_page("/groups?search=crew")
    held = Held(page, service.group("Crew 050"))
    page.get_by_role("button", name="Crew 050", exact=True).click()
    page.get_by_role("button", name="Edit the description").click()
    draft = page.get_by_label("New description")
    draft.fill("Half a te")
    service.create_groups("Crew 000")
    expect(row(page, "Crew 000")).to_be_attached()
    expect(draft).to_have_value("Half a te")

    held.release()
    expect(section(page, "Users")).to_contain_text("No users yet")
    expect(draft).to_have_value("Half a te")
    expect(draft).to_be_focused()


def test_the_popover_stays_where_it_is_while_the_table_is_sorted_by_users(
    open_page: OpenPage, service: Service
) -> None:
    page = open_page("/groups?sort=-users")
    page.get_by_role("button", name=CLOSERS, exact=True).click()
    expect(section(page, "Users").get_by_role("listitem")).to_have_count(6)
    users = popover(page, "users")
    expect(users.get_by_role("option").first).to_be_visible()
    page.wait_for_timeout(SETTLED)
    before = top(users)
    for count in range(7, 11):
        users.get_by_role("option").first.click()
        expect(row(page, CLOSERS).get_by_role("cell").nth(1)).to_have_text(str(count))
    page.wait_for_timeout(SETTLED)
    assert top(users) == before
    page.keyboard.press("Escape")

    page.get_by_role("button", name="Name", exact=True).click()
    expect(page.locator("tbody button[aria-expanded]").first).to_have_text(CLOSERS)

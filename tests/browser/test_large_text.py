"""Text at twice its size, as a reader may set it, on a phone."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage, Watch
from tests.browser.places import left_and_right
from tests.browser.service import Service
from tests.browser.test_groups import CLOSERS, section
from tests.browser.test_looks import wider_than_the_screen
from tests.browser.test_members import paste, popover


@pytest.fixture
def page(open_page: OpenPage, service: Service) -> Page:
    """The groups page with a group open."""
    page = open_page("/nowhere", viewport={"width": 360, "height": 640})
    sizes = {"standard": 32, "fixed": 26}
    page.context.new_cdp_session(page).send("Page.setFontSizes", {"fontSizes": sizes})
    page.goto(f"/groups?open={service.group(CLOSERS)}")
    expect(section(page, "Users").get_by_role("listitem")).to_have_count(6)
    return page


def test_nothing_is_cut_off(page: Page) -> None:
    for name in ("Open the menu", "Dark theme", "Account", "Create New Group"):
        button = page.get_by_role("button", name=name, exact=True)
        left, right = left_and_right(button)
        assert (left >= 0, right <= 360) == (True, True), name
        assert button.evaluate("button => button.scrollWidth - button.clientWidth") <= 0, name
        label = button.locator(".mantine-Button-label")
        if label.count():
            assert label.evaluate("label => label.scrollWidth - label.clientWidth") <= 0, name

    page.get_by_role("button", name="Account", exact=True).click()
    expect(page.get_by_role("menuitem", name="Sign out")).to_be_visible()
    assert left_and_right(page.get_by_role("menu"))[1] <= 360


def test_a_pasted_list_stays_in_view_though_the_plus_does_not(page: Page) -> None:
    users = popover(page, "users")
    expect(users.get_by_role("combobox")).to_be_focused()
    paste(page, "Aisha Rahman\nBenedikt Hofmann\nNobody")
    add = users.get_by_role("button", name="Add 2 users")
    expect(add).to_be_focused()
    expect(add).to_be_in_viewport(ratio=1)


def test_the_calendar_is_as_wide_as_the_screen_at_most(page: Page, service: Service) -> None:
    page.goto(f"/users/{service.user('Hana Sato')}?on=2025-09-30")
    page.get_by_role("button", name="As of").click()
    expect(page.get_by_role("button", name="30 September 2025")).to_be_visible()
    assert wider_than_the_screen(page) <= 0
    for shown, beyond in (("September 2025", "2025"), ("2025", "2024")):
        page.get_by_role("button", name=shown, exact=True).click()
        expect(page.get_by_role("button", name=beyond, exact=True)).to_be_visible()
        assert wider_than_the_screen(page) <= 0


def test_the_sign_of_being_offline_leaves_the_buttons_their_room(
    page: Page, service: Service, watch: Watch
) -> None:
    watch.expect("503")
    page.route("**/graphql", lambda route: route.fulfill(status=503, body="Not now."))
    service.add_users(CLOSERS, "Aisha Rahman")
    sign = page.get_by_title("What others change shows again")
    expect(sign).to_be_visible()

    theme, account = (
        page.get_by_role("button", name=name, exact=True) for name in ("Dark theme", "Account")
    )
    assert left_and_right(sign)[1] <= left_and_right(theme)[0]
    assert left_and_right(account)[1] <= 360


def width(locator: Locator) -> float:
    """How wide something is on the screen, in pixels."""
    left, right = left_and_right(locator)
    return right - left


def test_texts_have_room_for_words(page: Page) -> None:
    page.get_by_role("button", name=f"Add users to {CLOSERS}").click()
    name = page.get_by_role("option", name="Aisha Rahman").get_by_text("Aisha Rahman")
    expect(name).to_be_visible()
    assert width(name) > 80
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Remove Hana Sato").click()
    told = page.get_by_role("alert").get_by_text("Removed Hana Sato")
    expect(told).to_be_visible()
    assert width(told) > 140
    expect(page.get_by_role("button", name="Undo")).to_be_in_viewport(ratio=1)

    page.goto("/history")
    change = page.get_by_role("listitem").filter(has=page.get_by_role("button", name="Undo")).first
    expect(change).to_be_visible()
    assert width(change.get_by_role("paragraph").first) > 200
    assert wider_than_the_screen(page) <= 0

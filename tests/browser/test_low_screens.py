"""A phone held across, and a screen at 200 percent: what stands fixed leaves room for the rest."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.places import top_and_bottom, until_above
from tests.browser.service import Service
from tests.browser.test_groups import CLOSERS, section
from tests.browser.test_members import popover


@pytest.mark.parametrize(("width", "height"), [(640, 360), (800, 320)])
def test_banner_popover_and_notice_have_room(
    open_page: OpenPage, service: Service, width: int, height: int
) -> None:
    page = open_page(
        f"/groups?open={service.group('Support')}", viewport={"width": width, "height": height}
    )
    bots = section(page, "Bots").get_by_role("listitem")
    expect(bots).to_have_count(3)
    names = bots.get_by_role("link").all_inner_texts()
    for name in names[:2]:  # the notices come in the order of the answers
        bots.get_by_role("button", name=f"Remove {name}").click()
        expect(page.get_by_role("alert").filter(has_text=f"Removed {name}")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(1)

    users = popover(page, "users", "Support")
    expect(users.get_by_role("option").first).to_be_visible()
    until_above(users, page.get_by_role("alert"))
    top, _ = top_and_bottom(users)
    assert top >= max(top_and_bottom(page.get_by_role("banner"))[1], 0)
    expect(users.get_by_role("combobox")).to_be_in_viewport(ratio=1)
    expect(users.get_by_role("option").first).to_be_in_viewport()


@pytest.mark.parametrize("height", [360, 640])
def test_the_focus_is_not_hidden_behind_the_banner(open_page: OpenPage, height: int) -> None:
    page = open_page("/groups", viewport={"width": 640, "height": height})
    expect(page.get_by_role("button", name=CLOSERS)).to_be_visible()
    expect(page.get_by_role("button", name="Create New Group")).to_be_visible()
    page.locator("tbody button").last.focus()
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    focused = page.locator(":focus")
    for _ in range(16):  # twelve groups, two heads, the search, and what creates a group
        assert top_and_bottom(focused)[0] >= top_and_bottom(page.get_by_role("banner"))[1]
        page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("button", name="Account", exact=True)).to_be_focused()

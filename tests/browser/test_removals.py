"""Removing from a group, with a way back: the cards that go, and the notices that tell of it."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage, Watch
from tests.browser.held import Held
from tests.browser.service import Service
from tests.browser.test_groups import CLOSERS, row, section
from tests.browser.test_members import opened
from tests.browser.until import draw, until


def two_pages(page: Page, service: Service) -> Locator:
    """The cards of 60 more users beside the six that are there, all loaded."""
    service.create_users(CLOSERS, 60)
    cards = section(page, "Users").get_by_role("listitem")
    expect(cards).to_have_count(50)
    cards.last.scroll_into_view_if_needed()
    expect(cards).to_have_count(66)
    return cards


def test_a_removal_happens_and_tells_who_lost_what_and_can_be_undone(
    open_page: OpenPage, service: Service
) -> None:
    page = opened(open_page, service)
    page.get_by_role("listitem").filter(has_text="Hana Sato").hover()
    page.get_by_role("button", name="Remove Hana Sato").click()

    notice = page.get_by_role("alert").filter(has_text=f"Removed Hana Sato from {CLOSERS}.")
    expect(notice).to_contain_text(
        "Hana Sato lost Negotiation Sparring and Impatient executive; "
        "they kept Closing Coach and 2 personas through Sales."
    )
    expect(section(page, "Users").get_by_text("Hana Sato")).to_have_count(0)
    expect(row(page, CLOSERS).get_by_role("cell").nth(1)).to_have_text("5")
    assert "Hana Sato" not in service.users_of(CLOSERS)

    notice.get_by_role("button", name="Undo").click()
    expect(section(page, "Users").get_by_text("Hana Sato")).to_be_visible()
    expect(row(page, CLOSERS).get_by_role("cell").nth(1)).to_have_text("6")
    assert "Hana Sato" in service.users_of(CLOSERS)


def test_a_removal_happens_also_if_nobody_can_say_who_loses_what(
    open_page: OpenPage, service: Service, watch: Watch
) -> None:
    watch.expect("net::ERR_FAILED")
    page = opened(open_page, service)
    held = Held(page, "query Impact")
    page.get_by_role("button", name="Remove Hana Sato").click()
    held.next().abort()

    notice = page.get_by_role("alert").filter(has_text="Removed Hana Sato")
    expect(notice.locator("p").first).to_have_text(f"Removed Hana Sato from {CLOSERS}.")
    assert "Hana Sato" not in service.users_of(CLOSERS)


def test_a_bin_is_busy_until_its_card_goes(open_page: OpenPage, service: Service) -> None:
    page = opened(open_page, service)
    held = Held(page, "query Impact")
    bin_ = page.get_by_role("button", name="Remove Hana Sato")
    bin_.click()

    expect(bin_).to_have_attribute("aria-busy", "true")
    expect(bin_).to_be_focused()
    asked = held.next()
    page.get_by_role("heading", name="Groups").click()
    expect(bin_).to_have_css("opacity", "1")
    bin_.click()

    asked.continue_()
    expect(bin_).to_have_count(0)
    expect(page.get_by_role("alert").filter(has_text="Removed Hana Sato")).to_be_visible()
    assert held.waiting == []  # once is enough


def test_the_bin_shows_on_hover_on_focus_and_always_on_touch_screens(
    open_page: OpenPage, service: Service
) -> None:
    page = opened(open_page, service)
    bin_ = page.get_by_role("button", name="Remove Luca Moretti")
    expect(bin_).to_have_css("opacity", "0")
    page.get_by_role("listitem").filter(has_text="Luca Moretti").hover()
    expect(bin_).to_have_css("opacity", "1")
    page.get_by_role("heading", name="Groups").hover()
    expect(bin_).to_have_css("opacity", "0")
    bin_.focus()
    expect(bin_).to_have_css("opacity", "1")

    touch = opened(open_page, service, has_touch=True, is_mobile=True)
    expect(touch.get_by_role("button", name="Remove Luca Moretti")).to_have_css("opacity", "1")


def test_a_double_click_removes_one(open_page: OpenPage, service: Service) -> None:
    page = opened(open_page, service)
    before = service.users_of(CLOSERS)
    bin_ = page.get_by_role("button", name="Remove Hana Sato")
    bin_.hover()
    page.mouse.down()
    page.mouse.up()
    expect(bin_).to_have_count(0)
    page.mouse.down(click_count=2)
    page.mouse.up(click_count=2)

    expect(page.get_by_role("alert")).to_contain_text("Removed Hana Sato")
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    assert service.users_of(CLOSERS) == before - {"Hana Sato"}


def test_the_next_one_has_the_focus_when_one_is_removed(
    open_page: OpenPage, service: Service
) -> None:
    page = opened(open_page, service)
    before = service.users_of(CLOSERS)
    page.get_by_role("button", name="Remove Luca Moretti").focus()
    for _ in range(5):
        page.keyboard.down("Enter")
        page.wait_for_timeout(50)
    page.keyboard.up("Enter")
    expect(page.get_by_role("button", name="Remove Rafael Duarte")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Remove Jonas Lindqvist")).to_be_focused()
    for name in ("Luca Moretti", "Rafael Duarte"):
        expect(page.get_by_role("alert").filter(has_text=name)).to_be_visible()
    assert service.users_of(CLOSERS) == before - {"Luca Moretti", "Rafael Duarte"}

    page.get_by_role("link", name="Hana Sato").focus()
    service.remove_users(CLOSERS, "Hana Sato")
    expect(page.get_by_role("link", name="Ingrid Solberg")).to_be_focused()


def test_a_card_that_moves_to_the_page_above_keeps_the_focus(
    open_page: OpenPage, service: Service
) -> None:
    page = opened(open_page, service)
    cards = two_pages(page, service)
    first_below = page.get_by_role("button", name="Remove Person 046")
    expect(cards.nth(50)).to_contain_text("Person 046")
    first_below.focus()
    service.remove_users(CLOSERS, "Hana Sato")
    expect(cards).to_have_count(65)
    expect(first_below).to_be_focused()


def test_a_card_that_moves_to_the_page_below_keeps_the_focus(
    open_page: OpenPage, service: Service
) -> None:
    page = opened(open_page, service)
    cards = two_pages(page, service)
    moved = page.get_by_role("button", name="Remove Person 044")
    expect(cards.nth(48)).to_contain_text("Person 044")
    moved.focus()
    service.add_users(CLOSERS, "Aisha Rahman", "Benedikt Hofmann", "Chidi Eze")
    expect(cards).to_have_count(69)
    expect(moved).to_be_focused()  # not the last of those that moved with it


def test_nobody_is_missing_once_one_is_removed_while_lists_are_asked_for(
    open_page: OpenPage, service: Service
) -> None:
    page = opened(open_page, service)
    cards = two_pages(page, service)
    removal, lists = Held(page, "mutation RemoveUsers"), Held(page, "query GroupUsers")
    page.get_by_role("button", name="Remove Hana Sato").click()
    expect(cards).to_have_count(65)
    service.add_users(CLOSERS, "Aisha Rahman")
    until(page, lambda: len(lists.waiting) == 2)
    with page.expect_event(
        "requestfinished", lambda request: "RemoveUsers" in (request.post_data or "")
    ):
        removal.release()
    draw(page)
    lists.release()

    expect(cards).to_have_count(66)
    shown = {name.split("\n")[0] for name in cards.get_by_role("link").all_inner_texts()}
    assert shown == service.users_of(CLOSERS)


def test_the_last_removal_is_the_first_to_be_undone_however_many_there_were(
    open_page: OpenPage, service: Service
) -> None:
    page = opened(open_page, service)
    users = section(page, "Users")
    offers = page.get_by_role("alert").filter(has_text="Removed")
    names = users.get_by_role("listitem").get_by_role("link").all_inner_texts()
    for name in names:
        page.get_by_role("button", name=f"Remove {name}").click()
        expect(offers.last).to_contain_text(name)  # they come in the order of the answers
    expect(users).to_contain_text("Users 0")
    expect(offers.last).to_contain_text("Rafael Duarte")
    expect(offers).to_have_count(5)
    page.get_by_role("heading", name="Groups").click()
    page.keyboard.press("Control+z")
    expect(users.get_by_role("listitem")).to_contain_text(["Rafael Duarte"])


def test_notices_leave_room_on_a_phone(open_page: OpenPage, service: Service) -> None:
    page = opened(open_page, service, viewport={"width": 320, "height": 640})
    for name in ("Hana Sato", "Jonas Lindqvist", "Luca Moretti"):
        page.get_by_role("button", name=f"Remove {name}").press("Enter")
        notices = page.get_by_role("alert")
        expect(notices.last).to_contain_text(f"Removed {name}")
    expect(notices).to_have_count(2)


def test_a_notice_that_has_the_focus_stays(open_page: OpenPage, service: Service) -> None:
    page = opened(open_page, service, viewport={"width": 320, "height": 640})
    for name in ("Hana Sato", "Jonas Lindqvist"):
        page.get_by_role("button", name=f"Remove {name}").press("Enter")
        notices = page.get_by_role("alert")
        expect(notices.last).to_contain_text(f"Removed {name}")
    held = Held(page, "query Impact")
    bin_ = page.get_by_role("button", name="Remove Luca Moretti")
    bin_.press("Enter")
    expect(bin_).to_have_attribute("aria-busy", "true")
    undo = notices.filter(has_text="Removed Hana Sato").get_by_role("button", name="Undo")
    undo.focus()
    held.release()
    expect(notices.last).to_contain_text("Removed Luca Moretti")
    expect(notices).to_have_count(2)
    expect(undo).to_be_focused()


def test_a_removal_is_undone_by_a_key(open_page: OpenPage, service: Service) -> None:
    page = opened(open_page, service)
    beside = page.get_by_role("button", name="Remove Ingrid Solberg")
    page.get_by_role("button", name="Remove Hana Sato").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Ctrl+Z")
    expect(beside).to_be_focused()
    page.keyboard.press("Control+z")
    expect(section(page, "Users").get_by_text("Hana Sato")).to_be_visible()
    expect(beside).to_be_focused()

    page.get_by_role("button", name="Remove Hana Sato").click()
    undo = page.get_by_role("alert").get_by_role("button", name="Undo")
    undo.focus()
    page.keyboard.press("Enter")
    expect(section(page, "Users").get_by_text("Hana Sato")).to_be_visible()
    expect(beside).to_be_focused()


@pytest.mark.parametrize(
    ("letter", "is_undone"), [("я", True), ("ζ", True), ("y", False), (";", False)]
)
def test_the_key_that_undoes_is_where_others_have_z(
    open_page: OpenPage, service: Service, letter: str, is_undone: bool
) -> None:
    page = opened(open_page, service)
    page.get_by_role("button", name="Remove Hana Sato").click()
    undo = page.get_by_role("alert").get_by_role("button", name="Undo")
    expect(undo).to_be_enabled()
    keyboard = page.context.new_cdp_session(page)
    with_control = {"modifiers": 2, "key": letter, "code": "KeyZ"}
    for event in ("rawKeyDown", "keyUp"):
        keyboard.send("Input.dispatchKeyEvent", {"type": event, **with_control})

    if is_undone:
        expect(section(page, "Users").get_by_text("Hana Sato")).to_be_visible()
    else:
        draw(page)
        assert undo.is_enabled()


def test_a_key_that_is_held_undoes_one(open_page: OpenPage, service: Service) -> None:
    page = opened(open_page, service)
    offers = page.get_by_role("alert")
    for name in ("Hana Sato", "Luca Moretti"):
        page.get_by_role("button", name=f"Remove {name}").click()
        expect(offers.filter(has_text=f"Removed {name}")).to_be_visible()
    page.keyboard.down("Control")
    page.keyboard.down("z")
    expect(section(page, "Users").get_by_text("Luca Moretti")).to_be_visible()
    page.keyboard.down("z")
    page.keyboard.up("z")
    page.keyboard.up("Control")

    undo = offers.filter(has_text="Removed Hana Sato").get_by_role("button", name="Undo")
    assert undo.is_enabled()
    assert "Hana Sato" not in service.users_of(CLOSERS)


def test_an_undo_that_comes_too_late_says_where_to_look(
    open_page: OpenPage, service: Service
) -> None:
    page = opened(open_page, service)
    page.get_by_role("button", name="Remove Hana Sato").click()
    offer = page.get_by_role("alert").filter(has_text=re.compile("Removed Hana Sato"))
    expect(offer).to_be_visible()
    offer.get_by_role("button", name="Undo").focus()  # so that it stays
    service.create_groups(*(f"Crew {number:03}" for number in range(1, 101)))

    offer.get_by_role("button", name="Undo").click()
    told = page.get_by_role("alert").filter(has_text="That did not work")
    expect(told).to_contain_text("Too much has changed since. Look in the history.")
    expect(offer).to_have_count(0)
    assert "Hana Sato" not in service.users_of(CLOSERS)


def test_an_undo_that_got_no_answer_is_offered_again(
    open_page: OpenPage, service: Service, watch: Watch
) -> None:
    watch.expect("net::ERR_FAILED")
    page = opened(open_page, service)
    page.get_by_role("button", name="Remove Hana Sato").click()
    offer = page.get_by_role("alert").filter(has_text=re.compile("Removed Hana Sato"))
    expect(offer).to_be_visible()
    page.route("**/graphql", lambda route: route.abort())
    offer.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("alert").filter(has_text="The service did not answer")).to_be_visible()

    page.unroute("**/graphql")
    offer.get_by_role("button", name="Undo").click()
    expect(section(page, "Users").get_by_text("Hana Sato")).to_be_visible()
    expect(offer).to_have_count(0)


def test_what_another_has_removed_already_is_not_offered_to_be_undone(
    open_page: OpenPage, service: Service
) -> None:
    page = opened(open_page, service)
    held = Held(page, "query Impact")
    page.get_by_role("button", name="Remove Hana Sato").click()
    asked = held.next()
    service.remove_users(CLOSERS, "Hana Sato")
    service.add_users("Support", "Hana Sato")
    users = service.users_of("Support")
    asked.continue_()

    notice = page.get_by_role("alert").filter(has_text="Hana Sato")
    expect(notice).to_have_text(f"Hana Sato was no longer in {CLOSERS}.")
    page.keyboard.press("Control+z")
    page.wait_for_timeout(200)
    assert service.users_of("Support") == users
    assert "Hana Sato" not in service.users_of(CLOSERS)

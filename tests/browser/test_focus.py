"""Where the focus is after what had it is done, refused, or gone."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage, Watch
from tests.browser.held import Held
from tests.browser.service import ADMIN, OTHER_ADMIN, Service
from tests.browser.test_groups import CLOSERS, section
from tests.browser.until import until

HANA, INGRID = "Remove Hana Sato", "Remove Ingrid Solberg"  # bins, one after the other


def press(page: Page, button: Locator) -> None:
    button.focus()
    page.keyboard.press("Enter")


def removing(open_page: OpenPage, service: Service) -> tuple[Page, Held]:
    """The groups page while the removal of Hana Sato waits, and what holds it."""
    page = open_page(f"/groups?open={service.group(CLOSERS)}")
    held = Held(page, "mutation RemoveUsers")
    press(page, page.get_by_role("button", name=HANA))
    expect(page.get_by_role("button", name=INGRID)).to_be_focused()
    return page, held


def test_a_refusal_leaves_it_on_the_button(open_page: OpenPage, service: Service) -> None:
    page = open_page(f"/groups?open={service.group(CLOSERS)}")
    page.get_by_role("button", name="Create New Group").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Sales")
    press(page, dialog.get_by_role("button", name="Create", exact=True))
    expect(dialog).to_contain_text("Sales")
    expect(dialog.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
    expect(dialog.get_by_role("button", name="Create", exact=True)).to_be_focused()
    page.keyboard.press("Escape")

    page.get_by_role("button", name="Edit the name").click()
    page.get_by_label("New name").fill("Sales")
    press(page, page.get_by_role("button", name="Save"))
    expect(page.get_by_label("New name")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("button", name="Save")).to_be_focused()
    page.keyboard.press("Escape")

    page.get_by_role("button", name="Delete group").click()
    expect(dialog).to_contain_text("6 users lose")
    service.add_users(CLOSERS, "Aisha Rahman")
    press(page, dialog.get_by_role("button", name="Delete group"))
    expect(dialog).to_contain_text("7 users lose")
    expect(dialog.get_by_role("button", name="Delete group")).to_be_focused()


def test_a_card_whose_removal_is_refused_has_it_again(
    open_page: OpenPage, service: Service, watch: Watch
) -> None:
    watch.expect("net::ERR_FAILED")
    page, held = removing(open_page, service)
    bin_ = page.get_by_role("button", name=HANA)
    following = page.get_by_role("button", name=INGRID)
    held.next().abort()
    expect(page.get_by_role("alert")).to_contain_text("That did not work")
    expect(bin_).to_be_focused()

    press(page, bin_)
    expect(following).to_be_focused()
    elsewhere = page.get_by_role("button", name="Create New Group")
    elsewhere.focus()
    held.next().abort()
    expect(bin_).to_be_attached()
    expect(elsewhere).to_be_focused()  # who has gone on is not called back
    assert {"Hana Sato", "Ingrid Solberg"} <= service.users_of(CLOSERS)


def test_a_refused_card_has_it_again_though_the_next_one_went_as_well(
    open_page: OpenPage, service: Service, watch: Watch
) -> None:
    watch.expect("net::ERR_FAILED")
    page, held = removing(open_page, service)
    service.remove_users(CLOSERS, "Ingrid Solberg")
    expect(page.get_by_role("button", name=INGRID)).to_have_count(0)
    held.next().abort()

    expect(page.get_by_role("button", name=HANA)).to_be_focused()
    assert "Hana Sato" in service.users_of(CLOSERS)


def test_a_refused_card_has_it_again_after_a_look_at_another_window(
    open_page: OpenPage, service: Service, watch: Watch
) -> None:
    watch.expect("net::ERR_FAILED")
    page, held = removing(open_page, service)
    focus = page.context.new_cdp_session(page)
    focus.send("Emulation.setFocusEmulationEnabled", {"enabled": False})
    other = page.context.new_page()
    other.bring_to_front()
    until(page, lambda: not page.evaluate("document.hasFocus()"))
    page.bring_to_front()
    until(page, lambda: page.evaluate("document.hasFocus()"))
    held.next().abort()

    expect(page.get_by_role("button", name=HANA)).to_be_focused()
    assert "Hana Sato" in service.users_of(CLOSERS)


def test_a_removed_card_that_another_adds_again_does_not_take_it(
    open_page: OpenPage, service: Service
) -> None:
    page = open_page(f"/groups?open={service.group(CLOSERS)}")
    bin_ = page.get_by_role("button", name=HANA)
    following = page.get_by_role("button", name=INGRID)
    press(page, bin_)
    expect(page.get_by_role("alert")).to_contain_text("Removed Hana Sato")
    expect(following).to_be_focused()
    service.add_users(CLOSERS, "Hana Sato")
    expect(bin_).to_be_attached()

    expect(following).to_be_focused()


def test_the_end_of_the_pages_leaves_it_on_the_button(
    open_page: OpenPage, service: Service
) -> None:
    service.create_groups(*(f"Crew {number:02}" for number in range(1, 61)))
    page = open_page("/groups?search=crew")
    following = page.get_by_role("button", name="Next")
    press(page, following)

    expect(page.locator("tbody button[aria-expanded]")).to_have_count(10)
    expect(following).to_be_disabled()
    expect(following).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("button", name="Previous")).to_be_focused()


def test_an_undone_change_has_it(open_page: OpenPage, service: Service) -> None:
    service.remove_users(CLOSERS, "Hana Sato")
    page = open_page(f"/history?group={service.group(CLOSERS)}")
    undo = page.get_by_role("button", name=re.compile("^Undo: .*Hana Sato")).first
    said = undo.get_attribute("aria-label")
    assert said
    press(page, undo)

    expect(page.get_by_text("undone by")).to_be_visible()
    focused = page.get_by_role("listitem").locator(":focus")
    expect(focused).to_contain_text(said.removeprefix("Undo: "))


def test_a_change_that_moves_to_the_next_page_of_the_history_has_it(
    open_page: OpenPage, service: Service
) -> None:
    service.create_groups(*(f"Crew {number:03}" for number in range(1, 61)))
    page = open_page("/history")
    entries = page.get_by_role("listitem")
    expect(entries).to_have_count(50)
    entries.last.scroll_into_view_if_needed()
    expect(entries.nth(60)).to_be_attached()
    undo = page.get_by_role("button", name="Undo: Fatima El-Sayed created Crew 013", exact=True)
    expect(entries.nth(48)).to_contain_text("created Crew 013")
    undo.focus()

    service.create_groups("Crew 061", "Crew 062")
    expect(entries.first).to_contain_text("created Crew 062")
    expect(undo).to_be_focused()


def test_somebody_who_moves_to_the_page_above_keeps_it(
    open_page: OpenPage, service: Service
) -> None:
    service.create_users(CLOSERS, 80)
    page = open_page(f"/bots/{service.bot('Negotiation Sparring')}")
    people = section(page, "Who may use it").get_by_role("listitem")
    expect(people).to_have_count(50)
    people.last.scroll_into_view_if_needed()
    expect(people.nth(60)).to_be_attached()
    name = people.nth(50).get_by_role("link").first.inner_text()
    link = page.get_by_role("link", name=name, exact=True)
    link.focus()

    service.remove_users(CLOSERS, "Person 001")
    expect(people.filter(has_text="Person 001")).to_have_count(0)
    expect(people.nth(49)).to_contain_text(name)
    page.wait_for_timeout(200)
    expect(link).to_be_focused()


def test_the_page_has_it_once_a_list_is_empty(open_page: OpenPage, service: Service) -> None:
    service.delete_group("Objection Handling")
    page = open_page(f"/bots/{service.bot('Negotiation Sparring')}")
    page.get_by_role("link", name="Hana Sato").focus()

    service.delete_group(CLOSERS)
    expect(page.get_by_text("Nobody may use it")).to_be_visible()
    expect(page.get_by_role("main")).to_be_focused()


def test_the_page_has_it_once_a_failure_is_over(open_page: OpenPage, watch: Watch) -> None:
    watch.expect("net::ERR_FAILED")
    page = open_page("/groups")
    expect(page.get_by_role("button", name="Sales")).to_be_visible()
    page.route("**/graphql", lambda route: route.abort())
    page.get_by_role("link", name="Users").click()
    again = page.get_by_role("button", name="Try again")
    again.focus()
    with page.expect_event("requestfailed"):
        pass  # the page has tried again by itself
    expect(again).to_be_focused()
    page.unroute("**/graphql")
    page.keyboard.press("Enter")

    expect(page.get_by_role("link", name="Hana Sato")).to_be_visible()
    expect(page.get_by_role("main")).to_be_focused()


def test_a_notice_that_is_closed_gives_it_back(open_page: OpenPage, service: Service) -> None:
    page = open_page(f"/groups?open={service.group(CLOSERS)}")
    press(page, page.get_by_role("button", name=HANA))
    ingrid = page.get_by_role("button", name=INGRID)
    notice = page.get_by_role("alert")
    expect(notice).to_contain_text("Removed Hana Sato")
    expect(ingrid).to_be_focused()
    press(page, notice.get_by_role("button", name="Close the notice"))
    expect(notice).to_have_count(0)
    expect(ingrid).to_be_focused()

    press(page, ingrid)
    expect(notice).to_contain_text("Removed Ingrid Solberg")
    jonas = page.get_by_role("button", name="Remove Jonas Lindqvist")
    expect(jonas).to_be_focused()
    notice.get_by_role("button", name="Undo").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(notice).to_have_count(0)
    expect(jonas).to_be_focused()


def test_a_notice_that_goes_by_itself_gives_it_back(
    open_page: OpenPage, service: Service, watch: Watch
) -> None:
    watch.expect("net::ERR_FAILED")
    page = open_page(f"/groups?open={service.group(CLOSERS)}")
    bin_ = page.get_by_role("button", name=HANA)
    expect(bin_).to_be_visible()
    page.clock.install()
    page.route("**/graphql", lambda route: route.abort())
    press(page, bin_)
    notice = page.get_by_role("alert").filter(has_text="That did not work")
    expect(notice).to_be_visible()
    expect(bin_).to_be_focused()
    notice.get_by_role("button", name="Close the notice").focus()
    page.clock.run_for(13_000)
    expect(notice).to_have_count(0)
    expect(bin_).to_be_focused()


def test_the_page_has_it_once_somebody_has_signed_in(
    open_page: OpenPage, service: Service, watch: Watch
) -> None:
    watch.expect("401 (Unauthorized)")
    page = open_page("/groups", email=None)
    page.get_by_label("Sign-in link or token").fill(service.tokens[ADMIN])
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name=CLOSERS)).to_be_visible()
    expect(page.get_by_role("main")).to_be_focused()


@pytest.mark.parametrize("opener", ["Edit the name", f"Add users to {CLOSERS}"])
def test_the_page_has_it_once_somebody_may_write_no_longer(
    open_page: OpenPage, service: Service, opener: str
) -> None:
    page = open_page(f"/groups?open={service.group(CLOSERS)}")
    press(page, page.get_by_role("button", name=opener))
    expect(page.locator("input:focus")).to_have_count(1)
    service.ask(
        "mutation ($user: UserInput!) { upsertUsers(input: {users: [$user]}) { revision } }",
        OTHER_ADMIN,
        user={"name": "Fatima El-Sayed", "email": ADMIN, "role": "AUDITOR"},
    )
    expect(page.get_by_role("button", name=opener)).to_have_count(0)
    expect(page.get_by_role("main")).to_be_focused()


def test_the_page_has_it_once_a_group_is_gone_with_its_popover(
    open_page: OpenPage, service: Service
) -> None:
    service.create_groups("Doomed")
    group = service.group("Doomed")
    page = open_page(f"/groups?open={group}")
    press(page, page.get_by_role("button", name="Add users to Doomed"))
    expect(page.get_by_role("option").first).to_be_visible()
    service.ask("mutation ($id: ID!) { deleteGroup(input: {id: $id}) { revision } }", id=group)
    expect(page.get_by_text("is gone")).to_be_visible()

    expect(page.get_by_role("main")).to_be_focused()


def test_the_page_has_it_once_a_group_is_deleted_where_timers_come_late(
    open_page: OpenPage, service: Service
) -> None:
    page = open_page(f"/groups?open={service.group(CLOSERS)}")
    page.get_by_role("button", name="Delete group").click()
    # As on a busy machine: what is due within a moment comes after the service's next answers.
    page.evaluate(
        """() => {
            const { setTimeout } = window;
            window.setTimeout = (run, wait) => setTimeout(run, wait === 10 ? 60_000 : wait);
        }"""
    )
    page.get_by_role("dialog").get_by_role("button", name="Delete group").click()
    expect(page.get_by_role("button", name=CLOSERS, exact=True)).to_have_count(0)
    expect(page.get_by_role("main")).to_be_focused()


def test_a_dialog_that_is_closed_gives_it_back(open_page: OpenPage, service: Service) -> None:
    page = open_page(f"/groups?open={service.group(CLOSERS)}")
    opener = page.get_by_role("button", name="Delete group")
    for key in ("Escape", "Enter"):  # which is for the Cancel that has the focus
        opener.click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
        page.keyboard.press(key)
        expect(dialog).to_have_count(0)
        expect(opener).to_be_focused()


def test_a_menu_that_is_shut_away_has_none(open_page: OpenPage) -> None:
    page = open_page("/groups", viewport={"width": 640, "height": 400})
    create = page.get_by_role("button", name="Create New Group")
    expect(create).to_be_visible()
    page.get_by_role("button", name="Account", exact=True).focus()
    page.keyboard.press("Tab")

    expect(create).to_be_focused()

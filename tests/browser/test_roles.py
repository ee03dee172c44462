"""What a MEMBER and an AUDITOR see."""

from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.service import AUDITOR, MEMBER, Service
from tests.browser.test_groups import CLOSERS, section


def test_a_member_sees_a_page_of_their_own(open_page: OpenPage) -> None:
    page = open_page("/", MEMBER)

    expect(page.get_by_role("heading", name="My access")).to_be_visible()
    expect(section(page, "My groups").get_by_role("listitem")).to_have_count(2)
    closing = section(page, "My bots").get_by_role("listitem").filter(has_text="Closing Coach")
    expect(closing).to_contain_text("through Account Executives, Sales")
    expect(section(page, "My personas").get_by_role("listitem")).to_have_count(5)
    expect(page.get_by_role("main").get_by_role("link")).to_have_count(0)  # none leads anywhere
    expect(page.get_by_role("link", name="Users")).to_have_count(0)
    expect(page.get_by_text("Team Management")).to_have_count(0)


def test_a_member_finds_no_link_to_pages_that_are_not_for_them(
    open_page: OpenPage, service: Service
) -> None:
    page = open_page(f"/users/{service.user('Hana Sato')}", MEMBER)

    expect(section(page, "Groups").get_by_role("listitem")).to_have_count(2)
    expect(page.locator("main a[href*=groups]")).to_have_count(0)


def test_a_member_is_sent_to_no_lists_that_its_menu_lacks(open_page: OpenPage) -> None:
    advice = "Look for it in the lists under Team Management."
    page = open_page("/bots/bot_00000000000070008000000000000000", MEMBER)
    expect(page.get_by_role("heading", name="No such bot")).to_be_visible()
    expect(page.get_by_text(advice)).to_have_count(0)
    page = open_page("/bots/bot_00000000000070008000000000000000", AUDITOR)
    expect(page.get_by_text(advice)).to_be_visible()


def test_nobody_is_told_to_do_what_only_administrators_may(
    open_page: OpenPage, service: Service
) -> None:
    service.ask(
        'mutation { upsertUsers(input: {users: [{name: "Alone", email: "alone@example.com"}]})'
        " { userErrors { message } } }"
    )
    address = f"/users/{service.user('Alone')}"
    advice = "Add them to one on the groups page."
    expect(open_page(address).get_by_text(advice)).to_be_visible()

    page = open_page(address, AUDITOR)
    expect(page.get_by_text("Alone is in no group")).to_be_visible()
    expect(page.get_by_text(advice)).to_have_count(0)


def test_an_auditor_sees_everything_and_no_controls_that_write(
    open_page: OpenPage, service: Service
) -> None:
    page = open_page(f"/groups?open={service.group(CLOSERS)}", AUDITOR)
    expect(section(page, "Users").get_by_role("listitem")).to_have_count(6)
    writes = ("Create New Group", "Add", "Remove", "Edit", "Delete", "Undo")
    for name in writes:
        expect(page.get_by_role("button", name=name)).to_have_count(0)

    page.goto("/history")
    expect(section(page, "All changes").get_by_role("listitem").first).to_be_visible()
    for name in writes:
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    page.goto("/users")
    expect(page.get_by_role("link", name="Amara Okafor")).to_be_visible()

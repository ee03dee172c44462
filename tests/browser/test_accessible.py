"""axe finds nothing grave on any page, in both themes."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import SOURCE, THEMES, findings_as_is, grave_findings
from tests.browser.conftest import OpenPage, Watch, settle
from tests.browser.service import AUDITOR, MEMBER, Service
from tests.browser.test_groups import CLOSERS, section
from tests.browser.test_members import paste, popover

pytestmark = pytest.mark.skipif(
    not SOURCE.exists(), reason="axe-core is not installed: npm ci in web/"
)


def test_signing_in(open_page: OpenPage, watch: Watch) -> None:
    watch.expect("401 (Unauthorized)")
    page = open_page("/", email=None)
    expect(page.get_by_role("heading", name="Sign in to Cohort")).to_be_visible()

    assert grave_findings(page) == []


def test_the_groups_page_and_all_that_opens_on_it(open_page: OpenPage, service: Service) -> None:
    page = open_page(f"/groups?open={service.group(CLOSERS)}")
    expect(section(page, "Users").get_by_role("listitem").first).to_be_visible()
    for state in opening_one_after_another(page):
        assert grave_findings(page) == [], state


def opening_one_after_another(page: Page) -> Iterator[str]:
    """Puts the groups page into one state after another."""
    yield "a group is open"
    section(page, "Users").get_by_role("listitem").first.hover()
    yield "the pointer is on a card"
    users = popover(page, "users")
    expect(users.get_by_role("option").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    yield "the popover is open"
    paste(page, "aisha.rahman@example.com\nluca.moretti@example.com\nNobody")
    expect(page.get_by_text("Unknown: 1")).to_be_visible()
    yield "a pasted list is previewed"
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Edit the name").click()
    yield "the name is edited"
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Create New Group").click()
    page.get_by_role("dialog").get_by_role("button", name="Create").click()
    expect(page.get_by_label("Name", exact=False).last).to_be_visible()
    yield "the dialog for a new group is open"
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Delete group").click()
    expect(page.get_by_text("6 users lose")).to_be_visible()
    yield "the dialog for a deletion is open"
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Account", exact=True).click()
    expect(page.get_by_role("menuitem", name="Sign out")).to_be_visible()
    yield "the account menu is open"


def test_a_notice_of_what_failed(open_page: OpenPage, service: Service, watch: Watch) -> None:
    watch.expect("net::ERR_FAILED")
    page = open_page(f"/groups?open={service.group(CLOSERS)}")
    bin_ = page.get_by_role("button", name="Remove Hana Sato")
    expect(bin_).to_be_attached()
    page.route("**/graphql", lambda route: route.abort())
    bin_.click()
    expect(page.get_by_role("alert").filter(has_text="That did not work")).to_be_visible()

    assert grave_findings(page) == []


def test_every_list(open_page: OpenPage) -> None:
    page = open_page("/nowhere")
    assert grave_findings(page) == []
    for address in ("/users", "/bots", "/personas", "/history", "/me"):
        page.goto(address)
        expect(page.get_by_role("main").get_by_role("heading").first).to_be_visible()
        settle(page)
        assert grave_findings(page) == [], address


def test_a_phone(open_page: OpenPage, service: Service) -> None:
    page = open_page(
        f"/groups?open={service.group(CLOSERS)}", viewport={"width": 360, "height": 800}
    )
    expect(section(page, "Users").get_by_role("listitem").first).to_be_visible()
    assert grave_findings(page) == []
    for address in ("/users", f"/users/{service.user('Hana Sato')}", "/history"):
        page.goto(address)
        expect(page.get_by_role("main").get_by_role("heading").first).to_be_visible()
        settle(page)
        assert grave_findings(page) == [], address


def test_the_pages_of_one_user_bot_and_persona(open_page: OpenPage, service: Service) -> None:
    page = open_page(f"/users/{service.user('Hana Sato')}?on=2020-01-31")
    expect(section(page, "Bots")).to_contain_text("could use no bots then")
    assert grave_findings(page) == []
    page.get_by_role("button", name="As of").click()
    assert grave_findings(page) == []

    for kind in ("bots", "personas"):
        page.goto(f"/{kind}")
        page.locator("tbody a").first.click()
        expect(section(page, "Who may use it").get_by_role("listitem").first).to_be_visible()
        assert grave_findings(page) == []


def test_graphiql_within_what_is_its_own(open_page: OpenPage) -> None:
    page = open_page("/graphiql")
    page.locator(".graphiql-query-editor .view-line").first.wait_for()

    ours = re.compile("landmark|heading|region|>Cohort<")
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        assert [finding for finding in findings_as_is(page) if ours.search(finding)] == []


def test_what_members_and_auditors_see(open_page: OpenPage, service: Service) -> None:
    page = open_page("/me", MEMBER)
    expect(section(page, "My bots").get_by_role("listitem").first).to_be_visible()
    assert grave_findings(page) == []

    page = open_page(f"/groups?open={service.group(CLOSERS)}", AUDITOR)
    expect(section(page, "Users").get_by_role("listitem").first).to_be_visible()
    assert grave_findings(page) == []


def test_a_screen_reader_is_told_of_what_happens(open_page: OpenPage, service: Service) -> None:
    page = open_page("/groups")
    expect(page.get_by_role("button", name=CLOSERS)).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    name = page.get_by_role("columnheader", name="Name")
    expect(name).to_have_attribute("aria-sort", "ascending")
    page.get_by_label("Search groups").fill("sales")
    expect(page.get_by_role("status").filter(has_text="1 group")).to_be_visible()
    expect(page).to_have_title("Groups – Cohort")

    page.get_by_label("Search groups").fill("")
    page.get_by_role("button", name=CLOSERS).click()
    page.get_by_role("button", name=f"Add users to {CLOSERS}").click()
    search = page.get_by_role("combobox", name="Search users to add")
    told = page.get_by_role("dialog").get_by_role("status")
    search.fill("aisha")
    expect(told.filter(has_text="1 match for “aisha”")).to_have_count(1)
    service.add_users(CLOSERS, "Aisha Rahman")
    expect(page.get_by_role("dialog").get_by_text("Nothing matches")).to_be_visible()
    expect(told.filter(has_text="match")).to_have_count(0)
    search.fill("nobody at all")
    expect(told.filter(has_text="0 matches for “nobody at all”")).to_have_count(1)
    search.fill("")
    expect(told.filter(has_text="match")).to_have_count(0)


def test_a_notice_and_where_the_focus_goes(open_page: OpenPage, service: Service) -> None:
    page = open_page(f"/groups?open={service.group(CLOSERS)}")
    page.get_by_role("button", name="Remove Hana Sato").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Hana Sato lost")
    expect(page.get_by_role("button", name="Remove Ingrid Solberg")).to_be_focused()
    assert grave_findings(page) == []

    page.get_by_role("button", name="Edit the name").focus()
    page.keyboard.press("Enter")
    page.keyboard.type(" again")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Edit the name")).to_be_focused()
    page.get_by_role("button", name="Delete group").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete group").click()
    expect(page.get_by_role("button", name=CLOSERS)).to_have_count(0)
    expect(page.get_by_role("main")).to_be_focused()

"""The history, of a group and of the organization, and undoing what can be undone."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.held import Held
from tests.browser.service import Service
from tests.browser.test_groups import CLOSERS, section


def test_it_tells_in_plain_sentences_who_did_what_and_undoes_it(
    open_page: OpenPage, service: Service
) -> None:
    service.remove_users(CLOSERS, "Hana Sato")
    page = open_page("/history", locale="de-DE", timezone_id="Europe/Berlin")
    entries = section(page, "All changes").get_by_role("listitem")
    removal = entries.filter(
        has_text=re.compile(f"^Ravi Subramaniam removed Hana Sato from {CLOSERS}")
    )
    expect(removal.locator("time")).to_have_text(re.compile(r"^\d\d\.\d\d\.\d{4}, \d\d:\d\d$"))

    removal.get_by_role("button", name="Undo").click()
    expect(removal).to_contain_text("undone by Fatima El-Sayed")
    expect(removal.get_by_role("button", name="Undo")).to_have_count(0)
    assert "Hana Sato" in service.users_of(CLOSERS)


def test_it_filters_by_group(open_page: OpenPage, service: Service) -> None:
    page = open_page("/history")
    expect(section(page, "All changes").get_by_role("listitem").first).to_be_visible()
    page.get_by_role("combobox", name="Group").or_(page.get_by_label("Group")).first.click()
    page.keyboard.type("account")
    page.get_by_role("option", name=CLOSERS).click()

    entries = section(page, "Changes of this group").get_by_role("listitem")
    expect(entries.filter(has_text="renamed Sales Closers to Account Executives")).to_be_visible()
    expect(entries.filter(has_text="Customer Success")).to_have_count(0)
    assert f"group={service.group(CLOSERS)}" in page.url

    # The name of the one that is chosen is no search.
    page.get_by_role("combobox", name="Group").click()
    page.get_by_role("option", name="Presenting").click()
    expect(entries.filter(has_text="added Siddharth Iyer to Presenting")).to_be_visible()


def test_its_filter_offers_what_is_searched_for(open_page: OpenPage, service: Service) -> None:
    service.create_groups(*(f"Crew {number:02}" for number in range(1, 31)))
    page = open_page(f"/history?group={service.group('Crew 30')}")
    groups = page.get_by_role("combobox", name="Group")
    expect(groups).to_have_value("Crew 30")
    groups.click()
    groups.fill("sales")
    expect(page.get_by_role("option")).to_have_text(["Sales"])
    groups.fill("zzz")
    expect(page.get_by_text("No group has this name")).to_be_visible()

    page.get_by_role("button", name="Show all groups").click()
    groups.fill("Crew 30")
    expect(page.get_by_role("option")).to_have_text(["Crew 30"])


def test_its_filter_is_taken_away_by_keyboard(open_page: OpenPage, service: Service) -> None:
    page = open_page(f"/history?group={service.group(CLOSERS)}")
    groups = page.get_by_role("combobox", name="Group")
    expect(groups).to_have_value(CLOSERS)
    groups.focus()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Show all groups")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="All changes")).to_be_visible()
    expect(groups).to_be_focused()


def test_the_history_of_a_group_that_is_gone_is_there(
    open_page: OpenPage, service: Service
) -> None:
    group = service.group(CLOSERS)
    service.delete_group(CLOSERS)
    page = open_page(f"/history?group={group}")
    expect(page.get_by_role("combobox", name="Group")).to_have_value("A group that is gone")
    entries = section(page, "Changes of this group").get_by_role("listitem")
    expect(entries.first).to_contain_text(f"deleted {CLOSERS}")


def test_a_group_leads_to_its_own(open_page: OpenPage, service: Service) -> None:
    page = open_page(f"/groups?open={service.group(CLOSERS)}")
    page.get_by_role("main").get_by_role("link", name="History").click()

    expect(section(page, "Changes of this group").get_by_role("listitem").last).to_contain_text(
        "created Sales Closers"
    )


def test_changes_of_others_do_not_pass_for_those_of_a_group(
    open_page: OpenPage, service: Service
) -> None:
    page = open_page("/history")
    expect(section(page, "All changes").get_by_role("listitem").first).to_be_visible()
    held = Held(page, "query History")
    page.get_by_role("combobox", name="Group").or_(page.get_by_label("Group")).first.click()
    page.get_by_role("option", name=CLOSERS).click()
    entries = section(page, "Changes of this group").get_by_role("listitem")
    expect(section(page, "Changes of this group")).to_contain_text("Loading")
    expect(entries).to_have_count(0)

    held.release()
    expect(entries.last).to_contain_text("created Sales Closers")

"""The groups page: the table, its order, its search and its pages, its address, and its rows."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.held import Held
from tests.browser.places import top_and_bottom
from tests.browser.service import Service
from tests.browser.until import draw

CLOSERS = "Account Executives"


def names(page: Page) -> list[str]:
    """The groups in the table, from the top."""
    return page.locator("tbody button[aria-expanded]").all_inner_texts()


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("button", name=name, exact=True))


def toggle_in(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def section(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=re.compile(f"^{name}"))


def test_the_table_says_how_much_each_group_holds(open_page: OpenPage) -> None:
    page = open_page("/")
    page.get_by_role("link", name="Groups").click()

    expect(row(page, "Sales").get_by_role("cell")).to_have_text(["Sales", "14", "4", "4"])
    expect(row(page, CLOSERS).get_by_role("cell")).to_have_text([CLOSERS, "6", "2", "3"])
    expect(page.get_by_text("12 groups")).to_be_visible()


def test_it_sorts_and_searches_as_one_types(open_page: OpenPage) -> None:
    page = open_page("/groups")
    expect(row(page, "Team Leads")).to_be_visible()
    assert names(page) == sorted(names(page), key=str.casefold)

    page.get_by_role("button", name="Users", exact=True).click()
    expect(page.locator("tbody button[aria-expanded]").first).to_have_text("Sales")
    page.get_by_role("button", name="Name", exact=True).click()
    expect(page.locator("tbody button[aria-expanded]").first).to_have_text(CLOSERS)
    page.get_by_role("button", name="Name", exact=True).click()
    expect(page.locator("tbody button[aria-expanded]").first).to_have_text("Team Leads")

    page.get_by_label("Search groups").press_sequentially("sal")
    expect(page.locator("tbody button[aria-expanded]")).to_have_text(["Sales"])
    page.get_by_label("Search groups").fill("zzz")
    expect(page.get_by_text("No group has “zzz” in its name")).to_be_visible()


def test_it_has_pages_when_there_are_many(open_page: OpenPage, service: Service) -> None:
    service.create_groups(*(f"Crew {number:03}" for number in range(1, 131)))
    page = open_page("/groups?search=crew")
    rows = page.locator("tbody button[aria-expanded]")
    expect(page.get_by_text("130 groups")).to_be_visible()
    expect(rows).to_have_count(50)

    page.get_by_role("button", name="Next").click()
    expect(rows.first).to_have_text("Crew 051")
    expect(rows.first).to_be_in_viewport()
    page.get_by_role("button", name="Next").click()
    expect(rows.first).to_have_text("Crew 101")
    expect(rows).to_have_count(30)
    expect(page.get_by_role("button", name="Next")).to_be_disabled()
    page.get_by_role("button", name="Previous").click()
    expect(rows.first).to_have_text("Crew 051")
    expect(rows).to_have_count(50)
    page.get_by_role("button", name="Next").click()
    expect(rows.first).to_have_text("Crew 101")
    page.get_by_role("button", name="First").click()
    expect(rows.first).to_have_text("Crew 001")


def test_a_page_that_others_have_emptied_leads_back(open_page: OpenPage, service: Service) -> None:
    service.create_groups(*(f"Crew {number:02}" for number in range(1, 52)))
    page = open_page("/groups?search=crew")
    rows = page.locator("tbody button[aria-expanded]")
    page.get_by_role("button", name="Next").click()
    expect(rows).to_have_text(["Crew 51"])
    service.delete_group("Crew 51")

    expect(page.get_by_text("Nothing is left on this page")).to_be_visible()
    page.get_by_role("button", name="First").click()
    expect(rows).to_have_count(50)


def test_an_address_can_be_shared_and_back_and_forward_work(
    open_page: OpenPage, service: Service
) -> None:
    page = open_page(f"/groups?search=sales&open={service.group('Sales')}")
    expect(page.get_by_label("Search groups")).to_have_value("sales")
    expect(section(page, "Bots").get_by_text("Cold Call Coach")).to_be_visible()

    page.get_by_role("link", name="Cold Call Coach").click()
    expect(page.get_by_role("heading", name="Cold Call Coach")).to_be_visible()
    page.go_back()
    expect(section(page, "Bots").get_by_text("Cold Call Coach")).to_be_visible()
    page.get_by_role("button", name="Sales", exact=True).click()
    expect(section(page, "Bots")).to_have_count(0)
    page.go_back()
    expect(section(page, "Bots")).to_be_visible()
    page.go_forward()
    expect(section(page, "Bots")).to_have_count(0)


def test_an_address_opens_a_group_of_another_page_as_well(
    open_page: OpenPage, service: Service
) -> None:
    page = open_page(f"/groups?search=sales&open={service.group('Support')}")

    expect(section(page, "Users").get_by_text("Grace Wanjiru")).to_be_visible()


def test_a_link_leads_to_where_a_page_begins_and_back_to_where_it_was(
    open_page: OpenPage,
) -> None:
    page = open_page("/users", viewport={"width": 1000, "height": 400})
    menu = page.get_by_role("navigation", name="Main menu")
    first, last = page.locator("tbody tr").first, page.locator("tbody tr").last
    for name in ("Bots", "Users"):  # what was seen before is there at once, and as high
        menu.get_by_role("link", name=name).click()
        expect(page.get_by_role("heading", name=name)).to_be_visible()
        expect(first).to_be_visible()
    last.scroll_into_view_if_needed()
    menu.get_by_role("link", name="Bots").click()
    expect(page.get_by_role("heading", name="Bots")).to_be_in_viewport()

    page.go_back()
    expect(page.get_by_role("heading", name="Users")).to_be_visible()
    expect(last).to_be_in_viewport()


def test_a_group_that_a_link_leads_to_comes_into_view(
    open_page: OpenPage, service: Service
) -> None:
    service.create_groups(*(f"Crew {number:02}" for number in range(1, 31)))
    service.add_users("Crew 30", "Hana Sato")
    small = {"width": 1000, "height": 500}
    page = open_page(f"/users/{service.user('Hana Sato')}", viewport=small)
    toggle = toggle_in(page, "Crew 30")
    for _ in range(2):  # the second time, what was seen before is there at once
        page.get_by_role("link", name="Crew 30").click()
        expect(toggle).to_be_focused()
        expect(toggle).to_be_in_viewport()
        page.go_back()
    page.get_by_role("link", name="Crew 30").click()
    expect(toggle).to_be_focused()
    # Who opens it once more stays where they are.
    toggle.click()
    page.evaluate("scrollBy(0, -100)")
    place = top_and_bottom(toggle)
    toggle.click()
    expect(section(page, "Users")).to_be_visible()
    assert top_and_bottom(toggle) == pytest.approx(place, abs=1)

    page = open_page(f"/groups?open={service.group('Crew 30')}", viewport=small)
    expect(toggle_in(page, "Crew 30")).to_be_in_viewport()


def test_a_group_that_somebody_goes_back_to_is_where_they_left_it(
    open_page: OpenPage, service: Service
) -> None:
    service.create_groups(*(f"Crew {number:02}" for number in range(1, 31)))
    address = f"/groups?open={service.group('Crew 30')}"
    page = open_page(address, viewport={"width": 1000, "height": 500})
    toggle = toggle_in(page, "Crew 30")
    expect(toggle).to_be_in_viewport()
    page.evaluate("scrollTo(0, 0)")
    expect(toggle).not_to_be_in_viewport()
    page.get_by_role("navigation", name="Main menu").get_by_role("link", name="Users").click()
    expect(page.get_by_role("heading", name="Users", level=1)).to_be_visible()

    page.go_back()
    expect(page.get_by_role("main")).to_be_focused()
    expect(section(page, "Users")).to_have_count(1)
    expect(toggle).not_to_be_in_viewport()


def test_a_group_that_a_link_leads_to_brings_nobody_back_who_has_scrolled_away(
    open_page: OpenPage, service: Service
) -> None:
    service.create_groups(*(f"Crew {number:02}" for number in range(1, 31)), "Zebra")
    service.add_users("Zebra", "Hana Sato")
    address = f"/users/{service.user('Hana Sato')}"
    page = open_page(address, viewport={"width": 1000, "height": 500})
    page.get_by_role("link", name="Zebra").click()
    toggle = toggle_in(page, "Zebra")
    expect(toggle).to_be_focused()
    expect(section(page, "Users")).to_be_visible()
    page.evaluate("scrollTo(0, 0)")
    service.delete_group("Crew 05")
    expect(toggle_in(page, "Crew 05")).to_have_count(0)
    draw(page)
    assert page.evaluate("scrollY") == 0


def test_a_group_that_a_link_leads_to_brings_nobody_back(
    open_page: OpenPage, service: Service
) -> None:
    service.create_groups(*(f"Crew {number:02}" for number in range(1, 31)))
    group = service.group("Crew 30")
    page = open_page("/nowhere", viewport={"width": 1000, "height": 500})
    held = Held(page, "query Groups(")
    page.goto(f"/groups?open={group}")
    search = page.get_by_label("Search groups")
    search.focus()
    held.release()
    expect(toggle_in(page, "Crew 30")).to_have_attribute("aria-expanded", "true")
    expect(search).to_be_focused()
    expect(search).to_be_in_viewport()


def test_a_row_opens_by_click_and_by_keyboard(open_page: OpenPage) -> None:
    page = open_page("/groups")
    row(page, CLOSERS).get_by_role("cell", name="6").click()
    expect(section(page, "Users").get_by_role("listitem")).to_have_count(6)
    expect(section(page, "Users").get_by_text("HS", exact=True)).to_be_visible()
    closing = section(page, "Bots").get_by_role("listitem").filter(has_text="Closing Coach")
    expect(closing).to_contain_text("Pricing")
    expect(section(page, "Personas").get_by_text("Skeptical CFO")).to_be_visible()

    button = page.get_by_role("button", name=CLOSERS, exact=True)
    button.focus()
    page.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Space")
    expect(button).to_have_attribute("aria-expanded", "true")


def test_a_row_that_is_opened_stays_where_it_is_though_one_above_it_closes(
    open_page: OpenPage, service: Service
) -> None:
    service.create_users(CLOSERS, 60)
    page = open_page(
        f"/groups?open={service.group(CLOSERS)}", viewport={"width": 1000, "height": 500}
    )
    expect(section(page, "Users").get_by_role("listitem").first).to_be_visible()
    toggle = toggle_in(page, "Engineering")
    toggle.evaluate("toggle => toggle.scrollIntoView({block: 'center'})")
    place = top_and_bottom(toggle)
    toggle.click()
    expect(toggle).to_have_attribute("aria-expanded", "true")
    assert top_and_bottom(toggle) == pytest.approx(place, abs=1)


def test_sections_load_when_opened_and_page_and_search_within(
    open_page: OpenPage, service: Service
) -> None:
    service.create_users("Leadership", 120)
    asked: list[str] = []
    page = open_page("/groups")
    page.on("request", lambda request: asked.append(request.post_data or ""))
    expect(row(page, "Leadership")).to_be_visible()

    page.get_by_role("button", name="Leadership", exact=True).click()
    users = section(page, "Users")
    expect(users.get_by_role("listitem")).to_have_count(50)
    users.get_by_text("Person 040").scroll_into_view_if_needed()
    users.get_by_role("listitem").last.scroll_into_view_if_needed()
    expect(users.get_by_role("listitem")).to_have_count(100)
    users.get_by_role("listitem").last.scroll_into_view_if_needed()
    expect(users.get_by_role("listitem")).to_have_count(125)

    users.get_by_label("Search users of Leadership").fill("person 11")
    expect(users.get_by_role("listitem")).to_have_count(10)
    group = service.group("Leadership")
    assert all(group in body for body in asked if "query GroupUsers" in body)


def test_a_search_does_not_lead_back_from_another_page(open_page: OpenPage) -> None:
    page = open_page("/groups")
    expect(row(page, "Sales")).to_be_visible()
    held = Held(page, address="**/UsersPage*.js")
    page.clock.install(time=0)
    page.clock.pause_at(1)  # else the search may be due before the link is clicked
    page.get_by_label("Search groups").fill("sal")
    page.get_by_role("link", name="Users", exact=True).click()
    page.clock.run_for(1_000)
    page.clock.resume()
    held.release()

    expect(page.get_by_role("heading", name="Users")).to_be_visible()
    expect(page).to_have_url(re.compile("/users$"))


def test_a_search_and_a_row_opened_right_after_are_both_kept(open_page: OpenPage) -> None:
    page = open_page("/groups")
    expect(row(page, "Sales")).to_be_visible()
    page.evaluate(
        """() => {
            const input = document.querySelector('[aria-label="Search groups"]');
            const { set } = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value');
            set.call(input, 'sal');
            input.dispatchEvent(new Event('input', { bubbles: true }));
            const rows = [...document.querySelectorAll('tbody button[aria-expanded]')];
            setTimeout(() => {
                rows.find((row) => row.textContent === 'Sales').click();
                const late = performance.now() + 100;  // The search is due before the row is open.
                while (performance.now() < late);
            }, 100);
        }"""
    )

    expect(page).to_have_url(re.compile("search=sal"))
    expect(page).to_have_url(re.compile("open=grp"))
    expect(section(page, "Users")).to_be_visible()


def test_clearing_a_search_keeps_the_focus_in_its_box(open_page: OpenPage) -> None:
    page = open_page("/groups?search=sales")
    page.get_by_role("button", name="Clear the search").click()

    expect(page.get_by_label("Search groups")).to_be_focused()
    expect(row(page, "Team Leads")).to_be_visible()


def test_what_is_typed_while_a_search_is_shown_is_kept(open_page: OpenPage) -> None:
    page = open_page("/groups")
    expect(row(page, "Sales")).to_be_visible()
    page.evaluate(
        """() => {
            const input = document.querySelector('[aria-label="Search groups"]');
            const { set } = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value');
            const type = (letter) => {
                set.call(input, input.value + letter);
                input.dispatchEvent(new Event('input', { bubbles: true }));
            };
            const replace = history.replaceState.bind(history);
            history.replaceState = (...state) => {
                replace(...state);
                if (location.search !== '?search=sal') return;
                type('e');  // The page does not show the search yet.
                setTimeout(() => type('s'), 80);
            };
            type('sal');
        }"""
    )

    expect(page).to_have_url(re.compile("search=sales$"))
    expect(page.get_by_label("Search groups")).to_have_value("sales")


@pytest.mark.parametrize("kind", ["groups", "users"])
def test_rows_stand_back_while_those_asked_for_are_slow(
    open_page: OpenPage, service: Service, kind: str
) -> None:
    service.create_groups(*(f"Crew {number:03}" for number in range(1, 61)))
    service.create_users("Sales", 60)
    page = open_page(f"/{kind}")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(50)
    first = rows.first.inner_text()
    held = Held(page)
    page.get_by_role("button", name="Next").click()

    expect(page.locator("[aria-busy=true]")).to_have_css("opacity", "0.5")
    assert rows.first.inner_text() == first
    held.release()
    expect(page.locator("tbody")).not_to_contain_text(first.split("\n")[0].strip())
    expect(page.locator("[aria-busy=true]")).to_have_count(0)


def test_members_that_are_not_those_searched_for_are_dimmed(
    open_page: OpenPage, service: Service
) -> None:
    page = open_page(f"/groups?open={service.group('Support')}")
    users = section(page, "Users")
    expect(users.get_by_role("listitem")).to_have_count(12)
    held = Held(page, "query GroupUsers")
    users.get_by_role("textbox").fill("aisha")
    expect(users.locator("[aria-busy=true]").filter(has_text="Carlos")).to_have_css(
        "opacity", "0.5"
    )

    held.release()
    expect(users.get_by_role("listitem")).to_have_count(1)
    expect(users.locator(".rows")).to_have_attribute("aria-busy", "false")
    expect(users.locator(".rows")).to_have_css("opacity", "1")

"""Lists of users, bots and personas, and the page of each: who may use what, and why."""

import re
from datetime import date, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage, Watch
from tests.browser.held import Held
from tests.browser.service import Server, Service
from tests.browser.test_groups import section
from tests.ports import free_port

BEFORE = timedelta(days=2)
"""How long ago there was no organization yet, also where midnight has passed since it was made."""


@pytest.mark.parametrize(
    ("kind", "search", "name"),
    [
        ("Users", "hana", "Hana Sato"),
        ("Bots", "closing", "Closing Coach"),
        ("Personas", "cfo", "Skeptical CFO"),
    ],
)
def test_a_list_leads_to_each_page(open_page: OpenPage, kind: str, search: str, name: str) -> None:
    page = open_page("/")
    page.get_by_role("navigation", name="Main menu").get_by_role("link", name=kind).click()
    page.get_by_label(f"Search {kind.lower()}").fill("zzz")
    expect(page.get_by_role("main")).to_contain_text("Nothing matches")
    page.get_by_label(f"Search {kind.lower()}").fill(search)
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name=name).click()

    expect(page.get_by_role("heading", name=name)).to_be_visible()
    assert re.search(f"/{kind.lower()}/[a-z]{{3}}_[0-9a-f]+$", page.url)


def test_a_users_page_says_what_they_may_use_and_through_which_groups(
    open_page: OpenPage, service: Service
) -> None:
    page = open_page(f"/users/{service.user('Hana Sato')}")

    closing = section(page, "Bots").get_by_role("listitem").filter(has_text="Closing Coach")
    expect(closing).to_contain_text("through Account Executives, Sales")
    buyer = section(page, "Personas").get_by_role("listitem").filter(has_text="Price hunter")
    expect(buyer).to_contain_text("through Sales")
    expect(section(page, "Groups").get_by_role("listitem")).to_have_count(2)
    closing.get_by_role("link", name="Sales", exact=True).click()
    expect(page.get_by_role("button", name="Sales", exact=True)).to_have_attribute(
        "aria-expanded", "true"
    )


def test_a_users_page_shows_a_day_chosen_in_a_calendar(
    open_page: OpenPage, service: Service
) -> None:
    page = open_page(f"/users/{service.user('Hana Sato')}", locale="en-GB", timezone_id="UTC")
    expect(section(page, "Bots").get_by_role("listitem")).to_have_count(5)
    day = date.today() - BEFORE
    choose(page, day)

    # The organization did not exist then.
    expect(section(page, "Bots")).to_contain_text("Hana Sato could use no bots then")
    said = f"at the end of {day.day} {day:%B} {day.year}"
    expect(page.get_by_role("status").filter(has_text=said)).to_be_visible()
    assert f"on={day.isoformat()}" in page.url
    page.reload()
    expect(section(page, "Personas")).to_contain_text("Hana Sato could use no personas then")
    page.get_by_role("button", name="Back to today").click()
    expect(section(page, "Bots").get_by_role("listitem")).to_have_count(5)


def choose(page: Page, day: date) -> None:
    """Chooses a day in the calendar, this month or the one before."""
    page.get_by_role("button", name="As of").click()
    chosen = page.get_by_role("button", name=f"{day.day} {day:%B} {day.year}", exact=True)
    before = page.get_by_role("button", name="The month before")
    expect(before).to_be_visible()
    if not chosen.is_visible():
        before.click()
    chosen.click()


def test_a_bots_page_and_a_personas_page_say_who_may_use_it_and_why(
    open_page: OpenPage, service: Service
) -> None:
    page = open_page(f"/bots/{service.bot('Closing Coach')}")
    users = section(page, "Who may use it")
    hana = users.get_by_role("listitem").filter(has_text="Hana Sato")
    expect(hana).to_contain_text("through Account Executives, Sales")
    expect(users.get_by_role("listitem")).to_have_count(13)  # one of Sales is deactivated
    users.get_by_label("Search those who may use it").fill("hana")
    expect(users.get_by_role("listitem")).to_have_count(1)
    expect(section(page, "Groups that hold it").get_by_role("listitem")).to_have_count(2)

    page.goto("/personas")
    page.get_by_role("link", name="Impatient executive").click()
    users = section(page, "Who may use it")
    wen = users.get_by_role("listitem").filter(has_text="Wen Zhao")
    expect(wen).to_contain_text("through Leadership, Presenting")


@pytest.mark.parametrize("kind", ["users", "bots", "personas"])
def test_nothing_of_one_passes_for_another(
    open_page: OpenPage, service: Service, kind: str
) -> None:
    page = open_page(f"/{kind}")
    links = page.locator("tbody a")
    expect(links.first).to_be_visible()
    one, other = links.all_inner_texts()[:2]
    first, second = (link.get_attribute("href") or "" for link in links.all()[:2])
    page.goto(first)
    expect(page.get_by_role("heading", name=one, exact=True)).to_be_visible()
    held = Held(page, f"query {kind[:-1].title()}(")

    # As the list that the button for going back shows leads past a page.
    page.evaluate("other => { history.pushState({}, '', other); }", second)
    page.evaluate("() => { dispatchEvent(new PopStateEvent('popstate')); }")
    held.next()
    expect(page.get_by_role("heading", name=one, exact=True)).to_have_count(0)
    expect(page.get_by_role("main").get_by_text(one, exact=True)).to_have_count(0)
    held.release()
    page.reload()
    expect(page.get_by_role("heading", name=other, exact=True)).to_be_visible()


def test_what_does_not_exist_is_said_to_be_so(open_page: OpenPage) -> None:
    page = open_page("/users/usr_00000000000070008000000000000000")
    expect(page.get_by_role("heading", name="No such user")).to_be_visible()
    page.goto("/nowhere")
    expect(page.get_by_role("heading", name="No such page")).to_be_visible()


def test_choosing_a_day_keeps_the_focus(open_page: OpenPage, service: Service) -> None:
    page = open_page(f"/users/{service.user('Hana Sato')}", locale="en-GB", timezone_id="UTC")
    day = date.today() - BEFORE
    button = page.get_by_role("button", name="As of")
    choose(page, day)
    expect(button).to_be_focused()
    expect(button).to_have_accessible_name(f"As of {day.day} {day:%B} {day.year}")
    page.get_by_role("button", name="Back to today").click()
    expect(button).to_be_focused()
    expect(button).to_have_accessible_name("As of today")


@pytest.mark.parametrize("day", ["banana", "2099-01-01"])
def test_a_day_that_is_none_or_has_not_come_is_today(
    open_page: OpenPage, service: Service, day: str
) -> None:
    page = open_page(f"/users/{service.user('Hana Sato')}?on={day}")

    expect(section(page, "Bots").get_by_role("listitem")).to_have_count(5)
    expect(page.get_by_role("button", name="As of")).to_have_text("Today")


def test_a_long_way_of_access_is_told_in_full_when_asked_for(
    open_page: OpenPage, service: Service
) -> None:
    names = [f"Crew {number:02}" for number in range(1, 21)]
    service.create_groups(*names)
    for name in names:
        service.add_users(name, "Hana Sato")
        service.add_bots(name, "Objection Gym")
    page = open_page(f"/users/{service.user('Hana Sato')}")

    gym = section(page, "Bots").get_by_role("listitem").filter(has_text="Objection Gym")
    expect(gym.get_by_role("link", name="Crew")).to_have_count(10)
    gym.get_by_role("button", name="and 10 more").click()
    expect(gym.get_by_role("link", name="Crew")).to_have_count(20)
    expect(gym.get_by_role("button", name="show fewer")).to_be_focused()
    page.keyboard.press("Enter")
    expect(gym.get_by_role("link", name="Crew")).to_have_count(10)


def test_what_somebody_may_use_is_shown_through_however_many_groups(
    open_page: OpenPage, service: Service, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    drills = service.ask(
        "mutation ($all: [BotInput!]!) { upsertBots(input: {bots: $all}) { bots { id } } }",
        all=[{"name": f"Drill {number:02}"} for number in range(1, 13)],
    )
    hana = service.user("Hana Sato")
    groups = " ".join(
        f'g{number}: createGroup(input: {{name: "Crew {number:02}", userIds: ["{hana}"],'
        " botIds: $bots}) { userErrors { message } }"
        for number in range(40)
    )
    ids = [bot["id"] for bot in drills["upsertBots"]["bots"]]
    service.ask(f"mutation ($bots: [ID!]!) {{ {groups} }}", bots=ids)

    # Of all her bots, the groups alone are more than that; of a few they are not.
    monkeypatch.setenv("COHORT_MAX_COST", "400")
    with free_port() as port:
        server = Server(service.server.file, port)
        watch.expect(server.url)
        try:
            size = {"width": 1_280, "height": 4_000}
            page = open_page(f"/users/{hana}", base_url=server.url, viewport=size)
            bots = section(page, "Bots").get_by_role("listitem")
            expect(bots).to_have_count(17)
            expect(bots.filter(has_text="Drill 01")).to_contain_text("and 30 more")
            expect(page.get_by_role("alert")).to_have_count(0)
        finally:
            server.stop()


@pytest.mark.parametrize(
    "address", ["groups?after=x", "groups?sort=-users&before=x", "bots?after=x"]
)
def test_an_address_that_names_no_page_leads_to_the_first(
    open_page: OpenPage, address: str
) -> None:
    page = open_page(f"/{address}")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("names a page that this list does not have")
    expect(page.get_by_role("button", name="Try again")).to_have_count(0)

    alert.get_by_role("button", name="Go to the first page").click()
    expect(page.locator("tbody tr").first).to_be_visible()
    expect(alert).to_have_count(0)
    expect(page.locator(":focus")).to_have_count(1)
    assert not re.search("after|before", page.url)

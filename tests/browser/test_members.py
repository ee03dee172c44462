"""Adding to a group, one by one or a pasted list."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage, Watch
from tests.browser.held import Held
from tests.browser.service import Service
from tests.browser.test_groups import CLOSERS, row, section
from tests.browser.until import draw, until


def opened(open_page: OpenPage, service: Service, group: str = CLOSERS, **options: object) -> Page:
    """The groups page with a group open."""
    page = open_page(f"/groups?open={service.group(group)}", **options)
    expect(section(page, "Users").get_by_role("listitem").first).to_be_visible()
    return page


def popover(page: Page, kind: str, group: str = CLOSERS) -> Locator:
    """Opens the popover of a section."""
    page.get_by_role("button", name=f"Add {kind} to {group}").click()
    return page.get_by_role("dialog", name=f"Add {kind} to {group}")


def wait_until_added(page: Page, name: str) -> None:
    """Wait until the service has answered: what is added shows before."""
    expect(page.get_by_role("status").filter(has_text=f"Added {name}.")).to_be_attached()


def paste(page: Page, text: str) -> None:
    """Pastes into whatever has the focus."""
    page.evaluate(
        """text => {
            const data = new DataTransfer();
            data.setData('text/plain', text);
            document.activeElement.dispatchEvent(
                new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true})
            );
        }""",
        text,
    )


def test_the_popover_lists_those_who_are_not_in_the_group(
    open_page: OpenPage, service: Service
) -> None:
    page = opened(open_page, service)

    users = popover(page, "users")
    expect(users.get_by_role("option", name="Aisha Rahman")).to_contain_text(
        "aisha.rahman@example.com"
    )
    users.get_by_role("combobox").fill("luca")
    expect(users.get_by_text("Nothing matches")).to_be_visible()  # he is in the group
    page.keyboard.press("Escape")
    bots = popover(page, "bots")
    expect(bots.get_by_role("option", name="Objection Gym")).to_contain_text("Drills")
    expect(bots.get_by_role("option", name="Closing Coach")).to_have_count(0)
    page.keyboard.press("Escape")
    personas = popover(page, "personas")
    expect(personas.get_by_role("option", name="Interrupter")).to_be_visible()


def test_the_popover_loads_more_as_it_is_scrolled(open_page: OpenPage, service: Service) -> None:
    service.create_users("Support", 120)
    page = opened(open_page, service)

    options = popover(page, "users").get_by_role("option")
    expect(options).to_have_count(50)
    options.last.scroll_into_view_if_needed()
    expect(options).to_have_count(100)
    options.last.scroll_into_view_if_needed()
    expect(options).to_have_count(150)


def test_the_popover_loads_more_under_the_arrow_keys(open_page: OpenPage, service: Service) -> None:
    service.create_users("Support", 60)
    page = opened(open_page, service)
    options = popover(page, "users").get_by_role("option")
    expect(options).to_have_count(50)
    for _ in range(52):
        page.keyboard.press("ArrowDown")
    expect(options.nth(51)).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(options.first).not_to_have_attribute("aria-selected", "true")


def test_the_popover_stays_where_somebody_is_added_by_a_click(
    open_page: OpenPage, service: Service
) -> None:
    service.create_users("Support", 60)
    page = opened(open_page, service)
    users = popover(page, "users")
    users.get_by_role("combobox").fill("Person")
    options = users.get_by_role("option")
    marked = users.locator("[data-combobox-selected]")
    expect(options.first).to_contain_text("Person 001")
    options.last.scroll_into_view_if_needed()
    expect(options).to_have_count(60)
    options.filter(has_text="Person 041").click()
    expect(marked).to_contain_text("Person 042")
    expect(marked).to_be_in_viewport()

    options.filter(has_text="Person 060").click()
    expect(marked).to_contain_text("Person 059")
    expect(marked).to_be_in_viewport()


def test_several_are_added_by_keyboard_alone(open_page: OpenPage, service: Service) -> None:
    page = opened(open_page, service)
    page.get_by_role("button", name=f"Add users to {CLOSERS}").focus()
    page.keyboard.press("Enter")
    page.get_by_role("option").first.wait_for()
    page.keyboard.type("ma")
    expect(page.get_by_role("option").first).to_contain_text("Aisha Rahman")

    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("option", name="Aisha Rahman")).to_have_count(0)
    wait_until_added(page, "Aisha Rahman")
    page.keyboard.press("Enter")
    expect(page.get_by_role("option", name="Benedikt Hofmann")).to_have_count(0)
    wait_until_added(page, "Benedikt Hofmann")
    page.keyboard.press("Escape")

    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name=f"Add users to {CLOSERS}")).to_be_focused()
    expect(section(page, "Users").get_by_role("listitem")).to_have_count(8)
    expect(row(page, CLOSERS).get_by_role("cell").nth(1)).to_have_text("8")
    assert {"Aisha Rahman", "Benedikt Hofmann"} <= service.users_of(CLOSERS)


def test_keys_that_end_a_composition_end_nothing_else(
    open_page: OpenPage, service: Service
) -> None:
    page = opened(open_page, service)
    compose = """([field, key, told]) => field.dispatchEvent(new KeyboardEvent('keydown', {
        key, code: key, bubbles: true, cancelable: true, ...told,
    }))"""
    in_chromium, in_safari = {"isComposing": True}, {"keyCode": 229}
    page.get_by_role("button", name="Edit the name").click()
    name = page.get_by_label("New name")
    name.fill("日本")
    users = popover(page, "users")
    search = users.get_by_role("combobox")
    search.fill("benedikt")
    expect(users.get_by_role("option")).to_have_count(1)
    page.keyboard.press("ArrowDown")

    for told in (in_chromium, in_safari):
        for field in (search, name):
            for key in ("Enter", "Escape"):
                page.evaluate(compose, [field.element_handle(), key, told])

    expect(users.get_by_role("option", name="Benedikt Hofmann")).to_be_visible()
    expect(search).to_have_value("benedikt")
    expect(name).to_have_value("日本")
    assert "Benedikt Hofmann" not in service.users_of(CLOSERS)


def test_card_and_count_appear_at_once_and_roll_back_when_refused(
    open_page: OpenPage, service: Service
) -> None:
    page = opened(open_page, service)
    held = Held(page, "mutation AddUsers")

    users = popover(page, "users")
    users.get_by_role("option", name="Aisha Rahman").click()
    expect(section(page, "Users").get_by_text("Aisha Rahman")).to_be_visible()
    expect(row(page, CLOSERS).get_by_role("cell").nth(1)).to_have_text("7")
    sent = held.next()  # nothing was answered yet

    refusal = {"code": "NOT_FOUND", "message": "This user is gone.", "field": None}
    payload = {"__typename": "AddUsersToGroupPayload", "revision": 1, "userErrors": [refusal]}
    sent.fulfill(json={"data": {"result": {**payload, "group": None, "addedEdges": []}}})
    expect(page.get_by_role("alert").filter(has_text="This user is gone.")).to_be_visible()
    expect(section(page, "Users").get_by_text("Aisha Rahman")).to_have_count(0)
    expect(row(page, CLOSERS).get_by_role("cell").nth(1)).to_have_text("6")
    expect(users.get_by_role("option", name="Aisha Rahman")).to_be_visible()


def test_a_service_that_does_not_answer_is_told_of(
    open_page: OpenPage, service: Service, watch: Watch
) -> None:
    watch.expect("net::ERR_FAILED")
    page = opened(open_page, service)
    users = popover(page, "users")
    expect(users.get_by_role("option", name="Aisha Rahman")).to_be_visible()
    page.route("**/graphql", lambda route: route.abort())

    users.get_by_role("option", name="Aisha Rahman").click()
    expect(page.get_by_text("The service did not answer.").first).to_be_visible()
    expect(row(page, CLOSERS).get_by_role("cell").nth(1)).to_have_text("6")


def test_a_pasted_list_is_previewed_and_then_written_at_once(
    open_page: OpenPage, service: Service
) -> None:
    page = opened(open_page, service)
    users = popover(page, "users")
    expect(users.get_by_role("combobox")).to_be_focused()
    revision = service.ask("{ organization { revision } }")["organization"]["revision"]

    paste(page, "aisha.rahman@example.com\nBenedikt Hofmann\nluca.moretti@example.com\nNobody\n")
    expect(users.get_by_text("Found: 2")).to_be_visible()
    expect(users.get_by_text("In the group already: 1")).to_be_visible()
    expect(users.get_by_text("Unknown: 1")).to_be_visible()
    users.get_by_role("button", name="Add 2 users").click()

    expect(section(page, "Users").get_by_role("listitem")).to_have_count(8)
    expect(users.get_by_role("combobox")).to_be_visible()  # the service has answered
    assert {"Aisha Rahman", "Benedikt Hofmann"} <= service.users_of(CLOSERS)
    after = service.ask("{ organization { revision } }")["organization"]["revision"]
    assert after == revision + 1


def test_bots_and_personas_go_the_same_way(open_page: OpenPage, service: Service) -> None:
    page = opened(open_page, service)
    popover(page, "bots").get_by_role("option", name="Objection Gym").click()
    expect(section(page, "Bots").get_by_role("listitem")).to_have_count(3)
    page.keyboard.press("Escape")

    page.get_by_role("button", name="Remove Skeptical CFO").focus()
    page.keyboard.press("Enter")
    expect(section(page, "Personas").get_by_role("listitem")).to_have_count(2)
    expect(page.get_by_role("alert").filter(has_text="Removed Skeptical CFO")).to_contain_text(
        re.compile("Nobody lost access; 6 kept Skeptical CFO through Sales")
    )


def test_a_double_click_adds_one(open_page: OpenPage, service: Service) -> None:
    page = opened(open_page, service)
    before = service.users_of(CLOSERS)
    users = popover(page, "users")
    box = users.get_by_role("option", name="Aisha Rahman").bounding_box()
    assert box
    page.mouse.dblclick(box["x"] + 20, box["y"] + 20, delay=80)

    expect(section(page, "Users").get_by_text("Aisha Rahman")).to_be_visible()
    expect(row(page, CLOSERS).get_by_role("cell").nth(1)).to_have_text("7")
    wait_until_added(page, "Aisha Rahman")
    assert service.users_of(CLOSERS) == before | {"Aisha Rahman"}


def test_a_search_stays_in_a_section_that_has_become_small(
    open_page: OpenPage, service: Service
) -> None:
    service.create_users(CLOSERS, 2)
    page = opened(open_page, service)
    search = section(page, "Users").get_by_label(f"Search users of {CLOSERS}")
    search.fill("person")
    service.remove_users(CLOSERS, "Person 001")
    expect(section(page, "Users")).to_contain_text("Users 7")
    search.fill("")
    expect(section(page, "Users").get_by_role("listitem")).to_have_count(7)
    expect(search).to_be_focused()


def test_a_pasted_list_keeps_the_focus_in_the_popover(
    open_page: OpenPage, service: Service
) -> None:
    page = opened(open_page, service)
    users = popover(page, "users")
    search = users.get_by_role("combobox")
    expect(search).to_be_focused()
    paste(page, "Aisha Rahman\nBenedikt Hofmann")
    expect(users.get_by_role("button", name="Add 2 users")).to_be_focused()
    page.keyboard.press("Enter")
    expect(search).to_be_focused()

    paste(page, "Grace Wanjiru\nSamuel Osei")
    expect(users.get_by_role("button", name="Add 2 users")).to_be_focused()
    page.keyboard.press("Escape")
    expect(users).to_have_count(0)


def test_a_key_that_is_held_adds_one(open_page: OpenPage, service: Service) -> None:
    page = open_page(f"/groups?open={service.group(CLOSERS)}")
    expect(popover(page, "users").get_by_role("option").first).to_be_visible()
    before = service.users_of(CLOSERS)
    page.keyboard.press("ArrowDown")
    for _ in range(5):
        page.keyboard.down("Enter")
        page.wait_for_timeout(50)
    page.keyboard.up("Enter")
    expect(section(page, "Users")).to_contain_text(f"Users {len(before) + 1}")
    wait_until_added(page, "Abena Mensah")

    assert len(service.users_of(CLOSERS)) == len(before) + 1


def test_a_pasted_list_that_was_left_does_not_close_the_next_one(
    open_page: OpenPage, service: Service
) -> None:
    page = opened(open_page, service)
    held = Held(page, "mutation AddUsers")
    users = popover(page, "users")
    expect(users.get_by_role("combobox")).to_be_focused()
    paste(page, "Aisha Rahman\nBenedikt Hofmann")
    users.get_by_role("button", name="Add 2 users").click()
    users.get_by_role("button", name="Back").click()
    expect(users.get_by_role("combobox")).to_be_focused()
    paste(page, "Grace Wanjiru\nSamuel Osei\nNobody")
    expect(users.get_by_text("Unknown: 1")).to_be_visible()

    with page.expect_event(
        "requestfinished", lambda request: "AddUsers" in (request.post_data or "")
    ):
        held.next().continue_()
    draw(page)
    expect(users.get_by_text("Unknown: 1")).to_be_visible()


def test_a_pasted_list_shows_how_far_it_is_and_can_be_left(
    open_page: OpenPage, service: Service
) -> None:
    page = opened(open_page, service)
    users = popover(page, "users")
    search = users.get_by_role("combobox")
    expect(search).to_be_focused()
    held = Held(page, "query FindUsers")
    paste(page, "\n".join(f"person{number}@example.com" for number in range(40)))
    progress = users.get_by_role("progressbar", name="Looking up the pasted lines")
    expect(progress).to_have_attribute("aria-valuetext", "0 of 40 lines looked up")

    held.next().continue_()
    expect(progress).to_have_attribute("aria-valuetext", "1 of 40 lines looked up")
    expect(users.get_by_text("1 of 40 lines looked up")).to_be_visible()
    users.get_by_role("button", name="Cancel").click()
    expect(progress).to_have_count(0)
    expect(search).to_be_focused()


def test_a_pasted_list_that_could_not_be_looked_up_is_looked_up_again(
    open_page: OpenPage, service: Service, watch: Watch
) -> None:
    watch.expect("429")
    page = opened(open_page, service)
    users = popover(page, "users")
    expect(users.get_by_role("combobox")).to_be_focused()
    refusal = {"message": "Too many requests.", "extensions": {"code": "LIMIT_EXCEEDED"}}
    page.route("**/graphql", lambda route: route.fulfill(status=429, json={"errors": [refusal]}))
    paste(page, "Aisha Rahman\nBenedikt Hofmann\nNobody")
    problem = users.get_by_role("alert")
    expect(problem).to_contain_text("Too many requests.")

    page.unroute("**/graphql")
    problem.get_by_role("button", name="Try again").click()
    expect(users.get_by_text("Unknown: 1")).to_be_visible()
    expect(users.get_by_role("button", name="Add 2 users")).to_be_focused()
    page.keyboard.press("Escape")
    expect(users).to_have_count(0)


def first_name(options: Locator) -> str:
    """Who comes first among those who can be added."""
    return options.first.get_by_role("paragraph").first.inner_text()


def test_enter_adds_nobody_but_who_is_marked(open_page: OpenPage, service: Service) -> None:
    page = opened(open_page, service)
    users = popover(page, "users")
    options = users.get_by_role("option")
    marked = users.locator("[data-combobox-selected]").get_by_role("paragraph").first
    expect(options.first).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    second = marked.inner_text()
    first = first_name(options)
    service.add_users(CLOSERS, first)
    expect(options.filter(has_text=first)).to_have_count(0)
    page.keyboard.press("Enter")
    expect(users.get_by_role("status").filter(has_text=f"Added {second}.")).to_be_attached()

    third = marked.inner_text()
    before = service.users_of(CLOSERS)
    service.add_users(CLOSERS, third)
    expect(options.filter(has_text=third)).to_have_count(0)
    writes = Held(page, "mutation AddUsers")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    fourth = marked.inner_text()
    page.keyboard.press("Enter")
    written = writes.next()
    assert service.user(fourth) in (written.request.post_data or "")
    written.continue_()
    wait_until_added(page, fourth)
    assert writes.waiting == []
    assert service.users_of(CLOSERS) == before | {third, fourth}


def test_enter_adds_nobody_of_another_search(open_page: OpenPage, service: Service) -> None:
    page = opened(open_page, service)
    users = popover(page, "users")
    options = users.get_by_role("option")
    expect(options.first).to_be_visible()
    before = service.users_of(CLOSERS)
    held = Held(page, "query AvailableUsers")
    writes = Held(page, "mutation AddUsers")
    page.keyboard.type("wanjiru")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    until(page, lambda: held.waiting)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    held.release()
    found = users.get_by_role("status").filter(has_text="1 match for “wanjiru”")
    expect(found).to_be_attached()
    page.keyboard.press("Enter")

    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    written = writes.next()
    assert service.user("Grace Wanjiru") in (written.request.post_data or "")
    written.continue_()
    wait_until_added(page, "Grace Wanjiru")
    assert writes.waiting == []
    assert service.users_of(CLOSERS) - before == {"Grace Wanjiru"}

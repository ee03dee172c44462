"""Creating a group, editing its texts in place, and deleting it with its impact told."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage, Watch
from tests.browser.held import Held
from tests.browser.service import OTHER_ADMIN, Service
from tests.browser.test_groups import CLOSERS, row, section
from tests.browser.until import until


def open_group(open_page: OpenPage, service: Service, group: str = CLOSERS) -> Page:
    page = open_page(f"/groups?open={service.group(group)}")
    expect(section(page, "Users").get_by_role("listitem").first).to_be_visible()
    return page


def open_deletion(page: Page, told: str, group: str = CLOSERS) -> Locator:
    """The dialog for the deletion of the open group, once it tells the impact."""
    page.get_by_role("button", name="Delete group").click()
    expect(page.get_by_role("dialog", name=f"Delete {group}?")).to_contain_text(told)
    return page.get_by_role("dialog")


def test_a_group_is_created_and_opened(open_page: OpenPage, service: Service) -> None:
    page = open_page("/groups")
    page.get_by_role("button", name="Create New Group").click()
    dialog = page.get_by_role("dialog", name="Create New Group")
    expect(dialog.get_by_label("Name")).to_be_focused()
    expect(dialog).to_contain_text("Sales Team, Customer Success")

    dialog.get_by_role("button", name="Create").click()
    expect(dialog.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("Name").fill("SALES")
    dialog.get_by_role("button", name="Create").click()
    # The service names the one that has it.
    expect(dialog.get_by_role("alert")).to_have_text("There is already a group named “Sales”.")
    expect(dialog.get_by_label("Name")).to_have_attribute("aria-invalid", "true")

    dialog.get_by_label("Name").fill("Night Shift")
    dialog.get_by_label("Description").fill("From ten to six.")
    dialog.get_by_role("button", name="Create").click()
    expect(dialog).to_have_count(0)
    expect(row(page, "Night Shift").get_by_role("cell")).to_have_text(
        ["Night Shift", "0", "0", "0"]
    )
    expect(page.get_by_text("From ten to six.")).to_be_visible()
    expect(section(page, "Users")).to_contain_text("Add some with the + above.")
    assert service.group("Night Shift") in page.url


def test_name_and_description_are_edited_in_place(open_page: OpenPage, service: Service) -> None:
    page = open_group(open_page, service)
    page.get_by_role("button", name="Edit the name").click()
    field = page.get_by_label("New name")
    expect(field).to_be_focused()
    field.fill("Sales")
    page.keyboard.press("Enter")
    expect(field).to_have_attribute("aria-invalid", "true")
    field.fill("Closers")
    page.keyboard.press("Enter")
    expect(row(page, "Closers")).to_be_visible()

    page.get_by_role("button", name="Edit the description").click()
    page.get_by_label("New description").fill("They close.")
    page.keyboard.press("Enter")
    expect(page.get_by_text("They close.")).to_be_visible()
    page.get_by_role("button", name="Edit the description").click()
    page.get_by_label("New description").fill("Never mind")
    page.keyboard.press("Escape")
    expect(page.get_by_text("They close.")).to_be_visible()
    group = service.ask(
        "query ($id: ID!) { group(id: $id) { name description } }", id=service.group("Closers")
    )["group"]
    assert group == {"name": "Closers", "description": "They close."}


def test_a_text_that_is_being_saved_is_not_saved_again(
    open_page: OpenPage, service: Service
) -> None:
    page = open_group(open_page, service)
    held = Held(page, "mutation UpdateGroup")
    page.get_by_role("button", name="Edit the name").click()
    page.get_by_label("New name").fill("Closers")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    held.next().continue_()
    expect(row(page, "Closers")).to_be_visible()
    assert held.waiting == []


def test_a_key_that_is_held_leaves_open_the_editor_that_it_opened(
    open_page: OpenPage, service: Service
) -> None:
    page = open_group(open_page, service)
    page.get_by_role("button", name="Edit the description").focus()
    field = page.get_by_label("New description")
    page.keyboard.down("Enter")
    expect(field).to_be_focused()
    page.keyboard.down("Enter")
    page.keyboard.up("Enter")
    expect(field).to_be_focused()
    text = field.input_value()
    page.keyboard.down("Shift")
    for _ in range(3):
        page.keyboard.down("Enter")
    page.keyboard.up("Enter")
    page.keyboard.up("Shift")
    expect(field).to_have_value(f"\n\n\n{text}")


def test_a_deletion_tells_its_exact_impact_and_can_be_undone(
    open_page: OpenPage, service: Service
) -> None:
    page = open_group(open_page, service)
    page.get_by_role("button", name="Delete group").click()
    dialog = page.get_by_role("dialog", name=f"Delete {CLOSERS}?")
    expect(dialog).to_contain_text(
        "6 users lose Negotiation Sparring and Impatient executive; "
        "6 keep Closing Coach and 2 personas through Sales."
    )
    expect(dialog).to_contain_text("Hana Sato: Negotiation Sparring and Impatient executive")

    dialog.get_by_role("button", name="Delete group").click()
    expect(row(page, CLOSERS)).to_have_count(0)
    notice = page.get_by_role("alert").filter(has_text=f"Deleted {CLOSERS}.")
    notice.get_by_role("button", name="Undo").click()
    expect(row(page, CLOSERS).get_by_role("cell")).to_have_text([CLOSERS, "6", "2", "3"])


def test_a_deletion_is_not_made_when_the_state_has_moved(
    open_page: OpenPage, service: Service
) -> None:
    page = open_group(open_page, service)
    dialog = open_deletion(page, "6 users lose")
    service.add_users(CLOSERS, "Aisha Rahman")

    dialog.get_by_role("button", name="Delete group").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Something changed while you were reading")
    expect(dialog).to_contain_text("7 users lose 2 bots and 3 personas")
    assert "Aisha Rahman" in service.users_of(CLOSERS)

    dialog.get_by_role("button", name="Delete group").click()
    expect(row(page, CLOSERS)).to_have_count(0)


def test_a_deletion_is_made_though_something_else_has_changed(
    open_page: OpenPage, service: Service
) -> None:
    page = open_group(open_page, service)
    dialog = open_deletion(page, "6 users lose")
    held = Held(page, "mutation DeleteGroup")
    dialog.get_by_role("button", name="Delete group").click()
    asked = held.next()
    service.create_groups("Crew")
    asked.continue_()
    asked = held.next()
    service.add_users("Crew", *service.users_of(CLOSERS))
    service.add_bots("Crew", "Cold Call Coach")  # what else they may use, who keep something
    asked.continue_()
    held.release()

    expect(row(page, CLOSERS)).to_have_count(0)
    notice = page.get_by_role("alert").filter(has_text=f"Deleted {CLOSERS}.")
    expect(notice).to_contain_text("6 users lost Negotiation Sparring and Impatient executive")


def test_a_deletion_is_not_made_of_a_group_that_has_another_name_by_now(
    open_page: OpenPage, service: Service
) -> None:
    service.create_groups("Crew")
    service.add_users("Crew", "Hana Sato")
    page = open_group(open_page, service, "Crew")
    dialog = open_deletion(page, "Nobody loses", "Crew")
    held = Held(page, "mutation DeleteGroup")
    dialog.get_by_role("button", name="Delete group").click()
    asked = held.next()
    service.rename_group("Crew", "Flagship")
    asked.continue_()

    expect(dialog.get_by_role("alert")).to_contain_text("Something changed")
    expect(page.get_by_role("dialog", name="Delete Flagship?")).to_be_visible()
    assert held.waiting == []
    assert service.group("Flagship")


def test_a_deletion_is_not_tried_again_once_its_dialog_is_closed(
    open_page: OpenPage, service: Service
) -> None:
    page = open_group(open_page, service)
    dialog = open_deletion(page, "6 users lose")
    held, impacts = Held(page, "mutation DeleteGroup"), Held(page, "query Impact")
    dialog.get_by_role("button", name="Delete group").click()
    asked = held.next()
    service.create_groups("Crew")
    asked.continue_()
    reckoned = impacts.next()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    reckoned.continue_()

    expect(page.get_by_role("alert").filter(has_text=f"Deleting {CLOSERS}:")).to_be_visible()
    assert held.waiting == []
    assert service.group(CLOSERS)


def test_an_impact_that_could_not_be_reckoned_is_reckoned_again(
    open_page: OpenPage, service: Service, watch: Watch
) -> None:
    watch.expect("net::ERR_FAILED")
    page = open_group(open_page, service)
    page.route("**/graphql", lambda route: route.abort())
    page.get_by_role("button", name="Delete group").click()
    dialog = page.get_by_role("dialog", name=f"Delete {CLOSERS}?")
    again = dialog.get_by_role("alert").get_by_role("button", name="Try again")
    expect(again).to_be_visible()
    expect(dialog.get_by_role("button", name="Delete group")).to_be_disabled()

    page.unroute("**/graphql")
    again.click()
    expect(dialog).to_contain_text("6 users lose")
    expect(dialog.get_by_role("alert")).to_have_count(0)
    expect(dialog.get_by_role("button", name="Delete group")).to_be_enabled()


def test_a_group_that_was_created_comes_into_view(open_page: OpenPage, service: Service) -> None:
    service.create_groups(*(f"Crew {number:02}" for number in range(1, 31)))
    page = open_page("/groups", viewport={"width": 1000, "height": 500})
    page.get_by_role("button", name="Create New Group").click()
    page.get_by_role("dialog").get_by_label("Name").fill("Night Shift")
    page.keyboard.press("Enter")

    toggle = page.get_by_role("button", name="Night Shift", exact=True)
    expect(section(page, "Users")).to_contain_text("Add some with the + above.")
    expect(toggle).to_be_focused()
    expect(toggle).to_be_in_viewport()


def test_who_deletes_a_group_is_not_told_that_it_is_gone(
    open_page: OpenPage, service: Service
) -> None:
    page = open_group(open_page, service)
    page.get_by_role("button", name="Delete group").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete group").click()

    expect(row(page, CLOSERS)).to_have_count(0)
    expect(page).to_have_url(re.compile("/groups$"))
    expect(page.get_by_text("The group that this address opens is gone.")).to_have_count(0)


@pytest.mark.parametrize("text", ["name", "description"])
def test_what_somebody_else_has_changed_meanwhile_is_not_undone(
    open_page: OpenPage, service: Service, text: str
) -> None:
    page = open_group(open_page, service)
    group = service.group(CLOSERS)

    def changed_by_another(value: str) -> None:
        service.ask(
            "mutation ($input: UpdateGroupInput!)"
            " { updateGroup(input: $input) { userErrors { message } } }",
            OTHER_ADMIN,
            input={"id": group, text: value},
        )

    def now() -> str:
        answer = service.ask(f"query ($id: ID!) {{ group(id: $id) {{ {text} }} }}", id=group)
        value: str = answer["group"][text]
        return value

    edit = page.get_by_role("button", name=f"Edit the {text}")
    edit.click()
    changed_by_another("Closers")
    expect(page.get_by_text("Closers", exact=True).first).to_be_attached()
    page.keyboard.press("Enter")
    expect(edit).to_be_focused()
    assert now() == "Closers"

    edit.click()
    page.get_by_label(f"New {text}").fill("Mine")
    changed_by_another("Theirs")
    expect(page.get_by_text("Theirs", exact=True).first).to_be_attached()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text(f"The {text} has become “Theirs” meanwhile.")).to_be_visible()
    assert now() == "Theirs"
    page.get_by_role("button", name="Save").click()
    expect(edit).to_be_focused()
    assert now() == "Mine"


def test_a_group_is_deleted_however_much_hangs_on_it(open_page: OpenPage, service: Service) -> None:
    upsert = "mutation ($all: [{0}Input!]!) {{ {1}(input: {{{2}: $all}}) {{ {2} {{ id }} }} }}"
    bots = service.ask(
        upsert.format("Bot", "upsertBots", "bots"),
        all=[{"name": f"Drill {number:03}"} for number in range(90)],
    )
    users = service.ask(
        upsert.format("User", "upsertUsers", "users"),
        all=[{"name": f"P {n:02}", "email": f"p{n}@example.com"} for n in range(55)],
    )
    members = {
        "botIds": [bot["id"] for bot in bots["upsertBots"]["bots"]],
        "userIds": [user["id"] for user in users["upsertUsers"]["users"]],
    }
    for number in range(13):
        service.ask(
            "mutation ($g: CreateGroupInput!) { createGroup(input: $g) { group { id } } }",
            g={"name": f"Cell {number:02}", **members},
        )
    page = open_page(f"/groups?search=cell&open={service.group('Cell 00')}")

    page.get_by_role("button", name="Delete group").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(
        "Nobody loses access; 55 keep 90 bots, some through Cell 01, Cell 02"
    )
    dialog.get_by_role("button", name="Delete group").click()
    expect(dialog).to_have_count(0)
    expect(row(page, "Cell 00")).to_have_count(0)


@pytest.mark.parametrize("is_answered", [True, False])
def test_what_becomes_of_a_write_is_told_also_when_its_dialog_is_closed(
    open_page: OpenPage, service: Service, watch: Watch, is_answered: bool
) -> None:
    watch.expect("net::ERR_FAILED")
    page = open_group(open_page, service)
    held = Held(page, "mutation")

    def close_then_answer(name: str, refusal: str) -> None:
        route = held.next()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        route.continue_() if is_answered else route.abort()
        notice = page.get_by_role("alert").filter(has_text=name)
        expect(notice).to_contain_text(refusal if is_answered else "The service did not answer")

    page.get_by_role("button", name="Create New Group").click()
    page.get_by_role("dialog").get_by_label("Name").fill("SALES")
    page.keyboard.press("Enter")
    close_then_answer("Creating SALES:", "There is already a group named “Sales”.")

    page.get_by_role("button", name="Edit the name").click()
    page.get_by_label("New name").fill("Team leads")
    page.keyboard.press("Enter")
    close_then_answer("Changing the name to Team leads:", "There is already a group named")

    dialog = open_deletion(page, "6 users lose")
    service.add_users(CLOSERS, "Aisha Rahman")
    dialog.get_by_role("button", name="Delete group").click()
    close_then_answer(f"Deleting {CLOSERS}:", "changed")
    expect(row(page, CLOSERS)).to_be_visible()


def test_an_editing_that_was_left_does_not_end_the_next_one(
    open_page: OpenPage, service: Service
) -> None:
    page = open_group(open_page, service)
    held = Held(page, "mutation")
    page.get_by_role("button", name="Edit the name").click()
    for count, name in enumerate(("Closers", "Sales"), 1):
        page.get_by_label("New name").fill(name)
        page.keyboard.press("Enter")
        until(page, lambda count=count: len(held.waiting) == count)  # type: ignore[misc]
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Edit the name").click()
    page.get_by_label("New name").fill("Hunters")

    held.release()
    expect(row(page, "Closers")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("Changing the name to Sales:")
    expect(page.get_by_label("New name")).to_have_value("Hunters")
    expect(page.get_by_label("New name")).not_to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("button", name="Save")).to_have_attribute("aria-busy", "false")

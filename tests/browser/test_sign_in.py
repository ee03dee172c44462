"""Signing in by the printed link or a pasted token, signing out, and an expired session."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage, Watch
from tests.browser.held import Held
from tests.browser.service import ADMIN, OTHER_ADMIN, Service
from tests.browser.test_groups import CLOSERS, row
from tests.browser.until import until

REFUSED = "401 (Unauthorized)"


def paste(page: Page, text: str) -> None:
    page.get_by_label("Sign-in link or token").fill(text)
    page.get_by_role("button", name="Sign in").click()


def stored(page: Page) -> str:
    """All that the page keeps in the browser, beyond the cookie that no script can read."""
    kept: str = page.evaluate(
        "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"
    )
    return kept


def test_the_printed_link_signs_in(open_page: OpenPage, service: Service) -> None:
    page = open_page(service.sign_in_link(ADMIN), email=None)

    expect(page.get_by_role("heading", name="Groups")).to_be_visible()
    expect(page.get_by_text("Larkspur Supplies")).to_be_visible()


def test_a_link_that_is_not_good_says_so_and_leads_on(open_page: OpenPage, watch: Watch) -> None:
    watch.expect("403 (Forbidden)")
    watch.expect(REFUSED)
    page = open_page("/sign-in?secret=wrong", email=None, viewport={"width": 375, "height": 700})
    expect(page.get_by_role("heading", name="This link did not sign you in")).to_be_visible()
    expect(page.get_by_text("This link has already been used, or has expired.")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0

    page.get_by_role("link", name="Go to Cohort").click()
    expect(page.get_by_role("heading", name="Sign in to Cohort")).to_be_visible()


def test_a_pasted_token_signs_in_and_is_kept_nowhere(
    open_page: OpenPage, service: Service, watch: Watch
) -> None:
    watch.expect(REFUSED)
    page = open_page("/", email=None)

    paste(page, "nonsense")
    expect(page.get_by_label("Sign-in link or token")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("alert")).to_have_text("This token is unknown, expired or revoked.")

    paste(page, service.tokens[ADMIN])
    expect(page.get_by_role("button", name="Account Executives")).to_be_visible()
    assert service.tokens[ADMIN] not in stored(page)
    assert "cohort_session" not in stored(page)


def test_a_browser_that_stores_nothing_is_told_what_it_lacks(
    open_page: OpenPage, watch: Watch
) -> None:
    watch.expect(REFUSED)
    page = open_page("about:blank", email=None)
    page.add_init_script(
        """
        for (const name of ['localStorage', 'sessionStorage'])
            Object.defineProperty(window, name, {
                get() { throw new DOMException('Blocked.', 'SecurityError'); },
            });
        Object.defineProperty(navigator, 'cookieEnabled', {value: false});
        """
    )
    page.goto("/groups")
    expect(page.get_by_role("heading", name="Sign in to Cohort")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("This browser blocks cookies here")

    page.goto("/graphiql")
    told = page.get_by_role("alert").filter(
        has_text="You are not signed in."
    )  # the editor has more
    expect(told).to_be_visible()


def test_a_browser_without_room_to_store_shows_the_form(open_page: OpenPage, watch: Watch) -> None:
    watch.expect(REFUSED)
    page = open_page("about:blank", email=None)
    page.add_init_script(
        "Storage.prototype.setItem = () => { throw new DOMException('', 'QuotaExceededError'); };"
    )
    page.goto("/groups")
    expect(page.get_by_role("heading", name="Sign in to Cohort")).to_be_visible()


def test_signing_out_ends_the_session(open_page: OpenPage, watch: Watch) -> None:
    watch.expect(REFUSED)
    page = open_page("/groups")
    page.get_by_role("button", name="Account", exact=True).click()
    page.get_by_role("menuitem", name="Sign out").click()

    expect(page.get_by_role("heading", name="Sign in to Cohort")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Sign in to Cohort")).to_be_visible()
    expect(page.get_by_text("Account Executives")).to_have_count(0)


def test_a_session_that_ends_elsewhere_ends_here(open_page: OpenPage, watch: Watch) -> None:
    watch.expect(REFUSED)
    page = open_page("/groups")
    expect(page.get_by_role("button", name="Account Executives")).to_be_visible()
    assert page.context.request.delete("/session").ok

    expect(page.get_by_role("heading", name="Sign in to Cohort")).to_be_visible()


def test_an_expired_session_leads_to_sign_in_and_back_to_the_place(
    open_page: OpenPage, service: Service, watch: Watch
) -> None:
    watch.expect(REFUSED)
    page = open_page("/groups?search=sales")
    expect(page.get_by_role("button", name="Sales", exact=True)).to_be_visible()

    held = Held(page)
    page.get_by_label("Search groups").fill("team")
    page.wait_for_url("**/groups?search=team")
    page.context.clear_cookies()
    held.release()
    expect(page.get_by_role("heading", name="Sign in to Cohort")).to_be_visible()

    paste(page, service.tokens[ADMIN])
    expect(page.get_by_role("button", name="Team Leads")).to_be_visible()
    assert page.url.endswith("/groups?search=team")


def test_the_printed_link_leads_back_to_the_place_as_well(
    open_page: OpenPage, service: Service, watch: Watch
) -> None:
    watch.expect(REFUSED)
    page = open_page("/bots?search=coach", email=None)
    paste(page, service.sign_in_link(ADMIN))

    expect(page.get_by_role("link", name="Closing Coach")).to_be_visible()
    assert page.url.endswith("/bots?search=coach")


def test_signing_out_offline_is_told_of(open_page: OpenPage, watch: Watch) -> None:
    watch.expect("ERR_FAILED")
    page = open_page("/groups")
    page.route("**/session", lambda route: route.abort())
    page.get_by_role("button", name="Account", exact=True).click()
    page.get_by_role("menuitem", name="Sign out").click()

    expect(page.get_by_role("alert")).to_contain_text("You are still signed in")
    expect(page.get_by_role("button", name="Account Executives")).to_be_visible()


def test_a_link_of_another_host_is_told_from_a_token(
    open_page: OpenPage, service: Service, watch: Watch
) -> None:
    watch.expect(REFUSED)
    page = open_page("/", email=None)
    expect(page).to_have_title("Sign in – Cohort")
    paste(page, service.sign_in_link(ADMIN).replace("127.0.0.1", "localhost"))

    expect(page.get_by_text("This link is for localhost:")).to_be_visible()


def test_nothing_that_one_was_told_or_offered_is_left_to_the_next(
    open_page: OpenPage, service: Service, watch: Watch
) -> None:
    watch.expect(REFUSED)
    page = open_page(f"/groups?open={service.group(CLOSERS)}")
    page.get_by_role("button", name="Remove Hana Sato").click()
    expect(page.get_by_role("alert")).to_contain_text("Removed Hana Sato")
    page.get_by_role("button", name="Account", exact=True).click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in to Cohort")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)

    paste(page, service.tokens[OTHER_ADMIN])
    expect(page.get_by_role("button", name=CLOSERS, exact=True)).to_be_visible()
    edit = page.get_by_role("button", name="Edit the name")
    expect(edit).to_be_visible()
    held = Held(page)

    def is_asked(part: str) -> bool:
        return any(part in (route.request.post_data or "") for route in held.waiting)

    page.keyboard.press("Control+z")
    edit.click()
    page.get_by_label("New name").fill("Closers")
    page.keyboard.press("Enter")
    until(page, lambda: is_asked("mutation UpdateGroup"))
    assert not is_asked("query RecentChanges")  # an undo begins with it
    assert "Hana Sato" not in service.users_of(CLOSERS)


def test_a_session_that_ends_before_a_write_is_told_with_what_was_not_done(
    open_page: OpenPage, service: Service, watch: Watch
) -> None:
    watch.expect(REFUSED)
    page = open_page(f"/groups?open={service.group(CLOSERS)}")
    page.get_by_role("button", name="Create New Group").click()
    page.get_by_role("dialog").get_by_label("Name").fill("Night Shift")
    page.context.clear_cookies()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Sign in to Cohort")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("Creating Night Shift:")
    expect(page.get_by_label("Sign-in link or token")).to_be_focused()

    paste(page, service.tokens[ADMIN])
    page.get_by_role("button", name="Edit the name").click()
    page.get_by_label("New name").fill("Closers")
    page.context.clear_cookies()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Sign in to Cohort")).to_be_visible()
    expect(page.get_by_role("alert").last).to_contain_text("Changing the name to Closers:")


def test_a_page_goes_with_somebody_else_who_signs_in_in_another_tab(
    open_page: OpenPage, service: Service, elsewhere: Service
) -> None:
    page = open_page("/groups")
    expect(page.get_by_text(service.organization.name)).to_be_visible()
    page.get_by_role("button", name="Create New Group").click()
    page.get_by_role("dialog").get_by_label("Name").fill("Ours alone")
    other = page.context.new_page()
    other.goto(elsewhere.sign_in_link(ADMIN))

    expect(other.get_by_text(elsewhere.organization.name)).to_be_visible()
    expect(page.get_by_text(elsewhere.organization.name)).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_who_signs_in_is_known_also_where_no_other_tab_tells_it(
    open_page: OpenPage, service: Service, elsewhere: Service
) -> None:
    page = open_page("/groups")
    expect(page.get_by_text(service.organization.name)).to_be_visible()
    loads: list[str] = []
    page.on(
        "request",
        lambda request: loads.append(request.url) if request.is_navigation_request() else None,
    )
    answer = page.context.request.post("/session", data={"token": elsewhere.tokens[ADMIN]})
    assert answer.ok
    service.remove_users(CLOSERS, "Hana Sato")
    expect(page.get_by_text(elsewhere.organization.name)).to_be_visible()

    # Once it has followed what changes there, it has nobody else to tell or to hear of.
    expect(page.get_by_role("button", name="Create New Group")).to_be_visible()
    elsewhere.remove_users(CLOSERS, "Hana Sato")
    expect(row(page, CLOSERS).get_by_role("cell").nth(1)).to_have_text("5")
    assert len(loads) == 1

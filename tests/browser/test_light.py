"""Weight, round trips, and what the browser is allowed to do."""

import gzip
import re
from pathlib import Path

from playwright.sync_api import Route, expect

from tests.browser.conftest import OpenPage, Watch
from tests.browser.held import Held
from tests.browser.service import Service

LIMIT = 250_000
"""Bytes of JavaScript, gzipped."""


def test_the_groups_page_is_light(open_page: OpenPage, dist: Path) -> None:
    loaded: list[str] = []
    page = open_page("about:blank")
    page.on("request", lambda request: loaded.append(request.url))
    page.goto("/groups")
    expect(page.get_by_role("button", name="Account Executives")).to_be_visible()
    page.wait_for_load_state("networkidle")

    scripts = {Path(url).name for url in loaded if url.endswith(".js")}
    weight = sum(len(gzip.compress((dist / "assets" / name).read_bytes())) for name in scripts)
    assert 0 < weight < LIMIT
    assert not any("monaco" in name for name in scripts)


def test_the_table_needs_one_round_trip(open_page: OpenPage) -> None:
    def let_the_table_through(route: Route) -> None:
        is_the_table = "query Groups" in (route.request.post_data or "")
        route.continue_() if is_the_table else route.fallback()

    page = open_page("about:blank")
    held = Held(page)
    page.route("**/graphql", let_the_table_through)
    page.goto("/groups")
    expect(page.get_by_role("button", name="Account Executives")).to_be_visible()
    held.release()
    expect(page.get_by_role("button", name="Create New Group")).to_be_visible()


def test_scripts_come_from_the_origin_alone(open_page: OpenPage, service: Service) -> None:
    page = open_page("/nowhere")
    response = page.goto("/groups")
    assert response is not None
    policy = response.headers["content-security-policy"]

    assert re.search(r"script-src 'self'(;|$)", policy)
    assert "default-src 'self'" in policy
    assert page.locator("script:not([src])").count() == 0


def test_graphiql_stays_a_page_of_its_own(open_page: OpenPage) -> None:
    page = open_page("/graphiql")
    page.locator(".graphiql-query-editor .view-line").first.wait_for()
    page.get_by_role("button", name="Execute").click()

    expect(page.locator(".graphiql-response")).to_contain_text("Larkspur")


def test_graphiql_leads_to_where_one_signs_in(open_page: OpenPage, watch: Watch) -> None:
    watch.expect("401 (Unauthorized)")
    page = open_page("/graphiql", email=None)
    page.get_by_role("alert").get_by_role("link", name="Sign in").click()

    expect(page.get_by_role("heading", name="Sign in to Cohort")).to_be_visible()

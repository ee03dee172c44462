"""Takes the screenshots of the README: `python -m tests.browser.screenshots`.

It serves the demo organization on a database of its own, so that they always show the same. Needs
the pages to be built, and Chromium.
"""

import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.browser.service import ADMIN, ROOT, Server, Service, organizations_in
from tests.ports import free_port

IMAGES = ROOT / "docs" / "images"
GROUP = "Account Executives"


def main() -> None:
    """Take them all."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory, free_port() as port:
        file = Path(directory) / "cohort.sqlite3"
        organization = next(organizations_in(file))
        server = Server(file, port)
        service = Service(server, organization)
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
                groups(signed_in(browser, service, 1120, 760, "light"), service)
                deletion(signed_in(browser, service, 1120, 560, "dark"), service)
                user(signed_in(browser, service, 1120, 600, "light"), service)
                browser.close()
        finally:
            server.stop()


def signed_in(browser: Browser, service: Service, width: int, height: int, theme: str) -> Page:
    """A page of somebody who may change everything."""
    context = browser.new_context(
        base_url=service.url,
        viewport={"width": width, "height": height},
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="reduce",
        locale="en-GB",
    )
    context.request.post("/session", data={"token": service.tokens[ADMIN]})
    return context.new_page()


def groups(page: Page, service: Service) -> None:
    """The groups page with a group open, and its popover."""
    page.goto(f"/groups?open={service.group(GROUP)}")
    page.get_by_role("button", name=f"Add bots to {GROUP}").click()
    page.get_by_role("option").first.wait_for()
    page.keyboard.press("ArrowDown")
    shoot(page, "groups")


def deletion(page: Page, service: Service) -> None:
    """What a deletion would do."""
    page.goto(f"/groups?open={service.group(GROUP)}")
    page.get_by_role("button", name="Delete group").click()
    page.get_by_text("users lose").wait_for()
    shoot(page, "deletion")


def user(page: Page, service: Service) -> None:
    """What one user may use, and why."""
    page.goto(f"/users/{service.user('Hana Sato')}")
    page.get_by_text("through").first.wait_for()
    page.get_by_label("As of").wait_for()
    shoot(page, "user")


def shoot(page: Page, name: str) -> None:
    """Write the picture, once nothing moves any more."""
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(300)
    page.screenshot(path=IMAGES / f"{name}.png", animations="disabled", caret="hide")


if __name__ == "__main__":
    main()

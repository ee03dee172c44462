"""Fixtures: Debian's Chromium, the pages as they are built, and the real service.

Every page of every test is watched: an error in its console, or a request that leaves the origin,
fails the test.
"""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.service import ADMIN, ROOT, Organization, Server, Service, organizations_in
from tests.browser.until import LONGEST
from tests.once import alone
from tests.ports import free_port

CHROMIUM = shutil.which("chromium") or ""
WEB = ROOT / "web"
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

expect.set_options(timeout=LONGEST)


@pytest.fixture(scope="session")
def dist() -> Path:
    """The built pages; builds them if they are not there."""
    built = WEB / "dist"
    with alone(WEB / "package-lock.json"):
        if not (built / "index.html").exists():
            if not shutil.which("npm"):
                pytest.skip("web/dist is not built, and there is no npm to build it with")
            if not (WEB / "node_modules").exists():
                subprocess.run(["npm", "ci"], cwd=WEB, check=True, stdout=subprocess.DEVNULL)
            subprocess.run(["npm", "run", "build"], cwd=WEB, check=True, stdout=subprocess.DEVNULL)
    return built


# Not for the session: Playwright's own event loop would be in the way of the tests that follow.
@pytest.fixture(scope="package")
def browser(dist: Path) -> Iterator[Browser]:
    """Chromium."""
    if not CHROMIUM:
        pytest.skip("there is no chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def organizations(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, Iterator[Organization]]:
    """A database, and in it an organization for each test, and for some another."""
    file = tmp_path_factory.mktemp("browser") / "cohort.sqlite3"
    return file, organizations_in(file)


@pytest.fixture(scope="package")
def server(dist: Path, organizations: tuple[Path, Iterator[Organization]]) -> Iterator[Server]:
    """The one process that serves all tests."""
    with free_port() as port:
        server = Server(organizations[0], port)
        yield server
        server.stop()


@pytest.fixture
def service(server: Server, organizations: tuple[Path, Iterator[Organization]]) -> Service:
    """The service, with a demo organization of the test's own."""
    return Service(server, next(organizations[1]))


@pytest.fixture
def elsewhere(server: Server, organizations: tuple[Path, Iterator[Organization]]) -> Service:
    """The service, as another organization knows it."""
    return Service(server, next(organizations[1]))


class Watch:
    """What the pages of a test complained of."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.complaints: list[str] = []
        self.expected: list[str] = []

    def over(self, page: Page) -> None:
        """Watch a page."""
        page.on(
            "console",
            lambda message: (
                self.complaints.append(f"{message.text} ({message.location['url']})")
                if message.type == "error"
                else None
            ),
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.look_at(request.url))

    def look_at(self, url: str) -> None:
        """Complain of a request that leaves the origin."""
        if not url.startswith((self.origin, "data:", "blob:")):
            self.complaints.append(f"request to {url}")

    def expect(self, part: str) -> None:
        """Complaints with this in them are what the test is about."""
        self.expected.append(part)

    @property
    def unexpected(self) -> list[str]:
        """All complaints but the expected ones."""
        return [
            complaint
            for complaint in self.complaints
            if not any(part in complaint for part in self.expected)
        ]


@pytest.fixture
def watch(service: Service) -> Iterator[Watch]:
    """Watches all pages of the test."""
    watch = Watch(service.url)
    yield watch
    assert watch.unexpected == []


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, service: Service, watch: Watch) -> Iterator[OpenPage]:
    """Opens an address in a browser context of its own, signed in as somebody or nobody.

    Keyword arguments beyond those are the context's: `viewport`, `locale`, `has_touch` and so on.
    """
    contexts: list[BrowserContext] = []

    def open_page(address: str = "/", email: str | None = ADMIN, **options: object) -> Page:
        options = {"base_url": service.url, "reduced_motion": "reduce", **options}
        context = browser.new_context(**options)  # type: ignore[arg-type]
        contexts.append(context)
        context.set_default_timeout(LONGEST)
        if email:
            answer = context.request.post("/session", data={"token": service.tokens[email]})
            assert answer.ok, answer.text()
        page = context.new_page()
        watch.over(page)
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()


def settle(page: Page) -> None:
    """Wait until nothing is loading any more."""
    expect(page.locator("[class*=Skeleton]")).to_have_count(0)

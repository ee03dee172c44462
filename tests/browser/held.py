"""Requests of a page that wait until the test lets them go on."""

from playwright.sync_api import Page, Route

from tests.browser.until import until


class Held:
    """The page's requests to this address with this in their bodies, from now on.

    A page may show that it is loading before its request comes by here: `next` waits for it, and
    `release` lets go on, too, what comes only later.
    """

    def __init__(self, page: Page, part: str = "", address: str = "**/graphql") -> None:
        self._page = page
        self._part = part
        self._are_held = True
        self.waiting: list[Route] = []
        page.route(address, self._hold)

    def _hold(self, route: Route) -> None:
        if self._are_held and self._part in (route.request.post_data or ""):
            self.waiting.append(route)
        else:
            route.fallback()  # another may hold it

    def next(self) -> Route:
        """The one that has waited longest, once there is one. The test says what becomes of it.

        Raises TimeoutError: none came.
        """
        until(self._page, lambda: self.waiting)
        return self.waiting.pop(0)

    def release(self) -> None:
        """Let all go on, also those that are yet to come."""
        self._are_held = False
        while self.waiting:
            self.waiting.pop(0).continue_()

"""Waiting for what Playwright's `expect` cannot tell."""

from collections.abc import Callable

from playwright.sync_api import Page

LONGEST = 30_000
"""Milliseconds to wait for what is yet to come; a busy machine may need many."""

STEP = 10
"""Milliseconds between two looks."""


def draw(page: Page) -> None:
    """Have the page draw what it knows by now, however long that takes."""
    page.evaluate(
        "() => new Promise((done) =>"
        " requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"
    )


def until(page: Page, holds: Callable[[], object]) -> None:
    """Wait until something holds. Raises TimeoutError.

    (Playwright's own `wait_for_function` makes code of text within the page each time that it looks
    again, which our policy forbids.)
    """
    for _ in range(0, LONGEST, STEP):
        if holds():
            return
        page.wait_for_timeout(STEP)
    raise TimeoutError("It never came to that.")

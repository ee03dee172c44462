"""Where things are on the screen, in pixels."""

from playwright.sync_api import Locator

from tests.browser.until import until


def left_and_right(locator: Locator) -> tuple[float, float]:
    """Where something begins and ends on the screen."""
    box = locator.bounding_box()
    assert box
    return box["x"], box["x"] + box["width"]


def top_and_bottom(locator: Locator) -> tuple[float, float]:
    """Where something begins and ends on the screen, from its upper edge."""
    box = locator.bounding_box()
    assert box
    return box["y"], box["y"] + box["height"]


def until_beside(left: Locator, right: Locator) -> None:
    """Wait until one thing ends where the other begins, or before.

    What scrolls learns how high it is only once it is there, and then makes room for its bar.
    """
    until(left.page, lambda: left_and_right(left)[1] <= left_and_right(right)[0])


def until_above(upper: Locator, lower: Locator) -> None:
    """Wait until one thing ends where the one below it begins, or before."""
    until(upper.page, lambda: top_and_bottom(upper)[1] <= top_and_bottom(lower)[0])

"""axe-core, which finds what keeps people from using a page."""

from typing import Any, Literal

from playwright.sync_api import Page

from tests.browser.service import ROOT
from tests.browser.until import until

SOURCE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"

THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")

OPTIONS = {
    "resultTypes": ["violations"],
    "rules": {"target-size": {"enabled": True}},  # of WCAG 2.2, which axe leaves out by default
}

SCHEME = "document.documentElement.dataset.mantineColorScheme"

NOTHING_FADES = "!document.getAnimations().some((each) => each instanceof CSSTransition)"
"""Colours fade from one theme to the other."""


def grave_findings(page: Page) -> list[str]:
    """What axe finds at the moderate level or above, in the light and in the dark theme."""
    found: list[str] = []
    for theme in THEMES:
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        until(page, lambda: page.evaluate(SCHEME) == theme)  # noqa: B023
        until(page, lambda: page.evaluate(NOTHING_FADES))
        found += [f"{theme}: {each}" for each in findings_as_is(page)]
    return found


def findings_as_is(page: Page) -> list[str]:
    """What axe finds at the moderate level or above, in the theme that the page is in."""
    page.evaluate(SOURCE.read_text())
    violations: list[dict[str, Any]] = page.evaluate(
        "async (options) => (await axe.run(document, options)).violations", OPTIONS
    )
    return [
        f"{violation['id']}: {node['html'][:200]} {node['failureSummary'][:300]}"
        for violation in violations
        if violation["impact"] in ("moderate", "serious", "critical")
        for node in violation["nodes"]
    ]

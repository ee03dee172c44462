"""Messages for people at an address outside of the console: as a small page, or plain text."""

from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

# In the console's colours, and the theme that the browser prefers. Without scripts or any other
# file, so that it shows even if the console is not built.
PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title} – Cohort</title>
<link rel="icon" type="image/svg+xml" href="/favicon.svg">
<style>
:root {{ --ground: #fff; --text: #000; --line: #dee2e6; --code: #f1f3f5; --link: #3b5bdb }}
@media (prefers-color-scheme: dark) {{
  :root {{ --ground: #242424; --text: #c9c9c9; --line: #424242; --code: #2e2e2e; --link: #91a7ff }}
}}
body {{
  display: grid; place-items: center; min-height: 100dvh; margin: 0; padding: 1rem;
  box-sizing: border-box; background: var(--ground); color: var(--text);
  font: 1rem/1.55 -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif;
}}
main {{
  box-sizing: border-box; width: 100%; max-width: 32rem; padding: 2rem;
  border: 1px solid var(--line); border-radius: .5rem;
}}
h1 {{ margin: 0 0 1rem; font-size: 1.625rem; line-height: 1.35 }}
p {{ margin: 0 0 1rem }}
code {{
  display: block; padding: .5rem .75rem; border-radius: .25rem; background: var(--code);
  font-size: .875rem; overflow-wrap: anywhere;
}}
a {{ color: var(--link) }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
{text}
<a href="/">Go to Cohort</a>
</main>
</body>
</html>
"""


def message_page(
    request: Request, title: str, message: str, status: int, headers: dict[str, str] | None = None
) -> Response:
    """A response with a message: a page for a browser, plain text for any other client.

    The first line of the message is a sentence; the others are commands to type.
    """
    headers = {"Vary": "Accept", **(headers or {})}
    if "text/html" not in request.headers.get("accept", ""):
        return PlainTextResponse(message, status, headers)
    sentence, *commands = message.splitlines()
    text = "\n".join(
        [
            f"<p>{escape(sentence)}</p>",
            *(f"<p><code>{escape(line)}</code></p>" for line in commands),
        ]
    )
    return HTMLResponse(PAGE.format(title=escape(title), text=text), status, headers)

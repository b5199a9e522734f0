"""Text out of the HTML that sources put into titles and summaries."""

import re
from html.parser import HTMLParser

from sentiment_platform.news.items import tidy


class _Text(HTMLParser):
    """Collects character data; block ends become blanks, scripts and styles are left out."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self._silent += tag in ("script", "style")
        if tag in ("p", "br", "div", "li", "td", "tr", "h1", "h2", "h3"):
            self.parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("script", "style") and self._silent > 0

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data)


def plain_text(markup: object) -> str | None:
    """The text of `markup` without its tags and with its entities read; None when nothing is left. Plain text stays as it is."""
    text = tidy(markup)
    if text is None or not re.search(r"<[A-Za-z!/]|&[#\w]+;", text):
        return text
    reader = _Text()
    reader.feed(text)
    reader.close()
    return tidy("".join(reader.parts))

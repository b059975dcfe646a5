"""Markdown as people write it, to HTML that is safe to show and text that is safe to search."""

from html import escape, unescape
from typing import Any

import nh3
from markdown_it import MarkdownIt

from services.practices.schemas import MARKDOWN

TAGS = {
    *("p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
}
SCHEMES = {"http", "https", "mailto"}
# HTML within Markdown is shown as the text it is; pictures would call home.
_markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")

# Around a match in text that is not escaped yet: no text holds them (`plain` takes them out).
MARK, UNMARK = "\ue000", "\ue001"


def html(text: str) -> str:
    """Clean HTML: only the tags above, links only to the schemes above and without referrer."""
    return nh3.clean(
        _markdown.render(text),
        tags=TAGS,
        attributes={"a": {"href", "title"}, "ol": {"start"}},
        url_schemes=SCHEMES,
        link_rel="noopener noreferrer nofollow",
    ).strip()


def fields(content: dict[str, Any]) -> dict[str, str | None]:
    """The HTML of each Markdown field."""
    return {name: html(content[name]) if content.get(name) else None for name in MARKDOWN}


def plain(rendered: dict[str, str | None]) -> str:
    """The words of rendered fields, without any markup."""
    text = "\n".join(unescape(nh3.clean(part, tags=set())) for part in rendered.values() if part)
    return text.replace(MARK, "").replace(UNMARK, "")


def marked(headline: str) -> str:
    """A headline whose matches stand between MARK and UNMARK, as HTML."""
    return escape(headline).replace(MARK, "<mark>").replace(UNMARK, "</mark>")

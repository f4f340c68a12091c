"""Markdown as agents write it, rendered for a chat."""

from takopi.core.clean import clean_text
from takopi.core.markdown.blocks import BlockWriter
from takopi.core.markdown.builder import RichBuilder
from takopi.core.markdown.links import is_web_link, link_url
from takopi.core.markdown.parser import parse_markdown
from takopi.core.richtext import RichText

__all__ = ["clean_text", "is_web_link", "link_url", "render_markdown"]


def render_markdown(source: str) -> RichText:
    """Render Markdown as text and entities that a chat accepts.

    Nothing an agent wrote disappears but the marks themselves: HTML stays visible text, and a
    link that a chat would refuse shows where it leads. Never raises; time is linear in the text.

    Args:
        source: CommonMark with tables, strikethrough and task lists.
    """
    out = RichBuilder()
    BlockWriter(out, parse_markdown(clean_text(source))).write()
    return out.build()

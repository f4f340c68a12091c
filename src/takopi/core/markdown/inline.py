"""Words with their emphasis, code and links, out of markdown-it's inline tokens."""

from collections.abc import Sequence

from markdown_it.token import Token

from takopi.core.markdown.builder import RichBuilder
from takopi.core.markdown.links import is_mail_link, link_url
from takopi.core.richtext import EntityKind

__all__ = ["plain_words", "write_inline"]

_STYLES: dict[str, EntityKind] = {"em": "italic", "strong": "bold", "s": "strikethrough"}
_BREAKS = {"softbreak", "hardbreak"}


def write_inline(out: RichBuilder, tokens: Sequence[Token], *, in_link: bool = False) -> None:
    """Write inline tokens.

    A line end in the source stays one: agents write lists, logs and addresses that way.

    Args:
        tokens: The children of one inline token, or of one image.
        in_link: The tokens are a link's label, which cannot hold another link.
    """
    index = 0
    while index < len(tokens):
        token = tokens[index]
        index += 1
        if token.type == "link_open":
            end = _link_end(tokens, index)
            target = str(token.attrs["href"])
            if token.markup == "autolink" and not (link_url(target) or is_mail_link(target)):
                out.text(f"<{target}>")  # `vector<std::string>` has the form of an address
            else:
                _write_link(out, target, tokens[index:end], in_link=in_link)
            index = end + 1
        elif token.type == "image":
            _write_link(out, str(token.attrs["src"]), token.children or (), in_link=in_link)
        elif token.type == "code_inline":
            out.code(token.content)
        elif token.type in _BREAKS:
            out.text("\n")
        elif token.tag in _STYLES and token.nesting == 1:
            out.open(_STYLES[token.tag])
        elif token.tag in _STYLES and token.nesting == -1:
            out.close()
        else:
            out.text(token.content)


def plain_words(tokens: Sequence[Token]) -> str:
    """Return the text of inline tokens without any formatting."""
    words = []
    for token in tokens:
        if token.type == "image":
            words.append(plain_words(token.children or ()))
        elif token.type in _BREAKS:
            words.append("\n")
        else:
            words.append(token.content)
    return "".join(words)


def _link_end(tokens: Sequence[Token], start: int) -> int:
    """Find the end of the link whose label starts here; the label may hold `<addresses>`."""
    depth, index = 1, start
    while depth:
        depth += {"link_open": 1, "link_close": -1}.get(tokens[index].type, 0)
        index += 1
    return index - 1


def _write_link(out: RichBuilder, target: str, label: Sequence[Token], *, in_link: bool) -> None:
    """Write a link, or an image: its words and where they lead."""
    url = link_url(target)
    words = plain_words(label).strip()
    if url is not None:
        _write_accepted(out, url, label if words else (), in_link=in_link)
    elif is_mail_link(target):
        address = target[7:]
        write_inline(out, label, in_link=in_link)
        if address not in words:
            out.text(f" ({address})" if words else address)
    elif _names(words, target):
        out.code(target)
    else:
        write_inline(out, label, in_link=in_link)
        _write_target(out, target, after_words=bool(words))


def _write_accepted(out: RichBuilder, url: str, label: Sequence[Token], *, in_link: bool) -> None:
    """Write a link that a chat accepts; one without words shows its address.

    In another link (a badge, mostly) it is words only: the outer one is the one to follow.
    """
    if not in_link:
        out.open("text_link", url)
    if label:
        write_inline(out, label, in_link=True)
    else:
        out.text(url)
    if not in_link:
        out.close()


def _write_target(out: RichBuilder, target: str, *, after_words: bool) -> None:
    """Show where a link leads that a chat would refuse."""
    if not target.strip():
        return
    if not after_words:
        out.code(target)
        return
    out.text(" (")
    out.code(target)
    out.text(")")


def _names(words: str, target: str) -> bool:
    """Tell whether a label says nothing that the path itself does not say."""
    if not words:
        return False
    path = "/" + target
    return path.endswith("/" + words) or any(f"/{words}{mark}" in path for mark in "#:?")

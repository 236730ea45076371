"""What of a body's blocks is not the post: its title again, bylines, credits, and what trails behind it. No I/O."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from archive import furniture
from archive.render import Block, Shape

_SENTENCE = re.compile(r"[.!?…。！？:][\"'”’»)\]]*$")
_DATE = re.compile(
    r"\b(?:19|20)\d\d\b|\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b|\b\d{1,2}:\d\d\b|\b\d+\s*(?:min|mins|minutes?|hours?|days?|weeks?|months?)\b",
    re.I,
)
_BYLINE = re.compile(
    r"^(?:by|von|par|por|di|da|door|av|автор|autor|author|written by|text|words|posted|published|updated|last updated|"
    r"veröffentlicht|aktualisiert|publié|mis à jour|publicado|actualizado|pubblicato|aggiornato|reading time|lesezeit|"
    r"\d+ min(?:ute)?s?(?: read)?)\b",
    re.I,
)
_CREDIT = re.compile(
    r"^(?:\(?(?:photos?|images?|pictures?|photographs?|illustrations?|graphics?|fotos?|bild(?:er)?|grafik|credits?|image credits?|"
    r"photo credits?|bildquelle|quelle|crédits?|crédit photo|foto credit|imagen|immagine|video|featured image|header image|"
    r"cover image|cover photo)(?:\s+(?:by|via|from|courtesy|credits?|von|de|di))?\s*[:/©|]|©|\(c\)\s|(?:photos?|images?) (?:by|via|courtesy)\b)",
    re.I,
)
_ALSO = re.compile(
    r"^[\[(>»→•▶►*\s-]*(?:also read|read also|read more|read next|see also|must read|more on this|more|related(?: \w+)?|recommended|"
    r"don.t miss|you (?:may|might) also (?:like|enjoy)|watch|listen|lees ook|lue myös|läs också|les også|lire aussi|à lire aussi|à lire|voir aussi|lesen sie (?:auch|hier|mehr)|"
    r"lies auch|auch lesen|auch interessant|schon gelesen|zum weiterlesen|siehe auch|mehr zum thema|mehr dazu|passend dazu|"
    r"das (?:thema )?könnte (?:dich|sie|euch) auch interessieren|lea(?: también| más)?|leer también|lee también|mira(?: también)?|"
    r"puedes? ver|ver también|te puede interesar|le puede interesar|te puede gustar|leggi anche|vedi anche|leia também|leia mais|"
    r"читайте также|смотрите также|по теме|zobacz (?:też|także|również)|czytaj (?:też|także|również|więcej)|przeczytaj (?:także|też|również))"
    r"\b[^:]{0,25}[:|?–-]",
    re.I,
)
_TAIL = re.compile(
    r"^(?:\(?(?:c\)|©)|copyright\b|all rights reserved|source:|quelle:|sources?:|fuente:|fonte:|via:|photo|image|credit|tags?:|tagged|topics?:|"
    r"filed under|categor|keywords?|share|follow|subscribe|sign up|join (?:us|our|the)|like us|leave a|comments?\b|post a|read more|"
    r"read next|related|more from|more on|about the author|about us|posted|published|updated|last (?:updated|modified)|previous|next\b|"
    r"older|newer|back to|return to|click (?:here|to)|contact us|advertis|sponsored|newsletter|download the app|follow us|kommentar|teilen|"
    r"schlagw|kategorie|mehr zu|weitere|folgen sie|artikel |partager|suivez|compart|sígue|síguenos|seguici|condividi|image source|"
    r"image credit|photo credit|photo by|image by|picture|featured image|this (?:article|post|story|entry) (?:was|is|has|first|originally)|"
    r"originally (?:published|posted)|first published|reprinted|reposted|cross-?posted|permalink|print\b|email\b|reply\b|report\b|"
    r"thanks for reading|view all|see all|load more|show more|loading|please |enjoyed this|did you (?:like|enjoy)|if you (?:like|enjoy|liked|enjoyed)|"
    r"want (?:more|to)|get (?:the|our|more|updates)|sign-up|register|log in|login|donate|support (?:us|our|this|me)|buy me)",
    re.I,
)
_PLEA = re.compile(
    r"\b(?:newsletter|subscribe|sign up|inbox|mailing list|all rights reserved|follow (?:us|me|him|her|them) on|on twitter|on facebook|"
    r"patreon|abonnieren|abonnez|suscríbete|iscriviti|email alerts|push notifications|terms of (?:use|service)|privacy policy|"
    r"affiliate (?:links?|commission)|may earn (?:a|an) |our standards|"
    r"is not responsible for the (?:opinions|content)|copyrighted property|written permission|reprint(?:ed)? (?:in|with)|"
    r"last modified|impressum|lettre d.information|apps? for ios|telegram|whatsapp|push-?nachricht|unterstütze|abonn|subskrypc|"
    r"letter to the editor|stay up to date|latest (?:news|updates|stories)|never miss|unsere(?:n|m)? (?:newsletter|podcast)|"
    r"suscr[ií]b|canal de|únete|follow .{3,40} (?:twitter|instagram|facebook|linkedin)|is a (?:staff|freelance|senior)? ?(?:writer|reporter|editor|journalist|contributor|author)\b|follow .{3,30} @\w+|@\w+\.(?:com|org|net))",
    re.I,
)
_DISCLOSURE = re.compile(
    r"^[*(]?(?:this (?:post|article|page|story|site) (?:may )?contains? (?:affiliate|references|sponsored|links)|"
    r"(?:as an )?amazon associate|disclosure:|disclaimer:|affiliate disclosure|editorial note:|we may (?:receive|earn)|"
    r"anzeige,? enthält|enthält (?:unbezahlte )?werbung|werbung\b.{0,40}(?:links|kooperation)|products are chosen independently|"
    r"when you (?:buy|purchase) through|if you (?:buy|purchase) (?:something )?(?:through|from))"
    r"|(?:sign(?:ing)? up|subscribe|abonnier\w*|abonnez|suscr[ií]b\w*)\b.{0,60}\bnewsletter",
    re.I,
)
_DISCLOSURE_LENGTH = 300
_BIO = re.compile(
    r"^(?:about )?(?:(?:dr|prof|mr|mrs|ms)\.? )?(?:[A-ZÄÖÜÉ][\w.'’-]+ ){1,4}(?:is|was|has|works|writes|lives|covers|ist|schreibt|arbeitet|est|es|è)\b"
    r".*\b(?:author|writer|editor|founder|co-founder|journalist|blogger|reporter|correspondent|professor|consultant|director|"
    r"contributor|columnist|photographer|strategist|manager|ceo|specialist|engineer|autorin?|redakteurin?|journalistin?|gründerin?|"
    r"rédact\w+|periodista|redactora?|giornalista)\b",
    re.S,
)
_AGENCY = re.compile(
    r"\b(?:REUTERS|AFP|AP Photo|EPA|dpa|Getty Images|Shutterstock|iStock(?:\.com)?)(?:[/ |][^.!?]{0,60})?\)?$|[Ll]icensing [Rr]ights|"
    r"(?:[(.]\s*|\s)(?:Bild|Foto|Photo|Image|Credit|Quelle|Source|Illustration|Grafik)s?(?: by| credit)?:\s?[\w .,/&'’-]{3,60}\)?$|"
    r"©\s?[\w .,/&'’-]{2,60}\)?$"
)
_BIO_LENGTH = 700
_CAPTION_LENGTH = 400
_PROSE = 80
_PARAGRAPH = 120
_LINE = 40
_HEAD_LINE = 90
_CREDIT_LENGTH = 130
_ALSO_LENGTH = 250
_TAIL_LENGTH = 120
_PLEA_LENGTH = 320
_LEAST = 500
"""Characters of a post below which nothing that could be a sentence of it is cut off."""
_HEAD_BLOCKS = 8
_TAIL_BLOCKS = 12
_MOST = 0.6
_HALF = 0.5


def trimmed(blocks: Sequence[Block], titles: Collection[str]) -> list[Block]:
    """The blocks that are the post's; `titles` are what the page says that its title is."""
    kept = [block for block in _without_boxes(_once(blocks)) if _is_own(block)]
    return _without_tail(_without_head(kept, {furniture.folded(title) for title in titles}))


def is_prose(block: Block) -> bool:
    """Whether a block is running text."""
    if block.shape is Shape.CODE:
        return True
    if block.shape is Shape.HEADING:
        return len(block.plain) - block.linked >= _PARAGRAPH
    if block.shape not in (Shape.PARAGRAPH, Shape.ITEM, Shape.QUOTE):
        return False
    bare = len(block.plain) - block.linked
    if block.linked > _HALF * len(block.plain):
        return False
    return bare >= _PROSE or (bare >= _LINE and _SENTENCE.search(block.plain) is not None)


def _once(blocks: Sequence[Block]) -> list[Block]:
    """Each paragraph once: some pages hold the post two or three times, for screens of several sizes."""
    seen: set[str] = set()
    kept: list[Block] = []
    for block in blocks:
        if (
            len(block.plain) < (_LINE if len(kept) < _HEAD_BLOCKS else _PARAGRAPH)
            or block.shape is Shape.CODE
            or block.plain not in seen
        ):
            kept.append(block)
        seen.add(block.plain)
    return kept


def _without_boxes(blocks: Sequence[Block]) -> list[Block]:
    """Without what stands under headings such as "Related posts", up to running text or another heading."""
    kept: list[Block] = []
    closed = False
    for block in blocks:
        if furniture.opens_furniture(_bare(block)) or furniture.opens_comments(_bare(block)):
            closed = True
        elif closed and (is_prose(block) or block.shape in (Shape.HEADING, Shape.TABLE, Shape.CAPTION)):
            closed = False
        if not closed:
            kept.append(block)
    return kept


def _is_own(block: Block) -> bool:
    if block.shape in (Shape.CODE, Shape.TABLE, Shape.EMBED):
        return True
    said = _bare(block)
    if not said or not any(map(str.isalnum, said)):
        return len(said) > 2 and block.shape is not Shape.CAPTION  # noqa: PLR2004  a rule of stars
    if not furniture.keep_line(said):
        return False
    if len(said) < _ALSO_LENGTH and block.linked > 0.3 * len(said) and _ALSO.match(said):
        return False
    if len(said) < _DISCLOSURE_LENGTH and _DISCLOSURE.search(said):
        return False
    if len(said) < _CAPTION_LENGTH and _AGENCY.search(said):
        return block.shape is Shape.CAPTION
    return not (len(said) < _CREDIT_LENGTH and block.shape is not Shape.CAPTION and _CREDIT.match(said))


def _without_head(blocks: list[Block], titles: Collection[str]) -> list[Block]:
    first = next((at for at, block in enumerate(blocks) if is_prose(block)), len(blocks))
    again = -1
    for at, block in enumerate(blocks[: min(first + 1, _HEAD_BLOCKS)]):
        if furniture.folded(_bare(block)) in titles:
            again = at
    kept = [
        block
        for at, block in enumerate(blocks)
        if at > again or block.shape in (Shape.EMBED, Shape.CAPTION, Shape.CODE)
    ]
    first = next((at for at, block in enumerate(kept) if is_prose(block)), 0)
    return [block for block in kept[:first] if not _is_byline(block)] + kept[first:]


def _is_byline(block: Block) -> bool:
    if block.shape not in (Shape.PARAGRAPH, Shape.ITEM, Shape.QUOTE) or len(block.plain) >= _HEAD_LINE:
        return False
    said = _bare(block)
    return bool(_BYLINE.match(said) or _DATE.search(said) or block.linked > _MOST * len(block.plain))


def _without_tail(blocks: list[Block]) -> list[Block]:
    end = len(blocks)
    left = sum(len(block.plain) for block in blocks)
    for _ in range(_TAIL_BLOCKS):
        if end <= 1 or not _is_tail(blocks[end - 1]):
            break
        left -= len(blocks[end - 1].plain)
        if is_prose(blocks[end - 1]) and left < _LEAST:
            break
        end -= 1
    last = max(
        (at for at, block in enumerate(blocks[:end]) if is_prose(block) or block.shape is Shape.TABLE), default=-1
    )
    if last < 0:
        return blocks[:end]
    return blocks[: last + 1] + [block for block in blocks[last + 1 : end] if not _trails(block)]


def _is_tail(block: Block) -> bool:
    """Whether the last block is no part of the post, prose or not."""
    said = _bare(block)
    if block.shape is Shape.HEADING:
        return not is_prose(block)
    if block.shape in (Shape.CODE, Shape.TABLE, Shape.EMBED, Shape.CAPTION):
        return False
    if len(said) < _TAIL_LENGTH and _TAIL.match(said):
        return True
    if len(said) < _PLEA_LENGTH and _PLEA.search(said):
        return True
    if len(said) < _BIO_LENGTH and _BIO.match(said):
        return True
    return block.linked > _MOST * len(block.plain) and len(said) < _TAIL_LENGTH


def _trails(block: Block) -> bool:
    said = _bare(block)
    return block.shape is Shape.HEADING or bool(_TAIL.match(said)) or block.linked > _MOST * len(block.plain)


def _bare(block: Block) -> str:
    return block.plain.removeprefix("- ")

# ruff: noqa: RUF001  texts in many languages
"""Pages whose charset is not declared, or declared wrongly, are read as their bytes say."""

from __future__ import annotations

import pytest

from archive.limits import DETECTED_BYTES
from archive.warc.codings import unicode_html

WRITTEN = {
    "ja": (
        "昨夜、川がまた増水し、朝には下の牧草地が茶色い水の湖になっていた。柵の杭が沈んだ船の帆柱のように立っていた。その日の午後、机の上に猫を乗せたまま、この文章をゆっくりと書いた。コーヒ"
        "ーを三杯飲んで、窓の外の雨を見ながら、子どもの頃に祖父と釣りに行った日のことを思い出した。あの川も同じように濁っていて、魚は一匹も釣れなかったけれど、帰り道に食べたおにぎりの味は今"
        "でも覚えている。"
    ),
    "ru": (
        "Ночью река снова поднялась, и к утру нижний луг превратился в озеро. Столбы забора торчали"
        " из бурой воды, как мачты затонувших лодок. Днём я медленно писал эту заметку, а кошка спа"
        "ла на столе. Потом"
    ),
    "uk": (
        "Уночі річка знову піднялася, і до ранку нижня лука перетворилася на озеро. Стовпи паркану "
        "стирчали з бурої води, наче щогли затонулих човнів. Удень я повільно писав цю нотатку, а к"
        "ішка спала на"
    ),
    "de": (
        "In der Nacht stieg der Fluss wieder, und am Morgen war die untere Wiese ein See aus braune"
        "m Wasser. Die Zaunpfähle ragten heraus wie die Masten versunkener Boote. Nachmittags schri"
        "eb ich langsam diese Zeilen, während die Katze auf dem Schreibtisch schlief. Größere Menge"
        "n süßer Käse wurden für die Gäste bereitgestellt, draußen"
    ),
    "fr": (
        "Dans la nuit, la rivière est montée de nouveau, et au matin le pré du bas était devenu un "
        "lac d’eau brune. Les piquets de la clôture dépassaient comme les mâts de bateaux coulés. L"
        "’après-midi, j’ai écrit ces lignes lentement, le chat couché sur le bureau. Puis j’ai bu t"
        "rois cafés en me rappelant les journées de pêche avec mon"
    ),
    "en": (
        "It’s been raining all night, and the river rose again – “a lake,” said the neighbour, “whe"
        "re the meadow was.” I wrote this slowly, with the cat asleep on the desk, in the little ca"
        "fé near the station. We paid £3 for two cups … and didn’t leave until noon. That’s what I’"
        "d call a good morning, naïve as it may sound. ©"
    ),
    "pl": (
        "W nocy rzeka znów wezbrała i rano dolna łąka zamieniła się w jezioro brunatnej wody. Słupk"
        "i ogrodzenia sterczały jak maszty zatopionych łodzi. Po południu powoli pisałem te słowa, "
        "a kot spał na biurku. Potem wypiłem trzy kawy i przypomniałem sobie, jak z dziadkiem chodz"
        "iliśmy na ryby. Rzeka była wtedy równie mętna, nic nie"
    ),
    "cs": (
        "V noci se řeka znovu zvedla a ráno byla spodní louka jezerem hnědé vody. Kůly plotu z ní t"
        "rčely jako stěžně potopených lodí. Odpoledne jsem pomalu psal tyto řádky a kočka spala na "
        "stole. Potom jsem vypil tři šálky kávy a vzpomněl si, jak jsme s dědečkem chodívali na ryb"
        "y. Řeka byla tehdy stejně kalná a nic jsme nechytili, ale"
    ),
    "el": (
        "Τη νύχτα το ποτάμι φούσκωσε πάλι και το πρωί το κάτω λιβάδι είχε γίνει μια λίμνη με καφέ ν"
        "ερό. Οι πάσσαλοι του φράχτη ξεπρόβαλλαν σαν κατάρτια βυθισμένων πλοίων. Το απόγευμα έγραφα"
        " αργά αυτές τις"
    ),
    "tr": (
        "Gece nehir yine yükseldi ve sabaha aşağıdaki çayır kahverengi bir göle dönmüştü. Çit direk"
        "leri batmış gemilerin direkleri gibi sudan çıkıyordu. Öğleden sonra kedi masanın üstünde u"
        "yurken bu satırları"
    ),
    "he": (
        "בלילה הנהר עלה שוב, ובבוקר האחו התחתון הפך לאגם של מים חומים. עמודי הגדר בלטו ממנו כמו תרנ"
        "ים של סירות טבועות. אחר הצהריים כתבתי לאט את השורות האלה, והחתול ישן על השולחן. אחר כך שתי"
        "תי שלוש כוסות קפה"
    ),
    "ar": (
        "في الليل ارتفع النهر مرة أخرى، وفي الصباح تحول المرج السفلي إلى بحيرة من الماء البني. كانت"
        " أعمدة السياج تبرز منها كأنها صواري سفن غارقة. بعد الظهر كتبت هذه السطور ببطء والقطة نائمة"
        " على المكتب. ثم"
    ),
    "ko": (
        "밤사이 강물이 다시 불어나 아침에는 아래쪽 목초지가 갈색 호수로 변해 있었다. 울타리 말뚝이 가라앉은 배의 돛대처럼 서 있었다. 오후에는 고양이를 책상 위에 눕혀"
        " 둔 채 이 글을 천천히 썼다. 커피를 세 잔 마시고 창밖의 비를 바라보며 어린 시절 할아버지와 낚시하러 갔던 날을 떠올렸다. 그날도 강은 흐렸고 물고기는 한 마"
        "리도 잡지 못했지만 집으로 돌아오던"
    ),
    "zh-cn": (
        "昨天夜里河水又涨了，到了早晨，下面的草地变成了一片褐色的湖。篱笆的木桩立在水里，像沉船的桅杆。下午我慢慢地写下这些文字，猫躺在书桌上睡觉。后来我喝了三杯咖啡，看着窗外的雨，想起小时"
        "候和爷爷去钓鱼的日子。那时的河水也是这样浑浊，我们一条鱼也没有钓到，但是回家的路我到现在还记得。这个周末如果天气好，我想再去一次。"
    ),
    "zh-tw": (
        "昨天夜裡河水又漲了，到了早晨，下面的草地變成了一片褐色的湖。籬笆的木樁立在水裡，像沉船的桅杆。下午我慢慢地寫下這些文字，貓躺在書桌上睡覺。後來我喝了三杯咖啡，看著窗外的雨，想起小時"
        "候和爺爺去釣魚的日子。那時的河水也是這樣混濁，我們一條魚也沒有釣到，但是回家的路我到現在還記得。這個週末如果天氣好，我想再去一次。"
    ),
    "th": (
        "เมื่อคืนแม่น้ำเอ่อขึ้นอีกครั้ง พอถึงตอนเช้าทุ่งหญ้าด้านล่างก็กลายเป็นทะเลสาบสีน้ำตาล เสารั"
        "้วโผล่ขึ้นมาเหมือนเสากระโดงเรือที่จมอยู่ ตอนบ่ายผมค่อย ๆ เขียนข้อความเหล่านี้โดยมีแมวนอนอย"
        "ู่บนโต๊ะ"
    ),
}
CHARSETS = [
    ("ja", "shift_jis"),
    ("ja", "euc_jp"),
    ("ja", "iso2022_jp"),
    ("ru", "cp1251"),
    ("ru", "koi8_r"),
    ("ru", "iso8859_5"),
    ("ru", "cp866"),
    ("uk", "koi8_u"),
    ("de", "cp1252"),
    ("fr", "cp1252"),
    ("en", "cp1252"),
    ("pl", "iso8859_2"),
    ("cs", "cp1250"),
    ("el", "cp1253"),
    ("tr", "cp1254"),
    ("he", "cp1255"),
    ("ar", "cp1256"),
    ("ko", "euc_kr"),
    ("zh-cn", "gbk"),
    ("zh-tw", "big5"),
    ("th", "cp874"),
]
PAGE = (
    "<html><head><title>P</title><script>var b = '<b>' + 1</script><style>@import url(a>b);</style></head><body>"
    "<div class=nav><a href=/>Home</a> <a href=/about>About</a> Archive Comments</div><p>{}</p><p>Powered by</p></body></html>"
)


def page(words: str, charset: str, head: str = "") -> bytes:
    return PAGE.replace("<title>", f"{head}<title>").format(words).encode(charset)


def shortened(words: str, charset: str, size: int) -> str:
    """The beginning of a text, as far as the charset has its characters."""
    return words[:size].encode(charset, "ignore").decode(charset)


@pytest.mark.parametrize("size", [50, 100, 1_000])
@pytest.mark.parametrize(("language", "charset"), CHARSETS, ids=str)
def test_a_page_that_declares_no_charset_is_readable(language: str, charset: str, size: int) -> None:
    words = shortened(WRITTEN[language], charset, size)
    assert words in unicode_html(page(words, charset), "text/html")


@pytest.mark.parametrize("mark", [True, False], ids=["with a mark", "without a mark"])
@pytest.mark.parametrize("charset", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_recognized(charset: str, mark: bool) -> None:
    bom = "\ufeff" if mark else ""
    shown = unicode_html((bom + PAGE.format(WRITTEN["ja"])).encode(charset), "text/html")
    assert shown == PAGE.format(WRITTEN["ja"])


@pytest.mark.parametrize("declared", ["iso-8859-1", "utf-8", "gb2312", "euc-kr", "hex", "x-unheard-of"])
@pytest.mark.parametrize("by", ["header", "meta"])
def test_a_declared_charset_that_the_bytes_are_not_in_does_not_count(declared: str, by: str) -> None:
    body = page(WRITTEN["ru"], "koi8_r", f"<meta charset={declared}>" if by == "meta" else "")
    kind = f"text/html; charset={declared}" if by == "header" else "text/html"
    assert WRITTEN["ru"] in unicode_html(body, kind)


def test_the_header_comes_before_the_markup_and_a_mark_before_both() -> None:
    words = WRITTEN["ru"]
    assert words in unicode_html(page(words, "cp1251", "<meta charset=koi8-r>"), "text/html; charset=windows-1251")
    assert words in unicode_html(page(words, "cp1251", "<meta charset=windows-1251>"), "text/html; charset=utf-8")
    assert words in unicode_html(page(words, "utf-8-sig", "<meta charset=koi8-r>"), "text/html; charset=windows-1251")


@pytest.mark.parametrize(
    ("language", "charset", "header"),
    [
        ("ru", "koi8-r", "windows-1251"),
        ("pl", "iso8859-2", "iso-8859-1"),
        ("ja", "euc-jp", "shift_jis"),
        ("ja", "shift_jis", "euc-jp"),
        ("el", "iso8859-7", "windows-1251"),
    ],
)
@pytest.mark.parametrize("before", [0, 6_000], ids=["early", "late"])
def test_the_markup_counts_if_the_bytes_contradict_the_header(
    language: str, charset: str, header: str, before: int
) -> None:
    words = shortened(WRITTEN[language], charset, 1_000)
    body = page(words, charset, f"<style>{' ' * before}</style><meta charset={charset}>")
    assert words in unicode_html(body, f"text/html; charset={header}")


@pytest.mark.parametrize("declared", ["us-ascii", "ascii", "iso-8859-1", "x-user-defined"])
def test_western_text_that_is_declared_as_ascii_is_readable(declared: str) -> None:
    for charset in ("cp1252", "utf-8"):
        assert WRITTEN["fr"] in unicode_html(page(WRITTEN["fr"], charset), f"text/html; charset={declared}")


@pytest.mark.parametrize("declared", ["iso-8859-1", "windows-1251", "gb2312", "shift_jis"])
def test_what_is_utf_8_throughout_is_utf_8(declared: str) -> None:
    for words in (WRITTEN["ru"], WRITTEN["ja"], WRITTEN["fr"]):
        assert words in unicode_html(page(words, "utf-8"), f"text/html; charset={declared}")


@pytest.mark.parametrize("kind", ["text/html", "text/html; charset=utf-8"])
@pytest.mark.parametrize("language", ["de", "ja", "ru"])
def test_a_few_bad_bytes_do_not_turn_utf_8_into_another_charset(kind: str, language: str) -> None:
    words = WRITTEN[language]
    for bad in (b"\x92", b"\xff", b"\xe3\x81", b"\xc3"):
        body = page(words, "utf-8").replace(b"Powered", b"Pow" + bad + b"ered")
        shown = unicode_html(body, kind)
        assert words in shown
        assert 1 <= shown.count("\ufffd") <= 2


def test_a_page_that_was_cut_within_a_character_keeps_its_declared_charset() -> None:
    for language, charset in (("ja", "shift_jis"), ("ko", "euc_kr"), ("zh-cn", "gbk"), ("ja", "utf-8")):
        body = f"<meta charset={charset.replace('_', '-')}><p>{WRITTEN[language]}".encode(charset)
        assert WRITTEN[language][:-2] in unicode_html(body[:-1], None)


@pytest.mark.parametrize("sign", ["© 2003", "£3", "Next »", "25°", "“Hi”", "naïve", "½ cup", "Björk", "€ 5"])
def test_a_sole_sign_in_an_english_page_is_western(sign: str) -> None:
    words = (
        f"<div>{sign}</div><p>It was a long day, and tomorrow we will go to the lake to see whether the boat is there."
    )
    assert f"<div>{sign}</div>" in unicode_html(page(words, "cp1252"), None)


def test_much_english_does_not_hide_a_few_other_words() -> None:
    english = "<p>The walk to the lake was long, and the code below shows how it was done.</p>" * 500
    for language, charset in CHARSETS:
        words = shortened(WRITTEN[language], charset, 60)
        assert words in unicode_html(f"{english}<p>{words}</p>{english}".encode(charset), None), charset


def test_damage_and_size_are_bounded() -> None:
    tags = b"<script" * 200_000 + b"\xe4\xf6\xfc"
    assert unicode_html(tags, None).startswith("<script<script")
    long = page(WRITTEN["ru"] * 2_000, "cp1251")
    assert len(long) > DETECTED_BYTES
    assert WRITTEN["ru"] in unicode_html(long, None)
    for odd in (b"", b"\x80", b"<", b"<!--\xe4", b"\x1b$", b"\x00" * 600):
        assert isinstance(unicode_html(odd, "text/html; charset="), str)

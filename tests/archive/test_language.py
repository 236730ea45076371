# ruff: noqa: RUF001  the sentences are in other alphabets
"""The language of a text, and when the page's own word on it counts."""

from __future__ import annotations

import pytest

from archive.extract.language import detect, fold, of

SENTENCES = {
    "en": "We tied the boat to the old pier and waited for the rain to stop before we walked up to the village shop.",
    "de": "Wir banden das Boot am alten Steg fest und warteten, bis der Regen aufhörte, bevor wir ins Dorf gingen.",
    "fr": "Nous avons attaché le bateau au vieux ponton et attendu la fin de la pluie avant de monter au village.",
    "es": "Atamos la barca al viejo muelle y esperamos a que dejara de llover antes de subir andando hasta el pueblo.",
    "pt": "Amarramos o barco ao velho cais e esperamos que a chuva parasse antes de subirmos a pé até à aldeia.",
    "it": "Abbiamo legato la barca al vecchio molo e aspettato che smettesse di piovere prima di salire al paese.",
    "nl": "We legden de boot vast aan de oude steiger en wachtten tot het droog werd voordat we naar het dorp liepen.",
    "sv": "Vi band fast båten vid den gamla bryggan och väntade tills regnet slutade innan vi gick upp till byn.",
    "da": "Vi bandt båden fast til den gamle bro og ventede på, at regnen holdt op, inden vi gik op til købmanden i byen.",
    "no": "Vi fortøyde båten ved den gamle brygga og ventet til det sluttet å regne før vi gikk opp til butikken i bygda.",
    "fi": "Sidoimme veneen vanhaan laituriin ja odotimme, että sade lakkaisi, ennen kuin kävelimme kylän kauppaan.",
    "pl": "Przywiązaliśmy łódkę do starego pomostu i czekaliśmy, aż przestanie padać, zanim poszliśmy do wioski.",
    "cs": "Přivázali jsme loďku ke starému molu a čekali, až přestane pršet, než jsme vyšli nahoru do vesnice.",
    "sk": "Priviazali sme loďku k starému mólu a čakali sme, kým prestane pršať, až potom sme vyšli hore do dediny.",
    "hu": "A csónakot a régi mólóhoz kötöttük, és megvártuk, hogy elálljon az eső, mielőtt felmentünk a faluba.",
    "ro": "Am legat barca de vechiul ponton și am așteptat să se oprească ploaia înainte de a urca pe jos până în sat.",
    "tr": "Tekneyi eski iskeleye bağladık ve köye yürümeden önce yağmurun dinmesini uzun süre bekledik.",
    "el": "Δέσαμε τη βάρκα στην παλιά προβλήτα και περιμέναμε να σταματήσει η βροχή πριν ανεβούμε στο χωριό.",
    "ru": "Мы привязали лодку к старому причалу и ждали, пока кончится дождь, прежде чем подняться в деревню.",
    "uk": "Ми прив'язали човен до старого причалу й чекали, доки вщухне дощ, перш ніж піднятися до села.",
    "bg": "Вързахме лодката за стария кей и изчакахме дъжда да спре, преди да се качим пеша до селото.",
    "ar": "ربطنا القارب بالرصيف القديم وانتظرنا حتى يتوقف المطر قبل أن نصعد سيرا على الأقدام إلى القرية.",
    "he": "קשרנו את הסירה למזח הישן וחיכינו שהגשם ייפסק לפני שעלינו ברגל אל הכפר.",
    "hi": "हमने नाव को पुराने घाट से बाँधा और गाँव की ओर चलने से पहले बारिश रुकने का इंतज़ार किया।",
    "zh": "我们把小船系在旧码头上，等雨停了以后才慢慢走到村子里的商店去买面包和牛奶。",
    "ja": "古い桟橋に小舟をつないで、雨がやむのを待ってから、村の店までゆっくり歩いて行きました。",
    "ko": "우리는 낡은 부두에 배를 묶어 두고 비가 그치기를 기다렸다가 마을 가게까지 천천히 걸어갔다.",
    "vi": "Chúng tôi buộc thuyền vào cầu tàu cũ và chờ mưa tạnh rồi mới đi bộ lên cửa hàng ở trong làng.",
    "th": "เราผูกเรือไว้กับท่าเรือเก่าและรอให้ฝนหยุดตกก่อนที่จะเดินขึ้นไปยังร้านค้าในหมู่บ้าน",
}
GERMAN = SENTENCES["de"]
CODE = """
from collections.abc import Iterable
def total(prices, *, rate=0.19):
    result = 0.0
    for price in prices:
        if price is None:
            continue
        result += price * (1 + rate)
    return round(result, 2)

class Basket(dict):
    def add(self, name, count=1):
        self[name] = self.get(name, 0) + count
        return self

print(total([1.0, 2.5, None]), Basket().add("rope").add("tar", 3))
"""
JSON = '{"name": "rope", "length": 12, "tags": ["tarred", "long"], "price": {"amount": 3.5, "unit": "m"}, "ok": true}'


@pytest.mark.parametrize("code", SENTENCES)
def test_the_language_of_a_sentence_is_detected(code: str) -> None:
    assert detect(SENTENCES[code]) == code


@pytest.mark.parametrize(
    "text", ["", " \n", "Guten Morgen!", "OK", "你好", "2020-03-03 12:00", "🙂" * 80, "\0" * 80, "\ud800" * 80]
)
def test_what_is_too_short_is_not_guessed(text: str) -> None:
    assert detect(text) is None


@pytest.mark.parametrize(
    "text", [CODE, JSON, "body { margin: 0; }\n.post > h1 { color: #333; font-weight: bold; }\n" * 4]
)
def test_code_has_no_language(text: str) -> None:
    assert detect(text) is None


def test_code_does_not_hide_the_prose_around_it() -> None:
    assert detect(f"{GERMAN}\n{CODE}\n{GERMAN}") == "de"


def test_two_languages_in_one_text_are_not_an_error() -> None:
    assert detect(f"{GERMAN} {SENTENCES['fr']}") in {"de", "fr", None}


def test_only_the_beginning_is_examined() -> None:
    assert detect(GERMAN * 20 + SENTENCES["fr"] * 1_000) == "de"


def test_detection_keeps_no_state() -> None:
    texts = [*SENTENCES.values(), CODE, JSON]
    assert [detect(text) for text in texts] == [detect(text) for text in reversed(texts)][::-1]


def test_the_text_wins_over_the_theme() -> None:
    assert of(GERMAN, stated="en") == ("de", "text")
    assert of(GERMAN, stated=None) == ("de", "text")


def test_the_page_is_the_source_if_it_agrees() -> None:
    assert of(GERMAN, stated="de-AT", source="meta") == ("de", "meta")
    assert of(SENTENCES["no"], stated="nb-NO") == ("no", "page")


def test_the_page_decides_if_the_text_does_not() -> None:
    assert of("Moin!", stated="de") == ("de", "page")
    assert of(CODE, stated="en-US", source="meta") == ("en", "meta")
    assert of("Moin!", stated=None) == (None, "page")


@pytest.mark.parametrize("stated", ["nds", "pap", "an"])
def test_a_stated_language_that_is_unknown_here_counts(stated: str) -> None:
    assert of(SENTENCES["es"], stated=stated) == (stated, "page")


def test_the_page_decides_between_languages_that_are_alike() -> None:
    croatian = "Privezali smo čamac za stari mol i čekali da kiša prestane prije nego što smo se popeli u selo po kruh i mlijeko."
    assert of(croatian, stated="bs") == ("bs", "page")


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("en-GB", "en"), ("PT_br", "pt"), (" de ", "de"), ("zh-Hant-TW", "zh"), ("nb", "no"), ("iw", "he"), ("fil", "tl"),
        ("gsw", "gsw"), ("deu", "de"), ("fre-CA", "fr"), ("", None), (None, None), ("english", None), ("-", None), ("123", None),
    ],
)  # fmt: skip
def test_a_tag_is_folded_to_its_language(tag: str | None, code: str | None) -> None:
    assert fold(tag) == code

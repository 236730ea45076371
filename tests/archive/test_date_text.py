"""Dates as pages write them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from archive.extract.date_text import DateStyle, in_url, instant, written_day

DAY = date(2020, 3, 3)


@pytest.mark.parametrize(
    "text",
    [
        "March 3, 2020", "Mar. 3rd, 2020", "3 March 2020", "3rd of March 2020", "3-Mar-2020", "3. März 2020", "3 mars 2020",
        "3 de marzo de 2020", "3 de março de 2020", "3 marzo 2020", "3 maart 2020", "3 марта 2020", "3 березня 2020",
        "3 marca 2020", "3. března 2020", "3 Mart 2020", "3. marts 2020", "2020年3月3日", "2020년 3월 3일", "2020-03-03",
        "2020/3/3", "3. maaliskuuta 2020", "3 Μαρτίου 2020", "2020. március 3.", "2020 m. kovo 3 d.", "2020. gada 3. marts",
        "3 במרץ 2020", "٣ مارس ٢٠٢٠", "3 آذار 2020", "3 มีนาคม 2563", "3 มี.ค. 2563", "令和2年3月3日", "民國109年3月3日",
        "3 tháng 3, 2020", "Ngày 3 tháng 3 năm 2020", "3 de març de 2020", "2020(e)ko martxoaren 3(a)", "3 मार्च 2020",
        "3 Maret 2020", "3. ožujka 2020.", "3-ші наурыз 2020", "3η Μαρτίου 2020", "2020年3月3号", "2020.03.03", "03.03.2020", "3.3.20", "03/03/2020", "03-03-2020", "Posted: 3 March 2020 at 09:15",
    ],
)  # fmt: skip
def test_a_date_is_parsed_in_many_languages(text: str) -> None:
    assert written_day(text) == DAY


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Top 10 of 2020",
        "3 March",
        "31.02.2020",
        "2020",
        "1.2.3.2020",
        "10.0.0.20",
        "Room 3 2020",
        "3/4",
        "12:30:20",
    ],
)
def test_a_text_without_a_whole_date_is_none(text: str) -> None:
    assert written_day(text) is None


@pytest.mark.parametrize(
    ("text", "month"),
    [
        ("5. června 2020", 6), ("5. července 2020", 7), ("5. červenec 2020", 7), ("5 lipca 2020", 7), ("5 juin 2020", 6),
        ("5 juillet 2020", 7), ("5. juil. 2020", 7), ("5. desember 2020", 12), ("5 май 2020", 5), ("5 мая 2020", 5),
        ("5 листопада 2020", 11), ("5 листопад 2020", 11), ("5 mrt 2020", 3), ("5. Mrz 2020", 3), ("Sept 5, 2020", 9),
    ],
)  # fmt: skip
def test_months_with_the_same_first_letters_are_distinguished(text: str, month: int) -> None:
    assert written_day(text) == date(2020, month, 5)


def test_the_first_date_counts() -> None:
    assert written_day("2 May 2021, changed on 2021-06-01") == date(2021, 5, 2)


def test_the_caller_states_whether_the_month_is_first() -> None:
    assert written_day("3/4/2020", DateStyle(month_first=True)) == date(2020, 3, 4)
    assert written_day("3/4/2020") == date(2020, 4, 3)
    assert written_day("3/25/2020") == date(2020, 3, 25)
    assert written_day("3.4.2020", DateStyle(month_first=True)) == date(2020, 4, 3)


@pytest.mark.parametrize(("language", "month"), [("hr", 10), ("pl", 11), ("", 11)])
def test_the_language_of_the_page_decides_between_months_of_one_name(language: str, month: int) -> None:
    assert written_day("5. listopada 2020", DateStyle(language=language)) == date(2020, month, 5)


@pytest.mark.parametrize("value", ["1714850000", 1714850000, 1714850000.0, "1714850000000", 1714850000000])
def test_an_instant_may_be_in_unix_time(value: object) -> None:
    assert instant(value) == datetime(2024, 5, 4, 19, 13, 20, tzinfo=UTC)


@pytest.mark.parametrize("value", ["20240504", "2024050419", "20240504191320", "2024-5-4T9:13"])
def test_a_day_may_be_written_without_dashes_or_zeros(value: str) -> None:
    assert instant(value) == date(2024, 5, 4)


@pytest.mark.parametrize("value", [True, "12345", 7, None, {}])
def test_other_values_are_no_instant(value: object) -> None:
    assert instant(value) is None


def test_an_instant_is_parsed_in_machine_formats() -> None:
    posted = instant("Thu, 21 Dec 2023 09:45:16 PST")
    assert isinstance(posted, datetime)
    assert posted.isoformat() == "2023-12-21T09:45:16-08:00"
    assert instant("2023-12-21T09:45:16") == date(2023, 12, 21)
    assert instant("yesterday") is None


def test_a_url_can_contain_a_date() -> None:
    assert in_url("https://blog.example/2020/03/03/rope") == DAY
    assert in_url("https://blog.example/2020/03/rope") is None
    assert in_url("https://blog.example/2020/13/03/rope") is None

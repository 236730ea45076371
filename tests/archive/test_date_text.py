"""Days as pages write them."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from archive.extract.date_text import in_url, instant, written_day

DAY = date(2020, 3, 3)


@pytest.mark.parametrize(
    "said",
    [
        "March 3, 2020", "Mar. 3rd, 2020", "3 March 2020", "3rd of March 2020", "3-Mar-2020", "3. März 2020", "3 mars 2020",
        "3 de marzo de 2020", "3 de março de 2020", "3 marzo 2020", "3 maart 2020", "3 марта 2020", "3 березня 2020",
        "3 marca 2020", "3. března 2020", "3 Mart 2020", "3. marts 2020", "2020年3月3日", "2020년 3월 3일", "2020-03-03",
        "2020/3/3", "2020.03.03", "03.03.2020", "3.3.20", "03/03/2020", "03-03-2020", "Posted: 3 March 2020 at 09:15",
    ],
)  # fmt: skip
def test_a_day_is_read_in_many_languages(said: str) -> None:
    assert written_day(said) == DAY


@pytest.mark.parametrize(
    "said",
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
def test_what_is_no_whole_day_is_none(said: str) -> None:
    assert written_day(said) is None


def test_the_first_day_counts() -> None:
    assert written_day("2 May 2021, changed on 2021-06-01") == date(2021, 5, 2)


def test_the_page_tells_whether_the_month_is_first() -> None:
    assert written_day("3/4/2020", month_first=True) == date(2020, 3, 4)
    assert written_day("3/4/2020") == date(2020, 4, 3)
    assert written_day("3/25/2020") == date(2020, 3, 25)
    assert written_day("3.4.2020", month_first=True) == date(2020, 4, 3)


def test_an_instant_is_read_as_machines_write_it() -> None:
    posted = instant("Thu, 21 Dec 2023 09:45:16 PST")
    assert isinstance(posted, datetime)
    assert posted.isoformat() == "2023-12-21T09:45:16-08:00"
    assert instant("2023-12-21T09:45:16") == date(2023, 12, 21)
    assert instant("yesterday") is None


def test_an_address_names_a_day() -> None:
    assert in_url("https://blog.example/2020/03/03/rope") == DAY
    assert in_url("https://blog.example/2020/03/rope") is None
    assert in_url("https://blog.example/2020/13/03/rope") is None

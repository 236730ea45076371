"""`python -m schedules` is `pressmark`."""

from schedules.entry import main

main()

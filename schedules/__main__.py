"""`python -m schedules` is `pressmark`."""

from schedules.cli import main

main()

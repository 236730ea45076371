"""The schedules: when. The daemon, and the `pressmark` command that joins all floors."""

"""Schedules: when to crawl. The daemon, and the `pressmark` command for all packages."""

"""The web app of the daemon: pages about feeds and jobs, and the web server."""

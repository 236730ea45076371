"""One crawl: the components that its spiders and middlewares share, and their state."""

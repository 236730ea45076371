"""The crawler: what to fetch and how politely. A Scrapy project."""

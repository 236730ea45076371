"""Between Scrapy and the wire: the download handler and the middlewares."""

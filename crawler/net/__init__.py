"""Rules for every request: address guard (SSRF), credentials, crawl delay, back-off, TLS names."""

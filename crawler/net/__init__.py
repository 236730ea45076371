"""What every request obeys: address guard (SSRF), credentials, crawl delay, TLS names."""

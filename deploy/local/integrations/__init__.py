"""What answers a request: an AWS service, an HTTP endpoint, or the template itself (mock)."""

"""API Gateway, queue, consumer and table on this machine."""

"""The Lambda functions that turn messages into users."""

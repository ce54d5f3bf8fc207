"""The Lambda functions that turn messages into the entities that a contract describes."""

"""Makes a Python SDK of an OpenAPI document: models, operations, a sync and an async client."""

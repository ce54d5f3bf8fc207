"""The stages of API Gateway's pipeline, one module each, by AWS's names."""

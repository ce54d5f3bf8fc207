"""The deployment: the contract, the CDK stack and the local runtime."""

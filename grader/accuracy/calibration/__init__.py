"""The service that latency is measured against; it runs in the sandbox, like a team's."""

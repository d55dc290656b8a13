"""What is spoken over the one port beside the pages: sign-in, git, the API, health and figures."""

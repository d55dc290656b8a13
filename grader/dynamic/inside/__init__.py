"""Programs of ours that run in the sandbox beside a team's code; nothing they say is trusted."""

"""The program of ours that runs learners' cells in the sandbox; nothing it says is trusted."""

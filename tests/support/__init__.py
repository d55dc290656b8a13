"""What tests of several folders share beyond fixtures."""

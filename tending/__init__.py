"""What people touch: the command line, the one long-lived process, the checks and the demo."""

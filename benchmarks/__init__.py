"""What Tending claims about speed, measured side by side with what a user would pick instead; ratios of one run."""

"""The desk: pages on which therapists see what asks for them and say what happened. No build step, no script, nothing from elsewhere."""

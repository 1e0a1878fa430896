"""A practice that does not exist, and the week in which Tending looks after it: `tending demo`."""

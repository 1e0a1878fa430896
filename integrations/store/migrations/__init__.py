"""The steps from an empty database to today's tables, in order, one file each under versions/."""

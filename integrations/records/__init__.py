"""Record systems: from the CSV files a practice can export to one reading of what they say."""

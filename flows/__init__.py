"""When things happen: Prefect flows, one file = one workflow = one flow of that name."""

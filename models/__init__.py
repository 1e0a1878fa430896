"""What the practice knows and decides: tables, cases, rules. No I/O, no Prefect, no database session."""

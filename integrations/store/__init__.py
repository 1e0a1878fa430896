"""The database: the only place with connections and queries. SQLite by default, PostgreSQL by address."""

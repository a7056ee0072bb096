-- Which migrations this database has had.
SELECT number, digest FROM schema_migrations ORDER BY number

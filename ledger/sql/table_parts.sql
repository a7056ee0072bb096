-- How many parts, rows and bytes the tables have: the merges still owed.
SELECT table, count() AS parts, sum(rows) AS rows, sum(bytes_on_disk) AS bytes
FROM system.parts WHERE active AND database = currentDatabase()
GROUP BY table ORDER BY table

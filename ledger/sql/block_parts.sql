-- How many rows and parts one block has: a whole block is one part.
SELECT count() AS rows, uniqExact(_part) AS parts FROM events WHERE block = {block:UInt64}

-- Blocks that hold rows beyond the last marker: none, or the one a kill left without its marker.
SELECT block, count() AS rows, uniqExact(_part) AS parts
FROM events WHERE block > {block:UInt64}
GROUP BY block ORDER BY block

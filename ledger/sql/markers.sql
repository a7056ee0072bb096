-- Markers in order, some at a time.
SELECT block, catalog, toUnixTimestamp64Milli(received) AS received, rows, accepted, conflicts, quarantined, duplicates,
    rejected, digest, chain
FROM blocks WHERE block BETWEEN {first:UInt64} AND {last:UInt64}
ORDER BY block LIMIT {limit:UInt64}

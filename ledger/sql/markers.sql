-- Every marker in order.
SELECT block, catalog, toUnixTimestamp64Milli(received) AS received, rows, accepted, conflicts, quarantined, duplicates,
    rejected, digest, chain
FROM blocks ORDER BY block

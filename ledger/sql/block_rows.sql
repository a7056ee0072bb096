-- The rows of a range of blocks as they were written, for digests and evidence.
SELECT block, row, catalog, received, outcome, tenant, source, id, type, subject, time, data, identity, content,
    quantities, dimensions, reason, count
FROM events WHERE block BETWEEN {first:UInt64} AND {last:UInt64}
ORDER BY block, row

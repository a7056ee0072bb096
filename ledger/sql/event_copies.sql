-- Every copy of one identity that is kept: the one that counts, and the ones that are evidence.
SELECT block, row, toUnixTimestamp64Milli(received) AS received, outcome, source, id, type, subject, time, data, reason
FROM events
WHERE tenant = {tenant:String} AND identity = {identity:UInt128} AND block <= {cutoff:UInt64}
    AND outcome IN ('accepted', 'conflict', 'quarantined')
ORDER BY block, row

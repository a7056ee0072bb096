-- The copies of one identity that are evidence; few events are, and the identities of the others are not even read.
SELECT block, row, toUnixTimestamp64Milli(received) AS received, outcome, source, id, type, subject, time, data, identity,
    reason
FROM events
PREWHERE outcome IN ('conflict', 'quarantined')
WHERE tenant = {tenant:String} AND identity = {identity:UInt128} AND block <= {cutoff:UInt64}
ORDER BY block, row

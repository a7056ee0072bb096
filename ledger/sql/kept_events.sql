-- Events of one outcome that are kept for people to look at, in order, from one place on.
SELECT block, row, toUnixTimestamp64Milli(received) AS received, source, id, type, subject, time, data, identity, reason
FROM events
WHERE tenant = {tenant:String} AND outcome = {outcome:String} AND block <= {cutoff:UInt64}
    AND (block, row) > ({block:UInt64}, {row:UInt32})
ORDER BY block, row
LIMIT {limit:UInt64}

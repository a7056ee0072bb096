-- The copies that count of some of a tenant's identities, in the blocks where they are.
SELECT block, row, toUnixTimestamp64Milli(received) AS received, outcome, source, id, type, subject, time, data, identity,
    reason
FROM events
WHERE outcome = 'accepted' AND tenant = {tenant:String} AND block IN {blocks:Array(UInt64)}
    AND identity IN {identities:Array(UInt128)}
ORDER BY block, row

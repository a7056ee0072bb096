-- The accepted copies of some identities, to compare a second copy with.
SELECT identity, block, row, type, subject, time, data
FROM events
WHERE outcome = 'accepted' AND block IN {blocks:Array(UInt64)} AND identity IN {identities:Array(UInt128)}

-- How many events of one tenant there were of each outcome, per source.
SELECT toString(outcome) AS outcome, source, sum(count) AS events
FROM events WHERE tenant = {tenant:String} AND block <= {cutoff:UInt64}
GROUP BY outcome, source ORDER BY source, outcome

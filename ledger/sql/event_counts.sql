-- How many events there were of each outcome, per tenant and source.
SELECT toString(outcome) AS outcome, tenant, source, sum(count) AS events
FROM events WHERE block <= {cutoff:UInt64}
GROUP BY outcome, tenant, source ORDER BY tenant, source, outcome

-- What usage of one tenant adds up to over all time, per meter.
SELECT meter, count() AS events, sum(quantity) AS quantity
FROM usage
WHERE tenant = {tenant:String} AND block <= {cutoff:UInt64} AND step IN (SELECT step FROM usage_steps)
GROUP BY meter ORDER BY meter

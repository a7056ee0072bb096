-- What usage of one tenant adds up to over all time, per meter.
SELECT meter, count() AS events, sum(quantity) AS quantity
FROM usage
WHERE tenant = {tenant:String} AND block <= {cutoff:UInt64} AND step NOT IN {cut_short:Array(UInt32)}
GROUP BY meter ORDER BY meter

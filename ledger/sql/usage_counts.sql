-- What usage holds of a period per meter, grouped by nothing a price could get wrong: the left side of conservation.
-- Only a period's edges are looked for first: nearly every row in it is below the cutoff.
SELECT meter, count() AS events, sum(quantity) AS quantity
FROM usage
PREWHERE tenant = {tenant:String}
    AND time >= fromUnixTimestamp64Milli({start:Int64}, 'UTC') AND time < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
WHERE block <= {cutoff:UInt64}
    AND step NOT IN {cut_short:Array(UInt32)}
GROUP BY meter ORDER BY meter

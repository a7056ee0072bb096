-- What usage holds of a period per meter, grouped by nothing a price could get wrong: the left side of conservation.
SELECT meter, count() AS events, sum(quantity) AS quantity
FROM usage
WHERE tenant = {tenant:String}
    AND time >= fromUnixTimestamp64Milli({start:Int64}, 'UTC') AND time < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
    AND block <= {cutoff:UInt64}
    AND step NOT IN {cut_short:Array(UInt32)}
GROUP BY meter ORDER BY meter

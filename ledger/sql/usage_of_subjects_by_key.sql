-- What one charge was made of, by some of the meter's dimensions: sums per values.
SELECT arrayMap(name -> dimensions[name], {names:Array(String)}) AS key, sum(quantity) AS quantity
FROM usage
WHERE tenant = {tenant:String} AND meter = {meter:String} AND subject IN {subjects:Array(String)}
    AND time >= fromUnixTimestamp64Milli({start:Int64}, 'UTC') AND time < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
    AND block <= {cutoff:UInt64}
    AND step NOT IN {cut_short:Array(UInt32)}
GROUP BY key ORDER BY key

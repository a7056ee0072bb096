-- What one charge was made of, in time: sums per stretch between two boundaries.
SELECT roundDown(toUnixTimestamp64Milli(time), {boundaries:Array(Int64)}) AS segment, sum(quantity) AS quantity
FROM usage
WHERE tenant = {tenant:String} AND meter = {meter:String} AND subject IN {subjects:Array(String)}
    AND time >= fromUnixTimestamp64Milli({start:Int64}, 'UTC') AND time < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
    AND block <= {cutoff:UInt64}
    AND step NOT IN {cut_short:Array(UInt32)}
GROUP BY segment ORDER BY segment

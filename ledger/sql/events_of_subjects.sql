-- The usage rows that one charge was made of, with where each event is.
SELECT block, row, meter, subject, toUnixTimestamp64Milli(time) AS time, quantity, digest
FROM usage
WHERE tenant = {tenant:String} AND meter = {meter:String} AND subject IN {subjects:Array(String)}
    AND time >= fromUnixTimestamp64Milli({start:Int64}, 'UTC') AND time < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
    AND block <= {cutoff:UInt64}
    AND step IN (SELECT step FROM usage_steps)
ORDER BY block, row

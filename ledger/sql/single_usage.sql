-- Every single usage of some meters in a period, in the order of its time; what has one time, in that of its arrival.
SELECT
    meter,
    subject,
    roundDown(toUnixTimestamp64Milli(time), {boundaries:Array(Int64)}) AS segment,
    quantity
FROM usage
PREWHERE tenant = {tenant:String} AND meter IN {meters:Array(String)}
    AND time >= fromUnixTimestamp64Milli({start:Int64}, 'UTC') AND time < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
WHERE block <= {cutoff:UInt64}
    AND step NOT IN {cut_short:Array(UInt32)}
ORDER BY time, block, row

-- The highest single usage of some meters in a period: per meter, subject and stretch between two boundaries.
SELECT
    meter,
    subject,
    roundDown(toUnixTimestamp64Milli(time), {boundaries:Array(Int64)}) AS segment,
    max(quantity) AS quantity
FROM usage
PREWHERE tenant = {tenant:String} AND meter IN {meters:Array(String)}
    AND time >= fromUnixTimestamp64Milli({start:Int64}, 'UTC') AND time < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
WHERE block <= {cutoff:UInt64}
    AND step NOT IN {cut_short:Array(UInt32)}
GROUP BY meter, subject, segment

-- A meter's usage of a period: sums per subject and stretch between two boundaries, of which there may be many.
SELECT
    subject,
    roundDown(toUnixTimestamp64Milli(time), {boundaries:Array(Int64)}) AS segment,
    sum(quantity) AS quantity
FROM usage
PREWHERE tenant = {tenant:String} AND meter = {meter:String}
    AND time >= fromUnixTimestamp64Milli({start:Int64}, 'UTC') AND time < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
WHERE block <= {cutoff:UInt64}
    AND step NOT IN {cut_short:Array(UInt32)}
GROUP BY subject, segment

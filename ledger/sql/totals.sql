-- Every customer's usage of a period in one pass: sums per meter, subject and stretch between two boundaries.
SELECT
    meter,
    subject,
    roundDown(toUnixTimestamp64Milli(time), {boundaries:Array(Int64)}) AS segment,
    sum(quantity) AS quantity,
    count() AS events,
    sum(digest) AS digest
FROM usage
WHERE tenant = {tenant:String}
    AND time >= fromUnixTimestamp64Milli({start:Int64}, 'UTC') AND time < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
    AND block <= {cutoff:UInt64}
    AND step NOT IN {cut_short:Array(UInt32)}
GROUP BY meter, subject, segment

-- Every customer's usage of a period in one pass: sums per meter, subject and stretch between two boundaries.
-- Of two halves, cut at a meter and subject as the key is, so that each reads its own.
-- Only a period's edges are looked for first: nearly every row in it is below the cutoff.
SELECT
    meter,
    subject,
    roundDown(toUnixTimestamp64Milli(time), {boundaries:Array(Int64)}) AS segment,
    sum(quantity) AS quantity,
    count() AS events,
    sum(digest) AS digest
FROM usage
PREWHERE tenant = {tenant:String}
    AND time >= fromUnixTimestamp64Milli({start:Int64}, 'UTC') AND time < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
WHERE block <= {cutoff:UInt64}
    AND step NOT IN {cut_short:Array(UInt32)}
    AND if({is_first:Bool}, meter < {meter:String} OR meter = {meter:String} AND subject < {subject:String},
           meter > {meter:String} OR meter = {meter:String} AND subject >= {subject:String})
GROUP BY meter, subject, segment

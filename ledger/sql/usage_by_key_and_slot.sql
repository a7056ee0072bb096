-- A meter's usage of a period by some of its dimensions and by slots of time, each of which begins at its instants: sums
-- per subject, stretch between two boundaries, values and slot.
SELECT
    subject,
    roundDown(toUnixTimestamp64Milli(time), {boundaries:Array(Int64)}) AS segment,
    arrayPushBack(
        arrayMap(name -> dimensions[name], {names:Array(String)}),
        transform(
            roundDown(toUnixTimestamp64Milli(time), {instants:Array(Int64)}),
            {instants:Array(Int64)},
            {slots:Array(String)},
            ''
        )
    ) AS key,
    sum(quantity) AS quantity
FROM usage
PREWHERE tenant = {tenant:String} AND meter = {meter:String}
    AND time >= fromUnixTimestamp64Milli({start:Int64}, 'UTC') AND time < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
WHERE block <= {cutoff:UInt64}
    AND step NOT IN {cut_short:Array(UInt32)}
GROUP BY subject, segment, key

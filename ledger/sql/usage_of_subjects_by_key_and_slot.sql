-- What one charge was made of, by some of the meter's dimensions and by slots of time, each of which begins at its
-- instants: sums per values and slot.
SELECT
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
WHERE tenant = {tenant:String} AND meter = {meter:String} AND subject IN {subjects:Array(String)}
    AND time >= fromUnixTimestamp64Milli({start:Int64}, 'UTC') AND time < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
    AND block <= {cutoff:UInt64}
    AND step NOT IN {cut_short:Array(UInt32)}
GROUP BY key ORDER BY key

-- Every single usage that one charge was made of, with what orders it: its time, then its arrival.
SELECT toUnixTimestamp64Milli(time) AS at, block, row, quantity
FROM usage
WHERE tenant = {tenant:String} AND meter = {meter:String} AND subject IN {subjects:Array(String)}
    AND time >= fromUnixTimestamp64Milli({start:Int64}, 'UTC') AND time < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
    AND block <= {cutoff:UInt64}
    AND step NOT IN {cut_short:Array(UInt32)}

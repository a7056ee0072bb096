-- Sum and highest single usage of some meters where one charge looks for its events.
SELECT meter, sum(quantity) AS total, max(quantity) AS highest
FROM usage
WHERE tenant = {tenant:String} AND meter IN {meters:Array(String)} AND subject IN {subjects:Array(String)}
    AND time >= fromUnixTimestamp64Milli({start:Int64}, 'UTC') AND time < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
    AND block <= {cutoff:UInt64}
    AND step NOT IN {cut_short:Array(UInt32)}
GROUP BY meter

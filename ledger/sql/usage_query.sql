-- Usage of one meter in a span of time, grouped by subject or dimensions, as known at a cutoff.
SELECT
    arrayMap(name -> if(name = 'subject', subject, dimensions[name]), {group_by:Array(String)}) AS key,
    sum(quantity) AS quantity,
    count() AS events
FROM usage
WHERE tenant = {tenant:String} AND meter = {meter:String}
    AND time >= fromUnixTimestamp64Milli({start:Int64}, 'UTC') AND time < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
    AND block <= {cutoff:UInt64}
    AND step NOT IN {cut_short:Array(UInt32)}
    AND (empty({subjects:Array(String)}) OR subject IN {subjects:Array(String)})
GROUP BY key ORDER BY key
LIMIT {limit:UInt64}

-- Where the index has the middle of a tenant's usage of a month: who reads all of it in two halves cuts it there.
-- Nothing there is the same as cutting before everything. Where parts overlap it is near the middle, which is as good.
SELECT arraySort(groupArray((toString(meter), subject)))[intDiv(count(), 2) + 1] AS middle
FROM mergeTreeIndex(currentDatabase(), usage)
WHERE tenant = {tenant:String}
    AND startsWith(part_name, toString(toYYYYMM(fromUnixTimestamp64Milli({instant:Int64}, 'UTC'))))

-- What the lines of one run that are of some kinds came to, in any order, but for usage and fees of some meters. Currencies
-- are places in the list that is given, and -1 if they are not there.
SELECT contract,
    transform(currency, {currencies:Array(String)},
        arrayMap(place -> toInt32(place), range(length({currencies:Array(String)}))), toInt32(-1)) AS currency,
    amount
FROM charges
WHERE run = {run:UInt64} AND kind IN {kinds:Array(String)}
    AND NOT (kind IN ('usage', 'fee') AND meter IN {but:Array(String)})

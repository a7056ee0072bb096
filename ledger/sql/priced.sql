-- What was priced in the lines of one run that are of some kinds, in any order, and what it came to; currencies and meters
-- are places in the lists that are given, and -1 where they are not there.
SELECT contract,
    transform(currency, {currencies:Array(String)},
        arrayMap(place -> toInt16(place), range(length({currencies:Array(String)}))), toInt16(-1)) AS currency,
    transform(meter, {meters:Array(String)},
        arrayMap(place -> toInt16(place), range(length({meters:Array(String)}))), toInt16(-1)) AS meter,
    window_start, window_end, events, quantity, amount
FROM charges WHERE run = {run:UInt64} AND kind IN {kinds:Array(String)}

-- What was priced in the lines of one run for usage of some meters, and for fees, whose meter is empty; in any order, with
-- what it came to. Currencies and meters are places in the lists that are given, and a currency is -1 if it is not there.
SELECT contract,
    transform(currency, {currencies:Array(String)},
        arrayMap(place -> toInt32(place), range(length({currencies:Array(String)}))), toInt32(-1)) AS currency,
    transform(meter, {meters:Array(String)},
        arrayMap(place -> toInt32(place), range(length({meters:Array(String)}))), toInt32(-1)) AS meter,
    window_start, window_end, events, quantity, amount
FROM charges WHERE run = {run:UInt64} AND kind IN ('usage', 'fee') AND charges.meter IN {meters:Array(String)}

-- What the lines of one run that are of some kinds charged each customer; 128 bits, because a sum of 64-bit integers wraps.
SELECT customer, currency, toDecimal128(sum(toInt128(amount)), 0) AS amount
FROM charges WHERE run = {run:UInt64} AND kind IN {kinds:Array(String)}
GROUP BY customer, currency

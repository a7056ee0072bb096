-- What some runs charged some contracts, and what of it commitments made; 128 bits, because a sum of 64-bit integers wraps.
SELECT run, contract, currency, toDecimal128(sumIf(toInt128(amount), kind != 'commitment'), 0) AS used,
    toDecimal128(sumIf(toInt128(amount), kind = 'commitment'), 0) AS made
FROM charges
WHERE run IN {runs:Array(UInt64)} AND contract IN {contracts:Array(String)} AND kind IN ('usage', 'fee', 'commitment')
GROUP BY run, contract, currency

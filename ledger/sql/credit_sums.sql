-- What some runs moved up to an instant, per grant and pair of accounts; 128 bits, because a sum of 64-bit integers wraps.
SELECT grant_id, debit, credit, toDecimal128(sum(toInt128(amount)), 0) AS amount
FROM credit_movements
WHERE run IN {runs:Array(UInt64)} AND at <= {until:Int64}
GROUP BY grant_id, debit, credit

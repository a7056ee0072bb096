-- The movements of credit of one run, in order.
SELECT run, entry, tenant, customer, currency, grant_id, at, debit, credit, amount, charge, line
FROM credit_movements WHERE run = {run:UInt64}
ORDER BY entry

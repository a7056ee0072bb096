-- How many movements of credit one run has.
SELECT count() AS movements FROM credit_movements WHERE run = {run:UInt64}

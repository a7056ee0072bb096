-- The highest step number ever used, done or cut short.
SELECT max(step) AS step FROM usage

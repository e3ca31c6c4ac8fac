-- The version of all rules together; every change of a rule raises it. Cost: one row.
SELECT version FROM rules_version

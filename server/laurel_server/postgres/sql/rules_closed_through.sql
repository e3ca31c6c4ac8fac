-- Up to which end periods are closed for good; NULL: none. Cost: one row.
SELECT closed_through FROM rules_version

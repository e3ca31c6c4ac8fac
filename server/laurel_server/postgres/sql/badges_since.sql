-- The ledger sequence up to which accounts have not seen the badge definitions as they are.
SELECT badges_since FROM rules_version

-- Raises the version of the rules; makes concurrent changes of rules queue, so that their versions have no gaps.
UPDATE rules_version SET version = version + 1

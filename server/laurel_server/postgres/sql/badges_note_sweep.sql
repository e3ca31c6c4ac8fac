-- Notes that every user has been looked at. $1: the state of the badge definitions.
UPDATE rules_version SET badges_swept = $1

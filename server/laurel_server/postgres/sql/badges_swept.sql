-- Up to which state of the badge definitions every user has been looked at, and which state they are in.
SELECT badges_swept, badges_since FROM rules_version

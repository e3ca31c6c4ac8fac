"""Between protobuf messages and the domain, both ways.

Answers are filled in place (`write_...`): a message that is built first and then put into another is copied,
which costs three times as much.
"""
